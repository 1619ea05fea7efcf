/* Unix sockets: options. The host socket keeps them, so that what may be set to what is the host's to say;
 * here is what the machine acts on, and what is about the socket's state. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/network/unix.h"

enum { UNIX_SEND_LIMIT_MAX = 16 << 20, GROUPS_MAX = 1024 };

static int option_give(const void *from, socklen_t length, void *value, socklen_t *size) {
    *size = (socklen_t)min_size(*size, length);
    memcpy(value, from, *size);
    return 0;
}

static int option_number(int number, void *value, socklen_t *size) {
    return option_give(&number, sizeof(number), value, size);
}

static int host_number(const struct file *f, int option) {
    int number = 0;
    socklen_t size = sizeof(number);
    return getsockopt(f->host, SOL_SOCKET, option, &number, &size) < 0 ? 0 : number;
}

/* The groups of whoever is at the other end: all programs of the machine have the same. */
static int peer_groups(const struct unix_socket *s, void *value, socklen_t *size) {
    gid_t groups[GROUPS_MAX];
    if (!s->peer_credentials.pid)
        return -ENODATA;
    int n = getgroups(GROUPS_MAX, groups);
    socklen_t needed = n > 0 ? (socklen_t)((size_t)n * sizeof(groups[0])) : 0;
    bool fits = *size >= needed;
    *size = needed;
    if (!fits)
        return -ERANGE;
    memcpy(value, groups, needed);
    return 0;
}

int unix_get_option(struct file *f, int option, void *value, socklen_t *size) {
    struct unix_socket *s = unix_of(f);
    bool outside = s->state == UNIX_OUTSIDE;
    int error = s->error;
    struct ucred none = {.pid = 0};
    switch (option) {
    case SO_ACCEPTCONN: return option_number(s->state == UNIX_LISTENING, value, size);
    case SO_PEEK_OFF: return option_number((int)s->peek_offset, value, size);
    case SO_ERROR:
        if (outside)
            return UNIX_OPTION_OF_HOST;
        s->error = 0;
        return option_number(error, value, size);
    case SO_PEERCRED:
        if (!outside)
            return option_give(&s->peer_credentials, sizeof(s->peer_credentials), value, size);
        if (getsockopt(f->host, SOL_SOCKET, SO_PEERCRED, &none, &(socklen_t){sizeof(none)}) < 0)
            return -errno;
        none.pid = 0; /* processes outside have no number here */
        return option_give(&none, sizeof(none), value, size);
    case SO_PEERGROUPS: return outside ? UNIX_OPTION_OF_HOST : peer_groups(s, value, size);
    }
    return UNIX_OPTION_OF_HOST;
}

void unix_option_changed(struct file *f, int option) {
    struct unix_socket *s = unix_of(f);
    switch (option) {
    case SO_PASSCRED: s->pass_credentials = host_number(f, option); break;
    case SO_RCVLOWAT: s->receive_least = (size_t)host_number(f, option); break;
    case SO_PEEK_OFF: s->peek_offset = host_number(f, option); break;
    case SO_SNDBUF:
    case SO_SNDBUFFORCE:
        s->send_limit = min_size((size_t)host_number(f, SO_SNDBUF), UNIX_SEND_LIMIT_MAX);
        sched_wake(f->kernel, s);
        break;
    }
}
