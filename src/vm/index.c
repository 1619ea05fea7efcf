/* See index.h. Nodes are made by index_reserve() and freed by index_clear() only; a failed index_reserve()
 * may leave nodes without entries behind, which do no harm. */
#include "vm/index.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { BITS = 6, FANOUT = 1 << BITS, HEIGHT_MAX = 6 };

struct index_leaf {
    struct index_entry entries[FANOUT];
};
struct index_node {
    void *children[FANOUT]; /* leaves at level 2, nodes above */
};

/* Where the page stands in a node of that level; leaves are level 1. */
static unsigned place_of(uint64_t page, unsigned level) {
    return (unsigned)(page >> BITS * (level - 1)) & (FANOUT - 1);
}

/* Whether the page has a place under a root of that height. */
static bool fits(uint64_t page, unsigned height) {
    return height > 0 && page >> BITS * height == 0;
}

/* ---- finding ---- */

static struct index_leaf *leaf_search(struct page_index *index, uint64_t page) {
    if (!fits(page, index->height))
        return NULL;
    void *at = index->root;
    for (unsigned level = index->height; level > 1 && at; level--)
        at = ((const struct index_node *)at)->children[place_of(page, level)];
    if (at) {
        index->recent = at;
        index->recent_number = page >> BITS;
    }
    return at;
}

static struct index_leaf *leaf_find(struct page_index *index, uint64_t page) {
    if (index->recent && index->recent_number == page >> BITS)
        return index->recent;
    return leaf_search(index, page);
}

struct index_entry index_get(struct page_index *index, uint64_t page) {
    const struct index_leaf *leaf = leaf_find(index, page);
    return leaf ? leaf->entries[place_of(page, 1)] : (struct index_entry){INDEX_NONE};
}

/* ---- changing ---- */

/* A new root above the old one, whose first child that becomes. */
static int index_heighten(struct page_index *index, struct inject *inject) {
    struct index_node *root = inject_calloc(inject, 1, sizeof *root);
    if (!root)
        return -ENOMEM;
    root->children[0] = index->root;
    index->root = root;
    index->height++;
    return 0;
}

int index_reserve(struct page_index *index, struct inject *inject, uint64_t page) {
    if (leaf_find(index, page))
        return 0;
    assert(fits(page, HEIGHT_MAX));
    if (index->height == 0)
        index->height = 1; /* an absent leaf */
    while (!fits(page, index->height))
        if (index_heighten(index, inject) < 0)
            return -ENOMEM;
    void **place = &index->root;
    for (unsigned level = index->height;; level--) {
        if (!*place)
            *place =
                inject_calloc(inject, 1, level > 1 ? sizeof(struct index_node) : sizeof(struct index_leaf));
        if (!*place)
            return -ENOMEM;
        if (level == 1)
            return 0;
        place = &((struct index_node *)*place)->children[place_of(page, level)];
    }
}

void index_set(struct page_index *index, uint64_t page, struct index_entry entry) {
    struct index_leaf *leaf = leaf_find(index, page);
    assert(leaf);
    struct index_entry *place = &leaf->entries[place_of(page, 1)];
    index->resident -= index_kind(*place) == INDEX_FRAME;
    index->known -= index_kind(*place) != INDEX_NONE;
    *place = entry;
    index->resident += index_kind(*place) == INDEX_FRAME;
    index->known += index_kind(*place) != INDEX_NONE;
}

/* ---- walking in order ---- */

static bool leaf_next(const struct index_leaf *leaf, uint64_t *page, uint64_t end,
                      struct index_entry *ret_entry) {
    for (unsigned i = place_of(*page, 1); i < FANOUT && *page < end; i++, ++*page) {
        if (index_kind(leaf->entries[i]) == INDEX_NONE)
            continue;
        *ret_entry = leaf->entries[i];
        return true;
    }
    return false;
}

bool index_next(struct page_index *index, uint64_t *page, uint64_t end, struct index_entry *ret_entry) {
    uint64_t at = *page;
    while (at < end && fits(at, index->height)) {
        const void *node = index->root;
        unsigned level = index->height;
        for (; level > 1 && node; level--)
            node = ((const struct index_node *)node)->children[place_of(at, level)];
        if (!node) { /* nothing below the entry that led here: go to the next one */
            at = ((at >> BITS * level) + 1) << BITS * level;
            continue;
        }
        if (leaf_next(node, &at, end, ret_entry)) {
            *page = at;
            return true;
        }
    }
    return false;
}

/* ---- forgetting ---- */

static void leaf_clear(struct page_index *index, struct index_leaf *leaf, uint64_t first, uint64_t page) {
    for (unsigned i = page > first ? place_of(page, 1) : 0; i < FANOUT; i++) {
        assert(index_kind(leaf->entries[i]) != INDEX_FRAME);
        index->known -= index_kind(leaf->entries[i]) != INDEX_NONE;
        leaf->entries[i] = (struct index_entry){INDEX_NONE};
    }
}

/* Clears what is at or above `page` in the subtree whose first page is `first`; true if nothing is left and
 * it was freed. */
static bool subtree_clear(struct page_index *index, void *subtree, unsigned level, uint64_t first,
                          uint64_t page) {
    const uint64_t pages = 1ULL << BITS * level;
    if (!subtree || first + pages <= page)
        return false;
    if (level == 1) {
        leaf_clear(index, subtree, first, page);
    } else {
        struct index_node *node = subtree;
        for (unsigned i = 0; i < FANOUT; i++)
            if (subtree_clear(index, node->children[i], level - 1, first + i * (pages >> BITS), page))
                node->children[i] = NULL;
    }
    if (first < page)
        return false;
    free(subtree);
    return true;
}

void index_clear(struct page_index *index, uint64_t page) {
    index->recent = NULL;
    if (subtree_clear(index, index->root, index->height, 0, page)) {
        index->root = NULL;
        index->height = 0;
    }
}
