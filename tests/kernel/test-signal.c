/* Signals: the frame is the host kernel's, byte for byte where it matters; who gets a signal, when, and what
 * becomes of the call that it interrupts. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "fixture.h"

enum { HANDLER = 0x401000, RESTORER = 0x402000, RESTORER_FLAG = 0x04000000, MAGIC1 = 0x46505853 };

static uint64_t rip(struct thread *t) {
    struct cpu_registers r;
    fixture_get(t, &r);
    return r.rip;
}

static uint64_t rsp(struct thread *t) {
    struct cpu_registers r;
    fixture_get(t, &r);
    return r.general[CPU_RSP];
}

static void act(struct thread *t, int signal, uint64_t handler, uint64_t flags, uint64_t mask) {
    t->process->actions[signal] = (struct signal_action){
        .handler = handler, .flags = flags | RESTORER_FLAG, .restorer = RESTORER, .mask = mask};
}

/* The thread goes on to user mode, if it can. */
static struct thread *step(struct thread *t) {
    struct thread *next = kernel_next_thread(t->process->kernel);
    assert_ptr_equal(next, t);
    return next;
}

static long return_from_handler(struct thread *t) {
    struct cpu_registers r;
    fixture_get(t, &r);
    r.general[CPU_RSP] += 8; /* the handler returned to the restorer */
    fixture_set(t, &r);
    return CALL_0(t, SYS_rt_sigreturn);
}

/* ---- the frame ---- */

/* What a handler of the host sees of its frame, relative to the addresses it is given. */
struct native_frame {
    long info_minus_context;
    uint64_t flags, handler_stack_alignment, fpstate_alignment;
    uint32_t magic1;
    uint64_t features_of_x87_sse;
    uint16_t cs, ss;
    unsigned long registers[NGREG];
};
static struct native_frame native; /* a signal handler has no other way to tell */

static void native_handler(int signal, siginfo_t *info, void *context) {
    const ucontext_t *uc = context;
    const uint8_t *fpstate = (const uint8_t *)uc->uc_mcontext.fpregs;
    native.info_minus_context = (long)((char *)info - (char *)context);
    native.flags = uc->uc_flags;
    native.handler_stack_alignment = ((uint64_t)context - 8) % 16;
    native.fpstate_alignment = (uint64_t)fpstate % 64;
    memcpy(&native.magic1, fpstate + 464, 4);
    memcpy(&native.features_of_x87_sse, fpstate + 512, 8);
    native.features_of_x87_sse &= 3;
    native.cs = (uint16_t)uc->uc_mcontext.gregs[REG_CSGSFS];
    native.ss = (uint16_t)((uint64_t)uc->uc_mcontext.gregs[REG_CSGSFS] >> 48);
}

static void raise_natively(void) {
    struct sigaction action = {.sa_sigaction = native_handler, .sa_flags = SA_SIGINFO}, old;
    assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
    raise(SIGUSR1);
    sigaction(SIGUSR1, &old, NULL);
}

static void frame_is_laid_out_like_the_hosts(void **state) {
    struct thread *t = fixture_first(*state);
    struct cpu_registers r;
    ucontext_t uc;
    uint8_t fpstate[CPU_XSAVE_SIZE + 4];
    siginfo_t info;
    raise_natively();
    act(t, SIGUSR1, HANDLER, SA_SIGINFO, 0);
    CALL_2(t, SYS_kill, 2, SIGUSR1);
    step(t);
    fixture_get(t, &r);
    assert_int_equal(r.rip, HANDLER);
    assert_int_equal(r.general[CPU_RDI], SIGUSR1);
    assert_int_equal((long)(r.general[CPU_RSI] - r.general[CPU_RDX]), native.info_minus_context);
    assert_int_equal(r.general[CPU_RDX], r.general[CPU_RSP] + 8);
    assert_int_equal(r.general[CPU_RSP] % 16, native.handler_stack_alignment);
    assert_int_equal(user_read(t->process->space, r.general[CPU_RDX], &uc, native.info_minus_context), 0);
    assert_int_equal(uc.uc_flags, native.flags);
    assert_int_equal((uint16_t)uc.uc_mcontext.gregs[REG_CSGSFS], native.cs);
    assert_int_equal((uint16_t)((uint64_t)uc.uc_mcontext.gregs[REG_CSGSFS] >> 48), native.ss);
    uint64_t at = (uint64_t)uc.uc_mcontext.fpregs;
    assert_int_equal(at % 64, native.fpstate_alignment);
    assert_int_equal(user_read(t->process->space, at, fpstate, sizeof fpstate), 0);
    assert_memory_equal(fpstate + 464, &native.magic1, 4);
    assert_int_equal(fpstate[512] & 3, native.features_of_x87_sse);
    assert_int_equal(user_read(t->process->space, r.general[CPU_RSI], &info, sizeof info), 0);
    assert_int_equal(info.si_signo, SIGUSR1);
    assert_int_equal(info.si_code, SI_USER);
    assert_int_equal(info.si_pid, 2);
}

static void sigreturn_restores_everything(void **state) {
    struct thread *t = fixture_first(*state);
    struct kernel *k = t->process->kernel;
    struct cpu_registers before, after;
    uint8_t xsave[CPU_XSAVE_SIZE], back[CPU_XSAVE_SIZE];
    fixture_get(t, &before);
    for (unsigned i = 0; i < CPU_REGISTERS; i++)
        if (i != CPU_RSP)
            before.general[i] = 0x1111111111111111u * (i + 1);
    before.rflags |= 0x8d5 | 0x400;
    memset(xsave, 0x5a, sizeof xsave);
    memset(xsave + 464, 0, 48);
    memset(xsave + 512, 0, 64);
    xsave[512] = 7;
    memset(xsave + 24, 0, 4); /* MXCSR */
    xsave[25] = 0x1f;
    act(t, SIGUSR1, HANDLER, 0, signal_bit(SIGUSR2));
    fixture_set(t, &before);
    k->engine_ops->set_xsave(k->engine, t->cpu, xsave);
    signal_send_thread(t, SIGUSR1, NULL);
    step(t);
    fixture_get(t, &after);
    assert_int_equal(after.rflags & 0x400, 0); /* the ABI: a handler starts with DF clear */
    assert_int_equal(t->blocked, signal_bit(SIGUSR1) | signal_bit(SIGUSR2));
    return_from_handler(t);
    fixture_get(t, &after);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(t->blocked, 0);
    k->engine_ops->get_xsave(k->engine, t->cpu, back);
    memset(back + 464, 0, 48); /* software's bytes */
    assert_memory_equal(xsave, back, sizeof xsave);
}

static void red_zone_stays_as_it_was(void **state) {
    struct thread *t = fixture_first(*state);
    uint8_t zone[128], after[128];
    memset(zone, 0xc3, sizeof zone);
    assert_int_equal(user_write(t->process->space, rsp(t) - sizeof zone, zone, sizeof zone), 0);
    act(t, SIGUSR1, HANDLER, 0, 0);
    uint64_t before = rsp(t);
    signal_send_thread(t, SIGUSR1, NULL);
    step(t);
    assert_int_equal(user_read(t->process->space, before - sizeof zone, after, sizeof after), 0);
    assert_memory_equal(zone, after, sizeof zone);
}

static void handler_may_change_the_registers(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t value = 0x1234;
    act(t, SIGUSR1, HANDLER, 0, 0);
    signal_send_thread(t, SIGUSR1, NULL);
    step(t);
    uint64_t rbx_at = rsp(t) + 8 + offsetof(ucontext_t, uc_mcontext.gregs[REG_RBX]);
    assert_int_equal(user_write(t->process->space, rbx_at, &value, sizeof value), 0);
    return_from_handler(t);
    struct cpu_registers r;
    fixture_get(t, &r);
    assert_int_equal(r.general[CPU_RBX], value);
}

static void alternate_stack_is_used_when_asked(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t page = fixture_map(t), old_rsp = rsp(t);
    stack_t stack = {.ss_sp = (void *)page, .ss_size = PAGE_SIZE}, told;
    assert_int_equal(user_write(t->process->space, page, &stack, sizeof stack), 0);
    assert_int_equal(CALL_2(t, SYS_sigaltstack, page, 0), 0);
    act(t, SIGUSR1, HANDLER, 0, 0);
    act(t, SIGUSR2, HANDLER, SA_ONSTACK, 0);
    signal_send_thread(t, SIGUSR1, NULL);
    step(t);
    assert_true(rsp(t) < old_rsp - 128 && rsp(t) > old_rsp - 4096);
    return_from_handler(t);
    signal_send_thread(t, SIGUSR2, NULL);
    step(t);
    assert_true(rsp(t) > page && rsp(t) < page + PAGE_SIZE);
    assert_int_equal(CALL_2(t, SYS_sigaltstack, 0, page), 0);
    assert_int_equal(user_read(t->process->space, page, &told, sizeof told), 0);
    assert_int_equal(told.ss_flags, SS_ONSTACK);
    assert_int_equal(CALL_2(t, SYS_sigaltstack, page, 0), -EPERM);
}

static void stack_that_cannot_take_the_frame_kills(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    struct cpu_registers r;
    act(t, SIGUSR1, HANDLER, 0, 0);
    act(t, SIGSEGV, HANDLER, 0, 0);
    fixture_get(t, &r);
    r.general[CPU_RSP] = 0x1000;
    fixture_set(t, &r);
    signal_send_thread(t, SIGUSR1, NULL);
    assert_null(kernel_next_thread(f->kernel));
    assert_int_equal(kernel_exit_status(f->kernel), SIGSEGV);
}

/* ---- exceptions ---- */

struct exception {
    struct trap trap;
    int signal, code;
    bool address; /* si_addr is the trap's */
};

static const struct exception exceptions[] = {
    {{.vector = VECTOR_PF, .address = 0x123, .fault = FAULT_NO_MAPPING}, SIGSEGV, SEGV_MAPERR, true},
    {{.vector = VECTOR_PF, .address = 0x123, .fault = FAULT_PERMISSION}, SIGSEGV, SEGV_ACCERR, true},
    {{.vector = VECTOR_PF, .address = 0x123, .fault = FAULT_PAST_END}, SIGBUS, BUS_ADRERR, true},
    {{.vector = VECTOR_PF, .address = 0x123, .fault = FAULT_IO}, SIGBUS, BUS_ADRERR, true},
    {{.vector = VECTOR_DE}, SIGFPE, FPE_INTDIV, false},
    {{.vector = VECTOR_UD}, SIGILL, ILL_ILLOPN, false},
    {{.vector = VECTOR_BP}, SIGTRAP, SI_KERNEL, false},
    {{.vector = VECTOR_DB, .address = DEBUG_STEP}, SIGTRAP, TRAP_TRACE, false},
    {{.vector = VECTOR_DB}, SIGTRAP, TRAP_BRKPT, false},
    {{.vector = VECTOR_SS}, SIGBUS, SI_KERNEL, false},
    {{.vector = VECTOR_GP}, SIGSEGV, SI_KERNEL, false},
    {{.vector = VECTOR_AC}, SIGBUS, BUS_ADRALN, false},
};

static void exceptions_become_signals(void **state) {
    struct thread *t = fixture_first(*state);
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        const struct exception *e = &exceptions[i];
        struct trap trap = e->trap;
        struct cpu_registers r;
        siginfo_t info;
        trap.kind = TRAP_EXCEPTION;
        trap.error_code = 6;
        act(t, e->signal, HANDLER, SA_SIGINFO, 0);
        kernel_trap(t->process->kernel, t, &trap);
        step(t);
        fixture_get(t, &r);
        assert_int_equal(r.general[CPU_RDI], e->signal);
        assert_int_equal(user_read(t->process->space, r.general[CPU_RSI], &info, sizeof info), 0);
        assert_int_equal(info.si_code, e->code);
        if (e->address)
            assert_int_equal((uint64_t)info.si_addr, trap.address);
        uint64_t saved[2];
        uint64_t at = r.general[CPU_RDX] + offsetof(ucontext_t, uc_mcontext.gregs[REG_ERR]);
        assert_int_equal(user_read(t->process->space, at, saved, sizeof saved), 0);
        assert_int_equal(saved[0], 6);
        assert_int_equal(saved[1], trap.vector);
        return_from_handler(t);
    }
}

static void blocked_exception_kills(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    act(t, SIGSEGV, HANDLER, 0, 0);
    signal_set_blocked(t, signal_bit(SIGSEGV));
    kernel_trap(f->kernel, t,
                &(struct trap){.kind = TRAP_EXCEPTION, .vector = VECTOR_PF, .fault = FAULT_NO_MAPPING});
    assert_null(kernel_next_thread(f->kernel));
    assert_int_equal(kernel_exit_status(f->kernel), SIGSEGV);
}

static void ignored_exception_kills(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    act(t, SIGFPE, (uint64_t)SIG_IGN, 0, 0);
    kernel_trap(f->kernel, t, &(struct trap){.kind = TRAP_EXCEPTION, .vector = VECTOR_DE});
    assert_null(kernel_next_thread(f->kernel));
    assert_int_equal(kernel_exit_status(f->kernel), SIGFPE);
}

/* ---- sending, blocking, queueing ---- */

static void blocked_signals_wait(void **state) {
    struct thread *t = fixture_first(*state);
    act(t, SIGUSR1, HANDLER, 0, 0);
    uint64_t before = rip(t), page = fixture_map(t), set = signal_bit(SIGUSR1), pending;
    before = rip(t);
    assert_int_equal(user_write(t->process->space, page, &set, sizeof set), 0);
    assert_int_equal(CALL_4(t, SYS_rt_sigprocmask, SIG_BLOCK, page, 0, 8), 0);
    CALL_2(t, SYS_kill, 2, SIGUSR1);
    CALL_2(t, SYS_kill, 2, SIGUSR1);
    assert_int_equal(CALL_2(t, SYS_rt_sigpending, page + 8, 8), 0);
    assert_int_equal(user_read(t->process->space, page + 8, &pending, sizeof pending), 0);
    assert_int_equal(pending, set);
    assert_int_equal(rip(step(t)), before + 8);
    assert_int_equal(CALL_4(t, SYS_rt_sigprocmask, SIG_UNBLOCK, page, 0, 8), 0);
    assert_int_equal(rip(step(t)), HANDLER);
    return_from_handler(t);
    assert_int_equal(rip(step(t)), before + 10); /* it came once: standard signals do not queue */
}

static void real_time_signals_queue_in_order(void **state) {
    struct thread *t = fixture_first(*state);
    act(t, SIGRTMIN + 1, HANDLER, SA_SIGINFO, 0);
    signal_set_blocked(t, signal_bit(SIGRTMIN + 1));
    for (int i = 0; i < 3; i++) {
        siginfo_t info = {.si_code = SI_QUEUE};
        info.si_value.sival_int = i;
        signal_send_process(t->process, SIGRTMIN + 1, &info);
    }
    for (int i = 0; i < 3; i++) {
        struct cpu_registers r;
        siginfo_t info;
        signal_set_blocked(t, 0);
        step(t);
        fixture_get(t, &r);
        assert_int_equal(r.rip, HANDLER);
        assert_int_equal(user_read(t->process->space, r.general[CPU_RSI], &info, sizeof info), 0);
        assert_int_equal(info.si_value.sival_int, i);
    }
    assert_int_equal(signal_pending_set(t), 0);
}

static void synchronous_signals_come_first(void **state) {
    struct thread *t = fixture_first(*state);
    act(t, SIGHUP, HANDLER, 0, 0);
    act(t, SIGSEGV, HANDLER + 16, 0, 0);
    signal_send_thread(t, SIGHUP, NULL);
    signal_send_thread(t, SIGSEGV, NULL);
    /* both frames are built at once, the last one runs first */
    assert_int_equal(rip(step(t)), HANDLER);
    return_from_handler(t);
    assert_int_equal(rip(t), HANDLER + 16);
}

static void ignored_signals_vanish(void **state) {
    struct thread *t = fixture_first(*state);
    act(t, SIGUSR1, (uint64_t)SIG_IGN, 0, 0);
    signal_send_process(t->process, SIGUSR1, NULL);
    signal_send_process(t->process, SIGCHLD, NULL);
    signal_send_process(t->process, SIGWINCH, NULL);
    assert_int_equal(signal_pending_set(t), 0);
    signal_set_blocked(t, signal_bit(SIGUSR2));
    signal_send_process(t->process, SIGUSR2, NULL);
    uint64_t page = fixture_map(t);
    struct signal_action ignore = {.handler = (uint64_t)SIG_IGN};
    assert_int_equal(user_write(t->process->space, page, &ignore, sizeof ignore), 0);
    assert_int_equal(CALL_4(t, SYS_rt_sigaction, SIGUSR2, page, 0, 8), 0);
    assert_int_equal(signal_pending_set(t), 0);
}

static void flags_of_actions_are_honoured(void **state) {
    struct thread *t = fixture_first(*state);
    act(t, SIGUSR1, HANDLER, SA_NODEFER | SA_RESETHAND, 0);
    signal_send_thread(t, SIGUSR1, NULL);
    assert_int_equal(rip(step(t)), HANDLER);
    assert_int_equal(t->blocked, 0);
    assert_int_equal(t->process->actions[SIGUSR1].handler, (uint64_t)SIG_DFL);
}

static void kill_and_stop_cannot_be_caught_or_blocked(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint64_t page = fixture_map(t);
    struct signal_action action = {.handler = HANDLER};
    assert_int_equal(user_write(t->process->space, page, &action, sizeof action), 0);
    assert_int_equal(CALL_4(t, SYS_rt_sigaction, SIGKILL, page, 0, 8), -EINVAL);
    assert_int_equal(CALL_4(t, SYS_rt_sigaction, SIGSTOP, page, 0, 8), -EINVAL);
    signal_set_blocked(t, UINT64_MAX);
    CALL_2(t, SYS_kill, 2, SIGKILL);
    assert_null(kernel_next_thread(f->kernel));
    assert_int_equal(kernel_exit_status(f->kernel), SIGKILL);
}

/* ---- interrupted calls ---- */

/* A call at 0x4000fe was interrupted with that result, and a handler runs and returns. What rax and rip are
 * then. */
static long interrupt_with(struct thread *t, int result, uint64_t flags, uint64_t *ret_rip) {
    struct cpu_registers r;
    fixture_get(t, &r);
    r.rip = 0x400100;
    fixture_set(t, &r);
    t->call.number = SYS_pause;
    t->restart = result;
    act(t, SIGUSR1, HANDLER, flags, 0);
    signal_send_thread(t, SIGUSR1, NULL);
    assert_int_equal(rip(step(t)), HANDLER);
    return_from_handler(t);
    *ret_rip = rip(t);
    return fixture_result(t);
}

static void restart_rules_are_linuxs(void **state) {
    struct thread *t = fixture_first(*state);
    const uint64_t after = 0x400100, again = after - 2;
    uint64_t at;
    assert_int_equal(interrupt_with(t, -K_ERESTARTSYS, 0, &at), -EINTR);
    assert_int_equal(at, after);
    assert_int_equal(interrupt_with(t, -K_ERESTARTSYS, SA_RESTART, &at), SYS_pause);
    assert_int_equal(at, again);
    assert_int_equal(interrupt_with(t, -K_ERESTARTNOINTR, 0, &at), SYS_pause);
    assert_int_equal(at, again);
    assert_int_equal(interrupt_with(t, -K_ERESTARTNOHAND, SA_RESTART, &at), -EINTR);
    assert_int_equal(at, after);
    assert_int_equal(interrupt_with(t, -K_ERESTART_RESTARTBLOCK, SA_RESTART, &at), -EINTR);
    assert_int_equal(at, after);
}

/* No handler ran: the call goes on whatever it said. SIGCONT is such a signal when nothing is stopped. */
static void calls_go_on_when_no_handler_ran(void **state) {
    struct thread *t = fixture_first(*state);
    struct cpu_registers r;
    const int codes[] = {-K_ERESTARTSYS, -K_ERESTARTNOINTR, -K_ERESTARTNOHAND, -K_ERESTART_RESTARTBLOCK};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        fixture_get(t, &r);
        r.rip = 0x400100;
        fixture_set(t, &r);
        t->call.number = SYS_pause;
        t->restart = codes[i];
        step(t);
        assert_int_equal(rip(t), 0x4000fe);
        assert_int_equal(fixture_result(t),
                         codes[i] == -K_ERESTART_RESTARTBLOCK ? SYS_restart_syscall : SYS_pause);
    }
}

static void read_of_a_pipe_is_restarted(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t page = fixture_map(t), before;
    int ends[2];
    assert_int_equal(CALL_1(t, SYS_pipe, page), 0);
    assert_int_equal(user_read(t->process->space, page, ends, sizeof ends), 0);
    act(t, SIGUSR1, HANDLER, SA_RESTART, 0);
    before = rip(t);
    assert_int_equal(CALL_3(t, SYS_read, ends[0], page, 10), FIXTURE_SLEEPS);
    signal_send_process(t->process, SIGUSR1, NULL);
    assert_int_equal(rip(step(t)), HANDLER);
    return_from_handler(t);
    assert_int_equal(rip(t), before);
    assert_int_equal(fixture_result(t), SYS_read);
    assert_int_equal(CALL_3(t, SYS_write, ends[1], page, 7), 7);
    assert_int_equal(CALL_3(t, SYS_read, ends[0], page, 10), 7);
}

static void pause_ends_with_a_handler(void **state) {
    struct thread *t = fixture_first(*state);
    act(t, SIGALRM, HANDLER, SA_RESTART, 0);
    assert_int_equal(CALL_1(t, SYS_alarm, 5), 0);
    assert_int_equal(CALL_0(t, SYS_pause), FIXTURE_SLEEPS);
    assert_int_equal(rip(step(t)), HANDLER); /* the clock jumped: nobody else could run */
    assert_true(clock_now(t->process->kernel) >= 5000000000);
    return_from_handler(t);
    assert_int_equal(fixture_result(t), -EINTR);
}

static void sigsuspend_waits_with_another_mask(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t page = fixture_map(t), none = 0;
    act(t, SIGUSR1, HANDLER, 0, 0);
    assert_int_equal(user_write(t->process->space, page, &none, sizeof none), 0);
    signal_set_blocked(t, signal_bit(SIGUSR1));
    signal_send_process(t->process, SIGUSR1, NULL);
    assert_int_equal(CALL_2(t, SYS_rt_sigsuspend, page, 8), SYS_rt_sigsuspend); /* it never went to sleep */
    assert_int_equal(rip(step(t)), HANDLER);
    return_from_handler(t);
    assert_int_equal(fixture_result(t), -EINTR);
    assert_int_equal(t->blocked, signal_bit(SIGUSR1));
}

static void sigtimedwait_takes_a_blocked_signal(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t page = fixture_map(t), set = signal_bit(SIGUSR1);
    struct timespec timeout = {.tv_sec = 1};
    assert_int_equal(user_write(t->process->space, page, &set, sizeof set), 0);
    assert_int_equal(user_write(t->process->space, page + 8, &timeout, sizeof timeout), 0);
    signal_set_blocked(t, set);
    assert_int_equal(CALL_4(t, SYS_rt_sigtimedwait, page, 0, page + 8, 8), FIXTURE_SLEEPS);
    assert_int_equal(fixture_result(step(t)), -EAGAIN);
    assert_int_equal(CALL_4(t, SYS_rt_sigtimedwait, page, page + 64, page + 8, 8), FIXTURE_SLEEPS);
    signal_send_process(t->process, SIGUSR1, NULL);
    assert_int_equal(fixture_result(step(t)), SIGUSR1);
    assert_int_equal(signal_pending_set(t), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(frame_is_laid_out_like_the_hosts),
        TEST(sigreturn_restores_everything),
        TEST(red_zone_stays_as_it_was),
        TEST(handler_may_change_the_registers),
        TEST(alternate_stack_is_used_when_asked),
        TEST(stack_that_cannot_take_the_frame_kills),
        TEST(exceptions_become_signals),
        TEST(blocked_exception_kills),
        TEST(ignored_exception_kills),
        TEST(blocked_signals_wait),
        TEST(real_time_signals_queue_in_order),
        TEST(synchronous_signals_come_first),
        TEST(ignored_signals_vanish),
        TEST(flags_of_actions_are_honoured),
        TEST(kill_and_stop_cannot_be_caught_or_blocked),
        TEST(restart_rules_are_linuxs),
        TEST(calls_go_on_when_no_handler_ran),
        TEST(read_of_a_pipe_is_restarted),
        TEST(pause_ends_with_a_handler),
        TEST(sigsuspend_waits_with_another_mask),
        TEST(sigtimedwait_takes_a_blocked_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
