/* File locks between processes: POSIX record locks (fcntl F_SETLK), locks of open file descriptions
 * (F_OFD_SETLK), and flock().
 *
 * Record locks are ours, because the host would grant them to all of the machine's processes alike; each is
 * mirrored by a lock of an open file description on the host, so that programs outside the machine are kept
 * out as well. flock() belongs to open file descriptions anyway and is the host's. */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

#include <fcntl.h>
#include <stdio.h>

#include "kernel/files/file.h"

int locks_create(struct kernel *); /* sets kernel->locks; 0 or -ENOMEM */
void locks_destroy(struct kernel *);
const char *locks_check(const struct kernel *); /* NULL, or which invariant is broken */

/* fcntl's F_GETLK, F_SETLK, F_SETLKW and their F_OFD_ counterparts; `lock` is in host memory. 0, SYS_SLEEP or
 * -errno. */
long lock_control(struct thread *, struct file *, int command, struct flock *lock);
long lock_flock(struct thread *, struct file *, int operation);

/* Writes the lines of /proc/locks: one for each lock. */
void locks_show(const struct kernel *, FILE *);

/* The table closed a descriptor of the file: its record locks on it are gone. */
void lock_forget_owner(struct file *, const void *table);
/* The open file description is gone, and its locks. */
void lock_forget_file(struct file *);

#endif
