/* See compare_rows.h. */
#include "ui/compare_rows.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/types.h"
#include "ui/size.h"

static void row_free(struct compare_row *r) {
    char *const strings[] = {r->name,  r->command,   r->trace_hash, r->policy, r->size,
                             r->label, r->condition, r->observed,   r->disk,   r->thimble};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        free(strings[i]);
}

void compare_rows_free(struct compare_rows *t) {
    for (size_t i = 0; i < t->count; i++)
        row_free(&t->rows[i]);
    free(t->rows);
    *t = (struct compare_rows){0};
}

const struct compare_row *compare_rows_failed(const struct compare_rows *t) {
    for (size_t i = 0; i < t->count; i++)
        if (compare_row_failed(&t->rows[i]))
            return &t->rows[i];
    return NULL;
}

static bool row_is_whole(const struct compare_row *r) {
    return r->name && r->command && r->trace_hash && r->policy && r->size && r->label && r->condition &&
           r->observed && r->disk && r->thimble;
}

static struct compare_row make_row(const struct compare_run *run, const struct curve_set *set, size_t policy,
                                   size_t size) {
    const struct curve *c = &set->curves[policy];
    char hash[HASH_TEXT], frames[16];
    snprintf(frames, sizeof frames, "%u", c->sizes[size]);
    struct compare_row row = {
        .name = strdup(run->name),
        .command = strdup(run->command),
        .trace_hash = strdup(hash_format(set->totals.hash, hash)),
        .policy = strdup(c->policy),
        .size = strdup(run->sizes ? run->sizes[size] : frames),
        .label = strdup(result_label_name(c->label)),
        .condition = strdup(c->condition ? c->condition
                            : c->remark  ? c->remark
                                         : ""),
        .observed = strdup(run->observed),
        .disk = strdup(run->disk_text),
        .thimble = strdup(THIMBLE_VERSION),
        .seed = run->seed,
        .layout = run->layout,
        .references = set->totals.references,
        .pages = set->totals.pages,
        .cold = set->cold,
        .counted = set->totals.references - set->warm_up.left_out,
        .frames = c->sizes[size],
        .misses = c->faults[size],
        .writebacks = c->writebacks ? c->writebacks[size] : UINT64_MAX,
        .lower = c->lower ? c->lower[size] : UINT64_MAX,
        .upper = c->upper ? c->upper[size] : UINT64_MAX,
        .stall = NAN,
    };
    if (c->label == RESULT_FAILED)
        row.misses = row.writebacks = UINT64_MAX;
    else if (c->writebacks)
        row.stall = cost_stall(run->disk, PAGE_SIZE, row.misses - row.cold, row.writebacks);
    if (set->costs) {
        row.ns_per_reference = set->costs[policy].ns_per_reference;
        row.ns_per_victim = set->costs[policy].ns_per_victim;
        row.bytes_per_frame = set->costs[policy].bytes_per_frame;
    }
    return row;
}

int compare_rows_add(struct compare_rows *t, const struct compare_run *run, const struct curve_set *set) {
    for (size_t policy = 0; policy < set->count; policy++) {
        const struct curve *c = &set->curves[policy];
        struct compare_row *rows = reallocarray(t->rows, t->count + c->count + 1, sizeof *rows);
        if (!rows)
            return -ENOMEM;
        t->rows = rows;
        for (size_t size = 0; size < c->count; size++) {
            if (c->sizes[size] < c->floor && c->label != RESULT_FAILED)
                continue; /* no run of that size */
            rows[t->count] = make_row(run, set, policy, size);
            if (!row_is_whole(&rows[t->count++]))
                return -ENOMEM;
        }
    }
    return 0;
}
