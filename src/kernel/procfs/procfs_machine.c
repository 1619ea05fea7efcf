/* /proc outside the processes: the machine's memory, swap, clock, CPU and devices. The settings in /proc/sys
 * are in procfs_sys.c, the network in procfs_net.c. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/base.h"
#include "kernel/files/lock.h"
#include "kernel/procfs/procfs_entry.h"

enum { NS = 1000000000, NS_PER_TICK = 10000000, KIB_PER_PAGE = PAGE_SIZE / 1024 };

static struct vm_counts counts_of(const struct proc_view *v) {
    struct vm_counts counts;
    vm_get_told_counts(v->kernel->vm, &counts);
    return counts;
}

/* ---- memory ---- */

static void show_kib(FILE *out, const char *name, uint64_t pages) {
    char label[32];
    snprintf(label, sizeof(label), "%s:", name);
    fprintf(out, "%-15s %8lu kB\n", label, pages * KIB_PER_PAGE);
}

static void show_meminfo(const struct proc_view *v, FILE *out) {
    const struct vm_counts c = counts_of(v);
    const struct vm_frame_counts *f = &c.frames;
    struct vm_usage u;
    vm_get_told_usage(v->kernel->vm, &u);
    uint64_t total = f->total - f->reserved, files = f->page_cache - u.shared_memory;
    uint64_t anonymous = f->anonymous + u.shared_memory;
    const struct {
        const char *name;
        uint64_t pages;
    } rows[] = {
        {"MemTotal", total},
        {"MemFree", f->free},
        {"MemAvailable", f->free + files},
        {"Buffers", 0},
        {"Cached", f->page_cache},
        {"SwapCached", u.swap_cached},
        {"Active", u.active_anonymous + u.active_file},
        {"Inactive", anonymous + files - u.active_anonymous - u.active_file},
        {"Active(anon)", u.active_anonymous},
        {"Inactive(anon)", anonymous - u.active_anonymous},
        {"Active(file)", u.active_file},
        {"Inactive(file)", files - u.active_file},
        {"Unevictable", 0},
        {"Mlocked", 0},
        {"SwapTotal", c.swap.pages},
        {"SwapFree", c.swap.pages - c.swap.used},
        {"Dirty", u.dirty},
        {"Writeback", 0},
        {"AnonPages", f->anonymous},
        {"Mapped", u.mapped},
        {"Shmem", u.shared_memory},
        {"KReclaimable", 0},
        {"Slab", 0},
        {"SReclaimable", 0},
        {"SUnreclaim", 0},
        {"KernelStack", 0},
        {"PageTables", f->page_tables},
        {"CommitLimit", vm_commit_limit(v->kernel->vm)},
        {"Committed_AS", c.promised},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        show_kib(out, rows[i].name, rows[i].pages);
    fprintf(out, "VmallocTotal:   34359738367 kB\nVmallocUsed:           0 kB\nVmallocChunk:          0 kB\n"
                 "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n"
                 "HugePages_Surp:        0\nHugepagesize:       2048 kB\n");
}

static void show_swaps(const struct proc_view *v, FILE *out) {
    struct vm_counts c = counts_of(v);
    fprintf(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    if (c.swap.pages)
        fprintf(out, "%-40s%s\t%lu\t\t%lu\t\t%d\n", "/thimble/swap", "partition", c.swap.pages * KIB_PER_PAGE,
                c.swap.used * KIB_PER_PAGE, -2);
}

static void show_vmstat(const struct proc_view *v, FILE *out) {
    const struct vm_counts c = counts_of(v);
    const uint64_t *evicted = c.tally.evictions;
    struct vm_usage u;
    vm_get_told_usage(v->kernel->vm, &u);
    const uint64_t to_file = evicted[EVENT_VICTIM_TO_FILE], to_swap = evicted[EVENT_VICTIM_TO_SWAP];
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"nr_free_pages", c.frames.free},
        {"nr_inactive_anon", c.frames.anonymous + u.shared_memory - u.active_anonymous},
        {"nr_active_anon", u.active_anonymous},
        {"nr_inactive_file", c.frames.page_cache - u.shared_memory - u.active_file},
        {"nr_active_file", u.active_file},
        {"nr_anon_pages", c.frames.anonymous},
        {"nr_mapped", u.mapped},
        {"nr_file_pages", c.frames.page_cache},
        {"nr_dirty", u.dirty},
        {"nr_writeback", 0},
        {"nr_shmem", u.shared_memory},
        {"nr_page_table_pages", c.frames.page_tables},
        {"nr_swapcached", u.swap_cached},
        {"pgpgin", c.tally.major * KIB_PER_PAGE},
        {"pgpgout", (to_file + c.swap.out) * KIB_PER_PAGE},
        {"pswpin", c.swap.in},
        {"pswpout", c.swap.out},
        {"pgfault", tally_faults(&c.tally)},
        {"pgmajfault", c.tally.major},
        {"pgsteal_direct", evicted[EVENT_VICTIM_CLEAN] + to_swap + to_file},
        {"oom_kill", v->kernel->summary.oom_kills},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        fprintf(out, "%s %lu\n", rows[i].name, rows[i].value);
}

/* ---- processes and time ---- */

static unsigned count_threads(const struct kernel *k, bool runnable_only) {
    unsigned n = 0;
    struct thread *t;
    TAILQ_FOREACH(t, &k->threads, of_machine)
        n += !runnable_only || t->state == THREAD_RUNNABLE;
    return n;
}

static uint64_t uptime_of(const struct proc_view *v) {
    return clock_now(v->kernel) - v->kernel->boot;
}

static uint64_t idle_of(const struct proc_view *v) {
    uint64_t up = uptime_of(v), busy = load_busy(v->kernel);
    return up > busy ? up - busy : 0;
}

static void show_stat(const struct proc_view *v, FILE *out) {
    const struct kernel *k = v->kernel;
    uint64_t user = load_user(k), system = load_busy(k) - user;
    for (unsigned i = 0; i < 2; i++)
        fprintf(out, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", i ? "cpu0" : "cpu ", user / NS_PER_TICK,
                system / NS_PER_TICK, idle_of(v) / NS_PER_TICK);
    fprintf(out, "intr 0\nctxt %lu\nbtime %lu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
            k->summary.context_switches, (clock_realtime(v->kernel) - uptime_of(v)) / NS,
            k->next_pid - PID_OF_MACHINE - 1, count_threads(k, true));
    fprintf(out, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void show_uptime(const struct proc_view *v, FILE *out) {
    uint64_t up = uptime_of(v), idle = idle_of(v);
    fprintf(out, "%lu.%02lu %lu.%02lu\n", up / NS, up % NS / NS_PER_TICK, idle / NS, idle % NS / NS_PER_TICK);
}

static void show_loadavg(const struct proc_view *v, FILE *out) {
    double averages[3];
    load_averages(v->kernel, averages);
    fprintf(out, "%.2f %.2f %.2f %u/%u %u\n", averages[0], averages[1], averages[2],
            count_threads(v->kernel, true), count_threads(v->kernel, false), v->kernel->next_pid - 1);
}

/* ---- the CPU and the system ---- */

/* What engine/soft/cpuid.c tells programs, in Linux's words and order; a test compares them. An instruction
 * takes a nanosecond of the time stamp counter. */
static void show_cpuinfo(const struct proc_view *v, FILE *out) {
    bool v3 = v->kernel->config.level == CPU_LEVEL_V3;
    fprintf(out, "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 60\n"
                 "model name\t: Thimble\nstepping\t: 3\ncpu MHz\t\t: 1000.000\ncache size\t: 8192 KB\n"
                 "physical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\napicid\t\t: 0\n"
                 "initial apicid\t: 0\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 13\nwp\t\t: yes\n");
    fprintf(
        out,
        "flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr "
        "sse sse2 syscall nx rdtscp lm pni pclmulqdq ssse3 %scx16 sse4_1 sse4_2 %spopcnt aes %slahf_lm%s\n",
        v3 ? "fma " : "", v3 ? "movbe " : "", v3 ? "xsave avx f16c " : "", v3 ? " abm bmi1 avx2 bmi2" : "");
    fprintf(out, "bugs\t\t:\nbogomips\t: 2000.00\nclflush size\t: 64\ncache_alignment\t: 64\n"
                 "address sizes\t: 40 bits physical, 48 bits virtual\npower management:\n\n");
}

static void show_version(const struct proc_view *v, FILE *out) {
    struct utsname name;
    if (uname(&name) == 0)
        fprintf(out, "%s version %s (thimble) %s\n", name.sysname, name.release, name.version);
}

static void show_filesystems(const struct proc_view *v, FILE *out) {
    proc_copy_host("/proc/filesystems", out);
}

static void show_empty_line(const struct proc_view *v, FILE *out) {
    fputc('\n', out);
}

static void show_devices(const struct proc_view *v, FILE *out) {
    fprintf(out, "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n\n"
                 "Block devices:\n");
}

static void show_terminal_drivers(const struct proc_view *v, FILE *out) {
    fprintf(out, "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
                 "/dev/console         /dev/console    5       1 system:console\n"
                 "/dev/ptmx            /dev/ptmx       5       2 system\n"
                 "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
                 "pty_master           /dev/ptm      128 0-1048575 pty:master\n"
                 "serial               /dev/ttyS       4 64-95 serial\n"
                 "unknown              /dev/tty        4 1-63 console\n");
}

/* The machine has no disks but its swap; what files are on is the host's. */
static void show_partitions(const struct proc_view *v, FILE *out) {
    fprintf(out, "major minor  #blocks  name\n\n");
}

static void show_nothing(const struct proc_view *v, FILE *out) {}

static void show_cgroups(const struct proc_view *v, FILE *out) {
    fprintf(out, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
}

static void show_locks(const struct proc_view *v, FILE *out) {
    locks_show(v->kernel, out);
}

static ssize_t link_self(struct thread *t, const struct proc_view *v, char *to, size_t size) {
    return snprintf(to, size, "%u", t->process->pid);
}

static ssize_t link_thread_self(struct thread *t, const struct proc_view *v, char *to, size_t size) {
    return snprintf(to, size, "%u/task/%u", t->process->pid, t->tid);
}

static ssize_t link_mounts(struct thread *t, const struct proc_view *v, char *to, size_t size) {
    return snprintf(to, size, "self/mounts");
}

static ssize_t link_net(struct thread *t, const struct proc_view *v, char *to, size_t size) {
    return snprintf(to, size, "self/net");
}

static const struct proc_entry terminal_entries[] = {PROC_FILE("drivers", show_terminal_drivers),
                                                     {.name = NULL}};

const struct proc_entry proc_machine_entries[] = {
    PROC_FILE("cgroups", show_cgroups),
    PROC_FILE("cmdline", show_empty_line),
    PROC_FILE("cpuinfo", show_cpuinfo),
    PROC_FILE("devices", show_devices),
    PROC_FILE("diskstats", show_nothing),
    PROC_FILE("filesystems", show_filesystems),
    PROC_FILE("loadavg", show_loadavg),
    PROC_FILE("locks", show_locks),
    PROC_COUNTS("meminfo", show_meminfo),
    PROC_FILE("modules", show_nothing),
    {.name = "mounts", .mode = S_IFLNK | 0777, .link = link_mounts},
    {.name = "net", .mode = S_IFLNK | 0777, .link = link_net},
    PROC_FILE("partitions", show_partitions),
    {.name = "self", .mode = S_IFLNK | 0777, .link = link_self},
    PROC_FILE("stat", show_stat),
    PROC_COUNTS("swaps", show_swaps),
    PROC_DIRECTORY("sys", proc_sys_entries),
    PROC_DIRECTORY("sysvipc", proc_sysvipc_entries),
    {.name = "thread-self", .mode = S_IFLNK | 0777, .link = link_thread_self},
    PROC_DIRECTORY("tty", terminal_entries),
    PROC_FILE("uptime", show_uptime),
    PROC_FILE("version", show_version),
    PROC_COUNTS("vmstat", show_vmstat),
    {.name = NULL}};
