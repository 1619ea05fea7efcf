/* Calls about what a process has used: usage, times; about the machine's size; randomness. */
#include "kernel/condition.h"
#include "kernel/process/resource.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/times.h>

#include "base/base.h"
#include "kernel/process/load.h"
#include "kernel/process/thread.h"
#include "kernel/syscall.h"

enum { NS_PER_TICK = 10000000 /* USER_HZ is 100 */, RESOURCE_PAGE_KIB = PAGE_SIZE / 1024 };

/* ---- usage ---- */

static struct timeval resource_time(uint64_t ns) {
    return (struct timeval){(time_t)(ns / 1000000000), (suseconds_t)(ns % 1000000000 / 1000)};
}

/* Faults and peaks are left 0 where programs are not told the truth about memory. */
static void resource_fill(const struct kernel *k, uint64_t instructions, const struct tally *tally,
                          uint64_t peak, struct rusage *ret) {
    memset(ret, 0, sizeof *ret);
    ret->ru_utime = resource_time(instructions);
    if (!vm_tells_truth(k->vm))
        return;
    ret->ru_minflt = (long)tally->minor;
    ret->ru_majflt = (long)tally->major;
    ret->ru_maxrss = (long)(peak * RESOURCE_PAGE_KIB);
}

static void resource_fill_switches(const struct switches *switches, struct rusage *ret) {
    ret->ru_nvcsw = (long)switches->voluntary;
    ret->ru_nivcsw = (long)switches->forced;
}

void resource_usage(const struct process *p, struct rusage *ret_usage) {
    struct tally tally;
    process_get_tally(p, &tally);
    resource_fill(p->kernel, p->user_instructions, &tally, process_peak(p), ret_usage);
    resource_fill_switches(&p->switches, ret_usage);
}

void resource_usage_with_children(const struct process *p, struct rusage *ret_usage) {
    struct tally tally;
    process_get_tally(p, &tally);
    process_add_tally(&tally, &p->children_tally);
    resource_fill(p->kernel, p->user_instructions + p->children_instructions, &tally,
                  max_u64(process_peak(p), p->children_peak), ret_usage);
    struct switches all = {p->switches.voluntary + p->children_switches.voluntary,
                           p->switches.forced + p->children_switches.forced};
    resource_fill_switches(&all, ret_usage);
}

static long sys_getrusage(struct thread *t, const uint64_t args[6]) {
    const struct process *p = t->process;
    struct rusage usage;
    condition_note_memory(p->kernel, "getrusage");
    switch ((int)args[0]) {
    case RUSAGE_SELF: resource_usage(p, &usage); break;
    case RUSAGE_THREAD: /* faults and switches are counted for all threads together */
        resource_usage(p, &usage);
        usage.ru_utime = resource_time(t->user_instructions);
        break;
    case RUSAGE_CHILDREN:
        resource_fill(p->kernel, p->children_instructions, &p->children_tally, p->children_peak, &usage);
        resource_fill_switches(&p->children_switches, &usage);
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

/* ---- the machine ---- */

static long sys_sysinfo(struct thread *t, const uint64_t args[6]) {
    struct kernel *k = t->process->kernel;
    struct vm_counts counts;
    condition_note_memory(k, "sysinfo");
    vm_get_told_counts(k->vm, &counts);
    struct sysinfo info = {
        .uptime = (long)((clock_now(k) - k->boot) / 1000000000),
        .totalram = counts.frames.total - counts.frames.reserved,
        .freeram = counts.frames.free,
        .bufferram = 0,
        .totalswap = counts.swap.pages,
        .freeswap = counts.swap.pages - counts.swap.used,
        .procs = (unsigned short)k->thread_count,
        .mem_unit = PAGE_SIZE,
    };
    double averages[3];
    load_averages(k, averages);
    for (int i = 0; i < 3; i++)
        info.loads[i] = (unsigned long)(averages[i] * (1 << SI_LOAD_SHIFT));
    return user_write(t->process->space, args[0], &info, sizeof info);
}

static long sys_getrandom(struct thread *t, const uint64_t args[6]) {
    uint8_t bytes[256];
    uint64_t length = min_u64(args[1], INT32_MAX), done = 0;
    if (args[2] & ~(uint64_t)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
        (args[2] & GRND_RANDOM && args[2] & GRND_INSECURE))
        return -EINVAL;
    while (done < length) {
        size_t n = min_size(length - done, sizeof bytes);
        kernel_random(t->process->kernel, bytes, n);
        ssize_t written = user_write_some(t->process->space, args[0] + done, bytes, n);
        done += written > 0 ? (uint64_t)written : 0;
        if (written < (ssize_t)n)
            return done ? (long)done : -EFAULT;
    }
    return (long)done;
}

const struct syscall_entry syscalls_resource[] = {
    {SYS_getrusage, "getrusage", sys_getrusage},
    {SYS_times, "times", sys_times},
    {SYS_sysinfo, "sysinfo", sys_sysinfo},
    {SYS_getrandom, "getrandom", sys_getrandom},
    {-1, NULL, NULL},
};
