/* Terminals of the host. Characters and modes are the host's; job control (job_control.c) is the machine's,
 * because on the host all its processes are one. */
#include "kernel/terminal/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/kinds.h"
#include "kernel/process/identity.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"
#include "kernel/terminal/pty.h"

enum { MAJOR_AUXILIARY = 5, MINOR_TTY = 0, MINOR_PTMX = 2, MAJOR_SLAVES = 136, MAJOR_SLAVES_END = 144 };
static const uint64_t TENTH = 100000000; /* of a second, in ns */

/* ---- the machine's ---- */

int terminal_create(struct kernel *k) {
    struct terminals *all = inject_calloc(k->config.inject, 1, sizeof *all);
    if (!all)
        return -ENOMEM;
    LIST_INIT(&all->all);
    LIST_INIT(&all->ptys);
    all->outer_host = -1;
    k->terminals = all;
    return 0;
}

/* Thimble may be in the background meanwhile: then it is for the shell to set the modes. */
static void restore_modes(struct kernel *k) {
    const struct terminals *all = k->terminals;
    if (kernel_stop_reason(k) != KERNEL_FINISHED && all->outer && !terminal_is_outside(all->outer))
        (void)ioctl(all->outer_host, TCSETS, &all->modes);
}

void terminal_destroy(struct kernel *k) {
    struct terminals *all = k->terminals;
    if (all->outer_host >= 0) {
        restore_modes(k);
        close(all->outer_host);
    }
    terminal_unref(all->outer);
    free(all);
    k->terminals = NULL;
}

/* Who holds it, and what is said in job_control.c. */
static const char *verify_one(const struct kernel *k, const struct terminal *terminal) {
    unsigned holders = terminal == k->terminals->outer;
    const struct process *p;
    const struct pty *pty;
    TAILQ_FOREACH(p, &k->processes, of_machine) {
        holders += p->terminal == terminal;
        if (p->terminal == terminal && p->sid != terminal->session)
            return "a process has the terminal of another session";
    }
    LIST_FOREACH(pty, &k->terminals->ptys, of_machine)
        holders += pty->terminal == terminal;
    if (!terminal->session && terminal->foreground)
        return "a terminal without a session has a foreground";
    return holders == terminal->references ? NULL : "a terminal's references are not those who hold it";
}

const char *terminal_verify(const struct kernel *k) {
    const struct terminal *terminal;
    const struct pty *pty;
    const char *wrong = NULL;
    LIST_FOREACH(terminal, &k->terminals->all, of_machine)
        wrong = wrong ? wrong : verify_one(k, terminal);
    LIST_FOREACH(pty, &k->terminals->ptys, of_machine) {
        wrong = wrong ? wrong : discipline_check(pty->discipline);
        if (!pty->master && !pty->slaves)
            return "a pseudo-terminal that nobody has";
    }
    return wrong;
}

/* The device of a terminal of the host; 0: it is none. */
static dev_t device_of(int host) {
    unsigned device;
    if (ioctl(host, TIOCGDEV, &device) < 0)
        return 0;
    return makedev(device >> 8 & 0xfff, (device & 0xff) | (device >> 12 & 0xfff00));
}

/* Programs are begun in the foreground of their terminal as far as Thimble is. Those that have one of their
 * own are a session of their own, which a terminal of Thimble's cannot be for them. */
int terminal_start(struct process *first, int host) {
    struct terminals *all = first->kernel->terminals;
    bool own = host >= 0;
    int fd = own ? fcntl(host, F_DUPFD_CLOEXEC, 3) : open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    dev_t device = fd < 0 ? 0 : device_of(fd);
    all->outer = device ? terminal_get(first->kernel, device) : NULL;
    if (!all->outer) {
        if (fd >= 0)
            close(fd);
        return device ? -ENOMEM : 0;
    }
    all->outer_host = fd;
    if (ioctl(fd, TCGETS, &all->modes) < 0)
        return 0;
    if (own)
        first->sid = first->pgid = first->pid;
    else
        all->outer->host = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    terminal_control(all->outer, first);
    return 0;
}

uint32_t terminal_foreground(const struct kernel *k) {
    return k->terminals->outer ? k->terminals->outer->foreground : 0;
}

/* ---- opening ---- */

/* /dev/tty: whatever controls the process. A terminal of the host that does not control Thimble must be
 * opened by another name. */
static int open_controlling(struct thread *t, int host, int flags, struct file **ret_file) {
    const struct terminals *all = t->process->kernel->terminals;
    const struct terminal *terminal = t->process->terminal;
    if (!terminal)
        return -ENXIO;
    struct pty *pty = pty_find(t->process->kernel, terminal->device);
    if (pty)
        return pty_open_slave(pty, host, flags, ret_file);
    if (terminal != all->outer || terminal->host >= 0)
        return terminal == all->outer ? -ENODEV : -ENXIO;
    int own = fcntl(all->outer_host, F_DUPFD_CLOEXEC, 3);
    int r = own < 0 ? -errno : stream_create(t->process->kernel, own, flags, true, ret_file);
    if (r < 0 && own >= 0)
        close(own);
    if (r == 0)
        close(host);
    return r;
}

/* A terminal of the host. In a sandbox only the one that the programs began on can be had: others are other
 * people's. */
static int open_outside(struct thread *t, int host, int flags) {
    struct kernel *k = t->process->kernel;
    dev_t device = device_of(host);
    if (k->sandbox && (!k->terminals->outer || k->terminals->outer->device != device))
        return -EACCES;
    struct terminal *terminal = flags & O_NOCTTY ? NULL : terminal_get(k, device);
    if (terminal)
        terminal_opened(terminal, t, (flags & O_ACCMODE) != O_WRONLY);
    terminal_unref(terminal);
    return -ENODEV;
}

static int open_slave(struct thread *t, struct pty *pty, int host, int flags, struct file **ret_file) {
    int r = pty_open_slave(pty, host, flags & ~O_NOCTTY, ret_file);
    if (r == 0 && !(flags & O_NOCTTY))
        terminal_opened(pty->terminal, t, (flags & O_ACCMODE) != O_WRONLY);
    return r;
}

int terminal_open_file(struct thread *t, int host, int flags, struct file **ret_file) {
    struct kernel *k = t->process->kernel;
    struct stat st;
    if (flags & O_PATH || fstat(host, &st) < 0 || !S_ISCHR(st.st_mode))
        return -ENODEV;
    unsigned type = major(st.st_rdev), kept = (unsigned)flags & ~(unsigned)O_NOCTTY;
    if (type == MAJOR_AUXILIARY && minor(st.st_rdev) == MINOR_TTY)
        return open_controlling(t, host, (int)kept, ret_file);
    if (type == MAJOR_AUXILIARY && minor(st.st_rdev) == MINOR_PTMX)
        return pty_open_master(k, host, (int)kept, ret_file);
    struct pty *pty = type >= MAJOR_SLAVES && type < MAJOR_SLAVES_END ? pty_find(k, st.st_rdev) : NULL;
    if (pty)
        return open_slave(t, pty, host, flags, ret_file);
    return isatty(host) ? open_outside(t, host, flags) : -ENODEV;
}

int terminal_open_refused(struct thread *t, int directory, const char *name, int error) {
    struct stat st;
    if (error != ENXIO || !t->process->terminal || fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISCHR(st.st_mode) || st.st_rdev != makedev(MAJOR_AUXILIARY, MINOR_TTY))
        return -error;
    int host = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return host < 0 ? -errno : host;
}

/* ---- job control on the host's ---- */

static bool is_terminal_of(const struct file *f, const struct terminal *terminal) {
    return terminal && terminal->device == device_of(f->host);
}

int terminal_check(struct file *f, struct thread *t, int signal) {
    struct termios modes;
    if (signal == SIGTTOU && (ioctl(f->host, TCGETS, &modes) < 0 || !(modes.c_lflag & TOSTOP)))
        return 0;
    if (!t || !is_terminal_of(f, t->process->terminal))
        return 0;
    return terminal_admit(t->process->terminal, t, signal);
}

long terminal_wait(struct file *f, struct thread *t) {
    struct kernel *k = f->kernel;
    struct call *call = &t->call;
    struct termios modes;
    bool at_least_one = ioctl(f->host, TCGETS, &modes) < 0 || modes.c_lflag & ICANON || modes.c_cc[VMIN];
    if (!at_least_one && !modes.c_cc[VTIME])
        return 0;
    if (f->flags & O_NONBLOCK)
        return -EAGAIN;
    if (!at_least_one) {
        call->deadline = call->deadline ? call->deadline : clock_now(k) + modes.c_cc[VTIME] * TENTH;
        if (clock_now(k) >= call->deadline)
            return 0;
        sched_sleep_until(t, call->deadline);
    }
    sched_sleep_fd(t, f->host, POLLIN);
    return SYS_SLEEP;
}

/* ---- requests ---- */

/* False: it is not a matter of job control. */
static bool job_request(struct file *f, struct thread *t, unsigned request, uint64_t argument,
                        long *ret_result) {
    dev_t device = device_of(f->host);
    struct terminal *terminal = device ? terminal_get(f->kernel, device) : NULL;
    bool readable = (f->flags & O_ACCMODE) != O_WRONLY;
    bool mine = terminal && terminal_job_request(terminal, t, request, argument, false, readable, ret_result);
    terminal_unref(terminal);
    return mine;
}

/* Requests that the host answers: how many bytes go which way. */
static const struct passed {
    unsigned request;
    uint8_t in, out; /* bytes */
    bool changes;    /* the terminal: not from the background */
} passed[] = {
    {TCGETS, 0, sizeof(struct termios), false},
    {TCSETS, sizeof(struct termios), 0, true},
    {TCSETSW, sizeof(struct termios), 0, true},
    {TCSETSF, sizeof(struct termios), 0, true},
    {TCGETS2, 0, sizeof(struct termios2), false},
    {TCSETS2, sizeof(struct termios2), 0, true},
    {TCSETSW2, sizeof(struct termios2), 0, true},
    {TCSETSF2, sizeof(struct termios2), 0, true},
    {TCGETA, 0, 18, false},
    {TCSETA, 18, 0, true},
    {TCSETAW, 18, 0, true},
    {TCSETAF, 18, 0, true},
    {TIOCGWINSZ, 0, 8, false},
    {TIOCSWINSZ, 8, 0, false},
    {FIONREAD, 0, 4, false},
    {TIOCOUTQ, 0, 4, false},
    {TIOCGETD, 0, 4, false},
    {TCSBRK, 0, 0, true},
    {TCSBRKP, 0, 0, true},
    {TCFLSH, 0, 0, true},
    {TCXONC, 0, 0, true},
    {TIOCEXCL, 0, 0, false},
    {TIOCNXCL, 0, 0, false},
    {TIOCGEXCL, 0, 4, false},
    {TIOCGDEV, 0, 4, false},
    {TIOCSTI, 1, 0, false},
};

static long pass_on(struct file *f, struct thread *t, const struct passed *p, uint64_t argument) {
    struct space *space = t->process->space;
    char buffer[64];
    if (p->in && !isatty(f->host))
        return -ENOTTY;
    if (p->request == TIOCSTI && f->kernel->sandbox) /* typing at the shell outside is a way out */
        return -EIO;
    int r = p->changes && is_terminal_of(f, t->process->terminal)
                ? terminal_admit(t->process->terminal, t, SIGTTOU)
                : 0;
    if (r == 0 && p->in)
        r = user_read(space, argument, buffer, p->in);
    if (r < 0)
        return r;
    bool direct = !p->in && !p->out;
    if ((direct ? ioctl(f->host, p->request, argument) : ioctl(f->host, p->request, buffer)) < 0)
        return -errno;
    return p->out ? user_write(space, argument, buffer, p->out) : 0;
}

long terminal_ioctl(struct file *f, struct thread *t, unsigned request, uint64_t argument) {
    long result;
    if (isatty(f->host) && job_request(f, t, request, argument, &result))
        return result;
    for (size_t i = 0; i < ARRAY_LENGTH(passed); i++)
        if (passed[i].request == request)
            return pass_on(f, t, &passed[i], argument);
    return -ENOTTY;
}

/* ---- vhangup() ---- */

/* The host's terminal is not ours to hang up: that would be felt outside. */
static long sys_vhangup(struct thread *t, const uint64_t args[6]) {
    const struct terminal *terminal = t->process->terminal;
    if (!identity_capable(CAP_SYS_TTY_CONFIG))
        return -EPERM;
    struct pty *pty = terminal ? pty_find(t->process->kernel, terminal->device) : NULL;
    if (pty)
        pty_hang_up(pty);
    return terminal && !pty ? -EPERM : 0;
}

const struct syscall_entry syscalls_terminal[] = {
    {SYS_vhangup, "vhangup", sys_vhangup},
    {-1, NULL, NULL},
};
