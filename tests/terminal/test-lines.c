/* A program's output as lines of a pane: control sequences, wrapping, the last lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "terminal/lines.h"

enum { ROWS = 4, COLUMNS = 10 };

static void shown(const char *output, size_t length, const char *expected) {
    struct text t = {0};
    lines_put(output, length, ROWS, COLUMNS, &t);
    text_bytes(&t, "", 1);
    assert_false(t.failed);
    assert_string_equal(t.bytes, expected);
    text_free(&t);
}

static void shows(const char *output, const char *expected) {
    shown(output, strlen(output), expected);
}

static void test_lines(void **state) {
    shows("", "");
    shows("one", "one");
    shows("one\r\ntwo\r\n", "one\ntwo");
    shows("one\n\ntwo", "one\n\ntwo");
}

static void test_the_last_ones_are_shown(void **state) {
    shows("1\n2\n3\n4\n5\n6\n", "3\n4\n5\n6");
    shows("1\n2\n3\n4\n5\n6", "3\n4\n5\n6");
    shows("\n\n\n\n\nend", "\n\n\nend");
}

static void test_long_lines_wrap(void **state) {
    shows("0123456789", "0123456789");
    shows("0123456789a", "0123456789\na");
    shows("01234567890123456789012345678901234567890123456789",
          "0123456789\n0123456789\n0123456789\n0123456789");
    shows("012345678\xe4\xb8\xad", "012345678\n\xe4\xb8\xad"); /* two columns wide */
}

static void test_the_carriage_moves(void **state) {
    shows("abc\rX", "Xbc");
    shows("abc\b\bX", "aXc");
    shows("\b\bX", "X");
    shows("a\tb", "a       b");
    shows("abcdefgh\tb", "abcdefgh  \n      b");
}

static void test_control_sequences_are_left_out(void **state) {
    shows("\033[31mred\033[0m", "red");
    shows("\033[2J\033[1;1HX", "X");
    shows("\033]0;a title\aX", "X");
    shows("\033]0;a title\033\\X", "X");
    shows("\033P1$q\033\\X", "X");
    shows("\033(BX\033c\0337Y", "XY");
    shows("a\007b\016c\177d", "abcd");
}

static void test_sequences_that_do_not_end(void **state) {
    shows("X\033", "X");
    shows("X\033[12", "X");
    shows("X\033]0;title", "X");
    shows("X\033[1\nY", "X\nY");
}

static void test_what_is_not_text(void **state) {
    shows("\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd");
    shows("\xc2\x9b"
          "31m",
          "\xef\xbf\xbd"
          "31m"); /* a control sequence of eight bits */
    shows("\xe2\x80\xae"
          "abc",
          "\xef\xbf\xbd"
          "abc"); /* right to left */
    shown("a\0b", 3, "ab");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_the_last_ones_are_shown),
        cmocka_unit_test(test_long_lines_wrap),
        cmocka_unit_test(test_the_carriage_moves),
        cmocka_unit_test(test_control_sequences_are_left_out),
        cmocka_unit_test(test_sequences_that_do_not_end),
        cmocka_unit_test(test_what_is_not_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
