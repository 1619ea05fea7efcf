/* How the programs about sockets, pipes and waiting say what happened: one line for each call, with its
 * result or the name of its error, and nothing that differs from run to run. */
#ifndef GUEST_NETWORK_SHOW_H
#define GUEST_NETWORK_SHOW_H

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#include "../c/check.h"

/* The result of a call in words; errno is that of the call. */
static inline const char *outcome(long result) {
    static char text[4][32];
    static unsigned turn;
    char *to = text[turn++ % 4];
    if (result >= 0)
        snprintf(to, sizeof(text[0]), "%ld", result);
    else
        snprintf(to, sizeof(text[0]), "%s", strerrorname_np(errno));
    return to;
}

/* Shows a call as it is written, and what it gave. */
#define SHOW(call)                                                                                           \
    ({                                                                                                       \
        errno = 0;                                                                                           \
        long result_ = (long)(call);                                                                         \
        printf("%s = %s\n", #call, outcome(result_));                                                        \
        result_;                                                                                             \
    })

/* The same with a text of its own, for loops. */
#define TELL(result, ...)                                                                                    \
    do {                                                                                                     \
        errno = 0;                                                                                           \
        long result_ = (long)(result);                                                                       \
        const char *text_ = outcome(result_);                                                                \
        printf(__VA_ARGS__);                                                                                 \
        printf(" = %s\n", text_);                                                                            \
    } while (0)

static volatile sig_atomic_t pipes_broken;

static inline void count_broken_pipe(int signal) {
    pipes_broken++;
}

/* SIGPIPE is counted from here on. */
static inline void watch_broken_pipes(void) {
    CHECK(signal(SIGPIPE, count_broken_pipe) != SIG_ERR);
}

/* What a descriptor is ready for, all of it. */
static inline void show_ready(const char *what, int fd) {
    static const struct {
        short bit;
        const char *name;
    } bits[] = {{POLLIN, "in"},         {POLLPRI, "pri"},       {POLLOUT, "out"},
                {POLLERR, "err"},       {POLLHUP, "hup"},       {POLLNVAL, "nval"},
                {POLLRDNORM, "rdnorm"}, {POLLRDBAND, "rdband"}, {POLLWRNORM, "wrnorm"},
                {POLLWRBAND, "wrband"}, {POLLRDHUP, "rdhup"}};
    struct pollfd p = {.fd = fd, .events = (short)0x7fff & ~(POLLERR | POLLHUP | POLLNVAL)};
    int n = poll(&p, 1, 0);
    printf("  %s: %d", what, n);
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        if (p.revents & bits[i].bit)
            printf(" %s", bits[i].name);
    }
    printf("\n");
}

static inline double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
