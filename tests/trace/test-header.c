/* The header: what is written is read back, whatever the command's bytes; what is no header is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "scenario.h"

static struct trace_header *round_trip(const struct trace_header *h) {
    struct text json = {0};
    struct trace_header *parsed;
    trace_header_put(&json, h);
    assert_null(memchr(json.bytes, '\n', json.length));
    assert_int_equal(trace_header_parse(json.bytes, json.length, &parsed), 0);
    text_free(&json);
    return parsed;
}

static void assert_same(const struct trace_header *a, const struct trace_header *b) {
    assert_string_equal(a->thimble, b->thimble);
    assert_int_equal(a->frames, b->frames);
    assert_int_equal(a->reserved, b->reserved);
    assert_int_equal(a->swap_pages, b->swap_pages);
    assert_int_equal(a->page_size, b->page_size);
    assert_string_equal(a->page_table, b->page_table);
    assert_string_equal(a->policy, b->policy);
    assert_int_equal(a->seed, b->seed);
    assert_int_equal(a->deterministic, b->deterministic);
    assert_string_equal(a->cpu, b->cpu);
    assert_int_equal(a->argument_count, b->argument_count);
    for (int i = 0; i < a->argument_count; i++)
        assert_string_equal(a->arguments[i], b->arguments[i]);
    assert_null(b->arguments[b->argument_count]);
}

static void test_round_trip(void **state) {
    const char *const plain[] = {"/bin/ls", "-l", "a \"b\"\n", ""};
    struct trace_header h = *scenario_header(); /* has an argument that is not UTF-8, and a huge seed */
    struct trace_header *parsed = round_trip(&h);
    assert_same(&h, parsed);
    free(parsed);
    h.arguments = plain;
    h.seed = 1;
    h.deterministic = false;
    parsed = round_trip(&h);
    assert_same(&h, parsed);
    free(parsed);
    h.argument_count = 0;
    parsed = round_trip(&h);
    assert_same(&h, parsed);
    free(parsed);
}

static int parse_object(json_t *object) {
    struct trace_header *parsed;
    char *json = json_dumps(object, 0);
    int error = trace_header_parse(json, strlen(json), &parsed);
    if (!error)
        free(parsed);
    free(json);
    return error;
}

/* Without any of its members, or with one of another type, it is no header; more members do not matter. */
static void test_members(void **state) {
    struct text json = {0};
    const char *name;
    json_t *value;
    void *next;
    trace_header_put(&json, scenario_header());
    json_t *whole = json_loadb(json.bytes, json.length, 0, NULL);
    assert_int_equal(parse_object(whole), 0);
    json_object_foreach_safe(whole, next, name, value) {
        if (strcmp(name, "deterministic") == 0 || strncmp(name, "command", 7) == 0)
            continue;
        json_t *without = json_copy(whole), *wrong = json_copy(whole);
        json_object_del(without, name);
        json_object_set_new(wrong, name, json_array());
        assert_int_equal(parse_object(without), -EBADMSG);
        assert_int_equal(parse_object(wrong), -EBADMSG);
        json_decref(without);
        json_decref(wrong);
    }
    json_object_set_new(whole, "command_hex", json_string("6"));
    assert_int_equal(parse_object(whole), -EBADMSG);
    json_object_del(whole, "command_hex");
    json_object_set_new(whole, "future", json_true());
    assert_int_equal(parse_object(whole), 0);
    json_object_set_new(whole, "command", json_pack("[i]", 3));
    assert_int_equal(parse_object(whole), -EBADMSG);
    json_object_set_new(whole, "thimble_trace", json_integer(TRACE_VERSION + 1));
    assert_int_equal(parse_object(whole), -EPROTO);
    json_decref(whole);
    text_free(&json);
    struct trace_header *parsed;
    assert_int_equal(trace_header_parse("[1]", 3, &parsed), -EBADMSG);
    assert_int_equal(trace_header_parse("", 0, &parsed), -EBADMSG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
