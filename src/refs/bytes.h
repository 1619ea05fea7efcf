/* The bytes of a file of references, in order: as they are, or unpacked if they are zstd's. Regular files can
 * be read again; pipes are read once. */
#ifndef REFS_BYTES_H
#define REFS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct refs_bytes;

/* 0 or -errno. */
int refs_bytes_open(const char *path, struct refs_bytes **ret_bytes);
/* Before anything was seen: copies a pipe to a file without a name, in TMPDIR or /tmp, so that it can be read
 * again; not a device, which may have no end. 0 or -errno. */
int refs_bytes_keep(struct refs_bytes *);
void refs_bytes_close(struct refs_bytes *); /* NULL is allowed */
/* From here on, which is the beginning, the bytes are unpacked. 0 or -ENOMEM. */
int refs_bytes_unpack(struct refs_bytes *);
/* Whether they can be read again. */
bool refs_bytes_can_rewind(const struct refs_bytes *);
/* From the beginning again. 0, or -ESPIPE: this is no regular file. */
int refs_bytes_rewind(struct refs_bytes *);
/* Makes the next `length` bytes visible at *ret_from, until the next call; does not take them. How many there
 * are: fewer only at the end, or before what cannot be had; there it is -errno: -EBADMSG (no zstd any more),
 * -ENODATA (a zstd frame that is cut). */
ssize_t refs_bytes_see(struct refs_bytes *, size_t length, const uint8_t **ret_from);
/* Goes on behind so many bytes, which have been seen. */
void refs_bytes_take(struct refs_bytes *, size_t length);
/* Of a regular file, as it is: bytes in all, 0 for others; and some of them. */
uint64_t refs_bytes_size(const struct refs_bytes *);
bool refs_bytes_at(const struct refs_bytes *, uint64_t offset, void *to, size_t length);

#endif
