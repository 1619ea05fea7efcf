/* wait4() and waitid(): a parent learns what became of its children. Zombies are reaped here; stops and
 * continuations are told once.
 *
 * Source: Linux 6.1 kernel/exit.c, POSIX wait(3p). A child of any of a process's
 * threads is a child of all. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/condition.h"
#include "kernel/files/descriptor.h"
#include "kernel/process/pidfd.h"
#include "kernel/process/resource.h"
#include "kernel/process/thread.h"
#include "kernel/syscall.h"

#ifndef __WNOTHREAD
#define __WNOTHREAD 0x20000000
#define __WALL      0x40000000
#define __WCLONE    0x80000000
#endif

/* Which children, and which of their changes. */
struct wait_request {
    idtype_t type;
    uint32_t id;
    unsigned options; /* WEXITED and WSTOPPED said explicitly, also for wait4 */
    bool nonblocking; /* by a descriptor that is */
};

/* One change of one child. */
struct wait_result {
    uint32_t pid;
    int status; /* as wait4 gives it */
    struct rusage usage;
};

static bool wait_matches(const struct process *child, const struct thread *t,
                         const struct wait_request *request) {
    bool clone_child = child->exit_signal != SIGCHLD;
    if ((request->options & __WNOTHREAD) && child->parent_tid != t->tid)
        return false;
    if (!(request->options & __WALL) && clone_child != !!(request->options & __WCLONE))
        return false;
    switch (request->type) {
    case P_PIDFD:
    case P_PID: return child->pid == request->id;
    case P_PGID: return child->pgid == request->id;
    case P_ALL: return true;
    }
    return false;
}

/* Whether the child has something to tell; its status, and it is told now unless WNOWAIT. */
static bool wait_take(struct process *child, const struct wait_request *request, struct wait_result *ret) {
    bool keep = request->options & WNOWAIT;
    ret->pid = child->pid;
    resource_usage_with_children(child, &ret->usage);
    if (child->state == PROCESS_ZOMBIE && (request->options & WEXITED)) {
        ret->status = child->wait_status;
        if (!keep)
            process_reap(child);
        return true;
    }
    if (child->stop_signal && child->stop_waitable && (request->options & WSTOPPED)) {
        ret->status = wait_status_stopped(child->stop_signal);
        child->stop_waitable = keep;
        return true;
    }
    if (child->continue_waitable && (request->options & WCONTINUED)) {
        ret->status = WAIT_STATUS_CONTINUED;
        child->continue_waitable = keep;
        return true;
    }
    return false;
}

/* 1 with a result; 0 when there is nothing yet and WNOHANG; SYS_SLEEP; -ECHILD. */
static long wait_for_child(struct thread *t, const struct wait_request *request, struct wait_result *ret) {
    struct process *child, *p = t->process;
    bool any = false;
    TAILQ_FOREACH(child, &p->children, sibling) {
        if (!wait_matches(child, t, request))
            continue;
        any = true;
        if (wait_take(child, request, ret))
            return 1;
    }
    if (!any)
        return -ECHILD;
    if (request->options & WNOHANG)
        return 0;
    if (request->nonblocking)
        return -EAGAIN;
    sched_sleep_channel(t, &p->children);
    return SYS_SLEEP;
}

static long sys_wait4(struct thread *t, const uint64_t args[6]) {
    struct process *p = t->process;
    int32_t pid = (int32_t)args[0];
    unsigned options = (unsigned)args[2];
    struct wait_request request = {.options = options | WEXITED};
    struct wait_result result;
    if (options & ~(unsigned)(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE))
        return -EINVAL;
    if (pid == INT32_MIN)
        return -ESRCH;
    if (pid == -1)
        request.type = P_ALL;
    else if (pid > 0)
        request.type = P_PID, request.id = (uint32_t)pid;
    else
        request.type = P_PGID, request.id = pid ? (uint32_t)-pid : p->pgid;
    long r = wait_for_child(t, &request, &result);
    if (r != 1)
        return r;
    if (args[1] && user_write(p->space, args[1], &result.status, sizeof result.status) < 0)
        return -EFAULT;
    if (args[3])
        condition_note_memory(p->kernel, "wait4 (rusage)");
    if (args[3] && user_write(p->space, args[3], &result.usage, sizeof result.usage) < 0)
        return -EFAULT;
    return result.pid;
}

/* The members of a siginfo_t that waitid() fills; it leaves the others alone. */
static int wait_write_info(struct thread *t, uint64_t address, const struct wait_result *result) {
    struct {
        int32_t signal, error, code, padding, pid;
        uint32_t uid;
        int32_t status;
    } info = {0};
    _Static_assert(offsetof(siginfo_t, si_pid) == 16 && offsetof(siginfo_t, si_status) == 24,
                   "the layout is the ABI's");
    if (result) {
        info.signal = SIGCHLD;
        info.pid = (int32_t)result->pid;
        info.uid = getuid();
        if (WIFEXITED(result->status))
            info.code = CLD_EXITED, info.status = WEXITSTATUS(result->status);
        else if (WIFSIGNALED(result->status))
            info.code = CLD_KILLED, info.status = WTERMSIG(result->status);
        else if (WIFSTOPPED(result->status))
            info.code = CLD_STOPPED, info.status = WSTOPSIG(result->status);
        else
            info.code = CLD_CONTINUED, info.status = SIGCONT;
    }
    if (user_write(t->process->space, address, &info, 3 * sizeof info.signal) < 0 ||
        user_write(t->process->space, address + offsetof(siginfo_t, si_pid), &info.pid, 3 * sizeof info.pid) <
            0)
        return -EFAULT;
    return 0;
}

/* Which process the descriptor is of. */
static int waitid_find(struct process *p, int fd, struct wait_request *ret_request) {
    struct file *f = descriptor_file(p, fd);
    struct process *child = NULL;
    int r = f ? pidfd_process(f, &child) : -EBADF;
    ret_request->id = child ? child->pid : 0;
    if (r == 0 && (f->flags & O_NONBLOCK))
        ret_request->nonblocking = true;
    return r;
}

static int waitid_parse(struct process *p, const uint64_t args[6], struct wait_request *ret_request) {
    unsigned options = (unsigned)args[3];
    int32_t id = (int32_t)args[1];
    *ret_request = (struct wait_request){.type = (idtype_t)args[0], .id = (uint32_t)id, .options = options};
    if (options &
        ~(unsigned)(WNOHANG | WEXITED | WSTOPPED | WCONTINUED | WNOWAIT | __WNOTHREAD | __WALL | __WCLONE))
        return -EINVAL;
    if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
        return -EINVAL;
    switch (ret_request->type) {
    case P_ALL: return 0;
    case P_PID: return id > 0 ? 0 : -EINVAL;
    case P_PGID:
        if (id == 0)
            ret_request->id = p->pgid;
        return id >= 0 ? 0 : -EINVAL;
    case P_PIDFD: return id < 0 ? -EINVAL : waitid_find(p, id, ret_request);
    }
    return -EINVAL;
}

/* As in Linux, also a call that fails says in *infop that it found nobody. */
static long sys_waitid(struct thread *t, const uint64_t args[6]) {
    struct wait_request request;
    struct wait_result result;
    long r = waitid_parse(t->process, args, &request);
    if (r == 0)
        r = wait_for_child(t, &request, &result);
    if (r == SYS_SLEEP && !t->call.interrupted)
        return r;
    bool found = r == 1;
    if (found && args[4])
        condition_note_memory(t->process->kernel, "waitid (rusage)");
    if (found && args[4] && user_write(t->process->space, args[4], &result.usage, sizeof result.usage) < 0)
        return -EFAULT;
    if (args[2] && wait_write_info(t, args[2], found ? &result : NULL) < 0)
        return -EFAULT;
    return found ? 0 : r;
}

const struct syscall_entry syscalls_wait[] = {
    {SYS_wait4, "wait4", sys_wait4},
    {SYS_waitid, "waitid", sys_waitid},
    {-1, NULL, NULL},
};
