/* What an analysis says: misses as a function of the number of frames, and how sure that is. */
#ifndef ANALYSIS_RESULT_H
#define ANALYSIS_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "refs/refs.h"

enum result_label {
    RESULT_EXACT,       /* for the reference string that was read */
    RESULT_BOUNDED,     /* the truth lies between lower and upper */
    RESULT_ESTIMATED,   /* by sampling */
    RESULT_CONDITIONAL, /* exact, if the program would have run the same with another amount of memory */
    RESULT_FAILED,      /* the policy broke its contract: there is no result */
};
const char *result_label_name(enum result_label); /* "exact" … */

/* Of one policy over several sizes. Arrays are `count` long and belong to the curve. */
struct curve {
    char *policy; /* with its parameters, as it was asked for */
    enum result_label label;
    char *condition; /* of a label that is not exact: why, one line; or NULL */
    char *remark;    /* what else a policy that is not Thimble's own did, one line; or NULL */
    size_t count;
    uint32_t *sizes;         /* frames for pages, ascending */
    uint64_t *faults;        /* misses, cold ones included */
    uint64_t *writebacks;    /* evictions that had to write; NULL: not computed */
    uint64_t *lower, *upper; /* of faults; NULL unless bounded */
    /* From sizes[0] to the first size where the run can be made at all without swap;
     * see simulate.h. 0: any. */
    uint32_t floor;
};
/* -ENOMEM or 0; the arrays are zeros. */
int curve_init(struct curve *, const char *policy, const uint32_t *sizes, size_t count);
void curve_free(struct curve *);

/* What the end of a trace says about exact results for it: their label, and why it is not exact (malloc'd),
 * else NULL. 0 or -ENOMEM. */
int result_condition(const struct refs_totals *, enum result_label *ret_label, char **ret_condition);

#endif
