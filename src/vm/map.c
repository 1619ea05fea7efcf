/* Mapping and unmapping: mmap, munmap, remap_file_pages. Reserving costs the same whatever the size;
 * unmapping costs in proportion to the pages that were touched. */
#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "vm/merge.h"
#include "vm/object.h"
#include "vm/reference.h"
#include "vm/space.h"
#include "vm/state.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 8
#endif

/* Where MAP_32BIT places mappings (Linux: find_start_end). */
enum { MAP_32BIT_LOW = 0x40000000 };
#define MAP_32BIT_TOP 0x80000000ULL

/* Where mmap looks last (Linux: TASK_UNMAPPED_BASE). */
#define MAP_BOTTOM_UP (page_round_up(USER_END / 3))

/* ---- events ---- */

/* Those of the mapping's flags that are of enum event_map_flags. */
static unsigned map_flags(const struct mapping *m) {
    return m->flags & (MAPPING_ACCESS | MAPPING_SHARED | MAPPING_STACK | MAPPING_HEAP);
}

static uint64_t first_object_page(const struct mapping *m, vpn_t start) {
    return m->object ? mapping_object_page(m, start) : 0;
}

void space_tell_range(struct space *space, const struct mapping *m, vpn_t start, vpn_t end) {
    const struct vm_observer *observer = &space->vm->config.observer;
    const struct vm_range range = {.space = space->number,
                                   .start = start,
                                   .pages = end.n - start.n,
                                   .flags = map_flags(m),
                                   .object = m->object,
                                   .object_page = first_object_page(m, start),
                                   .name = m->name ? m->name->text : NULL};
    if (observer->renamed)
        observer->renamed(observer->context, &range, reference_now(space->vm));
}

void space_emit_map_range(struct space *space, const struct mapping *m, vpn_t start, vpn_t end) {
    trace_emit(space->vm->config.trace, EVENT_MAP, map_flags(m), space->number, start.n, end.n - start.n,
               m->object ? m->object->number : 0, first_object_page(m, start));
    if (m->name)
        space_tell_range(space, m, start, end);
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
    if (start.n > USER_END_VPN.n || pages > USER_END_VPN.n - start.n)
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
    if (mapping_find_gap(space, pages, lowest, vpn_of(MAP_TOP - space->vm->config.map_lowered), ret_start) ||
        mapping_find_low_gap(space, pages, vpn_of(MAP_BOTTOM_UP), USER_END_VPN, ret_start))
        return 0;
    return -ENOMEM;
}

/* ---- unmapping ---- */

void space_zap(struct space *space, const struct mapping *m, vpn_t start, vpn_t end,
               enum policy_remove reason) {
    pte_t pte;
    for (vpn_t vpn = start; space_next_pte(space, &vpn, end, &pte); vpn.n++) {
        space_replace_pte(space, vpn, pte, (pte_t){0});
        space_settle(space, pte, reason);
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

/* ---- mmap: what is asked for ---- */

static bool request_has_file(const struct map_request *r) {
    return r->object || r->object_error;
}

static bool request_is_shared(const struct map_request *r) {
    return (r->flags & MAP_TYPE) == MAP_SHARED || (r->flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
}

/* Flags that a file system must not ignore; with MAP_SHARED alone it does. */
static bool request_has_new_flags(const struct map_request *r) {
    const int known = MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_GROWSDOWN |
                      MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB |
                      MAP_32BIT | 0x4000000 /* MAP_UNINITIALIZED */ | 0x80 /* MAP_ABOVE4G */ |
                      (int)(0x3fu << 26) /* the size of huge pages */;
    return (r->flags & MAP_TYPE) == MAP_SHARED_VALIDATE && r->flags & ~known;
}

/* Whether a file may be mapped so; in Linux's order. */
static int request_check_file(const struct map_request *r) {
    const bool shared = request_is_shared(r);
    if (r->length > INT64_MAX - r->offset || r->offset > INT64_MAX)
        return -EOVERFLOW;
    if (!shared && (r->flags & MAP_TYPE) != MAP_PRIVATE)
        return -EINVAL;
    if (request_has_new_flags(r))
        return -EOPNOTSUPP;
    if ((shared && r->protection & PROT_WRITE && !r->may_write) || r->no_read)
        return -EACCES;
    if (r->no_exec && r->protection & PROT_EXEC)
        return -EPERM;
    if (r->object_error)
        return r->object_error;
    return r->flags & MAP_GROWSDOWN ? -EINVAL : 0;
}

static int request_check_anonymous(const struct map_request *r) {
    const bool grows = r->flags & MAP_GROWSDOWN;
    switch (r->flags & MAP_TYPE) {
    case MAP_PRIVATE: return 0;
    case MAP_SHARED: return grows ? -EINVAL : 0;
    case MAP_DROPPABLE: return grows || r->flags & MAP_LOCKED ? -EINVAL : 0;
    default: return -EINVAL;
    }
}

static unsigned request_flags(const struct space *space, const struct map_request *r) {
    const bool shared = request_is_shared(r), droppable = (r->flags & MAP_TYPE) == MAP_DROPPABLE;
    unsigned flags = ((unsigned)r->protection & MAPPING_ACCESS) | space->future;
    flags |= shared ? MAPPING_SHARED : 0;
    flags |= shared && (!r->object || r->may_write) ? MAPPING_MAY_WRITE : 0;
    flags |= r->no_exec ? MAPPING_NO_EXEC : 0;
    flags |= r->flags & MAP_NORESERVE && space->vm->overcommit != VM_OVERCOMMIT_NEVER ? MAPPING_NORESERVE : 0;
    flags |= droppable ? MAPPING_DROPPABLE | MAPPING_NORESERVE | MAPPING_WIPE_ON_FORK | MAPPING_DONT_DUMP : 0;
    flags |= r->flags & MAP_GROWSDOWN ? MAPPING_GROWS_DOWN : 0;
    flags |= r->flags & MAP_LOCKED ? MAPPING_LOCKED : 0;
    flags |= r->flags & MAP_STACK ? MAPPING_NO_HUGE_PAGES : 0;
    flags |= r->stack ? MAPPING_STACK : 0;
    flags |= r->heap ? MAPPING_HEAP : 0;
    return flags;
}

/* ---- mmap: where it goes ---- */

/* A hint below what may be mapped is raised to it; the page it lies in is meant. */
static vpn_t request_hint(const struct map_request *r) {
    const vpn_t hint = vpn_of(r->address);
    return hint.n && hint.n < MAP_LOWEST_PAGE ? (vpn_t){MAP_LOWEST_PAGE} : hint;
}

static int place_low(struct space *space, const struct map_request *r, uint64_t pages, vpn_t *ret_start) {
    const vpn_t hint = vpn_of(page_round_up(r->address)), top = vpn_of(MAP_32BIT_TOP);
    if (hint.n && hint.n + pages <= top.n && range_is_free(space, hint, pages)) {
        *ret_start = hint;
        return 0;
    }
    return mapping_find_low_gap(space, pages, vpn_of(MAP_32BIT_LOW), top, ret_start) ? 0 : -ENOMEM;
}

static int place_fixed(struct space *space, const struct map_request *r, uint64_t pages, vpn_t *ret_start) {
    if (r->address > USER_END - (pages << PAGE_SHIFT))
        return -ENOMEM;
    if (r->address & PAGE_MASK)
        return -EINVAL;
    if (r->address < space->limits.lowest)
        return -EPERM;
    const vpn_t start = vpn_of(r->address);
    if (r->flags & MAP_FIXED_NOREPLACE && mapping_overlaps(space, start, (vpn_t){start.n + pages}))
        return -EEXIST;
    *ret_start = start;
    return 0;
}

/* With MAP_FIXED, what is there already goes away later. */
static int request_place(struct space *space, const struct map_request *r, uint64_t pages, vpn_t *ret_start) {
    if (pages > USER_END_VPN.n)
        return -ENOMEM;
    if (r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
        return place_fixed(space, r, pages, ret_start);
    if (r->flags & MAP_32BIT)
        return place_low(space, r, pages, ret_start);
    return space_find_gap(space, pages, request_hint(r), ret_start);
}

/* ---- mmap: what takes its place ---- */

/* What goes away when [start, end) is mapped anew. */
static void range_count(struct space *space, vpn_t start, vpn_t end, uint64_t *ret_mapped,
                        uint64_t *ret_accounted) {
    *ret_mapped = *ret_accounted = 0;
    for (struct mapping *m = mapping_first(space, start); m && m->start.n < end.n; m = mapping_next(m)) {
        const uint64_t pages = min_u64(m->end.n, end.n) - max_u64(m->start.n, start.n);
        *ret_mapped += pages;
        *ret_accounted += m->flags & MAPPING_ACCOUNTED ? pages : 0;
    }
}

/* Whether the mapping may be entered in place of what is there; it is promised if it can be written. */
static int new_is_allowed(struct space *space, struct mapping *new) {
    uint64_t mapped, accounted;
    const uint64_t pages = mapping_pages(new);
    range_count(space, new->start, new->end, &mapped, &accounted);
    if (space_may_map(space, pages - mapped, new->flags))
        return -ENOMEM;
    if ((new->flags &(MAPPING_NORESERVE | MAPPING_SHARED | ACCESS_WRITE)) != ACCESS_WRITE)
        return 0;
    new->flags |= MAPPING_ACCOUNTED;
    if (new->flags & MAPPING_STACK) /* no program uses what exec maps for it on the smallest machines */
        return 0;
    return pages > accounted ? vm_may_promise(space->vm, pages - accounted) : 0;
}

/* Shared anonymous memory gets an object of its own. */
static int new_make_object(struct space *space, struct mapping *new) {
    const uint64_t pages = mapping_pages(new);
    const bool promised = !(new->flags &MAPPING_NORESERVE);
    if (new->object || !(new->flags &MAPPING_SHARED))
        return 0;
    int error = promised ? vm_may_promise(space->vm, pages) : 0;
    if (!error)
        error = object_create_anonymous(space->vm, pages << PAGE_SHIFT, "/dev/zero (deleted)", &new->object);
    if (error)
        return error;
    new->object_page = 0;
    if (promised)
        object_promise(new->object, pages);
    return 0;
}

/* Enters the new mapping, in place of what is there. */
static int new_enter(struct space *space, const struct mapping *new) {
    struct mapping *m;
    int error = space_unmap_pages(space, new->start, new->end, POLICY_UNMAPPED);
    if (!error)
        error = mapping_place(space, new, &m);
    if (!error)
        space_emit_map_range(space, m, new->start, new->end);
    return error;
}

static int request_check(struct space *space, const struct map_request *r, struct mapping *ret_new) {
    const uint64_t pages = page_round_up(r->length) >> PAGE_SHIFT;
    if (r->length == 0)
        return -EINVAL;
    if (pages == 0)
        return -ENOMEM;
    if ((r->offset >> PAGE_SHIFT) + pages < pages)
        return -EOVERFLOW;
    if (space->mappings.count > MAPPINGS_MAX)
        return -ENOMEM;
    const int error = request_place(space, r, pages, &ret_new->start);
    if (error)
        return error;
    if (r->flags & MAP_LOCKED && !space_may_lock_any(space))
        return -EPERM;
    ret_new->flags = request_flags(space, r);
    if (!space_may_lock(space, pages, ret_new->flags))
        return -EAGAIN;
    ret_new->end.n = ret_new->start.n + pages;
    ret_new->object_page = request_has_file(r) ? r->offset >> PAGE_SHIFT : ret_new->start.n;
    return request_has_file(r) ? request_check_file(r) : request_check_anonymous(r);
}

int space_map(struct space *space, const struct map_request *request, uint64_t *ret_address) {
    struct mapping new = {.object = request->object, .opened = request->opened};
    int error = request_check(space, request, &new);
    if (!error)
        error = new_is_allowed(space, &new);
    if (!error)
        error = new_make_object(space, &new);
    if (error)
        return error;
    error = new_enter(space, &new);
    if (new.object && !request->object)
        object_unref(new.object); /* the mapping holds it */
    if (error)
        return error;
    if (new.flags & MAPPING_LOCKED || (request->flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
        (void)space_populate_all(space, new.start, new.end);
    *ret_address = vpn_address(new.start);
    return 0;
}

/* ---- remap_file_pages ---- */

/* Whether the range is one mapping, or several of the same opening of a file, without a hole. */
static bool range_is_alike(const struct mapping *m, vpn_t end) {
    for (struct mapping *last = (struct mapping *)m; last->end.n < end.n;) {
        struct mapping *next = mapping_next(last);
        if (!next || next->start.n != last->end.n || next->object != m->object || next->opened != m->opened ||
            next->flags != m->flags)
            return false;
        last = next;
    }
    return true;
}

int space_map_again(struct space *space, uint64_t address, uint64_t length, int protection, uint64_t page,
                    int flags) {
    const uint64_t start = page_round_down(address), bytes = page_round_down(length);
    uint64_t mapped_at;
    if (protection || start + bytes <= start || page + (bytes >> PAGE_SHIFT) < page)
        return -EINVAL;
    const struct mapping *m = mapping_find(space, vpn_of(start));
    if (!m || !(m->flags & MAPPING_SHARED) || !(m->flags & MAPPING_MAY_WRITE) ||
        !range_is_alike(m, vpn_of(start + bytes)))
        return -EINVAL;
    if (page > INT64_MAX >> PAGE_SHIFT)
        return -EOVERFLOW;
    const struct map_request request = {
        .address = start,
        .length = bytes,
        .protection = (int)(m->flags & MAPPING_ACCESS),
        .flags = (flags & MAP_NONBLOCK) | MAP_SHARED | MAP_FIXED | MAP_POPULATE |
                 (m->flags & MAPPING_LOCKED ? MAP_LOCKED : 0),
        .object = object_ref(m->object),
        .opened = m->opened,
        .offset = page << PAGE_SHIFT,
        .may_write = true,
        .no_exec = m->flags & MAPPING_NO_EXEC,
    };
    const int error = space_map(space, &request, &mapped_at);
    object_unref(request.object);
    return error;
}
