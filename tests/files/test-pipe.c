/* Pipes: bytes in order, atomic writes, ends that go away, who waits and who is woken. */
#include <signal.h>

#include "memory.h"

enum { PIPE_BYTES = 65536, ATOMIC = 4096 };

static void bytes_come_out_in_order(void **state) {
    struct thread *t = fixture_first(*state);
    int fds[2];
    make_pipe(t, 0, fds);
    assert_int_equal(call_write(t, fds[1], "one"), 3);
    assert_int_equal(call_write(t, fds[1], "two"), 3);
    expect_read(t, fds[0], 4, "onet");
    expect_read(t, fds[0], 100, "wo");
}

static void the_last_writer_ends_it(void **state) {
    struct thread *t = fixture_first(*state);
    int fds[2];
    make_pipe(t, 0, fds);
    long copy = CALL_1(t, SYS_dup, fds[1]);
    call_write(t, fds[1], "x");
    CALL_1(t, SYS_close, fds[1]);
    expect_read(t, fds[0], 10, "x");
    struct thread *child = fork_from(t);
    uint64_t buffer = fixture_map(t);
    CALL_1(t, SYS_close, copy);
    assert_int_equal(CALL_3(t, SYS_read, fds[0], buffer, 10), FIXTURE_SLEEPS); /* the child has it still */
    CALL_1(child, SYS_close, copy);
    assert_int_equal(call_resumed(t), 0);
}

static void without_a_reader_the_writer_gets_sigpipe(void **state) {
    struct thread *t = fixture_first(*state);
    int fds[2];
    make_pipe(t, 0, fds);
    CALL_1(t, SYS_close, fds[0]);
    t->process->actions[SIGPIPE].handler = (uint64_t)(uintptr_t)SIG_IGN;
    assert_int_equal(call_write(t, fds[1], "x"), -EPIPE);
    t->process->actions[SIGPIPE].handler = (uint64_t)(uintptr_t)SIG_DFL;
    signal_set_blocked(t, signal_bit(SIGPIPE));
    assert_int_equal(call_write(t, fds[1], "x"), -EPIPE);
    assert_true(signal_pending_set(t) & signal_bit(SIGPIPE));
}

static void small_writes_are_atomic(void **state) {
    struct thread *t = fixture_first(*state);
    int fds[2];
    make_pipe(t, O_NONBLOCK, fds);
    uint64_t buffer = memory_before_hole(t, 16);
    assert_int_equal(CALL_3(t, SYS_write, fds[1], buffer, PIPE_BYTES - 100), PIPE_BYTES - 100);
    assert_int_equal(CALL_3(t, SYS_write, fds[1], buffer, 101), -EAGAIN);
    assert_int_equal(CALL_3(t, SYS_write, fds[1], buffer, ATOMIC + 1),
                     1); /* larger ones are not: the odd byte fits */
    assert_int_equal(CALL_3(t, SYS_write, fds[1], buffer, 100), -EAGAIN);
    assert_int_equal(CALL_3(t, SYS_write, fds[1], buffer, 99), 99);
    assert_int_equal(CALL_3(t, SYS_write, fds[1], buffer, 1), -EAGAIN);
}

static void a_blocking_write_goes_on_until_all_is_written(void **state) {
    struct thread *t = fixture_first(*state);
    int fds[2];
    make_pipe(t, 0, fds);
    uint64_t buffer = memory_before_hole(t, 20), other;
    struct thread *child = fork_from(t);
    other = memory_before_hole(child, 20);
    assert_int_equal(CALL_3(t, SYS_write, fds[1], buffer, 20 * PAGE_SIZE), FIXTURE_SLEEPS);
    assert_int_equal(CALL_3(child, SYS_read, fds[0], other, 20 * PAGE_SIZE), PIPE_BYTES);
    assert_int_equal(call_resumed(t), 20 * PAGE_SIZE);
    assert_int_equal(CALL_3(child, SYS_read, fds[0], other, 20 * PAGE_SIZE), 20 * PAGE_SIZE - PIPE_BYTES);
}

static void a_bad_buffer_takes_nothing_out(void **state) {
    struct thread *t = fixture_first(*state);
    int fds[2];
    make_pipe(t, 0, fds);
    uint64_t buffer = memory_before_hole(t, 1);
    call_write(t, fds[1], "abcdef");
    assert_int_equal(CALL_3(t, SYS_read, fds[0], 1, 6), -EFAULT);
    assert_int_equal(CALL_3(t, SYS_read, fds[0], buffer + PAGE_SIZE - 2, 6), -EFAULT);
    expect_read(t, fds[0], 10, "abcdef");
    assert_int_equal(CALL_3(t, SYS_write, fds[1], 1, 6), -EFAULT);
    assert_int_equal(CALL_3(t, SYS_write, fds[1], buffer + PAGE_SIZE - 3, 6), -EFAULT);
}

static void its_size_can_be_changed(void **state) {
    struct thread *t = fixture_first(*state);
    int fds[2];
    make_pipe(t, 0, fds);
    call_write(t, fds[1], "kept");
    assert_int_equal(CALL_2(t, SYS_fcntl, fds[0], F_GETPIPE_SZ), PIPE_BYTES);
    assert_int_equal(CALL_3(t, SYS_fcntl, fds[0], F_SETPIPE_SZ, 5000), 8192);
    assert_int_equal(CALL_3(t, SYS_fcntl, fds[0], F_SETPIPE_SZ, 1 << 30), geteuid() ? -EPERM : -ENOMEM);
    expect_read(t, fds[0], 10, "kept");
}

static void a_name_in_proc_opens_it_again(void **state) {
    struct thread *t = fixture_first(*state);
    char path[64];
    int fds[2];
    make_pipe(t, 0, fds);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
    long writer = call_open(t, path, O_WRONLY, 0);
    assert_true(writer > fds[1]);
    call_write(t, (int)writer, "again");
    expect_read(t, fds[0], 10, "again");
}

/* Under --deterministic, which is how these tests run, the machine stops for input from outside; not for a
 * FIFO between two of its own processes. */
static void fifos_connect_two_processes(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint64_t buffer = fixture_map(t);
    enter_directory(f);
    CALL_3(t, SYS_mknod, memory_string(t, "fifo"), 010600 /* S_IFIFO */, 0);
    assert_int_equal(call_open(t, "fifo", O_WRONLY | O_NONBLOCK, 0), -ENXIO);
    struct thread *child = fork_from(t);
    assert_int_equal(call_open(child, "fifo", O_WRONLY, 0), FIXTURE_SLEEPS);
    long reader = call_open(t, "fifo", O_RDONLY, 0);
    assert_int_equal(CALL_3(t, SYS_read, reader, buffer, 10), FIXTURE_SLEEPS);
    long writer = call_resumed(child);
    assert_true(writer >= 0);
    assert_int_equal(call_write(child, (int)writer, "through"), 7);
    assert_int_equal(call_resumed(t), 7);
    CALL_1(child, SYS_close, writer);
    assert_int_equal(CALL_3(t, SYS_read, reader, buffer, 10), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(bytes_come_out_in_order),
        TEST(the_last_writer_ends_it),
        TEST(without_a_reader_the_writer_gets_sigpipe),
        TEST(small_writes_are_atomic),
        TEST(a_blocking_write_goes_on_until_all_is_written),
        TEST(a_bad_buffer_takes_nothing_out),
        TEST(its_size_can_be_changed),
        TEST(a_name_in_proc_opens_it_again),
        TEST(fifos_connect_two_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
