/* The frame table: one record for each frame of physical memory, and the pools of free frames.
 *
 * A record says what the frame holds (state, page identity, object), who maps it (reverse mappings) and
 * where its copy in the swap area is. It is 48 bytes; only the sharers of a page beyond the first cost more.
 *
 * The life of a frame, with the functions that move it:
 *
 *    free pool ── frame_alloc ──► in hand ── frame_take ──► ANONYMOUS │ CACHE ─ reference_insert ─► policy's
 *        ▲                          │  ▲                          │                                    │
 *        └──────── frame_free ──────┘  └───────── reclaim ────────┴─────────── frame_discard ──────────┘
 *
 * A frame in hand is nobody's: only the function that allocated it knows it, and the policy cannot choose it.
 *
 * Invariants (vm/check.c):
 *  1. a reverse mapping (space, VPN) stands in the frame's record iff the PTE of that page names the frame;
 *  2. an anonymous frame has an owner: an entry that names it, or one that names its slot; a frame of the
 *     cache is what its object's index says;
 *  3. frame.slot names a slot iff that slot names the frame;
 *  4. a page that is not dirty has a valid copy: in its slot, or in its file. */
#ifndef VM_FRAME_H
#define VM_FRAME_H

#include <stddef.h>

#include "hw/physmem.h"
#include "hw/pte.h"
#include "policy/policy.h"
#include "trace/event.h"

struct vm;
struct space;
struct object;

/* A reverse mapping: the number of an address space (29 bits) and a page number in it (35 bits). */
struct rmap {
    uint64_t v;
};
enum { RMAP_VPN_BITS = 35, RMAP_SPACES = 1 << 29 };

static inline struct rmap rmap_make(uint32_t space, vpn_t vpn) {
    return (struct rmap){(uint64_t)space << RMAP_VPN_BITS | vpn.n};
}
static inline uint32_t rmap_space(struct rmap r) {
    return (uint32_t)(r.v >> RMAP_VPN_BITS);
}
static inline vpn_t rmap_vpn(struct rmap r) {
    return (vpn_t){r.v & ((1ULL << RMAP_VPN_BITS) - 1)};
}

/* The second and further reverse mappings of a frame. */
struct rmap_more {
    uint32_t capacity;
    struct rmap entries[];
};

enum frame_flags {
    FRAME_DIRTY = 1,      /* its copy on disk is not valid, whatever the dirty bits of its PTEs say */
    FRAME_REFERENCED = 2, /* a PTE that is gone had its referenced bit set */
    FRAME_INSERTED = 4,   /* the policy knows it */
    FRAME_TOUCHED = 32,   /* a run of accesses has begun since the policy was told last: reference.h */
    FRAME_STALE = 16,     /* of a free frame or one in hand: it was used before, and does not hold zeros */
    FRAME_ASIDE = 8,      /* … does not: the page must go to swap, where there was no room for it */
};

struct frame {
    page_id_t id;
    struct rmap first;      /* valid iff mappers > 0 */
    struct rmap_more *more; /* NULL: room for one mapper only */
    struct object *object;  /* NULL iff not in state CACHE; the page's index in it is page_id_index(id) */
    uint32_t mappers;       /* PTEs that name the frame */
    slot_t slot;            /* its copy in the swap area (valid iff the page is not dirty), or SLOT_NONE */
    uint32_t next_free;     /* pool's: number of the next free frame */
    uint8_t state;          /* enum event_frame */
    uint8_t flags;          /* enum frame_flags */
};
_Static_assert(sizeof(struct frame) == 48, "a frame's record stays small");

/* Frames that are free: those given back, last first, and those above `fresh`, which were never used. */
struct frame_pool {
    uint32_t first; /* UINT32_MAX: none given back */
    uint32_t fresh, end;
    uint32_t count; /* free frames in all */
};

struct frame_table {
    struct frame *frames; /* of all physical memory */
    size_t bytes;         /* mapped for them */
    struct frame_pool pages;
    struct frame_pool tables; /* used iff tables_apart */
    bool tables_apart;        /* page tables have frames of their own and never compete for the pages' */
    uint32_t counts[EVENT_FRAME_KINDS];
    uint32_t peaks[EVENT_FRAME_KINDS]; /* highest counts */
    uint32_t lowest_free;              /* of the pages' pool */
    uint32_t aside;                    /* frames with FRAME_ASIDE */
};

/* Lays the table out: `reserved` frames, then `pages`, then `tables` that are only for page tables (0: they
 * come from the pages). 0 or -ENOMEM. */
int frame_table_create(struct vm *, uint32_t reserved, uint32_t pages, uint32_t tables);
void frame_table_destroy(struct vm *);

/* A frame in hand, from the free pool or by evicting any page of the machine. 0, -ENOMEM (nothing can be
 * evicted), or the disk's error when that was the reason. */
int frame_alloc(struct vm *, pfn_t *ret_frame);
/* The same from the free pool only: false when it is empty. */
bool frame_alloc_free(struct vm *, pfn_t *ret_frame);
void frame_free(struct vm *, pfn_t); /* a frame in hand goes back to the pool */
/* Fills a frame in hand with zeros; one that was never used holds them already. */
void frame_zero(struct vm *, pfn_t);

/* A frame in hand becomes ANONYMOUS or CACHE, with no mapper, no slot, not dirty. */
void frame_take(struct vm *, pfn_t, enum event_frame state, page_id_t, struct object *);
/* The policy may choose the frame from now on. For reference_insert(): a page is complete, and referenced. */
void frame_insert(struct vm *, pfn_t);
/* The page cannot be evicted as long as swap is full: the policy must not choose it, or each search would
 * come by all such pages. frame_reconsider() is the way back, for a page that is
 * aside; nothing for others. */
void frame_set_aside(struct vm *, pfn_t);
void frame_reconsider(struct vm *, pfn_t);
/* The page is over: the policy and the swap area forget it. Leaves a frame in hand. No PTE may map it. */
void frame_strip(struct vm *, pfn_t, enum policy_remove);
/* frame_strip and frame_free. */
void frame_discard(struct vm *, pfn_t, enum policy_remove);
/* To be called when a PTE stopped naming the frame or its slot: discards an anonymous page that nobody has
 * any more. One that others have swapped out stays, although nobody maps it: whether it is still in memory
 * must not depend on whose entry was evicted with it. */
void frame_unmapped(struct vm *, pfn_t, enum policy_remove);

/* Reverse mappings. Room must be reserved before a PTE is set. reserve: 0 or -ENOMEM. */
int frame_reserve_mapper(struct vm *, pfn_t);
void frame_add_mapper(struct vm *, pfn_t, struct rmap);
void frame_remove_mapper(struct vm *, pfn_t, struct rmap);
void frame_replace_mapper(struct vm *, pfn_t, struct rmap old, struct rmap new);
struct rmap frame_mapper(const struct frame *, uint32_t i);

/* Whether the page must be written before its frame can be taken. */
bool frame_is_dirty(struct vm *, pfn_t);
/* Who has the page, present or swapped out. With one owner a private page need not be copied. */
uint32_t frame_owners(struct vm *, pfn_t);
/* policy_config.test_and_clear_referenced. */
bool frame_test_and_clear_referenced(void *vm, pfn_t);

/* struct table_frames: frames for page tables. */
int frame_alloc_table(void *vm, pfn_t *ret_frame);
void frame_free_table(void *vm, pfn_t);

static inline uint64_t page_id_index(page_id_t id) {
    return id.n & 0xfffffffffULL;
}

#endif
