/* Every allocation, and every opening on the host, fails once: the call says so, nothing leaks, the rest goes
 * on. */
#include <dirent.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>

#include "memory.h"

enum { INJECTIONS_MAX = 500 };

static int count_host_descriptors(void) {
    int n = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory))
        n++;
    closedir(directory);
    return n;
}

/* Uses every kind of open file once. `memory` is a page that was there before anything could fail. */
static void use_everything(struct thread *t, const char *path, uint64_t memory) {
    struct epoll_event event = {.events = EPOLLIN};
    struct pollfd p = {.fd = 0, .events = POLLIN};
    struct flock lock = {.l_type = F_WRLCK, .l_len = 3};
    struct itimerspec timer = {.it_value = {.tv_sec = 1}};
    user_write(t->process->space, memory, path, strlen(path) + 1);
    long file = CALL_3(t, SYS_open, memory, O_RDWR, 0);
    CALL_3(t, SYS_write, file, memory, 100);
    fixture_call(t, SYS_mmap, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, (uint64_t)file, 0);
    CALL_3(t, SYS_fcntl, file, F_DUPFD, 100);
    user_write(t->process->space, memory, &lock, sizeof(lock));
    CALL_3(t, SYS_fcntl, file, F_SETLK, memory);
    CALL_2(t, SYS_pipe2, memory, O_NONBLOCK);
    long reader = memory_int(t, memory, 0);
    CALL_3(t, SYS_fcntl, reader, F_SETPIPE_SZ, 8192);
    CALL_2(t, SYS_eventfd2, 1, 0);
    CALL_2(t, SYS_memfd_create, memory, 0);
    long clock = CALL_2(t, SYS_timerfd_create, CLOCK_MONOTONIC, 0);
    user_write(t->process->space, memory, &timer, sizeof(timer));
    CALL_4(t, SYS_timerfd_settime, clock, 0, memory, 0);
    long set = CALL_1(t, SYS_epoll_create1, 0);
    user_write(t->process->space, memory, &event, sizeof(event));
    CALL_4(t, SYS_epoll_ctl, set, EPOLL_CTL_ADD, reader, memory);
    CALL_4(t, SYS_socketpair, 1 /* AF_UNIX */, 1 /* SOCK_STREAM */, 0, memory);
    user_write(t->process->space, memory, &p, sizeof(p));
    CALL_3(t, SYS_poll, memory, 1, 0);
    user_write(t->process->space, memory, "/proc/self/maps", 16);
    long proc = CALL_3(t, SYS_open, memory, O_RDONLY, 0);
    CALL_3(t, SYS_read, proc, memory, 1000);
    user_write(t->process->space, memory, "/proc", 6);
    proc = CALL_3(t, SYS_open, memory, O_RDONLY | O_DIRECTORY, 0);
    CALL_3(t, SYS_getdents64, proc, memory, 1000);
    CALL_0(t, SYS_fork);
}

static bool survives(enum inject_point point, uint64_t n) {
    void *state;
    int before = count_host_descriptors();
    fixture_setup(&state);
    struct fixture *f = state;
    struct thread *t = fixture_first(f);
    char path[128];
    snprintf(path, sizeof(path), "%s", fixture_write(f, "x", "content", 7, 0644));
    uint64_t memory = fixture_map(t);
    user_zero(t->process->space, memory, PAGE_SIZE);
    f->inject = (struct inject){0};
    f->inject.fail_at[point] = n;
    use_everything(t, path, memory);
    bool failed = f->inject.calls[point] >= n;
    f->inject = (struct inject){0};
    assert_true(CALL_1(t, SYS_dup, CALL_1(t, SYS_eventfd, 0)) > 0);
    fixture_teardown(&state);
    assert_int_equal(count_host_descriptors(), before);
    return failed;
}

static void every_allocation_may_fail(void **state) {
    uint64_t n = 1;
    while (n < INJECTIONS_MAX && survives(INJECT_ALLOC, n))
        n++;
    assert_in_range(n, 20, INJECTIONS_MAX - 1); /* it did fail, and all of them */
}

static void every_opening_on_the_host_may_fail(void **state) {
    uint64_t n = 1;
    while (n < INJECTIONS_MAX && survives(INJECT_HOST_CALL, n))
        n++;
    assert_in_range(n, 2, INJECTIONS_MAX - 1);
}

/* The first machine takes over what the test was started with, for good. */
static int run_once(void **state) {
    return fixture_setup(state) || fixture_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_opening_on_the_host_may_fail),
    };
    return cmocka_run_group_tests(tests, run_once, NULL);
}
