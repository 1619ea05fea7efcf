/* Regular files (and block devices) of the host.
 *
 * Input and output go straight to the host file, at an offset of our own, because processes of the machine
 * share offsets by fork and host descriptors do not follow. A file that Thimble inherited keeps its offset on
 * the host: a shell that started us goes on writing behind what we wrote.
 *
 * Pages of the file that are in the page cache may be newer than the file (a shared mapping wrote them): they
 * are laid over what was read, and brought up to date by what is written. */
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kernel/files/inode.h"
#include "kernel/kinds.h"
#include "kernel/sandbox/limits.h"
#include "kernel/terminal/terminal.h"

struct hostfile {
    dev_t dev;
    ino_t ino;
    bool inherited;
};

static struct object *cached(struct file *f) {
    const struct hostfile *h = f->data;
    return inode_find(f->kernel, h->dev, h->ino);
}

/* Where all data is cached, what was read or written is in the page cache from now on. It is written through:
 * the file has it already, so that its pages are clean. Without memory for it nothing is lost. */
static void pass_through_cache(struct file *f, uint64_t offset, size_t length) {
    struct object *object;
    if (!f->kernel->config.cache_all || length == 0 || inode_object(f->kernel, f->host, false, &object) < 0)
        return;
    object_touch(object, offset, length);
    object_unref(object);
}

static ssize_t hostfile_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    ssize_t n;
    do
        n = pread(f->host, to, length, (off_t)*offset);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    struct object *object = cached(f);
    if (object && n > 0)
        object_overlay(object, *offset, to, (size_t)n);
    if (t) /* not what the kernel reads for itself: symbols are looked for only while somebody watches */
        pass_through_cache(f, *offset, (size_t)n);
    *offset += (uint64_t)n;
    return n;
}

/* At the file's end, wherever that is by now. The host descriptor is in append mode too, unless the mode is
 * that of one call only (RWF_APPEND), or the host does not know such calls. */
static ssize_t append(int host, const void *from, size_t length) {
    struct iovec bytes = {.iov_base = (void *)from, .iov_len = length};
    ssize_t n = pwritev2(host, &bytes, 1, -1, RWF_APPEND);
    return n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS) ? write(host, from, length) : n;
}

static ssize_t hostfile_write(struct file *f, struct thread *t, const void *from, size_t length,
                              uint64_t *offset) {
    bool appends = f->flags & O_APPEND;
    struct stat st;
    uint64_t start = *offset;
    if (appends && fstat(f->host, &st) == 0)
        start = (uint64_t)st.st_size;
    length = limits_allow_size(t, start, length);
    if (!length)
        return -EFBIG;
    ssize_t n;
    do
        n = appends ? append(f->host, from, length) : pwrite(f->host, from, length, (off_t)start);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (appends)
        start = (uint64_t)(lseek(f->host, 0, SEEK_CUR) - n);
    struct object *object = cached(f);
    if (object) {
        object_update(object, start, from, (size_t)n);
        if (fstat(f->host, &st) == 0)
            inode_changed(f->kernel, &st);
    }
    pass_through_cache(f, start, (size_t)n);
    *offset = start + (uint64_t)n;
    return n;
}

static int64_t hostfile_seek(struct file *f, int64_t offset, int whence) {
    const struct hostfile *h = f->data;
    if (!h->inherited && whence == SEEK_CUR) {
        if (__builtin_add_overflow(offset, (int64_t)f->offset, &offset))
            return -EINVAL;
        whence = SEEK_SET;
    }
    const int64_t every_file_system = 1LL << 40; /* has files so large; beyond, the host is asked */
    if (!h->inherited && whence == SEEK_SET && offset < every_file_system) {
        if (offset < 0)
            return -EINVAL;
        f->offset = (uint64_t)offset;
        return offset;
    }
    off_t position = lseek(f->host, offset, whence);
    if (position < 0)
        return -errno;
    f->offset = (uint64_t)position;
    return position;
}

static long hostfile_ioctl(struct file *f, struct thread *t, unsigned request, uint64_t argument) {
    long r = hostfile_control(f, t, request, argument);
    return r == -ENOTTY ? terminal_ioctl(f, t, request, argument) : r;
}

static int hostfile_stat(struct file *f, struct stat *ret_stat) {
    return fstat(f->host, ret_stat) < 0 ? -errno : 0;
}

static int hostfile_truncate(struct file *f, uint64_t size) {
    struct stat st;
    if (ftruncate(f->host, (off_t)size) < 0)
        return -errno;
    if (fstat(f->host, &st) == 0)
        inode_changed(f->kernel, &st);
    return 0;
}

/* The host does it; pages of ours in the range may hold what it took away or moved. */
static int hostfile_allocate(struct file *f, struct thread *t, int mode, uint64_t offset, uint64_t length) {
    struct object *object = cached(f);
    struct stat st;
    if (!(mode & FALLOC_FL_KEEP_SIZE) && !limits_allow_size(t, offset + length - 1, 1))
        return -EFBIG;
    if (mode && object)
        object_sync(object, 0, UINT64_MAX);
    if (fallocate(f->host, mode, (off_t)offset, (off_t)length) < 0)
        return -errno;
    if (fstat(f->host, &st) < 0)
        return 0;
    if (mode)
        inode_revalidate(f->kernel, &st);
    else
        inode_changed(f->kernel, &st);
    return 0;
}

static int hostfile_sync(struct file *f) {
    struct object *object = cached(f);
    int r = object ? object_sync(object, 0, UINT64_MAX) : 0;
    if (fsync(f->host) < 0 && !r)
        r = -errno;
    return r;
}

static int hostfile_object(struct file *f, struct object **ret_object) {
    return inode_object(f->kernel, f->host, (f->flags & O_ACCMODE) == O_RDWR, ret_object);
}

static void hostfile_release(struct file *f) {
    free(f->data);
}

static const struct file_ops hostfile_ops = {
    .name = "file",
    .read = hostfile_read,
    .write = hostfile_write,
    .seek = hostfile_seek,
    .ioctl = hostfile_ioctl,
    .stat = hostfile_stat,
    .truncate = hostfile_truncate,
    .allocate = hostfile_allocate,
    .sync = hostfile_sync,
    .object = hostfile_object,
    .release = hostfile_release,
};

int hostfile_create(struct kernel *k, int host, int flags, bool inherited, struct file **ret_file) {
    struct stat st;
    if (fstat(host, &st) < 0)
        return -errno;
    struct hostfile *h = inject_malloc(k->config.inject, sizeof(*h));
    struct file *f = h ? file_create(k, &hostfile_ops, flags) : NULL;
    if (!f) {
        free(h);
        return -ENOMEM;
    }
    *h = (struct hostfile){.dev = st.st_dev, .ino = st.st_ino, .inherited = inherited};
    f->data = h;
    f->host = host;
    *ret_file = f;
    return 0;
}
