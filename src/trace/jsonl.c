/* See jsonl.h. Lines are collected in one text and go out when it is large enough,
 * through zstd when asked. */
#include "trace/jsonl.h"

#include <errno.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/base.h"

enum { JSONL_COLLECT = 1 << 16, JSONL_LEVEL = 1 };

struct jsonl_writer {
    struct trace_sink sink;
    struct trace_output output;
    struct trace_strings strings;
    struct text lines;  /* not written yet */
    uint64_t events;    /* received */
    volatile bool busy; /* lines are being written: for jsonl_writer_rescue() */
    ZSTD_CCtx *packer;  /* NULL: plain text */
    char packed[JSONL_COLLECT];
};

/* Sends the lines through zstd. */
static void jsonl_pack(struct jsonl_writer *w, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in = {w->lines.bytes, w->lines.length, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {w->packed, sizeof w->packed, 0};
        left = ZSTD_compressStream2(w->packer, &out, &in, directive);
        if (ZSTD_isError(left)) {
            output_cut(&w->output, -ENOMEM);
            return;
        }
        output_write(&w->output, w->packed, out.pos);
    } while (directive == ZSTD_e_continue ? in.pos < in.size : left != 0);
}

static void jsonl_send(struct jsonl_writer *w, ZSTD_EndDirective directive) {
    if (w->lines.failed)
        output_cut(&w->output, -ENOMEM);
    if (w->output.error)
        return;
    w->busy = true;
    if (w->packer)
        jsonl_pack(w, directive);
    else
        output_write(&w->output, w->lines.bytes, w->lines.length);
    text_clear(&w->lines);
    w->busy = false;
}

void jsonl_writer_rescue(struct jsonl_writer *w) {
    if (w->busy || w->packer || w->output.error)
        return;
    size_t length = w->lines.length;
    while (length && w->lines.bytes[length - 1] != '\n')
        length--;
    w->output.report = NULL;
    output_write(&w->output, w->lines.bytes, length);
    w->busy = true; /* once */
}

int jsonl_writer_flush(struct jsonl_writer *w) {
    jsonl_send(w, ZSTD_e_flush);
    return w->output.error;
}

static void jsonl_receive(struct trace_sink *sink, const struct event *e) {
    struct jsonl_writer *w = container_of(sink, struct jsonl_writer, sink);
    if (unlikely(w->output.error))
        return;
    w->events++;
    if (e->kind == EVENT_STRING || e->kind == EVENT_STRING_DATA) {
        if (strings_receive(&w->strings, e) == -ENOMEM)
            output_cut(&w->output, -ENOMEM);
        return;
    }
    jsonl_put_event(&w->lines, e, &w->strings);
    if (e->kind == EVENT_OUTPUT) /* nobody refers to it again, and a program may print for ever */
        strings_forget(&w->strings, e->args[0]);
    text_put(&w->lines, "\n");
    if (w->lines.length >= JSONL_COLLECT || w->lines.failed)
        jsonl_send(w, ZSTD_e_continue);
}

static int jsonl_start(struct jsonl_writer *w, const struct trace_header *header, bool packed) {
    if (packed) {
        w->packer = ZSTD_createCCtx();
        if (!w->packer)
            return -ENOMEM;
        ZSTD_CCtx_setParameter(w->packer, ZSTD_c_compressionLevel, JSONL_LEVEL);
        ZSTD_CCtx_setParameter(w->packer, ZSTD_c_checksumFlag, 1);
    }
    trace_header_put(&w->lines, header);
    text_put(&w->lines, "\n");
    return jsonl_writer_flush(w);
}

int jsonl_writer_create(const struct trace_header *header, const struct trace_output *output, bool packed,
                        struct inject *inject, struct jsonl_writer **ret_writer) {
    struct jsonl_writer *w = inject_calloc(inject, 1, sizeof *w);
    if (!w)
        return -ENOMEM;
    w->sink.receive = jsonl_receive;
    w->output = *output;
    w->output.report = NULL; /* what goes wrong with the header is this function's result */
    w->lines.inject = inject;
    w->strings.whole.inject = inject;
    int error = jsonl_start(w, header, packed);
    if (error) {
        jsonl_writer_destroy(w);
        return error;
    }
    w->output.report = output->report;
    *ret_writer = w;
    return 0;
}

struct trace_sink *jsonl_writer_sink(struct jsonl_writer *w) {
    return &w->sink;
}

int jsonl_writer_finish(struct jsonl_writer *w, bool limits_of_determinism) {
    text_put(&w->lines, "{\"end\":true,\"events\":");
    text_number(&w->lines, w->events);
    text_put(&w->lines, ",\"limits_of_determinism\":");
    text_bool(&w->lines, limits_of_determinism);
    text_put(&w->lines, "}\n");
    jsonl_send(w, ZSTD_e_end);
    return w->output.error;
}

void jsonl_writer_destroy(struct jsonl_writer *w) {
    if (!w)
        return;
    ZSTD_freeCCtx(w->packer);
    text_free(&w->lines);
    strings_free(&w->strings);
    free(w);
}
