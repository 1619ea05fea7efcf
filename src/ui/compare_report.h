/* What the rows of a comparison say: for each policy and size, over all runs.
 *
 *   misses, write-backs, stall   sums over the runs
 *   × opt                        geometric mean over the runs of misses / misses of opt
 *   distance                     of the misses that the baseline could have avoided, the part that the policy
 *                                has not avoided: (misses − opt) / (baseline − opt), of the sums. 0%: as good
 *                                as opt; 100%: as the baseline
 *   against the baseline         geometric mean over the runs of misses / misses of the baseline, and the
 *                                ratio of the sums of the stalls; each with an interval (bootstrap.h) where
 *                                there are several runs of a program */
#ifndef UI_COMPARE_REPORT_H
#define UI_COMPARE_REPORT_H

#include <jansson.h>

#include "ui/compare_rows.h"

/* A ratio with the interval that it lies in; NAN: not known. */
struct compare_ratio {
    double ratio, low, high;
};

struct compare_result {
    size_t runs, failed; /* that have this policy at this size; in which it broke its contract */
    uint64_t misses, writebacks, frames;
    uint64_t lower, upper;   /* of misses, where the label is bounded */
    double stall;            /* NAN: not known */
    double to_opt, distance; /* NAN: not known */
    struct compare_ratio misses_to_baseline, stall_to_baseline;
    double ns_per_reference, ns_per_victim, bytes_per_frame; /* means; 0: not measured */
    const char *label;                                       /* the least sure of the runs' */
    const char *condition;                                   /* one of them; "" for none */
    bool writebacks_known;
};

struct compare_report;

/* The rows live as long. 0, -ENOMEM, or -EINVAL with *ret_message when no row is of the baseline. */
int compare_report_make(const struct compare_rows *, const char *baseline, uint64_t seed,
                        struct compare_report **ret_report, char **ret_message);
void compare_report_free(struct compare_report *);

void compare_report_put_table(const struct compare_report *, struct text *);
json_t *compare_report_json(const struct compare_report *); /* NULL: no memory */

#endif
