/* The way of a system call: registers in, the handler, sleeping and going on, the result out, and what
 * becomes of a call that a signal interrupts. Does not know what any call means.
 *
 *   kernel_trap ─► syscall_enter ─► syscall_perform ─► handler ─┬─ value ─────────► rax
 *                                        ▲                      ├─ SYS_SLEEP ─────► sleepers
 *                                        │ syscall_resume       ├─ -K_ERESTART… ──► t->restart (signal.c)
 *                            woken ──────┘                      └─ SYS_NO_RETURN
 *
 * A sleeping handler is run again from its beginning when its thread is woken. If a signal waits by then, it
 * is told so (call.interrupted) and has its last attempt. */
#include "kernel/syscall.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/files/inode.h"
#include "kernel/schedule/sched.h"
#include "kernel/signal/signal.h"

static const struct syscall_entry *const syscall_tables[] = {
    syscalls_terminal, syscalls_memory,     syscalls_process,    syscalls_signal,    syscalls_identity,
    syscalls_resource, syscalls_wait,       syscalls_timer,      syscalls_file,      syscalls_path,
    syscalls_poll,     syscalls_time,       syscalls_descriptor, syscalls_futex,     syscalls_socket,
    syscalls_message,  syscalls_splice,     syscalls_status,     syscalls_xattr,     syscalls_inotify,
    syscalls_copy,     syscalls_content,    syscalls_pidfd,      syscalls_memfd,     syscalls_limit,
    syscalls_prctl,    syscalls_scheduling, syscalls_refused,    syscalls_mempolicy, syscalls_process_vm,
    syscalls_sysv_shm, syscalls_sysv_sem,   syscalls_sysv_msg,   syscalls_robust,
};

static long sys_restart_syscall(struct thread *t, const uint64_t args[6]);

int syscall_create_ways(struct inject *inject, const struct syscall_way **ret_ways) {
    struct syscall_way *ways = inject_calloc(inject, SYSCALL_NUMBERS, sizeof *ways);
    if (!ways)
        return -ENOMEM;
    for (unsigned i = 0; i < ARRAY_LENGTH(syscall_tables); i++)
        for (const struct syscall_entry *e = syscall_tables[i]; e->number >= 0; e++) {
            assert(e->number < SYSCALL_NUMBERS && !ways[e->number].handler);
            ways[e->number].handler = e->handler;
            ways[e->number].width = syscall_width((unsigned)e->number);
        }
    ways[SYS_restart_syscall].handler = sys_restart_syscall;
    *ret_ways = ways;
    return 0;
}

static long syscall_not_implemented(struct thread *t) {
    struct kernel *k = t->process->kernel;
    k->unimplemented[min_u64(t->call.number, SYSCALL_NUMBERS)]++;
    return -ENOSYS;
}

static long syscall_run(struct thread *t) {
    uint64_t number = t->call.number;
    syscall_handler *handler = number < SYSCALL_NUMBERS ? t->process->kernel->ways[number].handler : NULL;
    return likely(handler) ? handler(t, t->call.args) : syscall_not_implemented(t);
}

/* Goes on with what a signal without a handler interrupted: nanosleep and friends, their deadline kept. */
static long sys_restart_syscall(struct thread *t, const uint64_t args[6]) {
    uint64_t number = t->restart_call.number;
    if (number == SYS_restart_syscall || number == 0) /* called by the program itself, without cause */
        return -EINTR;
    t->call = t->restart_call;
    t->restart_call.number = 0;
    t->call.attempted = true;
    t->call.interrupted = false;
    return syscall_run(t);
}

void syscall_enter(struct thread *t) {
    struct kernel *k = t->process->kernel;
    const struct engine_ops *e = k->engine_ops;
    struct call *c = &t->call;
    c->number = (uint32_t)e->get_register(k->engine, t->cpu, CPU_RAX); /* Linux looks at eax only */
    c->args[0] = e->get_register(k->engine, t->cpu, CPU_RDI);
    c->args[1] = e->get_register(k->engine, t->cpu, CPU_RSI);
    c->args[2] = e->get_register(k->engine, t->cpu, CPU_RDX);
    c->args[3] = e->get_register(k->engine, t->cpu, CPU_R10);
    c->args[4] = e->get_register(k->engine, t->cpu, CPU_R8);
    c->args[5] = e->get_register(k->engine, t->cpu, CPU_R9);
    c->progress = c->deadline = c->scratch = 0;
    c->attempted = c->interrupted = c->uninterruptible = false;
    c->on_signal = 0;
    t->process->syscalls++;
    k->summary.syscalls++;
    t->budget -= min_u64(t->budget, SCHED_CALL_COST);
    vm_tell_contents(k->vm);
    trace_emit(k->trace, EVENT_SYSCALL_ENTER, (unsigned)c->number, c->args[0], c->args[1], c->args[2],
               c->args[3], c->args[4]);
    if (c->number < SYSCALL_NUMBERS) /* the trace shows what the program gave */
        syscall_cut(c->args, k->ways[c->number].width);
}

static void syscall_emit_exit(struct thread *t, long result) {
    vm_tell_contents(t->process->kernel->vm);
    trace_emit(t->process->kernel->trace, EVENT_SYSCALL_EXIT, (unsigned)t->call.number, (uint64_t)result, 0,
               0, 0, 0);
}

/* A result that only the delivery of the signal can settle. */
static bool syscall_is_restart(long result) {
    return result <= -K_ERESTARTSYS && result >= -K_ERESTART_RESTARTBLOCK;
}

/* Whether the host has no descriptor left for us. */
static bool host_is_full(struct kernel *k) {
    int host = fcntl(inodes_root(k), F_DUPFD_CLOEXEC, 0);
    if (host >= 0)
        close(host);
    return host < 0;
}

static void syscall_finish(struct thread *t, long result) {
    struct kernel *k = t->process->kernel;
    t->in_call = false;
    if (result == SYS_NO_RETURN) {
        if (!t->kill_now)
            syscall_emit_exit(t, 0);
        return;
    }
    if (syscall_is_restart(result)) {
        t->restart = result;
        if (result == -K_ERESTART_RESTARTBLOCK)
            t->restart_call = t->call;
        result = -EINTR; /* what the trace shows; signal.c sets the register */
    } else if (t->restore_blocked && !(result == -EINTR && t->call.interrupted)) {
        /* else the signal that interrupts is delivered first, under the temporary mask */
        signal_set_blocked(t, t->saved_blocked);
        t->restore_blocked = false;
    }
    if (unlikely(result == -EMFILE) && descriptor_available(t->process) == 0 && host_is_full(k))
        result = -ENFILE; /* it is the host's descriptors that are used up, not the process's */
    k->engine_ops->set_register(k->engine, t->cpu, CPU_RAX, (uint64_t)result);
    syscall_emit_exit(t, result);
}

/* What a call that a signal interrupts gives when it could not go on. */
static long syscall_interrupted(const struct call *c) {
    if (c->progress)
        return (long)c->progress;
    return c->on_signal ? c->on_signal : -K_ERESTARTSYS;
}

static bool syscall_must_sleep(const struct thread *t) {
    return !t->call.interrupted || t->call.uninterruptible;
}

/* Under deterministic a call that waits for the host alone blocks the whole machine: what the others do
 * meanwhile must not depend on when the host was ready. False when it must sleep like any other. */
static bool syscall_wait_for_host(struct thread *t) {
    struct sleep *s = &t->sleep;
    if (!t->process->kernel->config.deterministic || s->fd_count == 0 || s->channel_count > 0 ||
        s->any_channel || s->deadline != UINT64_MAX || t->call.interrupted)
        return false;
    return sched_wait_for_host(t);
}

void syscall_perform(struct thread *t) {
    for (;;) {
        long result = syscall_run(t);
        if (unlikely(result == SYS_SLEEP)) {
            if (syscall_must_sleep(t)) {
                if (syscall_wait_for_host(t)) {
                    sched_forget(t);
                    t->call.attempted = true;
                    continue;
                }
                t->in_call = true;
                sched_block(t);
                if (signal_is_pending(t) && !t->call.uninterruptible) /* the call itself unblocked it */
                    sched_make_runnable(t);
                return;
            }
            result = syscall_interrupted(&t->call);
        }
        if (t->sleep.fd_count | t->sleep.channel_count | t->sleep.any_channel |
            (t->sleep.deadline != UINT64_MAX))
            sched_forget(t);
        syscall_finish(t, result);
        return;
    }
}

void syscall_resume(struct thread *t) {
    sched_forget(t);
    t->call.attempted = true;
    t->call.interrupted = signal_is_pending(t) || t->stop_interrupts;
    t->stop_interrupts = false;
    syscall_perform(t);
}
