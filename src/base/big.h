/* Large arrays that are looked at everywhere: in huge pages where the host has them, which spares its TLB (a
 * host without them is only slower). What these return is released with free(). */
#ifndef BASE_BIG_H
#define BASE_BIG_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base.h"

enum { BIG_PAGE = 2 << 20 };

/* Not initialised; NULL: no memory. */
static inline void *big_alloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    if (bytes < BIG_PAGE)
        return aligned_alloc(64, max_size(64, (bytes + 63) & ~(size_t)63));
    bytes = (bytes + BIG_PAGE - 1) & ~(size_t)(BIG_PAGE - 1);
    void *array = aligned_alloc(BIG_PAGE, bytes);
    if (array)
        (void)madvise(array, bytes, MADV_HUGEPAGE);
    return array;
}

static inline void *big_calloc(size_t count, size_t size) {
    void *array = big_alloc(count, size);
    return array ? memset(array, 0, count * size) : NULL;
}

/* A larger array with the old one's `used` elements in front, which is freed. On failure it is untouched. */
static inline void *big_grow(void *old, size_t used, size_t count, size_t size) {
    void *array = big_alloc(count, size);
    if (!array)
        return NULL;
    if (used)
        memcpy(array, old, used * size);
    free(old);
    return array;
}

#endif
