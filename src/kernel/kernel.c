/* The kernel as the machine sees it: built, started, asked for the next thread, given its trap.
 *
 *   kernel_start:       program.c
 *   kernel_next_thread: bury the dead ─► pick (sched.c) ─► dying? ends │ stopped? aside │ in a call? goes on
 *                       ─► signals (signal.c) ─► the engine runs it
 *   kernel_trap:        charge the time ─► system call │ exception │ nothing (slice used up, kicked)
 *
 * Page faults do not come this way: the engine calls kernel_fault() from inside its run. */
#include "kernel/kernel.h"
#include "kernel/condition.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/files/file.h"
#include "kernel/process/oom.h"
#include "kernel/process/thread.h"
#include "kernel/process/watch.h"
#include "kernel/sandbox/limits.h"
#include "kernel/schedule/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/summary.h"
#include "kernel/syscall.h"
#include "kernel/sysv/sysv.h"
#include "kernel/terminal/terminal.h"
#include "kernel/time/timer.h"

/* A second interrupt from outside within this time ends the machine. */
enum { KERNEL_INTERRUPT_WINDOW = 1000000000 };

/* ---- building ---- */

static int kernel_create_tables(struct kernel *k) {
    int r = syscall_create_ways(k->config.inject, &k->ways);
    if (r < 0)
        return r;
    k->unimplemented = inject_calloc(k->config.inject, SYSCALL_NUMBERS + 1, sizeof *k->unimplemented);
    return k->unimplemented ? 0 : -ENOMEM;
}

static void kernel_free(struct kernel *k) {
    summary_free(k);
    conditions_free(k);
    watches_destroy(k);
    free(k->poll_set);
    free((void *)k->ways);
    free(k->unimplemented);
    free(k);
}

int kernel_create(const struct kernel_config *config, struct kernel **ret_kernel) {
    struct kernel *k = inject_calloc(config->inject, 1, sizeof *k);
    if (!k)
        return -ENOMEM;
    k->config = *config;
    k->vm = config->vm;
    k->engine_ops = config->engine_ops;
    k->engine = config->engine;
    k->trace = config->trace;
    k->sandbox = config->sandbox;
    limits_start(k);
    k->rng.state = config->seed;
    k->next_pid = PID_OF_MACHINE + 1;
    k->next_timer = UINT64_MAX;
    load_start(k);
    k->exit_status = -1;
    TAILQ_INIT(&k->processes);
    TAILQ_INIT(&k->threads);
    TAILQ_INIT(&k->run_queue);
    TAILQ_INIT(&k->sleepers);
    TAILQ_INIT(&k->graveyard);
    for (unsigned i = 0; i < FUTEX_BUCKETS; i++)
        TAILQ_INIT(&k->futex_buckets[i]);
    int r = kernel_create_tables(k);
    if (r == 0)
        r = watches_create(k);
    if (r == 0)
        r = sysv_create(k);
    if (r == 0)
        r = files_create(k);
    if (r < 0) {
        kernel_free(k);
        return r;
    }
    if (!config->deterministic)
        condition_note(k, "the host's clock");
    *ret_kernel = k;
    return 0;
}

void kernel_destroy(struct kernel *k) {
    struct process *p;
    k->current = NULL;
    while ((p = TAILQ_FIRST(&k->processes))) {
        if (p->state == PROCESS_ALIVE) {
            process_kill(p, SIGKILL);
            process_end_threads(p);
        } else {
            process_reap(p);
        }
    }
    thread_bury(k);
    sysv_destroy(k);
    files_destroy(k);
    kernel_free(k);
}

void kernel_random(struct kernel *k, void *to, size_t length) {
    if (k->config.deterministic) {
        rng_fill(&k->rng, to, length);
        return;
    }
    for (size_t done = 0; done < length;) {
        ssize_t n = getrandom((char *)to + done, length - done, 0);
        if (n > 0)
            done += (size_t)n;
    }
}

void kernel_report(struct kernel *k, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    k->config.report(k->config.context, line);
}

/* ---- running ---- */

/* Whether the thread can enter user mode now. If not, it has ended, sleeps or is stopped. */
static bool kernel_prepare(struct thread *t) {
    if (unlikely(t->process->stop_signal && !t->kill_now)) { /* woken, or stopped by one of its siblings */
        sched_remove(t);
        return false;
    }
    if (unlikely(t->in_call && !t->kill_now))
        syscall_resume(t);
    if (t->state == THREAD_RUNNABLE && !t->kill_now &&
        unlikely(signal_is_pending(t) || t->restart || t->restore_blocked))
        signal_deliver(t);
    if (unlikely(t->kill_now)) {
        thread_end(t);
        return false;
    }
    if (unlikely(t->process->stop_signal && t->state == THREAD_RUNNABLE))
        sched_remove(t);
    return t->state == THREAD_RUNNABLE;
}

/* Another address space, or another process in the same one (vfork): threads of one process switch unseen. */
static void kernel_switch_to(struct kernel *k, struct thread *t) {
    const struct page_table *table = space_page_table(t->process->space);
    if (likely(k->loaded == table && k->loaded_pid == t->process->pid))
        return;
    k->loaded = table;
    k->loaded_pid = t->process->pid;
    k->summary.context_switches++;
    vm_tell_contents(k->vm);
    trace_emit(k->trace, EVENT_SWITCH, 0, table->space, 0, 0, 0, 0);
}

/* Whether the machine goes on. */
static bool kernel_goes_on(struct kernel *k) {
    if (k->stop != KERNEL_RUNNING)
        return false;
    if (TAILQ_EMPTY(&k->threads))
        k->stop = KERNEL_FINISHED;
    else if ((k->summary.limit = limits_reached(k)) != LIMIT_NONE)
        k->stop = KERNEL_LIMIT;
    return k->stop == KERNEL_RUNNING;
}

static bool kernel_is_suspended(const struct kernel *k) {
    const struct process *p;
    bool stopped = false;
    if (likely(!k->suspending))
        return false;
    TAILQ_FOREACH(p, &k->processes, of_machine) {
        if (!p->is_program || p->state != PROCESS_ALIVE)
            continue;
        if (!p->stop_signal)
            return false;
        stopped = true;
    }
    return stopped;
}

int kernel_take_suspension(struct kernel *k) {
    if (!kernel_is_suspended(k))
        return 0;
    k->suspending = false;
    return process_first_program(k)->stop_signal;
}

struct thread *kernel_next_thread(struct kernel *k) {
    while (kernel_goes_on(k)) {
        if (unlikely(kernel_is_suspended(k)))
            return NULL;
        struct thread *t = sched_pick(k);
        if (!t) {
            if (!sched_wait(k))
                return NULL;
            continue;
        }
        if (k->trace)
            k->trace->pid = t->process->pid;
        k->current = t;
        bool ready = kernel_prepare(t);
        if (unlikely(!TAILQ_EMPTY(&k->graveyard)))
            thread_bury(k);
        if (ready) {
            kernel_switch_to(k, t);
            return t;
        }
        k->current = NULL;
    }
    return NULL;
}

struct cpu *kernel_thread_cpu(struct thread *t) {
    return t->cpu;
}

struct page_table *kernel_thread_table(struct thread *t) {
    return space_page_table(t->process->space);
}

struct thread *kernel_current(struct kernel *k) {
    return k->current && k->current->process->space ? k->current : NULL;
}

uint64_t kernel_thread_budget(struct thread *t) {
    const struct kernel *k = t->process->kernel;
    if (!k->config.max_instructions)
        return t->budget;
    return min_u64(t->budget, k->config.max_instructions - k->executed);
}

/* The work since the last trap was this thread's. */
static void kernel_charge(struct kernel *k, struct thread *t) {
    struct engine_counters counters;
    struct process *p = t->process;
    k->engine_ops->get_counters(k->engine, &counters);
    uint64_t worked = counters.instructions - k->executed;
    k->executed = counters.instructions;
    t->budget -= min_u64(t->budget, worked);
    p->user_instructions += worked;
    t->user_instructions += worked;
    if (unlikely(p->user_instructions >= p->next_charge))
        timer_charge(p);
}

static void kernel_exception(struct thread *t, const struct trap *trap) {
    bool must_die =
        trap->vector == VECTOR_PF && (trap->fault == FAULT_KILLED || trap->fault == FAULT_NO_MEMORY);
    if (must_die) {
        kernel_report(t->process->kernel, "killed PID %u (%s): no memory for a page that it needs",
                      t->process->pid, t->process->comm);
        process_kill(t->process, SIGKILL);
    } else {
        signal_exception(t, trap);
    }
}

void kernel_trap(struct kernel *k, struct thread *t, const struct trap *trap) {
    kernel_charge(k, t);
    switch (trap->kind) {
    case TRAP_SYSCALL:
        syscall_enter(t);
        if (likely(!t->kill_now))
            syscall_perform(t);
        break;
    case TRAP_EXCEPTION:
        if (!t->kill_now)
            kernel_exception(t, trap);
        break;
    case TRAP_QUANTUM: t->budget = 0; break;
    case TRAP_KICKED: break;
    }
    k->current = NULL;
}

/* ---- up-calls ---- */

enum fault_result kernel_fault(struct kernel *k, struct page_table *table, uint64_t address,
                               unsigned access) {
    struct space *space = space_of_table(k->vm, table);
    for (;;) {
        uint64_t kills = k->summary.oom_kills;
        enum fault_result result = space_fault(space, address, access);
        if (likely(result != FAULT_NO_MEMORY))
            return result;
        bool freed = k->summary.oom_kills != kills; /* perhaps swap only: worth another attempt */
        if (!freed || (k->current && k->current->kill_now))
            return FAULT_KILLED;
    }
}

bool kernel_out_of_memory(struct kernel *k) {
    return oom_choose(k);
}

void kernel_refused_memory(struct kernel *k) {
    condition_note_memory(k, "memory refused");
}

void kernel_io_error(struct kernel *k, struct space *space, int error, const char *what) {
    uint32_t pid = space ? space_pid(space) : 0;
    const struct process *p = pid ? process_find(k, pid) : NULL;
    kernel_report(k, "%s: %s (PID %u, %s)", what, strerror(error < 0 ? -error : error), pid,
                  p ? p->comm : "the machine");
}

/* ---- from outside ---- */

static void kernel_signal_group(struct kernel *k, uint32_t pgid, int signal) {
    struct process *p, *next;
    TAILQ_FOREACH_SAFE(p, &k->processes, of_machine, next)
        if (p->pgid == pgid)
            signal_send_process(p, signal, NULL);
}

void kernel_host_signal(struct kernel *k, int signal) {
    if (signal == SIGINT || signal == SIGTERM) {
        struct timespec time;
        clock_gettime(CLOCK_MONOTONIC, &time);
        uint64_t now = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
        if (k->interrupted_at && now - k->interrupted_at < KERNEL_INTERRUPT_WINDOW)
            k->stop = KERNEL_STOPPED;
        k->interrupted_at = now;
    }
    kernel_typed_signal(k, signal);
}

void kernel_typed_signal(struct kernel *k, int signal) {
    uint32_t group = terminal_foreground(k);
    k->nondeterministic_used |= k->config.deterministic;
    condition_note(k, "signal from outside");
    if (signal == SIGTSTP || signal == SIGCONT)
        k->suspending = signal == SIGTSTP && k->config.resumable;
    const struct process *program = process_first_program(k);
    if (program && !process_group_has_living(k, group))
        group = program->pgid;
    kernel_signal_group(k, group, signal);
    /* The shell outside means the job that it started, whatever is in the foreground in here. */
    if ((signal == SIGHUP || signal == SIGCONT) && program && program->pgid != group)
        kernel_signal_group(k, program->pgid, signal);
}

void kernel_request_stop(struct kernel *k) {
    if (k->stop == KERNEL_RUNNING)
        k->stop = KERNEL_STOPPED;
}

enum kernel_stop kernel_stop_reason(const struct kernel *k) {
    return k->stop;
}

int kernel_exit_status(const struct kernel *k) {
    return k->exit_status;
}
