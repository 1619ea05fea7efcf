/* Calls that need privileges which no program has in this machine, whoever runs it: they are about the whole
 * system, and would be about the host's. Refused as an unprivileged process is refused; what such a process
 * may do of them is done.
 *
 * docs/SYSTEM-CALLS.md lists them with the others. */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/process/process.h"
#include "kernel/syscall.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static long sys_not_permitted(struct thread *t, const uint64_t args[6]) {
    return -EPERM;
}

/* Some say so in another way. */
static long sys_access_denied(struct thread *t, const uint64_t args[6]) {
    return -EACCES;
}

/* What Linux has numbers for and nothing behind them. */
static long sys_never_there(struct thread *t, const uint64_t args[6]) {
    return -ENOSYS;
}

static long sys_iopl(struct thread *t, const uint64_t args[6]) {
    uint32_t level = (uint32_t)args[0];
    return level > 3 ? -EINVAL : level ? -EPERM : 0;
}

static long sys_ioperm(struct thread *t, const uint64_t args[6]) {
    if (args[0] + args[1] <= args[0] || args[0] + args[1] > 65536)
        return -EINVAL;
    return (uint32_t)args[2] ? -EPERM : 0;
}

/* There is no local descriptor table: none to read, and none can be made. */
static long sys_modify_ldt(struct thread *t, const uint64_t args[6]) {
    enum { READ_TABLE = 0, READ_DEFAULT = 2, DEFAULT_SIZE = 128 };
    uint64_t size = min_u64(args[2], DEFAULT_SIZE);
    if ((uint32_t)args[0] == READ_TABLE)
        return 0;
    if ((uint32_t)args[0] != READ_DEFAULT)
        return -ENOSYS;
    return user_zero(t->process->space, args[1], size) < 0 ? -EFAULT : (long)size;
}

#define UNSHARE_NAMESPACES                                                                                   \
    ((uint64_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
                CLONE_NEWNET | CLONE_NEWTIME))
#define UNSHARE_OWN        ((uint64_t)(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM))
#define UNSHARE_ONLY_ALONE ((uint64_t)(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM))

static bool thread_is_alone(const struct process *p) {
    return TAILQ_FIRST(&p->threads) == TAILQ_LAST(&p->threads, thread_list);
}

static int unshare_directory(struct process *p) {
    struct pathfs *own = pathfs_copy(p->fs);
    if (!own)
        return -ENOMEM;
    pathfs_unref(p->fs);
    p->fs = own;
    return 0;
}

/* Namespaces are refused. Files and directory are a process's here, not a thread's: they become its own. */
static long sys_unshare(struct thread *t, const uint64_t args[6]) {
    struct process *p = t->process;
    uint64_t flags = args[0];
    int r = 0;
    if (flags & ~(UNSHARE_NAMESPACES | UNSHARE_OWN | UNSHARE_ONLY_ALONE))
        return -EINVAL;
    if ((flags & (UNSHARE_ONLY_ALONE | CLONE_NEWUSER)) && !thread_is_alone(p))
        return -EINVAL;
    if (flags & UNSHARE_NAMESPACES)
        return -EPERM;
    if (flags & CLONE_FILES)
        r = descriptors_unshare(p);
    if (r == 0 && (flags & CLONE_FS))
        r = unshare_directory(p);
    return r;
}

static long sys_setns(struct thread *t, const uint64_t args[6]) {
    if (!descriptor_file(t->process, (int)args[0]))
        return -EBADF;
    return args[1] & ~UNSHARE_NAMESPACES ? -EINVAL : -EPERM;
}

const struct syscall_entry syscalls_refused[] = {
    {SYS_acct, "acct", sys_not_permitted},
    {SYS_swapon, "swapon", sys_not_permitted},
    {SYS_swapoff, "swapoff", sys_not_permitted},
    {SYS_reboot, "reboot", sys_not_permitted},
    {SYS_syslog, "syslog", sys_not_permitted},
    {SYS_init_module, "init_module", sys_not_permitted},
    {SYS_finit_module, "finit_module", sys_not_permitted},
    {SYS_delete_module, "delete_module", sys_not_permitted},
    {SYS_kexec_load, "kexec_load", sys_not_permitted},
    {SYS_kexec_file_load, "kexec_file_load", sys_not_permitted},
    {SYS_quotactl, "quotactl", sys_not_permitted},
    {SYS_quotactl_fd, "quotactl_fd", sys_not_permitted},
    {SYS_open_by_handle_at, "open_by_handle_at", sys_not_permitted},
    {SYS_open_tree, "open_tree", sys_not_permitted},
    {SYS_move_mount, "move_mount", sys_not_permitted},
    {SYS_fsopen, "fsopen", sys_not_permitted},
    {SYS_fsconfig, "fsconfig", sys_not_permitted},
    {SYS_fsmount, "fsmount", sys_not_permitted},
    {SYS_fspick, "fspick", sys_not_permitted},
    {SYS_mount_setattr, "mount_setattr", sys_not_permitted},
    {SYS_bpf, "bpf", sys_not_permitted},
    {SYS_fanotify_init, "fanotify_init", sys_not_permitted},
    {SYS_userfaultfd, "userfaultfd", sys_not_permitted},
    {SYS_perf_event_open, "perf_event_open", sys_access_denied},
    {SYS_iopl, "iopl", sys_iopl},
    {SYS_ioperm, "ioperm", sys_ioperm},
    {SYS_modify_ldt, "modify_ldt", sys_modify_ldt},
    {SYS_unshare, "unshare", sys_unshare},
    {SYS_setns, "setns", sys_setns},
    {SYS_uselib, "uselib", sys_never_there},
    {SYS_create_module, "create_module", sys_never_there},
    {SYS_get_kernel_syms, "get_kernel_syms", sys_never_there},
    {SYS_query_module, "query_module", sys_never_there},
    {SYS_nfsservctl, "nfsservctl", sys_never_there},
    {SYS_getpmsg, "getpmsg", sys_never_there},
    {SYS_putpmsg, "putpmsg", sys_never_there},
    {SYS_afs_syscall, "afs_syscall", sys_never_there},
    {SYS_tuxcall, "tuxcall", sys_never_there},
    {SYS_security, "security", sys_never_there},
    {SYS_vserver, "vserver", sys_never_there},
    {SYS__sysctl, "_sysctl", sys_never_there},
    {SYS_epoll_ctl_old, "epoll_ctl_old", sys_never_there},
    {SYS_epoll_wait_old, "epoll_wait_old", sys_never_there},
    {SYS_set_thread_area, "set_thread_area", sys_never_there},
    {SYS_get_thread_area, "get_thread_area", sys_never_there},
    {SYS_lookup_dcookie, "lookup_dcookie", sys_never_there},
    {-1, NULL, NULL},
};
