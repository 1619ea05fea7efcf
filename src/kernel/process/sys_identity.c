/* Calls about who a process is: users and groups (the host process's, for every guest), capabilities, process
 * groups and sessions, the system's name.
 *
 * One host process carries all guests, so no guest can become another user: a change to what it is already
 * succeeds, any other is EPERM. */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/process/identity.h"
#include "kernel/process/job_control.h"
#include "kernel/process/thread.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"

/* ---- what the host process may do ---- */

bool identity_capable(unsigned capability) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (capability > CAP_LAST_CAP || syscall(SYS_capget, &header, data) < 0)
        return false;
    return data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

bool identity_in_group(gid_t group) {
    gid_t groups[1024];
    int n = getgroups(ARRAY_LENGTH(groups), groups);
    for (int i = 0; i < n; i++)
        if (groups[i] == group)
            return true;
    return group == getegid();
}

/* ---- users and groups ---- */

static long sys_getuid(struct thread *t, const uint64_t args[6]) {
    return getuid();
}

static long sys_geteuid(struct thread *t, const uint64_t args[6]) {
    return geteuid();
}

static long sys_getgid(struct thread *t, const uint64_t args[6]) {
    return getgid();
}

static long sys_getegid(struct thread *t, const uint64_t args[6]) {
    return getegid();
}

/* -1 stands for "as it is" in all but setuid() and setgid(). */
static bool identity_keeps_user(uint64_t id) {
    return (uint32_t)id == UINT32_MAX || (uint32_t)id == getuid() || (uint32_t)id == geteuid();
}

static bool identity_keeps_group(uint64_t id) {
    return (uint32_t)id == UINT32_MAX || (uint32_t)id == getgid() || (uint32_t)id == getegid();
}

static long sys_setuid(struct thread *t, const uint64_t args[6]) {
    if ((uint32_t)args[0] == UINT32_MAX)
        return -EINVAL;
    return identity_keeps_user(args[0]) ? 0 : -EPERM;
}

static long sys_setgid(struct thread *t, const uint64_t args[6]) {
    if ((uint32_t)args[0] == UINT32_MAX)
        return -EINVAL;
    return identity_keeps_group(args[0]) ? 0 : -EPERM;
}

static long sys_setreuid(struct thread *t, const uint64_t args[6]) {
    return identity_keeps_user(args[0]) && identity_keeps_user(args[1]) ? 0 : -EPERM;
}

static long sys_setregid(struct thread *t, const uint64_t args[6]) {
    return identity_keeps_group(args[0]) && identity_keeps_group(args[1]) ? 0 : -EPERM;
}

static long sys_setresuid(struct thread *t, const uint64_t args[6]) {
    return identity_keeps_user(args[2]) ? sys_setreuid(t, args) : -EPERM;
}

static long sys_setresgid(struct thread *t, const uint64_t args[6]) {
    return identity_keeps_group(args[2]) ? sys_setregid(t, args) : -EPERM;
}

static long identity_write_three(struct thread *t, const uint64_t args[6], const uint32_t ids[3]) {
    for (int i = 0; i < 3; i++)
        if (user_write(t->process->space, args[i], &ids[i], sizeof ids[i]) < 0)
            return -EFAULT;
    return 0;
}

static long sys_getresuid(struct thread *t, const uint64_t args[6]) {
    uint32_t ids[3];
    return getresuid(&ids[0], &ids[1], &ids[2]) < 0 ? -errno : identity_write_three(t, args, ids);
}

static long sys_getresgid(struct thread *t, const uint64_t args[6]) {
    uint32_t ids[3];
    return getresgid(&ids[0], &ids[1], &ids[2]) < 0 ? -errno : identity_write_three(t, args, ids);
}

enum { IDENTITY_GROUPS_MAX = 65536 };

static long sys_getgroups(struct thread *t, const uint64_t args[6]) {
    gid_t groups[1024];
    int n = getgroups(ARRAY_LENGTH(groups), groups);
    if (n < 0)
        return -errno;
    if ((int)args[0] < 0 || (args[0] != 0 && (int)args[0] < n))
        return -EINVAL;
    if (args[0] != 0 && user_write(t->process->space, args[1], groups, (size_t)n * sizeof *groups) < 0)
        return -EFAULT;
    return n;
}

static long sys_setgroups(struct thread *t, const uint64_t args[6]) {
    return (uint32_t)args[0] > IDENTITY_GROUPS_MAX ? -EINVAL : -EPERM;
}

/* ---- capabilities: the host process's, to be looked at ---- */

static long sys_capget(struct thread *t, const uint64_t args[6]) {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[2];
    struct space *space = t->process->space;
    if (user_read(space, args[0], &header, sizeof header) < 0)
        return -EFAULT;
    header.pid = 0;
    long r = syscall(SYS_capget, &header, args[1] ? data : NULL) < 0 ? -errno : 0;
    if (r == -EINVAL) /* an unknown version: the header says which one is known */
        return user_write(space, args[0], &header.version, sizeof header.version) < 0 ? -EFAULT : -EINVAL;
    if (r < 0 || !args[1])
        return r;
    size_t words = header.version == _LINUX_CAPABILITY_VERSION_1 ? 1 : 2;
    return user_write(space, args[1], data, words * sizeof data[0]);
}

static long sys_capset(struct thread *t, const uint64_t args[6]) {
    return -EPERM;
}

/* ---- process groups and sessions ---- */

/* The process of that number, or of the thread of that number (0: the caller's); NULL when there is none. */
static struct process *identity_process(struct thread *t, uint64_t id) {
    struct process *p = (uint32_t)id == 0 ? t->process : process_find(t->process->kernel, (uint32_t)id);
    const struct thread *of = p ? NULL : thread_find(t->process->kernel, (uint32_t)id);
    return of ? of->process : p;
}

static long sys_getpgid(struct thread *t, const uint64_t args[6]) {
    const struct process *p = identity_process(t, args[0]);
    return p ? (long)p->pgid : -ESRCH;
}

static long sys_getpgrp(struct thread *t, const uint64_t args[6]) {
    return t->process->pgid;
}

static long sys_getsid(struct thread *t, const uint64_t args[6]) {
    const struct process *p = identity_process(t, args[0]);
    return p ? (long)p->sid : -ESRCH;
}

static long sys_setpgid(struct thread *t, const uint64_t args[6]) {
    struct process *caller = t->process, *p = identity_process(t, args[0]);
    if ((int32_t)args[1] < 0)
        return -EINVAL;
    if (!p)
        return -ESRCH;
    if ((uint32_t)args[0] && (uint32_t)args[0] != p->pid) /* a thread that is not the leader */
        return -EINVAL;
    if (p != caller && p->parent != caller)
        return -ESRCH;
    uint32_t pgid = (uint32_t)args[1] ? (uint32_t)args[1] : p->pid;
    if (p != caller && p->sid != caller->sid)
        return -EPERM;
    if (p != caller && p->exec_done)
        return -EACCES;
    if (p->sid == p->pid) /* a session leader */
        return -EPERM;
    if (pgid != p->pid && !process_group_exists(caller->kernel, pgid, caller->sid))
        return -EPERM;
    p->pgid = pgid;
    return 0;
}

static long sys_setsid(struct thread *t, const uint64_t args[6]) {
    const struct process *other;
    struct process *p = t->process;
    TAILQ_FOREACH(other, &p->kernel->processes, of_machine)
        if (other->pgid == p->pid)
            return -EPERM;
    p->sid = p->pgid = p->pid;
    terminal_forget(p);
    return p->pid;
}

/* ---- names ---- */

static long sys_uname(struct thread *t, const uint64_t args[6]) {
    struct utsname name;
    if (uname(&name) < 0)
        return -errno;
    memset(name.machine, 0, sizeof name.machine);
    strcpy(name.machine, "x86_64");
    return user_write(t->process->space, args[0], &name, sizeof name);
}

static long sys_set_system_name(struct thread *t, const uint64_t args[6]) {
    return -EPERM;
}

/* Of the flags only the absence of address-space randomisation has an effect: it is always absent. */
static long sys_personality(struct thread *t, const uint64_t args[6]) {
    unsigned old = t->process->personality;
    if ((uint32_t)args[0] != UINT32_MAX)
        t->process->personality = (unsigned)args[0];
    return old;
}

/* setfsuid() and setfsgid() tell the old one and never fail: here it never changes. */
const struct syscall_entry syscalls_identity[] = {
    {SYS_getuid, "getuid", sys_getuid},
    {SYS_geteuid, "geteuid", sys_geteuid},
    {SYS_getgid, "getgid", sys_getgid},
    {SYS_getegid, "getegid", sys_getegid},
    {SYS_setuid, "setuid", sys_setuid},
    {SYS_setgid, "setgid", sys_setgid},
    {SYS_setreuid, "setreuid", sys_setreuid},
    {SYS_setregid, "setregid", sys_setregid},
    {SYS_setresuid, "setresuid", sys_setresuid},
    {SYS_setresgid, "setresgid", sys_setresgid},
    {SYS_setfsuid, "setfsuid", sys_geteuid},
    {SYS_setfsgid, "setfsgid", sys_getegid},
    {SYS_getresuid, "getresuid", sys_getresuid},
    {SYS_getresgid, "getresgid", sys_getresgid},
    {SYS_getgroups, "getgroups", sys_getgroups},
    {SYS_setgroups, "setgroups", sys_setgroups},
    {SYS_capget, "capget", sys_capget},
    {SYS_capset, "capset", sys_capset},
    {SYS_getpgid, "getpgid", sys_getpgid},
    {SYS_getpgrp, "getpgrp", sys_getpgrp},
    {SYS_getsid, "getsid", sys_getsid},
    {SYS_setpgid, "setpgid", sys_setpgid},
    {SYS_setsid, "setsid", sys_setsid},
    {SYS_uname, "uname", sys_uname},
    {SYS_sethostname, "sethostname", sys_set_system_name},
    {SYS_setdomainname, "setdomainname", sys_set_system_name},
    {SYS_personality, "personality", sys_personality},
    {-1, NULL, NULL},
};
