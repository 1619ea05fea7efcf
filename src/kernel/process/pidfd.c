/* Descriptors that refer to processes, and the calls that use them: pidfd_open, pidfd_send_signal,
 * pidfd_getfd, process_mrelease, and process_madvise's and waitid's way to a process.
 *
 * A number is never used again on this machine, so the number is all that such a file holds: nobody has to
 * tell it that its process is gone. */
#include "kernel/process/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kernel/files/descriptor.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"

struct pidfd {
    uint32_t pid;
};

static struct process *pidfd_find(struct file *f) {
    return process_find(f->kernel, ((struct pidfd *)f->data)->pid);
}

/* Readable once the process has ended; process_end() wakes who waits for that. */
static short pidfd_poll(struct file *f, struct thread *sleeper, short events) {
    const struct process *p = pidfd_find(f);
    int ready = !p ? POLLIN | POLLRDNORM | POLLHUP : p->state == PROCESS_ZOMBIE ? POLLIN | POLLRDNORM : 0;
    if (sleeper && p)
        sched_sleep_channel(sleeper, p);
    return (short)(ready & (events | POLLHUP));
}

static int pidfd_stat(struct file *f, struct stat *ret_stat) {
    *ret_stat = (struct stat){.st_ino = ((struct pidfd *)f->data)->pid,
                              .st_mode = S_IFREG | 0700,
                              .st_uid = geteuid(),
                              .st_gid = getegid(),
                              .st_nlink = 1,
                              .st_blksize = PAGE_SIZE};
    return 0;
}

static void pidfd_release(struct file *f) {
    free(f->data);
}

static const struct file_ops pidfd_ops = {
    .name = "[pidfd]",
    .poll = pidfd_poll,
    .stat = pidfd_stat,
    .release = pidfd_release,
    .no_splice = true,
};

int pidfd_create_file(struct kernel *k, struct process *p, int flags, struct file **ret_file) {
    struct pidfd *pidfd = inject_malloc(k->config.inject, sizeof *pidfd);
    struct file *f = pidfd ? file_create(k, &pidfd_ops, O_RDWR | (flags & O_NONBLOCK)) : NULL;
    if (!f) {
        free(pidfd);
        return -ENOMEM;
    }
    pidfd->pid = p->pid;
    f->data = pidfd;
    *ret_file = f;
    return 0;
}

int pidfd_process(struct file *f, struct process **ret_process) {
    if (f->ops != &pidfd_ops)
        return -EBADF;
    *ret_process = pidfd_find(f);
    return 0;
}

/* The process that the caller's descriptor refers to. 0, -EBADF, or -ESRCH: it was waited for. */
static int pidfd_lookup(struct thread *t, int fd, struct process **ret_process) {
    struct file *f = descriptor_file(t->process, fd);
    int r = f ? pidfd_process(f, ret_process) : -EBADF;
    return r == 0 && !*ret_process ? -ESRCH : r;
}

static long sys_pidfd_open(struct thread *t, const uint64_t args[6]) {
    struct kernel *k = t->process->kernel;
    struct file *f;
    if ((uint32_t)args[1] & ~(unsigned)O_NONBLOCK || (int32_t)args[0] <= 0)
        return -EINVAL;
    struct process *p = process_find(k, (uint32_t)args[0]);
    if (!p)
        return thread_find(k, (uint32_t)args[0]) ? -EINVAL : -ESRCH;
    int r = pidfd_create_file(k, p, (int)args[1], &f);
    return r < 0 ? r : descriptor_install_or_drop(t->process, f, true);
}

/* As rt_sigqueueinfo: only to itself may a process pretend to be the kernel or kill(). */
static int pidfd_read_info(struct thread *t, uint64_t at, const struct process *to, int signal,
                           siginfo_t *ret_info) {
    if (user_read(t->process->space, at, ret_info, sizeof *ret_info) < 0)
        return -EFAULT;
    if (ret_info->si_signo != signal)
        return -EINVAL;
    return to != t->process && (ret_info->si_code >= 0 || ret_info->si_code == SI_TKILL) ? -EPERM : 0;
}

static long sys_pidfd_send_signal(struct thread *t, const uint64_t args[6]) {
    int signal = (int)args[1], r;
    siginfo_t info = {.si_signo = signal, .si_code = SI_USER};
    struct process *to = NULL;
    struct file *f = descriptor_file(t->process, (int)args[0]);
    if ((uint32_t)args[3])
        return -EINVAL;
    r = f ? pidfd_process(f, &to) : -EBADF;
    if (r < 0)
        return r;
    info.si_pid = (pid_t)t->process->pid;
    info.si_uid = getuid();
    if (args[2])
        r = pidfd_read_info(t, args[2], to, signal, &info);
    if (r == 0 && !to)
        r = -ESRCH;
    if (r == 0 && (signal < 0 || signal > SIGNAL_COUNT))
        r = -EINVAL;
    if (r == 0 && signal && to->state == PROCESS_ALIVE)
        r = signal_send_process(to, signal, &info);
    return r;
}

static long sys_pidfd_getfd(struct thread *t, const uint64_t args[6]) {
    struct process *from;
    if ((uint32_t)args[2])
        return -EINVAL;
    int r = pidfd_lookup(t, (int)args[0], &from);
    if (r < 0)
        return r;
    if (from->state != PROCESS_ALIVE)
        return -ESRCH;
    struct file *f = descriptor_file(from, (int)args[1]);
    return f ? descriptor_install_or_drop(t->process, file_ref(f), true) : -EBADF;
}

/* The memory of a process that was killed is given back when it ends, which it does at its next turn. */
static long sys_process_mrelease(struct thread *t, const uint64_t args[6]) {
    struct process *p;
    if ((uint32_t)args[1])
        return -EINVAL;
    int r = pidfd_lookup(t, (int)args[0], &p);
    if (r < 0)
        return r;
    if (p->state == PROCESS_ZOMBIE)
        return -ESRCH;
    return p->dying ? 0 : -EINVAL;
}

const struct syscall_entry syscalls_pidfd[] = {
    {SYS_pidfd_open, "pidfd_open", sys_pidfd_open},
    {SYS_pidfd_send_signal, "pidfd_send_signal", sys_pidfd_send_signal},
    {SYS_pidfd_getfd, "pidfd_getfd", sys_pidfd_getfd},
    {SYS_process_mrelease, "process_mrelease", sys_process_mrelease},
    {-1, NULL, NULL},
};
