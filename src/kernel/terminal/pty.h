/* Pseudo-terminals that programs of the machine make.
 *
 *     program ── master ── line discipline (discipline.h) ── slave ── programs of a session (job_control.h)
 *
 * The host lends the names: behind each pair stands one of the host's, never used for a byte, so that
 * numbers, /dev/pts/N, its owner and mode, and the lock are what they are natively. What is typed and
 * printed, modes, size, signals and hanging up are the machine's, since the host knows only one process. */
#ifndef KERNEL_PTY_H
#define KERNEL_PTY_H

#include <sys/ioctl.h>

#include "kernel/files/file.h"
#include "kernel/terminal/discipline.h"
#include "kernel/terminal/terminal.h"

struct pty {
    LIST_ENTRY(pty) of_machine;
    struct kernel *kernel;
    struct terminal *terminal; /* a reference */
    struct discipline *discipline;
    struct file *master; /* NULL: closed, for ever */
    unsigned slaves;     /* open files */
    unsigned hangups;    /* files that were opened before the last one are dead */
    bool abandoned;      /* the last slave was closed, and none opened since */
    bool packets;        /* TIOCPKT: the master reads what happened, too */
    unsigned happened;   /* TIOCPKT_* bits that it has not read yet */
    bool master_held;    /* tcflow() on the master: nothing is typed */
    struct winsize size;
    uint64_t news_slave, news_master; /* changes that readers and writers there may wait for */
};

/* The pair whose slave is that device of the host; NULL: none. */
struct pty *pty_find(const struct kernel *, dev_t slave);
/* Both take the host's descriptor over on success. 0 or -errno. */
int pty_open_master(struct kernel *, int host, int flags, struct file **ret_file);
int pty_open_slave(struct pty *, int host, int flags, struct file **ret_file);
/* vhangup(): whoever has the slave open has it no more. */
void pty_hang_up(struct pty *);
/* Something changed that somebody at either end may wait for. */
void pty_changed(struct pty *);

/* ---- pty_request.c ---- */
long pty_slave_ioctl(struct file *, struct thread *, unsigned request, uint64_t argument);
long pty_master_ioctl(struct file *, struct thread *, unsigned request, uint64_t argument);
/* The pair that the open file belongs to; a slave's is NULL once it was hung up. */
struct pty *pty_of_slave(const struct file *);

#endif
