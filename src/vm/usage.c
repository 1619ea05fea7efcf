/* Counts for people: what the pages of a mapping, and of the whole machine, are. Everything is looked at when
 * it is asked for; nothing is kept. */
#include "vm/object.h"
#include "vm/space.h"
#include "vm/state.h"

/* A page's share for each of its mappers, in PAGE_SHARE-ths of a page. */
static uint64_t share(uint32_t mappers) {
    return PAGE_SHARE / (mappers ? mappers : 1);
}

static void usage_add_present(struct vm *vm, pte_t pte, struct mapping_usage *u) {
    const struct frame *frame = frame_of(vm, pte_pfn(pte));
    bool dirty = pte_has(pte, PTE_DIRTY) || frame->flags & FRAME_DIRTY || !frame->object;
    u->resident++;
    u->share += share(frame->mappers);
    u->share_dirty += dirty ? share(frame->mappers) : 0;
    u->shared_clean += frame->mappers > 1 && !dirty;
    u->shared_dirty += frame->mappers > 1 && dirty;
    u->private_clean += frame->mappers <= 1 && !dirty;
    u->private_dirty += frame->mappers <= 1 && dirty;
    u->referenced += pte_has(pte, PTE_REFERENCED);
    u->anonymous += !frame->object;
    u->lazily_free += pte_has(pte, PTE_LAZY);
}

void space_get_usage(struct space *space, uint64_t start, uint64_t end, struct mapping_usage *ret_usage) {
    pte_t pte;
    *ret_usage = (struct mapping_usage){0};
    for (vpn_t vpn = vpn_of(start); space_next_pte(space, &vpn, vpn_of(end), &pte); vpn.n++) {
        if (!pte_is_swapped(pte)) {
            usage_add_present(space->vm, pte, ret_usage);
            continue;
        }
        ret_usage->swapped++;
        ret_usage->swapped_share += share(slot_of(space->vm, pte_slot(pte))->references);
    }
}

uint64_t space_page_table_bytes(const struct space *space) {
    return (uint64_t)space->table->frames * PAGE_SIZE;
}

static bool frame_is_referenced(struct vm *vm, const struct frame *frame) {
    if (frame->flags & FRAME_REFERENCED)
        return true;
    for (uint32_t i = 0; i < frame->mappers; i++) {
        struct rmap r = frame_mapper(frame, i);
        if (pte_has(space_pte(vm->spaces[rmap_space(r)], rmap_vpn(r)), PTE_REFERENCED))
            return true;
    }
    return false;
}

void vm_get_usage(struct vm *vm, struct vm_usage *ret_usage) {
    *ret_usage = (struct vm_usage){0};
    for (uint32_t n = 0; n < vm->frames.pages.fresh; n++) {
        const struct frame *frame = frame_of(vm, (pfn_t){n});
        bool cache = frame->state == EVENT_FRAME_CACHE;
        if (!cache && frame->state != EVENT_FRAME_ANONYMOUS)
            continue;
        bool file = cache && !frame->object->anonymous, active = frame_is_referenced(vm, frame);
        ret_usage->shared_memory += cache && !file;
        ret_usage->mapped += cache && frame->mappers > 0;
        ret_usage->dirty += file && frame_is_dirty(vm, (pfn_t){n});
        ret_usage->active_file += file && active;
        ret_usage->active_anonymous += !file && active;
        ret_usage->swap_cached += !(frame->slot.n == SLOT_NONE.n);
    }
}
