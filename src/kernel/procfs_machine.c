/* /proc outside the processes: the machine's memory, swap, clock and CPU, and a few settings in /proc/sys. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/procfs_entry.h"

enum { NS = 1000000000, NS_PER_TICK = 10000000, KIB_PER_PAGE = PAGE_SIZE / 1024, PID_MAX = 4194304 };

static struct vm_counts counts_of(const struct proc_view *v) {
    struct vm_counts counts;
    vm_get_counts(v->kernel->vm, &counts);
    return counts;
}

/* ---- memory ---- */

static void show_kib(FILE *out, const char *name, uint64_t pages) {
    char label[32];
    snprintf(label, sizeof(label), "%s:", name);
    fprintf(out, "%-15s %8lu kB\n", label, pages * KIB_PER_PAGE);
}

static void show_meminfo(const struct proc_view *v, FILE *out) {
    struct vm_counts c = counts_of(v);
    uint64_t total = c.frames.total - c.frames.reserved;
    show_kib(out, "MemTotal", total);
    show_kib(out, "MemFree", c.frames.free);
    show_kib(out, "MemAvailable", (uint64_t)c.frames.free + c.frames.page_cache);
    show_kib(out, "Buffers", 0);
    show_kib(out, "Cached", c.frames.page_cache);
    show_kib(out, "SwapCached", 0);
    show_kib(out, "SwapTotal", c.swap.pages);
    show_kib(out, "SwapFree", c.swap.pages - c.swap.used);
    show_kib(out, "AnonPages", c.frames.anonymous);
    show_kib(out, "Mapped", c.frames.page_cache);
    show_kib(out, "Shmem", 0);
    show_kib(out, "Slab", 0);
    show_kib(out, "SReclaimable", 0);
    show_kib(out, "PageTables", c.frames.page_tables);
    show_kib(out, "CommitLimit", total + c.swap.pages);
    fprintf(out, "HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\n");
}

static void show_swaps(const struct proc_view *v, FILE *out) {
    struct vm_counts c = counts_of(v);
    fprintf(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    if (c.swap.pages)
        fprintf(out, "%-40s%s\t%lu\t\t%lu\t\t%d\n", "/thimble/swap", "partition", c.swap.pages * KIB_PER_PAGE,
                c.swap.used * KIB_PER_PAGE, -2);
}

static void show_vmstat(const struct proc_view *v, FILE *out) {
    struct vm_counts c = counts_of(v);
    fprintf(out, "nr_free_pages %u\nnr_anon_pages %u\nnr_file_pages %u\nnr_page_table_pages %u\n",
            c.frames.free, c.frames.anonymous, c.frames.page_cache, c.frames.page_tables);
    fprintf(out, "pswpin %lu\npswpout %lu\npgfault %lu\npgmajfault %lu\npgsteal_direct %lu\noom_kill %lu\n",
            c.swap.in, c.swap.out, tally_faults(&c.tally), c.tally.major,
            c.tally.evictions[EVENT_VICTIM_CLEAN] + c.tally.evictions[EVENT_VICTIM_TO_SWAP] +
                c.tally.evictions[EVENT_VICTIM_TO_FILE],
            v->kernel->summary.oom_kills);
}

/* ---- processes and time ---- */

static unsigned count_threads(const struct kernel *k, bool runnable_only) {
    unsigned n = 0;
    struct thread *t;
    TAILQ_FOREACH(t, &k->threads, of_machine)
        n += !runnable_only || t->state == THREAD_RUNNABLE;
    return n;
}

static void show_stat(const struct proc_view *v, FILE *out) {
    const struct kernel *k = v->kernel;
    uint64_t now = clock_now(v->kernel), busy = k->executed / NS_PER_TICK;
    uint64_t idle = now / NS_PER_TICK > busy ? now / NS_PER_TICK - busy : 0;
    fprintf(out, "cpu  %lu 0 0 %lu 0 0 0 0 0 0\ncpu0 %lu 0 0 %lu 0 0 0 0 0 0\n", busy, idle, busy, idle);
    fprintf(out, "intr 0\nctxt %lu\nbtime %lu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
            k->summary.context_switches, (clock_realtime(v->kernel) - now) / NS,
            k->next_pid - PID_OF_MACHINE - 1, count_threads(k, true));
}

static void show_uptime(const struct proc_view *v, FILE *out) {
    uint64_t now = clock_now(v->kernel), busy = v->kernel->executed;
    uint64_t idle = now > busy ? now - busy : 0;
    fprintf(out, "%lu.%02lu %lu.%02lu\n", now / NS, now % NS / NS_PER_TICK, idle / NS,
            idle % NS / NS_PER_TICK);
}

/* No averages over minutes are kept: the load is that of now. */
static void show_loadavg(const struct proc_view *v, FILE *out) {
    unsigned running = count_threads(v->kernel, true);
    fprintf(out, "%u.00 %u.00 %u.00 %u/%u %u\n", running, running, running, running,
            count_threads(v->kernel, false), v->kernel->next_pid - 1);
}

/* ---- the CPU and the system ---- */

static void show_cpuinfo(const struct proc_view *v, FILE *out) {
    bool v3 = v->kernel->config.level == CPU_LEVEL_V3;
    fprintf(out,
            "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 60\n"
            "model name\t: Thimble (x86-64-v%d)\nstepping\t: 3\nphysical id\t: 0\nsiblings\t: 1\n"
            "core id\t\t: 0\ncpu cores\t: 1\nfpu\t\t: yes\ncpuid level\t: 13\nwp\t\t: yes\n",
            v3 ? 3 : 2);
    fprintf(out,
            "flags\t\t: fpu tsc cx8 cmov clflush mmx fxsr sse sse2 syscall nx rdtscp lm pni pclmulqdq ssse3 "
            "cx16 sse4_1 sse4_2 popcnt aes%s lahf_lm\n",
            v3 ? " fma movbe xsave avx f16c abm bmi1 avx2 bmi2" : "");
    fprintf(
        out,
        "clflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: 40 bits physical, 48 bits virtual\n\n");
}

static void show_version(const struct proc_view *v, FILE *out) {
    struct utsname name;
    if (uname(&name) == 0)
        fprintf(out, "%s version %s (thimble) %s\n", name.sysname, name.release, name.version);
}

static void show_filesystems(const struct proc_view *v, FILE *out) {
    char line[256];
    FILE *host = fopen("/proc/filesystems", "re");
    while (host && fgets(line, sizeof(line), host))
        fputs(line, out);
    if (host)
        fclose(host);
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

/* ---- /proc/sys ---- */

static void show_name(FILE *out, const char *text) {
    fprintf(out, "%s\n", text);
}

static void show_ostype(const struct proc_view *v, FILE *out) {
    struct utsname name;
    if (uname(&name) == 0)
        show_name(out, name.sysname);
}

static void show_osrelease(const struct proc_view *v, FILE *out) {
    struct utsname name;
    if (uname(&name) == 0)
        show_name(out, name.release);
}

static void show_osversion(const struct proc_view *v, FILE *out) {
    struct utsname name;
    if (uname(&name) == 0)
        show_name(out, name.version);
}

static void show_hostname(const struct proc_view *v, FILE *out) {
    struct utsname name;
    if (uname(&name) == 0)
        show_name(out, name.nodename);
}

static void show_pid_max(const struct proc_view *v, FILE *out) {
    fprintf(out, "%d\n", PID_MAX);
}

static void show_randomize(const struct proc_view *v, FILE *out) {
    fprintf(out, "0\n"); /* the address-space layout is fixed */
}

static void show_ngroups_max(const struct proc_view *v, FILE *out) {
    fprintf(out, "%ld\n", sysconf(_SC_NGROUPS_MAX));
}

static void show_cap_last_cap(const struct proc_view *v, FILE *out) {
    fprintf(out, "40\n");
}

static void show_uuid(const struct proc_view *v, FILE *out) {
    uint8_t b[16];
    kernel_random(v->kernel, b, sizeof(b));
    b[6] = (b[6] & 0x0f) | 0x40; /* RFC 4122: version 4, variant 1 */
    b[8] = (b[8] & 0x3f) | 0x80;
    for (unsigned i = 0; i < sizeof(b); i++)
        fprintf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
    fputc('\n', out);
}

static void show_entropy(const struct proc_view *v, FILE *out) {
    fprintf(out, "256\n");
}

static void show_overcommit(const struct proc_view *v, FILE *out) {
    fprintf(out, "1\n"); /* reserving is free, touching is not */
}

static void show_max_map_count(const struct proc_view *v, FILE *out) {
    fprintf(out, "65530\n");
}

static void show_mmap_min_addr(const struct proc_view *v, FILE *out) {
    fprintf(out, "65536\n");
}

static void show_nr_open(const struct proc_view *v, FILE *out) {
    fprintf(out, "1048576\n"); /* DESCRIPTORS_MAX */
}

static void show_pipe_max_size(const struct proc_view *v, FILE *out) {
    fprintf(out, "1048576\n");
}

static const struct proc_entry random_entries[] = {PROC_FILE("entropy_avail", show_entropy),
                                                   PROC_FILE("poolsize", show_entropy),
                                                   PROC_FILE("uuid", show_uuid),
                                                   {.name = NULL}};

static const struct proc_entry kernel_entries[] = {PROC_FILE("cap_last_cap", show_cap_last_cap),
                                                   PROC_FILE("hostname", show_hostname),
                                                   PROC_FILE("ngroups_max", show_ngroups_max),
                                                   PROC_FILE("osrelease", show_osrelease),
                                                   PROC_FILE("ostype", show_ostype),
                                                   PROC_FILE("pid_max", show_pid_max),
                                                   PROC_DIRECTORY("random", random_entries),
                                                   PROC_FILE("randomize_va_space", show_randomize),
                                                   PROC_FILE("version", show_osversion),
                                                   {.name = NULL}};

static const struct proc_entry vm_entries[] = {PROC_FILE("max_map_count", show_max_map_count),
                                               PROC_FILE("mmap_min_addr", show_mmap_min_addr),
                                               PROC_FILE("overcommit_memory", show_overcommit),
                                               {.name = NULL}};

static const struct proc_entry fs_entries[] = {
    PROC_FILE("nr_open", show_nr_open), PROC_FILE("pipe-max-size", show_pipe_max_size), {.name = NULL}};

static const struct proc_entry sys_entries[] = {PROC_DIRECTORY("fs", fs_entries),
                                                PROC_DIRECTORY("kernel", kernel_entries),
                                                PROC_DIRECTORY("vm", vm_entries),
                                                {.name = NULL}};

static void show_cpu_list(const struct proc_view *v, FILE *out) {
    fprintf(out, "0\n");
}

const struct proc_entry proc_cpu_entries[] = {PROC_FILE("online", show_cpu_list),
                                              PROC_FILE("possible", show_cpu_list),
                                              PROC_FILE("present", show_cpu_list),
                                              {.name = NULL}};

const struct proc_entry proc_machine_entries[] = {
    PROC_FILE("cpuinfo", show_cpuinfo),
    PROC_FILE("filesystems", show_filesystems),
    PROC_FILE("loadavg", show_loadavg),
    PROC_FILE("meminfo", show_meminfo),
    {.name = "mounts", .mode = S_IFLNK | 0777, .link = link_mounts},
    {.name = "self", .mode = S_IFLNK | 0777, .link = link_self},
    PROC_FILE("stat", show_stat),
    PROC_FILE("swaps", show_swaps),
    PROC_DIRECTORY("sys", sys_entries),
    {.name = "thread-self", .mode = S_IFLNK | 0777, .link = link_thread_self},
    PROC_FILE("uptime", show_uptime),
    PROC_FILE("version", show_version),
    PROC_FILE("vmstat", show_vmstat),
    {.name = NULL}};
