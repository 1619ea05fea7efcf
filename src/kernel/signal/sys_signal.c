/* Calls about signals: sending, actions, masks, waiting for them. What they do is signal.c's. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/process/thread.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"

static bool signal_number_is_good(uint64_t signal) {
    return (int)signal >= 1 && (int)signal <= SIGNAL_COUNT;
}

/* ---- kill and its relatives ---- */

/* Who is to get it. */
struct kill_target {
    const struct process *sender;
    int signal; /* 0: only look whether somebody is there */
    const siginfo_t *info;
};

static long kill_one(struct process *p, const struct kill_target *k) {
    if (k->signal != 0 && !signal_number_is_good((uint64_t)k->signal))
        return -EINVAL;
    return k->signal ? signal_send_process(p, k->signal, k->info) : 0;
}

/* The process that a number of a process, or of one of its threads, stands for. */
static struct process *kill_find(struct kernel *kernel, uint32_t id) {
    struct process *p = process_find(kernel, id);
    const struct thread *t = p ? NULL : thread_find(kernel, id);
    return t ? t->process : p;
}

/* Every process of the group (0: every one but the sender): good if one got it, else as with the last. */
static long kill_group(struct kernel *kernel, uint32_t pgid, const struct kill_target *k) {
    struct process *p, *next;
    bool done = false;
    long r = -ESRCH;
    TAILQ_FOREACH_SAFE(p, &kernel->processes, of_machine, next) {
        if (pgid ? p->pgid != pgid : p == k->sender)
            continue;
        r = kill_one(p, k);
        done |= r == 0;
    }
    return done ? 0 : r;
}

static long sys_kill(struct thread *t, const uint64_t args[6]) {
    struct kernel *kernel = t->process->kernel;
    int32_t pid = (int32_t)args[0];
    siginfo_t info = signal_info_of(t, SI_USER);
    struct kill_target target = {t->process, (int)args[1], &info};
    if (pid == PID_OF_MACHINE)
        return target.signal != 0 && !signal_number_is_good(args[1]) ? -EINVAL : -EPERM;
    if (pid > 0) {
        struct process *p = kill_find(kernel, (uint32_t)pid);
        return p ? kill_one(p, &target) : -ESRCH;
    }
    if (pid == INT32_MIN)
        return -ESRCH;
    uint32_t group = pid == 0 ? t->process->pgid : pid == -1 ? 0 : (uint32_t)-pid;
    return kill_group(kernel, group, &target);
}

/* `tgid` 0: whichever process the thread is of. The leader that has ended before its
 * threads is still there. */
static long kill_thread(struct thread *t, uint32_t tgid, uint64_t tid, uint64_t signal,
                        const siginfo_t *info) {
    struct kernel *kernel = t->process->kernel;
    struct thread *to = thread_find(kernel, (uint32_t)tid);
    const struct process *p = to ? to->process : process_find(kernel, (uint32_t)tid);
    if (!p || (tgid && p->pid != tgid))
        return -ESRCH;
    if ((int)signal != 0 && !signal_number_is_good(signal))
        return -EINVAL;
    return to && signal ? signal_send_thread(to, (int)signal, info) : 0;
}

static long sys_tkill(struct thread *t, const uint64_t args[6]) {
    siginfo_t info = signal_info_of(t, SI_TKILL);
    return (int32_t)args[0] <= 0 ? -EINVAL : kill_thread(t, 0, args[0], args[1], &info);
}

static long sys_tgkill(struct thread *t, const uint64_t args[6]) {
    siginfo_t info = signal_info_of(t, SI_TKILL);
    if ((int32_t)args[0] <= 0 || (int32_t)args[1] <= 0)
        return -EINVAL;
    return kill_thread(t, (uint32_t)args[0], args[1], args[2], &info);
}

/* What the kernel knows of a siginfo; the rest of the 128 bytes is for later, and zero. */
enum { SIGINFO_KNOWN = 48 };

/* Whether Linux knows which members a siginfo with this code has. */
static bool siginfo_layout_is_known(int signal, int code) {
    static const int codes[] = {[SIGILL] = 11, [SIGFPE] = 15, [SIGSEGV] = 10, [SIGBUS] = 5,
                                [SIGTRAP] = 6, [SIGCHLD] = 6, [SIGIO] = 6,    [SIGSYS] = 2};
    if (code == SI_KERNEL || code <= 0)
        return code == SI_KERNEL || code >= SI_DETHREAD || code == SI_ASYNCNL;
    if (signal > 0 && (size_t)signal < ARRAY_LENGTH(codes) && codes[signal])
        return code <= codes[signal];
    return code <= 6;
}

/* A process may say anything of itself, but to others it cannot pretend to be the kernel or kill(). */
static int kill_read_info(struct thread *t, uint64_t address, bool to_itself, int signal,
                          siginfo_t *ret_info) {
    static const uint8_t zero[sizeof *ret_info - SIGINFO_KNOWN];
    uint8_t *rest = (uint8_t *)ret_info + SIGINFO_KNOWN;
    if (user_read(t->process->space, address, ret_info, sizeof *ret_info) < 0)
        return -EFAULT;
    if (!siginfo_layout_is_known(signal, ret_info->si_code) && memcmp(rest, zero, sizeof zero) != 0)
        return -E2BIG;
    memset(rest, 0, sizeof zero);
    if (!to_itself && (ret_info->si_code >= 0 || ret_info->si_code == SI_TKILL))
        return -EPERM;
    ret_info->si_signo = signal;
    return 0;
}

static long sys_rt_sigqueueinfo(struct thread *t, const uint64_t args[6]) {
    siginfo_t info;
    struct process *p = kill_find(t->process->kernel, (uint32_t)args[0]);
    int r = kill_read_info(t, args[2], (uint32_t)args[0] == t->process->pid || (uint32_t)args[0] == t->tid,
                           (int)args[1], &info);
    if (r < 0)
        return r;
    return p ? kill_one(p, &(struct kill_target){t->process, (int)args[1], &info}) : -ESRCH;
}

static long sys_rt_tgsigqueueinfo(struct thread *t, const uint64_t args[6]) {
    siginfo_t info;
    int r = kill_read_info(t, args[3], (uint32_t)args[1] == t->tid, (int)args[2], &info);
    if (r == 0 && ((int32_t)args[0] <= 0 || (int32_t)args[1] <= 0))
        r = -EINVAL;
    return r < 0 ? r : kill_thread(t, (uint32_t)args[0], args[1], args[2], &info);
}

/* ---- actions and masks ---- */

/* The flags that there are: others are not remembered, so that a program can ask (SA_UNSUPPORTED). */
#define SA_RESTORER_FLAG       0x04000000u
#define SA_EXPOSE_TAGBITS_FLAG 0x00000800u
#define SIGNAL_FLAGS                                                                                         \
    ((uint64_t)(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER) |           \
     (unsigned)SA_RESETHAND | SA_RESTORER_FLAG | SA_EXPOSE_TAGBITS_FLAG)

static long sys_rt_sigaction(struct thread *t, const uint64_t args[6]) {
    struct process *p = t->process;
    int signal = (int)args[0];
    struct signal_action action;
    if (args[3] != sizeof(uint64_t))
        return -EINVAL;
    if (args[1] && user_read(p->space, args[1], &action, sizeof action) < 0)
        return -EFAULT;
    if (!signal_number_is_good(args[0]) || (args[1] && (SIGNAL_UNBLOCKABLE & signal_bit(signal))))
        return -EINVAL;
    struct signal_action old = p->actions[signal];
    if (args[1]) {
        action.mask &= ~SIGNAL_UNBLOCKABLE;
        action.flags &= SIGNAL_FLAGS;
        p->actions[signal] = action;
        signal_forget_ignored(p, signal);
    }
    return args[2] && user_write(p->space, args[2], &old, sizeof old) < 0 ? -EFAULT : 0;
}

static long sys_rt_sigprocmask(struct thread *t, const uint64_t args[6]) {
    uint64_t set, old = t->blocked;
    if (args[3] != sizeof set)
        return -EINVAL;
    if (args[1]) {
        if (user_read(t->process->space, args[1], &set, sizeof set) < 0)
            return -EFAULT;
        switch ((int)args[0]) {
        case SIG_BLOCK: set = old | set; break;
        case SIG_UNBLOCK: set = old & ~set; break;
        case SIG_SETMASK: break;
        default: return -EINVAL;
        }
        signal_set_blocked(t, set);
    }
    return args[2] && user_write(t->process->space, args[2], &old, sizeof old) < 0 ? -EFAULT : 0;
}

static long sys_rt_sigpending(struct thread *t, const uint64_t args[6]) {
    uint64_t set = signal_pending_set(t) & t->blocked;
    if (args[1] > sizeof set)
        return -EINVAL;
    return user_write(t->process->space, args[0], &set, args[1]);
}

static long sys_sigaltstack(struct thread *t, const uint64_t args[6]) {
    struct kernel *k = t->process->kernel;
    struct space *space = t->process->space;
    uint64_t sp = k->engine_ops->get_register(k->engine, t->cpu, CPU_RSP);
    struct signal_stack new_stack, old;
    sigaltstack_get(t, sp, &old);
    if (args[0]) {
        if (user_read(space, args[0], &new_stack, sizeof new_stack) < 0)
            return -EFAULT;
        int r = sigaltstack_set(t, sp, &new_stack);
        if (r < 0)
            return r;
    }
    return args[1] && user_write(space, args[1], &old, sizeof old) < 0 ? -EFAULT : 0;
}

static long sys_rt_sigreturn(struct thread *t, const uint64_t args[6]) {
    if (sigframe_pop(t) < 0)
        signal_force(t, SIGSEGV, NULL);
    return SYS_NO_RETURN;
}

/* ---- waiting ---- */

static long sys_pause(struct thread *t, const uint64_t args[6]) {
    t->call.on_signal = -K_ERESTARTNOHAND;
    return SYS_SLEEP;
}

static long sys_rt_sigsuspend(struct thread *t, const uint64_t args[6]) {
    uint64_t set;
    if (args[1] != sizeof set)
        return -EINVAL;
    if (!t->call.attempted) {
        if (user_read(t->process->space, args[0], &set, sizeof set) < 0)
            return -EFAULT;
        t->saved_blocked = t->blocked;
        t->restore_blocked = true;
        signal_set_blocked(t, set);
    }
    t->call.on_signal = -K_ERESTARTNOHAND;
    return SYS_SLEEP;
}

/* Machine time at which the relative timeout at `address` ends; UINT64_MAX for none. */
static int sigwait_deadline(struct thread *t, uint64_t address, uint64_t *ret_deadline) {
    struct timespec time;
    uint64_t ns, now = clock_now(t->process->kernel);
    *ret_deadline = UINT64_MAX;
    if (!address)
        return 0;
    if (user_read(t->process->space, address, &time, sizeof time) < 0)
        return -EFAULT;
    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= 1000000000)
        return -EINVAL;
    if (!__builtin_mul_overflow((uint64_t)time.tv_sec, 1000000000u, &ns))
        *ret_deadline = now + min_u64(ns + (uint64_t)time.tv_nsec, UINT64_MAX - now - 1);
    return 0;
}

static long sigwait_take(struct thread *t, uint64_t set, uint64_t info_at) {
    siginfo_t info;
    int signal = signal_dequeue(t, set, &info);
    if (signal && info_at && user_write(t->process->space, info_at, &info, sizeof info) < 0)
        return -EFAULT;
    return signal;
}

static long sys_rt_sigtimedwait(struct thread *t, const uint64_t args[6]) {
    uint64_t set;
    if (args[3] != sizeof set)
        return -EINVAL;
    if (user_read(t->process->space, args[0], &set, sizeof set) < 0)
        return -EFAULT;
    if (!t->call.attempted) {
        int r = sigwait_deadline(t, args[2], &t->call.deadline);
        if (r < 0)
            return r;
    }
    long signal = sigwait_take(t, set & ~SIGNAL_UNBLOCKABLE, args[1]);
    if (signal != 0)
        return signal;
    if (t->call.interrupted && signal_is_pending(t))
        return -EINTR;
    if (clock_now(t->process->kernel) >= t->call.deadline)
        return -EAGAIN;
    sched_sleep_channel(t, &t->signals);
    sched_sleep_channel(t, &t->process->signals);
    sched_sleep_until(t, t->call.deadline);
    t->call.on_signal = -EINTR;
    return SYS_SLEEP;
}

const struct syscall_entry syscalls_signal[] = {
    {SYS_kill, "kill", sys_kill},
    {SYS_tkill, "tkill", sys_tkill},
    {SYS_tgkill, "tgkill", sys_tgkill},
    {SYS_rt_sigqueueinfo, "rt_sigqueueinfo", sys_rt_sigqueueinfo},
    {SYS_rt_tgsigqueueinfo, "rt_tgsigqueueinfo", sys_rt_tgsigqueueinfo},
    {SYS_rt_sigaction, "rt_sigaction", sys_rt_sigaction},
    {SYS_rt_sigprocmask, "rt_sigprocmask", sys_rt_sigprocmask},
    {SYS_rt_sigpending, "rt_sigpending", sys_rt_sigpending},
    {SYS_sigaltstack, "sigaltstack", sys_sigaltstack},
    {SYS_rt_sigreturn, "rt_sigreturn", sys_rt_sigreturn},
    {SYS_pause, "pause", sys_pause},
    {SYS_rt_sigsuspend, "rt_sigsuspend", sys_rt_sigsuspend},
    {SYS_rt_sigtimedwait, "rt_sigtimedwait", sys_rt_sigtimedwait},
    {-1, NULL, NULL},
};
