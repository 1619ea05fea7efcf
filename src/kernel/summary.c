/* The summary of processes and system calls: a record for each process that ended, made when it ends, and one
 * for each that lives, made when somebody asks. */
#include "kernel/summary.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernel/process/thread.h"
#include "kernel/syscall.h"

/* `command` stays the process's. */
static struct process_summary summary_of(const struct process *p) {
    struct process_summary s = {
        .pid = p->pid,
        .parent = p->parent ? p->parent->pid : PID_OF_MACHINE,
        .command = p->command ? p->command : p->comm,
        .wait_status = p->state == PROCESS_ZOMBIE ? p->wait_status : -1,
        .peak_resident = process_peak(p),
        .syscalls = p->syscalls,
    };
    process_get_tally(p, &s.tally);
    return s;
}

void summary_record(struct process *p) {
    struct kernel *k = p->kernel;
    if (k->record_count == k->record_capacity) {
        size_t capacity = k->record_capacity ? 2 * k->record_capacity : 16;
        struct process_summary *grown = inject_realloc(k->config.inject, k->records, capacity, sizeof *grown);
        if (!grown)
            return;
        k->records = grown;
        k->record_capacity = capacity;
    }
    struct process_summary s = summary_of(p);
    s.command = inject_strdup(k->config.inject, s.command);
    if (s.command)
        k->records[k->record_count++] = s;
}

void summary_free(struct kernel *k) {
    for (size_t i = 0; i < k->record_count; i++)
        free((char *)k->records[i].command);
    free(k->records);
    free(k->listed);
    free(k->listed_calls);
}

static int summary_compare(const void *a, const void *b) {
    const struct process_summary *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Records and living processes in order of pids; without memory only the records. */
static void summary_list_processes(struct kernel *k, struct kernel_summary *s) {
    const struct process *p;
    size_t n = k->record_count;
    TAILQ_FOREACH(p, &k->processes, of_machine)
        n += p->state == PROCESS_ALIVE;
    struct process_summary *list = calloc(n + 1, sizeof *list);
    s->processes = list ? list : k->records;
    s->process_count = k->record_count;
    free(k->listed);
    k->listed = list;
    if (!list)
        return;
    for (size_t i = 0; i < k->record_count; i++)
        list[i] = k->records[i];
    TAILQ_FOREACH(p, &k->processes, of_machine)
        if (p->state == PROCESS_ALIVE)
            list[s->process_count++] = summary_of(p);
    qsort(list, s->process_count, sizeof *list, summary_compare);
}

static void summary_list_calls(struct kernel *k, struct kernel_summary *s) {
    free(k->listed_calls);
    k->listed_calls = calloc(SYSCALL_NUMBERS + 1, sizeof *k->listed_calls);
    s->unimplemented = k->listed_calls;
    s->unimplemented_count = 0;
    for (uint64_t i = 0; k->listed_calls && i <= SYSCALL_NUMBERS; i++)
        if (k->unimplemented[i])
            k->listed_calls[s->unimplemented_count++] =
                (struct syscall_summary){.name = syscall_name(i), .count = k->unimplemented[i]};
}

void kernel_get_summary(struct kernel *k, struct kernel_summary *ret_summary) {
    struct engine_counters counters;
    k->engine_ops->get_counters(k->engine, &counters);
    *ret_summary = k->summary;
    ret_summary->instructions = counters.instructions;
    ret_summary->conditions = kernel_conditions(k);
    ret_summary->limits_of_determinism = k->nondeterministic_used;
    summary_list_processes(k, ret_summary);
    summary_list_calls(k, ret_summary);
}
