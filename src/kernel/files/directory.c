/* Directories of the host, and files opened with O_PATH: places rather than content. A directory's position
 * is the host descriptor's, which processes share as they share the open file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/files/inode.h"
#include "kernel/kinds.h"
#include "kernel/sandbox/sandbox.h"

static ssize_t directory_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    return -EISDIR;
}

static int64_t directory_seek(struct file *f, int64_t offset, int whence) {
    off_t position = lseek(f->host, offset, whence);
    return position < 0 ? -errno : position;
}

static ssize_t directory_getdents(struct file *f, void *to, size_t length) {
    long n = syscall(SYS_getdents64, f->host, to, length);
    return n < 0 ? -errno : n;
}

static int place_stat(struct file *f, struct stat *ret_stat) {
    return fstat(f->host, ret_stat) < 0 ? -errno : 0;
}

static int directory_sync(struct file *f) {
    return fsync(f->host) < 0 ? -errno : 0;
}

static const struct file_ops directory_ops = {
    .name = "directory",
    .read = directory_read,
    .seek = directory_seek,
    .ioctl = hostfile_control,
    .stat = place_stat,
    .sync = directory_sync,
    .getdents = directory_getdents,
};

static const struct file_ops pathfile_ops = {
    .name = "path",
    .stat = place_stat,
};

static int place_create(struct kernel *k, const struct file_ops *ops, int host, int flags,
                        struct file **ret_file) {
    struct file *f = file_create(k, ops, flags);
    if (!f)
        return -ENOMEM;
    f->host = host;
    *ret_file = f;
    return 0;
}

int directory_create(struct kernel *k, int host, int flags, struct file **ret_file) {
    char path[PATH_MAX];
    if (k->sandbox && (sandbox_where(k->sandbox, host, path) < 0 || !sandbox_lists_as_host(k->sandbox, path)))
        return boxdir_create(k, host, flags, ret_file);
    return place_create(k, &directory_ops, host, flags, ret_file);
}

int pathfile_create(struct kernel *k, int host, int flags, struct file **ret_file) {
    return place_create(k, &pathfile_ops, host, flags, ret_file);
}
