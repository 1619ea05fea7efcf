/* System calls that tell and change what is known about a file beside its content: status, permissions,
 * owners, times, the file system it is on. Extended attributes are in sys_xattr.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "kernel/files/lookup.h"
#include "kernel/syscall.h"

/* ---- status. struct stat and struct statx of libc are the kernel's on x86-64. ---- */

static int lookup_stat(struct thread *t, const struct lookup *l, struct stat *ret_stat) {
    switch (l->kind) {
    case LOOKUP_HOST: return fstatat(l->directory, l->name, ret_stat, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
    case LOOKUP_PROC: proc_stat(t->process->kernel, &l->node, ret_stat); return 0;
    case LOOKUP_FILE: break;
    }
    return l->file->ops->stat ? l->file->ops->stat(l->file, ret_stat) : -EBADF;
}

static long do_stat(struct thread *t, int directory, uint64_t user, uint64_t to, int flags) {
    struct lookup l;
    struct stat st;
    int r = lookup_user(t, directory, user, flags, &l);
    if (r < 0)
        return r;
    r = lookup_stat(t, &l, &st);
    lookup_end(&l);
    return r < 0 ? r : user_write(t->process->space, to, &st, sizeof(st));
}

static long sys_stat(struct thread *t, const uint64_t a[6]) {
    return do_stat(t, AT_FDCWD, a[0], a[1], 0);
}

static long sys_lstat(struct thread *t, const uint64_t a[6]) {
    return do_stat(t, AT_FDCWD, a[0], a[1], AT_SYMLINK_NOFOLLOW);
}

static long sys_fstat(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    struct stat st;
    int r = f && f->ops->stat ? f->ops->stat(f, &st) : -EBADF;
    return r < 0 ? r : user_write(t->process->space, a[1], &st, sizeof(st));
}

static long sys_newfstatat(struct thread *t, const uint64_t a[6]) {
    if (a[3] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE))
        return -EINVAL;
    return do_stat(t, (int)a[0], a[1], a[2], (int)a[3]);
}

static struct statx_timestamp statx_time(struct timespec ts) {
    return (struct statx_timestamp){.tv_sec = ts.tv_sec, .tv_nsec = (uint32_t)ts.tv_nsec};
}

static struct statx statx_of_stat(const struct stat *st) {
    return (struct statx){.stx_mask = STATX_BASIC_STATS,
                          .stx_blksize = (uint32_t)st->st_blksize,
                          .stx_nlink = (uint32_t)st->st_nlink,
                          .stx_uid = st->st_uid,
                          .stx_gid = st->st_gid,
                          .stx_mode = (uint16_t)st->st_mode,
                          .stx_ino = st->st_ino,
                          .stx_size = (uint64_t)st->st_size,
                          .stx_blocks = (uint64_t)st->st_blocks,
                          .stx_atime = statx_time(st->st_atim),
                          .stx_ctime = statx_time(st->st_ctim),
                          .stx_mtime = statx_time(st->st_mtim),
                          .stx_rdev_major = major(st->st_rdev),
                          .stx_rdev_minor = minor(st->st_rdev),
                          .stx_dev_major = major(st->st_dev),
                          .stx_dev_minor = minor(st->st_dev)};
}

static int lookup_statx(struct thread *t, const struct lookup *l, int flags, unsigned mask,
                        struct statx *ret_statx) {
    int sync = flags & AT_STATX_SYNC_TYPE;
    struct stat st;
    if (l->kind == LOOKUP_HOST)
        return statx(l->directory, l->name, sync | AT_SYMLINK_NOFOLLOW, mask, ret_statx) < 0 ? -errno : 0;
    if (l->kind == LOOKUP_FILE && l->file->host >= 0)
        return statx(l->file->host, "", sync | AT_EMPTY_PATH, mask, ret_statx) < 0 ? -errno : 0;
    int r = lookup_stat(t, l, &st);
    if (r == 0)
        *ret_statx = statx_of_stat(&st);
    return r;
}

static long sys_statx(struct thread *t, const uint64_t a[6]) {
    const int known = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE;
    struct lookup l;
    struct statx result;
    if (a[2] & ~(uint64_t)known || a[3] & STATX__RESERVED)
        return -EINVAL;
    int r = lookup_user(t, (int)a[0], a[1], (int)a[2], &l);
    if (r < 0)
        return r;
    r = lookup_statx(t, &l, (int)a[2], (unsigned)a[3], &result);
    lookup_end(&l);
    return r < 0 ? r : user_write(t->process->space, a[4], &result, sizeof(result));
}

/* ---- access ---- */

static int lookup_access(struct thread *t, const struct lookup *l, int mode, int flags) {
    struct stat st;
    if (l->kind == LOOKUP_HOST && l->inside && mode & W_OK) {
        int r = sandbox_may_write(t->process->kernel->sandbox, l->inside, l->name, l->layer);
        if (r < 0)
            return r;
        mode &= r ? ~W_OK : ~0;
    }
    if (l->kind == LOOKUP_HOST)
        return faccessat(l->directory, l->name, mode, flags | AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
    if (l->kind == LOOKUP_FILE && l->file->host >= 0)
        return faccessat(l->file->host, "", mode, flags | AT_EMPTY_PATH) < 0 ? -errno : 0;
    int r = lookup_stat(t, l, &st);
    if (r < 0)
        return r;
    mode_t allowed = (st.st_mode | st.st_mode >> 3 | st.st_mode >> 6) & 7;
    if (geteuid() == 0)
        allowed |= R_OK | W_OK;
    return (mode_t)mode & ~allowed ? -EACCES : 0;
}

static long do_access(struct thread *t, int directory, uint64_t user, uint64_t mode, int flags) {
    struct lookup l;
    if (mode & ~7ULL || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    int r = lookup_user(t, directory, user, flags, &l);
    if (r < 0)
        return r;
    r = lookup_access(t, &l, (int)mode, flags & AT_EACCESS);
    lookup_end(&l);
    return r;
}

static long sys_access(struct thread *t, const uint64_t a[6]) {
    return do_access(t, AT_FDCWD, a[0], a[1], 0);
}

static long sys_faccessat(struct thread *t, const uint64_t a[6]) {
    return do_access(t, (int)a[0], a[1], a[2], 0);
}

static long sys_faccessat2(struct thread *t, const uint64_t a[6]) {
    return do_access(t, (int)a[0], a[1], a[2], (int)a[3]);
}

/* ---- changes. Each is carried out on a host path, which leads to an open file's inode as well. ---- */

struct change {
    enum { CHANGE_MODE, CHANGE_OWNER, CHANGE_TIMES } what;
    mode_t mode;
    uid_t user;
    gid_t group;
    const struct timespec *times; /* NULL: now */
};

/* Last components that are links were followed already, or must not be. */
static int change_path(int directory, const char *path, int flags, const struct change *c) {
    int r = 0;
    switch (c->what) {
    case CHANGE_MODE: r = fchmodat(directory, path, c->mode, 0); break;
    case CHANGE_OWNER: r = fchownat(directory, path, c->user, c->group, flags); break;
    case CHANGE_TIMES: r = utimensat(directory, path, c->times, flags); break;
    }
    return r < 0 ? -errno : 0;
}

static int change_file(struct file *f, const struct change *c) {
    char path[64];
    if (f->host < 0)
        return proc_file_node(f) ? -EPERM : 0; /* a pipe's status is nobody's business */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", f->host);
    return change_path(AT_FDCWD, path, 0, c);
}

static int change_entry(struct thread *t, struct lookup *l, const struct change *c) {
    int r = l->layer == SANDBOX_MISSING ? 0 : lookup_change(t, l, SANDBOX_STATUS);
    return r < 0 ? r : change_path(l->directory, l->name, AT_SYMLINK_NOFOLLOW, c);
}

static int change_open_file(struct thread *t, struct file *f, const struct change *c) {
    struct lookup l;
    int r = lookup_open_file(t, f, &l);
    if (r < 0)
        return r;
    r = l.kind == LOOKUP_FILE ? change_file(f, c) : change_path(l.directory, l.name, AT_SYMLINK_NOFOLLOW, c);
    lookup_end(&l);
    return r;
}

static long do_change(struct thread *t, int directory, uint64_t user, int flags, const struct change *c) {
    struct lookup l;
    int r = lookup_user(t, directory, user, flags, &l);
    if (r < 0)
        return r;
    switch (l.kind) {
    case LOOKUP_HOST: r = change_entry(t, &l, c); break;
    case LOOKUP_PROC: r = -EPERM; break;
    case LOOKUP_FILE: r = change_open_file(t, l.file, c); break;
    }
    lookup_end(&l);
    return r;
}

static long do_fchange(struct thread *t, uint64_t fd, const struct change *c) {
    struct file *f = descriptor_file(t->process, (int)fd);
    return f && !(f->flags & O_PATH) ? change_open_file(t, f, c) : -EBADF;
}

static long sys_chmod(struct thread *t, const uint64_t a[6]) {
    return do_change(t, AT_FDCWD, a[0], 0, &(struct change){.what = CHANGE_MODE, .mode = a[1] & 07777});
}

static long sys_fchmod(struct thread *t, const uint64_t a[6]) {
    return do_fchange(t, a[0], &(struct change){.what = CHANGE_MODE, .mode = a[1] & 07777});
}

static long sys_fchmodat(struct thread *t, const uint64_t a[6]) {
    return do_change(t, (int)a[0], a[1], 0, &(struct change){.what = CHANGE_MODE, .mode = a[2] & 07777});
}

static struct change owner(uint64_t user, uint64_t group) {
    return (struct change){.what = CHANGE_OWNER, .user = (uid_t)user, .group = (gid_t)group};
}

static long sys_chown(struct thread *t, const uint64_t a[6]) {
    struct change c = owner(a[1], a[2]);
    return do_change(t, AT_FDCWD, a[0], 0, &c);
}

static long sys_lchown(struct thread *t, const uint64_t a[6]) {
    struct change c = owner(a[1], a[2]);
    return do_change(t, AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, &c);
}

static long sys_fchown(struct thread *t, const uint64_t a[6]) {
    struct change c = owner(a[1], a[2]);
    return do_fchange(t, a[0], &c);
}

static long sys_fchownat(struct thread *t, const uint64_t a[6]) {
    struct change c = owner(a[2], a[3]);
    if (a[4] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return do_change(t, (int)a[0], a[1], (int)a[4], &c);
}

/* ---- times ---- */

static long sys_utimensat(struct thread *t, const uint64_t a[6]) {
    struct timespec times[2];
    struct change c = {.what = CHANGE_TIMES, .times = a[2] ? times : NULL};
    int r = a[2] ? user_read(t->process->space, a[2], times, sizeof(times)) : 0;
    if (r < 0)
        return r;
    if (a[3] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (a[1] || (int)a[0] == AT_FDCWD)
        return do_change(t, (int)a[0], a[1], (int)a[3], &c);
    return a[3] ? -EINVAL : do_fchange(t, a[0], &c);
}

/* `user_times`: two struct timeval, or 0 for now. */
static long do_utimes(struct thread *t, int directory, uint64_t path, uint64_t user_times) {
    struct timeval values[2];
    struct timespec times[2];
    struct change c = {.what = CHANGE_TIMES, .times = user_times ? times : NULL};
    int r = user_times ? user_read(t->process->space, user_times, values, sizeof(values)) : 0;
    if (r < 0)
        return r;
    for (int i = 0; user_times && i < 2; i++) {
        if (values[i].tv_usec < 0 || values[i].tv_usec >= 1000000)
            return -EINVAL;
        times[i] = (struct timespec){.tv_sec = values[i].tv_sec, .tv_nsec = values[i].tv_usec * 1000};
    }
    return do_change(t, directory, path, 0, &c);
}

static long sys_utimes(struct thread *t, const uint64_t a[6]) {
    return do_utimes(t, AT_FDCWD, a[0], a[1]);
}

static long sys_futimesat(struct thread *t, const uint64_t a[6]) {
    return do_utimes(t, (int)a[0], a[1], a[2]);
}

static long sys_utime(struct thread *t, const uint64_t a[6]) {
    struct utimbuf values;
    struct timespec times[2];
    struct change c = {.what = CHANGE_TIMES, .times = a[1] ? times : NULL};
    int r = a[1] ? user_read(t->process->space, a[1], &values, sizeof(values)) : 0;
    if (r < 0)
        return r;
    times[0] = (struct timespec){.tv_sec = a[1] ? values.actime : 0};
    times[1] = (struct timespec){.tv_sec = a[1] ? values.modtime : 0};
    return do_change(t, AT_FDCWD, a[0], 0, &c);
}

/* ---- file systems ---- */

static int host_statfs(int directory, const char *name, struct statfs *ret_status) {
    char path[NAME_MAX + 64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", directory, name);
    return statfs(path, ret_status) < 0 ? -errno : 0;
}

static int file_statfs(struct file *f, struct statfs *ret_status) {
    if (f->host >= 0)
        return fstatfs(f->host, ret_status) < 0 ? -errno : 0;
    long magic = proc_file_node(f) ? PROC_SUPER_MAGIC : PIPEFS_MAGIC;
    *ret_status = (struct statfs){.f_type = magic, .f_bsize = PAGE_SIZE, .f_namelen = NAME_MAX};
    return 0;
}

static long sys_statfs(struct thread *t, const uint64_t a[6]) {
    struct statfs status;
    struct lookup l;
    int r = lookup_user(t, AT_FDCWD, a[0], 0, &l);
    if (r < 0)
        return r;
    switch (l.kind) {
    case LOOKUP_HOST: r = host_statfs(l.directory, l.name, &status); break;
    case LOOKUP_FILE: r = file_statfs(l.file, &status); break;
    case LOOKUP_PROC:
        status = (struct statfs){.f_type = PROC_SUPER_MAGIC, .f_bsize = PAGE_SIZE, .f_namelen = NAME_MAX};
        break;
    }
    lookup_end(&l);
    return r < 0 ? r : user_write(t->process->space, a[1], &status, sizeof(status));
}

static long sys_fstatfs(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    struct statfs status;
    if (!f)
        return -EBADF;
    int r = file_statfs(f, &status);
    return r < 0 ? r : user_write(t->process->space, a[1], &status, sizeof(status));
}

const struct syscall_entry syscalls_status[] = {
    {SYS_stat, "stat", sys_stat},
    {SYS_lstat, "lstat", sys_lstat},
    {SYS_fstat, "fstat", sys_fstat},
    {SYS_newfstatat, "newfstatat", sys_newfstatat},
    {SYS_statx, "statx", sys_statx},
    {SYS_access, "access", sys_access},
    {SYS_faccessat, "faccessat", sys_faccessat},
    {SYS_faccessat2, "faccessat2", sys_faccessat2},
    {SYS_chmod, "chmod", sys_chmod},
    {SYS_fchmod, "fchmod", sys_fchmod},
    {SYS_fchmodat, "fchmodat", sys_fchmodat},
    {SYS_chown, "chown", sys_chown},
    {SYS_lchown, "lchown", sys_lchown},
    {SYS_fchown, "fchown", sys_fchown},
    {SYS_fchownat, "fchownat", sys_fchownat},
    {SYS_utime, "utime", sys_utime},
    {SYS_utimes, "utimes", sys_utimes},
    {SYS_futimesat, "futimesat", sys_futimesat},
    {SYS_utimensat, "utimensat", sys_utimensat},
    {SYS_statfs, "statfs", sys_statfs},
    {SYS_fstatfs, "fstatfs", sys_fstatfs},
    {-1, NULL, NULL},
};
