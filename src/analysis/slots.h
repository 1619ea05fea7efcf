/* Numbers in a row of slots, and the question: which is the last slot before this one with a number below
 * that? A tree of minima, 16 to one, so that the numbers of a node are one line of the host's caches and one
 * comparison of vectors. */
#ifndef ANALYSIS_SLOTS_H
#define ANALYSIS_SLOTS_H

#include <emmintrin.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "analysis/big.h"

enum { SLOTS_FAN = 16, SLOTS_HEIGHT = 8 };

#define SLOTS_EMPTY INT32_MAX /* in a slot: no number; larger than all */
#define SLOTS_NONE  UINT32_MAX

struct slots {
    int32_t *levels[SLOTS_HEIGHT]; /* [0]: the slots; above: the smallest number of each 16 */
    int height;
    uint32_t window;
};

static inline void slots_free(struct slots *slots) {
    for (int i = 0; i < slots->height; i++)
        free(slots->levels[i]);
    *slots = (struct slots){0};
}

/* At least so many empty slots. 0 or -ENOMEM. */
static inline int slots_init(struct slots *ret_slots, uint32_t window) {
    struct slots slots = {.window = window};
    uint64_t count = window;
    do {
        const uint64_t nodes = count / SLOTS_FAN + 1;
        int32_t *level = big_alloc(nodes, SLOTS_FAN * sizeof *level);
        if (!level) {
            slots_free(&slots);
            return -ENOMEM;
        }
        for (uint64_t i = 0; i < nodes * SLOTS_FAN; i++)
            level[i] = SLOTS_EMPTY;
        slots.levels[slots.height++] = level;
        count = nodes;
    } while (count > 1);
    *ret_slots = slots;
    return 0;
}

/* A bit for each number of the node that is below the limit. */
static inline uint32_t slots_below(const int32_t *node, int32_t limit) {
    const __m128i *part = (const __m128i *)(const void *)node, limits = _mm_set1_epi32(limit);
    const __m128i a = _mm_cmplt_epi32(_mm_load_si128(part), limits);
    const __m128i b = _mm_cmplt_epi32(_mm_load_si128(part + 1), limits);
    const __m128i c = _mm_cmplt_epi32(_mm_load_si128(part + 2), limits);
    const __m128i d = _mm_cmplt_epi32(_mm_load_si128(part + 3), limits);
    const __m128i all = _mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d));
    return (uint32_t)_mm_movemask_epi8(all);
}

/* The last slot before `end` with a number below the limit, or SLOTS_NONE. */
static inline uint32_t slots_find(const struct slots *slots, uint32_t end, int32_t limit) {
    for (int level = 0; level < slots->height; level++, end /= SLOTS_FAN) {
        const uint32_t node = end & ~(SLOTS_FAN - 1U);
        uint32_t below = slots_below(slots->levels[level] + node, limit) & ((1U << end % SLOTS_FAN) - 1);
        if (!below)
            continue;
        uint32_t at = node + 31 - (uint32_t)__builtin_clz(below);
        while (level-- > 0) {
            below = slots_below(slots->levels[level] + (size_t)at * SLOTS_FAN, limit);
            at = at * SLOTS_FAN + 31 - (uint32_t)__builtin_clz(below);
        }
        return at;
    }
    return SLOTS_NONE;
}

static inline void slots_set(struct slots *slots, uint32_t at, int32_t number) {
    for (int level = 0; level < slots->height; level++, at /= SLOTS_FAN) {
        const int32_t old = slots->levels[level][at];
        slots->levels[level][at] = number;
        if (level + 1 == slots->height)
            return;
        const int32_t least = slots->levels[level + 1][at / SLOTS_FAN];
        if (number >= least && old > least)
            return;
        const int32_t *node = slots->levels[level] + (at & ~(SLOTS_FAN - 1U));
        for (int i = 0; i < SLOTS_FAN; i++)
            number = node[i] < number ? node[i] : number;
        if (number == least)
            return;
    }
}

#endif
