/* The clocks of clock_gettime(2), by their numbers (clock.c). */
#ifndef KERNEL_CLOCK_H
#define KERNEL_CLOCK_H

#include <time.h>

#include "kernel/process/process.h"

/* What a clock goes by. */
enum clock_kind {
    CLOCK_OF_REALTIME, /* CLOCK_REALTIME, CLOCK_TAI */
    CLOCK_OF_MACHINE,  /* since the machine, or the host, was started */
    CLOCK_OF_PROCESS,  /* work of a process */
    CLOCK_OF_THREAD,   /* work of a thread */
};
struct clock {
    enum clock_kind kind;
    bool can_sleep, can_time; /* clock_nanosleep(), timer_create() */
    bool coarse;
    int64_t ahead;           /* ns that it is ahead of what it goes by (CLOCK_TAI) */
    struct process *process; /* CLOCK_OF_PROCESS */
    struct thread *thread;   /* CLOCK_OF_THREAD */
};
/* What the number means to the thread. 0, or -EINVAL: no such clock, process or thread. */
int clock_find(struct thread *, clockid_t, struct clock *ret_clock);
uint64_t clock_read(struct kernel *, const struct clock *); /* ns */
uint64_t clock_resolution(struct kernel *, const struct clock *);
/* Machine time at which a clock of the first two kinds will say `ns`; now, if that is past. */
uint64_t clock_machine_time(struct kernel *, const struct clock *, uint64_t ns);

#endif
