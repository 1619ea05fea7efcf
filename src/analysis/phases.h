/* One size over time: what a simulation counts in each interval of so many instructions. */
#ifndef ANALYSIS_PHASES_H
#define ANALYSIS_PHASES_H

#include "analysis/simulate.h"

struct phase {
    uint64_t start, instructions;     /* the last one is as long as the run */
    struct simulation_result counted; /* in this interval; nothing of it is measured */
};

/* Reads the source from its beginning. Intervals in which nothing was referenced are there, too. 0 or -errno
 * (-E2BIG: more than a million intervals); *ret_phases is malloc'd. */
int phases_compute(struct refs_source *, const struct simulation_config *, uint64_t interval,
                   struct phase **ret_phases, size_t *ret_count);

#endif
