/* System calls that move bytes through pipes inside the kernel: splice, tee, vmsplice. Pages are copied, not
 * handed over: a program that writes to memory after vmsplice() does not change what is in the pipe.
 *
 * None of them waits once it has moved something. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "kernel/events/pipe.h"
#include "kernel/files/transfer.h"
#include "kernel/network/socket.h"
#include "kernel/syscall.h"

enum { SPLICE_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT };

static struct file *splice_file(struct thread *t, uint64_t fd) {
    struct file *f = descriptor_file(t->process, (int)fd);
    return f && !(f->flags & O_PATH) ? f : NULL;
}

static bool can_read(const struct file *f) {
    return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool can_write(const struct file *f) {
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

/* Whether something can be taken out: 1, 0 at the end, -EAGAIN or SYS_SLEEP. */
static long wait_for_data(const struct pipe *from, struct thread *t, bool at_once) {
    if (from->used)
        return 1;
    return from->writers ? pipe_sleep(from, t, at_once) : 0;
}

/* Whether something can be put in: 1, -EPIPE (with its signal), -EAGAIN or SYS_SLEEP. */
static long wait_for_room(const struct pipe *to, struct thread *t, bool at_once) {
    if (!to->readers)
        return pipe_broken(t);
    return pipe_is_full(to) ? pipe_sleep(to, t, at_once) : 1;
}

/* ---- between pipes ---- */

/* Buffers from one pipe to the other; `keep`: they stay in the first (tee). */
static long move_buffers(struct pipe *from, struct pipe *to, size_t length, bool keep) {
    size_t done = 0;
    for (unsigned i = 0; i < from->used && done < length && !pipe_is_full(to);) {
        const struct pipe_buffer *b = pipe_buffer(from, i);
        size_t n = min_size(b->length, length - done);
        int r = pipe_put(to, b->page + b->offset, n);
        if (r < 0)
            return done ? (long)done : r;
        pipe_buffer(to, to->used - 1)->packet = b->packet;
        done += n;
        if (keep)
            i++;
        else
            pipe_drop(from, n);
    }
    return (long)done;
}

static long between_pipes(struct thread *t, struct pipe *from, struct pipe *to, size_t length, bool keep,
                          bool at_once) {
    long r = wait_for_data(from, t, at_once);
    if (r > 0)
        r = wait_for_room(to, t, at_once);
    return r > 0 ? move_buffers(from, to, length, keep) : r;
}

/* tee(in, out, length, flags) */
static long sys_tee(struct thread *t, const uint64_t a[6]) {
    if (a[3] & ~(uint64_t)SPLICE_FLAGS)
        return -EINVAL;
    if (!a[2])
        return 0;
    const struct file *in = splice_file(t, a[0]), *out = splice_file(t, a[1]);
    if (!in || !out || !can_read(in) || !can_write(out))
        return -EBADF;
    struct pipe *from = pipe_of(in), *to = pipe_of(out);
    if (!from || !to || from == to)
        return -EINVAL;
    bool at_once = a[3] & SPLICE_F_NONBLOCK || (in->flags | out->flags) & O_NONBLOCK;
    return between_pipes(t, from, to, a[2], true, at_once);
}

/* ---- from a pipe to a file, and from a file to a pipe ---- */

static long from_pipe(struct thread *t, struct pipe *from, struct file *out, uint64_t *offset, size_t length,
                      bool at_once) {
    size_t done = 0;
    long r = wait_for_data(from, t, at_once);
    if (r <= 0)
        return r;
    while (from->used && done < length) {
        const struct pipe_buffer *b = pipe_buffer(from, 0);
        size_t n = min_size(b->length, length - done);
        ssize_t taken = file_write(out, t, b->page + b->offset, n, out->ops->seek ? offset : NULL);
        if (taken <= 0)
            return done ? (long)done : taken;
        done += (size_t)taken;
        pipe_drop(from, (size_t)taken);
        if ((size_t)taken < n)
            break;
    }
    return (long)done;
}

/* How much the next buffer takes: a file's pages stay pages. */
static size_t piece_of(const struct file *in, uint64_t offset, size_t length) {
    size_t page = in->ops->object ? PAGE_SIZE - offset % PAGE_SIZE : PAGE_SIZE;
    return min_size(length, page);
}

long pipe_fill_from(struct pipe *to, struct thread *t, struct file *in, uint64_t *offset, size_t length,
                    bool at_once) {
    char bytes[PAGE_SIZE];
    size_t done = 0;
    long r = wait_for_room(to, t, at_once);
    while (r > 0 && done < length && !pipe_is_full(to)) {
        if (done && !(file_poll(in, NULL, POLLIN) & POLLIN))
            break;
        size_t piece = piece_of(in, *offset, length - done);
        ssize_t n = in->ops->read(in, t, bytes, piece, in->ops->seek ? offset : NULL);
        r = n > 0 ? pipe_put(to, bytes, (size_t)n) : n;
        if (r < 0 || n == 0)
            break;
        done += (size_t)n;
        r = (size_t)n == piece;
    }
    return done || r > 0 ? (long)done : r;
}

/* ---- splice(in, offset *, out, offset *, length, flags) ---- */

/* A file's place: an offset in user memory, or its own. */
struct place {
    struct file *file;
    struct pipe *pipe; /* NULL: not a pipe */
    uint64_t user;
    int64_t offset;
};

static int place_load(struct thread *t, struct place *place) {
    const struct file_ops *ops = place->file->ops;
    if (place->pipe)
        return place->user ? -ESPIPE : 0;
    if (place->user)
        return user_read(t->process->space, place->user, &place->offset, sizeof(place->offset));
    place->offset = ops->seek ? ops->seek(place->file, 0, SEEK_CUR) : 0;
    return 0;
}

static int place_check(const struct place *place) {
    if (place->pipe)
        return 0;
    return place->user && !place->file->ops->seek ? -EINVAL : place->offset < 0 ? -EINVAL : 0;
}

static int place_store(struct thread *t, const struct place *place, long moved) {
    if (place->pipe)
        return 0;
    if (place->user)
        return user_write(t->process->space, place->user, &place->offset, sizeof(place->offset));
    if (place->file->ops->seek && moved > 0)
        place->file->ops->seek(place->file, place->offset, SEEK_SET);
    return 0;
}

static long splice_to_file(struct thread *t, struct place *in, struct place *out, size_t length,
                           bool at_once) {
    struct file *f = out->file;
    uint64_t offset = (uint64_t)out->offset;
    if (f->flags & O_APPEND || !f->ops->write || f->ops->no_splice)
        return -EINVAL;
    long n = from_pipe(t, in->pipe, f, &offset, length, at_once || in->file->flags & O_NONBLOCK);
    out->offset = (int64_t)offset;
    return n;
}

/* A socket of which nothing can be read now is not waited for with SPLICE_F_NONBLOCK. */
static long splice_from_file(struct thread *t, struct place *in, struct place *out, size_t length,
                             bool at_once) {
    struct file *f = in->file;
    uint64_t offset = (uint64_t)in->offset;
    if (!f->ops->read || f->ops->no_splice || f->ops->no_splice_from || f->ops->getdents || f->ops->record)
        return -EINVAL;
    int flags = f->flags;
    if (at_once && file_is_socket(f))
        f->flags |= O_NONBLOCK;
    long n = pipe_fill_from(out->pipe, t, f, &offset, length, at_once || out->file->flags & O_NONBLOCK);
    f->flags = flags;
    in->offset = (int64_t)offset;
    return n;
}

static long splice_places(struct thread *t, struct place *in, struct place *out, size_t length,
                          bool at_once) {
    if (!can_read(in->file) || !can_write(out->file))
        return -EBADF;
    if (in->pipe && out->pipe) {
        if (in->pipe == out->pipe)
            return -EINVAL;
        at_once |= ((in->file->flags | out->file->flags) & O_NONBLOCK) != 0;
        return between_pipes(t, in->pipe, out->pipe, length, false, at_once);
    }
    int r = place_check(in->pipe ? out : in);
    if (r < 0 || (!in->pipe && !out->pipe))
        return -EINVAL;
    return in->pipe ? splice_to_file(t, in, out, length, at_once)
                    : splice_from_file(t, in, out, length, at_once);
}

static long sys_splice(struct thread *t, const uint64_t a[6]) {
    if (!a[4])
        return 0;
    if (a[5] & ~(uint64_t)SPLICE_FLAGS)
        return -EINVAL;
    struct place in = {.file = splice_file(t, a[0]), .user = a[1]};
    struct place out = {.file = splice_file(t, a[2]), .user = a[3]};
    if (!in.file || !out.file)
        return -EBADF;
    in.pipe = pipe_of(in.file);
    out.pipe = pipe_of(out.file);
    int r = place_load(t, &in);
    if (r == 0)
        r = place_load(t, &out);
    if (r < 0)
        return r;
    long n = splice_places(t, &in, &out, min_u64(a[4], 0x7ffff000), a[5] & SPLICE_F_NONBLOCK);
    if (n < 0)
        return n;
    r = place_store(t, &in, n);
    if (r == 0)
        r = place_store(t, &out, n);
    return r < 0 ? r : n;
}

/* ---- vmsplice(pipe, vector, count, flags) ---- */

static long from_memory(struct thread *t, struct pipe *to, struct transfer *x, bool at_once) {
    char bytes[PAGE_SIZE];
    uint64_t done = 0;
    long r = wait_for_room(to, t, at_once);
    if (r < 0)
        return r;
    while (x->left && !pipe_is_full(to)) { /* a page of the program's is a buffer */
        size_t piece = min_u64(x->left, PAGE_SIZE - transfer_address(x) % PAGE_SIZE);
        piece = min_size(piece, transfer_segment_left(x));
        ssize_t n = transfer_from_user(x, bytes, piece);
        r = n < (ssize_t)piece ? -EFAULT : pipe_put(to, bytes, (size_t)n);
        if (r < 0)
            return done ? (long)done : r;
        done += (uint64_t)n;
    }
    return (long)done;
}

static long sys_vmsplice(struct thread *t, const uint64_t a[6]) {
    struct transfer x;
    if (a[3] & ~(uint64_t)SPLICE_FLAGS)
        return -EINVAL;
    struct file *f = splice_file(t, a[0]);
    if (!f)
        return -EBADF;
    int r = transfer_load(&x, t, a[1], a[2]);
    if (r < 0)
        return r;
    struct pipe *pipe = pipe_of(f);
    if (!x.left)
        return 0;
    if (!pipe)
        return -EBADF;
    if (can_write(f))
        return from_memory(t, pipe, &x, a[3] & SPLICE_F_NONBLOCK);
    long n = wait_for_data(pipe, t, a[3] & SPLICE_F_NONBLOCK);
    return n > 0 ? f->ops->read_user(f, t, &x) : n;
}

const struct syscall_entry syscalls_splice[] = {
    {SYS_splice, "splice", sys_splice},
    {SYS_tee, "tee", sys_tee},
    {SYS_vmsplice, "vmsplice", sys_vmsplice},
    {-1, NULL, NULL},
};
