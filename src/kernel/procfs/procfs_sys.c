/* /proc/sys: the settings of the machine. Those that say how the machine is are here; a setting that it does
 * not have is not there. What concerns the host's side of things (its network, its limits on watches) is what
 * the host says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/files/inode.h"
#include "kernel/procfs/procfs_entry.h"
#include "kernel/sysv/sysv.h"

enum { PID_MAX = 4194304, PIPE_SIZE_MAX = 1048576, UUID_LENGTH = 16 };

#define PROC_NUMBER(file_name, number) PROC_TEXT(file_name, #number "\n")

/* ---- kernel ---- */

static void show_ostype(const struct proc_view *v, FILE *out) {
    struct utsname name;
    if (uname(&name) == 0)
        fprintf(out, "%s\n", name.sysname);
}

static void show_osrelease(const struct proc_view *v, FILE *out) {
    struct utsname name;
    if (uname(&name) == 0)
        fprintf(out, "%s\n", name.release);
}

static void show_osversion(const struct proc_view *v, FILE *out) {
    struct utsname name;
    if (uname(&name) == 0)
        fprintf(out, "%s\n", name.version);
}

static void show_hostname(const struct proc_view *v, FILE *out) {
    struct utsname name;
    if (uname(&name) == 0)
        fprintf(out, "%s\n", name.nodename);
}

static void show_domainname(const struct proc_view *v, FILE *out) {
    struct utsname name;
    if (uname(&name) == 0)
        fprintf(out, "%s\n", name.domainname);
}

static void show_pid_max(const struct proc_view *v, FILE *out) {
    fprintf(out, "%d\n", PID_MAX);
}

static void show_threads_max(const struct proc_view *v, FILE *out) {
    uint32_t limit = v->kernel->config.limits.tasks;
    fprintf(out, "%u\n", limit ? limit : KERNEL_TASKS_MAX);
}

static void show_last_pid(const struct proc_view *v, FILE *out) {
    fprintf(out, "%u\n", v->kernel->next_pid - 1);
}

static void show_ngroups_max(const struct proc_view *v, FILE *out) {
    fprintf(out, "%ld\n", sysconf(_SC_NGROUPS_MAX));
}

static void show_shmmax(const struct proc_view *v, FILE *out) {
    fprintf(out, "%lu\n", SYSV_SHMMAX);
}

static void show_shmmni(const struct proc_view *v, FILE *out) {
    fprintf(out, "%d\n", SYSV_SHMMNI);
}

static void show_sem(const struct proc_view *v, FILE *out) {
    fprintf(out, "%d\t%d\t%d\t%d\n", SYSV_SEMMSL, SYSV_SEMMNS, SYSV_SEMOPM, SYSV_SEMMNI);
}

static void show_msgmax(const struct proc_view *v, FILE *out) {
    fprintf(out, "%d\n", SYSV_MSGMAX);
}

static void show_msgmnb(const struct proc_view *v, FILE *out) {
    fprintf(out, "%d\n", SYSV_MSGMNB);
}

static void show_msgmni(const struct proc_view *v, FILE *out) {
    fprintf(out, "%d\n", SYSV_MSGMNI);
}

/* RFC 4122: version 4, variant 1. */
static void show_random_bytes(uint8_t b[UUID_LENGTH], FILE *out) {
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    for (unsigned i = 0; i < UUID_LENGTH; i++)
        fprintf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
    fputc('\n', out);
}

static void show_uuid(const struct proc_view *v, FILE *out) {
    uint8_t b[UUID_LENGTH];
    kernel_random(v->kernel, b, sizeof(b));
    show_random_bytes(b, out);
}

/* The same as long as the machine runs. */
static void show_boot_id(const struct proc_view *v, FILE *out) {
    uint8_t b[UUID_LENGTH];
    struct rng rng = {.state = v->kernel->config.seed ^ v->kernel->boot};
    rng_fill(&rng, b, sizeof(b));
    show_random_bytes(b, out);
}

static const struct proc_entry random_entries[] = {
    PROC_FILE("boot_id", show_boot_id),
    PROC_NUMBER("entropy_avail", 256),
    PROC_NUMBER("poolsize", 256),
    PROC_FILE("uuid", show_uuid),
    {.name = NULL},
};

static const struct proc_entry kernel_entries[] = {
    PROC_NUMBER("cap_last_cap", 40),
    PROC_TEXT("core_pattern", "core\n"),
    PROC_NUMBER("core_uses_pid", 0),
    PROC_FILE("domainname", show_domainname),
    PROC_FILE("hostname", show_hostname),
    PROC_FILE("msgmax", show_msgmax),
    PROC_FILE("msgmnb", show_msgmnb),
    PROC_FILE("msgmni", show_msgmni),
    PROC_FILE("ngroups_max", show_ngroups_max),
    PROC_FILE("ns_last_pid", show_last_pid),
    PROC_FILE("osrelease", show_osrelease),
    PROC_FILE("ostype", show_ostype),
    PROC_NUMBER("overflowgid", 65534),
    PROC_NUMBER("overflowuid", 65534),
    PROC_FILE("pid_max", show_pid_max),
    PROC_DIRECTORY("random", random_entries),
    PROC_NUMBER("randomize_va_space", 0), /* the layout of address spaces is fixed */
    PROC_NUMBER("sched_rr_timeslice_ms", 100),
    PROC_FILE("sem", show_sem),
    PROC_TEXT("shmall", "18446744073692774399\n"),
    PROC_FILE("shmmax", show_shmmax),
    PROC_FILE("shmmni", show_shmmni),
    PROC_NUMBER("tainted", 0),
    PROC_FILE("threads-max", show_threads_max),
    PROC_FILE("version", show_osversion),
    {.name = NULL},
};

/* ---- vm ---- */

/* The number that was written. 0, or -EINVAL: it is none, or out of range. */
static int number_from(const char *text, size_t length, long least, long most, long *ret_number) {
    char number[16] = "";
    memcpy(number, text, min_size(length, sizeof(number) - 1));
    char *end;
    *ret_number = strtol(number, &end, 10);
    return end == number || *ret_number < least || *ret_number > most ? -EINVAL : 0;
}

/* Writing 1, 2 or 3: clean pages of files that nobody maps are given back. */
static int store_drop_caches(const struct proc_view *v, const char *text, size_t length) {
    long what;
    if (number_from(text, length, 1, 4, &what) < 0)
        return -EINVAL;
    if (what & 1)
        inodes_drop_cache(v->kernel);
    return 0;
}

static void show_overcommit(const struct proc_view *v, FILE *out) {
    fprintf(out, "%u\n", (unsigned)vm_get_overcommit(v->kernel->vm));
}

static int store_overcommit(const struct proc_view *v, const char *text, size_t length) {
    long mode;
    if (number_from(text, length, VM_OVERCOMMIT_GUESS, VM_OVERCOMMIT_NEVER, &mode) < 0)
        return -EINVAL;
    vm_set_overcommit(v->kernel->vm, (enum vm_overcommit)mode);
    return 0;
}

static void show_overcommit_ratio(const struct proc_view *v, FILE *out) {
    fprintf(out, "%u\n", vm_get_overcommit_ratio(v->kernel->vm));
}

static int store_overcommit_ratio(const struct proc_view *v, const char *text, size_t length) {
    long percent;
    if (number_from(text, length, 0, INT32_MAX, &percent) < 0)
        return -EINVAL;
    vm_set_overcommit_ratio(v->kernel->vm, (uint32_t)percent);
    return 0;
}

static const struct proc_entry vm_entries[] = {
    {.name = "drop_caches", .mode = S_IFREG | 0200, .store = store_drop_caches},
    PROC_NUMBER("max_map_count", 65530),
    PROC_NUMBER("mmap_min_addr", 65536),
    PROC_NUMBER("nr_hugepages", 0),
    PROC_NUMBER("oom_kill_allocating_task", 0),
    PROC_NUMBER("overcommit_kbytes", 0),
    {.name = "overcommit_memory", .mode = S_IFREG | 0644, .show = show_overcommit, .store = store_overcommit},
    {.name = "overcommit_ratio",
     .mode = S_IFREG | 0644,
     .show = show_overcommit_ratio,
     .store = store_overcommit_ratio},
    PROC_NUMBER("page-cluster", 0), /* one page is read from swap at a time */
    PROC_NUMBER("panic_on_oom", 0),
    PROC_NUMBER("swappiness", 60),
    {.name = NULL},
};

/* ---- fs ---- */

static void show_nr_open(const struct proc_view *v, FILE *out) {
    fprintf(out, "%d\n", DESCRIPTORS_MAX);
}

static void show_pipe_max_size(const struct proc_view *v, FILE *out) {
    fprintf(out, "%d\n", PIPE_SIZE_MAX);
}

/* Open descriptors, none kept in reserve, and how many there can be. */
static void show_file_numbers(const struct proc_view *v, FILE *out) {
    unsigned open = 0;
    struct process *p;
    TAILQ_FOREACH(p, &v->kernel->processes, of_machine) {
        for (int fd = 0; p->descriptors && (fd = descriptor_next(p, fd)) >= 0; fd++)
            open++;
    }
    fprintf(out, "%u\t0\t9223372036854775807\n", open);
}

static void show_host(const struct proc_view *v, FILE *out) {
    char path[128];
    proc_path(v->node, path, sizeof(path));
    proc_copy_host(path, out);
}

static const struct proc_entry inotify_entries[] = {
    PROC_FILE("max_queued_events", show_host),
    PROC_FILE("max_user_instances", show_host),
    PROC_FILE("max_user_watches", show_host),
    {.name = NULL},
};

static const struct proc_entry fs_entries[] = {
    PROC_TEXT("file-max", "9223372036854775807\n"),
    PROC_FILE("file-nr", show_file_numbers),
    PROC_DIRECTORY("inotify", inotify_entries),
    PROC_NUMBER("lease-break-time", 45),
    PROC_NUMBER("leases-enable", 0),
    PROC_FILE("nr_open", show_nr_open),
    PROC_NUMBER("overflowgid", 65534),
    PROC_NUMBER("overflowuid", 65534),
    PROC_FILE("pipe-max-size", show_pipe_max_size),
    PROC_FILE("protected_hardlinks", show_host),
    PROC_FILE("protected_symlinks", show_host),
    {.name = NULL},
};

/* ---- net ---- */

static const struct proc_entry core_entries[] = {
    PROC_FILE("rmem_default", show_host), PROC_FILE("rmem_max", show_host), PROC_FILE("somaxconn", show_host),
    PROC_FILE("wmem_default", show_host), PROC_FILE("wmem_max", show_host), {.name = NULL},
};

static const struct proc_entry ipv4_entries[] = {
    PROC_FILE("ip_local_port_range", show_host),
    PROC_FILE("ip_unprivileged_port_start", show_host),
    PROC_FILE("tcp_max_syn_backlog", show_host),
    PROC_FILE("tcp_rmem", show_host),
    PROC_FILE("tcp_wmem", show_host),
    {.name = NULL},
};

static const struct proc_entry unix_entries[] = {PROC_FILE("max_dgram_qlen", show_host), {.name = NULL}};

static const struct proc_entry net_entries[] = {
    PROC_DIRECTORY("core", core_entries),
    PROC_DIRECTORY("ipv4", ipv4_entries),
    PROC_DIRECTORY("unix", unix_entries),
    {.name = NULL},
};

const struct proc_entry proc_sys_entries[] = {
    PROC_DIRECTORY("fs", fs_entries),
    PROC_DIRECTORY("kernel", kernel_entries),
    PROC_DIRECTORY("net", net_entries),
    PROC_DIRECTORY("vm", vm_entries),
    {.name = NULL},
};
