/* Order statistics over a window of time: a bit for each moment, and how many bits are set before any moment.
 * Bits are set at the newest moment only, and cleared anywhere.
 *
 * Counts are kept as prefixes, so that a question takes one look a level and eight popcounts:
 *
 *   bits      64 a word, 8 words a block
 *   blocks    set bits of the group before the block; 64 blocks (32,768 bits) are a group
 *   groups    set bits of the super-group before the group; 64 groups (2,097,152 bits) are a super-group
 *   supers    set bits before the super-group
 *
 * Clearing a bit takes 1 from every later prefix of its group and of its super-group (vectors of fixed
 * length, in the host's caches) and from the later super-groups. Setting one costs no prefix anything: the
 * window is filled from its beginning, and a prefix is made when the first bit behind it is set.
 *
 * Everything here is inlined into callers that are built twice, with and without the instructions that count
 * bits (RANK_FAST). RANK_PLAIN, for tests: as on a processor without them. */
#ifndef ANALYSIS_RANK_H
#define ANALYSIS_RANK_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/big.h"

#define RANK_INLINE static inline __attribute__((always_inline))
#if defined(__x86_64__) && !defined(RANK_PLAIN)
#define RANK_FAST __attribute__((target("popcnt,avx2,bmi,bmi2")))
static inline bool rank_is_fast(void) {
    return __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("avx2") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}
#else
#define RANK_FAST
static inline bool rank_is_fast(void) {
    return false;
}
#endif

enum { RANK_BLOCK_SHIFT = 9, RANK_GROUP_SHIFT = 15, RANK_SUPER_SHIFT = 21, RANK_FAN = 64 };

typedef int16_t rank_blocks __attribute__((vector_size(32)));
typedef int32_t rank_groups __attribute__((vector_size(32)));

struct rank {
    uint64_t *bits;
    int16_t *blocks;
    int32_t *groups;
    uint32_t *supers;
    uint32_t window, now; /* moments in all, that have been */
    uint32_t count;       /* of set bits */
};

static inline void rank_free(struct rank *rank) {
    free(rank->bits);
    free(rank->blocks);
    free(rank->groups);
    free(rank->supers);
}

/* An empty window of at least so many moments. 0 or -ENOMEM. */
static inline int rank_init(struct rank *ret_rank, uint32_t window) {
    const size_t groups = ((size_t)window >> RANK_GROUP_SHIFT) + 1;
    const size_t supers = ((size_t)window >> RANK_SUPER_SHIFT) + 1;
    struct rank rank = {.window = window};
    rank.bits = big_calloc(groups, (1 << RANK_GROUP_SHIFT) / 8);
    rank.blocks = big_calloc(groups, RANK_FAN * sizeof *rank.blocks);
    rank.groups = big_calloc(supers, RANK_FAN * sizeof *rank.groups);
    rank.supers = calloc(supers, sizeof *rank.supers);
    if (!rank.bits || !rank.blocks || !rank.groups || !rank.supers) {
        rank_free(&rank);
        return -ENOMEM;
    }
    *ret_rank = rank;
    return 0;
}

RANK_INLINE bool rank_is_full(const struct rank *rank) {
    return rank->now == rank->window;
}

/* Set bits before the moment. */
RANK_INLINE uint32_t rank_before(const struct rank *rank, uint32_t at) {
    const uint64_t *block = rank->bits + (at >> RANK_BLOCK_SHIFT) * 8;
    const uint32_t word = at / 64 % 8;
    uint32_t count = (uint32_t)__builtin_popcountll(block[word] & ((1ULL << at % 64) - 1));
#pragma GCC unroll 7
    for (uint32_t w = 0; w < 7; w++)
        count += (uint32_t)__builtin_popcountll(w < word ? block[w] : 0);
    return count + (uint16_t)rank->blocks[at >> RANK_BLOCK_SHIFT] +
           (uint32_t)rank->groups[at >> RANK_GROUP_SHIFT] + rank->supers[at >> RANK_SUPER_SHIFT];
}

/* Sets the bit of the moment that now begins, and returns the moment. The window must not be full. */
RANK_INLINE uint32_t rank_append(struct rank *rank) {
    const uint32_t at = rank->now++;
    if (unlikely(at % (1 << RANK_BLOCK_SHIFT) == 0)) {
        const uint32_t block = at >> RANK_BLOCK_SHIFT, group = at >> RANK_GROUP_SHIFT;
        const uint32_t super = at >> RANK_SUPER_SHIFT;
        if (at % (1 << RANK_SUPER_SHIFT) == 0)
            rank->supers[super] = rank->count;
        if (at % (1 << RANK_GROUP_SHIFT) == 0)
            rank->groups[group] = (int32_t)(rank->count - rank->supers[super]);
        rank->blocks[block] = (int16_t)(rank->count - rank->supers[super] - (uint32_t)rank->groups[group]);
    }
    rank->bits[at / 64] |= 1ULL << at % 64;
    rank->count++;
    return at;
}

/* Takes 1 from entries first … 63 of these. */
RANK_INLINE void rank_lower_blocks(int16_t *entries, int16_t first) {
    const rank_blocks iota = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#pragma GCC unroll 4
    for (int16_t i = 0; i < RANK_FAN; i = (int16_t)(i + 16)) {
        rank_blocks *part = (rank_blocks *)(void *)(entries + i);
        *part += iota >= (int16_t)(first - i);
    }
}
RANK_INLINE void rank_lower_groups(int32_t *entries, int32_t first) {
    const rank_groups iota = {0, 1, 2, 3, 4, 5, 6, 7};
#pragma GCC unroll 8
    for (int32_t i = 0; i < RANK_FAN; i += 8) {
        rank_groups *part = (rank_groups *)(void *)(entries + i);
        *part += iota >= first - i;
    }
}

/* Clears a bit that is set. */
RANK_INLINE void rank_clear(struct rank *rank, uint32_t at) {
    const uint32_t block = at >> RANK_BLOCK_SHIFT, group = at >> RANK_GROUP_SHIFT;
    rank->bits[at / 64] &= ~(1ULL << at % 64);
    rank->count--;
    rank_lower_blocks(rank->blocks + (block & ~63U), (int16_t)(block % RANK_FAN + 1));
    rank_lower_groups(rank->groups + (group & ~63U), (int32_t)(group % RANK_FAN + 1));
    for (uint32_t super = (at >> RANK_SUPER_SHIFT) + 1; super <= (rank->now - 1) >> RANK_SUPER_SHIFT; super++)
        rank->supers[super]--;
}

RANK_INLINE void rank_prefetch(const struct rank *rank, uint32_t at) {
    __builtin_prefetch(rank->bits + (at >> RANK_BLOCK_SHIFT) * 8, 1);
}

#endif
