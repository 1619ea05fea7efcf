/* JSON lines: every line is valid, says what the event says, and the same comes out of a conversion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <zstd.h>

#include <cmocka.h>
#include <jansson.h>

#include "memory-file.h"
#include "scenario.h"
#include "trace/file.h"
#include "trace/jsonl.h"
#include "trace/schema.h"

enum { EVENTS = 20000 };

static void give_all(const struct recorder *r, struct trace_sink *sink) {
    for (size_t i = 0; i < r->count; i++)
        sink->receive(sink, &r->events[i]);
}

static void record(uint64_t seed, uint64_t events, struct recorder *r) {
    static struct scenario s;
    *r = recorder();
    scenario_start(&s, seed, &r->sink);
    scenario_run(&s, events);
    scenario_stop(&s);
}

static struct memory_file lines_of(const struct recorder *r, bool packed) {
    struct memory_file file = {0};
    struct trace_output output = memory_file_output(&file);
    struct jsonl_writer *w;
    assert_int_equal(jsonl_writer_create(scenario_header(), &output, packed, NULL, &w), 0);
    give_all(r, jsonl_writer_sink(w));
    assert_int_equal(jsonl_writer_finish(w, false), 0);
    jsonl_writer_destroy(w);
    return file;
}

/* The next line as an object; NULL at the end. */
static json_t *next_line(const struct memory_file *file, size_t *at) {
    if (*at == file->size)
        return NULL;
    const char *line = file->bytes + *at, *end = memchr(line, '\n', file->size - *at);
    assert_non_null(end);
    json_t *object = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (!object)
        fail_msg("not JSON: %.*s", (int)(end - line), line);
    *at += (size_t)(end - line) + 1;
    return object;
}

static uint64_t number(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_integer(value));
    return (uint64_t)json_integer_value(value);
}

static const char *string(const json_t *object, const char *name) {
    const char *value = json_string_value(json_object_get(object, name));
    assert_non_null(value);
    return value;
}

static uint64_t hex(const json_t *object, const char *name) {
    char *end;
    uint64_t value = strtoull(string(object, name), &end, 16);
    assert_int_equal(*end, 0);
    return value;
}

/* The value of a PTE again, as far as a line says it. */
static uint64_t pte_of(const json_t *object) {
    const char *kind = string(object, "kind"), *access;
    if (strcmp(kind, "empty") == 0)
        return 0;
    access = string(object, "access");
    unsigned bits = (access[0] == 'r' ? ACCESS_READ : 0) | (access[1] == 'w' ? ACCESS_WRITE : 0) |
                    (access[2] == 'x' ? ACCESS_EXEC : 0);
    uint64_t flags = json_is_true(json_object_get(object, "cow")) ? PTE_COW : 0;
    if (strcmp(kind, "swapped") == 0)
        return pte_make_swapped((slot_t){(uint32_t)number(object, "slot")}, bits, flags).v;
    flags |= json_is_true(json_object_get(object, "dirty")) ? PTE_DIRTY : 0;
    flags |= json_is_true(json_object_get(object, "referenced")) ? PTE_REFERENCED : 0;
    flags |= json_is_true(json_object_get(object, "lazy")) ? PTE_LAZY : 0;
    return pte_make_present((pfn_t){(uint32_t)number(object, "frame")}, bits, flags).v;
}

static void assert_line_says(const json_t *line, const struct event *e) {
    const struct event_schema *schema = event_schema_of(e);
    assert_int_equal(number(line, "n"), e->sequence);
    assert_int_equal(number(line, "i"), e->instruction);
    assert_int_equal(number(line, "pid"), e->pid);
    assert_string_equal(string(line, "event"), schema->name);
    for (int i = 0; i < 5; i++) {
        const char *name = schema->args[i].name;
        if (name)
            assert_non_null(json_object_get(line, name));
        if (schema->args[i].type == FIELD_VPN || schema->args[i].type == FIELD_ADDRESS)
            assert_int_equal(hex(line, name), e->args[i]);
        else if (schema->args[i].type == FIELD_SPACE || schema->args[i].type == FIELD_SLOT)
            assert_int_equal(number(line, name), e->args[i]);
        else if (schema->args[i].type == FIELD_PTE)
            assert_int_equal(pte_of(json_object_get(line, name)), e->args[i]);
    }
}

static void test_every_line_says_its_event(void **state) {
    struct recorder r;
    record(4, EVENTS, &r);
    struct memory_file file = lines_of(&r, false);
    size_t at = 0, i = 0;
    json_t *line = next_line(&file, &at);
    assert_int_equal(number(line, "thimble_trace"), TRACE_VERSION);
    assert_int_equal(number(line, "frames"), SCENARIO_FRAMES);
    json_decref(line);
    for (; i < r.count; i++) {
        if (r.events[i].kind == EVENT_STRING || r.events[i].kind == EVENT_STRING_DATA)
            continue;
        line = next_line(&file, &at);
        assert_line_says(line, &r.events[i]);
        json_decref(line);
    }
    line = next_line(&file, &at);
    assert_true(json_is_true(json_object_get(line, "end")));
    assert_int_equal(number(line, "events"), r.count);
    json_decref(line);
    assert_null(next_line(&file, &at));
    memory_file_free(&file);
    recorder_free(&r);
}

static void assert_event_is(enum event_kind kind, unsigned flags, const uint64_t args[5],
                            const char *expected) {
    struct text text = {0};
    struct trace_strings strings = {0};
    struct event e = {
        .sequence = 17, .instruction = 1234, .pid = 1, .kind = (uint16_t)kind, .flags = (uint16_t)flags};
    memcpy(e.args, args, sizeof e.args);
    assert_int_equal(strings_add(&strings, 1, "/bin/ls", 7), 0);
    assert_int_equal(strings_add(&strings, 2, "ls\0-l\0", 6), 0);
    assert_int_equal(strings_add(&strings, 3, "\xe9", 1), 0);
    jsonl_put_event(&text, &e, &strings);
    text_bytes(&text, "", 1);
    const char *start = "{\"n\":17,\"i\":1234,\"pid\":1,\"event\":";
    assert_int_equal(strncmp(text.bytes, start, strlen(start)), 0);
    assert_string_equal(text.bytes + strlen(start), expected);
    strings_free(&strings);
    text_free(&text);
}

/* The very words, as docs/TRACE.md has them. */
static void test_words(void **state) {
    const uint64_t old = pte_make_swapped((slot_t){3}, 3, PTE_COW).v;
    const uint64_t new = pte_make_present((pfn_t){4}, 5, PTE_DIRTY).v;
    assert_event_is(
        EVENT_PTE, 0, (const uint64_t[5]){1, 0x401, old, new},
        "\"pte\",\"space\":1,\"vpn\":\"0x401\",\"old\":{\"kind\":\"swapped\",\"slot\":3,\"access\":\"rw-\","
        "\"cow\":true},\"new\":{\"kind\":\"present\",\"frame\":4,\"access\":\"r-x\",\"referenced\":false,"
        "\"dirty\":true,\"lazy\":false,\"cow\":false}}");
    assert_event_is(EVENT_PROCESS_EXEC, 0, (const uint64_t[5]){1, 2, 5},
                    "\"process_exec\",\"path\":\"/bin/ls\",\"command\":[\"ls\",\"-l\"],\"space\":5}");
    assert_event_is(
        EVENT_PROCESS_EXEC, 0, (const uint64_t[5]){3, 9, 5},
        "\"process_exec\",\"path\":\"\\ufffd\",\"path_hex\":\"e9\",\"command\":null,\"space\":5}");
    assert_event_is(EVENT_VICTIM, EVENT_VICTIM_TO_SWAP, (const uint64_t[5]){4, 12},
                    "\"victim\",\"how\":\"to_swap\",\"frame\":4,\"page\":\"anon:12\"}");
    assert_event_is(EVENT_FRAME, EVENT_FRAME_CACHE, (const uint64_t[5]){4, page_id_of_object(7, 30).n},
                    "\"frame\",\"use\":\"page_cache\",\"frame\":4,\"page\":\"object:7:30\"}");
    assert_event_is(EVENT_FRAME, EVENT_FRAME_FREE, (const uint64_t[5]){4, 0},
                    "\"frame\",\"use\":\"free\",\"frame\":4,\"page\":null}");
    assert_event_is(EVENT_COPY, 0, (const uint64_t[5]){4, UINT64_MAX, 5},
                    "\"copy\",\"frame\":4,\"from\":null,\"page\":\"anon:5\"}");
    assert_event_is(EVENT_MAP, EVENT_MAP_SHARED | ACCESS_READ, (const uint64_t[5]){1, 0x400, 3, 0, 0},
                    "\"map\",\"access\":\"r--\",\"shared\":true,\"stack\":false,\"heap\":false,\"space\":1,"
                    "\"vpn\":\"0x400\",\"pages\":3,\"object\":null,\"object_page\":0}");
    assert_event_is(
        EVENT_FAULT_DONE, EVENT_FAULT_COW, (const uint64_t[5]){1, 0x401008, 0, 0, 1},
        "\"fault_done\",\"kind\":\"cow\",\"space\":1,\"address\":\"0x401008\",\"pte\":{\"kind\":\"empty\"},"
        "\"major\":false,\"miss\":true}");
    assert_event_is(EVENT_SYSCALL_EXIT, 9, (const uint64_t[5]){(uint64_t)-14},
                    "\"syscall_exit\",\"number\":9,\"result\":-14}");
    assert_event_is(EVENT_SPACE_CREATE, 0, (const uint64_t[5]){2, 3, 2},
                    "\"space_create\",\"space\":2,\"owner\":3,\"copied_from\":1}");
    assert_event_is(EVENT_OUTPUT, 2, (const uint64_t[5]){3},
                    "\"output\",\"descriptor\":2,\"text\":\"\\ufffd\",\"text_hex\":\"e9\"}");
    assert_event_is(EVENT_CONTENT, 3, (const uint64_t[5]){4, 0x0102030405060708, 0xff, 0, 1ULL << 56},
                    "\"content\",\"offset\":96,\"frame\":4,\"bytes\":\"0807060504030201ff00000000000000"
                    "00000000000000000000000000000001\"}");
    assert_event_is(EVENT_LABEL, EVENT_LABEL_STRIP, (const uint64_t[5]){21, 10},
                    "\"label\",\"what\":\"strip\",\"process\":21,\"cells\":10}");
    assert_event_is(EVENT_LABEL, EVENT_LABEL_VPN, (const uint64_t[5]){21, 0x406, 4},
                    "\"label\",\"what\":\"vpn\",\"process\":21,\"vpn\":\"0x406\",\"cell\":4}");
    assert_event_is(EVENT_LABEL, EVENT_LABEL_FILE, (const uint64_t[5]){1, 1, 9, 0, 2},
                    "\"label\",\"what\":\"file\",\"path\":\"/bin/ls\",\"name\":\"/bin/ls\",\"pages\":9,"
                    "\"position\":0,\"colour\":2}");
    assert_event_is(EVENT_REACHED, EVENT_REACHED_MAIN, (const uint64_t[5]){0x401000, 3, 0},
                    "\"reached\",\"place\":\"main\",\"address\":\"0x401000\",\"space\":3,\"name\":null}");
    assert_event_is(EVENT_LABEL, 9, (const uint64_t[5]){1}, "\"label\",\"what\":9}");
    _Static_assert(EVENT_KINDS == 36, "the number of a kind that is not known, in the next line");
    assert_event_is(EVENT_KINDS, 0, (const uint64_t[5]){0}, "36}");
}

static void test_packed_lines_are_the_same_lines(void **state) {
    struct recorder r;
    record(6, EVENTS, &r);
    struct memory_file plain = lines_of(&r, false), packed = lines_of(&r, true);
    char *unpacked = malloc(plain.size + 1);
    assert_true(packed.size < plain.size / 4);
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();
    assert_int_equal(ZSTD_decompressDCtx(unpacker, unpacked, plain.size + 1, packed.bytes, packed.size),
                     plain.size);
    assert_memory_equal(unpacked, plain.bytes, plain.size);
    ZSTD_freeDCtx(unpacker);
    free(unpacked);
    memory_file_free(&plain);
    memory_file_free(&packed);
    recorder_free(&r);
}

static void test_full_disk_is_reported_once(void **state) {
    struct recorder r;
    record(6, EVENTS, &r);
    for (int packed = 0; packed < 2; packed++) {
        struct memory_file whole = lines_of(&r, packed);
        for (size_t limit = 50; limit < whole.size; limit += limit) {
            struct memory_file file = {.limit = limit, .error = -ENOSPC};
            struct trace_output output = memory_file_output(&file);
            struct jsonl_writer *w;
            int error = jsonl_writer_create(scenario_header(), &output, packed, NULL, &w);
            if (!error) {
                give_all(&r, jsonl_writer_sink(w));
                assert_int_equal(jsonl_writer_finish(w, false), -ENOSPC);
                jsonl_writer_destroy(w);
            }
            assert_int_equal(error ? error : -ENOSPC, -ENOSPC);
            assert_int_equal(file.reports, !error);
            assert_memory_equal(file.bytes, whole.bytes, limit);
            memory_file_free(&file);
        }
        memory_file_free(&whole);
    }
    recorder_free(&r);
}

static void test_failing_allocations(void **state) {
    struct recorder r;
    record(6, 300, &r);
    for (uint64_t n = 1;; n++) {
        struct inject inject = {.fail_at[INJECT_ALLOC] = n};
        struct memory_file file = {0};
        struct trace_output output = memory_file_output(&file);
        struct jsonl_writer *w = NULL;
        int error = jsonl_writer_create(scenario_header(), &output, false, &inject, &w);
        if (!error) {
            give_all(&r, jsonl_writer_sink(w));
            error = jsonl_writer_finish(w, false);
            assert_int_equal(file.reports, error ? 1 : 0);
        }
        jsonl_writer_destroy(w);
        memory_file_free(&file);
        if (!error)
            break;
        assert_int_equal(error, -ENOMEM);
    }
    recorder_free(&r);
}

/* ---- files ---- */

static struct memory_file contents_of(const char *path) {
    struct memory_file file = {0};
    char bytes[4096];
    size_t n;
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    while ((n = fread(bytes, 1, sizeof bytes, stream)))
        memory_file_write(&file, bytes, n);
    fclose(stream);
    return file;
}

static void write_trace(const char *path, const struct recorder *r, bool finish) {
    struct trace_file *file;
    assert_int_equal(trace_file_create(path, scenario_header(), NULL, NULL, NULL, &file), 0);
    give_all(r, trace_file_sink(file));
    assert_int_equal(finish ? trace_file_finish(file, false) : trace_file_flush(file), 0);
    trace_file_destroy(file);
}

static void assert_same_contents(const char *path, const struct memory_file *expected) {
    struct memory_file file = contents_of(path);
    assert_int_equal(file.size, expected->size);
    assert_memory_equal(file.bytes, expected->bytes, file.size);
    memory_file_free(&file);
}

static void test_conversion_gives_the_same_lines(void **state) {
    char folder[] = "/tmp/thimble-test-XXXXXX", native[64], lines[64], packed[64];
    struct recorder r;
    record(9, EVENTS, &r);
    struct memory_file expected = lines_of(&r, false), expected_packed = lines_of(&r, true);
    assert_non_null(mkdtemp(folder));
    snprintf(native, sizeof native, "%s/trace", folder);
    snprintf(lines, sizeof lines, "%s/trace.jsonl", folder);
    snprintf(packed, sizeof packed, "%s/trace.jsonl.zst", folder);
    write_trace(native, &r, true);
    assert_int_equal(trace_convert(native, lines), 0);
    assert_same_contents(lines, &expected);
    write_trace(lines, &r, true);
    assert_same_contents(lines, &expected);
    write_trace(packed, &r, true);
    assert_same_contents(packed, &expected_packed);
    assert_int_equal(trace_convert(native, native), -EINVAL);
    assert_int_equal(trace_convert(lines, lines), -EEXIST);
    assert_int_equal(trace_convert(lines, packed), -ENOTSUP);
    assert_int_equal(trace_convert(packed, lines), -ENOTSUP);
    assert_int_equal(trace_convert(native, "/nonexistent/x.jsonl"), -ENOENT);
    /* A trace that was cut: the lines lack the last one. */
    write_trace(native, &r, false);
    assert_int_equal(trace_convert(native, lines), 0);
    struct memory_file cut = contents_of(lines);
    assert_true(cut.size < expected.size && cut.size > expected.size - 100);
    assert_memory_equal(cut.bytes, expected.bytes, cut.size);
    memory_file_free(&cut);
    unlink(native);
    unlink(lines);
    unlink(packed);
    rmdir(folder);
    memory_file_free(&expected);
    memory_file_free(&expected_packed);
    recorder_free(&r);
}

static void test_format_by_name(void **state) {
    assert_int_equal(trace_format_of("a.jsonl"), TRACE_JSONL);
    assert_int_equal(trace_format_of("a.jsonl.zst"), TRACE_JSONL_ZST);
    assert_int_equal(trace_format_of("a.zst"), TRACE_NATIVE);
    assert_int_equal(trace_format_of("jsonl"), TRACE_NATIVE);
    assert_int_equal(trace_format_of("a.jsonl.thimble"), TRACE_NATIVE);
    assert_int_equal(trace_format_of(""), TRACE_NATIVE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_line_says_its_event),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_packed_lines_are_the_same_lines),
        cmocka_unit_test(test_full_disk_is_reported_once),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_conversion_gives_the_same_lines),
        cmocka_unit_test(test_format_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
