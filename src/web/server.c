/* The server: one thread of libmicrohttpd on a socket of the loopback interface.
 *
 * It is an interface for one person on this computer. Nobody else reaches it: other hosts because of the
 * socket's address, other sites' pages because of the checks of Host and Origin, other programs of this
 * computer, for all that changes something, because of the token. It opens no file: what it sends is in the
 * program or comes from the film.
 *
 * Bounds: connections, the size of a request's head and body, of each answer, and the time for which a
 * connection may be silent. */
#include "web/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/parts.h"

enum {
    CONNECTIONS = 64,
    CONNECTION_MEMORY = 32 * 1024, /* bytes: the head of a request must fit in */
    SILENCE = 60,                  /* seconds */
    BACKLOG = 64,
};

/* ---- which request is answered by whom ---- */

static const struct endpoint {
    const char *path, *method;
    enum MHD_Result (*answer)(struct request *);
} endpoints[] = {
    /* looking */
    {"/info", MHD_HTTP_METHOD_GET, look_info},
    {"/events", MHD_HTTP_METHOD_GET, look_events},
    {"/state", MHD_HTTP_METHOD_GET, look_state},
    {"/find", MHD_HTTP_METHOD_GET, look_find},
    {"/timeline", MHD_HTTP_METHOD_GET, look_timeline},
    {"/history", MHD_HTTP_METHOD_GET, look_history},
    {"/live", MHD_HTTP_METHOD_GET, look_live},
    {"/output", MHD_HTTP_METHOD_GET, look_output},
    /* doing something: these need the token */
    {"/control", MHD_HTTP_METHOD_POST, control_machine},
    {"/input", MHD_HTTP_METHOD_POST, control_input},
};

static const struct endpoint *endpoint_find(const char *path) {
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
        if (!strcmp(path, endpoints[i].path))
            return &endpoints[i];
    return NULL;
}

static enum MHD_Result answer_endpoint(struct request *r, const struct endpoint *e, const char *method) {
    if (strcmp(method, e->method))
        return answer_wrong_method(r, e->method);
    if (!strcmp(method, MHD_HTTP_METHOD_GET))
        return e->answer(r);
    if (!request_has_token(r->connection, &r->server->site))
        return answer_sentence(r, MHD_HTTP_FORBIDDEN,
                               "The token is missing or wrong: open the whole address that was printed.\n");
    if (r->length > sizeof r->body)
        return answer_sentence(r, MHD_HTTP_CONTENT_TOO_LARGE, "The body may have 4096 bytes.\n");
    return e->answer(r);
}

static enum MHD_Result answer(struct request *r, const char *path, const char *method) {
    const char *wrong = request_wrong_site(r->connection, &r->server->site);
    if (wrong)
        return answer_sentence(r, MHD_HTTP_FORBIDDEN, wrong);
    const struct endpoint *endpoint = endpoint_find(path);
    if (endpoint)
        return answer_endpoint(r, endpoint, method);
    const struct page_asset *asset = page_asset_find(path);
    if (!asset)
        return answer_sentence(r, MHD_HTTP_NOT_FOUND, "There is nothing of this name here.\n");
    if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
        return answer_wrong_method(r, "GET, HEAD");
    return answer_asset(r, asset);
}

/* ---- a request's life ---- */

/* Whether more of the body is awaited. What does not fit is counted and thrown away, for a while. */
static bool request_takes(struct request *r, const char *bytes, size_t length) {
    if (r->length < sizeof r->body) {
        size_t room = sizeof r->body - r->length;
        memcpy(r->body + r->length, bytes, length < room ? length : room);
    }
    r->length += length;
    return r->length <= REQUEST_REFUSED;
}

/* MHD calls this when the head is here, for each part of the body, and when all is here. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *bytes, size_t *length,
                              void **ret_request) {
    struct request *r = *ret_request;
    if (!r) {
        r = malloc(sizeof *r);
        if (!r)
            return MHD_NO;
        r->server = context;
        r->connection = connection;
        r->length = 0;
        *ret_request = r;
        return MHD_YES;
    }
    if (!*length)
        return answer(r, path, method);
    bool more = request_takes(r, bytes, *length);
    *length = 0;
    return more ? MHD_YES : MHD_NO;
}

static void handled(void *context, struct MHD_Connection *connection, void **request,
                    enum MHD_RequestTerminationCode code) {
    free(*request);
    *request = NULL;
}

/* ---- starting and stopping ---- */

static int token_make(char token[REQUEST_TOKEN + 1]) {
    unsigned char bytes[REQUEST_TOKEN / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return -EIO;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

/* A socket that listens at 127.0.0.1, and at no other address of this computer. */
static int listen_at(uint16_t port, int *ret_fd, uint16_t *ret_port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* Connections of a server that has just ended do not keep its port from us; a server that runs does. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(fd, (struct sockaddr *)&address, length) || listen(fd, BACKLOG) ||
        getsockname(fd, (struct sockaddr *)&address, &length)) {
        int error = -errno;
        close(fd);
        return error;
    }
    *ret_fd = fd;
    *ret_port = ntohs(address.sin_port);
    return 0;
}

static int daemon_start(struct server *s, int fd) {
    errno = 0;
    s->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, s->site.port, NULL, NULL,
        handle, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)SILENCE, MHD_OPTION_NOTIFY_COMPLETED, handled, NULL, MHD_OPTION_END);
    if (s->daemon)
        return 0;
    int error = errno ? -errno : -ENOMEM;
    close(fd);
    return error;
}

static void describe(void *context, struct text *t) {
    look_put_state(context, t);
}

static int server_build(struct server *s, const struct server_config *config) {
    int fd = -1, error = token_make(s->site.token);
    s->title = strdup(config->title);
    if (!error && !s->title)
        error = -ENOMEM;
    if (!error)
        error = history_create(&s->history);
    if (!error)
        error = feed_create(describe, s, &s->feed);
    if (!error)
        error = listen_at(config->port, &fd, &s->site.port);
    return error ? error : daemon_start(s, fd);
}

int server_start(const struct server_config *config, struct server **ret_server) {
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->film = config->film;
    s->live = config->live;
    /* Signals are for the thread that runs the machine: threads that begin here are deaf to them. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = server_build(s, config);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        server_stop(s);
        return error;
    }
    snprintf(s->address, sizeof s->address, "http://127.0.0.1:%u/#token=%s", (unsigned)s->site.port,
             s->site.token);
    *ret_server = s;
    return 0;
}

const char *server_address(const struct server *s) {
    return s->address;
}

void server_changed(struct server *s) {
    feed_changed(s->feed);
}

void server_stop(struct server *s) {
    if (s->feed)
        feed_end(s->feed); /* MHD must not stop while a connection is suspended */
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    feed_destroy(s->feed);
    history_destroy(s->history);
    free(s->title);
    free(s);
}
