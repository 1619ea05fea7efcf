/* Descriptor tables, beyond what kernel/files/file.h tells everybody. */
#ifndef KERNEL_DESCRIPTOR_H
#define KERNEL_DESCRIPTOR_H

#include "kernel/files/file.h"

enum { DESCRIPTORS_MAX = 1 << 20 }; /* numbers of a process, whatever RLIMIT_NOFILE says */

/* Puts the file (takes over the reference on success) at number `fd`, closing what was there. The number,
 * -EBADF (out of range) or -ENOMEM. */
int descriptor_replace(struct process *, struct file *, int fd, bool close_on_exec);
int descriptor_close(struct process *, int fd); /* 0 or -EBADF */
/* Like descriptor_install from 0, but takes over the reference on failure as well. */
int descriptor_install_or_drop(struct process *, struct file *, bool close_on_exec);

/* 0 when a number is free, else -EMFILE: asked before something is opened that could not be undone. */
int descriptor_available(struct process *);

/* Of an open descriptor. */
bool descriptor_close_on_exec(struct process *, int fd);
void descriptor_set_close_on_exec(struct process *, int fd, bool on);

/* The first open number >= fd, or -1. */
int descriptor_next(struct process *, int fd);
unsigned descriptors_references(const struct descriptors *);
/* One more than the highest number that the table has room for; at least 64, as in Linux. */
int descriptors_capacity(struct process *);
/* A table of its own for the process (close_range with CLOSE_RANGE_UNSHARE). 0 or -ENOMEM. */
int descriptors_unshare(struct process *);

#endif
