/* Unix sockets of every type: pairs, names in the file system, abstract and given ones, connecting, buffers,
 * ends, options, credentials. */
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "show.h"

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
static const char *const type_names[] = {"stream", "dgram", "seqpacket"};
enum { TYPES = 3 };

static socklen_t name_of(struct sockaddr_un *u, const char *path) {
    memset(u, 0, sizeof(*u));
    u->sun_family = AF_UNIX;
    if (path[0] == '@') {
        memcpy(u->sun_path + 1, path + 1, strlen(path) - 1);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    }
    strcpy(u->sun_path, path);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
}

static int bind_to(int fd, const char *path) {
    struct sockaddr_un u;
    socklen_t length = name_of(&u, path);
    return bind(fd, (struct sockaddr *)&u, length);
}

static int connect_to(int fd, const char *path) {
    struct sockaddr_un u;
    socklen_t length = name_of(&u, path);
    return connect(fd, (struct sockaddr *)&u, length);
}

static void show_name(const char *what, int result, const struct sockaddr_un *u, socklen_t length) {
    printf("  %s %s %u", what, outcome(result), result < 0 ? 0 : length);
    if (result == 0 && length > offsetof(struct sockaddr_un, sun_path))
        printf(" '%s%s'", u->sun_path[0] ? "" : "@", u->sun_path + !u->sun_path[0]);
    printf("\n");
}

static void show_names(int fd) {
    struct sockaddr_un u = {0};
    socklen_t length = sizeof(u);
    int r = getsockname(fd, (struct sockaddr *)&u, &length);
    show_name("name", r, &u, length);
    memset(&u, 0, sizeof(u));
    length = sizeof(u);
    r = getpeername(fd, (struct sockaddr *)&u, &length);
    show_name("peer", r, &u, length);
}

static void show_made(void) {
    static const int flags[] = {0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC, 1 << 14};
    for (int type = 0; type < 12; type++) {
        for (int protocol = 0; protocol < 3; protocol++) {
            int fd = socket(AF_UNIX, type, protocol);
            TELL(fd < 0 ? fd : 0, "socket %d %d", type, protocol);
            close(fd);
        }
    }
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | flags[i], 0), pair[2];
        printf("flags %zu: %d %d %d", i, fd >= 0, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
        int r = socketpair(AF_UNIX, SOCK_STREAM | flags[i], 0, pair);
        printf(" %d %d %d\n", r, r ? 0 : fcntl(pair[0], F_GETFD), r ? 0 : fcntl(pair[1], F_GETFL));
        close(fd);
        if (r == 0)
            close(pair[0]), close(pair[1]);
    }
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, NULL));
    SHOW(socketpair(AF_INET, SOCK_STREAM, 0, (int[2]){0}));
    SHOW(socketpair(77, SOCK_STREAM, 0, (int[2]){0}));
}

/* How much fits until a sender has to wait, in messages of each size. */
static void show_room(void) {
    static const size_t sizes[] = {1, 100, 192, 700, 1000, 4000, 8000, 20000, 70000, 200000};
    static char data[200000], got[200000];
    for (int type = 0; type < TYPES; type++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            int pair[2];
            size_t sent = 0, messages = 0, received = 0;
            CHECK(socketpair(AF_UNIX, types[type] | SOCK_NONBLOCK, 0, pair) == 0);
            for (ssize_t n; (n = send(pair[0], data, sizes[i], 0)) > 0; messages++)
                sent += (size_t)n;
            printf("%s of %zu: %s after %zu, %zu bytes\n", type_names[type], sizes[i], outcome(-1), messages,
                   sent);
            show_ready("full", pair[0]);
            for (ssize_t n; (n = recv(pair[1], got, sizeof(got), 0)) > 0;)
                received += (size_t)n;
            printf("  %s after %zu\n", outcome(-1), received);
            show_ready("empty", pair[0]);
            close(pair[0]);
            close(pair[1]);
        }
    }
}

/* Every way in which one end may go, and what the other one sees. */
static void show_ends(void) {
    char data[8];
    for (int type = 0; type < TYPES; type++) {
        for (int how = 0; how < 5; how++) { /* shut down read, write, both; close; close with data unread */
            int pair[2], error;
            socklen_t size = sizeof(error);
            CHECK(socketpair(AF_UNIX, types[type] | SOCK_NONBLOCK, 0, pair) == 0);
            CHECK(send(pair[0], "old", 3, 0) == 3);
            if (how == 4)
                CHECK(send(pair[1], "lost", 4, 0) == 4 && send(pair[1], "too", 3, 0) == 3);
            printf("%s end %d\n", type_names[type], how);
            if (how < 3)
                SHOW(shutdown(pair[0], how));
            else
                close(pair[0]);
            if (how < 3)
                show_ready("it", pair[0]);
            show_ready("other", pair[1]);
            pipes_broken = 0;
            SHOW(send(pair[1], "x", 1, 0));
            SHOW(send(pair[1], "x", 1, MSG_NOSIGNAL));
            SHOW(write(pair[1], "x", 1));
            printf("  signals %d\n", (int)pipes_broken);
            for (int i = 0; i < 3; i++)
                SHOW(recv(pair[1], data, sizeof(data), 0));
            SHOW(getsockopt(pair[1], SOL_SOCKET, SO_ERROR, &error, &size));
            printf("  error %d\n", error);
            if (how < 3) {
                SHOW(send(pair[0], "y", 1, 0));
                SHOW(recv(pair[0], data, sizeof(data), 0));
                SHOW(shutdown(pair[0], 3));
                close(pair[0]);
            }
            close(pair[1]);
        }
    }
}

static void show_flags(void) {
    char data[16];
    for (int type = 0; type < TYPES; type++) {
        int pair[2];
        CHECK(socketpair(AF_UNIX, types[type] | SOCK_NONBLOCK, 0, pair) == 0);
        printf("%s flags\n", type_names[type]);
        SHOW(send(pair[0], "hello", 5, 0));
        SHOW(send(pair[0], "world", 5, MSG_EOR));
        SHOW(send(pair[0], "", 0, 0));
        SHOW(recv(pair[1], data, 2, MSG_PEEK));
        SHOW(recv(pair[1], data, 2, MSG_PEEK | MSG_TRUNC));
        SHOW(recv(pair[1], data, 0, MSG_PEEK));
        SHOW(recv(pair[1], data, 3, MSG_TRUNC));
        SHOW(recv(pair[1], data, 16, MSG_WAITALL));
        printf("  %.5s\n", data);
        SHOW(recv(pair[1], data, 16, 0));
        SHOW(recv(pair[1], data, 16, MSG_DONTWAIT));
        SHOW(recv(pair[1], data, 0, 0));
        SHOW(recv(pair[1], data, 4, MSG_ERRQUEUE));
        SHOW(sendto(pair[0], "x", 1, 0, (struct sockaddr *)&(struct sockaddr_un){.sun_family = AF_UNIX}, 2));
        close(pair[0]);
        close(pair[1]);
    }
}

static void show_bad_addresses(void) {
    struct sockaddr_un u = {.sun_family = AF_UNIX, .sun_path = "bad"};
    char place[200] = {AF_UNIX};
    for (int type = 0; type < TYPES; type++) {
        int fd = socket(AF_UNIX, types[type], 0);
        printf("%s addresses\n", type_names[type]);
        for (socklen_t length = 0; length < 4; length++) {
            TELL(connect(fd, (struct sockaddr *)&u, length), "connect %u", length);
            if (length < 2)
                TELL(bind(fd, (struct sockaddr *)&u, length), "bind %u", length);
        }
        SHOW(bind(fd, (struct sockaddr *)place, 111));
        SHOW(bind(fd, (struct sockaddr *)place, 129));
        SHOW(connect(fd, (struct sockaddr *)place, 111));
        SHOW(connect(fd, NULL, 10));
        SHOW(bind_to(fd, "no/such/place"));
        SHOW(bind_to(fd, "."));
        SHOW(connect_to(fd, "nothing"));
        SHOW(connect_to(fd, "/"));
        SHOW(connect_to(fd, "@nothing of ours"));
        SHOW(listen(fd, 1));
        SHOW(accept(fd, NULL, NULL));
        show_names(fd);
        show_ready("unconnected", fd);
        SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
        SHOW(recv(fd, &u, 1, MSG_DONTWAIT));
        SHOW(shutdown(fd, SHUT_RD));
        close(fd);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    u.sun_family = AF_INET;
    SHOW(bind(fd, (struct sockaddr *)&u, sizeof(u)));
    SHOW(connect(fd, (struct sockaddr *)&u, sizeof(u)));
    close(fd);
    SHOW(bind(0x7fff, (struct sockaddr *)&u, sizeof(u)));
    fd = open("/dev/null", O_RDWR);
    SHOW(listen(fd, 1));
    close(fd);
}

static void show_connected(int type, const char *path) {
    struct sockaddr_un u;
    socklen_t length = sizeof(u);
    char data[8] = "";
    int server = socket(AF_UNIX, types[type] | SOCK_NONBLOCK, 0), other = socket(AF_UNIX, types[type], 0);
    int client = socket(AF_UNIX, types[type] | SOCK_NONBLOCK, 0);
    printf("%s connected by %s\n", type_names[type], path);
    SHOW(bind_to(server, path));
    SHOW(bind_to(other, path));
    SHOW(bind_to(server, path));
    SHOW(connect_to(client, path));
    SHOW(listen(server, 0));
    show_names(server);
    SHOW(accept(server, NULL, NULL));
    SHOW(connect_to(client, path));
    show_ready("server", server);
    SHOW(send(client, "early", 5, 0));
    SHOW(connect_to(client, path));
    int second = socket(AF_UNIX, types[type] | SOCK_NONBLOCK, 0),
        third = socket(AF_UNIX, types[type] | SOCK_NONBLOCK, 0);
    SHOW(connect_to(second, path));
    SHOW(connect_to(third, path));
    int accepted = accept4(server, (struct sockaddr *)&u, &length, SOCK_CLOEXEC);
    printf("accepted %d, address of %u, flags %d\n", accepted >= 0, length, fcntl(accepted, F_GETFD));
    show_names(accepted);
    show_names(client);
    SHOW(recv(accepted, data, sizeof(data), 0));
    SHOW(send(accepted, "reply", 5, 0));
    SHOW(recv(client, data, 2, 0));
    SHOW(recv(client, data, 8, 0));
    SHOW(connect_to(server, path));
    SHOW(listen(client, 1));
    SHOW(listen(server, 5));
    close(server);
    show_ready("refused", second);
    SHOW(recv(second, data, 1, 0));
    SHOW(recv(second, data, 1, 0));
    SHOW(connect_to(third, path));
    show_ready("client", client);
    close(accepted);
    close(second);
    show_ready("client", client);
    show_names(client);
    close(client);
    close(third);
    close(other);
    if (path[0] != '@')
        SHOW(unlink(path));
}

static void show_datagrams(const char *path) {
    struct sockaddr_un u, from;
    socklen_t length = name_of(&u, path), from_length = sizeof(from);
    char data[8];
    int to = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0),
        by = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int n = 0;
    printf("datagrams to %s\n", path);
    SHOW(sendto(by, "x", 1, 0, (struct sockaddr *)&u, length));
    SHOW(bind_to(to, path));
    SHOW(sendto(by, "one", 3, 0, (struct sockaddr *)&u, length));
    SHOW(recvfrom(to, data, 8, 0, (struct sockaddr *)&from, &from_length));
    printf("  from %u\n", from_length);
    SHOW(bind(by, (struct sockaddr *)&u, 2));
    SHOW(sendto(by, "two", 3, 0, (struct sockaddr *)&u, length));
    from_length = sizeof(from);
    SHOW(recvfrom(to, data, 2, MSG_TRUNC, (struct sockaddr *)&from, &from_length));
    printf("  from %u, abstract %d\n", from_length, !from.sun_path[0]);
    SHOW(sendto(to, "back", 4, 0, (struct sockaddr *)&from, from_length));
    SHOW(recv(by, data, 8, 0));
    SHOW(connect_to(by, path));
    while (send(by, "fill", 4, 0) == 4)
        n++;
    printf("  %s after %d\n", outcome(-1), n);
    show_ready("full", by);
    SHOW(recv(to, data, 8, 0));
    show_ready("room", by);
    int third = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    SHOW(connect_to(to, path));
    SHOW(sendto(third, "x", 1, 0, (struct sockaddr *)&u, length));
    SHOW(connect(to, (struct sockaddr *)&(struct sockaddr){.sa_family = AF_UNSPEC}, 2));
    SHOW(recv(to, data, 8, 0));
    close(to);
    show_ready("gone", by);
    SHOW(send(by, "x", 1, 0));
    SHOW(send(by, "x", 1, 0));
    SHOW(connect_to(by, path));
    close(by);
    close(third);
    unlink(path);
}

static void show_options(void) {
    static const int options[] = {SO_TYPE,      SO_DOMAIN,    SO_PROTOCOL,  SO_ERROR,    SO_ACCEPTCONN,
                                  SO_PASSCRED,  SO_RCVLOWAT,  SO_SNDLOWAT,  SO_PEEK_OFF, SO_KEEPALIVE,
                                  SO_REUSEADDR, SO_BROADCAST, SO_OOBINLINE, SO_SNDBUF,   SO_RCVBUF,
                                  SO_PRIORITY,  SO_TIMESTAMP, SO_DONTROUTE};
    for (int type = 0; type < TYPES; type++) {
        int fd = socket(AF_UNIX, types[type], 0);
        printf("%s options\n", type_names[type]);
        for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
            int value = -7, one = 1;
            socklen_t size = sizeof(value);
            int r = getsockopt(fd, SOL_SOCKET, options[i], &value, &size);
            printf("  option %d: %s %d %u;", options[i], outcome(r), value, size);
            r = setsockopt(fd, SOL_SOCKET, options[i], &one, sizeof(one));
            printf(" set %s;", outcome(r));
            r = getsockopt(fd, SOL_SOCKET, options[i], &value, &size);
            printf(" then %d\n", value);
        }
        struct linger linger = {.l_onoff = 1, .l_linger = 5};
        struct timeval tv = {.tv_sec = 2, .tv_usec = 500000}, got = {0};
        socklen_t size = sizeof(got);
        SHOW(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
        SHOW(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
        SHOW(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got, &size));
        printf("  %ld.%06ld\n", (long)got.tv_sec, (long)got.tv_usec);
        SHOW(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, 1));
        SHOW(setsockopt(fd, SOL_SOCKET, 9999, &tv, 4));
        SHOW(setsockopt(fd, 77, 1, &tv, 4));
        SHOW(getsockopt(fd, SOL_SOCKET, SO_TYPE, &got, NULL));
        close(fd);
    }
}

/* The time-outs and the waking of those who wait. */
static void show_waiting(void) {
    struct timeval tv = {.tv_usec = 30000};
    char data[8];
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
    double before = seconds_now();
    SHOW(recv(pair[0], data, 8, 0));
    printf("  %d\n", seconds_now() - before >= 0.03);
    SHOW(recv(pair[0], data, 8, MSG_WAITALL));
    CHECK(send(pair[1], "abc", 3, 0) == 3);
    SHOW(recv(pair[0], data, 8, MSG_WAITALL));
    if (fork() == 0) {
        static char much[500000];
        memset(much, 'm', sizeof(much));
        usleep(10000);
        for (int i = 0; i < 3; i++)
            CHECK(send(pair[1], "abcd", 4, 0) == 4);
        CHECK(send(pair[1], much, sizeof(much), 0) == sizeof(much));
        _exit(0);
    }
    close(pair[1]);
    static char all[500000 + 12];
    tv.tv_usec = 0;
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
    SHOW(recv(pair[0], all, sizeof(all), MSG_WAITALL));
    SHOW(recv(pair[0], all, sizeof(all), MSG_WAITALL));
    CHECK(wait(NULL) > 0);
    close(pair[0]);
}

/* Datagram sockets with names, whose receivers wait. */
static void show_waiting_for_datagrams(void) {
    char data[16] = "";
    int to = socket(AF_UNIX, SOCK_DGRAM, 0), back = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK(bind_to(to, "to") == 0 && bind_to(back, "back") == 0 && connect_to(back, "to") == 0);
    if (fork() == 0) {
        usleep(10000);
        CHECK(connect_to(to, "back") == 0);
        for (int i = 0; i < 20; i++)
            CHECK(send(to, "datagram", 8, 0) == 8);
        _exit(0);
    }
    int n = 0;
    while (n < 20 && recv(back, data, sizeof(data), 0) == 8)
        n++;
    printf("waited for %d: %s\n", n, data);
    CHECK(wait(NULL) > 0);
    close(to);
    close(back);
    unlink("to");
    unlink("back");
}

static void on_alarm(int signal) {}

static void show_interrupted(void) {
    struct sigaction action = {.sa_handler = on_alarm};
    struct timeval tv = {.tv_sec = 5};
    char data[8];
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    for (int restart = 0; restart < 2; restart++) {
        for (int timed = 0; timed < 2; timed++) {
            if (restart && !timed)
                continue; /* it would go on for ever */
            action.sa_flags = restart ? SA_RESTART : 0;
            sigaction(SIGALRM, &action, NULL);
            struct timeval limit = timed ? tv : (struct timeval){0};
            setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
            ualarm(10000, 0);
            TELL(recv(pair[0], data, 8, 0), "interrupted %d %d", restart, timed);
        }
    }
    close(pair[0]);
    close(pair[1]);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    watch_broken_pipes();
    show_made();
    show_room();
    show_ends();
    show_flags();
    show_bad_addresses();
    for (int type = 0; type < TYPES; type++) {
        show_connected(type, "a socket");
        show_connected(type, "@thimble-network-unix");
    }
    show_datagrams("datagrams");
    show_datagrams("@thimble-network-datagrams");
    show_options();
    show_waiting();
    show_waiting_for_datagrams();
    show_interrupted();
    return 0;
}
