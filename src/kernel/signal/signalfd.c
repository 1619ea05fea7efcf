/* Signals that are read as files (signalfd). The file has a mask; the signals are those of whoever reads. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kernel/kinds.h"
#include "kernel/signal/signal.h"

struct signal_set {
    uint64_t mask;
};

static bool is_fault(int signal) {
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGTRAP;
}

/* The members that a signal with this code has; the others are 0. */
static struct signalfd_siginfo describe(const siginfo_t *info) {
    struct signalfd_siginfo s = {
        .ssi_signo = (uint32_t)info->si_signo, .ssi_errno = info->si_errno, .ssi_code = info->si_code};
    bool by_kernel = info->si_code > 0 && info->si_code != SI_KERNEL;
    if (info->si_code == SI_TIMER) {
        s.ssi_tid = (uint32_t)info->si_timerid;
        s.ssi_overrun = (uint32_t)info->si_overrun;
    } else if (by_kernel && is_fault(info->si_signo)) {
        s.ssi_addr = (uint64_t)(uintptr_t)info->si_addr;
    } else {
        s.ssi_pid = (uint32_t)info->si_pid;
        s.ssi_uid = info->si_uid;
    }
    if (by_kernel && info->si_signo == SIGCHLD) {
        s.ssi_status = info->si_status;
        s.ssi_utime = (uint64_t)info->si_utime;
        s.ssi_stime = (uint64_t)info->si_stime;
    } else if (info->si_code < 0 && info->si_code != SI_TKILL) {
        s.ssi_int = info->si_value.sival_int;
        s.ssi_ptr = (uint64_t)(uintptr_t)info->si_value.sival_ptr;
    }
    return s;
}

static ssize_t signalfd_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    const struct signal_set *set = f->data;
    size_t done = 0;
    siginfo_t info;
    if (length < sizeof(struct signalfd_siginfo))
        return -EINVAL;
    while (length - done >= sizeof(struct signalfd_siginfo) && signal_dequeue(t, set->mask, &info)) {
        struct signalfd_siginfo s = describe(&info);
        memcpy((char *)to + done, &s, sizeof(s));
        done += sizeof(s);
    }
    if (done)
        return (ssize_t)done;
    if (f->flags & O_NONBLOCK)
        return -EAGAIN;
    sched_sleep_channel(t, &t->process->signals);
    sched_sleep_channel(t, &t->signals);
    return SYS_SLEEP;
}

static short signalfd_poll(struct file *f, struct thread *sleeper, short events) {
    const struct signal_set *set = f->data;
    const struct thread *t = f->kernel->current;
    return t && signal_pending_set(t) & set->mask ? events & (POLLIN | POLLRDNORM) : 0;
}

static int signalfd_stat(struct file *f, struct stat *ret_stat) {
    *ret_stat = (struct stat){.st_ino = 1, .st_mode = 0600, .st_nlink = 1, .st_blksize = PAGE_SIZE};
    return 0;
}

static void signalfd_release(struct file *f) {
    free(f->data);
}

static const struct file_ops signalfd_ops = {
    .record = sizeof(struct signalfd_siginfo),
    .fixed_position = true,
    .name = "signalfd",
    .read = signalfd_read,
    .poll = signalfd_poll,
    .stat = signalfd_stat,
    .release = signalfd_release,
};

int signalfd_create_file(struct kernel *k, uint64_t mask, int flags, struct file **ret_file) {
    struct signal_set *set = inject_malloc(k->config.inject, sizeof(*set));
    struct file *f = set ? file_create(k, &signalfd_ops, O_RDWR | (flags & SFD_NONBLOCK)) : NULL;
    if (!f) {
        free(set);
        return -ENOMEM;
    }
    set->mask = mask & ~SIGNAL_UNBLOCKABLE;
    f->data = set;
    *ret_file = f;
    return 0;
}

int signalfd_set_mask(struct file *f, uint64_t mask) {
    struct signal_set *set = f->data;
    if (f->ops != &signalfd_ops)
        return -EINVAL;
    set->mask = mask & ~SIGNAL_UNBLOCKABLE;
    return 0;
}
