/* Reclaim: when no frame is free, a page loses its own. Four steps, each to be seen in the trace:
 *
 *   1 pick         the policy, or a choice, names a victim                EVENT_VICTIM
 *   2 write out    a dirty page to its swap slot or to its file           EVENT_SWAP_OUT, EVENT_WRITE_BACK
 *   3 update       every PTE that names the frame, found by its reverse   EVENT_PTE
 *                  mappings: swapped for anonymous memory, empty for a
 *                  page that the cache's index leads to
 *   4 hand over    the frame is in hand of who asked for it               EVENT_FRAME
 *
 *   page                              | step 2            | entries afterwards
 *   ----------------------------------+-------------------+-----------------------------------
 *   anonymous, dirty                  | to its swap slot  | swapped
 *   anonymous, valid copy in a slot   | –                 | swapped; those that were already stay so
 *   anonymous, lazily freed, not      | –                 | empty: the next touch brings zeros
 *     written since                   |                   |
 *   file, dirty (shared)              | to the file       | empty; the index: evicted
 *   file, clean                       | –                 | empty; the index: evicted
 *   shared anonymous                  | as anonymous      | empty; the index: the slot
 *
 * A page that cannot be written out stays. When the disk fails, it goes to the end of the policy's order;
 * when swap is full, it is set aside until there is room again, so that a machine without swap does not
 * search all its anonymous pages for each page of a file. Then the next victim is tried, each page at most
 * once. */
#include "vm/reclaim.h"

#include <assert.h>
#include <errno.h>

#include "base/base.h"

#include "vm/space.h"
#include "vm/state.h"

/* Whether the page was given up by MADV_FREE and not written since. */
static bool page_is_lazy(struct vm *vm, const struct frame *frame) {
    if (frame->state != EVENT_FRAME_ANONYMOUS || frame->mappers != 1 || frame->flags & FRAME_DIRTY)
        return false;
    const struct rmap rmap = frame_mapper(frame, 0);
    const pte_t pte = space_pte(vm->spaces[rmap_space(rmap)], rmap_vpn(rmap));
    return pte_has(pte, PTE_LAZY) && !pte_has(pte, PTE_DIRTY);
}

bool reclaim_is_dirty(void *context, pfn_t pfn) {
    struct vm *vm = context;
    return !page_is_lazy(vm, frame_of(vm, pfn)) && frame_is_dirty(vm, pfn);
}

/* ---- step 1 ---- */

/* What evicting the page takes; makes sure that it has a slot if it needs one. 0 or -ENOMEM. */
static int victim_prepare(struct vm *vm, pfn_t pfn, enum event_victim *ret_how) {
    const struct frame *frame = frame_of(vm, pfn);
    *ret_how = EVENT_VICTIM_CLEAN;
    if (!reclaim_is_dirty(vm, pfn))
        return 0;
    if (frame->object && !frame->object->anonymous) {
        *ret_how = EVENT_VICTIM_TO_FILE;
        return 0;
    }
    *ret_how = EVENT_VICTIM_TO_SWAP;
    return slot_assign(vm, pfn);
}

/* Whose tally the eviction goes to: of several spaces that map the page, the one with the lowest number
 * (which does not depend on who came first, so that a state that was folded from events knows it, too). NULL:
 * nobody maps it. */
static struct space *victim_owner(struct vm *vm, const struct frame *frame) {
    uint32_t lowest = UINT32_MAX;
    for (uint32_t i = 0; i < frame->mappers; i++)
        lowest = min_u32(lowest, rmap_space(frame_mapper(frame, i)));
    return frame->mappers > 0 ? vm->spaces[lowest] : NULL;
}

static void victim_count(struct vm *vm, pfn_t pfn, enum event_victim how) {
    const struct frame *frame = frame_of(vm, pfn);
    trace_emit(vm->config.trace, EVENT_VICTIM, how, pfn.n, frame->id.n, 0, 0, 0);
    vm->tally.evictions[how]++;
    struct space *owner = victim_owner(vm, frame);
    if (owner)
        owner->tally.evictions[how]++;
}

/* ---- step 2 ---- */

static int victim_swap_out(struct vm *vm, pfn_t pfn) {
    const struct frame *frame = frame_of(vm, pfn);
    const int error = slot_write(vm, pfn);
    struct space *owner = victim_owner(vm, frame);
    if (!error && owner)
        owner->tally.swap_out++;
    return error;
}

static int victim_write_out(struct vm *vm, pfn_t pfn, enum event_victim how) {
    switch (how) {
    case EVENT_VICTIM_CLEAN: return 0;
    case EVENT_VICTIM_TO_SWAP: return victim_swap_out(vm, pfn);
    case EVENT_VICTIM_TO_FILE: return object_write_back(frame_of(vm, pfn)->object, pfn);
    }
    return -EINVAL;
}

/* ---- step 3 ---- */

/* What an entry becomes that names the frame. */
static pte_t victim_pte(const struct frame *frame, bool lazy, pte_t old) {
    if (frame->object || lazy)
        return (pte_t){0};
    return pte_make_swapped(frame->slot, pte_access(old), old.v & PTE_COW);
}

static void victim_unmap(struct vm *vm, pfn_t pfn) {
    const struct frame *frame = frame_of(vm, pfn);
    const bool lazy = page_is_lazy(vm, frame);
    while (frame->mappers > 0) {
        const struct rmap rmap = frame_mapper(frame, frame->mappers - 1);
        struct space *space = vm->spaces[rmap_space(rmap)];
        const pte_t old = space_pte(space, rmap_vpn(rmap));
        space_replace_pte(space, rmap_vpn(rmap), old, victim_pte(frame, lazy, old));
    }
}

/* The index of the page's object learns where the page is from now. */
static void victim_leave_index(struct vm *vm, const struct frame *frame) {
    struct object *object = frame->object;
    struct index_entry entry = index_evicted(page_id_generation(frame->id));
    if (object->anonymous) {
        slot_ref(vm, frame->slot);
        entry = index_slot(frame->slot);
    }
    index_set(&object->index, page_id_index(frame->id), entry);
}

/* ---- the four steps ---- */

int reclaim_evict(struct vm *vm, pfn_t pfn) {
    enum event_victim how;
    const struct frame *frame = frame_of(vm, pfn);
    int error = victim_prepare(vm, pfn, &how);
    if (error)
        return error;
    victim_count(vm, pfn, how);

    error = victim_write_out(vm, pfn, how);
    if (error)
        return error;

    victim_unmap(vm, pfn);
    if (frame->object)
        victim_leave_index(vm, frame);
    frame_strip(vm, pfn, POLICY_EVICTED);
    return 0;
}

/* A victim that could not be evicted: as if it had just been brought in, or not there at all. */
static void victim_postpone(struct vm *vm, pfn_t pfn, int error) {
    const page_id_t id = frame_of(vm, pfn)->id;
    if (error == -ENOMEM) {
        frame_set_aside(vm, pfn);
        return;
    }
    vm->policy->remove(vm->policy_state, pfn, id, POLICY_UNMAPPED);
    vm->policy->insert(vm->policy_state, pfn, id);
}

/* The victim that was decided in advance: PFN_NONE when there is none, or it cannot be one. */
static pfn_t victim_chosen(struct vm *vm, struct choice *ret_choice) {
    if (likely(!choice_next(vm, CHOICE_VICTIMS, ret_choice)))
        return PFN_NONE;
    const pfn_t pfn = {ret_choice->number};
    if (pfn.n >= vm->frames.pages.end)
        choice_refuse(vm, ret_choice, "is not a frame for pages");
    else if (!(frame_of(vm, pfn)->flags & FRAME_INSERTED))
        choice_refuse(vm, ret_choice, "holds no page that could be evicted");
    else
        return pfn;
    return PFN_NONE;
}

/* There is room in swap: pages that were set aside can be evicted again. */
static void reconsider_all(struct vm *vm) {
    for (uint32_t n = 0; vm->frames.aside > 0 && n < vm->mem.frames; n++)
        frame_reconsider(vm, (pfn_t){n});
}

int reclaim_frame(struct vm *vm, pfn_t *ret_frame) {
    int reason = -ENOMEM;
    if (vm->frames.aside > 0 && swap_has_room(vm))
        reconsider_all(vm);
    const uint32_t *counts = vm->frames.counts;
    for (uint32_t tries = counts[EVENT_FRAME_ANONYMOUS] + counts[EVENT_FRAME_CACHE]; tries > 0; tries--) {
        struct choice choice;
        const pfn_t chosen = victim_chosen(vm, &choice);
        const bool is_chosen = !pfn_is_none(chosen);
        const pfn_t victim = is_chosen ? chosen : vm->policy->victim(vm->policy_state);
        if (pfn_is_none(victim))
            break;
        const int error = reclaim_evict(vm, victim);
        if (error && is_chosen)
            choice_refuse(vm, &choice, "cannot be written out");
        if (!error) {
            *ret_frame = victim;
            return 0;
        }
        if (error != -ENOMEM)
            reason = error;
        victim_postpone(vm, victim, error);
    }
    return reason;
}
