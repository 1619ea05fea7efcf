/* See bytes.h. One buffer holds what was seen and not taken; it grows with what is there, never with what a
 * file claims. */
#include "refs/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/base.h"
#include "base/host_file.h"

enum { BYTES_PIECE = 1 << 18 };

struct refs_bytes {
    int descriptor;
    bool regular;
    bool ended;     /* of the file */
    uint8_t *start; /* `capacity` bytes; from `from` to `to` they are there */
    size_t from, to, capacity;
    ZSTD_DCtx *unpacker; /* NULL: bytes are as in the file */
    uint8_t *packed;     /* BYTES_PIECE of them, likewise */
    size_t packed_from, packed_to;
    size_t expected; /* by the unpacker: 0 at the end of a frame */
    int error;       /* -errno: why there is no more behind `to` */
};

int refs_bytes_open(const char *path, struct refs_bytes **ret_bytes) {
    struct stat status;
    struct refs_bytes *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    int error = b->descriptor < 0 || fstat(b->descriptor, &status) ? -errno : 0;
    if (!error && S_ISDIR(status.st_mode))
        error = -EISDIR;
    if (error) {
        refs_bytes_close(b);
        return error;
    }
    b->regular = S_ISREG(status.st_mode);
    *ret_bytes = b;
    return 0;
}

static int copy_all(int from, int to) {
    uint8_t *piece = malloc(BYTES_PIECE);
    int error = piece ? 0 : -ENOMEM;
    ssize_t got = 1;
    while (!error && got) {
        got = read(from, piece, BYTES_PIECE);
        if (got >= 0)
            error = host_file_write(to, piece, (size_t)got);
        else if (errno != EINTR)
            error = -errno;
    }
    free(piece);
    return error;
}

int refs_bytes_keep(struct refs_bytes *b) {
    struct stat status;
    if (b->regular || fstat(b->descriptor, &status) || S_ISCHR(status.st_mode))
        return 0;
    const int kept = host_file_unnamed(host_temporary_folder());
    int error = kept < 0 ? kept : copy_all(b->descriptor, kept);
    if (!error && lseek(kept, 0, SEEK_SET) < 0)
        error = -errno;
    if (error) {
        if (kept >= 0)
            close(kept);
        return error;
    }
    close(b->descriptor);
    b->descriptor = kept;
    b->regular = true;
    return 0;
}

void refs_bytes_close(struct refs_bytes *b) {
    if (!b)
        return;
    if (b->descriptor >= 0)
        close(b->descriptor);
    ZSTD_freeDCtx(b->unpacker);
    free(b->packed);
    free(b->start);
    free(b);
}

int refs_bytes_unpack(struct refs_bytes *b) {
    b->unpacker = ZSTD_createDCtx();
    b->packed = malloc(BYTES_PIECE);
    if (!b->unpacker || !b->packed)
        return -ENOMEM;
    /* What was seen already is packed; it came by one reading. */
    b->packed_to = min_size(b->to - b->from, BYTES_PIECE);
    memcpy(b->packed, b->start + b->from, b->packed_to);
    b->from = b->to = 0;
    b->ended = false;
    return 0;
}

bool refs_bytes_can_rewind(const struct refs_bytes *b) {
    return b->regular;
}

int refs_bytes_rewind(struct refs_bytes *b) {
    if (!b->regular || lseek(b->descriptor, 0, SEEK_SET) < 0)
        return -ESPIPE;
    b->ended = false;
    b->error = 0;
    b->from = b->to = b->packed_from = b->packed_to = b->expected = 0;
    if (b->unpacker)
        ZSTD_DCtx_reset(b->unpacker, ZSTD_reset_session_only);
    return 0;
}

static ssize_t read_some(const struct refs_bytes *b, void *to, size_t length) {
    ssize_t got;
    do
        got = read(b->descriptor, to, length);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

/* Unpacks some more into the buffer: how many bytes (may be 0), or -errno; sets `ended`. */
static ssize_t unpack_some(struct refs_bytes *b, uint8_t *to, size_t length) {
    bool more = true;
    if (b->packed_from == b->packed_to) {
        const ssize_t got = read_some(b, b->packed, BYTES_PIECE);
        if (got < 0)
            return got;
        more = got;
        b->packed_from = 0;
        b->packed_to = (size_t)got;
    }
    if (!more && !b->expected) {
        b->ended = true;
        return 0;
    }
    ZSTD_inBuffer in = {b->packed, b->packed_to, b->packed_from};
    ZSTD_outBuffer out = {to, length, 0};
    b->expected = ZSTD_decompressStream(b->unpacker, &out, &in);
    if (ZSTD_isError(b->expected))
        return -EBADMSG;
    b->packed_from = in.pos;
    return more || out.pos || !b->expected ? (ssize_t)out.pos : -ENODATA;
}

static int make_room(struct refs_bytes *b) {
    if (b->from) {
        memmove(b->start, b->start + b->from, b->to - b->from);
        b->to -= b->from;
        b->from = 0;
    }
    if (b->capacity - b->to >= BYTES_PIECE / 2)
        return 0;
    const size_t capacity = b->capacity * 2 + BYTES_PIECE;
    uint8_t *start = realloc(b->start, capacity);
    if (!start)
        return -ENOMEM;
    b->start = start;
    b->capacity = capacity;
    return 0;
}

ssize_t refs_bytes_see(struct refs_bytes *b, size_t length, const uint8_t **ret_from) {
    while (b->to - b->from < length && !b->ended && !b->error) {
        const int error = make_room(b);
        if (error)
            return error;
        const size_t room = b->capacity - b->to;
        const ssize_t got =
            b->unpacker ? unpack_some(b, b->start + b->to, room) : read_some(b, b->start + b->to, room);
        if (!b->unpacker)
            b->ended = !got;
        if (got < 0)
            b->error = (int)got;
        else
            b->to += (size_t)got;
    }
    if (b->error && b->from == b->to)
        return b->error;
    *ret_from = b->start + b->from;
    return (ssize_t)min_size(length, b->to - b->from);
}

void refs_bytes_take(struct refs_bytes *b, size_t length) {
    b->from += length;
}

uint64_t refs_bytes_size(const struct refs_bytes *b) {
    struct stat status;
    return b->regular && !fstat(b->descriptor, &status) ? (uint64_t)status.st_size : 0;
}

bool refs_bytes_at(const struct refs_bytes *b, uint64_t offset, void *to, size_t length) {
    return b->regular && pread(b->descriptor, to, length, (off_t)offset) == (ssize_t)length;
}
