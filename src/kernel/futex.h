/* Futexes: waiting for a word of user memory (sys_futex.c). */
#ifndef KERNEL_FUTEX_H
#define KERNEL_FUTEX_H

#include "kernel/process.h"

/* Wakes at most `count` of those that wait for the word at `address` of the thread's address space with one
 * of `bits`, in the order they came. How many. */
int futex_wake(struct thread *, uint64_t address, int count, uint32_t bits);
/* The thread waits no longer: it was interrupted, or ends. */
void futex_leave(struct thread *);
/* A thread ends: the locks on its robust list are marked as left by a dead owner, and their waiters told. */
void futex_release_robust(struct thread *);

#endif
