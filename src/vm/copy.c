/* Copy-on-write: a write to a private page that somebody else has, too, goes to a copy of it.
 *
 *   the page is          the copy is filled
 *   ------------------   ------------------------------------------------------------
 *   present              from its frame
 *   swapped              from the frame of its slot if that is in memory, else straight from the slot
 *   the object's         from the cache's frame, else straight from the file
 *
 * The frame of the copy is allocated first. That may evict the very page that is to be copied; so the entry
 * is looked at only afterwards, and the copy never needs a second frame. Who else has the page does not
 * change by an eviction: whether to copy was decided before. */
#include <string.h>

#include "vm/fault.h"
#include "vm/merge.h"
#include "vm/prefetch.h"
#include "vm/state.h"

/* No frame: the copy came directly from a disk, or is of a page that was never written. */
#define FROM_DISK UINT64_MAX

static uint64_t copy_from_frame(struct vm *vm, pfn_t from, pfn_t to) {
    prefetch_used(vm, from);
    memcpy(frame_bytes(vm, to), frame_bytes(vm, from), PAGE_SIZE);
    return from.n;
}

static int copy_from_slot(struct fault *f, slot_t number, pfn_t to, uint64_t *ret_source) {
    struct vm *vm = f->space->vm;
    const pfn_t cached = slot_of(vm, number)->frame;
    if (!pfn_is_none(cached)) {
        *ret_source = copy_from_frame(vm, cached, to);
        return 0;
    }
    f->doing = "swap-in";
    const int error = slot_read(vm, number, to);
    if (!error)
        fault_filled(f, &(struct object_fill){.read = true, .refault = true, .swapped = true});
    return error;
}

static int copy_from_object(struct fault *f, pfn_t to, uint64_t *ret_source) {
    struct object *object = f->mapping->object;
    const uint64_t page = mapping_object_page(f->mapping, f->vpn);
    const struct index_entry entry = index_get(&object->index, page);
    if (index_kind(entry) == INDEX_FRAME) {
        *ret_source = copy_from_frame(f->space->vm, index_pfn(entry), to);
        return 0;
    }
    struct object_fill fill;
    f->doing = object->name;
    const int error = object_copy_page(object, page, to, &fill);
    if (!error)
        fault_filled(f, &fill);
    return error;
}

/* Fills the copy with the page as it is now. */
static int copy_fill(struct fault *f, pfn_t to, uint64_t *ret_source) {
    const pte_t pte = space_pte(f->space, f->vpn);
    switch (pte_kind(pte)) {
    case PTE_PRESENT: *ret_source = copy_from_frame(f->space->vm, pte_pfn(pte), to); return 0;
    case PTE_SWAPPED: return copy_from_slot(f, pte_slot(pte), to, ret_source);
    case PTE_EMPTY: return copy_from_object(f, to, ret_source);
    }
    return 0;
}

int fault_copy(struct fault *f) {
    struct vm *vm = f->space->vm;
    pfn_t pfn;
    uint64_t source = FROM_DISK;
    f->kind = EVENT_FAULT_COW;
    const page_id_t id = vm_new_page_id(vm);
    int error = fault_frame(f, id, &pfn);
    if (error)
        return error;
    error = copy_fill(f, pfn, &source);
    if (error) {
        frame_free(vm, pfn);
        return error;
    }
    mapping_filled(f->mapping);
    frame_take(vm, pfn, EVENT_FRAME_ANONYMOUS, id, NULL);
    trace_emit(vm->config.trace, EVENT_COPY, 0, pfn.n, source, id.n, 0, 0);
    content_filled(vm, pfn);
    fault_install_new(f, pfn);
    return 0;
}
