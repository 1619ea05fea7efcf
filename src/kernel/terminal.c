/* Terminals. Characters and modes are the host terminal's; job control is the machine's, because on the host
 * all its processes are one: which group is in the foreground (kernel->foreground), which session the
 * terminal belongs to, who is stopped for touching it from the background. */
#include "kernel/terminal.h"

#include <asm/termbits.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/signal.h"

pid_t tcgetsid(int fd); /* <termios.h> cannot be had together with the kernel's struct termios */

struct terminal {
    uint32_t session; /* that it controls; 0: that of the programs that the machine was started with */
};

int terminal_create(struct kernel *k) {
    k->terminal = inject_calloc(k->config.inject, 1, sizeof(*k->terminal));
    return k->terminal ? 0 : -ENOMEM;
}

void terminal_destroy(struct kernel *k) {
    free(k->terminal);
    k->terminal = NULL;
}

uint32_t terminal_foreground(const struct kernel *k) {
    return k->foreground;
}

static uint32_t terminal_session(struct kernel *k) {
    const struct process *program = process_first_program(k);
    return k->terminal->session ? k->terminal->session : program ? program->sid : 0;
}

/* Whether the file is the terminal that controls the process's session. */
static bool controls(struct file *f, const struct thread *t) {
    return t->process->sid == terminal_session(f->kernel) && tcgetsid(f->host) == getsid(0);
}

/* ---- access from the background ---- */

static bool group_is_orphaned(struct kernel *k, uint32_t group) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine) {
        if (p->pgid == group && p->state == PROCESS_ALIVE && p->parent && p->parent->pgid != group &&
            p->parent->sid == p->sid)
            return false;
    }
    return true;
}

static void signal_group(struct kernel *k, uint32_t group, int signal) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine) {
        if (p->pgid == group && p->state == PROCESS_ALIVE)
            signal_send_process(p, signal, NULL);
    }
}

static bool signal_is_held(const struct thread *t, int signal) {
    return t->blocked & signal_bit(signal) ||
           t->process->actions[signal].handler == (uint64_t)(uintptr_t)SIG_IGN;
}

static int stop_background(struct thread *t, int signal) {
    struct process *p = t->process;
    if (group_is_orphaned(p->kernel, p->pgid))
        return -EIO;
    signal_group(p->kernel, p->pgid, signal);
    return -K_ERESTARTSYS;
}

int terminal_check(struct file *f, struct thread *t, int signal) {
    if (!t || t->process->pgid == f->kernel->foreground || !controls(f, t))
        return 0;
    struct termios modes;
    if (signal == SIGTTOU && ioctl(f->host, TCGETS, &modes) == 0 && !(modes.c_lflag & TOSTOP))
        return 0;
    if (signal_is_held(t, signal))
        return signal == SIGTTIN ? -EIO : 0;
    return stop_background(t, signal);
}

/* Changing the terminal from the background stops whatever TOSTOP says. */
static int check_change(struct file *f, struct thread *t) {
    if (t->process->pgid == f->kernel->foreground || !controls(f, t) || signal_is_held(t, SIGTTOU))
        return 0;
    return stop_background(t, SIGTTOU);
}

/* ---- requests ---- */

static bool group_in_session(struct kernel *k, uint32_t group, uint32_t session) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine) {
        if (p->pgid == group && p->sid == session)
            return true;
    }
    return false;
}

static long set_foreground(struct file *f, struct thread *t, uint64_t argument) {
    struct kernel *k = f->kernel;
    uint32_t group;
    int r = user_read(t->process->space, argument, &group, sizeof(group));
    if (r == 0)
        r = check_change(f, t);
    if (r < 0)
        return r;
    if ((int32_t)group < 0)
        return -EINVAL;
    if (!group_in_session(k, group, t->process->sid))
        return -EPERM;
    k->foreground = group;
    return 0;
}

static long take_terminal(struct thread *t) {
    struct process *p = t->process;
    struct kernel *k = p->kernel;
    if (p->sid != p->pid)
        return -EPERM;
    struct process *owner = process_find(k, terminal_session(k));
    if (owner && owner->sid != p->sid && owner->state == PROCESS_ALIVE)
        return -EPERM;
    k->terminal->session = p->sid;
    k->foreground = p->pgid;
    return 0;
}

/* False: not a matter of job control. */
static bool job_control(struct file *f, struct thread *t, unsigned request, uint64_t argument,
                        long *ret_result) {
    uint32_t value;
    switch (request) {
    case TIOCSCTTY: *ret_result = take_terminal(t); return true;
    case TIOCGPGRP: value = f->kernel->foreground; break;
    case TIOCGSID: value = terminal_session(f->kernel); break;
    case TIOCSPGRP: value = 0; break;
    default: return false;
    }
    if (!controls(f, t))
        *ret_result = -ENOTTY;
    else if (request == TIOCSPGRP)
        *ret_result = set_foreground(f, t, argument);
    else
        *ret_result = user_write(t->process->space, argument, &value, sizeof(value));
    return true;
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
    {TIOCGWINSZ, 0, 8, false},
    {TIOCSWINSZ, 8, 0, false},
    {FIONREAD, 0, 4, false},
    {TIOCOUTQ, 0, 4, false},
    {TIOCGPTN, 0, 4, false},
    {TIOCSPTLCK, 4, 0, false},
    {TIOCGETD, 0, 4, false},
    {TCSBRK, 0, 0, true},
    {TCFLSH, 0, 0, true},
    {TCXONC, 0, 0, true},
    {TIOCEXCL, 0, 0, false},
    {TIOCNXCL, 0, 0, false},
};

long terminal_ioctl(struct file *f, struct thread *t, unsigned request, uint64_t argument) {
    struct space *space = t->process->space;
    char buffer[64];
    long result;
    if (isatty(f->host) && job_control(f, t, request, argument, &result))
        return result;
    for (size_t i = 0; i < ARRAY_LENGTH(passed); i++) {
        const struct passed *p = &passed[i];
        if (p->request != request)
            continue;
        int r = p->changes && isatty(f->host) ? check_change(f, t) : 0;
        if (r == 0 && p->in)
            r = user_read(space, argument, buffer, p->in);
        if (r < 0)
            return r;
        bool direct = !p->in && !p->out;
        if ((direct ? ioctl(f->host, request, argument) : ioctl(f->host, request, buffer)) < 0)
            return -errno;
        return p->out ? user_write(space, argument, buffer, p->out) : 0;
    }
    return -ENOTTY;
}
