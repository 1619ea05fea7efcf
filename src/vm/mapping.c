/* See mapping.h. */
#include "vm/mapping.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "vm/object.h"
#include "vm/space.h"
#include "vm/state.h"

static int mapping_compare(const struct mapping *a, const struct mapping *b) {
    return a->start.n < b->start.n ? -1 : a->start.n > b->start.n;
}

/* What the tree knows of a subtree: its largest gap. To be kept up when the subtree changes its shape. */
static void mapping_augment(struct mapping *m) {
    const struct mapping *left = RB_LEFT(m, node), *right = RB_RIGHT(m, node);
    m->largest_gap = m->gap;
    if (left && left->largest_gap > m->largest_gap)
        m->largest_gap = left->largest_gap;
    if (right && right->largest_gap > m->largest_gap)
        m->largest_gap = right->largest_gap;
}

#undef RB_AUGMENT
#define RB_AUGMENT(m) mapping_augment(m)
RB_PROTOTYPE(mapping_tree, mapping, node, mapping_compare)
RB_GENERATE(mapping_tree, mapping, node, mapping_compare)

uint64_t mapping_pages(const struct mapping *m) {
    return m->end.n - m->start.n;
}

/* ---- finding ---- */

struct mapping *mapping_first(struct space *space, vpn_t vpn) {
    struct mapping *found = NULL, *m = RB_ROOT(&space->mappings.tree);
    while (m) {
        if (vpn.n < m->end.n) {
            found = m;
            if (vpn.n >= m->start.n)
                break;
            m = RB_LEFT(m, node);
        } else {
            m = RB_RIGHT(m, node);
        }
    }
    return found;
}

struct mapping *mapping_find(struct space *space, vpn_t vpn) {
    struct mapping *m = space->mappings.recent;
    if (m && vpn.n >= m->start.n && vpn.n < m->end.n)
        return m;
    m = mapping_first(space, vpn);
    if (!m || vpn.n < m->start.n)
        return NULL;
    space->mappings.recent = m;
    return m;
}

struct mapping *mapping_next(struct mapping *m) {
    return RB_NEXT(mapping_tree, unused, m);
}

struct mapping *mapping_previous(struct mapping *m) {
    return RB_PREV(mapping_tree, unused, m);
}

struct mapping *mapping_last(struct space *space) {
    return RB_MAX(mapping_tree, &space->mappings.tree);
}

bool mapping_overlaps(struct space *space, vpn_t start, vpn_t end) {
    const struct mapping *m = mapping_first(space, start);
    return m && m->start.n < end.n;
}

int mapping_each(struct space *space, vpn_t start, vpn_t end, mapping_visit *visit, void *context) {
    int result = 0;
    while (start.n < end.n) {
        struct mapping *m = mapping_first(space, start);
        if (!m || m->start.n >= end.n)
            return -ENOMEM;
        result = m->start.n > start.n ? -ENOMEM : result;
        start.n = max_u64(start.n, m->start.n);
        const vpn_t part_end = {min_u64(m->end.n, end.n)};
        const int error = visit(space, m, start, part_end, context);
        if (error)
            return error;
        start = part_end;
    }
    return result;
}

/* ---- gaps ---- */

/* From a mapping whose gap or whose children changed up to the root. */
static void gaps_propagate(struct mapping *m) {
    for (; m; m = RB_PARENT(m, node))
        mapping_augment(m);
}

/* The first page that is free below the mapping. */
static uint64_t gap_bottom(struct mapping *m) {
    const struct mapping *below = mapping_previous(m);
    return below ? below->end.n : 0;
}

static uint64_t gap_of(struct mapping *m) {
    const uint64_t bottom = gap_bottom(m), top = mapping_guarded_start(m).n;
    return top > bottom ? top - bottom : 0;
}

/* The mapping, or the one below it, has other ends than before. */
static void gap_changed(struct mapping *m) {
    if (!m)
        return;
    m->gap = gap_of(m);
    gaps_propagate(m);
}

/* The highest mapping of the subtree that starts below `high` and has so large a gap. */
static struct mapping *gap_search(struct mapping *m, uint64_t pages, vpn_t high) {
    if (!m || m->largest_gap < pages)
        return NULL;
    if (m->start.n < high.n) {
        struct mapping *found = gap_search(RB_RIGHT(m, node), pages, high);
        if (found)
            return found;
        if (m->gap >= pages)
            return m;
    }
    return gap_search(RB_LEFT(m, node), pages, high);
}

bool mapping_find_gap(struct space *space, uint64_t pages, vpn_t low, vpn_t high, vpn_t *ret_start) {
    struct mapping *above = mapping_first(space, (vpn_t){high.n - 1});
    struct mapping *below = above ? mapping_previous(above) : mapping_last(space);
    uint64_t top = above ? min_u64(high.n, mapping_guarded_start(above).n) : high.n;
    uint64_t bottom = max_u64(low.n, below ? below->end.n : 0);
    if (top < bottom + pages) { /* not right below `high` */
        struct mapping *m = below ? gap_search(RB_ROOT(&space->mappings.tree), pages, below->end) : NULL;
        if (!m)
            return false;
        top = mapping_guarded_start(m).n;
        bottom = max_u64(low.n, gap_bottom(m));
    }
    if (top < bottom + pages)
        return false;
    *ret_start = (vpn_t){top - pages};
    return true;
}

bool mapping_find_low_gap(struct space *space, uint64_t pages, vpn_t low, vpn_t high, vpn_t *ret_start) {
    uint64_t start = low.n;
    struct mapping *m = mapping_first(space, low);
    for (; m && mapping_guarded_start(m).n < start + pages; m = mapping_next(m))
        start = max_u64(start, m->end.n);
    *ret_start = (vpn_t){start};
    return start + pages <= high.n;
}

static bool subtree_gaps_agree(struct mapping *m) {
    if (!m)
        return true;
    const uint64_t known = m->largest_gap;
    mapping_augment(m);
    return known == m->largest_gap && m->gap == gap_of(m) && subtree_gaps_agree(RB_LEFT(m, node)) &&
           subtree_gaps_agree(RB_RIGHT(m, node));
}

bool mapping_gaps_agree(struct space *space) {
    return subtree_gaps_agree(RB_ROOT(&space->mappings.tree));
}

/* ---- counts ---- */

/* Adds the mapping's pages to the counts of its space, or takes them away (sign -1). */
static void mapping_account(const struct mapping *m, int sign) {
    struct mapping_set *set = &m->space->mappings;
    const uint64_t pages = (uint64_t)sign * mapping_pages(m);
    const bool writable = m->flags & ACCESS_WRITE, shared = m->flags & MAPPING_SHARED;
    set->pages += pages;
    if (m->flags & MAPPING_LOCKED)
        set->locked += pages;
    if (m->flags & MAPPING_ACCOUNTED)
        m->space->vm->promised += pages;
    if (m->flags & ACCESS_EXEC && !writable && !(m->flags & MAPPING_GROWS_DOWN))
        set->exec += pages;
    else if (m->flags & MAPPING_GROWS_DOWN)
        set->stack += pages;
    else if (writable && !shared)
        set->data += pages;
}

void mapping_extend(struct mapping *m, vpn_t start, vpn_t end) {
    mapping_account(m, -1);
    if (start.n <= m->start.n)
        m->object_page -= m->start.n - start.n;
    else
        m->object_page += start.n - m->start.n;
    m->start = start;
    m->end = end;
    mapping_account(m, 1);
    gap_changed(m);
    gap_changed(mapping_next(m));
}

void mapping_set_flags(struct mapping *m, unsigned flags) {
    mapping_account(m, -1);
    m->flags = flags;
    mapping_account(m, 1);
}

/* ---- entering and removing ---- */

static void mapping_tell_object(const struct mapping *m, int by) {
    const struct object *object = m->object;
    if (object->mappings_changed)
        object->mappings_changed(object->mappings_context, m->space, by);
}

static void mapping_enter(struct space *space, struct mapping *m) {
    m->space = space;
    m->name = mapping_name_ref(m->name);
    m->gap = m->largest_gap = 0;
    RB_INSERT(mapping_tree, &space->mappings.tree, m);
    gap_changed(m);
    gap_changed(mapping_next(m));
    space->mappings.count++;
    if (m->object) {
        object_ref(m->object);
        LIST_INSERT_HEAD(&m->object->mappings, m, of_object);
        mapping_tell_object(m, 1);
    }
    mapping_account(m, 1);
}

int mapping_insert(struct space *space, const struct mapping *template, struct mapping **ret_mapping) {
    assert(template->start.n < template->end.n);
    assert(!mapping_overlaps(space, template->start, template->end));
    struct mapping *m = vm_alloc(space->vm, sizeof *m);
    if (!m)
        return -ENOMEM;
    *m = *template;
    mapping_enter(space, m);
    *ret_mapping = m;
    return 0;
}

void mapping_remove(struct mapping *m) {
    struct mapping_set *set = &m->space->mappings;
    struct mapping *next = mapping_next(m), *parent = RB_PARENT(m, node);
    mapping_account(m, -1);
    RB_REMOVE(mapping_tree, &set->tree, m);
    gaps_propagate(parent); /* the tree's own code does not always go up to the root */
    gap_changed(next);
    set->count--;
    if (set->recent == m)
        set->recent = NULL;
    if (m->object) {
        LIST_REMOVE(m, of_object);
        mapping_tell_object(m, -1);
        object_unref(m->object);
    }
    mapping_name_unref(m->name);
    free(m);
}

/* ---- splitting ---- */

int mapping_split(struct mapping *m, vpn_t vpn) {
    assert(m->start.n < vpn.n && vpn.n < m->end.n);
    struct mapping *upper = vm_alloc(m->space->vm, sizeof *upper);
    if (!upper)
        return -ENOMEM;
    *upper = *m;
    upper->start = vpn;
    upper->object_page += vpn.n - m->start.n;
    mapping_extend(m, m->start, vpn);
    mapping_enter(m->space, upper);
    return 0;
}

static int mapping_split_at(struct space *space, vpn_t vpn) {
    struct mapping *m = mapping_find(space, vpn);
    return m && m->start.n < vpn.n ? mapping_split(m, vpn) : 0;
}

/* A hole in the middle of a mapping makes one mapping more; else as many go as come. */
int mapping_isolate(struct space *space, vpn_t start, vpn_t end) {
    const struct mapping *m = mapping_find(space, start);
    if (m && m->start.n < start.n && end.n < m->end.n && space->mappings.count >= MAPPINGS_MAX)
        return -ENOMEM;
    const int error = mapping_split_at(space, start);
    return error ? error : mapping_split_at(space, end);
}

/* ---- what a mapping means for its pages ---- */

unsigned mapping_access(const struct mapping *m) {
    const unsigned access = m->flags & MAPPING_ACCESS;
    return access ? access | ACCESS_READ : 0;
}

bool mapping_tracks_writes(const struct mapping *m) {
    return (m->flags & MAPPING_SHARED) && m->object && !m->object->anonymous;
}

pte_t mapping_pte(const struct mapping *m, pte_t pte) {
    unsigned access = mapping_access(m);
    if (pte_has(pte, PTE_COW) || (mapping_tracks_writes(m) && !pte_has(pte, PTE_DIRTY)))
        access &= ~(unsigned)ACCESS_WRITE;
    return pte_with_access(pte, access);
}

uint64_t mapping_object_page(const struct mapping *m, vpn_t vpn) {
    return m->object_page + (vpn.n - m->start.n);
}
