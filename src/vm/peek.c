/* Looking at a program's memory without touching it: what a load would find, whether the page is in a frame,
 * in a slot, in its file, or was never touched. No fault is served, no frame filled, no bit set and nothing
 * counted, so that who looks on may look whenever it likes. */
#include <string.h>

#include "base/base.h"
#include "vm/space.h"
#include "vm/state.h"

static bool peek_slot(struct vm *vm, slot_t number, uint8_t page[PAGE_SIZE]) {
    const pfn_t cached = slot_of(vm, number)->frame;
    if (pfn_is_none(cached))
        return disk_read(vm->config.swap, number, page) == 0;
    memcpy(page, frame_bytes(vm, cached), PAGE_SIZE);
    return true;
}

static bool peek_object(struct object *object, uint64_t index, uint8_t page[PAGE_SIZE]) {
    const struct index_entry entry = index_get(&object->index, index);
    switch (index_kind(entry)) {
    case INDEX_FRAME: memcpy(page, frame_bytes(object->vm, index_pfn(entry)), PAGE_SIZE); return true;
    case INDEX_SLOT: return peek_slot(object->vm, index_slot_of(entry), page);
    case INDEX_NONE:
    case INDEX_EVICTED: break;
    }
    if (index >= object_end_page(object))
        return false;
    if (!object->anonymous)
        return object->backing.read_page(object->file, index, page) == 0;
    memset(page, 0, PAGE_SIZE);
    return true;
}

/* The page's bytes into `page`, or *ret_bytes leads to them where they are. */
static bool peek_page(struct space *space, vpn_t vpn, uint8_t page[PAGE_SIZE], const uint8_t **ret_bytes) {
    const struct mapping *m = space->reaped ? NULL : mapping_find(space, vpn);
    const pte_t pte = space_pte(space, vpn);
    *ret_bytes = page;
    if (!m || !(mapping_access(m) & ACCESS_READ))
        return false;
    switch (pte_kind(pte)) {
    case PTE_PRESENT: *ret_bytes = frame_bytes(space->vm, pte_pfn(pte)); return true;
    case PTE_SWAPPED: return peek_slot(space->vm, pte_slot(pte), page);
    case PTE_EMPTY: break;
    }
    if (m->object)
        return peek_object(m->object, mapping_object_page(m, vpn), page);
    memset(page, 0, PAGE_SIZE);
    return true;
}

size_t space_peek(struct space *space, uint64_t address, void *to, size_t length) {
    uint8_t page[PAGE_SIZE];
    size_t done = 0;
    while (done < length && address + done < USER_END) {
        const uint64_t at = address + done, offset = at & PAGE_MASK;
        const size_t stretch = min_size(length - done, PAGE_SIZE - offset);
        const uint8_t *bytes;
        if (!peek_page(space, vpn_of(at), page, &bytes))
            break;
        memcpy((uint8_t *)to + done, bytes + offset, stretch);
        done += stretch;
    }
    return done;
}
