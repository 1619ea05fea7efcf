/* Where the parts of an address space are: at fixed places, or moved by a seed, as Linux moves them at each
 * exec (address space layout randomisation). All programs of a machine have one layout, so that a run depends
 * on its seed alone. */
#ifndef KERNEL_LAYOUT_H
#define KERNEL_LAYOUT_H

#include "base/rng.h"
#include "hw/types.h"

/* How far each is moved, in bytes; all but `arguments` are multiples of the page size. */
struct layout {
    uint64_t program;   /* position-independent programs: up */
    uint64_t heap;      /* its distance from the program's end: up */
    uint64_t mappings;  /* the place below which mmap begins: down */
    uint64_t stack;     /* its top: down */
    uint64_t arguments; /* the strings at its top: down, by less than a page, a multiple of 16 */
};

/* Seed 0: nothing is moved. Ranges are Linux's for x86-64, but for the stack's, which must not meet the
 * mappings: 28 bits of pages for programs and mappings, 32 MiB for the heap, 16 MiB for the stack. */
static inline struct layout layout_make(uint64_t seed) {
    struct rng rng = {seed};
    if (!seed)
        return (struct layout){0};
    return (struct layout){
        .program = rng_below(&rng, 1 << 28) * PAGE_SIZE,
        .heap = rng_below(&rng, 1 << 13) * PAGE_SIZE,
        .mappings = rng_below(&rng, 1 << 28) * PAGE_SIZE,
        .stack = rng_below(&rng, 1 << 12) * PAGE_SIZE,
        .arguments = rng_below(&rng, PAGE_SIZE / 16) * 16,
    };
}

#endif
