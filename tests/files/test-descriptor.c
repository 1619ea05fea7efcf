/* Descriptor tables: numbers, duplicates, flags, what exec and fork do to them. */
#include <linux/close_range.h>
#include <sys/resource.h>

#include "kernel/files/descriptor.h"
#include "memory.h"

static long null_device(struct thread *t) {
    return call_open(t, "/dev/null", O_RDWR, 0);
}

static void the_lowest_free_number_is_taken(void **state) {
    struct thread *t = fixture_first(*state);
    long a = null_device(t), b = null_device(t);
    assert_int_equal(b, a + 1);
    assert_int_equal(CALL_1(t, SYS_close, a), 0);
    assert_int_equal(null_device(t), a);
    assert_int_equal(CALL_1(t, SYS_close, 999), -EBADF);
    assert_int_equal(CALL_1(t, SYS_close, -1), -EBADF);
}

static void duplicates_share_position_and_flags(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long a = call_open(t, fixture_write(f, "x", "0123456789", 10, 0644), O_RDONLY, 0);
    long b = CALL_1(t, SYS_dup, a);
    expect_read(t, (int)a, 3, "012");
    expect_read(t, (int)b, 3, "345");
    assert_int_equal(CALL_3(t, SYS_fcntl, a, F_SETFL, O_NONBLOCK), 0);
    assert_true(CALL_2(t, SYS_fcntl, b, F_GETFL) & O_NONBLOCK);
    assert_int_equal(CALL_3(t, SYS_fcntl, a, F_SETFD, FD_CLOEXEC), 0);
    assert_int_equal(CALL_2(t, SYS_fcntl, b, F_GETFD), 0); /* this one is the descriptor's own */
}

static void dup2_and_dup3_place_it(void **state) {
    struct thread *t = fixture_first(*state);
    long a = null_device(t);
    assert_int_equal(CALL_2(t, SYS_dup2, a, 50), 50);
    assert_int_equal(CALL_2(t, SYS_dup2, a, a), a);
    assert_int_equal(CALL_2(t, SYS_dup2, 49, 49), -EBADF);
    assert_int_equal(CALL_3(t, SYS_dup3, a, a, 0), -EINVAL);
    assert_int_equal(CALL_3(t, SYS_dup3, a, 51, O_CLOEXEC), 51);
    assert_int_equal(CALL_2(t, SYS_fcntl, 51, F_GETFD), FD_CLOEXEC);
    assert_int_equal(CALL_3(t, SYS_fcntl, a, F_DUPFD, 50), 52);
    assert_int_equal(CALL_2(t, SYS_dup2, a, 1 << 30), -EBADF);
}

static void the_limit_holds(void **state) {
    struct thread *t = fixture_first(*state);
    long a = null_device(t);
    t->process->limits[RLIMIT_NOFILE].rlim_cur = (rlim_t)a + 2;
    assert_int_equal(null_device(t), a + 1);
    assert_int_equal(null_device(t), -EMFILE);
    assert_int_equal(CALL_1(t, SYS_dup, a), -EMFILE);
    assert_int_equal(CALL_2(t, SYS_dup2, a, a + 2), -EBADF);
    assert_int_equal(CALL_3(t, SYS_fcntl, a, F_DUPFD, a + 2), -EINVAL);
}

static void fork_copies_the_table_and_shares_the_files(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long a = call_open(t, fixture_write(f, "x", "0123456789", 10, 0644), O_RDONLY, 0);
    struct thread *child = fork_from(t);
    expect_read(child, (int)a, 4, "0123");
    expect_read(t, (int)a, 4, "4567");
    assert_int_equal(CALL_1(child, SYS_close, a), 0);
    expect_read(t, (int)a, 4, "89");
}

static void close_range_closes_or_marks(void **state) {
    struct thread *t = fixture_first(*state);
    long a = null_device(t);
    CALL_2(t, SYS_dup2, a, 20);
    CALL_2(t, SYS_dup2, a, 30);
    assert_int_equal(CALL_3(t, SYS_close_range, 20, 29, CLOSE_RANGE_CLOEXEC), 0);
    assert_int_equal(CALL_2(t, SYS_fcntl, 20, F_GETFD), FD_CLOEXEC);
    assert_int_equal(CALL_2(t, SYS_fcntl, 30, F_GETFD), 0);
    assert_int_equal(CALL_3(t, SYS_close_range, 20, ~0U, 0), 0);
    assert_int_equal(CALL_2(t, SYS_fcntl, 20, F_GETFD), -EBADF);
    assert_int_equal(CALL_2(t, SYS_fcntl, 30, F_GETFD), -EBADF);
    assert_int_equal(CALL_2(t, SYS_fcntl, a, F_GETFD), 0);
    assert_int_equal(CALL_3(t, SYS_close_range, 5, 4, 0), -EINVAL);
}

static void access_modes_are_kept(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    const char *path = fixture_write(f, "x", "abc", 3, 0644);
    long reader = call_open(t, path, O_RDONLY, 0), writer = call_open(t, path, O_WRONLY, 0);
    long place = call_open(t, path, O_PATH, 0);
    uint64_t buffer = fixture_map(t);
    assert_int_equal(CALL_3(t, SYS_write, reader, buffer, 1), -EBADF);
    assert_int_equal(CALL_3(t, SYS_read, writer, buffer, 1), -EBADF);
    assert_int_equal(CALL_3(t, SYS_read, place, buffer, 1), -EBADF);
    assert_int_equal(CALL_2(t, SYS_fstat, place, buffer), 0);
    assert_int_equal(CALL_2(t, SYS_fcntl, writer, F_GETFL) & O_ACCMODE, O_WRONLY);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_lowest_free_number_is_taken),
        TEST(duplicates_share_position_and_flags),
        TEST(dup2_and_dup3_place_it),
        TEST(the_limit_holds),
        TEST(fork_copies_the_table_and_shares_the_files),
        TEST(close_range_closes_or_marks),
        TEST(access_modes_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
