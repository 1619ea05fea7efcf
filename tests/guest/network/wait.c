/* Waiting for many files: epoll in all its modes, poll, select, and their variants with a signal mask. */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "show.h"

/* Arguments that the compiler would rather not see in these calls. */
static void *volatile nowhere = (void *)16;
static volatile int less = -1, many_files = 10000000;

/* ---- pairs of descriptors of which one makes the other ready ---- */

enum kind { PIPE, EVENT, UNIX_STREAM, UNIX_DATAGRAM, TCP, KINDS };
static const char *const kind_names[] = {"pipe", "event", "unix stream", "unix dgram", "tcp"};

struct pair {
    int watched, other;
};

static struct pair make_tcp(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(a);
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(server, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(server, 1) == 0);
    CHECK(getsockname(server, (struct sockaddr *)&a, &length) == 0);
    CHECK(connect(client, (struct sockaddr *)&a, sizeof(a)) == 0);
    int accepted = accept(server, NULL, NULL);
    close(server);
    CHECK(fcntl(accepted, F_SETFL, O_NONBLOCK) == 0 && fcntl(client, F_SETFL, O_NONBLOCK) == 0);
    return (struct pair){accepted, client};
}

static struct pair make(enum kind kind) {
    int fds[2];
    switch (kind) {
    case PIPE: CHECK(pipe2(fds, O_NONBLOCK) == 0); return (struct pair){fds[0], fds[1]};
    case EVENT: fds[0] = eventfd(0, EFD_NONBLOCK); return (struct pair){fds[0], dup(fds[0])};
    case UNIX_STREAM:
    case UNIX_DATAGRAM:
        CHECK(socketpair(AF_UNIX, (kind == UNIX_STREAM ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0, fds) ==
              0);
        return (struct pair){fds[0], fds[1]};
    case TCP:
    case KINDS: break;
    }
    return make_tcp();
}

static void drop(struct pair p) {
    close(p.watched);
    close(p.other);
}

/* News travels through the host's network in its own time. */
static void settle(enum kind kind) {
    if (kind == TCP)
        usleep(3000);
}

static void put(enum kind kind, struct pair p) {
    uint64_t one = 1;
    CHECK(write(p.other, &one, 8) == 8);
    settle(kind);
}

static void take(struct pair p, size_t n) {
    char data[64];
    CHECK(read(p.watched, data, n) > 0);
}

/* ---- epoll ---- */

static void control(int set, int operation, int fd, uint32_t events, unsigned data) {
    struct epoll_event e = {.events = events, .data.u32 = data};
    int r = epoll_ctl(set, operation, fd, &e);
    printf("  ctl %d %x: %s\n", operation, events, outcome(r));
}

static void await(const char *when, int set, int count) {
    struct epoll_event events[64];
    int n = epoll_wait(set, events, count, 0);
    printf("  %s: %d", when, n);
    for (int i = 0; i < n; i++)
        printf(" %u:%x", events[i].data.u32, events[i].events);
    printf("\n");
}

static const uint32_t modes[] = {
    0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT, EPOLLEXCLUSIVE, EPOLLEXCLUSIVE | EPOLLET};
static const uint32_t wants[] = {
    0, EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT, EPOLLIN | EPOLLRDHUP, EPOLLPRI | EPOLLRDNORM};

static void show_mode(enum kind kind, uint32_t mode, uint32_t want) {
    struct pair p = make(kind);
    int set = epoll_create1(0);
    printf("%s mode %x events %x\n", kind_names[kind], mode, want);
    control(set, EPOLL_CTL_ADD, p.watched, want | mode, 1);
    await("at first", set, 8);
    await("again", set, 8);
    put(kind, p);
    await("data", set, 8);
    await("again", set, 8);
    put(kind, p);
    await("more", set, 8);
    await("again", set, 8);
    take(p, 8);
    await("some read", set, 8);
    if (kind != EVENT && kind != PIPE)
        CHECK(send(p.watched, "x", 1, 0) == 1);
    await("written", set, 8);
    control(set, EPOLL_CTL_MOD, p.watched, want | (mode & ~(uint32_t)EPOLLEXCLUSIVE), 2);
    await("modified", set, 8);
    await("again", set, 8);
    control(set, EPOLL_CTL_MOD, p.watched, EPOLLIN | (mode & ~(uint32_t)EPOLLEXCLUSIVE), 3);
    await("for reading", set, 8);
    close(p.other);
    settle(kind);
    await("closed", set, 8);
    await("again", set, 8);
    close(p.watched);
    await("gone", set, 8);
    close(set);
}

static void show_full(enum kind kind) {
    static char data[100000], got[100000];
    struct pair p = make(kind);
    int set = epoll_create1(0);
    printf("%s full\n", kind_names[kind]);
    control(set, EPOLL_CTL_ADD, p.other, EPOLLOUT | EPOLLET, 1);
    await("empty", set, 8);
    while (write(p.other, data, kind == UNIX_DATAGRAM ? 8000 : sizeof(data)) > 0)
        ;
    await("full", set, 8);
    CHECK(read(p.watched, got, 100) == 100);
    await("a little room", set, 8);
    while (read(p.watched, got, sizeof(got)) > 0)
        ;
    await("empty", set, 8);
    await("again", set, 8);
    close(set);
    drop(p);
}

static void show_order(enum kind kind) {
    enum { MANY = 12 };
    struct pair p[MANY];
    int set = epoll_create1(0);
    printf("%s many\n", kind_names[kind]);
    for (unsigned i = 0; i < MANY; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
        p[i] = make(kind);
        CHECK(epoll_ctl(set, EPOLL_CTL_ADD, p[i].watched, &e) == 0);
    }
    for (unsigned i = 0; i < MANY; i++)
        put(kind, p[i * 5 % MANY]);
    for (int i = 0; i < 4; i++)
        await("five of them", set, 5);
    take(p[3], 8);
    put(kind, p[7]);
    put(kind, p[3]);
    for (int i = 0; i < 4; i++)
        await("five of them", set, 5);
    for (unsigned i = 0; i < MANY; i++)
        drop(p[i]);
    await("closed", set, 5);
    close(set);
}

static void show_duplicates(enum kind kind) {
    struct pair p = make(kind);
    int set = epoll_create1(0), copy = dup(p.watched);
    printf("%s duplicates\n", kind_names[kind]);
    control(set, EPOLL_CTL_ADD, p.watched, EPOLLIN, 1);
    control(set, EPOLL_CTL_ADD, p.watched, EPOLLIN, 2);
    control(set, EPOLL_CTL_ADD, copy, EPOLLIN, 3);
    put(kind, p);
    await("both", set, 8);
    close(p.watched);
    await("one closed", set, 8);
    control(set, EPOLL_CTL_DEL, p.watched, 0, 0);
    control(set, EPOLL_CTL_DEL, copy, 0, 0);
    await("one left", set, 8);
    close(copy);
    await("none", set, 8);
    close(p.other);
    close(set);
}

static void show_nested(enum kind kind) {
    struct pair p = make(kind);
    int inner = epoll_create1(0), outer = epoll_create1(EPOLL_CLOEXEC), deep[7];
    printf("%s nested\n", kind_names[kind]);
    control(inner, EPOLL_CTL_ADD, p.watched, EPOLLIN, 1);
    control(outer, EPOLL_CTL_ADD, inner, EPOLLIN, 2);
    control(inner, EPOLL_CTL_ADD, outer, EPOLLIN, 3);
    control(inner, EPOLL_CTL_ADD, inner, EPOLLIN, 3);
    await("outer", outer, 8);
    put(kind, p);
    await("outer", outer, 8);
    show_ready("as a file", outer);
    await("inner", inner, 8);
    take(p, 8);
    await("outer", outer, 8);
    show_ready("as a file", outer);
    for (int i = 0; i < 7; i++) {
        deep[i] = epoll_create1(0);
        if (i)
            control(deep[i], EPOLL_CTL_ADD, deep[i - 1], EPOLLIN, 1);
    }
    for (int i = 0; i < 7; i++)
        close(deep[i]);
    close(inner);
    await("outer", outer, 8);
    close(outer);
    drop(p);
}

static void show_epoll_errors(void) {
    int set = epoll_create(5), fds[2], null = open("/dev/null", O_RDWR), directory = open(".", O_RDONLY);
    struct epoll_event e = {.events = EPOLLIN};
    CHECK(pipe(fds) == 0);
    SHOW(epoll_create(0));
    SHOW(epoll_create1(1));
    SHOW(fcntl(set, F_GETFD));
    control(set, EPOLL_CTL_ADD, null, EPOLLIN, 1);
    control(set, EPOLL_CTL_ADD, directory, EPOLLIN, 1);
    control(set, EPOLL_CTL_ADD, 999, EPOLLIN, 1);
    control(999, EPOLL_CTL_ADD, fds[0], EPOLLIN, 1);
    control(fds[0], EPOLL_CTL_ADD, fds[1], EPOLLIN, 1);
    control(set, 7, fds[0], EPOLLIN, 1);
    control(set, EPOLL_CTL_MOD, fds[0], EPOLLIN, 1);
    control(set, EPOLL_CTL_DEL, fds[0], EPOLLIN, 1);
    control(set, EPOLL_CTL_ADD, fds[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1);
    control(set, EPOLL_CTL_ADD, fds[0], EPOLLIN | EPOLLEXCLUSIVE, 1);
    control(set, EPOLL_CTL_MOD, fds[0], EPOLLIN, 1);
    control(set, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLEXCLUSIVE, 1);
    SHOW(epoll_ctl(set, EPOLL_CTL_ADD, fds[1], nowhere));
    SHOW(epoll_ctl(set, EPOLL_CTL_DEL, fds[0], nowhere));
    SHOW(epoll_ctl(set, EPOLL_CTL_ADD, fds[1], &(struct epoll_event){.events = EPOLLOUT}));
    SHOW(epoll_wait(set, &e, 0, 0));
    SHOW(epoll_wait(set, &e, less, 0));
    SHOW(epoll_wait(set, nowhere, 1, 0));
    SHOW(epoll_wait(fds[0], &e, 1, 0));
    SHOW(epoll_wait(999, &e, 1, 0));
    SHOW(epoll_pwait2(set, &e, 1, &(struct timespec){.tv_nsec = -1}, NULL));
    SHOW(epoll_pwait2(set, &e, 1, &(struct timespec){.tv_nsec = 1000}, NULL));
    SHOW(read(set, &e, 1));
    SHOW(write(set, &e, 1));
    SHOW(lseek(set, 0, SEEK_SET));
    close(fds[0]), close(fds[1]), close(null), close(directory), close(set);
}

/* A wait that another process ends: by data, by a change of the set, by the end of the other side. */
static void show_waking(enum kind kind) {
    for (int how = 0; how < 4; how++) {
        struct pair p = make(kind);
        struct epoll_event e = {.events = how == 3 ? EPOLLIN | EPOLLET : EPOLLIN, .data.u32 = 5};
        int set = epoll_create1(0);
        if (how != 1)
            CHECK(epoll_ctl(set, EPOLL_CTL_ADD, p.watched, &e) == 0);
        if (how == 1)
            put(kind, p);
        pid_t child = fork();
        if (child == 0) {
            usleep(10000);
            if (how == 0 || how == 3)
                put(kind, p);
            if (how == 1)
                CHECK(epoll_ctl(set, EPOLL_CTL_ADD, p.watched, &e) == 0);
            _exit(0);
        }
        if (how == 2)
            close(p.other);
        if (how == 2 && (kind == EVENT || kind == UNIX_DATAGRAM))
            put(kind, (struct pair){p.watched, dup(p.watched)});
        int timeout = how == 2 && kind == UNIX_DATAGRAM ? 20 : 5000;
        memset(&e, 0, sizeof(e));
        int n = epoll_wait(set, &e, 1, timeout);
        printf("%s woken %d: %d %x\n", kind_names[kind], how, n, n > 0 ? e.events : 0);
        CHECK(waitpid(child, NULL, 0) == child);
        drop(p);
        close(set);
    }
}

/* ---- poll and select ---- */

static void on_signal(int signal) {}

static void show_poll(void) {
    struct pair p = make(PIPE), u = make(UNIX_STREAM);
    struct rlimit few = {.rlim_cur = 20, .rlim_max = 20};
    struct pollfd fds[6] = {
        {p.watched, POLLIN, 9},           {p.other, POLLOUT, 9}, {-5, POLLIN, 9}, {900, POLLIN, 9},
        {u.watched, POLLIN | POLLOUT, 9}, {p.watched, 0, 9}};
    for (int i = 0; i < 3; i++) {
        SHOW(poll(fds, 6, 0));
        for (int j = 0; j < 6; j++)
            printf(" %x", (unsigned short)fds[j].revents);
        printf("\n");
        if (i == 0)
            put(PIPE, p);
        if (i == 1)
            close(p.other);
    }
    SHOW(poll(NULL, 0, 1));
    SHOW(poll(nowhere, 1, 0));
    SHOW(poll(fds, (nfds_t)many_files, 0));
    struct pollfd one = {u.watched, POLLIN, 0};
    double before = seconds_now();
    SHOW(poll(&one, 1, 30));
    printf("  %d\n", seconds_now() - before >= 0.03);
    signal(SIGALRM, on_signal);
    struct timespec limit = {.tv_sec = 3};
    sigset_t none;
    sigemptyset(&none);
    ualarm(10000, 0);
    SHOW(poll(&one, 1, 3000));
    ualarm(10000, 0);
    SHOW(ppoll(&one, 1, &limit, &none));
    printf("  left %d\n", limit.tv_sec == 3 || limit.tv_sec == 2);
    limit = (struct timespec){.tv_nsec = 1000000000};
    SHOW(ppoll(&one, 1, &limit, NULL));
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    CHECK(sigprocmask(SIG_BLOCK, &alarm_only, NULL) == 0);
    kill(getpid(), SIGALRM);
    SHOW(poll(&one, 1, 5));
    SHOW(ppoll(&one, 1, NULL, &none));
    kill(getpid(), SIGALRM);
    struct epoll_event e;
    int set = epoll_create1(0);
    SHOW(epoll_pwait(set, &e, 1, -1, &none));
    CHECK(sigprocmask(SIG_UNBLOCK, &alarm_only, NULL) == 0);
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    struct pollfd many[30] = {0};
    for (int i = 0; i < 30; i++)
        many[i].fd = -1;
    SHOW(poll(many, 20, 0));
    SHOW(poll(many, 21, 0));
    close(set);
    close(p.watched), drop(u);
}

static void show_sets(const char *what, int r, const fd_set *sets, const int *fds, int count) {
    printf("  %s: %s", what, outcome(r));
    for (int s = 0; s < 3; s++) {
        printf(" |");
        for (int i = 0; i < count; i++) {
            if (FD_ISSET(fds[i], &sets[s]))
                printf(" %d", i);
        }
    }
    printf("\n");
}

static void change(int step, struct pair p, struct pair u, struct pair tcp) {
    switch (step) {
    case 0: put(PIPE, p), put(UNIX_STREAM, u); break;
    case 1: CHECK(send(tcp.other, "!", 1, MSG_OOB) == 1); break;
    case 2: CHECK(shutdown(u.watched, SHUT_RDWR) == 0); break;
    case 3: close(p.other), close(tcp.other), close(u.other); break;
    }
    settle(TCP);
}

static void show_select(void) {
    struct pair p = make(PIPE), u = make(UNIX_STREAM), tcp = make(TCP);
    const int fds[6] = {p.watched, p.other, u.watched, u.other, tcp.watched, tcp.other};
    for (int i = 0; i < 5; i++) {
        fd_set sets[3];
        for (int s = 0; s < 3; s++) {
            FD_ZERO(&sets[s]);
            for (int j = 0; j < 6; j++)
                if (!(i == 4 && j % 2))
                    FD_SET(fds[j], &sets[s]);
        }
        struct timeval now = {0};
        int r = select(100, &sets[0], &sets[1], &sets[2], &now);
        show_sets("select", r, sets, fds, 6);
        change(i, p, u, tcp);
    }
    fd_set one;
    FD_ZERO(&one);
    FD_SET(p.other, &one);
    SHOW(select(100, &one, NULL, NULL, &(struct timeval){0}));
    SHOW(select(-1, NULL, NULL, NULL, NULL));
    SHOW(select(0, NULL, NULL, NULL, &(struct timeval){.tv_usec = -1}));
    struct timeval limit = {.tv_usec = 20000};
    SHOW(select(0, NULL, NULL, NULL, &limit));
    printf("  left %ld\n", (long)limit.tv_usec);
    limit = (struct timeval){.tv_usec = 1500000};
    FD_ZERO(&one);
    FD_SET(p.watched, &one);
    SHOW(select(p.watched + 1, &one, NULL, NULL, &limit));
    SHOW(pselect(0, NULL, NULL, NULL, &(struct timespec){.tv_nsec = -1}, NULL));
    SHOW(pselect(0, NULL, NULL, NULL, &(struct timespec){.tv_nsec = 1}, NULL));
    close(p.watched), close(u.watched), close(tcp.watched);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    watch_broken_pipes();
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
            for (size_t j = 0; j < sizeof(wants) / sizeof(wants[0]); j++) {
                bool odd = modes[i] & EPOLLEXCLUSIVE && wants[j] & ~(uint32_t)(EPOLLIN | EPOLLOUT);
                if (!odd)
                    show_mode(kind, modes[i], wants[j]);
            }
        }
        if (kind != EVENT && kind != TCP)
            show_full(kind);
        show_order(kind);
        if (kind != TCP) /* the machine reports what the host watches first */
            show_duplicates(kind);
        show_nested(kind);
        show_waking(kind);
    }
    show_epoll_errors();
    show_select();
    show_poll();
    return 0;
}
