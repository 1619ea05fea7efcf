/* Bad traces: each is refused, or shown as far as it goes, with a sentence that says what is wrong. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cmocka.h>

#include "base/base.h"
#include "scenario.h"
#include "trace/block.h"
#include "trace/explain.h"
#include "trace/file.h"

static char folder[] = "/tmp/thimble-test-XXXXXX";
static char path[64]; /* of the file that is looked at */

static int set_up(void **state) {
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/trace", folder);
    return 0;
}

static int tear_down(void **state) {
    return rmdir(folder);
}

/* ---- files ---- */

static void write_bytes(const void *bytes, size_t length, bool append) {
    FILE *file = fopen(path, append ? "ab" : "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static void record(const char *name, bool finish) {
    static struct scenario s;
    struct trace_file *file;
    assert_int_equal(trace_file_create(name, scenario_header(), NULL, NULL, NULL, &file), 0);
    scenario_start(&s, 7, trace_file_sink(file));
    scenario_run(&s, 20000);
    scenario_stop(&s);
    if (finish)
        assert_int_equal(trace_file_finish(file, false), 0);
    trace_file_destroy(file);
}

static void assert_refused(int error, const char *expected) {
    struct film *film;
    struct text text = {0};
    char sentence[400];
    assert_int_equal(film_open(path, &film), error);
    explain_refusal(&text, path, error);
    snprintf(sentence, sizeof sentence, "%s: %s", path, expected);
    text_bytes(&text, "", 1);
    assert_string_equal(text.bytes, sentence);
    text_free(&text);
    remove(path);
}

/* ---- refused ---- */

static void test_no_trace(void **state) {
    assert_refused(-ENOENT, "No such file or directory");
    write_bytes("", 0, false);
    assert_refused(-ENODATA, "the file is empty");
    write_bytes("#!/bin/sh\n", 10, false);
    assert_refused(-EBADMSG, "not a trace: run a program with --trace FILE to record one");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(-EISDIR, "Is a directory");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(-ESPIPE, "not a file but a stream, which cannot be wound to and fro: save it first");
}

static void test_json_lines(void **state) {
    const char *advice =
        "this is a trace in JSON lines, which cannot be wound to and fro: record it with a name "
        "that does not end in .jsonl or .jsonl.zst";
    static const char *const ends[] = {".jsonl", ".jsonl.zst"};
    for (size_t i = 0; i < ARRAY_LENGTH(ends); i++) {
        char name[80];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        record(name, true);
        assert_int_equal(rename(name, path), 0);
        assert_refused(-ENOTSUP, advice);
    }
}

/* A file of another layout, and one whose header says that its events mean something else. */
static void test_other_versions(void **state) {
    struct block_opening opening = block_opening();
    opening.version = 7;
    write_bytes(&opening, sizeof opening, false);
    assert_refused(-EPROTO,
                   "it is a trace of format 7, and this Thimble reads format 1: use the newer Thimble that "
                   "recorded it");
    opening.version = 0;
    write_bytes(&opening, sizeof opening, false);
    assert_refused(-EPROTO,
                   "it is a trace of format 0, and this Thimble reads format 1: record it again, or use the "
                   "Thimble that recorded it");
    opening = block_opening();
    opening.byte_order = 0x04030201;
    write_bytes(&opening, sizeof opening, false);
    assert_refused(-EPROTO, "it is a trace from a machine with another byte order");

    static const char json[] = "{\"thimble_trace\":3,\"frames\":9}";
    char packed[100];
    size_t size = ZSTD_compress(packed, sizeof packed, json, strlen(json), 1);
    struct block_head head = block_head(BLOCK_HEADER, 0, 0, strlen(json), size);
    opening = block_opening();
    write_bytes(&opening, sizeof opening, false);
    write_bytes(&head, sizeof head, true);
    write_bytes(packed, size, true);
    assert_refused(-EPROTO,
                   "it is a trace of format 3, and this Thimble reads format 1: use the newer Thimble that "
                   "recorded it");
}

static void test_cut_in_the_header(void **state) {
    record(path, true);
    assert_int_equal(truncate(path, 50), 0);
    assert_refused(-EBADMSG, "the trace is damaged, or was cut before its first event");
}

/* ---- shown as far as they go ---- */

static void assert_says(struct text *text, const char *expected) {
    text_bytes(text, "", 1);
    assert_string_equal(text->bytes, expected);
    text_free(text);
}

static void test_cut_trace(void **state) {
    struct film *film;
    struct text text = {0};
    const struct fold *f;
    record(path, false); /* the machine was killed: the last block is missing */
    assert_int_equal(film_open(path, &film), 0);
    assert_true(film_is_cut(film));
    assert_int_equal(film_events(film), BLOCK_EVENTS);
    assert_int_equal(film_state(film, BLOCK_EVENTS, &f), 0);
    assert_true(explain_cut(&text, film));
    assert_says(&text, "the trace is cut: it ends after event 16384, and what happened then is not known");
    assert_false(explain_complaint(&text, film));
    film_destroy(film);
    assert_int_equal(truncate(path, 1000), 0);
    assert_int_equal(film_open(path, &film), 0);
    assert_true(explain_cut(&text, film));
    assert_says(&text, "the trace is cut: it has no events, and what happened then is not known");
    film_destroy(film);
    record(path, true);
    assert_int_equal(film_open(path, &film), 0);
    assert_false(explain_cut(&text, film));
    film_destroy(film);
    remove(path);
}

/* Two events that cannot be: both are counted, the first is named, the rest is shown. */
static void test_event_that_does_not_follow(void **state) {
    static struct scenario s;
    struct recorder r = recorder();
    struct film *film;
    struct text text = {0};
    scenario_start(&s, 7, &r.sink);
    scenario_run(&s, 5000);
    s.trace.pid = 7;
    uint64_t n = s.trace.sequence + 1;
    trace_emit(&s.trace, EVENT_PTE, 0, 9999, 1, 0, 0, 0);
    scenario_run(&s, 6000);
    trace_emit(&s.trace, EVENT_FRAME, 0, 5000, 0, 0, 0, 0);
    scenario_stop(&s);
    assert_int_equal(film_create(scenario_header(), &film), 0);
    assert_int_equal(film_append(film, r.events, r.count), 0);
    const char *why;
    uint64_t found, count;
    char sentence[300];
    assert_int_equal(film_complaint(film, &found, &why, &count), 0);
    assert_int_equal(found, n);
    assert_true(explain_complaint(&text, film));
    snprintf(
        sentence, sizeof sentence,
        "event %lu (pte, PID 7) does not follow from the events before it: an unknown address space (and %lu "
        "more after it)",
        (unsigned long)n, (unsigned long)count - 1);
    assert_says(&text, sentence);
    assert_true(count >= 2);
    film_destroy(film);
    recorder_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_trace),       cmocka_unit_test(test_json_lines),
        cmocka_unit_test(test_other_versions), cmocka_unit_test(test_cut_in_the_header),
        cmocka_unit_test(test_cut_trace),      cmocka_unit_test(test_event_that_does_not_follow),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
