/* Changing permissions: mprotect. Entries follow their mapping; a page without any permission keeps what it
 * holds. */
#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "vm/object.h"
#include "vm/space.h"
#include "vm/state.h"

static void protect_entries(struct space *space, const struct mapping *m) {
    pte_t pte;
    for (vpn_t vpn = m->start; space_next_pte(space, &vpn, m->end, &pte); vpn.n++)
        space_replace_pte(space, vpn, pte, mapping_pte(m, pte));
}

/* Whether the part of the mapping may have the permissions. */
static int protect_allowed(struct space *space, const struct mapping *m, uint64_t pages, unsigned access) {
    if (!(access & ACCESS_WRITE) || m->flags & ACCESS_WRITE)
        return 0;
    if (m->flags & MAPPING_SHARED)
        return m->flags & MAPPING_MAY_WRITE ? 0 : -EACCES;
    const bool over = !(m->flags & (MAPPING_GROWS_DOWN | MAPPING_STACK)) &&
                      space->mappings.data + pages > space->limit_data >> PAGE_SHIFT;
    return over ? -ENOMEM : 0;
}

/* Gives [start, end), a part of one mapping, new permissions. */
static int protect_part(struct space *space, struct mapping *m, vpn_t start, vpn_t end, unsigned access) {
    int error = protect_allowed(space, m, end.n - start.n, access);
    if (!error)
        error = mapping_isolate(space, start, end);
    if (error)
        return error;
    m = mapping_find(space, start);
    mapping_set_flags(m, (m->flags & ~(unsigned)MAPPING_ACCESS) | access);
    protect_entries(space, m);
    trace_emit(space->vm->config.trace, EVENT_PROTECT, access, space->number, start.n, end.n - start.n, 0, 0);
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

int space_protect(struct space *space, uint64_t address, uint64_t length, int protection) {
    const int grows = protection & (PROT_GROWSDOWN | PROT_GROWSUP);
    vpn_t start, end;
    if (address & PAGE_MASK || grows == (PROT_GROWSDOWN | PROT_GROWSUP) ||
        protection & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN | PROT_GROWSUP))
        return -EINVAL;
    if (length == 0)
        return 0;
    if (space_range(address, length, &start, &end) < 0)
        return -ENOMEM;
    if (grows) { /* from the lower end of a stack; nothing grows up on this machine */
        const struct mapping *m = mapping_find(space, start);
        if (!m)
            return -ENOMEM;
        if (grows == PROT_GROWSUP || !(m->flags & MAPPING_GROWS_DOWN))
            return -EINVAL;
        start = m->start;
    }
    const int error = protect_range(space, start, end, (unsigned)protection & MAPPING_ACCESS);
    mapping_merge(space, start, end);
    return error;
}
