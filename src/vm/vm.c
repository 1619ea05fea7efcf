/* The virtual memory of one machine: putting the parts together. */
#include "vm/vm.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/base.h"
#include "vm/prefetch.h"
#include "vm/reclaim.h"
#include "vm/space.h"
#include "vm/state.h"

/* Frames set apart for page tables when `available` counts the pages only: addresses for 256 MiB of tables,
 * which cost nothing before they are used. */
enum { TABLE_FRAMES_APART = 65536 };

/* Percent of memory that may be promised when no more may be; as on Linux. */
enum { OVERCOMMIT_RATIO = 50 };

void *vm_alloc(struct vm *vm, size_t size) {
    return inject_calloc(vm->config.inject, 1, size);
}

void vm_forget_code(struct vm *vm, page_id_t id, unsigned offset, unsigned length) {
    if (vm->config.listener.forget_code)
        vm->config.listener.forget_code(vm->config.listener.context, id, offset, length);
}

/* ---- creation ---- */

/* Text, stack and data, one page each. Where tables take frames, a program in two places of its address space
 * (text and stack) has one root and two tables of each level below; and it needs some pages more, or each
 * further table would push out what the program needs. */
uint32_t vm_minimum_frames(const struct page_table_ops *format, uint32_t reserved) {
    if (format->levels <= 1)
        return reserved + 3;
    return reserved + 1 + 2 * (format->levels - 1) + 6;
}

static int vm_create_memory(struct vm *vm) {
    const struct vm_config *config = &vm->config;
    const bool tables_apart = config->frames == 0 && config->format->levels > 1;
    const uint32_t tables = tables_apart ? TABLE_FRAMES_APART : 0;
    const uint64_t frames =
        config->frames ? config->frames : (uint64_t)config->reserved + config->available + tables;
    const uint32_t least =
        config->frames ? vm_minimum_frames(config->format, config->reserved) : config->reserved + 1;
    if ((config->frames == 0 && config->available == 0) || frames < least || frames >= INDEX_NUMBERS ||
        frames <= config->reserved)
        return -EINVAL;
    int error = physmem_create((uint32_t)frames, &vm->mem);
    if (error)
        return error;
    vm->table_frames = (struct table_frames){
        .mem = &vm->mem,
        .alloc = frame_alloc_table,
        .free = frame_free_table,
        .context = vm,
        .inject = config->inject,
    };
    return frame_table_create(vm, config->reserved, (uint32_t)frames - config->reserved - tables, tables);
}

static void policy_tells(void *context, enum policy_news news, const char *line) {
    const struct vm_config *config = &((struct vm *)context)->config;
    if (config->policy_tells)
        config->policy_tells(config->context, news, line);
}

static int vm_create_policy(struct vm *vm) {
    vm->policy = vm->config.policy;
    const struct policy_config config = {
        .frames = vm->frames.pages.end,
        .capacity = vm->frames.pages.end - vm->config.reserved,
        .seed = vm->config.seed,
        .parameters = vm->config.policy_parameters,
        .test_and_clear_referenced = frame_test_and_clear_referenced,
        .tell = policy_tells,
        .is_dirty = reclaim_is_dirty,
        .now = reference_now,
        .context = vm,
    };
    return policy_create(vm->policy, &config, &vm->policy_state);
}

static void vm_free(struct vm *vm) {
    if (vm->policy_state)
        vm->policy->destroy(vm->policy_state);
    references_destroy(vm);
    prefetch_destroy(vm);
    swap_destroy(vm);
    contents_destroy(vm->contents);
    frame_table_destroy(vm);
    physmem_destroy(&vm->mem);
    free(vm->spaces);
    free(vm);
}

int vm_create(const struct vm_config *config, struct vm **ret_vm) {
    struct vm *vm = inject_calloc(config->inject, 1, sizeof *vm);
    if (!vm)
        return -ENOMEM;
    vm->config = *config;
    vm->overcommit_ratio = OVERCOMMIT_RATIO;
    TAILQ_INIT(&vm->objects);
    choices_init(vm);
    int error = vm_create_memory(vm);
    if (!error)
        error = contents_create(vm, &vm->contents);
    if (!error)
        error = swap_create(vm);
    if (!error)
        error = vm_create_policy(vm);
    if (!error)
        error = references_create(vm);
    if (!error)
        error = prefetch_create(vm);
    if (error) {
        vm_free(vm);
        return error;
    }
    *ret_vm = vm;
    return 0;
}

/* What cannot be written back now is lost. */
static void vm_sync_finally(struct vm *vm) {
    const struct vm_config *config = &vm->config;
    const int error = vm_sync(vm);
    if (error && config->io_error)
        config->io_error(config->context, NULL, error, "the last write-back of files");
}

void vm_destroy(struct vm *vm) {
    vm_sync_finally(vm);
    struct object *object;
    while ((object = TAILQ_FIRST(&vm->objects)))
        object_destroy(object);
    for (uint32_t i = 0; i < vm->space_capacity; i++)
        assert(!vm->spaces[i]);
    vm_free(vm);
}

void vm_set_listener(struct vm *vm, const struct vm_listener *listener) {
    vm->config.listener = *listener;
}

/* ---- frames as the engine knows them ---- */

struct physmem *vm_physmem(struct vm *vm) {
    return &vm->mem;
}

page_id_t vm_page_id(struct vm *vm, pfn_t pfn) {
    return frame_of(vm, pfn)->id;
}

void vm_runs(struct vm *vm, const struct page_table *table) {
    reference_in_space(vm, table->space);
}

/* ---- counts ---- */

static struct vm_frame_counts frame_counts(const uint32_t *by_state, uint32_t total, uint32_t free) {
    return (struct vm_frame_counts){
        .total = total,
        .reserved = by_state[EVENT_FRAME_RESERVED],
        .page_tables = by_state[EVENT_FRAME_TABLE],
        .anonymous = by_state[EVENT_FRAME_ANONYMOUS],
        .page_cache = by_state[EVENT_FRAME_CACHE],
        .free = free,
    };
}

/* Frames apart for tables are counted while they are in use only: they are no part
 * of the memory asked for. */
void vm_get_counts(const struct vm *vm, struct vm_counts *ret_counts) {
    const struct frame_table *table = &vm->frames;
    const uint32_t memory = table->pages.end; /* reserved ones and those for pages */
    const uint32_t apart = table->tables_apart ? table->counts[EVENT_FRAME_TABLE] : 0;
    const uint32_t apart_peak = table->tables_apart ? table->peaks[EVENT_FRAME_TABLE] : 0;
    *ret_counts = (struct vm_counts){
        .frames = frame_counts(table->counts, memory + apart, table->pages.count),
        .frames_peak = frame_counts(table->peaks, memory + apart_peak, table->lowest_free),
        .swap = {.pages = vm->swap.pages,
                 .used = vm->swap.used,
                 .peak = vm->swap.peak,
                 .in = vm->swap.in,
                 .out = vm->swap.out},
        .promised = vm->promised,
        .tally = vm->tally,
    };
}
