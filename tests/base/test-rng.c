/* The random numbers are splitmix64's, and what is derived from them is in range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

/* First numbers of the published generator for this seed. */
static void numbers_are_the_published_ones(void **state) {
    const uint64_t expected[] = {6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                                 4593380528125082431U, 16408922859458223821U};
    struct rng rng = {1234567};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(rng_next(&rng), expected[i]);
}

static void below_stays_below_and_reaches_all(void **state) {
    struct rng rng = {7};
    unsigned seen[10] = {0};
    for (int i = 0; i < 10000; i++) {
        const uint64_t n = rng_below(&rng, 10);
        assert_true(n < 10);
        seen[n]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(seen[i], 850, 1150);
    assert_int_equal(rng_below(&rng, 1), 0);
}

static void fill_writes_the_numbers_and_no_byte_more(void **state) {
    for (size_t length = 0; length <= 33; length++) {
        struct rng a = {length}, b = {length};
        unsigned char bytes[48], expected[48];
        memset(bytes, 0xee, sizeof bytes);
        rng_fill(&a, bytes, length);
        for (size_t i = 0; i < length; i += 8) {
            const uint64_t number = rng_next(&b);
            memcpy(expected + i, &number, sizeof number);
        }
        assert_memory_equal(bytes, expected, length);
        assert_int_equal(bytes[length], 0xee);
        assert_int_equal(a.state, b.state);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_the_published_ones),
        cmocka_unit_test(below_stays_below_and_reaches_all),
        cmocka_unit_test(fill_writes_the_numbers_and_no_byte_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
