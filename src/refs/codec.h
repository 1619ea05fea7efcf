/* Items as columns of bytes, and back: what stands in a block of the native file.
 *
 * An item is a word of 64 bits: page, step, kind, flags. Words stand in a ring, the last CODEC_WINDOW of them
 * being there still; programs repeat themselves, so most of what comes is a stretch that was there before:
 * how far back and how long says it all (Ziv, Lempel 1977, with items for characters). What was not there
 * before is written as it is, in columns by field, for a compressor. A place in the ring is found by the
 * words that come next, first by many of them and then by few; those in the midst of a stretch are not
 * remembered.
 *
 * Writer and reader keep equal rings, which go on from block to block: blocks can be read in order only.
 *
 *   word    63    56 55    48 47      32 31             0
 *           +-------+--------+----------+---------------+
 *           | flags |  kind  |   step   | page or mark  |
 *           +-------+--------+----------+---------------+
 *           step: instructions since the item before; CODEC_STEP_WIDE: they are in `wide`
 *
 *   columns literals  2 bytes each: so many words that stand in `page`, `step`, `rest` …
 *           length    2 bytes each: … and after them so many …
 *           distance  2 bytes each, less 1: … that are as they were so many before; where length is not 0
 *           page      4 bytes each
 *           step      2 bytes each
 *           rest      2 bytes each: kind, flags
 *           wide      8 bytes each
 *           space     4 bytes each: 2 of a number of items, less 1, 2 of their space
 *
 * Literals and stretch together are CODEC_ITEMS items at most, and neither goes over the end of the ring.
 * Numbers are little-endian. */
#ifndef REFS_CODEC_H
#define REFS_CODEC_H

#include "refs/refs.h"

enum {
    CODEC_ITEMS = 1 << 14,  /* that are encoded together, at most */
    CODEC_WINDOW = 1 << 16, /* items that a stretch may be back */
    CODEC_RING = 1 << 17,
    CODEC_PLACES = 1 << 13,
    /* Bytes that an item takes at most: literals, length, page, step, rest, wide, space. */
    CODEC_ITEM_BYTES = 2 + 2 + 4 + 2 + 2 + 8 + 4,
};
_Static_assert(CODEC_RING >= CODEC_WINDOW + CODEC_ITEMS, "a stretch is not overwritten before it is copied");

enum { CODEC_STEP_SHIFT = 32, CODEC_STEP_WIDE = 0xffff, CODEC_REST_SHIFT = 48 };

enum codec_column {
    COLUMN_LITERALS,
    COLUMN_LENGTH,
    COLUMN_DISTANCE,
    COLUMN_PAGE,
    COLUMN_STEP,
    COLUMN_REST,
    COLUMN_WIDE,
    COLUMN_SPACE,
    COLUMNS
};

struct codec {
    uint64_t ring[CODEC_RING];
    uint64_t position;    /* items that were encoded, or decoded */
    uint64_t instruction; /* of the last item */
    /* For writing: where the same words stood, the low bits of their position. */
    uint32_t by_many[CODEC_PLACES], by_few[CODEC_PLACES];
    /* For reading: items that are left of the run in one space. */
    uint32_t space_left;
    uint16_t space;
};

/* The columns of a block, in writing; `size` bytes are filled. */
struct codec_columns {
    uint8_t *bytes[COLUMNS];
    size_t size[COLUMNS];
};
/* The same in reading: the bytes that were not yet read. */
struct codec_rest {
    const uint8_t *from[COLUMNS], *end[COLUMNS];
};

/* Bytes of room that a column needs for CODEC_ITEMS items. */
size_t codec_column_room(enum codec_column);

void codec_init(struct codec *);

/* Where the words of the next items belong: there is room for `ret_room` of them, 1 … CODEC_ITEMS. */
uint64_t *codec_room(struct codec *, size_t *ret_room);
/* Appends the `count` words that were put there to the columns `literals` to `rest`, which have room for
 * them. */
void codec_encode(struct codec *, struct codec_columns *, size_t count);
/* The word of an item; where its step is wide, it goes to that column. `*instruction` is of the item before,
 * and then of this one. */
uint64_t codec_word(const struct refs_item *, uint64_t *instruction, struct codec_columns *);
/* A run of so many items (> 0) in one space. */
void codec_space(struct codec_columns *, uint32_t count, uint16_t space);

/* The next items, CODEC_ITEMS or `left` at most: how many, or -1: the columns do not hold just `left` more.
 * Whether pages and kinds can be is not looked at. */
long codec_decode(struct codec *, struct codec_rest *, struct refs_item *items, uint64_t left);

#endif
