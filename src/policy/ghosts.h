/* Pages that were evicted and are remembered: their identities, in a hash table of fixed size, each with a
 * number that serves as a node of a struct lists (policy/lists.h), where its order is kept. 8 bytes a ghost
 * and 8 to 16 for the table; nothing is allocated after ghosts_init().
 *
 * Invariants (ghosts_check): every ghost is found under its identity; used <= limit. Open addressing with
 * linear probing as in base/map.h, over numbers instead of entries. */
#ifndef POLICY_GHOSTS_H
#define POLICY_GHOSTS_H

#include <assert.h>

#include "policy/lists.h"

struct ghosts {
    uint64_t *pages; /* identities, by ghost; of a free one, the next free one + 1, or 0 */
    uint32_t *table; /* ghost + 1, or 0; mask + 1 places, at most half of them taken */
    uint32_t mask;
    uint32_t first; /* node number of ghost 0: the number of frames */
    uint32_t limit, used;
    uint64_t free; /* a free ghost + 1, or 0 */
};

static inline void ghosts_free(struct ghosts *g) {
    free(g->pages);
    free(g->table);
}

/* Room for `limit` ghosts, whose nodes are first … first+limit-1. 0 or -ENOMEM. */
static inline int ghosts_init(struct ghosts *g, uint32_t first, uint32_t limit) {
    *g = (struct ghosts){.first = first, .limit = limit, .mask = 1, .free = limit ? 1 : 0};
    while (g->mask / 2 < limit && g->mask < UINT32_MAX)
        g->mask = g->mask * 2 + 1;
    g->pages = calloc((size_t)limit + 1, sizeof *g->pages);
    g->table = calloc((size_t)g->mask + 1, sizeof *g->table);
    if (!g->pages || !g->table) {
        ghosts_free(g);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i + 1 < limit; i++)
        g->pages[i] = i + 2;
    return 0;
}

/* Lists of frames and of as many ghosts. 0 or -ENOMEM. */
static inline int ghosts_init_lists(struct ghosts *g, struct lists *l, uint32_t frames, uint32_t ghosts,
                                    uint32_t lists) {
    int error = ghosts_init(g, frames, ghosts);
    if (error)
        return error;
    error = frames < UINT32_MAX - ghosts ? lists_init(l, frames + ghosts, lists) : -ENOMEM;
    if (error)
        ghosts_free(g);
    return error;
}

static inline size_t ghosts_bytes(const struct ghosts *g) {
    return ((size_t)g->limit + 1) * sizeof *g->pages + ((size_t)g->mask + 1) * sizeof *g->table;
}

static inline bool ghosts_full(const struct ghosts *g) {
    return g->used == g->limit;
}

/* The finaliser of splitmix64: neighbouring pages must not make runs. */
static inline uint32_t ghosts_home(const struct ghosts *g, uint64_t page) {
    page = (page ^ page >> 30) * 0xbf58476d1ce4e5b9ULL;
    page = (page ^ page >> 27) * 0x94d049bb133111ebULL;
    return (uint32_t)(page ^ page >> 31) & g->mask;
}

/* The place of the page in the table, or the free place where its search ends. */
static inline uint32_t ghosts_place(const struct ghosts *g, uint64_t page) {
    uint32_t place = ghosts_home(g, page);
    while (g->table[place] && g->pages[g->table[place] - 1] != page)
        place = (place + 1) & g->mask;
    return place;
}

/* The node of the page, or NODE_NONE. */
static inline uint32_t ghosts_find(const struct ghosts *g, page_id_t page) {
    const uint32_t ghost = g->table[ghosts_place(g, page.n)];
    return ghost ? g->first + ghost - 1 : NODE_NONE;
}

static inline page_id_t ghosts_page(const struct ghosts *g, uint32_t node) {
    return (page_id_t){g->pages[node - g->first]};
}

/* Remembers a page that is no ghost; not when they are full. Returns its node. */
static inline uint32_t ghosts_add(struct ghosts *g, page_id_t page) {
    assert(g->used < g->limit);
    const uint32_t ghost = (uint32_t)g->free - 1, place = ghosts_place(g, page.n);
    assert(!g->table[place]);
    g->free = g->pages[ghost];
    g->pages[ghost] = page.n;
    g->table[place] = ghost + 1;
    g->used++;
    return g->first + ghost;
}

/* Forgets a ghost, moving up the entries behind its place (Knuth, TAOCP vol. 3, 6.4, algorithm R). */
static inline void ghosts_drop(struct ghosts *g, uint32_t node) {
    const uint32_t ghost = node - g->first;
    uint32_t gap = ghosts_place(g, g->pages[ghost]);
    for (uint32_t at = (gap + 1) & g->mask; g->table[at]; at = (at + 1) & g->mask) {
        const uint32_t home = ghosts_home(g, g->pages[g->table[at] - 1]);
        if (((at - home) & g->mask) < ((at - gap) & g->mask))
            continue;
        g->table[gap] = g->table[at];
        gap = at;
    }
    g->table[gap] = 0;
    g->pages[ghost] = g->free;
    g->free = (uint64_t)ghost + 1;
    g->used--;
}

/* NULL, or what is wrong. */
static inline const char *ghosts_check(const struct ghosts *g) {
    uint32_t used = 0;
    for (uint32_t place = 0; place <= g->mask; place++) {
        const uint32_t ghost = g->table[place];
        used += ghost != 0;
        if (ghost > g->limit || (ghost && ghosts_place(g, g->pages[ghost - 1]) != place))
            return "policy: a ghost cannot be found";
    }
    return used == g->used && used <= g->limit ? NULL : "policy: the count of ghosts is wrong";
}

#endif
