/* Advice: madvise, and the populating of mappings. Each advice is a function over the part of one mapping
 * that the range covers. */
#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "hw/mmu.h"
#include "vm/object.h"
#include "vm/reclaim.h"
#include "vm/space.h"
#include "vm/state.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

/* ---- populating ---- */

enum fault_result space_populate(struct space *space, vpn_t start, vpn_t end, unsigned access) {
    for (vpn_t vpn = start; vpn.n < end.n; vpn.n++) {
        pte_t pte;
        if (mmu_walk(space->table, vpn, access, &pte) == MMU_OK)
            continue;
        const enum fault_result result = space_fault(space, vpn_address(vpn), access);
        if (result != FAULT_OK)
            return result;
    }
    return FAULT_OK;
}

void space_populate_new(struct space *space, vpn_t start, vpn_t end) {
    const struct mapping *m = mapping_find(space, start);
    if (!m || !mapping_access(m))
        return;
    const bool write = m->flags & ACCESS_WRITE && !mapping_tracks_writes(m);
    (void)space_populate(space, start, end, write ? ACCESS_WRITE : ACCESS_READ);
}

/* ---- advice about pages ---- */

static int advise_dont_need(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    if (m->flags & MAPPING_LOCKED)
        return -EINVAL;
    space_zap(space, m, start, end, POLICY_UNMAPPED);
    return 0;
}

/* A page that only this entry has may be dropped while it is not written again. Nobody knows whether it is
 * in memory or swapped out, so it may be dropped at once in that case. */
static void free_page(struct space *space, vpn_t vpn, pte_t pte) {
    struct vm *vm = space->vm;
    if (pte_is_swapped(pte)) {
        space_set_pte(space, vpn, (pte_t){0});
        return;
    }
    struct frame *frame = frame_of(vm, pte_pfn(pte));
    if (frame->object || frame_owners(vm, pte_pfn(pte)) > 1)
        return;
    space_set_pte(space, vpn, pte_set(pte_clear(pte, PTE_DIRTY), PTE_LAZY));
    frame->flags &= (uint8_t)~FRAME_DIRTY;
    if (!slot_is_none(frame->slot))
        slot_detach(vm, pte_pfn(pte));  /* what was written there may be older */
    frame_reconsider(vm, pte_pfn(pte)); /* it can go without swap now */
}

static int advise_free(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    if (m->object)
        return -EINVAL;
    pte_t pte;
    for (vpn_t vpn = start; space_next_pte(space, &vpn, end, &pte); vpn.n++)
        free_page(space, vpn, pte);
    return 0;
}

/* Brings in what fits in the free pool: advice never evicts anything. */
static int advise_will_need(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    const uint32_t *free_frames = &space->vm->frames.pages.count;
    pte_t pte;
    pfn_t pfn;
    for (vpn_t vpn = start; *free_frames > 0 && space_next_pte(space, &vpn, end, &pte); vpn.n++)
        if (pte_is_swapped(pte) && space_bring_in(space, vpn) < 0)
            return 0;
    if (!m->object)
        return 0;
    const uint64_t end_page = min_u64(mapping_object_page(m, end), object_end_page(m->object));
    for (uint64_t page = mapping_object_page(m, start); *free_frames > 0 && page < end_page; page++)
        if (object_get_page(m->object, page, &pfn) < 0)
            return 0;
    return 0;
}

/* Punches a hole. Only memory that is ours can have one: a file's blocks are not virtual memory's business.
 */
static int advise_remove(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    if (m->flags & MAPPING_LOCKED || !m->object)
        return -EINVAL;
    if (!(m->flags & MAPPING_SHARED) || !(m->flags & MAPPING_MAY_WRITE))
        return -EACCES;
    if (!m->object->anonymous)
        return -EOPNOTSUPP;
    object_drop_range(m->object, mapping_object_page(m, start), mapping_object_page(m, end));
    object_new_generation(m->object);
    return 0;
}

static int advise_cold(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    pte_t pte;
    for (vpn_t vpn = start; space_next_pte(space, &vpn, end, &pte); vpn.n++)
        if (pte_is_present(pte))
            space_set_pte(space, vpn, pte_clear(pte, PTE_REFERENCED));
    return 0;
}

/* Evicts pages that nobody else maps. One that cannot be written out stays. */
static int advise_page_out(struct space *space, struct mapping *m, vpn_t start, vpn_t end) {
    struct vm *vm = space->vm;
    pte_t pte;
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
    bool private_anonymous; /* EINVAL elsewhere */
};

static const struct flag_advice flag_advices[] = {
    {MADV_NORMAL, 0, MAPPING_RANDOM | MAPPING_SEQUENTIAL, false},
    {MADV_RANDOM, MAPPING_RANDOM, MAPPING_SEQUENTIAL, false},
    {MADV_SEQUENTIAL, MAPPING_SEQUENTIAL, MAPPING_RANDOM, false},
    {MADV_DONTFORK, MAPPING_DONT_FORK, 0, false},
    {MADV_DOFORK, 0, MAPPING_DONT_FORK, false},
    {MADV_WIPEONFORK, MAPPING_WIPE_ON_FORK, 0, true},
    {MADV_KEEPONFORK, 0, MAPPING_WIPE_ON_FORK, false},
    /* accepted; they have nothing to act on here */
    {MADV_MERGEABLE, 0, 0, false},
    {MADV_UNMERGEABLE, 0, 0, false},
    {MADV_HUGEPAGE, 0, 0, false},
    {MADV_NOHUGEPAGE, 0, 0, false},
    {MADV_DONTDUMP, 0, 0, false},
    {MADV_DODUMP, 0, 0, false},
};

static const struct flag_advice *flag_advice_find(int advice) {
    for (size_t i = 0; i < ARRAY_LENGTH(flag_advices); i++)
        if (flag_advices[i].advice == advice)
            return &flag_advices[i];
    return NULL;
}

static int advise_flags(struct space *space, const struct flag_advice *advice, vpn_t start, vpn_t end) {
    bool hole;
    const struct mapping *m = mapping_first(space, start);
    for (; advice->private_anonymous && m && m->start.n < end.n; m = mapping_next((struct mapping *)m))
        if (m->object)
            return -EINVAL;
    const int error = mapping_change(space, start, end, advice->set, advice->clear, &hole);
    return error ? error : hole ? -ENOMEM : 0;
}

/* ---- madvise ---- */

typedef int advise_function(struct space *, struct mapping *, vpn_t start, vpn_t end);

static advise_function *page_advice(int advice) {
    switch (advice) {
    case MADV_DONTNEED: return advise_dont_need;
    case MADV_FREE: return advise_free;
    case MADV_WILLNEED: return advise_will_need;
    case MADV_REMOVE: return advise_remove;
    case MADV_COLD: return advise_cold;
    case MADV_PAGEOUT: return advise_page_out;
    default: return NULL;
    }
}

/* Holes are passed over, and told about at the end. */
static int advise_pages(struct space *space, advise_function *advise, vpn_t start, vpn_t end) {
    vpn_t expected = start;
    bool hole = false;
    struct mapping *m = mapping_first(space, start);
    for (; m && m->start.n < end.n; m = mapping_next(m)) {
        const vpn_t from = {max_u64(m->start.n, start.n)}, to = {min_u64(m->end.n, end.n)};
        hole |= from.n != expected.n;
        expected = to;
        const int error = advise(space, m, from, to);
        if (error)
            return error;
    }
    return hole || expected.n != end.n ? -ENOMEM : 0;
}

static int populate_error(enum fault_result result) {
    switch (result) {
    case FAULT_OK: return 0;
    case FAULT_NO_MAPPING:
    case FAULT_NO_MEMORY:
    case FAULT_KILLED: return -ENOMEM;
    case FAULT_PERMISSION: return -EINVAL;
    case FAULT_PAST_END:
    case FAULT_IO: return -EFAULT;
    }
    return -EINVAL;
}

int space_advise(struct space *space, uint64_t address, uint64_t length, int advice) {
    advise_function *advise = page_advice(advice);
    const struct flag_advice *flags = flag_advice_find(advice);
    const bool populate = advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
    vpn_t start, end;
    if (!advise && !flags && !populate)
        return -EINVAL;
    if (address & PAGE_MASK || page_round_up(length) < length)
        return -EINVAL;
    if (length == 0)
        return 0;
    if (space_range(address, length, &start, &end) < 0)
        return address + length < address ? -EINVAL : -ENOMEM;
    if (populate)
        return populate_error(
            space_populate(space, start, end, advice == MADV_POPULATE_READ ? ACCESS_READ : ACCESS_WRITE));
    return flags ? advise_flags(space, flags, start, end) : advise_pages(space, advise, start, end);
}
