/* A hash map from 64-bit keys to 64-bit values: any key, any value.
 *
 * Open addressing with linear probing in a table that is a power of two and at most 3/4 full; a removal moves
 * the entries behind it up (Knuth, TAOCP vol. 3, 6.4, algorithm R), so that no tombstones pile up and a
 * look-up costs the same after a million insertions and removals as before. The order of map_next() is a
 * function of the sequence of operations alone.
 *
 * The table never shrinks; map_free() returns the memory. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/inject.h"

struct map_entry {
    uint64_t key; /* 0: the place is free */
    uint64_t value;
};

/* The fields are map.c's, but for initialisation: all zero, or MAP_INIT, is an empty map. */
struct map {
    struct map_entry *entries; /* NULL iff places == 0 */
    size_t places;             /* 0 or a power of two */
    size_t used;               /* places taken; the key 0 is not among them */
    bool has_zero;             /* key 0 marks free places, so it is kept apart */
    uint64_t zero_value;
    struct inject *inject; /* for INJECT_ALLOC, or NULL */
};

#define MAP_INIT(injection) ((struct map){.inject = (injection)})

void map_free(struct map *); /* leaves an empty map */

static inline size_t map_count(const struct map *m) {
    return m->used + m->has_zero;
}

/* Whether the key is there; *ret_value (may be NULL) is its value, untouched otherwise. */
bool map_get(const struct map *, uint64_t key, uint64_t *ret_value);

/* Has the host's caches fetch the place of a key that is soon to be looked up. */
void map_prefetch(const struct map *, uint64_t key);

/* Adds the key or replaces its value. 0, or -ENOMEM: then nothing changed. */
int map_put(struct map *, uint64_t key, uint64_t value);

/* Makes room, so that map_put() of `more` further keys cannot fail. 0 or -ENOMEM. */
int map_reserve(struct map *, size_t more);

/* Whether the key was there; *ret_value (may be NULL) is what it had. */
bool map_remove(struct map *, uint64_t key, uint64_t *ret_value);

/* Iterates: *cursor starts at 0; true with an entry, false at the end. The map must not change meanwhile. */
bool map_next(const struct map *, size_t *cursor, uint64_t *ret_key, uint64_t *ret_value);

/* Verifies that every key is found where it is. NULL, or what is wrong. */
const char *map_check(const struct map *);

#endif
