/* The directories of /sys that say how many CPUs and how much memory there are: one CPU, one node with all
 * the memory, and no control group that limits anything. The rest of /sys is the host's. */
#include "base/base.h"
#include "kernel/procfs/procfs_entry.h"

/* ---- devices/system/cpu ---- */

static const struct proc_entry topology_entries[] = {
    PROC_TEXT("core_cpus", "1\n"),
    PROC_TEXT("core_cpus_list", "0\n"),
    PROC_TEXT("core_id", "0\n"),
    PROC_TEXT("core_siblings", "1\n"),
    PROC_TEXT("core_siblings_list", "0\n"),
    PROC_TEXT("package_cpus", "1\n"),
    PROC_TEXT("package_cpus_list", "0\n"),
    PROC_TEXT("physical_package_id", "0\n"),
    PROC_TEXT("thread_siblings", "1\n"),
    PROC_TEXT("thread_siblings_list", "0\n"),
    {.name = NULL},
};

/* The caches of CPUID's leaf 4 (engine/soft/cpuid.c). */
#define CACHE(list, cache_level, cache_type, cache_size, sets, ways)                                         \
    static const struct proc_entry list[] = {PROC_TEXT("coherency_line_size", "64\n"),                       \
                                             PROC_TEXT("level", cache_level "\n"),                           \
                                             PROC_TEXT("number_of_sets", sets "\n"),                         \
                                             PROC_TEXT("physical_line_partition", "1\n"),                    \
                                             PROC_TEXT("shared_cpu_list", "0\n"),                            \
                                             PROC_TEXT("shared_cpu_map", "1\n"),                             \
                                             PROC_TEXT("size", cache_size "\n"),                             \
                                             PROC_TEXT("type", cache_type "\n"),                             \
                                             PROC_TEXT("ways_of_associativity", ways "\n"),                  \
                                             {.name = NULL}}
CACHE(data_cache, "1", "Data", "32K", "64", "8");
CACHE(instruction_cache, "1", "Instruction", "32K", "64", "8");
CACHE(second_cache, "2", "Unified", "256K", "512", "8");
CACHE(third_cache, "3", "Unified", "8192K", "8192", "16");

static const struct proc_entry cache_entries[] = {
    PROC_DIRECTORY("index0", data_cache),
    PROC_DIRECTORY("index1", instruction_cache),
    PROC_DIRECTORY("index2", second_cache),
    PROC_DIRECTORY("index3", third_cache),
    {.name = NULL},
};

static const struct proc_entry cpu0_entries[] = {
    PROC_DIRECTORY("cache", cache_entries), PROC_DIRECTORY("topology", topology_entries), {.name = NULL}};

static const struct proc_entry cpu_entries[] = {
    PROC_DIRECTORY("cpu0", cpu0_entries), PROC_TEXT("isolated", "\n"),
    PROC_TEXT("kernel_max", "0\n"),       PROC_TEXT("offline", "\n"),
    PROC_TEXT("online", "0\n"),           PROC_TEXT("possible", "0\n"),
    PROC_TEXT("present", "0\n"),          {.name = NULL},
};
const struct proc_entry sysfs_cpu = PROC_DIRECTORY("sys/devices/system/cpu", cpu_entries);

/* ---- devices/system/node ---- */

static void show_meminfo(const struct proc_view *v, FILE *out) {
    enum { KIB_PER_PAGE = PAGE_SIZE / 1024 };
    struct vm_counts c;
    vm_get_told_counts(v->kernel->vm, &c);
    uint64_t total = c.frames.total - c.frames.reserved;
    const struct {
        const char *name;
        uint64_t pages;
    } rows[] = {{"MemTotal:", total},
                {"MemFree:", c.frames.free},
                {"MemUsed:", total - c.frames.free},
                {"FilePages:", c.frames.page_cache},
                {"AnonPages:", c.frames.anonymous},
                {"PageTables:", c.frames.page_tables}};
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        fprintf(out, "Node 0 %-15s %8lu kB\n", rows[i].name, rows[i].pages * KIB_PER_PAGE);
}

static const struct proc_entry node0_entries[] = {
    PROC_TEXT("cpulist", "0\n"),
    PROC_TEXT("cpumap", "1\n"),
    PROC_TEXT("distance", "10\n"),
    PROC_COUNTS("meminfo", show_meminfo),
    {.name = NULL},
};

static const struct proc_entry node_entries[] = {
    PROC_TEXT("has_cpu", "0\n"),
    PROC_TEXT("has_memory", "0\n"),
    PROC_TEXT("has_normal_memory", "0\n"),
    PROC_DIRECTORY("node0", node0_entries),
    PROC_TEXT("online", "0\n"),
    PROC_TEXT("possible", "0\n"),
    {.name = NULL},
};
const struct proc_entry sysfs_node = PROC_DIRECTORY("sys/devices/system/node", node_entries);

/* ---- fs/cgroup: the root of a hierarchy without controllers ---- */

static void show_processes(const struct proc_view *v, FILE *out) {
    const struct process *p;
    TAILQ_FOREACH(p, &v->kernel->processes, of_machine)
        fprintf(out, "%u\n", p->pid);
}

static const struct proc_entry cgroup_entries[] = {
    PROC_TEXT("cgroup.controllers", ""),
    PROC_FILE("cgroup.procs", show_processes),
    PROC_TEXT("cgroup.subtree_control", ""),
    {.name = NULL},
};
const struct proc_entry sysfs_cgroup = PROC_DIRECTORY("sys/fs/cgroup", cgroup_entries);
