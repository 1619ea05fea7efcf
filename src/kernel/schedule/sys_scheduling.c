/* Calls about scheduling: policies, niceness, affinity, I/O priorities.
 *
 * There is one CPU, and time slices are equal: policies and priorities are checked, remembered, inherited and
 * told as Linux does, and have no effect. Each thread has its own.
 *
 * Source: Linux 6.1 kernel/sched/core.c, kernel/sys.c, block/ioprio.c; sched(7), ioprio_set(2). */
#include "kernel/schedule/scheduling.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/process/identity.h"
#include "kernel/schedule/sched.h"
#include "kernel/syscall.h"

enum { POLICY_DEADLINE = 6, POLICY_KEEP = -1, PRIORITY_MAX = 99, NICE_MIN = -20, NICE_MAX = 19 };
enum {
    FLAG_RESET_ON_FORK = 1,
    FLAG_KEEP_POLICY = 8,
    FLAG_KEEP_PARAMETERS = 16,
    FLAGS_KNOWN = 0x7f,
    FLAGS_CLAMP = 0x60
};

/* Round robin's turn, and what others have: what Linux tells. */
enum { ROUND_ROBIN_NS = 100000000 };

void scheduling_inherit(struct thread *child, const struct thread *parent) {
    child->scheduling = parent->scheduling;
    if (!parent->scheduling.reset_on_fork)
        return;
    child->scheduling.reset_on_fork = false;
    child->scheduling.nice = parent->scheduling.nice < 0 ? 0 : parent->scheduling.nice;
    if (parent->scheduling.policy == SCHED_FIFO || parent->scheduling.policy == SCHED_RR) {
        child->scheduling.policy = SCHED_OTHER;
        child->scheduling.priority = child->scheduling.nice = 0;
    }
}

static struct thread *scheduling_thread(struct thread *t, uint64_t tid) {
    return (uint32_t)tid == 0 ? t : thread_find(t->process->kernel, (uint32_t)tid);
}

static bool policy_is_real_time(int policy) {
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool policy_is_fair(int policy) {
    return policy == SCHED_OTHER || policy == SCHED_BATCH;
}

static bool may_be_nicer(const struct thread *t, int nice) {
    return (uint64_t)(20 - nice) <= t->process->limits[RLIMIT_NICE].rlim_cur ||
           identity_capable(CAP_SYS_NICE);
}

/* ---- policies ---- */

static bool scheduling_permitted(const struct thread *of, const struct scheduling *wanted) {
    const struct scheduling *now = &of->scheduling;
    uint64_t most = of->process->limits[RLIMIT_RTPRIO].rlim_cur;
    if (identity_capable(CAP_SYS_NICE))
        return true;
    if (policy_is_fair(wanted->policy) && wanted->nice < now->nice && !may_be_nicer(of, wanted->nice))
        return false;
    if (policy_is_real_time(wanted->policy)) {
        if (wanted->policy != now->policy && most == 0)
            return false;
        if (wanted->priority > now->priority && (uint64_t)wanted->priority > most)
            return false;
    }
    if (now->policy == SCHED_IDLE && wanted->policy != SCHED_IDLE && !may_be_nicer(of, now->nice))
        return false;
    return !now->reset_on_fork || wanted->reset_on_fork;
}

static int scheduling_set(struct thread *of, const struct scheduling *wanted) {
    bool real_time = policy_is_real_time(wanted->policy);
    if (!real_time && !policy_is_fair(wanted->policy) && wanted->policy != SCHED_IDLE)
        return -EINVAL; /* SCHED_DEADLINE as well: there is no admitting anybody to it */
    if (wanted->priority < 0 || wanted->priority > PRIORITY_MAX || real_time != (wanted->priority != 0))
        return -EINVAL;
    if (!scheduling_permitted(of, wanted))
        return -EPERM;
    int nice = of->scheduling.nice;
    uint16_t io_priority = of->scheduling.io_priority;
    of->scheduling = *wanted;
    of->scheduling.io_priority = io_priority;
    if (!policy_is_fair(wanted->policy))
        of->scheduling.nice = nice;
    return 0;
}

/* sched_setscheduler() and sched_setparam(), which keeps the policy. */
static long scheduling_set_old(struct thread *t, uint64_t tid, int policy, uint64_t parameter_at) {
    struct sched_param parameter;
    if (!parameter_at || (int32_t)tid < 0)
        return -EINVAL;
    if (user_read(t->process->space, parameter_at, &parameter, sizeof parameter) < 0)
        return -EFAULT;
    struct thread *of = scheduling_thread(t, tid);
    if (!of)
        return -ESRCH;
    struct scheduling wanted = of->scheduling;
    wanted.priority = parameter.sched_priority;
    if (policy != POLICY_KEEP) {
        wanted.policy = policy & ~SCHED_RESET_ON_FORK;
        wanted.reset_on_fork = policy & SCHED_RESET_ON_FORK;
    }
    return scheduling_set(of, &wanted);
}

static long sys_sched_setscheduler(struct thread *t, const uint64_t args[6]) {
    return (int)args[1] < 0 ? -EINVAL : scheduling_set_old(t, args[0], (int)args[1], args[2]);
}

static long sys_sched_setparam(struct thread *t, const uint64_t args[6]) {
    return scheduling_set_old(t, args[0], POLICY_KEEP, args[1]);
}

static long sys_sched_getscheduler(struct thread *t, const uint64_t args[6]) {
    if ((int32_t)args[0] < 0)
        return -EINVAL;
    const struct thread *of = scheduling_thread(t, args[0]);
    if (!of)
        return -ESRCH;
    return of->scheduling.policy | (of->scheduling.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

static long sys_sched_getparam(struct thread *t, const uint64_t args[6]) {
    if (!args[1] || (int32_t)args[0] < 0)
        return -EINVAL;
    const struct thread *of = scheduling_thread(t, args[0]);
    if (!of)
        return -ESRCH;
    struct sched_param parameter = {of->scheduling.priority};
    return user_write(t->process->space, args[1], &parameter, sizeof parameter);
}

/* struct sched_attr of linux/sched/types.h. */
struct scheduling_attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t clamp_low, clamp_high;
};
enum { ATTRIBUTES_FIRST = 48 }; /* its size in the first version */

/* The program's structure, which may be larger than ours if what we do not know is zero. */
static int attributes_read(struct thread *t, uint64_t at, struct scheduling_attributes *ret) {
    struct space *space = t->process->space;
    uint32_t size, known = sizeof *ret;
    uint8_t rest;
    *ret = (struct scheduling_attributes){0};
    if (user_read(space, at, &size, sizeof size) < 0)
        return -EFAULT;
    if (size == 0)
        size = ATTRIBUTES_FIRST;
    bool too_large = size < ATTRIBUTES_FIRST || size > PAGE_SIZE;
    for (uint32_t i = known; i < size && !too_large; i++) {
        if (user_read(space, at + i, &rest, 1) < 0)
            return -EFAULT;
        too_large = rest != 0;
    }
    if (too_large)
        return user_write(space, at, &known, sizeof known) < 0 ? -EFAULT : -E2BIG;
    if (user_read(space, at, ret, size < known ? size : known) < 0)
        return -EFAULT;
    if ((ret->flags & FLAGS_CLAMP) && size < known)
        return -EINVAL;
    ret->nice = ret->nice < NICE_MIN ? NICE_MIN : ret->nice > NICE_MAX ? NICE_MAX : ret->nice;
    return 0;
}

static long sys_sched_setattr(struct thread *t, const uint64_t args[6]) {
    struct scheduling_attributes a;
    if (!args[1] || (int32_t)args[0] < 0 || (uint32_t)args[2])
        return -EINVAL;
    int r = attributes_read(t, args[1], &a);
    if (r < 0)
        return r;
    if ((int32_t)a.policy < 0)
        return -EINVAL;
    struct thread *of = scheduling_thread(t, args[0]);
    if (!of)
        return -ESRCH;
    struct scheduling wanted = {.policy = (int)a.policy,
                                .priority = (int)a.priority,
                                .nice = a.nice,
                                .reset_on_fork = a.flags & FLAG_RESET_ON_FORK};
    if (a.flags & FLAG_KEEP_POLICY)
        wanted.policy = of->scheduling.policy;
    if (a.flags & FLAG_KEEP_PARAMETERS) {
        wanted.priority = of->scheduling.priority;
        wanted.nice = of->scheduling.nice;
    }
    if (a.flags & FLAGS_CLAMP)
        return -EOPNOTSUPP;
    return a.flags & ~(uint64_t)FLAGS_KNOWN ? -EINVAL : scheduling_set(of, &wanted);
}

static long sys_sched_getattr(struct thread *t, const uint64_t args[6]) {
    uint32_t size = (uint32_t)args[2];
    if (!args[1] || (int32_t)args[0] < 0 || size > PAGE_SIZE || size < ATTRIBUTES_FIRST || (uint32_t)args[3])
        return -EINVAL;
    const struct thread *of = scheduling_thread(t, args[0]);
    if (!of)
        return -ESRCH;
    const struct scheduling *s = &of->scheduling;
    struct scheduling_attributes a = {.size = (uint32_t)min_u64(size, sizeof a),
                                      .policy = (uint32_t)s->policy,
                                      .flags = s->reset_on_fork ? FLAG_RESET_ON_FORK : 0,
                                      .nice = policy_is_real_time(s->policy) ? 0 : s->nice,
                                      .priority = (uint32_t)s->priority};
    return user_write(t->process->space, args[1], &a, a.size);
}

static long scheduling_priority_limit(uint64_t policy, long real_time) {
    switch ((int)policy) {
    case SCHED_FIFO:
    case SCHED_RR: return real_time;
    case SCHED_OTHER:
    case SCHED_BATCH:
    case SCHED_IDLE:
    case POLICY_DEADLINE: return 0;
    default: return -EINVAL;
    }
}

static long sys_sched_get_priority_max(struct thread *t, const uint64_t args[6]) {
    return scheduling_priority_limit(args[0], PRIORITY_MAX);
}

static long sys_sched_get_priority_min(struct thread *t, const uint64_t args[6]) {
    return scheduling_priority_limit(args[0], 1);
}

static long sys_sched_rr_get_interval(struct thread *t, const uint64_t args[6]) {
    if ((int32_t)args[0] < 0)
        return -EINVAL;
    const struct thread *of = scheduling_thread(t, args[0]);
    if (!of)
        return -ESRCH;
    uint64_t ns = t->process->kernel->config.quantum; /* a nanosecond each */
    if (policy_is_real_time(of->scheduling.policy))
        ns = of->scheduling.policy == SCHED_RR ? ROUND_ROBIN_NS : 0;
    struct timespec interval = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    return user_write(t->process->space, args[1], &interval, sizeof interval);
}

static long sys_sched_yield(struct thread *t, const uint64_t args[6]) {
    sched_yield_slice(t);
    return 0;
}

/* ---- the one CPU ---- */

static long sys_sched_getaffinity(struct thread *t, const uint64_t args[6]) {
    uint64_t mask = 1;
    uint32_t length = (uint32_t)args[1];
    if (length == 0 || length % sizeof mask)
        return -EINVAL;
    if (!scheduling_thread(t, args[0]))
        return -ESRCH;
    return user_write(t->process->space, args[2], &mask, sizeof mask) < 0 ? -EFAULT : (long)sizeof mask;
}

static long sys_sched_setaffinity(struct thread *t, const uint64_t args[6]) {
    uint64_t mask = 0;
    if (user_read(t->process->space, args[2], &mask, min_u64((uint32_t)args[1], sizeof mask)) < 0)
        return -EFAULT;
    if (!scheduling_thread(t, args[0]))
        return -ESRCH;
    return mask & 1 ? 0 : -EINVAL;
}

static long sys_getcpu(struct thread *t, const uint64_t args[6]) {
    uint32_t zero = 0;
    for (int i = 0; i < 2; i++)
        if (args[i] && user_write(t->process->space, args[i], &zero, sizeof zero) < 0)
            return -EFAULT;
    return 0;
}

/* ---- niceness, and priorities of input and output: of a thread, a process group, a user ---- */

enum scope { SCOPE_THREAD, SCOPE_GROUP, SCOPE_USER };

/* Calls `visit` for each thread in the scope, as long as it returns 0. -ESRCH: there is none. */
static long scope_visit(struct thread *t, enum scope scope, uint32_t who,
                        long (*visit)(struct thread *of, long value, long *result), long value,
                        long *result) {
    struct kernel *k = t->process->kernel;
    uint32_t group = who ? who : t->process->pgid;
    long error = -ESRCH;
    struct thread *of;
    if (scope == SCOPE_THREAD) {
        of = scheduling_thread(t, who);
        return of ? visit(of, value, result) : -ESRCH;
    }
    if (scope == SCOPE_USER && who && who != getuid())
        return -ESRCH;
    TAILQ_FOREACH(of, &k->threads, of_machine) {
        if (scope == SCOPE_GROUP && of->process->pgid != group)
            continue;
        long r = visit(of, value, result);
        error = error == -ESRCH || r < 0 ? r : error;
    }
    return error;
}

static long nice_get(struct thread *of, long unused, long *result) {
    long value = 20 - of->scheduling.nice;
    *result = value > *result ? value : *result;
    return 0;
}

static long nice_set(struct thread *of, long value, long *unused) {
    if (value < of->scheduling.nice && !may_be_nicer(of, (int)value))
        return -EACCES;
    of->scheduling.nice = (int)value;
    return 0;
}

static long sys_getpriority(struct thread *t, const uint64_t args[6]) {
    long value = 0;
    if ((uint32_t)args[0] > PRIO_USER)
        return -EINVAL;
    long r = scope_visit(t, (enum scope)args[0], (uint32_t)args[1], nice_get, 0, &value);
    return r < 0 ? r : value;
}

static long sys_setpriority(struct thread *t, const uint64_t args[6]) {
    int nice = (int)args[2];
    if ((uint32_t)args[0] > PRIO_USER)
        return -EINVAL;
    nice = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
    return scope_visit(t, (enum scope)args[0], (uint32_t)args[1], nice_set, nice, NULL);
}

/* An I/O priority is a class, and in it a level. */
enum io_class { IO_NONE, IO_REAL_TIME, IO_BEST_EFFORT, IO_IDLE };
enum { IO_CLASS_SHIFT = 13, IO_LEVELS = 8, IO_LEVEL_MASK = 7 };

/* The best of them: the lowest number, but any class is better than none. */
static long io_priority_get(struct thread *of, long unused, long *result) {
    long value = of->scheduling.io_priority;
    *result = *result < 0 || (value && value < *result) || !*result ? value : *result;
    return 0;
}

static long io_priority_set(struct thread *of, long value, long *unused) {
    of->scheduling.io_priority = (uint16_t)value;
    return 0;
}

static int io_priority_check(uint32_t value) {
    uint32_t level = value & IO_LEVEL_MASK;
    switch ((enum io_class)(value >> IO_CLASS_SHIFT)) {
    case IO_REAL_TIME: return identity_capable(CAP_SYS_ADMIN) || identity_capable(CAP_SYS_NICE) ? 0 : -EPERM;
    case IO_BEST_EFFORT:
    case IO_IDLE: return 0;
    case IO_NONE: return level ? -EINVAL : 0;
    }
    return -EINVAL;
}

static long sys_ioprio_set(struct thread *t, const uint64_t args[6]) {
    int r = io_priority_check((uint32_t)args[2]);
    if (r < 0)
        return r;
    if ((uint32_t)args[0] - 1 > SCOPE_USER)
        return -EINVAL;
    return scope_visit(t, (enum scope)(args[0] - 1), (uint32_t)args[1], io_priority_set,
                       (long)(args[2] & 0xffff), NULL);
}

static long sys_ioprio_get(struct thread *t, const uint64_t args[6]) {
    long value = -1;
    if ((uint32_t)args[0] - 1 > SCOPE_USER)
        return -EINVAL;
    long r = scope_visit(t, (enum scope)(args[0] - 1), (uint32_t)args[1], io_priority_get, 0, &value);
    return r < 0 ? r : value;
}

const struct syscall_entry syscalls_scheduling[] = {
    {SYS_sched_yield, "sched_yield", sys_sched_yield},
    {SYS_sched_getaffinity, "sched_getaffinity", sys_sched_getaffinity},
    {SYS_sched_setaffinity, "sched_setaffinity", sys_sched_setaffinity},
    {SYS_sched_getscheduler, "sched_getscheduler", sys_sched_getscheduler},
    {SYS_sched_setscheduler, "sched_setscheduler", sys_sched_setscheduler},
    {SYS_sched_getparam, "sched_getparam", sys_sched_getparam},
    {SYS_sched_setparam, "sched_setparam", sys_sched_setparam},
    {SYS_sched_getattr, "sched_getattr", sys_sched_getattr},
    {SYS_sched_setattr, "sched_setattr", sys_sched_setattr},
    {SYS_sched_get_priority_max, "sched_get_priority_max", sys_sched_get_priority_max},
    {SYS_sched_get_priority_min, "sched_get_priority_min", sys_sched_get_priority_min},
    {SYS_sched_rr_get_interval, "sched_rr_get_interval", sys_sched_rr_get_interval},
    {SYS_getcpu, "getcpu", sys_getcpu},
    {SYS_getpriority, "getpriority", sys_getpriority},
    {SYS_setpriority, "setpriority", sys_setpriority},
    {SYS_ioprio_get, "ioprio_get", sys_ioprio_get},
    {SYS_ioprio_set, "ioprio_set", sys_ioprio_set},
    {-1, NULL, NULL},
};
