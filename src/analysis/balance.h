/* A row of numbers, none below 0, and the question: where is the first 0 from here on? 1 is added to, or
 * taken from, a part of the row.
 *
 * A tree, 16 to one, so that the numbers of a node are one line of the host's caches. Each node but the root
 * is told relative to its smallest number, which its parent has: so each has a 0, and a number of the row is
 * the sum of those on its way from the root. What is added to all of a node is added to the parent's alone.
 *
 *     row     3 3 4 │ 2 1 1 │ 0 2 2          root      3 1 0
 *                                            leaves    0 0 1 │ 1 0 0 │ 0 2 2
 *
 * Invariants: nothing is below 0; each node but the root has a 0. */
#ifndef ANALYSIS_BALANCE_H
#define ANALYSIS_BALANCE_H

#include <emmintrin.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "analysis/node.h"
#include "base/big.h"

enum { BALANCE_HEIGHT = 8 };

struct balance {
    int32_t *levels[BALANCE_HEIGHT]; /* [0]: the leaves; [height - 1]: the root */
    int height;
};

static inline void balance_free(struct balance *balance) {
    for (int i = 0; i < balance->height; i++)
        free(balance->levels[i]);
    *balance = (struct balance){0};
}

/* At least so many zeros. 0 or -ENOMEM. */
static inline int balance_init(struct balance *ret_balance, uint32_t window) {
    struct balance balance = {0};
    uint64_t count = window;
    do {
        count = count / NODE_FAN + 1;
        int32_t *level = big_calloc(count, NODE_FAN * sizeof *level);
        if (!level) {
            balance_free(&balance);
            return -ENOMEM;
        }
        balance.levels[balance.height++] = level;
    } while (count > 1);
    *ret_balance = balance;
    return 0;
}

static inline uint32_t balance_zeros(const int32_t *node) {
    __m128i numbers[4];
    node_load(node, numbers);
    return node_equal(numbers, _mm_setzero_si128());
}

/* Adds `step`, 1 or -1, to the numbers first … end - 1 of a node. Unless it is the root: whether the smallest
 * of all changed by that; then it was taken from all again. */
static inline bool balance_node_add(int32_t *node, uint32_t first, uint32_t end, int32_t step, bool root) {
    static const int32_t behind[2 * NODE_FAN] = NODE_BEHIND(-1);
    const int32_t *from = behind + NODE_FAN - first, *to = behind + NODE_FAN - end;
    __m128i *part = (__m128i *)(void *)node, numbers[4];
    const __m128i steps = _mm_set1_epi32(step);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        const __m128i in = _mm_loadu_si128((const __m128i *)(const void *)(from + 4 * i));
        const __m128i out = _mm_loadu_si128((const __m128i *)(const void *)(to + 4 * i));
        numbers[i] = _mm_add_epi32(_mm_load_si128(part + i), _mm_and_si128(_mm_andnot_si128(out, in), steps));
    }
    const bool low = node_equal(numbers, step < 0 ? steps : _mm_setzero_si128()) != 0;
    const bool changed = !root && low == (step < 0);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        _mm_store_si128(part + i, changed ? _mm_sub_epi32(numbers[i], steps) : numbers[i]);
    return changed;
}

/* Adds `step`, 1 or -1, to the numbers first … end - 1; none may fall below 0. */
static inline void balance_add(struct balance *balance, uint32_t first, uint32_t end, int32_t step) {
    for (int level = 0; first < end; level++) {
        const bool root = level + 1 == balance->height;
        int32_t *numbers = balance->levels[level];
        const uint32_t left = first >> NODE_SHIFT, right = (end - 1) >> NODE_SHIFT;
        const uint32_t from = first % NODE_FAN, to = (end - 1) % NODE_FAN + 1;
        int32_t *left_node = numbers + (size_t)left * NODE_FAN;
        if (left == right) {
            const bool changed = balance_node_add(left_node, from, to, step, root);
            first = left;
            end = left + changed;
            if (root)
                return;
            continue;
        }
        first = left + !balance_node_add(left_node, from, NODE_FAN, step, false);
        end = right + balance_node_add(numbers + (size_t)right * NODE_FAN, 0, to, step, false);
    }
}

/* The first 0 at or behind `from`; there must be one. */
static inline uint32_t balance_find_zero(const struct balance *balance, uint32_t from) {
    int level = 0;
    for (int i = 1; i < balance->height; i++)
        level = balance->levels[i][from >> i * NODE_SHIFT] ? i : level;
    uint32_t at = from >> level * NODE_SHIFT, next = at + (level > 0);
    for (;; level++) {
        const int32_t *node = balance->levels[level] + (at & ~(NODE_FAN - 1U));
        const uint32_t zeros = balance_zeros(node) >> next % NODE_FAN << next % NODE_FAN;
        if (zeros && (next & ~(NODE_FAN - 1U)) == (at & ~(NODE_FAN - 1U))) {
            at = (at & ~(NODE_FAN - 1U)) + (uint32_t)__builtin_ctz(zeros);
            break;
        }
        at >>= NODE_SHIFT;
        next = at + 1;
    }
    while (level-- > 0)
        at = at * NODE_FAN +
             (uint32_t)__builtin_ctz(balance_zeros(balance->levels[level] + (size_t)at * NODE_FAN));
    return at;
}

static inline int32_t balance_get(const struct balance *balance, uint32_t at) {
    int32_t number = 0;
    for (int i = 0; i < balance->height; i++)
        number += balance->levels[i][at >> i * NODE_SHIFT];
    return number;
}

/* After levels[0] was filled in. */
static inline void balance_settle(struct balance *balance, uint32_t count) {
    for (int level = 0; level + 1 < balance->height; level++) {
        count = count / NODE_FAN + 1;
        for (uint32_t i = 0; i < count; i++) {
            int32_t *node = balance->levels[level] + (size_t)i * NODE_FAN, least = node[0];
            for (int k = 1; k < NODE_FAN; k++)
                least = node[k] < least ? node[k] : least;
            for (int k = 0; k < NODE_FAN; k++)
                node[k] -= least;
            balance->levels[level + 1][i] = least;
        }
    }
}

#endif
