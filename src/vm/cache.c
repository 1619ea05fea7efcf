/* The page cache: the pages of objects that are in frames, found by (object, page).
 *
 *   index says   the page is                                    found by a fault
 *   ----------   --------------------------------------------   -------------------------------
 *   frame        in this frame, mapped or not                    minor
 *   slot         swapped out (shared anonymous memory)           read from the slot
 *   evicted      in its file; was here before, the same page     read from the file, a refault
 *   none         in its file; or never touched (anonymous)       read from the file; zeros
 *
 * read() and write() of a file go to the host; what is resident is laid over what was read (it may be newer),
 * or brought up to date with what was written. Nothing is brought in for them. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "vm/object.h"
#include "vm/prefetch.h"
#include "vm/space.h"
#include "vm/state.h"

/* ---- bringing pages in ---- */

static int fill_from_file(struct object *object, uint64_t page, page_id_t id, pfn_t pfn) {
    struct vm *vm = object->vm;
    const int error = object->backing.read_page(object->file, page, frame_bytes(vm, pfn));
    if (error)
        return error;
    trace_emit(vm->config.trace, EVENT_FILE_READ, 0, pfn.n, object->number, page, id.n, 0);
    content_filled(vm, pfn);
    return 0;
}

int object_copy_page(struct object *object, uint64_t page, pfn_t pfn, struct object_fill *ret_fill) {
    struct vm *vm = object->vm;
    const struct index_entry entry = index_get(&object->index, page);
    int error = 0;
    struct object_fill fill = {0};
    if (index_kind(entry) == INDEX_SLOT) {
        error = slot_read(vm, index_slot_of(entry), pfn);
        fill = (struct object_fill){.read = true, .refault = true, .swapped = true};
    } else if (object->anonymous) {
        frame_zero(vm, pfn);
    } else {
        error = fill_from_file(object, page, object_page_id(object, page, entry), pfn);
        fill = (struct object_fill){.read = true, .refault = index_kind(entry) == INDEX_EVICTED};
    }
    fill.is_new = index_kind(entry) == INDEX_NONE;
    if (!error)
        *ret_fill = fill;
    return error;
}

int object_fill_frame(struct object *object, uint64_t page, pfn_t pfn, struct object_fill *ret_fill) {
    struct vm *vm = object->vm;
    int error = index_reserve(&object->index, vm->config.inject, page);
    if (!error)
        error = object_copy_page(object, page, pfn, ret_fill);
    if (error)
        return error;
    const struct index_entry entry = index_get(&object->index, page);
    assert(index_kind(entry) != INDEX_FRAME);
    const bool swapped = index_kind(entry) == INDEX_SLOT;
    const page_id_t id = object_page_id(object, page, entry);
    frame_take(vm, pfn, EVENT_FRAME_CACHE, id, object);
    index_set(&object->index, page, index_frame(pfn));
    if (swapped) {
        slot_attach(vm, index_slot_of(entry), pfn);
        slot_unref(vm, index_slot_of(entry));
    } else if (object->anonymous) {
        trace_emit(vm->config.trace, EVENT_ZERO_FILL, 0, pfn.n, id.n, 0, 0, 0);
        content_filled(vm, pfn);
        frame_of(vm, pfn)->flags |= FRAME_DIRTY;
        if (vm->config.slot_at_first_touch)
            (void)slot_assign(vm, pfn); /* a full swap area shows when the page must go */
    }
    return 0;
}

static int bring_in(struct object *object, uint64_t page, unsigned access, pfn_t *ret_frame) {
    struct vm *vm = object->vm;
    struct object_fill fill;
    pfn_t pfn;
    reference_misses(vm, object_page_id(object, page, index_get(&object->index, page)));
    int error = frame_alloc(vm, &pfn);
    if (error)
        return error;
    error = object_fill_frame(object, page, pfn, &fill);
    if (error) {
        frame_free(vm, pfn);
        return error;
    }
    vm->tally.misses++;
    vm->tally.refaults += fill.refault;
    frame_of(vm, pfn)->flags |= FRAME_REFERENCED;
    reference_insert(vm, pfn, &(struct arrival){.access = access, .is_new = fill.is_new});
    *ret_frame = pfn;
    return 0;
}

int object_get_page(struct object *object, uint64_t page, unsigned access, pfn_t *ret_frame) {
    struct index_entry entry = index_get(&object->index, page);
    if (index_kind(entry) != INDEX_FRAME)
        return bring_in(object, page, access, ret_frame);
    *ret_frame = index_pfn(entry);
    frame_of(object->vm, *ret_frame)->flags |= FRAME_REFERENCED;
    prefetch_used(object->vm, *ret_frame);
    reference_make(object->vm, *ret_frame, access);
    return 0;
}

/* ---- writing back ---- */

/* The page has just been written: no PTE may say "dirty", and the next write must be noticed. */
static void object_make_clean(struct vm *vm, pfn_t pfn) {
    struct frame *frame = frame_of(vm, pfn);
    for (uint32_t i = 0; i < frame->mappers; i++) {
        const struct rmap rmap = frame_mapper(frame, i);
        struct space *space = vm->spaces[rmap_space(rmap)];
        const pte_t pte = space_pte(space, rmap_vpn(rmap));
        space_replace_pte(space, rmap_vpn(rmap), pte, pte_clear(pte, PTE_DIRTY | PTE_W));
    }
    frame->flags &= (uint8_t)~FRAME_DIRTY;
}

int object_write_back(struct object *object, pfn_t pfn) {
    struct vm *vm = object->vm;
    if (object->anonymous || !frame_is_dirty(vm, pfn))
        return 0;
    const uint64_t page = page_id_index(frame_of(vm, pfn)->id);
    const int error = object->backing.write_page(object->file, page, frame_bytes(vm, pfn));
    if (error)
        return error;
    content_tell(vm, pfn);
    trace_emit(vm->config.trace, EVENT_WRITE_BACK, 0, pfn.n, object->number, page, 0, 0);
    object_make_clean(vm, pfn);
    return 0;
}

int object_write_back_range(struct object *object, uint64_t start, uint64_t end) {
    int first_error = 0;
    struct index_entry entry;
    for (uint64_t page = start; index_next(&object->index, &page, end, &entry); page++) {
        const int error = index_kind(entry) == INDEX_FRAME ? object_write_back(object, index_pfn(entry)) : 0;
        if (error && !first_error)
            first_error = error;
        if (!error && !object->anonymous) /* one that is not in memory was written when it was evicted */
            reference_page_cleaned(object->vm, object_page_id(object, page, entry));
    }
    return first_error;
}

void object_cool_range(struct object *object, uint64_t start, uint64_t end) {
    struct index_entry entry;
    for (uint64_t page = start; index_next(&object->index, &page, end, &entry); page++) {
        if (index_kind(entry) == INDEX_FRAME)
            (void)frame_test_and_clear_referenced(object->vm, index_pfn(entry));
        reference_page_cooled(object->vm, object_page_id(object, page, entry));
    }
}

/* The page behind the byte range's last one. */
static uint64_t range_end_page(uint64_t offset, uint64_t length) {
    if (length == 0)
        return offset >> PAGE_SHIFT;
    const uint64_t last = offset + length - 1;
    return ((last < offset ? UINT64_MAX : last) >> PAGE_SHIFT) + 1;
}

int object_sync(struct object *object, uint64_t offset, uint64_t length) {
    return object_write_back_range(object, offset >> PAGE_SHIFT, range_end_page(offset, length));
}

/* ---- dropping ---- */

void object_drop_page(struct object *object, uint64_t page, struct index_entry entry) {
    struct vm *vm = object->vm;
    switch (index_kind(entry)) {
    case INDEX_NONE: return;
    case INDEX_EVICTED:
        index_set(&object->index, page, (struct index_entry){INDEX_NONE});
        reference_page_dies(vm, object_page_id(object, page, entry), POLICY_UNMAPPED);
        return;
    case INDEX_SLOT:
        index_set(&object->index, page, (struct index_entry){INDEX_NONE});
        slot_unref(vm, index_slot_of(entry));
        slot_settle(vm, index_slot_of(entry), POLICY_UNMAPPED);
        return;
    case INDEX_FRAME: break;
    }
    const pfn_t pfn = index_pfn(entry);
    const struct frame *frame = frame_of(vm, pfn);
    while (frame->mappers > 0) {
        const struct rmap rmap = frame_mapper(frame, frame->mappers - 1);
        space_set_pte(vm->spaces[rmap_space(rmap)], rmap_vpn(rmap), (pte_t){0});
    }
    index_set(&object->index, page, (struct index_entry){INDEX_NONE});
    frame_discard(vm, pfn, POLICY_UNMAPPED);
}

void object_drop_range(struct object *object, uint64_t start, uint64_t end) {
    struct index_entry entry;
    for (uint64_t page = start; index_next(&object->index, &page, end, &entry); page++)
        object_drop_page(object, page, entry);
}

int object_remove_pages(struct object *object, uint64_t start, uint64_t end) {
    const struct object_backing *backing = &object->backing;
    int error = 0;
    if (!object->anonymous)
        error = backing->punch
                    ? backing->punch(object->file, start << PAGE_SHIFT, (end - start) << PAGE_SHIFT)
                    : -EOPNOTSUPP;
    if (error)
        return error;
    object_drop_range(object, start, end);
    object_new_generation(object);
    return 0;
}

void object_invalidate(struct object *object) {
    struct index_entry entry;
    (void)object_write_back_range(object, 0, UINT64_MAX); /* what cannot be written stays */
    for (uint64_t page = 0; index_next(&object->index, &page, UINT64_MAX, &entry); page++)
        if (index_kind(entry) != INDEX_FRAME || !frame_is_dirty(object->vm, index_pfn(entry)))
            object_drop_page(object, page, entry);
    object_new_generation(object);
    object_pages_gone(object);
}

/* ---- the size changes ---- */

/* Private copies of pages beyond the end go as well, as on Linux. */
static void truncate_mappings(struct object *object, uint64_t end_page) {
    struct mapping *m;
    LIST_FOREACH(m, &object->mappings, of_object) {
        const uint64_t kept = end_page > m->object_page ? end_page - m->object_page : 0;
        if (kept < mapping_pages(m))
            space_zap(m->space, m, (vpn_t){m->start.n + kept}, m->end, POLICY_UNMAPPED);
    }
}

/* What lies behind the end in the last page reads as zeros, in memory as in the file. */
static int truncate_last_page(struct object *object, uint64_t size) {
    struct vm *vm = object->vm;
    const uint64_t page = size >> PAGE_SHIFT;
    const unsigned offset = (unsigned)(size & PAGE_MASK);
    const struct index_entry entry = index_get(&object->index, page);
    pfn_t pfn = index_pfn(entry);
    if (offset == 0 || index_kind(entry) == INDEX_NONE)
        return 0;
    /* An evicted page keeps its identity, and translations with it. */
    vm_forget_code(vm, object_page_id(object, page, entry), offset, PAGE_SIZE - offset);
    if (index_kind(entry) == INDEX_EVICTED)
        return 0;
    if (object->anonymous) {
        const int error = object_get_page(object, page, ACCESS_WRITE, &pfn);
        if (error)
            return error;
        frame_of(vm, pfn)->flags |= FRAME_DIRTY;
    }
    memset((uint8_t *)frame_bytes(vm, pfn) + offset, 0, PAGE_SIZE - offset);
    return 0;
}

int object_truncate(struct object *object, uint64_t size) {
    const uint64_t end_page = (size >> PAGE_SHIFT) + ((size & PAGE_MASK) != 0);
    const int error = truncate_last_page(object, size);
    if (error)
        return error;
    if (object->anonymous)
        object->size = size;
    truncate_mappings(object, end_page);
    uint64_t page = end_page;
    struct index_entry entry;
    if (!index_next(&object->index, &page, UINT64_MAX, &entry))
        return 0;
    object_drop_range(object, end_page, UINT64_MAX);
    index_clear(&object->index, end_page);
    object_new_generation(object);
    object_pages_gone(object);
    return 0;
}

/* ---- coherence with read() and write() ---- */

/* A stretch of bytes within one page. */
struct stretch {
    uint64_t page;
    unsigned offset, length;
    size_t at; /* where it is in the caller's buffer */
};

static struct stretch stretch_of(uint64_t page, uint64_t offset, size_t length) {
    const uint64_t start = max_u64(page << PAGE_SHIFT, offset);
    const uint64_t end = min_u64((page + 1) << PAGE_SHIFT, offset + length);
    return (struct stretch){page, (unsigned)(start & PAGE_MASK), (unsigned)(end - start), start - offset};
}

void object_overlay(struct object *object, uint64_t offset, void *bytes, size_t length) {
    const uint64_t end = range_end_page(offset, length);
    struct index_entry entry;
    for (uint64_t page = offset >> PAGE_SHIFT; index_next(&object->index, &page, end, &entry); page++) {
        if (index_kind(entry) != INDEX_FRAME)
            continue;
        const struct stretch s = stretch_of(page, offset, length);
        const uint8_t *from = frame_bytes(object->vm, index_pfn(entry));
        memcpy((uint8_t *)bytes + s.at, from + s.offset, s.length);
    }
}

void object_update(struct object *object, uint64_t offset, const void *bytes, size_t length) {
    struct vm *vm = object->vm;
    const uint64_t end = range_end_page(offset, length);
    struct index_entry entry;
    for (uint64_t page = offset >> PAGE_SHIFT; index_next(&object->index, &page, end, &entry); page++) {
        const struct stretch s = stretch_of(page, offset, length);
        if (index_kind(entry) == INDEX_FRAME)
            memcpy((uint8_t *)frame_bytes(vm, index_pfn(entry)) + s.offset, (const uint8_t *)bytes + s.at,
                   s.length);
        /* An evicted page keeps its identity, and translations with it. */
        vm_forget_code(vm, object_page_id(object, page, entry), s.offset, s.length);
    }
}

/* ---- reading and writing shared anonymous memory itself ---- */

void object_touch(struct object *object, uint64_t offset, size_t length) {
    const uint64_t end = min_u64(range_end_page(offset, length), object_end_page(object));
    pfn_t pfn;
    for (uint64_t page = offset >> PAGE_SHIFT; page < end; page++)
        if (object_get_page(object, page, ACCESS_READ, &pfn) < 0)
            return;
}

static int object_read_page(struct object *object, const struct stretch *s, uint8_t *to) {
    const struct index_entry entry = index_get(&object->index, s->page);
    if (index_kind(entry) == INDEX_NONE) {
        memset(to, 0, s->length);
        return 0;
    }
    pfn_t pfn;
    const int error = object_get_page(object, s->page, ACCESS_READ, &pfn);
    if (!error)
        memcpy(to, (const uint8_t *)frame_bytes(object->vm, pfn) + s->offset, s->length);
    return error;
}

static int object_write_page(struct object *object, const struct stretch *s, const uint8_t *from) {
    pfn_t pfn;
    const int error = object_get_page(object, s->page, ACCESS_WRITE, &pfn);
    if (error)
        return error;
    struct frame *frame = frame_of(object->vm, pfn);
    memcpy((uint8_t *)frame_bytes(object->vm, pfn) + s->offset, from, s->length);
    frame->flags |= FRAME_DIRTY;
    vm_forget_code(object->vm, frame->id, s->offset, s->length);
    return 0;
}

ssize_t object_read(struct object *object, uint64_t offset, void *bytes, size_t length) {
    assert(object->anonymous);
    if (offset >= object->size)
        return 0;
    length = (size_t)min_u64(length, object->size - offset);
    for (size_t done = 0; done < length;) {
        struct stretch s = stretch_of((offset + done) >> PAGE_SHIFT, offset + done, length - done);
        const int error = object_read_page(object, &s, (uint8_t *)bytes + done);
        if (error)
            return done ? (ssize_t)done : error;
        done += s.length;
    }
    return (ssize_t)length;
}

ssize_t object_write(struct object *object, uint64_t offset, const void *bytes, size_t length) {
    assert(object->anonymous);
    for (size_t done = 0; done < length;) {
        struct stretch s = stretch_of((offset + done) >> PAGE_SHIFT, offset + done, length - done);
        const int error = object_write_page(object, &s, (const uint8_t *)bytes + done);
        if (error)
            return done ? (ssize_t)done : error;
        done += s.length;
        object->size = max_u64(object->size, offset + done);
    }
    return (ssize_t)length;
}
