/* Mapping and unmapping: mmap, munmap, brk. Reserving costs the same whatever the size; unmapping costs in
 * proportion to the pages that were touched. */
#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "vm/object.h"
#include "vm/space.h"
#include "vm/state.h"

/* Where MAP_32BIT places mappings (Linux: find_start_end). */
enum { MAP_32BIT_LOW = 0x40000000 };
#define MAP_32BIT_TOP 0x80000000ULL

/* ---- events ---- */

void space_emit_map_range(struct space *space, const struct mapping *m, vpn_t start, vpn_t end) {
    const unsigned flags = m->flags & (MAPPING_ACCESS | MAPPING_SHARED | MAPPING_STACK |
                                       MAPPING_HEAP); /* enum event_map_flags */
    trace_emit(space->vm->config.trace, EVENT_MAP, flags, space->number, start.n, end.n - start.n,
               m->object ? m->object->number : 0, m->object ? mapping_object_page(m, start) : 0);
}

static void emit_unmap(struct space *space, vpn_t start, vpn_t end) {
    trace_emit(space->vm->config.trace, EVENT_UNMAP, 0, space->number, start.n, end.n - start.n, 0, 0);
}

/* ---- ranges ---- */

int space_range(uint64_t address, uint64_t length, vpn_t *ret_start, vpn_t *ret_end) {
    if (address & PAGE_MASK || address > USER_END || length > USER_END - address)
        return -EINVAL;
    *ret_start = vpn_of(address);
    *ret_end = vpn_of(page_round_up(address + length));
    return 0;
}

static bool range_is_free(struct space *space, vpn_t start, uint64_t pages) {
    if (start.n < MAP_LOWEST_PAGE || start.n > USER_END_VPN.n || pages > USER_END_VPN.n - start.n)
        return false;
    const struct mapping *m = mapping_first(space, start);
    return !m || mapping_guarded_start(m).n >= start.n + pages;
}

int space_find_gap(struct space *space, uint64_t pages, vpn_t hint, vpn_t *ret_start) {
    if (hint.n && range_is_free(space, hint, pages)) {
        *ret_start = hint;
        return 0;
    }
    const vpn_t lowest = {MAP_LOWEST_PAGE};
    if (mapping_find_gap(space, pages, lowest, vpn_of(MAP_TOP), ret_start) ||
        mapping_find_gap(space, pages, lowest, USER_END_VPN, ret_start))
        return 0;
    return -ENOMEM;
}

/* ---- limits ---- */

/* One mapping alone may not promise more than all memory and swap (Linux: overcommit heuristic, mode 0). */
static bool promise_is_absurd(const struct vm *vm, uint64_t pages, unsigned flags) {
    if (flags & (MAPPING_NORESERVE | MAPPING_SHARED | MAPPING_STACK) || !(flags & ACCESS_WRITE))
        return false;
    return pages > (uint64_t)vm->frames.pages.end + vm->swap.pages;
}

static bool over_limit(uint64_t pages, uint64_t more, uint64_t limit_bytes) {
    return pages + more > limit_bytes >> PAGE_SHIFT;
}

int space_may_map(struct space *space, uint64_t pages, unsigned flags) {
    const struct mapping_set *set = &space->mappings;
    const bool data =
        flags & ACCESS_WRITE && !(flags & (MAPPING_SHARED | MAPPING_STACK | MAPPING_GROWS_DOWN));
    if (over_limit(set->pages, pages, space->limit_address_space) ||
        (data && over_limit(set->data, pages, space->limit_data)) || set->count >= MAPPINGS_MAX ||
        promise_is_absurd(space->vm, pages, flags))
        return -ENOMEM;
    return 0;
}

/* ---- unmapping ---- */

void space_zap(struct space *space, const struct mapping *m, vpn_t start, vpn_t end,
               enum policy_remove reason) {
    pte_t pte;
    for (vpn_t vpn = start; space_next_pte(space, &vpn, end, &pte); vpn.n++) {
        space_replace_pte(space, vpn, pte, (pte_t){0});
        if (pte_is_present(pte))
            frame_unmapped(space->vm, pte_pfn(pte), reason);
    }
    if (!mapping_tracks_writes(m))
        return;
    const int error =
        object_write_back_range(m->object, mapping_object_page(m, start), mapping_object_page(m, end));
    const struct vm_config *config = &space->vm->config;
    if (error && config->io_error) /* the page stays in the cache, dirty, to be tried again */
        config->io_error(config->context, space, error, m->object->name);
}

int space_unmap_pages(struct space *space, vpn_t start, vpn_t end, enum policy_remove reason) {
    if (!mapping_overlaps(space, start, end))
        return 0;
    const int error = mapping_isolate(space, start, end);
    if (error)
        return error;
    struct mapping *m;
    while ((m = mapping_first(space, start)) && m->start.n < end.n) {
        space_zap(space, m, m->start, m->end, reason);
        mapping_remove(m);
    }
    emit_unmap(space, start, end);
    return 0;
}

int space_unmap(struct space *space, uint64_t address, uint64_t length) {
    vpn_t start, end;
    if (length == 0 || space_range(address, length, &start, &end) < 0)
        return -EINVAL;
    return space_unmap_pages(space, start, end, POLICY_UNMAPPED);
}

/* ---- mmap ---- */

/* What is wrong with the request by itself. */
static int request_check(const struct map_request *r) {
    const int type = r->flags & MAP_TYPE;
    const bool shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;
    if (r->length == 0 || (!shared && type != MAP_PRIVATE) || r->offset & PAGE_MASK)
        return -EINVAL;
    if (type == MAP_SHARED_VALIDATE && r->flags & MAP_SYNC)
        return -EOPNOTSUPP;
    if (page_round_up(r->length) == 0 || r->length > USER_END)
        return -ENOMEM;
    if (r->object && r->offset + r->length < r->offset)
        return -EOVERFLOW;
    if (r->object && shared && r->protection & PROT_WRITE && !r->may_write)
        return -EACCES;
    if (!(r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
        return 0;
    if (r->address & PAGE_MASK)
        return -EINVAL;
    if (r->address > USER_END - page_round_up(r->length))
        return -ENOMEM;
    return r->address >> PAGE_SHIFT < MAP_LOWEST_PAGE ? -EPERM : 0;
}

static unsigned request_flags(const struct map_request *r) {
    unsigned flags = (unsigned)r->protection & MAPPING_ACCESS;
    const bool shared = (r->flags & MAP_TYPE) != MAP_PRIVATE;
    flags |= shared ? MAPPING_SHARED : 0;
    flags |= shared && (!r->object || r->may_write) ? MAPPING_MAY_WRITE : 0;
    flags |= r->flags & MAP_NORESERVE ? MAPPING_NORESERVE : 0;
    flags |= r->flags & MAP_GROWSDOWN && !r->object && !shared ? MAPPING_GROWS_DOWN : 0;
    flags |= r->flags & MAP_LOCKED ? MAPPING_LOCKED : 0;
    flags |= r->stack ? MAPPING_STACK : 0;
    flags |= r->heap ? MAPPING_HEAP : 0;
    return flags;
}

/* Where the mapping goes; with MAP_FIXED, what is there already goes away later. */
static int request_place(struct space *space, const struct map_request *r, uint64_t pages, vpn_t *ret_start) {
    const vpn_t wanted = vpn_of(r->address);
    if (r->flags & MAP_FIXED_NOREPLACE && mapping_overlaps(space, wanted, (vpn_t){wanted.n + pages}))
        return -EEXIST;
    if (r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        *ret_start = wanted;
        return 0;
    }
    if (r->flags & MAP_32BIT)
        return mapping_find_gap(space, pages, vpn_of(MAP_32BIT_LOW), vpn_of(MAP_32BIT_TOP), ret_start)
                   ? 0
                   : -ENOMEM;
    return space_find_gap(space, pages, vpn_of(page_round_up(r->address)), ret_start);
}

/* Enters the new mapping, in place of what is there. */
static int request_enter(struct space *space, const struct mapping *new) {
    struct mapping *m;
    int error = space_unmap_pages(space, new->start, new->end, POLICY_UNMAPPED);
    if (!error)
        error = mapping_insert(space, new, &m);
    if (error)
        return error;
    space_emit_map_range(space, m, m->start, m->end);
    mapping_merge(space, new->start, new->end);
    return 0;
}

int space_map(struct space *space, const struct map_request *request, uint64_t *ret_address) {
    const uint64_t pages = page_round_up(request->length) >> PAGE_SHIFT;
    struct mapping new = {.object = request->object, .object_page = request->offset >> PAGE_SHIFT};
    int error = request_check(request);
    if (error)
        return error;
    new.flags = request_flags(request);
    error = space_may_map(space, pages, new.flags);
    if (!error)
        error = request_place(space, request, pages, &new.start);
    if (error)
        return error;
    new.end.n = new.start.n + pages;

    struct object *made = NULL;
    if (!new.object &&new.flags & MAPPING_SHARED) {
        new.object_page = 0;
        error = object_create_anonymous(space->vm, pages << PAGE_SHIFT, "/dev/zero (deleted)", &made);
        if (error)
            return error;
        new.object = made;
    }
    error = request_enter(space, &new);
    if (made)
        object_unref(made); /* the mapping holds it */
    if (error)
        return error;
    if (request->flags & (MAP_POPULATE | MAP_LOCKED) && !(request->flags & MAP_NONBLOCK))
        space_populate_new(space, new.start, new.end);
    *ret_address = vpn_address(new.start);
    return 0;
}

/* ---- brk ---- */

void space_set_brk(struct space *space, uint64_t start) {
    space->brk_start = space->brk_end = start;
}

static int brk_grow(struct space *space, vpn_t from, vpn_t to) {
    const unsigned flags = ACCESS_READ | ACCESS_WRITE | MAPPING_HEAP;
    const struct mapping *above = mapping_first(space, from);
    if (above && mapping_guarded_start(above).n < to.n)
        return -ENOMEM;
    const int error = space_may_map(space, to.n - from.n, flags);
    if (error)
        return error;
    return request_enter(space, &(struct mapping){.start = from, .end = to, .flags = flags});
}

uint64_t space_brk(struct space *space, uint64_t end) {
    if (end < space->brk_start || end > USER_END)
        return space->brk_end;
    const vpn_t from = vpn_of(page_round_up(space->brk_end)), to = vpn_of(page_round_up(end));
    int error = 0;
    if (end - space->brk_start > space->limit_data)
        error = -ENOMEM;
    else if (to.n > from.n)
        error = brk_grow(space, from, to);
    else if (to.n < from.n)
        error = space_unmap_pages(space, to, from, POLICY_UNMAPPED);
    if (!error)
        space->brk_end = end;
    return space->brk_end;
}
