/* See bootstrap.h. */
#include "analysis/bootstrap.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"

/* The runs [first, end) are of one program. */
static size_t stratum_end(const struct bootstrap *b, size_t first) {
    size_t end = first + 1;
    while (end < b->count && (!b->strata || b->strata[end] == b->strata[first]))
        end++;
    return end;
}

/* How many were drawn. */
static size_t draw_sample(const struct bootstrap *b, struct rng *rng, size_t *index) {
    size_t drawn = 0;
    for (size_t first = 0, end; first < b->count; first = end) {
        end = stratum_end(b, first);
        const size_t runs = end - first, wanted = runs > 1 ? runs - 1 : 1;
        for (size_t i = 0; i < wanted; i++)
            index[drawn++] = first + (size_t)rng_below(rng, runs);
    }
    return drawn;
}

static int compare_numbers(const void *a, const void *b) {
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Between the values beside the place, as there are only so many. */
static double quantile(const double *sorted, size_t count, double part) {
    const double place = part * (double)(count - 1);
    const size_t below = (size_t)floor(place);
    const size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (sorted[above] - sorted[below]) * (place - (double)below);
}

int bootstrap_interval(const struct bootstrap *b, double *ret_low, double *ret_high) {
    const unsigned resamples = b->resamples ? b->resamples : BOOTSTRAP_RESAMPLES;
    const double level = b->level > 0 ? b->level : 0.95;
    struct rng rng = {b->seed};
    size_t *index = calloc(b->count + 1, sizeof *index);
    double *results = calloc(resamples, sizeof *results);
    int error = index && results ? 0 : -ENOMEM;
    for (unsigned i = 0; !error && i < resamples; i++) {
        const size_t drawn = draw_sample(b, &rng, index);
        results[i] = b->statistic(b->data, index, drawn);
    }
    if (!error) {
        qsort(results, resamples, sizeof *results, compare_numbers);
        *ret_low = quantile(results, resamples, (1 - level) / 2);
        *ret_high = quantile(results, resamples, (1 + level) / 2);
    }
    free(index);
    free(results);
    return error;
}
