/* Random reference strings for the tests of analyses: loops, hot sets and uniform parts, pages that die, are
 * cleaned, cooled and given up. */
#ifndef TESTS_ANALYSIS_RANDOM_STRING_H
#define TESTS_ANALYSIS_RANDOM_STRING_H

#include <stdlib.h>

#include "base/rng.h"
#include "hw/types.h"
#include "refs/refs.h"

struct random_string {
    struct refs_item *items;
    struct refs_page *pages;
    size_t count;
    uint32_t page_count;
};

struct random_shape {
    size_t items;
    uint32_t live;                              /* pages at a time, at most */
    uint32_t deaths, cleaned, cooled, given_up; /* of 1000 items */
    uint32_t writes, files, shared, unknown;    /* of 1000 references, pages */
    uint32_t steps;                             /* instructions between items, at most */
};

struct random_maker {
    struct random_string *string;
    const struct random_shape *shape;
    struct rng rng;
    uint32_t *live; /* page by place; UINT32_MAX: none */
    uint32_t hot, mode, position;
};

static inline bool random_one_of(struct random_maker *m, uint32_t of_1000) {
    return rng_below(&m->rng, 1000) < of_1000;
}

/* The page in a place, a new one where there is none. */
static inline uint32_t random_page(struct random_maker *m, uint32_t place) {
    if (m->live[place] == UINT32_MAX) {
        const bool file = random_one_of(m, m->shape->files), shared = random_one_of(m, m->shape->shared);
        const uint64_t number = rng_next(&m->rng);
        const uint32_t page = m->string->page_count++;
        const unsigned kind = file ? REFS_PAGE_FILE : shared ? REFS_PAGE_SHARED : 0;
        m->live[place] = page;
        m->string->pages[page] = (struct refs_page){
            .name = number % 1000,
            .flags = number / 1000 % 1000 < m->shape->unknown ? 0 : (uint16_t)(REFS_PAGE_KNOWN | kind)};
    }
    return m->live[place];
}

static inline uint32_t random_place(struct random_maker *m) {
    if (rng_below(&m->rng, 150) == 0) {
        m->mode = (uint32_t)rng_below(&m->rng, 3);
        m->hot = 1 + (uint32_t)rng_below(&m->rng, m->shape->live);
    }
    if (m->mode == 0)
        return m->position++ % m->hot;
    if (m->mode == 1 && rng_below(&m->rng, 8))
        return (uint32_t)rng_below(&m->rng, (m->hot + 3) / 4);
    return (uint32_t)rng_below(&m->rng, m->shape->live);
}

static inline bool random_is_private(const struct random_maker *m, uint32_t page) {
    return !(m->string->pages[page].flags & (REFS_PAGE_FILE | REFS_PAGE_SHARED));
}

static inline struct refs_item random_item(struct random_maker *m) {
    const struct random_shape *shape = m->shape;
    const uint32_t place = (uint32_t)rng_below(&m->rng, shape->live), page = m->live[place];
    struct refs_item item = {.page = page};
    if (page != UINT32_MAX && random_one_of(m, shape->deaths)) {
        item.kind = REFS_DIES;
        item.flags = (uint8_t)(1 + rng_below(&m->rng, 2));
        m->live[place] = UINT32_MAX;
    } else if (page != UINT32_MAX && m->string->pages[page].flags & REFS_PAGE_FILE &&
               random_one_of(m, shape->cleaned)) {
        item.kind = REFS_CLEANED;
    } else if (page != UINT32_MAX && random_one_of(m, shape->cooled)) {
        item.kind = REFS_COOLED;
    } else if (page != UINT32_MAX && random_is_private(m, page) && random_one_of(m, shape->given_up)) {
        item.kind = REFS_GIVEN_UP;
    } else {
        item.kind = REFS_REFERENCE;
        item.page = random_page(m, random_place(m));
        item.flags = random_one_of(m, shape->writes) ? ACCESS_WRITE : ACCESS_READ;
    }
    return item;
}

static inline struct random_string random_string_make(const struct random_shape *shape, uint64_t seed) {
    struct random_string string = {.items = calloc(shape->items, sizeof *string.items),
                                   .pages = calloc(shape->items, sizeof *string.pages),
                                   .count = shape->items};
    struct random_maker m = {.string = &string,
                             .shape = shape,
                             .rng = {seed},
                             .live = malloc(shape->live * sizeof *m.live),
                             .hot = shape->live};
    uint64_t instruction = 0;
    for (uint32_t i = 0; i < shape->live; i++)
        m.live[i] = UINT32_MAX;
    for (size_t i = 0; i < shape->items; i++) {
        string.items[i] = random_item(&m);
        instruction += rng_below(&m.rng, shape->steps + 1ULL);
        string.items[i].instruction = instruction;
    }
    free(m.live);
    return string;
}

static inline void random_string_free(struct random_string *string) {
    free(string->items);
    free(string->pages);
}

#endif
