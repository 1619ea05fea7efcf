/* Sockets: sleeping threads, local paths in the program's own directory, open files in messages. */
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "memory.h"

static void make_pair(struct thread *t, int ret_fds[2]) {
    uint64_t fds = fixture_map(t);
    assert_int_equal(CALL_4(t, SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ret_fds[0] = memory_int(t, fds, 0);
    ret_fds[1] = memory_int(t, fds, 1);
}

static long receive(struct thread *t, int fd, uint64_t buffer, size_t length, int flags) {
    return CALL_4(t, SYS_recvfrom, fd, buffer, length, flags);
}

static void a_receiver_sleeps_until_something_comes(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t buffer = fixture_map(t);
    int fds[2];
    make_pair(t, fds);
    struct thread *child = fork_from(t);
    assert_int_equal(receive(t, fds[0], buffer, 10, MSG_DONTWAIT), -EAGAIN);
    assert_int_equal(receive(t, fds[0], buffer, 10, 0), FIXTURE_SLEEPS);
    assert_int_equal(call_write(child, fds[1], "hello"), 5);
    assert_int_equal(call_resumed(t), 5);
}

static void waiting_for_all_collects_parts(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t buffer = fixture_map(t);
    char text[7] = "";
    int fds[2];
    make_pair(t, fds);
    struct thread *child = fork_from(t);
    call_write(child, fds[1], "one");
    assert_int_equal(receive(t, fds[0], buffer, 6, MSG_WAITALL), FIXTURE_SLEEPS);
    call_write(child, fds[1], "two");
    assert_int_equal(call_resumed(t), 6);
    memory_get(t, buffer, text, 6);
    assert_string_equal(text, "onetwo");
}

static void a_time_out_ends_the_wait(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    struct timeval limit = {.tv_usec = 20000};
    uint64_t before = clock_now(f->kernel);
    int fds[2];
    make_pair(t, fds);
    assert_int_equal(fixture_call(t, SYS_setsockopt, (uint64_t)fds[0], SOL_SOCKET, SO_RCVTIMEO,
                                  memory_put(t, &limit, sizeof(limit)), sizeof(limit), 0),
                     0);
    assert_int_equal(receive(t, fds[0], fixture_map(t), 1, 0), FIXTURE_SLEEPS);
    assert_int_equal(call_resumed(t), -EAGAIN);
    assert_true(clock_now(f->kernel) - before >= 20000000);
}

static void local_paths_are_the_program_s(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    char path[128];
    enter_directory(f);
    uint64_t user = memory_put(t, &address, sizeof(address));
    long server = CALL_3(t, SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    long client = CALL_3(t, SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(CALL_3(t, SYS_bind, server, user, sizeof(address)), 0);
    snprintf(path, sizeof(path), "%s/socket", f->directory);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(CALL_3(t, SYS_connect, client, user, sizeof(address)), -ECONNREFUSED);
    assert_int_equal(CALL_2(t, SYS_listen, server, 1), 0);
    struct thread *child = fork_from(t);
    assert_int_equal(CALL_3(t, SYS_accept, server, 0, 0), FIXTURE_SLEEPS);
    assert_int_equal(CALL_3(child, SYS_connect, client, user, sizeof(address)), 0);
    long accepted = call_resumed(t);
    assert_true(accepted > client);
    call_write(child, (int)client, "in");
    expect_read(t, (int)accepted, 10, "in");
}

static void open_files_can_be_sent(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    struct { /* a struct cmsghdr with its data, which clang does not want inside another struct */
        size_t length;
        int level, type, fd;
    } control = {.length = CMSG_LEN(sizeof(int)), .level = SOL_SOCKET, .type = SCM_RIGHTS};
    long file = call_open(t, fixture_write(f, "x", "0123456789", 10, 0644), O_RDONLY, 0);
    int fds[2], ends[2];
    make_pair(t, fds);
    expect_read(t, (int)file, 3, "012");
    control.fd = (int)file;
    struct iovec v = {(void *)memory_string(t, "r"), 1};
    struct msghdr m = {.msg_iov = (void *)memory_put(t, &v, sizeof(v)),
                       .msg_iovlen = 1,
                       .msg_control = (void *)memory_put(t, &control, sizeof(control)),
                       .msg_controllen = sizeof(control)};
    uint64_t user = memory_put(t, &m, sizeof(m));
    assert_int_equal(CALL_3(t, SYS_sendmsg, fds[0], user, 0), 1);
    CALL_1(t, SYS_close, file);
    make_pipe(t, 0, ends);
    assert_int_equal(CALL_3(t, SYS_recvmsg, fds[1], user, 0), 1);
    memory_get(t, (uint64_t)m.msg_control, &control, sizeof(control));
    assert_true(control.fd > ends[1]);
    expect_read(t, control.fd, 3, "345");
    control.fd = ends[1];
    user_write(t->process->space, (uint64_t)m.msg_control, &control, sizeof(control));
    assert_int_equal(CALL_3(t, SYS_sendmsg, fds[0], user, 0), 1);
    assert_int_equal(CALL_3(t, SYS_recvmsg, fds[1], user, 0), 1);
    memory_get(t, (uint64_t)m.msg_control, &control, sizeof(control));
    assert_true(control.fd != ends[1]);
    call_write(t, control.fd, "out");
    expect_read(t, ends[0], 10, "out");
}

/* A pair of sockets that is sent through itself and closed is found and freed: the
 * fixture looks for leaks. */
static void sockets_in_flight_through_each_other_are_freed(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    struct {
        size_t length;
        int level, type, fds[2];
    } control = {.length = CMSG_LEN(2 * sizeof(int)), .level = SOL_SOCKET, .type = SCM_RIGHTS};
    struct iovec v = {(void *)memory_string(t, "r"), 1};
    int ends[2];
    make_pipe(t, O_NONBLOCK, ends);
    make_pair(t, control.fds);
    int through = control.fds[0], other = control.fds[1];
    struct msghdr m = {.msg_iov = (void *)memory_put(t, &v, sizeof(v)), .msg_iovlen = 1};
    m.msg_control = (void *)memory_put(t, &control, sizeof(control));
    m.msg_controllen = sizeof(control);
    uint64_t user = memory_put(t, &m, sizeof(m));
    assert_int_equal(CALL_3(t, SYS_sendmsg, through, user, 0), 1);
    control.fds[0] = control.fds[1] = ends[1]; /* and a pipe's end, which tells when it is freed */
    user_write(t->process->space, (uint64_t)m.msg_control, &control, sizeof(control));
    assert_int_equal(CALL_3(t, SYS_sendmsg, other, user, 0), 1);
    CALL_1(t, SYS_close, ends[1]);
    assert_int_equal(CALL_3(t, SYS_read, ends[0], memory_string(t, "x"), 1), -EAGAIN);
    assert_null(kernel_check(f->kernel));
    CALL_1(t, SYS_close, through);
    CALL_1(t, SYS_close, other);
    make_pair(t, control.fds);
    CALL_1(t, SYS_close, control.fds[0]);
    assert_int_equal(CALL_3(t, SYS_read, ends[0], memory_string(t, "x"), 1), 0);
    assert_null(kernel_check(f->kernel));
}

static void bad_sockets_are_refused(void **state) {
    struct thread *t = fixture_first(*state);
    long file = call_open(t, "/dev/null", O_RDWR, 0);
    int fds[2];
    make_pair(t, fds);
    assert_int_equal(CALL_2(t, SYS_listen, file, 1), -ENOTSOCK);
    assert_int_equal(CALL_2(t, SYS_listen, 99, 1), -EBADF);
    call_write(t, fds[1], "x");
    assert_int_equal(receive(t, fds[0], 1, 10, 0), -EFAULT);
    assert_int_equal(CALL_3(t, SYS_bind, fds[0], 1, 10), -EFAULT);
    assert_int_equal(CALL_3(t, SYS_bind, fds[0], 1, 1000), -EINVAL);
    assert_int_equal(CALL_3(t, SYS_sendmsg, fds[0], 1, 0), -EFAULT);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_receiver_sleeps_until_something_comes),
        TEST(waiting_for_all_collects_parts),
        TEST(a_time_out_ends_the_wait),
        TEST(local_paths_are_the_program_s),
        TEST(open_files_can_be_sent),
        TEST(sockets_in_flight_through_each_other_are_freed),
        TEST(bad_sockets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
