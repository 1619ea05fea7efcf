/* Open files sent through Unix sockets: every kind, as itself; what is cut, dropped and refused; and who the
 * sender was. */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "show.h"

enum { FILES_MAX = 253 };

union control {
    char bytes[CMSG_SPACE(sizeof(int) * (FILES_MAX + 2)) + CMSG_SPACE(sizeof(struct ucred)) + 64];
    struct cmsghdr header;
};

static ssize_t send_files(int to, const int *fds, size_t count, const char *data, int flags) {
    union control control;
    struct iovec v = {(void *)data, strlen(data)};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control};
    m.msg_controllen = CMSG_SPACE(count * sizeof(int));
    memset(&control, 0, sizeof(control));
    control.header = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    return sendmsg(to, &m, flags);
}

/* Receives into `room` bytes of control; shows what came. How many files were stored in ret_fds. */
static int receive_files(int from, int *ret_fds, size_t room, int flags, size_t data_room) {
    union control control;
    char data[64] = "";
    struct iovec v = {data, data_room};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = room ? &control : NULL, .msg_controllen = room};
    ssize_t n = recvmsg(from, &m, flags);
    int count = 0;
    printf("  received %s '%s', control %zu%s%s\n", outcome(n), data, n < 0 ? 0 : m.msg_controllen,
           m.msg_flags & MSG_CTRUNC ? " cut" : "", m.msg_flags & MSG_CMSG_CLOEXEC ? " cloexec" : "");
    for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        printf("  control %d of %zu\n", c->cmsg_type, (size_t)c->cmsg_len);
        if (c->cmsg_type != SCM_RIGHTS)
            continue;
        count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(ret_fds, CMSG_DATA(c), (size_t)count * sizeof(int));
    }
    return count;
}

static bool same_file(int a, int b) {
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* ---- every kind arrives as itself ---- */

static int make_kind(int kind, int *ret_other) {
    int pair[2] = {-1, -1}, fd = -1;
    sigset_t set;
    *ret_other = -1;
    switch (kind) {
    case 0: fd = open("file", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0644); break;
    case 1: CHECK(pipe(pair) == 0); break;
    case 2:
        CHECK(pipe(pair) == 0);
        fd = pair[1], pair[1] = pair[0];
        break;
    case 3: fd = eventfd(7, EFD_NONBLOCK); break;
    case 4: fd = epoll_create1(0); break;
    case 5: fd = memfd_create("sent", 0); break;
    case 6: fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK); break;
    case 7: sigemptyset(&set), sigaddset(&set, SIGUSR1), fd = signalfd(-1, &set, SFD_NONBLOCK); break;
    case 8: CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0); break;
    case 9: fd = socket(AF_INET, SOCK_STREAM, 0); break;
    case 10: fd = socket(AF_INET6, SOCK_DGRAM, 0); break;
    case 11: fd = open(".", O_RDONLY | O_DIRECTORY); break;
    case 12: fd = open("file", O_PATH); break;
    case 13: fd = open("/dev/null", O_RDWR); break;
    case 14: fd = open("/proc/self/maps", O_RDONLY); break;
    case 15: fd = open("/dev/ptmx", O_RDWR | O_NOCTTY); break;
    case 16: CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0); break;
    }
    *ret_other = pair[1];
    return fd < 0 ? pair[0] : fd;
}
enum { KINDS = 17 };

/* The child receives the file and uses it; the parent sees what that did to its own descriptor. */
static void use(int kind, int fd) {
    char data[64] = "";
    uint64_t number = 5;
    struct epoll_event event = {.events = EPOLLIN};
    struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
    sigset_t set;
    switch (kind) {
    case 0:
        SHOW(write(fd, "by the child", 12));
        SHOW(lseek(fd, 3, SEEK_SET));
        SHOW(flock(fd, LOCK_EX));
        break;
    case 1: SHOW(read(fd, data, sizeof(data))); break;
    case 2:
    case 8:
    case 16: SHOW(write(fd, "hello", 5)); break;
    case 3: SHOW(write(fd, &number, 8)); break;
    case 4: SHOW(epoll_ctl(fd, EPOLL_CTL_ADD, 0, &event)); break;
    case 5:
        SHOW(write(fd, "memory", 6));
        SHOW(ftruncate(fd, 100));
        break;
    case 6: SHOW(timerfd_settime(fd, 0, &soon, NULL)); break;
    case 7:
        sigemptyset(&set), sigaddset(&set, SIGUSR2);
        SHOW(signalfd(fd, &set, 0) == fd);
        break;
    case 9: SHOW(listen(fd, 5)); break;
    case 10: SHOW(shutdown(fd, SHUT_RD)); break;
    case 11: SHOW(fchdir(fd)); break;
    case 12: SHOW(read(fd, data, 1)); break;
    case 13: SHOW(write(fd, "x", 1)); break;
    case 14: SHOW(lseek(fd, 10, SEEK_SET)); break;
    case 15: SHOW(unlockpt(fd)); break;
    }
    SHOW(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

static void show_used(int kind, int fd, int other) {
    char data[64] = "";
    uint64_t number = 0;
    int listens = 0;
    socklen_t size = sizeof(listens);
    struct itimerspec left;
    printf("  flags %x", (unsigned)(fcntl(fd, F_GETFL) & ~0100000));
    switch (kind) {
    case 0: printf(" offset %ld size %ld", (long)lseek(fd, 0, SEEK_CUR), (long)lseek(fd, 0, SEEK_END)); break;
    case 1:
        CHECK(ioctl(fd, FIONREAD, &listens) == 0);
        printf(" left %d", listens);
        break;
    case 2:
    case 8:
    case 16:
        CHECK(read(other, data, sizeof(data)) == 5);
        printf(" got %s", data);
        break;
    case 3:
        CHECK(read(fd, &number, 8) == 8);
        printf(" count %d", (int)number);
        break;
    case 5: printf(" offset %ld size %ld", (long)lseek(fd, 0, SEEK_CUR), (long)lseek(fd, 0, SEEK_END)); break;
    case 6:
        CHECK(timerfd_gettime(fd, &left) == 0);
        usleep(1000);
        CHECK(read(fd, &number, 8) == 8);
        break;
    case 9:
        CHECK(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0);
        printf(" %d", listens);
        break;
    case 14: printf(" offset %ld", (long)lseek(fd, 0, SEEK_CUR)); break;
    }
    printf("\n");
}

static void show_kinds(int type) {
    for (int kind = 0; kind < KINDS; kind++) {
        int other, way[2], fds[FILES_MAX], fd = make_kind(kind, &other);
        CHECK(socketpair(AF_UNIX, type, 0, way) == 0);
        if (kind == 1)
            CHECK(write(other, "in the pipe", 11) == 11);
        printf("kind %d\n", kind);
        SHOW(send_files(way[0], &fd, 1, "x", 0));
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            int count = receive_files(way[1], fds, 64, 0, 8);
            CHECK(count == 1);
            printf("  same %d cloexec %d\n", same_file(fd, fds[0]), fcntl(fds[0], F_GETFD));
            use(kind, fds[0]);
            exit(0);
        }
        CHECK(waitpid(child, NULL, 0) == child);
        show_used(kind, fd, other);
        close(fd), close(other), close(way[0]), close(way[1]);
    }
}

/* ---- many, few, cut ---- */

static void show_counts(void) {
    static const size_t rooms[] = {0, 8, 16, 17, 20, 24, 28, 32, 40, 48};
    int way[2], fds[FILES_MAX + 2], got[FILES_MAX], null = open("/dev/null", O_RDWR);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, way) == 0);
    for (size_t i = 0; i < FILES_MAX + 2; i++)
        fds[i] = null;
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        for (int flags = 0; flags < 2; flags++) {
            CHECK(send_files(way[0], fds, 4, "four", 0) == 4);
            printf("room %zu\n", rooms[i]);
            int count = receive_files(way[1], got, rooms[i], flags ? MSG_CMSG_CLOEXEC : 0, 8);
            for (int j = 0; j < count; j++)
                printf("  fd %d cloexec %d\n", got[j] > 0, fcntl(got[j], F_GETFD));
            while (count)
                close(got[--count]);
        }
    }
    for (size_t n = FILES_MAX - 1; n <= FILES_MAX + 1; n++) {
        TELL(send_files(way[0], fds, n, "x", 0), "send %zu", n);
        int count = n <= FILES_MAX ? receive_files(way[1], got, sizeof(union control), 0, 8) : 0;
        printf("  got %d\n", count);
        while (count)
            close(got[--count]);
    }
    fds[1] = 9999;
    SHOW(send_files(way[0], fds, 2, "x", 0));
    fds[0] = -1;
    SHOW(send_files(way[0], fds, 1, "x", 0));
    SHOW(send_files(way[0], fds, 0, "none", 0));
    receive_files(way[1], got, 64, 0, 8);
    close(way[0]), close(way[1]), close(null);
}

static void show_limits(void) {
    int way[2], fds[4], got[FILES_MAX];
    struct rlimit old, few;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, way) == 0);
    for (int i = 0; i < 4; i++)
        fds[i] = way[0];
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    few = old;
    int next = dup(way[0]);
    close(next);
    for (int room = 0; room < 4; room++) {
        few.rlim_cur = (rlim_t)(next + room);
        CHECK(send_files(way[0], fds, 4, "x", 0) == 1);
        CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
        printf("room for %d\n", room);
        int count = receive_files(way[1], got, 64, 0, 8);
        CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
        printf("  got %d\n", count);
        while (count)
            close(got[--count]);
    }
    close(way[0]), close(way[1]);
}

/* ---- where messages end, looking at them, dropping them ---- */

static void show_boundaries(void) {
    int way[2], got[FILES_MAX], null = open("/dev/null", O_RDWR);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, way) == 0);
    CHECK(send(way[0], "aa", 2, 0) == 2);
    CHECK(send_files(way[0], &null, 1, "bb", 0) == 2);
    CHECK(send_files(way[0], &null, 1, "cc", 0) == 2);
    CHECK(send(way[0], "dd", 2, 0) == 2);
    printf("peek\n");
    for (int i = 0; i < 2; i++) {
        int count = receive_files(way[1], got, 64, MSG_PEEK, 16);
        while (count)
            close(got[--count]);
    }
    printf("in parts\n");
    for (int i = 0; i < 5; i++) {
        int count = receive_files(way[1], got, 64, 0, i == 0 ? 3 : 16);
        while (count)
            close(got[--count]);
    }
    char data[8];
    CHECK(send_files(way[0], &null, 1, "plain", 0) == 5);
    SHOW(read(way[1], data, 2));
    receive_files(way[1], got, 64, 0, 16);
    close(way[0]), close(way[1]), close(null);
}

/* A pipe's write end that is on its way keeps the pipe open; when it is dropped, the reader sees the end. */
static void show_dropped(int how) {
    int way[2], ends[2];
    char byte;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, way) == 0);
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    CHECK(send_files(way[0], &ends[1], 1, "x", 0) == 1);
    close(ends[1]);
    SHOW(read(ends[0], &byte, 1));
    if (how == 0) { /* nobody will receive it */
        close(way[0]);
        SHOW(read(ends[0], &byte, 1));
        close(way[1]);
    } else if (how == 1) { /* received without room for it */
        receive_files(way[1], NULL, 0, 0, 8);
    } else { /* the socket that it waits in is itself on its way, through itself */
        CHECK(send_files(way[0], way, 2, "x", 0) == 1);
        CHECK(send_files(way[1], way, 2, "x", 0) == 1);
        close(way[0]), close(way[1]);
        SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, way)); /* Linux looks for such when a socket is closed */
        close(way[0]), close(way[1]);
        for (int i = 0; i < 100 && read(ends[0], &byte, 1) < 0; i++)
            usleep(10000);
    }
    SHOW(read(ends[0], &byte, 1));
    close(ends[0]);
}

/* ---- who it was ---- */

static ssize_t send_credentials(int to, struct ucred u, size_t length) {
    union control control;
    struct iovec v = {"c", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control};
    m.msg_controllen = CMSG_SPACE(length);
    memset(&control, 0, sizeof(control));
    control.header = (struct cmsghdr){CMSG_LEN(length), SOL_SOCKET, SCM_CREDENTIALS};
    memcpy(CMSG_DATA(&control.header), &u, length < sizeof(u) ? length : sizeof(u));
    return sendmsg(to, &m, 0);
}

static void receive_credentials(int from, size_t room, pid_t child) {
    union control control;
    char data[16];
    struct ucred u;
    struct iovec v = {data, sizeof(data)};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = room};
    ssize_t n = recvmsg(from, &m, 0);
    printf("  received %s%s control %zu", outcome(n), m.msg_flags & MSG_CTRUNC ? " cut" : "",
           m.msg_controllen);
    struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_len >= CMSG_LEN(sizeof(u))) {
        memcpy(&u, CMSG_DATA(c), sizeof(u));
        printf(" from %s, uid %d gid %d",
               u.pid == child      ? "the child"
               : u.pid == getpid() ? "me"
               : u.pid             ? "?"
                                   : "0",
               u.uid == getuid(), u.gid == getgid());
    }
    printf("\n");
}

static void show_credentials(int type) {
    int way[2], one = 1;
    struct ucred me = {getpid(), getuid(), getgid()}, peer;
    socklen_t size = sizeof(peer);
    CHECK(socketpair(AF_UNIX, type, 0, way) == 0);
    SHOW(getsockopt(way[0], SOL_SOCKET, SO_PEERCRED, &peer, &size));
    printf("  pair of mine %d %d %d\n", peer.pid == getpid(), peer.uid == getuid(), peer.gid == getgid());
    CHECK(send(way[0], "before", 6, 0) == 6);
    CHECK(setsockopt(way[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) == 0);
    receive_credentials(way[1], 64, 0);
    CHECK(send(way[0], "after", 5, 0) == 5);
    receive_credentials(way[1], 64, 0);
    SHOW(send_credentials(way[0], me, sizeof(me)));
    receive_credentials(way[1], 64, 0);
    SHOW(send_credentials(way[0], me, sizeof(me)));
    receive_credentials(way[1], 20, 0);
    SHOW(send_credentials(way[0], me, 8));
    me.pid = 4000000;
    SHOW(send_credentials(way[0], me, sizeof(me)) < 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(send(way[0], "child", 5, 0) == 5);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(send(way[0], "mine", 4, 0) == 4);
    receive_credentials(way[1], 64, child);
    receive_credentials(way[1], 64, child);
    close(way[0]), close(way[1]);
}

/* SO_PEERCRED of a connection: who connected, and who listened. */
static void show_peers(void) {
    struct sockaddr_un u = {.sun_family = AF_UNIX, .sun_path = "peers"};
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(getsockopt(server, SOL_SOCKET, SO_PEERCRED, &peer, &size));
    printf("  nobody %d %d %d\n", peer.pid, (int)peer.uid, (int)peer.gid);
    CHECK(bind(server, (struct sockaddr *)&u, sizeof(u)) == 0 && listen(server, 5) == 0);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        int client = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK(connect(client, (struct sockaddr *)&u, sizeof(u)) == 0);
        CHECK(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0);
        CHECK(peer.pid == parent);
        CHECK(read(client, &u, 1) == 0);
        _exit(0);
    }
    int accepted = accept(server, NULL, NULL);
    SHOW(getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &peer, &size));
    printf("  the child %d\n", peer.pid == child);
    close(accepted), close(server);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    printf("  child %x\n", (unsigned)status);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    watch_broken_pipes();
    show_kinds(SOCK_STREAM);
    show_kinds(SOCK_DGRAM);
    show_counts();
    show_limits();
    show_boundaries();
    for (int how = 0; how < 3; how++)
        show_dropped(how);
    show_credentials(SOCK_STREAM);
    show_credentials(SOCK_DGRAM);
    show_credentials(SOCK_SEQPACKET);
    show_peers();
    return 0;
}
