/* The programs that the machine starts with: how they come to be processes without a parent that is one.
 *
 * Together they are one job, as a shell would make it of a pipeline: one process group and one session, led
 * by the first of them iff Thimble leads its own. What a process inherits natively they have from Thimble:
 * limits, ignored and blocked signals, working directory, umask, open files. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/files/file.h"
#include "kernel/process/thread.h"
#include "kernel/sandbox/sandbox.h"
#include "kernel/schedule/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/terminal/terminal.h"

static void program_inherit_limits(struct process *p) {
    for (int i = 0; i < RLIM_NLIMITS; i++)
        if (getrlimit((__rlimit_resource_t)i, &p->limits[i]) < 0)
            p->limits[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
}

/* What the caller of Thimble ignores and blocks, as exec would hand it on: nohup must work. */
static void program_inherit_signals(struct thread *t) {
    sigset_t blocked;
    for (int signal = 1; signal <= SIGNAL_COUNT; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            t->process->actions[signal].handler = (uint64_t)(uintptr_t)SIG_IGN;
    }
    if (t->process->kernel->config.unblock_signals)
        return;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int signal = 1; signal <= SIGNAL_COUNT; signal++)
        if (sigismember(&blocked, signal) == 1)
            t->blocked |= signal_bit(signal) & ~SIGNAL_UNBLOCKABLE;
}

/* The first one leads a group or a session iff Thimble does, started by an interactive shell or not: setsid()
 * then succeeds or fails as natively. What it does not lead is the machine's. */
static void program_join_job(struct process *p) {
    const struct process *first = p->kernel->first;
    if (first) {
        p->pgid = first->pgid;
        p->sid = first->sid;
        terminal_inherit(p, first);
        return;
    }
    p->pgid = getpgrp() == getpid() ? p->pid : PID_OF_MACHINE;
    p->sid = getsid(0) == getpid() ? p->pid : PID_OF_MACHINE;
}

static int program_give_files(struct process *p, const struct kernel_program *program) {
    p->descriptors = descriptors_create();
    if (!p->descriptors)
        return -ENOMEM;
    int r = pathfs_create(p->kernel, program->directory, &p->fs);
    return r < 0 ? r : file_inherit(p, program->streams, p->kernel->first);
}

static int program_create(struct kernel *k, const struct kernel_program *program,
                          struct thread **ret_thread) {
    struct process *p;
    int r = process_create(k, NULL, program->pid, &p);
    if (r < 0)
        return r;
    p->is_program = true;
    p->stack = program->stack;
    p->actions = signal_actions_create(k->config.inject, NULL);
    program_inherit_limits(p);
    program_join_job(p);
    r = p->actions ? 0 : -ENOMEM;
    if (r == 0 && !k->first)
        r = terminal_start(p, program->terminal > 0 ? program->terminal : -1);
    if (r == 0)
        r = program_give_files(p, program);
    if (r == 0)
        r = thread_create(p, p->pid, ret_thread);
    if (r < 0) {
        process_abandon(p);
        return r;
    }
    program_inherit_signals(*ret_thread);
    (*ret_thread)->scheduling.nice = getpriority(PRIO_PROCESS, 0); /* as whoever started Thimble has it */
    if (!k->first)
        k->first = p;
    trace_emit(k->trace, EVENT_PROCESS_CREATE, 0, 0, 0, 0, 0, 0);
    return 0;
}

static const char *program_search_path(char *const envp[]) {
    for (; *envp; envp++)
        if (strncmp(*envp, "PATH=", 5) == 0)
            return *envp + 5;
    return "/usr/local/bin:/bin:/usr/bin";
}

/* A sandbox that shows nothing else still shows the program that it is for. */
static int program_exec_at(struct thread *t, const struct kernel_program *program, const char *path) {
    struct sandbox *box = t->process->kernel->sandbox;
    int r = box ? sandbox_admit_program(box, path) : 0;
    return r < 0 ? r : exec_program(t, path, program->argv, program->envp);
}

/* As execvp() does: the first directory of PATH where it can be executed; -EACCES if it was only seen where
 * it cannot. */
static int program_exec(struct thread *t, const struct kernel_program *program) {
    char candidate[PATH_MAX];
    int result = -ENOENT;
    if (strchr(program->file, '/'))
        return program_exec_at(t, program, program->file);
    for (const char *path = program_search_path(program->envp);; path++) {
        int length = (int)strcspn(path, ":");
        int n = snprintf(candidate, sizeof candidate, "%.*s%s%s", length, path, length ? "/" : "./",
                         program->file);
        int r = n < (int)sizeof candidate ? program_exec_at(t, program, candidate) : -ENAMETOOLONG;
        if (r != -ENOENT && r != -ENOTDIR && r != -EACCES && r != -ENAMETOOLONG)
            return r;
        result = r == -EACCES ? -EACCES : result;
        path += length;
        if (!*path)
            return result;
    }
}

int kernel_start(struct kernel *k, const struct kernel_program *program) {
    struct thread *t;
    if (k->trace)
        k->trace->pid = program->pid ? program->pid : k->next_pid;
    int r = program_create(k, program, &t);
    if (r < 0)
        return r;
    k->current = t;
    r = program_exec(t, program);
    k->current = NULL;
    if (r < 0) {
        process_abandon(t->process);
        thread_bury(k);
        return r;
    }
    thread_start(t);
    return 0;
}
