/* Sizes as people give them, and those that are chosen. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/sizes.h"

static void expect(const char *text, const char *sizes) {
    uint32_t *all = NULL;
    size_t count = 0, length = 0;
    char *message = NULL, list[400] = "";
    if (sizes_parse(text, &all, &count, &message) == 0) {
        for (size_t i = 0; i < count; i++)
            length += (size_t)snprintf(list + length, sizeof list - length, "%u ", all[i]);
        assert_string_equal(list, sizes);
    } else {
        assert_non_null(message);
        assert_string_equal(message, sizes);
    }
    free(all);
    free(message);
}

static void sizes_are_understood(void **state) {
    expect("7", "7 ");
    expect("1..4", "1 2 3 4 ");
    expect("10..31:10", "10 20 30 ");
    expect("8,2,4..6,5", "2 4 5 6 8 ");
    expect("4K", "1 ");
    expect("5K", "2 ");
    expect("1M..3M:1m", "256 512 768 ");
    expect("1G", "262144 ");
    expect("4294967295", "4294967295 ");
    expect("4294967290..4294967295:4", "4294967290 4294967294 ");
}

static void nonsense_is_refused(void **state) {
    expect("", "'' is not a number of frames, nor of bytes with K, M or G");
    expect("1,", "'' is not a number of frames, nor of bytes with K, M or G");
    expect("-4", "'-4' is not a number of frames, nor of bytes with K, M or G");
    expect("0", "'0' is not between one frame and 4294967295");
    expect("4294967296", "'4294967296' is not between one frame and 4294967295");
    expect("99999999999999999999", "'99999999999999999999' is too much");
    expect("18446744073709551615K", "'18446744073709551615K' is not between one frame and 4294967295");
    expect("2,9..4", "'9..4' ends before it begins");
    expect("1..2:0", "'1..2:0' is not between one frame and 4294967295");
    expect("1..4000000", "'1..4000000' is more than a million sizes: give a step, A..B:STEP");
    for (const char *const *wrong = (const char *const[]){"4Q", "0x10", "0b1", "1e3", "1.5", "10%", NULL};
         *wrong; wrong++) {
        char message[200];
        snprintf(message, sizeof message,
                 "'%s' has something behind the number: it is A..B, A..B:STEP or a list of these with commas",
                 *wrong);
        expect(*wrong, message);
    }
}

/* From few pages to all of them, each larger than the one before. */
static void sizes_are_between_few_pages_and_all(void **state) {
    static const uint32_t pages[] = {0, 1, 2, 15, 16, 17, 18, 40, 64, 65, 1000, 4096, 1 << 20, UINT32_MAX};
    uint32_t sizes[64];
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        for (size_t most = 16; most <= 64; most += 48) {
            const uint32_t last = pages[i] ? pages[i] : 1;
            const size_t count = sizes_between(pages[i], most, sizes);
            assert_in_range(count, last < 9 ? last : 9, most);
            assert_int_equal(sizes[count - 1], last);
            assert_in_range(sizes[0], 1, last / 256 + 8);
            for (size_t k = 1; k < count; k++)
                assert_true(sizes[k] > sizes[k - 1]);
        }
}

static void sizes_are_refined(void **state) {
    static const uint32_t given[] = {8, 20, 3000};
    uint32_t *all;
    size_t count, found = 0;
    assert_int_equal(sizes_refine(given, 3, 100, &all, &count), 0);
    assert_in_range(count, 80, 100);
    for (size_t i = 0; i < count; i++) {
        found += all[i] == given[found];
        assert_true(!i || all[i] > all[i - 1]);
    }
    assert_int_equal(found, 3);
    assert_int_equal(all[0], 8);
    assert_int_equal(all[count - 1], 3000);
    free(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_understood),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(sizes_are_between_few_pages_and_all),
        cmocka_unit_test(sizes_are_refined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
