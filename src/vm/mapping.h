/* Mappings: the ranges of an address space that mean something, ordered, disjoint, each with permissions and
 * a backing. Splitting happens here, merging in merge.c, and neither anywhere else. */
#ifndef VM_MAPPING_H
#define VM_MAPPING_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "vm/name.h"
#include "vm/vm.h"

enum mapping_flags {
    MAPPING_ACCESS = EVENT_MAP_ACCESS, /* PROT_READ, PROT_WRITE, PROT_EXEC as asked for */
    MAPPING_SHARED = EVENT_MAP_SHARED,
    MAPPING_STACK = EVENT_MAP_STACK, /* a label */
    MAPPING_HEAP = EVENT_MAP_HEAP,   /* a label */
    MAPPING_MAY_WRITE = 1 << 6,      /* shared: PROT_WRITE may be added */
    MAPPING_NO_EXEC = 1 << 7,        /* of a file that may not be executed */
    MAPPING_NORESERVE = 1 << 8,
    MAPPING_ACCOUNTED = 1 << 9, /* counts as promised memory: private, and writable or once written */
    MAPPING_GROWS_DOWN = 1 << 10,
    MAPPING_LOCKED = 1 << 11, /* a label: nothing is pinned */
    MAPPING_LOCK_ON_FAULT = 1 << 12,
    MAPPING_DONT_FORK = 1 << 13,
    MAPPING_WIPE_ON_FORK = 1 << 14,
    MAPPING_RANDOM = 1 << 15,     /* MADV_RANDOM */
    MAPPING_SEQUENTIAL = 1 << 16, /* MADV_SEQUENTIAL */
    /* advice that has nothing to act on here, but keeps mappings apart */
    MAPPING_DONT_DUMP = 1 << 17,
    MAPPING_HUGE_PAGES = 1 << 18,
    MAPPING_NO_HUGE_PAGES = 1 << 19,
    MAPPING_MERGEABLE = 1 << 20,
    MAPPING_DROPPABLE = 1 << 21,

    MAPPING_LABELS = MAPPING_STACK | MAPPING_HEAP,
    MAPPING_LOCKS = MAPPING_LOCKED | MAPPING_LOCK_ON_FAULT,
};

struct mapping {
    RB_ENTRY(mapping) node;
    LIST_ENTRY(mapping) of_object; /* iff object */
    struct space *space;
    vpn_t start, end;
    uint64_t gap;          /* pages below it that others may use, down to the mapping before */
    uint64_t largest_gap;  /* … of it and those below it in the tree */
    struct object *object; /* NULL: private anonymous. A reference */
    uint64_t object_page;  /* page of the object at `start`; without an object, the page number that `start`
                              had when the mapping was made: what moved does not join its new neighbours */
    uint64_t opened;       /* which opening of the file it is of: map_request */
    uint64_t family;       /* merge.h */
    bool inherited;        /* the family came by a fork */
    unsigned flags;        /* enum mapping_flags */
    struct mapping_name *name; /* of private anonymous memory; NULL: none. A reference */
};
RB_HEAD(mapping_tree, mapping);

/* The mappings of a space and what they add up to, in pages. */
struct mapping_set {
    struct mapping_tree tree;
    struct mapping *recent; /* found last, or NULL */
    uint32_t count;
    uint64_t pages, locked;
    uint64_t data, stack, exec; /* private writable without stacks; grows-down; executable, not writable */
};

enum { MAPPINGS_MAX = 65530 }; /* Linux: vm.max_map_count. Linux lets one or two more come into being */

/* The mapping that contains the page, or NULL. */
struct mapping *mapping_find(struct space *, vpn_t);
/* The first mapping that ends above the page, or NULL. */
struct mapping *mapping_first(struct space *, vpn_t);
struct mapping *mapping_next(struct mapping *);
struct mapping *mapping_previous(struct mapping *);
struct mapping *mapping_last(struct space *);
/* The highest place for `pages` unmapped pages between `low` and `high`; stacks keep their guard gap. */
bool mapping_find_gap(struct space *, uint64_t pages, vpn_t low, vpn_t high, vpn_t *ret_start);
/* The lowest one; looks at the mappings one by one. */
bool mapping_find_low_gap(struct space *, uint64_t pages, vpn_t low, vpn_t high, vpn_t *ret_start);
/* Whether the gaps in the tree are what the mappings leave. */
bool mapping_gaps_agree(struct space *);
bool mapping_overlaps(struct space *, vpn_t start, vpn_t end);

/* What is done to the part [start, end) of a mapping, which may be split or joined by it. 0 or -errno. */
typedef int mapping_visit(struct space *, struct mapping *, vpn_t start, vpn_t end, void *context);
/* Visits what is mapped between `start` and `end`, mapping by mapping, up to the first error, which it
 * returns. Holes are passed over, and told about at the end: -ENOMEM, as Linux's madvise() and msync() do. */
int mapping_each(struct space *, vpn_t start, vpn_t end, mapping_visit *, void *context);

/* Enters a copy of the template (whose tree fields are ignored) where nothing is mapped, and takes a
 * reference to its object. 0 or -ENOMEM. */
int mapping_insert(struct space *, const struct mapping *template, struct mapping **ret_mapping);
void mapping_remove(struct mapping *); /* its entries must be gone */
void mapping_set_flags(struct mapping *, unsigned flags);
/* Moves the lower end down (a stack grows) or the upper end up. Nothing may be mapped there. */
void mapping_extend(struct mapping *, vpn_t start, vpn_t end);
/* The upper part of the mapping, from the page on, becomes one of its own. 0 or -ENOMEM. */
int mapping_split(struct mapping *, vpn_t);
/* Splits mappings so that none crosses `start` or `end`, of which what lies between
 * is to go. 0 or -ENOMEM. */
int mapping_isolate(struct space *, vpn_t start, vpn_t end);

/* What the MMU may allow in a page of the mapping: as on x86, what can be written or executed can be read. */
unsigned mapping_access(const struct mapping *);
/* The PTE with the permissions that it gets in the mapping: no write for a page that is still to be copied,
 * nor for a clean page of a shared file. */
pte_t mapping_pte(const struct mapping *, pte_t);
uint64_t mapping_pages(const struct mapping *);
/* The page of the object that is mapped there. */
uint64_t mapping_object_page(const struct mapping *, vpn_t);
/* A shared mapping of a file: writes are noticed page by page, to be written back. */
bool mapping_tracks_writes(const struct mapping *);

#endif
