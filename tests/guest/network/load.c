/* A server with epoll and many clients: each sends requests of different sizes and checks the answers.
 *
 *   load both FAMILY CLIENTS ROUNDS       server and clients; FAMILY is tcp, tcp6 or unix
 *   load many FAMILY CLIENTS ROUNDS       the same with a process for each client, which awaits each answer
 *   load server FAMILY CLIENTS            says its address, ends when that many clients have come and gone
 *   load clients FAMILY ADDRESS CLIENTS ROUNDS [figures]
 *   load clients FAMILY ADDRESS CLIENTS SECONDSs [figures]    figures: requests per second and latency */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "show.h"

enum { REQUEST_MAX = 3000, BATCH = 64, CLIENTS_MAX = 1000 };

/* One end of a connection: a request or an answer on its way in, another on its way out. */
struct end {
    int fd;
    uint32_t number, round;
    size_t in, out, size; /* bytes received, sent, and in all */
    double began;
    unsigned char data[REQUEST_MAX + 8];
};

/* ---- addresses ---- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

/* The address in text: a port, or the path of a socket. */
static socklen_t address_of(const char *family, const char *text, union address *a) {
    memset(a, 0, sizeof(*a));
    in_port_t port = htons((uint16_t)atoi(text));
    if (strcmp(family, "unix") == 0) {
        a->local.sun_family = AF_UNIX;
        strcpy(a->local.sun_path, text);
        return sizeof(a->local);
    }
    if (strcmp(family, "tcp6") == 0) {
        a->v6 = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        return sizeof(a->v6);
    }
    a->v4 = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return sizeof(a->v4);
}

static int listen_at(const char *family, char text[32]) {
    union address a;
    socklen_t length = address_of(family, strcmp(family, "unix") ? "0" : "load-socket", &a);
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(fd >= 0 && bind(fd, &a.any, length) == 0 && listen(fd, 300) == 0);
    strcpy(text, a.local.sun_path);
    if (strcmp(family, "unix") == 0)
        return fd;
    CHECK(getsockname(fd, &a.any, &length) == 0);
    sprintf(text, "%d", ntohs(a.v4.sin_port));
    return fd;
}

/* ---- requests: their size and the client's number, then bytes ---- */

static size_t size_of(uint32_t number, uint32_t round) {
    return 8 + (size_t)(pattern(round, number) % REQUEST_MAX);
}

static void request_make(struct end *e) {
    e->size = size_of(e->number, e->round);
    uint32_t head[2] = {(uint32_t)e->size, e->number};
    memcpy(e->data, head, sizeof(head));
    for (size_t i = 8; i < e->size; i++)
        e->data[i] = (unsigned char)(i * 7 + e->round + e->number);
    e->in = e->out = 0;
}

/* The answer is the request with every byte of its data complemented. */
static bool answer_is_right(const struct end *e) {
    for (size_t i = 8; i < e->size; i++) {
        if (e->data[i] != (unsigned char)~(i * 7 + e->round + e->number))
            return false;
    }
    return true;
}

/* Moves what can be moved. 1: all is done, 0: later, -1: the other side is gone. */
static int send_rest(struct end *e) {
    while (e->out < e->size) {
        ssize_t n = send(e->fd, e->data + e->out, e->size - e->out, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        e->out += (size_t)n;
    }
    return 1;
}

static int receive_rest(struct end *e) {
    uint32_t head[2] = {8, 0};
    while (e->in < head[0]) {
        size_t want = e->in < 8 ? 8 : head[0];
        ssize_t n = recv(e->fd, e->data + e->in, want - e->in, 0);
        if (n <= 0)
            return n < 0 && errno == EAGAIN ? 0 : -1;
        e->in += (size_t)n;
        if (e->in >= 8)
            memcpy(head, e->data, sizeof(head));
        CHECK(head[0] <= sizeof(e->data));
    }
    e->size = head[0];
    return 1;
}

/* ---- the server ---- */

static void watch(int set, struct end *e, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.ptr = e};
    CHECK(epoll_ctl(set, operation, e->fd, &event) == 0);
}

static void accept_all(int set, int server) {
    for (int fd; (fd = accept4(server, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        struct end *e = calloc(1, sizeof(*e));
        CHECK(e);
        e->fd = fd;
        watch(set, e, EPOLLIN, EPOLL_CTL_ADD);
    }
    CHECK(errno == EAGAIN);
}

/* Serves one connection as far as it goes. False: it has ended. */
static bool serve(int set, struct end *e) {
    for (;;) {
        int r = e->out < e->size ? 1 : receive_rest(e);
        if (r == 1 && e->in) { /* the whole request is there: turn it into the answer */
            for (size_t i = 8; i < e->size; i++)
                e->data[i] = (unsigned char)~e->data[i];
            e->in = e->out = 0;
        }
        if (r == 1) {
            r = send_rest(e);
            watch(set, e, r ? EPOLLIN : EPOLLOUT, EPOLL_CTL_MOD);
        }
        if (r == 0)
            return true;
        if (r < 0)
            return false;
        e->in = 0;
    }
}

static void run_server(int server, unsigned clients) {
    struct epoll_event events[BATCH];
    struct end listener = {.fd = server};
    int set = epoll_create1(0);
    unsigned gone = 0;
    watch(set, &listener, EPOLLIN, EPOLL_CTL_ADD);
    while (gone < clients) {
        int n = epoll_wait(set, events, BATCH, -1);
        CHECK(n > 0);
        for (int i = 0; i < n; i++) {
            struct end *e = events[i].data.ptr;
            if (e == &listener) {
                accept_all(set, server);
            } else if (!serve(set, e)) {
                close(e->fd);
                free(e);
                gone++;
            }
        }
    }
}

/* ---- the clients ---- */

struct crowd {
    unsigned count, rounds;
    double until; /* 0: as many rounds as that */
    double wait_sum, wait_max;
    unsigned long answers, wrong;
    struct end ends[CLIENTS_MAX];
};

/* True: this client has had enough. */
static bool client_step(struct crowd *c, struct end *e) {
    for (;;) {
        if (e->out < e->size) {
            int r = send_rest(e);
            CHECK(r >= 0);
            if (r == 0)
                return false;
        }
        int r = receive_rest(e);
        CHECK(r >= 0);
        if (r == 0)
            return false;
        double now = seconds_now(), wait = now - e->began;
        c->wait_sum += wait;
        c->wait_max = wait > c->wait_max ? wait : c->wait_max;
        c->answers++;
        c->wrong += !answer_is_right(e);
        e->round++;
        if (c->until != 0 ? now >= c->until : e->round == c->rounds)
            return true;
        request_make(e);
        e->began = now;
    }
}

static void run_clients(const char *family, const char *text, struct crowd *c) {
    union address a;
    socklen_t length = address_of(family, text, &a);
    struct epoll_event events[BATCH];
    int set = epoll_create1(0);
    for (unsigned i = 0; i < c->count; i++) {
        struct end *e = &c->ends[i];
        *e = (struct end){.fd = socket(a.any.sa_family, SOCK_STREAM, 0), .number = i};
        CHECK(e->fd >= 0 && connect(e->fd, &a.any, length) == 0);
        CHECK(fcntl(e->fd, F_SETFL, O_NONBLOCK) == 0);
        request_make(e);
        e->began = seconds_now();
        watch(set, e, EPOLLIN | EPOLLOUT | EPOLLET, EPOLL_CTL_ADD);
    }
    for (unsigned left = c->count; left;) {
        int n = epoll_wait(set, events, BATCH, -1);
        CHECK(n > 0);
        for (int i = 0; i < n; i++) {
            struct end *e = events[i].data.ptr;
            if (e->fd >= 0 && client_step(c, e)) {
                close(e->fd);
                e->fd = -1;
                left--;
            }
        }
    }
}

static struct crowd crowd;

static int show_crowd(bool figures, double seconds) {
    if (crowd.until != 0)
        printf("%u clients: all answers right: %s\n", crowd.count, crowd.wrong ? "no" : "yes");
    else
        printf("%u clients, %lu answers, %lu wrong\n", crowd.count, crowd.answers, crowd.wrong);
    if (figures)
        printf("%.0f requests/s, latency %.0f us, worst %.0f us\n", (double)crowd.answers / seconds,
               1e6 * crowd.wait_sum / (double)crowd.answers, 1e6 * crowd.wait_max);
    return crowd.wrong != 0;
}

static int start_clients(const char *family, const char *text, const char *count, const char *rounds,
                         bool figures) {
    double began = seconds_now();
    crowd.count = (unsigned)atoi(count);
    CHECK(crowd.count <= CLIENTS_MAX);
    if (strchr(rounds, 's'))
        crowd.until = began + atof(rounds);
    else
        crowd.rounds = (unsigned)atoi(rounds);
    run_clients(family, text, &crowd);
    return show_crowd(figures, seconds_now() - began);
}

/* Every client is a process of its own. How many of them failed. */
static int run_processes(const char *family, const char *text, int count, const char *rounds) {
    int status, failed = 0;
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            crowd.count = 1;
            crowd.rounds = (unsigned)atoi(rounds);
            run_clients(family, text, &crowd);
            _exit(crowd.wrong != 0);
        }
    }
    for (int i = 0; i <= count; i++) { /* the server as well */
        CHECK(waitpid(-1, &status, 0) > 0);
        failed += status != 0;
    }
    return failed;
}

int main(int argc, char **argv) {
    char text[128];
    bool figures = argc > 1 && strcmp(argv[argc - 1], "figures") == 0;
    CHECK(argc > 3);
    if (strcmp(argv[1], "clients") == 0) {
        CHECK(argc > 5);
        return start_clients(argv[2], argv[3], argv[4], argv[5], figures);
    }
    int server = listen_at(argv[2], text);
    if (strcmp(argv[1], "server") == 0) {
        printf("%s\n", text);
        fflush(stdout);
        run_server(server, (unsigned)atoi(argv[3]));
        return 0;
    }
    CHECK(argc > 4);
    pid_t child = fork();
    if (child == 0) {
        run_server(server, (unsigned)atoi(argv[3]));
        _exit(0);
    }
    close(server);
    if (strcmp(argv[1], "many") == 0) {
        double began = seconds_now();
        int count = atoi(argv[3]), failed = run_processes(argv[2], text, count, argv[4]);
        printf("%d processes, %d failed\n", count, failed);
        if (figures)
            printf("%.0f requests/s\n", count * atoi(argv[4]) / (seconds_now() - began));
        return failed != 0;
    }
    int result = start_clients(argv[2], text, argv[3], argv[4], figures), status;
    CHECK(waitpid(child, &status, 0) == child);
    printf("server: %x\n", (unsigned)status);
    return result;
}
