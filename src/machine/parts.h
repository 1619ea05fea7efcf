/* struct machine, for the files of this folder. */
#ifndef MACHINE_PARTS_H
#define MACHINE_PARTS_H

#include "machine/geometry.h"
#include "machine/host_signal.h"
#include "machine/machine.h"

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
    struct kernel *kernel;

    uint64_t instructions; /* up to the last trap or fault, while a trace listens */
    uint64_t traps;        /* faults included: paces the checks */
    bool broken;           /* a check failed: the machine stops */
    int host_signal;       /* the last one that reached Thimble, 0: none */
    double wall_seconds;
};

/* ---- check.c ---- */
/* Called after every trap and fault; verifies when it is time to. `in_run`: the engine is in the middle of an
 * access. */
void machine_check_paced(struct machine *, bool in_run);
void machine_check_now(struct machine *, bool in_run);

/* ---- machine.c ---- */
/* Brings `instructions` up to date, if a trace wants to know. */
void machine_count_instructions(struct machine *);

#endif
