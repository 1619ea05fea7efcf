/* Numbers in a row of slots, and the question: which is the smallest before this one? A tree of minima, 16 to
 * one, so that the numbers of a node are one line of the host's caches. */
#ifndef ANALYSIS_SLOTS_H
#define ANALYSIS_SLOTS_H

#include <emmintrin.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "analysis/node.h"
#include "base/big.h"

enum { SLOTS_HEIGHT = 8 };

#define SLOTS_EMPTY INT32_MAX /* in a slot: no number; larger than all, which are 0 and more */

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
        const uint64_t nodes = count / NODE_FAN + 1;
        int32_t *level = big_alloc(nodes, NODE_FAN * sizeof *level);
        if (!level) {
            slots_free(&slots);
            return -ENOMEM;
        }
        for (uint64_t i = 0; i < nodes * NODE_FAN; i++)
            level[i] = SLOTS_EMPTY;
        slots.levels[slots.height++] = level;
        count = nodes;
    } while (count > 1);
    *ret_slots = slots;
    return 0;
}

static inline __m128i slots_lesser(__m128i a, __m128i b) {
    const __m128i less = _mm_cmplt_epi32(a, b);
    return _mm_or_si128(_mm_and_si128(less, a), _mm_andnot_si128(less, b));
}

/* The smallest of the node's first `end` numbers. */
static inline int32_t slots_node_least(const int32_t *node, uint32_t end) {
    static const int32_t behind[2 * NODE_FAN] = NODE_BEHIND(SLOTS_EMPTY);
    const __m128i *part = (const __m128i *)(const void *)node;
    const int32_t *out = behind + NODE_FAN - end;
    __m128i numbers[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        numbers[i] = _mm_or_si128(_mm_load_si128(part + i),
                                  _mm_loadu_si128((const __m128i *)(const void *)(out + 4 * i)));
    const __m128i four =
        slots_lesser(slots_lesser(numbers[0], numbers[1]), slots_lesser(numbers[2], numbers[3]));
    const __m128i two = slots_lesser(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(slots_lesser(two, _mm_shuffle_epi32(two, 0xb1)));
}

/* A bit for each number of the node that is equal to this one. */
static inline uint32_t slots_node_equal(const int32_t *node, int32_t number) {
    __m128i numbers[4];
    node_load(node, numbers);
    return node_equal(numbers, _mm_set1_epi32(number));
}

/* The smallest number before `end`, and the last slot that has it; SLOTS_EMPTY where all are empty. */
static inline int32_t slots_least(const struct slots *slots, uint32_t end, uint32_t *ret_at) {
    int32_t least = SLOTS_EMPTY;
    int found = 0;
    for (int level = 0; level < slots->height; level++) {
        const uint32_t above = end >> NODE_SHIFT * level;
        const int32_t number =
            slots_node_least(slots->levels[level] + (above & ~(NODE_FAN - 1U)), above % NODE_FAN);
        found = number < least ? level : found;
        least = number < least ? number : least;
    }
    if (least == SLOTS_EMPTY)
        return least;
    const uint32_t above = end >> NODE_SHIFT * found;
    uint32_t node = above & ~(NODE_FAN - 1U);
    uint32_t equal = slots_node_equal(slots->levels[found] + node, least) & ((1U << above % NODE_FAN) - 1);
    uint32_t at = node + 31 - (uint32_t)__builtin_clz(equal);
    while (found-- > 0) {
        node = at * NODE_FAN;
        equal = slots_node_equal(slots->levels[found] + node, least);
        at = node + 31 - (uint32_t)__builtin_clz(equal);
    }
    *ret_at = at;
    return least;
}

static inline int32_t slots_get(const struct slots *slots, uint32_t at) {
    return slots->levels[0][at];
}

/* Numbers are put as the vectors that they are read as: the host's processor would wait for one that was
 * written by itself to reach its cache. */
static inline void slots_node_put(int32_t *numbers, uint32_t at, int32_t number) {
    static const int32_t only[7] = {[3] = -1};
    __m128i *part = (__m128i *)(void *)(numbers + (at & ~3U));
    const __m128i here = _mm_loadu_si128((const __m128i *)(const void *)(only + 3 - at % 4));
    _mm_store_si128(part, _mm_or_si128(_mm_andnot_si128(here, _mm_load_si128(part)),
                                       _mm_and_si128(here, _mm_set1_epi32(number))));
}

static inline void slots_set(struct slots *slots, uint32_t at, int32_t number) {
    for (int level = 0; level < slots->height; level++, at /= NODE_FAN) {
        const int32_t old = slots->levels[level][at];
        slots_node_put(slots->levels[level], at, number);
        if (level + 1 == slots->height)
            return;
        const int32_t least = slots->levels[level + 1][at / NODE_FAN];
        if (number >= least && old > least)
            return;
        number = slots_node_least(slots->levels[level] + (at & ~(NODE_FAN - 1U)), NODE_FAN);
        if (number == least)
            return;
    }
}

#endif
