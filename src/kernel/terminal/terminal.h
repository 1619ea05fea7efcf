/* Terminals of the host, and opening terminals of any kind. The machine starts on one, or on none: its
 * characters and modes are the host's, job control on it is the machine's. */
#ifndef KERNEL_TERMINAL_H
#define KERNEL_TERMINAL_H

#include <asm/termbits.h>

#include "kernel/files/file.h"
#include "kernel/process/job_control.h"

struct pty;

/* kernel->terminals */
struct terminals {
    LIST_HEAD(, terminal) all;
    LIST_HEAD(, pty) ptys;  /* kernel/terminal/pty.h */
    struct terminal *outer; /* that the programs began with; a reference; NULL: none */
    int outer_host;         /* a descriptor of it, or -1 */
    struct termios modes;   /* that it had then */
};

int terminal_create(struct kernel *); /* sets kernel->terminals; 0 or -ENOMEM */
/* Programs that were cut off could not put the terminal's modes back: then it has those of the beginning. */
void terminal_destroy(struct kernel *);

/* Verifies the invariants of terminals and pseudo-terminals. NULL, or what is wrong. */
const char *terminal_verify(const struct kernel *);

/* The first program's controlling terminal: `host`, whose session it leads then, or with -1 the one that
 * controls Thimble, if there is one. 0 or -ENOMEM. */
int terminal_start(struct process *first, int host);

/* The host's descriptor was opened by a program with these flags: when it is a terminal, the file that it is
 * in the machine, which takes the descriptor over. 0, -ENODEV (not a matter of terminals: as any other) or
 * -errno. */
int terminal_open_file(struct thread *, int host, int flags, struct file **ret_file);
/* The host would not open this device (errno `error`), but it is the machine's to say: /dev/tty of a process
 * whose terminal is none of the host's. A descriptor to give to terminal_open_file(), or -errno. */
int terminal_open_refused(struct thread *, int directory, const char *name, int error);

/* A request on a file that is the host's, terminal or not: those that have a meaning there are passed on. */
long terminal_ioctl(struct file *, struct thread *, unsigned request, uint64_t argument);

/* As terminal_admit(), for a file that is a terminal of the host; SIGTTOU is for writing, when TOSTOP says
 * so. */
int terminal_check(struct file *, struct thread *, int signal);

/* Nothing is there to be read from a terminal of the host: 0 when the read ends with that (VMIN, VTIME),
 * -EAGAIN, or SYS_SLEEP. */
long terminal_wait(struct file *, struct thread *);

/* The process group that signals from outside are for: 0 when there is none. */
uint32_t terminal_foreground(const struct kernel *);

#endif
