/* What the analyses for all sizes count: at which depth of the stack each reference was found, and for which
 * sizes evictions had to write. A reference at depth d is a hit in memories of d frames and more.
 *
 * Depths are all over a table that may be larger than the host's caches. So a note waits in a queue, while
 * its places are fetched, until some more have come. */
#ifndef ANALYSIS_DEPTHS_H
#define ANALYSIS_DEPTHS_H

#include <errno.h>
#include <stdint.h>

#include "base/array.h"
#include "base/base.h"

#define DEPTH_NEVER UINT32_MAX /* of no size */

enum { DEPTHS_QUEUE = 16 };

struct depths_count {
    uint64_t hits;  /* at this depth */
    int64_t writes; /* in memories of this size: how many more than in those one frame smaller */
};

/* A hit at `depth`, and one write in each size from `from` to `to` - 1. */
struct depths_note {
    uint32_t depth, from, to;
};

struct depths {
    struct depths_count *counts; /* by depth, or size, from 1; what comes to 0 means nothing */
    size_t capacity;             /* depths below this can be counted */
    uint64_t references, cold;
    struct depths_note queue[DEPTHS_QUEUE]; /* of notes of nothing at first */
    uint32_t next;
};

/* Makes room for a depth. 0 or -ENOMEM. */
static inline int depths_reserve(struct depths *depths, uint32_t depth) {
    const size_t before = depths->capacity;
    if (likely(depth + 1ULL < before))
        return 0;
    if (array_reserve_big(&depths->counts, &depths->capacity, before, depth + 2ULL, sizeof *depths->counts))
        return -ENOMEM;
    memset(depths->counts + before, 0, (depths->capacity - before) * sizeof *depths->counts);
    return 0;
}

static inline void depths_free(struct depths *depths) {
    free(depths->counts);
}

static inline void depths_apply(struct depths_count *counts, struct depths_note note) {
    counts[note.depth].hits++;
    counts[note.from].writes++;
    counts[note.to].writes--;
}

/* `depth` 0: none. Writes of no size where `from` is not below `to`. */
static inline __attribute__((always_inline)) void depths_add(struct depths *depths, uint32_t depth,
                                                             uint32_t from, uint32_t to) {
    const uint32_t any = from < to ? UINT32_MAX : 0;
    struct depths_note *note = &depths->queue[depths->next++ % DEPTHS_QUEUE];
    depths_apply(depths->counts, *note);
    *note = (struct depths_note){depth, from & any, to & any};
    __builtin_prefetch(&depths->counts[note->depth], 1);
    __builtin_prefetch(&depths->counts[note->from], 1);
}

/* Until this was called, counts lack the latest notes. */
static inline void depths_flush(struct depths *depths) {
    for (int i = 0; i < DEPTHS_QUEUE; i++)
        depths_add(depths, 0, 0, 0);
}

/* Misses and writes for each of the sizes (ascending). Flushed. */
static inline void depths_curve(const struct depths *depths, const uint32_t *sizes, size_t count,
                                uint64_t *ret_faults, uint64_t *ret_writebacks) {
    uint64_t hits = 0;
    int64_t written = 0;
    size_t depth = 1;
    for (size_t i = 0; i < count; i++) {
        for (; depth <= sizes[i] && depth < depths->capacity; depth++) {
            hits += depths->counts[depth].hits;
            written += depths->counts[depth].writes;
        }
        if (ret_faults)
            ret_faults[i] = depths->references - hits;
        if (ret_writebacks)
            ret_writebacks[i] = (uint64_t)written;
    }
}

#endif
