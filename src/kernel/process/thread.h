/* Processes and threads coming and going: what process.c and thread.c offer to the rest of the kernel beside
 * process.h. */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include "kernel/process/process.h"

/* Wait statuses as wait4() gives them. */
static inline int wait_status_exited(int code) {
    return (code & 0xff) << 8;
}
static inline int wait_status_stopped(int signal) {
    return signal << 8 | 0x7f;
}
enum { WAIT_STATUS_CONTINUED = 0xffff };

/* ---- process.c ---- */

/* A process without space, threads or files, child of `parent` (NULL: of the machine), with that pid, which
 * nobody has (0: the next one; numbers go on above the largest). 0, -EAGAIN or -ENOMEM. */
int process_create(struct kernel *, struct process *parent, uint32_t pid, struct process **ret_process);
/* Undoes process_create() for a process that never ran: drops whatever it has. */
void process_abandon(struct process *);
/* Ends every thread of it at once. None of them may be the one that the engine is running. */
void process_end_threads(struct process *);
/* Its last thread is gone: it gives everything back and becomes a zombie, or nothing if nobody will ask. */
void process_end(struct process *);
/* It runs a program of its own now: a parent that sleeps in vfork() goes on. */
void process_exec_done(struct process *);
/* One of several threads is gone: its children are another one's. */
void process_thread_ended(struct process *, uint32_t tid);
/* The zombie was waited for: its figures go to the parent, its memory is freed. */
void process_reap(struct process *);
/* Puts `space` (taken over) in the place of the old one, whose tally is kept. */
void process_change_space(struct process *, struct space *);
/* Whether no member of the group has a parent in another group of the same session: nobody could continue
 * it. */
bool process_group_is_orphaned(struct kernel *, uint32_t pgid, const struct process *without);
bool process_group_has_living(struct kernel *, uint32_t pgid);
bool process_group_exists(struct kernel *, uint32_t pgid, uint32_t sid);
/* What the process did so far, in all its address spaces. */
void process_get_tally(const struct process *, struct tally *ret_tally);
/* What programs are told of them, and of those of children that were waited for: nothing happened, unless
 * they are told the truth about memory. */
void process_get_told_tallies(const struct process *, struct tally *ret_own, struct tally *ret_children);
uint64_t process_peak(const struct process *); /* pages */
void process_add_tally(struct tally *to, const struct tally *);

/* ---- thread.c ---- */

/* A thread of the process, sleeping nowhere and on no queue, with the given number. 0 or -ENOMEM. */
int thread_create(struct process *, uint32_t tid, struct thread **ret_thread);
/* Puts a new thread on the run queue. */
void thread_start(struct thread *);
/* CLONE_CHILD_CLEARTID: the thread leaves its address space, and who joins it is told. */
void thread_clear_tid(struct thread *);
/* Ends the thread, and its process with the last one; it is freed by the next thread_bury(). */
void thread_end(struct thread *);
void thread_bury(struct kernel *);

#endif
