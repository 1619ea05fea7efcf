/* What the fold keeps for people to see besides the machine's tables: labels, the bytes of frames and slots,
 * the programs' output.
 *
 * Invariants (fold_check() verifies them): slots that are not assigned have no bytes; of the output the last
 * FOLD_OUTPUT bytes are there, and less than as many before them. */
#include <errno.h>

#include "base/base.h"
#include "trace/fold-state.h"

/* ---- labels ---- */

int fold_add_label(struct fold *f, const struct fold_label *label) {
    if (f->label_count == f->label_capacity) {
        size_t capacity = f->label_capacity * 2 + 8;
        struct fold_label *labels = inject_realloc(f->inject, f->labels, capacity, sizeof *labels);
        if (!labels)
            return -ENOMEM;
        f->labels = labels;
        f->label_capacity = capacity;
    }
    f->labels[f->label_count++] = *label;
    return 0;
}

/* ---- bytes of frames and slots ---- */

enum { LINE = 4 * sizeof(uint64_t) }; /* bytes that one event says */

static uint8_t *bytes_get(const struct sparse *contents, uint64_t n) {
    uint8_t **bytes = sparse_get(contents, n);
    return bytes ? *bytes : NULL;
}

/* The bytes of element n, all zero if they were not known. NULL when there is no memory. */
static uint8_t *bytes_touch(struct fold *f, struct sparse *contents, uint64_t n) {
    uint8_t **bytes = sparse_touch(contents, n, f->inject);
    if (bytes && !*bytes)
        *bytes = inject_calloc(f->inject, 1, PAGE_SIZE);
    return bytes ? *bytes : NULL;
}

static void bytes_forget(struct sparse *contents, uint64_t n) {
    uint8_t **bytes = sparse_get(contents, n);
    if (bytes) {
        free(*bytes);
        *bytes = NULL;
    }
}

/* What is known of one becomes what is known of the other. */
static int bytes_copy(struct fold *f, const struct sparse *from, uint64_t from_n, struct sparse *to,
                      uint64_t to_n) {
    const uint8_t *known = bytes_get(from, from_n);
    if (!known) {
        bytes_forget(to, to_n);
        return 0;
    }
    uint8_t *bytes = bytes_touch(f, to, to_n);
    if (!bytes)
        return -ENOMEM;
    memcpy(bytes, known, PAGE_SIZE);
    return 0;
}

int fold_say_content(struct fold *f, uint64_t frame, uint64_t line, const uint64_t words[4]) {
    if (frame >= f->frame_total || line >= PAGE_SIZE / LINE) {
        fold_complain(f, "bytes of a frame beyond the end of memory, or beyond the end of a frame");
        return 0;
    }
    enum event_frame use = fold_frame(f, (uint32_t)frame).use;
    if (use != EVENT_FRAME_ANONYMOUS && use != EVENT_FRAME_CACHE) {
        fold_complain(f, "bytes of a frame that holds no page");
        return 0;
    }
    uint8_t *bytes = bytes_touch(f, &f->contents, frame);
    if (!bytes)
        return -ENOMEM;
    memcpy(bytes + line * LINE, words, LINE);
    return 0;
}

void fold_forget_content(struct fold *f, uint64_t frame) {
    bytes_forget(&f->contents, frame);
}

void fold_forget_slot_content(struct fold *f, uint64_t slot) {
    bytes_forget(&f->slot_contents, slot);
}

int fold_content_to_slot(struct fold *f, uint64_t frame, uint64_t slot) {
    return bytes_copy(f, &f->contents, frame, &f->slot_contents, slot);
}

int fold_content_from_slot(struct fold *f, uint64_t slot, uint64_t frame) {
    return bytes_copy(f, &f->slot_contents, slot, &f->contents, frame);
}

static void contents_free(struct sparse *contents) {
    for (uint64_t i = 0; i < sparse_chunks(contents); i++) {
        uint8_t **chunk = contents->chunks[i];
        for (size_t j = 0; chunk && j < SPARSE_CHUNK; j++)
            free(chunk[j]);
    }
    sparse_free(contents);
}

int fold_load_content(struct fold *f, struct sparse *contents, uint64_t n, const void *bytes) {
    uint8_t *to = bytes_touch(f, contents, n);
    if (!to)
        return -ENOMEM;
    memcpy(to, bytes, PAGE_SIZE);
    return 0;
}

/* ---- output ---- */

static void output_take(struct fold *f, const char *bytes, size_t length) {
    if (f->output_length + length > FOLD_OUTPUT_ROOM) { /* the older half goes */
        memmove(f->output, f->output + f->output_length - FOLD_OUTPUT, FOLD_OUTPUT);
        f->output_length = FOLD_OUTPUT;
    }
    memcpy(f->output + f->output_length, bytes, length);
    f->output_length += length;
}

int fold_add_output(struct fold *f, const char *bytes, uint64_t length) {
    if (!f->output && !(f->output = inject_malloc(f->inject, FOLD_OUTPUT_ROOM)))
        return -ENOMEM;
    f->output_total += length;
    if (length > FOLD_OUTPUT) {
        bytes += length - FOLD_OUTPUT;
        length = FOLD_OUTPUT;
    }
    output_take(f, bytes, (size_t)length);
    return 0;
}

/* A program may print for ever: only the last output's string is kept, for those who tell what happened. */
int fold_print(struct fold *f, uint64_t string) {
    const struct trace_text *text = strings_get(&f->strings, string);
    if (f->output_string != string)
        strings_forget(&f->strings, f->output_string);
    f->output_string = string;
    if (!text) {
        fold_complain(f, "output without its bytes");
        return 0;
    }
    return fold_add_output(f, text->bytes, text->length);
}

void fold_free_shown(struct fold *f) {
    contents_free(&f->contents);
    contents_free(&f->slot_contents);
    free(f->labels);
    free(f->output);
}

/* ---- looking ---- */

const uint8_t *fold_content(const struct fold *f, uint32_t frame) {
    return bytes_get(&f->contents, frame);
}

const uint8_t *fold_slot_content(const struct fold *f, uint32_t slot) {
    return bytes_get(&f->slot_contents, slot);
}

const char *fold_output(const struct fold *f, size_t *ret_length) {
    *ret_length = min_size(f->output_length, FOLD_OUTPUT);
    return f->output ? f->output + f->output_length - *ret_length : "";
}
