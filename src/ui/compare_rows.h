/* The results of a comparison: a row for each run, policy and size, as they stand in the CSV file. Everything
 * that `thimble compare` prints is made from these rows, so that the file gives the same table again. */
#ifndef UI_COMPARE_ROWS_H
#define UI_COMPARE_ROWS_H

#include <stdbool.h>
#include <stdio.h>

#include "analysis/cost.h"
#include "analysis/curve.h"
#include "trace/text.h"

struct compare_row {
    char *name;    /* of the program, as the suite calls it */
    char *command; /* its words */
    char *trace_hash;
    char *policy;
    char *size; /* as it was asked for: "512", "25%" */
    char *label, *condition;
    char *observed; /* "every reference", "bits:1000" */
    char *disk;     /* of the stall, as it was asked for */
    char *thimble;  /* version */
    uint64_t seed, layout;
    uint64_t references, pages, cold, frames;
    uint64_t counted;      /* references behind the warm-up */
    uint64_t misses;       /* UINT64_MAX: the policy failed, and the condition says why */
    uint64_t lower, upper; /* of misses, if bounded; else UINT64_MAX */
    uint64_t writebacks;   /* UINT64_MAX: not known */
    double stall;          /* seconds, of misses that are not cold; NAN: not known */
    double ns_per_reference, ns_per_victim, bytes_per_frame; /* 0: not measured */
};

static inline bool compare_row_failed(const struct compare_row *row) {
    return row->misses == UINT64_MAX;
}

struct compare_rows {
    struct compare_row *rows;
    size_t count;
};
void compare_rows_free(struct compare_rows *);

/* The first row of a policy that failed, or NULL. */
const struct compare_row *compare_rows_failed(const struct compare_rows *);

/* A run whose results are to be added. Strings are the caller's. */
struct compare_run {
    const char *name, *command, *observed, *disk_text;
    const struct cost_disk *disk;
    uint64_t seed, layout;
    const char *const *sizes; /* as they were asked for: one for each of the set's; NULL: as numbers */
};
/* 0 or -ENOMEM. */
int compare_rows_add(struct compare_rows *, const struct compare_run *, const struct curve_set *);

/* compare_csv.c: RFC 4180, with a line of names. Reading takes columns in any order and ignores those it does
 * not know: 0, or -errno with *ret_message, which names the line. */
void compare_csv_put(const struct compare_rows *, struct text *);
int compare_csv_read(FILE *, const char *path, struct compare_rows *ret_rows, char **ret_message);

#endif
