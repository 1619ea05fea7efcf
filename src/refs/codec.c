/* See codec.h. */
#include "refs/codec.h"

#include <emmintrin.h>
#include <errno.h>
#include <string.h>

#include "base/base.h"

_Static_assert(sizeof(struct refs_item) == 16 && offsetof(struct refs_item, page) == 8 &&
                   offsetof(struct refs_item, space) == 12,
               "an item is two words");

enum { CONTROL_PAGE = 7, CONTROL_STEP_SHIFT = 3, CONTROL_STEP = 3, CONTROL_REST = 1 << 5 };
/* A shorter stretch is not worth its code; a place is found by the items before it. */
enum { CODEC_STRETCH = 4, CODEC_ROOM = 4 };
#define NEVER UINT64_MAX /* no reference looks like this */
enum { STEP_PREDICTED, STEP_BYTE, STEP_HALF, STEP_WIDE };

static const uint8_t column_width[COLUMNS] = {
    [COLUMN_CONTROL] = 1,
    [COLUMN_BYTE] = 2 /* a page's and a step's */,
    [COLUMN_HALF] = 4 /* likewise */,
    [COLUMN_WORD] = 4,
    [COLUMN_WIDE] = 8,
    [COLUMN_REST] = 4,
    [COLUMN_LENGTH] = 2,
    [COLUMN_DISTANCE] = 2,
};

size_t codec_column_room(enum codec_column column) {
    return (size_t)column_width[column] * CODEC_ITEMS;
}

void codec_init(struct codec *c) {
    memset(c, 0, sizeof *c);
    /* Room in front, so that looking back never needs to ask; nothing there can be repeated. */
    for (c->used = 0; c->used < CODEC_ROOM; c->used++)
        c->history[c->used].what = NEVER;
}

/* Room for a whole block behind what is used: forgets all but the window. */
static void codec_make_room(struct codec *c) {
    if (c->used + CODEC_ITEMS <= CODEC_HISTORY)
        return;
    const uint32_t kept = CODEC_WINDOW, gone = c->used - kept;
    memmove(c->history, c->history + gone, kept * sizeof *c->history);
    c->used = kept;
    for (unsigned i = 0; i < CODEC_PLACES; i++)
        c->places[i] = c->places[i] > gone ? c->places[i] - gone : 0;
}

/* The page, space, kind and flags of an item as one number, the page in the low half. */
static inline uint64_t item_what(const struct refs_item *item) {
    uint64_t what;
    memcpy(&what, (const char *)item + 8, sizeof what);
    return what;
}

static inline struct codec_step *codec_context(struct codec *c, uint32_t last, uint32_t before_last) {
    uint32_t hash = last * 0x9e3779b1u ^ before_last * 0x85ebca6bu;
    return &c->contexts[hash >> 20];
}
_Static_assert(CODEC_CONTEXTS == 1 << 12, "the shift above");

static inline struct codec_page_entry *codec_page(struct codec *c, uint32_t page) {
    return &c->pages[page & (CODEC_PAGES - 1)];
}

static inline bool is_reference(uint64_t what) {
    return (uint8_t)(what >> 48) == REFS_REFERENCE;
}

/* An item that was not in a stretch: what to expect the next time. */
static inline void codec_learn(struct codec *c, uint64_t what) {
    const uint32_t page = (uint32_t)what;
    codec_page(c, c->last)->follower = page;
    codec_page(c, page)->rest = (uint32_t)(what >> 32);
    if (is_reference(what))
        c->fresh = max_u32(c->fresh, page + 1);
}

/* … and it stands in the history. */
static inline void codec_remember(struct codec *c, uint64_t what, uint64_t instructions) {
    c->history[c->used++] = (struct codec_step){instructions, is_reference(what) ? what : NEVER};
    c->instruction += instructions;
    c->before_last = c->last;
    c->last = (uint32_t)what;
}

/* A stretch of so many items was copied behind the history. */
static inline void codec_pass(struct codec *c, size_t length, uint64_t instruction) {
    c->used += (uint32_t)length;
    c->instruction = instruction;
    c->last = (uint32_t)c->history[c->used - 1].what;
    c->before_last = (uint32_t)c->history[c->used - 2].what;
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

/* An item for itself. */
static void encode_item(struct encoder *e, struct codec *c, uint64_t what, uint64_t instructions) {
    struct codec_step *context = codec_context(c, c->last, c->before_last);
    const uint32_t page = (uint32_t)what, rest = (uint32_t)(what >> 32);
    const bool predicted = page == (uint32_t)context->what;
    unsigned control = predicted ? CODE_PAGE_PREDICTED : encode_page(e, c, page);
    const uint32_t expected = predicted ? (uint32_t)(context->what >> 32) : codec_page(c, page)->rest;
    if (rest != expected) {
        control |= CONTROL_REST;
        put(e, COLUMN_REST, rest, 4);
    }
    control |= encode_step(e, instructions, context->instructions) << CONTROL_STEP_SHIFT;
    put(e, COLUMN_CONTROL, control, 1);
    *context = (struct codec_step){instructions, what};
    codec_learn(c, what);
}

/* Where in the history the same items stand that are its last ones now; 0: nowhere known. */
static uint32_t codec_same_before(struct codec *c) {
    const struct codec_step *end = &c->history[c->used];
    uint64_t hash = 0;
    for (int i = 1; i <= CODEC_ROOM; i++)
        hash = (hash ^ end[-i].what ^ end[-i].instructions << 33) * 0x9e3779b97f4a7c15ULL;
    uint32_t *place = &c->places[hash >> 51];
    const uint32_t before = *place;
    *place = c->used;
    return before;
}
_Static_assert(CODEC_PLACES == 1 << 13, "the shift above");

/* How many items are as they were from `before` on; copies them to the end of the history. Most references of
 * a run go through here. */
static size_t codec_match(struct codec *c, uint32_t before, const struct refs_item *items, size_t count) {
    const __m128i *from = (const __m128i *)&c->history[before];
    __m128i *to = (__m128i *)&c->history[c->used];
    const __m128i instruction_only = _mm_set_epi64x(0, -1);
    __m128i last = _mm_set_epi64x(0, (long long)c->instruction);
    size_t length = 0;
    for (; length < count; length++) {
        const __m128i item = _mm_loadu_si128((const __m128i *)&items[length]);
        const __m128i step = _mm_sub_epi64(item, last);
        const __m128i same = _mm_cmpeq_epi32(step, _mm_loadu_si128(from + length));
        if (_mm_movemask_epi8(same) != 0xffff)
            break;
        _mm_storeu_si128(to + length, step);
        last = _mm_and_si128(item, instruction_only);
    }
    return length;
}
_Static_assert(offsetof(struct codec_step, what) == 8, "a step is like an item");

/* A stretch that begins with these items: how many, or 0. */
static size_t encode_stretch(struct encoder *e, struct codec *c, const struct refs_item *items,
                             size_t count) {
    const uint32_t before = codec_same_before(c);
    const size_t length = before ? codec_match(c, before, items, count) : 0;
    if (length < CODEC_STRETCH)
        return 0;
    put(e, COLUMN_CONTROL, CODE_STRETCH, 1);
    put(e, COLUMN_LENGTH, length, 2);
    put(e, COLUMN_DISTANCE, c->used - before - 1, 2);
    codec_pass(c, length, items[length - 1].instruction);
    return length;
}

long codec_encode(struct codec *c, struct codec_columns *columns, struct refs_before *before,
                  const struct refs_item *items, size_t count) {
    struct encoder e;
    size_t references = count;
    codec_make_room(c);
    for (unsigned i = 0; i < COLUMNS; i++)
        e.to[i] = columns->bytes[i] + columns->size[i];
    for (size_t i = 0; i < count;) {
        const size_t length = encode_stretch(&e, c, &items[i], count - i);
        if (length) {
            i += length;
            continue;
        }
        if (refs_item_check(&items[i], before))
            return -EINVAL;
        const uint64_t what = item_what(&items[i]), instructions = items[i].instruction - c->instruction;
        references -= items[i].kind != REFS_REFERENCE;
        encode_item(&e, c, what, instructions);
        codec_remember(c, what, instructions);
        i++;
    }
    for (unsigned i = 0; i < COLUMNS; i++)
        columns->size[i] = (size_t)(e.to[i] - columns->bytes[i]);
    return (long)references;
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

/* An item for itself. */
static uint64_t decode_item(struct decoder *d, struct codec *c, unsigned control) {
    struct codec_step *context = codec_context(c, c->last, c->before_last);
    const unsigned code = control & CONTROL_PAGE;
    const uint32_t page = decode_page(d, c, code, (uint32_t)context->what);
    uint32_t rest = code == CODE_PAGE_PREDICTED ? (uint32_t)(context->what >> 32) : codec_page(c, page)->rest;
    if (control & CONTROL_REST)
        rest = (uint32_t)take(d, COLUMN_REST, 4);
    context->instructions =
        decode_step(d, control >> CONTROL_STEP_SHIFT & CONTROL_STEP, context->instructions);
    context->what = (uint64_t)rest << 32 | page;
    if (control >= CONTROL_REST << 1)
        d->wrong = true;
    codec_learn(c, context->what);
    codec_remember(c, context->what, context->instructions);
    return context->what;
}

static void item_set(struct refs_item *item, uint64_t instruction, uint64_t what) {
    item->instruction = instruction;
    memcpy((char *)item + 8, &what, sizeof what);
}

/* A stretch: how many items, or 0 if it cannot be. */
static size_t decode_stretch(struct decoder *d, struct codec *c, struct refs_item *items, size_t count) {
    const size_t length = take(d, COLUMN_LENGTH, 2), distance = take(d, COLUMN_DISTANCE, 2) + 1;
    struct codec_step *to = &c->history[c->used];
    uint64_t instruction = c->instruction, never = 0;
    if (d->wrong || !length || length > count || distance > c->used)
        return 0;
    for (size_t i = 0; i < length; i++) {
        const struct codec_step step = to[(ptrdiff_t)i - (ptrdiff_t)distance];
        to[i] = step;
        instruction += step.instructions;
        item_set(&items[i], instruction, step.what);
        never |= step.what == NEVER;
    }
    codec_pass(c, length, instruction);
    return never ? 0 : length;
}

bool codec_decode(struct codec *c, const struct codec_columns *columns, struct refs_item *items,
                  size_t count) {
    struct decoder d = {.wrong = false};
    codec_make_room(c);
    for (unsigned i = 0; i < COLUMNS; i++) {
        d.from[i] = columns->bytes[i];
        d.end[i] = columns->bytes[i] + columns->size[i];
    }
    for (size_t i = 0; i < count;) {
        const unsigned control = (unsigned)take(&d, COLUMN_CONTROL, 1);
        size_t length = 1;
        if (control == CODE_STRETCH) {
            length = decode_stretch(&d, c, &items[i], count - i);
        } else {
            const uint64_t what = decode_item(&d, c, control);
            item_set(&items[i], c->instruction, what);
        }
        if (d.wrong || !length)
            return false;
        i += length;
    }
    for (unsigned i = 0; i < COLUMNS; i++)
        if (d.from[i] != d.end[i])
            return false;
    return true;
}
