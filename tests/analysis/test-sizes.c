/* Sizes as people give them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/result.h"

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
    expect("", "sizes: '' is not a number of frames, nor of bytes with K, M or G");
    expect("1,", "sizes: '' is not a number of frames, nor of bytes with K, M or G");
    expect("-4", "sizes: '-4' is not a number of frames, nor of bytes with K, M or G");
    expect("0", "sizes: '0' is not between one frame and 4294967295");
    expect("4294967296", "sizes: '4294967296' is not between one frame and 4294967295");
    expect("99999999999999999999", "sizes: '99999999999999999999' is too much");
    expect("18446744073709551615K", "sizes: '18446744073709551615K' is not between one frame and 4294967295");
    expect("2,9..4", "sizes: '9..4' ends before it begins");
    expect("1..2:0", "sizes: '1..2:0' is not between one frame and 4294967295");
    expect("1..4000000", "sizes: '1..4000000' is more than a million sizes: give a step, A..B:STEP");
    expect(
        "4Q",
        "sizes: '4Q' has something behind the number: it is A..B, A..B:STEP or a list of these with commas");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_understood),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
