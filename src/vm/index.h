/* The index of an object's pages: for each page of a file or of shared memory, where it is now.
 *
 * A tree of chunks of 64 entries, so that it costs in proportion to the pages that were touched and is walked
 * in order of pages. Page numbers are below 2^36. */
#ifndef VM_INDEX_H
#define VM_INDEX_H

#include <bsd/sys/tree.h>

#include "base/inject.h"
#include "hw/types.h"

enum index_kind {
    INDEX_NONE,    /* was never here */
    INDEX_FRAME,   /* in the page cache */
    INDEX_SLOT,    /* shared anonymous memory, swapped out */
    INDEX_EVICTED, /* was in the page cache once: reading it again is a refault */
};

/* What the index says about a page; the number is a frame's or a slot's. */
struct index_entry {
    uint32_t v;
};
enum { INDEX_NUMBERS = 1 << 30 }; /* frames and slots are below this */

static inline struct index_entry index_frame(pfn_t f) {
    return (struct index_entry){f.n << 2 | INDEX_FRAME};
}
static inline struct index_entry index_slot(slot_t s) {
    return (struct index_entry){s.n << 2 | INDEX_SLOT};
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

struct index_chunk;
RB_HEAD(index_tree, index_chunk);

struct page_index {
    struct index_tree chunks;
    struct index_chunk *recent; /* found last */
    uint64_t resident;          /* entries of kind INDEX_FRAME */
};

struct index_entry index_get(struct page_index *, uint64_t page);
/* Makes index_set() of this page possible. 0 or -ENOMEM. */
int index_reserve(struct page_index *, struct inject *, uint64_t page);
void index_set(struct page_index *, uint64_t page, struct index_entry);
/* The first entry at or after *page and below `end` that is not INDEX_NONE: true with the page and its entry.
 */
bool index_next(struct page_index *, uint64_t *page, uint64_t end, struct index_entry *ret_entry);
/* Forgets entries at and above `page`; none of them may be a frame or a slot. */
void index_clear(struct page_index *, uint64_t page);

#endif
