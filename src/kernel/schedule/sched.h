/* The scheduler: who runs next, who sleeps until when. What it offers beside process.h. */
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include "kernel/process/process.h"

/* Instructions that a system call costs its thread's time slice: a loop of calls must not run forever. */
enum { SCHED_CALL_COST = 500 };

void sched_enqueue(struct thread *); /* to the tail of the run queue, with a fresh time slice */
/* The thread goes to sleep until what it registered with sched_sleep_* happens. */
void sched_block(struct thread *);
/* Forgets what the thread waits for. */
void sched_forget(struct thread *);
/* Off every queue: it was stopped, or ends. */
void sched_remove(struct thread *);
/* The rest of its time slice is given up. */
void sched_yield_slice(struct thread *);

/* The thread at the head of the run queue, after the end of a time slice the next one; NULL when none is
 * runnable. Wakes those whose timers or host descriptors are due now and then. */
struct thread *sched_pick(struct kernel *);
/* Nobody can run: waits until a host descriptor or timer wakes a thread (under deterministic the clock
 * jumps). False when something outside wants attention: the wake-up descriptor, a host signal. */
bool sched_wait(struct kernel *);
/* Blocks the whole machine until a host descriptor that the thread waits for is ready. False when something
 * outside wants attention first. */
bool sched_wait_for_host(struct thread *);
/* The machine must look at its timers at this time. */
void sched_note_deadline(struct kernel *, uint64_t deadline);

#endif
