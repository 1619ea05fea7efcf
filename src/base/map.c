/* See map.h. Invariants:
 *  1. places is 0 or a power of two; used * 4 <= places * 3.
 *  2. From an entry's home (the place that its key hashes to) to the entry itself no place is free.
 * map_check() verifies both. */
#include "base/map.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/base.h"

enum { MAP_MINIMUM = 16 };

/* The finaliser of splitmix64: neighbouring keys (page numbers) must not make runs. */
static size_t map_home(const struct map *m, uint64_t key) {
    key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9ULL;
    key = (key ^ key >> 27) * 0x94d049bb133111ebULL;
    return (size_t)(key ^ key >> 31) & (m->places - 1);
}

static size_t map_after(const struct map *m, size_t place) {
    return (place + 1) & (m->places - 1);
}

/* The place of the key, or the free place where its search ends. Needs places > 0. */
static size_t map_find(const struct map *m, uint64_t key) {
    size_t place = map_home(m, key);
    while (m->entries[place].key && m->entries[place].key != key)
        place = map_after(m, place);
    return place;
}

void map_free(struct map *m) {
    free(m->entries);
    *m = MAP_INIT(m->inject);
}

bool map_get(const struct map *m, uint64_t key, uint64_t *ret_value) {
    uint64_t value = m->zero_value;
    if (likely(key)) {
        if (!m->places)
            return false;
        const struct map_entry *entry = &m->entries[map_find(m, key)];
        if (!entry->key)
            return false;
        value = entry->value;
    } else if (!m->has_zero) {
        return false;
    }
    if (ret_value)
        *ret_value = value;
    return true;
}

void map_prefetch(const struct map *m, uint64_t key) {
    if (m->places)
        __builtin_prefetch(&m->entries[map_home(m, key)]);
}

static int map_resize(struct map *m, size_t places) {
    struct map bigger = {.places = places, .inject = m->inject};
    bigger.entries = inject_calloc(m->inject, places, sizeof *bigger.entries);
    if (!bigger.entries)
        return -ENOMEM;
    for (size_t i = 0; i < m->places; i++)
        if (m->entries[i].key)
            bigger.entries[map_find(&bigger, m->entries[i].key)] = m->entries[i];
    free(m->entries);
    m->entries = bigger.entries;
    m->places = places;
    return 0;
}

int map_reserve(struct map *m, size_t more) {
    if (more > SIZE_MAX / 64 || m->used > SIZE_MAX / 64)
        return -ENOMEM;
    size_t places = max_size(m->places, MAP_MINIMUM);
    while ((m->used + more) * 4 > places * 3)
        places *= 2;
    return places == m->places ? 0 : map_resize(m, places);
}

int map_put(struct map *m, uint64_t key, uint64_t value) {
    if (unlikely(!key)) {
        m->has_zero = true;
        m->zero_value = value;
        return 0;
    }
    size_t place = m->places ? map_find(m, key) : 0;
    if (!m->places || !m->entries[place].key) {
        if (!m->places || (m->used + 1) * 4 > m->places * 3) {
            const int error = map_reserve(m, 1);
            if (error)
                return error;
            place = map_find(m, key);
        }
        m->used++;
    }
    m->entries[place] = (struct map_entry){key, value};
    return 0;
}

/* Fills the gap: moves up each later entry of the run whose home is not behind the gap (algorithm R). */
static void map_close_gap(struct map *m, size_t gap) {
    for (size_t place = map_after(m, gap); m->entries[place].key; place = map_after(m, place)) {
        const size_t home = map_home(m, m->entries[place].key);
        const size_t home_distance = (place - home) & (m->places - 1);
        const size_t gap_distance = (place - gap) & (m->places - 1);
        if (home_distance >= gap_distance) {
            m->entries[gap] = m->entries[place];
            gap = place;
        }
    }
    m->entries[gap] = (struct map_entry){0, 0};
}

bool map_remove(struct map *m, uint64_t key, uint64_t *ret_value) {
    if (!map_get(m, key, ret_value))
        return false;
    if (unlikely(!key)) {
        m->has_zero = false;
        m->zero_value = 0;
        return true;
    }
    map_close_gap(m, map_find(m, key));
    m->used--;
    return true;
}

bool map_next(const struct map *m, size_t *cursor, uint64_t *ret_key, uint64_t *ret_value) {
    for (; *cursor < m->places; ++*cursor) {
        const struct map_entry *entry = &m->entries[*cursor];
        if (entry->key) {
            *ret_key = entry->key;
            *ret_value = entry->value;
            ++*cursor;
            return true;
        }
    }
    if (*cursor > m->places || !m->has_zero)
        return false;
    *cursor = m->places + 1;
    *ret_key = 0;
    *ret_value = m->zero_value;
    return true;
}

const char *map_check(const struct map *m) {
    if (m->places & (m->places - 1))
        return "map: the number of places is not a power of two";
    if (m->used * 4 > m->places * 3)
        return "map: too full";
    size_t used = 0;
    for (size_t i = 0; i < m->places; i++) {
        if (!m->entries[i].key)
            continue;
        used++;
        if (map_find(m, m->entries[i].key) != i)
            return "map: an entry cannot be found from its home, or is there twice";
    }
    return used == m->used ? NULL : "map: the count of used places is wrong";
}
