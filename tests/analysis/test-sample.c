/* LRU estimated from a sample: how far from the exact curve it is, on strings of several shapes; and that a
 * sample of everything is exact. (Of a real program: tests/ui/run-record.py.) */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analysis/lru_stack.h"
#include "analysis/sample.h"
#include "base/base.h"

#include "random-string.h"

enum { SIZES = 20 };

/* The mean distance between the miss ratios of the two, over all sizes. */
static double error_of(const struct random_string *string, uint32_t live, double rate, uint32_t pages) {
    uint32_t sizes[SIZES];
    uint64_t exact[SIZES], estimated[SIZES];
    struct lru_stack *stack;
    struct sample *sample;
    double sum = 0, references = 0;
    for (uint32_t i = 0; i < SIZES; i++)
        sizes[i] = (i + 1) * live / SIZES;
    for (size_t i = 0; i < string->count; i++)
        references += string->items[i].kind == REFS_REFERENCE;
    assert_int_equal(lru_stack_create(false, &stack), 0);
    assert_int_equal(sample_create(rate, pages, sizes, SIZES, &sample), 0);
    assert_int_equal(lru_stack_add_pages(stack, string->pages, string->page_count), 0);
    assert_int_equal(sample_add_pages(sample, string->pages, string->page_count), 0);
    assert_int_equal(lru_stack_feed(stack, string->items, string->count), 0);
    assert_int_equal(sample_feed(sample, string->items, string->count), 0);
    assert_int_equal(lru_stack_curve(stack, sizes, SIZES, exact, NULL), 0);
    sample_curve(sample, estimated);
    assert_int_equal(sample_cold(sample), lru_stack_cold(stack));
    for (int i = 0; i < SIZES; i++)
        sum += fabs((double)exact[i] - (double)estimated[i]) / references;
    lru_stack_destroy(stack);
    sample_destroy(sample);
    return sum / SIZES;
}

static void errors_are_small(void **state) {
    for (uint32_t seed = 1; seed <= 4; seed++) {
        const struct random_shape shape = {
            .items = 300000, .live = 20000, .deaths = seed % 2 * 30, .writes = 300, .files = 500};
        struct random_string string = random_string_make(&shape, seed);
        const double whole = error_of(&string, shape.live, 1, UINT32_MAX);
        const double large = error_of(&string, shape.live, 1, 4000);
        const double small = error_of(&string, shape.live, 1, 500);
        const double fifth = error_of(&string, shape.live, 0.2, UINT32_MAX);
        const double fortieth = error_of(&string, shape.live, 0.025, UINT32_MAX);
        const double both = error_of(&string, shape.live, 0.2, 500);
        print_message("mean error: %.4f of all pages, %.4f of 4000, %.4f of 500; %.4f of a fifth, %.4f of a "
                      "fortieth; %.4f of a fifth, 500 at most\n",
                      whole, large, small, fifth, fortieth, both);
        assert_true(whole == 0);
        assert_true(fifth > 0 && fifth < 0.02);
        assert_true(fortieth > 0 && fortieth < 0.05);
        assert_true(both < 0.05);
        assert_true(large < 0.02);
        assert_true(small < 0.05);
        random_string_free(&string);
    }
}

/* ---- shapes ---- */

enum { PAGES = 20000, REFERENCES = 400000 };

static uint32_t uniform_page(struct rng *rng, size_t i) {
    return (uint32_t)rng_below(rng, PAGES);
}

/* By Zipf's law: the integral of 1 / x, turned round. */
static uint32_t zipf_page(struct rng *rng, size_t i) {
    const double u = (double)(rng_next(rng) >> 11) / 9007199254740992.0;
    return (uint32_t)fmin(exp(u * log(PAGES + 1.0)) - 1, PAGES - 1);
}

static uint32_t loop_page(struct rng *rng, size_t i) {
    return (uint32_t)(i % PAGES);
}

/* Pages are numbered as they come, as in a trace. */
static struct random_string shape_make(uint32_t (*page)(struct rng *, size_t i), uint64_t seed) {
    struct random_string string = {.items = calloc(REFERENCES, sizeof *string.items),
                                   .pages = calloc(PAGES, sizeof *string.pages),
                                   .count = REFERENCES};
    uint32_t *numbers = calloc(PAGES, sizeof *numbers);
    struct rng rng = {seed};
    for (size_t i = 0; i < REFERENCES; i++) {
        uint32_t *number = &numbers[page(&rng, i)];
        if (!*number)
            *number = ++string.page_count;
        string.items[i] = (struct refs_item){.instruction = i, .page = *number - 1, .flags = ACCESS_READ};
    }
    free(numbers);
    return string;
}

/* Of a uniform string the error is that of the number of pages in the sample: 2 or 3% are usual for these. A
 * loop's curve is a cliff at its length: an estimate a little beside it is wrong by everything there, at one
 * of the 20 sizes. */
static void errors_of_known_shapes_are_small(void **state) {
    static const struct {
        const char *name;
        uint32_t (*page)(struct rng *, size_t);
    } shapes[] = {{"uniform", uniform_page}, {"zipf", zipf_page}, {"loop", loop_page}};
    for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++) {
        struct random_string string = shape_make(shapes[i].page, 1 + i);
        const double tenth = error_of(&string, PAGES, 0.1, UINT32_MAX);
        const double thousand = error_of(&string, PAGES, 1, 1000);
        print_message("%s: mean error %.4f of a tenth, %.4f of 1000 pages\n", shapes[i].name, tenth,
                      thousand);
        assert_true(error_of(&string, PAGES, 1, UINT32_MAX) == 0);
        assert_true(tenth < 0.06);
        assert_true(thousand < 0.06);
        random_string_free(&string);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_known_shapes_are_small),
        cmocka_unit_test(errors_are_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
