/* What the formats of text share: lines, numbers, pages by name, and runs.
 *
 * A reader of such a format gives one function that takes the next piece from the line it is at, and tells
 * the references in it by lines_add(). Errors name the line. */
#ifndef REFS_LINES_H
#define REFS_LINES_H

#include "refs/names.h"
#include "refs/source.h"

enum {
    LINES_LIMIT = 1 << 26, /* no line is longer */
    LINES_PIECE = 8,       /* references that one piece may add */
};

struct lines {
    /* Takes a piece of the line, from `from` on; moves `from`, to `end` when the line is done. */
    int (*piece)(struct refs_source *, struct lines *);
    bool joins;                     /* adjacent accesses to a page are one reference */
    bool must_end;                  /* a last line without its end is one that was cut */
    uint64_t line;                  /* number of the line, from 1 */
    const char *start, *from, *end; /* of the line, without its end */
    const char *chunk, *chunk_end;  /* bytes that are visible behind it */
    size_t taken;                   /* of the chunk: bytes that the line took */
    size_t count;                   /* items made of this batch */
    struct refs_item run;           /* the last, which may go on; count says that it is there */
    bool running;
    bool counts; /* the format sets `instruction`; else it is the references before */
    uint64_t instruction, references;
    bool headed; /* the format's: its header line was read */
    struct names names;
    struct map spaces; /* for formats of processes: pid → space */
};

/* What a reader of text needs for its operations. */
int lines_open(struct refs_source *, const struct lines *kind); /* piece, joins, must_end, counts */
void lines_close(struct refs_source *);
int lines_rewind(struct refs_source *);
long lines_next(struct refs_source *);

/* An access to the page of this name in a space. 0 or -errno. */
int lines_add(struct refs_source *, struct lines *, uint64_t name, uint16_t space, uint8_t flags);
/* Keeps the message "PATH: line N: …" and returns -EBADMSG. */
__attribute__((format(printf, 3, 4))) int lines_fail(struct refs_source *, const struct lines *,
                                                     const char *format, ...);

/* Takes a number of the base (10 or 16) at `*from`: false if there is none or it is no 64-bit number. */
bool lines_number(const char **from, const char *end, unsigned base, uint64_t *ret_number);
/* Decimal, or hexadecimal behind 0x. */
bool lines_any_number(const char **from, const char *end, uint64_t *ret_number);
/* The first characters of a text, as they may stand in a message: into `to`, which it returns. */
enum { LINES_QUOTE = 48 };
const char *lines_quote(char to[LINES_QUOTE + 4], const char *from, const char *end);
/* The first line of what a file begins with that is not empty; false if there is none. */
bool lines_first(const uint8_t *bytes, size_t length, const char **ret_from, const char **ret_end);

#endif
