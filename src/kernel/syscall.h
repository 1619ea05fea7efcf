/* System calls: a handler each, found by number.
 *
 * A handler gets the calling thread; its arguments are t->call.args. Each file that implements calls offers a
 * table of them; kernel/syscall.c joins the tables. */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include "kernel/process/process.h"
#include "trace/syscall-name.h"

struct syscall_entry {
    int number; /* SYS_… ; -1 ends the table */
    const char *name;
    syscall_handler *handler;
};

/* Tables, each ended by number -1: who implements what. */
extern const struct syscall_entry
    syscalls_memory[],  /* sys_memory.c: brk mmap munmap mprotect mremap madvise msync mincore mlock* … */
    syscalls_process[], /* sys_process.c: fork clone vfork execve exit wait4 waitid getpid … prctl arch_prctl
                         */
    syscalls_wait[],    /* wait.c: wait4 waitid */
    syscalls_signal[],  /* sys_signal.c */
    syscalls_identity[],   /* sys_identity.c: uids, groups, sessions, process groups, uname, prctl */
    syscalls_resource[],   /* sys_resource.c: limits, rusage, times, sysinfo, getrandom, sched_* */
    syscalls_timer[],      /* sys_timer.c: alarm, setitimer, timer_* */
    syscalls_file[],       /* sys_file.c: read write … on descriptors */
    syscalls_descriptor[], /* sys_descriptor.c: dup fcntl close pipe … */
    syscalls_copy[],       /* sys_copy.c: sendfile copy_file_range */
    syscalls_content[],    /* sys_content.c: truncate fallocate fsync … */
    syscalls_path[],       /* sys_path.c: open rename … by path */
    syscalls_status[],     /* sys_status.c: stat access chmod … */
    syscalls_xattr[],      /* sys_xattr.c */
    syscalls_inotify[],    /* sys_inotify.c */
    syscalls_poll[],       /* sys_poll.c: poll select epoll eventfd */
    syscalls_time[],       /* sys_time.c: clocks, sleeping, timerfd */
    syscalls_futex[],      /* sys_futex.c */
    syscalls_robust[],     /* futex_robust.c */
    syscalls_prctl[],      /* sys_prctl.c */
    syscalls_limit[],      /* sys_limit.c: getrlimit, setrlimit, prlimit64 */
    syscalls_memfd[],      /* memfd.c: memfd_create */
    syscalls_pidfd[],      /* pidfd.c: pidfd_open … */
    syscalls_process_vm[], /* process_vm.c: process_vm_readv, process_vm_writev, kcmp */
    syscalls_refused[],    /* sys_refused.c: what needs privileges that no program has here */
    syscalls_scheduling[], /* sys_scheduling.c: sched_*, nice, ioprio_* */
    syscalls_mempolicy[],  /* mempolicy.c: mbind … */
    syscalls_sysv_shm[],   /* sysv_shm.c: shmget … */
    syscalls_sysv_sem[],   /* sysv_sem.c: semget … */
    syscalls_sysv_msg[],   /* sysv_msg.c: msgget … */
    syscalls_splice[],     /* sys_splice.c: splice tee vmsplice */
    syscalls_message[],    /* sys_message.c: send and recv */
    syscalls_terminal[],   /* terminal.c: vhangup */
    syscalls_socket[];     /* sys_socket.c */

/* One more than the highest number that can be implemented. */
enum { SYSCALL_NUMBERS = 512 };

/* What is known of a call at its entry. */
struct syscall_way {
    syscall_handler *handler; /* NULL: not implemented */
    uint16_t width;           /* of its arguments: syscall_width */
};

/* How wide an argument is. */
enum { SYSCALL_LONG, SYSCALL_INT, SYSCALL_UNSIGNED, SYSCALL_MODE };

/* syscall_width.c: of the arguments of this call, two bits each, the first argument's lowest. */
uint16_t syscall_width(unsigned number);
/* Cuts each argument to its width. */
void syscall_cut(uint64_t args[6], unsigned width);

/* The handlers of all tables by number, malloc'd. 0 or -ENOMEM. */
int syscall_create_ways(struct inject *, const struct syscall_way **ret_ways);
/* `syscall` was executed: fills t->call from the registers, counts the call. */
void syscall_enter(struct thread *);
/* Performs the call in t->call; does the sleeping, waking and restarting around it. */
void syscall_perform(struct thread *);
/* Goes on with the call that the thread slept in: it was woken. */
void syscall_resume(struct thread *);

#endif
