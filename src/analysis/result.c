/* See result.h. */
#include "analysis/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *result_label_name(enum result_label label) {
    switch (label) {
    case RESULT_EXACT: return "exact";
    case RESULT_BOUNDED: return "bounded";
    case RESULT_ESTIMATED: return "estimated";
    case RESULT_CONDITIONAL: return "conditional";
    case RESULT_FAILED: return "failed";
    }
    return "?";
}

int curve_init(struct curve *ret_curve, const char *policy, const uint32_t *sizes, size_t count) {
    struct curve curve = {
        .policy = strdup(policy),
        .count = count,
        .sizes = calloc(count + 1, sizeof *curve.sizes),
        .faults = calloc(count + 1, sizeof *curve.faults),
        .writebacks = calloc(count + 1, sizeof *curve.writebacks),
    };
    if (!curve.policy || !curve.sizes || !curve.faults || !curve.writebacks) {
        curve_free(&curve);
        return -ENOMEM;
    }
    memcpy(curve.sizes, sizes, count * sizeof *sizes);
    *ret_curve = curve;
    return 0;
}

void curve_free(struct curve *curve) {
    free(curve->policy);
    free(curve->condition);
    free(curve->remark);
    free(curve->sizes);
    free(curve->faults);
    free(curve->writebacks);
    free(curve->lower);
    free(curve->upper);
    *curve = (struct curve){0};
}
