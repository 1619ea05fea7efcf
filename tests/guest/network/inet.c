/* TCP and UDP on the loopback interface, IPv4 and IPv6: connecting in every way, moving bytes with every
 * flag, ends and errors, options. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "show.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static const int families[] = {AF_INET, AF_INET6};

static socklen_t loopback(int family, union address *a) {
    memset(a, 0, sizeof(*a));
    a->any.sa_family = (sa_family_t)family;
    a->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (family == AF_INET6)
        a->v6.sin6_addr = in6addr_loopback;
    return family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

/* A socket on a port that nobody else has, and its address. */
static int bound(int family, int type, union address *ret_address) {
    socklen_t length = loopback(family, ret_address);
    int fd = socket(family, type, 0);
    CHECK(fd >= 0 && bind(fd, &ret_address->any, length) == 0);
    CHECK(getsockname(fd, &ret_address->any, &length) == 0);
    return fd;
}

static socklen_t size_of(const union address *a) {
    return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

/* Two ends of a connection. */
static void connected(int family, int fds[2]) {
    union address a;
    int server = bound(family, SOCK_STREAM, &a);
    CHECK(listen(server, 1) == 0);
    fds[0] = socket(family, SOCK_STREAM, 0);
    CHECK(connect(fds[0], &a.any, size_of(&a)) == 0);
    fds[1] = accept(server, NULL, NULL);
    CHECK(fds[1] >= 0);
    close(server);
}

static void await(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    CHECK(poll(&p, 1, 5000) == 1);
}

static int pending_error(int fd) {
    int error = -1;
    socklen_t size = sizeof(error);
    CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0);
    return error;
}

static void show_connecting(int family) {
    union address a, nobody, from = {0};
    socklen_t length = sizeof(from);
    int server = bound(family, SOCK_STREAM, &a), fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    close(bound(family, SOCK_STREAM, &nobody));
    SHOW(accept(server, NULL, NULL));
    SHOW(connect(fd, &a.any, size_of(&a)));
    await(fd, POLLOUT);
    show_ready("refused", fd);
    printf("  error %d\n", pending_error(fd));
    printf("  error %d\n", pending_error(fd));
    show_ready("told", fd);
    SHOW(listen(server, 5));
    SHOW(connect(fd, &a.any, 3));
    SHOW(connect(fd, &a.any, size_of(&a)));
    await(fd, POLLOUT);
    SHOW(connect(fd, &a.any, size_of(&a)));
    SHOW(connect(fd, &a.any, size_of(&a)));
    show_ready("connected", fd);
    show_ready("server", server);
    int accepted = accept4(server, &from.any, &length, SOCK_NONBLOCK);
    printf("  accepted %d %u %d %x\n", accepted >= 0, length, from.any.sa_family,
           (unsigned)fcntl(accepted, F_GETFL));
    length = sizeof(from);
    SHOW(getpeername(fd, &from.any, &length));
    printf("  peer is the server: %d\n", memcmp(&from.v4.sin_port, &a.v4.sin_port, 2) == 0);
    length = 4;
    SHOW(getsockname(fd, &from.any, &length));
    printf("  length %u\n", length);
    SHOW(getpeername(server, &from.any, &length));
    SHOW(accept4(server, NULL, NULL, 1));
    SHOW(accept(fd, NULL, NULL));
    SHOW(listen(fd, 1));
    SHOW(fcntl(server, F_SETFL, O_NONBLOCK));
    SHOW(accept(server, NULL, NULL));
    SHOW(bind(fd, &a.any, size_of(&a)));
    int other = socket(family, SOCK_STREAM, 0);
    SHOW(bind(other, &a.any, size_of(&a)));
    SHOW(connect(other, &nobody.any, size_of(&nobody)));
    SHOW(connect(other, &a.any, size_of(&a)));
    SHOW(connect(other, &a.any, size_of(&a)));
    SHOW(connect(server, &a.any, size_of(&a)));
    close(other), close(accepted), close(server), close(fd);
    SHOW(socket(family, SOCK_SEQPACKET, 0));
    SHOW(socket(family, 99, 0));
    SHOW(socket(family, SOCK_STREAM, IPPROTO_UDP));
    SHOW(socket(99, SOCK_STREAM, 0));
}

static void show_flags(int family) {
    int fds[2];
    char data[32] = "";
    connected(family, fds);
    SHOW(send(fds[0], "hello ", 6, MSG_MORE));
    SHOW(send(fds[0], "world", 5, 0));
    await(fds[1], POLLIN);
    SHOW(recv(fds[1], data, 11, MSG_WAITALL | MSG_PEEK));
    SHOW(recv(fds[1], data, 3, MSG_PEEK));
    SHOW(recv(fds[1], data, 3, MSG_TRUNC));
    SHOW(recv(fds[1], data, 8, MSG_WAITALL));
    printf("  %s\n", data);
    SHOW(recv(fds[1], data, 8, MSG_DONTWAIT));
    SHOW(recv(fds[1], data, 1, MSG_OOB));
    SHOW(send(fds[0], "abc", 3, MSG_OOB));
    await(fds[1], POLLPRI);
    show_ready("urgent", fds[1]);
    SHOW(recv(fds[1], data, 8, MSG_OOB));
    printf("  %c\n", data[0]);
    int mark = -1;
    SHOW(ioctl(fds[1], SIOCATMARK, &mark));
    SHOW(recv(fds[1], data, 8, 0));
    SHOW(ioctl(fds[1], SIOCATMARK, &mark));
    printf("  %d\n", mark);
    SHOW(send(fds[0], "x", 1, 0));
    await(fds[1], POLLIN);
    int there = -1;
    SHOW(ioctl(fds[1], FIONREAD, &there));
    printf("  %d\n", there);
    SHOW(recv(fds[1], NULL, 8, 0));
    SHOW(recv(fds[1], data, 0, 0));
    SHOW(recv(fds[1], data, 8, 0));
    SHOW(send(fds[0], NULL, 8, 0));
    SHOW(sendto(fds[0], "x", 1, 0, (struct sockaddr *)data, 16));
    SHOW(recv(fds[1], data, 8, 0));
    close(fds[0]), close(fds[1]);
}

static void send_unread(const int fds[2]) {
    CHECK(send(fds[1], "unread", 6, 0) == 6);
    await(fds[0], POLLIN);
}

static void show_ends(int family) {
    char data[8];
    for (int how = 0; how < 6;
         how++) { /* shut down three ways; close; close with data unread; lingering for 0 s */
        int fds[2];
        connected(family, fds);
        fcntl(fds[1], F_SETFL, O_NONBLOCK);
        printf("end %d\n", how);
        if (how == 4)
            send_unread(fds);
        if (how == 5)
            CHECK(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger)) ==
                  0);
        if (how < 3)
            SHOW(shutdown(fds[0], how));
        else
            close(fds[0]);
        if (how)
            await(fds[1], POLLIN);
        else
            show_ready("it", fds[0]);
        show_ready("other", fds[1]);
        pipes_broken = 0;
        SHOW(recv(fds[1], data, 8, 0));
        SHOW(recv(fds[1], data, 8, 0));
        if (how == 1 || how == 0)
            SHOW(send(fds[1], "x", 1, 0));
        if (how < 3) {
            SHOW(send(fds[0], "x", 1, 0));
            SHOW(send(fds[0], "x", 1, MSG_NOSIGNAL));
            printf("  signals %d\n", (int)pipes_broken);
            SHOW(shutdown(fds[0], 7));
            close(fds[0]);
        }
        close(fds[1]);
    }
    int fd = socket(family, SOCK_STREAM, 0);
    SHOW(shutdown(fd, SHUT_RDWR));
    SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
    SHOW(recv(fd, data, 1, 0));
    show_ready("new", fd);
    close(fd);
}

/* Much data through a connection whose ends block, in calls of every size. */
static void show_much(int family) {
    enum { MUCH = 3000000 };
    static char data[MUCH], got[MUCH];
    int fds[2];
    connected(family, fds);
    for (size_t i = 0; i < MUCH; i++)
        data[i] = (char)pattern(i, 7);
    pid_t child = fork();
    if (child == 0) {
        close(fds[1]);
        for (size_t done = 0; done < MUCH;) {
            size_t n = 1 + (size_t)pattern(done, 3) % 300000;
            ssize_t sent = write(fds[0], data + done, n < MUCH - done ? n : MUCH - done);
            CHECK(sent > 0);
            done += (size_t)sent;
        }
        CHECK(shutdown(fds[0], SHUT_WR) == 0);
        CHECK(read(fds[0], got, 1) == 0);
        _exit(0);
    }
    close(fds[0]);
    SHOW(recv(fds[1], got, MUCH / 2, MSG_WAITALL));
    size_t done = MUCH / 2;
    for (ssize_t n; (n = read(fds[1], got + done, MUCH - done < 70000 ? MUCH - done : 70000)) > 0;)
        done += (size_t)n;
    printf("  %zu bytes, equal %d\n", done, memcmp(data, got, MUCH) == 0);
    close(fds[1]);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    printf("  child %x\n", (unsigned)status);
    connected(family, fds);
    CHECK(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
    size_t sent = 0;
    for (ssize_t n; (n = send(fds[0], data, MUCH, 0)) > 0;)
        sent += (size_t)n;
    printf("  full: %s after some %d\n", outcome(-1), sent > 50000);
    show_ready("full", fds[0]);
    close(fds[0]), close(fds[1]);
}

static void show_datagrams(int family) {
    union address a, b, from;
    socklen_t length = sizeof(from);
    static char data[70000];
    int to = bound(family, SOCK_DGRAM, &a), by = bound(family, SOCK_DGRAM, &b);
    CHECK(fcntl(to, F_SETFL, O_NONBLOCK) == 0);
    SHOW(recv(to, data, 8, 0));
    SHOW(sendto(by, "one", 3, 0, &a.any, size_of(&a)));
    SHOW(sendto(by, "two", 3, 0, &a.any, 2));
    SHOW(sendto(by, data, 60000, 0, &a.any, size_of(&a)));
    SHOW(sendto(by, data, 70000, 0, &a.any, size_of(&a)));
    SHOW(sendto(by, "", 0, 0, &a.any, size_of(&a)));
    SHOW(send(by, "x", 1, 0));
    SHOW(recvfrom(to, data, 2, MSG_TRUNC, &from.any, &length));
    printf("  from it %d, %u\n", memcmp(&from, &b, length) == 0, length);
    SHOW(recv(to, data, 70000, 0));
    SHOW(recv(to, data, 70000, 0));
    SHOW(recv(to, data, 70000, 0));
    SHOW(write(by, "x", 1));
    SHOW(connect(by, &a.any, size_of(&a)));
    SHOW(write(by, "", 0));
    SHOW(write(by, "written", 7));
    SHOW(writev(by, (struct iovec[]){{"a", 1}, {"", 0}, {"bc", 2}}, 3));
    SHOW(read(to, data, 100));
    SHOW(read(to, data, 3));
    SHOW(readv(to, (struct iovec[]){{data, 1}, {data + 1, 5}}, 2));
    SHOW(sendto(to, "no", 2, 0, &b.any, size_of(&b)));
    SHOW(recv(by, data, 2, 0));
    close(to);
    SHOW(send(by, "x", 1, 0));
    SHOW(send(by, "x", 1, 0));
    SHOW(connect(by, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)));
    SHOW(send(by, "x", 1, 0));
    SHOW(shutdown(by, SHUT_WR));
    SHOW(listen(by, 1));
    SHOW(accept(by, NULL, NULL));
    show_ready("udp", by);
    close(by);
}

static void show_several(int family) {
    union address a;
    char data[5][8];
    struct iovec in[5], out[5];
    struct mmsghdr messages[5];
    struct timespec limit = {.tv_nsec = 20000000};
    int to = bound(family, SOCK_DGRAM, &a), by = socket(family, SOCK_DGRAM, 0);
    CHECK(connect(by, &a.any, size_of(&a)) == 0);
    for (int i = 0; i < 5; i++) {
        out[i] = (struct iovec){"message", (size_t)i + 2};
        in[i] = (struct iovec){data[i], 5};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &out[i], .msg_iovlen = 1}};
    }
    SHOW(sendmmsg(by, messages, 5, 0));
    for (int i = 0; i < 5; i++) {
        printf("  %u\n", messages[i].msg_len);
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &in[i], .msg_iovlen = 1}};
    }
    SHOW(recvmmsg(to, messages, 3, MSG_WAITFORONE, NULL));
    SHOW(recvmmsg(to, messages + 3, 2, MSG_WAITFORONE, NULL));
    for (int i = 0; i < 5; i++)
        printf("  %u%s\n", messages[i].msg_len, messages[i].msg_hdr.msg_flags & MSG_TRUNC ? " cut" : "");
    SHOW(recvmmsg(to, messages, 5, MSG_DONTWAIT, NULL));
    CHECK(send(by, "x", 1, 0) == 1);
    SHOW(recvmmsg(to, messages, 1, 0, &limit));
    limit.tv_nsec = 2000000000;
    SHOW(recvmmsg(to, messages, 1, MSG_DONTWAIT, &limit));
    SHOW(sendmmsg(by, NULL, 1, 0));
    SHOW(sendmmsg(by, messages, 0, 0));
    close(to), close(by);
}

static void show_options(int family) {
    static const struct {
        int level, option, value;
    } options[] = {{SOL_SOCKET, SO_TYPE, 0},
                   {SOL_SOCKET, SO_DOMAIN, 0},
                   {SOL_SOCKET, SO_PROTOCOL, 0},
                   {SOL_SOCKET, SO_REUSEADDR, 1},
                   {SOL_SOCKET, SO_REUSEPORT, 1},
                   {SOL_SOCKET, SO_KEEPALIVE, 1},
                   {SOL_SOCKET, SO_BROADCAST, 1},
                   {SOL_SOCKET, SO_OOBINLINE, 1},
                   {SOL_SOCKET, SO_RCVLOWAT, 5},
                   {SOL_SOCKET, SO_SNDBUF, 20000},
                   {SOL_SOCKET, SO_RCVBUF, 20000},
                   {IPPROTO_TCP, TCP_NODELAY, 1},
                   {IPPROTO_TCP, TCP_MAXSEG, 1000},
                   {IPPROTO_TCP, TCP_CORK, 1},
                   {IPPROTO_TCP, TCP_KEEPIDLE, 7},
                   {IPPROTO_TCP, TCP_KEEPINTVL, 8},
                   {IPPROTO_TCP, TCP_KEEPCNT, 3},
                   {IPPROTO_TCP, TCP_SYNCNT, 3},
                   {IPPROTO_TCP, TCP_DEFER_ACCEPT, 1},
                   {IPPROTO_TCP, TCP_QUICKACK, 0},
                   {IPPROTO_TCP, TCP_USER_TIMEOUT, 500},
                   {IPPROTO_IP, IP_TTL, 5},
                   {IPPROTO_IP, IP_TOS, 16},
                   {IPPROTO_IPV6, IPV6_V6ONLY, 1},
                   {IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9},
                   {IPPROTO_TCP, 999, 1},
                   {12345, 1, 1}};
    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
        int fd = socket(family, type, 0);
        printf("options %d\n", type);
        for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
            int value = -1;
            socklen_t size = sizeof(value);
            int r = getsockopt(fd, options[i].level, options[i].option, &value, &size);
            printf("  %d %d: %s", options[i].level, options[i].option, outcome(r));
            printf(" %d;", options[i].option == SO_SNDBUF || options[i].option == SO_RCVBUF ? 0 : value);
            r = setsockopt(fd, options[i].level, options[i].option, &options[i].value, sizeof(int));
            printf(" set %s;", outcome(r));
            value = -1;
            r = getsockopt(fd, options[i].level, options[i].option, &value, &size);
            printf(" then %s %d\n", outcome(r), value);
        }
        close(fd);
    }
}

static void on_alarm(int signal) {}

/* Calls that wait: their time-outs, and signals. */
static void show_waiting(int family) {
    struct sigaction action = {.sa_handler = on_alarm};
    struct timeval limit = {.tv_usec = 30000};
    union address a;
    char data[8];
    int fds[2], server = bound(family, SOCK_STREAM, &a);
    CHECK(listen(server, 1) == 0);
    connected(family, fds);
    CHECK(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    CHECK(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    CHECK(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0);
    SHOW(accept(server, NULL, NULL));
    SHOW(recv(fds[0], data, 8, 0));
    static char much[8000000];
    ssize_t n = send(fds[0], much, sizeof(much), 0);
    printf("  some %d\n", n > 0 && n < (ssize_t)sizeof(much));
    for (int restart = 0; restart < 2; restart++) {
        action.sa_flags = restart ? SA_RESTART : 0;
        sigaction(SIGALRM, &action, NULL);
        ualarm(10000, 0);
        SHOW(recv(fds[0], data, 8, 0));
        ualarm(10000, 0);
        SHOW(accept(server, NULL, NULL));
        limit.tv_usec = 0;
        limit.tv_sec = 3;
        CHECK(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
        CHECK(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    }
    action.sa_flags = 0;
    sigaction(SIGALRM, &action, NULL);
    limit.tv_sec = 0;
    CHECK(setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    CHECK(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    ualarm(10000, 0);
    SHOW(accept(server, NULL, NULL));
    close(fds[0]), close(fds[1]), close(server);
}

static void show_names(void) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    for (int family = 0; family < 2; family++) { /* for others the network might be asked */
        hints.ai_family = family == 0 ? AF_UNSPEC : AF_INET;
        int r = getaddrinfo("localhost", "80", &hints, &list);
        printf("localhost: %d", r);
        for (struct addrinfo *i = r ? NULL : list; i; i = i->ai_next) {
            char host[64], port[8];
            r = getnameinfo(i->ai_addr, i->ai_addrlen, host, sizeof(host), port, sizeof(port),
                            NI_NUMERICHOST | NI_NUMERICSERV);
            printf(" %s:%s %d", host, port, r);
        }
        printf("\n");
        if (r == 0)
            freeaddrinfo(list);
    }
    hints.ai_flags = AI_NUMERICHOST;
    SHOW(getaddrinfo("not a number", NULL, &hints, &list) == EAI_NONAME);
    struct if_nameindex *names = if_nameindex();
    for (struct if_nameindex *i = names; i && i->if_name; i++)
        printf("interface %u %s\n", i->if_index, i->if_name);
    if_freenameindex(names);
    struct ifaddrs *addresses;
    SHOW(getifaddrs(&addresses));
    for (struct ifaddrs *i = addresses; i; i = i->ifa_next)
        printf("%s %d %x\n", i->ifa_name, i->ifa_addr ? i->ifa_addr->sa_family : -1, i->ifa_flags);
    freeifaddrs(addresses);
    struct ifreq request = {.ifr_name = "lo"};
    struct ifconf list_of = {.ifc_len = 0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(ioctl(fd, SIOCGIFFLAGS, &request));
    printf("  %x\n", (unsigned)request.ifr_flags);
    SHOW(ioctl(fd, SIOCGIFADDR, &request));
    SHOW(ioctl(fd, SIOCGIFMTU, &request));
    printf("  %d\n", request.ifr_mtu);
    SHOW(ioctl(fd, SIOCGIFINDEX, &request));
    SHOW(ioctl(fd, SIOCGIFCONF, &list_of));
    printf("  some %d\n", list_of.ifc_len > 0);
    strcpy(request.ifr_name, "nothing");
    SHOW(ioctl(fd, SIOCGIFMTU, &request));
    SHOW(ioctl(fd, 0x12345, &request));
    int on = 1;
    SHOW(ioctl(fd, FIONBIO, &on));
    SHOW(recv(fd, &on, 1, 0));
    close(fd);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    watch_broken_pipes();
    for (int i = 0; i < 2; i++) {
        int family = families[i];
        int probe = socket(family, SOCK_STREAM, 0);
        union address a;
        socklen_t length = loopback(family, &a);
        bool there = probe >= 0 && bind(probe, &a.any, length) == 0;
        close(probe);
        printf("family %d: %d\n", i, there);
        if (!there)
            continue;
        show_connecting(family);
        show_flags(family);
        show_ends(family);
        show_much(family);
        show_datagrams(family);
        show_several(family);
        show_options(family);
        show_waiting(family);
    }
    show_names();
    return 0;
}
