/* References as an engine reports them. */
#ifndef HW_REFERENCE_H
#define HW_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/types.h"

/* An access, or several to a frame that follow one another. It was only read from if neither stores nor
 * fetches are among them. */
struct reference {
    uint64_t instruction; /* instructions executed at the first of them */
    uint32_t frame;       /* a number that is no frame's is to be skipped */
    bool written;         /* stores are among them */
    bool fetched;         /* instruction fetches are among them */
};

/* A stretch of the log as the engine wrote it: an entry for each access, its halves in two arrays. Translated
 * code writes them and vector units read them, so their shape is part of how fast that is. Successive entries
 * may well be of one frame (join.h); their counts do not fall. */
struct reference_log {
    const uint32_t *pages; /* frame + base, in 32 bits */
    const uint32_t *rests; /* end - count, in 16 bits; LOG_WRITTEN; LOG_FETCHED */
    size_t count;
    uint32_t base;
    uint16_t end;
    uint64_t start; /* instructions executed at some time, less than LOG_SPAN before any entry's */
};

#define LOG_WRITTEN (1U << 16)
#define LOG_FETCHED (1U << 24)
#define LOG_SPAN    (1U << 14) /* instructions */

/* count: in 16 bits; access: enum access bits. */
static inline uint32_t log_rest(uint32_t count, unsigned access) {
    return (uint16_t)count | (access & ACCESS_WRITE ? LOG_WRITTEN : 0) |
           (access & ACCESS_EXEC ? LOG_FETCHED : 0);
}

static inline struct reference log_reference(const struct reference_log *log, size_t i) {
    const uint32_t rest = log->rests[i];
    return (struct reference){.instruction = log->start + (uint16_t)(log->end - rest - log->start),
                              .frame = log->pages[i] - log->base,
                              .written = (rest & LOG_WRITTEN) != 0,
                              .fetched = (rest & LOG_FETCHED) != 0};
}

#endif
