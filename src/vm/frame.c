/* See frame.h. The table is one piece of host memory that the host brings in as frames come into use: state
 * FREE is 0, and the pool hands frames out in ascending order before it looks at those given back. */
#include "vm/frame.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/base.h"
#include "vm/prefetch.h"
#include "vm/reclaim.h"
#include "vm/reference.h"
#include "vm/space.h"
#include "vm/state.h"

_Static_assert(EVENT_FRAME_FREE == 0, "an untouched record is a free frame's");

/* A free frame holds junk on purpose, so that whoever relies on its content is found out. */
#ifdef NDEBUG
enum { FRAME_JUNK = 0 };
#else
enum { FRAME_JUNK = 0xdb };
#endif

/* ---- the table ---- */

static void frame_set_state(struct vm *vm, pfn_t pfn, enum event_frame state, page_id_t id) {
    struct frame_table *table = &vm->frames;
    struct frame *frame = frame_of(vm, pfn);
    table->counts[frame->state]--;
    table->counts[state]++;
    table->peaks[state] = max_u32(table->peaks[state], table->counts[state]);
    frame->state = (uint8_t)state;
    frame->id = id;
    trace_emit(vm->config.trace, EVENT_FRAME, state, pfn.n, id.n, 0, 0, 0);
}

static struct frame_pool pool_make(uint32_t start, uint32_t end) {
    return (struct frame_pool){.first = UINT32_MAX, .fresh = start, .end = end, .count = end - start};
}

int frame_table_create(struct vm *vm, uint32_t reserved, uint32_t pages, uint32_t tables) {
    struct frame_table *table = &vm->frames;
    const size_t bytes = page_round_up((size_t)vm->mem.frames * sizeof(struct frame));
    if (inject_fails(vm->config.inject, INJECT_ALLOC))
        return -ENOMEM;
    void *frames =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (frames == MAP_FAILED)
        return -ENOMEM;
    (void)madvise(frames, bytes,
                  MADV_HUGEPAGE); /* spares the host's TLB; a host without them is only slower */
    *table = (struct frame_table){
        .frames = frames,
        .bytes = bytes,
        .pages = pool_make(reserved, reserved + pages),
        .tables = pool_make(reserved + pages, reserved + pages + tables),
        .tables_apart = tables > 0,
        .lowest_free = pages,
    };
    table->counts[EVENT_FRAME_FREE] = vm->mem.frames;
    for (uint32_t i = 0; i < reserved; i++)
        frame_set_state(vm, (pfn_t){i}, EVENT_FRAME_RESERVED, PAGE_ID_NONE);
    return 0;
}

void frame_table_destroy(struct vm *vm) {
    if (vm->frames.frames)
        munmap(vm->frames.frames, vm->frames.bytes);
}

/* ---- the free pools ---- */

static bool pool_take(struct vm *vm, struct frame_pool *pool, pfn_t *ret_frame) {
    if (pool->first != UINT32_MAX) {
        *ret_frame = (pfn_t){pool->first};
        pool->first = frame_of(vm, *ret_frame)->next_free;
    } else if (pool->fresh < pool->end) {
        *ret_frame = (pfn_t){pool->fresh++};
    } else {
        return false;
    }
    pool->count--;
    return true;
}

/* Appends the frames that were never used, below `end`, to those given back: they are taken later, in
 * ascending order, like before. */
static void pool_skip_fresh(struct vm *vm, struct frame_pool *pool, uint32_t end) {
    uint32_t *link = &pool->first;
    while (*link != UINT32_MAX)
        link = &frame_of(vm, (pfn_t){*link})->next_free;
    for (; pool->fresh < end; pool->fresh++) {
        *link = pool->fresh;
        link = &frame_of(vm, (pfn_t){pool->fresh})->next_free;
    }
    *link = UINT32_MAX;
}

/* Takes this frame out of the pool: false when it is not there. */
static bool pool_remove(struct vm *vm, struct frame_pool *pool, pfn_t pfn) {
    if (pfn.n >= pool->end)
        return false;
    if (pfn.n >= pool->fresh) {
        pool_skip_fresh(vm, pool, pfn.n);
        pool->fresh++;
        pool->count--;
        return true;
    }
    for (uint32_t *link = &pool->first; *link != UINT32_MAX;
         link = &frame_of(vm, (pfn_t){*link})->next_free) {
        if (*link == pfn.n) {
            *link = frame_of(vm, pfn)->next_free;
            pool->count--;
            return true;
        }
    }
    return false;
}

/* The frame that was decided in advance: false when there is none, or it is not free. */
static bool pool_take_chosen(struct vm *vm, struct frame_pool *pool, pfn_t *ret_frame) {
    struct choice choice;
    if (likely(!choice_next(vm, CHOICE_FRAMES, &choice)))
        return false;
    *ret_frame = (pfn_t){choice.number};
    if (pool_remove(vm, pool, *ret_frame))
        return true;
    if (choice.number >= pool->end)
        choice_refuse(vm, &choice, "is not a frame for pages");
    else if (frame_of(vm, *ret_frame)->state == EVENT_FRAME_RESERVED)
        choice_refuse(vm, &choice, "is reserved");
    else
        choice_refuse(vm, &choice, "is in use");
    return false;
}

static void pool_put(struct vm *vm, struct frame_pool *pool, pfn_t pfn) {
    struct frame *frame = frame_of(vm, pfn);
    assert(frame->state == EVENT_FRAME_FREE && frame->mappers == 0);
    if (FRAME_JUNK)
        memset(frame_bytes(vm, pfn), FRAME_JUNK, PAGE_SIZE);
    frame->flags = FRAME_STALE;
    frame->next_free = pool->first;
    pool->first = pfn.n;
    pool->count++;
}

bool frame_alloc_free(struct vm *vm, pfn_t *ret_frame) {
    struct frame_pool *pool = &vm->frames.pages;
    if (pool->count == 0)
        return false;
    if (!pool_take_chosen(vm, pool, ret_frame))
        (void)pool_take(vm, pool, ret_frame); /* which is not empty */
    vm->frames.lowest_free = min_u32(vm->frames.lowest_free, vm->frames.pages.count);
    physmem_populate(&vm->mem, *ret_frame);
    return true;
}

int frame_alloc(struct vm *vm, pfn_t *ret_frame) {
    if (likely(frame_alloc_free(vm, ret_frame)))
        return 0;
    return reclaim_frame(vm, ret_frame);
}

void frame_zero(struct vm *vm, pfn_t pfn) {
    if (frame_of(vm, pfn)->flags & FRAME_STALE)
        memset(frame_bytes(vm, pfn), 0, PAGE_SIZE);
}

void frame_free(struct vm *vm, pfn_t pfn) {
    pool_put(vm, &vm->frames.pages, pfn);
}

int frame_alloc_table(void *context, pfn_t *ret_frame) {
    struct vm *vm = context;
    if (vm->frames.tables_apart) {
        if (!pool_take(vm, &vm->frames.tables, ret_frame))
            return -ENOMEM;
        physmem_populate(&vm->mem, *ret_frame);
    } else {
        const int error = frame_alloc(vm, ret_frame);
        if (error)
            return error;
    }
    frame_zero(vm, *ret_frame);
    frame_of(vm, *ret_frame)->flags = 0;
    frame_set_state(vm, *ret_frame, EVENT_FRAME_TABLE, PAGE_ID_NONE);
    return 0;
}

void frame_free_table(void *context, pfn_t pfn) {
    struct vm *vm = context;
    assert(frame_of(vm, pfn)->state == EVENT_FRAME_TABLE);
    frame_set_state(vm, pfn, EVENT_FRAME_FREE, PAGE_ID_NONE);
    pool_put(vm, vm->frames.tables_apart ? &vm->frames.tables : &vm->frames.pages, pfn);
}

/* ---- what a frame holds ---- */

void frame_take(struct vm *vm, pfn_t pfn, enum event_frame state, page_id_t id, struct object *object) {
    struct frame *frame = frame_of(vm, pfn);
    assert(frame->state == EVENT_FRAME_FREE && !frame->more && frame->mappers == 0);
    assert((state == EVENT_FRAME_CACHE) == (object != NULL));
    frame->object = object;
    frame->slot = SLOT_NONE;
    frame->flags = 0;
    frame_set_state(vm, pfn, state, id);
}

void frame_insert(struct vm *vm, pfn_t pfn) {
    struct frame *frame = frame_of(vm, pfn);
    assert(!(frame->flags & FRAME_INSERTED));
    frame->flags |= FRAME_INSERTED;
    vm->policy->insert(vm->policy_state, pfn, frame->id);
}

void frame_set_aside(struct vm *vm, pfn_t pfn) {
    struct frame *frame = frame_of(vm, pfn);
    vm->policy->remove(vm->policy_state, pfn, frame->id, POLICY_UNMAPPED);
    frame->flags = (uint8_t)((frame->flags & ~(FRAME_INSERTED | FRAME_TOUCHED)) | FRAME_ASIDE);
    vm->frames.aside++;
}

static void frame_not_aside(struct vm *vm, struct frame *frame) {
    if (!(frame->flags & FRAME_ASIDE))
        return;
    frame->flags &= (uint8_t)~FRAME_ASIDE;
    vm->frames.aside--;
}

void frame_reconsider(struct vm *vm, pfn_t pfn) {
    struct frame *frame = frame_of(vm, pfn);
    if (!(frame->flags & FRAME_ASIDE))
        return;
    frame_not_aside(vm, frame);
    frame_insert(vm, pfn);
}

void frame_strip(struct vm *vm, pfn_t pfn, enum policy_remove reason) {
    struct frame *frame = frame_of(vm, pfn);
    assert(frame->mappers == 0);
    if (frame->flags & FRAME_INSERTED)
        vm->policy->remove(vm->policy_state, pfn, frame->id, reason);
    if (reason != POLICY_EVICTED)
        reference_page_dies(vm, frame->id, reason);
    prefetch_lost(vm, pfn);
    frame_not_aside(vm, frame);
    if (!slot_is_none(frame->slot))
        slot_detach(vm, pfn);
    free(frame->more);
    frame->more = NULL;
    frame->object = NULL;
    frame->flags = FRAME_STALE;
    frame_set_state(vm, pfn, EVENT_FRAME_FREE, PAGE_ID_NONE);
}

void frame_discard(struct vm *vm, pfn_t pfn, enum policy_remove reason) {
    frame_strip(vm, pfn, reason);
    frame_free(vm, pfn);
}

void frame_unmapped(struct vm *vm, pfn_t pfn, enum policy_remove reason) {
    const struct frame *frame = frame_of(vm, pfn);
    if (frame->state == EVENT_FRAME_ANONYMOUS && frame_owners(vm, pfn) == 0)
        frame_discard(vm, pfn, reason);
}

/* ---- reverse mappings ---- */

static struct rmap *rmap_place(struct frame *frame, uint32_t i) {
    return i == 0 ? &frame->first : &frame->more->entries[i - 1];
}

struct rmap frame_mapper(const struct frame *frame, uint32_t i) {
    assert(i < frame->mappers);
    return i == 0 ? frame->first : frame->more->entries[i - 1];
}

int frame_reserve_mapper(struct vm *vm, pfn_t pfn) {
    struct frame *frame = frame_of(vm, pfn);
    const uint32_t capacity = frame->more ? frame->more->capacity : 0;
    if (frame->mappers <= capacity)
        return 0;
    const uint32_t wanted = capacity ? 2 * capacity : 3;
    struct rmap_more *more = inject_realloc(vm->config.inject, frame->more, 1,
                                            sizeof *more + (size_t)wanted * sizeof(struct rmap));
    if (!more)
        return -ENOMEM;
    more->capacity = wanted;
    frame->more = more;
    return 0;
}

void frame_add_mapper(struct vm *vm, pfn_t pfn, struct rmap rmap) {
    struct frame *frame = frame_of(vm, pfn);
    assert(frame->mappers == 0 || (frame->more && frame->mappers <= frame->more->capacity));
    *rmap_place(frame, frame->mappers++) = rmap;
}

/* Where a mapper stands. The newest is looked at first: it is the likeliest to go. */
static struct rmap *rmap_find(struct frame *frame, struct rmap rmap) {
    for (uint32_t i = frame->mappers; i-- > 0;)
        if (rmap_place(frame, i)->v == rmap.v)
            return rmap_place(frame, i);
    assert(false && "a PTE names a frame that does not list it");
    abort();
}

void frame_remove_mapper(struct vm *vm, pfn_t pfn, struct rmap rmap) {
    struct frame *frame = frame_of(vm, pfn);
    *rmap_find(frame, rmap) = *rmap_place(frame, frame->mappers - 1);
    frame->mappers--;
    if (frame->mappers <= 1 && frame->more) {
        free(frame->more);
        frame->more = NULL;
    }
}

void frame_replace_mapper(struct vm *vm, pfn_t pfn, struct rmap old, struct rmap new) {
    *rmap_find(frame_of(vm, pfn), old) = new;
}

/* ---- dirty, referenced, owners ---- */

static pte_t rmap_pte(struct vm *vm, struct rmap rmap) {
    return space_pte(vm->spaces[rmap_space(rmap)], rmap_vpn(rmap));
}

bool frame_is_dirty(struct vm *vm, pfn_t pfn) {
    const struct frame *frame = frame_of(vm, pfn);
    bool dirty = frame->flags & FRAME_DIRTY;
    for (uint32_t i = 0; i < frame->mappers && !dirty; i++)
        dirty = pte_has(rmap_pte(vm, frame_mapper(frame, i)), PTE_DIRTY);
    return dirty;
}

uint32_t frame_owners(struct vm *vm, pfn_t pfn) {
    const struct frame *frame = frame_of(vm, pfn);
    const uint32_t swapped = slot_is_none(frame->slot) ? 0 : slot_of(vm, frame->slot)->references;
    return frame->mappers + swapped;
}

bool frame_test_and_clear_referenced(void *context, pfn_t pfn) {
    struct vm *vm = context;
    struct frame *frame = frame_of(vm, pfn);
    bool referenced = frame->flags & FRAME_REFERENCED;
    frame->flags &= (uint8_t)~FRAME_REFERENCED;
    for (uint32_t i = 0; i < frame->mappers; i++) {
        const struct rmap rmap = frame_mapper(frame, i);
        const pte_t pte = rmap_pte(vm, rmap);
        if (!pte_has(pte, PTE_REFERENCED))
            continue;
        referenced = true;
        space_replace_pte(vm->spaces[rmap_space(rmap)], rmap_vpn(rmap), pte, pte_clear(pte, PTE_REFERENCED));
    }
    return referenced;
}
