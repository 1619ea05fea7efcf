/* See swap.h. Every change of a slot's record goes through slot_update(), which keeps the counts. */
#include "vm/swap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "vm/index.h"
#include "vm/reference.h"
#include "vm/state.h"

enum { CHUNK_SHIFT = 10, CHUNK_SLOTS = 1 << CHUNK_SHIFT };

int swap_create(struct vm *vm) {
    const uint32_t pages = vm->config.swap ? min_u32(disk_pages(vm->config.swap), INDEX_NUMBERS - 1) : 0;
    vm->swap = (struct swap){.pages = pages, .first_free = UINT32_MAX};
    vm->swap.chunks = vm_alloc(vm, ((size_t)pages / CHUNK_SLOTS + 1) * sizeof(struct slot *));
    return vm->swap.chunks ? 0 : -ENOMEM;
}

void swap_destroy(struct vm *vm) {
    if (!vm->swap.chunks)
        return;
    for (uint32_t i = 0; i <= vm->swap.pages / CHUNK_SLOTS; i++)
        free(vm->swap.chunks[i]);
    free(vm->swap.chunks);
}

struct slot *slot_of(struct vm *vm, slot_t slot) {
    assert(slot.n < vm->swap.fresh);
    return &vm->swap.chunks[slot.n >> CHUNK_SHIFT][slot.n & (CHUNK_SLOTS - 1)];
}

/* ---- one slot's record ---- */

static bool slot_is_frame_only(const struct slot *slot) {
    return slot->references == 0 && !pfn_is_none(slot->frame);
}

static void slot_free(struct vm *vm, slot_t number) {
    struct slot *slot = slot_of(vm, number);
    trace_emit(vm->config.trace, EVENT_SLOT, 0, number.n, slot->id.n, 0, 0, 0);
    *slot = (struct slot){.frame = {vm->swap.first_free}};
    vm->swap.first_free = number.n;
    vm->swap.used--;
    disk_discard(vm->config.swap, number);
}

static void slot_update(struct vm *vm, slot_t number, uint32_t references, pfn_t frame) {
    struct slot *slot = slot_of(vm, number);
    vm->swap.frame_only -= slot_is_frame_only(slot);
    slot->references = references;
    slot->frame = frame;
    vm->swap.frame_only += slot_is_frame_only(slot);
}

void slot_ref(struct vm *vm, slot_t number) {
    const struct slot *slot = slot_of(vm, number);
    slot_update(vm, number, slot->references + 1, slot->frame);
}

void slot_unref(struct vm *vm, slot_t number) {
    const struct slot *slot = slot_of(vm, number);
    assert(slot->references > 0);
    slot_update(vm, number, slot->references - 1, slot->frame);
}

void slot_settle(struct vm *vm, slot_t number, enum policy_remove reason) {
    const struct slot *slot = slot_of(vm, number);
    if (slot->references > 0)
        return;
    if (!pfn_is_none(slot->frame)) {
        frame_unmapped(vm, slot->frame, reason);
        return;
    }
    const page_id_t id = slot->id;
    slot_free(vm, number);
    reference_page_dies(vm, id, reason);
}

void slot_attach(struct vm *vm, slot_t number, pfn_t pfn) {
    const struct slot *slot = slot_of(vm, number);
    assert(pfn_is_none(slot->frame) && slot_is_none(frame_of(vm, pfn)->slot));
    frame_of(vm, pfn)->slot = number;
    slot_update(vm, number, slot->references, pfn);
}

void slot_detach(struct vm *vm, pfn_t pfn) {
    struct frame *frame = frame_of(vm, pfn);
    const slot_t number = frame->slot;
    const struct slot *slot = slot_of(vm, number);
    assert(pfn_eq(slot->frame, pfn));
    frame->slot = SLOT_NONE;
    slot_update(vm, number, slot->references, PFN_NONE);
    if (slot->references == 0)
        slot_free(vm, number);
}

/* ---- finding a slot ---- */

/* A slot that was never used: -ENOMEM when there is none, or no memory for its record. */
static int slot_alloc_fresh(struct vm *vm, slot_t *ret_slot) {
    struct swap *swap = &vm->swap;
    if (swap->fresh >= swap->pages)
        return -ENOMEM;
    struct slot **chunk = &swap->chunks[swap->fresh >> CHUNK_SHIFT];
    if (!*chunk)
        *chunk = vm_alloc(vm, CHUNK_SLOTS * sizeof **chunk);
    if (!*chunk)
        return -ENOMEM;
    *ret_slot = (slot_t){swap->fresh++};
    return 0;
}

/* The area is full: a page in memory that nobody has swapped out can do without its slot. It becomes dirty,
 * as it has no copy any more. */
static void slot_take_back(struct vm *vm) {
    struct swap *swap = &vm->swap;
    while (swap->frame_only > 0) {
        swap->hand = swap->hand + 1 < swap->fresh ? swap->hand + 1 : 0;
        const struct slot *slot = slot_of(vm, (slot_t){swap->hand});
        const bool in_use = slot->id.n != 0;
        if (!in_use || !slot_is_frame_only(slot))
            continue;
        const pfn_t pfn = slot->frame;
        frame_of(vm, pfn)->flags |= FRAME_DIRTY;
        slot_detach(vm, pfn);
        return;
    }
}

bool swap_has_room(const struct vm *vm) {
    const struct swap *swap = &vm->swap;
    return swap->first_free != UINT32_MAX || swap->fresh < swap->pages || swap->frame_only > 0;
}

/* Takes the first of the slots given back: false when there is none. */
static bool slot_take_freed(struct vm *vm, slot_t *ret_slot) {
    struct swap *swap = &vm->swap;
    if (swap->first_free == UINT32_MAX)
        return false;
    *ret_slot = (slot_t){swap->first_free};
    swap->first_free = slot_of(vm, *ret_slot)->frame.n;
    return true;
}

/* Takes this slot, which is none of the fresh ones, out of those given back: false when it is not there. */
static bool slot_remove_freed(struct vm *vm, slot_t number) {
    for (uint32_t *link = &vm->swap.first_free; *link != UINT32_MAX;
         link = &slot_of(vm, (slot_t){*link})->frame.n) {
        if (*link == number.n) {
            *link = slot_of(vm, number)->frame.n;
            return true;
        }
    }
    return false;
}

/* Makes the slots that were never used, up to `number`, slots given back, behind the others. False without
 * memory for their records. */
static bool slot_skip_fresh(struct vm *vm, slot_t number) {
    uint32_t *link = &vm->swap.first_free;
    while (*link != UINT32_MAX)
        link = &slot_of(vm, (slot_t){*link})->frame.n;
    while (vm->swap.fresh <= number.n) {
        slot_t fresh;
        if (slot_alloc_fresh(vm, &fresh) < 0)
            return false;
        *link = fresh.n;
        *slot_of(vm, fresh) = (struct slot){.frame = PFN_NONE};
        link = &slot_of(vm, fresh)->frame.n;
    }
    return true;
}

/* The slot that was decided in advance: false when there is none, or it is not free. */
static bool slot_take_chosen(struct vm *vm, slot_t *ret_slot) {
    struct choice choice;
    if (likely(!choice_next(vm, CHOICE_SLOTS, &choice)))
        return false;
    *ret_slot = (slot_t){choice.number};
    if (choice.number >= vm->swap.pages) {
        choice_refuse(vm, &choice, "is not in the swap area");
        return false;
    }
    const bool known = choice.number < vm->swap.fresh || slot_skip_fresh(vm, *ret_slot);
    if (known && slot_remove_freed(vm, *ret_slot))
        return true;
    choice_refuse(vm, &choice, known ? "is in use" : "has no memory for its record");
    return false;
}

/* Any slot, in the usual order: those given back, those never used, those that a page can do without. */
static int slot_take_usual(struct vm *vm, slot_t *ret_slot) {
    if (slot_take_freed(vm, ret_slot) || slot_alloc_fresh(vm, ret_slot) == 0)
        return 0;
    slot_take_back(vm);
    return slot_take_freed(vm, ret_slot) ? 0 : -ENOMEM;
}

int slot_assign(struct vm *vm, pfn_t pfn) {
    struct swap *swap = &vm->swap;
    slot_t number;
    if (!slot_is_none(frame_of(vm, pfn)->slot))
        return 0;
    if (!slot_take_chosen(vm, &number) && slot_take_usual(vm, &number) < 0)
        return -ENOMEM;
    struct slot *slot = slot_of(vm, number);
    swap->used++;
    swap->peak = max_u64(swap->peak, swap->used);
    *slot = (struct slot){.id = frame_of(vm, pfn)->id, .frame = PFN_NONE};
    trace_emit(vm->config.trace, EVENT_SLOT, 1, number.n, slot->id.n, 0, 0, 0);
    slot_attach(vm, number, pfn);
    return 0;
}

/* ---- transfers ---- */

int slot_write(struct vm *vm, pfn_t pfn) {
    const struct frame *frame = frame_of(vm, pfn);
    const int error = disk_write(vm->config.swap, frame->slot, frame_bytes(vm, pfn));
    if (error)
        return error;
    vm->swap.out++;
    vm->tally.swap_out++;
    content_tell(vm, pfn);
    trace_emit(vm->config.trace, EVENT_SWAP_OUT, 0, pfn.n, frame->slot.n, frame->id.n, 0, 0);
    return 0;
}

int slot_read(struct vm *vm, slot_t number, pfn_t pfn) {
    const int error = disk_read(vm->config.swap, number, frame_bytes(vm, pfn));
    if (error)
        return error;
    vm->swap.in++;
    vm->tally.swap_in++;
    trace_emit(vm->config.trace, EVENT_SWAP_IN, 0, pfn.n, number.n, slot_of(vm, number)->id.n, 0, 0);
    content_swapped_in(vm, pfn);
    return 0;
}
