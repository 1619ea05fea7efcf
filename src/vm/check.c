/* vm_check(): verifies the invariants of every structure against each other. Costs in proportion to frames,
 * entries and slots; changes nothing.
 *
 *   1 frames    each is in one state, the pools list exactly the free ones, counts agree
 *   2 pages     an anonymous page has an owner; a page that is not dirty has a valid copy (or is given up)
 *   3 mappings  ordered, disjoint, within user space, counts agree
 *   4 entries   lie in mappings; a present one is listed by its frame, and nothing else is; no write
 *               permission for copy-on-write pages, clean pages of shared files or against the mapping
 *   5 slots     references are those of entries and indexes; a frame and its slot name each other
 *   6 objects   an index leads to frames that know the object and the page */
#include <stdlib.h>

#include "vm/object.h"
#include "vm/space.h"
#include "vm/state.h"

/* What is counted on the way, to be compared at the end. */
struct census {
    uint32_t *slot_references; /* by slot */
    uint64_t mappers, cached, aside;
};

/* ---- 1, 2: frames ---- */

static const char *check_pool(struct vm *vm, const struct frame_pool *pool) {
    uint32_t count = pool->end - pool->fresh;
    for (uint32_t n = pool->first; n != UINT32_MAX; n = frame_of(vm, (pfn_t){n})->next_free) {
        if (frame_of(vm, (pfn_t){n})->state != EVENT_FRAME_FREE)
            return "a frame of the free pool is in use";
        if (++count > pool->count)
            break;
    }
    return count == pool->count ? NULL : "the free pool's count is wrong";
}

static bool page_is_lazy(struct vm *vm, const struct frame *frame) {
    const struct rmap rmap = frame_mapper(frame, 0);
    return frame->mappers == 1 && pte_has(space_pte(vm->spaces[rmap_space(rmap)], rmap_vpn(rmap)), PTE_LAZY);
}

static const char *check_page(struct vm *vm, pfn_t pfn) {
    const struct frame *frame = frame_of(vm, pfn);
    const bool has_slot = !slot_is_none(frame->slot), dirty = frame_is_dirty(vm, pfn);
    if ((frame->state == EVENT_FRAME_CACHE) != (frame->object != NULL))
        return "a frame's object and state disagree";
    if (frame->state == EVENT_FRAME_ANONYMOUS && frame_owners(vm, pfn) == 0)
        return "an anonymous page is nobody's";
    if (page_id_is_object(frame->id) != (frame->object != NULL) || frame->id.n == 0)
        return "a frame's page identity is not of its kind";
    if (!(frame->flags & FRAME_INSERTED) == !(frame->flags & FRAME_ASIDE))
        return "a page in memory is unknown to the policy, or known and set aside";
    if (frame->flags & FRAME_ASIDE && (!dirty || (frame->object && !frame->object->anonymous)))
        return "a page is set aside that needs no swap";
    if (has_slot && !pfn_eq(slot_of(vm, frame->slot)->frame, pfn))
        return "a frame names a slot that does not name it";
    if (has_slot && !page_id_eq(slot_of(vm, frame->slot)->id, frame->id))
        return "a frame and its slot hold different pages";
    if (has_slot && dirty && slot_of(vm, frame->slot)->references > 0)
        return "a page is dirty though its slot is referred to";
    if (frame->object && !frame->object->anonymous)
        return has_slot ? "a file page has a swap slot" : NULL;
    if (!dirty && !has_slot && (frame->object || !page_is_lazy(vm, frame)))
        return "a clean page has no copy";
    return NULL;
}

/* The first frame at or after `n` that was ever used; counts those before it. */
static uint32_t skip_unused(const struct frame_table *table, uint32_t n, uint32_t *free) {
    const struct frame_pool *const pools[] = {&table->pages, &table->tables};
    for (int i = 0; i < 2; i++)
        if (n >= pools[i]->fresh && n < pools[i]->end) {
            *free += pools[i]->end - n;
            n = pools[i]->end;
        }
    return n;
}

static const char *check_frames(struct vm *vm, struct census *census) {
    const struct frame_table *table = &vm->frames;
    uint32_t counts[EVENT_FRAME_KINDS] = {0};
    uint32_t *free_frames = &counts[EVENT_FRAME_FREE];
    for (uint32_t n = skip_unused(table, 0, free_frames); n < vm->mem.frames;
         n = skip_unused(table, n + 1, free_frames)) {
        const pfn_t pfn = {n};
        const struct frame *frame = frame_of(vm, pfn);
        counts[frame->state]++;
        const bool page = frame->state == EVENT_FRAME_ANONYMOUS || frame->state == EVENT_FRAME_CACHE;
        if (!page && (frame->mappers || frame->object || frame->flags & ~FRAME_STALE))
            return "a frame without a page is mapped or owned";
        const char *wrong = page ? check_page(vm, pfn) : NULL;
        if (wrong)
            return wrong;
        census->mappers += frame->mappers;
        census->cached += frame->state == EVENT_FRAME_CACHE;
        census->aside += (frame->flags & FRAME_ASIDE) != 0;
    }
    if (census->aside != table->aside)
        return "the count of frames that are set aside is wrong";
    for (int state = 0; state < EVENT_FRAME_KINDS; state++)
        if (counts[state] != table->counts[state])
            return "a count of frames by state is wrong";
    const uint32_t free = table->pages.count + (table->tables_apart ? table->tables.count : 0);
    if (free != counts[EVENT_FRAME_FREE])
        return "a free frame is in no pool";
    const char *wrong = check_pool(vm, &table->pages);
    return wrong || !table->tables_apart ? wrong : check_pool(vm, &table->tables);
}

/* ---- 3: mappings ---- */

static const char *check_mappings(struct space *space) {
    const struct mapping_set *set = &space->mappings;
    uint64_t pages = 0, locked = 0, last = 0;
    uint32_t count = 0;
    for (struct mapping *m = mapping_first(space, (vpn_t){0}); m; m = mapping_next(m)) {
        if (m->start.n >= m->end.n || m->start.n < last || m->end.n > USER_END_VPN.n)
            return "mappings are not ordered and disjoint";
        if (m->space != space || (m->flags & MAPPING_SHARED && !m->object))
            return "a mapping's fields are inconsistent";
        last = m->end.n;
        count++;
        pages += mapping_pages(m);
        locked += m->flags & MAPPING_LOCKED ? mapping_pages(m) : 0;
    }
    if (!mapping_gaps_agree(space))
        return "the gaps between mappings are not what the tree knows";
    if (count != set->count || pages != set->pages || locked != set->locked)
        return "the counts of mappings are wrong";
    return NULL;
}

/* ---- 4: entries ---- */

static bool frame_lists(const struct frame *frame, struct rmap rmap) {
    for (uint32_t i = 0; i < frame->mappers; i++)
        if (frame_mapper(frame, i).v == rmap.v)
            return true;
    return false;
}

static const char *check_present(struct space *space, const struct mapping *m, vpn_t vpn, pte_t pte) {
    if (pte_pfn(pte).n >= space->vm->mem.frames)
        return "an entry names a frame that does not exist";
    const struct frame *frame = frame_of(space->vm, pte_pfn(pte));
    if (!frame_lists(frame, rmap_make(space->number, vpn)))
        return "an entry names a frame that does not list it";
    if (frame->object &&
        (frame->object != m->object || page_id_index(frame->id) != mapping_object_page(m, vpn)))
        return "an entry names a frame of another object or page";
    const bool shared = m->flags & MAPPING_SHARED;
    if (shared && !frame->object)
        return "a shared mapping has a private page";
    if (!shared && frame->object && !pte_has(pte, PTE_COW))
        return "a page of the cache is mapped private and not copy-on-write";
    if (!shared && !frame->object && !pte_has(pte, PTE_COW) && frame_owners(space->vm, pte_pfn(pte)) > 1)
        return "a private page with several owners is not copy-on-write";
    if (pte_access(pte) & ACCESS_WRITE && mapping_tracks_writes(m) && !pte_has(pte, PTE_DIRTY))
        return "a clean page of a shared file may be written unnoticed";
    return NULL;
}

static const char *check_entry(struct space *space, vpn_t vpn, pte_t pte, struct census *census) {
    const struct mapping *m = mapping_find(space, vpn);
    if (!m)
        return "an entry is outside every mapping";
    if (pte_access(pte) & ~mapping_access(m))
        return "an entry allows what its mapping does not";
    if (pte_has(pte, PTE_COW) && (pte_access(pte) & ACCESS_WRITE || m->flags & MAPPING_SHARED))
        return "a copy-on-write entry is writable or shared";
    switch (pte_kind(pte)) {
    case PTE_EMPTY: return "the table says that an empty entry is in use";
    case PTE_PRESENT: census->mappers--; return check_present(space, m, vpn, pte);
    case PTE_SWAPPED: break;
    }
    if (m->flags & MAPPING_SHARED)
        return "a shared mapping has a swapped entry";
    if (pte_slot(pte).n >= space->vm->swap.fresh)
        return "an entry names a slot that was never used";
    census->slot_references[pte_slot(pte).n]++;
    return NULL;
}

static const char *check_space(struct space *space, struct census *census) {
    const char *wrong = check_mappings(space);
    if (!wrong)
        wrong = space->table->ops->check(space->table);
    uint64_t resident = 0, swapped = 0;
    pte_t pte;
    for (vpn_t vpn = {0}; !wrong && space_next_pte(space, &vpn, USER_END_VPN, &pte); vpn.n++) {
        resident += pte_is_present(pte);
        swapped += pte_is_swapped(pte);
        wrong = check_entry(space, vpn, pte, census);
    }
    if (!wrong && (resident != space_resident(space) || swapped != space->swapped))
        wrong = "a space's counts of pages are wrong";
    return wrong;
}

/* ---- 5: slots ---- */

static const char *check_slots(struct vm *vm, const struct census *census) {
    uint64_t used = 0;
    uint32_t frame_only = 0;
    for (uint32_t n = 0; n < vm->swap.fresh; n++) {
        const struct slot *slot = slot_of(vm, (slot_t){n});
        if (slot->references != census->slot_references[n])
            return "a slot's references are not those of entries and indexes";
        if (slot->id.n == 0) { /* free */
            if (slot->references)
                return "a free slot is referred to";
            continue;
        }
        used++;
        frame_only += slot->references == 0;
        if (slot->references == 0 && pfn_is_none(slot->frame))
            return "a slot is in use by nobody";
        if (!pfn_is_none(slot->frame) && frame_of(vm, slot->frame)->slot.n != n)
            return "a slot names a frame that does not name it";
    }
    if (used != vm->swap.used || frame_only != vm->swap.frame_only)
        return "the counts of swap slots are wrong";
    return NULL;
}

/* ---- 6: objects ---- */

static const char *check_object(struct object *object, struct census *census) {
    struct vm *vm = object->vm;
    struct index_entry entry;
    uint64_t resident = 0, known = 0;
    for (uint64_t page = 0; index_next(&object->index, &page, UINT64_MAX, &entry); page++) {
        if (index_kind(entry) == INDEX_SLOT) {
            if (!object->anonymous || index_slot_of(entry).n >= vm->swap.fresh)
                return "an index names a slot that cannot be its own";
            census->slot_references[index_slot_of(entry).n]++;
        }
        known++;
        if (index_kind(entry) != INDEX_FRAME)
            continue;
        const struct frame *frame = frame_of(vm, index_pfn(entry));
        resident++;
        if (frame->object != object || page_id_index(frame->id) != page)
            return "an index names a frame of another object or page";
    }
    census->cached -= resident;
    if (resident != object->index.resident || known != object->index.known)
        return "an object's count of pages is wrong";
    return object->references == 0 && known == 0 ? "an object is left over" : NULL;
}

/* ---- all ---- */

static const char *check_all(struct vm *vm, struct census *census) {
    const char *wrong = check_frames(vm, census);
    for (uint32_t i = 0; !wrong && i < vm->space_capacity; i++)
        if (vm->spaces[i])
            wrong = check_space(vm->spaces[i], census);
    struct object *object;
    TAILQ_FOREACH(object, &vm->objects, of_vm) {
        if (!wrong)
            wrong = check_object(object, census);
    }
    if (!wrong && (census->mappers || census->cached))
        wrong = "a frame lists a mapper or an object that does not name it";
    if (!wrong)
        wrong = check_slots(vm, census);
    return wrong || !vm->policy->check ? wrong : vm->policy->check(vm->policy_state);
}

const char *vm_check(struct vm *vm) {
    struct census census = {.slot_references = calloc((size_t)vm->swap.fresh + 1, sizeof(uint32_t))};
    if (!census.slot_references)
        return NULL; /* the host is out of memory: nothing can be said */
    const char *wrong = check_all(vm, &census);
    free(census.slot_references);
    return wrong;
}
