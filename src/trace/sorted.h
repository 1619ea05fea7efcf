/* A set of pointers ordered by number: an array that is searched by halving. Made for numbers that mostly
 * grow (processes, address spaces, objects) and for walking in order. */
#ifndef TRACE_SORTED_H
#define TRACE_SORTED_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

struct sorted_entry {
    uint64_t key;
    void *value;
};

/* All zero is an empty set. */
struct sorted {
    struct sorted_entry *entries; /* by rising key */
    size_t count, capacity;
};

/* The position of the first entry whose key is not below `key`; count if there is none. */
static inline size_t sorted_position(const struct sorted *s, uint64_t key) {
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->entries[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL when there is none. */
static inline void *sorted_get(const struct sorted *s, uint64_t key) {
    size_t position = sorted_position(s, key);
    return position < s->count && s->entries[position].key == key ? s->entries[position].value : NULL;
}

/* Adds a key that is not there. 0 or -ENOMEM. */
static inline int sorted_add(struct sorted *s, uint64_t key, void *value, struct inject *inject) {
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 8;
        struct sorted_entry *entries = inject_realloc(inject, s->entries, capacity, sizeof *entries);
        if (!entries)
            return -ENOMEM;
        s->entries = entries;
        s->capacity = capacity;
    }
    size_t position = sorted_position(s, key);
    memmove(s->entries + position + 1, s->entries + position, (s->count - position) * sizeof *s->entries);
    s->entries[position] = (struct sorted_entry){key, value};
    s->count++;
    return 0;
}

/* Takes the entry out; NULL when there was none. */
static inline void *sorted_remove(struct sorted *s, uint64_t key) {
    size_t position = sorted_position(s, key);
    if (position == s->count || s->entries[position].key != key)
        return NULL;
    void *value = s->entries[position].value;
    s->count--;
    memmove(s->entries + position, s->entries + position + 1, (s->count - position) * sizeof *s->entries);
    return value;
}

#endif
