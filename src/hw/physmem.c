/* See physmem.h. Host memory is anonymous and private, aligned so that the host can use huge pages, which it
 * is asked for: they make populating cheap and spare the host's TLB. */
#include "hw/physmem.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/base.h"

/* Frames populated in one step: a huge page of the host (2 MiB), or all of a smaller memory. */
enum { PHYSMEM_STEP = 512 };

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
    uint8_t *base = physmem_reserve((size_t)frames * PAGE_SIZE);
    if (!base)
        return -ENOMEM;
    madvise(base, (size_t)frames * PAGE_SIZE, MADV_HUGEPAGE); /* a host without huge pages is only slower */
    *ret_mem = (struct physmem){.base = base, .frames = frames};
    physmem_populate(ret_mem, (pfn_t){0});
    return 0;
}

void physmem_destroy(struct physmem *mem) {
    if (mem->base)
        munmap(mem->base, (size_t)mem->frames * PAGE_SIZE);
    *mem = (struct physmem){0};
}

void physmem_populate_to(struct physmem *mem, pfn_t f) {
    const uint64_t wanted = ((uint64_t)f.n / PHYSMEM_STEP + 1) * PHYSMEM_STEP;
    const uint32_t end = (uint32_t)min_u64(wanted, mem->frames);
    if (end <= mem->populated)
        return;
    /* Needs Linux 5.14; where it fails the host brings the pages in one by one when they are touched. */
    madvise(mem->base + (size_t)mem->populated * PAGE_SIZE, (size_t)(end - mem->populated) * PAGE_SIZE,
            MADV_POPULATE_WRITE);
    mem->populated = end;
}
