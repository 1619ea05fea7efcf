/* Limits. Time is the host's, also for a machine with a virtual clock: what is limited is how long somebody
 * has to wait. A task too many is refused, as Linux does; the other limits end the machine. */
#include "kernel/sandbox/limits.h"

#include "base/base.h"
#include "base/host_clock.h"

enum { NS = 1000000000 };

void limits_start(struct kernel *k) {
    k->limits_end = k->config.limits.nanoseconds
                        ? host_nanoseconds(CLOCK_MONOTONIC) + k->config.limits.nanoseconds
                        : UINT64_MAX;
}

bool limits_allow_task(struct kernel *k, unsigned count) {
    uint32_t most = k->config.limits.tasks;
    if (count < (most ? min_u64(most, KERNEL_TASKS_MAX) : KERNEL_TASKS_MAX))
        return true;
    k->summary.tasks_refused++;
    return false;
}

size_t limits_allow_size(struct thread *t, uint64_t offset, size_t length) {
    uint64_t limit = t ? t->process->limits[RLIMIT_FSIZE].rlim_cur : RLIM_INFINITY;
    if (limit == RLIM_INFINITY || offset + length <= limit)
        return length;
    if (offset < limit)
        return limit - offset;
    signal_send_thread(t, SIGXFSZ, NULL);
    return 0;
}

size_t limits_allow_output(struct kernel *k, size_t length) {
    uint64_t most = k->config.limits.output, written = k->summary.output_bytes;
    size_t allowed = most ? (size_t)min_u64(length, most - written) : length;
    if (allowed < length)
        k->output_exceeded = true;
    return allowed;
}

void limits_count_output(struct kernel *k, size_t written) {
    k->summary.output_bytes += written;
}

enum kernel_limit limits_reached(struct kernel *k) {
    if (k->config.max_instructions && k->executed >= k->config.max_instructions)
        return LIMIT_INSTRUCTIONS;
    if (k->output_exceeded)
        return LIMIT_OUTPUT;
    if (k->config.limits.nanoseconds && host_nanoseconds(CLOCK_MONOTONIC) >= k->limits_end)
        return LIMIT_TIME;
    return LIMIT_NONE;
}

const struct timespec *limits_shorten(struct kernel *k, const struct timespec *timeout,
                                      struct timespec *buffer) {
    if (!k->config.limits.nanoseconds)
        return timeout;
    uint64_t now = host_nanoseconds(CLOCK_MONOTONIC), left = k->limits_end > now ? k->limits_end - now : 0;
    if (timeout && (uint64_t)timeout->tv_sec * NS + (uint64_t)timeout->tv_nsec <= left)
        return timeout;
    *buffer = (struct timespec){.tv_sec = (time_t)(left / NS), .tv_nsec = (long)(left % NS)};
    return buffer;
}
