/* Physical memory: an array of page frames, nothing more. Who owns a frame is the frame table's business
 * (vm/). */
#ifndef HW_PHYSMEM_H
#define HW_PHYSMEM_H

#include "base/bitmap.h"
#include "hw/types.h"

/* Frames that get host memory in one step: a huge page of the host (2 MiB). */
enum { PHYSMEM_STEP = 512 };

struct physmem {
    uint8_t *base; /* frame 0; PAGE_SIZE-aligned host memory, frames * PAGE_SIZE bytes */
    uint32_t frames;
    uint64_t *populated; /* a bit for each step: its frames have host memory behind them */
};

/* Reserves `frames` frames of host memory, which read as zeros. 0, -ENOMEM, or -EINVAL for frames == 0 or
 * above 2^32 - 2. */
int physmem_create(uint32_t frames, struct physmem *ret_mem);
void physmem_destroy(struct physmem *mem);

/* Brings host memory in behind the frame and the others of its step. */
void physmem_populate_step(struct physmem *mem, pfn_t f);

/* To be called before a frame is used for the first time: the host's own first touch of a page costs
 * microseconds, fifty times what it costs in steps. Speed only; the memory works without. */
static inline void physmem_populate(struct physmem *mem, pfn_t f) {
    if (__builtin_expect(!bitmap_test(mem->populated, f.n / PHYSMEM_STEP), false))
        physmem_populate_step(mem, f);
}

/* The frame's bytes. The pointer stays valid as long as the memory; the content is the frame owner's. */
static inline void *physmem_frame(const struct physmem *mem, pfn_t f) {
    return mem->base + (uint64_t)f.n * PAGE_SIZE;
}

#endif
