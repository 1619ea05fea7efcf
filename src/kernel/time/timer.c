/* Timers of processes: interval timers of real and of CPU time, POSIX timers. Keeps and fires them; who sets
 * them is sys_timer.c, who looks at the clock sched.c and kernel.c. An interval timer that missed several
 * periods fires once. A POSIX timer has one signal queued at most: what it misses until that is taken is the
 * signal's overrun. */
#include "kernel/time/timer.h"

#include <stdlib.h>

#include "base/base.h"
#include "kernel/schedule/sched.h"
#include "kernel/signal/signal.h"

enum { NS_PER_S = 1000000000 };

/* Whether it is due; moves it on to its first period after `now`. *ret_missed: the periods in between. */
static bool timer_fire(struct interval_timer *timer, uint64_t now, uint64_t *ret_missed) {
    if (timer->next == 0 || timer->next > now)
        return false;
    *ret_missed = timer->interval ? (now - timer->next) / timer->interval : 0;
    timer->next = timer->interval ? timer->next + (*ret_missed + 1) * timer->interval : 0;
    return true;
}

/* ---- POSIX timers ---- */

static struct thread *timer_thread(struct process *p, uint32_t tid) {
    struct thread *t = thread_find(p->kernel, tid);
    return t && t->process == p ? t : NULL;
}

uint64_t timer_now(struct process *p, const struct posix_timer *timer) {
    const struct thread *t;
    switch (timer->kind) {
    case CLOCK_OF_PROCESS: return p->user_instructions;
    case CLOCK_OF_THREAD: t = timer_thread(p, timer->clock_tid); return t ? t->user_instructions : 0;
    case CLOCK_OF_REALTIME:
    case CLOCK_OF_MACHINE: break;
    }
    return clock_now(p->kernel);
}

static void timer_send(struct process *p, struct posix_timer *timer, uint64_t missed) {
    struct thread *t = timer->notify == SIGEV_THREAD_ID ? timer_thread(p, timer->tid) : NULL;
    if (timer->notify == SIGEV_NONE || (timer->notify == SIGEV_THREAD_ID && !t))
        return;
    if (signal_state_has_timer(t ? &t->signals : &p->signals, timer->id)) {
        timer->missed += 1 + missed;
        return;
    }
    siginfo_t info = {.si_signo = timer->signal, .si_code = SI_TIMER};
    info.si_timerid = timer->id;
    info.si_value.sival_ptr = (void *)timer->value; /* NOLINT: a number of the guest's */
    timer->missed = missed;
    signal_send_timer(p, t, timer->signal, &info);
}

void timer_catch_up(struct process *p, struct posix_timer *timer) {
    uint64_t missed;
    if (timer_fire(&timer->timer, timer_now(p, timer), &missed))
        timer_send(p, timer, missed);
}

void timer_taken(struct process *p, siginfo_t *info) {
    struct posix_timer *timer = p->posix_timers;
    while (timer && timer->id != info->si_timerid)
        timer = timer->next;
    if (!timer)
        return;
    timer_catch_up(p, timer); /* the signal is still queued: this counts */
    timer->overrun = timer->missed;
    timer->missed = 0;
    info->si_overrun = (int)min_u64(timer->overrun, INT32_MAX);
}

/* ---- by machine time ---- */

static void timer_expire_process(struct process *p) {
    uint64_t missed;
    if (timer_fire(&p->timers[ITIMER_REAL], clock_now(p->kernel), &missed))
        signal_send_process(p, SIGALRM, NULL);
    if (p->timers[ITIMER_REAL].next)
        sched_note_deadline(p->kernel, p->timers[ITIMER_REAL].next);
    for (struct posix_timer *timer = p->posix_timers; timer; timer = timer->next) {
        if (timer->kind == CLOCK_OF_PROCESS || timer->kind == CLOCK_OF_THREAD)
            continue;
        timer_catch_up(p, timer);
        if (timer->timer.next)
            sched_note_deadline(p->kernel, timer->timer.next);
    }
}

void timer_expire(struct kernel *k, uint64_t now) {
    struct process *p, *next;
    TAILQ_FOREACH_SAFE(p, &k->processes, of_machine, next)
        if (p->state == PROCESS_ALIVE)
            timer_expire_process(p);
}

/* ---- by work ---- */

/* RLIMIT_CPU, in seconds: SIGXCPU at the soft limit and every second behind it, death at the hard one. */
static void timer_check_limit(struct process *p) {
    struct rlimit *limit = &p->limits[RLIMIT_CPU];
    uint64_t seconds = p->user_instructions / NS_PER_S;
    if (seconds >= limit->rlim_max) {
        process_kill(p, SIGKILL);
    } else if (seconds >= limit->rlim_cur) {
        limit->rlim_cur = seconds + 1;
        signal_send_process(p, SIGXCPU, NULL);
    }
    uint64_t next = min_u64(limit->rlim_cur, limit->rlim_max);
    if (next < UINT64_MAX / NS_PER_S)
        p->next_charge = min_u64(p->next_charge, next * NS_PER_S);
}

static void timer_charge_interval(struct process *p, int which, int signal) {
    uint64_t missed;
    if (timer_fire(&p->timers[which], p->user_instructions, &missed))
        signal_send_process(p, signal, NULL);
    if (p->timers[which].next)
        p->next_charge = min_u64(p->next_charge, p->timers[which].next);
}

/* The process cannot have done less when a thread of it has done so much. */
static void timer_charge_posix(struct process *p, struct posix_timer *timer) {
    if (timer->kind != CLOCK_OF_PROCESS && timer->kind != CLOCK_OF_THREAD)
        return;
    timer_catch_up(p, timer);
    if (timer->timer.next)
        p->next_charge =
            min_u64(p->next_charge, p->user_instructions + timer->timer.next - timer_now(p, timer));
}

void timer_charge(struct process *p) {
    p->next_charge = UINT64_MAX;
    timer_check_limit(p);
    timer_charge_interval(p, ITIMER_VIRTUAL, SIGVTALRM);
    timer_charge_interval(p, ITIMER_PROF, SIGPROF);
    for (struct posix_timer *timer = p->posix_timers; timer; timer = timer->next)
        timer_charge_posix(p, timer);
    if (p->wake_at_work && p->wake_at_work <= p->user_instructions) {
        p->wake_at_work = 0; /* those who must wait longer say so again */
        sched_wake(p->kernel, &p->wake_at_work);
    }
    if (p->wake_at_work)
        p->next_charge = min_u64(p->next_charge, p->wake_at_work);
}

void timer_charge_soon(struct process *p) {
    p->next_charge = 0;
}

const void *timer_work_channel(struct process *p, uint64_t work) {
    p->wake_at_work = p->wake_at_work ? min_u64(p->wake_at_work, work) : max_u64(work, 1);
    timer_charge_soon(p);
    return &p->wake_at_work;
}

void timer_free_all(struct process *p) {
    struct posix_timer *timer;
    while ((timer = p->posix_timers)) {
        p->posix_timers = timer->next;
        p->kernel->queued_signals--;
        free(timer);
    }
}
