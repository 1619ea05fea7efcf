/* Several lists over one set of nodes, each node in at most one of them: circular doubly linked lists
 * threaded through one array, as in ring.h, that says of each node which list it is in. Nodes are frames and,
 * behind them, ghosts (policy/ghosts.h): a page that leaves memory can keep its place.
 *
 *      node:   0 … frames-1 │ frames … size-1 │ size … size+lists-1
 *              frames       │ ghosts          │ heads:  head ─► oldest ⇄ … ⇄ newest ─► head
 *
 * Invariants (lists_check): the links of each list agree in both directions; every node in a list names that
 * list; the counts are right. */
#ifndef POLICY_LISTS_H
#define POLICY_LISTS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/big.h"
#include "hw/types.h"

#define LIST_NONE UINT8_MAX  /* in no list; a list has a smaller number */
#define NODE_NONE UINT32_MAX /* equal to the number of PFN_NONE */

struct lists_node {
    uint32_t next, previous; /* of a node in no list: anything */
    uint8_t list;            /* or LIST_NONE */
    uint8_t mark;            /* the policy's; 0 at first, untouched here */
    uint16_t count;          /* the same */
};

struct lists {
    struct lists_node *nodes;
    uint32_t *counts; /* nodes in each list */
    uint32_t size;    /* nodes without the heads */
    uint32_t lists;
};

static inline void lists_free(struct lists *l) {
    free(l->nodes);
    free(l->counts);
}

/* 0 or -ENOMEM. */
static inline int lists_init(struct lists *l, uint32_t size, uint32_t lists) {
    const size_t nodes = (size_t)size + lists;
    *l = (struct lists){.size = size, .lists = lists};
    l->nodes = nodes < UINT32_MAX ? big_calloc(nodes, sizeof *l->nodes) : NULL;
    l->counts = calloc(lists, sizeof *l->counts);
    if (!l->nodes || !l->counts) {
        lists_free(l);
        return -ENOMEM;
    }
    for (uint32_t n = 0; n < size; n++)
        l->nodes[n].list = LIST_NONE;
    for (uint32_t k = 0; k < lists; k++)
        l->nodes[size + k] = (struct lists_node){.next = size + k, .previous = size + k, .list = (uint8_t)k};
    return 0;
}

/* Bytes of host memory behind it. */
static inline size_t lists_bytes(const struct lists *l) {
    return ((size_t)l->size + l->lists) * sizeof *l->nodes + l->lists * sizeof *l->counts;
}

static inline uint8_t lists_of(const struct lists *l, uint32_t node) {
    return l->nodes[node].list;
}

static inline uint32_t lists_count(const struct lists *l, uint8_t list) {
    return l->counts[list];
}

/* The node that was appended first, or NODE_NONE. */
static inline uint32_t lists_oldest(const struct lists *l, uint8_t list) {
    return l->counts[list] ? l->nodes[l->size + list].next : NODE_NONE;
}

/* The next younger node, or NODE_NONE behind the newest. */
static inline uint32_t lists_after(const struct lists *l, uint32_t node) {
    const uint32_t next = l->nodes[node].next;
    return next < l->size ? next : NODE_NONE;
}

/* Puts a node that is in no list in front of another one, which may be a head. */
static inline void lists_insert_before(struct lists *l, uint32_t other, uint32_t node) {
    struct lists_node *nodes = l->nodes;
    const uint32_t previous = nodes[other].previous;
    nodes[node].next = other;
    nodes[node].previous = previous;
    nodes[node].list = nodes[other].list;
    nodes[previous].next = node;
    nodes[other].previous = node;
    l->counts[nodes[node].list]++;
}

/* Puts a node that is in no list at the newest end of one. */
static inline void lists_append(struct lists *l, uint8_t list, uint32_t node) {
    lists_insert_before(l, l->size + list, node);
}

static inline void lists_remove(struct lists *l, uint32_t node) {
    struct lists_node *of = &l->nodes[node];
    l->nodes[of->previous].next = of->next;
    l->nodes[of->next].previous = of->previous;
    l->counts[of->list]--;
    of->list = LIST_NONE;
}

/* Takes a node out of its list and puts it at the newest end of `list`, which may be the same. */
static inline void lists_move(struct lists *l, uint8_t list, uint32_t node) {
    if (l->nodes[node].next == l->size + list)
        return;
    lists_remove(l, node);
    lists_append(l, list, node);
}

/* Gives the place of one node to another one that is in no list. Marks and counts stay with their nodes. */
static inline void lists_replace(struct lists *l, uint32_t old, uint32_t new) {
    lists_insert_before(l, old, new);
    lists_remove(l, old);
}

/* Appends all of one list to another, in order. */
static inline void lists_join(struct lists *l, uint8_t to, uint8_t from) {
    struct lists_node *nodes = l->nodes, *into = &nodes[l->size + to], *out = &nodes[l->size + from];
    if (!l->counts[from])
        return;
    for (uint32_t n = out->next; n < l->size; n = nodes[n].next)
        nodes[n].list = to;
    nodes[into->previous].next = out->next;
    nodes[out->next].previous = into->previous;
    nodes[out->previous].next = l->size + to;
    into->previous = out->previous;
    out->next = out->previous = l->size + from;
    l->counts[to] += l->counts[from];
    l->counts[from] = 0;
}

/* NULL, or what is wrong. */
static inline const char *lists_check(const struct lists *l) {
    uint32_t linked = 0;
    for (uint32_t k = 0; k < l->lists; k++) {
        uint32_t count = 0, at = l->size + k;
        do {
            const uint32_t next = l->nodes[at].next;
            if (next >= l->size && next != l->size + k)
                return "policy: a list runs into another one";
            if (l->nodes[next].previous != at || l->nodes[next].list != k)
                return "policy: a list is broken";
            at = next;
        } while (at != l->size + k && ++count <= l->counts[k]);
        if (count != l->counts[k])
            return "policy: the count of a list is wrong";
        linked += count;
    }
    for (uint32_t n = 0; n < l->size; n++)
        linked -= l->nodes[n].list != LIST_NONE;
    return linked == 0 ? NULL : "policy: a node says that it is in a list, but is not";
}

#endif
