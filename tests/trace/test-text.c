/* Text: numbers and JSON strings, judged by jansson. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/base.h"
#include "base/rng.h"
#include "trace/text.h"

static void assert_text(struct text *t, const char *expected) {
    assert_false(t->failed);
    assert_int_equal(t->length, strlen(expected));
    assert_memory_equal(t->bytes, expected, t->length);
    text_clear(t);
}

static void test_numbers(void **state) {
    const uint64_t numbers[] = {0,         1,          9,         10, 15, 16, 255, 12345678901234567890ULL,
                                INT64_MAX, 1ULL << 63, UINT64_MAX};
    struct text t = {0};
    char expected[64];
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        snprintf(expected, sizeof expected, "%" PRIu64, numbers[i]);
        text_number(&t, numbers[i]);
        assert_text(&t, expected);
        snprintf(expected, sizeof expected, "%" PRId64, (int64_t)numbers[i]);
        text_signed(&t, (int64_t)numbers[i]);
        assert_text(&t, expected);
        snprintf(expected, sizeof expected, "\"0x%" PRIx64 "\"", numbers[i]);
        text_hex(&t, numbers[i]);
        assert_text(&t, expected);
    }
    text_bool(&t, true);
    text_put(&t, "|");
    text_bool(&t, false);
    assert_text(&t, "true|false");
    text_free(&t);
}

static void test_strings(void **state) {
    static const struct {
        const char *bytes, *json;
        bool whole;
    } cases[] = {
        {"", "\"\"", true},
        {"plain", "\"plain\"", true},
        {"a\"b\\c\nd\te", "\"a\\\"b\\\\c\\nd\\te\"", true},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"", true},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"", true},
        {"caf\xe9", "\"caf\\ufffd\"", false},
        {"\xc3", "\"\\ufffd\"", false},                                  /* ends too early */
        {"\xc0\xaf", "\"\\ufffd\\ufffd\"", false},                       /* not the shortest form */
        {"\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"", false},            /* the same */
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"", false},            /* a surrogate */
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"", false}, /* beyond U+10FFFF */
        {"\xf5", "\"\\ufffd\"", false},
    };
    struct text t = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(text_string(&t, cases[i].bytes, strlen(cases[i].bytes)), cases[i].whole);
        assert_text(&t, cases[i].json);
    }
    assert_true(text_strings(&t, "ls\0-l\0\0x", 8));
    assert_text(&t, "[\"ls\",\"-l\",\"\",\"x\"]");
    assert_true(text_strings(&t, "", 0));
    assert_text(&t, "[]");
    assert_false(text_strings(&t, "\xff\0ok\0", 5));
    assert_text(&t, "[\"\\ufffd\",\"ok\"]");
    text_hex_bytes(&t, "\x00\xa5\xff", 3);
    assert_text(&t, "\"00a5ff\"");
    text_free(&t);
}

/* Random bytes make valid JSON; when nothing was replaced, it says the same bytes. */
static void test_random_bytes_make_valid_json(void **state) {
    static const char *const pieces[] = {"\xc3\xa9", "\xe2\x82", "\xf0\x9f\x98\x80", "\"",
                                         "\\",       "\n",       "\xed\xbf\xbf",     "a"};
    struct rng rng = {1};
    struct text t = {0};
    for (int round = 0; round < 20000; round++) {
        char bytes[64];
        size_t length = 0, limit = rng_below(&rng, 12);
        for (size_t i = 0; i < limit; i++) {
            const char *piece = pieces[rng_below(&rng, ARRAY_LENGTH(pieces))];
            if (rng_below(&rng, 4)) {
                memcpy(bytes + length, piece, strlen(piece));
                length += strlen(piece);
            } else {
                bytes[length++] = (char)rng_next(&rng);
            }
        }
        text_clear(&t);
        bool whole = text_string(&t, bytes, length);
        json_t *value = json_loadb(t.bytes, t.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(value);
        if (whole) {
            assert_int_equal(json_string_length(value), length);
            assert_memory_equal(json_string_value(value), bytes, length);
        }
        json_decref(value);
    }
    text_free(&t);
}

static void test_failed_allocation_is_remembered(void **state) {
    struct inject inject = {.fail_at[INJECT_ALLOC] = 2};
    struct text t = {.inject = &inject};
    text_put(&t, "kept");
    char large[5000] = {0};
    text_bytes(&t, large, sizeof large);
    assert_true(t.failed);
    text_put(&t, "x");
    assert_int_equal(t.length, 4);
    text_clear(&t);
    text_put(&t, "again");
    assert_text(&t, "again");
    text_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_random_bytes_make_valid_json),
        cmocka_unit_test(test_failed_allocation_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
