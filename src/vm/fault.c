/* The page-fault handler. It reads like this table; each line is a function.
 *
 *   where                     entry      wanted   what happens                                   kind
 *   ------------------------  ---------  -------  ---------------------------------------------  ----------
 *   no mapping                                    the stack grows, or FAULT_NO_MAPPING
 *   not permitted                                 FAULT_PERMISSION
 *   object, past its end      empty               FAULT_PAST_END
 *   private anonymous         empty      any      a frame of zeros                               zero-fill
 *   object                    empty      any      the cache's frame, else one filled from disk    file
 *   … shared memory           empty      any      … else a frame of zeros, or filled from swap    zero-fill,
 *                                                                                                 swap-in
 *   object, private           empty      write    a copy, from the cache or straight from disk   cow
 *   private                   swapped    any      the frame of the slot, else read from it        swap-in
 *   private, others have it   swapped    write    a copy                                          cow
 *   private, others have it   present    write    a copy                                          cow
 *   private, nobody else      present    write    taken over                                      protection
 *   shared file, clean        present    write    marked dirty                                    protection
 *   else                      present    any      the entry catches up with its mapping           protection
 *
 *   space_fault ── fault_check ── fault_serve ──┬─ fault_zero          ┌─ fault_frame ── reclaim.c
 *                                               ├─ fault_object ───────┤
 *                                               ├─ fault_swapped ──────┤
 *                                               ├─ fault_present       └─ fault_install ── entry.c
 *                                               └─ fault_copy (copy.c)
 *
 * Nothing is pinned: fault_frame() may evict any page, the one that is about to be copied or mapped included.
 * So each function first gets what it needs and then looks at the page as it is now. A fresh frame is unknown
 * to the policy until it is complete. A fault that fails has changed nothing that a program could see. */
#include "vm/fault.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "hw/mmu.h"
#include "vm/merge.h"
#include "vm/prefetch.h"
#include "vm/state.h"

/* ---- tools ---- */

int fault_frame(struct fault *f, page_id_t id, pfn_t *ret_frame) {
    /* Tables first, so that they do not take the place of a page brought in for nothing; and again, as the
     * eviction may have emptied and freed them. */
    int error = space_prepare(f->space, f->vpn);
    if (error)
        return error;
    reference_misses(f->space->vm, id);
    error = frame_alloc(f->space->vm, ret_frame);
    if (error)
        return error;
    error = space_prepare(f->space, f->vpn);
    if (error)
        frame_free(f->space->vm, *ret_frame);
    return error;
}

void fault_filled(struct fault *f, const struct object_fill *fill) {
    f->miss = true;
    f->major |= fill->read;
    f->refault |= fill->refault;
    f->swapped |= fill->swapped;
    f->is_new |= fill->is_new;
}

void fault_install(struct fault *f, pfn_t pfn, uint64_t bits) {
    const pte_t old = space_pte(f->space, f->vpn);
    const pte_t new = pte_make_present(pfn, 0, bits | PTE_REFERENCED);
    prefetch_used(f->space->vm, pfn);
    space_replace_pte(f->space, f->vpn, old, mapping_pte(f->mapping, new));
    space_settle(f->space, old, POLICY_UNMAPPED);
}

void fault_install_arrived(struct fault *f, pfn_t pfn, uint64_t bits) {
    const struct arrival arrival = {
        .mapping = f->mapping, .vpn = f->vpn, .access = f->access, .is_new = f->is_new};
    fault_install(f, pfn, bits);
    reference_insert(f->space->vm, pfn, &arrival);
}

void fault_install_new(struct fault *f, pfn_t pfn) {
    struct vm *vm = f->space->vm;
    frame_of(vm, pfn)->flags |= FRAME_DIRTY; /* it has no copy in the swap area yet */
    if (vm->config.slot_at_first_touch)
        (void)slot_assign(vm, pfn); /* a full swap area shows when the page must go */
    f->miss = f->is_new = true;
    fault_install_arrived(f, pfn, 0);
}

/* ---- the cases ---- */

static int fault_zero(struct fault *f) {
    struct vm *vm = f->space->vm;
    pfn_t pfn;
    f->kind = EVENT_FAULT_ZERO_FILL;
    const page_id_t id = vm_new_page_id(vm);
    const int error = fault_frame(f, id, &pfn);
    if (error)
        return error;
    mapping_filled(f->mapping);
    frame_zero(vm, pfn);
    frame_take(vm, pfn, EVENT_FRAME_ANONYMOUS, id, NULL);
    trace_emit(vm->config.trace, EVENT_ZERO_FILL, 0, pfn.n, id.n, 0, 0, 0);
    content_filled(vm, pfn);
    fault_install_new(f, pfn);
    return 0;
}

/* What a cached page's entry is like besides the mapping's permissions. */
static uint64_t cached_page_bits(const struct fault *f) {
    if (!(f->mapping->flags & MAPPING_SHARED))
        return PTE_COW;
    return mapping_tracks_writes(f->mapping) && fault_writes(f) ? PTE_DIRTY : 0;
}

/* The page is in the cache: nothing can evict it between here and its mapping. */
static int fault_cached(struct fault *f, pfn_t pfn) {
    const int error = frame_reserve_mapper(f->space->vm, pfn);
    if (!error)
        fault_install(f, pfn, cached_page_bits(f));
    return error;
}

static int fault_object(struct fault *f) {
    struct vm *vm = f->space->vm;
    struct object *object = f->mapping->object;
    const uint64_t page = mapping_object_page(f->mapping, f->vpn);
    f->kind = EVENT_FAULT_FILE;
    int error = space_prepare(f->space, f->vpn);
    if (error)
        return error;
    const struct index_entry entry = index_get(&object->index, page);
    if (index_kind(entry) == INDEX_FRAME)
        return fault_cached(f, index_pfn(entry));

    pfn_t pfn;
    struct object_fill fill;
    error = fault_frame(f, object_page_id(object, page, entry), &pfn);
    if (error)
        return error;
    f->doing = object->name;
    error = object_fill_frame(object, page, pfn, &fill);
    if (error) {
        frame_free(vm, pfn);
        return error;
    }
    fault_filled(f, &fill);
    f->kind = object->anonymous ? (fill.swapped ? EVENT_FAULT_SWAP_IN : EVENT_FAULT_ZERO_FILL) : f->kind;
    fault_install_arrived(f, pfn, cached_page_bits(f));
    return 0;
}

/* Reads the slot of a swapped page into a frame in hand, which becomes the page's. */
static int swap_in(struct fault *f, slot_t number, pfn_t pfn) {
    struct vm *vm = f->space->vm;
    f->doing = "swap-in";
    const int error = slot_read(vm, number, pfn);
    if (error)
        return error;
    frame_take(vm, pfn, EVENT_FRAME_ANONYMOUS, slot_of(vm, number)->id, NULL);
    slot_attach(vm, number, pfn);
    fault_filled(f, &(struct object_fill){.read = true, .refault = true, .swapped = true});
    return 0;
}

/* Copy-on-write stays as long as somebody else has the page. Owners are counted with this entry still
 * naming the slot. */
static uint64_t swapped_page_bits(struct vm *vm, pfn_t pfn, pte_t old) {
    return pte_has(old, PTE_COW) && frame_owners(vm, pfn) > 1 ? PTE_COW : 0;
}

static int fault_swapped(struct fault *f, pte_t pte) {
    struct vm *vm = f->space->vm;
    const slot_t number = pte_slot(pte);
    f->kind = EVENT_FAULT_SWAP_IN;
    int error = space_prepare(f->space, f->vpn);
    if (error)
        return error;
    pfn_t pfn = slot_of(vm, number)->frame;
    if (!pfn_is_none(pfn)) { /* somebody else has brought it back */
        error = frame_reserve_mapper(vm, pfn);
        if (!error)
            fault_install(f, pfn, swapped_page_bits(vm, pfn, pte));
        return error;
    }
    error = fault_frame(f, slot_of(vm, number)->id, &pfn);
    if (error)
        return error;
    error = swap_in(f, number, pfn);
    if (error) {
        frame_free(vm, pfn);
        return error;
    }
    fault_install_arrived(f, pfn, swapped_page_bits(vm, pfn, pte));
    return 0;
}

/* The frame stays; the entry comes to allow what the mapping allows. */
static int fault_present(struct fault *f, pte_t pte) {
    f->kind = EVENT_FAULT_PROTECTION;
    uint64_t set = PTE_REFERENCED, clear = 0;
    if (fault_writes(f) && pte_has(pte, PTE_COW))
        clear = PTE_COW; /* nobody else has it: taken over */
    if (fault_writes(f) && mapping_tracks_writes(f->mapping))
        set |= PTE_DIRTY;
    const pte_t new = pte_set(pte_clear(pte, clear), set);
    space_replace_pte(f->space, f->vpn, pte, mapping_pte(f->mapping, new));
    return 0;
}

/* Whether the write must go to a copy of the page. */
static bool fault_must_copy(const struct fault *f, pte_t pte) {
    struct vm *vm = f->space->vm;
    const struct slot *slot;
    if (!fault_writes(f) || (f->mapping->flags & MAPPING_SHARED))
        return false;
    switch (pte_kind(pte)) {
    case PTE_EMPTY: return f->mapping->object != NULL;
    case PTE_PRESENT:
        if (!pte_has(pte, PTE_COW))
            return false;
        return frame_of(vm, pte_pfn(pte))->object || frame_owners(vm, pte_pfn(pte)) > 1;
    case PTE_SWAPPED:
        slot = slot_of(vm, pte_slot(pte));
        if (!pte_has(pte, PTE_COW))
            return false;
        return (pfn_is_none(slot->frame) ? slot->references : frame_owners(vm, slot->frame)) > 1;
    }
    return false;
}

static int fault_serve(struct fault *f) {
    const pte_t pte = space_pte(f->space, f->vpn);
    if (fault_must_copy(f, pte))
        return fault_copy(f);
    switch (pte_kind(pte)) {
    case PTE_EMPTY: return f->mapping->object ? fault_object(f) : fault_zero(f);
    case PTE_PRESENT: return fault_present(f, pte);
    case PTE_SWAPPED: return fault_swapped(f, pte);
    }
    return -EINVAL;
}

/* ---- before and after ---- */

/* Whether there is anything to serve. */
static enum fault_result fault_check(struct fault *f) {
    if (f->address >= USER_END)
        return FAULT_NO_MAPPING;
    if (f->space->reaped)
        return FAULT_KILLED;
    f->mapping = mapping_find(f->space, f->vpn);
    if (!f->mapping)
        f->mapping = space_grow_stack(f->space, f->vpn);
    if (!f->mapping)
        return FAULT_NO_MAPPING;
    if (f->access & ~mapping_access(f->mapping))
        return FAULT_PERMISSION;
    const struct object *object = f->mapping->object;
    if (!object || mapping_object_page(f->mapping, f->vpn) < object_end_page(object) ||
        !pte_is_empty(space_pte(f->space, f->vpn))) /* a private copy would still be there */
        return FAULT_OK;
    if (fault_writes(f) && !(f->mapping->flags & MAPPING_SHARED))
        mapping_filled(f->mapping); /* as on Linux, before it looks where the end is */
    return FAULT_PAST_END;
}

static enum fault_result fault_failed(struct fault *f, int error) {
    const struct vm_config *config = &f->space->vm->config;
    if (f->space->reaped)
        return FAULT_KILLED;
    if (error == -ENOMEM)
        return FAULT_NO_MEMORY;
    if (config->io_error)
        config->io_error(config->context, f->space, error, f->doing);
    return FAULT_IO;
}

/* Somebody was chosen to die for memory. Whether some of it came back at once, frames or swap. */
static bool fault_out_of_memory(struct vm *vm) {
    const uint32_t frames = vm->frames.pages.count;
    const uint64_t slots = vm->swap.used;
    return vm->config.out_of_memory && vm->config.out_of_memory(vm->config.context) &&
           (vm->frames.pages.count > frames || vm->swap.used < slots);
}

static enum fault_result fault_try(struct fault *f) {
    for (;;) {
        f->doing = "swap-out";
        const int error = fault_serve(f);
        if (!error && unlikely(f->space->vm->prefetching) && f->miss)
            prefetch_along(f);
        if (!error)
            return FAULT_OK;
        if (error != -ENOMEM || !fault_out_of_memory(f->space->vm) || f->space->reaped)
            return fault_failed(f, error);
    }
}

static void fault_count(const struct fault *f, struct tally *tally) {
    tally->faults[f->kind]++;
    tally->major += f->major;
    tally->minor += !f->major;
    tally->misses += f->miss;
    tally->refaults += f->refault;
}

static void fault_done(struct fault *f, enum fault_result result) {
    struct vm *vm = f->space->vm;
    if (result == FAULT_OK) {
        fault_count(f, &vm->tally);
        fault_count(f, &f->space->tally);
        f->space->tally.swap_in += f->swapped;
    } else {
        f->kind = EVENT_FAULT_FAILED;
    }
    if (unlikely(vm->config.trace && vm->config.trace->listening)) {
        const uint64_t pte = f->address < USER_END ? space_pte(f->space, f->vpn).v : 0;
        vm_tell_contents(vm);
        trace_emit(vm->config.trace, EVENT_FAULT_DONE, f->kind, f->space->number, f->address, pte, f->major,
                   f->miss);
    }
}

enum fault_result space_fault(struct space *space, uint64_t address, unsigned access) {
    struct fault f = {.space = space, .address = address, .vpn = vpn_of(address), .access = access};
    struct trace *trace = space->vm->config.trace;
    if (unlikely(trace && trace->listening)) {
        const uint64_t pte = address < USER_END ? space_pte(space, f.vpn).v : 0;
        vm_tell_contents(space->vm);
        trace_emit(trace, EVENT_FAULT, access, space->number, address, pte, 0, 0);
    }
    enum fault_result result = fault_check(&f);
    if (result == FAULT_OK)
        result = fault_try(&f);
    fault_done(&f, result);
    return result;
}

int space_bring_in(struct space *space, vpn_t vpn) {
    struct fault f = {.space = space, .address = vpn_address(vpn), .vpn = vpn};
    if (fault_check(&f) != FAULT_OK)
        return -EFAULT;
    const int error = fault_serve(&f);
    space->tally.swap_in += f.swapped;
    space->vm->tally.misses += f.miss;
    space->vm->tally.refaults += f.refault;
    return error;
}

enum fault_result space_touch(struct space *space, uint64_t address, unsigned access, pfn_t *ret_frame) {
    const vpn_t vpn = vpn_of(address);
    pte_t pte;
    if (address >= USER_END)
        return FAULT_NO_MAPPING;
    reference_in_space(space->vm, space->number);
    while (mmu_walk(space->table, vpn, access, &pte) != MMU_OK) {
        const enum fault_result result = space_fault(space, address, access);
        if (result != FAULT_OK)
            return result;
    }
    *ret_frame = pte_pfn(pte);
    reference_make(space->vm, *ret_frame, access);
    return FAULT_OK;
}
