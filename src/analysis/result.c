/* See result.h. */
#include "analysis/result.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
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

/* Samples are not the string, whatever was asked. */
static bool is_sampled(const char *condition) {
    return !strncmp(condition, "sampled ", strlen("sampled "));
}

int result_condition(const struct refs_totals *totals, enum result_label *ret_label, char **ret_condition) {
    const char *const none = NULL, *const *names = totals->conditions ? totals->conditions : &none;
    size_t length, calls = 0;
    char *text = NULL;
    *ret_label = totals->whole ? RESULT_EXACT : RESULT_CONDITIONAL;
    *ret_condition = NULL;
    if (totals->whole && !*names)
        return 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return -ENOMEM;
    if (!totals->whole)
        fprintf(out, "the recording was cut: this is its beginning%s", *names ? "; " : "");
    for (; *names; names++) {
        *ret_label = is_sampled(*names) ? RESULT_ESTIMATED : RESULT_CONDITIONAL;
        if (is_sampled(*names))
            fprintf(out, "references were %s, and most are missing", *names);
        else
            fprintf(out, "%s%s", calls++ ? ", " : "the program can learn about memory or time by ", *names);
    }
    if (calls)
        fputs(": with another amount of memory it might run differently", out);
    if (fclose(out)) {
        free(text);
        return -ENOMEM;
    }
    *ret_condition = text;
    return 0;
}
