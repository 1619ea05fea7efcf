/* See codec.h. */
#include "refs/codec.h"

#include <string.h>

#include "base/base.h"

_Static_assert(sizeof(struct refs_item) == 16 && offsetof(struct refs_item, page) == 8 &&
                   offsetof(struct refs_item, space) == 12,
               "an item is two words");

enum { CONTROL_PAGE = 7, CONTROL_STEP_SHIFT = 3, CONTROL_STEP = 3, CONTROL_REST = 1 << 5 };
enum { STEP_PREDICTED, STEP_BYTE, STEP_HALF, STEP_WIDE };

static const uint8_t column_width[COLUMNS] = {
    [COLUMN_CONTROL] = 1,
    [COLUMN_BYTE] = 2 /* a page's and a step's */,
    [COLUMN_HALF] = 4 /* likewise */,
    [COLUMN_WORD] = 4,
    [COLUMN_WIDE] = 8,
    [COLUMN_REST] = 4,
};

size_t codec_column_room(enum codec_column column) {
    return (size_t)column_width[column] * CODEC_ITEMS;
}

void codec_init(struct codec *c) {
    memset(c, 0, sizeof *c);
}

/* The page, space, kind and flags of an item as one number, the page in the low half. */
static inline uint64_t item_what(const struct refs_item *item) {
    uint64_t what;
    memcpy(&what, (const char *)item + 8, sizeof what);
    return what;
}

static inline struct codec_context *codec_context(struct codec *c, uint32_t last, uint32_t before_last) {
    uint32_t hash = last * 0x9e3779b1u ^ before_last * 0x85ebca6bu;
    return &c->contexts[hash >> 20];
}
_Static_assert(CODEC_CONTEXTS == 1 << 12, "the shift above");

static inline struct codec_page_entry *codec_page(struct codec *c, uint32_t page) {
    return &c->pages[page & (CODEC_PAGES - 1)];
}

/* ---- to columns ---- */

struct encoder {
    uint8_t *to[COLUMNS];
};

static inline void put(struct encoder *e, enum codec_column column, uint64_t value, size_t width) {
    memcpy(e->to[column], &value, width);
    e->to[column] += width;
}

/* Code of a page that was not predicted from two. */
static unsigned encode_page(struct encoder *e, struct codec *c, uint32_t page) {
    const uint32_t followed = codec_page(c, c->last)->follower;
    const int64_t off = (int64_t)page - (int64_t)followed;
    if (!off)
        return CODE_PAGE_FOLLOWED;
    if (page == c->fresh)
        return CODE_PAGE_FRESH;
    if (page == c->before_last)
        return CODE_PAGE_BACK;
    if (off == (int8_t)off) {
        put(e, COLUMN_BYTE, (uint64_t)off, 1);
        return CODE_PAGE_NEAR;
    }
    if (off == (int16_t)off) {
        put(e, COLUMN_HALF, (uint64_t)off, 2);
        return CODE_PAGE_FAR;
    }
    put(e, COLUMN_WORD, page, 4);
    return CODE_PAGE_WORD;
}

static unsigned encode_step(struct encoder *e, uint64_t step, uint64_t predicted) {
    if (step == predicted)
        return STEP_PREDICTED;
    if (step <= UINT8_MAX) {
        put(e, COLUMN_BYTE, step, 1);
        return STEP_BYTE;
    }
    if (step <= UINT16_MAX) {
        put(e, COLUMN_HALF, step, 2);
        return STEP_HALF;
    }
    put(e, COLUMN_WIDE, step, 8);
    return STEP_WIDE;
}

/* An item that was not predicted whole. */
static void encode_rest(struct encoder *e, struct codec *c, struct codec_context *context, uint64_t what,
                        uint64_t step) {
    const uint32_t page = (uint32_t)what, rest = (uint32_t)(what >> 32);
    const bool predicted = page == (uint32_t)context->what;
    unsigned control = predicted ? CODE_PAGE_PREDICTED : encode_page(e, c, page);
    const uint32_t expected = predicted ? (uint32_t)(context->what >> 32) : codec_page(c, page)->rest;
    if (rest != expected) {
        control |= CONTROL_REST;
        put(e, COLUMN_REST, rest, 4);
    }
    control |= encode_step(e, step, context->instructions) << CONTROL_STEP_SHIFT;
    *context = (struct codec_context){what, step};
    c->fresh = max_u32(c->fresh, page + 1);
    put(e, COLUMN_CONTROL, control, 1);
}

void codec_encode(struct codec *c, struct codec_columns *columns, const struct refs_item *items,
                  size_t count) {
    struct encoder e;
    for (unsigned i = 0; i < COLUMNS; i++)
        e.to[i] = columns->bytes[i] + columns->size[i];
    for (const struct refs_item *item = items; item < items + count; item++) {
        struct codec_context *context = codec_context(c, c->last, c->before_last);
        const uint64_t what = item_what(item), step = item->instruction - c->instruction;
        if (likely(context->what == what && context->instructions == step))
            *e.to[COLUMN_CONTROL]++ = 0;
        else
            encode_rest(&e, c, context, what, step);
        codec_page(c, c->last)->follower = item->page;
        codec_page(c, item->page)->rest = (uint32_t)(what >> 32);
        c->before_last = c->last;
        c->last = item->page;
        c->instruction = item->instruction;
    }
    for (unsigned i = 0; i < COLUMNS; i++)
        columns->size[i] = (size_t)(e.to[i] - columns->bytes[i]);
}

/* ---- and back ---- */

struct decoder {
    const uint8_t *from[COLUMNS], *end[COLUMNS];
    bool wrong;
};

static inline uint64_t take(struct decoder *d, enum codec_column column, size_t width) {
    uint64_t value = 0;
    if (unlikely((size_t)(d->end[column] - d->from[column]) < width)) {
        d->wrong = true;
        return 0;
    }
    memcpy(&value, d->from[column], width);
    d->from[column] += width;
    return value;
}

static uint32_t decode_page(struct decoder *d, struct codec *c, unsigned code, uint32_t predicted) {
    const uint32_t followed = codec_page(c, c->last)->follower;
    switch ((enum codec_page)code) {
    case CODE_PAGE_PREDICTED: return predicted;
    case CODE_PAGE_FOLLOWED: return followed;
    case CODE_PAGE_NEAR: return followed + (uint32_t)(int8_t)take(d, COLUMN_BYTE, 1);
    case CODE_PAGE_FAR: return followed + (uint32_t)(int16_t)take(d, COLUMN_HALF, 2);
    case CODE_PAGE_WORD: return (uint32_t)take(d, COLUMN_WORD, 4);
    case CODE_PAGE_FRESH: return c->fresh;
    case CODE_PAGE_BACK: return c->before_last;
    case CODE_PAGE_WRONG: d->wrong = true; return 0;
    }
    return 0;
}

static uint64_t decode_step(struct decoder *d, unsigned code, uint64_t predicted) {
    switch (code) {
    case STEP_PREDICTED: return predicted;
    case STEP_BYTE: return take(d, COLUMN_BYTE, 1);
    case STEP_HALF: return take(d, COLUMN_HALF, 2);
    default: return take(d, COLUMN_WIDE, 8);
    }
}

static void decode_rest(struct decoder *d, struct codec *c, struct codec_context *context, unsigned control) {
    const unsigned code = control & CONTROL_PAGE;
    const uint32_t page = decode_page(d, c, code, (uint32_t)context->what);
    uint32_t rest = code == CODE_PAGE_PREDICTED ? (uint32_t)(context->what >> 32) : codec_page(c, page)->rest;
    if (control & CONTROL_REST)
        rest = (uint32_t)take(d, COLUMN_REST, 4);
    context->instructions =
        decode_step(d, control >> CONTROL_STEP_SHIFT & CONTROL_STEP, context->instructions);
    context->what = (uint64_t)rest << 32 | page;
    c->fresh = max_u32(c->fresh, page + 1);
    if (control >= CONTROL_REST << 1)
        d->wrong = true;
}

size_t codec_decode(struct codec *c, const struct codec_columns *columns, struct refs_item *items,
                    size_t count) {
    struct decoder d = {.wrong = false};
    for (unsigned i = 0; i < COLUMNS; i++) {
        d.from[i] = columns->bytes[i];
        d.end[i] = columns->bytes[i] + columns->size[i];
    }
    const uint8_t *control = d.from[COLUMN_CONTROL];
    for (size_t i = 0; i < count; i++) {
        struct codec_context *context = codec_context(c, c->last, c->before_last);
        if (unlikely(control[i])) {
            decode_rest(&d, c, context, control[i]);
            if (d.wrong)
                return i;
        }
        const uint32_t page = (uint32_t)context->what;
        c->instruction += context->instructions;
        items[i].instruction = c->instruction;
        memcpy((char *)&items[i] + 8, &context->what, sizeof context->what);
        codec_page(c, c->last)->follower = page;
        codec_page(c, page)->rest = (uint32_t)(context->what >> 32);
        c->before_last = c->last;
        c->last = page;
    }
    for (unsigned i = COLUMN_BYTE; i < COLUMNS; i++)
        if (d.from[i] != d.end[i])
            return count + 1;
    return count;
}
