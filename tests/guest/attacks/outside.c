/* Processes of the host are not there.
 *
 *     attacks-outside PID...
 *
 * The numbers are of processes that run on the host: a bystander, and the one that runs the machine. Whatever
 * takes a process number is tried on them; each must say that there is none, also to the superuser. It is not
 * for the host. */
#include "../c/check.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t pid;

static long a_kill(void) {
    return kill(pid, SIGTERM);
}
static long a_kill_group(void) {
    return kill(-pid, SIGTERM);
}
static long a_tgkill(void) {
    return syscall(SYS_tgkill, pid, pid, SIGTERM);
}
static long a_tkill(void) {
    return syscall(SYS_tkill, pid, SIGTERM);
}
static long a_sigqueue(void) {
    return sigqueue(pid, SIGTERM, (union sigval){.sival_int = 1});
}
static long a_pidfd_open(void) {
    return syscall(SYS_pidfd_open, pid, 0);
}
static long a_ptrace(void) {
    return syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, pid, 0, 0);
}
static long a_vm_read(void) {
    char bytes[16];
    struct iovec here = {bytes, 16}, there = {(void *)0x400000, 16};
    return syscall(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0);
}
static long a_vm_write(void) {
    char bytes[16] = "overwritten";
    struct iovec here = {bytes, 16}, there = {(void *)0x400000, 16};
    return syscall(SYS_process_vm_writev, pid, &here, 1, &there, 1, 0);
}
static long a_wait(void) {
    return waitpid(pid, NULL, WNOHANG);
}
static long a_priority(void) {
    return setpriority(PRIO_PROCESS, (id_t)pid, 5);
}
static long a_limits(void) {
    const struct rlimit none = {0, 0};
    return syscall(SYS_prlimit64, pid, RLIMIT_CPU, &none, NULL);
}
static long a_group(void) {
    return setpgid(0, pid);
}
static long a_group_of(void) {
    return getpgid(pid);
}
static long a_session_of(void) {
    return getsid(pid);
}
static long a_affinity(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    return sched_setaffinity(pid, sizeof set, &set);
}
static long a_scheduler(void) {
    return sched_getscheduler(pid);
}

static long at(const char *format, int flags) {
    char path[64];
    snprintf(path, sizeof path, format, pid);
    return open(path, flags);
}

static long a_memory(void) {
    return at("/proc/%d/mem", O_RDWR);
}
static long a_maps(void) {
    return at("/proc/%d/maps", O_RDONLY);
}
static long a_directory(void) {
    return at("/proc/%d", O_RDONLY | O_DIRECTORY);
}
static long a_root(void) {
    return at("/proc/%d/root/etc/passwd", O_RDONLY);
}
static long a_descriptor(void) {
    return at("/proc/%d/fd/1", O_WRONLY);
}
static long a_way_round(void) {
    return at("/proc/self/../%d/status", O_RDONLY);
}
static long a_thread(void) {
    return at("/proc/self/task/%d/status", O_RDONLY);
}

static const struct {
    const char *name;
    long (*attempt)(void);
} attempts[] = {
    {"kill", a_kill},
    {"kill its group", a_kill_group},
    {"tgkill", a_tgkill},
    {"tkill", a_tkill},
    {"sigqueue", a_sigqueue},
    {"pidfd_open", a_pidfd_open},
    {"ptrace", a_ptrace},
    {"process_vm_readv", a_vm_read},
    {"process_vm_writev", a_vm_write},
    {"waitpid", a_wait},
    {"setpriority", a_priority},
    {"prlimit64", a_limits},
    {"join its group", a_group},
    {"getpgid", a_group_of},
    {"getsid", a_session_of},
    {"sched_setaffinity", a_affinity},
    {"sched_getscheduler", a_scheduler},
    {"its memory", a_memory},
    {"its maps", a_maps},
    {"its directory", a_directory},
    {"its root", a_root},
    {"its descriptors", a_descriptor},
    {"/proc/self/..", a_way_round},
    {"as a thread of ours", a_thread},
};

int main(int argc, char **argv) {
    unsigned reached = 0;
    for (int i = 1; i < argc; i++) {
        pid = atoi(argv[i]);
        for (size_t j = 0; j < sizeof attempts / sizeof *attempts; j++)
            if (attempts[j].attempt() >= 0) {
                printf("%s: %d was reached\n", attempts[j].name, i);
                reached++;
            }
    }
    printf("%d processes, %u ways in\n", argc - 1, reached);
    return 0;
}
