/* The blocks of a native trace file.
 *
 *   +---------+--------+---------+-----+------------+---------+-- … --+-------+---------+
 *   | opening | HEADER | EVENTS  | …   | CHECKPOINT | EVENTS  |       | INDEX | closing |
 *   +---------+--------+---------+-----+------------+---------+-- … --+-------+---------+
 *
 *   opening   16 bytes of magic, then the format's version and the mark of the byte order
 *   block     a fixed head, then one zstd frame of its own (RFC 8878) with a content checksum
 *   HEADER    trace/header.h, JSON
 *   EVENTS    events first … first + count - 1: records of 64 bytes (struct event)
 *   CHECKPOINT  the state after event `first`, as fold_save() gives it
 *   INDEX     struct block_place for each block before it, then struct block_totals
 *   closing   where the INDEX is. A file without it was cut: its blocks are found by walking from head to
 *             head, and the last one may be partial
 *
 * Opening, heads and closing are skippable frames of zstd, so that `zstd -dc` can unpack any trace and `zstd
 * -t` test it. All numbers are in the writer's byte order. A file holds no date, name or address of the host:
 * the same events give the same bytes. */
#ifndef TRACE_BLOCK_H
#define TRACE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"

struct skippable { /* zstd's: a magic number and how many bytes follow */
    uint32_t magic, size;
};
enum { SKIPPABLE_OPENING = 0x184d2a50, SKIPPABLE_HEAD, SKIPPABLE_CLOSING };

#define BLOCK_MAGIC         "THIMBLE\ntrace\r\n"
#define BLOCK_CLOSING_MAGIC "THIMBEND"
enum { BLOCK_VERSION = 1, BLOCK_BYTE_ORDER = 0x01020304, BLOCK_EVENTS = 1 << 14 };

struct block_opening {
    struct skippable skippable;
    char magic[16];
    uint32_t version, byte_order;
};

enum block_kind { BLOCK_HEADER = 1, BLOCK_OF_EVENTS, BLOCK_CHECKPOINT, BLOCK_INDEX };

struct block_head {
    struct skippable skippable;
    uint32_t kind;     /* enum block_kind */
    uint32_t reserved; /* 0 */
    uint64_t first;    /* sequence of an event, by kind; else 0 */
    uint64_t count;    /* events; else 0 */
    uint64_t size;     /* bytes, unpacked */
    uint64_t packed;   /* bytes of the zstd frame that follows */
};

struct block_closing {
    struct skippable skippable;
    uint64_t index; /* offset of the INDEX's head */
    char magic[8];
};

/* In the INDEX. */
struct block_place {
    uint64_t offset; /* of the head */
    uint64_t kind, first, count, size, packed;
};
struct block_totals {
    uint64_t events;
    uint64_t limits_of_determinism; /* 1: what determinism does not cover was used */
};

_Static_assert(sizeof(struct block_opening) == 32 && sizeof(struct block_head) == 48 &&
                   sizeof(struct block_closing) == 24 && sizeof(struct block_place) == 48,
               "the layout of files has no holes");

/* A zstd frame that holds its content as it is (RFC 8878, 3.1.1): what can be written by a signal handler.
 *
 *   plain_frame, then for each piece of at most PLAIN_PIECE bytes: plain_piece, the bytes */
enum { PLAIN_PIECE = 1 << 17 };
struct plain_frame {
    uint8_t bytes[13]; /* magic, descriptor, size of the content */
};
struct plain_piece {
    uint8_t bytes[3];
};
struct plain_frame plain_frame(uint64_t size);
struct plain_piece plain_piece(uint32_t size, bool last);
/* Bytes of such a frame in all. */
uint64_t plain_frame_size(uint64_t size);

struct block_opening block_opening(void);
struct block_head block_head(enum block_kind, uint64_t first, uint64_t count, uint64_t size, uint64_t packed);
struct block_closing block_closing(uint64_t index);

#endif
