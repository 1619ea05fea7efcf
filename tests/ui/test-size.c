/* Numbers and sizes as people type and read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hw/types.h"
#include "ui/size.h"

static void expect_pages(const char *text, uint64_t pages) {
    uint64_t got = 0;
    assert_null(size_parse(text, true, &got));
    assert_int_equal(got, pages);
}

static void expect_no_size(const char *text, const char *wrong) {
    uint64_t got = 77;
    assert_string_equal(size_parse(text, true, &got), wrong);
    assert_int_equal(got, 77); /* untouched on failure */
}

static void test_sizes_are_rounded_up_to_pages(void **state) {
    expect_pages("1", 1);
    expect_pages("4096", 1);
    expect_pages("4097", 2);
    expect_pages("192K", 48);
    expect_pages("192k", 48);
    expect_pages("16M", 4096);
    expect_pages("1G", 262144);
    expect_pages("1T", 268435456);
}

static void test_a_size_may_be_given_in_pages(void **state) {
    expect_pages("28p", 28);
    uint64_t got = 77;
    assert_string_equal(size_parse("28p", false, &got), "is not a size");
}

static void test_what_is_not_a_size_is_refused(void **state) {
    static const char *const texts[] = {"",    "K",    "-1",  "+1", " 1",   "1 ",  "1.5G", "1KK",
                                        "1KB", "0x10", "1pp", "1X", "many", "1K2", "p",    "1P"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect_no_size(texts[i], "is not a size");
}

static void test_no_memory_is_not_a_size(void **state) {
    expect_no_size("0", "is no memory at all");
    expect_no_size("0G", "is no memory at all");
    expect_no_size("0p", "is no memory at all");
}

static void test_sizes_do_not_overflow(void **state) {
    expect_no_size("18446744073709551616", "is too large");
    expect_no_size("18446744073709551615", "is too large");
    expect_no_size("99999999999999999999999", "is too large");
    expect_no_size("16777216T", "is too large");
    expect_pages("16777215T", 16777215ULL << 28);
}

static void test_numbers_keep_to_their_range(void **state) {
    uint64_t got = 77;
    assert_string_equal(number_parse("0", 1, 9, &got), "is too small");
    assert_string_equal(number_parse("10", 1, 9, &got), "is too large");
    assert_string_equal(number_parse("18446744073709551616", 0, UINT64_MAX, &got), "is too large");
    assert_string_equal(number_parse("-1", 0, 9, &got), "is not a whole number");
    assert_string_equal(number_parse("1e3", 0, 9999, &got), "is not a whole number");
    assert_string_equal(number_parse("", 0, 9, &got), "is not a whole number");
    assert_int_equal(got, 77);
    assert_null(number_parse("18446744073709551615", 0, UINT64_MAX, &got));
    assert_true(got == UINT64_MAX);
}

static void test_sizes_and_numbers_are_easy_to_read(void **state) {
    char text[SIZE_TEXT];
    assert_string_equal(size_format(0, text), "0 bytes");
    assert_string_equal(size_format(192 * 1024, text), "192 KiB");
    assert_string_equal(size_format(1536 * 1024, text), "1.5 MiB");
    assert_string_equal(size_format(1ULL << 30, text), "1 GiB");
    assert_string_equal(number_format(0, text), "0");
    assert_string_equal(number_format(999, text), "999");
    assert_string_equal(number_format(1000, text), "1,000");
    assert_string_equal(number_format(UINT64_MAX, text), "18,446,744,073,709,551,615");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_are_rounded_up_to_pages),
        cmocka_unit_test(test_a_size_may_be_given_in_pages),
        cmocka_unit_test(test_what_is_not_a_size_is_refused),
        cmocka_unit_test(test_no_memory_is_not_a_size),
        cmocka_unit_test(test_sizes_do_not_overflow),
        cmocka_unit_test(test_numbers_keep_to_their_range),
        cmocka_unit_test(test_sizes_and_numbers_are_easy_to_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
