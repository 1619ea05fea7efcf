/* Copies from mappings of host files: all the bytes, or an error where the host has no page; and any other
 * SIGBUS still ends the process. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hostcopy.h"
#include "base/hostmap.h"

enum { PAGE = 4096 };

static void guard(void) {
    const struct sigaction action = {.sa_sigaction = hostcopy_signal, .sa_flags = SA_SIGINFO};
    assert_int_equal(sigaction(SIGBUS, &action, NULL), 0);
}

static void unguard(void) {
    signal(SIGBUS, SIG_DFL);
}

/* Runs a test with the handler installed (cmocka has one of its own, from before the test to its end). */
static void guarded(void **state) {
    guard();
    ((CMUnitTestFunction)*state)(NULL);
    unguard();
}
#define GUARDED(test)                                                                                        \
    { #test, guarded, NULL, NULL, (void *)(test) }

/* A file of `pages` pages, each filled with its number + 1. */
static int file_make(int pages) {
    const int fd = memfd_create("pages", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (int i = 0; i < pages; i++) {
        uint8_t page[PAGE];
        memset(page, i + 1, PAGE);
        assert_int_equal(pwrite(fd, page, PAGE, i * PAGE), PAGE);
    }
    return fd;
}

static void every_length_is_copied(void **state) {
    uint8_t from[300], to[300];
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (uint8_t)(i + 1);
    for (size_t length = 0; length <= 299; length++) {
        memset(to, 0, sizeof to);
        assert_int_equal(hostcopy(to, from, length), 0);
        assert_memory_equal(to, from, length);
        assert_int_equal(to[length], 0);
    }
}

static void what_the_host_does_not_have_is_an_error(void **state) {
    const int fd = file_make(2);
    uint8_t *start = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint8_t bytes[2 * PAGE] = {0};
    assert_true(start != MAP_FAILED);
    for (int again = 0; again < 3; again++) {
        assert_int_equal(hostcopy(bytes, start + PAGE, 2 * PAGE), -EFAULT); /* fails in its middle */
        assert_int_equal(bytes[PAGE - 1], 2);
        assert_int_equal(hostcopy(start + 2 * PAGE, bytes, PAGE), -EFAULT);
        assert_int_equal(hostcopy(bytes, start, 2 * PAGE), 0);
        assert_int_equal(bytes[0], 1);
    }
    munmap(start, 3 * PAGE);
    close(fd);
}

/* How a process ends that does `what` under the guard. */
static int status_of(void (*what)(void)) {
    const pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        what();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void touch_nothing(void) {
    const int fd = file_make(1);
    const volatile uint8_t *start = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    (void)start[PAGE];
}

static void send_signal(void) {
    kill(getpid(), SIGBUS);
}

static void any_other_sigbus_ends_the_process(void **state) {
    void (*const causes[])(void) = {touch_nothing, send_signal};
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        const int status = status_of(causes[i]);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGBUS);
    }
}

static void the_guard_can_be_asked_for(void **state) {
    assert_true(hostcopy_is_guarded());
    unguard();
    assert_false(hostcopy_is_guarded());
}

/* ---- maps ---- */

static void a_map_grows_with_its_file(void **state) {
    const int fd = file_make(3);
    struct hostmap map = {0};
    uint8_t page[PAGE];
    const uint8_t *bytes = hostmap_bytes(&map, fd, PAGE, 0, PAGE);
    assert_non_null(bytes);
    assert_int_equal(map.length, PAGE);
    for (uint64_t i = 0; i < 3; i++) {
        bytes = hostmap_bytes(&map, fd, 0, i * PAGE, PAGE);
        assert_non_null(bytes);
        assert_int_equal(hostcopy(page, bytes, PAGE), 0);
        assert_int_equal(page[0], i + 1);
        assert_int_equal(page[PAGE - 1], i + 1);
    }
    assert_int_equal(map.length, 4 * PAGE); /* 1, 2, 4 */
    bytes = hostmap_bytes(&map, fd, 0, 3 * PAGE, PAGE);
    assert_int_equal(hostcopy(page, bytes, PAGE), -EFAULT);
    assert_int_equal(ftruncate(fd, 4 * PAGE), 0);
    assert_int_equal(hostcopy(page, bytes, PAGE), 0);
    assert_int_equal(page[0], 0);
    hostmap_release(&map);
    assert_null(map.start);
    close(fd);
}

static void what_cannot_be_mapped_is_refused(void **state) {
    struct hostmap map = {0};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_null(hostmap_bytes(&map, ends[0], PAGE, 0, PAGE));
    assert_true(map.refused);
    close(ends[0]);
    close(ends[1]);

    const int fd = file_make(1);
    map = (struct hostmap){0};
    assert_non_null(hostmap_bytes(&map, fd, PAGE, 0, PAGE));
    assert_null(hostmap_bytes(&map, fd, PAGE, 1ULL << 60, PAGE)); /* more than an address space */
    assert_null(hostmap_bytes(&map, fd, PAGE, UINT64_MAX - 100, PAGE));
    assert_non_null(hostmap_bytes(&map, fd, PAGE, 0, PAGE)); /* what is mapped stays */
    hostmap_release(&map);
    close(fd);
}

static void nothing_is_mapped_without_a_guard(void **state) {
    const int fd = file_make(1);
    struct hostmap map = {0};
    assert_null(hostmap_bytes(&map, fd, PAGE, 0, PAGE));
    guard();
    assert_non_null(hostmap_bytes(&map, fd, PAGE, 0, PAGE));
    unguard();
    hostmap_release(&map);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_is_copied),
        GUARDED(what_the_host_does_not_have_is_an_error),
        GUARDED(any_other_sigbus_ends_the_process),
        GUARDED(the_guard_can_be_asked_for),
        GUARDED(a_map_grows_with_its_file),
        GUARDED(what_cannot_be_mapped_is_refused),
        cmocka_unit_test(nothing_is_mapped_without_a_guard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
