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
#include "vm/merge.h"
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

/* What is left of the mapping that pages were moved away from: it is not locked any more. */
static void move_leave(struct space *space, const struct move *move) {
    struct mapping *m = mapping_find(space, move->start);
    mapping_set_flags(m, m->flags & ~(unsigned)MAPPING_LOCKS);
    if (m->start.n == move->start.n && mapping_pages(m) == move->pages) {
        m->family = 0; /* nothing of it was ever written */
        m->inherited = false;
    }
}

/* The destination is free. Memory that was never touched is no other than what would be mapped there anew. */
static int move_mapping(struct space *space, struct mapping *m, const struct move *move) {
    const vpn_t end = {move->start.n + move->pages};
    const bool leave = move->flags & MREMAP_DONTUNMAP || move->pages == 0;
    int error =
        leave ? 0 : mapping_isolate(space, move->start, end); /* so that it can be unmapped for sure */
    if (error)
        return error;
    m = mapping_find(space, move->start);
    struct mapping *new, template = *m;
    template.object_page = m->object || m->family ? mapping_object_page(m, move->start) : move->new_start.n;
    template.start = move->new_start;
    template.end.n = move->new_start.n + move->new_pages;
    error = mapping_place(space, &template, &new);
    if (error)
        return error;
    space_emit_map_range(space, new, template.start, template.end);
    error = move_prepare(space, move);
    if (error) {
        move_unprepare(space, move);
        (void)space_unmap_pages(space, template.start, template.end, POLICY_UNMAPPED);
        return error;
    }
    move_entries(space, move);
    if (move->flags & MREMAP_DONTUNMAP)
        move_leave(space, move);
    return leave ? 0 : space_unmap_pages(space, move->start, end, POLICY_UNMAPPED);
}

static int move_to(struct space *space, struct mapping *m, const struct move *move) {
    const uint64_t more = move->flags & MREMAP_DONTUNMAP ? move->new_pages : move->new_pages - move->pages;
    if (space->mappings.count >= MAPPINGS_MAX - 3)
        return -ENOMEM;
    if (m->flags & MAPPING_ACCOUNTED && vm_may_promise(space->vm, more))
        return -ENOMEM;
    return move_mapping(space, m, move);
}

/* What was added to a locked mapping is brought in. */
static void move_populate(struct space *space, const struct move *move, unsigned flags) {
    const vpn_t from = {move->new_start.n + move->pages}, to = {move->new_start.n + move->new_pages};
    if (flags & MAPPING_LOCKED && to.n > from.n)
        (void)space_populate_all(space, from, to);
}

/* ---- resizing in place ---- */

static bool can_grow_in_place(struct space *space, struct mapping *m, const struct move *move) {
    const vpn_t new_end = {move->start.n + move->new_pages};
    return m->end.n == move->start.n + move->pages && new_end.n <= USER_END_VPN.n &&
           !mapping_overlaps(space, m->end, new_end) && vpn_address(m->start) >= space->limits.lowest;
}

static int grow_in_place(struct space *space, struct mapping *m, const struct move *move) {
    struct mapping part = *m;
    if (m->flags & MAPPING_ACCOUNTED && vm_may_promise(space->vm, move->new_pages - move->pages))
        return -ENOMEM;
    part.start = m->end;
    part.end.n = move->start.n + move->new_pages;
    part.object_page += mapping_pages(m);
    const int error = mapping_place(space, &part, &m);
    if (!error)
        space_emit_map_range(space, m, part.start, part.end);
    return error;
}

static int remap_shrink(struct space *space, const struct move *move) {
    const vpn_t start = {move->start.n + move->new_pages}, end = {move->start.n + move->pages};
    return end.n > USER_END_VPN.n ? -EINVAL : space_unmap_pages(space, start, end, POLICY_UNMAPPED);
}

/* Without a fixed destination. */
static int remap_anywhere(struct space *space, struct mapping *m, struct move *move) {
    const unsigned flags = m->flags;
    int error;
    move->new_start = move->start;
    if (move->pages >= move->new_pages)
        return move->pages > move->new_pages ? remap_shrink(space, move) : 0;
    if (can_grow_in_place(space, m, move)) {
        error = grow_in_place(space, m, move);
    } else {
        if (!(move->flags & MREMAP_MAYMOVE))
            return -ENOMEM;
        error = space_find_gap(space, move->new_pages, (vpn_t){0}, &move->new_start);
        if (!error)
            error = move_to(space, m, move);
    }
    if (!error)
        move_populate(space, move, flags);
    return error;
}

static int remap_place(struct space *space, struct move *move) {
    if (!(move->flags & MREMAP_FIXED))
        return space_find_gap(space, move->new_pages, move->new_start, &move->new_start);
    return vpn_address(move->new_start) < space->limits.lowest ? -EPERM : 0;
}

/* To a fixed destination, or leaving the old range mapped. */
static int remap_elsewhere(struct space *space, struct move *move) {
    int error = 0;
    if (move->flags & MREMAP_FIXED)
        error = space_unmap_pages(space, move->new_start, (vpn_t){move->new_start.n + move->new_pages},
                                  POLICY_UNMAPPED);
    struct mapping *m = mapping_find(space, move->start);
    if (!error && !m)
        return -EFAULT; /* of length 0 and moved onto itself: it made way for itself */
    const unsigned flags = m ? m->flags : 0;
    if (!error && move->pages > move->new_pages) {
        error = remap_shrink(space, move);
        move->pages = move->new_pages;
    }
    if (!error && move->flags & MREMAP_DONTUNMAP)
        error = space_may_map(space, move->pages, flags);
    if (!error)
        error = remap_place(space, move);
    if (!error)
        error = move_to(space, mapping_find(space, move->start), move);
    if (!error)
        move_populate(space, move, flags);
    return error;
}

/* ---- mremap ---- */

/* What is wrong by itself. */
static int remap_check(const struct space *space, const struct move *move, uint64_t address,
                       uint64_t new_address) {
    const int known = MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
    if (move->flags & ~known || address & PAGE_MASK || move->new_pages == 0 ||
        move->new_pages > USER_END_VPN.n)
        return -EINVAL;
    if (!(move->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)))
        return 0;
    if (!(move->flags & MREMAP_MAYMOVE) || new_address & PAGE_MASK ||
        move->new_start.n > USER_END_VPN.n - move->new_pages)
        return -EINVAL;
    if (move->flags & MREMAP_DONTUNMAP && move->pages != move->new_pages)
        return -EINVAL;
    if (move->start.n + move->pages > move->new_start.n &&
        move->new_start.n + move->new_pages > move->start.n)
        return -EINVAL;
    return space->mappings.count + 2 >= MAPPINGS_MAX - 3 ? -ENOMEM : 0;
}

/* Whether the mapping has what is to be moved, and may become so large. */
static int remap_check_mapping(const struct space *space, const struct mapping *m, const struct move *move) {
    const bool elsewhere = move->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
    if (!m)
        return -EFAULT;
    if (move->new_pages <= move->pages && !elsewhere)
        return 0;
    if (move->pages == 0 && !(m->flags & MAPPING_SHARED))
        return -EINVAL;
    if (min_u64(move->pages, move->new_pages) > m->end.n - move->start.n)
        return -EFAULT;
    if (move->new_pages <= move->pages)
        return 0;
    const uint64_t more = move->new_pages - move->pages;
    return space_may_lock(space, more, m->flags) ? space_may_map(space, more, m->flags) : -EAGAIN;
}

/* Moves pages of several mappings, each as it is, with the holes between them. */
static int remap_each(struct space *space, const struct move *whole, uint64_t *ret_address) {
    const uint64_t end = whole->start.n + whole->pages;
    struct mapping *m = mapping_find(space, whole->start);
    if (!m)
        return -EFAULT;
    for (uint64_t at = whole->start.n; m && at < end;) {
        struct move part = *whole;
        part.start.n = at;
        part.new_start.n = whole->new_start.n + (at - whole->start.n);
        part.pages = part.new_pages = min_u64(m->end.n, end) - at;
        const uint64_t next = at + part.pages;
        int error = remap_check_mapping(space, m, &part);
        if (!error)
            error = remap_elsewhere(space, &part);
        if (error)
            return error;
        m = mapping_first(space, (vpn_t){next});
        at = m ? max_u64(next, m->start.n) : end;
    }
    *ret_address = vpn_address(whole->new_start);
    return 0;
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
    int error = remap_check(space, &move, address, new_address);
    if (error)
        return error;
    if (flags & MREMAP_FIXED && move.pages == move.new_pages)
        return remap_each(space, &move, ret_address);
    struct mapping *m = mapping_find(space, move.start);
    error = remap_check_mapping(space, m, &move);
    if (!error)
        error = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? remap_elsewhere(space, &move)
                                                          : remap_anywhere(space, m, &move);
    if (!error)
        *ret_address = vpn_address(move.new_start);
    return error;
}
