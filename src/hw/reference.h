/* References as an engine reports them. */
#ifndef HW_REFERENCE_H
#define HW_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#include "hw/types.h"

/* Accesses to a frame that follow one another. It was only read from if neither stores nor fetches are among
 * them. */
struct reference {
    uint32_t frame;  /* a number that is no frame's is to be skipped */
    uint16_t count;  /* low bits of the instructions executed at the first of them */
    uint8_t written; /* 1: stores are among them */
    uint8_t fetched; /* 1: instruction fetches are among them */
};
_Static_assert(sizeof(struct reference) == 8, "vector units write it");

/* A stretch of the log as the engine wrote it: an entry for each access, its halves in two arrays. Translated
 * code writes them and vector units read them, so their shape is part of how fast that is. Successive entries
 * may well be of one frame (join.h). */
struct reference_log {
    const uint32_t *pages; /* frame + base, in 32 bits */
    const uint32_t *rests; /* end - count, in 16 bits; LOG_WRITTEN; LOG_FETCHED */
    size_t count;
    uint32_t base;
    uint16_t end;
    uint64_t start; /* instructions executed at some time, at most 65535 before any entry's */
};

#define LOG_WRITTEN (1U << 16)
#define LOG_FETCHED (1U << 24)

/* count: in 16 bits; access: enum access bits. */
static inline uint32_t log_rest(uint32_t count, unsigned access) {
    return (uint16_t)count | (access & ACCESS_WRITE ? LOG_WRITTEN : 0) |
           (access & ACCESS_EXEC ? LOG_FETCHED : 0);
}

static inline struct reference log_reference(const struct reference_log *log, size_t i) {
    const uint32_t rest = log->rests[i];
    return (struct reference){.frame = log->pages[i] - log->base,
                              .count = (uint16_t)(log->end - rest),
                              .written = (rest & LOG_WRITTEN) != 0,
                              .fetched = (rest & LOG_FETCHED) != 0};
}

/* Instructions executed at the entry whose reference has this count. */
static inline uint64_t log_instruction(const struct reference_log *log, uint16_t count) {
    return log->start + (uint16_t)(count - log->start);
}

#endif
