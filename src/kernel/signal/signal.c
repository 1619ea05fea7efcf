/* Signals: sending, pending sets, default actions, delivery. The layout of a handler's frame is sigframe.c's,
 * the system calls are sys_signal.c's.
 *
 *   send ─► ignored? dropped ─► queued (thread's or process's) ─► a thread that may take it is woken
 *   before user mode: dequeue ─► handler: frame │ default: ignore, stop, terminate
 *
 * Source: Linux 6.1 kernel/signal/signal.c and arch/x86/kernel/signal.c for the order of things that programs
 * can observe: synchronous signals first, then by number; one queued instance of a standard signal; SIGCONT
 * and the stop signals cancel each other when sent; a call is restarted only if no handler ran or it has
 * SA_RESTART.
 *
 * What waits is signal_queue.c's. No core is ever dumped: the wait status has no core bit, as natively under
 * `ulimit -c 0`. */
#include "kernel/signal/signal.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/process/thread.h"
#include "kernel/schedule/sched.h"

#define SIGNALS_STOP                                                                                         \
    (1ULL << (SIGSTOP - 1) | 1ULL << (SIGTSTP - 1) | 1ULL << (SIGTTIN - 1) | 1ULL << (SIGTTOU - 1))
#define SIGNALS_IGNORED_BY_DEFAULT                                                                           \
    (1ULL << (SIGCONT - 1) | 1ULL << (SIGCHLD - 1) | 1ULL << (SIGWINCH - 1) | 1ULL << (SIGURG - 1))
#define SIGNALS_SYNCHRONOUS                                                                                  \
    (1ULL << (SIGSEGV - 1) | 1ULL << (SIGBUS - 1) | 1ULL << (SIGILL - 1) | 1ULL << (SIGTRAP - 1) |           \
     1ULL << (SIGFPE - 1) | 1ULL << (SIGSYS - 1))

/* struct sigaction's sa_handler and sa_flags as numbers of the guest's. */
enum { HANDLER_DEFAULT = 0, HANDLER_IGNORE = 1 };

/* ---- pending sets ---- */

uint64_t signal_pending_set(const struct thread *t) {
    return t->signals.pending | t->process->signals.pending;
}

bool signal_is_pending(struct thread *t) {
    return signal_pending_set(t) & ~t->blocked;
}

int signal_dequeue(struct thread *t, uint64_t mask, siginfo_t *ret_info) {
    struct signal_state *states[] = {&t->signals, &t->process->signals};
    for (unsigned i = 0; i < ARRAY_LENGTH(states); i++) {
        uint64_t set = states[i]->pending & mask;
        if (!set)
            continue;
        if (set & SIGNALS_SYNCHRONOUS)
            set &= SIGNALS_SYNCHRONOUS;
        int signal = __builtin_ctzll(set) + 1;
        signal_state_take(states[i], t->process, signal, ret_info);
        return signal;
    }
    return 0;
}

void signal_set_blocked(struct thread *t, uint64_t mask) {
    uint64_t before = t->blocked;
    t->blocked = mask & ~SIGNAL_UNBLOCKABLE;
    if (unlikely(t->process->signals.pending & t->blocked & ~before))
        signal_retarget(t->process);
}

/* ---- sending ---- */

static bool signal_is_ignored(const struct process *p, int signal) {
    uint64_t handler = p->actions[signal].handler;
    return handler == HANDLER_IGNORE ||
           (handler == HANDLER_DEFAULT && (SIGNALS_IGNORED_BY_DEFAULT & signal_bit(signal)));
}

static void process_drop_pending(struct process *p, uint64_t mask) {
    struct thread *t;
    signal_state_drop(&p->signals, mask);
    TAILQ_FOREACH(t, &p->threads, of_process)
        signal_state_drop(&t->signals, mask);
}

void signal_forget_ignored(struct process *p, int signal) {
    if (signal_is_ignored(p, signal))
        process_drop_pending(p, signal_bit(signal));
}

/* What sending alone does, whether or not the signal is blocked, ignored or caught. */
static void signal_prepare(struct process *p, int signal) {
    if (signal == SIGCONT) {
        process_drop_pending(p, SIGNALS_STOP);
        process_continue(p);
    } else if (SIGNALS_STOP & signal_bit(signal)) {
        process_drop_pending(p, signal_bit(SIGCONT));
    }
}

static void signal_wake(struct thread *t) {
    if (t->state == THREAD_SLEEPING && !t->call.uninterruptible)
        sched_make_runnable(t);
}

/* The event is the receiver's, whoever runs now. */
static void signal_emit(struct process *p, int signal, const siginfo_t *info) {
    struct trace *trace = p->kernel->trace;
    if (likely(!trace || !trace->listening))
        return;
    uint32_t running = trace->pid;
    trace->pid = p->pid;
    trace_emit(trace, EVENT_SIGNAL, (unsigned)signal, (uint64_t)info->si_code,
               (SIGNALS_SYNCHRONOUS & signal_bit(signal)) ? (uint64_t)info->si_addr : 0,
               info->si_code <= 0 ? (uint64_t)info->si_pid : 0, 0, 0);
    trace->pid = running;
}

static bool signal_kills_at_once(struct process *p, int signal, const siginfo_t *info) {
    if (signal != SIGKILL)
        return false;
    siginfo_t none = {.si_signo = signal, .si_code = SI_KERNEL};
    signal_emit(p, signal, info ? info : &none);
    process_kill(p, signal);
    return true;
}

/* The thread that takes a signal for the whole process: as Linux, the first that can and has no other to
 * take, else any that can. */
static void signal_wake_one(struct process *p, int signal) {
    struct thread *t, *any = NULL;
    TAILQ_FOREACH(t, &p->threads, of_process) {
        if ((t->blocked & signal_bit(signal)) || t->kill_now)
            continue;
        any = t;
        if (!(t->signals.pending & ~t->blocked))
            break;
    }
    if (any)
        signal_wake(any);
}

void signal_retarget(struct process *p) {
    for (uint64_t left = p->signals.pending; left; left &= left - 1)
        signal_wake_one(p, __builtin_ctzll(left) + 1);
}

/* Whether it goes to the queue: the receiver is there, does not die at once and does not ignore it. `blocked`
 * are the signals that wait although they are ignored. */
static bool signal_is_accepted(struct process *p, int signal, const siginfo_t *info, uint64_t blocked) {
    if (p->state != PROCESS_ALIVE || p->dying || signal_kills_at_once(p, signal, info))
        return false;
    signal_prepare(p, signal);
    return !signal_is_ignored(p, signal) || (blocked & signal_bit(signal));
}

siginfo_t signal_info_of(const struct thread *t, int code) {
    siginfo_t info = {.si_code = code};
    info.si_pid = (pid_t)t->process->pid;
    info.si_uid = getuid();
    return info;
}

int signal_send_process(struct process *p, int signal, const siginfo_t *info) {
    const struct thread *first = TAILQ_FIRST(&p->threads);
    if (!first || !signal_is_accepted(p, signal, info, first->blocked))
        return 0;
    int r = signal_state_add(&p->signals, p, signal, info);
    sched_wake(p->kernel, &p->signals);
    signal_wake_one(p, signal);
    return r;
}

int signal_send_thread(struct thread *t, int signal, const siginfo_t *info) {
    struct process *p = t->process;
    if (t->kill_now || !signal_is_accepted(p, signal, info, t->blocked))
        return 0;
    siginfo_t own = signal_info_of(t, SI_USER);
    int r = signal_state_add(&t->signals, p, signal, info ? info : &own);
    sched_wake(p->kernel, &t->signals);
    if (!(t->blocked & signal_bit(signal)))
        signal_wake(t);
    return r;
}

void signal_send_timer(struct process *p, struct thread *t, int signal, const siginfo_t *info) {
    const struct thread *judge = t ? t : TAILQ_FIRST(&p->threads);
    struct signal_state *state = t ? &t->signals : &p->signals;
    if (!judge || !signal_is_accepted(p, signal, info, judge->blocked))
        return;
    signal_state_add_timer(state, signal, info);
    sched_wake(p->kernel, state);
    if (!t)
        signal_wake_one(p, signal);
    else if (!(t->blocked & signal_bit(signal)))
        signal_wake(t);
}

void signal_force(struct thread *t, int signal, const siginfo_t *info) {
    struct signal_action *action = &t->process->actions[signal];
    if ((t->blocked & signal_bit(signal)) || action->handler == HANDLER_IGNORE) {
        action->handler = HANDLER_DEFAULT;
        t->blocked &= ~signal_bit(signal);
    }
    signal_state_drop(&t->signals, signal_bit(signal)); /* this one must be seen, not an older one */
    signal_state_add(&t->signals, t->process, signal, info);
}

void signal_reset_handlers(struct process *p) {
    for (int signal = 1; signal <= SIGNAL_COUNT; signal++) {
        bool ignored = p->actions[signal].handler == HANDLER_IGNORE;
        p->actions[signal] = (struct signal_action){.handler = ignored ? HANDLER_IGNORE : HANDLER_DEFAULT};
    }
}

/* ---- stopping and going on ---- */

void signal_notify_parent(struct process *p, int signal, int code, int status) {
    struct process *parent = p->parent;
    if (!parent)
        return;
    sched_wake(p->kernel, &parent->children);
    if (signal == 0 || signal > SIGNAL_COUNT)
        return;
    siginfo_t info = {.si_signo = signal, .si_code = code};
    info.si_pid = (pid_t)p->pid;
    info.si_uid = getuid();
    info.si_status = status;
    info.si_utime = (clock_t)(p->user_instructions / 10000000); /* USER_HZ at a nanosecond each */
    signal_send_process(parent, signal, &info);
}

static void signal_notify_stop(struct process *p, int code, int status) {
    bool wanted = p->parent && !(p->parent->actions[SIGCHLD].flags & SA_NOCLDSTOP);
    signal_notify_parent(p, wanted ? SIGCHLD : 0, code, status);
}

void process_stop(struct process *p, int signal) {
    struct thread *t;
    p->stop_signal = signal;
    p->stop_waitable = true;
    p->continue_waitable = false;
    p->kernel->suspending |= p->is_program && p->kernel->config.resumable;
    TAILQ_FOREACH(t, &p->threads, of_process) {
        bool sleeps = t->state == THREAD_SLEEPING && !t->call.uninterruptible;
        t->stop_interrupts = sleeps; /* its call has its last attempt when the process goes on */
        if (sleeps || t->state == THREAD_RUNNABLE)
            sched_remove(t);
    }
    signal_notify_stop(p, CLD_STOPPED, signal);
}

void process_continue(struct process *p) {
    struct thread *t;
    if (!p->stop_signal)
        return;
    p->stop_signal = 0;
    p->stop_waitable = false;
    p->continue_waitable = true;
    TAILQ_FOREACH(t, &p->threads, of_process)
        if (t->state == THREAD_STOPPED)
            sched_make_runnable(t);
    signal_notify_stop(p, CLD_CONTINUED, SIGCONT);
}

/* ---- delivery ---- */

static void signal_default(struct thread *t, int signal) {
    struct process *p = t->process;
    if (SIGNALS_IGNORED_BY_DEFAULT & signal_bit(signal))
        return;
    if (!(SIGNALS_STOP & signal_bit(signal)))
        process_kill(p, signal);
    else if (signal == SIGSTOP || !process_group_is_orphaned(p->kernel, p->pgid, NULL))
        process_stop(p, signal);
}

/* Registers that execute the interrupted call again: rip is behind the two bytes of `syscall`. */
static void signal_restart_call(struct thread *t, uint64_t number) {
    struct kernel *k = t->process->kernel;
    struct cpu_registers r;
    k->engine_ops->get_registers(k->engine, t->cpu, &r);
    r.general[CPU_RAX] = number;
    r.rip -= 2;
    k->engine_ops->set_registers(k->engine, t->cpu, &r);
}

static void signal_restart_for_handler(struct thread *t, const struct signal_action *action) {
    struct kernel *k = t->process->kernel;
    long restart = t->restart;
    t->restart = 0;
    t->restart_call.number = 0; /* restart_syscall has nothing to go on with any more */
    if (!restart)
        return;
    if (restart == -K_ERESTARTNOINTR || (restart == -K_ERESTARTSYS && (action->flags & SA_RESTART)))
        signal_restart_call(t, t->call.number);
    else
        k->engine_ops->set_register(k->engine, t->cpu, CPU_RAX, (uint64_t)-EINTR);
}

static void signal_restart_without_handler(struct thread *t) {
    long restart = t->restart;
    t->restart = 0;
    if (restart)
        signal_restart_call(t, restart == -K_ERESTART_RESTARTBLOCK ? SYS_restart_syscall : t->call.number);
    if (t->restore_blocked)
        signal_set_blocked(t, t->saved_blocked);
    t->restore_blocked = false;
}

/* Points the thread at its handler. A stack that cannot take the frame is a SIGSEGV, and one for SIGSEGV
 * itself is death. */
static void signal_handle(struct thread *t, int signal, const siginfo_t *info) {
    struct signal_action *action = &t->process->actions[signal], taken = *action;
    signal_restart_for_handler(t, &taken);
    uint64_t mask = t->restore_blocked ? t->saved_blocked : t->blocked;
    t->restore_blocked = false;
    if (taken.flags & SA_RESETHAND)
        action->handler = HANDLER_DEFAULT;
    if (sigframe_push(t, signal, info, &taken, mask) < 0) {
        if (signal == SIGSEGV)
            action->handler = HANDLER_DEFAULT;
        signal_force(t, SIGSEGV, NULL);
        return;
    }
    uint64_t blocked = t->blocked | taken.mask;
    signal_set_blocked(t, (taken.flags & SA_NODEFER) ? blocked : blocked | signal_bit(signal));
}

void signal_deliver(struct thread *t) {
    struct process *p = t->process;
    siginfo_t info;
    int signal;
    bool handled = false;
    while (!t->kill_now && !p->stop_signal && (signal = signal_dequeue(t, ~t->blocked, &info))) {
        if (p->actions[signal].handler == HANDLER_IGNORE)
            continue;
        signal_emit(p, signal, &info);
        if (p->actions[signal].handler == HANDLER_DEFAULT) {
            signal_default(t, signal);
            continue;
        }
        signal_handle(t, signal, &info);
        handled = true;
    }
    if (!handled && !t->kill_now && !p->stop_signal)
        signal_restart_without_handler(t);
}

/* ---- exceptions ---- */

static siginfo_t signal_of_page_fault(const struct trap *trap) {
    siginfo_t info = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};
    info.si_addr = (void *)trap->address; /* NOLINT: an address of the guest's */
    switch (trap->fault) {
    case FAULT_PERMISSION: info.si_code = SEGV_ACCERR; break;
    case FAULT_PAST_END:
    case FAULT_IO:
        info.si_signo = SIGBUS;
        info.si_code = BUS_ADRERR;
        break;
    case FAULT_NO_MAPPING:
    case FAULT_OK:
    case FAULT_NO_MEMORY:
    case FAULT_KILLED: break;
    }
    return info;
}

/* Which of the exceptions that are not masked it was: FPE_*. Bits as in the status word and MXCSR. */
static int signal_float_code(unsigned raised) {
    if (raised & 0x01)
        return FPE_FLTINV;
    if (raised & 0x04)
        return FPE_FLTDIV;
    if (raised & 0x08)
        return FPE_FLTOVF;
    if (raised & 0x12)
        return FPE_FLTUND;
    return raised & 0x20 ? FPE_FLTRES : FPE_FLTUNK;
}

static siginfo_t signal_of_float(struct thread *t, bool sse) {
    struct kernel *k = t->process->kernel;
    uint8_t image[CPU_XSAVE_SIZE];
    uint16_t control, status;
    uint32_t mxcsr;
    k->engine_ops->get_xsave(k->engine, t->cpu, image);
    memcpy(&control, image, sizeof control);
    memcpy(&status, image + 2, sizeof status);
    memcpy(&mxcsr, image + 24, sizeof mxcsr);
    unsigned raised = sse ? ~(mxcsr >> 7) & mxcsr : (unsigned)status & ~(unsigned)control;
    return (siginfo_t){.si_signo = SIGFPE, .si_code = signal_float_code(raised)};
}

static siginfo_t signal_of_trap(struct thread *t, const struct trap *trap, uint64_t rip) {
    siginfo_t info = {.si_signo = SIGSEGV, .si_code = SI_KERNEL};
    switch (trap->vector) {
    case VECTOR_PF: return signal_of_page_fault(trap);
    case VECTOR_DE: info = (siginfo_t){.si_signo = SIGFPE, .si_code = FPE_INTDIV}; break;
    case VECTOR_DB:
        info =
            (siginfo_t){.si_signo = SIGTRAP, .si_code = trap->address & DEBUG_STEP ? TRAP_TRACE : TRAP_BRKPT};
        break;
    case VECTOR_BP: return (siginfo_t){.si_signo = SIGTRAP, .si_code = SI_KERNEL};
    case VECTOR_UD: info = (siginfo_t){.si_signo = SIGILL, .si_code = ILL_ILLOPN}; break;
    case VECTOR_MF:
    case VECTOR_XM: info = signal_of_float(t, trap->vector == VECTOR_XM); break;
    case VECTOR_AC: return (siginfo_t){.si_signo = SIGBUS, .si_code = BUS_ADRALN};
    case VECTOR_SS: return (siginfo_t){.si_signo = SIGBUS, .si_code = SI_KERNEL};
    case VECTOR_GP: return info;
    }
    info.si_addr = (void *)rip; /* NOLINT: an address of the guest's */
    return info;
}

void signal_exception(struct thread *t, const struct trap *trap) {
    struct kernel *k = t->process->kernel;
    struct cpu_registers r;
    k->engine_ops->get_registers(k->engine, t->cpu, &r);
    t->trap_number = (uint64_t)trap->vector;
    t->trap_error = trap->error_code;
    if (trap->vector == VECTOR_PF)
        t->trap_address = trap->address;
    siginfo_t info = signal_of_trap(t, trap, r.rip);
    signal_force(t, info.si_signo, &info);
}
