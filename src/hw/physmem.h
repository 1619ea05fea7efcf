/* Physical memory: an array of page frames, nothing more. Who owns a frame is the frame table's business
 * (vm/). */
#ifndef HW_PHYSMEM_H
#define HW_PHYSMEM_H

#include "hw/types.h"

struct physmem {
    uint8_t *base; /* frame 0; PAGE_SIZE-aligned host memory, frames * PAGE_SIZE bytes */
    uint32_t frames;
};

/* Reserves `frames` frames of host memory, populated at once when the pool is small (the host's own first
 * touch costs microseconds). 0, -ENOMEM, or -EINVAL for frames == 0 or above 2^32 - 2. */
int physmem_create(uint32_t frames, struct physmem *ret_mem);
void physmem_destroy(struct physmem *mem);

/* The frame's bytes. The pointer stays valid as long as the memory; the content is the frame owner's. */
static inline void *physmem_frame(const struct physmem *mem, pfn_t f) {
    return mem->base + (uint64_t)f.n * PAGE_SIZE;
}

#endif
