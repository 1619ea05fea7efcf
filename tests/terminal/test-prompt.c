/* Typing an answer, and what keys are for a program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "terminal/keys.h"
#include "terminal/prompt.h"

static void type(struct prompt *p, const char *text) {
    for (; *text; text++)
        assert_int_equal(prompt_key(p, *text), PROMPT_GOES_ON);
}

static void test_a_line_is_typed(void **state) {
    struct prompt p = {0};
    type(&p, "fault=3x");
    assert_int_equal(prompt_key(&p, KEYS_BACKSPACE), PROMPT_GOES_ON);
    assert_string_equal(p.line, "fault=3");
    assert_int_equal(prompt_key(&p, NAV_ENTER), PROMPT_DONE);
    assert_string_equal(p.line, "fault=3");
}

static void test_it_is_given_up(void **state) {
    struct prompt p = {0};
    type(&p, "12");
    assert_int_equal(prompt_key(&p, NAV_ESCAPE), PROMPT_GIVEN_UP);
    assert_int_equal(prompt_key(&p, KEYS_CTRL('c')), PROMPT_GIVEN_UP);
}

static void test_it_is_typed_anew(void **state) {
    struct prompt p = {0};
    type(&p, "12");
    assert_int_equal(prompt_key(&p, KEYS_CTRL('u')), PROMPT_GOES_ON);
    assert_string_equal(p.line, "");
    assert_int_equal(prompt_key(&p, KEYS_BACKSPACE), PROMPT_GOES_ON);
    assert_string_equal(p.line, "");
}

static void test_other_keys_do_nothing(void **state) {
    struct prompt p = {0};
    type(&p, "1");
    const int keys[] = {NAV_LEFT, NAV_RIGHT, KEYS_UP, KEYS_TAB, KEYS_CTRL('z'), KEYS_CHARACTER + 0xe4, 0x80};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(prompt_key(&p, keys[i]), PROMPT_GOES_ON);
    assert_string_equal(p.line, "1");
}

static void test_a_line_has_an_end(void **state) {
    struct prompt p = {0};
    for (int i = 0; i < 2 * PROMPT_LENGTH; i++)
        prompt_key(&p, 'x');
    assert_int_equal(strlen(p.line), PROMPT_LENGTH - 1);
}

static void is_sent(int key, const char *expected) {
    char bytes[KEYS_BYTES + 1] = "";
    size_t length = keys_put(key, bytes);
    assert_true(length <= KEYS_BYTES);
    bytes[length] = 0;
    assert_string_equal(bytes, expected);
}

static void test_what_a_program_is_sent(void **state) {
    is_sent('a', "a");
    is_sent(NAV_ENTER, "\r");
    is_sent(KEYS_CTRL('c'), "\003");
    is_sent(KEYS_BACKSPACE, "\177");
    is_sent(NAV_LEFT, "\033[D");
    is_sent(KEYS_UP, "\033[A");
    is_sent(KEYS_CHARACTER + 0xe4, "ä");
    is_sent(KEYS_CHARACTER + 0x20ac, "€");
    is_sent(KEYS_CHARACTER + 0x1f600, "😀");
    is_sent(KEYS_NONE, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_is_typed),   cmocka_unit_test(test_it_is_given_up),
        cmocka_unit_test(test_it_is_typed_anew),  cmocka_unit_test(test_other_keys_do_nothing),
        cmocka_unit_test(test_a_line_has_an_end), cmocka_unit_test(test_what_a_program_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
