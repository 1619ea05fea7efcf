/* What programs are told about memory when they ask. The truth depends on the number of frames; a program
 * that asks may do something else with another number then, and what was recorded with one number is not what
 * runs with another. With vm_config.told_pages it is the same whatever memory there is: so many pages, four
 * times as many in swap, as a machine has by default, all free; and what is mapped is in memory. */
#include "vm/space.h"
#include "vm/state.h"

enum { TOLD_SWAP_PER_MEMORY = 4 };

bool vm_tells_truth(const struct vm *vm) {
    return vm->config.told_pages == 0;
}

uint64_t vm_told_swap(const struct vm *vm) {
    return vm_tells_truth(vm) ? vm->swap.pages : (uint64_t)TOLD_SWAP_PER_MEMORY * vm->config.told_pages;
}

void vm_get_told_counts(const struct vm *vm, struct vm_counts *ret_counts) {
    const uint32_t pages = vm->config.told_pages;
    if (vm_tells_truth(vm))
        vm_get_counts(vm, ret_counts);
    else
        *ret_counts = (struct vm_counts){
            .frames = {.total = pages, .free = pages},
            .frames_peak = {.total = pages, .free = pages},
            .swap = {.pages = vm_told_swap(vm)},
            .promised = vm->promised,
        };
}

void vm_get_told_usage(struct vm *vm, struct vm_usage *ret_usage) {
    *ret_usage = (struct vm_usage){0};
    if (vm_tells_truth(vm))
        vm_get_usage(vm, ret_usage);
}

void space_get_told_counts(const struct space *space, struct space_counts *ret_counts) {
    space_get_counts(space, ret_counts);
    if (vm_tells_truth(space->vm))
        return;
    ret_counts->resident = ret_counts->resident_peak = ret_counts->mapped;
    ret_counts->resident_file = ret_counts->resident_shared = ret_counts->swapped = 0;
}
