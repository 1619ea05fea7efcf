/* Processes: creation, death, zombies, orphans, process groups, and what each did. How a program gets into a
 * process is exec.c's, how one is copied sys_process.c's, who is told of its death signal.c's.
 *
 *   process_create ─► alive ─ process_kill ─► dying ─ last thread_end ─► process_end ─┬─► zombie
 *                                                                                     │   process_reap
 *                                                            freed: nobody will ask ◄─┴──────┘
 *
 * Invariants: a process is on kernel.processes until it is freed; a zombie has neither threads nor space nor
 * files; the children of a process that ended belong to a sub-reaper above it, or to the machine (parent
 * NULL). */
#include <assert.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/files/file.h"
#include "kernel/process/identity.h"
#include "kernel/process/job_control.h"
#include "kernel/process/thread.h"
#include "kernel/sandbox/limits.h"
#include "kernel/schedule/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/summary.h"
#include "kernel/sysv/sysv.h"
#include "kernel/time/timer.h"

int process_create(struct kernel *k, struct process *parent, uint32_t pid, struct process **ret_process) {
    if (!limits_allow_task(k, k->process_count))
        return -EAGAIN;
    struct process *p = inject_calloc(k->config.inject, 1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->kernel = k;
    p->parent = parent;
    p->pid = pid ? pid : k->next_pid;
    k->next_pid = max_u32(k->next_pid, p->pid + 1);
    p->pgid = parent ? parent->pgid : p->pid;
    p->sid = parent ? parent->sid : PID_OF_MACHINE;
    p->exit_signal = SIGCHLD;
    p->dumpable = 1;
    p->start_time = clock_now(k);
    TAILQ_INIT(&p->children);
    TAILQ_INIT(&p->threads);
    LIST_INIT(&p->sem_undos);
    signal_state_init(&p->signals, k);
    TAILQ_INSERT_TAIL(&k->processes, p, of_machine);
    k->process_count++;
    k->summary.tasks_peak = (uint32_t)max_u64(k->summary.tasks_peak, k->process_count);
    if (parent)
        TAILQ_INSERT_TAIL(&parent->children, p, sibling);
    *ret_process = p;
    return 0;
}

struct process *process_find(struct kernel *k, uint32_t pid) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine)
        if (p->pid == pid)
            return p;
    return NULL;
}

struct process *process_first_program(struct kernel *k) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine)
        if (p->is_program)
            return p;
    return NULL;
}

static void process_free(struct process *p) {
    struct kernel *k = p->kernel;
    assert(TAILQ_EMPTY(&p->threads) && TAILQ_EMPTY(&p->children));
    if (p->parent)
        TAILQ_REMOVE(&p->parent->children, p, sibling);
    TAILQ_REMOVE(&k->processes, p, of_machine);
    k->process_count--;
    if (k->first == p)
        k->first = NULL;
    terminal_forget(p);
    signal_state_clear(&p->signals);
    if (p->actions)
        signal_actions_unref(p->actions);
    free(p->exe);
    free(p->command);
    free(p);
}

/* ---- address space and figures ---- */

void process_add_tally(struct tally *to, const struct tally *t) {
    for (int i = 0; i < EVENT_FAULT_KINDS; i++)
        to->faults[i] += t->faults[i];
    for (int i = 0; i < 3; i++)
        to->evictions[i] += t->evictions[i];
    to->major += t->major;
    to->minor += t->minor;
    to->misses += t->misses;
    to->refaults += t->refaults;
    to->swap_in += t->swap_in;
    to->swap_out += t->swap_out;
}

void process_get_tally(const struct process *p, struct tally *ret_tally) {
    *ret_tally = p->tally_before;
    if (p->space && !p->borrows_space)
        process_add_tally(ret_tally, space_tally(p->space));
}

void process_get_told_tallies(const struct process *p, struct tally *ret_own, struct tally *ret_children) {
    *ret_own = *ret_children = (struct tally){0};
    if (!vm_tells_truth(p->kernel->vm))
        return;
    process_get_tally(p, ret_own);
    *ret_children = p->children_tally;
}

uint64_t process_peak(const struct process *p) {
    struct space_counts counts = {0};
    if (p->space && !p->borrows_space)
        space_get_counts(p->space, &counts);
    return max_u64(p->peak_before, counts.resident_peak);
}

void process_change_space(struct process *p, struct space *space) {
    struct kernel *k = p->kernel;
    struct tally so_far;
    process_get_tally(p, &so_far);
    p->peak_before = process_peak(p);
    p->tally_before = so_far;
    if (p->space) {
        if (k->loaded == space_page_table(p->space))
            k->loaded = NULL;
        space_unref(p->space);
    }
    p->space = space;
    p->borrows_space = false;
}

/* Its parent, which lent it the address space and sleeps in vfork(), may go on. */
static void process_release_vfork(struct process *p) {
    if (!p->vfork_waiting)
        return;
    p->vfork_waiting = false;
    sched_wake(p->kernel, p);
}

static void process_drop_files(struct process *p) {
    if (p->descriptors)
        descriptors_unref(p->descriptors);
    if (p->fs)
        pathfs_unref(p->fs);
    p->descriptors = NULL;
    p->fs = NULL;
}

void process_abandon(struct process *p) {
    struct thread *t;
    while ((t = TAILQ_FIRST(&p->threads))) {
        TAILQ_REMOVE(&p->threads, t, of_process);
        TAILQ_REMOVE(&p->kernel->threads, t, of_machine);
        p->kernel->thread_count--;
        t->state = THREAD_DEAD;
        TAILQ_INSERT_TAIL(&p->kernel->graveyard, t, of_queue);
    }
    process_drop_files(p);
    if (p->space)
        space_unref(p->space);
    p->space = NULL;
    process_free(p);
}

/* ---- process groups ---- */

bool process_group_exists(struct kernel *k, uint32_t pgid, uint32_t sid) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine)
        if (p->pgid == pgid && p->sid == sid)
            return true;
    return false;
}

bool process_group_has_living(struct kernel *k, uint32_t pgid) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine)
        if (p->pgid == pgid && p->state == PROCESS_ALIVE)
            return true;
    return false;
}

bool process_group_is_orphaned(struct kernel *k, uint32_t pgid, const struct process *without) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine) {
        if (p->pgid != pgid || p == without || p->state == PROCESS_ZOMBIE)
            continue;
        if (p->is_program && k->config.resumable) /* its parent is who started Thimble */
            return false;
        if (!p->parent)
            continue;
        if (p->parent->pgid != pgid && p->parent->sid == p->sid)
            return false;
    }
    return true;
}

static bool process_group_has_stopped(struct kernel *k, uint32_t pgid) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine)
        if (p->pgid == pgid && p->stop_signal)
            return true;
    return false;
}

/* POSIX: a group that has become orphaned with stopped members is hung up and continued. */
static void process_hang_up_orphans(struct kernel *k, uint32_t pgid) {
    struct process *p, *next;
    if (!process_group_is_orphaned(k, pgid, NULL) || !process_group_has_stopped(k, pgid))
        return;
    TAILQ_FOREACH_SAFE(p, &k->processes, of_machine, next) {
        if (p->pgid != pgid)
            continue;
        signal_send_process(p, SIGHUP, NULL);
        signal_send_process(p, SIGCONT, NULL);
    }
}

/* ---- death ---- */

void process_kill(struct process *p, int wait_status) {
    struct thread *t;
    if (p->dying || p->state == PROCESS_ZOMBIE)
        return;
    p->dying = true;
    p->wait_status = wait_status;
    p->stop_signal = 0;
    TAILQ_FOREACH(t, &p->threads, of_process) {
        t->kill_now = true;
        sched_make_runnable(t);
    }
}

void process_end_threads(struct process *p) {
    struct thread *t, *next;
    TAILQ_FOREACH_SAFE(t, &p->threads, of_process, next)
        thread_end(t); /* the last one frees p, perhaps, when there is no next */
}

/* Whether the parent has said that it does not want to know. */
static bool process_dies_silently(const struct process *p) {
    if (!p->parent)
        return true;
    const struct signal_action *action = &p->parent->actions[SIGCHLD];
    return p->exit_signal == SIGCHLD &&
           (action->handler == (uint64_t)(uintptr_t)SIG_IGN || (action->flags & SA_NOCLDWAIT));
}

static void process_tell_parent(struct process *p) {
    int killed_by = WTERMSIG(p->wait_status), signal = p->parent_executed ? SIGCHLD : p->exit_signal;
    bool silent = process_dies_silently(p);
    if (silent && p->parent && p->parent->actions[SIGCHLD].handler == (uint64_t)(uintptr_t)SIG_IGN)
        signal = 0; /* not even if it is blocked */
    if (killed_by)
        signal_notify_parent(p, signal, CLD_KILLED, killed_by);
    else
        signal_notify_parent(p, signal, CLD_EXITED, WEXITSTATUS(p->wait_status));
    if (silent)
        process_free(p);
}

static struct process *process_reaper(const struct process *p) {
    struct process *above = p->parent;
    while (above && (!above->child_subreaper || above->dying))
        above = above->parent;
    return above;
}

/* PR_SET_PDEATHSIG: the thread that made the child is gone. */
static void process_tell_death_of_parent(struct process *child) {
    siginfo_t info = {.si_code = SI_USER};
    info.si_pid = child->parent ? (pid_t)child->parent->pid : 0;
    info.si_uid = getuid();
    const struct thread *t;
    TAILQ_FOREACH(t, &child->threads, of_process)
        if (t->pdeathsig)
            signal_send_process(child, t->pdeathsig, &info);
}

static uint32_t process_first_tid(const struct process *p) {
    const struct thread *t = p ? TAILQ_FIRST(&p->threads) : NULL;
    return t ? t->tid : 0;
}

void process_thread_ended(struct process *p, uint32_t tid) {
    struct process *child;
    TAILQ_FOREACH(child, &p->children, sibling) {
        if (child->parent_tid != tid)
            continue;
        child->parent_tid = process_first_tid(p);
        process_tell_death_of_parent(child);
    }
}

static void process_adopt(struct process *child, struct process *reaper) {
    process_tell_death_of_parent(child);
    TAILQ_REMOVE(&child->parent->children, child, sibling);
    child->parent = reaper;
    child->parent_tid = process_first_tid(reaper);
    child->exit_signal = SIGCHLD;
    if (reaper)
        TAILQ_INSERT_TAIL(&reaper->children, child, sibling);
    if (child->state != PROCESS_ALIVE)
        process_tell_parent(child);
}

static void process_give_away_children(struct process *p) {
    struct process *child, *next, *reaper = process_reaper(p);
    TAILQ_FOREACH_SAFE(child, &p->children, sibling, next) {
        uint32_t group = child->pgid;
        bool linked = group != p->pgid && child->sid == p->sid;
        process_adopt(child, reaper);
        if (linked)
            process_hang_up_orphans(p->kernel, group);
    }
}

void process_end(struct process *p) {
    struct kernel *k = p->kernel;
    uint32_t traced = k->trace ? k->trace->pid : 0, group = p->pgid;
    bool linked = p->parent && p->parent->pgid != group && p->parent->sid == p->sid;
    if (k->trace)
        k->trace->pid = p->pid;
    if (!p->dying) /* its last thread ended by exit(), not exit_group() */
        p->wait_status = p->exit_of_last;
    timer_free_all(p);
    sysv_process_end(p);
    process_drop_files(p);
    terminal_leave(p, true);
    process_change_space(p, NULL);
    p->state = PROCESS_ZOMBIE;
    sched_wake(k, p); /* who has a descriptor of it */
    trace_emit(k->trace, EVENT_PROCESS_EXIT, 0, (uint64_t)p->wait_status, 0, 0, 0, 0);
    summary_record(p);
    process_release_vfork(p);
    sched_wake(k, p); /* who polls a descriptor for it */
    process_give_away_children(p);
    signal_state_clear(&p->signals);
    if (p == k->first)
        k->exit_status = p->wait_status;
    process_tell_parent(p);
    if (linked)
        process_hang_up_orphans(k, group);
    if (k->trace)
        k->trace->pid = traced;
}

void process_exec_done(struct process *p) {
    p->exec_done = true;
    process_release_vfork(p);
}

void process_reap(struct process *p) {
    struct process *parent = p->parent;
    assert(p->state == PROCESS_ZOMBIE && parent);
    process_add_tally(&parent->children_tally, &p->tally_before);
    process_add_tally(&parent->children_tally, &p->children_tally);
    parent->children_instructions += p->user_instructions + p->children_instructions;
    parent->children_switches.voluntary += p->switches.voluntary + p->children_switches.voluntary;
    parent->children_switches.forced += p->switches.forced + p->children_switches.forced;
    parent->children_peak = max_u64(parent->children_peak, max_u64(p->peak_before, p->children_peak));
    process_free(p);
}

bool process_may_inspect(const struct process *p, const struct process *other) {
    return p == other || other->dumpable == 1 || identity_capable(CAP_SYS_PTRACE);
}
