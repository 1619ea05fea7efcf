/* The native file of references.
 *
 *   +---------+--------+-------+-------+-- … --+-------+-----+---------+
 *   | opening | HEADER | ITEMS | ITEMS |       | ITEMS | END | closing |
 *   +---------+--------+-------+-------+-- … --+-------+-----+---------+
 *
 *   opening   16 bytes of magic, then the format's version and the mark of the byte order
 *   block     a fixed head, then one zstd frame of its own (RFC 8878) with a content checksum
 *   HEADER    struct native_header, then strings
 *   ITEMS     struct native_counts; the pages, objects and marks that appear first in this block; at most
 *             NATIVE_ITEMS_MOST items as columns (codec.h)
 *   END       struct native_end, then strings
 *   closing   where END is. A file without it was cut: its whole blocks can be read, one after the other
 *
 * Opening, heads and closing are skippable frames of zstd, so that `zstd -t` tests any such file. All numbers
 * are in the writer's byte order. A file holds no date, name or address of the host. docs/FORMATS.md says the
 * same at length. */
#ifndef REFS_NATIVE_H
#define REFS_NATIVE_H

#include <stdint.h>

#include "refs/codec.h"
#include "trace/block.h"

#define NATIVE_MAGIC         "THIMBLE\nrefs\r\n" /* and two of 0 */
#define NATIVE_CLOSING_MAGIC "REFS END"
enum { NATIVE_VERSION = 2 };

struct native_opening {
    struct skippable skippable;
    char magic[16];
    uint32_t version, byte_order; /* BLOCK_BYTE_ORDER */
};

enum native_kind { NATIVE_HEADER = 1, NATIVE_ITEMS, NATIVE_END };

/* No block is larger when it is unpacked, and no text in one is longer. */
#define NATIVE_LIMIT (1u << 25)
#define NATIVE_TEXT  (1u << 20)
/* Items of a block, at most. */
#define NATIVE_ITEMS_MOST (1u << 18)

struct native_head {
    struct skippable skippable;
    uint32_t kind;     /* enum native_kind */
    uint32_t reserved; /* 0 */
    uint32_t size;     /* bytes, unpacked */
    uint32_t packed;   /* bytes of the zstd frame that follows */
};

/* Then NUL-terminated: the version of Thimble, the CPU ("" where not known), the arguments. */
struct native_header {
    uint64_t seed;
    uint32_t page_size, reduced_to, deterministic, argument_count;
};

/* Then struct refs_page for each page, struct native_mark for each mark, the columns, and NUL-terminated
 * texts: the objects' names, the marks' texts. */
struct native_counts {
    uint32_t pages, marks, objects, items;
    uint32_t columns[COLUMNS]; /* bytes */
};

struct native_mark {
    uint64_t instruction, a, b, c, d;
    uint16_t space;
    uint8_t type, flags;
    uint32_t reserved;
};

/* Then a uint64_t for each half (refs_totals), and the conditions, NUL-terminated. */
struct native_end {
    uint64_t references, instructions, items, dropped;
    uint32_t pages, marks, objects, whole, conditions, halves;
    uint8_t hash[16];
};

struct native_closing {
    struct skippable skippable;
    uint64_t end; /* offset of END's head */
    char magic[8];
};

_Static_assert(sizeof(struct native_opening) == 32 && sizeof(struct native_head) == 24 &&
                   sizeof(struct native_closing) == 24 && sizeof(struct native_counts) == 48 &&
                   sizeof(struct native_mark) == 48 && sizeof(struct native_end) == 72 &&
                   sizeof(struct native_header) == 24 && sizeof(struct refs_page) == 32,
               "the layout of files has no holes");

#endif
