/* /proc/PID and /proc/PID/task/TID: what is asked for less often than what procfs_process.c shows.
 * Namespaces, control groups and audit sessions are those of a Linux on which nobody uses them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "kernel/process/thread.h"
#include "kernel/procfs/procfs_entry.h"
#include "kernel/schedule/scheduling.h"

enum { OOM_ADJUSTMENT_MAX = 1000, NS_PER_MS = 1000000 };

/* ---- counts ---- */

/* Storage is what faults read and wrote; the calls' bytes may have been anybody's. */
static void show_io(const struct proc_view *v, FILE *out) {
    const struct process_io *io = &v->process->io;
    struct tally tally, children;
    process_get_told_tallies(v->process, &tally, &children);
    uint64_t written = tally.evictions[EVENT_VICTIM_TO_SWAP] + tally.evictions[EVENT_VICTIM_TO_FILE];
    fprintf(out, "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\n", io->read_bytes, io->written_bytes,
            io->read_calls, io->write_calls);
    fprintf(out, "read_bytes: %lu\nwrite_bytes: %lu\ncancelled_write_bytes: 0\n", tally.major * PAGE_SIZE,
            written * PAGE_SIZE);
}

static uint64_t work_of(const struct proc_view *v) {
    if (v->node->tid && v->thread)
        return v->thread->user_instructions;
    return v->process->user_instructions;
}

/* Time on the CPU, time waiting for it (not kept), and turns (not kept). */
static void show_schedstat(const struct proc_view *v, FILE *out) {
    fprintf(out, "%lu 0 0\n", work_of(v));
}

static void show_sched(const struct proc_view *v, FILE *out) {
    unsigned threads = 0;
    struct thread *t;
    TAILQ_FOREACH(t, &v->process->threads, of_process)
        threads++;
    fprintf(out, "%s (%u, #threads: %u)\n", v->process->comm, v->node->tid ? v->node->tid : v->process->pid,
            threads);
    fprintf(out, "-------------------------------------------------------------------\n");
    fprintf(out, "%-45s:%21lu.%06lu\n", "se.sum_exec_runtime", work_of(v) / NS_PER_MS,
            work_of(v) % NS_PER_MS);
    const struct scheduling scheduling = scheduling_of(v->thread);
    fprintf(out, "%-45s:%21d\n", "policy", scheduling.policy);
    fprintf(out, "%-45s:%21d\n", "prio", 100 + scheduling_shown(&scheduling));
}

/* ---- what a thread is doing ---- */

static void show_syscall(const struct proc_view *v, FILE *out) {
    const struct thread *t = v->thread;
    if (!t || !t->in_call || t == v->kernel->current) {
        fprintf(out, "running\n");
        return;
    }
    struct cpu_registers registers;
    v->kernel->engine_ops->get_registers(v->kernel->engine, t->cpu, &registers);
    fprintf(out, "%lu", t->call.number);
    for (unsigned i = 0; i < ARRAY_LENGTH(t->call.args); i++)
        fprintf(out, " 0x%lx", t->call.args[i]);
    fprintf(out, " 0x%lx 0x%lx\n", registers.general[CPU_RSP], registers.rip);
}

/* Where in the kernel it sleeps: ours has no names for that. */
static void show_wchan(const struct proc_view *v, FILE *out) {
    fputc('0', out);
}

static void show_nothing(const struct proc_view *v, FILE *out) {}

static void show_children(const struct proc_view *v, FILE *out) {
    const struct process *child;
    if (!v->thread || v->thread != TAILQ_FIRST(&v->process->threads))
        return;
    TAILQ_FOREACH(child, &v->process->children, sibling)
        fprintf(out, "%u ", child->pid);
}

/* ---- the OOM killer's opinion ---- */

/* Linux's badness: the share of memory and swap that the process takes, of 1000, moved by the adjustment. */
static void show_oom_score(const struct proc_view *v, FILE *out) {
    struct space_counts c = {0};
    struct vm_counts all;
    if (v->process->space)
        space_get_told_counts(v->process->space, &c);
    vm_get_told_counts(v->kernel->vm, &all);
    uint64_t total = all.frames.total - all.frames.reserved + all.swap.pages;
    int64_t points =
        (int64_t)((c.resident + c.swapped) * 1000 / (total ? total : 1)) + v->process->oom_adjustment;
    fprintf(out, "%ld\n", points < 0 ? 0 : points);
}

static void show_oom_adjustment(const struct proc_view *v, FILE *out) {
    fprintf(out, "%d\n", v->process->oom_adjustment);
}

static int number_from(const char *text, size_t length, long *ret_number) {
    char copy[24] = "", *end;
    memcpy(copy, text, min_size(length, sizeof(copy) - 1));
    errno = 0;
    *ret_number = strtol(copy, &end, 0);
    return errno || end == copy || (*end && *end != '\n') ? -EINVAL : 0;
}

static int store_oom_adjustment(const struct proc_view *v, const char *text, size_t length) {
    long number;
    int r = number_from(text, length, &number);
    if (r < 0)
        return r;
    if (number < -OOM_ADJUSTMENT_MAX || number > OOM_ADJUSTMENT_MAX)
        return -EINVAL;
    v->process->oom_adjustment = (int)number;
    return 0;
}

/* ---- identity ---- */

static void show_personality(const struct proc_view *v, FILE *out) {
    fprintf(out, "%08x\n", v->process->personality);
}

static ssize_t link_namespace(struct thread *t, const struct proc_view *v, char *to, size_t size) {
    /* The numbers of the namespaces that Linux starts with (include/uapi/linux/nsfs.h and proc_ns.h). */
    static const struct {
        const char *name, *kind;
        unsigned inode;
    } spaces[] = {
        {"cgroup", "cgroup", 0xEFFFFFFB}, {"ipc", "ipc", 0xEFFFFFFF},
        {"mnt", "mnt", 0xEFFFFFF8},       {"net", "net", 0xEFFFFFF9},
        {"pid", "pid", 0xEFFFFFFC},       {"pid_for_children", "pid", 0xEFFFFFFC},
        {"time", "time", 0xEFFFFFFA},     {"time_for_children", "time", 0xEFFFFFFA},
        {"user", "user", 0xEFFFFFFD},     {"uts", "uts", 0xEFFFFFFE},
    };
    const char *name = v->node->chain[v->node->depth]->name;
    for (size_t i = 0; i < ARRAY_LENGTH(spaces); i++) {
        if (strcmp(spaces[i].name, name) == 0)
            return snprintf(to, size, "%s:[%u]", spaces[i].kind, spaces[i].inode);
    }
    return -ENOENT;
}

#define NAMESPACE(space_name)                                                                                \
    { .name = (space_name), .mode = S_IFLNK | 0777, .link = link_namespace }

static const struct proc_entry namespace_entries[] = {
    NAMESPACE("cgroup"), NAMESPACE("ipc"),
    NAMESPACE("mnt"),    NAMESPACE("net"),
    NAMESPACE("pid"),    NAMESPACE("pid_for_children"),
    NAMESPACE("time"),   NAMESPACE("time_for_children"),
    NAMESPACE("user"),   NAMESPACE("uts"),
    {.name = NULL},
};

#define MORE_ENTRIES_OF_A_TASK                                                                               \
    PROC_TEXT("cgroup", "0::/\n"), PROC_TEXT("gid_map", "         0          0 4294967295\n"),               \
        PROC_COUNTS("io", show_io), PROC_TEXT("loginuid", "4294967295"),                                     \
        PROC_DIRECTORY("net", proc_net_entries), PROC_DIRECTORY("ns", namespace_entries),                    \
        PROC_MEMORY_PAGES("numa_maps", proc_show_numa_maps), PROC_COUNTS("oom_score", show_oom_score),       \
        {.name = "oom_score_adj",                                                                            \
         .mode = S_IFREG | 0644,                                                                             \
         .show = show_oom_adjustment,                                                                        \
         .store = store_oom_adjustment},                                                                     \
        PROC_FILE("personality", show_personality), PROC_FILE("sched", show_sched),                          \
        PROC_FILE("schedstat", show_schedstat), PROC_TEXT("sessionid", "4294967295"),                        \
        PROC_TEXT("setgroups", "allow\n"), PROC_FILE("stack", show_nothing),                                 \
        PROC_FILE("syscall", show_syscall), PROC_TEXT("uid_map", "         0          0 4294967295\n"),      \
        PROC_FILE("wchan", show_wchan)

const struct proc_entry proc_more_process_entries[] = {MORE_ENTRIES_OF_A_TASK,
                                                       PROC_TEXT("coredump_filter", "00000033\n"),
                                                       PROC_TEXT("timerslack_ns", "50000\n"),
                                                       {.name = NULL}};
const struct proc_entry proc_more_task_entries[] = {
    MORE_ENTRIES_OF_A_TASK, PROC_FILE("children", show_children), {.name = NULL}};
