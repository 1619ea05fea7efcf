/* Processes and threads: who lives, who waits for whom, who is told; the scheduler; futexes. */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static uint64_t page_of(struct thread *t) {
    return fixture_map(t);
}

static struct thread *fork_from(struct thread *t) {
    long pid = CALL_0(t, SYS_fork);
    assert_true(pid > 2);
    struct thread *child = thread_find(t->process->kernel, (uint32_t)pid);
    assert_non_null(child);
    assert_int_equal(fixture_result(child), 0);
    return child;
}

/* Ends the process as exit_group(code) does. */
static void end(struct thread *t, int code) {
    struct kernel *k = t->process->kernel;
    uint32_t tid = t->tid;
    CALL_1(t, SYS_exit_group, code);
    while (thread_find(k, tid)) {
        struct thread *next = kernel_next_thread(k);
        if (next)
            kernel_trap(k, next, &(struct trap){.kind = TRAP_QUANTUM});
    }
}

static int read_int(struct thread *t, uint64_t address) {
    int value;
    assert_int_equal(user_read(t->process->space, address, &value, sizeof value), 0);
    return value;
}

/* Lets the machine go on until this thread is the one to run. */
static void run_until(struct thread *t) {
    struct kernel *k = t->process->kernel;
    for (int i = 0; i < 100; i++) {
        struct thread *next = kernel_next_thread(k);
        assert_non_null(next);
        if (next == t)
            return;
        kernel_trap(k, next, &(struct trap){.kind = TRAP_QUANTUM});
    }
    fail_msg("the thread never runs");
}

/* Gives up the thread's time slice and lets the others have theirs. */
static void let_others_run(struct thread *t) {
    kernel_trap(t->process->kernel, t, &(struct trap){.kind = TRAP_QUANTUM});
    run_until(t);
}

/* ---- fork and wait ---- */

static void pids_count_from_two(void **state) {
    struct thread *t = fixture_first(*state);
    assert_int_equal(CALL_0(t, SYS_getpid), 2);
    assert_int_equal(CALL_0(t, SYS_getppid), 1);
    struct thread *child = fork_from(t);
    assert_int_equal(CALL_0(child, SYS_getpid), 3);
    assert_int_equal(CALL_0(child, SYS_getppid), 2);
}

static void child_has_a_copy_of_memory(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t page = page_of(t);
    int one = 1, two = 2;
    user_write(t->process->space, page, &one, sizeof one);
    struct thread *child = fork_from(t);
    user_write(child->process->space, page, &two, sizeof two);
    assert_int_equal(read_int(t, page), 1);
    assert_int_equal(read_int(child, page), 2);
}

static void wait_tells_how_a_child_ended(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t page = page_of(t);
    assert_int_equal(CALL_4(t, SYS_wait4, -1, page, 0, 0), -ECHILD);
    struct thread *child = fork_from(t);
    uint32_t pid = child->tid;
    assert_int_equal(CALL_4(t, SYS_wait4, -1, page, WNOHANG, 0), 0);
    assert_int_equal(CALL_4(t, SYS_wait4, -1, page, 0, 0), FIXTURE_SLEEPS);
    end(child, 7);
    run_until(t);
    assert_int_equal(fixture_result(t), pid);
    assert_int_equal(read_int(t, page), 7 << 8);
    assert_null(process_find(t->process->kernel, pid));
}

static void wait_selects_children(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t page = page_of(t);
    struct thread *first = fork_from(t), *second = fork_from(t);
    uint32_t first_pid = first->tid, second_pid = second->tid;
    assert_int_equal(CALL_2(t, SYS_setpgid, second_pid, second_pid), 0);
    end(first, 1);
    end(second, 2);
    assert_int_equal(CALL_4(t, SYS_wait4, -(long)second_pid, page, 0, 0), second_pid);
    assert_int_equal(CALL_4(t, SYS_wait4, second_pid, page, 0, 0), -ECHILD);
    assert_int_equal(CALL_4(t, SYS_wait4, 0, page, 0, 0), first_pid);
    assert_int_equal(CALL_4(t, SYS_wait4, -1, page, 0x80, 0), -EINVAL);
}

static void waitid_may_leave_the_child(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t page = page_of(t);
    siginfo_t info;
    struct thread *child = fork_from(t);
    uint32_t pid = child->tid;
    CALL_2(t, SYS_kill, pid, SIGTERM);
    let_others_run(t);
    for (int i = 0; i < 2; i++) {
        unsigned keep = i == 0 ? WNOWAIT : 0;
        assert_int_equal(CALL_4(t, SYS_waitid, P_PID, pid, page, WEXITED | keep), 0);
        assert_int_equal(user_read(t->process->space, page, &info, sizeof info), 0);
        assert_int_equal(info.si_pid, pid);
        assert_int_equal(info.si_code, CLD_KILLED);
        assert_int_equal(info.si_status, SIGTERM);
    }
    assert_int_equal(CALL_4(t, SYS_waitid, P_PID, pid, page, WEXITED), -ECHILD);
    assert_int_equal(CALL_4(t, SYS_waitid, P_ALL, 0, page, 0), -EINVAL);
}

static void parent_that_ignores_sigchld_gets_no_zombies(void **state) {
    struct thread *t = fixture_first(*state);
    t->process->actions[SIGCHLD].handler = (uint64_t)SIG_IGN;
    struct thread *child = fork_from(t);
    uint32_t pid = child->tid;
    assert_int_equal(CALL_4(t, SYS_wait4, -1, 0, 0, 0), FIXTURE_SLEEPS);
    end(child, 0);
    assert_null(process_find(t->process->kernel, pid));
    run_until(t);
    assert_int_equal(fixture_result(t), -ECHILD);
}

static void orphans_go_to_the_machine_or_a_subreaper(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    struct thread *middle = fork_from(t), *orphan = fork_from(middle);
    end(middle, 0);
    assert_int_equal(CALL_0(orphan, SYS_getppid), 1);
    end(orphan, 0);
    assert_int_equal(CALL_2(t, SYS_prctl, 36 /* PR_SET_CHILD_SUBREAPER */, 1), 0);
    middle = fork_from(t), orphan = fork_from(middle);
    uint32_t pid = orphan->tid;
    end(middle, 0);
    assert_int_equal(CALL_0(orphan, SYS_getppid), 2);
    end(orphan, 9);
    assert_int_equal(CALL_4(t, SYS_wait4, pid, 0, 0, 0), pid);
    fixture_check(f);
}

static void vforks_parent_sleeps_until_exec_or_exit(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint8_t bytes[512];
    char *none[] = {NULL};
    for (int how = 0; how < 2; how++) {
        assert_int_equal(CALL_0(t, SYS_vfork), FIXTURE_SLEEPS);
        struct thread *child = kernel_next_thread(f->kernel);
        assert_ptr_not_equal(child, t);
        assert_ptr_equal(child->process->space, t->process->space);
        uint32_t pid = child->tid;
        signal_send_process(t->process, SIGUSR1, NULL); /* waits, too */
        t->process->actions[SIGUSR1].handler = (uint64_t)SIG_IGN;
        assert_int_equal(t->state, THREAD_SLEEPING);
        if (how == 0)
            assert_int_equal(
                exec_program(child, fixture_write(f, "x", bytes, fixture_elf(bytes, 2), 0755), none, none),
                0);
        else
            end(child, 0);
        run_until(t);
        assert_int_equal(fixture_result(t), pid);
        CALL_2(t, SYS_kill, pid, SIGKILL);
        let_others_run(t);
    }
}

static void machine_ends_with_its_last_process(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    struct thread *child = fork_from(t);
    end(t, 3);
    assert_ptr_equal(kernel_next_thread(f->kernel), child);
    assert_int_equal(kernel_exit_status(f->kernel), 3 << 8);
    CALL_1(child, SYS_exit_group, 4);
    assert_null(kernel_next_thread(f->kernel));
    assert_int_equal(kernel_stop_reason(f->kernel), KERNEL_FINISHED);
    assert_int_equal(kernel_exit_status(f->kernel), 3 << 8);
}

static void clone3_takes_its_arguments_from_memory(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint64_t page = page_of(t), clear_handlers = 0x100000000;
    uint64_t arguments[11] = {
        clear_handlers | CLONE_PARENT_SETTID, 0, 0, page + 512, SIGUSR1, 0x7000, 0x100, 0};
    t->process->actions[SIGUSR2].handler = 0x1234;
    user_write(t->process->space, page, arguments, sizeof arguments);
    long pid = CALL_2(t, SYS_clone3, page, 64);
    assert_true(pid > 2);
    struct thread *child = thread_find(f->kernel, (uint32_t)pid);
    struct cpu_registers r;
    fixture_get(child, &r);
    assert_int_equal(r.general[CPU_RSP], 0x7100);
    assert_int_equal(child->process->exit_signal, SIGUSR1);
    assert_int_equal(child->process->actions[SIGUSR2].handler, (uint64_t)SIG_DFL);
    assert_int_equal(read_int(t, page + 512), pid);
    assert_int_equal(CALL_2(t, SYS_clone3, page, 63), -EINVAL);
    arguments[0] |= 0x200000000; /* CLONE_INTO_CGROUP: there are none */
    user_write(t->process->space, page, arguments, sizeof arguments);
    assert_int_equal(CALL_2(t, SYS_clone3, page, sizeof arguments), -EBADF);
    assert_int_equal(CALL_2(t, SYS_clone3, 8, sizeof arguments), -EFAULT);
}

static void number_of_processes_is_limited(void **state) {
    struct thread *t = fixture_first(*state);
    t->process->limits[RLIMIT_NPROC].rlim_cur = 3;
    fork_from(t);
    fork_from(t);
    assert_int_equal(CALL_0(t, SYS_fork), -EAGAIN);
    assert_int_equal(CALL_0(t, SYS_vfork), -EAGAIN);
}

/* The n-th allocation fails, for every n: no child, or a whole one. */
static void fork_survives_every_failed_allocation(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long pid = -ENOMEM;
    for (uint64_t n = 1; pid < 0; n++) {
        f->inject.calls[INJECT_ALLOC] = 0;
        f->inject.fail_at[INJECT_ALLOC] = n;
        pid = CALL_0(t, SYS_fork);
        f->inject.fail_at[INJECT_ALLOC] = 0;
        assert_true(pid > 0 || pid == -ENOMEM);
        fixture_check(f);
    }
    assert_non_null(thread_find(f->kernel, (uint32_t)pid));
}

static void first_process_is_placed_as_thimble_is(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    char *none[] = {NULL};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    const char *path = fixture_write(f, "x", bytes, fixture_elf(bytes, 2), 0755);
    sigaction(SIGHUP, &ignore, &old);
    assert_int_equal(fixture_start(f, path, none, none), 0);
    sigaction(SIGHUP, &old, NULL);
    struct thread *t = fixture_first(f);
    assert_int_equal(t->process->actions[SIGHUP].handler, (uint64_t)SIG_IGN);
    assert_int_equal(t->process->actions[SIGTERM].handler, (uint64_t)SIG_DFL);
    assert_int_equal(CALL_0(t, SYS_getpgrp), getpgrp() == getpid() ? 2 : 1);
    assert_int_equal(CALL_1(t, SYS_getsid, 0), getsid(0) == getpid() ? 2 : 1);
}

/* PATH is searched as execvp() does: what cannot be executed is passed over, and told if nothing else is
 * found. */
static void program_is_found_in_path(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    char path[200], *none[] = {NULL}, *envp[] = {path, NULL};
    snprintf(path, sizeof path, "PATH=/nowhere:%s:/bin", f->directory);
    fixture_write(f, "unique-name", bytes, fixture_elf(bytes, 2), 0644);
    assert_int_equal(fixture_start(f, "unique-name", none, envp), -EACCES);
    assert_int_equal(fixture_start(f, "other-name", none, envp), -ENOENT);
    fixture_write(f, "unique-name", bytes, fixture_elf(bytes, 2), 0755);
    assert_int_equal(fixture_start(f, "unique-name", none, envp), 0);
}

/* ---- stopping ---- */

static void stop_and_continue_are_told(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint64_t page = page_of(t);
    struct thread *child = fork_from(t);
    uint32_t pid = child->tid;
    CALL_2(t, SYS_kill, pid, SIGSTOP);
    let_others_run(t);
    assert_int_equal(child->state, THREAD_STOPPED);
    assert_int_equal(CALL_4(t, SYS_wait4, pid, page, WNOHANG, 0), 0);
    assert_int_equal(CALL_4(t, SYS_wait4, pid, page, WUNTRACED, 0), pid);
    assert_int_equal(read_int(t, page), SIGSTOP << 8 | 0x7f);
    assert_int_equal(CALL_4(t, SYS_wait4, pid, page, WUNTRACED | WNOHANG, 0), 0); /* told once */
    CALL_2(t, SYS_kill, pid, SIGCONT);
    assert_int_equal(CALL_4(t, SYS_wait4, pid, page, WCONTINUED, 0), pid);
    assert_int_equal(read_int(t, page), 0xffff);
    assert_int_equal(child->state, THREAD_RUNNABLE);
    CALL_2(t, SYS_kill, pid, SIGSTOP);
    CALL_2(t, SYS_kill, pid, SIGKILL); /* a stopped process can be killed */
    assert_int_equal(CALL_4(t, SYS_wait4, pid, page, 0, 0), FIXTURE_SLEEPS);
    run_until(t);
    assert_int_equal(read_int(t, page), SIGKILL);
}

static void orphaned_groups_do_not_stop_from_the_keyboard(void **state) {
    struct thread *t = fixture_first(*state);
    CALL_2(t, SYS_kill, 2, SIGTSTP);
    run_until(t);
    assert_int_equal(t->process->stop_signal, 0);
}

static void groups_and_sessions(void **state) {
    struct thread *t = fixture_first(*state);
    t->process->pgid = 2; /* as an interactive shell would start it */
    t->process->sid = 1;
    struct thread *child = fork_from(t);
    assert_int_equal(CALL_0(t, SYS_getpgrp), 2);
    assert_int_equal(CALL_1(t, SYS_getsid, 0), 1);
    assert_int_equal(CALL_0(t, SYS_setsid), -EPERM); /* a group's leader */
    assert_int_equal(CALL_0(child, SYS_setsid), child->tid);
    assert_int_equal(CALL_1(t, SYS_getpgid, child->tid), child->tid);
    assert_int_equal(CALL_2(t, SYS_setpgid, child->tid, 2), -EPERM);
    assert_int_equal(CALL_2(t, SYS_setpgid, 0, 4711), -EPERM);
    assert_int_equal(CALL_2(t, SYS_setpgid, 4711, 0), -ESRCH);
}

/* ---- the scheduler ---- */

static void threads_take_turns(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f), *order[6];
    struct thread *second = fork_from(t), *third = fork_from(t);
    for (int i = 0; i < 6; i++) {
        order[i] = kernel_next_thread(f->kernel);
        assert_int_equal(kernel_thread_budget(order[i]) > 0, true);
        fixture_work(f, 10000);
        kernel_trap(f->kernel, order[i], &(struct trap){.kind = TRAP_QUANTUM});
    }
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(order[i], order[i + 3]);
    assert_ptr_equal(order[0], t);
    assert_ptr_equal(order[1], second);
    assert_ptr_equal(order[2], third);
    assert_int_equal(t->process->user_instructions, 20000);
}

static void calls_use_up_a_slice(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f), *other = fork_from(t);
    for (int i = 0; i < 1000 && kernel_next_thread(f->kernel) == t; i++)
        CALL_0(t, SYS_getpid);
    assert_ptr_equal(kernel_next_thread(f->kernel), other);
}

static void time_jumps_only_when_nobody_can_run(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f), *other = fork_from(t);
    uint64_t page = page_of(t), start = clock_now(f->kernel);
    struct timespec second = {.tv_sec = 1};
    assert_int_equal(user_write(t->process->space, page, &second, sizeof second), 0);
    assert_int_equal(CALL_2(t, SYS_nanosleep, page, 0), FIXTURE_SLEEPS);
    assert_ptr_equal(kernel_next_thread(f->kernel), other);
    fixture_work(f, 1000);
    kernel_trap(f->kernel, other, &(struct trap){.kind = TRAP_QUANTUM});
    assert_ptr_equal(kernel_next_thread(f->kernel), other);
    assert_int_equal(clock_now(f->kernel), start + 1000);
    assert_int_equal(CALL_0(other, SYS_pause), FIXTURE_SLEEPS);
    assert_ptr_equal(kernel_next_thread(f->kernel), t);
    assert_int_equal(fixture_result(t), 0);
    assert_int_equal(clock_now(f->kernel), start + 1000000000);
}

/* Else two threads that ping-pong through a pipe would keep timers and host descriptors from their turn. */
static void sleeping_does_not_refill_a_slice(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint64_t page = page_of(t);
    assert_int_equal(
        user_write(t->process->space, page, &(struct timespec){.tv_sec = 1}, sizeof(struct timespec)), 0);
    for (int i = 0; i < 10; i++)
        CALL_0(t, SYS_getpid);
    uint64_t left = kernel_thread_budget(t);
    assert_int_equal(CALL_2(t, SYS_nanosleep, page, 0), FIXTURE_SLEEPS);
    assert_ptr_equal(kernel_next_thread(f->kernel), t);
    assert_true(kernel_thread_budget(t) <= left);
}

static void limit_stops_the_machine(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    f->kernel->config.max_instructions = 5000;
    assert_int_equal(kernel_thread_budget(t), 5000);
    fixture_work(f, 5001);
    kernel_trap(f->kernel, t, &(struct trap){.kind = TRAP_QUANTUM});
    assert_null(kernel_next_thread(f->kernel));
    assert_int_equal(kernel_stop_reason(f->kernel), KERNEL_LIMIT);
}

static void cpu_time_is_limited(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    t->process->limits[RLIMIT_CPU] = (struct rlimit){1, 3};
    t->process->actions[SIGXCPU].handler = (uint64_t)SIG_IGN;
    for (int second = 1; second <= 3; second++) {
        assert_ptr_equal(kernel_next_thread(f->kernel), t);
        fixture_work(f, 1000000000);
        kernel_trap(f->kernel, t, &(struct trap){.kind = TRAP_QUANTUM});
    }
    assert_null(kernel_next_thread(f->kernel));
    assert_int_equal(kernel_exit_status(f->kernel), SIGKILL);
}

static void work_timer_counts_work(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint64_t page = page_of(t);
    struct itimerval value = {.it_value = {.tv_usec = 10}};
    t->blocked = signal_bit(SIGVTALRM);
    user_write(t->process->space, page, &value, sizeof value);
    assert_int_equal(CALL_3(t, SYS_setitimer, ITIMER_VIRTUAL, page, 0), 0);
    fixture_work(f, 9000);
    kernel_trap(f->kernel, t, &(struct trap){.kind = TRAP_QUANTUM});
    assert_int_equal(signal_pending_set(t), 0);
    fixture_work(f, 2000);
    kernel_trap(f->kernel, t, &(struct trap){.kind = TRAP_QUANTUM});
    assert_int_equal(signal_pending_set(t), signal_bit(SIGVTALRM));
}

static void second_interrupt_from_outside_ends_the_machine(void **state) {
    struct fixture *f = *state;
    fixture_first(f)->process->actions[SIGINT].handler = (uint64_t)SIG_IGN;
    kernel_host_signal(f->kernel, SIGINT);
    assert_non_null(kernel_next_thread(f->kernel));
    kernel_host_signal(f->kernel, SIGINT);
    assert_null(kernel_next_thread(f->kernel));
    assert_int_equal(kernel_stop_reason(f->kernel), KERNEL_STOPPED);
}

static void unknown_calls_are_counted_by_name(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    struct kernel_summary s;
    assert_int_equal(CALL_0(t, SYS_ptrace), -ENOSYS);
    assert_int_equal(CALL_0(t, SYS_ptrace), -ENOSYS);
    assert_int_equal(CALL_0(t, 100000), -ENOSYS);
    kernel_get_summary(f->kernel, &s);
    assert_int_equal(s.unimplemented_count, 2);
    assert_string_equal(s.unimplemented[0].name, "ptrace");
    assert_int_equal(s.unimplemented[0].count, 2);
    assert_int_equal(s.syscalls, 3);
    assert_int_equal(s.process_count, 1);
    assert_int_equal(s.processes[0].pid, 2);
}

/* ---- threads and futexes ---- */

static struct thread *clone_thread(struct thread *t, uint64_t page) {
    long tid = fixture_call(t, SYS_clone,
                            CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
                            page + 2048, page, page, 0x7000, 0);
    assert_true(tid > 2);
    assert_int_equal(read_int(t, page), tid);
    struct thread *thread = thread_find(t->process->kernel, (uint32_t)tid);
    assert_ptr_equal(thread->process, t->process);
    return thread;
}

static void join_waits_for_the_thread(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint64_t page = page_of(t);
    struct thread *thread = clone_thread(t, page);
    assert_int_equal(CALL_0(thread, SYS_getpid), 2);
    assert_int_equal(CALL_4(t, SYS_futex, page, FUTEX_WAIT, thread->tid, 0), FIXTURE_SLEEPS);
    assert_ptr_equal(kernel_next_thread(f->kernel), thread);
    CALL_1(thread, SYS_exit, 0);
    run_until(t);
    assert_int_equal(fixture_result(t), 0);
    assert_int_equal(read_int(t, page), 0);
    assert_int_equal(CALL_4(t, SYS_futex, page, FUTEX_WAIT, 1, 0), -EAGAIN);
}

static void exit_group_ends_all_threads(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint64_t page = page_of(t);
    struct thread *thread = clone_thread(t, page);
    CALL_1(thread, SYS_exit_group, 5);
    assert_null(kernel_next_thread(f->kernel));
    assert_int_equal(kernel_exit_status(f->kernel), 5 << 8);
}

static void futexes_wake_in_order_and_number(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f), *waiter[3];
    uint64_t page = page_of(t);
    int zero = 0;
    for (int i = 0; i < 3; i++) {
        waiter[i] = clone_thread(t, page);
        user_write(t->process->space, page, &zero, sizeof zero);
        assert_int_equal(CALL_4(waiter[i], SYS_futex, page, FUTEX_WAIT, 0, 0), FIXTURE_SLEEPS);
    }
    assert_int_equal(CALL_3(t, SYS_futex, page, FUTEX_WAKE, 1), 1);
    assert_int_equal(waiter[0]->state, THREAD_RUNNABLE);
    assert_int_equal(waiter[1]->state, THREAD_SLEEPING);
    assert_int_equal(fixture_call(t, SYS_futex, page, FUTEX_REQUEUE, 0, 1, page + 64, 0), 1);
    assert_int_equal(CALL_3(t, SYS_futex, page + 64, FUTEX_WAKE, 9), 1);
    assert_int_equal(waiter[1]->state, THREAD_RUNNABLE);
    assert_int_equal(CALL_3(t, SYS_futex, page, FUTEX_WAKE, 9), 1);
    run_until(waiter[2]);
    assert_int_equal(fixture_result(waiter[2]), 0);
}

static void futex_times_out(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t page = page_of(t);
    struct timespec second = {.tv_sec = 1};
    user_write(t->process->space, page + 64, &second, sizeof second);
    assert_int_equal(CALL_4(t, SYS_futex, page, FUTEX_WAIT, 0, page + 64), FIXTURE_SLEEPS);
    run_until(t);
    assert_int_equal(fixture_result(t), -ETIMEDOUT);
}

static void exec_ends_the_other_threads(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint8_t bytes[512];
    char *none[] = {NULL};
    struct thread *thread = clone_thread(t, page_of(t));
    const char *path = fixture_write(f, "x", bytes, fixture_elf(bytes, 2), 0755);
    assert_int_equal(exec_program(thread, path, none, none), 0);
    assert_ptr_equal(fixture_first(f), thread); /* it is the process's leader now */
    assert_ptr_equal(kernel_next_thread(f->kernel), thread);
}

/* ---- running out of memory ---- */

static void largest_process_dies_and_the_others_go_on(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    struct thread *child = fork_from(t);
    uint32_t pid = child->tid;
    uint64_t page = page_of(t);
    int r = 0;
    for (int i = 0; i < 256 && r == 0; i++)
        r = user_zero(child->process->space, page_of(child), 1);
    assert_true(r < 0);
    assert_non_null(strstr(f->reported, "out of memory: killed PID 3"));
    assert_int_equal(user_zero(t->process->space, page, 1), 0);
    assert_int_equal(CALL_4(t, SYS_wait4, pid, page, 0, 0), FIXTURE_SLEEPS);
    run_until(t);
    assert_int_equal(read_int(t, page), SIGKILL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(pids_count_from_two),
        TEST(child_has_a_copy_of_memory),
        TEST(wait_tells_how_a_child_ended),
        TEST(wait_selects_children),
        TEST(waitid_may_leave_the_child),
        TEST(parent_that_ignores_sigchld_gets_no_zombies),
        TEST(orphans_go_to_the_machine_or_a_subreaper),
        TEST(vforks_parent_sleeps_until_exec_or_exit),
        TEST(machine_ends_with_its_last_process),
        TEST(clone3_takes_its_arguments_from_memory),
        TEST(number_of_processes_is_limited),
        TEST(fork_survives_every_failed_allocation),
        cmocka_unit_test_setup_teardown(first_process_is_placed_as_thimble_is, fixture_setup_without_process,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(program_is_found_in_path, fixture_setup_without_process,
                                        fixture_teardown),
        TEST(stop_and_continue_are_told),
        TEST(orphaned_groups_do_not_stop_from_the_keyboard),
        TEST(groups_and_sessions),
        TEST(threads_take_turns),
        TEST(calls_use_up_a_slice),
        TEST(time_jumps_only_when_nobody_can_run),
        TEST(sleeping_does_not_refill_a_slice),
        TEST(limit_stops_the_machine),
        TEST(cpu_time_is_limited),
        TEST(work_timer_counts_work),
        TEST(second_interrupt_from_outside_ends_the_machine),
        TEST(unknown_calls_are_counted_by_name),
        TEST(join_waits_for_the_thread),
        TEST(exit_group_ends_all_threads),
        TEST(futexes_wake_in_order_and_number),
        TEST(futex_times_out),
        TEST(exec_ends_the_other_threads),
        TEST(largest_process_dies_and_the_others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
