/* Items as columns of bytes, and back: what stands in a block of the native file.
 *
 * Programs repeat themselves, so each item is first predicted from the two before it, page, instructions and
 * all; what was predicted right costs one byte of value 0, and the compressor makes nearly nothing of a run
 * of those. What was not goes into columns by width. Writer and reader keep equal predictors, which learn
 * from block to block: blocks can be read in order only.
 *
 *   control   a byte an item:
 *               bits 0–2  page: CODE_PAGE_…
 *               bits 3–4  instructions since the item before: 0 as predicted, 1 in `byte`, 2 in `half`, 3 in
 *                         `wide`
 *               bit 5     kind, flags and space are in `rest` (4 bytes: space, kind, flags); else as
 * predicted byte      1 byte each    half      2 bytes each    word      4 bytes each wide      8 bytes each
 * rest      4 bytes each
 *
 * An item takes from the columns in the order page, rest, instructions. Numbers are little-endian. */
#ifndef REFS_CODEC_H
#define REFS_CODEC_H

#include "refs/refs.h"

enum {
    CODEC_ITEMS = 1 << 14, /* of a block, at most */
    CODEC_CONTEXTS = 1 << 12,
    CODEC_PAGES = 1 << 12,
    /* Bytes that an item takes at most: control, word, rest, wide. */
    CODEC_ITEM_BYTES = 1 + 4 + 4 + 8,
};

enum codec_page {
    CODE_PAGE_PREDICTED, /* what followed the two before it last time */
    CODE_PAGE_FOLLOWED,  /* what followed the one before it last time */
    CODE_PAGE_NEAR,      /* that, and a signed number in `byte` */
    CODE_PAGE_FAR,       /* that, and a signed number in `half` */
    CODE_PAGE_WORD,      /* its number in `word` */
    CODE_PAGE_FRESH,     /* one more than the highest there was */
    CODE_PAGE_BACK,      /* the one before the one before */
    CODE_PAGE_WRONG,     /* does not occur */
};

enum codec_column {
    COLUMN_CONTROL,
    COLUMN_BYTE,
    COLUMN_HALF,
    COLUMN_WORD,
    COLUMN_WIDE,
    COLUMN_REST,
    COLUMNS
};

/* What came after two items, the last time. */
struct codec_context {
    uint64_t what; /* the last 8 bytes of an item: page, space, kind, flags */
    uint64_t instructions;
};

/* By page, as far as their numbers differ in the low bits. */
struct codec_page_entry {
    uint32_t follower; /* page of the item after it, the last time */
    uint32_t rest;     /* its own space, kind, flags, the last time */
};

struct codec {
    struct codec_context contexts[CODEC_CONTEXTS];
    struct codec_page_entry pages[CODEC_PAGES];
    uint64_t instruction; /* of the last item */
    uint32_t last, before_last;
    uint32_t fresh; /* one more than the highest page number there was */
};

/* The columns of a block, each in room for CODEC_ITEMS items; `size` bytes are filled or, in reading, there.
 */
struct codec_columns {
    uint8_t *bytes[COLUMNS];
    size_t size[COLUMNS];
};
/* Bytes of room that a column needs. */
size_t codec_column_room(enum codec_column);

void codec_init(struct codec *);
/* Appends `count` items to the columns, which have room for them. */
void codec_encode(struct codec *, struct codec_columns *, const struct refs_item *items, size_t count);
/* The items of whole columns: `count` of them, which is the size of the control column. How many are right;
 * fewer than `count`: the columns end too early there, or a code does not exist. Left-over bytes are wrong,
 * too: then it is `count` + 1. Pages and kinds are not looked at. */
size_t codec_decode(struct codec *, const struct codec_columns *, struct refs_item *items, size_t count);

#endif
