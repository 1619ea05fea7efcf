/* Descriptors that refer to processes. */
#ifndef KERNEL_PIDFD_H
#define KERNEL_PIDFD_H

#include "kernel/files/file.h"

/* A file for the process; `flags`: O_NONBLOCK or 0. 0 or -ENOMEM. */
int pidfd_create_file(struct kernel *, struct process *, int flags, struct file **ret_file);
/* Of which process the file is one: alive, a zombie, or NULL when it was waited for.
 * 0, or -EBADF: of none. */
int pidfd_process(struct file *, struct process **ret_process);

#endif
