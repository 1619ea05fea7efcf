/* What is in memory and what reached its file: mincore, msync, and writing everything back. */
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

ssize_t space_mincore(struct space *space, uint64_t address, uint64_t pages, unsigned char *ret_vector) {
    const vpn_t start = vpn_of(address);
    const struct mapping *m = mapping_find(space, start);
    if (!m)
        return -ENOMEM;
    pages = min_u64(pages, m->end.n - start.n);
    for (uint64_t i = 0; i < pages; i++)
        ret_vector[i] = !vm_tells_truth(space->vm) || page_is_resident(space, m, (vpn_t){start.n + i});
    return (ssize_t)pages;
}

/* ---- msync ---- */

struct syncing {
    int flags;
    vpn_t next; /* the first page that was not looked at */
};

/* With MS_ASYNC alone, the first hole is the end. */
static int sync_part(struct space *space, struct mapping *m, vpn_t start, vpn_t end, void *context) {
    struct syncing *syncing = context;
    if (start.n > syncing->next.n && syncing->flags == MS_ASYNC)
        return -ENOMEM;
    if (syncing->flags & MS_INVALIDATE && m->flags & MAPPING_LOCKED)
        return -EBUSY;
    syncing->next = end;
    if (!mapping_tracks_writes(m))
        return 0;
    return object_write_back_range(m->object, mapping_object_page(m, start), mapping_object_page(m, end));
}

int space_sync(struct space *space, uint64_t address, uint64_t length, int flags) {
    const bool both = (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC);
    const uint64_t end = address + page_round_up(length);
    if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || address & PAGE_MASK || both)
        return -EINVAL;
    struct syncing syncing = {flags, vpn_of(address)};
    return end < address ? -ENOMEM : mapping_each(space, syncing.next, vpn_of(end), sync_part, &syncing);
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
