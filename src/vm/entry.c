/* The page-table entries of an address space. Everything that changes an entry comes through here, so that
 * these hold at any moment, by construction:
 *
 *   a frame lists (space, VPN) as a mapper          iff   the entry of VPN names the frame
 *   a slot's references from page tables             =    the entries that name the slot
 *   the space's counts of resident and swapped pages =    its entries of these kinds
 *   a page whose entry said "dirty" is dirty until somebody writes it out
 *   the engine has forgotten what an entry no longer allows */
#include <assert.h>

#include "base/base.h"
#include "vm/space.h"
#include "vm/state.h"

pte_t space_pte(const struct space *space, vpn_t vpn) {
    return space->table->ops->get(space->table, vpn);
}

int space_prepare(struct space *space, vpn_t vpn) {
    return space->table->ops->prepare(space->table, vpn);
}

bool space_next_pte(const struct space *space, vpn_t *vpn, vpn_t end, pte_t *ret_pte) {
    return space->table->ops->next(space->table, vpn, end, ret_pte);
}

uint64_t space_resident(const struct space *space) {
    uint64_t pages = 0;
    for (int kind = 0; kind < RESIDENT_KINDS; kind++)
        pages += space->resident[kind];
    return pages;
}

static enum resident_kind resident_kind(struct vm *vm, pfn_t pfn) {
    const struct object *object = frame_of(vm, pfn)->object;
    if (!object)
        return RESIDENT_ANONYMOUS;
    return object->anonymous ? RESIDENT_SHARED : RESIDENT_FILE;
}

/* An entry comes to name a frame or a slot. */
static void entry_adopt(struct space *space, vpn_t vpn, pte_t new) {
    struct vm *vm = space->vm;
    switch (pte_kind(new)) {
    case PTE_EMPTY: break;
    case PTE_PRESENT:
        frame_add_mapper(vm, pte_pfn(new), rmap_make(space->number, vpn));
        space->resident[resident_kind(vm, pte_pfn(new))]++;
        space->resident_peak = max_u64(space->resident_peak, space_resident(space));
        break;
    case PTE_SWAPPED:
        slot_ref(vm, pte_slot(new));
        space->swapped++;
        break;
    }
}

/* An entry no longer names its frame or slot. */
static void entry_abandon(struct space *space, vpn_t vpn, pte_t old) {
    struct vm *vm = space->vm;
    switch (pte_kind(old)) {
    case PTE_EMPTY: break;
    case PTE_PRESENT:
        if (pte_has(old, PTE_REFERENCED))
            frame_of(vm, pte_pfn(old))->flags |= FRAME_REFERENCED;
        space->resident[resident_kind(vm, pte_pfn(old))]--;
        frame_remove_mapper(vm, pte_pfn(old), rmap_make(space->number, vpn));
        break;
    case PTE_SWAPPED:
        space->swapped--;
        slot_unref(vm, pte_slot(old));
        break;
    }
}

static bool same_target(pte_t a, pte_t b) {
    return pte_kind(a) == pte_kind(b) && a.v >> PTE_NUMBER_SHIFT == b.v >> PTE_NUMBER_SHIFT;
}

/* Whether a TLB that still holds the old entry could do what the new one does not allow. */
static bool entry_loses(pte_t old, pte_t new) {
    if (!pte_is_present(old))
        return false;
    return !same_target(old, new) || (old.v & ~new.v &(PTE_RWX | PTE_REFERENCED | PTE_DIRTY)) != 0;
}

static void entry_write(struct space *space, vpn_t vpn, pte_t old, pte_t new) {
    const struct vm *vm = space->vm;
    trace_emit(vm->config.trace, EVENT_PTE, 0, space->number, vpn.n, old.v, new.v, 0);
    space->table->ops->set(space->table, vpn, new);
    if (entry_loses(old, new) && vm->config.listener.forget_page)
        vm->config.listener.forget_page(vm->config.listener.context, space->table, vpn);
}

void space_set_pte(struct space *space, vpn_t vpn, pte_t new) {
    space_replace_pte(space, vpn, space_pte(space, vpn), new);
}

void space_replace_pte(struct space *space, vpn_t vpn, pte_t old, pte_t new) {
    assert(old.v == space_pte(space, vpn).v);
    if (old.v == new.v)
        return;
    const bool moves = !same_target(old, new);
    if (pte_is_present(old) && pte_has(old, PTE_DIRTY) && (moves || !pte_has(new, PTE_DIRTY)))
        frame_of(space->vm, pte_pfn(old))->flags |= FRAME_DIRTY;
    if (moves)
        entry_adopt(space, vpn, new);
    entry_write(space, vpn, old, new);
    if (moves)
        entry_abandon(space, vpn, old);
}

void space_settle(struct space *space, pte_t old, enum policy_remove reason) {
    switch (pte_kind(old)) {
    case PTE_EMPTY: return;
    case PTE_PRESENT: frame_unmapped(space->vm, pte_pfn(old), reason); return;
    case PTE_SWAPPED: slot_settle(space->vm, pte_slot(old), reason); return;
    }
}

void space_move_pte(struct space *space, vpn_t from, vpn_t to) {
    const pte_t pte = space_pte(space, from);
    assert(pte_is_empty(space_pte(space, to)));
    if (pte_is_present(pte))
        frame_replace_mapper(space->vm, pte_pfn(pte), rmap_make(space->number, from),
                             rmap_make(space->number, to));
    entry_write(space, to, (pte_t){0}, pte);
    entry_write(space, from, pte, (pte_t){0});
}
