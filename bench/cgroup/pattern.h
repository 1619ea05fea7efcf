/* The pages that both the native program and the model reference: pattern, number of pages, seed. */
#ifndef BENCH_CGROUP_PATTERN_H
#define BENCH_CGROUP_PATTERN_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
    const char *name; /* as in pattern_next() */
    uint64_t pages, step, random;
};

static inline uint64_t pattern_random(struct pattern *p) {
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return p->random >> 11;
}

/* Half of what there is, half of the time, and so on. */
static inline uint64_t pattern_skewed(struct pattern *p) {
    uint64_t range = p->pages;
    while (range > 16 && pattern_random(p) % 2)
        range /= 2;
    return pattern_random(p) % range;
}

/* A fifth of the pages at random for a while, then as many references go once through
 * the next of the others. */
static inline uint64_t pattern_scan(struct pattern *p, uint64_t step) {
    const uint64_t hot = p->pages / 5, burst = p->pages / 4, round = step / (2 * burst),
                   within = step % (2 * burst);
    if (within < burst)
        return pattern_random(p) % hot;
    return hot + (round * burst + within - burst) % (p->pages - hot);
}

/* Three in sixteen of the pages at random; after four references for each of them, the next three. */
static inline uint64_t pattern_shift(struct pattern *p, uint64_t step) {
    const uint64_t window = p->pages * 3 / 16;
    return (step / (4 * window) * window + pattern_random(p) % window) % p->pages;
}

/* A tenth of the pages at random; the others in turn, each twice, with a sixteenth of the pages between. */
static inline uint64_t pattern_twice(struct pattern *p, uint64_t step) {
    const uint64_t hot = p->pages / 10, cold = p->pages - hot, turn = step / 3;
    if (step % 3 == 0)
        return pattern_random(p) % hot;
    return hot + (turn + (step % 3 == 1 ? p->pages / 16 : 0)) % cold;
}

/* The page that is referenced next: 0 … pages-1. */
static inline uint64_t pattern_next(struct pattern *p) {
    const uint64_t step = p->step++, pages = p->pages;
    if (strcmp(p->name, "loop") == 0)
        return step % pages;
    if (strcmp(p->name, "uniform") == 0)
        return pattern_random(p) % pages;
    if (strcmp(p->name, "skewed") == 0)
        return pattern_skewed(p);
    if (strcmp(p->name, "mixed") == 0) /* a quarter of the pages at random, the others in turn */
        return step % 2 ? pattern_random(p) % (pages / 4) : pages / 4 + step / 2 % (pages - pages / 4);
    if (strcmp(p->name, "zigzag") == 0) /* up and down again */
        return step / pages % 2 ? pages - 1 - step % pages : step % pages;
    if (strcmp(p->name, "scan") == 0)
        return pattern_scan(p, step);
    if (strcmp(p->name, "shift") == 0)
        return pattern_shift(p, step);
    if (strcmp(p->name, "twice") == 0)
        return pattern_twice(p, step);
    abort();
}

#endif
