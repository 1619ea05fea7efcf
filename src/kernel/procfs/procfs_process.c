/* /proc/PID and /proc/PID/task/TID: what the machine knows about a process, in Linux's formats (proc(5)). */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/files/path.h"
#include "kernel/process/job_control.h"
#include "kernel/process/thread.h"
#include "kernel/procfs/procfs_entry.h"
#include "kernel/schedule/scheduling.h"
#include "kernel/signal/signal.h"

enum { NS_PER_TICK = 10000000, KIB_PER_PAGE = PAGE_SIZE / 1024 };

static struct space_counts counts_of(const struct process *p) {
    struct space_counts counts = {0};
    if (p->space)
        space_get_told_counts(p->space, &counts);
    return counts;
}

static unsigned count_threads(const struct process *p) {
    unsigned n = 0;
    struct thread *t;
    TAILQ_FOREACH(t, &p->threads, of_process)
        n++;
    return n;
}

static char state_letter(const struct proc_view *v) {
    if (v->process->state == PROCESS_ZOMBIE || !v->thread)
        return 'Z';
    if (v->process->stop_signal)
        return 'T';
    switch (v->thread->state) {
    case THREAD_RUNNABLE: return 'R';
    case THREAD_SLEEPING: return 'S';
    case THREAD_STOPPED: return 'T';
    case THREAD_DEAD: return 'X';
    }
    return 'X';
}

static uint32_t parent_of(const struct process *p) {
    return p->parent ? p->parent->pid : PID_OF_MACHINE;
}

/* ---- user memory as text ---- */

static void copy_memory(const struct proc_view *v, uint64_t start, uint64_t end, FILE *out) {
    char piece[PAGE_SIZE];
    while (v->process->space && start < end) {
        ssize_t n = user_read_some(v->process->space, start, piece, min_u64(end - start, sizeof(piece)));
        if (n <= 0)
            return;
        fwrite(piece, 1, (size_t)n, out);
        start += (uint64_t)n;
    }
}

static void show_cmdline(const struct proc_view *v, FILE *out) {
    copy_memory(v, v->process->arg_start, v->process->arg_end, out);
}

static void show_environ(const struct proc_view *v, FILE *out) {
    copy_memory(v, v->process->env_start, v->process->env_end, out);
}

static void show_auxv(const struct proc_view *v, FILE *out) {
    fwrite(v->process->auxv, sizeof(uint64_t), v->process->auxv_count, out);
}

static void show_comm(const struct proc_view *v, FILE *out) {
    fprintf(out, "%s\n", v->process->comm);
}

static int store_comm(const struct proc_view *v, const char *text, size_t length) {
    char *comm = v->process->comm;
    size_t n = min_size(length, sizeof(v->process->comm) - 1);
    memcpy(comm, text, n);
    comm[n] = '\0';
    comm[strcspn(comm, "\n")] = '\0';
    return 0;
}

/* ---- numbers ---- */

static void show_stat(const struct proc_view *v, FILE *out) {
    const struct process *p = v->process;
    struct space_counts counts = counts_of(p);
    struct tally own, children;
    uint64_t user = p->user_instructions / NS_PER_TICK, waited = p->children_instructions / NS_PER_TICK;
    uint32_t id = v->node->tid ? v->node->tid : v->node->pid;
    const struct scheduling scheduling = scheduling_of(v->thread);
    int foreground;
    process_get_told_tallies(p, &own, &children);
    unsigned terminal = terminal_of_process(p, &foreground);
    fprintf(out, "%u (%s) %c %u %u %u %u %d 0 ", id, p->comm, state_letter(v), parent_of(p), p->pgid, p->sid,
            terminal, foreground);
    fprintf(out, "%lu %lu %lu %lu %lu 0 %lu 0 ", own.minor, children.minor, own.major, children.major, user,
            waited);
    fprintf(out, "%d %d %u 0 %lu %lu %lu %lu ", scheduling_shown(&scheduling), scheduling.nice,
            count_threads(p), (p->start_time - v->kernel->boot) / NS_PER_TICK, counts.mapped * PAGE_SIZE,
            counts.resident, p->limits[RLIMIT_RSS].rlim_cur);
    fprintf(out, "0 0 %lu 0 0 ", p->stack_start); /* code addresses and registers are not shown */
    fprintf(out, "0 0 0 0 0 0 0 %d 0 0 0 0 0 0 ", p->exit_signal);
    fprintf(out, "0 0 0 %lu %lu %lu %lu %d\n", p->arg_start, p->arg_end, p->env_start, p->env_end,
            p->state == PROCESS_ZOMBIE ? p->wait_status : 0);
}

static void show_statm(const struct proc_view *v, FILE *out) {
    struct space_counts c = counts_of(v->process);
    fprintf(out, "%lu %lu %lu %lu 0 %lu 0\n", c.mapped, c.resident, c.resident_file + c.resident_shared,
            c.exec, c.data + c.stack);
}

static void show_kib(FILE *out, const char *name, uint64_t pages) {
    fprintf(out, "%s:\t%8lu kB\n", name, pages * KIB_PER_PAGE);
}

static void show_status_memory(const struct proc_view *v, FILE *out) {
    if (!v->process->space)
        return;
    struct space_counts c = counts_of(v->process);
    uint64_t shared = c.resident_file + c.resident_shared;
    show_kib(out, "VmPeak", c.mapped);
    show_kib(out, "VmSize", c.mapped);
    show_kib(out, "VmLck", c.locked);
    show_kib(out, "VmPin", 0);
    show_kib(out, "VmHWM", c.resident_peak);
    show_kib(out, "VmRSS", c.resident);
    show_kib(out, "RssAnon", c.resident > shared ? c.resident - shared : 0);
    show_kib(out, "RssFile", c.resident_file);
    show_kib(out, "RssShmem", c.resident_shared);
    show_kib(out, "VmData", c.data);
    show_kib(out, "VmStk", c.stack);
    show_kib(out, "VmExe", c.exec);
    show_kib(out, "VmLib", 0);
    show_kib(out, "VmPTE",
             vm_tells_truth(v->kernel->vm) ? space_page_table_bytes(v->process->space) / PAGE_SIZE : 0);
    show_kib(out, "VmSwap", c.swapped);
}

static void show_status_signals(const struct proc_view *v, FILE *out) {
    uint64_t ignored = 0, caught = 0;
    for (int s = 1; s <= SIGNAL_COUNT; s++) {
        uint64_t handler = v->process->actions[s].handler;
        ignored |= handler == (uint64_t)(uintptr_t)SIG_IGN ? signal_bit(s) : 0;
        caught |= handler > (uint64_t)(uintptr_t)SIG_IGN ? signal_bit(s) : 0;
    }
    fprintf(out, "Threads:\t%u\nSigQ:\t%lu/%lu\n", count_threads(v->process), v->kernel->queued_signals,
            v->process->limits[RLIMIT_SIGPENDING].rlim_cur);
    fprintf(out, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", v->thread ? v->thread->signals.pending : 0,
            v->process->signals.pending);
    fprintf(out, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", v->thread ? v->thread->blocked : 0,
            ignored, caught);
}

static void show_status_ids(const struct proc_view *v, FILE *out) {
    uid_t user = getuid(), effective = geteuid();
    gid_t group = getgid(), effective_group = getegid(), groups[64];
    fprintf(out, "Uid:\t%u\t%u\t%u\t%u\n", user, effective, effective, effective);
    fprintf(out, "Gid:\t%u\t%u\t%u\t%u\n", group, effective_group, effective_group, effective_group);
    int n = getgroups(ARRAY_LENGTH(groups), groups);
    fprintf(out, "FDSize:\t%d\nGroups:\t", v->process->descriptors ? descriptors_capacity(v->process) : 0);
    for (int i = 0; i < n; i++)
        fprintf(out, "%u ", groups[i]);
    fputc('\n', out);
}

/* The host process's: programs have its rights. */
static void show_status_capabilities(FILE *out) {
    char line[256];
    FILE *host = fopen("/proc/self/status", "re");
    while (host && fgets(line, sizeof(line), host)) {
        if (strncmp(line, "Cap", 3) == 0)
            fputs(line, out);
    }
    if (host)
        fclose(host);
}

static void show_status(const struct proc_view *v, FILE *out) {
    static const struct {
        char letter;
        const char *name;
    } states[] = {{'R', "running"}, {'S', "sleeping"}, {'T', "stopped"}, {'Z', "zombie"}, {'X', "dead"}};
    const struct process *p = v->process;
    char state = state_letter(v);
    fprintf(out, "Name:\t%s\n", p->comm);
    if (p->fs)
        fprintf(out, "Umask:\t%04o\n", p->fs->umask);
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++) {
        if (states[i].letter == state)
            fprintf(out, "State:\t%c (%s)\n", state, states[i].name);
    }
    fprintf(out, "Tgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\n", p->pid,
            v->node->tid ? v->node->tid : v->node->pid, parent_of(p));
    show_status_ids(v, out);
    fprintf(out, "NStgid:\t%u\nNSpid:\t%u\nNSpgid:\t%u\nNSsid:\t%u\nKthread:\t0\n", p->pid,
            v->node->tid ? v->node->tid : v->node->pid, p->pgid, p->sid);
    show_status_memory(v, out);
    show_status_signals(v, out);
    show_status_capabilities(out);
    fprintf(out,
            "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n"
            "Mems_allowed:\t1\nMems_allowed_list:\t0\n",
            p->no_new_privs);
}

static void show_limits(const struct proc_view *v, FILE *out) {
    static const struct {
        int limit;
        const char *name, *unit;
    } rows[] = {
        {RLIMIT_CPU, "Max cpu time", "seconds"},
        {RLIMIT_FSIZE, "Max file size", "bytes"},
        {RLIMIT_DATA, "Max data size", "bytes"},
        {RLIMIT_STACK, "Max stack size", "bytes"},
        {RLIMIT_CORE, "Max core file size", "bytes"},
        {RLIMIT_RSS, "Max resident set", "bytes"},
        {RLIMIT_NPROC, "Max processes", "processes"},
        {RLIMIT_NOFILE, "Max open files", "files"},
        {RLIMIT_MEMLOCK, "Max locked memory", "bytes"},
        {RLIMIT_AS, "Max address space", "bytes"},
        {RLIMIT_LOCKS, "Max file locks", "locks"},
        {RLIMIT_SIGPENDING, "Max pending signals", "signals"},
        {RLIMIT_MSGQUEUE, "Max msgqueue size", "bytes"},
        {RLIMIT_NICE, "Max nice priority", ""},
        {RLIMIT_RTPRIO, "Max realtime priority", ""},
        {RLIMIT_RTTIME, "Max realtime timeout", "us"},
    };
    fprintf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct rlimit *limit = &v->process->limits[rows[i].limit];
        char soft[24] = "unlimited", hard[24] = "unlimited";
        if (limit->rlim_cur != RLIM_INFINITY)
            snprintf(soft, sizeof(soft), "%lu", limit->rlim_cur);
        if (limit->rlim_max != RLIM_INFINITY)
            snprintf(hard, sizeof(hard), "%lu", limit->rlim_max);
        fprintf(out, "%-25s %-20s %-20s %-10s\n", rows[i].name, soft, hard, rows[i].unit);
    }
}

static void show_fdinfo(const struct proc_view *v, FILE *out) {
    struct file *f = descriptor_file(v->process, v->node->fd);
    if (!f)
        return;
    int64_t position = f->ops->seek && !(f->flags & O_PATH) ? f->ops->seek(f, 0, SEEK_CUR) : 0;
    fprintf(out, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t0\n", position < 0 ? 0 : position, f->flags);
}

/* ---- links ---- */

static ssize_t link_text(const char *text, char *to, size_t size) {
    size_t n = min_size(strlen(text), size);
    memcpy(to, text, n);
    return (ssize_t)n;
}

static ssize_t link_exe(struct thread *t, const struct proc_view *v, char *to, size_t size) {
    return v->process->exe ? link_text(v->process->exe, to, size) : -ENOENT;
}

static ssize_t link_cwd(struct thread *t, const struct proc_view *v, char *to, size_t size) {
    ssize_t n = v->process->fs ? pathfs_name(v->kernel, v->process->fs, to, size) : -ENOENT;
    return n < 0 ? n : n - 1;
}

static ssize_t link_root(struct thread *t, const struct proc_view *v, char *to, size_t size) {
    return link_text("/", to, size);
}

/* ---- tables ---- */

/* The file systems are the host's: so is the list of them. A sandbox is one, as far
 * as anybody inside knows. */
static void show_mounts(const struct proc_view *v, FILE *out) {
    if (v->kernel->sandbox) {
        fprintf(out, "sandbox / overlay rw 0 0\nproc /proc proc rw 0 0\n");
        return;
    }
    proc_copy_host("/proc/self/mounts", out);
}

static void show_mountinfo(const struct proc_view *v, FILE *out) {
    if (v->kernel->sandbox) {
        fprintf(out, "1 0 0:1 / / rw - overlay sandbox rw\n2 1 0:2 / /proc rw - proc proc rw\n");
        return;
    }
    proc_copy_host("/proc/self/mountinfo", out);
}

static const struct proc_entry descriptor_link = {.mode = S_IFLNK | 0700};
static const struct proc_entry descriptor_info = {.mode = S_IFREG | 0444, .show = show_fdinfo};
static const struct proc_entry task_directory = {
    .mode = S_IFDIR | 0555, .children = proc_task_entries, .more = proc_more_task_entries};

#define PROC_LINK(link_name, reader)                                                                         \
    { .name = (link_name), .mode = S_IFLNK | 0777, .link = (reader) }

#define ENTRIES_OF_A_TASK                                                                                    \
    PROC_MEMORY_FILE("auxv", 0444, show_auxv), PROC_FILE("cmdline", show_cmdline),                           \
        {.name = "comm", .mode = S_IFREG | 0644, .show = show_comm, .store = store_comm},                    \
        PROC_LINK("cwd", link_cwd), PROC_MEMORY_FILE("environ", 0444, show_environ),                         \
        PROC_LINK("exe", link_exe),                                                                          \
        {.name = "fd", .mode = S_IFDIR | 0500, .numbers = PROC_DESCRIPTORS, .number = &descriptor_link},     \
        {.name = "fdinfo", .mode = S_IFDIR | 0500, .numbers = PROC_DESCRIPTORS, .number = &descriptor_info}, \
        PROC_FILE("limits", show_limits), PROC_MEMORY_FILE("maps", 0444, proc_show_maps),                    \
        {.name = "mem", .mode = S_IFREG | 0600, .inspects = true, .ops = &proc_memory_ops},                  \
        PROC_FILE("mountinfo", show_mountinfo), PROC_FILE("mounts", show_mounts),                            \
        {.name = "pagemap",                                                                                  \
         .mode = S_IFREG | 0400,                                                                             \
         .inspects = true,                                                                                   \
         .tells = PROC_TELLS_PAGES,                                                                          \
         .ops = &proc_pagemap_ops},                                                                          \
        PROC_LINK("root", link_root), PROC_MEMORY_PAGES("smaps", proc_show_smaps),                           \
        PROC_MEMORY_PAGES("smaps_rollup", proc_show_smaps_rollup), PROC_COUNTS("stat", show_stat),           \
        PROC_COUNTS("statm", show_statm), PROC_COUNTS("status", show_status)

const struct proc_entry proc_task_entries[] = {ENTRIES_OF_A_TASK, {.name = NULL}};

const struct proc_entry proc_process_entries[] = {
    ENTRIES_OF_A_TASK,
    {.name = "task", .mode = S_IFDIR | 0555, .numbers = PROC_TIDS, .number = &task_directory},
    {.name = NULL}};
