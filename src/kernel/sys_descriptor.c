/* System calls about descriptors and open files as such: dup, fcntl, ioctl, close, pipe, and what changes or
 * saves a file as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/descriptor.h"
#include "kernel/inode.h"
#include "kernel/kinds.h"
#include "kernel/lock.h"
#include "kernel/syscall.h"

/* ---- descriptors ---- */

static long sys_close(struct thread *t, const uint64_t a[6]) {
    return descriptor_close(t->process, (int)a[0]);
}

static long sys_close_range(struct thread *t, const uint64_t a[6]) {
    struct process *p = t->process;
    unsigned first = (unsigned)a[0], last = (unsigned)a[1];
    if (first > last || a[2] & ~(uint64_t)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
        return -EINVAL;
    int r = a[2] & CLOSE_RANGE_UNSHARE ? descriptors_unshare(p) : 0;
    if (r < 0)
        return r;
    if (first > INT_MAX)
        return 0;
    for (int fd = descriptor_next(p, (int)first); fd >= 0 && (unsigned)fd <= last;
         fd = descriptor_next(p, fd + 1)) {
        if (a[2] & CLOSE_RANGE_CLOEXEC)
            descriptor_set_close_on_exec(p, fd, true);
        else
            descriptor_close(p, fd);
    }
    return 0;
}

static long duplicate(struct process *p, int fd, int from, bool close_on_exec) {
    struct file *f = descriptor_file(p, fd);
    if (!f)
        return -EBADF;
    int copy = descriptor_install(p, file_ref(f), from, close_on_exec);
    if (copy < 0)
        file_unref(f);
    return copy;
}

static long sys_dup(struct thread *t, const uint64_t a[6]) {
    return duplicate(t->process, (int)a[0], 0, false);
}

static long duplicate_to(struct process *p, int fd, int to, bool close_on_exec) {
    struct file *f = descriptor_file(p, fd);
    if (!f)
        return -EBADF;
    int copy = descriptor_replace(p, file_ref(f), to, close_on_exec);
    if (copy < 0)
        file_unref(f);
    return copy;
}

static long sys_dup2(struct thread *t, const uint64_t a[6]) {
    if ((int)a[0] == (int)a[1])
        return descriptor_file(t->process, (int)a[0]) ? (int)a[0] : -EBADF;
    return duplicate_to(t->process, (int)a[0], (int)a[1], false);
}

static long sys_dup3(struct thread *t, const uint64_t a[6]) {
    if ((int)a[0] == (int)a[1] || a[2] & ~(uint64_t)O_CLOEXEC)
        return -EINVAL;
    return duplicate_to(t->process, (int)a[0], (int)a[1], a[2] & O_CLOEXEC);
}

static long make_pipe(struct thread *t, uint64_t user, uint64_t flags) {
    struct process *p = t->process;
    struct file *ends[2];
    bool close_on_exec = flags & O_CLOEXEC;
    if (flags & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    int r = pipe_create(p->kernel, (int)(flags & O_NONBLOCK), ends);
    if (r < 0)
        return r;
    int fds[2];
    fds[0] = descriptor_install_or_drop(p, ends[0], close_on_exec);
    fds[1] = descriptor_install_or_drop(p, ends[1], close_on_exec);
    r = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : user_write(p->space, user, fds, sizeof(fds));
    if (r == 0)
        return 0;
    for (int i = 0; i < 2; i++) {
        if (fds[i] >= 0)
            descriptor_close(p, fds[i]);
    }
    return r;
}

static long sys_pipe(struct thread *t, const uint64_t a[6]) {
    return make_pipe(t, a[0], 0);
}

static long sys_pipe2(struct thread *t, const uint64_t a[6]) {
    return make_pipe(t, a[0], a[1]);
}

static long sys_memfd_create(struct thread *t, const uint64_t a[6]) {
    char name[250];
    struct file *f;
    ssize_t length = user_string(t->process->space, a[0], name, sizeof(name));
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    if (a[1] & ~(uint64_t)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
        return -EINVAL;
    int r = memfd_create_file(t->process->kernel, name, (unsigned)a[1], &f);
    return r < 0 ? r : descriptor_install_or_drop(t->process, f, a[1] & MFD_CLOEXEC);
}

/* ---- fcntl and ioctl ---- */

/* Status flags that F_SETFL may change; append mode is known to the host too, for its atomic appends. */
static long set_flags(struct file *f, uint64_t flags) {
    const int changeable = O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT;
    int wanted = (int)flags & changeable;
    if ((wanted ^ f->flags) & O_APPEND && f->host >= 0) {
        int host_flags = fcntl(f->host, F_GETFL);
        if (fcntl(f->host, F_SETFL, (host_flags & ~O_APPEND) | (wanted & O_APPEND)) < 0)
            return -errno;
    }
    f->flags = (f->flags & ~changeable) | wanted;
    return 0;
}

static long control_lock(struct thread *t, struct file *f, int command, uint64_t user) {
    struct flock lock;
    int r = user_read(t->process->space, user, &lock, sizeof(lock));
    if (r < 0)
        return r;
    long result = lock_control(t, f, command, &lock);
    if (result || (command != F_GETLK && command != F_OFD_GETLK))
        return result;
    return user_write(t->process->space, user, &lock, sizeof(lock));
}

static long control_descriptor(struct process *p, int fd, uint64_t command, uint64_t argument) {
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        if ((int)argument < 0 || argument >= p->limits[RLIMIT_NOFILE].rlim_cur)
            return -EINVAL;
        return duplicate(p, fd, (int)argument, command == F_DUPFD_CLOEXEC);
    case F_GETFD: return descriptor_close_on_exec(p, fd) ? FD_CLOEXEC : 0;
    default: descriptor_set_close_on_exec(p, fd, argument & FD_CLOEXEC); return 0;
    }
}

static long control_file(struct thread *t, struct file *f, int command, uint64_t argument) {
    switch (command) {
    case F_SETFL: return set_flags(f, argument);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW: return control_lock(t, f, command, argument);
    case F_GETOWN: return f->owner;
    case F_SETOWN: f->owner = (int)argument; return 0;
    case F_GETPIPE_SZ: return pipe_size(f);
    case F_SETPIPE_SZ: return pipe_set_size(f, argument);
    case F_GET_SEALS: return memfd_seals(f);
    case F_ADD_SEALS: return memfd_add_seals(f, (unsigned)argument);
    }
    return -EINVAL;
}

static long sys_fcntl(struct thread *t, const uint64_t a[6]) {
    int fd = (int)a[0], command = (int)a[1];
    struct file *f = descriptor_file(t->process, fd);
    if (!f)
        return -EBADF;
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC || command == F_GETFD || command == F_SETFD)
        return control_descriptor(t->process, fd, (uint64_t)command, a[2]);
    if (command == F_GETFL)
        return f->flags;
    return f->flags & O_PATH ? -EBADF : control_file(t, f, command, a[2]);
}

/* Bytes between the position of a regular file and its end. */
static long bytes_left(struct thread *t, struct file *f, uint64_t user) {
    struct stat st;
    if (f->ops->stat(f, &st) < 0 || !S_ISREG(st.st_mode))
        return -ENOTTY;
    int left = (int)(st.st_size - f->ops->seek(f, 0, SEEK_CUR));
    return user_write(t->process->space, user, &left, sizeof(left));
}

static long sys_ioctl(struct thread *t, const uint64_t a[6]) {
    int fd = (int)a[0], on;
    unsigned request = (unsigned)a[1];
    struct file *f = descriptor_file(t->process, fd);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    switch (request) {
    case FIOCLEX:
    case FIONCLEX: descriptor_set_close_on_exec(t->process, fd, request == FIOCLEX); return 0;
    case FIONBIO: {
        int r = user_read(t->process->space, a[2], &on, sizeof(on));
        if (r == 0)
            f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~O_NONBLOCK;
        return r;
    }
    case FIONREAD:
        if (f->ops->seek && f->ops->stat)
            return bytes_left(t, f, a[2]);
        break;
    }
    return f->ops->ioctl ? f->ops->ioctl(f, t, request, a[2]) : -ENOTTY;
}

static long sys_flock(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    return f && !(f->flags & O_PATH) ? lock_flock(t, f, (int)a[1]) : -EBADF;
}

/* ---- whole files ---- */

static long sys_fsync(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    return f->ops->sync ? f->ops->sync(f) : -EINVAL;
}

static long sys_sync_file_range(struct thread *t, const uint64_t a[6]) {
    if ((int64_t)a[1] < 0 || (int64_t)a[2] < 0 || a[3] & ~7ULL)
        return -EINVAL;
    return sys_fsync(t, a);
}

static long sys_sync(struct thread *t, const uint64_t a[6]) {
    vm_sync(t->process->kernel->vm);
    sync();
    return 0;
}

static long sys_syncfs(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f)
        return -EBADF;
    int r = vm_sync(t->process->kernel->vm);
    if (f->host >= 0 && syncfs(f->host) < 0)
        return -errno;
    return r;
}

static long sys_ftruncate(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if ((int64_t)a[1] < 0 || (f->flags & O_ACCMODE) == O_RDONLY || !f->ops->truncate)
        return -EINVAL;
    if (a[1] > t->process->limits[RLIMIT_FSIZE].rlim_cur) {
        signal_send_thread(t, SIGXFSZ, NULL);
        return -EFBIG;
    }
    return f->ops->truncate(f, a[1]);
}

/* fallocate: the host does it; pages of ours in the range may hold what it took away. */
static long sys_fallocate(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f || f->flags & O_PATH || (f->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (f->host < 0 || !f->ops->object)
        return -EOPNOTSUPP;
    struct stat st;
    struct object *object = fstat(f->host, &st) == 0 ? inode_find(f->kernel, st.st_dev, st.st_ino) : NULL;
    if (a[1] && object)
        object_sync(object, 0, UINT64_MAX);
    if (fallocate(f->host, (int)a[1], (off_t)a[2], (off_t)a[3]) < 0)
        return -errno;
    if (fstat(f->host, &st) == 0 && !a[1])
        inode_changed(f->kernel, &st);
    else if (object)
        inode_revalidate(f->kernel, &st);
    return 0;
}

/* Advice about host files: there is nothing that the machine could do better for it. */
static long sys_fadvise64(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if (!f->ops->seek)
        return -ESPIPE;
    return a[3] <= POSIX_FADV_NOREUSE && (int64_t)a[2] >= 0 ? 0 : -EINVAL;
}

static long sys_readahead(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f || (f->flags & O_ACCMODE) == O_WRONLY)
        return -EBADF;
    return f->ops->object ? 0 : -EINVAL;
}

/* Pages do not move between files and pipes here; programs then copy. */
static long sys_splice(struct thread *t, const uint64_t a[6]) {
    return descriptor_file(t->process, (int)a[0]) ? -EINVAL : -EBADF;
}

const struct syscall_entry syscalls_descriptor[] = {
    {SYS_close, "close", sys_close},
    {SYS_close_range, "close_range", sys_close_range},
    {SYS_dup, "dup", sys_dup},
    {SYS_dup2, "dup2", sys_dup2},
    {SYS_dup3, "dup3", sys_dup3},
    {SYS_pipe, "pipe", sys_pipe},
    {SYS_pipe2, "pipe2", sys_pipe2},
    {SYS_memfd_create, "memfd_create", sys_memfd_create},
    {SYS_fcntl, "fcntl", sys_fcntl},
    {SYS_ioctl, "ioctl", sys_ioctl},
    {SYS_flock, "flock", sys_flock},
    {SYS_fsync, "fsync", sys_fsync},
    {SYS_fdatasync, "fdatasync", sys_fsync},
    {SYS_sync_file_range, "sync_file_range", sys_sync_file_range},
    {SYS_sync, "sync", sys_sync},
    {SYS_syncfs, "syncfs", sys_syncfs},
    {SYS_ftruncate, "ftruncate", sys_ftruncate},
    {SYS_fallocate, "fallocate", sys_fallocate},
    {SYS_fadvise64, "fadvise64", sys_fadvise64},
    {SYS_readahead, "readahead", sys_readahead},
    {SYS_splice, "splice", sys_splice},
    {SYS_tee, "tee", sys_splice},
    {SYS_vmsplice, "vmsplice", sys_splice},
    {-1, NULL, NULL},
};
