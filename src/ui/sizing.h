/* `thimble size`: what is asked, what was found, and how that is said. */
#ifndef UI_SIZING_H
#define UI_SIZING_H

#include <stdio.h>

#include "analysis/answer.h"
#include "analysis/phases.h"
#include "analysis/result.h"
#include "ui/rerun.h"
#include "ui/subject.h"

enum { SIZING_KNEES = 8, SIZING_RERUNS = 2 };

struct sizing_rerun {
    uint32_t pages; /* that it had */
    bool started;   /* false: it could not be run */
    struct rerun_result found;
    double slowdown; /* by the model, of the misses found */
    bool compared;   /* it is over the same instructions as the simulation, or somebody was killed */
    bool predicted;  /* the misses are those of the simulation */
};

struct sizing {
    /* asked */
    const char *policy, *disk; /* as given */
    const char *swap;          /* as given; NULL: none */
    uint64_t swap_pages;       /* 0: none, or as much as it takes */
    bool swap_unlimited;
    double slowdown;
    bool json, verify;
    struct answer_config config; /* cpu_seconds: 0 until it is known */
    bool cpu_given, cpu_assumed; /* neither: measured natively */
    double recording_seconds;    /* that the recording took */
    uint64_t interval;           /* instructions of a phase; 0: phases are not asked for */
    /* found */
    struct refs_totals totals;
    bool kinds_known;        /* which pages are files', and which are not */
    enum result_label label; /* of the numbers of misses */
    char *condition;         /* why it is not exact (malloc'd), or NULL */
    struct answer answer;
    size_t knees[SIZING_KNEES]; /* indexes of answer.points */
    size_t knee_count;
    struct phase *phases; /* with the answer */
    size_t phase_count;
    struct sizing_rerun reruns[SIZING_RERUNS]; /* with the answer, and with one page less */
    size_t rerun_count;
};

/* The memory to give in bytes, page tables included as far as they are known. */
uint64_t sizing_bytes(const struct sizing *);
/* Page-table frames of the run with the answer, or, if it was not run, as the references let expect; 0: not
 * known. */
bool sizing_tables_are_counted(const struct sizing *);
uint32_t sizing_page_tables(const struct sizing *);
/* How the chosen size divides: as many anonymous pages as live at once, the rest for files. */
uint32_t sizing_anonymous(const struct sizing *);
/* Frames below which somebody is killed for want of memory; 0: there is no such number. */
uint32_t sizing_floor(const struct sizing *);
bool sizing_has_answer(const struct sizing *);

/* How much longer the phase takes than with enough memory; its part of the processor time is that of its
 * instructions. */
double sizing_phase_slowdown(const struct sizing *, const struct phase *);

/* "given", "native" or "assumed": the processor time. */
const char *sizing_cpu_is(const struct sizing *);

void sizing_print(const struct sizing *, const struct subject *, FILE *to);
int sizing_print_json(const struct sizing *, const struct subject *, FILE *to); /* 0 or -errno */

#endif
