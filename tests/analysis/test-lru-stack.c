/* LRU for all sizes in one pass, against memories of each size: an independent model on thousands of short
 * strings with deaths and everything else, the simulation of the policy on long ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/lru_stack.h"
#include "analysis/simulate.h"
#include "policy/policies.h"

#include "model.h"

enum { SIZES = 32 };

static struct lru_stack *stack_of(const struct random_string *string, bool no_swap) {
    struct lru_stack *s;
    assert_int_equal(lru_stack_create(no_swap, &s), 0);
    assert_int_equal(lru_stack_add_pages(s, string->pages, string->page_count / 2), 0);
    size_t half = 0;
    while (half < string->count && string->items[half].page < string->page_count / 2)
        half++;
    assert_int_equal(lru_stack_feed(s, string->items, half), 0);
    assert_int_equal(lru_stack_add_pages(s, string->pages + string->page_count / 2,
                                         string->page_count - string->page_count / 2),
                     0);
    assert_int_equal(lru_stack_feed(s, string->items + half, string->count - half), 0);
    return s;
}

static void compare_with_the_model(const struct random_string *string, bool no_swap) {
    struct lru_stack *s = stack_of(string, no_swap);
    uint32_t sizes[SIZES];
    uint64_t faults[SIZES], writebacks[SIZES];
    bool any = false;
    for (uint32_t i = 0; i < SIZES; i++)
        sizes[i] = i + 1;
    assert_int_equal(lru_stack_curve(s, sizes, SIZES, faults, writebacks), 0);
    for (uint32_t i = 0; i < SIZES; i++) {
        const struct model_result expected = model_run(MODEL_LRU, string, sizes[i], no_swap);
        assert_int_equal(expected.out_of_memory, sizes[i] < lru_stack_floor(s));
        if (expected.out_of_memory)
            continue;
        any = true;
        assert_int_equal(faults[i], expected.misses);
        assert_int_equal(writebacks[i], expected.to_swap + expected.to_file);
        assert_int_equal(lru_stack_cold(s), expected.cold);
    }
    assert_true(any);
    lru_stack_destroy(s);
}

static void same_as_the_model(void **state) {
    for (uint32_t seed = 1; seed <= 300; seed++) {
        const struct random_shape shape = {.items = 60 + seed,
                                           .live = 5 + seed % 20,
                                           .deaths = seed % 5 * 20,
                                           .cleaned = seed % 4 * 20,
                                           .cooled = 10,
                                           .given_up = seed % 3 * 30,
                                           .writes = 300,
                                           .files = seed % 2 * 500,
                                           .shared = 200,
                                           .unknown = 100,
                                           .steps = 3};
        struct random_string string = random_string_make(&shape, seed);
        compare_with_the_model(&string, false);
        random_string_free(&string);
    }
}

static void same_as_the_model_without_swap(void **state) {
    for (uint32_t seed = 1; seed <= 300; seed++) {
        const struct random_shape shape = {.items = 60 + seed,
                                           .live = 5 + seed % 20,
                                           .deaths = seed % 5 * 20,
                                           .cleaned = seed % 4 * 20,
                                           .writes = 300,
                                           .files = 300 + seed % 3 * 300,
                                           .shared = 200,
                                           .unknown = 100};
        struct random_string string = random_string_make(&shape, seed);
        compare_with_the_model(&string, true);
        random_string_free(&string);
    }
}

/* Long enough for the window to be compacted and enlarged several times. */
static void long_strings(void **state) {
    const uint32_t sizes[] = {1, 40, 700, 2000, 5000};
    for (uint32_t seed = 1; seed <= 2; seed++) {
        const struct random_shape shape = {.items = 300000,
                                           .live = 20000,
                                           .deaths = seed == 1 ? 0 : 60,
                                           .given_up = seed == 1 ? 0 : 10,
                                           .writes = 300,
                                           .files = 500};
        struct random_string string = random_string_make(&shape, seed);
        uint64_t faults[5], writebacks[5];
        struct lru_stack *s = stack_of(&string, false);
        assert_int_equal(lru_stack_curve(s, sizes, 5, faults, writebacks), 0);
        for (int i = 0; i < 5; i++) {
            const struct simulation_config config = {.policy = &policy_lru, .frames = sizes[i]};
            struct simulation *memory;
            struct simulation_result result;
            assert_int_equal(simulation_create(&config, &memory), 0);
            assert_int_equal(simulation_add_pages(memory, string.pages, string.page_count), 0);
            assert_int_equal(simulation_feed(memory, string.items, string.count), 0);
            simulation_get_result(memory, &result);
            assert_int_equal(faults[i], result.misses);
            assert_int_equal(writebacks[i], result.to_swap + result.to_file);
            simulation_destroy(memory);
        }
        lru_stack_destroy(s);
        random_string_free(&string);
    }
}

static void what_cannot_be_is_refused(void **state) {
    const struct refs_page page = {0};
    const struct refs_item unknown = {.page = 1}, given_up = {.kind = REFS_GIVEN_UP};
    struct lru_stack *s;
    assert_int_equal(lru_stack_create(true, &s), 0);
    assert_int_equal(lru_stack_add_pages(s, &page, 1), 0);
    assert_int_equal(lru_stack_feed(s, &unknown, 1), -EBADMSG);
    assert_int_equal(lru_stack_feed(s, &given_up, 1), -ENOTSUP);
    lru_stack_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_the_model),
        cmocka_unit_test(same_as_the_model_without_swap),
        cmocka_unit_test(long_strings),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
