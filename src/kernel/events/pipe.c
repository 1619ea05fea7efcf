/* Pipes: see pipe.h. Whoever waits, at either end or in poll, sleeps on the pipe and is woken by any change
 * of it. A pipe lives as long as one of its ends. FIFOs of the host's file system are stream.c's. */
#include "kernel/events/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/files/inode.h"
#include "kernel/files/transfer.h"
#include "kernel/kinds.h"

enum {
    PIPE_SLOTS = 16,           /* as Linux: 64 KiB */
    PIPE_SIZE_USUAL = 1 << 20, /* bytes that anybody may ask for */
    PIPE_SIZE_MAX = 1 << 26,   /* and the superuser */
};

static bool reads(const struct file *f) {
    return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool writes(const struct file *f) {
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

/* ---- the ring ---- */

static void pipe_news_for_readers(struct pipe *pipe) {
    pipe->activity_in = ++pipe->kernel->news;
    sched_wake(pipe->kernel, pipe);
}

static void pipe_news_for_writers(struct pipe *pipe) {
    pipe->activity_out = ++pipe->kernel->news;
    sched_wake(pipe->kernel, pipe);
}

/* A new buffer behind the others, empty; NULL: no memory. */
static struct pipe_buffer *pipe_append(struct pipe *pipe) {
    char *page = inject_malloc(pipe->kernel->config.inject, PAGE_SIZE);
    if (!page)
        return NULL;
    struct pipe_buffer *b = pipe_buffer(pipe, pipe->used++);
    *b = (struct pipe_buffer){.page = page};
    return b;
}

/* The last buffer was not filled after all. */
static void pipe_retract(struct pipe *pipe) {
    free(pipe_buffer(pipe, --pipe->used)->page);
}

int pipe_put(struct pipe *pipe, const void *bytes, size_t length) {
    struct pipe_buffer *b = pipe_append(pipe);
    if (!b)
        return -ENOMEM;
    memcpy(b->page, bytes, length);
    b->length = (unsigned)length;
    pipe_news_for_readers(pipe);
    return 0;
}

void pipe_drop(struct pipe *pipe, size_t length) {
    struct pipe_buffer *b = pipe_buffer(pipe, 0);
    bool was_full = pipe_is_full(pipe);
    b->offset += (unsigned)length;
    b->length -= (unsigned)length;
    if (b->length && !b->packet)
        return;
    free(b->page);
    pipe->head = (pipe->head + 1) % pipe->slots;
    pipe->used--;
    if (was_full)
        pipe_news_for_writers(pipe);
}

long pipe_sleep(const struct pipe *pipe, struct thread *t, bool at_once) {
    if (at_once)
        return -EAGAIN;
    sched_sleep_channel(t, pipe);
    return SYS_SLEEP;
}

int pipe_broken(struct thread *t) {
    signal_send_thread(t, SIGPIPE, NULL);
    return -EPIPE;
}

/* ---- reading ---- */

/* What is there, as far as it may be read at once. Bytes, or -EFAULT. */
static long pipe_take(struct pipe *pipe, struct transfer *x) {
    uint64_t done = 0;
    while (pipe->used && x->left) {
        struct pipe_buffer *b = pipe_buffer(pipe, 0);
        size_t n = min_u64(b->length, x->left);
        bool packet = b->packet;
        struct transfer_mark before = transfer_mark(x);
        if (transfer_to_user(x, b->page + b->offset, n) < (ssize_t)n) { /* a buffer is read whole or not */
            transfer_go_to(x, &before);
            return done ? (long)done : -EFAULT;
        }
        done += n;
        pipe_drop(pipe, n);
        if (packet)
            break;
    }
    return (long)done;
}

static long pipe_read_user(struct file *f, struct thread *t, struct transfer *x) {
    struct pipe *pipe = f->data;
    if (!x->left)
        return 0;
    long n = pipe_take(pipe, x);
    if (n || !pipe->writers)
        return n;
    return pipe_sleep(pipe, t, f->flags & O_NONBLOCK);
}

static ssize_t pipe_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    struct transfer x;
    transfer_set_host(&x, to, length);
    return pipe_read_user(f, t, &x);
}

/* ---- writing ---- */

/* Fills a buffer from its `start` with `n` bytes: 0 or -EFAULT. */
static int buffer_fill(struct pipe_buffer *b, unsigned start, struct transfer *x, size_t n) {
    struct transfer_mark before = transfer_mark(x);
    if (transfer_from_user(x, b->page + start, n) < (ssize_t)n) {
        transfer_go_to(x, &before);
        return -EFAULT;
    }
    b->length += (unsigned)n;
    return 0;
}

/* The odd bytes of a write go to the last buffer, if they fit there. Bytes or -EFAULT. */
static long pipe_merge(struct pipe *pipe, struct transfer *x) {
    size_t odd = x->left % PAGE_SIZE;
    if (!odd || !pipe->used)
        return 0;
    struct pipe_buffer *last = pipe_buffer(pipe, pipe->used - 1);
    unsigned end = last->offset + last->length;
    if (!last->merges || end + odd > PAGE_SIZE)
        return 0;
    int r = buffer_fill(last, end, x, odd);
    return r < 0 ? r : (long)odd;
}

/* One new buffer with the next page of the data. Bytes, -EFAULT or -ENOMEM. */
static long pipe_add(struct pipe *pipe, struct transfer *x, bool packet) {
    size_t n = min_u64(x->left, PAGE_SIZE);
    struct pipe_buffer *b = pipe_append(pipe);
    if (!b)
        return -ENOMEM;
    int r = buffer_fill(b, 0, x, n);
    if (r < 0) {
        pipe_retract(pipe);
        return r;
    }
    b->packet = packet;
    b->merges = !packet;
    return (long)n;
}

/* As much as fits: counted in *progress. 0, or why it ended before the data. */
static long pipe_fill(struct file *f, struct thread *t, struct transfer *x, uint64_t *progress) {
    struct pipe *pipe = f->data;
    if (!pipe->readers)
        return pipe_broken(t);
    long n = *progress ? 0 : pipe_merge(pipe, x);
    while (n >= 0) {
        *progress += (uint64_t)n;
        if (!x->left || pipe_is_full(pipe))
            break;
        n = pipe_add(pipe, x, f->flags & O_DIRECT);
    }
    return n < 0 ? n : 0;
}

static long pipe_write_some(struct file *f, struct thread *t, struct transfer *x, uint64_t *progress) {
    uint64_t before = *progress;
    if (!x->left)
        return (long)*progress;
    long r = pipe_fill(f, t, x, progress);
    if (*progress > before)
        pipe_news_for_readers(f->data);
    if (r == 0 && x->left)
        r = pipe_sleep(f->data, t, f->flags & O_NONBLOCK);
    return r == SYS_SLEEP || (r < 0 && !*progress) ? r : (long)*progress;
}

static long pipe_write_user(struct file *f, struct thread *t, struct transfer *x) {
    uint64_t *progress = &t->call.progress;
    transfer_skip(x, min_u64(*progress, x->left));
    return pipe_write_some(f, t, x, progress);
}

static ssize_t pipe_write(struct file *f, struct thread *t, const void *from, size_t length,
                          uint64_t *offset) {
    struct transfer x;
    uint64_t progress = 0;
    transfer_set_host(&x, (void *)from, length);
    long r = pipe_write_some(f, t, &x, &progress);
    return r == SYS_SLEEP && progress ? (ssize_t)progress : r;
}

/* ---- as a file ---- */

static short pipe_poll(struct file *f, struct thread *sleeper, short events) {
    const struct pipe *pipe = f->data;
    short ready = 0;
    if (reads(f)) {
        if (pipe->used)
            ready |= POLLIN | POLLRDNORM;
        if (!pipe->writers)
            ready |= POLLHUP;
    }
    if (writes(f)) {
        if (!pipe_is_full(pipe))
            ready |= POLLOUT | POLLWRNORM;
        if (!pipe->readers)
            ready |= POLLERR;
    }
    return ready & (short)(events | POLLHUP | POLLERR);
}

static long pipe_ioctl(struct file *f, struct thread *t, unsigned request, uint64_t argument) {
    const struct pipe *pipe = f->data;
    int bytes = 0;
    if (request != FIONREAD)
        return -ENOTTY;
    for (unsigned i = 0; i < pipe->used; i++)
        bytes += (int)pipe_buffer(pipe, i)->length;
    return user_write(t->process->space, argument, &bytes, sizeof(bytes));
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

static void pipe_free(struct pipe *pipe) {
    while (pipe->used)
        pipe_retract(pipe);
    free(pipe->ring);
    free(pipe);
}

static void pipe_release(struct file *f) {
    struct pipe *pipe = f->data;
    pipe->readers -= reads(f);
    pipe->writers -= writes(f);
    pipe_news_for_readers(pipe);
    pipe_news_for_writers(pipe);
    if (!pipe->readers && !pipe->writers)
        pipe_free(pipe);
}

static const struct file_ops pipe_ops = {
    .name = "pipe",
    .read = pipe_read,
    .write = pipe_write,
    .read_user = pipe_read_user,
    .write_user = pipe_write_user,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .stat = pipe_stat,
    .release = pipe_release,
};

struct pipe *pipe_of(const struct file *f) {
    return f->ops == &pipe_ops ? f->data : NULL;
}

/* ---- making ---- */

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
    f->activity = reads(f) ? &pipe->activity_in : NULL;
    f->activity_out = writes(f) ? &pipe->activity_out : NULL;
    pipe->readers += reads(f);
    pipe->writers += writes(f);
    *ret_file = f;
    return 0;
}

/* `flags`: O_NONBLOCK, and for the end that writes O_DIRECT. */
int pipe_create(struct kernel *k, int flags, struct file *ret_ends[2]) {
    struct pipe *pipe = inject_calloc(k->config.inject, 1, sizeof(*pipe));
    struct pipe_buffer *ring = inject_calloc(k->config.inject, PIPE_SLOTS, sizeof(*ring));
    struct file *reader;
    if (!pipe || !ring)
        goto out_free;
    *pipe = (struct pipe){.kernel = k, .serial = inodes_serial(k), .slots = PIPE_SLOTS, .ring = ring};
    if (end_create(pipe, O_RDONLY | (flags & O_NONBLOCK), &reader) < 0)
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
    struct pipe *pipe = pipe_of(f);
    if (!pipe)
        return -ENXIO;
    int r = end_create(pipe, flags & (O_ACCMODE | O_NONBLOCK | O_DIRECT), ret_file);
    if (r == 0)
        sched_wake(pipe->kernel, pipe);
    return r;
}

/* ---- the size ---- */

int pipe_size(struct file *f) {
    const struct pipe *pipe = pipe_of(f);
    return pipe ? (int)(pipe->slots * PAGE_SIZE) : -EBADF;
}

/* Moves the buffers to a ring of another size. */
static int pipe_resize(struct pipe *pipe, unsigned slots) {
    struct pipe_buffer *ring = inject_calloc(pipe->kernel->config.inject, slots, sizeof(*ring));
    if (!ring)
        return -ENOMEM;
    for (unsigned i = 0; i < pipe->used; i++)
        ring[i] = *pipe_buffer(pipe, i);
    free(pipe->ring);
    pipe->ring = ring;
    pipe->slots = slots;
    pipe->head = 0;
    pipe_news_for_writers(pipe);
    return (int)(slots * PAGE_SIZE);
}

int pipe_set_size(struct file *f, uint64_t size) {
    struct pipe *pipe = pipe_of(f);
    unsigned slots = 1;
    if (!pipe)
        return -EBADF;
    size = (unsigned)size;
    if (size > 1u << 31)
        return -EINVAL;
    while (slots * PAGE_SIZE < size)
        slots *= 2;
    bool grows = slots > pipe->slots;
    if (grows && slots > PIPE_SIZE_USUAL / PAGE_SIZE && geteuid() != 0)
        return -EPERM;
    if (grows && slots > PIPE_SIZE_MAX / PAGE_SIZE)
        return -ENOMEM;
    return slots < pipe->used ? -EBUSY : pipe_resize(pipe, slots);
}
