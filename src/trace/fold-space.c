/* Address spaces of the fold: mappings and page-table entries, and the frames' lists of who maps them.
 *
 * Invariants (fold_check() verifies them):
 *  1. Mappings are sorted, disjoint, not empty; no two neighbours could be one.
 *  2. A leaf exists iff one of its entries is not empty.
 *  3. A frame's mappers are exactly the present entries that name it, sorted by (space, VPN). */
#include <errno.h>

#include "base/base.h"
#include "trace/fold-state.h"

/* ---- spaces ---- */

struct fold_space *fold_add_space(struct fold *f, uint64_t number) {
    struct fold_space *s = inject_calloc(f->inject, 1, sizeof *s);
    if (!s)
        return NULL;
    s->number = number;
    if (sorted_add(&f->spaces, number, s, f->inject)) {
        free(s);
        return NULL;
    }
    return s;
}

static void frame_remove_mapper(struct fold *, const struct fold_space *, uint64_t vpn, pte_t);

void fold_remove_space(struct fold *f, struct fold_space *s) {
    pte_t entry;
    for (vpn_t vpn = {0}; fold_next_entry(s, &vpn, &entry); vpn.n++)
        if (pte_is_present(entry))
            frame_remove_mapper(f, s, vpn.n, entry);
    for (size_t i = 0; i < s->leaves.count; i++)
        free(s->leaves.entries[i].value);
    free(s->leaves.entries);
    free(s->mappings);
    sorted_remove(&f->spaces, s->number);
    free(s);
}

/* ---- mappings ---- */

static uint64_t mapping_end(const struct fold_mapping *m) {
    return m->first + m->pages;
}

/* The first mapping that ends above the page; mapping_count if there is none. */
static size_t mapping_position(const struct fold_space *s, uint64_t vpn) {
    size_t low = 0, high = s->mapping_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mapping_end(&s->mappings[middle]) <= vpn)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct fold_mapping *fold_mapping(const struct fold_space *s, vpn_t vpn) {
    size_t i = mapping_position(s, vpn.n);
    return i < s->mapping_count && s->mappings[i].first <= vpn.n ? &s->mappings[i] : NULL;
}

/* Room for two more: every change cuts at most two mappings or cuts one and adds one. */
static int mappings_reserve(struct fold *f, struct fold_space *s) {
    if (s->mapping_count + 2 <= s->mapping_capacity)
        return 0;
    size_t capacity = s->mapping_capacity * 2 + 8;
    struct fold_mapping *mappings = inject_realloc(f->inject, s->mappings, capacity, sizeof *mappings);
    if (!mappings)
        return -ENOMEM;
    s->mappings = mappings;
    s->mapping_capacity = capacity;
    return 0;
}

static void mapping_insert(struct fold_space *s, size_t i, const struct fold_mapping *m) {
    memmove(s->mappings + i + 1, s->mappings + i, (s->mapping_count - i) * sizeof *m);
    s->mappings[i] = *m;
    s->mapping_count++;
}

static void mappings_remove(struct fold_space *s, size_t from, size_t to) {
    memmove(s->mappings + from, s->mappings + to, (s->mapping_count - to) * sizeof *s->mappings);
    s->mapping_count -= to - from;
}

/*  AAAAAA  →  AAA|AAA   Returns the position of the first mapping at or above the page. */
static size_t mapping_cut(struct fold_space *s, uint64_t vpn) {
    size_t i = mapping_position(s, vpn);
    if (i == s->mapping_count || s->mappings[i].first >= vpn)
        return i;
    struct fold_mapping upper = s->mappings[i];
    uint64_t kept = vpn - upper.first;
    s->mappings[i].pages = kept;
    upper.first = vpn;
    upper.pages -= kept;
    if (upper.object)
        upper.object_page += kept;
    mapping_insert(s, i + 1, &upper);
    return i + 1;
}

static bool mapping_continues(const struct fold_mapping *a, const struct fold_mapping *b) {
    return mapping_end(a) == b->first && a->flags == b->flags && a->object == b->object &&
           (!a->object || a->object_page + a->pages == b->object_page);
}

/* Joins neighbours from position `from` - 1 up to position `to`. */
static void mappings_join(struct fold_space *s, size_t from, size_t to) {
    size_t low = from ? from - 1 : 0;
    for (size_t i = min_size(to, s->mapping_count - 1); i > low; i--) {
        if (mapping_continues(&s->mappings[i - 1], &s->mappings[i])) {
            s->mappings[i - 1].pages += s->mappings[i].pages;
            mappings_remove(s, i, i + 1);
        }
    }
}

int fold_unmap(struct fold *f, struct fold_space *s, uint64_t first, uint64_t pages) {
    if (mappings_reserve(f, s))
        return -ENOMEM;
    size_t from = mapping_cut(s, first);
    mappings_remove(s, from, mapping_cut(s, first + pages));
    return 0;
}

int fold_map(struct fold *f, struct fold_space *s, const struct fold_mapping *m) {
    if (fold_unmap(f, s, m->first, m->pages) || mappings_reserve(f, s))
        return -ENOMEM;
    size_t i = mapping_position(s, m->first);
    mapping_insert(s, i, m);
    mappings_join(s, i, i + 1);
    return 0;
}

int fold_protect(struct fold *f, struct fold_space *s, uint64_t first, uint64_t pages, unsigned access) {
    if (mappings_reserve(f, s))
        return -ENOMEM;
    size_t from = mapping_cut(s, first), to = mapping_cut(s, first + pages);
    for (size_t i = from; i < to; i++)
        s->mappings[i].flags = (uint16_t)((s->mappings[i].flags & ~EVENT_MAP_ACCESS) | access);
    if (s->mapping_count)
        mappings_join(s, from, to);
    return 0;
}

/* ---- who maps a frame ---- */

static uint64_t mapper_of(const struct fold_space *s, uint64_t vpn) {
    return s->number << 36 | vpn;
}

static size_t mapper_position(const struct fold_frame *frame, uint64_t mapper) {
    size_t low = 0, high = frame->mapper_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (frame->mappers[middle] < mapper)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int frame_reserve_mapper(struct fold *f, struct fold_frame *frame) {
    if (frame->mapper_count < frame->mapper_capacity)
        return 0;
    uint32_t capacity = frame->mapper_capacity ? frame->mapper_capacity * 2 : 1;
    uint64_t *mappers = inject_realloc(f->inject, frame->mappers, capacity, sizeof *mappers);
    if (!mappers)
        return -ENOMEM;
    frame->mappers = mappers;
    frame->mapper_capacity = capacity;
    return 0;
}

static void frame_add_mapper(struct fold_frame *frame, const struct fold_space *s, uint64_t vpn) {
    uint64_t mapper = mapper_of(s, vpn);
    size_t i = mapper_position(frame, mapper);
    memmove(frame->mappers + i + 1, frame->mappers + i, (frame->mapper_count - i) * sizeof *frame->mappers);
    frame->mappers[i] = mapper;
    frame->mapper_count++;
}

static void frame_remove_mapper(struct fold *f, const struct fold_space *s, uint64_t vpn, pte_t entry) {
    struct fold_frame *frame = sparse_get(&f->frames, pte_pfn(entry).n);
    size_t i = mapper_position(frame, mapper_of(s, vpn));
    frame->mapper_count--;
    memmove(frame->mappers + i, frame->mappers + i + 1, (frame->mapper_count - i) * sizeof *frame->mappers);
}

/* ---- entries ---- */

pte_t fold_entry(const struct fold_space *s, vpn_t vpn) {
    const struct fold_leaf *leaf = sorted_get(&s->leaves, vpn.n / FOLD_LEAF_PAGES);
    return leaf ? leaf->entries[vpn.n % FOLD_LEAF_PAGES] : (pte_t){0};
}

bool fold_next_entry(const struct fold_space *s, vpn_t *vpn, pte_t *ret_entry) {
    uint64_t first = vpn->n / FOLD_LEAF_PAGES, from = vpn->n % FOLD_LEAF_PAGES;
    for (size_t i = sorted_position(&s->leaves, first); i < s->leaves.count; i++) {
        const struct fold_leaf *leaf = s->leaves.entries[i].value;
        uint64_t key = s->leaves.entries[i].key;
        for (uint64_t j = key == first ? from : 0; j < FOLD_LEAF_PAGES; j++) {
            if (!pte_is_empty(leaf->entries[j])) {
                vpn->n = key * FOLD_LEAF_PAGES + j;
                *ret_entry = leaf->entries[j];
                return true;
            }
        }
    }
    return false;
}

static struct fold_leaf *leaf_touch(struct fold *f, struct fold_space *s, uint64_t vpn) {
    uint64_t key = vpn / FOLD_LEAF_PAGES;
    struct fold_leaf *leaf = sorted_get(&s->leaves, key);
    if (leaf)
        return leaf;
    leaf = inject_calloc(f->inject, 1, sizeof *leaf);
    if (leaf && sorted_add(&s->leaves, key, leaf, f->inject)) {
        free(leaf);
        leaf = NULL;
    }
    return leaf;
}

static bool entry_is_possible(const struct fold *f, pte_t entry) {
    if (pte_is_present(entry))
        return entry.v >> PTE_NUMBER_SHIFT < f->frame_total;
    if (pte_is_swapped(entry))
        return entry.v >> PTE_NUMBER_SHIFT < f->swap_pages;
    return pte_is_empty(entry);
}

/* Puts the entry into its leaf, which must be there when the entry is not empty, and counts it. */
static void leaf_set(struct fold_space *s, uint64_t vpn, pte_t old, pte_t entry) {
    struct fold_leaf *leaf = sorted_get(&s->leaves, vpn / FOLD_LEAF_PAGES);
    s->present += pte_is_present(entry);
    s->present -= pte_is_present(old);
    s->swapped += pte_is_swapped(entry);
    s->swapped -= pte_is_swapped(old);
    if (!leaf)
        return;
    leaf->entries[vpn % FOLD_LEAF_PAGES] = entry;
    leaf->used += !pte_is_empty(entry);
    leaf->used -= !pte_is_empty(old);
    if (!leaf->used)
        free(sorted_remove(&s->leaves, vpn / FOLD_LEAF_PAGES));
}

int fold_set_entry(struct fold *f, struct fold_space *s, uint64_t vpn, pte_t entry) {
    if (!entry_is_possible(f, entry)) {
        fold_complain(f, "an entry names a frame or slot that does not exist");
        return 0;
    }
    struct fold_frame *frame = NULL;
    if (pte_is_present(entry)) {
        frame = fold_touch_frame(f, pte_pfn(entry).n);
        if (!frame || frame_reserve_mapper(f, frame))
            return -ENOMEM;
    }
    if (!pte_is_empty(entry) && !leaf_touch(f, s, vpn))
        return -ENOMEM;
    pte_t old = fold_entry(s, (vpn_t){vpn});
    if (pte_is_present(old))
        frame_remove_mapper(f, s, vpn, old);
    if (frame)
        frame_add_mapper(frame, s, vpn);
    leaf_set(s, vpn, old, entry);
    return 0;
}
