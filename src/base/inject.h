/* Failure injection: makes the n-th call of a kind fail, for tests. A NULL pointer never fails. */
#ifndef BASE_INJECT_H
#define BASE_INJECT_H

#include <stdbool.h>
#include <stdint.h>

enum inject_point { INJECT_ALLOC, INJECT_SWAP_READ, INJECT_SWAP_WRITE, INJECT_HOST_CALL, INJECT_POINTS };

struct inject {
    uint64_t calls[INJECT_POINTS];   /* counted so far */
    uint64_t fail_at[INJECT_POINTS]; /* 1 = the first call; 0 = never */
    bool for_good[INJECT_POINTS];    /* every later call fails as well */
};

/* Counts a call; true if it must fail. */
static inline bool inject_fails(struct inject *inject, enum inject_point point) {
    if (!inject)
        return false;
    uint64_t call = ++inject->calls[point], at = inject->fail_at[point];
    return at && (call == at || (inject->for_good[point] && call > at));
}

#endif
