/* Files in the machine's own memory (memfd_create): an anonymous object with a size and a position. Content
 * lives in frames and swap and counts as the machine's memory. Seals forbid changes for good.
 *
 * Source: Linux 6.7 mm/memfd.c, mm/shmem.c; memfd_create(2), fcntl(2). There are no
 * huge pages (MFD_HUGETLB). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/files/inode.h"
#include "kernel/kinds.h"
#include "kernel/sandbox/limits.h"
#include "kernel/syscall.h"

struct memfd {
    unsigned references; /* open files: it can be opened again by its name in /proc/PID/fd */
    struct object *object;
    uint64_t serial;
    unsigned seals;
    mode_t mode;
};

/* Of Linux 6.3; not in this glibc. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC        16u
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
enum { MEMFD_NAME_MAX = 249, SEALS_AGAINST_WRITES = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE };

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

/* How many bytes may be written there: a file that must not grow is filled up to its last whole page, page by
 * page, as Linux does it. 0 with *ret_error when none. */
static size_t memfd_room(struct file *f, struct thread *t, uint64_t start, size_t length, int *ret_error) {
    const struct memfd *m = f->data;
    uint64_t size = memfd_length(f), end;
    *ret_error = -EPERM;
    if (m->seals & SEALS_AGAINST_WRITES)
        return 0;
    length = limits_allow_size(t, start, length);
    if (length == 0 || start > INT64_MAX - length) {
        *ret_error = -EFBIG;
        return 0;
    }
    end = start + length;
    if (end > size && (m->seals & F_SEAL_GROW))
        end = size & ~(uint64_t)PAGE_MASK;
    return end > start ? end - start : 0;
}

static ssize_t memfd_write(struct file *f, struct thread *t, const void *from, size_t length,
                           uint64_t *offset) {
    struct memfd *m = f->data;
    uint64_t size = memfd_length(f), start = f->flags & O_APPEND ? size : *offset;
    int r = 0;
    if (length)
        length = memfd_room(f, t, start, length, &r);
    if (length == 0)
        return r;
    if (start + length > size) {
        r = object_truncate(m->object, start + length);
        if (r < 0)
            return r;
    }
    ssize_t done = object_write(m->object, start, from, length);
    if (done > 0)
        *offset = start + (uint64_t)done;
    return done;
}

/* SEEK_DATA and SEEK_HOLE, page by page: -ENXIO beyond the end or when only a hole follows. */
static int64_t memfd_seek_content(struct file *f, int64_t offset, bool data) {
    struct object *object = ((struct memfd *)f->data)->object;
    uint64_t size = memfd_length(f), at = (uint64_t)offset;
    if (offset < 0 || at >= size)
        return -ENXIO;
    uint64_t page = at / PAGE_SIZE;
    if (data) {
        page = object_next_content(object, page);
        if (page >= page_round_up(size) / PAGE_SIZE)
            return -ENXIO;
    } else {
        while (page * PAGE_SIZE < size && object_next_content(object, page) == page)
            page++;
    }
    at = max_u64(at, page * PAGE_SIZE);
    return (int64_t)min_u64(at, size);
}

static int64_t memfd_seek(struct file *f, int64_t offset, int whence) {
    int64_t base = whence == SEEK_CUR   ? (int64_t)f->offset
                   : whence == SEEK_END ? (int64_t)memfd_length(f)
                                        : 0;
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        int64_t found = memfd_seek_content(f, offset, whence == SEEK_DATA);
        f->offset = found < 0 ? f->offset : (uint64_t)found;
        return found;
    }
    if (whence < 0 || whence > SEEK_END || __builtin_add_overflow(base, offset, &base) || base < 0)
        return -EINVAL;
    f->offset = (uint64_t)base;
    return base;
}

static int memfd_stat(struct file *f, struct stat *ret_stat) {
    const struct memfd *m = f->data;
    const uint64_t pages = object_resident(m->object) + object_swapped(m->object);
    *ret_stat = (struct stat){.st_dev = 1,
                              .st_ino = m->serial,
                              .st_mode = S_IFREG | m->mode,
                              .st_nlink = 0,
                              .st_uid = geteuid(),
                              .st_gid = getegid(),
                              .st_size = (off_t)memfd_length(f),
                              .st_blocks = (blkcnt_t)pages * (PAGE_SIZE / 512),
                              .st_blksize = PAGE_SIZE};
    return 0;
}

static int memfd_truncate(struct file *f, uint64_t size) {
    struct memfd *m = f->data;
    unsigned forbidden = size > memfd_length(f) ? F_SEAL_GROW : size < memfd_length(f) ? F_SEAL_SHRINK : 0;
    return m->seals & forbidden ? -EPERM : object_truncate(m->object, size);
}

/* Reserving is only growing: frames come when they are touched. */
static int memfd_allocate(struct file *f, struct thread *t, int mode, uint64_t offset, uint64_t length) {
    struct memfd *m = f->data;
    uint64_t end = offset + length;
    if (mode & FALLOC_FL_PUNCH_HOLE)
        return m->seals & SEALS_AGAINST_WRITES ? -EPERM : object_punch(m->object, offset, length);
    if (mode & ~FALLOC_FL_KEEP_SIZE)
        return -EOPNOTSUPP;
    if (end <= memfd_length(f))
        return 0;
    if (!limits_allow_size(t, end - 1, 1))
        return -EFBIG;
    if (m->seals & F_SEAL_GROW)
        return -EPERM;
    return mode & FALLOC_FL_KEEP_SIZE ? 0 : object_truncate(m->object, end);
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
    .allocate = memfd_allocate,
    .object = memfd_object,
    .release = memfd_release,
};

int memfd_create_file(struct kernel *k, const char *name, unsigned flags, struct file **ret_file) {
    char path[300];
    bool executable = !(flags & MFD_NOEXEC_SEAL), sealing = (flags & MFD_ALLOW_SEALING) || !executable;
    snprintf(path, sizeof(path), "/memfd:%s (deleted)", name);
    struct memfd *m = inject_malloc(k->config.inject, sizeof(*m));
    char *copy = inject_strdup(k->config.inject, path);
    struct file *f = NULL;
    if (!m || !copy)
        goto out_free;
    *m = (struct memfd){.references = 1,
                        .serial = inodes_serial(k),
                        .seals = (sealing ? 0 : F_SEAL_SEAL) | (executable ? 0 : F_SEAL_EXEC),
                        .mode = executable ? 0777 : 0666};
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

static long sys_memfd_create(struct thread *t, const uint64_t args[6]) {
    char name[MEMFD_NAME_MAX + 1];
    struct file *f;
    unsigned flags = (unsigned)args[1];
    if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC | MFD_NOEXEC_SEAL))
        return -EINVAL;
    if ((flags & MFD_EXEC) && (flags & MFD_NOEXEC_SEAL))
        return -EINVAL;
    ssize_t length = user_string(t->process->space, args[0], name, sizeof name);
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    int r = memfd_create_file(t->process->kernel, name, flags, &f);
    return r < 0 ? r : descriptor_install_or_drop(t->process, f, flags & MFD_CLOEXEC);
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

int memfd_may_map(struct file *f, struct map_request *request) {
    bool shared = (request->flags & MAP_TYPE) != MAP_PRIVATE;
    if (f->ops != &memfd_ops || !shared || !(((struct memfd *)f->data)->seals & SEALS_AGAINST_WRITES))
        return 0;
    if (request->protection & PROT_WRITE)
        return -EPERM;
    request->may_write = false;
    return 0;
}

int memfd_add_seals(struct file *f, unsigned seals) {
    const unsigned against_changes = F_SEAL_SHRINK | F_SEAL_GROW | SEALS_AGAINST_WRITES;
    struct memfd *m = f->data;
    if ((f->flags & O_ACCMODE) == O_RDONLY)
        return -EPERM;
    if (seals & ~(F_SEAL_SEAL | F_SEAL_EXEC | against_changes) || f->ops != &memfd_ops)
        return -EINVAL;
    if (m->seals & F_SEAL_SEAL)
        return -EPERM;
    if ((seals & F_SEAL_WRITE) && !(m->seals & F_SEAL_WRITE) && object_may_be_written(m->object))
        return -EBUSY;
    if ((seals & F_SEAL_EXEC) && (m->mode & 0111)) /* a program that cannot be changed any more */
        seals |= against_changes;
    m->seals |= seals;
    return 0;
}

const struct syscall_entry syscalls_memfd[] = {
    {SYS_memfd_create, "memfd_create", sys_memfd_create},
    {-1, NULL, NULL},
};
