/* System calls that move bytes: read, write and their relatives, lseek, sendfile.
 *
 * Data goes through a buffer of ours in pieces. A call that must wait keeps what it has done in
 * call.progress; a read never waits once it has something. A user page that is not accessible ends the call
 * with what was done before it, and what it could not take is still in the file. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/file.h"
#include "kernel/syscall.h"
#include "kernel/transfer.h"

static struct file *file_readable(struct thread *t, uint64_t fd) {
    struct file *f = descriptor_file(t->process, (int)fd);
    return f && !(f->flags & O_PATH) && (f->flags & O_ACCMODE) != O_WRONLY ? f : NULL;
}

static struct file *file_writable(struct thread *t, uint64_t fd) {
    struct file *f = descriptor_file(t->process, (int)fd);
    return f && !(f->flags & O_PATH) && (f->flags & O_ACCMODE) != O_RDONLY ? f : NULL;
}

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

static long read_stream(struct thread *t, struct file *f, struct transfer *x) {
    char piece[TRANSFER_PIECE];
    uint64_t done = 0;
    while (x->left) {
        if (done && !(file_poll(f, NULL, POLLIN) & POLLIN))
            break;
        if (!f->ops->unread && transfer_probe(x) < 0)
            return done ? (long)done : -EFAULT;
        size_t want = min_u64(x->left, sizeof(piece));
        ssize_t n = f->ops->read(f, t, piece, want, NULL);
        if (n <= 0)
            return done ? (long)done : n;
        ssize_t taken = transfer_to_user(x, piece, (size_t)n);
        if (f->ops->unread && taken < n)
            f->ops->unread(f, (size_t)(n - (taken < 0 ? 0 : taken)));
        if (taken < 0)
            return done ? (long)done : taken;
        done += (uint64_t)taken;
        if (taken < n || (size_t)n < want)
            break;
    }
    return (long)done;
}

static long read_from(struct thread *t, struct file *f, struct transfer *x) {
    if (!f->ops->read)
        return -EINVAL;
    if (!f->ops->seek) {
        if (!x->left && !f->ops->poll)
            return 0;
        return read_stream(t, f, x);
    }
    int64_t position = f->ops->seek(f, 0, SEEK_CUR);
    if (position < 0)
        return position;
    uint64_t offset = (uint64_t)position;
    if (!x->left && f->ops->getdents)
        return -EISDIR;
    long n = read_positioned(t, f, x, &offset);
    if (offset != (uint64_t)position)
        f->ops->seek(f, (int64_t)offset, SEEK_SET);
    return n;
}

static long read_at(struct thread *t, struct file *f, struct transfer *x, int64_t offset) {
    if (offset < 0)
        return -EINVAL;
    if (!f->ops->read || !f->ops->seek)
        return -ESPIPE;
    uint64_t position = (uint64_t)offset;
    return read_positioned(t, f, x, &position);
}

static long sys_read(struct thread *t, const uint64_t a[6]) {
    struct file *f = file_readable(t, a[0]);
    struct transfer x;
    if (!f)
        return -EBADF;
    transfer_set(&x, t, a[1], a[2]);
    return read_from(t, f, &x);
}

static long sys_readv(struct thread *t, const uint64_t a[6]) {
    struct file *f = file_readable(t, a[0]);
    struct transfer x;
    if (!f)
        return -EBADF;
    int r = transfer_load(&x, t, a[1], a[2]);
    return r < 0 ? r : read_from(t, f, &x);
}

static long sys_pread64(struct thread *t, const uint64_t a[6]) {
    struct file *f = file_readable(t, a[0]);
    struct transfer x;
    if (!f)
        return -EBADF;
    transfer_set(&x, t, a[1], a[2]);
    return read_at(t, f, &x, (int64_t)a[3]);
}

static long sys_preadv(struct thread *t, const uint64_t a[6]) {
    struct file *f = file_readable(t, a[0]);
    struct transfer x;
    if (!f)
        return -EBADF;
    int r = transfer_load(&x, t, a[1], a[2]);
    return r < 0 ? r : read_at(t, f, &x, (int64_t)a[3]);
}

static long sys_preadv2(struct thread *t, const uint64_t a[6]) {
    if (a[5] & ~(uint64_t)(RWF_HIPRI | RWF_NOWAIT))
        return -EOPNOTSUPP;
    return (int64_t)a[3] == -1 ? sys_readv(t, a) : sys_preadv(t, a);
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

static long write_to(struct thread *t, struct file *f, struct transfer *x) {
    if (!f->ops->write)
        return -EINVAL;
    if (!f->ops->seek)
        return write_pieces(t, f, x, NULL);
    int64_t position = f->ops->seek(f, 0, SEEK_CUR);
    if (position < 0)
        return position;
    uint64_t offset = (uint64_t)position;
    long n = write_pieces(t, f, x, &offset);
    if (offset != (uint64_t)position)
        f->ops->seek(f, (int64_t)offset, SEEK_SET);
    return n;
}

static long write_at(struct thread *t, struct file *f, struct transfer *x, int64_t offset) {
    if (offset < 0)
        return -EINVAL;
    if (!f->ops->write || !f->ops->seek)
        return -ESPIPE;
    uint64_t position = (uint64_t)offset;
    return write_pieces(t, f, x, &position);
}

static long sys_write(struct thread *t, const uint64_t a[6]) {
    struct file *f = file_writable(t, a[0]);
    struct transfer x;
    if (!f)
        return -EBADF;
    transfer_set(&x, t, a[1], a[2]);
    return write_to(t, f, &x);
}

static long sys_writev(struct thread *t, const uint64_t a[6]) {
    struct file *f = file_writable(t, a[0]);
    struct transfer x;
    if (!f)
        return -EBADF;
    int r = transfer_load(&x, t, a[1], a[2]);
    return r < 0 ? r : write_to(t, f, &x);
}

static long sys_pwrite64(struct thread *t, const uint64_t a[6]) {
    struct file *f = file_writable(t, a[0]);
    struct transfer x;
    if (!f)
        return -EBADF;
    transfer_set(&x, t, a[1], a[2]);
    return write_at(t, f, &x, (int64_t)a[3]);
}

static long sys_pwritev(struct thread *t, const uint64_t a[6]) {
    struct file *f = file_writable(t, a[0]);
    struct transfer x;
    if (!f)
        return -EBADF;
    int r = transfer_load(&x, t, a[1], a[2]);
    return r < 0 ? r : write_at(t, f, &x, (int64_t)a[3]);
}

static long sys_pwritev2(struct thread *t, const uint64_t a[6]) {
    if (a[5] & ~(uint64_t)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC))
        return -EOPNOTSUPP;
    long n = (int64_t)a[3] == -1 ? sys_writev(t, a) : sys_pwritev(t, a);
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (n > 0 && a[5] & (RWF_DSYNC | RWF_SYNC) && f->ops->sync) {
        int r = f->ops->sync(f);
        return r < 0 ? r : n;
    }
    return n;
}

/* ---- from file to file ---- */

/* A place to read or write at: an offset in user memory, or the file's own. */
struct place {
    struct file *file;
    uint64_t user; /* address of the offset, or 0 */
    uint64_t offset;
};

static int place_load(struct thread *t, struct place *place, uint64_t user) {
    place->user = user;
    place->offset = 0;
    if (user) {
        if (!place->file->ops->seek)
            return -ESPIPE;
        int r = user_read(t->process->space, user, &place->offset, sizeof(place->offset));
        return r < 0 ? r : (int64_t)place->offset < 0 ? -EINVAL : 0;
    }
    int64_t position = place->file->ops->seek ? place->file->ops->seek(place->file, 0, SEEK_CUR) : 0;
    place->offset = (uint64_t)position;
    return position < 0 ? (int)position : 0;
}

static int place_store(struct thread *t, const struct place *place) {
    if (place->user)
        return user_write(t->process->space, place->user, &place->offset, sizeof(place->offset));
    if (place->file->ops->seek)
        place->file->ops->seek(place->file, (int64_t)place->offset, SEEK_SET);
    return 0;
}

/* Copies up to `length` bytes. What the target could not take at once counts as not read. */
static long copy_places(struct thread *t, struct place *from, struct place *to, uint64_t length) {
    char piece[TRANSFER_PIECE];
    uint64_t done = 0;
    while (done < length) {
        uint64_t source = from->offset;
        size_t want = min_u64(length - done, sizeof(piece));
        ssize_t have = from->file->ops->read(from->file, t, piece, want, &source);
        if (have <= 0)
            return done ? (long)done : have;
        ssize_t n = file_write(to->file, t, piece, (size_t)have, to->file->ops->seek ? &to->offset : NULL);
        if (n < 0)
            return done ? (long)done : n;
        from->offset += (uint64_t)n;
        done += (uint64_t)n;
        if (n < have)
            break;
    }
    return (long)done;
}

static long copy_between(struct thread *t, struct place *from, struct place *to, uint64_t length) {
    long n = copy_places(t, from, to, min_u64(length, 0x7ffff000));
    if (n <= 0)
        return n;
    int r = place_store(t, from);
    if (r == 0)
        r = place_store(t, to);
    return r < 0 ? r : n;
}

/* sendfile(out, in, offset *, count): a short count where Linux would wait in the middle is allowed. */
static long sys_sendfile(struct thread *t, const uint64_t a[6]) {
    struct place to = {.file = file_writable(t, a[0])}, from = {.file = file_readable(t, a[1])};
    if (!to.file || !from.file)
        return -EBADF;
    if (!from.file->ops->seek || !from.file->ops->read || from.file->ops->getdents || !to.file->ops->write)
        return -EINVAL;
    if (to.file->flags & O_APPEND)
        return -EINVAL;
    int r = place_load(t, &from, a[2]);
    if (r == 0)
        r = place_load(t, &to, 0);
    return r < 0 ? r : copy_between(t, &from, &to, a[3]);
}

/* copy_file_range(in, offset *, out, offset *, count, flags) */
static long sys_copy_file_range(struct thread *t, const uint64_t a[6]) {
    struct place from = {.file = file_readable(t, a[0])}, to = {.file = file_writable(t, a[2])};
    if (!to.file || !from.file || to.file->flags & O_APPEND)
        return -EBADF;
    if (a[5])
        return -EINVAL;
    struct stat in, out;
    if (!from.file->ops->object || !to.file->ops->object || from.file->ops->stat(from.file, &in) < 0 ||
        to.file->ops->stat(to.file, &out) < 0 || !S_ISREG(in.st_mode) || !S_ISREG(out.st_mode))
        return -EINVAL;
    int r = place_load(t, &from, a[1]);
    if (r == 0)
        r = place_load(t, &to, a[3]);
    if (r < 0)
        return r;
    bool same = in.st_dev == out.st_dev && in.st_ino == out.st_ino;
    if (same && from.offset < to.offset + a[4] && to.offset < from.offset + a[4])
        return -EINVAL;
    return copy_between(t, &from, &to, a[4]);
}

/* ---- positions ---- */

static long sys_lseek(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if (a[2] > SEEK_HOLE)
        return -EINVAL;
    return f->ops->seek ? f->ops->seek(f, (int64_t)a[1], (int)a[2]) : -ESPIPE;
}

const struct syscall_entry syscalls_file[] = {
    {SYS_read, "read", sys_read},
    {SYS_write, "write", sys_write},
    {SYS_readv, "readv", sys_readv},
    {SYS_writev, "writev", sys_writev},
    {SYS_pread64, "pread64", sys_pread64},
    {SYS_pwrite64, "pwrite64", sys_pwrite64},
    {SYS_preadv, "preadv", sys_preadv},
    {SYS_pwritev, "pwritev", sys_pwritev},
    {SYS_preadv2, "preadv2", sys_preadv2},
    {SYS_pwritev2, "pwritev2", sys_pwritev2},
    {SYS_sendfile, "sendfile", sys_sendfile},
    {SYS_copy_file_range, "copy_file_range", sys_copy_file_range},
    {SYS_lseek, "lseek", sys_lseek},
    {-1, NULL, NULL},
};
