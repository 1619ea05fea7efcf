/* The life of an address space. */
#include "vm/space.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/base.h"
#include "vm/state.h"

/* ---- numbers ---- */

/* The lowest free number, so that traces of small machines have small ones. */
static int space_number(struct vm *vm, uint32_t *ret_number) {
    uint32_t number = vm->space_lowest;
    while (number < vm->space_capacity && vm->spaces[number])
        number++;
    if (number >= RMAP_SPACES)
        return -ENOMEM;
    if (number == vm->space_capacity) {
        const uint32_t capacity = max_u32(16, 2 * vm->space_capacity);
        struct space **spaces =
            inject_realloc(vm->config.inject, vm->spaces, capacity, sizeof(struct space *));
        if (!spaces)
            return -ENOMEM;
        for (uint32_t i = vm->space_capacity; i < capacity; i++)
            spaces[i] = NULL;
        vm->spaces = spaces;
        vm->space_capacity = capacity;
    }
    *ret_number = number;
    return 0;
}

/* ---- creation ---- */

int space_create_from(struct vm *vm, uint32_t pid, const struct space *from, struct space **ret_space) {
    struct space *space = vm_alloc(vm, sizeof *space);
    if (!space)
        return -ENOMEM;
    *space = (struct space){
        .vm = vm,
        .pid = pid,
        .references = 1,
        .limits = {.address_space = UINT64_MAX,
                   .data = UINT64_MAX,
                   .data_hard = UINT64_MAX,
                   .stack = UINT64_MAX,
                   .locked = UINT64_MAX,
                   .lowest = (uint64_t)MAP_LOWEST_PAGE << PAGE_SHIFT},
    };
    RB_INIT(&space->mappings.tree);
    int error = -ENOMEM;
    if (vm->config.format->create(&vm->table_frames, &space->table) < 0)
        goto out_free;
    error = space_number(vm, &space->number);
    if (error)
        goto out_destroy_table;
    space->table->space = space->number;
    vm->spaces[space->number] = space;
    vm->space_lowest = space->number + 1;
    trace_emit(vm->config.trace, EVENT_SPACE_CREATE, 0, space->number, pid, from ? from->number + 1 : 0, 0,
               0);
    *ret_space = space;
    return 0;

out_destroy_table:
    vm->config.format->destroy(space->table);
out_free:
    free(space);
    return error;
}

int space_create(struct vm *vm, uint32_t pid, struct space **ret_space) {
    return space_create_from(vm, pid, NULL, ret_space);
}

/* ---- the end ---- */

static void space_destroy(struct space *space) {
    struct vm *vm = space->vm;
    struct mapping *m;
    while ((m = mapping_first(space, (vpn_t){0}))) {
        space_zap(space, m, m->start, m->end, POLICY_EXITED);
        mapping_remove(m);
    }
    assert(space_resident(space) == 0 && space->swapped == 0);
    if (vm->config.listener.forget_table)
        vm->config.listener.forget_table(vm->config.listener.context, space->table);
    space->table->ops->destroy(space->table);
    vm->spaces[space->number] = NULL;
    vm->space_lowest = min_u32(vm->space_lowest, space->number);
    trace_emit(vm->config.trace, EVENT_SPACE_DESTROY, 0, space->number, 0, 0, 0, 0);
    free(space);
}

struct space *space_ref(struct space *space) {
    space->references++;
    return space;
}

void space_unref(struct space *space) {
    assert(space->references > 0);
    if (--space->references == 0)
        space_destroy(space);
}

void space_reap(struct space *space) {
    space->reaped = true;
    for (struct mapping *m = mapping_first(space, (vpn_t){0}); m; m = mapping_next(m))
        space_zap(space, m, m->start, m->end, POLICY_EXITED);
}

/* ---- what is known about it ---- */

uint32_t space_pid(const struct space *space) {
    return space->pid;
}

struct page_table *space_page_table(struct space *space) {
    return space->table;
}

struct space *space_of_number(struct vm *vm, uint32_t number) {
    return number < vm->space_capacity ? vm->spaces[number] : NULL;
}

struct space *space_of_table(struct vm *vm, const struct page_table *table) {
    assert(table->space < vm->space_capacity && vm->spaces[table->space]);
    return vm->spaces[table->space];
}

const struct tally *space_tally(const struct space *space) {
    return &space->tally;
}
