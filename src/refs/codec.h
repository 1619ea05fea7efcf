/* Items as columns of bytes, and back: what stands in a block of the native file.
 *
 * Programs repeat themselves. Most items are part of a stretch that was there before, page, kind and
 * instructions alike: that is one code for all of it, how far back and how long (Ziv, Lempel 1977, with items
 * for characters), and costs next to nothing an item. What is left is predicted from the two items before it;
 * what was predicted right is a byte of value 0, what was not goes into columns by width, for a compressor.
 * Writer and reader keep equal histories and predictors, which go on from block to block: blocks can be read
 * in order only.
 *
 *   control   a byte each:
 *               0xff      a stretch: as many items as `length` says, as they were `distance` items before
 *             else an item:
 *               bits 0–2  page: CODE_PAGE_…
 *               bits 3–4  instructions since the item before: 0 as predicted, 1 in `byte`, 2 in `half`, 3 in
 *                         `wide`
 *               bit 5     kind, flags and space are in `rest` (4 bytes: space, kind, flags); else as
 * predicted byte      1 byte each    half      2 bytes each    word      4 bytes each wide      8 bytes each
 * rest      4 bytes each length    2 bytes each   distance  2 bytes each, less 1
 *
 * An item takes from the columns in the order page, rest, instructions. Stretches have references only, and
 * an item in one changes no prediction. Numbers are little-endian. */
#ifndef REFS_CODEC_H
#define REFS_CODEC_H

#include "refs/check.h"
#include "refs/refs.h"

enum {
    CODEC_ITEMS = 1 << 14, /* of a block, at most */
    CODEC_CONTEXTS = 1 << 12,
    CODEC_PAGES = 1 << 12,
    CODEC_WINDOW = 1 << 14,  /* items that a stretch may be back, at least */
    CODEC_HISTORY = 1 << 16, /* items that there is room for before the older ones are forgotten */
    CODEC_PLACES = 1 << 13,
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
    CODE_PAGE_WRONG,     /* does not occur, but in CODE_STRETCH */
};

enum { CODE_STRETCH = 0xff };

enum codec_column {
    COLUMN_CONTROL,
    COLUMN_BYTE,
    COLUMN_HALF,
    COLUMN_WORD,
    COLUMN_WIDE,
    COLUMN_REST,
    COLUMN_LENGTH,
    COLUMN_DISTANCE,
    COLUMNS
};

/* An item as it is predicted and repeated. */
struct codec_step {
    uint64_t instructions; /* since the item before */
    uint64_t what;         /* the last 8 bytes of an item: page, space, kind, flags */
};

/* By page, as far as their numbers differ in the low bits. */
struct codec_page_entry {
    uint32_t follower; /* page of the item after it, the last time */
    uint32_t rest;     /* its own space, kind, flags, the last time */
};

struct codec {
    struct codec_step history[CODEC_HISTORY]; /* the items before, up to `used` */
    uint32_t used;
    struct codec_step contexts[CODEC_CONTEXTS]; /* what came after two pages, the last time */
    struct codec_page_entry pages[CODEC_PAGES];
    uint32_t places[CODEC_PLACES]; /* for writing: where in the history the same four items were before */
    uint64_t instruction;          /* of the last item */
    uint32_t last, before_last;    /* pages */
    uint32_t fresh;                /* one more than the highest page number there was */
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
/* Appends `count` items to the columns, which have room for them. How many of them are references. `before`
 * is asked whether they can be (refs_item_check()): -EINVAL. */
long codec_encode(struct codec *, struct codec_columns *, struct refs_before *before,
                  const struct refs_item *items, size_t count);
/* The `count` items of whole columns, at most CODEC_ITEMS. False: the columns do not hold just that. Whether
 * pages and kinds can be is not looked at. */
bool codec_decode(struct codec *, const struct codec_columns *, struct refs_item *items, size_t count);

#endif
