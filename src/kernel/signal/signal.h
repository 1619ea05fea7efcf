/* Signals: what signal.c offers to the kernel beside process.h, and the frames of sigframe.c. */
#ifndef KERNEL_SIGNAL_H
#define KERNEL_SIGNAL_H

#include "hw/trap.h"
#include "kernel/process/process.h"

enum { SIGNAL_COUNT = 64, SIGNAL_REALTIME = 32 /* the first one of those that queue */ };

static inline uint64_t signal_bit(int signal) {
    return 1ULL << (signal - 1);
}

/* SIGKILL and SIGSTOP can be neither blocked nor caught. */
#define SIGNAL_UNBLOCKABLE (1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1))

/* struct stack_t: a flag that glibc does not define, and the least size that sigaltstack() takes. */
#define SIGNAL_ALTSTACK_AUTODISARM (1u << 31)
enum { MINSIGSTKSZ_ABI = 2048 };
struct signal_stack {
    uint64_t sp;
    int32_t flags, pad;
    uint64_t size;
};

/* ---- signal_queue.c ---- */
/* A table of actions with one reference, those of `from` (NULL: all default) in it; NULL: no memory. */
struct signal_action *signal_actions_create(struct inject *, const struct signal_action *from);
struct signal_action *signal_actions_ref(struct signal_action *);
void signal_actions_unref(struct signal_action *);
bool signal_actions_are_shared(struct signal_action *);

void signal_state_init(struct signal_state *, struct kernel *);
void signal_state_clear(struct signal_state *);
void signal_state_drop(struct signal_state *, uint64_t mask);
/* A signal for a thread of `to`, or all of it; info NULL: from the kernel. 0, or
 * -EAGAIN: the queue is full. */
int signal_state_add(struct signal_state *, const struct process *to, int signal, const siginfo_t *info);
/* That of a POSIX timer, which no limit holds back; whether one of that timer is still queued. */
void signal_state_add_timer(struct signal_state *, int signal, const siginfo_t *info);
bool signal_state_has_timer(const struct signal_state *, int timer);
/* Takes the first instance; the bit stays while a real-time signal has more of them. `p`: who receives it. */
void signal_state_take(struct signal_state *, struct process *p, int signal, siginfo_t *ret_info);

/* ---- signal.c ---- */

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
/* exec, CLONE_CLEAR_SIGHAND: handlers go back to the default. */
void signal_reset_handlers(struct process *);
/* A thread of the process will not take what waits for all of it: another one is woken. */
void signal_retarget(struct process *);
/* What a POSIX timer sends to the thread (NULL: to the process). */
void signal_send_timer(struct process *, struct thread *, int signal, const siginfo_t *info);
/* siginfo of a signal that the kernel sends as if the thread had. */
siginfo_t signal_info_of(const struct thread *, int code);

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
/* The most that a frame can take of a stack: AT_MINSIGSTKSZ. Frame, XSAVE image with
 * its end mark, alignment. */
enum { SIGFRAME_SIZE_MAX = (440 + CPU_XSAVE_SIZE + 4 + 63 + 15 + 8 + 15) & ~15 };
/* Builds the frame of `signal` on the thread's stack and points the registers at the handler. 0, or -EFAULT
 * when the stack cannot take it. `mask` is what sigreturn puts back. */
int sigframe_push(struct thread *, int signal, const siginfo_t *, const struct signal_action *,
                  uint64_t mask);
/* rt_sigreturn: everything as the frame at the stack pointer says. 0, or -EFAULT when it is none. */
int sigframe_pop(struct thread *);
/* The alternate stack as sigaltstack() tells and sets it, for a thread whose stack pointer is `sp`. 0, -EPERM
 * (it is on it), -EINVAL, -ENOMEM (too small). */
void sigaltstack_get(const struct thread *, uint64_t sp, struct signal_stack *ret_stack);
int sigaltstack_set(struct thread *, uint64_t sp, const struct signal_stack *);

#endif
