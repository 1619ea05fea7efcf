/* Changing permissions: mprotect. Entries follow their mapping; a page without any permission keeps what it
 * holds. */
#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "vm/merge.h"
#include "vm/space.h"
#include "vm/state.h"

#ifndef PROT_SEM
#define PROT_SEM 8
#endif

static void protect_entries(struct space *space, const struct mapping *m, vpn_t start, vpn_t end) {
    pte_t pte;
    for (vpn_t vpn = start; space_next_pte(space, &vpn, end, &pte); vpn.n++)
        space_replace_pte(space, vpn, pte, mapping_pte(m, pte));
}

/* Private memory that becomes writable is promised; it stays so when it is no longer writable, once pages of
 * it were written. 0 or -ENOMEM. */
static int protect_promise(struct space *space, const struct mapping *m, uint64_t pages, unsigned *flags) {
    if (*flags & ACCESS_WRITE) {
        if (space_may_map(space, pages, *flags) && !space_may_map(space, pages, m->flags))
            return -ENOMEM;
        if (m->flags & (MAPPING_ACCOUNTED | ACCESS_WRITE | MAPPING_SHARED | MAPPING_NORESERVE))
            return 0;
        *flags |= MAPPING_ACCOUNTED;
        return vm_may_promise(space->vm, pages);
    }
    if (*flags & MAPPING_ACCOUNTED && !m->object && !m->family)
        *flags &= ~(unsigned)MAPPING_ACCOUNTED;
    return 0;
}

static int protect_allowed(const struct mapping *m, unsigned access) {
    const bool write = m->flags & MAPPING_SHARED && !(m->flags & MAPPING_MAY_WRITE);
    return (access & ACCESS_WRITE && write) || (access & ACCESS_EXEC && m->flags & MAPPING_NO_EXEC) ? -EACCES
                                                                                                    : 0;
}

/* Gives [start, end), a part of one mapping, new permissions. */
static int protect_part(struct space *space, struct mapping *m, vpn_t start, vpn_t end, unsigned access) {
    unsigned flags = (m->flags & ~(unsigned)MAPPING_ACCESS) | access;
    int error = protect_allowed(m, access);
    if (error || flags == m->flags)
        return error;
    error = protect_promise(space, m, end.n - start.n, &flags);
    if (!error)
        error = mapping_modify(&m, start, end, flags);
    if (error)
        return error;
    protect_entries(space, m, start, end);
    trace_emit(space->vm->config.trace, EVENT_PROTECT, access, space->number, start.n, end.n - start.n, 0, 0);
    space_tell_range(space, m, start, end);
    return 0;
}

/* Mapping by mapping in address order; what comes before a hole or an error is done. */
static int protect_range(struct space *space, vpn_t start, vpn_t end, unsigned access) {
    vpn_t at = start;
    while (at.n < end.n) {
        struct mapping *m = mapping_find(space, at);
        if (!m)
            return -ENOMEM;
        const vpn_t part_end = {min_u64(m->end.n, end.n)};
        const int error = protect_part(space, m, at, part_end, access);
        if (error)
            return error;
        at = part_end;
    }
    return 0;
}

/* Where PROT_GROWSDOWN begins: at the lower end of a stack, or of the first one above the address. Nothing
 * grows up on this machine. */
static int protect_grows(struct space *space, int grows, vpn_t *start, vpn_t end) {
    const struct mapping *m = mapping_first(space, *start);
    if (!grows)
        return 0;
    if (!m || (grows == PROT_GROWSDOWN ? m->start.n >= end.n : m->start.n > start->n))
        return -ENOMEM;
    if (grows == PROT_GROWSUP || !(m->flags & MAPPING_GROWS_DOWN))
        return -EINVAL;
    *start = m->start;
    return 0;
}

int space_protect(struct space *space, uint64_t address, uint64_t length, int protection) {
    const int grows = protection & (PROT_GROWSDOWN | PROT_GROWSUP);
    const uint64_t bytes = page_round_up(length);
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || address & PAGE_MASK)
        return -EINVAL;
    if (length == 0)
        return 0;
    if (address + bytes <= address)
        return -ENOMEM;
    if ((protection & ~grows) & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return -EINVAL;
    vpn_t start = vpn_of(address);
    const vpn_t end = vpn_of(address + bytes);
    const int error = protect_grows(space, grows, &start, end);
    return error ? error : protect_range(space, start, end, (unsigned)protection & MAPPING_ACCESS);
}
