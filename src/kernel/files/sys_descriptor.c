/* System calls about descriptors and open files as such: dup, fcntl, ioctl, close, pipe. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/files/inode.h"
#include "kernel/files/lock.h"
#include "kernel/kinds.h"
#include "kernel/signal/signal.h"
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
    if (flags & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_EXCL))
        return -EINVAL;
    if (flags & O_EXCL) /* O_NOTIFICATION_PIPE, of a kernel without watch queues */
        return -ENOPKG;
    int r = pipe_create(p->kernel, (int)(flags & (O_NONBLOCK | O_DIRECT)), ends);
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

/* ---- who is told that a file is ready, and other small matters of an open file ---- */

static long get_owner(struct thread *t, struct file *f, uint64_t user) {
    struct f_owner_ex owner = {.type = f->owner < 0 ? F_OWNER_PGRP : F_OWNER_PID, .pid = abs(f->owner)};
    if (f->owner_is_thread)
        owner.type = F_OWNER_TID;
    return user_write(t->process->space, user, &owner, sizeof(owner));
}

static long set_owner(struct thread *t, struct file *f, uint64_t user) {
    struct f_owner_ex owner;
    int r = user_read(t->process->space, user, &owner, sizeof(owner));
    if (r < 0)
        return r;
    if (owner.type < F_OWNER_TID || owner.type > F_OWNER_PGRP)
        return -EINVAL;
    f->owner = owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
    f->owner_is_thread = owner.type == F_OWNER_TID;
    return 0;
}

enum { GET_OWNER_USERS = 17 }; /* F_GETOWNER_UIDS, which libc does not name */

/* The user who set the owner, and with what rights. */
static long get_owner_users(struct thread *t, uint64_t user) {
    uint32_t users[2] = {getuid(), geteuid()};
    return user_write(t->process->space, user, users, sizeof(users));
}

static long set_signal(struct file *f, uint64_t number) {
    if (number > SIGNAL_COUNT)
        return -EINVAL;
    f->signal = (int)number;
    return 0;
}

/* A lease is refused as if the file were in use elsewhere, which nobody can exclude: it is the host's. */
static long set_lease(struct file *f, int type) {
    struct stat st;
    if (!f->ops->stat || f->ops->stat(f, &st) < 0 || !S_ISREG(st.st_mode))
        return -EINVAL;
    return type == F_UNLCK || type == F_RDLCK || type == F_WRLCK ? -EAGAIN : -EINVAL;
}

/* Only taking a watch back, of which there are none: inotify is what programs use. */
static long set_notify(struct file *f, uint64_t events) {
    if (events & ~(uint64_t)DN_MULTISHOT)
        return f->ops->getdents ? -EINVAL : -ENOTDIR;
    return 0;
}

/* How long what is written will live: advice for the host's disk. */
static long control_hint(struct thread *t, struct file *f, int command, uint64_t user) {
    uint64_t hint = 0;
    struct stat st;
    if (f->host < 0 || fstat(f->host, &st) < 0)
        return -EINVAL;
    int r = command == F_SET_RW_HINT ? user_read(t->process->space, user, &hint, sizeof(hint)) : 0;
    if (r == 0 && fcntl(f->host, command, &hint) < 0)
        r = -errno;
    return r < 0 || command == F_SET_RW_HINT ? r : user_write(t->process->space, user, &hint, sizeof(hint));
}

/* Of a pipe, ours or (a FIFO) the host's. */
static long control_capacity(struct file *f, int command, uint64_t argument) {
    int r = command == F_GETPIPE_SZ ? pipe_size(f) : pipe_set_size(f, argument);
    if (r != -EBADF || f->host < 0)
        return r;
    r = fcntl(f->host, command, (int)argument);
    return r < 0 ? -errno : r;
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
    case F_SETOWN:
        if ((int)argument == INT_MIN)
            return -EINVAL;
        f->owner = (int)argument;
        f->owner_is_thread = false;
        return 0;
    case F_GETOWN_EX: return get_owner(t, f, argument);
    case F_SETOWN_EX: return set_owner(t, f, argument);
    case GET_OWNER_USERS: return get_owner_users(t, argument);
    case F_GETSIG: return f->signal;
    case F_SETSIG: return set_signal(f, argument);
    case F_GETLEASE: return F_UNLCK;
    case F_SETLEASE: return set_lease(f, (int)argument);
    case F_NOTIFY: return set_notify(f, argument);
    case F_GET_RW_HINT:
    case F_SET_RW_HINT: return control_hint(t, f, command, argument);
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ: return control_capacity(f, command, argument);
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
    case FIOASYNC: /* O_ASYNC is not to be had: nothing signals */
        on = 0;
        return user_read(t->process->space, a[2], &on, sizeof(on)) < 0 ? -EFAULT : on ? -ENOTTY : 0;
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

const struct syscall_entry syscalls_descriptor[] = {
    {SYS_close, "close", sys_close},
    {SYS_close_range, "close_range", sys_close_range},
    {SYS_dup, "dup", sys_dup},
    {SYS_dup2, "dup2", sys_dup2},
    {SYS_dup3, "dup3", sys_dup3},
    {SYS_pipe, "pipe", sys_pipe},
    {SYS_pipe2, "pipe2", sys_pipe2},
    {SYS_fcntl, "fcntl", sys_fcntl},
    {SYS_ioctl, "ioctl", sys_ioctl},
    {SYS_flock, "flock", sys_flock},
    {-1, NULL, NULL},
};
