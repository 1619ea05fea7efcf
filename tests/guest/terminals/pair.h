/* What the programs about terminals share: a fresh pair, and printing what a call gave. */
#ifndef GUEST_PAIR_H
#define GUEST_PAIR_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#include "../c/check.h"

struct pair {
    int master, slave;
    char name[64];
};

static inline void say_result(const char *what, long result) {
    printf("%s: %ld%s%s\n", what, result < 0 ? -1 : result, result < 0 ? " " : "",
           result < 0 ? strerrorname_np(errno) : "");
    fflush(stdout);
}
#define SAY(call) say_result(#call, (long)(call))

/* `slave` is -1 unless `opens`. */
static inline struct pair pair_open(int opens) {
    struct pair p = {.master = posix_openpt(O_RDWR | O_NOCTTY), .slave = -1};
    CHECK(p.master >= 0 && grantpt(p.master) == 0 && unlockpt(p.master) == 0);
    CHECK(ptsname_r(p.master, p.name, sizeof p.name) == 0);
    if (opens)
        CHECK((p.slave = open(p.name, O_RDWR | O_NOCTTY)) >= 0);
    return p;
}

static inline void pair_close(const struct pair *p) {
    close(p->master);
    if (p->slave >= 0)
        close(p->slave);
}

static inline void pause_ms(int ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* Linux hands bytes over in a thread of its own, which poll() hurries on if nothing can be read. */
static inline void settle(const struct pair *p) {
    struct pollfd ends[] = {{.fd = p->slave, .events = POLLIN}, {.fd = p->master, .events = POLLIN}};
    for (int i = 0; i < 3; i++) {
        poll(ends, 2, 0);
        pause_ms(4);
    }
}

static inline void type(const struct pair *p, const char *text) {
    CHECK(write(p->master, text, strlen(text)) == (ssize_t)strlen(text));
    settle(p);
}

static inline void say_bytes(const char *bytes, ssize_t n) {
    for (ssize_t i = 0; i < n; i++)
        printf(bytes[i] >= ' ' && bytes[i] < 127 ? "%c" : "<%02x>", (unsigned char)bytes[i]);
}

/* What a read gives, without waiting longer than `ms` for it. */
static inline void say_read_within(const char *what, int fd, size_t length, int ms) {
    char bytes[8192];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready = poll(&p, 1, ms);
    printf("%s: ", what);
    if (ready == 0) {
        printf("would wait\n");
        return;
    }
    ssize_t n = read(fd, bytes, length);
    printf("%zd %s ", n, n < 0 ? strerrorname_np(errno) : "");
    say_bytes(bytes, n);
    printf("\n");
    fflush(stdout);
}
#define SAY_READ(fd, length) say_read_within("read(" #fd ", " #length ")", fd, length, 100)

static inline void say_poll(const char *what, int fd) {
    static const struct {
        short event;
        const char *name;
    } names[] = {{POLLIN, "IN"},   {POLLPRI, "PRI"},       {POLLOUT, "OUT"},      {POLLERR, "ERR"},
                 {POLLHUP, "HUP"}, {POLLRDNORM, "RDNORM"}, {POLLWRNORM, "WRNORM"}};
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLWRNORM};
    int n = poll(&p, 1, 0);
    printf("%s: %d", what, n);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (p.revents & names[i].event)
            printf(" %s", names[i].name);
    printf("\n");
    fflush(stdout);
}

static inline void set_local(int fd, tcflag_t on, tcflag_t off) {
    struct termios modes;
    CHECK(tcgetattr(fd, &modes) == 0);
    modes.c_lflag = (modes.c_lflag | on) & ~off;
    CHECK(tcsetattr(fd, TCSANOW, &modes) == 0);
}

/* Runs `body` as the leader of a session of its own, and waits. */
static inline void in_session(void (*body)(void *), void *context) {
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(setsid() == getpid());
        body(context);
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status))
        printf("the session's leader ended by SIG%s\n", sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status))
        printf("the session's leader ended with %d\n", WEXITSTATUS(status));
}

#endif
