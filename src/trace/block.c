/* See block.h. */
#include "trace/block.h"

#include <string.h>

struct block_opening block_opening(void) {
    struct block_opening opening = {
        .skippable = {SKIPPABLE_OPENING, sizeof opening - sizeof opening.skippable},
        .version = BLOCK_VERSION,
        .byte_order = BLOCK_BYTE_ORDER,
    };
    memcpy(opening.magic, BLOCK_MAGIC, sizeof opening.magic);
    return opening;
}

struct block_head block_head(enum block_kind kind, uint64_t first, uint64_t count, uint64_t size,
                             uint64_t packed) {
    struct block_head head = {
        .skippable = {SKIPPABLE_HEAD, sizeof head - sizeof head.skippable},
        .kind = kind,
        .first = first,
        .count = count,
        .size = size,
        .packed = packed,
    };
    return head;
}

struct block_closing block_closing(uint64_t index) {
    struct block_closing closing = {
        .skippable = {SKIPPABLE_CLOSING, sizeof closing - sizeof closing.skippable},
        .index = index,
    };
    memcpy(closing.magic, BLOCK_CLOSING_MAGIC, sizeof closing.magic);
    return closing;
}

struct plain_frame plain_frame(uint64_t size) {
    /* descriptor: a content size of 8 bytes follows, one segment, no checksum, no dictionary */
    struct plain_frame frame = {{0x28, 0xb5, 0x2f, 0xfd, 0xe0}};
    memcpy(frame.bytes + 5, &size, sizeof size);
    return frame;
}

struct plain_piece plain_piece(uint32_t size, bool last) {
    uint32_t word = size << 3 | last; /* the two bits between are the type, 0: raw */
    struct plain_piece piece;
    memcpy(piece.bytes, &word, sizeof piece.bytes);
    return piece;
}

uint64_t plain_frame_size(uint64_t size) {
    uint64_t pieces = (size + PLAIN_PIECE - 1) / PLAIN_PIECE;
    return sizeof(struct plain_frame) + pieces * sizeof(struct plain_piece) + size;
}
