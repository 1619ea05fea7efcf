/* See prefetch.h. Who names the pages is policy/prefetch.h's business; here they are brought in.
 *
 *   named by    is brought in when                                        afterwards it is
 *   ---------   -------------------------------------------------------   ------------------------------
 *   index       a page of the file that is not in memory, or one of       in the page cache, unmapped
 *               shared memory that is in swap
 *   slot        a private page is in it and in no frame                   in its slot and in a frame
 *   address     the mapping there leads to one of the two above           as above
 *
 * No page table names such a page: the next touch is a minor fault, which finds it, and that is how the use
 * of it is noticed. The policy is told (insert_prefetched, or insert where it has none), and its choice of a
 * victim is asked for as usual.
 *
 * Memory is not given up for guesses: a memory of fewer frames than prefetcher.from only fills free ones; at
 * no time more than an eighth of memory holds pages that wait for their first use; and neither the page that
 * was missing nor one that waits is evicted for another. An error of a disk ends the bringing, and is
 * nobody's concern. */
#include "vm/prefetch.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/map.h"
#include "policy/prefetch.h"
#include "vm/object.h"
#include "vm/reclaim.h"
#include "vm/reference.h"
#include "vm/space.h"

enum { WAITING_SHARE = 8 };

struct prefetching {
    const struct prefetcher *prefetcher;
    struct map waiting; /* by frame: the instruction at which the page was brought */
    uint32_t limit;     /* of waiting pages */
    bool may_evict;
    struct vm_prefetch_counts counts; /* `waiting` is the map's */
};

int prefetch_create(struct vm *vm) {
    const struct prefetcher *prefetcher = vm->config.prefetcher;
    if (!prefetcher || prefetcher->count == 0)
        return 0;
    const uint32_t frames = vm->frames.pages.end - vm->config.reserved;
    struct prefetching *p = vm_alloc(vm, sizeof *p);
    if (!p)
        return -ENOMEM;
    *p = (struct prefetching){
        .prefetcher = prefetcher,
        .waiting = MAP_INIT(vm->config.inject),
        .limit = max_u32(1, frames / WAITING_SHARE),
        .may_evict = frames >= prefetcher->from,
    };
    vm->prefetching = p;
    return 0;
}

void prefetch_destroy(struct vm *vm) {
    if (!vm->prefetching)
        return;
    map_free(&vm->prefetching->waiting);
    free(vm->prefetching);
}

void vm_get_prefetch_counts(const struct vm *vm, struct vm_prefetch_counts *ret_counts) {
    const struct prefetching *p = vm->prefetching;
    *ret_counts = p ? p->counts : (struct vm_prefetch_counts){0};
    ret_counts->waiting = p ? map_count(&p->waiting) : 0;
}

/* ---- the account ---- */

void prefetch_was_used(struct vm *vm, pfn_t pfn) {
    struct prefetching *p = vm->prefetching;
    uint64_t brought;
    if (!map_remove(&p->waiting, pfn.n, &brought))
        return;
    p->counts.useful++;
    p->counts.late += reference_now(vm) - brought < p->prefetcher->late;
}

void prefetch_was_lost(struct vm *vm, pfn_t pfn) {
    if (map_remove(&vm->prefetching->waiting, pfn.n, NULL))
        vm->prefetching->counts.wasted++;
}

static void page_waits(struct vm *vm, pfn_t pfn) {
    struct prefetching *p = vm->prefetching;
    struct frame *frame = frame_of(vm, pfn);
    (void)map_put(&p->waiting, pfn.n, reference_now(vm)); /* there is room: frame_take_for() */
    p->counts.prefetched++;
    frame->flags |= FRAME_INSERTED;
    if (vm->policy->insert_prefetched)
        vm->policy->insert_prefetched(vm->policy_state, pfn, frame->id);
    else
        vm->policy->insert(vm->policy_state, pfn, frame->id);
}

/* ---- room ---- */

/* A frame in hand for a page that nobody has asked for: false when none is to be had. */
static bool frame_take_for(struct vm *vm, pfn_t served, pfn_t *ret_frame) {
    struct prefetching *p = vm->prefetching;
    if (map_count(&p->waiting) >= p->limit || map_reserve(&p->waiting, 1) < 0)
        return false;
    if (frame_alloc_free(vm, ret_frame))
        return true;
    if (!p->may_evict)
        return false;
    const pfn_t victim = vm->policy->victim(vm->policy_state);
    if (pfn_is_none(victim) || pfn_eq(victim, served) || map_get(&p->waiting, victim.n, NULL))
        return false;
    *ret_frame = victim;
    return reclaim_evict(vm, victim) == 0;
}

/* ---- bringing one page ---- */

/* What came of a wish. */
enum outcome { BROUGHT, NOTHING_TO_BRING, NO_MORE };

static enum outcome bring_of_object(struct vm *vm, pfn_t served, struct object *object, uint64_t page) {
    if (!object || page >= object_end_page(object))
        return NOTHING_TO_BRING;
    const enum index_kind kind = index_kind(index_get(&object->index, page));
    if (kind == INDEX_FRAME || (object->anonymous && kind != INDEX_SLOT))
        return NOTHING_TO_BRING;
    pfn_t pfn;
    struct object_fill fill;
    if (!frame_take_for(vm, served, &pfn))
        return NO_MORE;
    if (object_fill_frame(object, page, pfn, &fill)) {
        frame_free(vm, pfn);
        return NO_MORE;
    }
    page_waits(vm, pfn);
    return BROUGHT;
}

static enum outcome bring_private(struct vm *vm, pfn_t served, slot_t number) {
    pfn_t pfn;
    if (!frame_take_for(vm, served, &pfn))
        return NO_MORE;
    if (slot_read(vm, number, pfn)) {
        frame_free(vm, pfn);
        return NO_MORE;
    }
    frame_take(vm, pfn, EVENT_FRAME_ANONYMOUS, slot_of(vm, number)->id, NULL);
    slot_attach(vm, number, pfn);
    page_waits(vm, pfn);
    return BROUGHT;
}

/* Pages of shared memory are found by their object: only those of the one that the miss was in. */
static enum outcome bring_of_slot(struct vm *vm, const struct fault *f, pfn_t served, uint64_t number) {
    if (number >= vm->swap.fresh)
        return NOTHING_TO_BRING;
    const struct slot *slot = slot_of(vm, (slot_t){(uint32_t)number});
    if (slot->id.n == 0 || slot->references == 0 || !pfn_is_none(slot->frame))
        return NOTHING_TO_BRING;
    if (!page_id_is_object(slot->id))
        return bring_private(vm, served, (slot_t){(uint32_t)number});
    struct object *object = f->mapping->object;
    const uint64_t page = page_id_index(slot->id);
    if (!object || index_get(&object->index, page).v != index_slot((slot_t){(uint32_t)number}).v)
        return NOTHING_TO_BRING;
    return bring_of_object(vm, served, object, page);
}

static enum outcome bring_at_address(struct vm *vm, struct fault *f, pfn_t served, uint64_t vpn) {
    const struct mapping *m = vpn < USER_END_VPN.n ? mapping_find(f->space, (vpn_t){vpn}) : NULL;
    if (!m)
        return NOTHING_TO_BRING;
    const pte_t pte = space_pte(f->space, (vpn_t){vpn});
    switch (pte_kind(pte)) {
    case PTE_PRESENT: return NOTHING_TO_BRING;
    case PTE_SWAPPED: return bring_of_slot(vm, f, served, pte_slot(pte).n);
    case PTE_EMPTY: return bring_of_object(vm, served, m->object, mapping_object_page(m, (vpn_t){vpn}));
    }
    return NOTHING_TO_BRING;
}

static enum outcome bring(struct vm *vm, struct fault *f, pfn_t served, const struct prefetch_wish *wish) {
    switch (wish->by) {
    case PREFETCH_BY_ADDRESS: return bring_at_address(vm, f, served, wish->number);
    case PREFETCH_BY_INDEX: return bring_of_object(vm, served, f->mapping->object, wish->number);
    case PREFETCH_BY_SLOT: return bring_of_slot(vm, f, served, wish->number);
    }
    return NOTHING_TO_BRING;
}

void prefetch_along(struct fault *f) {
    struct vm *vm = f->space->vm;
    const struct prefetching *p = vm->prefetching;
    const pfn_t served = pte_pfn(space_pte(f->space, f->vpn));
    const struct frame *frame = frame_of(vm, served);
    const struct object *object = f->mapping->object;
    const struct prefetch_miss miss = {
        .page = frame->id,
        .vpn = f->vpn,
        .space = f->space->number,
        .from_file = f->major && object,
        .from_swap = f->swapped && !slot_is_none(frame->slot),
        .object = object ? object->number : 0,
        .index = object ? mapping_object_page(f->mapping, f->vpn) : 0,
        .slot = frame->slot,
        .free_frames = vm->frames.pages.count,
    };
    struct prefetch_wish wishes[PREFETCH_WISHES];
    const size_t count = prefetcher_ask(p->prefetcher, vm->policy, vm->policy_state, &miss, wishes);
    for (size_t i = 0; i < count; i++)
        if (bring(vm, f, served, &wishes[i]) == NO_MORE)
            return;
}
