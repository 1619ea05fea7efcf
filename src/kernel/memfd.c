/* Files in the machine's own memory (memfd_create): an anonymous object with a size and a position. Content
 * lives in frames and swap and counts as the machine's memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/inode.h"
#include "kernel/kinds.h"

struct memfd {
    unsigned references; /* open files: it can be opened again by its name in /proc/PID/fd */
    struct object *object;
    uint64_t serial;
    unsigned seals;
};

static uint64_t memfd_length(struct file *f) {
    return object_size(((struct memfd *)f->data)->object);
}

static ssize_t memfd_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    struct memfd *m = f->data;
    uint64_t size = memfd_length(f);
    size_t n = *offset >= size ? 0 : min_u64(length, size - *offset);
    ssize_t done = n ? object_read(m->object, *offset, to, n) : 0;
    if (done > 0)
        *offset += (uint64_t)done;
    return done;
}

static ssize_t memfd_write(struct file *f, struct thread *t, const void *from, size_t length,
                           uint64_t *offset) {
    struct memfd *m = f->data;
    uint64_t size = memfd_length(f), start = f->flags & O_APPEND ? size : *offset;
    if (m->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EPERM;
    if (start + length > size) {
        int r = m->seals & F_SEAL_GROW ? -EPERM : object_truncate(m->object, start + length);
        if (r < 0)
            return r;
    }
    ssize_t done = object_write(m->object, start, from, length);
    if (done > 0)
        *offset = start + (uint64_t)done;
    return done;
}

static int64_t memfd_seek(struct file *f, int64_t offset, int whence) {
    int64_t base = whence == SEEK_CUR   ? (int64_t)f->offset
                   : whence == SEEK_END ? (int64_t)memfd_length(f)
                                        : 0;
    if (whence > SEEK_END || base + offset < 0)
        return -EINVAL;
    f->offset = (uint64_t)(base + offset);
    return base + offset;
}

static int memfd_stat(struct file *f, struct stat *ret_stat) {
    const struct memfd *m = f->data;
    *ret_stat = (struct stat){.st_dev = 1,
                              .st_ino = m->serial,
                              .st_mode = S_IFREG | 0777,
                              .st_uid = getuid(),
                              .st_gid = getgid(),
                              .st_size = (off_t)memfd_length(f),
                              .st_blocks = (blkcnt_t)object_resident(m->object) * (PAGE_SIZE / 512),
                              .st_blksize = PAGE_SIZE};
    return 0;
}

static int memfd_truncate(struct file *f, uint64_t size) {
    struct memfd *m = f->data;
    unsigned forbidden = size > memfd_length(f) ? F_SEAL_GROW : size < memfd_length(f) ? F_SEAL_SHRINK : 0;
    return m->seals & forbidden ? -EPERM : object_truncate(m->object, size);
}

static int memfd_sync(struct file *f) {
    return 0; /* there is no disk behind it */
}

static int memfd_object(struct file *f, struct object **ret_object) {
    *ret_object = object_ref(((struct memfd *)f->data)->object);
    return 0;
}

static void memfd_release(struct file *f) {
    struct memfd *m = f->data;
    if (--m->references)
        return;
    object_unref(m->object);
    free(m);
}

static const struct file_ops memfd_ops = {
    .name = "memfd",
    .read = memfd_read,
    .write = memfd_write,
    .seek = memfd_seek,
    .stat = memfd_stat,
    .truncate = memfd_truncate,
    .sync = memfd_sync,
    .object = memfd_object,
    .release = memfd_release,
};

int memfd_create_file(struct kernel *k, const char *name, unsigned flags, struct file **ret_file) {
    char path[300];
    snprintf(path, sizeof(path), "/memfd:%s (deleted)", name);
    struct memfd *m = inject_malloc(k->config.inject, sizeof(*m));
    char *copy = inject_strdup(k->config.inject, path);
    struct file *f = NULL;
    if (!m || !copy)
        goto out_free;
    *m = (struct memfd){
        .references = 1, .serial = inodes_serial(k), .seals = flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL};
    if (object_create_anonymous(k->vm, 0, path, &m->object) < 0)
        goto out_free;
    f = file_create(k, &memfd_ops, O_RDWR | 0100000);
    if (!f)
        goto out_object;
    f->data = m;
    f->path = copy;
    *ret_file = f;
    return 0;
out_object:
    object_unref(m->object);
out_free:
    free(copy);
    free(m);
    return -ENOMEM;
}

int memfd_reopen(struct file *f, int flags, struct file **ret_file) {
    struct memfd *m = f->data;
    if (f->ops != &memfd_ops)
        return -ENXIO;
    if (flags & O_TRUNC) {
        int r = memfd_truncate(f, 0);
        if (r < 0)
            return r;
    }
    struct file *again = file_create(f->kernel, &memfd_ops, flags & ~O_TRUNC);
    char *path = again ? inject_strdup(f->kernel->config.inject, f->path) : NULL;
    if (!path) {
        free(again); /* not yet a reference: release must not see it */
        return -ENOMEM;
    }
    m->references++;
    again->data = m;
    again->path = path;
    *ret_file = again;
    return 0;
}

int memfd_seals(struct file *f) {
    return f->ops == &memfd_ops ? (int)((struct memfd *)f->data)->seals : -EINVAL;
}

int memfd_add_seals(struct file *f, unsigned seals) {
    const unsigned known = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
    struct memfd *m = f->data;
    if (f->ops != &memfd_ops || seals & ~known)
        return -EINVAL;
    if (m->seals & F_SEAL_SEAL)
        return -EPERM;
    if (seals & F_SEAL_WRITE && object_is_mapped(m->object))
        return -EBUSY;
    m->seals |= seals;
    return 0;
}
