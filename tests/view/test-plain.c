/* Guests' bytes made fit for people's eyes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "view/plain.h"

static void assert_plain(const char *bytes, size_t length, size_t columns, const char *expected) {
    struct text t = {0};
    plain_put(&t, bytes, length, columns);
    assert_int_equal(t.length, strlen(expected));
    assert_memory_equal(t.bytes ? t.bytes : "", expected, t.length);
    text_free(&t);
}

static void test_ordinary_text_stays(void **state) {
    assert_plain("/bin/bash", 9, 0, "/bin/bash");
    assert_plain("Grüße.txt", strlen("Grüße.txt"), 0, "Grüße.txt");
    assert_plain("漢字", strlen("漢字"), 0, "漢字");
    assert_plain("", 0, 0, "");
}

static void test_what_moves_the_cursor_is_replaced(void **state) {
    assert_plain("a\033[2Jb", 6, 0, "a\xef\xbf\xbd[2Jb");
    assert_plain("a\nb\0c\x7f", 6, 0,
                 "a\xef\xbf\xbd"
                 "b\xef\xbf\xbd"
                 "c\xef\xbf\xbd");
    assert_plain("\xc2\x9b", 2, 0, "\xef\xbf\xbd"); /* C1: an escape of its own */
    assert_plain("\xe2\x80\xae"
                 "gpj",
                 6, 0,
                 "\xef\xbf\xbd"
                 "gpj"); /* right to left */
}

static void test_what_is_not_utf8_is_replaced(void **state) {
    assert_plain("\xff", 1, 0, "\xef\xbf\xbd");
    assert_plain("\xc0\xaf", 2, 0, "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong */
    assert_plain("\xe0\x80\xaf", 3, 0, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* overlong too */
    assert_plain("\xed\xa0\x80", 3, 0, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    assert_plain("\xe2\x82", 2, 0, "\xef\xbf\xbd\xef\xbf\xbd");                 /* cut short */
}

static void test_long_text_is_cut(void **state) {
    assert_plain("abcdef", 6, 6, "abcdef");
    assert_plain("abcdefg", 7, 6, "abcde…");
    assert_plain("漢字漢字", strlen("漢字漢字"), 6, "漢字…");
}

static void test_columns(void **state) {
    assert_int_equal(plain_columns("abc", 3), 3);
    assert_int_equal(plain_columns("漢", 3), 2);
    assert_int_equal(plain_columns("e\xcc\x81", 3), 1); /* e with a combining accent */
    assert_int_equal(plain_columns("→PP3", strlen("→PP3")), 4);
}

/* Whatever the bytes are, what comes out is valid, plain, and not wider than asked. */
static void test_random_bytes(void **state) {
    struct rng rng = {3};
    for (int i = 0; i < 20000; i++) {
        char bytes[40];
        uint32_t character;
        struct text t = {0};
        const size_t length = rng_below(&rng, sizeof bytes), columns = 1 + rng_below(&rng, 20);
        rng_fill(&rng, bytes, length);
        plain_put(&t, bytes, length, columns);
        assert_true(plain_columns(t.bytes, t.length) <= columns);
        for (size_t j = 0, size; j < t.length; j += size) {
            size = plain_decode(t.bytes + j, t.length - j, &character);
            assert_true(character >= 0x20 && !(character >= 0x7f && character < 0xa0));
            assert_true(size > 1 || character < 0x80);
        }
        text_free(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_text_stays),
        cmocka_unit_test(test_what_moves_the_cursor_is_replaced),
        cmocka_unit_test(test_what_is_not_utf8_is_replaced),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
