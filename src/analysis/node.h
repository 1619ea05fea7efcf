/* A node of a tree, 16 to one, whose numbers are one line of the host's caches (slots.h, balance.h): what
 * both ask of it, by vectors. */
#ifndef ANALYSIS_NODE_H
#define ANALYSIS_NODE_H

#include <emmintrin.h>
#include <stdint.h>

enum { NODE_FAN = 16, NODE_SHIFT = 4 };

static inline void node_load(const int32_t *node, __m128i ret_numbers[4]) {
    const __m128i *part = (const __m128i *)(const void *)node;
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        ret_numbers[i] = _mm_load_si128(part + i);
}

/* A bit for each of the 16 numbers that is equal to the other, which is four times the same. */
static inline uint32_t node_equal(const __m128i numbers[4], __m128i other) {
    const __m128i a = _mm_cmpeq_epi32(numbers[0], other), b = _mm_cmpeq_epi32(numbers[1], other);
    const __m128i c = _mm_cmpeq_epi32(numbers[2], other), d = _mm_cmpeq_epi32(numbers[3], other);
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d)));
}

/* Loaded at 16 - n: `value` in all numbers but the first n, where it is 0. */
#define NODE_BEHIND(value)                                                                                   \
    { [NODE_FAN... 2 * NODE_FAN - 1] = (value) }

#endif
