/* Timers of processes: ITIMER_* and timer_create(). The system calls are in sys_timer.c. */
#ifndef KERNEL_TIMER_H
#define KERNEL_TIMER_H

#include <sys/time.h>
#include <time.h>

#include "kernel/process.h"

struct posix_timer {
    struct posix_timer *next; /* of the process */
    int id;
    clockid_t clock;
    int notify;     /* SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD_ID */
    int signal;     /* 1 … 64 */
    uint32_t tid;   /* SIGEV_THREAD_ID only */
    uint64_t value; /* sigval as the program gave it */
    struct interval_timer timer;
    uint64_t overrun; /* expirations that the last signal stands for, less one */
};

/* Sends the signals of all timers that are due at `now`, and notes when the next one is. */
void timer_expire(struct kernel *, uint64_t now);
/* The process worked: its ITIMER_VIRTUAL, ITIMER_PROF and RLIMIT_CPU, which count guest work (a nanosecond
 * for each instruction), may be due. */
void timer_charge(struct process *);
/* exit and exec delete the timers of timer_create(). */
void timer_free_all(struct process *);

#endif
