/* System calls about time: clocks, sleeping, and timers that are files. Intervals and POSIX timers, which
 * send signals, are in sys_timer.c. The time itself is not a program's to change. */
#include <errno.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/kinds.h"
#include "kernel/syscall.h"
#include "kernel/time/timer.h"

enum { NS = 1000000000 };

static struct timespec from_ns(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / NS), .tv_nsec = (long)(ns % NS)};
}

static int write_timespec(struct thread *t, uint64_t user, uint64_t ns) {
    struct timespec ts = from_ns(ns);
    return user_write(t->process->space, user, &ts, sizeof(ts));
}

static long sys_clock_gettime(struct thread *t, const uint64_t a[6]) {
    struct clock clock;
    int r = clock_find(t, (clockid_t)a[0], &clock);
    return r < 0 ? r : write_timespec(t, a[1], clock_read(t->process->kernel, &clock));
}

static long sys_clock_getres(struct thread *t, const uint64_t a[6]) {
    struct clock clock;
    int r = clock_find(t, (clockid_t)a[0], &clock);
    return r < 0 || !a[1] ? r : write_timespec(t, a[1], clock_resolution(t->process->kernel, &clock));
}

static long sys_gettimeofday(struct thread *t, const uint64_t a[6]) {
    uint64_t now = clock_realtime(t->process->kernel);
    struct timeval tv = {.tv_sec = (time_t)(now / NS), .tv_usec = (suseconds_t)(now % NS / 1000)};
    struct timezone zone = {0};
    int r = a[0] ? user_write(t->process->space, a[0], &tv, sizeof(tv)) : 0;
    if (r == 0 && a[1])
        r = user_write(t->process->space, a[1], &zone, sizeof(zone));
    return r;
}

static long sys_time(struct thread *t, const uint64_t a[6]) {
    time_t now = (time_t)(clock_realtime(t->process->kernel) / NS);
    int r = a[0] ? user_write(t->process->space, a[0], &now, sizeof(now)) : 0;
    return r < 0 ? r : now;
}

/* ---- sleeping ---- */

static int load_time(struct thread *t, uint64_t user, uint64_t *ret_ns) {
    struct timespec ts;
    int r = user_read(t->process->space, user, &ts, sizeof(ts));
    if (r < 0)
        return r;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NS)
        return -EINVAL;
    *ret_ns = min_u64((uint64_t)ts.tv_sec, INT64_MAX / NS - 1) * NS + (uint64_t)ts.tv_nsec;
    return 0;
}

/* Sleeps until call.deadline. When a signal ends it, `remain` (user memory, or 0) is told what is left; a
 * signal without a handler lets it go on. */
static long sleep_on(struct thread *t, uint64_t remain, int on_signal) {
    uint64_t now = clock_now(t->process->kernel);
    if (now >= t->call.deadline)
        return 0;
    if (t->call.interrupted && remain) {
        int r = write_timespec(t, remain, t->call.deadline - now);
        if (r < 0)
            return r;
    }
    t->call.on_signal = on_signal;
    sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

static long sys_nanosleep(struct thread *t, const uint64_t a[6]) {
    uint64_t length;
    if (!t->call.deadline) {
        int r = load_time(t, a[0], &length);
        if (r < 0)
            return r;
        t->call.deadline = clock_now(t->process->kernel) + length;
    }
    return sleep_on(t, a[1], -K_ERESTART_RESTARTBLOCK);
}

/* Sleeps until the process has worked up to call.deadline. */
static long sleep_on_work(struct thread *t, const struct clock *clock, uint64_t remain, int on_signal) {
    uint64_t now = clock_read(t->process->kernel, clock);
    if (now >= t->call.deadline)
        return 0;
    if (t->call.interrupted && remain) {
        int r = write_timespec(t, remain, t->call.deadline - now);
        if (r < 0)
            return r;
    }
    t->call.on_signal = on_signal;
    sched_sleep_channel(t, timer_work_channel(clock->process, t->call.deadline));
    return SYS_SLEEP;
}

/* (clock, flags, time, remain) */
static long sys_clock_nanosleep(struct thread *t, const uint64_t a[6]) {
    struct kernel *k = t->process->kernel;
    struct clock clock;
    uint64_t wanted = 0;
    bool absolute = a[1] & TIMER_ABSTIME;
    int r = clock_find(t, (clockid_t)a[0], &clock);
    if (r == 0 && !clock.can_sleep)
        r = -EOPNOTSUPP;
    if (r == 0 && !t->call.deadline)
        r = load_time(t, a[2], &wanted);
    if (r == 0 && clock.kind == CLOCK_OF_THREAD) /* it cannot work while it sleeps */
        r = -EINVAL;
    if (r < 0)
        return r;
    uint64_t remain = absolute ? 0 : a[3];
    int on_signal = absolute ? -K_ERESTARTNOHAND : -K_ERESTART_RESTARTBLOCK;
    bool of_work = clock.kind == CLOCK_OF_PROCESS;
    if (!t->call.deadline && !absolute)
        wanted += clock_read(k, &clock);
    if (!t->call.deadline)
        t->call.deadline = max_u64(of_work ? wanted : clock_machine_time(k, &clock, wanted), 1);
    return of_work ? sleep_on_work(t, &clock, remain, on_signal) : sleep_on(t, remain, on_signal);
}

/* ---- timers as files ---- */

static bool clock_wakes_host(uint64_t clock) {
    return clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

static long sys_timerfd_create(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    if (a[0] != CLOCK_REALTIME && a[0] != CLOCK_MONOTONIC && a[0] != CLOCK_BOOTTIME &&
        !clock_wakes_host(a[0]))
        return -EINVAL;
    if (a[1] & ~(uint64_t)(TFD_NONBLOCK | TFD_CLOEXEC))
        return -EINVAL;
    if (clock_wakes_host(a[0]) && geteuid() != 0)
        return -EPERM;
    int r = timerfd_file_create(t->process->kernel, (int)a[0], (int)a[1], &f);
    return r < 0 ? r : descriptor_install_or_drop(t->process, f, a[1] & TFD_CLOEXEC);
}

static bool is_time(const struct timespec *ts) {
    return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < NS;
}

static long sys_timerfd_settime(struct thread *t, const uint64_t a[6]) {
    struct itimerspec to, old;
    if (user_read(t->process->space, a[2], &to, sizeof(to)) < 0)
        return -EFAULT;
    if (a[1] & ~(uint64_t)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) || !is_time(&to.it_value) ||
        !is_time(&to.it_interval))
        return -EINVAL;
    struct file *f = descriptor_file(t->process, (int)a[0]);
    int r = f ? timerfd_set(f, (int)a[1], &to, &old) : -EBADF;
    return r < 0 || !a[3] ? r : user_write(t->process->space, a[3], &old, sizeof(old));
}

static long sys_timerfd_gettime(struct thread *t, const uint64_t a[6]) {
    struct itimerspec now;
    struct file *f = descriptor_file(t->process, (int)a[0]);
    int r = f ? timerfd_get(f, &now) : -EBADF;
    return r < 0 ? r : user_write(t->process->space, a[1], &now, sizeof(now));
}

/* ---- setting clocks: only a look is allowed ---- */

static long sys_clock_settime(struct thread *t, const uint64_t a[6]) {
    struct timespec ts;
    if (a[0] != CLOCK_REALTIME)
        return -EINVAL;
    if (user_read(t->process->space, a[1], &ts, sizeof(ts)) < 0)
        return -EFAULT;
    return is_time(&ts) ? -EPERM : -EINVAL;
}

static long sys_settimeofday(struct thread *t, const uint64_t a[6]) {
    struct timeval tv;
    if (a[0] && user_read(t->process->space, a[0], &tv, sizeof(tv)) < 0)
        return -EFAULT;
    return a[0] && (tv.tv_sec < 0 || tv.tv_usec < 0 || tv.tv_usec > 1000000) ? -EINVAL : -EPERM;
}

static long adjust_time(struct thread *t, uint64_t user) {
    struct timex tx;
    int r = user_read(t->process->space, user, &tx, sizeof(tx));
    if (r < 0)
        return r;
    if (tx.modes)
        return -EPERM;
    uint64_t now = clock_realtime(t->process->kernel);
    tx = (struct timex){.status = STA_UNSYNC,
                        .tick = 10000,
                        .precision = 1,
                        .time = {.tv_sec = (time_t)(now / NS), .tv_usec = (suseconds_t)(now % NS / 1000)}};
    r = user_write(t->process->space, user, &tx, sizeof(tx));
    return r < 0 ? r : TIME_ERROR; /* the clock is not disciplined */
}

static long sys_adjtimex(struct thread *t, const uint64_t a[6]) {
    return adjust_time(t, a[0]);
}

static long sys_clock_adjtime(struct thread *t, const uint64_t a[6]) {
    return a[0] == CLOCK_REALTIME ? adjust_time(t, a[1]) : a[0] > CLOCK_TAI ? -EINVAL : -EOPNOTSUPP;
}

const struct syscall_entry syscalls_time[] = {
    {SYS_clock_gettime, "clock_gettime", sys_clock_gettime},
    {SYS_clock_getres, "clock_getres", sys_clock_getres},
    {SYS_gettimeofday, "gettimeofday", sys_gettimeofday},
    {SYS_time, "time", sys_time},
    {SYS_nanosleep, "nanosleep", sys_nanosleep},
    {SYS_clock_nanosleep, "clock_nanosleep", sys_clock_nanosleep},
    {SYS_timerfd_create, "timerfd_create", sys_timerfd_create},
    {SYS_timerfd_settime, "timerfd_settime", sys_timerfd_settime},
    {SYS_timerfd_gettime, "timerfd_gettime", sys_timerfd_gettime},
    {SYS_clock_settime, "clock_settime", sys_clock_settime},
    {SYS_settimeofday, "settimeofday", sys_settimeofday},
    {SYS_adjtimex, "adjtimex", sys_adjtimex},
    {SYS_clock_adjtime, "clock_adjtime", sys_clock_adjtime},
    {-1, NULL, NULL},
};
