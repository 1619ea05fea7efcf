/* Processes and threads, as the kernel's own files see them. */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <bsd/sys/queue.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#include "kernel/kernel.h"
#include "kernel/process/load.h"

typedef long syscall_handler(struct thread *, const uint64_t args[6]);
struct descriptors; /* kernel/files/descriptor.h: table of open files */
struct pathfs;      /* kernel/files/path.h: working directory, umask */
struct file;

/* Results of a handler beside values and -errno. */
#define SYS_SLEEP LONG_MIN /* the thread was put to sleep: call again when woken */
#define SYS_NO_RETURN                                                                                        \
    (LONG_MIN + 1) /* registers are already as they must be (exec, sigreturn), or the thread is gone */
/* Kernel-internal errno values as in Linux (include/linux/errno.h): what to do when a signal interrupts the
 * call. */
enum { K_ERESTARTSYS = 512, K_ERESTARTNOINTR = 513, K_ERESTARTNOHAND = 514, K_ERESTART_RESTARTBLOCK = 516 };

/* The system call that a thread is in; everything but number and args is zeroed at entry and kept while it
 * sleeps. */
struct call {
    uint64_t number, args[6];
    uint64_t progress; /* bytes done in earlier attempts */
    uint64_t deadline; /* machine time in ns; 0: not computed yet */
    uint64_t scratch;  /* the handler's own */
    bool attempted;    /* this is not the first attempt */
    bool interrupted;  /* a signal is waiting: last attempt. If the handler sleeps again, the call ends with
                          `progress` if there is any, else `on_signal` */
    bool uninterruptible; /* only death wakes it: vfork's parent */
    int on_signal;        /* 0 means -K_ERESTARTSYS */
};

enum thread_state { THREAD_RUNNABLE, THREAD_SLEEPING, THREAD_STOPPED, THREAD_DEAD };

struct sleep {
    const void *channels[4]; /* wake-up by sched_wake(channel) */
    unsigned channel_count;
    bool any_channel;   /* wake at every sched_wake(): poll and friends */
    struct pollfd *fds; /* host descriptors (malloc'd) */
    unsigned fd_count, fd_capacity;
    uint64_t deadline; /* machine time in ns, UINT64_MAX: none */
};

struct signal_state { /* pending signals of a thread or of a process: kernel/signal/signal.h */
    struct kernel *kernel;
    uint64_t pending; /* bit signal-1; one may stand here without a queued_signal when memory was short */
    TAILQ_HEAD(signal_queue, queued_signal) queue; /* standard signals at most once each */
};

/* A thread's place in the queue of those that wait for a word of memory: kernel/futex/futex.h. */
struct futex_waiter {
    TAILQ_ENTRY(futex_waiter) of_bucket; /* while `queued` */
    struct thread *thread;
    struct futex_key {
        const void *base; /* address space, or object that is mapped */
        uint64_t offset;
    } key;
    uint32_t bits;
    uint64_t address; /* of the lock, in its own address space, while `pi` */
    bool queued, woken;
    struct futex_pi *pi; /* NULL: it waits to be woken; else to own this lock */
    bool requeues_to_pi; /* FUTEX_WAIT_REQUEUE_PI: it is to be moved to `target` */
    struct futex_key target;
};
TAILQ_HEAD(futex_bucket, futex_waiter);
enum { FUTEX_BUCKETS = 256 };

/* How the thread asks to be scheduled (sys_scheduling.c): told, and without effect. */
struct scheduling {
    int policy;   /* SCHED_* */
    int priority; /* 1 … 99 of SCHED_FIFO and SCHED_RR, else 0 */
    int nice;     /* -20 … 19 */
    bool reset_on_fork;
    uint16_t io_priority; /* ioprio_set(): class and level */
};

struct thread {
    TAILQ_ENTRY(thread) of_process, of_machine;
    TAILQ_ENTRY(thread) of_queue; /* run queue, sleepers or (ended) graveyard; none while stopped */
    struct process *process;
    struct cpu *cpu;
    uint32_t tid;
    enum thread_state state;
    bool in_call; /* a system call is under way: re-enter its handler when woken */
    struct call call;
    struct sleep sleep;
    uint64_t budget; /* instructions left of its time slice */
    struct scheduling scheduling;
    uint64_t timer_slack;   /* ns; 0: the usual; remembered only */
    uint32_t memory_policy; /* MPOL_*, kernel/memory/mempolicy.c */

    /* signals */
    uint64_t blocked, saved_blocked;
    bool restore_blocked; /* sigsuspend, ppoll: saved_blocked comes back when a handler was set up, or at
                             return */
    struct signal_state signals;
    uint64_t altstack_sp, altstack_size;
    int altstack_flags;

    uint64_t clear_child_tid, robust_list;
    struct sysv_waiter *ipc_waiter; /* kernel/sysv/sysv.h; NULL unless it waits in a call of System V IPC */
    bool kill_now;                  /* ends at the next chance: exit_group by another thread, OOM */

    /* the last exception, for signal frames */
    uint64_t trap_number, trap_error, trap_address;
    /* A call that a signal interrupted, until the signal is dealt with: its -K_ERESTART… result, else 0. */
    long restart;
    struct call restart_call; /* what restart_syscall goes on with */

    struct futex_waiter futex;
    struct futex_waiter *futex_vector; /* futex_waitv: several at a time (malloc'd), else NULL */
    unsigned futex_count;
    LIST_HEAD(, futex_pi) pi_owned; /* priority-inheriting locks that others wait for */

    char comm[16];              /* its name; the leader's is the process's, too */
    int pdeathsig;              /* PR_SET_PDEATHSIG; 0: none */
    uint64_t user_instructions; /* of the process's */
    bool stop_interrupts; /* it slept when the process stopped: its call is interrupted, as by a signal */
};

/* How often threads gave up the CPU: to wait, and at the end of a time slice when others waited for it. */
struct switches {
    uint64_t voluntary, forced;
};

struct signal_action {
    uint64_t handler, flags, restorer, mask; /* struct kernel_sigaction of x86-64 */
};

/* Who is the parent of the programs that the machine starts with, and of orphans: the machine itself, which
 * is not a process. The first process has the next number unless it was given another. */
enum { PID_OF_MACHINE = 1 };

/* Processes, zombies included, and threads that a machine can have: as many as Linux has by default. */
enum { KERNEL_TASKS_MAX = 32768 };

enum process_state { PROCESS_ALIVE, PROCESS_ZOMBIE };

struct process {
    TAILQ_ENTRY(process) of_machine, sibling;
    TAILQ_HEAD(, process) children;
    TAILQ_HEAD(thread_list, thread) threads;
    struct kernel *kernel;
    struct process *parent; /* NULL: the machine itself (getppid() is 1): the first process and orphans */
    uint32_t parent_tid;    /* the parent's thread that made it: __WNOTHREAD, pdeathsig */
    uint32_t pid, pgid, sid;
    enum process_state state;
    bool dying;       /* every thread has kill_now; wait_status is set */
    int wait_status;  /* valid when dying and for zombies */
    int exit_of_last; /* wait status if the thread that ended last was the whole process's end */
    int stop_signal;  /* != 0: stopped */
    bool stop_waitable, continue_waitable; /* not yet told to the parent by wait4 */
    int exit_signal;                       /* sent to the parent, usually SIGCHLD */
    bool parent_executed;                  /* another program, which expects SIGCHLD only */
    bool vfork_waiting; /* its parent sleeps until it execs or exits (channel: this process) */
    bool exec_done;
    bool is_program;    /* the machine was started with it: program.c */
    bool borrows_space; /* CLONE_VM: the space, and its tally, are another process's */

    struct terminal *terminal; /* that controls its session, kernel/process/job_control.h; NULL: none */
    uint32_t hung_up_group;    /* a session leader's: in the foreground when its terminal was hung up; 0 */

    struct space *space; /* NULL for zombies */
    struct descriptors *descriptors;
    struct pathfs *fs;

    struct signal_action *actions; /* by signal, 1 … 64; shared by CLONE_SIGHAND (signal.h: signal_table) */
    struct signal_state signals;

    char comm[16];
    char *exe;                                       /* host path of the executable */
    char *command;                                   /* arguments joined by spaces, for summaries */
    uint64_t arg_start, arg_end, env_start, env_end; /* in user memory */
    uint64_t auxv[2 * 24];
    unsigned auxv_count;
    uint64_t stack_start;
    struct stack_place stack; /* for the next exec, which gives it back its usual value */
    struct rlimit limits[RLIM_NLIMITS];
    uint64_t start_time; /* ns of machine time */
    uint64_t user_instructions, children_instructions;
    struct switches switches, children_switches; /* of children waited for */
    struct interval_timer {
        uint64_t next, interval;      /* ns of machine time, or of guest work; next == 0: off */
    } timers[3];                      /* ITIMER_* */
    struct posix_timer *posix_timers; /* kernel/time/timer.h */
    LIST_HEAD(, sem_undo) sem_undos;  /* kernel/sysv/sysv_sem.c */
    int next_timer_id;
    uint64_t next_charge;      /* user_instructions at which timer_charge() is to look again; 0: soon */
    uint64_t wake_at_work;     /* user_instructions at which a sleeper wants to be woken; 0: none */
    struct tally tally_before; /* of address spaces that exec left behind */
    uint64_t peak_before, syscalls;
    struct tally children_tally; /* of children waited for */
    uint64_t children_peak;      /* pages: the largest of them */
    struct process_io {
        uint64_t read_calls, write_calls, read_bytes, written_bytes;
    } io;               /* of read(), write() and their relatives; kernel/files/sys_file.c */
    int oom_adjustment; /* in thousandths of the memory: +1000 is killed first, -1000 never */
    int dumpable, no_new_privs, child_subreaper, keep_capabilities, no_huge_pages; /* sys_prctl.c */
    unsigned personality;
};

struct kernel {
    struct kernel_config config;
    struct vm *vm;
    const struct engine_ops *engine_ops;
    struct engine *engine;
    struct trace *trace;
    TAILQ_HEAD(, process) processes;
    TAILQ_HEAD(, thread) threads;
    unsigned process_count, thread_count;       /* on these lists; each at most KERNEL_TASKS_MAX */
    TAILQ_HEAD(thread_queue, thread) run_queue; /* its first one runs while its budget lasts */
    struct thread_queue sleepers;               /* THREAD_SLEEPING, in the order they went to sleep */
    struct thread_queue graveyard;              /* THREAD_DEAD: freed before the next thread is chosen */
    struct futex_bucket futex_buckets[FUTEX_BUCKETS]; /* by key; each in the order they came */
    uint64_t queued_signals;                          /* of all processes: RLIMIT_SIGPENDING */
    unsigned fd_sleepers;                             /* of sleepers: those that wait for host descriptors */
    struct thread *current;                           /* on whose behalf the kernel runs, NULL between */
    const struct page_table *loaded;                  /* the table that ran last: for context switches */
    uint32_t loaded_pid;                              /* the process that ran in it */
    struct process *first;                            /* that was created; NULL once it is gone */
    uint32_t next_pid;
    uint64_t next_timer;     /* machine time at which the first timer or sleeper is due; UINT64_MAX: none */
    uint64_t boot;           /* machine time when the machine was started */
    struct load load;        /* kernel/process/load.h */
    uint64_t executed;       /* guest instructions, as the engine counted them at the last trap */
    bool suspending;         /* SIGTSTP came from outside, and Thimble has not stopped for it yet */
    uint64_t interrupted_at; /* machine time of the last SIGINT or SIGTERM from outside; 0: none */
    struct pollfd *poll_set; /* sched.c's: what it gives to ppoll() */
    unsigned poll_capacity;
    unsigned slices;                 /* since host descriptors were polled */
    bool slice_ended;                /* somebody's, since timers were looked at */
    struct process_summary *records; /* ended processes, commands malloc'd; kernel/summary.c */
    size_t record_count, record_capacity;
    struct process_summary *listed; /* what kernel_get_summary() gave out last */
    struct syscall_summary *listed_calls;
    const struct syscall_way *ways; /* of the calls, by number */
    enum kernel_stop stop;
    int exit_status;
    struct rng rng;        /* guests' randomness under deterministic */
    uint64_t skipped_time; /* ns that the virtual clock jumped because nobody could run */
    struct kernel_summary summary;
    uint64_t *unimplemented;           /* count by system call number */
    uint64_t last_file;                /* file.c: open files so far */
    struct inodes *inodes;             /* kernel/files/inode.h */
    struct sandbox *sandbox;           /* kernel/sandbox/sandbox.h; NULL: the host's files as they are */
    struct locks *locks;               /* kernel/files/lock.h */
    struct sysv *sysv;                 /* kernel/sysv/sysv.h */
    struct terminals *terminals;       /* kernel/terminal/terminal.h */
    struct unix_sockets *unix_sockets; /* kernel/network/unix.h */
    uint64_t news;                     /* counts what happened to files: file.h, activity */
    struct watch_list *watches;        /* kernel/process/watch.h */
    bool nondeterministic_used;
    char **conditions; /* kernel/condition.h; NULL iff none, else with a NULL at the end */
    size_t condition_count;
    bool output_exceeded; /* kernel/sandbox/limits.c: somebody wanted to write more than may be */
    uint64_t limits_end;  /* ns of the host's monotonic clock; UINT64_MAX: never */
};

/* ---- kernel.c ---- */
/* Random bytes for guests: the host's, or seeded ones under deterministic. */
void kernel_random(struct kernel *, void *to, size_t length);
/* A line for the user, formatted. */
void kernel_report(struct kernel *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- process.c, thread.c ---- */
struct process *process_find(struct kernel *, uint32_t pid);
/* The first of those that the machine was started with and that are still there; NULL: none is. */
struct process *process_first_program(struct kernel *);
struct thread *thread_find(struct kernel *, uint32_t tid);
/* Marks every thread of the process to die with this wait status (exit_group, fatal signal, OOM). */
void process_kill(struct process *, int wait_status);

/* ---- sched.c ---- */
void sched_sleep_channel(struct thread *, const void *channel);
void sched_sleep_any(struct thread *); /* every sched_wake() wakes it */
void sched_sleep_fd(struct thread *, int host_fd, short events);
void sched_sleep_until(struct thread *, uint64_t deadline); /* machine time (clock_now) in ns */
void sched_wake(struct kernel *, const void *channel);
void sched_make_runnable(struct thread *);

/* ---- clock.c: machine time ---- */
/* Nanoseconds of the machine's monotonic clock: the host's, or under deterministic a
 * function of guest work. */
uint64_t clock_now(struct kernel *);
uint64_t clock_realtime(struct kernel *);

/* ---- signal.c ---- */
/* info NULL: from the kernel. 0, or -EAGAIN: no room for what a real-time signal has to say. */
int signal_send_process(struct process *, int signal, const siginfo_t *info);
int signal_send_thread(struct thread *, int signal, const siginfo_t *info);
bool signal_is_pending(struct thread *); /* one that is not blocked and not ignored */

/* ---- exec.c ---- */
/* execve: `path` as the thread's process sees it. On success the registers are those of the new program.
 * 0 or -errno; the old program goes on after a failure. */
int exec_program(struct thread *, const char *path, char *const argv[], char *const envp[]);

/* Whether the process may look into the memory of another, which may have forbidden it (PR_SET_DUMPABLE). */
bool process_may_inspect(const struct process *, const struct process *other);

#endif
