/* OPT for all sizes in one pass, without the future, against memories of each size that look ahead for the
 * page that is used last: thousands of random strings, with and without deaths and swap. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/opt_stack.h"

#include "model.h"

enum { SIZES = 28 };

static void compare_with_the_model(const struct random_string *string, bool no_swap, uint32_t step) {
    struct opt_stack *s;
    uint32_t sizes[SIZES];
    uint64_t faults[SIZES];
    for (uint32_t i = 0; i < SIZES; i++)
        sizes[i] = 1 + i * step;
    assert_int_equal(opt_stack_create(no_swap, sizes, SIZES / step, &s), 0);
    assert_int_equal(opt_stack_add_pages(s, string->pages, string->page_count), 0);
    assert_int_equal(opt_stack_feed(s, string->items, string->count), 0);
    opt_stack_curve(s, faults);
    for (uint32_t i = 0; i < SIZES / step; i++) {
        const struct model_result expected = model_run(MODEL_OPT, string, sizes[i], no_swap);
        assert_int_equal(expected.out_of_memory, sizes[i] < opt_stack_floor(s));
        if (expected.out_of_memory)
            continue;
        assert_int_equal(faults[i], expected.misses);
        assert_int_equal(opt_stack_cold(s), expected.cold);
    }
    opt_stack_destroy(s);
}

static void same_as_the_model(void **state) {
    for (uint32_t seed = 1; seed <= 2000; seed++) {
        const struct random_shape shape = {.items = 20 + seed % 100,
                                           .live = 3 + seed % 18,
                                           .deaths = seed % 5 * 30,
                                           .writes = 300,
                                           .files = 300 + seed % 3 * 300};
        struct random_string string = random_string_make(&shape, seed);
        compare_with_the_model(&string, false, 1 + seed % 4);
        compare_with_the_model(&string, true, 1 + seed % 3);
        random_string_free(&string);
    }
}

/* So long that moments are renumbered again and again. */
static void same_when_the_window_moves_on(void **state) {
    for (uint32_t seed = 1; seed <= 3; seed++) {
        const struct random_shape shape = {
            .items = 14000, .live = 10 + seed * 12, .deaths = 3 * seed, .writes = 300, .files = 700};
        struct random_string string = random_string_make(&shape, seed);
        compare_with_the_model(&string, false, 4);
        compare_with_the_model(&string, true, 7);
        random_string_free(&string);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_the_model),
        cmocka_unit_test(same_when_the_window_moves_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
