/* Host memory with failure injection: every allocation of a layer that must survive the failure of the n-th
 * one goes through here. What these return is released with free(). `inject` may be NULL. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdlib.h>
#include <string.h>

#include "base/inject.h"

static inline void *inject_malloc(struct inject *inject, size_t size) {
    return inject_fails(inject, INJECT_ALLOC) ? NULL : malloc(size);
}

static inline void *inject_calloc(struct inject *inject, size_t n, size_t size) {
    return inject_fails(inject, INJECT_ALLOC) ? NULL : calloc(n, size);
}

/* Like reallocarray(): on failure the old block is untouched. */
static inline void *inject_realloc(struct inject *inject, void *block, size_t n, size_t size) {
    return inject_fails(inject, INJECT_ALLOC) ? NULL : reallocarray(block, n, size);
}

static inline char *inject_strdup(struct inject *inject, const char *string) {
    return inject_fails(inject, INJECT_ALLOC) ? NULL : strdup(string);
}

#endif
