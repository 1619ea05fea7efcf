/* Machine time. By default the host's clocks. Under deterministic time is work: one nanosecond for each guest
 * instruction executed, plus the jumps made while every thread slept; the calendar starts at a fixed date.
 * CPU time is the work done for a program, an instruction counted as a nanosecond. */
#include "kernel/time/clock.h"

#include <errno.h>

#include "base/base.h"
#include "base/host_clock.h"

/* 2030-01-01 00:00:00 UTC: later than the time stamps of files at hand, so that no tool complains of files
 * from the future, and before 2038. */
#define CLOCK_EPOCH 1893456000ULL

enum { CLOCK_TICK = 4000000 /* ns, under deterministic */ };

uint64_t clock_now(struct kernel *k) {
    return k->config.deterministic ? k->executed + k->skipped_time : host_nanoseconds(CLOCK_MONOTONIC);
}

uint64_t clock_realtime(struct kernel *k) {
    return k->config.deterministic ? CLOCK_EPOCH * 1000000000 + clock_now(k)
                                   : host_nanoseconds(CLOCK_REALTIME);
}

/* Whole seconds that the host's CLOCK_TAI is ahead of its CLOCK_REALTIME. */
static int64_t clock_tai_offset(const struct kernel *k) {
    if (k->config.deterministic)
        return 0;
    int64_t ahead = (int64_t)(host_nanoseconds(CLOCK_TAI) - host_nanoseconds(CLOCK_REALTIME));
    return (ahead + 500000000) / 1000000000 * 1000000000;
}

/* CPU-time clocks of other processes and threads: numbers below 0, made of a pid or tid. Those of threads are
 * for their own process. */
static int clock_find_cpu(struct thread *t, clockid_t id, struct clock *ret) {
    enum { PER_THREAD = 4, KIND_MASK = 3, KINDS = 3 };
    struct kernel *k = t->process->kernel;
    uint32_t number = ~(uint32_t)(id >> 3);
    if ((id & KIND_MASK) == KINDS)
        return -EINVAL;
    *ret =
        (struct clock){.kind = CLOCK_OF_PROCESS, .can_sleep = true, .can_time = true, .process = t->process};
    if (id & PER_THREAD) {
        ret->kind = CLOCK_OF_THREAD;
        ret->thread = number ? thread_find(k, number) : t;
        return ret->thread && ret->thread->process == t->process ? 0 : -EINVAL;
    }
    if (number && number != t->tid)
        ret->process = process_find(k, number);
    return ret->process ? 0 : -EINVAL;
}

int clock_find(struct thread *t, clockid_t id, struct clock *ret) {
    if (id < 0)
        return clock_find_cpu(t, id, ret);
    *ret = (struct clock){.kind = CLOCK_OF_MACHINE, .can_sleep = true, .can_time = true};
    switch (id) {
    case CLOCK_REALTIME: ret->kind = CLOCK_OF_REALTIME; return 0;
    case CLOCK_TAI:
        ret->kind = CLOCK_OF_REALTIME;
        ret->ahead = clock_tai_offset(t->process->kernel);
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME: return 0;
    case CLOCK_MONOTONIC_RAW: ret->can_sleep = ret->can_time = false; return 0;
    case CLOCK_MONOTONIC_COARSE: ret->can_sleep = ret->can_time = false, ret->coarse = true; return 0;
    case CLOCK_REALTIME_COARSE: *ret = (struct clock){.kind = CLOCK_OF_REALTIME, .coarse = true}; return 0;
    case CLOCK_PROCESS_CPUTIME_ID: ret->kind = CLOCK_OF_PROCESS, ret->process = t->process; return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        *ret = (struct clock){.kind = CLOCK_OF_THREAD, .can_time = true, .thread = t};
        return 0;
    default: return -EINVAL;
    }
}

uint64_t clock_read(struct kernel *k, const struct clock *clock) {
    switch (clock->kind) {
    case CLOCK_OF_REALTIME: return clock_realtime(k) + (uint64_t)clock->ahead;
    case CLOCK_OF_MACHINE: return clock_now(k);
    case CLOCK_OF_PROCESS: return clock->process->user_instructions;
    case CLOCK_OF_THREAD: return clock->thread->user_instructions;
    }
    return 0;
}

uint64_t clock_resolution(struct kernel *k, const struct clock *clock) {
    struct timespec tick;
    if (!clock->coarse)
        return 1;
    if (k->config.deterministic || clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0)
        return CLOCK_TICK;
    return (uint64_t)tick.tv_nsec;
}

uint64_t clock_machine_time(struct kernel *k, const struct clock *clock, uint64_t ns) {
    uint64_t now = clock_now(k), says = clock_read(k, clock);
    return ns <= says ? max_u64(now, 1) : now + min_u64(ns - says, UINT64_MAX - 1 - now);
}
