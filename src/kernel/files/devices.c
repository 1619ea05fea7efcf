/* The memory devices, which never make anybody wait: null, zero, full, random and urandom. All but the source
 * of randomness behave as the host's; a machine that must repeat itself has its own, seeded. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "kernel/kinds.h"

enum {
    MEMORY_MAJOR = 1,
    MINOR_NULL = 3,
    MINOR_ZERO = 5,
    MINOR_FULL = 7,
    MINOR_RANDOM = 8,
    MINOR_URANDOM = 9
};

static ssize_t null_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    return 0;
}

static ssize_t zero_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    memset(to, 0, length);
    return (ssize_t)length;
}

static ssize_t random_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    kernel_random(f->kernel, to, length);
    return (ssize_t)length;
}

static ssize_t sink_write(struct file *f, struct thread *t, const void *from, size_t length,
                          uint64_t *offset) {
    return (ssize_t)length;
}

static ssize_t full_write(struct file *f, struct thread *t, const void *from, size_t length,
                          uint64_t *offset) {
    return -ENOSPC;
}

static int64_t device_seek(struct file *f, int64_t offset, int whence) {
    return 0;
}

static int device_stat(struct file *f, struct stat *ret_stat) {
    return fstat(f->host, ret_stat) < 0 ? -errno : 0;
}

/* Mapping /dev/zero shared gives memory of its own to each mmap; this bounds it. */
static int zero_object(struct file *f, struct object **ret_object) {
    const uint64_t size = 1ULL << 40;
    return object_create_anonymous(f->kernel->vm, size, "/dev/zero", ret_object);
}

static const struct file_ops null_ops = {.name = "null",
                                         .read = null_read,
                                         .write = sink_write,
                                         .seek = device_seek,
                                         .stat = device_stat,
                                         .no_splice_from = true,
                                         .ignores_data = true};
static const struct file_ops zero_ops = {.name = "zero",
                                         .read = zero_read,
                                         .write = sink_write,
                                         .seek = device_seek,
                                         .stat = device_stat,
                                         .object = zero_object,
                                         .ignores_data = true};
static const struct file_ops full_ops = {.name = "full",
                                         .read = zero_read,
                                         .write = full_write,
                                         .seek = device_seek,
                                         .stat = device_stat,
                                         .empty_writes = true,
                                         .ignores_data = true,
                                         .no_splice = true};
static const struct file_ops random_ops = {
    .name = "random", .read = random_read, .write = sink_write, .seek = device_seek, .stat = device_stat};

const struct file_ops *device_ops(const struct kernel *k, const struct stat *st) {
    if (!S_ISCHR(st->st_mode) || major(st->st_rdev) != MEMORY_MAJOR)
        return NULL;
    switch (minor(st->st_rdev)) {
    case MINOR_NULL: return &null_ops;
    case MINOR_ZERO: return &zero_ops;
    case MINOR_FULL: return &full_ops;
    case MINOR_RANDOM:
    case MINOR_URANDOM: return &random_ops;
    }
    return NULL;
}
