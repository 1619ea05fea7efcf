/* Feeds the fuzz target one good input of each sort, cut everywhere and damaged at random. With a folder as
 * argument it writes the good inputs there instead, as a corpus for the fuzzer to start from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "fuzz-reader.h"
#include "memory-file.h"
#include "scenario.h"
#include "trace/writer.h"

enum { EVENTS = 300, DAMAGED = 1500 };

static struct memory_file inputs[FUZZ_INPUTS];

static void append(struct memory_file *file, const void *bytes, size_t length) {
    memory_file_write(file, bytes, length);
}

static void make_file(const struct recorder *r) {
    struct trace_output output = memory_file_output(&inputs[FUZZ_FILE]);
    struct trace_writer *w;
    if (trace_writer_create(scenario_header(), &output, NULL, &w))
        abort();
    struct trace_sink *sink = trace_writer_sink(w);
    for (size_t i = 0; i < r->count; i++)
        sink->receive(sink, &r->events[i]);
    if (trace_writer_finish(w, false))
        abort();
    trace_writer_destroy(w);
}

static void make_checkpoint(const struct recorder *r) {
    struct fold *f = fold_create(NULL);
    void *bytes;
    size_t size;
    for (size_t i = 0; f && i < r->count; i++)
        if (fold_apply(f, &r->events[i]))
            abort();
    if (!f || fold_save(f, &bytes, &size))
        abort();
    append(&inputs[FUZZ_CHECKPOINT], bytes, size);
    free(bytes);
    fold_destroy(f);
}

static void make_header(void) {
    struct text json = {0};
    trace_header_put(&json, scenario_header());
    append(&inputs[FUZZ_HEADER], json.bytes, json.length);
    text_free(&json);
}

static void make_inputs(void) {
    static struct scenario s;
    struct recorder r = recorder();
    scenario_start(&s, 77, &r.sink);
    scenario_run(&s, EVENTS);
    scenario_stop(&s);
    for (int i = 0; i < FUZZ_INPUTS; i++)
        append(&inputs[i], (char[]){(char)i}, 1);
    make_file(&r);
    make_checkpoint(&r);
    append(&inputs[FUZZ_EVENTS], r.events, r.count * sizeof *r.events);
    make_header();
    recorder_free(&r);
}

static void feed(const char *bytes, size_t size) {
    uint8_t *exact = malloc(size + !size); /* so that reading beyond the end is seen */
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    assert_int_equal(LLVMFuzzerTestOneInput(exact, size), 0);
    free(exact);
}

static void test_cut_inputs(void **state) {
    for (int i = 0; i < FUZZ_INPUTS; i++)
        for (size_t size = 0; size <= inputs[i].size; size += 1 + inputs[i].size / 700)
            feed(inputs[i].bytes, size);
}

static void test_damaged_inputs(void **state) {
    static const uint64_t interesting[] = {0, 1, 255, 4096, UINT32_MAX, 1ULL << 32, 1ULL << 63, UINT64_MAX};
    struct rng rng = {19};
    for (int i = 0; i < FUZZ_INPUTS; i++)
        for (int round = 0; round < DAMAGED; round++) {
            size_t at = 1 + rng_below(&rng, inputs[i].size - 9);
            char kept[8];
            memcpy(kept, inputs[i].bytes + at, sizeof kept);
            size_t width = 1ULL << rng_below(&rng, 4);
            memcpy(inputs[i].bytes + at, &interesting[rng_below(&rng, ARRAY_LENGTH(interesting))], width);
            feed(inputs[i].bytes, inputs[i].size);
            memcpy(inputs[i].bytes + at, kept, sizeof kept);
        }
}

static int write_corpus(const char *folder) {
    for (int i = 0; i < FUZZ_INPUTS; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/input-%d", folder, i);
        FILE *stream = fopen(path, "wb");
        if (!stream || fwrite(inputs[i].bytes, 1, inputs[i].size, stream) != inputs[i].size ||
            fclose(stream)) {
            perror(path);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_inputs),
        cmocka_unit_test(test_damaged_inputs),
    };
    make_inputs();
    int result = argc > 1 ? write_corpus(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
    for (int i = 0; i < FUZZ_INPUTS; i++)
        memory_file_free(&inputs[i]);
    return result;
}
