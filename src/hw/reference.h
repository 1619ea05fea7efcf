/* References as an engine reports them. */
#ifndef HW_REFERENCE_H
#define HW_REFERENCE_H

#include <stdint.h>

/* One entry of the reference log: a maximal run of accesses to one frame; only entries that are to be skipped
 * can stand between two of the same frame. It is what translated code writes and vector units read, so its
 * shape is part of how fast that is. It was only read from if neither stores nor fetches are among it. */
struct reference {
    uint32_t frame;  /* entries with a number that is no frame's are to be skipped */
    uint16_t count;  /* low bits of the instructions executed when the run began: see client.references */
    uint8_t written; /* 1: stores are among them */
    uint8_t fetched; /* 1: instruction fetches are among them */
};
_Static_assert(sizeof(struct reference) == 8, "translated code writes it");

#endif
