/* Fuzz target: whatever bytes come from a file, reading them gives events or an error. Built with libFuzzer
 * when the compiler is clang; test-fuzz-reader.c feeds it a corpus of its own with any compiler.
 *
 * The first byte says what the others are, since a mutation rarely survives zstd's checksum: a whole file, a
 * checkpoint, records of events, or a header. */
#include "fuzz-reader.h"

#include "memory-file.h"
#include "trace/jsonl.h"
#include "trace/reader.h"

enum { CHECK_FRAMES = 4096 }; /* fold_check() walks all frames: only in machines that are not larger */

static void check(const struct fold *f) {
    if (f->frame_total <= CHECK_FRAMES && f->swap_pages <= CHECK_FRAMES && fold_check(f))
        abort();
}

static void read_file(struct memory_file *file) {
    struct trace_source source = memory_file_source(file);
    struct trace_reader *r;
    struct event e;
    struct fold *f;
    if (trace_reader_create(&source, &r))
        return;
    while (trace_reader_next(r, &e) == 1)
        ;
    if (trace_reader_state(r, trace_reader_events(r), &f) == 0) {
        check(f);
        fold_destroy(f);
    }
    trace_reader_destroy(r);
}

static void load_checkpoint(const struct memory_file *file) {
    struct fold *f;
    void *bytes;
    size_t size;
    if (fold_load(file->bytes, file->size, NULL, &f))
        return;
    check(f);
    if (fold_save(f, &bytes, &size) == 0)
        free(bytes);
    fold_destroy(f);
}

static void apply_events(const struct memory_file *file) {
    struct fold *f = fold_create(NULL);
    struct text line = {0};
    struct event e;
    int error = f ? 0 : -ENOMEM;
    for (size_t at = 0; !error && file->size - at >= sizeof e; at += sizeof e) {
        memcpy(&e, file->bytes + at, sizeof e);
        error = fold_apply(f, &e);
        text_clear(&line);
        if (!error)
            jsonl_put_event(&line, &e, &f->strings);
    }
    if (!error)
        check(f);
    text_free(&line);
    fold_destroy(f);
}

static void parse_header(const struct memory_file *file) {
    struct trace_header *header;
    if (trace_header_parse(file->bytes, file->size, &header) == 0)
        free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size)
        return 0;
    struct memory_file file = {.bytes = (char *)data + 1, .size = size - 1}; /* only read */
    switch ((enum fuzz_input)(data[0] % FUZZ_INPUTS)) {
    case FUZZ_FILE: read_file(&file); break;
    case FUZZ_CHECKPOINT: load_checkpoint(&file); break;
    case FUZZ_EVENTS: apply_events(&file); break;
    case FUZZ_HEADER: parse_header(&file); break;
    case FUZZ_INPUTS: break;
    }
    return 0;
}
