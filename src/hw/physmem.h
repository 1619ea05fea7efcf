/* Physical memory: an array of page frames, nothing more. Who owns a frame is the frame table's business
 * (vm/). */
#ifndef HW_PHYSMEM_H
#define HW_PHYSMEM_H

#include "hw/types.h"

struct physmem {
    uint8_t *base; /* frame 0; PAGE_SIZE-aligned host memory, frames * PAGE_SIZE bytes */
    uint32_t frames;
    uint32_t populated; /* frames below this have host memory behind them already */
};

/* Reserves `frames` frames of host memory, which read as zeros. 0, -ENOMEM, or -EINVAL for frames == 0 or
 * above 2^32 - 2. */
int physmem_create(uint32_t frames, struct physmem *ret_mem);
void physmem_destroy(struct physmem *mem);

/* Brings host memory in behind the frames up to `f` and some more, in one step. */
void physmem_populate_to(struct physmem *mem, pfn_t f);

/* To be called before a frame is used for the first time, in any order: the host's own first touch of a page
 * costs microseconds, two hundred times what it costs in steps of 2 MiB. Speed only; the memory works
 * without. */
static inline void physmem_populate(struct physmem *mem, pfn_t f) {
    if (__builtin_expect(f.n >= mem->populated, false))
        physmem_populate_to(mem, f);
}

/* The frame's bytes. The pointer stays valid as long as the memory; the content is the frame owner's. */
static inline void *physmem_frame(const struct physmem *mem, pfn_t f) {
    return mem->base + (uint64_t)f.n * PAGE_SIZE;
}

#endif
