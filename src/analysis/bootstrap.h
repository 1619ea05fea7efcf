/* How sure a number is that was computed from several runs: an interval by the bootstrap.
 *
 * Runs are drawn again with replacement, thousands of times; the number is computed from each such sample,
 * and the middle 95% of the results are the interval (the percentile interval: B. Efron, R. J. Tibshirani,
 * An Introduction to the Bootstrap, Chapman & Hall 1993, chapter 13). Runs of one program are more alike
 * than runs of two, and which programs there are was no chance: so runs are drawn within their program
 * (stratum). A run carries the results of all policies, so that differences are paired.
 *
 * Of n runs of a program n - 1 are drawn: with n the samples would vary less than the runs do, by a factor of
 * (n - 1) / n, which is much where n is 5 (J. N. K. Rao, C. F. J. Wu, "Resampling inference with complex
 * survey data", J. Am. Stat. Assoc. 83, 1988). What the intervals cover is in the tests. */
#ifndef ANALYSIS_BOOTSTRAP_H
#define ANALYSIS_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

enum { BOOTSTRAP_RESAMPLES = 4000 };

struct bootstrap {
    size_t count;           /* runs */
    const uint32_t *strata; /* the program of each, runs of the same one behind each other; NULL: all one */
    /* The number, from the runs with these indices. */
    double (*statistic)(const void *data, const size_t *index, size_t count);
    const void *data;
    uint64_t seed;
    unsigned resamples; /* 0: BOOTSTRAP_RESAMPLES */
    double level;       /* 0: 0.95 */
};

/* The interval; both are the number itself where there is but one run a program. 0 or -ENOMEM. */
int bootstrap_interval(const struct bootstrap *, double *ret_low, double *ret_high);

#endif
