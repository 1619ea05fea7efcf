/* Signals: what signal.c offers to the kernel beside process.h, and the frames of sigframe.c. */
#ifndef KERNEL_SIGNAL_H
#define KERNEL_SIGNAL_H

#include "hw/trap.h"
#include "kernel/process.h"

enum { SIGNAL_COUNT = 64 };

static inline uint64_t signal_bit(int signal) {
    return 1ULL << (signal - 1);
}

/* SIGKILL and SIGSTOP can be neither blocked nor caught. */
#define SIGNAL_UNBLOCKABLE (1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1))

/* struct stack_t: a flag that glibc does not define, and the least size that sigaltstack() takes. */
#define SIGNAL_ALTSTACK_AUTODISARM (1u << 31)
enum { MINSIGSTKSZ_ABI = 2048 };

void signal_state_init(struct signal_state *);
void signal_state_clear(struct signal_state *);

/* Takes a pending signal of `mask` of the thread or its process: synchronous ones first, then the lowest
 * number. Its number and *ret_info, or 0. */
int signal_dequeue(struct thread *, uint64_t mask, siginfo_t *ret_info);
/* Pending for the thread or its process, blocked ones too. */
uint64_t signal_pending_set(const struct thread *);
void signal_set_blocked(struct thread *, uint64_t mask);
/* A signal of the kernel for what the thread just did: one that is blocked or ignored kills. */
void signal_force(struct thread *, int signal, const siginfo_t *info);
/* After an action became SIG_IGN, or the default that ignores: pending ones are dropped. */
void signal_forget_ignored(struct process *, int signal);
/* exec: handlers go back to the default. */
void signal_reset_handlers(struct process *);

/* Before user mode: takes the pending signals, sets up handlers' frames, carries out default actions, decides
 * the restart of an interrupted call. Afterwards the thread may be stopped or about to die. */
void signal_deliver(struct thread *);
/* A CPU exception as the signal that Linux makes of it. */
void signal_exception(struct thread *, const struct trap *);
/* An action of job control: every thread of the process stops, or goes on. */
void process_stop(struct process *, int signal);
void process_continue(struct process *);
/* SIGCHLD (or the exit signal) to the parent, which may be waiting. `code` is CLD_*. */
void signal_notify_parent(struct process *, int signal, int code, int status);

/* ---- sigframe.c ---- */
/* The most that a frame can take of a stack: AT_MINSIGSTKSZ. Frame, XSAVE image with its end mark, alignment.
 */
enum { SIGFRAME_SIZE_MAX = (440 + CPU_XSAVE_SIZE + 4 + 63 + 15 + 8 + 15) & ~15 };
/* Builds the frame of `signal` on the thread's stack and points the registers at the handler. 0, or -EFAULT
 * when the stack cannot take it. `mask` is what sigreturn puts back. */
int sigframe_push(struct thread *, int signal, const siginfo_t *, const struct signal_action *,
                  uint64_t mask);
/* rt_sigreturn: everything as the frame at the stack pointer says. 0 or -EFAULT. */
int sigframe_pop(struct thread *);

#endif
