/* Reference strings made up for the tests, and files of them. */
#ifndef TESTS_REFS_MADE_H
#define TESTS_REFS_MADE_H

#include "refs/refs.h"

/* What a writer is given, and a reader should say. Owned arrays. */
struct made {
    struct refs_item *items; /* marks among them, by number */
    size_t count;
    struct refs_page *pages;
    uint32_t page_count;
    struct refs_mark *marks;
    uint32_t mark_count;
    uint32_t objects;
};

/* Random, but for ever the same of a seed: loops, walks, deaths, marks, several spaces. */
struct made made_random(uint64_t seed, size_t count);
void made_free(struct made *);
/* The name of an object of all that are made. */
const char *made_object_name(uint32_t object);

/* A temporary file's path, which the caller removes with made_remove(). */
char *made_path(void);
void made_remove(char *path);

extern const struct refs_header made_header;
extern const char *const made_conditions[];
enum { MADE_INSTRUCTIONS = 1234567890, MADE_DROPPED = 77, MADE_HALVES = 3 };
static const uint64_t made_halves[MADE_HALVES] = {1000, 20000, 1ULL << 40};
/* Writes it as a native file. */
void made_write(const struct made *, const char *path);

/* Reads from where the source is: how many items, all of which must be those made.
 * `ret_error`: how it ended. */
size_t made_compare(const struct made *, struct refs_source *, int *ret_error);

/* The bytes of a file, and back. */
unsigned char *made_bytes(const char *path, size_t *ret_length);
void made_put_bytes(const char *path, const void *bytes, size_t length);

#endif
