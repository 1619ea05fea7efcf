/* The machine: built from a configuration, run to its end, summarised. The only place that names concrete
 * engines, policies and page-table formats; owns the main loop. */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "kernel/kernel.h"
#include "kernel/sandbox/sandbox.h"
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
    const char *prefetch; /* which pages are brought along with missing ones: policy/prefetch.h; NULL: none */
    bool deterministic;
    uint64_t seed;
    uint64_t layout_seed; /* address spaces are laid out by it; 0: always the same */
    enum cpu_level level;
    unsigned tlb_entries;
    uint64_t max_instructions; /* 0: no limit */
    /* The lecture's way: a swap slot is assigned when a page is first touched, not when it is evicted. */
    bool slot_at_first_touch;
    /* Decisions made in advance, for pictures that must come out with given numbers: the i-th frame that is
     * taken from the free pool, the i-th swap slot assigned, the i-th victim. When a list is used up, the
     * machine decides as usual. One that cannot be followed (the frame is not free …) ends the machine with a
     * message. Owned by the caller, live as long as the machine. */
    struct vm_choices choices;
    /* Places whose first execution after an exec is an event: symbols or addresses ("0x401000"), NULL at the
     * end; NULL: none. _start and main are always watched while a trace listens. */
    const char *const *watch;
    /* What of the host the programs may see and use: kernel/sandbox/sandbox.h. The rules are the caller's. */
    struct sandbox_config sandbox;
    bool cache_all; /* data of read() and write() on files takes frames of the page cache, too */
    bool no_network;
    struct kernel_limits limits;
    /* The caller deals with the signals that reach the host process itself (Ctrl-C in a stepper …): none is
     * passed on, and programs start with no signal blocked, whatever the calling thread blocks. */
    bool keep_host_signals;
    /* A signal has reached the host process: true, it was meant for the caller and is not passed on. NULL:
     * none is. */
    bool (*take_signal)(void *context, int signal);
    bool record_contents; /* emit EVENT_CONTENT, where there are at most 64 frames: small enough to draw */
    bool check; /* verify every invariant after every trap (every 1024th beyond 256 frames) and at the end */
    struct vm_observer observer; /* of references: who wants to know them all. All NULL: nobody */
    uint32_t told_pages;         /* programs are told of so much memory, all free; 0: the truth. vm_config */
    uint64_t observe_bits; /* K: policies get referenced bits each K instructions, not every reference */
    struct inject *inject; /* tests only, may be NULL */
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

/* A program to be started before anything runs. Strings belong to the caller and live until machine_run()
 * returns. */
struct machine_program {
    uint32_t pid;     /* 0: one above the largest so far, 2 for the first. 1 is the machine itself */
    const char *file; /* looked up in PATH of envp unless it has a slash */
    char *const *argv, *const *envp;
    const char *directory; /* its working directory; NULL: Thimble's own */
    /* Descriptors of the host that become 0, 1, 2; -1: closed, as are the host's own 0, 1 and 2 if they are
     * close-on-exec. They stay the caller's and, above 2, must be close-on-exec: others are taken for what
     * the programs are to inherit. */
    int input, output, error;
    uint64_t stack_top; /* the address behind its stack; 0: the usual place; a multiple of the page size */
    /* Its stack is exactly so many pages, which does not grow and keeps no distance: the heap and other
     * mappings may be right beside it. 0: it grows as far as RLIMIT_STACK says. */
    uint32_t stack_pages;
};
/* Programs are created and executed in the order in which they are added, all of them before the first
 * instruction of any: arguments and environment are on every stack by then, so that each has touched one page
 * of its stack (more if they are long). Then they run, the first one first, each until it sleeps, ends,
 * yields or has used its time up. Together they are one job, in the foreground of the terminal; numbers of
 * further processes go on above the largest. 0, -ENOMEM, -EEXIST (a pid given twice), -EINVAL (pid 1 or above
 * 4194303; a stack that is not at a multiple of the page size, or not in user space). */
int machine_add_program(struct machine *, const struct machine_program *);

/* An EVENT_LABEL for the beginning of the run. Strings are copied. 0 or -ENOMEM. */
struct machine_label {
    enum event_label what;
    uint64_t args[5];        /* as in the event; strings are left 0 and given here: */
    const char *path, *name; /* EVENT_LABEL_FILE only */
};
int machine_add_label(struct machine *, const struct machine_label *);

/* Ends the run soon, as if it had been stopped by a signal. May be called from any thread at any time between
 * creation and destruction: before the run, while it executes, sleeps in poll, or waits in a sink (then it
 * ends soon after the sink has returned); also from a signal handler. */
void machine_request_stop(struct machine *);

/* As if this signal (1 … 64) had reached the host process: what was typed into a terminal that is the
 * programs' own. From any thread, as machine_request_stop(). */
void machine_send_signal(struct machine *, int signal);

/* Before the run: this terminal of the host (a descriptor, above 2, the caller's) controls the programs,
 * which are a session of their own in its foreground. Without it they have what controls Thimble itself. */
void machine_set_terminal(struct machine *, int terminal);

/* Runs the programs that were added until no process is left, passing the signals that reach the host process
 * on to the guests. Once for a machine. The summary's wait_status is the first one's. 0; -errno of
 * kernel_start() when one could not be started: then none has run, and *ret_failed (may be NULL) is its
 * index; -EBUSY when another machine of this process runs; -ENOTRECOVERABLE when a check found a broken
 * invariant or a choice could not be followed (it was reported): the exit status is to be 125. */
int machine_run_programs(struct machine *, size_t *ret_failed);

/* Adds one program, with the standard streams of the host process, and runs it. As machine_run_programs(). */
int machine_run(struct machine *, const char *program, char *const argv[], char *const envp[]);
/* Takes the programs down that are still there. With `check` it verifies then that all has been given back:
 * frames, swap slots, descriptors of the host. 0, or -ENOTRECOVERABLE after a report. Only machine_destroy()
 * may follow. */
int machine_end(struct machine *);
void machine_destroy(struct machine *); /* also of one that was not ended */

struct machine_summary {
    bool complete;   /* false: stopped early (limit, signal) */
    int wait_status; /* of the first process; meaningless unless complete */
    int host_signal; /* the last one that reached Thimble itself, 0: none */
    enum kernel_stop stop;
    const char *policy, *page_table;
    const char *policy_failed; /* what the policy did before CLOCK took its place; NULL: it did not fail */
    uint64_t seed;
    double wall_seconds;
    const char *prefetch; /* as it was asked for; NULL: none */
    struct vm_prefetch_counts prefetched;
    struct vm_counts vm;
    struct engine_counters engine;
    struct kernel_summary kernel;
};
/* After machine_run(). Pointers stay valid until the next call or machine_destroy(). */
void machine_get_summary(struct machine *, struct machine_summary *ret_summary);

#endif
