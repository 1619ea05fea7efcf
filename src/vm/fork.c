/* Copying an address space: fork. Nothing is copied but entries; private pages become copy-on-write in both
 * spaces, so that the one who writes first gets a copy (copy.c).
 *
 *   the mapping is      the parent's entry     the child's entry
 *   -----------------   --------------------   ------------------------------------------
 *   private             + COW, − w             the same frame or slot, COW
 *   shared              –                      the same frame, not dirty (and so not w, for a file)
 *   MADV_WIPEONFORK     –                      empty
 *   MADV_DONTFORK       –                      not mapped
 *
 * The costs are in proportion to the pages that were touched. When it fails, the pages that have become
 * copy-on-write stay so: the parent takes them over at its next write. */
#include <errno.h>

#include "vm/merge.h"
#include "vm/object.h"
#include "vm/space.h"
#include "vm/state.h"

/* The entry to share: copy-on-write, and not up to be dropped, as the other one counts on it. */
static pte_t fork_share_private(struct space *parent, vpn_t vpn, pte_t pte) {
    if (pte_has(pte, PTE_LAZY))
        frame_of(parent->vm, pte_pfn(pte))->flags |= FRAME_DIRTY;
    pte = pte_set(pte_clear(pte, PTE_W | PTE_LAZY), PTE_COW);
    space_set_pte(parent, vpn, pte);
    return pte;
}

static int fork_entry(struct space *parent, struct space *child, const struct mapping *m, vpn_t vpn) {
    int error = space_prepare(child, vpn);
    if (error)
        return error;
    pte_t pte = space_pte(parent, vpn); /* only now: the table may have taken the page's frame */
    if (pte_is_empty(pte))
        return 0;
    error = pte_is_present(pte) ? frame_reserve_mapper(parent->vm, pte_pfn(pte)) : 0;
    if (error)
        return error;
    if (!(m->flags & MAPPING_SHARED))
        pte = fork_share_private(parent, vpn, pte);
    space_set_pte(child, vpn, mapping_pte(m, pte_clear(pte, PTE_REFERENCED | PTE_DIRTY)));
    return 0;
}

static int fork_mapping(struct space *parent, struct space *child, const struct mapping *m) {
    struct mapping *copy, template = *m;
    template.flags &= ~(unsigned)MAPPING_LOCKS; /* locks are not inherited */
    template.family = 0;
    template.inherited = false;
    if (m->flags & MAPPING_ACCOUNTED && vm_may_promise(child->vm, mapping_pages(m)))
        return -ENOMEM;
    int error = mapping_insert(child, &template, &copy);
    if (error)
        return error;
    space_emit_map_range(child, copy, copy->start, copy->end);
    if (m->flags & MAPPING_WIPE_ON_FORK)
        return 0;
    mapping_inherit(copy, m);
    pte_t pte;
    for (vpn_t vpn = m->start; !error && space_next_pte(parent, &vpn, m->end, &pte); vpn.n++)
        error = fork_entry(parent, child, m, vpn);
    return error;
}

int space_fork(struct space *parent, uint32_t pid, struct space **ret_space) {
    struct space *child;
    int error = space_create_from(parent->vm, pid, parent, &child);
    if (error)
        return error;
    child->brk_start = parent->brk_start;
    child->brk_end = parent->brk_end;
    child->data = parent->data;
    child->limits = parent->limits;
    struct mapping *m = mapping_first(parent, (vpn_t){0});
    for (; !error && m; m = mapping_next(m))
        if (!(m->flags & MAPPING_DONT_FORK))
            error = fork_mapping(parent, child, m);
    if (error) {
        space_unref(child);
        return -ENOMEM; /* a disk that failed is no reason that fork() knows */
    }
    *ret_space = child;
    return 0;
}
