/* Locking: mlock, munlock, mlockall. Locking is counted, limited and shown as on Linux, and brings pages in;
 * but it pins nothing: a policy's choice is never overruled, and a machine of nine frames must go on. */
#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "vm/merge.h"
#include "vm/space.h"
#include "vm/state.h"

static unsigned lock_flags(bool on_fault) {
    return MAPPING_LOCKED | (on_fault ? MAPPING_LOCK_ON_FAULT : 0);
}

/* Gives a part of a mapping these locks instead of those it has. */
static int lock_part(struct mapping **m, vpn_t start, vpn_t end, unsigned locks) {
    const unsigned flags = ((*m)->flags & ~(unsigned)MAPPING_LOCKS) | locks;
    if (flags == (*m)->flags || (*m)->flags & MAPPING_DROPPABLE)
        return 0;
    return mapping_modify(m, start, end, flags);
}

/* Mapping by mapping, up to the first hole. */
static int lock_range(struct space *space, vpn_t start, vpn_t end, unsigned locks) {
    for (vpn_t at = start; at.n < end.n;) {
        struct mapping *m = mapping_find(space, at);
        if (!m)
            return -ENOMEM;
        const vpn_t part_end = {min_u64(m->end.n, end.n)};
        const int error = lock_part(&m, at, part_end, locks);
        if (error)
            return error;
        at = part_end;
    }
    return 0;
}

/* The pages of a range that need not be aligned: 0, -EINVAL when it wraps around. A length that wraps when it
 * is rounded up is none at all, as on Linux. */
static int lock_pages(uint64_t address, uint64_t length, vpn_t *ret_start, vpn_t *ret_end) {
    const uint64_t start = page_round_down(address), bytes = page_round_up(length + (address - start));
    if (start + bytes < start)
        return -EINVAL;
    *ret_start = vpn_of(start);
    *ret_end = vpn_of(start + bytes);
    return 0;
}

/* Pages of the range that are locked already: they do not count twice. */
static uint64_t locked_within(struct space *space, vpn_t start, vpn_t end) {
    uint64_t pages = 0;
    for (struct mapping *m = mapping_first(space, start); m && m->start.n < end.n; m = mapping_next(m))
        if (m->flags & MAPPING_LOCKED)
            pages += min_u64(m->end.n, end.n) - max_u64(m->start.n, start.n);
    return pages;
}

static bool lock_is_allowed(struct space *space, uint64_t address, uint64_t length) {
    const uint64_t start = page_round_down(address), bytes = page_round_up(length + (address - start));
    const uint64_t limit = space->limits.locked >> PAGE_SHIFT, pages = bytes >> PAGE_SHIFT;
    const uint64_t wanted = pages + space->mappings.locked;
    if (wanted <= limit)
        return true;
    return wanted - locked_within(space, vpn_of(start), (vpn_t){vpn_of(start).n + pages}) <= limit;
}

int space_lock(struct space *space, uint64_t address, uint64_t length, bool on_fault) {
    vpn_t start, end;
    if (!space_may_lock_any(space))
        return -EPERM;
    if (!lock_is_allowed(space, address, length))
        return -ENOMEM;
    int error = lock_pages(address, length, &start, &end);
    if (!error)
        error = lock_range(space, start, end, lock_flags(on_fault));
    if (error)
        return error;
    switch (space_populate_all(space, start, end)) {
    case FAULT_OK: return 0;
    case FAULT_NO_MEMORY: return -EAGAIN;
    case FAULT_NO_MAPPING:
    case FAULT_PERMISSION:
    case FAULT_PAST_END:
    case FAULT_IO:
    case FAULT_KILLED: break;
    }
    return -ENOMEM;
}

int space_unlock(struct space *space, uint64_t address, uint64_t length) {
    vpn_t start, end;
    const int error = lock_pages(address, length, &start, &end);
    return error ? error : lock_range(space, start, end, 0);
}

/* A mapping that cannot be changed keeps its locks: nobody is told. */
static void lock_each(struct space *space, unsigned locks) {
    struct mapping *m = mapping_first(space, (vpn_t){0});
    for (; m; m = mapping_next(m))
        (void)lock_part(&m, m->start, m->end, locks);
}

int space_lock_all(struct space *space, int flags) {
    const unsigned locks = lock_flags(flags & MCL_ONFAULT);
    if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
        return -EINVAL;
    if (!space_may_lock_any(space))
        return -EPERM;
    if (flags & MCL_CURRENT && space->mappings.pages > space->limits.locked >> PAGE_SHIFT)
        return -ENOMEM;
    space->future = flags & MCL_FUTURE ? locks : 0;
    if (flags & MCL_CURRENT) {
        lock_each(space, locks);
        for (struct mapping *m = mapping_first(space, (vpn_t){0}); m; m = mapping_next(m))
            (void)space_populate_all(space, m->start, m->end);
    }
    return 0;
}

void space_unlock_all(struct space *space) {
    space->future = 0;
    lock_each(space, 0);
}
