/* The page-table format "array": the lecture's single table, one entry for each page of the address space.
 *
 * Logically an array of 2^36 entries. Three reserved frames could not hold it, and it is charged none: on the
 * host it is a sparse tree of four levels with 512 places each, whose nodes exist where entries are in use.
 * So `frames` stays 0 and a walk reads one entry.
 *
 * Invariants: a node counts its places in use; `node_of` remembers the leaf of the last page looked up, and
 * is forgotten with it. A node that is not in use exists only between prepare() and the next set() there. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/base.h"
#include "hw/pagetable.h"

enum { BITS = 9, PLACES = 1 << BITS, LEVELS = 4, ROOT = LEVELS - 1, VPN_BITS = BITS * LEVELS };

struct node {
    unsigned used; /* places that are not NULL or not empty */
    union {
        struct node *child[PLACES]; /* level > 0 */
        pte_t pte[PLACES];          /* level 0: a leaf */
    };
};

struct array_table {
    struct page_table table;
    struct inject *inject;
    struct node *root;
    /* The leaf that was looked up last, and which one it is; apart, as looking up is not a change. */
    struct last_leaf {
        uint64_t number;   /* vpn >> BITS */
        struct node *leaf; /* or NULL */
    } * last;
};

static struct array_table *array_of(const struct page_table *table) {
    return container_of(table, struct array_table, table);
}

static unsigned place_of(vpn_t vpn, unsigned level) {
    return (unsigned)(vpn.n >> BITS * level) & (PLACES - 1);
}

static int array_create(const struct table_frames *frames, struct page_table **ret_table) {
    struct array_table *array = inject_calloc(frames->inject, 1, sizeof *array);
    if (!array)
        return -ENOMEM;
    *array = (struct array_table){.table.ops = &page_table_array, .inject = frames->inject};
    array->root = inject_calloc(frames->inject, 1, sizeof *array->root);
    array->last = inject_calloc(frames->inject, 1, sizeof *array->last);
    if (!array->root || !array->last)
        goto out_free;
    *ret_table = &array->table;
    return 0;

out_free:
    free(array->last);
    free(array->root);
    free(array);
    return -ENOMEM;
}

static void node_free(struct node *node, unsigned level) {
    for (unsigned i = 0; level > 0 && i < PLACES; i++)
        if (node->child[i])
            node_free(node->child[i], level - 1);
    free(node);
}

static void array_destroy(struct page_table *table) {
    struct array_table *array = array_of(table);
    node_free(array->root, ROOT);
    free(array->last);
    free(array);
}

/* The leaf with the page's entry, or NULL. */
static struct node *array_leaf(const struct array_table *array, vpn_t vpn) {
    if (likely(array->last->leaf && array->last->number == vpn.n >> BITS))
        return array->last->leaf;
    if (vpn.n >> VPN_BITS)
        return NULL;
    struct node *node = array->root;
    for (unsigned level = ROOT; level > 0 && node; level--)
        node = node->child[place_of(vpn, level)];
    if (node)
        *array->last = (struct last_leaf){vpn.n >> BITS, node};
    return node;
}

static pte_t array_get(const struct page_table *table, vpn_t vpn) {
    const struct node *leaf = array_leaf(array_of(table), vpn);
    return leaf ? leaf->pte[place_of(vpn, 0)] : (pte_t){0};
}

static int array_prepare(struct page_table *table, vpn_t vpn) {
    struct array_table *array = array_of(table);
    assert(vpn.n >> VPN_BITS == 0);
    if (array_leaf(array, vpn))
        return 0;
    struct node *node = array->root;
    for (unsigned level = ROOT; level > 0; level--) {
        struct node **child = &node->child[place_of(vpn, level)];
        if (!*child) {
            *child = inject_calloc(array->inject, 1, sizeof **child);
            if (!*child)
                return -ENOMEM;
            node->used++;
        }
        node = *child;
    }
    return 0;
}

/* Frees the nodes on the way to the page that are not in use. */
static void array_prune(struct array_table *array, vpn_t vpn) {
    struct node *path[LEVELS] = {[ROOT] = array->root};
    unsigned level = ROOT;
    for (; level > 0 && path[level]->child[place_of(vpn, level)]; level--)
        path[level - 1] = path[level]->child[place_of(vpn, level)];
    array->last->leaf = NULL;
    for (; level < ROOT && path[level]->used == 0; level++) {
        free(path[level]);
        path[level + 1]->child[place_of(vpn, level + 1)] = NULL;
        path[level + 1]->used--;
    }
}

static void array_set(struct page_table *table, vpn_t vpn, pte_t new) {
    struct array_table *array = array_of(table);
    struct node *leaf = array_leaf(array, vpn);
    assert(leaf || pte_is_empty(new));
    if (leaf) {
        pte_t *entry = &leaf->pte[place_of(vpn, 0)];
        leaf->used += (unsigned)!pte_is_empty(new) - (unsigned)!pte_is_empty(*entry);
        *entry = new;
    }
    if (pte_is_empty(new) && !(leaf && leaf->used) && !(vpn.n >> VPN_BITS))
        array_prune(array, vpn);
}

/* Moves *at to the first entry in use at or after it, in this node and those below; NULL if there is none:
 * then *at is behind the node or the limit. */
static const pte_t *node_next(const struct node *node, unsigned level, vpn_t *at, uint64_t limit) {
    for (unsigned i = place_of(*at, level); i < PLACES && at->n < limit; i++) {
        const pte_t *found = NULL;
        if (level == 0 && !pte_is_empty(node->pte[i]))
            found = &node->pte[i];
        else if (level > 0 && node->child[i])
            found = node_next(node->child[i], level - 1, at, limit);
        else
            at->n = ((at->n >> BITS * level) + 1) << BITS * level;
        if (found)
            return found;
    }
    return NULL;
}

static bool array_next(const struct page_table *table, vpn_t *vpn, vpn_t end, pte_t *ret_pte) {
    const struct array_table *array = array_of(table);
    const uint64_t limit = min_u64(end.n, 1ULL << VPN_BITS);
    const struct node *leaf = array_leaf(array, *vpn); /* mostly the next one is there */
    vpn_t at = *vpn;
    const pte_t *found = leaf ? node_next(leaf, 0, &at, limit) : NULL;
    if (!found)
        found = node_next(array->root, ROOT, &at, limit);
    if (!found)
        return false;
    *vpn = at;
    *ret_pte = *found;
    return true;
}

static void array_mark(struct page_table *table, vpn_t vpn, uint64_t bits) {
    struct node *leaf = array_leaf(array_of(table), vpn);
    assert(leaf && pte_is_present(leaf->pte[place_of(vpn, 0)]));
    assert((bits & ~(uint64_t)(PTE_REFERENCED | PTE_DIRTY)) == 0);
    leaf->pte[place_of(vpn, 0)].v |= bits;
}

static bool array_walk(struct page_table *table, vpn_t vpn, unsigned access, pte_t *ret_pte) {
    struct node *leaf = array_leaf(array_of(table), vpn);
    if (unlikely(!leaf)) {
        *ret_pte = (pte_t){0};
        return false;
    }
    pte_t *entry = &leaf->pte[place_of(vpn, 0)];
    const bool allowed = pte_is_present(*entry) && pte_has(*entry, (uint64_t)access << 2 | PTE_USER);
    if (likely(allowed))
        entry->v |= access & ACCESS_WRITE ? PTE_REFERENCED | PTE_DIRTY : PTE_REFERENCED;
    *ret_pte = *entry;
    return allowed;
}

static const char *node_check(const struct node *node, unsigned level) {
    unsigned used = 0;
    const char *wrong = NULL;
    for (unsigned i = 0; i < PLACES && !wrong; i++) {
        used += level > 0 ? node->child[i] != NULL : !pte_is_empty(node->pte[i]);
        if (level > 0 && node->child[i])
            wrong = node_check(node->child[i], level - 1);
        if (level == 0 && !pte_is_empty(node->pte[i]) && !pte_is_present(node->pte[i]) &&
            !pte_is_swapped(node->pte[i]))
            wrong = "array page table: an entry is neither empty, present nor swapped";
    }
    if (!wrong && used != node->used)
        wrong = "array page table: the count of places in use is wrong";
    return wrong;
}

static const char *array_check(const struct page_table *table) {
    struct array_table *array = array_of(table);
    if (table->frames != 0)
        return "array page table: it occupies frames";
    const struct last_leaf last = *array->last;
    array->last->leaf = NULL;
    if (last.leaf && array_leaf(array, (vpn_t){last.number << BITS}) != last.leaf)
        return "array page table: it remembers a leaf that is not there";
    return node_check(array->root, ROOT);
}

const struct page_table_ops page_table_array = {
    .name = "array",
    .description = "one table of entries for each process, as drawn in lectures; occupies no frames",
    .levels = 1,
    .create = array_create,
    .destroy = array_destroy,
    .get = array_get,
    .prepare = array_prepare,
    .set = array_set,
    .next = array_next,
    .mark = array_mark,
    .walk = array_walk,
    .check = array_check,
};
