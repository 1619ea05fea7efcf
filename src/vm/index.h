/* The index of an object's pages: for each page of a file or of shared memory, where it is now.
 *
 * A radix tree of 64 entries a node, as high as its largest page needs: it costs in proportion to the pages
 * that were touched, is walked in order of pages, and finds one of a million pages in four steps. Page
 * numbers are below 2^36. */
#ifndef VM_INDEX_H
#define VM_INDEX_H

#include "base/inject.h"
#include "hw/types.h"

enum index_kind {
    INDEX_NONE,    /* was never here */
    INDEX_FRAME,   /* in the page cache */
    INDEX_SLOT,    /* shared anonymous memory, swapped out */
    INDEX_EVICTED, /* was in the page cache once, as a page of this generation: reading it again is a refault
                    */
};

/* What the index says about a page; the number is a frame's, a slot's, or that of a generation. */
struct index_entry {
    uint32_t v;
};
enum { INDEX_NUMBERS = 1 << 30 }; /* frames, slots and generations are below this */

static inline struct index_entry index_frame(pfn_t f) {
    return (struct index_entry){f.n << 2 | INDEX_FRAME};
}
static inline struct index_entry index_slot(slot_t s) {
    return (struct index_entry){s.n << 2 | INDEX_SLOT};
}
static inline struct index_entry index_evicted(uint32_t generation) {
    return (struct index_entry){generation << 2 | INDEX_EVICTED};
}
static inline enum index_kind index_kind(struct index_entry e) {
    return (enum index_kind)(e.v & 3);
}
static inline pfn_t index_pfn(struct index_entry e) {
    return (pfn_t){e.v >> 2};
}
static inline slot_t index_slot_of(struct index_entry e) {
    return (slot_t){e.v >> 2};
}
static inline uint32_t index_generation(struct index_entry e) {
    return e.v >> 2;
}

struct index_leaf;

/* All zero is an index of nothing. */
struct page_index {
    void *root;                /* a leaf if height is 1, else a node; NULL: nothing */
    unsigned height;           /* pages below 64^height have a place */
    struct index_leaf *recent; /* found last, or NULL */
    uint64_t recent_number;    /* its number: page / 64 */
    uint64_t resident;         /* entries of kind INDEX_FRAME */
    uint64_t known;            /* entries that are not INDEX_NONE */
};

struct index_entry index_get(struct page_index *, uint64_t page);
/* Makes index_set() of this page possible. 0 or -ENOMEM. */
int index_reserve(struct page_index *, struct inject *, uint64_t page);
void index_set(struct page_index *, uint64_t page, struct index_entry);
/* The first entry at or after *page and below `end` that is not INDEX_NONE: true with
 * the page and its entry. */
bool index_next(struct page_index *, uint64_t *page, uint64_t end, struct index_entry *ret_entry);
/* Forgets entries at and above `page`; none of them may be a frame or a slot. */
void index_clear(struct page_index *, uint64_t page);

#endif
