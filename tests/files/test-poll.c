/* Waiting for files: poll, select and epoll on the machine's files and the host's; counters and timers. */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/timerfd.h>

#include "memory.h"

static long poll_one(struct thread *t, int fd, short events, int timeout, uint64_t *ret_user) {
    struct pollfd p = {.fd = fd, .events = events};
    *ret_user = memory_put(t, &p, sizeof(p));
    return CALL_3(t, SYS_poll, *ret_user, 1, timeout);
}

static short revents(struct thread *t, uint64_t user) {
    struct pollfd p;
    memory_get(t, user, &p, sizeof(p));
    return p.revents;
}

static void poll_says_what_is_ready(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t user;
    int fds[2];
    make_pipe(t, 0, fds);
    assert_int_equal(poll_one(t, fds[0], POLLIN, 0, &user), 0);
    assert_int_equal(poll_one(t, fds[1], POLLOUT, 0, &user), 1);
    call_write(t, fds[1], "x");
    assert_int_equal(poll_one(t, fds[0], POLLIN | POLLPRI, 0, &user), 1);
    assert_int_equal(revents(t, user), POLLIN);
    CALL_1(t, SYS_close, fds[1]);
    assert_int_equal(poll_one(t, fds[0], 0, 0, &user), 1);
    assert_int_equal(revents(t, user), POLLHUP);
    assert_int_equal(poll_one(t, 99, POLLIN, 0, &user), 1);
    assert_int_equal(revents(t, user), POLLNVAL);
    assert_int_equal(poll_one(t, -1, POLLIN, 0, &user), 0);
}

static void poll_wakes_at_a_write(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t user;
    int fds[2];
    make_pipe(t, 0, fds);
    struct thread *child = fork_from(t);
    assert_int_equal(poll_one(t, fds[0], POLLIN, -1, &user), FIXTURE_SLEEPS);
    call_write(child, fds[1], "x");
    assert_int_equal(call_resumed(t), 1);
    assert_int_equal(revents(t, user), POLLIN);
}

static void poll_ends_with_its_time(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint64_t user, before = clock_now(f->kernel);
    int fds[2];
    make_pipe(t, 0, fds);
    assert_int_equal(poll_one(t, fds[0], POLLIN, 50, &user), FIXTURE_SLEEPS);
    assert_int_equal(call_resumed(t), 0);
    assert_true(clock_now(f->kernel) - before >= 50000000);
}

static void select_sets_are_bits(void **state) {
    struct thread *t = fixture_first(*state);
    int fds[2];
    fd_set in, out;
    make_pipe(t, 0, fds);
    FD_ZERO(&in);
    FD_SET(fds[0], &in);
    FD_ZERO(&out);
    FD_SET(fds[1], &out);
    call_write(t, fds[1], "x");
    uint64_t user_in = memory_put(t, &in, sizeof(in)), user_out = memory_put(t, &out, sizeof(out));
    assert_int_equal(fixture_call(t, SYS_select, (uint64_t)fds[1] + 1, user_in, user_out, 0, 0, 0), 2);
    memory_get(t, user_in, &in, 8);
    assert_true(FD_ISSET(fds[0], &in) && !FD_ISSET(fds[1], &in));
    FD_SET(63, &in);
    assert_int_equal(fixture_call(t, SYS_select, 64, memory_put(t, &in, 8), 0, 0, 0, 0), -EBADF);
}

static void a_masked_wait_is_interrupted_by_what_it_lets_in(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t none = memory_put(t, &(uint64_t){0}, 8);
    signal_set_blocked(t, signal_bit(SIGCHLD) | signal_bit(SIGUSR1));
    uint64_t handler = fixture_map(t);
    t->process->actions[SIGUSR1] = (struct signal_action){
        .handler = handler, .flags = 0x04000000 /* SA_RESTORER */, .restorer = handler};
    struct thread *child = fork_from(t);
    assert_int_equal(fixture_call(t, SYS_ppoll, 0, 0, 0, none, 8, 0), FIXTURE_SLEEPS);
    CALL_2(child, SYS_kill, t->process->pid, SIGUSR1);
    struct cpu_registers registers;
    call_resumed(t);
    fixture_get(t, &registers);
    assert_int_equal(registers.rip, handler);
    assert_int_equal(t->blocked, signal_bit(SIGUSR1)); /* the handler runs under the temporary mask */
    registers.general[CPU_RSP] += 8;                   /* its return */
    fixture_set(t, &registers);
    assert_int_equal(CALL_0(t, SYS_rt_sigreturn), -EINTR);
    assert_int_equal(t->blocked, signal_bit(SIGCHLD) | signal_bit(SIGUSR1));
}

/* ---- epoll ---- */

static long watch(struct thread *t, long set, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event e = {.events = events, .data.u64 = data};
    return CALL_4(t, SYS_epoll_ctl, set, operation, fd, memory_put(t, &e, sizeof(e)));
}

static long collect(struct thread *t, long set, struct epoll_event *ret_event, int timeout) {
    uint64_t buffer = fixture_map(t);
    long n = CALL_4(t, SYS_epoll_wait, set, buffer, 1, timeout);
    if (n > 0)
        memory_get(t, buffer, ret_event, sizeof(*ret_event));
    return n;
}

static void epoll_reports_levels(void **state) {
    struct thread *t = fixture_first(*state);
    struct epoll_event e;
    int fds[2];
    long set = CALL_1(t, SYS_epoll_create1, 0);
    make_pipe(t, 0, fds);
    assert_int_equal(watch(t, set, EPOLL_CTL_ADD, fds[0], EPOLLIN, 77), 0);
    assert_int_equal(watch(t, set, EPOLL_CTL_ADD, fds[0], EPOLLIN, 77), -EEXIST);
    assert_int_equal(watch(t, set, EPOLL_CTL_MOD, fds[1], EPOLLIN, 77), -ENOENT);
    assert_int_equal(collect(t, set, &e, 0), 0);
    call_write(t, fds[1], "x");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(collect(t, set, &e, 0), 1);
        assert_int_equal(e.events, EPOLLIN);
        assert_int_equal(e.data.u64, 77);
    }
    CALL_1(t, SYS_close, fds[0]); /* takes its watch along */
    assert_int_equal(collect(t, set, &e, 0), 0);
}

static void epoll_reports_edges_and_once(void **state) {
    struct thread *t = fixture_first(*state);
    struct epoll_event e;
    int fds[2];
    long set = CALL_1(t, SYS_epoll_create1, 0);
    make_pipe(t, 0, fds);
    watch(t, set, EPOLL_CTL_ADD, fds[0], EPOLLIN | EPOLLET, 1);
    call_write(t, fds[1], "x");
    assert_int_equal(collect(t, set, &e, 0), 1);
    assert_int_equal(collect(t, set, &e, 0), 0);
    call_write(t, fds[1], "y");
    assert_int_equal(collect(t, set, &e, 0), 1);
    watch(t, set, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLONESHOT, 1);
    assert_int_equal(collect(t, set, &e, 0), 1);
    call_write(t, fds[1], "z");
    assert_int_equal(collect(t, set, &e, 0), 0);
}

static void epoll_watches_host_files_and_sets(void **state) {
    struct thread *t = fixture_first(*state);
    struct epoll_event e;
    uint64_t fds = fixture_map(t);
    long inner = CALL_1(t, SYS_epoll_create1, 0), outer = CALL_1(t, SYS_epoll_create1, 0);
    assert_int_equal(CALL_4(t, SYS_socketpair, 1 /* AF_UNIX */, 1 /* SOCK_STREAM */, 0, fds), 0);
    assert_int_equal(watch(t, inner, EPOLL_CTL_ADD, memory_int(t, fds, 0), EPOLLIN, 5), 0);
    assert_int_equal(watch(t, outer, EPOLL_CTL_ADD, (int)inner, EPOLLIN, 6), 0);
    assert_int_equal(watch(t, inner, EPOLL_CTL_ADD, (int)outer, EPOLLIN, 6), -ELOOP);
    assert_int_equal(collect(t, outer, &e, 0), 0);
    call_write(t, memory_int(t, fds, 1), "x");
    assert_int_equal(collect(t, outer, &e, 0), 1);
    assert_int_equal(e.data.u64, 6);
    assert_int_equal(collect(t, inner, &e, 0), 1);
    assert_int_equal(e.data.u64, 5);
    long regular = call_open(t, "/etc/passwd", O_RDONLY, 0);
    assert_int_equal(watch(t, inner, EPOLL_CTL_ADD, (int)regular, EPOLLIN, 0), -EPERM);
}

/* ---- counters and timers ---- */

static void counters_add_up(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t value = memory_put(t, &(uint64_t){3}, 8);
    long fd = CALL_2(t, SYS_eventfd2, 2, EFD_NONBLOCK);
    long semaphore = CALL_2(t, SYS_eventfd2, 2, EFD_NONBLOCK | EFD_SEMAPHORE);
    assert_int_equal(CALL_3(t, SYS_write, fd, value, 8), 8);
    assert_int_equal(CALL_3(t, SYS_read, fd, value, 8), 8);
    assert_int_equal(memory_int(t, value, 0), 5);
    assert_int_equal(CALL_3(t, SYS_read, fd, value, 8), -EAGAIN);
    assert_int_equal(CALL_3(t, SYS_read, fd, value, 7), -EINVAL);
    assert_int_equal(CALL_3(t, SYS_read, semaphore, value, 8), 8);
    assert_int_equal(memory_int(t, value, 0), 1);
}

static void timers_count_expirations(void **state) {
    struct thread *t = fixture_first(*state);
    struct itimerspec spec = {.it_value = {.tv_nsec = 1000000}, .it_interval = {.tv_nsec = 2000000}};
    uint64_t buffer = fixture_map(t), user;
    long fd = CALL_2(t, SYS_timerfd_create, CLOCK_MONOTONIC, 0);
    assert_int_equal(CALL_4(t, SYS_timerfd_settime, fd, 0, memory_put(t, &spec, sizeof(spec)), 0), 0);
    assert_int_equal(CALL_3(t, SYS_read, fd, buffer, 8), FIXTURE_SLEEPS);
    assert_int_equal(call_resumed(t), 8);
    assert_int_equal(memory_int(t, buffer, 0), 1);
    assert_int_equal(poll_one(t, (int)fd, POLLIN, -1, &user), FIXTURE_SLEEPS);
    assert_int_equal(call_resumed(t), 1);
    CALL_2(t, SYS_nanosleep, memory_put(t, &(struct timespec){.tv_nsec = 4000000}, 16), 0);
    assert_int_equal(call_resumed(t), 0);
    assert_int_equal(CALL_3(t, SYS_read, fd, buffer, 8), 8);
    assert_int_equal(memory_int(t, buffer, 0), 3);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(poll_says_what_is_ready),
        TEST(poll_wakes_at_a_write),
        TEST(poll_ends_with_its_time),
        TEST(select_sets_are_bits),
        TEST(a_masked_wait_is_interrupted_by_what_it_lets_in),
        TEST(epoll_reports_levels),
        TEST(epoll_reports_edges_and_once),
        TEST(epoll_watches_host_files_and_sets),
        TEST(counters_add_up),
        TEST(timers_count_expirations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
