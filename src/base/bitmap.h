/* Bitmaps: arrays of 64-bit words owned by the caller, bit n in word n / 64. */
#ifndef BASE_BITMAP_H
#define BASE_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Words that `bits` bits need. */
static inline size_t bitmap_words(uint64_t bits) {
    return (size_t)((bits + 63) / 64);
}
static inline bool bitmap_test(const uint64_t *map, uint64_t n) {
    return map[n / 64] >> n % 64 & 1;
}
static inline void bitmap_set(uint64_t *map, uint64_t n) {
    map[n / 64] |= 1ULL << n % 64;
}
static inline void bitmap_clear(uint64_t *map, uint64_t n) {
    map[n / 64] &= ~(1ULL << n % 64);
}

/* The first bit in [from, bits) that is `value`; `bits` when there is none. */
static inline uint64_t bitmap_find(const uint64_t *map, uint64_t bits, uint64_t from, bool value) {
    const uint64_t flip = value ? 0 : ~0ULL;
    for (uint64_t n = from; n < bits; n = (n / 64 + 1) * 64) {
        const uint64_t word = (map[n / 64] ^ flip) >> n % 64;
        if (word) {
            const uint64_t found = n + (unsigned)__builtin_ctzll(word);
            return found < bits ? found : bits;
        }
    }
    return bits;
}

/* How many of the first `bits` bits are set. */
static inline uint64_t bitmap_count(const uint64_t *map, uint64_t bits) {
    uint64_t count = 0;
    for (uint64_t word = 0; word < bits / 64; word++)
        count += (unsigned)__builtin_popcountll(map[word]);
    if (bits % 64)
        count += (unsigned)__builtin_popcountll(map[bits / 64] & ((1ULL << bits % 64) - 1));
    return count;
}

#endif
