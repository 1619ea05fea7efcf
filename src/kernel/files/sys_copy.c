/* System calls that move bytes from file to file inside the kernel: sendfile and copy_file_range.
 *
 * Data goes through a buffer of ours in pieces. What was moved before the call had to wait stands in
 * call.progress; offsets are stored at the end only, so that every attempt begins from the same ones. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/events/pipe.h"
#include "kernel/files/transfer.h"
#include "kernel/kinds.h"
#include "kernel/syscall.h"

enum { COPY_MAX = 0x7ffff000 }; /* bytes of one call, as Linux's MAX_RW_COUNT */

/* A place to read or write at: an offset in user memory, or the file's own. */
struct place {
    struct file *file;
    uint64_t user; /* address of the offset, or 0 */
    int64_t offset;
};

static struct file *place_file(struct thread *t, uint64_t fd) {
    struct file *f = descriptor_file(t->process, (int)fd);
    return f && !(f->flags & O_PATH) ? f : NULL;
}

static bool place_can(const struct place *place, int lacking) {
    return (place->file->flags & O_ACCMODE) != lacking;
}

static int place_load(struct thread *t, struct place *place, uint64_t user) {
    place->user = user;
    if (user)
        return user_read(t->process->space, user, &place->offset, sizeof(place->offset));
    place->offset = place->file->ops->seek ? place->file->ops->seek(place->file, 0, SEEK_CUR) : 0;
    return place->offset < 0 ? (int)place->offset : 0;
}

static int place_store(struct thread *t, const struct place *place) {
    if (place->user)
        return user_write(t->process->space, place->user, &place->offset, sizeof(place->offset));
    if (place->file->ops->seek)
        place->file->ops->seek(place->file, place->offset, SEEK_SET);
    return 0;
}

/* Whether `length` bytes from the place on can be told by an offset. */
static int place_verify(const struct place *place, uint64_t length) {
    bool beyond = (int64_t)length < 0 || place->offset < 0 || (uint64_t)place->offset + length > INT64_MAX;
    return beyond && place->file->ops->seek ? -EINVAL : 0;
}

/* One piece: bytes that reached the target, 0 at the end, SYS_SLEEP or -errno. */
static ssize_t copy_piece(struct thread *t, struct place *from, struct place *to, size_t length) {
    char piece[TRANSFER_PIECE];
    uint64_t source = (uint64_t)from->offset, target = (uint64_t)to->offset;
    ssize_t have = from->file->ops->read(from->file, t, piece, min_size(length, sizeof(piece)), &source);
    if (have <= 0)
        return have;
    ssize_t n = file_write(to->file, t, piece, (size_t)have, to->file->ops->seek ? &target : NULL);
    if (n > 0) {
        from->offset += source == (uint64_t)from->offset ? 0 : n; /* devices have no positions */
        to->offset = (int64_t)target;
    }
    return n;
}

/* Copies up to `length` bytes. What the target could not take counts as not read; it is waited for. */
static long copy_places(struct thread *t, struct place *from, struct place *to, uint64_t length) {
    uint64_t *progress = &t->call.progress;
    from->offset += (int64_t)*progress;
    to->offset += to->file->ops->seek ? (int64_t)*progress : 0;
    while (*progress < length) {
        ssize_t n = copy_piece(t, from, to, length - *progress);
        if (n == SYS_SLEEP && (!*progress || !t->call.interrupted))
            return SYS_SLEEP;
        if (n <= 0)
            return *progress ? (long)*progress : n;
        *progress += (uint64_t)n;
    }
    return (long)*progress;
}

static long copy_between(struct thread *t, struct place *from, struct place *to, uint64_t length) {
    long n = copy_places(t, from, to, min_u64(length, COPY_MAX));
    if (n <= 0)
        return n;
    int r = place_store(t, from);
    if (r == 0)
        r = place_store(t, to);
    return r < 0 ? r : n;
}

/* ---- sendfile(out, in, offset *, count) ---- */

/* Linux's order of checks: do_sendfile(), then what it moves the bytes with. */
static int sendfile_check(struct place *to, struct place *from, uint64_t length) {
    if (!from->file || !place_can(from, O_WRONLY))
        return -EBADF;
    if (from->user && !from->file->ops->seek)
        return -ESPIPE;
    int r = place_verify(from, length);
    if (r < 0)
        return r;
    if (!to->file || !place_can(to, O_RDONLY))
        return -EBADF;
    return place_verify(to, length);
}

static int sendfile_check_kinds(const struct place *to, const struct place *from, uint64_t length) {
    const struct file_ops *source = from->file->ops, *target = to->file->ops;
    bool to_pipe = pipe_of(to->file) != NULL;
    if (!to_pipe && (to->file->flags & O_APPEND || (!source->seek && !source->fixed_position)))
        return -EINVAL;
    if (!length)
        return 0;
    bool can = source->seek && source->read && !source->getdents && !source->no_splice_from;
    return can && target->write && !target->no_splice ? 0 : -EINVAL;
}

/* As splice() does it: as much as there is room for. */
static long sendfile_to_pipe(struct thread *t, struct place *from, struct file *to, uint64_t length) {
    uint64_t offset = (uint64_t)from->offset;
    long n = pipe_fill_from(pipe_of(to), t, from->file, &offset, min_u64(length, COPY_MAX),
                            to->flags & O_NONBLOCK);
    if (n <= 0)
        return n;
    from->offset = (int64_t)offset;
    int r = place_store(t, from);
    return r < 0 ? r : n;
}

static long sys_sendfile(struct thread *t, const uint64_t a[6]) {
    struct place to = {.file = place_file(t, a[0])}, from = {.file = place_file(t, a[1]), .user = a[2]};
    int64_t offset;
    int r = a[2] ? user_read(t->process->space, a[2], &offset, sizeof(offset)) : 0;
    if (r == 0 && from.file)
        r = place_load(t, &from, a[2]);
    if (r == 0 && to.file)
        r = place_load(t, &to, 0);
    if (r == 0)
        r = sendfile_check(&to, &from, a[3]);
    if (r == 0)
        r = sendfile_check_kinds(&to, &from, a[3]);
    if (r < 0 || !a[3])
        return r;
    return pipe_of(to.file) ? sendfile_to_pipe(t, &from, to.file, a[3]) : copy_between(t, &from, &to, a[3]);
}

/* ---- copy_file_range(in, offset *, out, offset *, count, flags) ---- */

static mode_t type_of(struct file *f, struct stat *ret_stat) {
    *ret_stat = (struct stat){0};
    return f->ops->stat && f->ops->stat(f, ret_stat) == 0 ? ret_stat->st_mode & S_IFMT : 0;
}

/* How many bytes can be copied, of *length: generic_copy_file_checks() of Linux. 0 or -errno. */
static int range_check(struct thread *t, const struct place *from, const struct place *to, uint64_t *length) {
    struct stat in, out;
    mode_t in_type = type_of(from->file, &in), out_type = type_of(to->file, &out);
    if (in_type == S_IFDIR || out_type == S_IFDIR)
        return -EISDIR;
    if (in_type != S_IFREG || out_type != S_IFREG)
        return -EINVAL;
    if (!place_can(from, O_WRONLY) || !place_can(to, O_RDONLY) || to->file->flags & O_APPEND)
        return -EBADF;
    if (in.st_dev != out.st_dev)
        return -EXDEV;
    uint64_t start = (uint64_t)from->offset, target = (uint64_t)to->offset;
    if (start + *length < start || target + *length < target)
        return -EOVERFLOW;
    *length = from->offset >= in.st_size ? 0 : min_u64(*length, (uint64_t)in.st_size - start);
    if (to->offset >= 0 && target >= t->process->limits[RLIMIT_FSIZE].rlim_cur) {
        signal_send_thread(t, SIGXFSZ, NULL);
        return -EFBIG;
    }
    bool same = in.st_dev == out.st_dev && in.st_ino == out.st_ino;
    return same && start < target + *length && target < start + *length ? -EINVAL : 0;
}

static long sys_copy_file_range(struct thread *t, const uint64_t a[6]) {
    struct place from = {.file = place_file(t, a[0])}, to = {.file = place_file(t, a[2])};
    uint64_t length = a[4];
    if (!to.file || !from.file)
        return -EBADF;
    int r = place_load(t, &from, a[1]);
    if (r == 0)
        r = place_load(t, &to, a[3]);
    if (r < 0)
        return r;
    if (a[5])
        return -EINVAL;
    r = range_check(t, &from, &to, &length);
    if (r == 0)
        r = place_verify(&from, length);
    if (r == 0)
        r = place_verify(&to, length);
    if (r < 0 || !length)
        return r;
    return from.file->ops->read && to.file->ops->write ? copy_between(t, &from, &to, length) : -EINVAL;
}

const struct syscall_entry syscalls_copy[] = {
    {SYS_sendfile, "sendfile", sys_sendfile},
    {SYS_copy_file_range, "copy_file_range", sys_copy_file_range},
    {-1, NULL, NULL},
};
