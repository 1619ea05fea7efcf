/* Calls that set timers: alarm, setitimer, timer_create and its relatives. What a timer does is timer.c's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/schedule/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"
#include "kernel/time/timer.h"

enum { NS_PER_S = 1000000000, NS_PER_US = 1000 };

/* ---- interval timers ---- */

/* The clock that the timer goes by, now: machine time, or the process's own work. */
static uint64_t itimer_now(const struct process *p, int which) {
    return which == ITIMER_REAL ? clock_now(p->kernel) : p->user_instructions;
}

static struct timeval itimer_timeval(uint64_t ns) {
    return (struct timeval){(time_t)(ns / NS_PER_S), (suseconds_t)(ns % NS_PER_S / NS_PER_US)};
}

static struct itimerval itimer_get(const struct process *p, int which) {
    const struct interval_timer *timer = &p->timers[which];
    uint64_t now = itimer_now(p, which);
    uint64_t left = timer->next == 0 ? 0 : timer->next > now ? timer->next - now : NS_PER_US;
    return (struct itimerval){itimer_timeval(timer->interval), itimer_timeval(left)};
}

static bool itimer_ns(const struct timeval *time, uint64_t *ret_ns) {
    if (time->tv_sec < 0 || time->tv_usec < 0 || time->tv_usec >= 1000000)
        return false;
    *ret_ns = min_u64((uint64_t)time->tv_sec, INT32_MAX) * NS_PER_S + (uint64_t)time->tv_usec * NS_PER_US;
    return true;
}

static void itimer_set(struct process *p, int which, uint64_t value, uint64_t interval) {
    p->timers[which].next = value ? itimer_now(p, which) + value : 0;
    p->timers[which].interval = interval;
    if (value && which == ITIMER_REAL)
        sched_note_deadline(p->kernel, p->timers[which].next);
    timer_charge_soon(p);
}

static long sys_getitimer(struct thread *t, const uint64_t args[6]) {
    struct itimerval now;
    if (args[0] > ITIMER_PROF)
        return -EINVAL;
    now = itimer_get(t->process, (int)args[0]);
    return user_write(t->process->space, args[1], &now, sizeof now);
}

static long sys_setitimer(struct thread *t, const uint64_t args[6]) {
    struct itimerval new_value = {0}, old;
    uint64_t value, interval;
    if (args[1] && user_read(t->process->space, args[1], &new_value, sizeof new_value) < 0)
        return -EFAULT;
    if (args[0] > ITIMER_PROF || !itimer_ns(&new_value.it_value, &value) ||
        !itimer_ns(&new_value.it_interval, &interval))
        return -EINVAL;
    old = itimer_get(t->process, (int)args[0]);
    itimer_set(t->process, (int)args[0], value, interval);
    return args[2] && user_write(t->process->space, args[2], &old, sizeof old) < 0 ? -EFAULT : 0;
}

/* The seconds that were left, rounded as Linux does: never to 0 while some are left. */
static long sys_alarm(struct thread *t, const uint64_t args[6]) {
    struct itimerval old = itimer_get(t->process, ITIMER_REAL);
    long left = old.it_value.tv_sec;
    if ((left == 0 && old.it_value.tv_usec) || old.it_value.tv_usec >= 500000)
        left++;
    itimer_set(t->process, ITIMER_REAL, (uint64_t)(uint32_t)args[0] * NS_PER_S, 0);
    return left;
}

/* ---- POSIX timers ---- */

static struct posix_timer *posix_timer_find(const struct process *p, uint64_t id) {
    for (struct posix_timer *timer = p->posix_timers; timer; timer = timer->next)
        if (timer->id == (int)id)
            return timer;
    return NULL;
}

/* The kernel's struct sigevent. */
struct posix_timer_event {
    uint64_t value;
    int32_t signal, notify, tid, padding[11];
};
_Static_assert(sizeof(struct posix_timer_event) == 64, "the layout is the ABI's");

static int posix_timer_set_event(struct process *p, const struct posix_timer_event *event,
                                 struct posix_timer *timer) {
    const struct thread *target;
    switch (event->notify) {
    case SIGEV_THREAD_ID:
        target = thread_find(p->kernel, (uint32_t)event->tid);
        if (!target || target->process != p)
            return -EINVAL;
        break;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
    case SIGEV_NONE: break;
    default: return -EINVAL;
    }
    if (event->notify != SIGEV_NONE && (event->signal < 1 || event->signal > SIGNAL_COUNT))
        return -EINVAL;
    timer->value = event->value;
    timer->signal = event->signal;
    timer->notify = event->notify;
    timer->tid = (uint32_t)event->tid;
    return 0;
}

/* CPU time of other processes is not watched. */
static int posix_timer_set_clock(struct thread *t, clockid_t id, struct posix_timer *timer) {
    struct clock clock;
    int r = clock_find(t, id, &clock);
    if (r < 0)
        return r;
    if (!clock.can_time)
        return -EOPNOTSUPP;
    if (clock.kind == CLOCK_OF_PROCESS && clock.process != t->process)
        return -EINVAL;
    timer->clock = id;
    timer->kind = clock.kind == CLOCK_OF_REALTIME ? CLOCK_OF_MACHINE : clock.kind;
    timer->clock_tid = clock.thread ? clock.thread->tid : 0;
    return 0;
}

/* Numbers are not used again soon, as in Linux. */
static int posix_timer_new_id(struct process *p) {
    while (posix_timer_find(p, (uint64_t)p->next_timer_id))
        p->next_timer_id = p->next_timer_id == INT32_MAX ? 0 : p->next_timer_id + 1;
    int id = p->next_timer_id;
    p->next_timer_id = id == INT32_MAX ? 0 : id + 1;
    return id;
}

static int posix_timer_fill(struct thread *t, const uint64_t args[6], struct posix_timer *timer) {
    struct posix_timer_event event = {.signal = SIGALRM, .notify = SIGEV_SIGNAL};
    if (args[1] && user_read(t->process->space, args[1], &event, sizeof event) < 0)
        return -EFAULT;
    int r = posix_timer_set_clock(t, (clockid_t)args[0], timer);
    if (r == 0)
        r = posix_timer_set_event(t->process, &event, timer);
    if (r < 0)
        return r;
    timer->id = posix_timer_new_id(t->process);
    if (!args[1])
        timer->value = (uint64_t)timer->id;
    return user_write(t->process->space, args[2], &timer->id, sizeof timer->id) < 0 ? -EFAULT : 0;
}

/* A timer has room for its signal from the beginning: it counts as a queued one. */
static long sys_timer_create(struct thread *t, const uint64_t args[6]) {
    struct process *p = t->process;
    struct posix_timer filled = {0};
    int r = posix_timer_fill(t, args, &filled);
    if (r < 0)
        return r;
    if (p->kernel->queued_signals >= p->limits[RLIMIT_SIGPENDING].rlim_cur)
        return -EAGAIN;
    struct posix_timer *timer = inject_calloc(p->kernel->config.inject, 1, sizeof *timer);
    if (!timer)
        return -EAGAIN;
    *timer = filled;
    timer->next = p->posix_timers;
    p->posix_timers = timer;
    p->kernel->queued_signals++;
    return 0;
}

static long sys_timer_delete(struct thread *t, const uint64_t args[6]) {
    for (struct posix_timer **link = &t->process->posix_timers; *link; link = &(*link)->next) {
        struct posix_timer *timer = *link;
        if (timer->id != (int)args[0])
            continue;
        *link = timer->next;
        t->process->kernel->queued_signals--;
        free(timer);
        return 0;
    }
    return -EINVAL;
}

static struct timespec posix_timer_timespec(uint64_t ns) {
    return (struct timespec){(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
}

static struct itimerspec posix_timer_get(struct process *p, struct posix_timer *timer) {
    timer_catch_up(p, timer);
    uint64_t next = timer->timer.next, left = next ? next - timer_now(p, timer) : 0;
    return (struct itimerspec){posix_timer_timespec(timer->timer.interval), posix_timer_timespec(left)};
}

static bool posix_timer_ns(const struct timespec *time, uint64_t *ret_ns) {
    if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= NS_PER_S)
        return false;
    *ret_ns = min_u64((uint64_t)time->tv_sec, INT64_MAX / NS_PER_S - 1) * NS_PER_S + (uint64_t)time->tv_nsec;
    return true;
}

/* The time at which the timer is due, by what it counts. */
static uint64_t posix_timer_due(struct thread *t, const struct posix_timer *timer, uint64_t value,
                                bool absolute) {
    struct clock clock;
    if (!absolute)
        return timer_now(t->process, timer) + value;
    if (timer->kind != CLOCK_OF_MACHINE || clock_find(t, timer->clock, &clock) < 0)
        return value;
    return clock_machine_time(t->process->kernel, &clock, value);
}

static long sys_timer_settime(struct thread *t, const uint64_t args[6]) {
    struct process *p = t->process;
    struct posix_timer *timer = posix_timer_find(p, args[0]);
    struct itimerspec new_value, old;
    uint64_t value, interval;
    if (!args[2])
        return -EINVAL;
    if (user_read(p->space, args[2], &new_value, sizeof new_value) < 0)
        return -EFAULT;
    if (!timer || !posix_timer_ns(&new_value.it_value, &value) ||
        !posix_timer_ns(&new_value.it_interval, &interval))
        return -EINVAL;
    old = posix_timer_get(p, timer);
    timer->missed = timer->overrun = 0;
    timer->timer.interval = interval;
    timer->timer.next = value ? posix_timer_due(t, timer, value, args[1] & TIMER_ABSTIME) : 0;
    if (value && timer->kind == CLOCK_OF_MACHINE)
        sched_note_deadline(p->kernel, timer->timer.next);
    timer_charge_soon(p);
    return args[3] && user_write(p->space, args[3], &old, sizeof old) < 0 ? -EFAULT : 0;
}

static long sys_timer_gettime(struct thread *t, const uint64_t args[6]) {
    struct posix_timer *timer = posix_timer_find(t->process, args[0]);
    if (!timer)
        return -EINVAL;
    struct itimerspec now = posix_timer_get(t->process, timer);
    return user_write(t->process->space, args[1], &now, sizeof now);
}

static long sys_timer_getoverrun(struct thread *t, const uint64_t args[6]) {
    const struct posix_timer *timer = posix_timer_find(t->process, args[0]);
    return timer ? (long)min_u64(timer->overrun, INT32_MAX) : -EINVAL;
}

const struct syscall_entry syscalls_timer[] = {
    {SYS_getitimer, "getitimer", sys_getitimer},
    {SYS_setitimer, "setitimer", sys_setitimer},
    {SYS_alarm, "alarm", sys_alarm},
    {SYS_timer_create, "timer_create", sys_timer_create},
    {SYS_timer_delete, "timer_delete", sys_timer_delete},
    {SYS_timer_settime, "timer_settime", sys_timer_settime},
    {SYS_timer_gettime, "timer_gettime", sys_timer_gettime},
    {SYS_timer_getoverrun, "timer_getoverrun", sys_timer_getoverrun},
    {-1, NULL, NULL},
};
