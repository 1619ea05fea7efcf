/* Machine time. By default the host's clocks. Under deterministic time is work: one nanosecond for each guest
 * instruction executed, plus the jumps made while every thread slept; the calendar starts at a fixed date. */
#include <time.h>

#include "kernel/process.h"

/* 2030-01-01 00:00:00 UTC: later than the time stamps of files at hand, so that no tool complains of files
 * from the future, and before 2038. */
#define CLOCK_EPOCH 1893456000ULL

static uint64_t clock_host(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t clock_now(struct kernel *k) {
    return k->config.deterministic ? k->executed + k->skipped_time : clock_host(CLOCK_MONOTONIC);
}

uint64_t clock_realtime(struct kernel *k) {
    return k->config.deterministic ? CLOCK_EPOCH * 1000000000 + clock_now(k) : clock_host(CLOCK_REALTIME);
}
