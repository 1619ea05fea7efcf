/* Directories as a sandbox shows them. The names are taken when the directory is read from its beginning, and
 * stay as they were until it is rewound; the position is a name's number. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kernel/kinds.h"
#include "kernel/sandbox/sandbox.h"

struct listing {
    struct sandbox_name *names; /* NULL: not taken yet */
    size_t count;
};

static ssize_t boxdir_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    return -EISDIR;
}

static void listing_drop(struct listing *l) {
    sandbox_free_names(l->names, l->count);
    *l = (struct listing){0};
}

static int64_t boxdir_seek(struct file *f, int64_t offset, int whence) {
    int64_t base = whence == SEEK_CUR ? (int64_t)f->offset : 0, position;
    if (whence > SEEK_CUR || __builtin_add_overflow(base, offset, &position) || position < 0)
        return -EINVAL;
    f->offset = (uint64_t)position;
    if (position == 0)
        listing_drop(f->data);
    return position;
}

static int listing_take(struct file *f) {
    struct listing *l = f->data;
    char path[PATH_MAX];
    if (l->names)
        return 0;
    int r = sandbox_where(f->kernel->sandbox, f->host, path);
    return r < 0 ? r : sandbox_list(f->kernel->sandbox, path, &l->names, &l->count);
}

/* Bytes of the record, 0 if it does not fit. */
static size_t put_record(char *to, size_t room, const struct sandbox_name *n, uint64_t next) {
    size_t size = (offsetof(struct dirent64, d_name) + strlen(n->name) + 1 + 7) & ~(size_t)7;
    if (size > room)
        return 0;
    struct dirent64 *d = (struct dirent64 *)(void *)to;
    memset(d, 0, size);
    d->d_ino = n->ino;
    d->d_off = (off_t)next;
    d->d_reclen = (unsigned short)size;
    d->d_type = n->type;
    memcpy(d->d_name, n->name, strlen(n->name));
    return size;
}

static ssize_t boxdir_getdents(struct file *f, void *to, size_t length) {
    const struct listing *l = f->data;
    size_t done = 0;
    int r = listing_take(f);
    if (r < 0)
        return r;
    while (f->offset < l->count) {
        size_t size = put_record((char *)to + done, length - done, &l->names[f->offset], f->offset + 1);
        if (!size)
            return done ? (ssize_t)done : -EINVAL;
        done += size;
        f->offset++;
    }
    return (ssize_t)done;
}

static int boxdir_stat(struct file *f, struct stat *ret_stat) {
    return fstat(f->host, ret_stat) < 0 ? -errno : 0;
}

static int boxdir_sync(struct file *f) {
    return 0;
}

static void boxdir_release(struct file *f) {
    listing_drop(f->data);
    free(f->data);
}

static const struct file_ops boxdir_ops = {
    .name = "directory",
    .read = boxdir_read,
    .seek = boxdir_seek,
    .stat = boxdir_stat,
    .sync = boxdir_sync,
    .getdents = boxdir_getdents,
    .release = boxdir_release,
};

int boxdir_create(struct kernel *k, int host, int flags, struct file **ret_file) {
    struct listing *l = inject_calloc(k->config.inject, 1, sizeof(*l));
    struct file *f = l ? file_create(k, &boxdir_ops, flags) : NULL;
    if (!f) {
        free(l);
        return -ENOMEM;
    }
    f->data = l;
    f->host = host;
    *ret_file = f;
    return 0;
}
