/* See compare_report.h. */
#include "ui/compare_report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/bootstrap.h"
#include "base/base.h"
#include "base/message.h"
#include "ui/compare_parts.h"

/* ---- what is what ---- */

static int name_add(struct compare_names *n, const char *name, size_t *ret_index) {
    for (size_t i = 0; i < n->count; i++)
        if (!strcmp(n->names[i], name)) {
            *ret_index = i;
            return 0;
        }
    const char **names = reallocarray(n->names, n->count + 1, sizeof *names);
    if (!names)
        return -ENOMEM;
    n->names = names;
    n->names[n->count] = name;
    *ret_index = n->count++;
    return 0;
}

static bool is_same_run(const struct compare_row *a, const struct compare_row *b) {
    return a->seed == b->seed && a->layout == b->layout && !strcmp(a->name, b->name);
}

/* Runs of one program get numbers behind each other, as bootstrap.h wants them: so by program first. */
static int compare_row_order(const void *a, const void *b) {
    const struct compare_row *left = *(const struct compare_row *const *)a;
    const struct compare_row *right = *(const struct compare_row *const *)b;
    const int names = strcmp(left->name, right->name);
    if (names)
        return names;
    if (left->seed != right->seed)
        return left->seed < right->seed ? -1 : 1;
    return (left->layout > right->layout) - (left->layout < right->layout);
}

static int find_runs(struct compare_report *r, const struct compare_row **sorted) {
    for (size_t i = 0; i < r->rows->count; i++)
        sorted[i] = &r->rows->rows[i];
    qsort(sorted, r->rows->count, sizeof(const struct compare_row *), compare_row_order);
    r->runs = calloc(r->rows->count + 1, sizeof(const struct compare_row *));
    r->programs = calloc(r->rows->count + 1, sizeof *r->programs);
    if (!r->runs || !r->programs)
        return -ENOMEM;
    for (size_t i = 0; i < r->rows->count; i++) {
        if (i && is_same_run(sorted[i], sorted[i - 1]))
            continue;
        const bool is_new = !r->run_count || strcmp(sorted[i]->name, r->runs[r->run_count - 1]->name) != 0;
        r->programs[r->run_count] = r->run_count ? r->programs[r->run_count - 1] + is_new : 0;
        r->runs[r->run_count++] = sorted[i];
    }
    return 0;
}

static int find_names(struct compare_report *r) {
    size_t index;
    int error = 0;
    for (size_t i = 0; !error && i < r->rows->count; i++) {
        error = name_add(&r->policies, r->rows->rows[i].policy, &index);
        if (!error)
            error = name_add(&r->sizes, r->rows->rows[i].size, &index);
    }
    return error;
}

static size_t run_of(const struct compare_report *r, const struct compare_row *row) {
    size_t low = 0, high = r->run_count;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (compare_row_order(&r->runs[middle], &row) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int fill_cells(struct compare_report *r) {
    r->cells =
        calloc(r->run_count * r->sizes.count * r->policies.count + 1, sizeof(const struct compare_row *));
    int error = r->cells ? 0 : -ENOMEM;
    for (size_t i = 0; !error && i < r->rows->count; i++) {
        const struct compare_row *row = &r->rows->rows[i];
        size_t policy, size;
        error = name_add(&r->policies, row->policy, &policy);
        if (!error)
            error = name_add(&r->sizes, row->size, &size);
        if (!error)
            r->cells[(run_of(r, row) * r->sizes.count + size) * r->policies.count + policy] = row;
    }
    return error;
}

const struct compare_row *compare_cell(const struct compare_report *r, size_t run, size_t size, long policy) {
    if (policy < 0)
        return NULL;
    return r->cells[(run * r->sizes.count + size) * r->policies.count + (size_t)policy];
}

static long policy_find_index(const struct compare_report *r, const char *name) {
    for (size_t i = 0; i < r->policies.count; i++)
        if (!strcmp(r->policies.names[i], name))
            return (long)i;
    return -1;
}

/* ---- numbers over runs ---- */

/* The runs that have all that a ratio needs: of each the two values. */
struct pairs {
    double *value, *baseline;
    uint32_t *programs;
    size_t count;
};

static double ratio_of_means(const void *data, const size_t *index, size_t count) {
    const struct pairs *p = data;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += log(p->value[index[i]] / p->baseline[index[i]]);
    return exp(sum / (double)count);
}

static double ratio_of_sums(const void *data, const size_t *index, size_t count) {
    const struct pairs *p = data;
    double value = 0, baseline = 0;
    for (size_t i = 0; i < count; i++) {
        value += p->value[index[i]];
        baseline += p->baseline[index[i]];
    }
    return baseline > 0 ? value / baseline : value > 0 ? INFINITY : 1;
}

/* The ratio over all runs, and its interval where a program ran more than once. */
static int ratio_make(const struct compare_report *r, const struct pairs *p,
                      double (*statistic)(const void *, const size_t *, size_t),
                      struct compare_ratio *ret_ratio) {
    const struct bootstrap b = {
        .count = p->count, .strata = p->programs, .statistic = statistic, .data = p, .seed = r->seed};
    bool several = false;
    size_t *all = calloc(p->count + 1, sizeof *all);
    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < p->count; i++) {
        all[i] = i;
        several |= i && p->programs[i] == p->programs[i - 1];
    }
    *ret_ratio = (struct compare_ratio){NAN, NAN, NAN};
    if (p->count)
        ret_ratio->ratio = statistic(p, all, p->count);
    free(all);
    return several ? bootstrap_interval(&b, &ret_ratio->low, &ret_ratio->high) : 0;
}

static int pairs_init(struct pairs *p, size_t most) {
    *p = (struct pairs){.value = calloc(most + 1, sizeof(double)),
                        .baseline = calloc(most + 1, sizeof(double)),
                        .programs = calloc(most + 1, sizeof(uint32_t))};
    return p->value && p->baseline && p->programs ? 0 : -ENOMEM;
}

static void pairs_free(struct pairs *p) {
    free(p->value);
    free(p->baseline);
    free(p->programs);
}

static void pairs_add(struct pairs *p, uint32_t program, double value, double baseline) {
    p->programs[p->count] = program;
    p->value[p->count] = value;
    p->baseline[p->count++] = baseline;
}

/* Whether there is such a row, with a number that can be held against another. */
static bool is_known(const struct compare_row *row) {
    return row && !compare_row_failed(row) && row->lower == row->upper;
}

static int add_ratios(const struct compare_report *r, size_t size, size_t policy,
                      struct compare_result *result) {
    struct pairs misses, stalls;
    int error = pairs_init(&misses, r->run_count);
    const int other = pairs_init(&stalls, r->run_count);
    error = error ? error : other;
    for (size_t run = 0; !error && run < r->run_count; run++) {
        const struct compare_row *row = compare_cell(r, run, size, (long)policy);
        const struct compare_row *base = compare_cell(r, run, size, r->baseline);
        if (!is_known(row) || !is_known(base))
            continue;
        if (row->misses && base->misses)
            pairs_add(&misses, r->programs[run], (double)row->misses, (double)base->misses);
        if (!isnan(row->stall) && !isnan(base->stall))
            pairs_add(&stalls, r->programs[run], row->stall, base->stall);
    }
    if (!error)
        error = ratio_make(r, &misses, ratio_of_means, &result->misses_to_baseline);
    if (!error)
        error = ratio_make(r, &stalls, ratio_of_sums, &result->stall_to_baseline);
    pairs_free(&misses);
    pairs_free(&stalls);
    return error;
}

/* How far the policies are from opt, over the runs that have all three. */
static void add_distance(const struct compare_report *r, size_t size, size_t policy,
                         struct compare_result *result) {
    double misses = 0, opts = 0, bases = 0, logs = 0;
    size_t runs = 0;
    for (size_t run = 0; run < r->run_count; run++) {
        const struct compare_row *row = compare_cell(r, run, size, (long)policy);
        const struct compare_row *opt = compare_cell(r, run, size, r->opt);
        const struct compare_row *base = compare_cell(r, run, size, r->baseline);
        if (!is_known(row) || !is_known(opt) || !is_known(base) || !opt->misses || !row->misses)
            continue;
        misses += (double)row->misses;
        opts += (double)opt->misses;
        bases += (double)base->misses;
        logs += log((double)row->misses / (double)opt->misses);
        runs++;
    }
    result->to_opt = runs ? exp(logs / (double)runs) : NAN;
    result->distance = runs && bases > opts ? (misses - opts) / (bases - opts) : NAN;
}

/* exact is surest; the others in the order in which less is known. */
static int label_rank(const char *label) {
    static const char *const order[] = {"exact", "conditional", "bounded", "estimated", "failed"};
    int rank = 0;
    while (rank < (int)ARRAY_LENGTH(order) && strcmp(order[rank], label))
        rank++;
    return rank;
}

static void add_row(struct compare_result *result, const struct compare_row *row) {
    const bool bounded = row->lower != UINT64_MAX && row->upper != UINT64_MAX;
    result->runs++;
    result->failed += compare_row_failed(row);
    result->frames = row->frames;
    result->misses += row->misses;
    result->lower += bounded ? row->lower : row->misses;
    result->upper += bounded ? row->upper : row->misses;
    result->writebacks_known &= row->writebacks != UINT64_MAX;
    result->writebacks += row->writebacks;
    result->stall += row->stall;
    result->ns_per_reference += row->ns_per_reference;
    result->ns_per_victim += row->ns_per_victim;
    result->bytes_per_frame += row->bytes_per_frame;
    if (!result->label || label_rank(row->label) > label_rank(result->label)) {
        result->label = row->label;
        result->condition = row->condition;
    }
}

static int make_result(struct compare_report *r, size_t size, size_t policy) {
    struct compare_result *result = &r->results[size * r->policies.count + policy];
    const struct compare_ratio unknown = {NAN, NAN, NAN};
    *result = (struct compare_result){.writebacks_known = true,
                                      .condition = "",
                                      .misses_to_baseline = unknown,
                                      .stall_to_baseline = unknown};
    for (size_t run = 0; run < r->run_count; run++) {
        const struct compare_row *row = compare_cell(r, run, size, (long)policy);
        if (row)
            add_row(result, row);
    }
    if (!result->runs || result->failed)
        return 0; /* sums over some runs would be beside sums over all */
    result->ns_per_reference /= (double)result->runs;
    result->ns_per_victim /= (double)result->runs;
    result->bytes_per_frame /= (double)result->runs;
    add_distance(r, size, policy, result);
    return add_ratios(r, size, policy, result);
}

/* ---- the whole ---- */

static int make_results(struct compare_report *r) {
    int error = 0;
    r->results = calloc(r->sizes.count * r->policies.count + 1, sizeof *r->results);
    if (!r->results)
        return -ENOMEM;
    for (size_t size = 0; !error && size < r->sizes.count; size++)
        for (size_t policy = 0; !error && policy < r->policies.count; policy++)
            error = make_result(r, size, policy);
    return error;
}

int compare_report_make(const struct compare_rows *rows, const char *baseline, uint64_t seed,
                        struct compare_report **ret_report, char **ret_message) {
    struct compare_report *r = calloc(1, sizeof *r);
    const struct compare_row **sorted = calloc(rows->count + 1, sizeof *sorted);
    int error = r && sorted ? 0 : -ENOMEM;
    if (!error) {
        r->rows = rows;
        r->seed = seed;
        error = find_runs(r, sorted);
    }
    if (!error)
        error = find_names(r);
    if (!error)
        error = fill_cells(r);
    if (!error) {
        r->baseline = policy_find_index(r, baseline);
        r->opt = policy_find_index(r, "opt");
        if (r->baseline < 0)
            error = message_fail(-EINVAL, ret_message, "--baseline: there are no results of '%s'", baseline);
    }
    if (!error)
        error = make_results(r);
    free(sorted);
    if (error)
        compare_report_free(r);
    else
        *ret_report = r;
    return error;
}

void compare_report_free(struct compare_report *r) {
    if (!r)
        return;
    free(r->runs);
    free(r->programs);
    free(r->policies.names);
    free(r->sizes.names);
    free(r->cells);
    free(r->results);
    free(r);
}
