/* struct machine, for the files of this folder. */
#ifndef MACHINE_PARTS_H
#define MACHINE_PARTS_H

#include <stdatomic.h>

#include "machine/geometry.h"
#include "machine/host_signal.h"
#include "machine/machine.h"
#include "machine/probe.h"

struct machine {
    struct machine_config config;
    struct geometry geometry;

    /* In the order in which they are built; destroyed the other way round. NULL: not yet. */
    struct trace trace;
    struct disk *swap;
    struct vm *vm;
    const struct engine_ops *engine_ops;
    struct engine *engine;
    struct host_signals *signals;
    struct sandbox *sandbox; /* NULL: none wanted */
    struct kernel *kernel;

    uint64_t instructions; /* up to the last trap or fault, while a trace listens */
    uint64_t traps;        /* faults included: paces the checks */
    int failure;           /* 0, or the machine stops with this -errno; it was reported */
    unsigned descriptors;  /* of the host, before there was a kernel; only with `check` */
    atomic_bool stopped;   /* by machine_request_stop() */
    bool in_instruction;   /* the engine has called from the middle of one */
    struct probe_client probe_client;

    /* program.c: what the run begins with */
    struct machine_program *programs;
    size_t program_count;
    struct machine_label *labels; /* their strings are malloc'd copies */
    size_t label_count;
    int terminal;    /* machine_set_terminal(); 0: what controls Thimble */
    int host_signal; /* the last one that reached Thimble, 0: none */
    double wall_seconds;
    char *policy_failed;  /* what it did, until CLOCK took over; NULL: it has not */
    char *policy_refused; /* why a policy of the user's could not be made; NULL: it could */
};

/* ---- check.c ---- */
/* Called after every trap and fault; verifies when it is time to. `in_run`: the engine is in the middle of an
 * access. */
void machine_check_paced(struct machine *, bool in_run);
void machine_check_now(struct machine *, bool in_run);
/* When the kernel is gone, and when vm and sandbox are gone as well: 0, or -ENOTRECOVERABLE after a report
 * when something is left of the programs. */
int machine_check_memory_left(struct machine *);
int machine_check_descriptors_left(struct machine *);
unsigned machine_count_descriptors(void); /* that are open in the host process */

/* ---- program.c ---- */
/* Starts the programs in their order. As machine_run_programs(). */
int machine_start_programs(struct machine *, size_t *ret_failed);
void machine_emit_labels(struct machine *);
void machine_free_programs(struct machine *);

/* ---- machine.c ---- */
/* The machine stops, having been told why: -errno. */
void machine_fail(struct machine *, int error);
/* Brings `instructions` up to date, if a trace wants to know. */
void machine_count_instructions(struct machine *);

#endif
