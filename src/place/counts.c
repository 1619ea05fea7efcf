#include "place/counts.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

void counts_free(struct counts *c) {
    map_free(&c->index);
    map_free(&c->pages);
    map_free(&c->pairs);
    free(c->keys);
    free(c->of);
    *c = (struct counts){0};
}

void counts_restart(struct counts *c) {
    for (uint32_t i = 0; i < c->count; i++)
        c->of[i] = (struct place_counts){0};
    map_free(&c->pairs);
    c->unpaired = 0;
}

static int counts_grow(struct counts *c) {
    size_t keys = c->capacity, of = c->capacity;
    if (array_reserve(&c->keys, &keys, c->count + 1ULL, sizeof *c->keys) ||
        array_reserve(&c->of, &of, c->count + 1ULL, sizeof *c->of))
        return -ENOMEM;
    c->capacity = of;
    return 0;
}

int counts_key(struct counts *c, struct key key, uint32_t *ret_number) {
    uint64_t number;
    if (map_get(&c->index, key.v, &number)) {
        *ret_number = (uint32_t)number;
        return 0;
    }
    if (counts_grow(c) || map_put(&c->index, key.v, c->count))
        return -ENOMEM;
    c->keys[c->count] = key;
    c->of[c->count] = (struct place_counts){0};
    *ret_number = c->count++;
    return 0;
}

int counts_page_filled(struct counts *c, uint64_t page, uint32_t place) {
    return map_put(&c->pages, page, (uint64_t)place << 32);
}

bool counts_page_place(const struct counts *c, uint64_t page, uint32_t *ret_place) {
    uint64_t value;
    if (!map_get(&c->pages, page, &value))
        return false;
    *ret_place = (uint32_t)(value >> 32);
    return true;
}

int counts_page_evicted(struct counts *c, uint64_t page, uint32_t place, uint32_t evictor) {
    return map_put(&c->pages, page, (uint64_t)place << 32 | (evictor + 1));
}

int counts_page_back(struct counts *c, uint64_t page, uint32_t place) {
    uint64_t value = 0, times = 0;
    (void)map_get(&c->pages, page, &value);
    const uint32_t evictor = (uint32_t)value;
    if (!evictor) {
        c->unpaired++;
        return 0;
    }
    const uint64_t pair = (uint64_t)(evictor - 1) << 32 | place;
    (void)map_get(&c->pairs, pair, &times);
    return map_put(&c->pairs, pair, times + 1);
}
