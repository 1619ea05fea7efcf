/* What the programs about files share: a line for each case, with the call's result and the name of its
 * error; and the kinds of open files that calls are tried on. Nothing that may differ between two runs on the
 * same machine is printed. */
#ifndef GUEST_FILES_CASE_H
#define GUEST_FILES_CASE_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/xattr.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Says what a call returned: its value, or the error's name. */
__attribute__((format(printf, 2, 3))) static inline long tell(long result, const char *format, ...) {
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    if (result < 0 && result >= -4095)
        printf(" = %s\n", strerrorname_np(error));
    else
        printf(" = %ld\n", result);
    return result;
}

/* The same where only success or failure matters. */
#define TELL_OK(call, ...) tell((errno = 0, (long)(call) < 0 ? -1 : 0), __VA_ARGS__)
#define TELL(call, ...)    tell((errno = 0, (long)(call)), __VA_ARGS__)

/* An address where nothing is mapped, and one in the middle of a page behind which nothing is. */
static inline char *bad_memory(void) {
    static char *bad;
    if (!bad) {
        bad = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(bad + 4096, 4096);
    }
    return bad + 4096;
}

static inline void fill_file(const char *path, size_t length) {
    char bytes[10000];
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)('a' + i % 26);
    if (length > sizeof(bytes) || write(fd, bytes, length) != (ssize_t)length)
        exit(99);
    close(fd);
}

/* ---- kinds of open files ---- */

static inline int open_pipe_end(int which) {
    int ends[2];
    if (pipe2(ends, O_NONBLOCK) < 0 || write(ends[1], "in the pipe", 11) != 11)
        exit(99);
    int kept = dup(ends[which]);
    if (which == 1) { /* its reader stays open, at a number that nobody uses */
        dup2(ends[0], 90);
        close(ends[0]);
        close(ends[1]);
        return kept;
    }
    close(ends[0]);
    close(ends[1]);
    return kept;
}

static inline int open_socket_end(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0 ||
        write(ends[1], "in the socket", 13) != 13)
        exit(99);
    dup2(ends[1], 91);
    close(ends[1]);
    return ends[0];
}

enum kind {
    KIND_READ,
    KIND_WRITE,
    KIND_BOTH,
    KIND_APPEND,
    KIND_PATH,
    KIND_DIRECTORY,
    KIND_EMPTY,
    KIND_MEMFD,
    KIND_PIPE_READ,
    KIND_PIPE_WRITE,
    KIND_SOCKET,
    KIND_EVENTFD,
    KIND_TIMERFD,
    KIND_EPOLL,
    KIND_NULL,
    KIND_ZERO,
    KIND_FULL,
    KIND_FIFO,
    KIND_CLOSED,
    KIND_PROC,
    KIND_PROC_DIRECTORY,
    KINDS
};
static const char *const kind_names[KINDS] = {
    "read-only", "write-only", "read-write", "append", "O_PATH",  "directory", "empty",
    "memfd",     "pipe-read",  "pipe-write", "socket", "eventfd", "timerfd",   "epoll",
    "/dev/null", "/dev/zero",  "/dev/full",  "fifo",   "closed",  "proc",      "proc-directory"};

/* A new one of its kind; files have 10000 bytes. */
static inline int kind_open(enum kind kind) {
    int fd = -1;
    fill_file("kind", 0);
    if (truncate("kind", 10000) < 0)
        exit(99);
    switch (kind) {
    case KIND_READ: return open("kind", O_RDONLY);
    case KIND_WRITE: return open("kind", O_WRONLY);
    case KIND_BOTH: return open("kind", O_RDWR);
    case KIND_APPEND: return open("kind", O_RDWR | O_APPEND);
    case KIND_PATH: return open("kind", O_PATH);
    case KIND_DIRECTORY: mkdir("folder", 0755); return open("folder", O_RDONLY | O_DIRECTORY);
    case KIND_EMPTY: return open("kind", O_RDWR | O_TRUNC);
    case KIND_MEMFD:
        fd = memfd_create("memory", MFD_ALLOW_SEALING);
        if (ftruncate(fd, 10000) < 0)
            exit(99);
        return fd;
    case KIND_PIPE_READ: return open_pipe_end(0);
    case KIND_PIPE_WRITE: return open_pipe_end(1);
    case KIND_SOCKET: return open_socket_end();
    case KIND_EVENTFD: return eventfd(7, EFD_NONBLOCK);
    case KIND_TIMERFD: return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    case KIND_EPOLL: return epoll_create1(0);
    case KIND_NULL: return open("/dev/null", O_RDWR);
    case KIND_ZERO: return open("/dev/zero", O_RDWR);
    case KIND_FULL: return open("/dev/full", O_RDWR);
    case KIND_FIFO: mkfifo("fifo", 0644); return open("fifo", O_RDWR | O_NONBLOCK);
    case KIND_CLOSED: return 77;
    case KIND_PROC: return open("/proc/self/comm", O_RDONLY);
    case KIND_PROC_DIRECTORY: return open("/proc/self/task", O_RDONLY | O_DIRECTORY);
    case KINDS: break;
    }
    return -1;
}

static inline void kind_close(int fd) {
    if (fd != 77)
        close(fd);
    close(90);
    close(91);
}

#endif
