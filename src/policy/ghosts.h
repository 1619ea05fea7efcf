/* Pages that were evicted and are remembered: their identities, in a hash table of fixed size, each with a
 * number that serves as a node of a struct lists (policy/lists.h), where its order is kept. 12 bytes a ghost
 * and 4 to 8 for the table; nothing is allocated after ghosts_init().
 *
 * Ghosts come and go at each miss, so places are chains: to remember and to forget one takes a step or two,
 * where open addressing would look at the entries behind. Invariants (ghosts_check): every ghost is found
 * under its identity; used <= limit. */
#ifndef POLICY_GHOSTS_H
#define POLICY_GHOSTS_H

#include <assert.h>

#include "base/big.h"
#include "policy/lists.h"

/* Packed: what a step along a chain reads lies together. */
struct __attribute__((packed, aligned(4))) ghost {
    uint64_t page; /* its identity */
    uint32_t next; /* of the same place of the table, or, of a free one, that is free, + 1; or 0 */
};

struct ghosts {
    struct ghost *ghosts;
    uint32_t *table; /* the first ghost of a place + 1, or 0; 2^bits places, at least as many as ghosts */
    int bits;
    uint32_t first; /* node number of ghost 0: the number of frames */
    uint32_t limit, used;
    uint32_t free; /* a free ghost + 1, or 0 */
};

static inline void ghosts_free(struct ghosts *g) {
    free(g->ghosts);
    free(g->table);
}

/* Room for `limit` ghosts, whose nodes are first … first+limit-1. 0 or -ENOMEM. */
static inline int ghosts_init(struct ghosts *g, uint32_t first, uint32_t limit) {
    *g = (struct ghosts){.first = first, .limit = limit, .bits = 1, .free = limit ? 1 : 0};
    while (1ULL << g->bits < limit)
        g->bits++;
    g->ghosts = big_calloc((size_t)limit + 1, sizeof *g->ghosts);
    g->table = big_calloc((size_t)1 << g->bits, sizeof *g->table);
    if (!g->ghosts || !g->table) {
        ghosts_free(g);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i + 1 < limit; i++)
        g->ghosts[i].next = i + 2;
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
    return ((size_t)g->limit + 1) * sizeof *g->ghosts + ((size_t)1 << g->bits) * sizeof *g->table;
}

static inline bool ghosts_full(const struct ghosts *g) {
    return g->used == g->limit;
}

/* Fibonacci hashing (Knuth, TAOCP vol. 3, 6.4): it spreads neighbouring pages best. */
static inline uint32_t *ghosts_place(const struct ghosts *g, uint64_t page) {
    return &g->table[page * 0x9e3779b97f4a7c15ULL >> (64 - g->bits)];
}

/* The node of the page, or NODE_NONE. */
static inline uint32_t ghosts_find(const struct ghosts *g, page_id_t page) {
    for (uint32_t at = *ghosts_place(g, page.n); at; at = g->ghosts[at - 1].next)
        if (g->ghosts[at - 1].page == page.n)
            return g->first + at - 1;
    return NODE_NONE;
}

/* Remembers a page that is no ghost; not when they are full. Returns its node. */
static inline uint32_t ghosts_add(struct ghosts *g, page_id_t page) {
    assert(g->used < g->limit && ghosts_find(g, page) == NODE_NONE);
    const uint32_t ghost = g->free - 1;
    uint32_t *place = ghosts_place(g, page.n);
    g->free = g->ghosts[ghost].next;
    g->ghosts[ghost] = (struct ghost){.page = page.n, .next = *place};
    *place = ghost + 1;
    g->used++;
    return g->first + ghost;
}

/* Forgets a ghost. */
static inline void ghosts_drop(struct ghosts *g, uint32_t node) {
    const uint32_t ghost = node - g->first;
    const uint32_t next = g->ghosts[ghost].next;
    uint32_t *place = ghosts_place(g, g->ghosts[ghost].page);
    if (*place == ghost + 1) {
        *place = next;
    } else {
        uint32_t at = *place - 1;
        while (g->ghosts[at].next != ghost + 1)
            at = g->ghosts[at].next - 1;
        g->ghosts[at].next = next;
    }
    g->ghosts[ghost].next = g->free;
    g->free = ghost + 1;
    g->used--;
}

/* NULL, or what is wrong. */
static inline const char *ghosts_check(const struct ghosts *g) {
    uint64_t used = 0;
    for (uint64_t place = 0; place < 1ULL << g->bits; place++) {
        for (uint32_t at = g->table[place]; at; at = g->ghosts[at - 1].next) {
            if (at > g->limit || ghosts_find(g, (page_id_t){g->ghosts[at - 1].page}) != g->first + at - 1)
                return "policy: a ghost cannot be found";
            if (++used > g->limit)
                return "policy: a chain of ghosts has no end";
        }
    }
    return used == g->used && used <= g->limit ? NULL : "policy: the count of ghosts is wrong";
}

#endif
