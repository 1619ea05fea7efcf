/* What a run begins with: the programs, and the labels of its pictures. Kept in the order in which they were
 * added; starting a program is the kernel's business. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "machine/parts.h"

/* Numbers of processes: as many as Linux can be told to have, and room for those that programs make. */
enum { PID_LEAST = 2, PID_MOST = 4194303 };

/* ---- programs ---- */

static uint32_t next_pid(const struct machine *m) {
    uint32_t next = PID_LEAST;
    for (size_t i = 0; i < m->program_count; i++)
        next = max_u32(next, m->programs[i].pid + 1);
    return next;
}

static bool pid_is_taken(const struct machine *m, uint32_t pid) {
    for (size_t i = 0; i < m->program_count; i++)
        if (m->programs[i].pid == pid)
            return true;
    return false;
}

static bool stack_is_possible(const struct machine_program *p) {
    const uint64_t top = p->stack_top ? p->stack_top : USER_END;
    return top <= USER_END && (top & PAGE_MASK) == 0 && p->stack_pages < top >> PAGE_SHIFT;
}

int machine_add_program(struct machine *m, const struct machine_program *program) {
    const uint32_t pid = program->pid ? program->pid : next_pid(m);
    if (pid < PID_LEAST || pid > PID_MOST || !stack_is_possible(program))
        return -EINVAL;
    if (pid_is_taken(m, pid))
        return -EEXIST;
    struct machine_program *grown = reallocarray(m->programs, m->program_count + 1, sizeof *m->programs);
    if (!grown)
        return -ENOMEM;
    m->programs = grown;
    m->programs[m->program_count] = *program;
    m->programs[m->program_count++].pid = pid;
    return 0;
}

static int start_program(struct machine *m, const struct machine_program *p) {
    const struct kernel_program program = {
        .pid = p->pid,
        .file = p->file,
        .argv = p->argv,
        .envp = p->envp,
        .streams = {p->input, p->output, p->error},
        .directory = p->directory,
        .stack = {.top = p->stack_top, .pages = p->stack_pages},
        .terminal = m->terminal,
    };
    return kernel_start(m->kernel, &program);
}

int machine_start_programs(struct machine *m, size_t *ret_failed) {
    for (size_t i = 0; i < m->program_count; i++) {
        int error = start_program(m, &m->programs[i]);
        if (error && ret_failed)
            *ret_failed = i;
        if (error)
            return error;
    }
    return 0;
}

/* ---- labels ---- */

static void free_label(struct machine_label *label) {
    free((char *)label->path);
    free((char *)label->name);
}

/* A copy of a string that need not be there. */
static int copy_string(const char *string, const char **ret_copy) {
    *ret_copy = string ? strdup(string) : NULL;
    return string && !*ret_copy ? -ENOMEM : 0;
}

int machine_add_label(struct machine *m, const struct machine_label *label) {
    struct machine_label *grown = reallocarray(m->labels, m->label_count + 1, sizeof *m->labels);
    if (!grown)
        return -ENOMEM;
    m->labels = grown;
    struct machine_label copy = *label;
    int error = copy_string(label->path, &copy.path);
    copy.name = NULL;
    if (!error)
        error = copy_string(label->name, &copy.name);
    if (error) {
        free_label(&copy);
        return error;
    }
    m->labels[m->label_count++] = copy;
    return 0;
}

static uint64_t emit_string(struct machine *m, const char *string) {
    return string ? trace_string(&m->trace, string, strlen(string)) : 0;
}

void machine_emit_labels(struct machine *m) {
    for (size_t i = 0; i < m->label_count; i++) {
        const struct machine_label *l = &m->labels[i];
        uint64_t path = l->args[0], name = l->args[1];
        if (l->what == EVENT_LABEL_FILE) {
            path = emit_string(m, l->path);
            name = emit_string(m, l->name);
        }
        trace_emit(&m->trace, EVENT_LABEL, l->what, path, name, l->args[2], l->args[3], l->args[4]);
    }
}

void machine_free_programs(struct machine *m) {
    for (size_t i = 0; i < m->label_count; i++)
        free_label(&m->labels[i]);
    free(m->labels);
    free(m->programs);
}
