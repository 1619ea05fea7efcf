/* The main loop: choose a thread, let the engine run it in user mode, let the kernel handle the trap. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "machine/parts.h"

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pass_host_signals_on(struct machine *m) {
    bool typed;
    for (int signal; (signal = host_signals_take(m->signals, &typed)) != 0;) {
        if (m->config.take_signal && m->config.take_signal(m->config.context, signal))
            continue;
        if (signal != SIGTSTP && signal != SIGCONT)
            m->host_signal = signal;
        if (typed)
            kernel_typed_signal(m->kernel, signal);
        else
            kernel_host_signal(m->kernel, signal);
    }
}

/* No thread could be had, and yet the machine goes on. */
static void attend(struct machine *m) {
    const int stopped_by = kernel_take_suspension(m->kernel);
    if (stopped_by)
        host_signals_suspend(stopped_by);
    host_signals_quiet(m->signals);
}

static void run_thread(struct machine *m, struct thread *thread) {
    struct trap trap = {0};
    vm_runs(m->vm, kernel_thread_table(thread));
    m->engine_ops->run(m->engine, kernel_thread_cpu(thread), kernel_thread_table(thread),
                       kernel_thread_budget(thread), &trap);
    machine_count_instructions(m);
    kernel_trap(m->kernel, thread, &trap);
    machine_check_paced(m, false);
}

static void run_threads(struct machine *m) {
    while (!m->failure) {
        pass_host_signals_on(m);
        if (atomic_load_explicit(&m->stopped, memory_order_relaxed))
            kernel_request_stop(m->kernel);
        struct thread *thread = kernel_next_thread(m->kernel);
        if (thread)
            run_thread(m, thread);
        else if (kernel_stop_reason(m->kernel) == KERNEL_RUNNING)
            attend(m);
        else
            return;
    }
}

/* What the machine owes the outside world when it ends, however it ends: dirty pages of shared files. */
static void write_files_back(struct machine *m) {
    int error = vm_sync(m->vm);
    if (!error)
        return;
    char line[128];
    snprintf(line, sizeof line, "pages of a shared file could not be written back: %s", strerror(-error));
    m->config.report(m->config.context, line);
}

/* The geometry comes before everything else that happens, and how it is to be named. */
static void announce_start(struct machine *m) {
    struct machine_geometry g;
    machine_get_geometry(m, &g);
    uint64_t format = trace_string(&m->trace, g.page_table, strlen(g.page_table));
    uint64_t policy = trace_string(&m->trace, g.policy, strlen(g.policy));
    trace_emit(&m->trace, EVENT_MACHINE_START, 0, g.frames, g.reserved, g.swap_pages, format, policy);
    machine_emit_labels(m);
}

/* The last event: what is taken down afterwards is nobody's business. */
static void announce_stop(struct machine *m) {
    bool early = kernel_stop_reason(m->kernel) != KERNEL_FINISHED;
    m->trace.pid = 0;
    vm_tell_contents(m->vm);
    trace_emit(&m->trace, EVENT_MACHINE_STOP, 0, (uint64_t)kernel_exit_status(m->kernel), early, 0, 0, 0);
    while (m->trace.sinks)
        trace_remove_sink(&m->trace, m->trace.sinks);
}

int machine_run_programs(struct machine *m, size_t *ret_failed) {
    double start = seconds_now();
    announce_start(m);
    int error = machine_start_programs(m, ret_failed);
    /* Installed only now, so that the first process inherits what the caller ignores. */
    if (!error)
        error = host_signals_install(m->signals, m->engine_ops, m->engine, m->config.keep_host_signals);
    if (!error)
        run_threads(m);
    write_files_back(m);
    if (m->config.check && !m->failure)
        machine_check_now(m, false);
    announce_stop(m);
    m->wall_seconds = seconds_now() - start;
    return m->failure ? m->failure : error;
}

int machine_run(struct machine *m, const char *program, char *const argv[], char *const envp[]) {
    const struct machine_program only = {
        .file = program, .argv = argv, .envp = envp, .input = 0, .output = 1, .error = 2};
    int error = machine_add_program(m, &only);
    return error ? error : machine_run_programs(m, NULL);
}
