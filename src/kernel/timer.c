/* Timers of processes: interval timers of real and of CPU time, POSIX timers. Keeps and fires them; who sets
 * them is sys_timer.c, who looks at the clock sched.c. A timer that missed several periods fires once and
 * counts the others as overrun. */
#include "kernel/timer.h"

#include <stdlib.h>

#include "kernel/sched.h"

/* Whether it is due; moves it on to its first period after `now`. *ret_missed: the periods in between. */
static bool timer_fire(struct interval_timer *timer, uint64_t now, uint64_t *ret_missed) {
    if (timer->next == 0 || timer->next > now)
        return false;
    *ret_missed = timer->interval ? (now - timer->next) / timer->interval : 0;
    timer->next = timer->interval ? timer->next + (*ret_missed + 1) * timer->interval : 0;
    return true;
}

static void timer_send(struct process *p, struct posix_timer *timer, uint64_t missed) {
    timer->overrun = missed;
    if (timer->notify == SIGEV_NONE)
        return;
    siginfo_t info = {.si_signo = timer->signal, .si_code = SI_TIMER};
    info.si_timerid = timer->id;
    info.si_overrun = (int)missed;
    info.si_value.sival_ptr = (void *)timer->value; /* NOLINT: a number of the guest's */
    struct thread *t = timer->notify == SIGEV_THREAD_ID ? thread_find(p->kernel, timer->tid) : NULL;
    if (t)
        signal_send_thread(t, timer->signal, &info);
    else if (timer->notify != SIGEV_THREAD_ID)
        signal_send_process(p, timer->signal, &info);
}

static void timer_expire_process(struct process *p, uint64_t now) {
    uint64_t missed;
    if (timer_fire(&p->timers[ITIMER_REAL], now, &missed))
        signal_send_process(p, SIGALRM, NULL);
    if (p->timers[ITIMER_REAL].next)
        sched_note_deadline(p->kernel, p->timers[ITIMER_REAL].next);
    for (struct posix_timer *timer = p->posix_timers; timer; timer = timer->next) {
        if (timer_fire(&timer->timer, now, &missed))
            timer_send(p, timer, missed);
        if (timer->timer.next)
            sched_note_deadline(p->kernel, timer->timer.next);
    }
}

void timer_expire(struct kernel *k, uint64_t now) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine)
        if (p->state == PROCESS_ALIVE)
            timer_expire_process(p, now);
}

/* RLIMIT_CPU, in seconds: SIGXCPU at the soft limit and every second behind it, death at the hard one. */
static void timer_check_limit(struct process *p) {
    struct rlimit *limit = &p->limits[RLIMIT_CPU];
    uint64_t seconds = p->user_instructions / 1000000000;
    if (seconds >= limit->rlim_max) {
        process_kill(p, SIGKILL);
    } else if (seconds >= limit->rlim_cur) {
        limit->rlim_cur = seconds + 1;
        signal_send_process(p, SIGXCPU, NULL);
    }
}

void timer_charge(struct process *p) {
    uint64_t missed;
    timer_check_limit(p);
    if (timer_fire(&p->timers[ITIMER_VIRTUAL], p->user_instructions, &missed))
        signal_send_process(p, SIGVTALRM, NULL);
    if (timer_fire(&p->timers[ITIMER_PROF], p->user_instructions, &missed))
        signal_send_process(p, SIGPROF, NULL);
}

void timer_free_all(struct process *p) {
    struct posix_timer *timer;
    while ((timer = p->posix_timers)) {
        p->posix_timers = timer->next;
        free(timer);
    }
}
