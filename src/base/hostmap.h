/* A host file mapped into our own address space, so that a page of it is copied without a host call. The map
 * is made when it is first used and grows with the file. Only a shortcut: what it cannot do is to be done
 * with pread() and pwrite(), which also tell the reason. Trouble with the pages must reach hostcopy_signal():
 * where it would not, nothing is mapped. */
#ifndef BASE_HOSTMAP_H
#define BASE_HOSTMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeros, but for `writable`, make one that is not mapped yet. The other fields are private. */
struct hostmap {
    bool writable;   /* constant; the descriptor must then be open for reading and writing */
    bool refused;    /* the host would not map or extend it, and is not asked again */
    uint8_t *start;  /* of file offset 0; NULL iff length is 0 */
    uint64_t length; /* bytes; may be more than the file has */
};

/* The file's bytes [offset, offset + length), for hostcopy() only, until the next call; NULL if they are not
 * to be had here. `size` says how much to map at once: the file's size as far as is known. `fd` may change as
 * long as it is the same file's. Bytes behind the end of the file in its last page read as zeros, and are
 * lost when written. */
void *hostmap_bytes(struct hostmap *, int fd, uint64_t size, uint64_t offset, size_t length);

void hostmap_release(struct hostmap *); /* unmaps */

#endif
