/* See writer.h and block.h. The fold follows a block behind: events go through it when they are written, so
 * that receiving one is a copy of 64 bytes. */
#include "trace/writer.h"

#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "trace/block.h"
#include "trace/fold.h"

enum {
    WRITER_LEVEL = 1,                     /* zstd's fastest but the negative ones */
    CHECKPOINT_EVENTS = 4 * BLOCK_EVENTS, /* at least so many between two checkpoints … */
    CHECKPOINT_RATIO = 4,                 /* … and so many times the bytes of a checkpoint */
};

struct trace_writer {
    struct trace_sink sink;
    struct trace_output output;
    struct inject *inject;
    struct fold *fold; /* after the last event written */
    ZSTD_CCtx *packer;
    void *packed; /* packed_capacity bytes */
    size_t packed_capacity;
    struct event *events; /* BLOCK_EVENTS of them, `count` collected */
    size_t count;
    volatile bool busy; /* a block is being written: for trace_writer_rescue() */
    uint64_t first;     /* sequence of the first collected */
    uint64_t total;     /* events received */
    uint64_t since;     /* events written since the last checkpoint */
    uint64_t save_size; /* bytes of the last checkpoint */
    struct block_place *places;
    size_t place_count, place_capacity;
};

/* ---- blocks ---- */

/* The block at `offset` is whole. */
static int writer_note_place(struct trace_writer *w, uint64_t offset, const struct block_head *head) {
    if (w->place_count == w->place_capacity) {
        size_t capacity = w->place_capacity * 2 + 64;
        struct block_place *places = inject_realloc(w->inject, w->places, capacity, sizeof *places);
        if (!places)
            return -ENOMEM;
        w->places = places;
        w->place_capacity = capacity;
    }
    w->places[w->place_count++] = (struct block_place){
        offset, head->kind, head->first, head->count, head->size, head->packed,
    };
    return 0;
}

static int writer_make_room(struct trace_writer *w, size_t size) {
    size_t bound = ZSTD_compressBound(size);
    if (bound <= w->packed_capacity)
        return 0;
    void *packed = inject_malloc(w->inject, bound);
    if (!packed)
        return -ENOMEM;
    free(w->packed);
    w->packed = packed;
    w->packed_capacity = bound;
    return 0;
}

static void writer_put_block(struct trace_writer *w, enum block_kind kind, uint64_t first, uint64_t count,
                             const void *bytes, size_t size) {
    if (writer_make_room(w, size)) {
        output_cut(&w->output, -ENOMEM);
        return;
    }
    size_t packed = ZSTD_compress2(w->packer, w->packed, w->packed_capacity, bytes, size);
    if (ZSTD_isError(packed)) {
        output_cut(&w->output, -ENOMEM); /* the only way in which it fails with room enough */
        return;
    }
    struct block_head head = block_head(kind, first, count, size, packed);
    uint64_t offset = w->output.written;
    output_write(&w->output, &head, sizeof head);
    output_write(&w->output, w->packed, packed);
    if (!w->output.error && writer_note_place(w, offset, &head))
        output_cut(&w->output, -ENOMEM);
}

static void writer_put_header(struct trace_writer *w, const struct trace_header *header) {
    struct text json = {.inject = w->inject};
    trace_header_put(&json, header);
    text_put(&json, "\n");
    struct block_opening opening = block_opening();
    output_write(&w->output, &opening, sizeof opening);
    if (json.failed)
        output_cut(&w->output, -ENOMEM);
    else
        writer_put_block(w, BLOCK_HEADER, 0, 0, json.bytes, json.length);
    text_free(&json);
}

/* ---- events and checkpoints ---- */

static void writer_put_checkpoint(struct trace_writer *w) {
    void *bytes;
    size_t size;
    if (w->since < CHECKPOINT_EVENTS || w->since * sizeof(struct event) < CHECKPOINT_RATIO * w->save_size)
        return;
    if (fold_save(w->fold, &bytes, &size)) {
        output_cut(&w->output, -ENOMEM);
        return;
    }
    w->save_size = size;
    w->since = 0;
    writer_put_block(w, BLOCK_CHECKPOINT, w->fold->sequence, 0, bytes, size);
    free(bytes);
}

static void writer_put_collected(struct trace_writer *w) {
    for (size_t i = 0; i < w->count; i++) {
        if (fold_apply(w->fold, &w->events[i])) {
            output_cut(&w->output, -ENOMEM);
            return;
        }
    }
    writer_put_block(w, BLOCK_OF_EVENTS, w->first, w->count, w->events, w->count * sizeof *w->events);
    if (w->output.error)
        return;
    w->since += w->count;
    w->count = 0;
    writer_put_checkpoint(w);
}

static void writer_put_events(struct trace_writer *w) {
    w->busy = true;
    writer_put_collected(w);
    w->busy = false;
}

void trace_writer_rescue(struct trace_writer *w) {
    if (w->busy || w->output.error || !w->count)
        return;
    const char *bytes = (const char *)w->events;
    uint64_t size = w->count * sizeof *w->events;
    struct block_head head = block_head(BLOCK_OF_EVENTS, w->first, w->count, size, plain_frame_size(size));
    struct plain_frame frame = plain_frame(size);
    w->output.report = NULL;
    output_write(&w->output, &head, sizeof head);
    output_write(&w->output, &frame, sizeof frame);
    for (uint64_t at = 0; at < size; at += PLAIN_PIECE) {
        uint32_t length = (uint32_t)min_u64(size - at, PLAIN_PIECE);
        struct plain_piece piece = plain_piece(length, at + length == size);
        output_write(&w->output, &piece, sizeof piece);
        output_write(&w->output, bytes + at, length);
    }
    w->busy = true; /* once */
}

int trace_writer_flush(struct trace_writer *w) {
    if (w->count && !w->output.error)
        writer_put_events(w);
    return w->output.error;
}

const struct event *trace_writer_pending(const struct trace_writer *w, uint64_t *ret_first,
                                         size_t *ret_count) {
    *ret_first = w->total - w->count + 1;
    *ret_count = w->count;
    return w->events;
}

const struct block_place *trace_writer_places(const struct trace_writer *w, size_t *ret_count,
                                              uint64_t *ret_size) {
    *ret_count = w->place_count;
    *ret_size = w->output.written;
    return w->places;
}

int trace_writer_error(const struct trace_writer *w) {
    return w->output.error;
}

static void writer_receive(struct trace_sink *sink, const struct event *e) {
    struct trace_writer *w = container_of(sink, struct trace_writer, sink);
    if (unlikely(w->output.error))
        return;
    if (!w->count)
        w->first = e->sequence;
    w->events[w->count++] = *e;
    w->total++;
    if (w->count == BLOCK_EVENTS)
        writer_put_events(w);
}

/* ---- the whole file ---- */

static int writer_allocate(struct trace_writer *w) {
    w->events = inject_malloc(w->inject, BLOCK_EVENTS * sizeof *w->events);
    w->fold = fold_create(w->inject);
    w->packer = ZSTD_createCCtx();
    if (!w->events || !w->fold || !w->packer)
        return -ENOMEM;
    ZSTD_CCtx_setParameter(w->packer, ZSTD_c_compressionLevel, WRITER_LEVEL);
    ZSTD_CCtx_setParameter(w->packer, ZSTD_c_checksumFlag, 1);
    return 0;
}

int trace_writer_create(const struct trace_header *header, const struct trace_output *output,
                        struct inject *inject, struct trace_writer **ret_writer) {
    struct trace_writer *w = inject_calloc(inject, 1, sizeof *w);
    if (!w)
        return -ENOMEM;
    w->sink.receive = writer_receive;
    w->output = *output;
    w->output.report = NULL; /* what goes wrong with the header is this function's result */
    w->inject = inject;
    int error = writer_allocate(w);
    if (!error) {
        writer_put_header(w, header);
        error = w->output.error;
    }
    if (error) {
        trace_writer_destroy(w);
        return error;
    }
    w->output.report = output->report;
    *ret_writer = w;
    return 0;
}

struct trace_sink *trace_writer_sink(struct trace_writer *w) {
    return &w->sink;
}

static void writer_put_index(struct trace_writer *w, bool limits_of_determinism) {
    struct block_totals totals = {w->total, limits_of_determinism};
    struct block_closing closing = block_closing(w->output.written);
    struct text index = {.inject = w->inject};
    text_bytes(&index, w->places, w->place_count * sizeof *w->places);
    text_bytes(&index, &totals, sizeof totals);
    if (index.failed)
        output_cut(&w->output, -ENOMEM);
    else
        writer_put_block(w, BLOCK_INDEX, 0, 0, index.bytes, index.length);
    output_write(&w->output, &closing, sizeof closing);
    text_free(&index);
}

int trace_writer_finish(struct trace_writer *w, bool limits_of_determinism) {
    if (!trace_writer_flush(w))
        writer_put_index(w, limits_of_determinism);
    return w->output.error;
}

void trace_writer_destroy(struct trace_writer *w) {
    if (!w)
        return;
    fold_destroy(w->fold);
    ZSTD_freeCCtx(w->packer);
    free(w->events);
    free(w->packed);
    free(w->places);
    free(w);
}
