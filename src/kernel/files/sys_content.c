/* System calls that change or save a file's content as a whole: truncate, fallocate, fsync and their
 * relatives, and advice about it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/kinds.h"
#include "kernel/syscall.h"

static struct file *content_file(struct thread *t, uint64_t fd) {
    struct file *f = descriptor_file(t->process, (int)fd);
    return f && !(f->flags & O_PATH) ? f : NULL;
}

static mode_t type_of(struct file *f) {
    struct stat st = {0};
    return f->ops->stat && f->ops->stat(f, &st) == 0 ? st.st_mode & S_IFMT : 0;
}

/* ---- saving ---- */

static long sys_fsync(struct thread *t, const uint64_t a[6]) {
    struct file *f = content_file(t, a[0]);
    if (!f)
        return -EBADF;
    return f->ops->sync ? f->ops->sync(f) : -EINVAL;
}

static bool range_is_valid(uint64_t offset, uint64_t length) {
    return (int64_t)offset >= 0 && (int64_t)length >= 0 && offset + length <= INT64_MAX;
}

static long sys_sync_file_range(struct thread *t, const uint64_t a[6]) {
    struct file *f = content_file(t, a[0]);
    if (!f)
        return -EBADF;
    if (a[3] & ~7ULL || !range_is_valid(a[1], a[2]))
        return -EINVAL;
    mode_t type = type_of(f);
    if (type != S_IFREG && type != S_IFBLK && type != S_IFDIR && type != S_IFLNK)
        return -ESPIPE;
    return f->ops->sync ? f->ops->sync(f) : 0;
}

static long sys_sync(struct thread *t, const uint64_t a[6]) {
    vm_sync(t->process->kernel->vm);
    sync();
    return 0;
}

static long sys_syncfs(struct thread *t, const uint64_t a[6]) {
    struct file *f = content_file(t, a[0]);
    if (!f)
        return -EBADF;
    int r = vm_sync(t->process->kernel->vm);
    if (f->host >= 0 && syncfs(f->host) < 0)
        return -errno;
    return r;
}

/* ---- sizes ---- */

static int truncate_file(struct thread *t, struct file *f, uint64_t size) {
    struct stat now;
    bool grows = !f->ops->stat || f->ops->stat(f, &now) < 0 || size > (uint64_t)now.st_size;
    if (grows && size > t->process->limits[RLIMIT_FSIZE].rlim_cur) {
        signal_send_thread(t, SIGXFSZ, NULL);
        return -EFBIG;
    }
    return f->ops->truncate(f, size);
}

static long sys_ftruncate(struct thread *t, const uint64_t a[6]) {
    if ((int64_t)a[1] < 0)
        return -EINVAL;
    struct file *f = content_file(t, a[0]);
    if (!f)
        return -EBADF;
    if ((f->flags & O_ACCMODE) == O_RDONLY || !f->ops->truncate)
        return -EINVAL;
    return truncate_file(t, f, a[1]);
}

static long sys_truncate(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    char path[PATH_MAX];
    if ((int64_t)a[1] < 0)
        return -EINVAL;
    ssize_t length = user_string(t->process->space, a[0], path, sizeof(path));
    if (length < 0)
        return length;
    int r = file_open(t, AT_FDCWD, path, O_WRONLY | O_NONBLOCK, 0, &f);
    if (r < 0)
        return r == -ENXIO ? -EINVAL : r;
    r = f->ops->truncate ? truncate_file(t, f, a[1]) : -EINVAL;
    file_unref(f);
    return r;
}

/* The modes that Linux has, alone or with FALLOC_FL_KEEP_SIZE; which of them a file system can do is its own
 * affair. */
static bool allocate_mode_is_known(uint64_t mode) {
    switch (mode & ~(uint64_t)FALLOC_FL_KEEP_SIZE) {
    case 0:
    case FALLOC_FL_ZERO_RANGE:
    case FALLOC_FL_UNSHARE_RANGE: return true;
    case FALLOC_FL_PUNCH_HOLE: return mode & FALLOC_FL_KEEP_SIZE;
    case FALLOC_FL_COLLAPSE_RANGE:
    case FALLOC_FL_INSERT_RANGE: return !(mode & FALLOC_FL_KEEP_SIZE);
    }
    return false;
}

static int allocate_type_error(mode_t type) {
    return type == S_IFIFO ? -ESPIPE : type == S_IFDIR ? -EISDIR : type == S_IFREG ? -EOPNOTSUPP : -ENODEV;
}

/* fallocate(fd, mode, offset, length), in the order of vfs_fallocate(). */
static long sys_fallocate(struct thread *t, const uint64_t a[6]) {
    struct file *f = content_file(t, a[0]);
    if (!f)
        return -EBADF;
    if ((int64_t)a[2] < 0 || (int64_t)a[3] <= 0)
        return -EINVAL;
    if (!allocate_mode_is_known(a[1] & UINT32_MAX))
        return -EOPNOTSUPP;
    if ((f->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (!f->ops->allocate)
        return allocate_type_error(type_of(f));
    if (a[2] + a[3] > INT64_MAX)
        return -EFBIG;
    return f->ops->allocate(f, t, (int)a[1], a[2], a[3]);
}

/* ---- advice: there is nothing that the machine could do better for it ---- */

static long sys_fadvise64(struct thread *t, const uint64_t a[6]) {
    struct file *f = content_file(t, a[0]);
    if (!f)
        return -EBADF;
    if (type_of(f) == S_IFIFO)
        return -ESPIPE;
    return a[3] <= POSIX_FADV_NOREUSE && (int64_t)a[2] >= 0 ? 0 : -EINVAL;
}

static long sys_readahead(struct thread *t, const uint64_t a[6]) {
    struct file *f = content_file(t, a[0]);
    if (!f || (f->flags & O_ACCMODE) == O_WRONLY)
        return -EBADF;
    mode_t type = type_of(f);
    return type == S_IFREG || type == S_IFBLK ? 0 : -EINVAL;
}

const struct syscall_entry syscalls_content[] = {
    {SYS_fsync, "fsync", sys_fsync},
    {SYS_fdatasync, "fdatasync", sys_fsync},
    {SYS_sync_file_range, "sync_file_range", sys_sync_file_range},
    {SYS_sync, "sync", sys_sync},
    {SYS_syncfs, "syncfs", sys_syncfs},
    {SYS_truncate, "truncate", sys_truncate},
    {SYS_ftruncate, "ftruncate", sys_ftruncate},
    {SYS_fallocate, "fallocate", sys_fallocate},
    {SYS_fadvise64, "fadvise64", sys_fadvise64},
    {SYS_readahead, "readahead", sys_readahead},
    {-1, NULL, NULL},
};
