/* Job control: which session a terminal belongs to, which process group is in its foreground, and what
 * becomes of the others. What characters do is not known here: a terminal is the host's (terminal.c), or a
 * pseudo-terminal of the machine (pty.c). */
#ifndef KERNEL_JOB_CONTROL_H
#define KERNEL_JOB_CONTROL_H

#include "kernel/process/process.h"

struct terminal {
    LIST_ENTRY(terminal) of_machine;
    struct kernel *kernel;
    unsigned references;          /* the processes whose controlling terminal it is, and who has the device */
    dev_t device;                 /* 136:N */
    uint32_t session, foreground; /* 0: none */
    /* A descriptor of it iff it is the one that controls Thimble itself on the host, where Thimble's own
     * group may be in the background; else -1. */
    int host;
};

/* The terminal of that device: a new reference. NULL: no memory. */
struct terminal *terminal_get(struct kernel *, dev_t device);
void terminal_unref(struct terminal *);

/* Whether Thimble itself is in its background, as a job of the shell that started it. */
bool terminal_is_outside(const struct terminal *);
/* The group that is in the foreground; 0: none, or none of the machine's. */
uint32_t terminal_group(const struct terminal *);
/* A signal from the terminal to its foreground group. */
void terminal_signal_group(const struct terminal *, int signal);

/* Whether the process may use the terminal now as `signal` says: SIGTTIN to read, SIGTTOU to change it (or to
 * write under TOSTOP). 0; its group was sent the signal: -K_ERESTARTSYS; that cannot help: -EIO. */
int terminal_admit(const struct terminal *, struct thread *, int signal);

/* TIOCSCTTY, TIOCNOTTY, TIOCGPGRP, TIOCSPGRP and TIOCGSID. `from_master`: asked at the other end of a
 * pseudo-terminal, where one need not be of its session; `readable`: it is open for reading. False: another
 * request. */
bool terminal_job_request(struct terminal *, struct thread *, unsigned request, uint64_t argument,
                          bool from_master, bool readable, long *ret_result);
/* It was opened without O_NOCTTY: a session leader without a terminal gets it. */
void terminal_opened(struct terminal *, struct thread *, bool readable);
/* It belongs to the process's session from now on. */
void terminal_control(struct terminal *, struct process *);
/* The other end has gone: nobody has it as controlling terminal any more, and its
 * session leader is hung up. */
void terminal_hang_up(struct terminal *);

/* ---- a process's life ---- */

/* The child has the parent's. */
void terminal_inherit(struct process *child, const struct process *parent);
/* It has none any more: setsid(), or it is being freed. */
void terminal_forget(struct process *);
/* It gives its terminal up (TIOCNOTTY), or `exits`; with a session leader the whole session does. */
void terminal_leave(struct process *, bool exits);
/* Of its controlling terminal, as /proc/PID/stat numbers devices (0: it has none); *ret_foreground is -1
 * then. */
unsigned terminal_of_process(const struct process *, int *ret_foreground);

#endif
