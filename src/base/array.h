/* Arrays that grow as they fill: at least twice as large each time, so that an element is copied about once.
 * Released with free(). Functions take the address of the pointer to the elements, of whatever type they are,
 * and how many there is room for, which they change; they return 0, or -ENOMEM: then all is as it was. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <errno.h>

#include "base/big.h"

enum { ARRAY_FIRST = 16 }; /* elements */

/* How many elements there should be room for, where there is room for `capacity` and `wanted` are wanted. */
static inline size_t array_capacity(size_t capacity, size_t wanted) {
    return wanted <= capacity ? capacity : max_size(wanted, max_size(ARRAY_FIRST, 2 * capacity));
}

/* A pointer at `to_array`, whose type is not known. */
static inline void *array_get(const void *to_array) {
    void *array;
    memcpy(&array, to_array, sizeof array);
    return array;
}

/* 0, or -ENOMEM where `array` is NULL. */
static inline int array_put(void *to_array, void *array, size_t *capacity, size_t more) {
    if (!array)
        return -ENOMEM;
    memcpy(to_array, &array, sizeof array);
    *capacity = more;
    return 0;
}

/* Room for `wanted` elements of `size` bytes. */
static inline int array_reserve(void *to_array, size_t *capacity, size_t wanted, size_t size) {
    const size_t more = array_capacity(*capacity, wanted);
    if (likely(more == *capacity))
        return 0;
    return array_put(to_array, reallocarray(array_get(to_array), more, size), capacity, more);
}

/* The same, and what is new is all `byte`s. */
static inline int array_reserve_filled(void *to_array, size_t *capacity, size_t wanted, size_t size,
                                       int byte) {
    const size_t before = *capacity;
    const int error = array_reserve(to_array, capacity, wanted, size);
    if (*capacity > before)
        memset((char *)array_get(to_array) + before * size, byte, (*capacity - before) * size);
    return error;
}

/* The same for an array as big_alloc() makes them, of which `used` elements count. */
static inline int array_reserve_big(void *to_array, size_t *capacity, size_t used, size_t wanted,
                                    size_t size) {
    const size_t more = array_capacity(*capacity, wanted);
    if (likely(more == *capacity))
        return 0;
    return array_put(to_array, big_grow(array_get(to_array), used, more, size), capacity, more);
}

#endif
