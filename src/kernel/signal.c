/* Signals: sending, pending sets, default actions, delivery. The layout of a handler's frame is sigframe.c's,
 * the system calls are sys_signal.c's.
 *
 *   send ─► ignored? dropped ─► queued (thread's or process's) ─► a thread that may take it is woken
 *   before user mode: dequeue ─► handler: frame │ default: ignore, stop, terminate
 *
 * Source: Linux 6.1 kernel/signal.c and arch/x86/kernel/signal.c for the order of things that programs can
 * observe: synchronous signals first, then by number; one queued instance of a standard signal; SIGCONT and
 * the stop signals cancel each other when sent; a call is restarted only if no handler ran or it has
 * SA_RESTART.
 *
 * Invariant: the bit of a signal is set in `pending` iff it is queued, or was sent when memory was short. No
 * core is ever dumped: the wait status has no core bit, as natively under `ulimit -c 0`. */
#include "kernel/signal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/sched.h"
#include "kernel/thread.h"

struct queued_signal {
    TAILQ_ENTRY(queued_signal) link;
    siginfo_t info;
};

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

void signal_state_init(struct signal_state *s) {
    s->pending = 0;
    TAILQ_INIT(&s->queue);
}

static void signal_state_drop(struct signal_state *s, uint64_t mask) {
    struct queued_signal *q, *next;
    s->pending &= ~mask;
    TAILQ_FOREACH_SAFE(q, &s->queue, link, next) {
        if (!(signal_bit(q->info.si_signo) & mask))
            continue;
        TAILQ_REMOVE(&s->queue, q, link);
        free(q);
    }
}

void signal_state_clear(struct signal_state *s) {
    signal_state_drop(s, UINT64_MAX);
}

static void signal_state_add(struct kernel *k, struct signal_state *s, int signal, const siginfo_t *info) {
    if (signal < SIGRTMIN && (s->pending & signal_bit(signal)))
        return;
    s->pending |= signal_bit(signal);
    struct queued_signal *q = inject_malloc(k->config.inject, sizeof *q);
    if (!q)
        return;
    if (info)
        q->info = *info;
    else
        q->info = (siginfo_t){.si_code = SI_KERNEL};
    q->info.si_signo = signal;
    TAILQ_INSERT_TAIL(&s->queue, q, link);
}

/* Takes the first instance of the signal; the bit stays while a real-time signal has more of them. */
static void signal_state_take(struct signal_state *s, int signal, siginfo_t *ret_info) {
    struct queued_signal *q, *found = NULL;
    bool more = false;
    TAILQ_FOREACH(q, &s->queue, link) {
        if (q->info.si_signo != signal)
            continue;
        more = found != NULL;
        if (more)
            break;
        found = q;
    }
    if (!more)
        s->pending &= ~signal_bit(signal);
    if (!found) {
        *ret_info = (siginfo_t){.si_signo = signal, .si_code = SI_USER};
        return;
    }
    *ret_info = found->info;
    TAILQ_REMOVE(&s->queue, found, link);
    free(found);
}

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
        signal_state_take(states[i], signal, ret_info);
        return signal;
    }
    return 0;
}

void signal_set_blocked(struct thread *t, uint64_t mask) {
    t->blocked = mask & ~SIGNAL_UNBLOCKABLE;
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

void signal_send_process(struct process *p, int signal, const siginfo_t *info) {
    struct thread *t, *first = TAILQ_FIRST(&p->threads);
    if (p->state != PROCESS_ALIVE || p->dying || signal_kills_at_once(p, signal, info))
        return;
    signal_prepare(p, signal);
    if (!first || (signal_is_ignored(p, signal) && !(first->blocked & signal_bit(signal))))
        return;
    signal_state_add(p->kernel, &p->signals, signal, info);
    sched_wake(p->kernel, &p->signals);
    TAILQ_FOREACH(t, &p->threads, of_process) {
        if (t->blocked & signal_bit(signal))
            continue;
        signal_wake(t);
        return;
    }
}

void signal_send_thread(struct thread *t, int signal, const siginfo_t *info) {
    struct process *p = t->process;
    if (p->dying || t->kill_now || signal_kills_at_once(p, signal, info))
        return;
    signal_prepare(p, signal);
    if (signal_is_ignored(p, signal) && !(t->blocked & signal_bit(signal)))
        return;
    signal_state_add(p->kernel, &t->signals, signal, info);
    sched_wake(p->kernel, &t->signals);
    if (!(t->blocked & signal_bit(signal)))
        signal_wake(t);
}

void signal_force(struct thread *t, int signal, const siginfo_t *info) {
    struct signal_action *action = &t->process->actions[signal];
    if ((t->blocked & signal_bit(signal)) || action->handler == HANDLER_IGNORE) {
        action->handler = HANDLER_DEFAULT;
        t->blocked &= ~signal_bit(signal);
    }
    signal_state_drop(&t->signals, signal_bit(signal)); /* this one must be seen, not an older one */
    signal_state_add(t->process->kernel, &t->signals, signal, info);
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
    if (signal == 0)
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
    TAILQ_FOREACH(t, &p->threads, of_process)
        if (t->state == THREAD_RUNNABLE)
            sched_remove(t);
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

static siginfo_t signal_of_trap(const struct trap *trap, uint64_t rip) {
    siginfo_t info = {.si_signo = SIGSEGV, .si_code = SI_KERNEL};
    switch (trap->vector) {
    case VECTOR_PF: return signal_of_page_fault(trap);
    case VECTOR_DE: info = (siginfo_t){.si_signo = SIGFPE, .si_code = FPE_INTDIV}; break;
    case VECTOR_DB: info = (siginfo_t){.si_signo = SIGTRAP, .si_code = TRAP_TRACE}; break;
    case VECTOR_BP: return (siginfo_t){.si_signo = SIGTRAP, .si_code = SI_KERNEL};
    case VECTOR_UD: info = (siginfo_t){.si_signo = SIGILL, .si_code = ILL_ILLOPN}; break;
    case VECTOR_MF:
    case VECTOR_XM: info = (siginfo_t){.si_signo = SIGFPE, .si_code = FPE_FLTINV}; break;
    case VECTOR_AC: return (siginfo_t){.si_signo = SIGBUS, .si_code = BUS_ADRALN};
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
    siginfo_t info = signal_of_trap(trap, r.rip);
    signal_force(t, info.si_signo, &info);
}
