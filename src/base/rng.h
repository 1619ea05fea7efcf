/* Seeded random numbers: splitmix64 (Steele, Lea, Flood, OOPSLA 2014). Not for keys. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *r) {
    uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

/* A number below `limit` (> 0), without bias worth mentioning for limits far below 2^64. */
static inline uint64_t rng_below(struct rng *r, uint64_t limit) {
    return (uint64_t)((unsigned __int128)rng_next(r) * limit >> 64);
}

void rng_fill(struct rng *, void *to, size_t length);

#endif
