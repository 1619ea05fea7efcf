/* Advice: madvise, and the populating of mappings. Each advice is a function over the part of one mapping
 * that the range covers. */
#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "vm/merge.h"
#include "vm/object.h"
#include "vm/reclaim.h"
#include "vm/space.h"
#include "vm/state.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

/* ---- populating ---- */

enum fault_result space_populate(struct space *space, vpn_t start, vpn_t end, unsigned access) {
    for (vpn_t vpn = start; vpn.n < end.n; vpn.n++) {
        pfn_t pfn;
        const enum fault_result result = space_touch(space, vpn_address(vpn), access, &pfn);
        if (result != FAULT_OK)
            return result;
    }
    return FAULT_OK;
}

/* A part of one mapping, as if it were forced: only a page without any permission cannot be had. */
static enum fault_result populate_mapping(struct space *space, const struct mapping *m, vpn_t start,
                                          vpn_t end) {
    const bool write = m->flags & ACCESS_WRITE && !(m->flags & MAPPING_SHARED);
    if (m->flags & MAPPING_LOCK_ON_FAULT)
        return FAULT_OK;
    if (!mapping_access(m))
        return FAULT_PERMISSION;
    return space_populate(space, start, end, write ? ACCESS_WRITE : ACCESS_READ);
}

enum fault_result space_populate_all(struct space *space, vpn_t start, vpn_t end) {
    enum fault_result first_failure = FAULT_OK;
    const struct mapping *m = mapping_first(space, start);
    for (; m && m->start.n < end.n; m = mapping_next((struct mapping *)m)) {
        const vpn_t from = {max_u64(m->start.n, start.n)}, to = {min_u64(m->end.n, end.n)};
        const enum fault_result result = populate_mapping(space, m, from, to);
        if (result != FAULT_OK && first_failure == FAULT_OK)
            first_failure = result;
    }
    return first_failure;
}

/* ---- advice about pages ---- */

static int advise_dont_need_locked(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    space_zap(space, m, start, end, POLICY_UNMAPPED);
    return 0;
}

static int advise_dont_need(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    return m->flags & MAPPING_LOCKED ? -EINVAL : advise_dont_need_locked(space, m, start, end);
}

/* Those who have a private page; 0 for one of an object. */
static uint32_t entry_owners(struct vm *vm, pte_t pte) {
    const pfn_t pfn = pte_is_swapped(pte) ? slot_of(vm, pte_slot(pte))->frame : pte_pfn(pte);
    if (pfn_is_none(pfn))
        return slot_of(vm, pte_slot(pte))->references;
    return frame_of(vm, pfn)->object ? 0 : frame_owners(vm, pfn);
}

static page_id_t entry_page(struct vm *vm, pte_t pte) {
    return pte_is_swapped(pte) ? slot_of(vm, pte_slot(pte))->id : frame_of(vm, pte_pfn(pte))->id;
}

/* A page that only this entry has may be dropped while it is not written again. Nobody knows whether it is
 * in memory or swapped out, so it may be dropped at once in that case. */
static void free_page(struct space *space, vpn_t vpn, pte_t pte) {
    struct vm *vm = space->vm;
    if (entry_owners(vm, pte) != 1)
        return;
    reference_page_given_up(vm, entry_page(vm, pte));
    if (pte_is_swapped(pte)) {
        space_replace_pte(space, vpn, pte, (pte_t){0});
        space_settle(space, pte, POLICY_UNMAPPED);
        return;
    }
    struct frame *frame = frame_of(vm, pte_pfn(pte));
    space_set_pte(space, vpn, pte_set(pte_clear(pte, PTE_DIRTY), PTE_LAZY));
    frame->flags &= (uint8_t)~FRAME_DIRTY;
    if (!slot_is_none(frame->slot))
        slot_detach(vm, pte_pfn(pte));  /* what was written there may be older */
    frame_reconsider(vm, pte_pfn(pte)); /* it can go without swap now */
}

static int advise_free(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    if (m->object || m->flags & MAPPING_LOCKED)
        return -EINVAL;
    pte_t pte;
    for (vpn_t vpn = start; space_next_pte(space, &vpn, end, &pte); vpn.n++)
        free_page(space, vpn, pte);
    return 0;
}

/* Brings in what fits in the free pool: advice never evicts anything. So what it does depends on how much
 * memory there is. */
static int advise_will_need(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    const uint32_t *free_frames = &space->vm->frames.pages.count;
    pte_t pte;
    pfn_t pfn;
    if (space->vm->config.deterministic)
        return 0;
    for (vpn_t vpn = start; *free_frames > 0 && space_next_pte(space, &vpn, end, &pte); vpn.n++)
        if (pte_is_swapped(pte) && space_bring_in(space, vpn) < 0)
            return 0;
    if (!m->object)
        return 0;
    const uint64_t end_page = min_u64(mapping_object_page(m, end), object_end_page(m->object));
    for (uint64_t page = mapping_object_page(m, start); *free_frames > 0 && page < end_page; page++)
        if (object_get_page(m->object, page, ACCESS_READ, &pfn) < 0)
            return 0;
    return 0;
}

/* Punches a hole: the object's pages are gone, private copies of them stay. */
static int advise_remove(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    if (m->flags & MAPPING_LOCKED || !m->object)
        return -EINVAL;
    if (!(m->flags & MAPPING_SHARED) || !(m->flags & MAPPING_MAY_WRITE))
        return -EACCES;
    return object_remove_pages(m->object, mapping_object_page(m, start), mapping_object_page(m, end));
}

/* Private pages that nobody else has, and the object's, wherever they are. */
static int advise_cold(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    struct vm *vm = space->vm;
    pte_t pte;
    if (m->flags & MAPPING_LOCKED)
        return -EINVAL;
    for (vpn_t vpn = start; space_next_pte(space, &vpn, end, &pte); vpn.n++) {
        if (entry_owners(vm, pte) != 1)
            continue;
        reference_page_cooled(vm, entry_page(vm, pte));
        if (pte_is_present(pte))
            (void)frame_test_and_clear_referenced(vm, pte_pfn(pte));
    }
    if (m->object)
        object_cool_range(m->object, mapping_object_page(m, start), mapping_object_page(m, end));
    return 0;
}

/* Evicts pages that nobody else maps. One that cannot be written out stays. */
static int advise_page_out(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    struct vm *vm = space->vm;
    pte_t pte;
    if (m->flags & MAPPING_LOCKED)
        return -EINVAL;
    if (vm->config.deterministic)
        return advise_cold(space, m, start, end);
    for (vpn_t vpn = start; space_next_pte(space, &vpn, end, &pte); vpn.n++) {
        if (!pte_is_present(pte) || frame_of(vm, pte_pfn(pte))->mappers > 1)
            continue;
        if (reclaim_evict(vm, pte_pfn(pte)) == 0)
            frame_free(vm, pte_pfn(pte));
    }
    return 0;
}

/* ---- advice about mappings: a flag that is set or cleared ---- */

struct flag_advice {
    int advice;
    unsigned set, clear;
    unsigned invalid; /* EINVAL for mappings with such a flag */
    unsigned ignored; /* without effect on those with such a flag */
    bool anonymous;   /* EINVAL where there is an object */
};

static const struct flag_advice flag_advices[] = {
    {MADV_NORMAL, 0, MAPPING_RANDOM | MAPPING_SEQUENTIAL, 0, 0, false},
    {MADV_RANDOM, MAPPING_RANDOM, MAPPING_SEQUENTIAL, 0, 0, false},
    {MADV_SEQUENTIAL, MAPPING_SEQUENTIAL, MAPPING_RANDOM, 0, 0, false},
    {MADV_DONTFORK, MAPPING_DONT_FORK, 0, 0, 0, false},
    {MADV_DOFORK, 0, MAPPING_DONT_FORK, 0, 0, false},
    {MADV_WIPEONFORK, MAPPING_WIPE_ON_FORK, 0, 0, 0, true},
    {MADV_KEEPONFORK, 0, MAPPING_WIPE_ON_FORK, MAPPING_DROPPABLE, 0, false},
    {MADV_DONTDUMP, MAPPING_DONT_DUMP, 0, 0, 0, false},
    {MADV_DODUMP, 0, MAPPING_DONT_DUMP, MAPPING_DROPPABLE, 0, false},
    {MADV_MERGEABLE, MAPPING_MERGEABLE, 0, 0, MAPPING_SHARED | MAPPING_DROPPABLE, false},
    {MADV_UNMERGEABLE, 0, MAPPING_MERGEABLE, 0, 0, false},
    {MADV_HUGEPAGE, MAPPING_HUGE_PAGES, MAPPING_NO_HUGE_PAGES, 0, 0, false},
    {MADV_NOHUGEPAGE, MAPPING_NO_HUGE_PAGES, MAPPING_HUGE_PAGES, 0, 0, false},
};

static const struct flag_advice *flag_advice_find(int advice) {
    for (size_t i = 0; i < ARRAY_LENGTH(flag_advices); i++)
        if (flag_advices[i].advice == advice)
            return &flag_advices[i];
    return NULL;
}

static int advise_flags(const struct flag_advice *advice, struct mapping *m, vpn_t start, vpn_t end) {
    if (m->flags & advice->invalid || (advice->anonymous && m->object))
        return -EINVAL;
    const unsigned flags = (m->flags & ~advice->clear) | advice->set;
    if (flags == m->flags || m->flags & advice->ignored)
        return 0;
    return mapping_modify(&m, start, end, flags) ? -EAGAIN : 0;
}

/* ---- madvise ---- */

typedef int advise_function(struct space *, struct mapping *, vpn_t start, vpn_t end);

static advise_function *page_advice(int advice) {
    switch (advice) {
    case MADV_DONTNEED: return advise_dont_need;
    case MADV_DONTNEED_LOCKED: return advise_dont_need_locked;
    case MADV_FREE: return advise_free;
    case MADV_WILLNEED: return advise_will_need;
    case MADV_REMOVE: return advise_remove;
    case MADV_COLD: return advise_cold;
    case MADV_PAGEOUT: return advise_page_out;
    default: return NULL;
    }
}

static int advise_part(struct space *space, struct mapping *m, vpn_t start, vpn_t end, void *context) {
    const int advice = *(const int *)context;
    advise_function *advise = page_advice(advice);
    return advise ? advise(space, m, start, end) : advise_flags(flag_advice_find(advice), m, start, end);
}

/* MADV_POPULATE_READ and _WRITE: what the mapping does not allow is told before the first fault in it. */
static int advise_populate(struct space *space, vpn_t start, vpn_t end, unsigned access) {
    while (start.n < end.n) {
        const struct mapping *m = mapping_find(space, start);
        if (!m)
            return -ENOMEM;
        if (!(m->flags & access))
            return -EINVAL;
        const vpn_t part_end = {min_u64(m->end.n, end.n)};
        switch (space_populate(space, start, part_end, access)) {
        case FAULT_OK: break;
        case FAULT_NO_MAPPING:
        case FAULT_NO_MEMORY:
        case FAULT_KILLED: return -ENOMEM;
        case FAULT_PERMISSION: return -EINVAL;
        case FAULT_PAST_END:
        case FAULT_IO: return -EFAULT;
        }
        start = part_end;
    }
    return 0;
}

int space_advise(struct space *space, uint64_t address, uint64_t length, int advice) {
    const bool populate = advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
    const uint64_t bytes = page_round_up(length);
    if (!page_advice(advice) && !flag_advice_find(advice) && !populate)
        return -EINVAL;
    if (address & PAGE_MASK || bytes < length || address + bytes < address)
        return -EINVAL;
    const vpn_t start = vpn_of(address), end = vpn_of(address + bytes);
    if (populate)
        return advise_populate(space, start, end, advice == MADV_POPULATE_READ ? ACCESS_READ : ACCESS_WRITE);
    return mapping_each(space, start, end, advise_part, &advice);
}
