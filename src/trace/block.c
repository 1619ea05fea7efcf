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
