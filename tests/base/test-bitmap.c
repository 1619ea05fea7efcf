/* Bitmaps against an array of truth values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bitmap.h"
#include "base/rng.h"

enum { MOST = 300 };

static uint64_t naive_find(const bool *bit, uint64_t bits, uint64_t from, bool value) {
    while (from < bits && bit[from] != value)
        from++;
    return from < bits ? from : bits;
}

static void random_bits_agree_with_the_model(void **state) {
    struct rng rng = {1};
    for (uint64_t bits = 0; bits <= MOST; bits++) {
        uint64_t map[MOST / 64 + 1] = {0};
        bool bit[MOST] = {false};
        const uint64_t density = 1 + rng_below(&rng, 40);
        uint64_t count = 0;
        for (uint64_t n = 0; n < bits; n++) {
            bit[n] = rng_below(&rng, density) == 0;
            count += bit[n];
            bitmap_set(map, n);
            if (!bit[n])
                bitmap_clear(map, n);
        }
        assert_in_range(bitmap_words(bits), (bits + 63) / 64, (bits + 63) / 64);
        assert_int_equal(bitmap_count(map, bits), count);
        for (uint64_t n = 0; n < bits; n++) {
            assert_int_equal(bitmap_test(map, n), bit[n]);
            assert_int_equal(bitmap_find(map, bits, n, true), naive_find(bit, bits, n, true));
            assert_int_equal(bitmap_find(map, bits, n, false), naive_find(bit, bits, n, false));
        }
        assert_int_equal(bitmap_find(map, bits, bits, true), bits);
    }
}

static void bits_behind_the_end_do_not_count(void **state) {
    const uint64_t map[2] = {0, ~0ULL};
    assert_int_equal(bitmap_find(map, 64, 0, true), 64);
    assert_int_equal(bitmap_find(map, 70, 0, true), 64);
    assert_int_equal(bitmap_find(map, 70, 64, false), 70);
    assert_int_equal(bitmap_count(map, 70), 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bits_agree_with_the_model),
        cmocka_unit_test(bits_behind_the_end_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
