/* System calls that move bytes between a file and a program: read, write and their relatives, and lseek. From
 * file to file: sys_copy.c.
 *
 * The ten calls differ in three things (`struct form`): where they go, whether they have one buffer or a
 * vector of them, and whether they bring an offset. They are checked in Linux's order (fs/read_write.c), then
 * data goes through a buffer of ours in pieces. A call that must wait keeps what it has done in
 * call.progress; a read never waits once it has something. A user page that is not accessible ends the call
 * with what was done before it; what it could not take is still in the file. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/files/file.h"
#include "kernel/files/transfer.h"
#include "kernel/syscall.h"

struct form {
    bool writes;
    bool vector;     /* arguments 1 and 2: struct iovec and their number, else address and length */
    bool positioned; /* argument 3: the offset; the file's own position stays */
    bool flags;      /* argument 5: RWF_*; an offset of -1 means the file's position */
};

/* A call that has passed the checks. */
struct io {
    struct file *file;
    bool positioned;
    uint64_t offset; /* where it begins; 0 for what has no position */
    int flags;       /* RWF_* */
    struct transfer buffers;
};

enum { FLAGS_KNOWN = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND };

/* ---- reading ---- */

static long read_positioned(struct thread *t, struct file *f, struct transfer *x, uint64_t *position) {
    char piece[TRANSFER_PIECE];
    uint64_t done = 0;
    while (x->left) {
        size_t want = min_u64(x->left, sizeof(piece));
        uint64_t offset = *position;
        ssize_t n = f->ops->read(f, t, piece, want, &offset);
        if (n == 0)
            break;
        if (n < 0)
            return done ? (long)done : n;
        ssize_t taken = transfer_to_user(x, piece, (size_t)n);
        if (taken < 0)
            return done ? (long)done : taken;
        *position = taken == n ? offset : *position + (uint64_t)taken;
        done += (uint64_t)taken;
        if (taken < n || (size_t)n < want)
            break;
    }
    return (long)done;
}

/* What of a stream's piece counts when only `accessible` bytes of the user's buffer were: Linux moves whole
 * pages of a pipe or socket and whole records, or nothing. */
static size_t stream_whole(const struct file *f, ssize_t accessible) {
    return accessible < 0 || f->ops->record ? 0 : (size_t)accessible & ~(size_t)(PAGE_SIZE - 1);
}

/* A stream that cannot take data back is not read for a buffer that is not there. */
static bool read_would_lose(struct file *f, struct transfer *x) {
    return !f->ops->unread && !f->ops->record && transfer_probe(x) < 0 && file_poll(f, NULL, POLLIN) & POLLIN;
}

static long read_stream(struct thread *t, struct file *f, struct transfer *x) {
    char piece[TRANSFER_PIECE];
    uint64_t done = 0;
    while (x->left) {
        if (done && !(file_poll(f, NULL, POLLIN) & POLLIN))
            break;
        if (read_would_lose(f, x))
            return done ? (long)done : -EFAULT;
        size_t want = min_u64(x->left, sizeof(piece));
        ssize_t n = f->ops->read(f, t, piece, want, NULL);
        if (n <= 0)
            return done ? (long)done : n;
        ssize_t taken = transfer_to_user(x, piece, (size_t)n);
        if (taken < n) {
            size_t whole = f->ops->unread || f->ops->record ? stream_whole(f, taken) : (size_t)taken;
            if (f->ops->unread)
                f->ops->unread(f, (size_t)n - whole);
            done += whole;
            return done ? (long)done : -EFAULT;
        }
        done += (uint64_t)taken;
        if ((size_t)n < want)
            break;
    }
    return (long)done;
}

/* ---- writing ---- */

/* Writes from where earlier attempts of the call ended. `position` is NULL for streams. */
static long write_pieces(struct thread *t, struct file *f, struct transfer *x, uint64_t *position) {
    char piece[TRANSFER_PIECE];
    uint64_t *progress = &t->call.progress;
    transfer_skip(x, min_u64(*progress, x->left));
    while (x->left) {
        size_t want = min_u64(x->left, sizeof(piece));
        uint64_t at = x->at, skipped = x->skipped, left = x->left;
        ssize_t have = transfer_from_user(x, piece, want);
        if (!position && have < (ssize_t)want)
            have = stream_whole(f, have) ? (ssize_t)stream_whole(f, have) : -EFAULT;
        ssize_t n = have < 0 ? have : file_write(f, t, piece, (size_t)have, position);
        if (n == SYS_SLEEP)
            return SYS_SLEEP;
        if (n < 0)
            return *progress ? (long)*progress : n;
        *progress += (uint64_t)n;
        if (have < (ssize_t)want || n == 0 || (n < have && position))
            break;      /* a file that took less has a reason; a stream has no room now */
        if (n < have) { /* back to the first byte that was not written */
            x->at = at;
            x->skipped = skipped;
            x->left = left;
            transfer_skip(x, (uint64_t)n);
        }
    }
    return (long)*progress;
}

/* ---- the checks ---- */

static int io_file(struct thread *t, const uint64_t a[6], const struct form *form, struct io *io) {
    int64_t offset = (int64_t)a[3];
    io->positioned = form->positioned && !(form->flags && offset == -1);
    if (io->positioned && offset < 0)
        return -EINVAL;
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if (io->positioned && !f->ops->seek)
        return -ESPIPE;
    if ((f->flags & O_ACCMODE) == (form->writes ? O_RDONLY : O_WRONLY))
        return -EBADF;
    if (form->writes ? !f->ops->write : !f->ops->read)
        return -EINVAL;
    io->file = f;
    io->offset = io->positioned ? (uint64_t)offset : 0;
    return 0;
}

static int io_buffers(struct thread *t, const uint64_t a[6], const struct form *form, struct io *io) {
    if (form->vector)
        return transfer_load(&io->buffers, t, a[1], a[2]);
    if (!transfer_in_user_space(a[1], a[2]))
        return -EFAULT;
    transfer_set(&io->buffers, t, a[1], a[2]);
    return 0;
}

/* The place in the file, which must not lead beyond what an offset can say. */
static int io_position(struct io *io) {
    const struct file_ops *ops = io->file->ops;
    if (!ops->seek)
        return 0;
    if (!io->positioned) {
        int64_t position = ops->seek(io->file, 0, SEEK_CUR);
        if (position < 0)
            return (int)position;
        io->offset = (uint64_t)position;
    }
    return io->offset + io->buffers.left > INT64_MAX ? -EINVAL : 0;
}

/* With O_DIRECT, addresses, lengths and offsets are multiples of what the file
 * system says (where it does). */
static int io_check_direct(const struct io *io) {
    struct statx stx;
    if (!(io->file->flags & O_DIRECT) || !io->file->ops->object || io->file->host < 0 ||
        statx(io->file->host, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) < 0 ||
        !(stx.stx_mask & STATX_DIOALIGN) || !stx.stx_dio_offset_align)
        return 0;
    uint64_t bits = io->offset;
    for (size_t i = 0; i < io->buffers.count; i++)
        bits |= io->buffers.segments[i].iov_len;
    if (bits % stx.stx_dio_offset_align)
        return -EINVAL;
    for (size_t i = 0; i < io->buffers.count; i++) {
        if ((uint64_t)io->buffers.segments[i].iov_base % stx.stx_dio_mem_align)
            return -EINVAL;
    }
    return 0;
}

/* A call without bytes: most kinds do nothing. */
static long io_nothing(struct thread *t, struct io *io, const struct form *form) {
    struct file *f = io->file;
    if (form->vector)
        return 0;
    if (f->ops->getdents)
        return -EISDIR;
    if (f->ops->record)
        return -EINVAL;
    if (!form->writes || !f->ops->empty_writes)
        return 0;
    return f->ops->write_user ? f->ops->write_user(f, t, &io->buffers) : file_write(f, t, "", 0, &io->offset);
}

/* ---- the calls ---- */

static long io_move(struct thread *t, struct io *io, const struct form *form) {
    struct file *f = io->file;
    uint64_t start = io->offset, *position = f->ops->seek ? &io->offset : NULL;
    long n;
    if (form->writes ? f->ops->write_user != NULL : f->ops->read_user != NULL)
        n = form->writes ? f->ops->write_user(f, t, &io->buffers) : f->ops->read_user(f, t, &io->buffers);
    else if (form->writes && f->ops->ignores_data && !f->output)
        n = f->ops->write(f, t, NULL, io->buffers.left, position);
    else if (form->writes)
        n = write_pieces(t, f, &io->buffers, position);
    else
        n = position ? read_positioned(t, f, &io->buffers, position) : read_stream(t, f, &io->buffers);
    if (position && !io->positioned && io->offset != start)
        f->ops->seek(f, (int64_t)io->offset, SEEK_SET);
    return n;
}

/* RWF_NOWAIT and RWF_APPEND are status flags for the length of the call. */
static long io_move_with_flags(struct thread *t, struct io *io, const struct form *form) {
    struct file *f = io->file;
    if (io->flags & ~FLAGS_KNOWN)
        return -EOPNOTSUPP;
    int before = f->flags;
    f->flags |= (io->flags & RWF_NOWAIT ? O_NONBLOCK : 0) | (io->flags & RWF_APPEND ? O_APPEND : 0);
    long n = io_move(t, io, form);
    f->flags = before;
    if (n > 0 && form->writes && io->flags & (RWF_DSYNC | RWF_SYNC) && f->ops->sync) {
        int r = f->ops->sync(f);
        return r < 0 ? r : n;
    }
    return n;
}

static void io_count(struct process *p, const struct form *form, long moved) {
    *(form->writes ? &p->io.write_calls : &p->io.read_calls) += 1;
    *(form->writes ? &p->io.written_bytes : &p->io.read_bytes) += moved > 0 ? (uint64_t)moved : 0;
}

static long io_call(struct thread *t, const uint64_t a[6], const struct form *form) {
    struct io io; /* not initialised: most of the segments are never used */
    int r = io_file(t, a, form, &io);
    if (r == 0)
        r = io_buffers(t, a, form, &io);
    if (r < 0)
        return r;
    if (!io.buffers.left)
        return io_nothing(t, &io, form);
    r = io_position(&io);
    if (r == 0)
        r = io_check_direct(&io);
    if (r < 0)
        return r;
    io.flags = form->flags ? (int)a[5] : 0;
    long n = io.flags ? io_move_with_flags(t, &io, form) : io_move(t, &io, form);
    if (n != SYS_SLEEP)
        io_count(t->process, form, n);
    return n;
}

#define IO_CALL(name, ...)                                                                                   \
    static long sys_##name(struct thread *t, const uint64_t a[6]) {                                          \
        static const struct form form = {__VA_ARGS__};                                                       \
        return io_call(t, a, &form);                                                                         \
    }

IO_CALL(read, .writes = false)
IO_CALL(write, .writes = true)
IO_CALL(readv, .vector = true)
IO_CALL(writev, .writes = true, .vector = true)
IO_CALL(pread64, .positioned = true)
IO_CALL(pwrite64, .writes = true, .positioned = true)
IO_CALL(preadv, .vector = true, .positioned = true)
IO_CALL(pwritev, .writes = true, .vector = true, .positioned = true)
IO_CALL(preadv2, .vector = true, .positioned = true, .flags = true)
IO_CALL(pwritev2, .writes = true, .vector = true, .positioned = true, .flags = true)

/* ---- positions ---- */

static long sys_lseek(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if (a[2] > SEEK_HOLE)
        return -EINVAL;
    if (f->ops->fixed_position)
        return 0;
    return f->ops->seek ? f->ops->seek(f, (int64_t)a[1], (int)a[2]) : -ESPIPE;
}

const struct syscall_entry syscalls_file[] = {
    {SYS_read, "read", sys_read},          {SYS_write, "write", sys_write},
    {SYS_readv, "readv", sys_readv},       {SYS_writev, "writev", sys_writev},
    {SYS_pread64, "pread64", sys_pread64}, {SYS_pwrite64, "pwrite64", sys_pwrite64},
    {SYS_preadv, "preadv", sys_preadv},    {SYS_pwritev, "pwritev", sys_pwritev},
    {SYS_preadv2, "preadv2", sys_preadv2}, {SYS_pwritev2, "pwritev2", sys_pwritev2},
    {SYS_lseek, "lseek", sys_lseek},       {-1, NULL, NULL},
};
