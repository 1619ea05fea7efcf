/* System calls that make, remove, rename and open what paths name, and the working directory. What they tell
 * about files is in sys_status.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/files/inode.h"
#include "kernel/files/lookup.h"
#include "kernel/files/path.h"
#include "kernel/syscall.h"

/* A path whose last component is to be removed or renamed: never followed. In the machine's /proc nothing can
 * be: `in_proc` is the errno then. */
static int lookup_entry(struct thread *t, int directory, uint64_t user, int in_proc,
                        struct lookup *ret_lookup) {
    char path[PATH_MAX];
    ssize_t length = user_string(t->process->space, user, path, sizeof(path));
    int r = length < 0 ? (int)length : lookup_path(t, directory, path, LOOKUP_ENTRY, ret_lookup);
    if (r < 0 || ret_lookup->kind == LOOKUP_HOST)
        return r;
    lookup_end(ret_lookup);
    return in_proc;
}

/* A path whose last component is to be made: likewise. */
static int lookup_new(struct thread *t, int directory, uint64_t user, int in_proc,
                      struct lookup *ret_lookup) {
    int r = lookup_entry(t, directory, user, in_proc, ret_lookup);
    if (r < 0)
        return r;
    r = lookup_change(t, ret_lookup, SANDBOX_MAKE);
    if (r < 0)
        lookup_end(ret_lookup);
    return r;
}

/* ---- opening ---- */

/* A file without a name must be writable, or what for; it is none that is created besides. */
static bool unnamed_is_wrong(uint64_t flags) {
    uint64_t unnamed = O_TMPFILE & ~O_DIRECTORY;
    if (flags & O_PATH || !(flags & unnamed))
        return false;
    return (flags & (O_TMPFILE | O_CREAT)) != O_TMPFILE || (flags & O_ACCMODE) == O_RDONLY;
}

static long do_open(struct thread *t, int directory, uint64_t user, const struct open_how *how) {
    if (unnamed_is_wrong(how->flags))
        return -EINVAL;
    char path[PATH_MAX];
    struct file *f;
    ssize_t length = user_string(t->process->space, user, path, sizeof(path));
    if (length < 0)
        return length;
    int r = descriptor_available(t->process);
    if (r == 0)
        r = file_open_resolved(t, directory, path, (int)how->flags, (mode_t)how->mode & 07777,
                               (unsigned)how->resolve, &f);
    if (r == FILE_SLEEPS)
        return SYS_SLEEP;
    return r < 0 ? r : descriptor_install_or_drop(t->process, f, how->flags & O_CLOEXEC);
}

static long sys_open(struct thread *t, const uint64_t a[6]) {
    return do_open(t, AT_FDCWD, a[0], &(struct open_how){.flags = a[1], .mode = a[2]});
}

static long sys_openat(struct thread *t, const uint64_t a[6]) {
    return do_open(t, (int)a[0], a[1], &(struct open_how){.flags = a[2], .mode = a[3]});
}

static long sys_creat(struct thread *t, const uint64_t a[6]) {
    return do_open(t, AT_FDCWD, a[0],
                   &(struct open_how){.flags = O_CREAT | O_WRONLY | O_TRUNC, .mode = a[1]});
}

/* A structure that may be larger than ours, when what is beyond is zero. */
static int how_load(struct thread *t, uint64_t user, uint64_t size, struct open_how *ret_how) {
    char bytes[PAGE_SIZE];
    if (size < sizeof(*ret_how))
        return -EINVAL;
    if (size > sizeof(bytes))
        return -E2BIG;
    int r = user_read(t->process->space, user, bytes, size);
    if (r < 0)
        return r;
    memcpy(ret_how, bytes, sizeof(*ret_how));
    for (size_t i = sizeof(*ret_how); i < size; i++) {
        if (bytes[i])
            return -E2BIG;
    }
    return 0;
}

/* Unlike open(), it refuses what it does not know. */
static int how_check(const struct open_how *how) {
    const uint64_t flags = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK |
                           O_SYNC | O_ASYNC | O_DIRECT | 0100000 | O_NOFOLLOW | O_NOATIME | O_CLOEXEC |
                           O_PATH | O_TMPFILE;
    const uint64_t resolves =
        RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT;
    const uint64_t of_path = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC,
                   both = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
    bool creates = how->flags & O_CREAT || (how->flags & O_TMPFILE) == O_TMPFILE;
    if (how->flags & ~flags || how->resolve & ~(resolves | RESOLVE_CACHED) || (how->resolve & both) == both)
        return -EINVAL;
    if (creates ? how->mode & ~07777ULL : how->mode)
        return -EINVAL;
    if (how->flags & O_PATH && how->flags & ~of_path)
        return -EINVAL;
    return how->resolve & RESOLVE_CACHED ? -EAGAIN : 0; /* nothing is known to be at hand */
}

static long sys_openat2(struct thread *t, const uint64_t a[6]) {
    struct open_how how;
    int r = how_load(t, a[2], a[3], &how);
    if (r == 0)
        r = how_check(&how);
    return r < 0 ? r : do_open(t, (int)a[0], a[1], &how);
}

/* ---- making and removing ---- */

static long do_mkdir(struct thread *t, int directory, uint64_t user, uint64_t mode) {
    struct lookup l;
    int r = lookup_new(t, directory, user, -EEXIST, &l);
    if (r < 0)
        return r;
    mode_t own = umask(t->process->fs->umask);
    r = mkdirat(l.directory, l.name, mode & 07777) < 0 ? -errno : 0;
    umask(own);
    if (r == 0 && l.inside)
        r = sandbox_made_directory(t->process->kernel->sandbox, l.inside, l.name);
    lookup_end(&l);
    return r;
}

static long sys_mkdir(struct thread *t, const uint64_t a[6]) {
    return do_mkdir(t, AT_FDCWD, a[0], a[1]);
}

static long sys_mkdirat(struct thread *t, const uint64_t a[6]) {
    return do_mkdir(t, (int)a[0], a[1], a[2]);
}

static long do_mknod(struct thread *t, int directory, uint64_t user, uint64_t mode, uint64_t device) {
    struct lookup l;
    mode_t type = mode & S_IFMT;
    if (type == S_IFDIR)
        return -EPERM;
    if (type && type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO && type != S_IFSOCK)
        return -EINVAL;
    if (t->process->kernel->sandbox && (S_ISBLK(mode) || S_ISCHR(mode)))
        return -EPERM; /* it would be the host's device */
    int r = lookup_new(t, directory, user, -EEXIST, &l);
    if (r < 0)
        return r;
    mode_t own = umask(t->process->fs->umask);
    r = mknodat(l.directory, l.name, (mode_t)mode, device) < 0 ? -errno : 0;
    umask(own);
    lookup_end(&l);
    return r;
}

static long sys_mknod(struct thread *t, const uint64_t a[6]) {
    return do_mknod(t, AT_FDCWD, a[0], a[1], a[2]);
}

static long sys_mknodat(struct thread *t, const uint64_t a[6]) {
    return do_mknod(t, (int)a[0], a[1], a[2], a[3]);
}

static long do_unlink(struct thread *t, int directory, uint64_t user, int flags) {
    struct lookup l;
    int r = lookup_entry(t, directory, user, -EPERM, &l);
    if (r < 0)
        return r;
    if (l.inside) {
        r = sandbox_remove(t->process->kernel->sandbox, l.inside, l.name, flags);
    } else {
        inode_unlinking(t->process->kernel, l.directory, l.name);
        r = unlinkat(l.directory, l.name, flags) < 0 ? -errno : 0;
    }
    lookup_end(&l);
    return r;
}

static long sys_unlink(struct thread *t, const uint64_t a[6]) {
    return do_unlink(t, AT_FDCWD, a[0], 0);
}

static long sys_rmdir(struct thread *t, const uint64_t a[6]) {
    return do_unlink(t, AT_FDCWD, a[0], AT_REMOVEDIR);
}

static long sys_unlinkat(struct thread *t, const uint64_t a[6]) {
    if (a[2] & ~(uint64_t)AT_REMOVEDIR)
        return -EINVAL;
    return do_unlink(t, (int)a[0], a[1], (int)a[2]);
}

static long do_symlink(struct thread *t, uint64_t text, int directory, uint64_t user) {
    char target[PATH_MAX];
    struct lookup l;
    ssize_t length = user_string(t->process->space, text, target, sizeof(target));
    if (length < 0)
        return length;
    int r = lookup_new(t, directory, user, -EEXIST, &l);
    if (r < 0)
        return r;
    r = symlinkat(target, l.directory, l.name) < 0 ? -errno : 0;
    lookup_end(&l);
    return r;
}

static long sys_symlink(struct thread *t, const uint64_t a[6]) {
    return do_symlink(t, a[0], AT_FDCWD, a[1]);
}

static long sys_symlinkat(struct thread *t, const uint64_t a[6]) {
    return do_symlink(t, a[0], (int)a[1], a[2]);
}

/* In a sandbox a file gets further names only where it may be changed as much by the old ones. */
static int link_in_sandbox(struct thread *t, struct lookup *from, const struct lookup *to) {
    const struct sandbox *box = t->process->kernel->sandbox;
    int r = -EXDEV;
    if (from->kind == LOOKUP_HOST)
        r = sandbox_may_link(box, from->inside, from->name, to->inside, to->name);
    else if (from->kind == LOOKUP_FILE && from->file->host >= 0)
        r = sandbox_file_may_link(box, from->file->host, to->inside, to->name);
    if (r == 0 && from->kind == LOOKUP_HOST)
        r = lookup_change(t, from, SANDBOX_STATUS);
    return r;
}

/* An open file gets a name (one made with O_TMPFILE, say) through its host descriptor's. */
static int link_target(struct thread *t, struct lookup *from, const struct lookup *to) {
    int r = to->inside ? link_in_sandbox(t, from, to) : 0;
    if (r < 0)
        return r;
    if (from->kind == LOOKUP_HOST)
        return linkat(from->directory, from->name, to->directory, to->name, 0) < 0 ? -errno : 0;
    if (from->kind == LOOKUP_PROC || from->file->host < 0)
        return -EXDEV;
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", from->file->host);
    return linkat(AT_FDCWD, path, to->directory, to->name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static long do_link(struct thread *t, const int directories[2], const uint64_t users[2], uint64_t flags) {
    struct lookup from, to;
    if (flags & ~(uint64_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    int at_flags = (flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) | (int)(flags & AT_EMPTY_PATH);
    int r = lookup_user(t, directories[0], users[0], at_flags, &from);
    if (r < 0)
        return r;
    if (from.inside && from.kind == LOOKUP_HOST && from.layer == SANDBOX_MISSING)
        r = -ENOENT;
    if (r == 0)
        r = lookup_new(t, directories[1], users[1], -EXDEV, &to);
    if (r == 0) {
        r = link_target(t, &from, &to);
        lookup_end(&to);
    }
    lookup_end(&from);
    return r;
}

static long sys_link(struct thread *t, const uint64_t a[6]) {
    return do_link(t, (const int[]){AT_FDCWD, AT_FDCWD}, a, 0);
}

static long sys_linkat(struct thread *t, const uint64_t a[6]) {
    return do_link(t, (const int[]){(int)a[0], (int)a[2]}, (const uint64_t[]){a[1], a[3]}, a[4]);
}

static int rename_entry(struct thread *t, const struct lookup *from, const struct lookup *to,
                        unsigned flags) {
    const struct sandbox *box = t->process->kernel->sandbox;
    if (box)
        return sandbox_rename(box, from->inside, from->name, to->inside, to->name, flags);
    return renameat2(from->directory, from->name, to->directory, to->name, flags) < 0 ? -errno : 0;
}

static long do_rename(struct thread *t, const int directories[2], const uint64_t users[2], unsigned flags) {
    struct lookup from, to;
    int r = lookup_entry(t, directories[0], users[0], -EXDEV, &from);
    if (r < 0)
        return r;
    r = lookup_entry(t, directories[1], users[1], -EXDEV, &to);
    if (r == 0) {
        r = rename_entry(t, &from, &to, flags);
        lookup_end(&to);
    }
    lookup_end(&from);
    return r;
}

static long sys_rename(struct thread *t, const uint64_t a[6]) {
    return do_rename(t, (const int[]){AT_FDCWD, AT_FDCWD}, a, 0);
}

static long sys_renameat(struct thread *t, const uint64_t a[6]) {
    return do_rename(t, (const int[]){(int)a[0], (int)a[2]}, (const uint64_t[]){a[1], a[3]}, 0);
}

static long sys_renameat2(struct thread *t, const uint64_t a[6]) {
    return do_rename(t, (const int[]){(int)a[0], (int)a[2]}, (const uint64_t[]){a[1], a[3]}, (unsigned)a[4]);
}

/* ---- links and directories read ---- */

static long do_readlink(struct thread *t, int directory, uint64_t user, uint64_t to, uint64_t size) {
    char text[PATH_MAX];
    struct lookup l;
    if ((int)size <= 0)
        return -EINVAL;
    int r = lookup_user(t, directory, user, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &l);
    if (r < 0)
        return r;
    ssize_t n = -EINVAL;
    if (l.kind == LOOKUP_PROC) {
        n = proc_is_link(&l.node) ? proc_readlink(t, &l.node, text, sizeof(text)) : -EINVAL;
    } else if (l.kind == LOOKUP_HOST || l.file->host >= 0) {
        bool host = l.kind == LOOKUP_HOST;
        n = readlinkat(host ? l.directory : l.file->host, host ? l.name : "", text, sizeof(text));
        n = n < 0 ? -errno : n;
    }
    lookup_end(&l);
    char first = '.';
    if (n == -EINVAL && user_read(t->process->space, user, &first, 1) == 0 && !first)
        return -ENOENT; /* an empty path, and what the descriptor refers to is no link */
    if (n < 0)
        return n;
    size_t length = min_u64((uint64_t)n, size);
    r = user_write(t->process->space, to, text, length);
    return r < 0 ? r : (long)length;
}

static long sys_readlink(struct thread *t, const uint64_t a[6]) {
    return do_readlink(t, AT_FDCWD, a[0], a[1], a[2]);
}

static long sys_readlinkat(struct thread *t, const uint64_t a[6]) {
    return do_readlink(t, (int)a[0], a[1], a[2], a[3]);
}

/* A record as getdents64 has it, or as getdents has it: the type stands in the last byte. What lies between
 * the name and the end is not written: nobody has given it a value. 0 or -errno. */
static int put_record(struct space *space, uint64_t address, const struct dirent64 *d, bool old) {
    const size_t head = offsetof(struct dirent64, d_type), name = strlen(d->d_name) + 1;
    if (!old)
        return user_write(space, address, d, offsetof(struct dirent64, d_name) + name);
    int r = user_write(space, address, d, head);
    if (r == 0)
        r = user_write(space, address + head, d->d_name, name);
    return r < 0 ? r : user_write(space, address + d->d_reclen - 1, &d->d_type, 1);
}

static long do_getdents(struct thread *t, const uint64_t a[6], bool old) {
    char records[32768] __attribute__((aligned(8)));
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if (!f->ops->getdents)
        return -ENOTDIR;
    int64_t position = f->ops->seek(f, 0, SEEK_CUR);
    ssize_t n = f->ops->getdents(f, records, min_u64(a[2], sizeof(records)));
    for (ssize_t done = 0; done < n;) {
        const struct dirent64 *d = (const struct dirent64 *)(const void *)(records + done);
        int r = put_record(t->process->space, a[1] + (uint64_t)done, d, old);
        if (r < 0) { /* the next call begins with this one */
            f->ops->seek(f, position, SEEK_SET);
            return done ? done : r;
        }
        position = d->d_off;
        done += d->d_reclen;
    }
    return n;
}

static long sys_getdents(struct thread *t, const uint64_t a[6]) {
    return do_getdents(t, a, true);
}

static long sys_getdents64(struct thread *t, const uint64_t a[6]) {
    return do_getdents(t, a, false);
}

/* ---- the working directory ---- */

static long sys_getcwd(struct thread *t, const uint64_t a[6]) {
    char path[PATH_MAX];
    ssize_t n = pathfs_name(t->process->kernel, t->process->fs, path, min_u64(a[1], sizeof(path)));
    if (n < 0)
        return n;
    int r = user_write(t->process->space, a[0], path, (size_t)n);
    return r < 0 ? r : n;
}

/* Makes a host directory the working directory; the right to search it is asked of the host. */
static int change_to_host(struct thread *t, int directory, const char *name) {
    int host = openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (host < 0)
        return -errno;
    if (faccessat(host, ".", X_OK, AT_EACCESS) < 0) {
        int error = -errno;
        close(host);
        return error;
    }
    pathfs_set_host(t->process->fs, host);
    return 0;
}

static int change_to_file(struct thread *t, struct file *f) {
    if (proc_file_node(f)) {
        if (!proc_is_directory(proc_file_node(f)))
            return -ENOTDIR;
        pathfs_set_proc(t->process->fs, proc_file_node(f));
        return 0;
    }
    return f->host < 0 ? -ENOTDIR : change_to_host(t, f->host, ".");
}

static long sys_chdir(struct thread *t, const uint64_t a[6]) {
    struct lookup l;
    int r = lookup_user(t, AT_FDCWD, a[0], 0, &l);
    if (r < 0)
        return r;
    switch (l.kind) {
    case LOOKUP_HOST: r = change_to_host(t, l.directory, l.name); break;
    case LOOKUP_FILE: r = change_to_file(t, l.file); break;
    case LOOKUP_PROC:
        r = proc_is_directory(&l.node) ? 0 : -ENOTDIR;
        if (r == 0)
            pathfs_set_proc(t->process->fs, &l.node);
        break;
    }
    lookup_end(&l);
    return r;
}

static long sys_fchdir(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    return f ? change_to_file(t, f) : -EBADF;
}

/* The machine has one root directory, and its file systems are the host's. */
static long sys_not_permitted(struct thread *t, const uint64_t a[6]) {
    return -EPERM;
}

static long sys_umask(struct thread *t, const uint64_t a[6]) {
    mode_t old = t->process->fs->umask;
    t->process->fs->umask = a[0] & 0777;
    return old;
}

const struct syscall_entry syscalls_path[] = {
    {SYS_open, "open", sys_open},
    {SYS_openat, "openat", sys_openat},
    {SYS_openat2, "openat2", sys_openat2},
    {SYS_creat, "creat", sys_creat},
    {SYS_mkdir, "mkdir", sys_mkdir},
    {SYS_mkdirat, "mkdirat", sys_mkdirat},
    {SYS_mknod, "mknod", sys_mknod},
    {SYS_mknodat, "mknodat", sys_mknodat},
    {SYS_unlink, "unlink", sys_unlink},
    {SYS_rmdir, "rmdir", sys_rmdir},
    {SYS_unlinkat, "unlinkat", sys_unlinkat},
    {SYS_symlink, "symlink", sys_symlink},
    {SYS_symlinkat, "symlinkat", sys_symlinkat},
    {SYS_link, "link", sys_link},
    {SYS_linkat, "linkat", sys_linkat},
    {SYS_rename, "rename", sys_rename},
    {SYS_renameat, "renameat", sys_renameat},
    {SYS_renameat2, "renameat2", sys_renameat2},
    {SYS_readlink, "readlink", sys_readlink},
    {SYS_readlinkat, "readlinkat", sys_readlinkat},
    {SYS_getdents, "getdents", sys_getdents},
    {SYS_getdents64, "getdents64", sys_getdents64},
    {SYS_getcwd, "getcwd", sys_getcwd},
    {SYS_chdir, "chdir", sys_chdir},
    {SYS_fchdir, "fchdir", sys_fchdir},
    {SYS_chroot, "chroot", sys_not_permitted},
    {SYS_pivot_root, "pivot_root", sys_not_permitted},
    {SYS_mount, "mount", sys_not_permitted},
    {SYS_umount2, "umount2", sys_not_permitted},
    {SYS_umask, "umask", sys_umask},
    {-1, NULL, NULL},
};
