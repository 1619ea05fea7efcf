/* execve: a new program in an old process. Finds what to run (a `#!` line names an interpreter), builds a new
 * address space beside the old one, and only when nothing can fail any more lets the old one go:
 *
 *   open ─► script? its interpreter instead ─► ELF headers ─► new space: stack, segments, strings
 *        ─► (point of no return) other threads end, space changes, handlers and files are reset, registers
 *
 * ELF is elf.c's, the stack's contents stack.c's. Set-user-ID bits have no effect: all guests have the
 * identity of the host process. */
#include "kernel/process/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/futex/futex.h"
#include "kernel/memory/memory.h"
#include "kernel/process/layout.h"
#include "kernel/process/stack.h"
#include "kernel/process/thread.h"
#include "kernel/process/watch.h"
#include "kernel/schedule/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/time/timer.h"

enum {
    EXEC_SCRIPT_DEPTH = 6, /* scripts that are each other's interpreters: one too many, as in Linux */
    EXEC_LINE_MAX = 256,   /* of the `#!` line */
};

/* What is to be run, while scripts are resolved. */
struct exec_plan {
    struct thread *thread;
    struct file *file;
    const char *path; /* as execve was called */
    char **argv;      /* array of our own */
    size_t argc;
    char *owned[2 * EXEC_SCRIPT_DEPTH]; /* strings of argv that came from `#!` lines */
    unsigned owned_count;
    char *const *envp;
};

/* What stands in an empty argv; never written to. */
static char exec_empty[] = "";

static struct inject *exec_inject(const struct exec_plan *plan) {
    return plan->thread->process->kernel->config.inject;
}

static int exec_plan_create(struct exec_plan *plan, struct thread *t, struct file *file, const char *path,
                            char *const argv[], char *const envp[]) {
    *plan = (struct exec_plan){.thread = t, .path = path, .envp = envp};
    while (argv[plan->argc])
        plan->argc++;
    plan->argv = inject_calloc(exec_inject(plan), plan->argc + 2, sizeof *plan->argv);
    if (!plan->argv)
        return -ENOMEM;
    memcpy(plan->argv, argv, plan->argc * sizeof *argv);
    if (plan->argc == 0) /* no program needs to expect an argv without argv[0] */
        plan->argv[plan->argc++] = exec_empty;
    plan->file = file_ref(file);
    return 0;
}

static void exec_plan_free(struct exec_plan *plan) {
    for (unsigned i = 0; i < plan->owned_count; i++)
        free(plan->owned[i]);
    free(plan->argv);
    if (plan->file)
        file_unref(plan->file);
}

/* ---- scripts ---- */

static bool exec_is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* The first byte from `p` up to and with `last` that is not blank, or that ends a word; NULL: none. */
static char *exec_find_word(char *p, const char *last) {
    for (; p <= last; p++)
        if (!exec_is_blank(*p))
            return p;
    return NULL;
}
static char *exec_find_end(char *p, const char *last) {
    for (; p <= last; p++)
        if (exec_is_blank(*p) || !*p)
            return p;
    return NULL;
}

/* Where the `#!` line ends. NULL: the interpreter's name may go on behind what was read. */
static char *exec_line_end(char line[EXEC_LINE_MAX]) {
    char *last = line + EXEC_LINE_MAX - 1, *end = memchr(line, '\n', strnlen(line, EXEC_LINE_MAX));
    if (end)
        return end;
    char *name = exec_find_word(line + 2, last);
    return name && exec_find_end(name, last) ? last : NULL;
}

/* Splits "#! interpreter argument" in place: the argument is the rest of the line. -ENOEXEC when there is no
 * interpreter in it, or its name is cut off. The line is filled up with NULs; what follows one is not looked
 * at, except that the line goes on (Linux 6.18 fs/binfmt_script.c). */
static int exec_parse_line(char line[EXEC_LINE_MAX], char **ret_interpreter, char **ret_argument) {
    char *end = exec_line_end(line);
    *ret_argument = NULL;
    if (!end)
        return -ENOEXEC;
    while (exec_is_blank(end[-1]))
        end--;
    char *name = exec_find_word(line + 2, end);
    if (!name || name == end)
        return -ENOEXEC;
    char *separator = exec_find_end(name, end);
    if (separator && *separator)
        *ret_argument = exec_find_word(separator, end);
    if (*ret_argument == end)
        *ret_argument = NULL;
    *end = '\0';
    if (*ret_argument)
        *separator = '\0';
    *ret_interpreter = name;
    return 0;
}

/* A copy of the string that lives as long as the plan. NULL: no memory. */
static char *exec_own(struct exec_plan *plan, const char *string) {
    char *copy = inject_strdup(exec_inject(plan), string);
    if (copy)
        plan->owned[plan->owned_count++] = copy;
    return copy;
}

/* argv becomes: interpreter, argument if any, path of the script, the old argv without its first. */
static int exec_replace_arguments(struct exec_plan *plan, const char *interpreter, const char *argument,
                                  const char *script) {
    size_t head = argument ? 3 : 2, rest = plan->argc > 0 ? plan->argc - 1 : 0, n = 0;
    char **argv = inject_calloc(exec_inject(plan), head + rest + 1, sizeof *argv);
    if (!argv)
        return -ENOMEM;
    argv[n++] = exec_own(plan, interpreter);
    if (argument)
        argv[n++] = exec_own(plan, argument);
    argv[n++] = (char *)script;
    if (!argv[0] || !argv[1]) {
        free(argv);
        return -ENOMEM;
    }
    if (rest > 0)
        memcpy(argv + n, plan->argv + 1, rest * sizeof *argv);
    free(plan->argv);
    plan->argv = argv;
    plan->argc = n + rest;
    return 0;
}

static int exec_open(struct thread *t, const char *path, struct file **ret_file) {
    int r = file_open(t, AT_FDCWD, path, O_RDONLY, 0, ret_file);
    if (r < 0)
        return r;
    r = file_may_execute(*ret_file);
    if (r < 0)
        file_unref(*ret_file);
    return r;
}

/* One step: 1 when the file was a script and its interpreter takes its place, 0 when it is none. */
static int exec_step_script(struct exec_plan *plan, const char **script) {
    char line[EXEC_LINE_MAX] = {0}, *interpreter, *argument;
    struct file *file;
    ssize_t length = file_read_at(plan->file, line, EXEC_LINE_MAX, 0);
    if (length < 0)
        return (int)length;
    if (length < 2 || line[0] != '#' || line[1] != '!')
        return 0;
    int r = exec_parse_line(line, &interpreter, &argument);
    if (r == 0)
        r = exec_replace_arguments(plan, interpreter, argument, *script);
    if (r == 0) /* Linux opens the folder that no name names */
        r = *plan->argv[0] ? exec_open(plan->thread, plan->argv[0], &file) : -EACCES;
    if (r < 0)
        return r;
    file_unref(plan->file);
    plan->file = file;
    *script = plan->argv[0];
    return 1;
}

static int exec_resolve_scripts(struct exec_plan *plan) {
    const char *script = plan->path;
    for (int depth = 0; depth < EXEC_SCRIPT_DEPTH; depth++) {
        int r = exec_step_script(plan, &script);
        if (r <= 0)
            return r;
    }
    return -ELOOP;
}

/* ---- the new address space ---- */

struct exec_result {
    bool lost; /* segments cannot be mapped: Linux finds that out when the old program is gone */
    struct space *space;
    struct elf_image image;
    struct stack_layout stack;
};

static int exec_fill_space(struct exec_plan *plan, const struct elf_program *program, struct space *space,
                           struct exec_result *result) {
    struct process *p = plan->thread->process;
    struct stack_strings strings = {
        .path = plan->path, .argv = plan->argv, .envp = plan->envp, .place = p->stack};
    uint8_t random[16];
    const struct layout layout = layout_make(p->kernel->config.layout_seed);
    strings.shift = p->stack.top ? 0 : layout.arguments;
    if (!p->stack.top)
        strings.place.top = USER_END - layout.stack;
    memory_set_limits(p, space);
    int r = stack_check_size(&strings, p->limits[RLIMIT_STACK].rlim_cur);
    if (r == 0)
        r = stack_map(space, &strings, elf_wants_executable_stack(program));
    if (r < 0)
        return r;
    result->lost = true;
    r = elf_map(program, space, layout.program, &result->image);
    if (r < 0)
        return r;
    space_set_brk(space, page_round_up(result->image.brk) + layout.heap, result->image.data);
    kernel_random(p->kernel, random, sizeof random);
    r = stack_write(space, &strings, &result->image, random, &result->stack);
    result->lost = r < 0;
    return r;
}

static int exec_build(struct exec_plan *plan, struct exec_result *result) {
    struct process *p = plan->thread->process;
    struct elf_program *program;
    int r = elf_open(plan->thread, plan->file, &program);
    if (r < 0)
        return r;
    r = space_create(p->kernel->vm, p->pid, &result->space);
    if (r < 0)
        goto out_close_program;
    r = exec_fill_space(plan, program, result->space, result);
    if (r < 0) { /* what it has cost stays the process's */
        process_add_tally(&p->tally_before, space_tally(result->space));
        space_unref(result->space);
    }
out_close_program:
    elf_close(program);
    return r;
}

/* ---- the point of no return ---- */

/* The strings joined, each followed by `separator` but the last. malloc'd, NULL without memory. */
static char *exec_join(char *const *strings, char separator, size_t *ret_length) {
    size_t length = 0;
    for (unsigned i = 0; strings[i]; i++)
        length += strlen(strings[i]) + 1;
    char *joined = malloc(length + 1), *p = joined;
    *ret_length = length ? length - 1 : 0;
    if (!joined)
        return NULL;
    *p = '\0';
    for (unsigned i = 0; strings[i]; i++) {
        p = stpcpy(p, strings[i]);
        *p = strings[i + 1] ? separator : '\0';
        p += strings[i + 1] != NULL;
    }
    return joined;
}

static void exec_emit(struct process *p, const struct exec_plan *plan) {
    struct trace *trace = p->kernel->trace;
    size_t length;
    if (!trace || !trace->listening)
        return;
    char *line = exec_join(plan->argv, '\0', &length);
    uint64_t path = trace_string(trace, p->exe ? p->exe : plan->path, strlen(p->exe ? p->exe : plan->path));
    uint64_t command = line ? trace_string(trace, line, length) : 0;
    free(line);
    vm_tell_contents(p->kernel->vm);
    trace_emit(trace, EVENT_PROCESS_EXEC, 0, path, command, space_page_table(p->space)->space, 0, 0);
}

static void exec_name_process(struct process *p, const struct exec_plan *plan) {
    char exe[PATH_MAX];
    size_t length;
    const char *base = strrchr(plan->path, '/');
    char *command = exec_join(plan->argv, ' ', &length);
    snprintf(p->comm, sizeof p->comm, "%s", base ? base + 1 : plan->path);
    memcpy(plan->thread->comm, p->comm, sizeof p->comm);
    free(p->command);
    p->command = command;
    free(p->exe);
    p->exe = file_name(plan->file, exe, sizeof exe) < 0 ? NULL : strdup(exe);
}

static void exec_end_other_threads(struct thread *t) {
    struct thread *other, *next;
    TAILQ_FOREACH_SAFE(other, &t->process->threads, of_process, next)
        if (other != t)
            thread_end(other);
    t->tid = t->process->pid;
}

/* Handlers shared with another process (CLONE_SIGHAND) are left to it. */
static int exec_unshare_actions(struct process *p) {
    if (!signal_actions_are_shared(p->actions))
        return 0;
    struct signal_action *own = signal_actions_create(p->kernel->config.inject, p->actions);
    if (!own)
        return -ENOMEM;
    signal_actions_unref(p->actions);
    p->actions = own;
    return 0;
}

static void exec_reset_process(struct process *p, const struct exec_result *result) {
    const struct stack_layout *stack = &result->stack;
    signal_reset_handlers(p);
    timer_free_all(p);
    descriptors_close_on_exec(p->descriptors);
    p->arg_start = stack->arg_start;
    p->arg_end = stack->arg_end;
    p->env_start = stack->env_start;
    p->env_end = stack->env_end;
    p->stack_start = stack->pointer;
    p->stack = (struct stack_place){0};
    memcpy(p->auxv, stack->auxv, sizeof p->auxv);
    p->auxv_count = stack->auxv_count;
    p->exit_signal = SIGCHLD;
    p->dumpable = 1;
}

static void exec_reset_thread(struct thread *t, const struct exec_result *result) {
    struct kernel *k = t->process->kernel;
    struct cpu_registers r;
    k->engine_ops->cpu_reset(k->engine, t->cpu);
    k->engine_ops->get_registers(k->engine, t->cpu, &r);
    r.rip = result->image.start;
    r.general[CPU_RSP] = result->stack.pointer;
    k->engine_ops->set_registers(k->engine, t->cpu, &r);
    t->altstack_sp = t->altstack_size = 0;
    t->clear_child_tid = t->robust_list = 0;
    t->trap_number = t->trap_error = t->trap_address = 0;
}

/* A table shared with another process (CLONE_FILES) is left to it: ours alone loses what closes on exec. */
static int exec_unshare_files(struct process *p) {
    struct descriptors *own = descriptors_copy(p->descriptors);
    if (!own)
        return -ENOMEM;
    descriptors_unref(p->descriptors);
    p->descriptors = own;
    return 0;
}

static void exec_commit(struct exec_plan *plan, const struct exec_result *result) {
    struct thread *t = plan->thread;
    struct process *p = t->process;
    struct process *child;
    futex_release_robust(t);
    futex_pi_exit(t);
    thread_clear_tid(t);
    exec_end_other_threads(t);
    TAILQ_FOREACH(child, &p->children, sibling)
        child->parent_executed = true;
    process_change_space(p, result->space);
    exec_reset_process(p, result);
    exec_name_process(p, plan);
    exec_reset_thread(t, result);
    exec_emit(p, plan);
    watch_exec(p, plan->file, &result->image);
    process_exec_done(p);
}

/* *ret_lost: it failed, at a point at which Linux has nothing to return to. */
static int exec_perform(struct thread *t, struct file *file, const char *path, char *const argv[],
                        char *const envp[], bool *ret_lost) {
    struct exec_plan plan;
    struct exec_result result = {.lost = false};
    int r = exec_plan_create(&plan, t, file, path, argv, envp);
    if (r == 0)
        r = exec_resolve_scripts(&plan);
    if (r == 0)
        r = exec_build(&plan, &result);
    *ret_lost = result.lost;
    if (r < 0)
        goto out_free_plan;
    r = exec_unshare_files(t->process);
    if (r == 0)
        r = exec_unshare_actions(t->process);
    if (r < 0)
        space_unref(result.space);
    else
        exec_commit(&plan, &result);
out_free_plan:
    exec_plan_free(&plan);
    return r;
}

int exec_file(struct thread *t, struct file *file, const char *path, char *const argv[], char *const envp[]) {
    bool lost;
    int r = exec_perform(t, file, path, argv, envp, &lost);
    if (lost)
        process_kill(t->process, SIGSEGV);
    return r;
}

int exec_program(struct thread *t, const char *path, char *const argv[], char *const envp[]) {
    struct file *file;
    int r = exec_open(t, path, &file);
    if (r < 0)
        return r;
    bool lost;
    r = exec_perform(t, file, path, argv, envp, &lost);
    file_unref(file);
    return r;
}
