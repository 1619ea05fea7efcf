/* The writer of native files. See refs.h and native.h.
 *
 * Items become words in the codec's ring as they come; when its room is full they become columns, and when
 * these are large a block is written. What it keeps is the ring and one block, whatever the length of the
 * trace. */
#include "refs/refs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/base.h"
#include "base/message.h"
#include "refs/check.h"
#include "refs/hash.h"
#include "refs/native.h"
#include "trace/output.h"
#include "trace/text.h"

enum {
    WRITER_LEVEL = 1,                               /* of zstd: the quickest but for the negative ones */
    WRITER_COLUMNS = 1u << 16,                      /* bytes of columns that make a block full … */
    WRITER_EXTRA = 1u << 20,                        /* … or so many of pages, marks and names … */
    WRITER_ITEMS = NATIVE_ITEMS_MOST - CODEC_ITEMS, /* … or items */
};
_Static_assert(WRITER_EXTRA + NATIVE_TEXT + WRITER_COLUMNS + CODEC_ITEMS * CODEC_ITEM_BYTES + 4096 <
                   NATIVE_LIMIT,
               "what the writer makes can be read");

struct refs_writer {
    struct trace_output output;
    int descriptor;
    bool reported; /* the error was returned once */
    struct codec codec;
    struct codec_columns columns;
    uint64_t *words; /* the codec's room: `count` are there that are not yet columns */
    size_t room, count;
    size_t others;        /* of those, items that are no references */
    uint64_t instruction; /* of the last item */
    uint16_t space;       /* of the last item; `run` items of this block are in it, one after the other */
    uint32_t run;
    struct text pages, marks, names, texts; /* of this block: names of objects, texts of marks */
    struct native_counts counts;            /* of this block */
    struct refs_before before;
    struct native_end end;        /* up to now, with what is in this block */
    uint64_t halves[REFS_HALVES]; /* end.halves of them */
    struct refs_hash *hash;
    struct text block; /* unpacked */
    ZSTD_CCtx *packer;
    void *packed;
    size_t packed_capacity;
};

/* ---- blocks ---- */

static int writer_fail(struct refs_writer *w, int error) {
    output_cut(&w->output, error);
    return w->output.error;
}

/* Says what went wrong, once. */
static int writer_report(struct refs_writer *w) {
    if (w->reported)
        return 0;
    w->reported = w->output.error != 0;
    return w->output.error;
}

static int writer_make_room(struct refs_writer *w, size_t size) {
    const size_t bound = ZSTD_compressBound(size);
    if (bound <= w->packed_capacity)
        return 0;
    free(w->packed);
    w->packed_capacity = 0;
    w->packed = malloc(bound);
    if (!w->packed)
        return -ENOMEM;
    w->packed_capacity = bound;
    return 0;
}

/* Packs and writes what is in `block`. */
static int writer_put_block(struct refs_writer *w, enum native_kind kind) {
    if (w->output.error)
        return w->output.error;
    if (w->block.failed || writer_make_room(w, w->block.length))
        return writer_fail(w, -ENOMEM);
    if (w->block.length > NATIVE_LIMIT)
        return writer_fail(w, -E2BIG);
    const size_t packed =
        ZSTD_compress2(w->packer, w->packed, w->packed_capacity, w->block.bytes, w->block.length);
    if (ZSTD_isError(packed))
        return writer_fail(w, -ENOMEM); /* the only way in which it fails with room enough */
    const struct native_head head = {
        .skippable = {SKIPPABLE_HEAD, sizeof head - sizeof head.skippable},
        .kind = kind,
        .size = (uint32_t)w->block.length,
        .packed = (uint32_t)packed,
    };
    output_write(&w->output, &head, sizeof head);
    output_write(&w->output, w->packed, packed);
    return w->output.error;
}

static void block_text(struct refs_writer *w, struct text *part) {
    text_bytes(&w->block, part->bytes, part->length);
    w->block.failed = w->block.failed || part->failed;
    text_clear(part);
}

static size_t columns_size(const struct refs_writer *w) {
    size_t size = 0;
    for (unsigned i = 0; i < COLUMNS; i++)
        size += w->columns.size[i];
    return size;
}

/* The words become columns. */
static void writer_encode(struct refs_writer *w) {
    refs_hash_words(w->hash, w->words, w->count);
    w->end.references += w->count - w->others;
    w->end.items += w->count;
    w->counts.items += (uint32_t)w->count;
    codec_space(&w->columns, w->run, w->space);
    codec_encode(&w->codec, &w->columns, w->count);
    w->words = codec_room(&w->codec, &w->room);
    w->count = w->others = w->run = 0;
}

/* Writes what was collected, unless there is nothing; after an error it goes nowhere. */
static int writer_flush(struct refs_writer *w) {
    writer_encode(w);
    if (!w->counts.items && !w->counts.pages && !w->counts.marks && !w->counts.objects)
        return w->output.error;
    for (unsigned i = 0; i < COLUMNS; i++)
        w->counts.columns[i] = (uint32_t)w->columns.size[i];
    text_clear(&w->block);
    text_bytes(&w->block, &w->counts, sizeof w->counts);
    block_text(w, &w->pages);
    block_text(w, &w->marks);
    for (unsigned i = 0; i < COLUMNS; i++) {
        text_bytes(&w->block, w->columns.bytes[i], w->columns.size[i]);
        w->columns.size[i] = 0;
    }
    block_text(w, &w->names);
    block_text(w, &w->texts);
    w->counts = (struct native_counts){0};
    return writer_put_block(w, NATIVE_ITEMS);
}

static void writer_flush_if_full(struct refs_writer *w) {
    const size_t extra = w->pages.length + w->marks.length + w->names.length + w->texts.length;
    if (w->count == w->room)
        writer_encode(w);
    if (columns_size(w) >= WRITER_COLUMNS || w->counts.items > WRITER_ITEMS || extra >= WRITER_EXTRA)
        writer_flush(w);
}

/* ---- the beginning ---- */

static void put_string(struct text *t, const char *string) {
    text_bytes(t, string ? string : "", string ? strlen(string) + 1 : 1);
}

static void writer_put_header(struct refs_writer *w, const struct refs_header *h) {
    const struct native_opening opening = {
        .skippable = {SKIPPABLE_OPENING, sizeof opening - sizeof opening.skippable},
        .magic = NATIVE_MAGIC,
        .version = NATIVE_VERSION,
        .byte_order = BLOCK_BYTE_ORDER,
    };
    const struct native_header header = {
        .seed = h->seed,
        .page_size = h->page_size,
        .reduced_to = h->reduced_to,
        .deterministic = h->deterministic,
        .argument_count = (uint32_t)h->argument_count,
    };
    text_bytes(&w->block, &header, sizeof header);
    put_string(&w->block, h->thimble);
    put_string(&w->block, h->cpu);
    for (size_t i = 0; i < h->argument_count; i++)
        put_string(&w->block, h->arguments[i]);
    output_write(&w->output, &opening, sizeof opening);
    writer_put_block(w, NATIVE_HEADER);
}

static int writer_allocate(struct refs_writer *w) {
    w->hash = refs_hash_create();
    w->packer = ZSTD_createCCtx();
    for (unsigned i = 0; i < COLUMNS; i++) {
        w->columns.bytes[i] = malloc(WRITER_COLUMNS + codec_column_room(i));
        if (!w->columns.bytes[i])
            return -ENOMEM;
    }
    if (!w->hash || !w->packer)
        return -ENOMEM;
    ZSTD_CCtx_setParameter(w->packer, ZSTD_c_compressionLevel, WRITER_LEVEL);
    ZSTD_CCtx_setParameter(w->packer, ZSTD_c_checksumFlag, 1);
    return 0;
}

static int writer_destroy(struct refs_writer *w) {
    int error = 0;
    if (w->descriptor >= 0 && close(w->descriptor) && errno != EINTR) /* some file systems say only now */
        error = -errno;
    refs_hash_destroy(w->hash);
    ZSTD_freeCCtx(w->packer);
    for (unsigned i = 0; i < COLUMNS; i++)
        free(w->columns.bytes[i]);
    text_free(&w->pages);
    text_free(&w->marks);
    text_free(&w->names);
    text_free(&w->texts);
    text_free(&w->block);
    free(w->packed);
    free(w);
    return error;
}

int refs_writer_create(const char *path, const struct refs_header *header, struct refs_writer **ret_writer,
                       char **ret_message) {
    struct refs_writer *w = calloc(1, sizeof *w);
    if (!w)
        return message_fail(-ENOMEM, ret_message, "%s: out of memory", path);
    codec_init(&w->codec);
    w->words = codec_room(&w->codec, &w->room);
    w->descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int error = w->descriptor < 0 ? -errno : 0;
    w->output = (struct trace_output){.write = output_to_descriptor, .context = &w->descriptor};
    if (!error)
        error = writer_allocate(w);
    if (!error) {
        writer_put_header(w, header);
        error = w->output.error;
    }
    if (error) {
        writer_destroy(w);
        return message_fail(error, ret_message, "%s cannot be written: %s", path, strerror(-error));
    }
    *ret_writer = w;
    return 0;
}

/* ---- pages, objects, marks, items ---- */

int refs_writer_page(struct refs_writer *w, const struct refs_page *page, uint32_t *ret_page) {
    if (w->end.pages == REFS_PAGES_MAX)
        return -EOVERFLOW;
    if (page->object > w->end.objects)
        return -EINVAL;
    *ret_page = w->end.pages++;
    w->counts.pages++;
    text_bytes(&w->pages, page, sizeof *page);
    writer_flush_if_full(w);
    return writer_report(w);
}

int refs_writer_object(struct refs_writer *w, const char *name, uint32_t *ret_object) {
    if (strlen(name) >= NATIVE_TEXT)
        return -E2BIG;
    *ret_object = ++w->end.objects;
    w->counts.objects++;
    put_string(&w->names, name);
    writer_flush_if_full(w);
    return writer_report(w);
}

/* What follows is in another space. */
static void writer_change_space(struct refs_writer *w, uint16_t space) {
    codec_space(&w->columns, w->run, w->space);
    w->run = 0;
    w->space = space;
}

/* There is room for it. */
static inline void writer_put_item(struct refs_writer *w, const struct refs_item *item) {
    if (unlikely(item->space != w->space))
        writer_change_space(w, item->space);
    w->words[w->count++] = codec_word(item, &w->instruction, &w->columns);
    w->others += item->kind != REFS_REFERENCE;
    w->run++;
    if (w->count == w->room)
        writer_flush_if_full(w);
}

int refs_writer_mark(struct refs_writer *w, const struct refs_mark *mark) {
    if (strlen(mark->text) >= NATIVE_TEXT || mark->type >= REFS_MARK_TYPES)
        return mark->type >= REFS_MARK_TYPES ? -EINVAL : -E2BIG;
    const struct native_mark native = {
        mark->instruction, mark->a, mark->b, mark->c, mark->d, mark->space, mark->type, mark->flags, 0,
    };
    const struct refs_item item = {
        .instruction = mark->instruction, .page = w->end.marks++, .space = mark->space, .kind = REFS_MARK};
    text_bytes(&w->marks, &native, sizeof native);
    put_string(&w->texts, mark->text);
    w->counts.marks++;
    writer_put_item(w, &item);
    writer_flush_if_full(w);
    return writer_report(w);
}

int refs_writer_add(struct refs_writer *w, const struct refs_item *items, size_t count) {
    w->before.pages = w->end.pages;
    w->before.marks = w->end.marks;
    const bool plain = refs_items_are_plain(items, count, &w->before);
    for (size_t i = 0; i < count && !w->output.error; i++) {
        if (!plain && refs_item_check(&items[i], &w->before))
            writer_fail(w, -EINVAL);
        else
            writer_put_item(w, &items[i]);
    }
    return writer_report(w);
}

uint64_t *refs_writer_room(struct refs_writer *w, size_t *ret_room) {
    *ret_room = w->room - w->count - 1;
    return w->words + w->count + 1;
}

int refs_writer_filled(struct refs_writer *w, const struct refs_item *first, size_t count,
                       uint64_t instruction) {
    const int error = refs_writer_add(w, first, 1);
    if (!count || w->output.error)
        return error;
    w->before.fresh = w->end.pages;
    w->count += count;
    w->run += (uint32_t)count;
    w->instruction = instruction;
    if (w->count == w->room)
        writer_flush_if_full(w);
    return writer_report(w);
}

int refs_writer_flush(struct refs_writer *w) {
    (void)writer_flush(w);
    return w->output.error;
}

/* ---- the end ---- */

static void writer_put_end(struct refs_writer *w, const char *const *conditions) {
    const uint64_t offset = w->output.written;
    refs_hash_get(w->hash, w->end.hash);
    for (const char *const *c = conditions; c && *c; c++)
        w->end.conditions++;
    text_clear(&w->block);
    text_bytes(&w->block, &w->end, sizeof w->end);
    text_bytes(&w->block, w->halves, w->end.halves * sizeof *w->halves);
    for (const char *const *c = conditions; c && *c; c++)
        put_string(&w->block, *c);
    struct native_closing closing = {
        .skippable = {SKIPPABLE_CLOSING, sizeof closing - sizeof closing.skippable},
        .end = offset,
    };
    memcpy(closing.magic, NATIVE_CLOSING_MAGIC, sizeof closing.magic);
    writer_put_block(w, NATIVE_END);
    output_write(&w->output, &closing, sizeof closing);
}

void refs_writer_halves(struct refs_writer *w, const uint64_t *misses, uint32_t count) {
    w->end.halves = min_u32(count, REFS_HALVES);
    memcpy(w->halves, misses, w->end.halves * sizeof *w->halves);
}

int refs_writer_finish(struct refs_writer *w, uint64_t instructions, uint64_t dropped, bool whole,
                       const char *const *conditions) {
    w->end.instructions = instructions;
    w->end.dropped = dropped;
    w->end.whole = whole;
    if (!writer_flush(w))
        writer_put_end(w, conditions);
    const int error = w->output.error, closing = writer_destroy(w);
    return error ? error : closing;
}
