/* See bounds.h. */
#include "analysis/bounds.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static uint64_t lower_of(const struct bounds *b, size_t i, bool is_opt) {
    return is_opt ? b->opt[i] : max_u64(b->opt[i], b->lru);
}

/* Of LRU: what the largest memory has that is no larger and was counted. */
static uint64_t lru_at_most(const struct bounds *b, uint32_t frames) {
    const uint64_t all = b->references + b->dropped;
    for (uint32_t i = 0; i < b->half_count; i++)
        if (b->frames >> (i + 1) <= frames)
            return min_u64(all, b->halves[i]);
    return all;
}

static uint64_t upper_of(const struct bounds *b, size_t i, uint32_t frames, bool is_opt) {
    const uint64_t lru = lru_at_most(b, frames);
    return is_opt ? min_u64(lru, b->opt[i] + 2 * b->dropped) : lru;
}

int bounds_put(const struct bounds *b, struct curve *c) {
    const bool is_opt = !strcmp(c->policy, "opt");
    c->lower = calloc(c->count + 1, sizeof *c->lower);
    c->upper = calloc(c->count + 1, sizeof *c->upper);
    if (!c->lower || !c->upper)
        return -ENOMEM;
    for (size_t i = 0; i < c->count; i++) {
        const bool exact = c->sizes[i] >= b->frames;
        c->lower[i] = exact ? c->faults[i] : lower_of(b, i, is_opt);
        c->upper[i] = exact ? c->faults[i] : upper_of(b, i, c->sizes[i], is_opt);
        c->faults[i] = max_u64(c->lower[i], min_u64(c->faults[i], c->upper[i]));
    }
    c->label = RESULT_BOUNDED;
    if (asprintf(
            &c->condition,
            "%llu of %llu references were dropped (--reduce %u): with less than %u frames the misses lie "
            "between these bounds",
            (unsigned long long)b->dropped, (unsigned long long)(b->references + b->dropped), b->frames,
            b->frames) < 0) {
        c->condition = NULL;
        return -ENOMEM;
    }
    return 0;
}
