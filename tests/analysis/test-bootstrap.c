/* The interval: what it covers, and that it is the same for the same seed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "analysis/bootstrap.h"
#include "base/base.h"
#include "base/rng.h"

enum { PROGRAMS = 4, RUNS_MOST = 20 };

static double mean(const void *data, const size_t *index, size_t count) {
    const double *values = data;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[index[i]];
    return sum / (double)count;
}

/* About normal, mean 0, deviation 1: the sum of twelve. */
static double noise(struct rng *rng) {
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (double)rng_below(rng, 1 << 30) / (1 << 30);
    return sum;
}

/* How often, in a thousand, the interval holds the mean of the programs' true values, for programs whose runs
 * scatter differently around different values. */
static int coverage(size_t runs, uint64_t seed) {
    static const double truth[PROGRAMS] = {-2, 0.1, 5, 30}, deviation[PROGRAMS] = {0.1, 1, 2, 0.5};
    enum { TRIALS = 1000 };
    double values[PROGRAMS * RUNS_MOST], low, high;
    uint32_t strata[PROGRAMS * RUNS_MOST];
    struct rng rng = {seed};
    int held = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        for (size_t i = 0; i < PROGRAMS * runs; i++) {
            strata[i] = (uint32_t)(i / runs);
            values[i] = truth[strata[i]] + deviation[strata[i]] * noise(&rng);
        }
        const struct bootstrap b = {.count = PROGRAMS * runs,
                                    .strata = strata,
                                    .statistic = mean,
                                    .data = values,
                                    .seed = rng_next(&rng),
                                    .resamples = 500};
        assert_int_equal(bootstrap_interval(&b, &low, &high), 0);
        held += low <= 8.275 && 8.275 <= high;
    }
    printf("%zu runs of %d programs: the interval holds the truth %d times in 1000\n", runs, PROGRAMS, held);
    return held;
}

static void test_the_interval_covers_what_it_says(void **state) {
    assert_in_range(coverage(20, 1), 925, 970);
    assert_in_range(coverage(5, 2), 890, 960);
}

static void test_a_program_has_an_interval_of_its_own(void **state) {
    /* Two programs far from each other, whose runs do not scatter: nothing is uncertain. */
    static const double values[] = {1, 1, 1, 100, 100, 100};
    static const uint32_t strata[] = {0, 0, 0, 1, 1, 1};
    struct bootstrap b = {.count = 6, .strata = strata, .statistic = mean, .data = values, .seed = 1};
    double low, high;
    assert_int_equal(bootstrap_interval(&b, &low, &high), 0);
    assert_true(low == 50.5 && high == 50.5);
    b.strata = NULL; /* as if they were runs of one */
    assert_int_equal(bootstrap_interval(&b, &low, &high), 0);
    assert_true(low < 30 && high > 70);
}

static void test_the_same_seed_gives_the_same_interval(void **state) {
    static const double values[] = {1, 5, 2, 8, 3};
    struct bootstrap b = {.count = 5, .statistic = mean, .data = values, .seed = 9};
    double low[2], high[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(bootstrap_interval(&b, &low[i], &high[i]), 0);
    assert_true(low[0] == low[1] && high[0] == high[1] && low[0] < high[0]);
    b.count = 1;
    assert_int_equal(bootstrap_interval(&b, low, high), 0);
    assert_true(low[0] == 1 && high[0] == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_interval_covers_what_it_says),
        cmocka_unit_test(test_a_program_has_an_interval_of_its_own),
        cmocka_unit_test(test_the_same_seed_gives_the_same_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
