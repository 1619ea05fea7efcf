/* See object.h. The life of objects; what happens to their pages is in cache.c.
 *
 *   references > 0              somebody holds or maps it
 *   references == 0, known      only the index remembers it: pages that are in the cache, or were
 *   neither                     it is destroyed, and its file released */
#include "vm/object.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base.h"
#include "vm/mapping.h"
#include "vm/state.h"

static void object_emit(struct object *object) {
    struct trace *trace = object->vm->config.trace;
    if (!trace || !trace->listening)
        return;
    const uint64_t name = trace_string(trace, object->name, strlen(object->name));
    trace_emit(trace, EVENT_OBJECT, 0, object->number, object->generation, name, object_end_page(object), 0);
}

static int object_create(struct vm *vm, const struct object *template, const char *name,
                         struct object **ret_object) {
    struct object *object = vm_alloc(vm, sizeof *object);
    if (!object)
        return -ENOMEM;
    *object = *template;
    object->name = inject_strdup(vm->config.inject, name);
    if (!object->name) {
        free(object);
        return -ENOMEM;
    }
    object->vm = vm;
    object->number = ++vm->last_object;
    object->generation = ++vm->last_generation;
    object->references = 1;
    LIST_INIT(&object->mappings);
    TAILQ_INSERT_TAIL(&vm->objects, object, of_vm);
    object_emit(object);
    *ret_object = object;
    return 0;
}

int object_create_file(struct vm *vm, const struct object_backing *backing, void *file, const char *name,
                       struct object **ret_object) {
    const struct object template = {.backing = *backing, .file = file};
    return object_create(vm, &template, name, ret_object);
}

int object_create_anonymous(struct vm *vm, uint64_t size, const char *name, struct object **ret_object) {
    const struct object template = {.anonymous = true, .size = size};
    return object_create(vm, &template, name, ret_object);
}

struct object *object_ref(struct object *object) {
    object->references++;
    return object;
}

void object_unref(struct object *object) {
    assert(object->references > 0);
    if (--object->references > 0)
        return;
    if (object->anonymous || object->forgotten)
        object_drop_range(object, 0, UINT64_MAX);
    object_pages_gone(object);
}

void object_forget(struct object *object) {
    object->forgotten = true;
}

void object_pages_gone(struct object *object) {
    if (object->references == 0 && object->index.known == 0)
        object_destroy(object);
}

void object_promise(struct object *object, uint64_t pages) {
    object->promised += pages;
    object->vm->promised += pages;
}

void object_destroy(struct object *object) {
    assert(object->references == 0 && LIST_EMPTY(&object->mappings));
    object_drop_range(object, 0, UINT64_MAX);
    index_clear(&object->index, 0);
    object->vm->promised -= object->promised;
    TAILQ_REMOVE(&object->vm->objects, object, of_vm);
    trace_emit(object->vm->config.trace, EVENT_OBJECT_GONE, 0, object->number, 0, 0, 0, 0);
    if (!object->anonymous && object->backing.release)
        object->backing.release(object->file);
    free(object->name);
    free(object);
}

/* ---- what is known about it ---- */

void *object_file(const struct object *object) {
    return object->file;
}

uint32_t object_number(const struct object *object) {
    return object->number;
}

const char *object_name(const struct object *object) {
    return object->name;
}

uint64_t object_size(const struct object *object) {
    return object->anonymous ? object->size : object->backing.size(object->file);
}

uint64_t object_end_page(const struct object *object) {
    const uint64_t size = object_size(object);
    return (size >> PAGE_SHIFT) + ((size & PAGE_MASK) != 0);
}

uint64_t object_resident(const struct object *object) {
    return object->index.resident;
}

uint64_t object_swapped(struct object *object) {
    struct index_entry entry;
    uint64_t swapped = 0;
    for (uint64_t page = 0; index_next(&object->index, &page, UINT64_MAX, &entry); page++)
        swapped += index_kind(entry) == INDEX_SLOT;
    return swapped;
}

bool object_is_mapped(const struct object *object) {
    return !LIST_EMPTY(&object->mappings);
}

bool object_may_be_written(const struct object *object) {
    const struct mapping *m;
    LIST_FOREACH(m, &object->mappings, of_object)
        if ((m->flags & MAPPING_SHARED) && (m->flags & MAPPING_MAY_WRITE))
            return true;
    return false;
}

uint64_t object_next_content(struct object *object, uint64_t page) {
    struct index_entry entry;
    return index_next(&object->index, &page, UINT64_MAX, &entry) ? page : UINT64_MAX;
}

static int object_zero(struct object *object, uint64_t offset, uint64_t length) {
    static const uint8_t zeroes[PAGE_SIZE];
    if (length == 0 || object_next_content(object, offset / PAGE_SIZE) != offset / PAGE_SIZE)
        return 0;
    return object_write(object, offset, zeroes, length) < 0 ? -ENOMEM : 0;
}

int object_punch(struct object *object, uint64_t offset, uint64_t length) {
    const uint64_t end = min_u64(offset + length, object_size(object));
    if (offset >= end)
        return 0;
    const uint64_t first = page_round_up(offset), last = end & ~(uint64_t)PAGE_MASK;
    if (first > last) /* inside of one page */
        return object_zero(object, offset, end - offset);
    object_drop_range(object, first >> PAGE_SHIFT, last >> PAGE_SHIFT);
    const int error = object_zero(object, offset, first - offset);
    return error ? error : object_zero(object, last, end - last);
}

void object_watch_mappings(struct object *object, void (*changed)(void *context, struct space *, int by),
                           void *context) {
    object->mappings_changed = changed;
    object->mappings_context = context;
}

page_id_t object_page_id(const struct object *object, uint64_t page, struct index_entry entry) {
    switch (index_kind(entry)) {
    case INDEX_NONE: break;
    case INDEX_FRAME: return frame_of(object->vm, index_pfn(entry))->id;
    case INDEX_SLOT: return slot_of(object->vm, index_slot_of(entry))->id;
    case INDEX_EVICTED: return page_id_of_object(index_generation(entry), page);
    }
    return page_id_of_object(object->generation, page);
}

void object_new_generation(struct object *object) {
    trace_emit(object->vm->config.trace, EVENT_OBJECT_GONE, 0, object->number, 0, 0, 0, 0);
    object->generation = ++object->vm->last_generation;
    object_emit(object); /* the same number, as another object for whoever knows pages by identity */
}
