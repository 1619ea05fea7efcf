/* The always-on counters behind the summary: one for the machine, one for each process. They count what the
 * events say, at the place where the event is emitted; tests compare them with a count over the recorded
 * trace. */
#ifndef TRACE_TALLY_H
#define TRACE_TALLY_H

#include "trace/event.h"

struct tally {
    uint64_t faults[EVENT_FAULT_KINDS]; /* served, by kind */
    uint64_t major, minor;              /* major + minor == sum of faults */
    uint64_t misses;                    /* faults and accesses of the kernel that filled a frame */
    uint64_t refaults;                  /* misses on a page that had been evicted before */
    uint64_t evictions[3];              /* by enum event_victim */
    uint64_t swap_in, swap_out;         /* pages */
};

static inline uint64_t tally_faults(const struct tally *t) {
    uint64_t sum = 0;
    for (int i = 0; i < EVENT_FAULT_KINDS; i++)
        sum += t->faults[i];
    return sum;
}

#endif
