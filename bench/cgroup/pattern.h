/* The pages that both the native program and the model reference: pattern, number of pages, seed. */
#ifndef BENCH_CGROUP_PATTERN_H
#define BENCH_CGROUP_PATTERN_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
    const char *name; /* loop, zipf, mixed */
    uint64_t pages, step, random;
};

static inline uint64_t pattern_random(struct pattern *p) {
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return p->random >> 11;
}

/* The page that is referenced next: 0 … pages-1. */
static inline uint64_t pattern_next(struct pattern *p) {
    const uint64_t step = p->step++;
    if (strcmp(p->name, "loop") == 0)
        return step % p->pages;
    if (strcmp(p->name, "uniform") == 0)
        return pattern_random(p) % p->pages;
    if (strcmp(p->name, "skewed") == 0) { /* half of what there is, half of the time, and so on */
        uint64_t range = p->pages;
        while (range > 16 && pattern_random(p) % 2)
            range /= 2;
        return pattern_random(p) % range;
    }
    if (strcmp(p->name, "mixed") == 0) /* a quarter of the pages at random, the others in turn */
        return step % 2 ? pattern_random(p) % (p->pages / 4)
                        : p->pages / 4 + step / 2 % (p->pages - p->pages / 4);
    abort();
}

#endif
