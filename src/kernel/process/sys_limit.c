/* Limits of what a process may use: getrlimit, setrlimit, prlimit64. Who keeps to a limit reads it from
 * process.limits where it counts: descriptor.c (NOFILE), limits.c (FSIZE), timer.c (CPU), signal.c
 * (SIGPENDING), sys_process.c (NPROC), sys_scheduling.c (NICE, RTPRIO), mqueue.c (MSGQUEUE); those about
 * memory are the vm's (AS, DATA, STACK, MEMLOCK). CORE and RSS have no effect: there are no core files, and
 * Linux has no use for the other either. LOCKS is as little used by Linux, RTTIME needs real-time scheduling.
 *
 * Source: Linux 6.1 kernel/sys.c; getrlimit(2). */
#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "kernel/files/descriptor.h"
#include "kernel/memory/memory.h"
#include "kernel/process/identity.h"
#include "kernel/syscall.h"
#include "kernel/time/timer.h"

static int limit_set(struct process *p, unsigned resource, const struct rlimit *limit) {
    struct rlimit *old = &p->limits[resource];
    if (limit->rlim_cur > limit->rlim_max)
        return -EINVAL;
    if (resource == RLIMIT_NOFILE && limit->rlim_max > DESCRIPTORS_MAX)
        return -EPERM;
    if (limit->rlim_max > old->rlim_max && !identity_capable(CAP_SYS_RESOURCE))
        return -EPERM;
    *old = *limit;
    timer_charge_soon(p);
    if (p->space && !p->borrows_space)
        memory_set_limits(p, p->space);
    return 0;
}

static int limit_write(struct thread *t, uint64_t at, const struct rlimit *limit) {
    return user_write(t->process->space, at, limit, sizeof *limit) < 0 ? -EFAULT : 0;
}

static long sys_getrlimit(struct thread *t, const uint64_t args[6]) {
    if ((uint32_t)args[0] >= RLIM_NLIMITS)
        return -EINVAL;
    return limit_write(t, args[1], &t->process->limits[(uint32_t)args[0]]);
}

static long sys_setrlimit(struct thread *t, const uint64_t args[6]) {
    struct rlimit limit;
    if (user_read(t->process->space, args[1], &limit, sizeof limit) < 0)
        return -EFAULT;
    return (uint32_t)args[0] < RLIM_NLIMITS ? limit_set(t->process, (uint32_t)args[0], &limit) : -EINVAL;
}

static long sys_prlimit64(struct thread *t, const uint64_t args[6]) {
    struct rlimit limit, old;
    uint32_t resource = (uint32_t)args[1];
    if (args[2] && user_read(t->process->space, args[2], &limit, sizeof limit) < 0)
        return -EFAULT;
    struct thread *of = (uint32_t)args[0] ? thread_find(t->process->kernel, (uint32_t)args[0]) : t;
    if (!of)
        return -ESRCH;
    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    old = of->process->limits[resource];
    int r = args[2] ? limit_set(of->process, resource, &limit) : 0;
    return r == 0 && args[3] ? limit_write(t, args[3], &old) : r;
}

const struct syscall_entry syscalls_limit[] = {
    {SYS_getrlimit, "getrlimit", sys_getrlimit},
    {SYS_setrlimit, "setrlimit", sys_setrlimit},
    {SYS_prlimit64, "prlimit64", sys_prlimit64},
    {-1, NULL, NULL},
};
