/* See physmem.h. Host memory is anonymous and private, aligned so that the host can use huge pages, which it
 * is asked for: they make populating cheap and spare the host's TLB. */
#include "hw/physmem.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/base.h"

#define STEP_BYTES ((size_t)PHYSMEM_STEP * PAGE_SIZE)

/* `length` bytes of reserved address space, aligned to a step; NULL if there is none. */
static uint8_t *physmem_reserve(size_t length) {
    const size_t whole = length + STEP_BYTES;
    uint8_t *start =
        mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    const size_t before = (size_t)(-(uintptr_t)start & (STEP_BYTES - 1));
    const size_t behind = whole - before - length;
    if (before)
        munmap(start, before);
    if (behind)
        munmap(start + before + length, behind);
    return start + before;
}

int physmem_create(uint32_t frames, struct physmem *ret_mem) {
    if (frames == 0 || frames > UINT32_MAX - 1)
        return -EINVAL;
    const uint64_t steps = ((uint64_t)frames + PHYSMEM_STEP - 1) / PHYSMEM_STEP;
    uint64_t *populated = calloc(bitmap_words(steps), sizeof *populated);
    uint8_t *base = physmem_reserve((size_t)frames * PAGE_SIZE);
    if (!populated || !base)
        goto out_free;
    madvise(base, (size_t)frames * PAGE_SIZE, MADV_HUGEPAGE); /* a host without huge pages is only slower */
    *ret_mem = (struct physmem){.base = base, .frames = frames, .populated = populated};
    return 0;

out_free:
    if (base)
        munmap(base, (size_t)frames * PAGE_SIZE);
    free(populated);
    return -ENOMEM;
}

void physmem_destroy(struct physmem *mem) {
    if (mem->base)
        munmap(mem->base, (size_t)mem->frames * PAGE_SIZE);
    free(mem->populated);
    *mem = (struct physmem){0};
}

void physmem_populate_step(struct physmem *mem, pfn_t f) {
    const uint32_t step = f.n / PHYSMEM_STEP, first = step * PHYSMEM_STEP;
    const uint32_t count = min_u32(PHYSMEM_STEP, mem->frames - first);
    /* Needs Linux 5.14; where it fails the host brings the pages in one by one when they are touched. */
    madvise(physmem_frame(mem, (pfn_t){first}), (size_t)count * PAGE_SIZE, MADV_POPULATE_WRITE);
    bitmap_set(mem->populated, step);
}
