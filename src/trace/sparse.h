/* An array of fixed-size elements of which most were never touched: memory is had in chunks, at the first
 * touch, zeroed. So a machine with a terabyte of frames costs what its trace mentions. */
#ifndef TRACE_SPARSE_H
#define TRACE_SPARSE_H

#include <errno.h>
#include <stdint.h>

#include "base/alloc.h"

enum { SPARSE_CHUNK = 1024 }; /* elements */

/* All zero is an array of no elements. */
struct sparse {
    void **chunks;
    uint64_t limit; /* elements are 0 … limit-1 */
    size_t element; /* bytes */
};

static inline uint64_t sparse_chunks(const struct sparse *s) {
    return (s->limit + SPARSE_CHUNK - 1) / SPARSE_CHUNK;
}

/* 0 or -ENOMEM. */
static inline int sparse_create(struct sparse *s, uint64_t limit, size_t element, struct inject *inject) {
    struct sparse made = {.limit = limit, .element = element};
    made.chunks = inject_calloc(inject, (size_t)sparse_chunks(&made) + 1, sizeof *made.chunks);
    if (!made.chunks)
        return -ENOMEM;
    *s = made;
    return 0;
}

/* NULL when it was never touched, or is beyond the end. */
static inline void *sparse_get(const struct sparse *s, uint64_t n) {
    if (n >= s->limit)
        return NULL;
    char *chunk = s->chunks[n / SPARSE_CHUNK];
    return chunk ? chunk + n % SPARSE_CHUNK * s->element : NULL;
}

/* Touches element n < limit. NULL when there is no memory. */
static inline void *sparse_touch(struct sparse *s, uint64_t n, struct inject *inject) {
    void **chunk = &s->chunks[n / SPARSE_CHUNK];
    if (!*chunk)
        *chunk = inject_calloc(inject, SPARSE_CHUNK, s->element);
    return *chunk ? (char *)*chunk + n % SPARSE_CHUNK * s->element : NULL;
}

static inline void sparse_free(struct sparse *s) {
    for (uint64_t i = 0; i < sparse_chunks(s); i++)
        free(s->chunks[i]);
    free(s->chunks);
    *s = (struct sparse){0};
}

#endif
