/* References as an engine reports them. */
#ifndef HW_REFERENCE_H
#define HW_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

/* An access to a frame, or several that follow one another. It was only read from if neither stores nor
 * fetches are among them. Translated code writes this and vector units read it, so its shape is part of how
 * fast that is. */
struct reference {
    uint32_t frame;  /* a number that is no frame's is to be skipped */
    uint16_t count;  /* low bits of the instructions executed at the first of them */
    uint8_t written; /* 1: stores are among them */
    uint8_t fetched; /* 1: instruction fetches are among them */
};
_Static_assert(sizeof(struct reference) == 8, "translated code writes it");

/* A stretch of the log as the engine wrote it: `frame` stands there plus `base`, in 32 bits, and `count` as
 * `end` less it, in 16. Successive entries may well be of one frame (join.h). */
struct reference_log {
    const struct reference *entries;
    size_t count;
    uint32_t base;
    uint16_t end;
    uint64_t start; /* instructions executed at some time, at most 65535 before any entry's */
};

static inline uint32_t log_frame(const struct reference_log *log, size_t i) {
    return log->entries[i].frame - log->base;
}

static inline uint64_t log_instruction(const struct reference_log *log, size_t i) {
    return log->start + (uint16_t)(log->end - log->entries[i].count - log->start);
}

#endif
