/* The kernel: processes, threads, scheduler, signals, files, system calls. What the machine uses of it.
 *
 * Blocking. A system call's handler never blocks the machine. It tries; when it cannot go on it says what to
 * wait for (sched_sleep_*) and returns SYS_SLEEP. The thread sleeps; when something wakes it, the handler is
 * called again from its beginning with the same arguments, and what it must remember across attempts stands
 * in `struct call`. */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include "base/inject.h"
#include "base/rng.h"
#include "hw/engine.h"
#include "vm/vm.h"

struct kernel;
struct process;
struct thread;

/* A stack in another place than the usual one; all zero: the usual one. */
struct stack_place {
    uint64_t top;   /* address behind its last byte; 0: the usual top */
    uint32_t pages; /* exactly so many are mapped, it does not grow and keeps no distance to what lies below;
                       0: it grows as far as RLIMIT_STACK says */
};

/* Of all the machine's programs together; 0: none. */
struct kernel_limits {
    uint32_t tasks;       /* processes, and threads, at a time: more are refused */
    uint64_t output;      /* bytes to standard output and error: the machine stops behind them */
    uint64_t nanoseconds; /* of the host's time: the machine stops then */
};
enum kernel_limit { LIMIT_NONE, LIMIT_INSTRUCTIONS, LIMIT_OUTPUT, LIMIT_TIME };

struct kernel_config {
    struct vm *vm;
    const struct engine_ops *engine_ops;
    struct engine *engine;
    struct trace *trace;
    struct inject *inject;
    enum cpu_level level;
    bool deterministic; /* virtual clock, seeded randomness; see design notes in docs/ARCHITECTURE.md */
    uint64_t seed;
    uint64_t layout_seed;      /* of address spaces; 0: the fixed layout. See also vm_config.map_lowered */
    uint64_t quantum;          /* instructions of a time slice */
    uint64_t max_instructions; /* 0: no limit */
    struct kernel_limits limits;
    struct sandbox *sandbox; /* kernel/sandbox/sandbox.h, the caller's; NULL: the host's files as they are */
    bool cache_all;          /* what is read and written passes through the page cache, as on Linux */
    bool no_network;         /* sockets only between the machine's own programs */
    /* Readable when the machine has something for kernel_host_signal(): waiting for host descriptors ends
     * and kernel_next_thread() returns NULL while kernel_stop_reason() is KERNEL_RUNNING. -1: none. */
    int wake_fd;
    /* Somebody can continue the programs when they are stopped (a shell with job
     * control): Ctrl-Z stops them. */
    bool resumable;
    bool unblock_signals; /* programs start with no signal blocked, whatever the calling thread blocks */
    /* Names or addresses whose first execution after an exec is an event, beside the entry point and main:
     * machine.h. NULL at the end; NULL: none. */
    const char *const *watch;
    /* A line for the user (without newline): an OOM kill, an I/O error, a cut trace. Never NULL. */
    void (*report)(void *context, const char *line);
    void *context;
};

int kernel_create(const struct kernel_config *, struct kernel **ret_kernel);
void kernel_destroy(struct kernel *);

/* A program to start the machine with. */
struct kernel_program {
    uint32_t pid;     /* 0: the next number. No other process has it */
    const char *file; /* looked up in PATH of envp unless it has a slash */
    char *const *argv, *const *envp;
    /* Descriptors of the host that become 0, 1 and 2; -1: closed, as are the host's own 0, 1 and 2 if they
     * are close-on-exec. */
    int streams[3];
    const char *directory;    /* its working directory; NULL: the host process's */
    struct stack_place stack; /* of this program; what it executes has the usual one */
    /* Descriptor of the host: the terminal that controls the programs, which are a session of their own; with
     * the first program. 0: the one that controls Thimble, if there is one. */
    int terminal;
};
/* Creates a process and executes the program in it; it runs when its turn comes. Besides its streams it
 * inherits the host process's descriptors above 2 that are not close-on-exec (which the machine takes over),
 * its working directory and umask. 0, -ENOENT (not found), -EACCES/-ENOEXEC/… (cannot be executed), -E2BIG
 * (the stack is too small for arguments and environment), -ENOMEM: then the process is gone again. The
 * kernel remembers the first one that was created as the machine's first process. */
int kernel_start(struct kernel *, const struct kernel_program *);

/* The main loop (machine.c) in terms of these:
 *   while ((thread = kernel_next_thread(k))) { engine runs it; kernel_trap(k, thread, &trap); } */

/* The next thread to run, ready to enter user mode (signals delivered, page-table register chosen); waits for
 * host descriptors and timers when none is runnable. NULL when the machine is over (no process is left, or it
 * was stopped), or when the wait was cut short by wake_fd or a host signal (kernel_stop_reason() is
 * KERNEL_RUNNING): pass the host signals on and call again. */
struct thread *kernel_next_thread(struct kernel *);
struct cpu *kernel_thread_cpu(struct thread *);
struct page_table *kernel_thread_table(struct thread *);
/* On whose behalf things happen now; NULL: nobody's, or one's that has left its address space. */
struct thread *kernel_current(struct kernel *);
uint64_t kernel_thread_budget(struct thread *); /* instructions it may run now */
void kernel_trap(struct kernel *, struct thread *, const struct trap *);

/* engine_client.fault and vm_config.out_of_memory / refused / io_error end here. */
enum fault_result kernel_fault(struct kernel *, struct page_table *, uint64_t address, unsigned access);
bool kernel_out_of_memory(struct kernel *);
void kernel_refused_memory(struct kernel *);
void kernel_io_error(struct kernel *, struct space *, int error, const char *what);

/* A descriptor of the host for reading the file behind an object, close-on-exec, the caller's; or -errno:
 * -ENODEV for one that is no file's. */
int kernel_open_object(struct object *);

/* engine_client.reached ends here; vm_listener.forget_table as well. */
void kernel_reached(struct kernel *, const struct page_table *, uint64_t address);
void kernel_forget_table(struct kernel *, const struct page_table *);

/* A signal came to Thimble itself (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH …): it is for the guest's
 * foreground. Called from the main loop, not from a handler. A second SIGTERM/SIGINT within a second ends the
 * machine. */
void kernel_host_signal(struct kernel *, int signal);
/* The same for one that was typed (Ctrl-C): it is the programs' alone, however often it comes. */
void kernel_typed_signal(struct kernel *, int signal);

/* The programs have all stopped, and somebody outside can continue them: then Thimble is to stop, too, as the
 * shell expects that waits for it, and to pass on the SIGCONT that it gets. kernel_next_thread() gives NULL
 * for this. The signal that stopped them, once; 0: nothing is to be done. */
int kernel_take_suspension(struct kernel *);

/* The machine ends before the next thread runs: KERNEL_STOPPED, unless it had ended already. */
void kernel_request_stop(struct kernel *);

enum kernel_stop { KERNEL_RUNNING, KERNEL_FINISHED, KERNEL_LIMIT, KERNEL_STOPPED };
enum kernel_stop kernel_stop_reason(const struct kernel *);
int kernel_exit_status(const struct kernel *); /* wait status of the first process */

struct process_summary {
    uint32_t pid, parent;
    const char *command; /* NUL-terminated, arguments joined by spaces */
    int wait_status;     /* -1: had not ended */
    uint64_t peak_resident;
    struct tally tally;
    uint64_t syscalls;
};
struct syscall_summary {
    const char *name; /* or "syscall_NNN" */
    uint64_t count;
};
struct kernel_summary {
    uint64_t syscalls, context_switches, oom_kills, instructions;
    uint64_t output_bytes;                       /* to standard output and error */
    uint64_t tasks_refused;                      /* processes and threads beyond the limit */
    uint32_t tasks_peak;                         /* most processes at a time */
    enum kernel_limit limit;                     /* that ended the machine */
    const struct syscall_summary *unimplemented; /* those that were called */
    size_t unimplemented_count;
    const struct process_summary *processes; /* in order of pids, ended ones included */
    size_t process_count;
    const char *const *conditions; /* kernel_conditions() */
    bool limits_of_determinism;    /* sockets, terminals or host signals were used under deterministic */
};
/* Pointers stay valid until the next call or kernel_destroy(). */
void kernel_get_summary(struct kernel *, struct kernel_summary *ret_summary);

/* The calls and files by which programs could learn about memory or time, each once, in the order of their
 * first use; NULL at the end. They are of this run only: another one may be asked more. */
const char *const *kernel_conditions(const struct kernel *);

/* Verifies the kernel's invariants. NULL, or what is wrong. */
const char *kernel_check(struct kernel *);

#endif
