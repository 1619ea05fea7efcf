/* A supply of table frames for tests: hands out zeroed frames of a small memory, counts them, fills freed
 * ones with junk, fails when it is told to. */
#ifndef TESTS_HW_FRAMES_H
#define TESTS_HW_FRAMES_H

#include <errno.h>
#include <string.h>

#include "base/rng.h"
#include "hw/pagetable.h"

enum { SUPPLY_FRAMES = 400 };

struct supply {
    struct physmem mem;
    bool taken[SUPPLY_FRAMES];
    uint32_t in_use;
    struct inject inject; /* frames and host memory */
    /* Called before a frame is handed out, as reclaim would be; may change tables. NULL: nobody. */
    void (*before_alloc)(void *context);
    void *context;
};

static inline int supply_alloc(void *context, pfn_t *ret_frame) {
    struct supply *supply = context;
    if (supply->before_alloc)
        supply->before_alloc(supply->context);
    if (inject_fails(&supply->inject, INJECT_ALLOC))
        return -ENOMEM;
    for (uint32_t i = 0; i < SUPPLY_FRAMES; i++) {
        if (supply->taken[i])
            continue;
        supply->taken[i] = true;
        supply->in_use++;
        *ret_frame = (pfn_t){i};
        memset(physmem_frame(&supply->mem, *ret_frame), 0, PAGE_SIZE);
        return 0;
    }
    return -ENOMEM;
}

static inline void supply_free(void *context, pfn_t frame) {
    struct supply *supply = context;
    assert_true(frame.n < SUPPLY_FRAMES && supply->taken[frame.n]);
    supply->taken[frame.n] = false;
    supply->in_use--;
    memset(physmem_frame(&supply->mem, frame), 0xa5, PAGE_SIZE);
}

static inline void supply_init(struct supply *supply) {
    *supply = (struct supply){.in_use = 0};
    assert_int_equal(physmem_create(SUPPLY_FRAMES, &supply->mem), 0);
    memset(supply->mem.base, 0xa5, (size_t)SUPPLY_FRAMES * PAGE_SIZE);
}

static inline struct table_frames supply_frames(struct supply *supply) {
    return (struct table_frames){.mem = &supply->mem,
                                 .alloc = supply_alloc,
                                 .free = supply_free,
                                 .context = supply,
                                 .inject = &supply->inject};
}

#endif
