/* FIFO, CLOCK and SIEVE for many sizes at once, against a simulation of the policy for each size, on random
 * strings with deaths and everything else. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "analysis/masks.h"
#include "analysis/simulate.h"
#include "base/base.h"
#include "policy/policies.h"

#include "random-string.h"

static void compare(const struct random_string *string, const struct policy_ops *policy,
                    const uint32_t *sizes, size_t count) {
    uint64_t faults[MASKS_SIZES], writebacks[MASKS_SIZES];
    struct masks *masks;
    assert_int_equal(masks_create(policy, sizes, count, &masks), 0);
    assert_int_equal(masks_add_pages(masks, string->pages, string->page_count), 0);
    assert_int_equal(masks_feed(masks, string->items, string->count), 0);
    masks_curve(masks, faults, writebacks);
    for (size_t i = 0; i < count; i++) {
        const struct simulation_config config = {.policy = policy, .frames = sizes[i]};
        struct simulation_result result;
        struct simulation *s;
        assert_int_equal(simulation_create(&config, &s), 0);
        assert_int_equal(simulation_add_pages(s, string->pages, string->page_count), 0);
        assert_int_equal(simulation_feed(s, string->items, string->count), 0);
        simulation_get_result(s, &result);
        assert_int_equal(faults[i], result.misses);
        assert_int_equal(writebacks[i], result.to_swap + result.to_file);
        assert_int_equal(masks_cold(masks), result.cold);
        simulation_destroy(s);
    }
    masks_destroy(masks);
}

static void same_as_simulations(void **state) {
    static const struct policy_ops *const kinds[] = {&policy_fifo, &policy_clock, &policy_sieve};
    uint32_t sizes[MASKS_SIZES];
    for (uint32_t i = 0; i < MASKS_SIZES; i++)
        sizes[i] = 1 + i;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        const struct random_shape shape = {.items = 1200,
                                           .live = 10 + seed,
                                           .deaths = seed % 3 * 20,
                                           .cleaned = 20,
                                           .cooled = seed % 2 * 40,
                                           .given_up = seed % 4 * 10,
                                           .writes = 300,
                                           .files = 500,
                                           .shared = 200,
                                           .unknown = 100};
        struct random_string string = random_string_make(&shape, seed);
        for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
            compare(&string, kinds[i], sizes, seed % 2 ? MASKS_SIZES : 20);
        random_string_free(&string);
    }
}

static void others_are_left_to_simulations(void **state) {
    assert_true(masks_can(&policy_sieve));
    assert_false(masks_can(&policy_lru));
    assert_false(masks_can(&policy_random));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_simulations),
        cmocka_unit_test(others_are_left_to_simulations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
