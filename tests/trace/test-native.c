/* The native trace file: what is written is read back, from anywhere, and as far as it goes when it was cut
 * or damaged. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>
#include <zstd.h>

#include <cmocka.h>

#include "memory-file.h"
#include "scenario.h"
#include "trace/block.h"
#include "trace/file.h"
#include "trace/writer.h"

enum { EVENTS = 10 * BLOCK_EVENTS };

/* One scenario, recorded and written, for all tests; nobody changes it. */
static struct recorder recorded;
static struct memory_file written;

static void record(uint64_t seed, uint64_t events, struct recorder *r, struct memory_file *file) {
    static struct scenario s;
    struct trace_writer *w;
    struct trace_output output = memory_file_output(file);
    *r = recorder();
    scenario_start(&s, seed, &r->sink);
    scenario_run(&s, events);
    scenario_stop(&s);
    assert_int_equal(trace_writer_create(scenario_header(), &output, NULL, &w), 0);
    struct trace_sink *sink = trace_writer_sink(w);
    for (size_t i = 0; i < r->count; i++)
        sink->receive(sink, &r->events[i]);
    trace_writer_finish(w, true);
    trace_writer_destroy(w);
}

static int set_up(void **state) {
    record(42, EVENTS, &recorded, &written);
    return 0;
}

static int tear_down(void **state) {
    recorder_free(&recorded);
    memory_file_free(&written);
    return 0;
}

static struct trace_reader *reader_of(struct memory_file *file) {
    struct trace_reader *r;
    struct trace_source source = memory_file_source(file);
    assert_int_equal(trace_reader_create(&source, &r), 0);
    return r;
}

static void assert_reads_back(struct trace_reader *r, uint64_t events) {
    struct event e;
    assert_int_equal(trace_reader_events(r), events);
    trace_reader_seek(r, 1);
    for (size_t i = 0; i < events; i++) {
        assert_int_equal(trace_reader_next(r, &e), 1);
        assert_memory_equal(&e, &recorded.events[i], sizeof e);
    }
    assert_int_equal(trace_reader_next(r, &e), 0);
}

static void test_round_trip(void **state) {
    struct trace_reader *r = reader_of(&written);
    const struct trace_header *h = trace_reader_header(r), *expected = scenario_header();
    assert_true(trace_reader_is_complete(r));
    assert_true(trace_reader_limits_of_determinism(r));
    assert_reads_back(r, recorded.count);
    assert_int_equal(h->frames, expected->frames);
    assert_int_equal(h->seed, expected->seed);
    assert_true(h->deterministic);
    assert_string_equal(h->policy, expected->policy);
    assert_int_equal(h->argument_count, expected->argument_count);
    for (int i = 0; i < h->argument_count; i++)
        assert_string_equal(h->arguments[i], expected->arguments[i]);
    trace_reader_destroy(r);
}

static void test_seeking_gives_the_same_state_as_replaying(void **state) {
    struct trace_reader *r = reader_of(&written);
    struct fold *replayed = fold_create(NULL), *sought;
    struct event e;
    for (uint64_t n = 0; n <= recorded.count; n++) {
        if (n)
            assert_int_equal(fold_apply(replayed, &recorded.events[n - 1]), 0);
        bool at_border = n % BLOCK_EVENTS <= 1 || n % BLOCK_EVENTS == BLOCK_EVENTS - 1;
        if (!at_border && n % 7919 && n != recorded.count)
            continue;
        assert_int_equal(trace_reader_state(r, n, &sought), 0);
        assert_int_equal(sought->sequence, n);
        scenario_assert_same(sought, replayed);
        fold_destroy(sought);
        assert_int_equal(trace_reader_next(r, &e), n < recorded.count); /* stands behind it */
        assert_true(n == recorded.count || e.sequence == n + 1);
    }
    assert_int_equal(trace_reader_state(r, recorded.count + 1, &sought), -EINVAL);
    fold_destroy(replayed);
    trace_reader_destroy(r);
}

/* A source that counts what is read of it. */
struct counting {
    struct memory_file *file;
    uint64_t bytes;
};

static int counting_read(void *context, uint64_t offset, void *bytes, size_t length) {
    struct counting *c = context;
    c->bytes += length;
    return memory_file_read(c->file, offset, bytes, length);
}

static void test_seeking_does_not_read_what_precedes(void **state) {
    struct counting counting = {&written, 0};
    struct trace_source source = {counting_read, &counting, written.size};
    struct trace_reader *r;
    struct fold *f;
    assert_int_equal(trace_reader_create(&source, &r), 0);
    assert_true(counting.bytes < written.size / 50);
    counting.bytes = 0;
    assert_int_equal(trace_reader_state(r, 8 * BLOCK_EVENTS + 5, &f), 0);
    assert_int_equal(f->sequence, 8 * BLOCK_EVENTS + 5);
    assert_true(counting.bytes < written.size / 5);
    fold_destroy(f);
    trace_reader_destroy(r);
}

static void test_same_events_give_the_same_bytes(void **state) {
    struct recorder again;
    struct memory_file file = {0};
    record(42, EVENTS, &again, &file);
    assert_int_equal(file.size, written.size);
    assert_memory_equal(file.bytes, written.bytes, file.size);
    memory_file_free(&file);
    recorder_free(&again);
}

/* Wherever a file is cut: it is not complete, and all whole blocks are read. */
static void test_cut_file_is_read_up_to_the_cut(void **state) {
    struct rng rng = {5};
    uint64_t before = 0;
    for (size_t cut = 400; cut < written.size; cut += 1 + rng_below(&rng, written.size / 40)) {
        struct memory_file file = {.bytes = written.bytes, .size = cut};
        struct trace_reader *r = reader_of(&file);
        struct event e;
        uint64_t events = trace_reader_events(r);
        assert_false(trace_reader_is_complete(r));
        assert_false(trace_reader_limits_of_determinism(r));
        assert_true(events >= before && (events % BLOCK_EVENTS == 0 || events == recorded.count));
        trace_reader_seek(r, events);
        assert_int_equal(trace_reader_next(r, &e), events ? 1 : 0);
        assert_true(!events || memcmp(&e, &recorded.events[events - 1], sizeof e) == 0);
        assert_int_equal(trace_reader_next(r, &e), 0);
        trace_reader_destroy(r);
        before = events;
    }
    assert_true(before > EVENTS / 2);
}

/* A crash: what had been collected is written as it is, and read like any other block. */
static void test_rescued_events_are_read(void **state) {
    struct memory_file file = {0};
    struct trace_output output = memory_file_output(&file);
    struct trace_writer *w;
    enum { RESCUED = BLOCK_EVENTS + 5000 };
    assert_int_equal(trace_writer_create(scenario_header(), &output, NULL, &w), 0);
    for (size_t i = 0; i < RESCUED; i++)
        trace_writer_sink(w)->receive(trace_writer_sink(w), &recorded.events[i]);
    trace_writer_rescue(w);
    size_t size = file.size;
    trace_writer_rescue(w); /* a crash within the crash */
    assert_int_equal(file.size, size);
    struct trace_reader *r = reader_of(&file);
    assert_false(trace_reader_is_complete(r));
    assert_reads_back(r, RESCUED);
    trace_reader_destroy(r);
    trace_writer_destroy(w);
    memory_file_free(&file);
}

static void test_what_is_no_trace_is_refused(void **state) {
    struct trace_reader *r;
    struct block_opening opening = block_opening();
    for (size_t cut = 1; cut < sizeof opening + sizeof(struct block_head); cut++) {
        struct memory_file file = {.bytes = written.bytes, .size = cut};
        struct trace_source source = memory_file_source(&file);
        assert_int_equal(trace_reader_create(&source, &r), -EBADMSG);
    }
    char text[200] = "#!/bin/sh\n";
    struct memory_file file = {0}, empty = file;
    struct trace_source nothing = memory_file_source(&empty);
    assert_int_equal(trace_reader_create(&nothing, &r), -ENODATA);
    file = (struct memory_file){.bytes = text, .size = sizeof text};
    struct trace_source source = memory_file_source(&file);
    assert_int_equal(trace_reader_create(&source, &r), -EBADMSG);
    opening.version++;
    memcpy(text, &opening, sizeof opening);
    assert_int_equal(trace_reader_create(&source, &r), -EPROTO);
    assert_int_equal(trace_reader_open("/nonexistent/trace", &r), -ENOENT);
    assert_int_equal(trace_reader_open("/", &r), -EISDIR);
    assert_int_equal(trace_reader_open("/dev/null", &r), -ESPIPE);
}

/* The head of the n-th block of a kind. */
static char *block_in(struct memory_file *file, enum block_kind kind, int n) {
    for (size_t at = sizeof(struct block_opening); at < file->size;) {
        struct block_head head;
        memcpy(&head, file->bytes + at, sizeof head);
        if (head.kind == kind && n-- == 0)
            return file->bytes + at;
        at += sizeof head + head.packed;
    }
    return NULL;
}

static struct memory_file copy_of_written(void) {
    struct memory_file copy = {.size = written.size, .bytes = malloc(written.size)};
    assert_non_null(copy.bytes);
    memcpy(copy.bytes, written.bytes, copy.size);
    return copy;
}

static void test_damaged_block_of_events_is_noticed(void **state) {
    struct memory_file file = copy_of_written();
    struct event e;
    block_in(&file, BLOCK_OF_EVENTS, 3)[sizeof(struct block_head) + 500] ^= 0x10;
    struct trace_reader *r = reader_of(&file);
    trace_reader_seek(r, 3 * BLOCK_EVENTS);
    assert_int_equal(trace_reader_next(r, &e), 1);
    assert_int_equal(trace_reader_next(r, &e), -EBADMSG);
    assert_int_equal(trace_reader_next(r, &e), -EBADMSG);
    trace_reader_seek(r, 4 * BLOCK_EVENTS + 1);
    assert_int_equal(trace_reader_next(r, &e), 1);
    assert_int_equal(e.sequence, 4 * BLOCK_EVENTS + 1);
    trace_reader_destroy(r);
    memory_file_free(&file);
}

static void test_damaged_checkpoint_is_replayed_around(void **state) {
    struct memory_file file = copy_of_written();
    struct fold *f, *sound;
    char *checkpoint = block_in(&file, BLOCK_CHECKPOINT, 1);
    assert_non_null(checkpoint);
    checkpoint[sizeof(struct block_head) + 100] ^= 0x10;
    struct trace_reader *r = reader_of(&file), *sound_reader = reader_of(&written);
    assert_int_equal(trace_reader_state(r, 9 * BLOCK_EVENTS, &f), 0);
    assert_int_equal(trace_reader_state(sound_reader, 9 * BLOCK_EVENTS, &sound), 0);
    scenario_assert_same(f, sound);
    fold_destroy(f);
    fold_destroy(sound);
    trace_reader_destroy(r);
    trace_reader_destroy(sound_reader);
    memory_file_free(&file);
}

static void test_damaged_index_is_found_again(void **state) {
    struct memory_file file = copy_of_written();
    block_in(&file, BLOCK_INDEX, 0)[sizeof(struct block_head) + 10] ^= 0x10;
    struct trace_reader *r = reader_of(&file);
    assert_false(trace_reader_is_complete(r));
    assert_reads_back(r, recorded.count);
    trace_reader_destroy(r);
    memory_file_free(&file);
}

/* A block that is missing: nothing behind it can be told apart from what it held. */
static void test_gap_ends_the_trace(void **state) {
    struct memory_file file = copy_of_written();
    char *gap = block_in(&file, BLOCK_OF_EVENTS, 3), *behind = block_in(&file, BLOCK_OF_EVENTS, 4);
    assert_true(behind > gap);
    memmove(gap, behind, (size_t)(file.bytes + file.size - behind));
    file.size -= (size_t)(behind - gap);
    struct trace_reader *r = reader_of(&file);
    assert_false(trace_reader_is_complete(r));
    assert_reads_back(r, 3 * BLOCK_EVENTS);
    trace_reader_destroy(r);
    memory_file_free(&file);
}

/* Whatever byte is changed: errors or events, nothing worse. */
/* Whole blocks, good checksums, and an event that is missing between two others. */
static void test_missing_event_is_noticed(void **state) {
    struct memory_file file = {0};
    struct trace_output output = memory_file_output(&file);
    struct trace_writer *w;
    struct event e;
    assert_int_equal(trace_writer_create(scenario_header(), &output, NULL, &w), 0);
    for (size_t i = 0; i < 1000; i++)
        if (i != 500)
            trace_writer_sink(w)->receive(trace_writer_sink(w), &recorded.events[i]);
    assert_int_equal(trace_writer_finish(w, false), 0);
    trace_writer_destroy(w);
    struct trace_reader *r = reader_of(&file);
    for (size_t i = 0; i < 500; i++)
        assert_int_equal(trace_reader_next(r, &e), 1);
    assert_int_equal(trace_reader_next(r, &e), -EBADMSG);
    trace_reader_destroy(r);
    memory_file_free(&file);
}

static void test_any_damage_does_no_harm(void **state) {
    struct recorder r;
    struct memory_file file = {0};
    struct rng rng = {3};
    record(8, 600, &r, &file);
    for (int i = 0; i < 4000; i++) {
        size_t at = rng_below(&rng, file.size);
        char was = file.bytes[at];
        struct trace_source source = memory_file_source(&file);
        struct trace_reader *reader;
        struct fold *f;
        file.bytes[at] = (char)rng_next(&rng);
        if (trace_reader_create(&source, &reader) == 0) {
            if (trace_reader_state(reader, trace_reader_events(reader), &f) == 0)
                fold_destroy(f);
            trace_reader_destroy(reader);
        }
        file.bytes[at] = was;
    }
    memory_file_free(&file);
    recorder_free(&r);
}

static void test_full_disk_is_reported_once(void **state) {
    for (size_t limit = 1; limit < written.size; limit += 1 + limit / 3) {
        struct memory_file file = {.limit = limit, .error = -ENOSPC};
        struct trace_output output = memory_file_output(&file);
        struct trace_writer *w;
        int error = trace_writer_create(scenario_header(), &output, NULL, &w);
        if (error) { /* not even the header: that is the result, and no report */
            assert_int_equal(error, -ENOSPC);
            assert_int_equal(file.reports, 0);
            memory_file_free(&file);
            continue;
        }
        struct trace_sink *sink = trace_writer_sink(w);
        for (size_t i = 0; i < recorded.count; i++)
            sink->receive(sink, &recorded.events[i]);
        assert_int_equal(trace_writer_finish(w, false), -ENOSPC);
        assert_int_equal(trace_writer_finish(w, false), -ENOSPC);
        assert_int_equal(file.reports, 1);
        assert_int_equal(file.reported, -ENOSPC);
        assert_int_equal(file.size, limit);
        assert_memory_equal(file.bytes, written.bytes, limit);
        trace_writer_destroy(w);
        memory_file_free(&file);
    }
}

static void count_report(void *context, int error) {
    (*(int *)context)++;
}

static void test_dev_full(void **state) {
    struct trace_file *file;
    int reports = 0;
    assert_int_equal(trace_file_create("/dev/full", scenario_header(), count_report, &reports, NULL, &file),
                     -ENOSPC);
    assert_int_equal(reports, 0);
    assert_int_equal(trace_file_create("/nonexistent/x", scenario_header(), NULL, NULL, NULL, &file),
                     -ENOENT);
}

static void test_failing_allocations(void **state) {
    for (uint64_t n = 1;; n++) {
        struct inject inject = {.fail_at[INJECT_ALLOC] = n};
        struct memory_file file = {0};
        struct trace_output output = memory_file_output(&file);
        struct trace_writer *w = NULL;
        int error = trace_writer_create(scenario_header(), &output, &inject, &w);
        if (!error) {
            struct trace_sink *sink = trace_writer_sink(w);
            for (size_t i = 0; i < 400; i++)
                sink->receive(sink, &recorded.events[i]);
            error = trace_writer_finish(w, false);
            assert_int_equal(file.reports, error ? 1 : 0);
        }
        trace_writer_destroy(w);
        memory_file_free(&file);
        if (!error) {
            assert_true(inject.calls[INJECT_ALLOC] < n);
            break;
        }
        assert_int_equal(error, -ENOMEM);
    }
}

/* The promise of block.h: any zstd can unpack a trace; header and events are in it as they are. */
static void test_zstd_unpacks_it(void **state) {
    struct recorder r;
    struct memory_file file = {0};
    record(8, 600, &r, &file);
    size_t size = r.count * sizeof(struct event), room = size + 100000;
    char *plain = malloc(room);
    size_t unpacked = ZSTD_decompress(plain, room, file.bytes, file.size);
    assert_false(ZSTD_isError(unpacked));
    char *line_end = memchr(plain, '\n', unpacked);
    assert_non_null(line_end);
    assert_memory_equal(plain, "{\"thimble_trace\":1,", 19);
    assert_memory_equal(line_end + 1, r.events, size);
    free(plain);
    memory_file_free(&file);
    recorder_free(&r);
}

static void test_empty_trace(void **state) {
    struct memory_file file = {0};
    struct trace_output output = memory_file_output(&file);
    struct trace_writer *w;
    struct event e;
    struct fold *f;
    assert_int_equal(trace_writer_create(scenario_header(), &output, NULL, &w), 0);
    assert_int_equal(trace_writer_finish(w, false), 0);
    trace_writer_destroy(w);
    struct trace_reader *r = reader_of(&file);
    assert_true(trace_reader_is_complete(r));
    assert_int_equal(trace_reader_next(r, &e), 0);
    assert_int_equal(trace_reader_state(r, 0, &f), 0);
    assert_int_equal(f->sequence, 0);
    fold_destroy(f);
    trace_reader_destroy(r);
    memory_file_free(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_seeking_gives_the_same_state_as_replaying),
        cmocka_unit_test(test_seeking_does_not_read_what_precedes),
        cmocka_unit_test(test_same_events_give_the_same_bytes),
        cmocka_unit_test(test_cut_file_is_read_up_to_the_cut),
        cmocka_unit_test(test_rescued_events_are_read),
        cmocka_unit_test(test_what_is_no_trace_is_refused),
        cmocka_unit_test(test_damaged_block_of_events_is_noticed),
        cmocka_unit_test(test_damaged_checkpoint_is_replayed_around),
        cmocka_unit_test(test_damaged_index_is_found_again),
        cmocka_unit_test(test_gap_ends_the_trace),
        cmocka_unit_test(test_missing_event_is_noticed),
        cmocka_unit_test(test_any_damage_does_no_harm),
        cmocka_unit_test(test_full_disk_is_reported_once),
        cmocka_unit_test(test_dev_full),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_zstd_unpacks_it),
        cmocka_unit_test(test_empty_trace),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
