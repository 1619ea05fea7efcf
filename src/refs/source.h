/* The inside of a source of references: what all formats share, and the operations of each. For refs/ only.
 *
 * A format turns its bytes into items and tells the pages it meets; source.c checks every item, counts, and
 * hashes. */
#ifndef REFS_SOURCE_H
#define REFS_SOURCE_H

#include <stdarg.h>
#include <sys/types.h>

#include "base/map.h"
#include "refs/bytes.h"
#include "refs/check.h"
#include "refs/hash.h"
#include "refs/refs.h"
#include "refs/table.h"

/* Bytes from the beginning of a file that tell its format. */
enum { SOURCE_SNIFF = 1 << 12 };

struct refs_reader {
    enum refs_format format;
    /* Whether a file that begins so may be of this format. */
    bool (*fits)(const uint8_t *bytes, size_t length);
    /* What follows return 0 or -errno with source_fail(). */
    int (*open)(struct refs_source *);
    void (*close)(struct refs_source *);
    int (*rewind)(struct refs_source *); /* `bytes` are at the beginning already */
    /* Up to SOURCE_ITEMS items into source->items: how many (0: the end), or -errno. */
    long (*next)(struct refs_source *);
};

extern const struct refs_reader csv_reader, lackey_reader, native_reader, oracle_reader, ostep_reader,
    perf_reader;
/* Those of each enum refs_format, NULL for REFS_FORMAT_ANY. */
extern const struct refs_reader *const refs_readers[REFS_FORMATS];

enum { SOURCE_ITEMS = 1 << 14 };

struct refs_source {
    const struct refs_reader *reader;
    void *state; /* the reader's */
    struct refs_bytes *bytes;
    char *path, *message;
    struct refs_table table;
    struct refs_header header;
    struct refs_item *items; /* SOURCE_ITEMS of them */

    /* of this reading, up to now */
    uint64_t references, item_count, instruction;
    struct refs_before before;
    struct refs_hash *hash;
    uint64_t *dead; /* bitmap over pages that died */
    size_t dead_words;
    uint64_t deaths;
    bool ended;
    int error;

    /* The reader sets what the file says before it is read (`announced`), or at its end. `known`: all of
     * them are right. */
    struct refs_totals totals;
    bool announced, known;
};

/* Keeps the message "PATH: …" if it is the first; returns `error`. */
__attribute__((format(printf, 3, 4))) int source_fail(struct refs_source *, int error, const char *format,
                                                      ...);
/* The same for the line or record (`unit`) of that number that is wrong; returns -EBADMSG. */
int source_vfail(struct refs_source *, const char *unit, uint64_t number, const char *format, va_list);
/* The same for what refs_bytes_see() returned where that should be. */
int source_bytes_fail(struct refs_source *, int error, const char *unit, uint64_t number);

#endif
