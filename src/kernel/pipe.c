/* Pipes between processes of the machine: a ring of bytes with counted ends.
 *
 * Writes of at most PIPE_BUF bytes are atomic: all or nothing fits. Whoever waits, at either end or in poll,
 * sleeps on the pipe and is woken by any change of it. A pipe lives as long as one of its ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/inode.h"
#include "kernel/kinds.h"

enum { PIPE_SIZE = 65536, PIPE_SIZE_MAX = 1 << 20 };

struct pipe {
    struct kernel *kernel;
    uint64_t serial;
    uint64_t activity;         /* counts changes */
    unsigned readers, writers; /* open file descriptions */
    size_t capacity, head, used;
    char *ring;
};

static bool reads(const struct file *f) {
    return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool writes(const struct file *f) {
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

static void ring_get(struct pipe *pipe, char *to, size_t length) {
    size_t first = min_size(length, pipe->capacity - pipe->head);
    memcpy(to, pipe->ring + pipe->head, first);
    memcpy(to + first, pipe->ring, length - first);
    pipe->head = (pipe->head + length) % pipe->capacity;
    pipe->used -= length;
}

static void ring_put(struct pipe *pipe, const char *from, size_t length) {
    size_t tail = (pipe->head + pipe->used) % pipe->capacity;
    size_t first = min_size(length, pipe->capacity - tail);
    memcpy(pipe->ring + tail, from, first);
    memcpy(pipe->ring, from + first, length - first);
    pipe->used += length;
}

static void pipe_changed(struct pipe *pipe) {
    pipe->activity++;
    sched_wake(pipe->kernel, pipe);
}

static long pipe_wait(struct file *f, struct thread *t) {
    if (f->flags & O_NONBLOCK)
        return -EAGAIN;
    sched_sleep_channel(t, f->data);
    return SYS_SLEEP;
}

static ssize_t pipe_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    struct pipe *pipe = f->data;
    if (!pipe->used)
        return pipe->writers ? pipe_wait(f, t) : 0;
    size_t n = min_size(length, pipe->used);
    ring_get(pipe, to, n);
    pipe_changed(pipe);
    return (ssize_t)n;
}

static void pipe_unread(struct file *f, size_t length) {
    struct pipe *pipe = f->data; /* nobody ran since: the bytes are still in the ring */
    pipe->head = (pipe->head + pipe->capacity - length) % pipe->capacity;
    pipe->used += length;
}

static ssize_t pipe_write(struct file *f, struct thread *t, const void *from, size_t length,
                          uint64_t *offset) {
    struct pipe *pipe = f->data;
    if (!pipe->readers) {
        signal_send_thread(t, SIGPIPE, NULL);
        return -EPIPE;
    }
    size_t room = pipe->capacity - pipe->used;
    if (!room || (length <= PIPE_BUF && room < length))
        return pipe_wait(f, t);
    size_t n = min_size(length, room);
    ring_put(pipe, from, n);
    pipe_changed(pipe);
    return (ssize_t)n;
}

static short pipe_poll(struct file *f, struct thread *sleeper, short events) {
    struct pipe *pipe = f->data;
    short ready = 0;
    if (reads(f)) {
        if (pipe->used)
            ready |= POLLIN | POLLRDNORM;
        if (!pipe->writers)
            ready |= POLLHUP;
    }
    if (writes(f)) {
        if (pipe->capacity - pipe->used >= PIPE_BUF)
            ready |= POLLOUT | POLLWRNORM;
        if (!pipe->readers)
            ready |= POLLERR;
    }
    return ready & (short)(events | POLLHUP | POLLERR);
}

static long pipe_ioctl(struct file *f, struct thread *t, unsigned request, uint64_t argument) {
    const struct pipe *pipe = f->data;
    if (request != FIONREAD)
        return -ENOTTY;
    int used = (int)pipe->used;
    return user_write(t->process->space, argument, &used, sizeof(used));
}

static int pipe_stat(struct file *f, struct stat *ret_stat) {
    const struct pipe *pipe = f->data;
    *ret_stat = (struct stat){.st_dev = 13,
                              .st_ino = pipe->serial,
                              .st_mode = S_IFIFO | 0600,
                              .st_nlink = 1,
                              .st_uid = getuid(),
                              .st_gid = getgid(),
                              .st_blksize = PAGE_SIZE};
    return 0;
}

static void pipe_release(struct file *f) {
    struct pipe *pipe = f->data;
    pipe->readers -= reads(f);
    pipe->writers -= writes(f);
    pipe_changed(pipe);
    if (pipe->readers || pipe->writers)
        return;
    free(pipe->ring);
    free(pipe);
}

static const struct file_ops pipe_ops = {
    .name = "pipe",
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .stat = pipe_stat,
    .unread = pipe_unread,
    .release = pipe_release,
};

static int end_create(struct pipe *pipe, int flags, struct file **ret_file) {
    char name[40];
    snprintf(name, sizeof(name), "pipe:[%lu]", pipe->serial);
    struct file *f = file_create(pipe->kernel, &pipe_ops, flags);
    char *path = f ? inject_strdup(pipe->kernel->config.inject, name) : NULL;
    if (!path) {
        free(f); /* not yet an end of the pipe: pipe_release() must not see it */
        return -ENOMEM;
    }
    f->data = pipe;
    f->path = path;
    f->activity = &pipe->activity;
    pipe->readers += reads(f);
    pipe->writers += writes(f);
    *ret_file = f;
    return 0;
}

int pipe_create(struct kernel *k, int flags, struct file *ret_ends[2]) {
    struct pipe *pipe = inject_calloc(k->config.inject, 1, sizeof(*pipe));
    char *ring = inject_malloc(k->config.inject, PIPE_SIZE);
    struct file *reader;
    if (!pipe || !ring)
        goto out_free;
    *pipe = (struct pipe){.kernel = k, .serial = inodes_serial(k), .capacity = PIPE_SIZE, .ring = ring};
    if (end_create(pipe, O_RDONLY | flags, &reader) < 0)
        goto out_free;
    if (end_create(pipe, O_WRONLY | flags, &ret_ends[1]) < 0) {
        file_unref(reader); /* the pipe goes with its only end */
        return -ENOMEM;
    }
    ret_ends[0] = reader;
    return 0;
out_free:
    free(ring);
    free(pipe);
    return -ENOMEM;
}

int pipe_reopen(struct file *f, int flags, struct file **ret_file) {
    if (f->ops != &pipe_ops)
        return -ENXIO;
    int r = end_create(f->data, flags & (O_ACCMODE | O_NONBLOCK), ret_file);
    if (r == 0)
        pipe_changed(f->data);
    return r;
}

int pipe_size(struct file *f) {
    const struct pipe *pipe = f->data;
    return f->ops == &pipe_ops ? (int)pipe->capacity : -EBADF;
}

int pipe_set_size(struct file *f, uint64_t size) {
    struct pipe *pipe = f->data;
    if (f->ops != &pipe_ops)
        return -EBADF;
    size_t capacity = PAGE_SIZE;
    while (capacity < size && capacity < PIPE_SIZE_MAX)
        capacity *= 2;
    if (size > PIPE_SIZE_MAX)
        return -EPERM;
    if (capacity < pipe->used)
        return -EBUSY;
    char *ring = inject_malloc(f->kernel->config.inject, capacity);
    if (!ring)
        return -ENOMEM;
    size_t used = pipe->used;
    ring_get(pipe, ring, used);
    free(pipe->ring);
    pipe->ring = ring;
    pipe->capacity = capacity;
    pipe->head = 0;
    pipe->used = used;
    pipe_changed(pipe);
    return (int)capacity;
}
