/* The controlling terminal of the machine: job control. What characters do (termios) is the host terminal's.
 */
#ifndef KERNEL_TERMINAL_H
#define KERNEL_TERMINAL_H

#include "kernel/file.h"

int terminal_create(struct kernel *); /* sets kernel->terminal; 0 or -ENOMEM */
void terminal_destroy(struct kernel *);

/* A job-control request on a file that refers to a host terminal, or -ENOTTY when it is not one of ours:
 * then the host's answer counts. */
long terminal_ioctl(struct file *, struct thread *, unsigned request, uint64_t argument);

/* Whether the thread may read from (write to, when TOSTOP says so, or change) its terminal now. 0; or its
 * group was sent `signal` (SIGTTIN, SIGTTOU): -K_ERESTARTSYS; or -EIO when that cannot help. */
int terminal_check(struct file *, struct thread *, int signal);

/* The process group that signals from the keyboard are for: 0 when there is none. */
uint32_t terminal_foreground(const struct kernel *);

#endif
