/* Timers of processes: ITIMER_* and timer_create(). The system calls are in sys_timer.c. */
#ifndef KERNEL_TIMER_H
#define KERNEL_TIMER_H

#include <sys/time.h>
#include <time.h>

#include "kernel/time/clock.h"

struct posix_timer {
    struct posix_timer *next; /* of the process */
    int id;
    clockid_t clock;
    enum clock_kind kind; /* what its times are of: CLOCK_OF_MACHINE also for CLOCK_REALTIME */
    uint32_t clock_tid;   /* CLOCK_OF_THREAD */
    int notify;           /* SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_NONE, SIGEV_THREAD_ID */
    int signal;           /* 1 … 64 */
    uint32_t tid;         /* SIGEV_THREAD_ID only */
    uint64_t value;       /* sigval as the program gave it */
    struct interval_timer timer;
    uint64_t missed;  /* expirations since the one that its queued signal stands for */
    uint64_t overrun; /* `missed` when its last signal was taken */
};

/* Sends the signals of all timers that are due at `now`, and notes when the next one is. */
void timer_expire(struct kernel *, uint64_t now);
/* The process worked, up to `next_charge`: what counts its work (a nanosecond for each instruction) may be
 * due: ITIMER_VIRTUAL, ITIMER_PROF, RLIMIT_CPU, timers and sleepers of CPU-time clocks. */
void timer_charge(struct process *);
/* Something that counts the process's work was set: `next_charge` is computed anew. */
void timer_charge_soon(struct process *);
/* Sleepers of the process's CPU-time clock wait by this channel; one of them wants to be woken at `work`. */
const void *timer_work_channel(struct process *, uint64_t work);
/* exit and exec delete the timers of timer_create(). */
void timer_free_all(struct process *);
/* The time that a POSIX timer goes by, now; what it missed so far is told first. */
uint64_t timer_now(struct process *, const struct posix_timer *);
void timer_catch_up(struct process *, struct posix_timer *);
/* The signal of the timer that `info` names is delivered: fills in its overrun. */
void timer_taken(struct process *, siginfo_t *info);

#endif
