/* What the programs about threads and signals share: a line for each case, with the result or the name of the
 * error; threads and processes that wait until others sleep. Nothing printed depends on the schedule. */
#ifndef GUEST_THREADS_SAY_H
#define GUEST_THREADS_SAY_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static inline void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void say(const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[n++] = '\n';
    if (write(1, line, (size_t)n) != n)
        _exit(98);
}

/* The result of a call as text: a number, or the error's name. In one of a few buffers. */
static inline const char *result(long r) {
    static char texts[8][24];
    static int next;
    int error = errno;
    if (r == -1)
        return strerrorname_np(error) ? strerrorname_np(error) : "?";
    char *text = texts[next++ % 8];
    snprintf(text, 24, "%ld", r);
    return text;
}

/* "ok" for any good result: pids, addresses, descriptors. */
static inline const char *good(long r) {
    return r == -1 ? result(r) : "ok";
}

/* The same for functions that return the error. */
static inline const char *error_of(int error) {
    return error == 0 ? "ok" : strerrorname_np(error);
}

static inline const char *status_text(int status) {
    static char text[64];
    if (WIFEXITED(status))
        snprintf(text, sizeof text, "exited %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "killed by %d", WTERMSIG(status));
    else if (WIFSTOPPED(status))
        snprintf(text, sizeof text, "stopped by %d", WSTOPSIG(status));
    else
        snprintf(text, sizeof text, WIFCONTINUED(status) ? "continued" : "status %x", status);
    return text;
}

static inline void pause_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &time) == EINTR)
        ;
}

static inline uint64_t now_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* The state of a task as /proc tells it: 'S' when it sleeps, 0 when it is gone. */
static inline char task_state(pid_t tid) {
    char path[64], line[512], *p;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        snprintf(path, sizeof path, "/proc/%d/stat", (int)tid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, line, sizeof line - 1);
    close(fd);
    line[n > 0 ? n : 0] = '\0';
    p = strrchr(line, ')');
    return p ? p[2] : 0;
}

/* Waits until the task (process or thread) is in the state, or 5 seconds. */
static inline bool wait_for_state(pid_t tid, char state) {
    for (int i = 0; i < 5000; i++) {
        if (task_state(tid) == state)
            return true;
        pause_ms(1);
    }
    return false;
}

static inline bool wait_for_value(volatile int *word, int value) {
    for (int i = 0; i < 5000; i++) {
        if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value)
            return true;
        pause_ms(1);
    }
    return false;
}

/* A child that runs the function and exits with its result. */
static inline pid_t in_child(int (*function)(void *), void *argument) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(function(argument));
    return pid;
}

static inline void say_child(const char *what, pid_t pid) {
    int status = 0;
    pid_t r = waitpid(pid, &status, 0);
    say("%s: %s", what, r == pid ? status_text(status) : result(r));
}

static inline void *shared_page(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        _exit(97);
    return page;
}

/* Whether the kernel is at least that version: what is younger is not tested on it. */
static inline bool kernel_is(int major, int minor) {
    struct utsname name;
    int a = 0, b = 0;
    uname(&name);
    sscanf(name.release, "%d.%d", &a, &b);
    return a > major || (a == major && b >= minor);
}

static inline pid_t gettid_now(void) {
    return (pid_t)syscall(SYS_gettid);
}

#endif
