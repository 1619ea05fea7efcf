/* What is in memory and what reached its file: mincore, mlock, msync, and writing everything back. Locking is
 * counted and shown, but pins nothing: a policy's choice is never overruled. */
#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "vm/object.h"
#include "vm/space.h"
#include "vm/state.h"

/* ---- mincore ---- */

static bool page_is_resident(struct space *space, const struct mapping *m, vpn_t vpn) {
    const pte_t pte = space_pte(space, vpn);
    if (!pte_is_empty(pte) || !m->object)
        return pte_is_present(pte);
    return index_kind(index_get(&m->object->index, mapping_object_page(m, vpn))) == INDEX_FRAME;
}

int space_mincore(struct space *space, uint64_t address, uint64_t length, unsigned char *ret_vector) {
    vpn_t start, end;
    if (address & PAGE_MASK)
        return -EINVAL;
    if (space_range(address, length, &start, &end) < 0)
        return -ENOMEM;
    for (vpn_t vpn = start; vpn.n < end.n; vpn.n++) {
        const struct mapping *m = mapping_find(space, vpn);
        if (!m)
            return -ENOMEM;
        ret_vector[vpn.n - start.n] = page_is_resident(space, m, vpn);
    }
    return 0;
}

/* ---- mlock ---- */

int space_lock(struct space *space, uint64_t address, uint64_t length, bool lock) {
    vpn_t start, end;
    bool hole;
    const uint64_t first = page_round_down(address);
    if (length > USER_END || space_range(first, length + (address - first), &start, &end) < 0)
        return -ENOMEM;
    if (start.n == end.n)
        return 0;
    const int error =
        mapping_change(space, start, end, lock ? MAPPING_LOCKED : 0, lock ? 0 : MAPPING_LOCKED, &hole);
    if (error || hole)
        return -ENOMEM;
    if (lock)
        for (vpn_t vpn = start; vpn.n < end.n; vpn.n++)
            space_populate_new(space, vpn, (vpn_t){vpn.n + 1});
    return 0;
}

/* ---- msync ---- */

int space_sync(struct space *space, uint64_t address, uint64_t length, int flags) {
    vpn_t start, end;
    const bool both = (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC);
    if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || address & PAGE_MASK || both)
        return -EINVAL;
    if (space_range(address, length, &start, &end) < 0)
        return -ENOMEM;
    vpn_t expected = start;
    bool hole = false;
    struct mapping *m = mapping_first(space, start);
    for (; m && m->start.n < end.n; m = mapping_next(m)) {
        const vpn_t from = {max_u64(m->start.n, start.n)}, to = {min_u64(m->end.n, end.n)};
        hole |= from.n != expected.n;
        expected = to;
        if (flags & MS_INVALIDATE && m->flags & MAPPING_LOCKED)
            return -EBUSY;
        if (!mapping_tracks_writes(m))
            continue;
        const int error =
            object_write_back_range(m->object, mapping_object_page(m, from), mapping_object_page(m, to));
        if (error)
            return error;
    }
    return hole || expected.n != end.n ? -ENOMEM : 0;
}

int vm_sync(struct vm *vm) {
    int first_error = 0;
    struct object *object;
    TAILQ_FOREACH(object, &vm->objects, of_vm) {
        const int error = object_write_back_range(object, 0, UINT64_MAX);
        if (error && !first_error)
            first_error = error;
    }
    return first_error;
}
