/* The machine: built from a configuration, run to its end, summarised. The only place that names concrete
 * engines, policies and page-table formats; owns the main loop. */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "kernel/kernel.h"
#include "trace/sink.h"

struct machine;

struct machine_config {
    uint32_t frames;    /* in all; 0: see available */
    uint32_t available; /* frames for pages, beside reserved and page-table frames */
    uint32_t reserved;
    const char *page_table; /* "array", "x86-64", or NULL: x86-64 from 256 frames up */
    uint32_t swap_pages;    /* 0: none */
    const char *swap_path;  /* NULL: an unlinked temporary file */
    const char *policy;     /* "clock", "random:seed=3", … */
    bool deterministic;
    uint64_t seed;
    enum cpu_level level;
    unsigned tlb_entries;
    uint64_t max_instructions; /* 0: no limit */
    bool check; /* verify every invariant after every trap (every 1024th beyond 256 frames) and at the end */
    struct inject *inject;                           /* tests only, may be NULL */
    void (*report)(void *context, const char *line); /* a message for the user, without newline */
    void *context;
};

/* 0 or -errno; *ret_message (malloc'd, on failure only) says what was wrong and what to do. */
int machine_create(const struct machine_config *, struct machine **ret_machine, char **ret_message);

/* What was built; names are the configuration's or live as long as the machine. */
struct machine_geometry {
    uint32_t frames, reserved, swap_pages;
    const char *page_table, *policy; /* policy without its parameters */
};
void machine_get_geometry(const struct machine *, struct machine_geometry *ret_geometry);
/* The sink receives every event of the run. It must live until machine_run() returns. */
void machine_add_sink(struct machine *, struct trace_sink *);

/* Starts PROGRAM and runs to the end, passing the signals that reach the host process on to the guests. Once
 * for a machine. 0; -errno of kernel_start() when it could not be started; -ENOTRECOVERABLE when a check
 * found a broken invariant (it was reported). */
int machine_run(struct machine *, const char *program, char *const argv[], char *const envp[]);
void machine_destroy(struct machine *);

struct machine_summary {
    bool complete;   /* false: stopped early (limit, signal) */
    int wait_status; /* of the first process; meaningless unless complete */
    int host_signal; /* the last one that reached Thimble itself, 0: none */
    enum kernel_stop stop;
    const char *policy, *page_table;
    uint64_t seed;
    double wall_seconds;
    struct vm_counts vm;
    struct engine_counters engine;
    struct kernel_summary kernel;
};
/* After machine_run(). Pointers stay valid until the next call or machine_destroy(). */
void machine_get_summary(struct machine *, struct machine_summary *ret_summary);

#endif
