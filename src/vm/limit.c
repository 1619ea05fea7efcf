/* What a process may map, be promised and lock: RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, the number of
 * mappings, and the refusal of what is obviously too much. */
#include <errno.h>

#include "vm/space.h"
#include "vm/state.h"

void space_set_limits(struct space *space, const struct space_limits *limits) {
    space->limits = *limits;
}

static bool over_limit(uint64_t pages, uint64_t more, uint64_t limit_bytes) {
    return pages + more > limit_bytes >> PAGE_SHIFT;
}

/* A soft limit of 0 on data means the hard one, as on Linux, for programs that once set it so in vain. */
static bool over_data_limit(const struct space *space, uint64_t more, unsigned flags) {
    const struct space_limits *limits = &space->limits;
    const uint64_t limit = limits->data ? limits->data : limits->data_hard;
    const bool data = flags & ACCESS_WRITE && !(flags & (MAPPING_SHARED | MAPPING_GROWS_DOWN));
    return data && over_limit(space->mappings.data, more, limit);
}

int space_may_map(const struct space *space, uint64_t pages, unsigned flags) {
    const bool over = over_limit(space->mappings.pages, pages, space->limits.address_space);
    return over || over_data_limit(space, pages, flags) ? -ENOMEM : 0;
}

/* ---- overcommitment ---- */

void vm_set_overcommit(struct vm *vm, enum vm_overcommit overcommit) {
    vm->overcommit = overcommit;
}
enum vm_overcommit vm_get_overcommit(const struct vm *vm) {
    return vm->overcommit;
}

void vm_set_overcommit_ratio(struct vm *vm, uint32_t percent) {
    vm->overcommit_ratio = percent;
}
uint32_t vm_get_overcommit_ratio(const struct vm *vm) {
    return vm->overcommit_ratio;
}

/* Refusals must fit what programs are told. Frames that page tables have apart are nobody's to promise. */
static uint64_t vm_memory(const struct vm *vm) {
    return vm_tells_truth(vm) ? vm->frames.pages.end - vm->config.reserved : vm->config.told_pages;
}

uint64_t vm_commit_limit(const struct vm *vm) {
    return vm_memory(vm) * vm->overcommit_ratio / 100 + vm_told_swap(vm);
}

/* Nothing is kept back for administrators, who are not told apart here. */
static bool promise_fits(const struct vm *vm, uint64_t pages) {
    switch (vm->overcommit) {
    case VM_OVERCOMMIT_ALWAYS: return true;
    case VM_OVERCOMMIT_NEVER: return vm->promised + pages < vm_commit_limit(vm);
    case VM_OVERCOMMIT_GUESS: break;
    }
    return pages <= vm_memory(vm) + vm_told_swap(vm);
}

int vm_may_promise(const struct vm *vm, uint64_t pages) {
    if (promise_fits(vm, pages))
        return 0;
    if (vm->config.refused)
        vm->config.refused(vm->config.context);
    return -ENOMEM;
}

/* ---- locks ---- */

bool space_may_lock(const struct space *space, uint64_t pages, unsigned flags) {
    return !(flags & MAPPING_LOCKED) || !over_limit(space->mappings.locked, pages, space->limits.locked);
}

bool space_may_lock_any(const struct space *space) {
    return space->limits.locked > 0;
}
