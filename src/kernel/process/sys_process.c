/* Calls that make, change and end processes and threads: fork, vfork, clone, execve, exit, and who is who.
 * wait4 is wait.c's, what exec does exec.c's.
 *
 * clone() without CLONE_THREAD makes a process (with CLONE_VM one that borrows its parent's address space
 * until it execs), with CLONE_THREAD a thread of this process. There are no namespaces (EPERM) and no control
 * groups (EBADF). */
#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/process/exec.h"
#include "kernel/process/job_control.h"
#include "kernel/process/pidfd.h"
#include "kernel/process/thread.h"
#include "kernel/process/watch.h"
#include "kernel/schedule/sched.h"
#include "kernel/schedule/scheduling.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"

/* The arguments of clone(), whichever call they came by. */
struct clone_request {
    uint64_t flags; /* CLONE_*, without the signal */
    int exit_signal;
    uint64_t stack; /* 0: the parent's */
    uint64_t parent_tid, child_tid, tls;
    uint64_t pidfd;   /* where its descriptor is told */
    uint32_t set_tid; /* the number that it is to have; 0: the next one */
};

#define CLONE_NAMESPACES                                                                                     \
    ((uint64_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
                CLONE_NEWNET))

#define CLONE_CLEAR_SIGHAND_FLAG 0x100000000ULL
#define CLONE_NEWTIME_FLAG       0x80
#define CLONE_TID_MAX            (1 << 22) /* as pid_max of a 64-bit system can be */

/* ---- a copy of the process ---- */

static int clone_space(struct process *child, struct process *parent, uint64_t flags) {
    if (flags & CLONE_VM) {
        child->space = space_ref(parent->space);
        child->borrows_space = true;
        return 0;
    }
    int r = space_fork(parent->space, child->pid, &child->space);
    if (r == 0)
        watch_fork(child->kernel, space_page_table(parent->space), space_page_table(child->space));
    return r;
}

static int clone_files(struct process *child, struct process *parent, uint64_t flags) {
    child->descriptors =
        flags & CLONE_FILES ? descriptors_ref(parent->descriptors) : descriptors_copy(parent->descriptors);
    child->fs = flags & CLONE_FS ? pathfs_ref(parent->fs) : pathfs_copy(parent->fs);
    return child->descriptors && child->fs ? 0 : -ENOMEM;
}

/* What a child inherits by value. Pending signals, timers and figures start empty. */
static int clone_attributes(struct process *child, const struct process *parent, uint64_t flags) {
    struct inject *inject = parent->kernel->config.inject;
    child->actions = flags & CLONE_SIGHAND ? signal_actions_ref(parent->actions)
                                           : signal_actions_create(inject, parent->actions);
    memcpy(child->limits, parent->limits, sizeof child->limits);
    memcpy(child->comm, parent->comm, sizeof child->comm);
    memcpy(child->auxv, parent->auxv, sizeof child->auxv);
    child->auxv_count = parent->auxv_count;
    child->arg_start = parent->arg_start;
    child->arg_end = parent->arg_end;
    child->env_start = parent->env_start;
    child->env_end = parent->env_end;
    child->stack_start = parent->stack_start;
    child->dumpable = parent->dumpable;
    child->no_new_privs = parent->no_new_privs;
    child->no_huge_pages = parent->no_huge_pages;
    child->personality = parent->personality;
    child->exe = parent->exe ? inject_strdup(inject, parent->exe) : NULL;
    child->command = parent->command ? inject_strdup(inject, parent->command) : NULL;
    return !child->actions || (parent->exe && !child->exe) || (parent->command && !child->command) ? -ENOMEM
                                                                                                   : 0;
}

static void clone_thread_state(struct thread *child, const struct thread *parent,
                               const struct clone_request *c) {
    struct kernel *k = child->process->kernel;
    k->engine_ops->cpu_copy(k->engine, child->cpu, parent->cpu);
    k->engine_ops->set_register(k->engine, child->cpu, CPU_RAX, 0);
    if (c->stack)
        k->engine_ops->set_register(k->engine, child->cpu, CPU_RSP, c->stack);
    memcpy(child->comm, parent->comm, sizeof child->comm);
    if (c->flags & CLONE_SETTLS) {
        struct cpu_registers r;
        k->engine_ops->get_registers(k->engine, child->cpu, &r);
        r.fs_base = c->tls;
        k->engine_ops->set_registers(k->engine, child->cpu, &r);
    }
    scheduling_inherit(child, parent);
    child->memory_policy = parent->memory_policy;
    child->timer_slack = parent->timer_slack;
    child->blocked = parent->blocked;
    if (c->flags & CLONE_CHILD_CLEARTID)
        child->clear_child_tid = c->child_tid;
    child->altstack_flags = SS_DISABLE;
    bool keeps_altstack = !(c->flags & CLONE_VM) || (c->flags & CLONE_VFORK);
    if (keeps_altstack) {
        child->altstack_sp = parent->altstack_sp;
        child->altstack_size = parent->altstack_size;
        child->altstack_flags = parent->altstack_flags;
    }
}

/* The child's number in both memories, as far as they asked for it: failures to write are ignored, as in
 * Linux. */
static void clone_tell_tid(struct thread *parent, const struct thread *child, const struct clone_request *c) {
    if (c->flags & CLONE_PARENT_SETTID)
        user_write(parent->process->space, c->parent_tid, &child->tid, sizeof child->tid);
    if (c->flags & CLONE_CHILD_SETTID)
        user_write(child->process->space, c->child_tid, &child->tid, sizeof child->tid);
}

/* The thread that the child is of: the caller, or (CLONE_PARENT) the one that the caller's process is of. */
static void clone_join_family(struct thread *t, const struct clone_request *c, struct process *child) {
    struct process *parent = t->process;
    child->pgid = parent->pgid;
    child->sid = parent->sid;
    terminal_inherit(child, parent);
    child->parent_tid = c->flags & CLONE_PARENT ? parent->parent_tid : t->tid;
    child->exit_signal = c->flags & CLONE_PARENT ? parent->exit_signal : c->exit_signal;
}

/* CLONE_PIDFD: a descriptor of the caller's for the child. */
static int clone_open_pidfd(struct thread *t, const struct clone_request *c, struct process *child) {
    struct file *f;
    if (!(c->flags & CLONE_PIDFD))
        return 0;
    int r = pidfd_create_file(child->kernel, child, 0, &f);
    int fd = r < 0 ? r : descriptor_install_or_drop(t->process, f, true);
    if (fd < 0)
        return fd;
    if (user_write(t->process->space, c->pidfd, &fd, sizeof fd) == 0)
        return 0;
    descriptor_close(t->process, fd);
    return -EFAULT;
}

static int clone_process(struct thread *t, const struct clone_request *c, struct thread **ret_thread) {
    struct process *parent = t->process, *child;
    struct kernel *k = parent->kernel;
    int r = process_create(k, c->flags & CLONE_PARENT ? parent->parent : parent, c->set_tid, &child);
    if (r < 0)
        return r;
    clone_join_family(t, c, child);
    terminal_inherit(child, parent);
    r = clone_attributes(child, parent, c->flags);
    if (r == 0)
        r = clone_files(child, parent, c->flags);
    if (r == 0)
        r = thread_create(child, child->pid, ret_thread);
    if (r == 0)
        r = clone_space(child, parent, c->flags);
    if (r == 0)
        r = clone_open_pidfd(t, c, child);
    if (r < 0) {
        process_abandon(child);
        return r;
    }
    if (k->trace && k->trace->listening) {
        uint32_t caller = k->trace->pid;
        k->trace->pid = child->pid;
        trace_emit(k->trace, EVENT_PROCESS_CREATE, 0, parent->pid, space_page_table(child->space)->space, 0,
                   0, 0);
        k->trace->pid = caller;
    }
    return 0;
}

/* In Linux's order. There are no namespaces but the one: who asks for another lacks the right. */
static int clone_check(const struct thread *t, const struct clone_request *c) {
    uint64_t flags = c->flags;
    bool fs_and_namespace = (flags & CLONE_FS) && (flags & (CLONE_NEWNS | CLONE_NEWUSER));
    if (fs_and_namespace)
        return -EINVAL;
    if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
        return -EINVAL;
    if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
        return -EINVAL;
    if ((flags & CLONE_THREAD) && (flags & (CLONE_NEWUSER | CLONE_NEWPID)))
        return -EINVAL;
    if ((flags & CLONE_PIDFD) && (flags & (CLONE_DETACHED | CLONE_THREAD)))
        return -EINVAL;
    if (t->process->kernel->thread_count >= t->process->limits[RLIMIT_NPROC].rlim_cur)
        return -EAGAIN;
    if ((flags & CLONE_NEWIPC) && (flags & CLONE_SYSVSEM))
        return -EINVAL;
    if (flags & CLONE_NAMESPACES)
        return -EPERM;
    if ((flags & CLONE_SETTLS) && c->tls >= USER_END)
        return -EPERM;
    if (c->set_tid &&
        (thread_find(t->process->kernel, c->set_tid) || process_find(t->process->kernel, c->set_tid)))
        return -EEXIST;
    return 0;
}

/* The child exists since the first attempt: only vfork's parent comes here again. */
static long clone_wait_for_vfork(struct thread *t) {
    const struct process *child = process_find(t->process->kernel, (uint32_t)t->call.scratch);
    if (!child || !child->vfork_waiting)
        return (long)t->call.scratch;
    t->call.uninterruptible = true;
    sched_sleep_channel(t, child);
    return SYS_SLEEP;
}

static int clone_create(struct thread *t, const struct clone_request *c, struct thread **ret_child) {
    struct kernel *k = t->process->kernel;
    if (!(c->flags & CLONE_THREAD))
        return clone_process(t, c, ret_child);
    int r = thread_create(t->process, c->set_tid ? c->set_tid : k->next_pid, ret_child);
    if (r == 0)
        k->next_pid = max_u32(k->next_pid, (*ret_child)->tid + 1);
    return r;
}

static long clone_perform(struct thread *t, const struct clone_request *c) {
    struct thread *child;
    if (t->call.scratch)
        return clone_wait_for_vfork(t);
    int r = clone_check(t, c);
    if (r == 0)
        r = clone_create(t, c, &child);
    if (r < 0)
        return r;
    if (c->flags & CLONE_CLEAR_SIGHAND_FLAG)
        signal_reset_handlers(child->process);
    clone_thread_state(child, t, c);
    clone_tell_tid(t, child, c);
    uint32_t tid = child->tid;
    t->call.scratch = tid;
    thread_start(child);
    if (!(c->flags & CLONE_VFORK) || (c->flags & CLONE_THREAD))
        return tid;
    child->process->vfork_waiting = true;
    return clone_wait_for_vfork(t);
}

static long sys_clone(struct thread *t, const uint64_t args[6]) {
    struct clone_request c = {.flags = (uint32_t)args[0] & ~(uint64_t)CSIGNAL,
                              .exit_signal = (int)(args[0] & CSIGNAL),
                              .stack = args[1],
                              .parent_tid = args[2],
                              .child_tid = args[3],
                              .tls = args[4],
                              .pidfd = args[2]};
    if ((c.flags & CLONE_PIDFD) && (c.flags & CLONE_PARENT_SETTID)) /* both would be told at one place */
        return -EINVAL;
    return clone_perform(t, &c);
}

static long sys_fork(struct thread *t, const uint64_t args[6]) {
    return clone_perform(t, &(struct clone_request){.exit_signal = SIGCHLD});
}

static long sys_vfork(struct thread *t, const uint64_t args[6]) {
    return clone_perform(t, &(struct clone_request){.flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD});
}

/* struct clone_args of linux/sched.h in its three versions, of 64, 80 and 88 bytes. */
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    uint64_t set_tid, set_tid_size, cgroup;
};
enum { CLONE_ARGUMENTS_MIN = 64, CLONE_SET_TID_MAX = 32 };
#define CLONE_INTO_CGROUP_FLAG 0x200000000ULL

static int clone_read_arguments(struct thread *t, uint64_t address, uint64_t size,
                                struct clone_arguments *ret) {
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (size < CLONE_ARGUMENTS_MIN)
        return -EINVAL;
    *ret = (struct clone_arguments){0};
    if (user_read(t->process->space, address, ret, min_u64(size, sizeof *ret)) < 0)
        return -EFAULT;
    for (uint64_t at = sizeof *ret; at < size; at++) { /* members that we do not know */
        uint8_t later;
        if (user_read(t->process->space, address + at, &later, sizeof later) < 0)
            return -EFAULT;
        if (later)
            return -E2BIG;
    }
    return 0;
}

static int clone_check_arguments(const struct clone_arguments *a, uint64_t size) {
    const uint64_t known = UINT32_MAX | CLONE_CLEAR_SIGHAND_FLAG | CLONE_INTO_CGROUP_FLAG;
    uint64_t both = CLONE_SIGHAND | CLONE_CLEAR_SIGHAND_FLAG;
    if (a->set_tid_size > CLONE_SET_TID_MAX || !a->set_tid != !a->set_tid_size)
        return -EINVAL;
    if (a->exit_signal > SIGNAL_COUNT)
        return -EINVAL;
    if ((a->flags & CLONE_INTO_CGROUP_FLAG) && (a->cgroup > INT32_MAX || size < sizeof *a))
        return -EINVAL;
    if ((a->flags & ~known) || (a->flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME_FLAG))))
        return -EINVAL;
    if ((a->flags & both) == both)
        return -EINVAL;
    if ((a->flags & (CLONE_THREAD | CLONE_PARENT)) && a->exit_signal)
        return -EINVAL;
    if (!a->stack != !a->stack_size)
        return -EINVAL;
    if (a->stack >= USER_END || a->stack_size > USER_END - a->stack)
        return -EINVAL;
    return a->flags & CLONE_INTO_CGROUP_FLAG ? -EBADF : 0; /* there is no group to be in */
}

/* The number that the child is to have: a privilege. One level of process numbers is all there is. */
static int clone_read_tid(struct thread *t, const struct clone_arguments *a, uint32_t *ret_tid) {
    int32_t tid;
    *ret_tid = 0;
    if (a->set_tid_size == 0)
        return 0;
    if (user_read(t->process->space, a->set_tid, &tid, sizeof tid) < 0)
        return -EFAULT;
    if (a->set_tid_size > 1 || tid < 1 || tid >= CLONE_TID_MAX)
        return -EINVAL;
    *ret_tid = (uint32_t)tid;
    if (geteuid() != 0)
        return -EPERM;
    return tid == PID_OF_MACHINE ? -EEXIST : 0;
}

static long sys_clone3(struct thread *t, const uint64_t args[6]) {
    struct clone_arguments a;
    uint32_t tid;
    int r = clone_read_arguments(t, args[0], args[1], &a);
    if (r == 0)
        r = clone_check_arguments(&a, args[1]);
    if (r == 0)
        r = clone_read_tid(t, &a, &tid);
    if (r < 0)
        return r;
    struct clone_request c = {.flags = a.flags,
                              .exit_signal = (int)a.exit_signal,
                              .stack = a.stack + a.stack_size,
                              .parent_tid = a.parent_tid,
                              .child_tid = a.child_tid,
                              .tls = a.tls,
                              .pidfd = a.pidfd,
                              .set_tid = tid};
    return clone_perform(t, &c);
}

/* ---- exec ---- */

/* Most strings of an argv or envp, most bytes of one of them and of all: stack.c checks the exact limits. */
enum { EXEC_VECTOR_MAX = 1 << 20, EXEC_STRING_MAX = 32 * PAGE_SIZE, EXEC_TOTAL_MAX = 6 << 20 };

static void exec_free_vector(char **vector) {
    for (char **string = vector; vector && *string; string++)
        free(*string);
    free(vector);
}

static int exec_read_string(struct space *space, uint64_t address, char *buffer, char **ret_string) {
    ssize_t n = user_string(space, address, buffer, EXEC_STRING_MAX);
    if (n < 0)
        return n == -ENAMETOOLONG ? -E2BIG : (int)n;
    *ret_string = strdup(buffer);
    return *ret_string ? 0 : -ENOMEM;
}

static int exec_count_pointers(struct space *space, uint64_t address, size_t *ret_count) {
    uint64_t pointer;
    for (*ret_count = 0; *ret_count < EXEC_VECTOR_MAX; ++*ret_count) {
        if (user_read(space, address + *ret_count * sizeof pointer, &pointer, sizeof pointer) < 0)
            return -EFAULT;
        if (pointer == 0)
            return 0;
    }
    return -E2BIG;
}

/* The NULL-terminated vector of strings at `address` (0: empty), in host memory. */
static int exec_read_vector(struct space *space, uint64_t address, char ***ret_vector) {
    size_t count = 0, total = 0;
    int r = address ? exec_count_pointers(space, address, &count) : 0;
    if (r < 0)
        return r;
    char **vector = calloc(count + 1, sizeof *vector), *buffer = malloc(EXEC_STRING_MAX);
    r = vector && buffer ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < count; i++) {
        uint64_t pointer;
        r = user_read(space, address + i * sizeof pointer, &pointer, sizeof pointer);
        if (r == 0)
            r = exec_read_string(space, pointer, buffer, &vector[i]);
        if (r == 0 && (total += strlen(vector[i]) + 1) > EXEC_TOTAL_MAX)
            r = -E2BIG;
    }
    free(buffer);
    if (r < 0)
        exec_free_vector(vector);
    else
        *ret_vector = vector;
    return r;
}

/* What is to be executed: a path, or (execveat) a descriptor. */
struct exec_target {
    int dirfd;
    uint64_t flags;
    char path[PATH_MAX];
};

static int exec_open_target(struct thread *t, struct exec_target *target, struct file **ret_file) {
    bool by_descriptor = target->path[0] == '\0' && (target->flags & AT_EMPTY_PATH);
    if (by_descriptor) {
        struct file *file = descriptor_file(t->process, target->dirfd);
        if (!file)
            return -EBADF;
        *ret_file = file_ref(file);
        snprintf(target->path, sizeof target->path, "/dev/fd/%d", target->dirfd);
    } else {
        int open_flags = O_RDONLY | (target->flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0);
        int r = file_open(t, target->dirfd, target->path, open_flags, 0, ret_file);
        if (r < 0)
            return r;
    }
    int r = file_may_execute(*ret_file);
    if (r < 0)
        file_unref(*ret_file);
    return r;
}

static long exec_perform(struct thread *t, struct exec_target *target, uint64_t path, uint64_t argv_at,
                         uint64_t envp_at) {
    struct space *space = t->process->space;
    char **argv = NULL, **envp = NULL;
    struct file *file;
    ssize_t n = user_string(space, path, target->path, sizeof target->path);
    if (n < 0)
        return n;
    int r = exec_open_target(t, target, &file);
    if (r < 0)
        return r;
    r = exec_read_vector(space, argv_at, &argv);
    if (r == 0)
        r = exec_read_vector(space, envp_at, &envp);
    if (r == 0)
        r = exec_file(t, file, target->path, argv, envp);
    exec_free_vector(argv);
    exec_free_vector(envp);
    file_unref(file);
    return r < 0 ? r : SYS_NO_RETURN;
}

static long sys_execve(struct thread *t, const uint64_t args[6]) {
    struct exec_target target = {.dirfd = AT_FDCWD};
    return exec_perform(t, &target, args[0], args[1], args[2]);
}

static long sys_execveat(struct thread *t, const uint64_t args[6]) {
    struct exec_target target = {.dirfd = (int)args[0], .flags = args[4]};
    if (args[4] & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    return exec_perform(t, &target, args[1], args[2], args[3]);
}

/* ---- the end ---- */

static long sys_exit(struct thread *t, const uint64_t args[6]) {
    t->process->exit_of_last = wait_status_exited((int)args[0]);
    t->kill_now = true;
    return SYS_NO_RETURN;
}

static long sys_exit_group(struct thread *t, const uint64_t args[6]) {
    process_kill(t->process, wait_status_exited((int)args[0]));
    return SYS_NO_RETURN;
}

/* ---- who is who ---- */

static long sys_getpid(struct thread *t, const uint64_t args[6]) {
    return t->process->pid;
}

static long sys_gettid(struct thread *t, const uint64_t args[6]) {
    return t->tid;
}

static long sys_getppid(struct thread *t, const uint64_t args[6]) {
    return t->process->parent ? t->process->parent->pid : PID_OF_MACHINE;
}

static long sys_set_tid_address(struct thread *t, const uint64_t args[6]) {
    t->clear_child_tid = args[0];
    return t->tid;
}

static long sys_arch_prctl(struct thread *t, const uint64_t args[6]) {
    struct kernel *k = t->process->kernel;
    struct cpu_registers r;
    k->engine_ops->get_registers(k->engine, t->cpu, &r);
    switch (args[0]) {
    case ARCH_SET_FS: r.fs_base = args[1]; break;
    case ARCH_SET_GS: r.gs_base = args[1]; break;
    case ARCH_GET_FS: return user_write(t->process->space, args[1], &r.fs_base, sizeof r.fs_base);
    case ARCH_GET_GS: return user_write(t->process->space, args[1], &r.gs_base, sizeof r.gs_base);
    default: return -EINVAL;
    }
    if (args[1] >= USER_END)
        return -EPERM;
    k->engine_ops->set_registers(k->engine, t->cpu, &r);
    return 0;
}

const struct syscall_entry syscalls_process[] = {
    {SYS_clone, "clone", sys_clone},
    {SYS_clone3, "clone3", sys_clone3},
    {SYS_fork, "fork", sys_fork},
    {SYS_vfork, "vfork", sys_vfork},
    {SYS_execve, "execve", sys_execve},
    {SYS_execveat, "execveat", sys_execveat},
    {SYS_exit, "exit", sys_exit},
    {SYS_exit_group, "exit_group", sys_exit_group},
    {SYS_getpid, "getpid", sys_getpid},
    {SYS_gettid, "gettid", sys_gettid},
    {SYS_getppid, "getppid", sys_getppid},
    {SYS_set_tid_address, "set_tid_address", sys_set_tid_address},
    {SYS_arch_prctl, "arch_prctl", sys_arch_prctl},
    {-1, NULL, NULL},
};
