/* The emitting end: numbering, stamping, strings, sinks that come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "scenario.h"
#include "trace/schema.h"

static void test_nobody_listens(void **state) {
    struct trace t = {0};
    trace_emit(&t, EVENT_SWITCH, 0, 1, 0, 0, 0, 0);
    trace_emit(NULL, EVENT_SWITCH, 0, 1, 0, 0, 0, 0);
    assert_int_equal(trace_string(&t, "x", 1), 0);
    assert_int_equal(trace_string(NULL, "x", 1), 0);
    assert_int_equal(t.sequence, 0);
    assert_int_equal(t.strings, 0);
}

static void test_events_are_numbered_and_stamped(void **state) {
    uint64_t instructions = 1234;
    struct trace t = {.pid = 7, .instruction = &instructions};
    struct recorder r = recorder();
    trace_add_sink(&t, &r.sink);
    trace_emit(&t, EVENT_MAP, EVENT_MAP_SHARED | 5, 1, 2, 3, 4, 5);
    t.instruction = NULL;
    trace_emit(&t, EVENT_SWITCH, 0, 9, 0, 0, 0, 0);
    assert_int_equal(r.count, 2);
    struct event expected = {1, 1234, 7, EVENT_MAP, 13, {1, 2, 3, 4, 5}};
    assert_memory_equal(&r.events[0], &expected, sizeof expected);
    assert_int_equal(r.events[1].sequence, 2);
    assert_int_equal(r.events[1].instruction, 0);
    recorder_free(&r);
}

/* A sink that takes itself off the list with the first event. */
struct shy {
    struct trace_sink sink;
    struct trace *trace;
    int received;
};

static void shy_receive(struct trace_sink *sink, const struct event *e) {
    struct shy *shy = container_of(sink, struct shy, sink);
    shy->received++;
    trace_remove_sink(shy->trace, sink);
}

static void test_sinks_come_and_go(void **state) {
    struct trace t = {0};
    struct recorder first = recorder(), last = recorder();
    struct shy shy = {{.receive = shy_receive}, &t, 0};
    trace_add_sink(&t, &first.sink);
    trace_add_sink(&t, &shy.sink);
    trace_add_sink(&t, &last.sink);
    trace_emit(&t, EVENT_SWITCH, 0, 1, 0, 0, 0, 0);
    trace_emit(&t, EVENT_SWITCH, 0, 1, 0, 0, 0, 0);
    assert_int_equal(shy.received, 1);
    assert_int_equal(first.count, 2);
    assert_int_equal(last.count, 2);
    trace_remove_sink(&t, &first.sink);
    trace_remove_sink(&t, &first.sink);
    assert_true(t.listening);
    trace_remove_sink(&t, &last.sink);
    assert_false(t.listening);
    recorder_free(&first);
    recorder_free(&last);
}

/* Every length around the size of a piece, any bytes. */
static void test_strings_are_put_together(void **state) {
    char bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 37);
    struct trace t = {0};
    struct recorder r = recorder();
    struct trace_strings strings = {0};
    trace_add_sink(&t, &r.sink);
    for (size_t length = 0; length < sizeof bytes; length++)
        assert_int_equal(trace_string(&t, bytes, length), length + 1);
    for (size_t i = 0; i < r.count; i++)
        assert_int_equal(strings_receive(&strings, &r.events[i]), 0);
    for (size_t length = 0; length < sizeof bytes; length++) {
        const struct trace_text *text = strings_get(&strings, length + 1);
        assert_non_null(text);
        assert_int_equal(text->length, length);
        assert_memory_equal(text->bytes, bytes, length);
        assert_int_equal(text->bytes[length], 0);
    }
    assert_null(strings_get(&strings, 0));
    assert_null(strings_get(&strings, sizeof bytes + 1));
    strings_free(&strings);
    recorder_free(&r);
}

static void test_broken_strings_are_refused(void **state) {
    struct trace_strings s = {0};
    struct event begin = {.kind = EVENT_STRING, .args = {1, UINT64_MAX}}, data = {.kind = EVENT_STRING_DATA};
    struct event next = {.kind = EVENT_STRING, .args = {2, 1}};
    assert_int_equal(strings_receive(&s, &data), -EBADMSG); /* of no string */
    assert_int_equal(strings_receive(&s, &begin), 0);       /* a length that cannot be */
    assert_int_equal(strings_receive(&s, &data), 0);
    assert_int_equal(strings_receive(&s, &next), -EBADMSG); /* within the other */
    assert_int_equal(strings_receive(&s, &data), 0);
    assert_null(strings_get(&s, 1));
    assert_int_equal(strings_get(&s, 2)->length, 1);
    assert_int_equal(strings_receive(&s, &next), -EBADMSG); /* again */
    next.args[0] = 0;
    assert_int_equal(strings_receive(&s, &next), -EBADMSG);
    strings_free(&s);
}

static void test_every_kind_is_described(void **state) {
    assert_null(event_schema(EVENT_NONE));
    assert_null(event_schema(EVENT_KINDS));
    for (unsigned kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
        const struct event_schema *schema = event_schema(kind);
        assert_non_null(schema);
        for (unsigned other = EVENT_NONE + 1; other < kind; other++)
            assert_string_not_equal(schema->name, event_schema(other)->name);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(schema->args[i].name == NULL, schema->args[i].type == FIELD_NONE);
            for (int j = 0; j < i && schema->args[i].name; j++)
                assert_string_not_equal(schema->args[i].name, schema->args[j].name);
        }
    }
    assert_null(event_fault_name(EVENT_FAULT_FAILED + 1));
    assert_string_equal(event_fault_name(EVENT_FAULT_FAILED), "failed");
    assert_null(event_victim_name(EVENT_VICTIM_TO_FILE + 1));
    assert_null(event_frame_name(EVENT_FRAME_KINDS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_events_are_numbered_and_stamped),
        cmocka_unit_test(test_sinks_come_and_go),
        cmocka_unit_test(test_strings_are_put_together),
        cmocka_unit_test(test_broken_strings_are_refused),
        cmocka_unit_test(test_every_kind_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
