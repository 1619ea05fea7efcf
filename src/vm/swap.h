/* The swap area: which of the disk's pages are in use, and by whom.
 *
 * A slot is in use while a swapped PTE or an object's index refers to it (`references`), or while a frame
 * keeps it as the place of its copy (`frame`: the swap cache). With both, the copy in the slot is valid and
 * the page is read-only everywhere; with the frame alone, the copy may be stale (the page is dirty). The
 * frame need not be mapped by anybody: whoever had brought the page back may be gone, while others still have
 * it swapped out.
 *
 *    slot_alloc ──► held by a frame ── eviction ──► referenced ── swap-in ──► both or frame only ──► free
 *
 * Records are kept in chunks, so that a large swap area costs nothing before it is used. */
#ifndef VM_SWAP_H
#define VM_SWAP_H

#include "hw/types.h"
#include "policy/policy.h"

struct vm;

struct slot {
    page_id_t id;        /* what the slot holds */
    uint32_t references; /* swapped PTEs and object indexes that name it */
    pfn_t frame;         /* frame that keeps it, or PFN_NONE. Of a free slot: number of the next free one */
};

struct swap {
    struct slot **chunks;
    uint32_t pages;      /* of the disk */
    uint32_t fresh;      /* slots from here on were never used */
    uint32_t first_free; /* list of those given back, last first; UINT32_MAX: none */
    uint32_t frame_only; /* slots in use that no PTE and no index refers to */
    uint32_t hand;       /* where swap_take_back goes on searching */
    uint64_t used, peak, in, out;
};

int swap_create(struct vm *); /* 0 or -ENOMEM */
void swap_destroy(struct vm *);

struct slot *slot_of(struct vm *, slot_t);
/* Whether slot_assign() would find a slot, as far as the swap area is concerned. */
bool swap_has_room(const struct vm *);
/* Makes sure that the frame has a slot; takes one back from a resident page when the area is full. 0, or
 * -ENOMEM. */
int slot_assign(struct vm *, pfn_t);
/* The frame gives up its slot. */
void slot_detach(struct vm *, pfn_t);
/* The frame holds what the slot holds (it was just read from it). */
void slot_attach(struct vm *, slot_t, pfn_t);
void slot_ref(struct vm *, slot_t);
/* One reference less. The caller then sees to it that what nobody has is over: slot_settle(). */
void slot_unref(struct vm *, slot_t);
/* If nobody refers to the slot any more, the page is over, unless the frame that keeps the slot has owners:
 * wherever it is, it is forgotten. */
void slot_settle(struct vm *, slot_t, enum policy_remove);
/* Transfers between the frame and its slot, counted and traced. 0 or the disk's -errno. */
int slot_write(struct vm *, pfn_t);
int slot_read(struct vm *, slot_t, pfn_t);

#endif
