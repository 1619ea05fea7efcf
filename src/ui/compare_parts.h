/* What the parts of a report share: compare_report.c computes it, compare_print.c prints it. */
#ifndef UI_COMPARE_PARTS_H
#define UI_COMPARE_PARTS_H

#include "ui/compare_report.h"

struct compare_names {
    const char **names; /* of the rows */
    size_t count;
};

struct compare_report {
    const struct compare_rows *rows;
    uint64_t seed;                   /* of the bootstrap */
    const struct compare_row **runs; /* one row of each, by program */
    uint32_t *programs;              /* of each run: its number */
    size_t run_count;
    struct compare_names policies, sizes; /* in the order of the rows */
    long baseline, opt;                   /* policies; opt -1: not among them */
    const struct compare_row **cells;     /* [run][size][policy]; NULL: no such row */
    struct compare_result *results;       /* [size][policy] */
};

/* NULL: no such row, or no such policy (negative). */
const struct compare_row *compare_cell(const struct compare_report *, size_t run, size_t size, long policy);

#endif
