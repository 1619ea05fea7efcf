/* How `thimble where` shows what it found. */
#ifndef UI_WHERE_H
#define UI_WHERE_H

#include <stdbool.h>
#include <stdio.h>

#include "place/report.h"

struct where_context {
    char *const *command; /* NULL at the end */
    const char *policy;
    uint64_t available; /* frames for pages; 0: not a fixed number */
    uint64_t frames;    /* of the machine */
    bool evicted;       /* some page was */
    bool deterministic;
    int exit_status;
    unsigned top; /* rows of a table for people */
};

/* All return 0 or -errno of the writing. */
int where_print_text(FILE *to, const struct place_report *, const struct where_context *);
int where_print_json(FILE *to, const struct place_report *, const struct where_context *);
/* A line for each place that had misses: its frames from the outermost on, with semicolons, and the misses.
 * Of the first table. */
int where_print_folded(FILE *to, const struct place_report *);

extern const char *const where_by_names[PLACE_BY_KINDS];

#endif
