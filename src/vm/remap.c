/* Resizing and moving mappings: mremap. Pages move with their entries; nothing is copied, and a page keeps
 * its identity.
 *
 *   shrink    AAAA  →  AA        the rest is unmapped
 *   grow      AA..  →  AAAA      in place if the pages behind it are free
 *   move      AA B  →  .. B AAA  MREMAP_MAYMOVE, MREMAP_FIXED
 *   leave     AA    →  aa AA     MREMAP_DONTUNMAP: the old range stays mapped, untouched again
 *   again     AA    →  AA AA     old length 0: a second mapping of the same shared pages */
#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "vm/object.h"
#include "vm/space.h"
#include "vm/state.h"

struct move {
    vpn_t start, new_start;
    uint64_t pages, new_pages; /* before and after */
    int flags;                 /* MREMAP_* */
};

/* ---- moving entries ---- */

/* Gives every page of the old range that has an entry a place for it in the new one. What one allocation
 * evicts may free the tables that another made; so until a round changes nothing. */
static int move_prepare(struct space *space, const struct move *move) {
    const struct tally *tally = &space->vm->tally;
    uint64_t evictions, evictions_before;
    do {
        evictions_before = tally->evictions[0] + tally->evictions[1] + tally->evictions[2];
        pte_t pte;
        const vpn_t end = {move->start.n + min_u64(move->pages, move->new_pages)};
        for (vpn_t vpn = move->start; space_next_pte(space, &vpn, end, &pte); vpn.n++) {
            if (space_prepare(space, (vpn_t){vpn.n - move->start.n + move->new_start.n}) < 0)
                return -ENOMEM; /* whatever the reason: mremap() knows no other */
        }
        evictions = tally->evictions[0] + tally->evictions[1] + tally->evictions[2];
    } while (evictions != evictions_before);
    return 0;
}

/* Frees the tables that move_prepare made in vain: an empty entry that is set prunes what is not in use. */
static void move_unprepare(struct space *space, const struct move *move) {
    pte_t pte;
    const vpn_t end = {move->start.n + min_u64(move->pages, move->new_pages)};
    for (vpn_t vpn = move->start; space_next_pte(space, &vpn, end, &pte); vpn.n++)
        space->table->ops->set(space->table, (vpn_t){vpn.n - move->start.n + move->new_start.n}, (pte_t){0});
}

static void move_entries(struct space *space, const struct move *move) {
    pte_t pte;
    const vpn_t end = {move->start.n + min_u64(move->pages, move->new_pages)};
    for (vpn_t vpn = move->start; space_next_pte(space, &vpn, end, &pte); vpn.n++)
        space_move_pte(space, vpn, (vpn_t){vpn.n - move->start.n + move->new_start.n});
}

/* ---- moving mappings ---- */

/* The mapping's old range is isolated, the new one is free. */
static int move_mapping(struct space *space, struct mapping *old, const struct move *move) {
    struct mapping *new, template = *old;
    template.object_page = mapping_object_page(old, move->start);
    template.start = move->new_start;
    template.end.n = move->new_start.n + move->new_pages;
    int error = mapping_insert(space, &template, &new);
    if (error)
        return error;
    error = move_prepare(space, move);
    if (error) {
        move_unprepare(space, move);
        mapping_remove(new);
        return error;
    }
    space_emit_map_range(space, new, new->start, new->end);
    move_entries(space, move);
    return 0;
}

static int move_to(struct space *space, const struct move *move) {
    const vpn_t end = {move->start.n + move->pages};
    if (!mapping_find(space, move->start))
        return -EFAULT; /* of length 0 and moved onto itself: it made way for itself */
    int error = move->pages ? mapping_isolate(space, move->start, end) : 0;
    if (!error)
        error = move_mapping(space, mapping_find(space, move->start), move);
    if (!error && move->pages && !(move->flags & MREMAP_DONTUNMAP))
        error = space_unmap_pages(space, move->start, end, POLICY_UNMAPPED);
    mapping_merge(space, move->start, end);
    mapping_merge(space, move->new_start, (vpn_t){move->new_start.n + move->new_pages});
    return error;
}

/* ---- resizing in place ---- */

static bool can_grow_in_place(struct mapping *m, vpn_t end, vpn_t new_end) {
    if (m->end.n != end.n || new_end.n > USER_END_VPN.n)
        return false;
    const struct mapping *next = mapping_next(m);
    return !next || mapping_guarded_start(next).n >= new_end.n;
}

static void grow_in_place(struct space *space, struct mapping *m, vpn_t new_end) {
    const vpn_t end = m->end;
    mapping_extend(m, m->start, new_end);
    space_emit_map_range(space, m, end, new_end);
    mapping_merge(space, end, new_end);
}

static int remap_shrink(struct space *space, const struct move *move) {
    return space_unmap_pages(space, (vpn_t){move->start.n + move->new_pages},
                             (vpn_t){move->start.n + move->pages}, POLICY_UNMAPPED);
}

/* Without a fixed destination. */
static int remap_anywhere(struct space *space, struct mapping *m, struct move *move) {
    const vpn_t end = {move->start.n + move->pages}, new_end = {move->start.n + move->new_pages};
    move->new_start = move->start;
    if (move->pages >= move->new_pages)
        return move->pages > move->new_pages ? remap_shrink(space, move) : 0;
    if (can_grow_in_place(m, end, new_end) && move->pages) {
        grow_in_place(space, m, new_end);
        return 0;
    }
    if (!(move->flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    const int error = space_find_gap(space, move->new_pages, (vpn_t){0}, &move->new_start);
    return error ? error : move_to(space, move);
}

/* To a fixed destination, or leaving the old range mapped. */
static int remap_elsewhere(struct space *space, struct move *move) {
    int error = 0;
    if (move->flags & MREMAP_FIXED)
        error = space_unmap_pages(space, move->new_start, (vpn_t){move->new_start.n + move->new_pages},
                                  POLICY_UNMAPPED);
    else
        error = space_find_gap(space, move->new_pages, move->new_start, &move->new_start);
    if (!error && move->pages > move->new_pages) {
        error = remap_shrink(space, move);
        move->pages = move->new_pages;
    }
    return error ? error : move_to(space, move);
}

/* ---- mremap ---- */

static int remap_check_flags(const struct move *move) {
    const int known = MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
    if (move->flags & ~known || move->new_pages == 0)
        return -EINVAL;
    if (move->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(move->flags & MREMAP_MAYMOVE))
        return -EINVAL;
    return move->flags & MREMAP_DONTUNMAP && move->pages != move->new_pages ? -EINVAL : 0;
}

static int remap_check_destination(const struct move *move, uint64_t new_address) {
    const uint64_t last_start = USER_END_VPN.n - move->new_pages;
    if (new_address & PAGE_MASK || move->new_pages > USER_END_VPN.n || move->new_start.n > last_start)
        return -EINVAL;
    const bool apart = move->start.n + move->pages <= move->new_start.n ||
                       move->new_start.n + move->new_pages <= move->start.n;
    return apart ? 0 : -EINVAL;
}

/* Whether the mapping has what is to be moved, and may become so large. */
static int remap_check_mapping(struct space *space, const struct mapping *m, const struct move *move) {
    if (!m)
        return -EFAULT;
    if (move->pages == 0 && !(m->flags & MAPPING_SHARED))
        return -EINVAL;
    const bool shrinks = move->pages > move->new_pages;
    const bool in_place = shrinks && !(move->flags & MREMAP_FIXED);
    if (!in_place && min_u64(move->pages, move->new_pages) > m->end.n - move->start.n)
        return -EFAULT;
    if (move->new_pages > USER_END_VPN.n)
        return -ENOMEM;
    const bool leaves = move->flags & MREMAP_DONTUNMAP;
    const uint64_t more = leaves ? move->new_pages : shrinks ? 0 : move->new_pages - move->pages;
    return more ? space_may_map(space, more, m->flags) : 0;
}

int space_remap(struct space *space, uint64_t address, uint64_t old_length, uint64_t new_length, int flags,
                uint64_t new_address, uint64_t *ret_address) {
    struct move move = {
        .start = vpn_of(address),
        .new_start = vpn_of(new_address),
        .pages = page_round_up(old_length) >> PAGE_SHIFT,
        .new_pages = page_round_up(new_length) >> PAGE_SHIFT,
        .flags = flags,
    };
    const bool elsewhere = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
    int error = address & PAGE_MASK ? -EINVAL : remap_check_flags(&move);
    if (!error && flags & MREMAP_FIXED)
        error = remap_check_destination(&move, new_address);
    if (error)
        return error;
    struct mapping *m = mapping_find(space, move.start);
    error = remap_check_mapping(space, m, &move);
    if (!error)
        error = elsewhere ? remap_elsewhere(space, &move) : remap_anywhere(space, m, &move);
    if (!error)
        *ret_address = vpn_address(move.new_start);
    return error;
}
