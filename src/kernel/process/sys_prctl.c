/* prctl(): what a process or thread asks for about itself. What the processor or the kernel's configuration
 * would decide (speculation, unaligned accesses, seccomp filters …) is EINVAL, as on a kernel without it.
 * Anonymous memory can be named, as with CONFIG_ANON_VMA_NAME.
 *
 * Source: Linux 6.1 kernel/sys.c, security/commoncap.c; prctl(2). */
#include <errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "kernel/process/identity.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"

enum { TIMER_SLACK_NS = 50000 };

static long prctl_name(struct thread *t, uint64_t address, bool set) {
    struct process *p = t->process;
    char name[sizeof t->comm] = {0};
    if (!set)
        return user_write(p->space, address, t->comm, sizeof t->comm);
    ssize_t n = user_read_some(p->space, address, name, sizeof name - 1);
    if (n < 0 || (n < (ssize_t)sizeof name - 1 && !memchr(name, '\0', (size_t)n)))
        return -EFAULT;
    memset(t->comm, 0, sizeof t->comm);
    memcpy(t->comm, name, strlen(name));
    if (t->tid == p->pid) /* the leader's is the process's */
        memcpy(p->comm, t->comm, sizeof p->comm);
    return 0;
}

static long prctl_write(struct thread *t, uint64_t address, int value) {
    return user_write(t->process->space, address, &value, sizeof value) < 0 ? -EFAULT : 0;
}

static long prctl_set_flag(int *flag, uint64_t value, uint64_t most) {
    if (value > most)
        return -EINVAL;
    *flag = (int)value;
    return 0;
}

/* Arguments that must be 0, from this one on. */
static bool prctl_has_more(const uint64_t args[6], int from) {
    for (int i = from; i < 5; i++)
        if (args[i])
            return true;
    return false;
}

/* Ambient capabilities: none, and none can be raised that is not inheritable. */
static long prctl_ambient(const uint64_t args[6]) {
    if (args[1] == PR_CAP_AMBIENT_CLEAR_ALL)
        return prctl_has_more(args, 2) ? -EINVAL : 0;
    if (args[3] || args[4] || args[2] > CAP_LAST_CAP)
        return -EINVAL;
    switch (args[1]) {
    case PR_CAP_AMBIENT_IS_SET:
    case PR_CAP_AMBIENT_LOWER: return 0;
    case PR_CAP_AMBIENT_RAISE: return -EPERM;
    default: return -EINVAL;
    }
}

/* The address space's description belongs to the machine. */
static long prctl_memory_map(const uint64_t args[6]) {
    bool several = args[1] == PR_SET_MM_AUXV || args[1] == PR_SET_MM_MAP || args[1] == PR_SET_MM_MAP_SIZE;
    return args[4] || (args[3] && !several) ? -EINVAL : -EPERM;
}

static long prctl_machine_check(const uint64_t args[6]) {
    if (args[3] || args[4])
        return -EINVAL;
    if (args[1] == PR_MCE_KILL_CLEAR)
        return args[2] ? -EINVAL : 0;
    return args[1] == PR_MCE_KILL_SET && args[2] <= PR_MCE_KILL_DEFAULT ? 0 : -EINVAL;
}

enum { MEMORY_NAME_MAX = 80 }; /* with the NUL (Linux: ANON_VMA_NAME_MAX_LEN) */

static bool prctl_name_is_valid(const char *name) {
    for (; *name; name++)
        if (*name < ' ' || *name > '~' || strchr("\\`$[]", *name))
            return false;
    return true;
}

/* The names of memory. */
static long prctl_name_memory(struct space *space, const uint64_t args[6]) {
    char name[MEMORY_NAME_MAX];
    if (args[1] != PR_SET_VMA_ANON_NAME)
        return -EINVAL;
    if (!args[4])
        return space_name(space, args[2], args[3], NULL);
    const ssize_t length = user_string(space, args[4], name, sizeof name);
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    return prctl_name_is_valid(name) ? space_name(space, args[2], args[3], name) : -EINVAL;
}

/* What is about privileges; -ENOTSUP: nothing of that. */
static long prctl_privileges(struct thread *t, const uint64_t args[6]) {
    struct process *p = t->process;
    switch ((int)args[0]) {
    case PR_SET_NO_NEW_PRIVS:
        return args[1] != 1 || prctl_has_more(args, 2) ? -EINVAL : prctl_set_flag(&p->no_new_privs, 1, 1);
    case PR_GET_NO_NEW_PRIVS: return prctl_has_more(args, 1) ? -EINVAL : p->no_new_privs;
    case PR_SET_KEEPCAPS: return prctl_set_flag(&p->keep_capabilities, args[1], 1);
    case PR_GET_KEEPCAPS: return p->keep_capabilities;
    case PR_GET_SECUREBITS: return p->keep_capabilities ? SECBIT_KEEP_CAPS : SECUREBITS_DEFAULT;
    case PR_SET_SECUREBITS:
        return args[1] == SECUREBITS_DEFAULT && identity_capable(CAP_SETPCAP) ? 0 : -EPERM;
    case PR_CAPBSET_READ: {
        int r = prctl(PR_CAPBSET_READ, args[1], 0, 0, 0);
        return r < 0 ? -errno : r;
    }
    case PR_CAPBSET_DROP: return args[1] > CAP_LAST_CAP && identity_capable(CAP_SETPCAP) ? -EINVAL : -EPERM;
    case PR_CAP_AMBIENT: return prctl_ambient(args);
    case PR_SET_MM: return prctl_memory_map(args);
    case PR_SET_VMA: return prctl_name_memory(p->space, args);
    default: return -ENOTSUP;
    }
}

/* What is about how it runs; -EINVAL also for what there is not. */
static long prctl_running(struct thread *t, const uint64_t args[6]) {
    struct process *p = t->process;
    switch ((int)args[0]) {
    case PR_GET_TIMING: return PR_TIMING_STATISTICAL;
    case PR_SET_TIMING: return args[1] == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
    case PR_SET_TIMERSLACK: t->timer_slack = args[1]; return 0;
    case PR_GET_TIMERSLACK: return (long)(t->timer_slack ? t->timer_slack : TIMER_SLACK_NS);
    case PR_GET_TSC: return prctl_write(t, args[1], PR_TSC_ENABLE);
    case PR_SET_TSC: return (int)args[1] == PR_TSC_ENABLE ? 0 : -EINVAL;
    case PR_SET_THP_DISABLE:
        return prctl_has_more(args, 2) ? -EINVAL : prctl_set_flag(&p->no_huge_pages, args[1] != 0, 1);
    case PR_GET_THP_DISABLE: return prctl_has_more(args, 1) ? -EINVAL : p->no_huge_pages;
    case PR_MCE_KILL: return prctl_machine_check(args);
    case PR_MCE_KILL_GET: return prctl_has_more(args, 1) ? -EINVAL : PR_MCE_KILL_DEFAULT;
    case PR_TASK_PERF_EVENTS_DISABLE:
    case PR_TASK_PERF_EVENTS_ENABLE: return 0;
    case PR_GET_TID_ADDRESS:
        return user_write(p->space, args[1], &t->clear_child_tid, sizeof t->clear_child_tid) < 0 ? -EFAULT
                                                                                                 : 0;
    default: return -EINVAL;
    }
}

static long sys_prctl(struct thread *t, const uint64_t args[6]) {
    struct process *p = t->process;
    switch ((int)args[0]) {
    case PR_SET_NAME: return prctl_name(t, args[1], true);
    case PR_GET_NAME: return prctl_name(t, args[1], false);
    case PR_SET_PDEATHSIG: return prctl_set_flag(&t->pdeathsig, args[1], SIGNAL_COUNT);
    case PR_GET_PDEATHSIG: return prctl_write(t, args[1], t->pdeathsig);
    case PR_SET_DUMPABLE: return prctl_set_flag(&p->dumpable, args[1], 1);
    case PR_GET_DUMPABLE: return p->dumpable;
    case PR_SET_CHILD_SUBREAPER: return prctl_set_flag(&p->child_subreaper, args[1] != 0, 1);
    case PR_GET_CHILD_SUBREAPER: return prctl_write(t, args[1], p->child_subreaper);
    }
    long r = prctl_privileges(t, args);
    return r == -ENOTSUP ? prctl_running(t, args) : r;
}

const struct syscall_entry syscalls_prctl[] = {
    {SYS_prctl, "prctl", sys_prctl},
    {-1, NULL, NULL},
};
