/* Calls about what a process may use and has used: limits, usage, times; the machine's size; scheduling
 * (one CPU, one class); randomness. */
#include "kernel/resource.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/times.h>

#include "base/base.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/timer.h"

enum { NS_PER_TICK = 10000000 /* USER_HZ is 100 */, RESOURCE_PAGE_KIB = PAGE_SIZE / 1024 };

/* ---- usage ---- */

static struct timeval resource_time(uint64_t ns) {
    return (struct timeval){(time_t)(ns / 1000000000), (suseconds_t)(ns % 1000000000 / 1000)};
}

static void resource_fill(uint64_t instructions, const struct tally *tally, uint64_t peak,
                          struct rusage *ret) {
    memset(ret, 0, sizeof *ret);
    ret->ru_utime = resource_time(instructions);
    ret->ru_minflt = (long)tally->minor;
    ret->ru_majflt = (long)tally->major;
    ret->ru_maxrss = (long)(peak * RESOURCE_PAGE_KIB);
}

void resource_usage(const struct process *p, struct rusage *ret_usage) {
    struct tally tally;
    process_get_tally(p, &tally);
    resource_fill(p->user_instructions, &tally, process_peak(p), ret_usage);
}

void resource_usage_with_children(const struct process *p, struct rusage *ret_usage) {
    struct tally tally;
    process_get_tally(p, &tally);
    process_add_tally(&tally, &p->children_tally);
    resource_fill(p->user_instructions + p->children_instructions, &tally,
                  max_u64(process_peak(p), p->children_peak), ret_usage);
}

static long sys_getrusage(struct thread *t, const uint64_t args[6]) {
    const struct process *p = t->process;
    struct rusage usage;
    switch ((int)args[0]) {
    case RUSAGE_SELF:
    case RUSAGE_THREAD: resource_usage(p, &usage); break;
    case RUSAGE_CHILDREN:
        resource_fill(p->children_instructions, &p->children_tally, p->children_peak, &usage);
        break;
    default: return -EINVAL;
    }
    return user_write(p->space, args[1], &usage, sizeof usage);
}

static long sys_times(struct thread *t, const uint64_t args[6]) {
    const struct process *p = t->process;
    struct tms times = {.tms_utime = (clock_t)(p->user_instructions / NS_PER_TICK),
                        .tms_cutime = (clock_t)(p->children_instructions / NS_PER_TICK)};
    if (args[0] && user_write(p->space, args[0], &times, sizeof times) < 0)
        return -EFAULT;
    return (long)(clock_now(p->kernel) / NS_PER_TICK);
}

/* ---- limits ---- */

static int resource_set_limit(struct process *p, unsigned resource, const struct rlimit *limit) {
    if (limit->rlim_cur > limit->rlim_max)
        return -EINVAL;
    if (limit->rlim_max > p->limits[resource].rlim_max)
        return -EPERM;
    p->limits[resource] = *limit;
    timer_charge_soon(p);
    if (p->space && !p->borrows_space)
        space_set_limits(p->space, p->limits[RLIMIT_AS].rlim_cur, p->limits[RLIMIT_DATA].rlim_cur,
                         p->limits[RLIMIT_STACK].rlim_cur);
    return 0;
}

/* Either address may be 0. */
static long resource_limit(struct thread *t, struct process *p, uint64_t resource, uint64_t new_at,
                           uint64_t old_at) {
    struct space *space = t->process->space;
    struct rlimit limit;
    if ((uint32_t)resource >= RLIM_NLIMITS)
        return -EINVAL;
    struct rlimit old = p->limits[(uint32_t)resource];
    if (new_at) {
        if (user_read(space, new_at, &limit, sizeof limit) < 0)
            return -EFAULT;
        int r = resource_set_limit(p, (uint32_t)resource, &limit);
        if (r < 0)
            return r;
    }
    return old_at && user_write(space, old_at, &old, sizeof old) < 0 ? -EFAULT : 0;
}

static long sys_getrlimit(struct thread *t, const uint64_t args[6]) {
    return args[1] ? resource_limit(t, t->process, args[0], 0, args[1]) : -EFAULT;
}

static long sys_setrlimit(struct thread *t, const uint64_t args[6]) {
    return args[1] ? resource_limit(t, t->process, args[0], args[1], 0) : -EFAULT;
}

static long sys_prlimit64(struct thread *t, const uint64_t args[6]) {
    struct process *p = args[0] ? process_find(t->process->kernel, (uint32_t)args[0]) : t->process;
    return p ? resource_limit(t, p, args[1], args[2], args[3]) : -ESRCH;
}

/* ---- the machine ---- */

static long sys_sysinfo(struct thread *t, const uint64_t args[6]) {
    struct kernel *k = t->process->kernel;
    struct vm_counts counts;
    vm_get_counts(k->vm, &counts);
    struct sysinfo info = {
        .uptime = (long)(clock_now(k) / 1000000000),
        .totalram = counts.frames.total - counts.frames.reserved,
        .freeram = counts.frames.free,
        .bufferram = 0,
        .totalswap = counts.swap.pages,
        .freeswap = counts.swap.pages - counts.swap.used,
        .procs = (unsigned short)k->thread_count,
        .mem_unit = PAGE_SIZE,
    };
    return user_write(t->process->space, args[0], &info, sizeof info);
}

static long sys_getrandom(struct thread *t, const uint64_t args[6]) {
    uint8_t bytes[256];
    uint64_t length = min_u64(args[1], INT32_MAX), done = 0;
    if (args[2] & ~(uint64_t)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    while (done < length) {
        size_t n = min_size(length - done, sizeof bytes);
        kernel_random(t->process->kernel, bytes, n);
        if (user_write(t->process->space, args[0] + done, bytes, n) < 0)
            return done ? (long)done : -EFAULT;
        done += n;
    }
    return (long)done;
}

/* ---- scheduling ---- */

static long sys_sched_yield(struct thread *t, const uint64_t args[6]) {
    sched_yield_slice(t);
    return 0;
}

static bool resource_thread_exists(struct thread *t, uint64_t tid) {
    return (uint32_t)tid == 0 || thread_find(t->process->kernel, (uint32_t)tid);
}

static long sys_sched_getaffinity(struct thread *t, const uint64_t args[6]) {
    uint64_t mask = 1;
    if (args[1] < sizeof mask || args[1] % sizeof mask)
        return -EINVAL;
    if (!resource_thread_exists(t, args[0]))
        return -ESRCH;
    return user_write(t->process->space, args[2], &mask, sizeof mask) < 0 ? -EFAULT : (long)sizeof mask;
}

static long sys_sched_setaffinity(struct thread *t, const uint64_t args[6]) {
    uint64_t mask = 0;
    if (!resource_thread_exists(t, args[0]))
        return -ESRCH;
    if (user_read(t->process->space, args[2], &mask, min_u64(args[1], sizeof mask)) < 0)
        return -EFAULT;
    return mask & 1 ? 0 : -EINVAL;
}

static long sys_sched_getscheduler(struct thread *t, const uint64_t args[6]) {
    return resource_thread_exists(t, args[0]) ? SCHED_OTHER : -ESRCH;
}

static long sys_sched_setscheduler(struct thread *t, const uint64_t args[6]) {
    struct sched_param parameter;
    int policy = (int)args[1] & ~SCHED_RESET_ON_FORK;
    if (!args[2] || user_read(t->process->space, args[2], &parameter, sizeof parameter) < 0)
        return args[2] ? -EFAULT : -EINVAL;
    if (policy == SCHED_FIFO || policy == SCHED_RR)
        return -EPERM;
    if (policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE)
        return -EINVAL;
    return parameter.sched_priority == 0 ? 0 : -EINVAL;
}

static long sys_sched_getparam(struct thread *t, const uint64_t args[6]) {
    struct sched_param parameter = {0};
    if (!resource_thread_exists(t, args[0]))
        return -ESRCH;
    return user_write(t->process->space, args[1], &parameter, sizeof parameter);
}

static long sys_sched_setparam(struct thread *t, const uint64_t args[6]) {
    struct sched_param parameter;
    if (user_read(t->process->space, args[1], &parameter, sizeof parameter) < 0)
        return -EFAULT;
    return parameter.sched_priority == 0 ? 0 : -EINVAL;
}

static long resource_priority_limit(uint64_t policy, long real_time) {
    switch ((int)policy) {
    case SCHED_FIFO:
    case SCHED_RR: return real_time;
    case SCHED_OTHER:
    case SCHED_BATCH:
    case SCHED_IDLE: return 0;
    default: return -EINVAL;
    }
}

static long sys_sched_get_priority_max(struct thread *t, const uint64_t args[6]) {
    return resource_priority_limit(args[0], 99);
}

static long sys_sched_get_priority_min(struct thread *t, const uint64_t args[6]) {
    return resource_priority_limit(args[0], 1);
}

static long sys_sched_rr_get_interval(struct thread *t, const uint64_t args[6]) {
    uint64_t ns = t->process->kernel->config.quantum; /* a nanosecond each */
    struct timespec interval = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    if (!resource_thread_exists(t, args[0]))
        return -ESRCH;
    return user_write(t->process->space, args[1], &interval, sizeof interval);
}

static long sys_getcpu(struct thread *t, const uint64_t args[6]) {
    uint32_t zero = 0;
    for (int i = 0; i < 2; i++)
        if (args[i] && user_write(t->process->space, args[i], &zero, sizeof zero) < 0)
            return -EFAULT;
    return 0;
}

/* Niceness is remembered and has no effect: time slices are equal. */
static long sys_getpriority(struct thread *t, const uint64_t args[6]) {
    const struct process *p = t->process;
    if ((int)args[0] == PRIO_PROCESS && args[1])
        p = process_find(p->kernel, (uint32_t)args[1]);
    if ((unsigned)args[0] > PRIO_USER)
        return -EINVAL;
    return p ? 20 - p->nice : -ESRCH;
}

static long sys_setpriority(struct thread *t, const uint64_t args[6]) {
    struct process *p = t->process;
    int nice = (int)args[2];
    if ((unsigned)args[0] > PRIO_USER)
        return -EINVAL;
    if ((int)args[0] == PRIO_PROCESS && args[1])
        p = process_find(p->kernel, (uint32_t)args[1]);
    if (!p)
        return -ESRCH;
    p->nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
    return 0;
}

const struct syscall_entry syscalls_resource[] = {
    {SYS_getrusage, "getrusage", sys_getrusage},
    {SYS_times, "times", sys_times},
    {SYS_getrlimit, "getrlimit", sys_getrlimit},
    {SYS_setrlimit, "setrlimit", sys_setrlimit},
    {SYS_prlimit64, "prlimit64", sys_prlimit64},
    {SYS_sysinfo, "sysinfo", sys_sysinfo},
    {SYS_getrandom, "getrandom", sys_getrandom},
    {SYS_sched_yield, "sched_yield", sys_sched_yield},
    {SYS_sched_getaffinity, "sched_getaffinity", sys_sched_getaffinity},
    {SYS_sched_setaffinity, "sched_setaffinity", sys_sched_setaffinity},
    {SYS_sched_getscheduler, "sched_getscheduler", sys_sched_getscheduler},
    {SYS_sched_setscheduler, "sched_setscheduler", sys_sched_setscheduler},
    {SYS_sched_getparam, "sched_getparam", sys_sched_getparam},
    {SYS_sched_setparam, "sched_setparam", sys_sched_setparam},
    {SYS_sched_get_priority_max, "sched_get_priority_max", sys_sched_get_priority_max},
    {SYS_sched_get_priority_min, "sched_get_priority_min", sys_sched_get_priority_min},
    {SYS_sched_rr_get_interval, "sched_rr_get_interval", sys_sched_rr_get_interval},
    {SYS_getcpu, "getcpu", sys_getcpu},
    {SYS_getpriority, "getpriority", sys_getpriority},
    {SYS_setpriority, "setpriority", sys_setpriority},
    {-1, NULL, NULL},
};
