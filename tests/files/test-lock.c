/* Record locks: between two processes of the machine, and against one outside. */
#include <sys/file.h>

#include "memory.h"

static long lock(struct thread *t, long fd, int command, short type, long start, long length) {
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return CALL_3(t, SYS_fcntl, fd, command, memory_put(t, &l, sizeof(l)));
}

static long open_file(struct fixture *f) {
    return call_open(fixture_first(f), fixture_write(f, "x", "0123456789", 10, 0644), O_RDWR, 0);
}

static void processes_exclude_each_other(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long fd = open_file(f);
    assert_int_equal(lock(t, fd, F_SETLK, F_WRLCK, 0, 10), 0);
    assert_int_equal(lock(t, fd, F_SETLK, F_WRLCK, 5, 10), 0); /* its own do not matter */
    struct thread *child = fork_from(t);                       /* which does not inherit them */
    assert_int_equal(lock(child, fd, F_SETLK, F_RDLCK, 14, 1), -EAGAIN);
    assert_int_equal(lock(child, fd, F_SETLK, F_RDLCK, 15, 1), 0);
    assert_int_equal(lock(t, fd, F_SETLK, F_WRLCK, 0, 15), 0);
    assert_int_equal(lock(t, fd, F_SETLK, F_UNLCK, 3, 2), 0); /* splits it */
    assert_int_equal(lock(child, fd, F_SETLK, F_WRLCK, 3, 2), 0);
    assert_int_equal(lock(child, fd, F_SETLK, F_WRLCK, 2, 1), -EAGAIN);
    assert_int_equal(lock(child, fd, F_SETLK, F_WRLCK, 5, 1), -EAGAIN);
}

static void a_waiter_gets_it_when_the_owner_closes(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long fd = open_file(f), copy = CALL_1(t, SYS_dup, fd);
    struct thread *child = fork_from(t);
    assert_int_equal(lock(child, fd, F_SETLK, F_WRLCK, 0, 0), 0);
    assert_int_equal(lock(t, fd, F_SETLKW, F_RDLCK, 3, 1), FIXTURE_SLEEPS);
    assert_int_equal(CALL_1(child, SYS_close, copy), 0); /* any descriptor of the file does */
    assert_int_equal(call_resumed(t), 0);
}

static void the_holder_is_told(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long fd = open_file(f);
    struct thread *child = fork_from(t);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    lock(t, fd, F_SETLK, F_RDLCK, 4, 2);
    uint64_t user = memory_put(child, &l, sizeof(l));
    assert_int_equal(CALL_3(child, SYS_fcntl, fd, F_GETLK, user), 0);
    memory_get(child, user, &l, sizeof(l));
    assert_int_equal(l.l_type, F_RDLCK);
    assert_int_equal(l.l_start, 4);
    assert_int_equal(l.l_len, 2);
    assert_int_equal(l.l_pid, t->process->pid);
}

static void others_on_the_host_are_kept_out(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    char path[100];
    long fd = open_file(f);
    snprintf(path, sizeof(path), "%s/x", f->directory);
    int host = open(path, O_RDWR);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 4, .l_len = 1};
    assert_int_equal(lock(t, fd, F_SETLK, F_WRLCK, 0, 5), 0);
    assert_int_equal(fcntl(host, F_OFD_SETLK, &l), -1);
    assert_int_equal(lock(t, fd, F_SETLK, F_UNLCK, 4, 1), 0);
    assert_int_equal(fcntl(host, F_OFD_SETLK, &l), 0);
    assert_int_equal(lock(t, fd, F_SETLK, F_RDLCK, 4, 1), -EAGAIN);
    close(host);
    assert_int_equal(lock(t, fd, F_SETLK, F_RDLCK, 4, 1), 0);
}

static void read_locks_of_two_outlive_one(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    char path[100];
    long fd = open_file(f);
    struct thread *child = fork_from(t);
    snprintf(path, sizeof(path), "%s/x", f->directory);
    int host = open(path, O_RDWR);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    assert_int_equal(lock(t, fd, F_SETLK, F_RDLCK, 0, 5), 0);
    assert_int_equal(lock(child, fd, F_SETLK, F_RDLCK, 0, 2), 0);
    assert_int_equal(lock(t, fd, F_SETLK, F_UNLCK, 0, 0), 0);
    assert_int_equal(fcntl(host, F_OFD_SETLK, &l), -1); /* the child's is still mirrored */
    l.l_start = 3;
    assert_int_equal(fcntl(host, F_OFD_SETLK, &l), 0);
    close(host);
}

static void locks_of_open_files_are_inherited(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long fd = open_file(f), other = open_file(f);
    assert_int_equal(lock(t, fd, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
    struct thread *child = fork_from(t);
    assert_int_equal(lock(child, fd, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
    assert_int_equal(lock(child, other, F_OFD_SETLK, F_WRLCK, 0, 0), -EAGAIN);
    CALL_1(t, SYS_close, fd);
    assert_int_equal(lock(t, other, F_OFD_SETLK, F_WRLCK, 0, 0), -EAGAIN);
    CALL_1(child, SYS_close, fd);
    assert_int_equal(lock(t, other, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
}

static void bad_requests_are_refused(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    char path[100];
    long fd = open_file(f);
    snprintf(path, sizeof(path), "%s/x", f->directory);
    long reader = call_open(t, path, O_RDONLY, 0);
    assert_int_equal(lock(t, reader, F_SETLK, F_WRLCK, 0, 0), -EBADF);
    assert_int_equal(lock(t, fd, F_SETLK, 77, 0, 0), -EINVAL);
    assert_int_equal(lock(t, fd, F_SETLK, F_RDLCK, -1, 0), -EINVAL);
    assert_int_equal(CALL_3(t, SYS_fcntl, fd, F_SETLK, 1), -EFAULT);
}

static void flock_belongs_to_the_open_file(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long fd = open_file(f), other = open_file(f);
    assert_int_equal(CALL_2(t, SYS_flock, fd, LOCK_EX), 0);
    assert_int_equal(CALL_2(t, SYS_flock, other, LOCK_EX | LOCK_NB), -EAGAIN);
    struct thread *child = fork_from(t);
    assert_int_equal(CALL_2(t, SYS_flock, other, LOCK_SH), FIXTURE_SLEEPS);
    assert_int_equal(CALL_2(child, SYS_flock, fd, LOCK_UN), 0);
    assert_int_equal(call_resumed(t), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(processes_exclude_each_other),
        TEST(a_waiter_gets_it_when_the_owner_closes),
        TEST(the_holder_is_told),
        TEST(others_on_the_host_are_kept_out),
        TEST(read_locks_of_two_outlive_one),
        TEST(locks_of_open_files_are_inherited),
        TEST(bad_requests_are_refused),
        TEST(flock_belongs_to_the_open_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
