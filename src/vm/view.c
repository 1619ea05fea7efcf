/* An address space as others see it: the mappings of /proc/PID/maps and smaps, and what they add up to. What
 * is in their pages is usage.c's. */
#include "vm/merge.h"
#include "vm/object.h"
#include "vm/space.h"
#include "vm/state.h"

void space_get_counts(const struct space *space, struct space_counts *ret_counts) {
    const struct mapping_set *set = &space->mappings;
    *ret_counts = (struct space_counts){
        .mapped = set->pages,
        .resident = space_resident(space),
        .resident_peak = space->resident_peak,
        .resident_file = space->resident[RESIDENT_FILE],
        .resident_shared = space->resident[RESIDENT_SHARED],
        .swapped = space->swapped,
        .locked = set->locked,
        .data = set->data,
        .stack = set->stack,
        .exec = set->exec,
    };
}

static void view_count(struct space *space, const struct mapping *m, struct mapping_view *view) {
    pte_t pte;
    for (vpn_t vpn = m->start; space_next_pte(space, &vpn, m->end, &pte); vpn.n++) {
        if (pte_is_swapped(pte)) {
            view->swapped++;
            continue;
        }
        const struct frame *frame = frame_of(space->vm, pte_pfn(pte));
        view->resident++;
        view->referenced += pte_has(pte, PTE_REFERENCED);
        view->dirty += pte_has(pte, PTE_DIRTY) || frame->flags & FRAME_DIRTY;
        view->anonymous += !frame->object;
    }
}

static void view_flags(const struct mapping *m, struct mapping_view *view) {
    const unsigned flags = m->flags;
    view->access = flags & MAPPING_ACCESS;
    view->shared = flags & MAPPING_SHARED;
    view->stack = flags & MAPPING_STACK;
    view->grows_down = flags & MAPPING_GROWS_DOWN;
    view->locked = flags & MAPPING_LOCKED;
    view->may_write = !(flags & MAPPING_SHARED) || flags & MAPPING_MAY_WRITE;
    view->may_execute = !(flags & MAPPING_NO_EXEC);
    view->not_forked = flags & MAPPING_DONT_FORK;
    view->wiped_on_fork = flags & MAPPING_WIPE_ON_FORK;
    view->random = flags & MAPPING_RANDOM;
    view->sequential = flags & MAPPING_SEQUENTIAL;
    view->not_dumped = flags & MAPPING_DONT_DUMP;
    view->huge_pages = flags & MAPPING_HUGE_PAGES;
    view->no_huge_pages = flags & MAPPING_NO_HUGE_PAGES;
    view->mergeable = flags & MAPPING_MERGEABLE;
    view->not_reserved = flags & MAPPING_NORESERVE;
    view->accounted = flags & MAPPING_ACCOUNTED;
    view->droppable = flags & MAPPING_DROPPABLE;
}

bool space_next_mapping(struct space *space, uint64_t address, bool with_counts,
                        struct mapping_view *ret_view) {
    const struct mapping *m = mapping_first(space, vpn_of(address));
    if (!m)
        return false;
    const uint64_t start = vpn_address(m->start), end = vpn_address(m->end);
    *ret_view = (struct mapping_view){
        .start = start,
        .end = end,
        .offset = m->object ? m->object_page << PAGE_SHIFT : 0,
        .heap = !m->object && start < space->brk_end && end > space->brk_start,
        .object = m->object,
        .name = m->name ? m->name->text : NULL,
    };
    view_flags(m, ret_view);
    if (with_counts)
        view_count(space, m, ret_view);
    return true;
}
