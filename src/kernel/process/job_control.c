/* Job control, as Linux 6 has it (drivers/tty/tty_jobctrl.c is what programs have come to depend on): the
 * order of checks, who gets SIGHUP, and when a background process gets EIO instead of a signal.
 *
 * Invariants: the processes that have a terminal as theirs (process.terminal) are of its session; a terminal
 * without a session has no foreground. The programs that the machine starts with belong to a session that is
 * led from outside, unless Thimble leads it. */
#include "kernel/process/job_control.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kernel/process/identity.h"
#include "kernel/process/thread.h"
#include "kernel/signal/signal.h"
#include "kernel/terminal/terminal.h"

struct terminal *terminal_get(struct kernel *k, dev_t device) {
    struct terminal *terminal;
    LIST_FOREACH(terminal, &k->terminals->all, of_machine) {
        if (terminal->device == device) {
            terminal->references++;
            return terminal;
        }
    }
    terminal = inject_calloc(k->config.inject, 1, sizeof *terminal);
    if (!terminal)
        return NULL;
    *terminal = (struct terminal){.kernel = k, .references = 1, .device = device, .host = -1};
    LIST_INSERT_HEAD(&k->terminals->all, terminal, of_machine);
    return terminal;
}

void terminal_unref(struct terminal *terminal) {
    if (!terminal || --terminal->references)
        return;
    LIST_REMOVE(terminal, of_machine);
    if (terminal->host >= 0)
        close(terminal->host);
    free(terminal);
}

static void terminal_assign(struct process *p, struct terminal *terminal) {
    struct terminal *before = p->terminal;
    p->terminal = terminal;
    if (terminal)
        terminal->references++;
    terminal_unref(before);
}

/* ---- foreground and background ---- */

bool terminal_is_outside(const struct terminal *terminal) {
    pid_t group = terminal->host >= 0 ? tcgetpgrp(terminal->host) : -1;
    return group >= 0 && group != getpgrp();
}

uint32_t terminal_group(const struct terminal *terminal) {
    return terminal_is_outside(terminal) ? 0 : terminal->foreground;
}

static void signal_group(struct kernel *k, uint32_t group, int signal) {
    struct process *p, *next;
    TAILQ_FOREACH_SAFE(p, &k->processes, of_machine, next) {
        if (group && p->pgid == group)
            signal_send_process(p, signal, NULL);
    }
}

void terminal_signal_group(const struct terminal *terminal, int signal) {
    signal_group(terminal->kernel, terminal->foreground, signal);
}

static bool is_held(const struct thread *t, int signal) {
    return t->blocked & signal_bit(signal) ||
           t->process->actions[signal].handler == (uint64_t)(uintptr_t)SIG_IGN;
}

static bool is_background(const struct terminal *terminal, const struct process *p) {
    return terminal_is_outside(terminal) || (terminal->foreground && p->pgid != terminal->foreground);
}

int terminal_admit(const struct terminal *terminal, struct thread *t, int signal) {
    struct process *p = t->process;
    if (p->terminal != terminal || !is_background(terminal, p))
        return 0;
    if (is_held(t, signal))
        return signal == SIGTTIN ? -EIO : 0;
    if (process_group_is_orphaned(p->kernel, p->pgid, NULL))
        return -EIO;
    signal_group(p->kernel, p->pgid, signal);
    return -K_ERESTARTSYS;
}

/* ---- requests ---- */

/* The session of a process group, or of the process of that number when there is no such group; process 1 is
 * in another than everybody. 0: neither is there. */
static uint32_t session_of(struct kernel *k, uint32_t group) {
    const struct process *p, *leader = process_find(k, group);
    TAILQ_FOREACH(p, &k->processes, of_machine)
        if (p->pgid == group)
            return p->sid;
    return leader ? leader->sid : group == PID_OF_MACHINE ? UINT32_MAX : 0;
}

/* Thimble's own group comes into the foreground of the host's terminal, as a program's would natively that
 * ignores SIGTTOU. */
static void come_inside(const struct terminal *terminal) {
    sigset_t stop, before;
    if (!terminal_is_outside(terminal))
        return;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &stop, &before);
    (void)tcsetpgrp(terminal->host, getpgrp());
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static long set_foreground(struct terminal *terminal, struct thread *t, uint64_t argument) {
    struct process *p = t->process;
    int32_t group;
    int r = terminal_admit(terminal, t, SIGTTOU);
    if (r < 0)
        return r == -EIO ? -ENOTTY : r;
    if (user_read(p->space, argument, &group, sizeof group) < 0)
        return -EFAULT;
    if (group < 0)
        return -EINVAL;
    if (p->terminal != terminal || terminal->session != p->sid)
        return -ENOTTY;
    uint32_t session = session_of(p->kernel, (uint32_t)group);
    if (session != p->sid)
        return session ? -EPERM : -ESRCH;
    terminal->foreground = (uint32_t)group;
    come_inside(terminal);
    return 0;
}

/* The terminal has no session any more, and those of that session no terminal. */
static void clear_session(struct terminal *terminal, uint32_t session) {
    struct process *p;
    terminal->session = terminal->foreground = 0;
    TAILQ_FOREACH(p, &terminal->kernel->processes, of_machine)
        if (p->terminal == terminal && p->sid == session)
            terminal_assign(p, NULL);
}

void terminal_control(struct terminal *terminal, struct process *p) {
    terminal->session = p->sid;
    terminal->foreground = p->pgid;
    terminal_assign(p, terminal);
}

static long take(struct terminal *terminal, struct thread *t, uint64_t argument, bool readable) {
    struct process *p = t->process;
    bool leads = p->sid == p->pid, may_all = identity_capable(CAP_SYS_ADMIN);
    if (leads && terminal->session == p->sid)
        return 0;
    if (!leads || p->terminal)
        return -EPERM;
    if (terminal->session && (argument != 1 || !may_all))
        return -EPERM;
    if (!readable && !may_all)
        return -EPERM;
    terminal->references++; /* for as long as its session may be the last that holds it */
    if (terminal->session)
        clear_session(terminal, terminal->session);
    terminal_control(terminal, p);
    terminal_unref(terminal);
    return 0;
}

static long tell(struct thread *t, uint64_t argument, uint32_t value) {
    return user_write(t->process->space, argument, &value, sizeof value);
}

bool terminal_job_request(struct terminal *terminal, struct thread *t, unsigned request, uint64_t argument,
                          bool from_master, bool readable, long *ret_result) {
    bool ours = t->process->terminal == terminal, may_ask = ours || from_master;
    long *r = ret_result;
    switch (request) {
    case TIOCSCTTY: *r = from_master ? -EIO : take(terminal, t, argument, readable); return true;
    case TIOCSPGRP: *r = set_foreground(terminal, t, argument); return true;
    case TIOCGPGRP: *r = may_ask ? tell(t, argument, terminal_group(terminal)) : -ENOTTY; return true;
    case TIOCGSID:
        *r = may_ask && terminal->session ? tell(t, argument, terminal->session) : -ENOTTY;
        return true;
    case TIOCNOTTY:
        *r = ours && !from_master ? 0 : -ENOTTY;
        if (*r == 0)
            terminal_leave(t->process, false);
        return true;
    default: return false;
    }
}

void terminal_opened(struct terminal *terminal, struct thread *t, bool readable) {
    struct process *p = t->process;
    if (readable && p->sid == p->pid && !p->terminal && !terminal->session)
        terminal_control(terminal, p);
}

/* ---- the end of a session ---- */

void terminal_hang_up(struct terminal *terminal) {
    struct process *p, *next;
    uint32_t session = terminal->session, group = terminal->foreground;
    terminal->references++;
    clear_session(terminal, session);
    TAILQ_FOREACH_SAFE(p, &terminal->kernel->processes, of_machine, next) {
        if (!session || p->sid != session || p->pid != session)
            continue;
        p->hung_up_group = group;
        signal_send_process(p, SIGHUP, NULL);
        signal_send_process(p, SIGCONT, NULL);
    }
    terminal_unref(terminal);
}

void terminal_inherit(struct process *child, const struct process *parent) {
    terminal_assign(child, parent->terminal);
}

void terminal_forget(struct process *p) {
    terminal_assign(p, NULL);
}

void terminal_leave(struct process *p, bool exits) {
    struct terminal *terminal = p->terminal;
    bool leads = p->sid == p->pid;
    uint32_t group = terminal ? terminal->foreground : p->hung_up_group;
    if (leads && (terminal || exits)) {
        signal_group(p->kernel, group, SIGHUP);
        if (!terminal || !exits)
            signal_group(p->kernel, group, SIGCONT);
    }
    if (leads && terminal) {
        p->hung_up_group = 0;
        terminal->references++;
        clear_session(terminal, p->sid);
        terminal_unref(terminal);
    }
    terminal_assign(p, NULL);
}

unsigned terminal_of_process(const struct process *p, int *ret_foreground) {
    const struct terminal *terminal = p->terminal;
    *ret_foreground = terminal ? (int)terminal_group(terminal) : -1;
    if (!terminal)
        return 0;
    unsigned number = minor(terminal->device);
    return (number & 0xff) | major(terminal->device) << 8 | (number & ~0xffu) << 12;
}
