/* Unix sockets: making, naming, connecting and closing them, and what they are as files. See unix.h.
 *
 * Invariants: a socket is on the kernel's list from its making until its last reference is gone. `bound`
 * names are unique among the sockets that are not dead. A stream's or packet socket's peer has it as its own
 * peer (until that one dies); a backlog holds sockets without a file, whose peers are connected to them. */
#include "kernel/network/unix.h"
#include "kernel/condition.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/files/path.h"
#include "kernel/kinds.h"
#include "kernel/network/socket.h"

enum { UNIX_BACKLOG_MAX = 4096, RETRY = 2000000 };

static const struct file_ops unix_ops;

bool unix_is_outside(const struct file *f) {
    const struct unix_socket *s = f->data;
    return file_is_unix(f) && s->state == UNIX_OUTSIDE && s->type != SOCK_DGRAM;
}

bool file_is_unix(const struct file *f) {
    return f->ops == &unix_ops;
}

struct unix_socket *unix_of(const struct file *f) {
    return f->data;
}

/* ---- the machine's ---- */

/* A limit of the host's, or what it usually is. */
static unsigned host_limit(const char *path, unsigned usual) {
    unsigned value;
    FILE *limit = fopen(path, "re");
    if (!limit)
        return usual;
    if (fscanf(limit, "%u", &value) != 1)
        value = usual;
    fclose(limit);
    return value;
}

int unix_create(struct kernel *k) {
    struct unix_sockets *all = inject_calloc(k->config.inject, 1, sizeof(*all));
    if (!all)
        return -ENOMEM;
    LIST_INIT(&all->sockets);
    TAILQ_INIT(&all->dropped);
    all->dgram_backlog = host_limit("/proc/sys/net/unix/max_dgram_qlen", 10);
    all->send_limit = host_limit("/proc/sys/net/core/wmem_default", 212992);
    k->unix_sockets = all;
    return 0;
}

void unix_destroy(struct kernel *k) {
    if (!k->unix_sockets)
        return;
    unix_collect(k);
    free(k->unix_sockets);
    k->unix_sockets = NULL;
}

const char *unix_check(const struct kernel *k) {
    const struct unix_socket *s, *embryo;
    const struct unix_message *m;
    unsigned long in_flight = 0;
    LIST_FOREACH(s, &k->unix_sockets->sockets, of_machine) {
        unsigned messages = 0, waiting = 0;
        TAILQ_FOREACH(m, &s->messages, of_queue) {
            messages++;
            in_flight += m->file_count;
            if (m->done > m->length)
                return "more of a message was read than there is";
        }
        TAILQ_FOREACH(embryo, &s->backlog, of_backlog) {
            waiting++;
            if (embryo->file || embryo->dead)
                return "a socket waits to be accepted and was accepted";
        }
        if (messages != s->message_count || waiting != s->backlog_count)
            return "the count of a socket's messages or connections is wrong";
        if (s->dead && (messages || waiting || s->file))
            return "a dead socket has messages, connections or a file";
        if (s->file && s->file->data != s)
            return "a socket's file is another's";
    }
    return in_flight == k->unix_sockets->in_flight ? NULL : "the count of files in flight is wrong";
}

/* ---- one socket ---- */

static struct unix_socket *unix_new(struct kernel *k, int type) {
    struct unix_socket *s = inject_calloc(k->config.inject, 1, sizeof(*s));
    if (!s)
        return NULL;
    s->kernel = k;
    s->references = 1;
    s->type = type;
    s->send_limit = k->unix_sockets->send_limit;
    s->receive_least = 1;
    s->peek_offset = -1;
    s->backlog_max = k->unix_sockets->dgram_backlog;
    s->peer_credentials = (struct ucred){.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
    TAILQ_INIT(&s->messages);
    TAILQ_INIT(&s->backlog);
    LIST_INSERT_HEAD(&k->unix_sockets->sockets, s, of_machine);
    return s;
}

struct unix_socket *unix_ref(struct unix_socket *s) {
    s->references++;
    return s;
}

void unix_unref(struct unix_socket *s) {
    if (!s || --s->references)
        return;
    LIST_REMOVE(s, of_machine); /* it is dead, and has no peer and no messages */
    free(s);
}

void unix_changed_in(struct unix_socket *s) {
    s->activity_in = ++s->kernel->news;
    sched_wake(s->kernel, s);
}

void unix_changed_out(struct unix_socket *s) {
    s->activity_out = ++s->kernel->news;
    sched_wake(s->kernel, s);
}

/* Both sides of a change of state: closed, shut down, an error. */
static void unix_changed(struct unix_socket *s) {
    s->activity_out = ++s->kernel->news;
    unix_changed_in(s);
}

/* The host socket beside it, or -errno. */
static int host_socket(struct kernel *k, int type) {
    if (inject_fails(k->config.inject, INJECT_HOST_CALL))
        return -ENFILE;
    int host = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return host >= 0 ? host : errno == EMFILE ? -ENFILE : -errno;
}

/* The open file of a socket (which takes the caller's reference to it on success). */
static int unix_open(struct unix_socket *s, int flags, struct file **ret_file) {
    int host = host_socket(s->kernel, s->type);
    if (host < 0)
        return host;
    struct file *f = file_create(s->kernel, &unix_ops, O_RDWR | (flags & O_NONBLOCK));
    if (!f) {
        close(host);
        return -ENOMEM;
    }
    f->host = host;
    f->data = s;
    f->activity = &s->activity_in;
    f->activity_out = &s->activity_out;
    s->file = f;
    *ret_file = f;
    return 0;
}

int unix_socket_create(struct kernel *k, int type, int flags, struct file **ret_file) {
    struct unix_socket *s = unix_new(k, type);
    if (!s)
        return -ENOMEM;
    int r = unix_open(s, flags, ret_file);
    if (r < 0)
        unix_unref(s);
    return r;
}

static void unix_join(struct unix_socket *a, struct unix_socket *b) {
    a->peer = unix_ref(b);
    b->peer = unix_ref(a);
    a->state = b->state = UNIX_CONNECTED;
}

int unix_pair_create(struct thread *t, int type, int flags, struct file *ret_files[2]) {
    struct kernel *k = t->process->kernel;
    int r = unix_socket_create(k, type, flags, &ret_files[0]);
    if (r < 0)
        return r;
    r = unix_socket_create(k, type, flags, &ret_files[1]);
    if (r < 0) {
        file_unref(ret_files[0]);
        return r;
    }
    struct unix_socket *a = ret_files[0]->data, *b = ret_files[1]->data;
    unix_join(a, b);
    a->credentials = b->credentials = a->peer_credentials = b->peer_credentials = message_credentials(t);
    return 0;
}

bool unix_is_full(const struct unix_socket *s) {
    return s->state == UNIX_LISTENING ? s->backlog_count > s->backlog_max : s->message_count > s->backlog_max;
}

long unix_wait(struct unix_socket *s, struct thread *t, const struct unix_socket *channel, short events,
               int flags) {
    long r = socket_wait_begin(s->file, t, events, flags);
    if (r == SYS_SLEEP) {
        sched_sleep_channel(t, channel);
        if (events & POLLIN && s->on_host)
            sched_sleep_fd(t, s->file->host, POLLIN);
    }
    return r;
}

/* What happens outside is not counted: epoll cannot tell edges from levels then. */
static void forget_activity(struct file *f) {
    f->activity = f->activity_out = NULL;
}

/* ---- names ---- */

static bool name_is_abstract(const struct socket_address *a) {
    const struct sockaddr_un *u = (const struct sockaddr_un *)&a->given;
    return a->given_length > offsetof(struct sockaddr_un, sun_path) && !u->sun_path[0];
}

static struct unix_socket *find_abstract(struct kernel *k, const struct socket_address *a) {
    struct unix_socket *s;
    LIST_FOREACH(s, &k->unix_sockets->sockets, of_machine) {
        if (s->bound && !s->inode && s->name_length == a->given_length &&
            memcmp(&s->name, &a->given, a->given_length) == 0)
            return s;
    }
    return NULL;
}

static struct unix_socket *find_inode(struct kernel *k, const struct stat *st) {
    struct unix_socket *s;
    LIST_FOREACH(s, &k->unix_sockets->sockets, of_machine) {
        if (s->bound && s->inode == st->st_ino && s->device == st->st_dev)
            return s;
    }
    return NULL;
}

int unix_find(struct kernel *k, const struct socket_address *a, int type, struct unix_socket **ret_socket) {
    const char *path = ((const struct sockaddr_un *)&a->host)->sun_path;
    struct stat st;
    *ret_socket = NULL;
    if (name_is_abstract(a))
        *ret_socket = find_abstract(k, a);
    else if (stat(path, &st) == 0)
        *ret_socket = find_inode(k, &st);
    if (!*ret_socket)
        return 0;
    if ((*ret_socket)->inode && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0)
        return -EACCES;
    return (*ret_socket)->type == type ? 0 : -EPROTOTYPE;
}

static void set_name(struct unix_socket *s, const struct sockaddr_un *name, socklen_t length) {
    size_t start = offsetof(struct sockaddr_un, sun_path);
    s->name_length = length;
    memcpy(&s->name, name, length);
    if (length > start && name->sun_path[0]) /* as Linux shows it: up to its NUL, and that */
        s->name_length = (socklen_t)(start + strnlen(name->sun_path, length - start) + 1);
    s->name.sun_family = AF_UNIX;
    s->bound = true;
}

/* A name of the machine's alone. */
static int bind_inside(struct unix_socket *s, const struct socket_address *a) {
    if (s->name_length)
        return -EINVAL;
    if (find_abstract(s->kernel, a))
        return -EADDRINUSE;
    set_name(s, (const struct sockaddr_un *)&a->given, a->given_length);
    return 0;
}

int unix_bind_automatically(struct unix_socket *s) {
    struct socket_address a = {0};
    struct sockaddr_un *u = (struct sockaddr_un *)&a.given;
    if (s->name_length)
        return 0;
    u->sun_family = AF_UNIX;
    do { /* abstract: a NUL and five hexadecimal digits */
        snprintf(u->sun_path + 1, 6, "%05lx", ++s->kernel->unix_sockets->automatic & 0xfffff);
        a.given_length = offsetof(struct sockaddr_un, sun_path) + 6;
    } while (find_abstract(s->kernel, &a));
    return bind_inside(s, &a);
}

/* `a->given_length` is at least that of a family. */
int unix_bind(struct thread *t, struct file *f, struct socket_address *a) {
    struct unix_socket *s = f->data;
    if (a->given.ss_family != AF_UNIX || a->given_length > sizeof(struct sockaddr_un))
        return -EINVAL;
    if (a->given_length == offsetof(struct sockaddr_un, sun_path))
        return unix_bind_automatically(s);
    if (!a->on_host)
        return bind_inside(s, a);
    if (name_is_abstract(a) && !s->name_length && find_abstract(s->kernel, a))
        return -EADDRINUSE;
    mode_t old = umask(t->process->fs->umask);
    int r = s->name_length && !s->on_host ? -EINVAL : 0;
    if (r == 0 && bind(f->host, (struct sockaddr *)&a->host, a->host_length) < 0)
        r = -errno;
    umask(old);
    if (r < 0)
        return r;
    struct stat st = {0};
    if (!name_is_abstract(a))
        (void)stat(((struct sockaddr_un *)&a->host)->sun_path, &st);
    s->device = st.st_dev;
    s->inode = st.st_ino;
    s->on_host = true;
    forget_activity(f);
    set_name(s, (struct sockaddr_un *)&a->given, a->given_length);
    return 0;
}

static void store_name(const struct unix_socket *s, struct socket_address *ret_address) {
    ret_address->given.ss_family = AF_UNIX;
    ret_address->given_length = sizeof(sa_family_t);
    if (s->name_length) {
        memcpy(&ret_address->given, &s->name, s->name_length);
        ret_address->given_length = s->name_length;
    }
}

int unix_name(struct file *f, bool peer, struct socket_address *ret_address) {
    const struct unix_socket *s = f->data;
    if (peer && s->state == UNIX_OUTSIDE) {
        ret_address->given_length = sizeof(ret_address->given);
        return getpeername(f->host, (struct sockaddr *)&ret_address->given, &ret_address->given_length) < 0
                   ? -errno
                   : 0;
    }
    if (peer && !s->peer)
        return -ENOTCONN;
    store_name(peer ? s->peer : s, ret_address);
    return 0;
}

/* ---- connecting ---- */

int unix_listen(struct thread *t, struct file *f, int backlog) {
    struct unix_socket *s = f->data;
    if (s->type == SOCK_DGRAM)
        return -EOPNOTSUPP;
    if (!s->name_length || (s->state != UNIX_CLOSED && s->state != UNIX_LISTENING))
        return -EINVAL;
    if (s->on_host && listen(f->host, backlog) < 0)
        return -errno;
    s->state = UNIX_LISTENING;
    s->backlog_max = (unsigned)min_size((unsigned)backlog, UNIX_BACKLOG_MAX);
    s->credentials = message_credentials(t);
    unix_changed_out(s);
    return 0;
}

/* The file is its host socket from now on. */
static void go_outside(struct file *f) {
    struct unix_socket *s = f->data;
    s->state = UNIX_OUTSIDE;
    forget_activity(f);
    s->kernel->nondeterministic_used |= s->kernel->config.deterministic;
    condition_note(s->kernel, "socket");
}

/* What connect() says of a socket that cannot be connected once more: first, what is
 * wrong with the address. */
static int connect_again(struct unix_socket *s, const struct socket_address *a) {
    int probe = host_socket(s->kernel, s->type);
    if (probe < 0)
        return probe;
    int r = connect(probe, (const struct sockaddr *)&a->host, a->host_length) < 0 ? -errno : 0;
    close(probe);
    return r ? r : s->state == UNIX_LISTENING ? -EINVAL : -EISCONN;
}

/* To a socket that is not the machine's. A full backlog there cannot be waited for but by trying again. */
static long connect_outside(struct thread *t, struct file *f, const struct socket_address *a) {
    struct unix_socket *s = f->data;
    if (!a->on_host)
        return -ECONNREFUSED;
    if (s->type != SOCK_DGRAM && s->state != UNIX_CLOSED && s->state != UNIX_OUTSIDE)
        return connect_again(s, a);
    int r = connect(f->host, (const struct sockaddr *)&a->host, a->host_length) < 0 ? -errno : 0;
    if (r == 0) {
        if (s->peer) /* a datagram socket's, up to now */
            unix_disconnect(s);
        go_outside(f);
    }
    if (r != -EAGAIN)
        return r;
    long wait = socket_wait_begin(f, t, POLLOUT, 0);
    if (wait == SYS_SLEEP)
        sched_sleep_until(t, clock_now(f->kernel) + RETRY);
    return wait;
}

void unix_disconnect(struct unix_socket *s) {
    struct unix_socket *peer = s->peer;
    s->peer = NULL;
    s->state = UNIX_CLOSED;
    if (s->message_count) { /* what the old peer sent is not for whom comes next */
        unix_drop(s->kernel, &s->messages);
        s->message_count = 0;
    }
    if (peer && !peer->dead && peer->peer == s) {
        peer->error = ECONNRESET;
        unix_changed(peer);
    }
    unix_unref(peer);
}

static long connect_datagrams(struct thread *t, struct file *f, const struct socket_address *a) {
    struct unix_socket *s = f->data, *other;
    if (a->given.ss_family == AF_UNSPEC) {
        if (s->state == UNIX_OUTSIDE)
            (void)connect(f->host, (const struct sockaddr *)&a->given, a->given_length);
        unix_disconnect(s);
        return 0;
    }
    int r = unix_find(s->kernel, a, s->type, &other);
    if (r < 0)
        return r;
    if (s->pass_credentials)
        (void)unix_bind_automatically(s);
    if (!other)
        return connect_outside(t, f, a);
    if (other->peer && other->peer != s)
        return -EPERM;
    if (s->peer && s->peer != other)
        unix_disconnect(s);
    if (!s->peer)
        s->peer = unix_ref(other);
    s->state = UNIX_CONNECTED;
    return 0;
}

/* The listener gets a socket that is connected to this one, to be accepted. */
static int connect_to(struct thread *t, struct unix_socket *s, struct unix_socket *listener) {
    struct unix_socket *embryo = unix_new(s->kernel, s->type);
    if (!embryo)
        return -ENOMEM;
    if (s->pass_credentials)
        (void)unix_bind_automatically(s);
    unix_join(s, embryo);
    embryo->name = listener->name;
    embryo->name_length = listener->name_length;
    embryo->peer_credentials = s->credentials = message_credentials(t);
    embryo->credentials = s->peer_credentials = listener->credentials;
    embryo->pass_credentials = listener->pass_credentials;
    TAILQ_INSERT_TAIL(&listener->backlog, embryo, of_backlog);
    listener->backlog_count++;
    unix_changed_in(listener);
    unix_changed_out(s);
    return 0;
}

static int check_address(const struct unix_socket *s, const struct socket_address *a) {
    if (s->type == SOCK_DGRAM && a->given.ss_family == AF_UNSPEC) /* no longer to anybody */
        return a->given_length >= sizeof(sa_family_t) ? 0 : -EINVAL;
    bool named = a->given_length > offsetof(struct sockaddr_un, sun_path);
    return named && a->given_length <= sizeof(struct sockaddr_un) && a->given.ss_family == AF_UNIX ? 0
                                                                                                   : -EINVAL;
}

long unix_connect(struct thread *t, struct file *f, const struct socket_address *a) {
    struct unix_socket *s = f->data, *other;
    int r = check_address(s, a);
    if (r < 0)
        return r;
    if (s->type == SOCK_DGRAM)
        return connect_datagrams(t, f, a);
    r = unix_find(s->kernel, a, s->type, &other);
    if (r < 0)
        return r;
    if (!other)
        return connect_outside(t, f, a);
    if (other->state != UNIX_LISTENING || other->shut & UNIX_SHUT_RECEIVE)
        return -ECONNREFUSED;
    if (unix_is_full(other))
        return unix_wait(s, t, other, POLLOUT, 0);
    if (s->state != UNIX_CLOSED)
        return s->state == UNIX_LISTENING ? -EINVAL : -EISCONN;
    return connect_to(t, s, other);
}

/* Somebody outside has connected to the host socket. */
static long accept_outside(struct thread *t, struct file *f, int flags, struct file **ret_file,
                           struct socket_address *ret_address) {
    struct unix_socket *s = f->data;
    ret_address->given_length = sizeof(ret_address->given);
    int host = s->on_host ? accept4(f->host, (struct sockaddr *)&ret_address->given,
                                    &ret_address->given_length, SOCK_NONBLOCK | SOCK_CLOEXEC)
                          : -1;
    if (host < 0) {
        if (s->on_host && errno != EAGAIN)
            return errno == EMFILE ? -ENFILE : -errno;
        return s->shut & UNIX_SHUT_RECEIVE ? -EINVAL : unix_wait(s, t, s, POLLIN, 0);
    }
    int r = unix_socket_create(s->kernel, s->type, flags, ret_file);
    if (r < 0) {
        close(host);
        return r;
    }
    dup3(host, (*ret_file)->host, O_CLOEXEC);
    close(host);
    struct unix_socket *accepted = (*ret_file)->data;
    accepted->name = s->name;
    accepted->name_length = s->name_length;
    go_outside(*ret_file);
    return 0;
}

long unix_accept(struct thread *t, struct file *f, int flags, struct file **ret_file,
                 struct socket_address *ret_address) {
    struct unix_socket *s = f->data;
    if (s->type == SOCK_DGRAM)
        return -EOPNOTSUPP;
    if (s->state != UNIX_LISTENING)
        return -EINVAL;
    struct unix_socket *embryo = TAILQ_FIRST(&s->backlog);
    if (!embryo)
        return accept_outside(t, f, flags, ret_file, ret_address);
    int r = unix_open(embryo, flags, ret_file);
    if (r < 0)
        return r;
    TAILQ_REMOVE(&s->backlog, embryo, of_backlog);
    s->backlog_count--;
    store_name(embryo->peer, ret_address);
    unix_changed_out(s);
    return 0;
}

/* ---- the end ---- */

int unix_shutdown(struct file *f, int how) {
    struct unix_socket *s = f->data;
    if (how < SHUT_RD || how > SHUT_RDWR)
        return -EINVAL;
    if (s->state == UNIX_OUTSIDE)
        return shutdown(f->host, how) < 0 ? -errno : 0;
    unsigned mode = (unsigned)how + 1;
    s->shut |= mode;
    unix_changed(s);
    if (s->peer && s->type != SOCK_DGRAM) {
        s->peer->shut |=
            (mode & UNIX_SHUT_RECEIVE ? UNIX_SHUT_SEND : 0) | (mode & UNIX_SHUT_SEND ? UNIX_SHUT_RECEIVE : 0);
        unix_changed(s->peer);
    }
    return 0;
}

/* No program has it any more, or ever will: tells the peer. `refused`: it was never accepted. */
static void unix_die(struct unix_socket *s, bool refused) {
    struct unix_socket *peer = s->peer, *embryo;
    s->dead = true;
    s->file = NULL;
    s->bound = false;
    if (peer && s->type != SOCK_DGRAM && !peer->dead) {
        peer->shut = UNIX_SHUT_BOTH;
        if (s->message_count || refused)
            peer->error = ECONNRESET;
        unix_changed(peer);
    }
    s->peer = NULL;
    while ((embryo = TAILQ_FIRST(&s->backlog))) {
        TAILQ_REMOVE(&s->backlog, embryo, of_backlog);
        s->backlog_count--;
        unix_die(embryo, true);
    }
    s->message_count = 0;
    sched_wake(s->kernel, s); /* those who wait to send to it, or to connect */
    unix_drop(s->kernel, &s->messages);
    unix_unref(peer);
    unix_unref(s);
}

static void unix_release(struct file *f) {
    struct kernel *k = f->kernel;
    unix_die(f->data, false);
    if (k->unix_sockets->in_flight)
        unix_collect(k);
}

/* ---- as a file ---- */

static ssize_t unix_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    struct message m;
    uint64_t progress = 0;
    message_init(&m, 0);
    transfer_set_host(&m.data, to, length);
    long n = unix_receive(t, f, &m, &progress);
    message_end(&m);
    return n;
}

static ssize_t unix_write(struct file *f, struct thread *t, const void *from, size_t length,
                          uint64_t *offset) {
    struct message m;
    uint64_t progress = 0;
    message_init(&m, 0);
    transfer_set_host(&m.data, (void *)from, length);
    long n = unix_send(t, f, &m, &progress);
    return n == SYS_SLEEP && progress ? (ssize_t)progress : n;
}

static long unix_read_user(struct file *f, struct thread *t, struct transfer *x) {
    struct message m;
    message_init(&m, 0);
    m.data = *x;
    long n = unix_receive(t, f, &m, &t->call.progress);
    message_end(&m);
    return n;
}

static long unix_write_user(struct file *f, struct thread *t, struct transfer *x) {
    struct message m;
    message_init(&m, 0);
    m.data = *x;
    return unix_send(t, f, &m, &t->call.progress);
}

static bool is_writable(const struct unix_socket *s) {
    const struct unix_socket *peer = s->peer;
    if (s->state == UNIX_LISTENING || s->charged * 4 > s->send_limit)
        return false;
    return s->type == SOCK_STREAM || !peer || peer->peer == s || !unix_is_full(peer);
}

static short unix_poll(struct file *f, struct thread *sleeper, short events) {
    const struct unix_socket *s = f->data;
    short ready = 0;
    if (s->state == UNIX_OUTSIDE && s->type != SOCK_DGRAM)
        return file_poll_host(f, sleeper, events);
    if (s->error)
        ready |= POLLERR;
    if (s->shut & UNIX_SHUT_RECEIVE)
        ready |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (s->shut == UNIX_SHUT_BOTH || (s->type != SOCK_DGRAM && s->state == UNIX_CLOSED))
        ready |= POLLHUP;
    if (s->message_count || s->backlog_count)
        ready |= POLLIN | POLLRDNORM;
    else if (s->on_host && events & (POLLIN | POLLRDNORM))
        ready |= file_poll_host(f, sleeper, POLLIN) & POLLIN ? POLLIN | POLLRDNORM : 0;
    if (is_writable(s))
        ready |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return ready & (short)(events | POLLHUP | POLLERR);
}

/* SIOCINQ: bytes that can be read; of datagrams those of the first. */
static long count_readable(const struct unix_socket *s) {
    const struct unix_message *m;
    size_t n = 0;
    if (s->state == UNIX_LISTENING)
        return -EINVAL;
    TAILQ_FOREACH(m, &s->messages, of_queue) {
        n += m->length - m->done;
        if (s->type == SOCK_DGRAM)
            break;
    }
    return (long)n;
}

static long unix_ioctl(struct file *f, struct thread *t, unsigned request, uint64_t argument) {
    const struct unix_socket *s = f->data;
    if ((request != SIOCINQ && request != SIOCOUTQ) || s->state == UNIX_OUTSIDE)
        return socket_ioctl(f, t, request, argument);
    long n = request == SIOCINQ ? count_readable(s) : (long)s->charged;
    int value = (int)n;
    return n < 0 ? n : user_write(t->process->space, argument, &value, sizeof(value));
}

static int unix_stat(struct file *f, struct stat *ret_stat) {
    return fstat(f->host, ret_stat) < 0 ? -errno : 0;
}

static const struct file_ops unix_ops = {
    .name = "socket",
    .host_helps = true,
    .empty_writes = true,
    .read = unix_read,
    .write = unix_write,
    .read_user = unix_read_user,
    .write_user = unix_write_user,
    .poll = unix_poll,
    .ioctl = unix_ioctl,
    .stat = unix_stat,
    .release = unix_release,
};
