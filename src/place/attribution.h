/* Counts misses, refaults and disk traffic by place, while a machine runs.
 *
 * A sink of the machine's events. Each is counted once in each table, so that a table adds up to what the
 * machine counted. There are two ways to name a cause: the data that was missing (mapping, file, object,
 * allocation), and the code that missed it (function, line).
 *
 *                 a table of data                           a table of code
 *   misses,       the page that was touched                 the instruction that touched it; a system call's
 *   refaults,                                               is the one that made the call
 *   pages read
 *   pages         the page that was written                 the instruction whose miss had no other frame
 *   written
 *
 * Looking on changes nothing: with and without it a deterministic run is the same. */
#ifndef PLACE_ATTRIBUTION_H
#define PLACE_ATTRIBUTION_H

#include "machine/machine.h"
#include "place/report.h"

struct attribution;

struct attribution_config {
    enum place_by by;
    bool call_stacks; /* tables of code: whole stacks instead of the innermost function or line */
    unsigned depth;   /* frames of a stack at most */
    /* Nanoseconds of the host's time, or instructions: what they cost is not told; 0: everything is. */
    uint64_t warm_up, warm_up_instructions;
};

/* Before the machine runs; adds its sink. 0; -ENOSYS (elfutils' library is not there) or -ENOMEM. */
int attribution_create(struct machine *, const struct attribution_config *,
                       struct attribution **ret_attribution);
/* After the run, or in it for what there is up to then; before the machine ends. 0, -ERANGE (the warm-up is
 * not over), or -ENOMEM: also when there was no memory during the run. */
int attribution_report(struct attribution *, struct place_report *ret_report);
/* Before the machine ends. */
void attribution_destroy(struct attribution *);

#endif
