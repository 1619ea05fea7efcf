/* Sockets of the host. One that the machine opened is non-blocking there; on one that Thimble inherited each
 * call says MSG_DONTWAIT. What would block puts the thread to sleep. */
#include "kernel/network/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/files/inode.h"
#include "kernel/kinds.h"
#include "kernel/network/unix.h"

/* Bytes that one call of the host is given. */
enum { STREAM_PIECE = 1 << 18, DATAGRAM_MAX = 1 << 20 };

/* ---- waiting ---- */

/* The time-out that the program set for a direction, in ns; 0: none. */
static uint64_t timeout_of(const struct file *f, short events) {
    struct timeval tv = {0};
    socklen_t size = sizeof(tv);
    int option = events & POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO;
    if (getsockopt(f->host, SOL_SOCKET, option, &tv, &size) < 0)
        return 0;
    return (uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000;
}

long socket_wait_begin(struct file *f, struct thread *t, short events, int flags) {
    if (f->flags & O_NONBLOCK || flags & MSG_DONTWAIT)
        return -EAGAIN;
    uint64_t timeout = timeout_of(f, events), now = clock_now(f->kernel);
    if (!timeout)
        return SYS_SLEEP;
    if (!t->call.deadline)
        t->call.deadline = now + timeout;
    if (now >= t->call.deadline)
        return -EAGAIN;
    t->call.on_signal = -EINTR; /* a call with a time-out is not restarted */
    sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

long socket_wait(struct file *f, struct thread *t, short events, int flags) {
    long r = socket_wait_begin(f, t, events, flags);
    if (r == SYS_SLEEP) {
        /* the peer may be in the machine, which must not stop for it then */
        sched_sleep_channel(t, inodes_channel(f->kernel));
        sched_sleep_fd(t, f->host, events);
    }
    return r;
}

void socket_changed(struct file *f) {
    sched_wake(f->kernel, inodes_channel(f->kernel));
}

/* ---- messages ---- */

static int socket_type(const struct file *f) {
    int type = 0;
    socklen_t size = sizeof(type);
    return getsockopt(f->host, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ? 0 : type;
}

/* How much of the data goes through our memory at once: a datagram as a whole. */
static size_t piece_of(const struct file *f, size_t left) {
    bool stream = left > STREAM_PIECE && socket_type(f) == SOCK_STREAM;
    return min_size(left, stream ? STREAM_PIECE : DATAGRAM_MAX);
}

/* One attempt with the next piece: bytes that the host took, or -errno. *ret_have: of so many. */
static long send_piece(struct file *f, struct message *m, size_t size, bool first, size_t *ret_have) {
    void *bytes = inject_malloc(f->kernel->config.inject, size + 1);
    if (!bytes)
        return -ENOMEM;
    ssize_t have = size ? transfer_from_user(&m->data, bytes, size) : 0;
    long n = have;
    if (have >= 0) {
        struct iovec v = {.iov_base = bytes, .iov_len = (size_t)have};
        struct msghdr header = {.msg_iov = &v, .msg_iovlen = 1};
        if (m->has_address) {
            header.msg_name = &m->address.host;
            header.msg_namelen = m->address.host_length;
        }
        if (first && m->control_room) { /* control messages go with the first byte */
            header.msg_control = m->control;
            header.msg_controllen = m->control_room;
        }
        n = sendmsg(f->host, &header, (m->flags & ~MSG_WAITALL) | MSG_DONTWAIT | MSG_NOSIGNAL);
        n = n < 0 ? -errno : n;
        *ret_have = (size_t)have;
    }
    free(bytes);
    return n;
}

long socket_send(struct thread *t, struct file *f, struct message *m, uint64_t *progress) {
    transfer_skip(&m->data, min_u64(*progress, m->data.left));
    do {
        struct transfer_mark before = transfer_mark(&m->data);
        size_t have;
        long n = send_piece(f, m, piece_of(f, m->data.left), !*progress, &have);
        if (n == -EPIPE && !*progress && !(m->flags & MSG_NOSIGNAL) && socket_type(f) == SOCK_STREAM)
            signal_send_thread(t, SIGPIPE, NULL);
        if (n == -EAGAIN) {
            long r = socket_wait(f, t, POLLOUT, m->flags);
            return r == SYS_SLEEP || !*progress ? r : (long)*progress;
        }
        if (n < 0)
            return *progress ? (long)*progress : n;
        socket_changed(f);
        *progress += (uint64_t)n;
        if ((size_t)n < have) {
            transfer_go_to(&m->data, &before);
            transfer_skip(&m->data, (size_t)n);
        }
    } while (m->data.left);
    return (long)*progress;
}

/* One attempt: what the host says, and how much of the program's memory took it. */
static long receive_piece(struct thread *t, struct file *f, struct message *m) {
    size_t size = piece_of(f, m->data.left);
    char *bytes = inject_malloc(f->kernel->config.inject, size + 1);
    if (!bytes)
        return -ENOMEM;
    struct iovec v = {.iov_base = bytes, .iov_len = size};
    struct msghdr header = {.msg_iov = &v,
                            .msg_iovlen = 1,
                            .msg_name = &m->address.given,
                            .msg_namelen = sizeof(m->address.given),
                            .msg_control = m->control_room ? m->control : NULL,
                            .msg_controllen = m->control_room};
    ssize_t n = recvmsg(f->host, &header, (m->flags & ~MSG_WAITALL) | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    long result = n < 0 ? -errno : n;
    if (n >= 0) {
        m->address.given_length = header.msg_namelen;
        m->result_flags |= header.msg_flags & ~MSG_CMSG_CLOEXEC;
        if (header.msg_controllen)
            message_control_from_host(t, m, header.msg_controllen, m->flags & MSG_CMSG_CLOEXEC);
        size_t there = min_size((size_t)n, size); /* with MSG_TRUNC the length may be more */
        if (there && transfer_to_user(&m->data, bytes, there) < (ssize_t)there)
            result = -EFAULT;
    }
    free(bytes);
    return result;
}

long socket_receive(struct thread *t, struct file *f, struct message *m, uint64_t *progress) {
    bool all = m->flags & MSG_WAITALL && !(m->flags & MSG_PEEK) && socket_type(f) == SOCK_STREAM;
    transfer_skip(&m->data, min_u64(*progress, m->data.left));
    for (;;) {
        if (transfer_probe(&m->data) < 0) /* what is received cannot be put back */
            return *progress ? (long)*progress : -EFAULT;
        long n = receive_piece(t, f, m);
        if (n == -EAGAIN && !(m->flags & (MSG_OOB | MSG_ERRQUEUE)))
            n = socket_wait(f, t, POLLIN, m->flags);
        if (n < 0)
            return n == SYS_SLEEP || !*progress ? n : (long)*progress;
        socket_changed(f);
        *progress += (uint64_t)n;
        if (n == 0 || !m->data.left || !all)
            return (long)*progress;
    }
}

long socket_accept(struct thread *t, struct file *f, struct socket_address *ret_address) {
    bool blocks = !(fcntl(f->host, F_GETFL) & O_NONBLOCK); /* an inherited socket may */
    if (blocks && !file_poll_host(f, NULL, POLLIN))
        return socket_wait(f, t, POLLIN, 0);
    ret_address->given_length = sizeof(ret_address->given);
    int host = accept4(f->host, (struct sockaddr *)&ret_address->given, &ret_address->given_length,
                       SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (host < 0)
        return errno == EAGAIN ? socket_wait(f, t, POLLIN, 0) : errno == EMFILE ? -ENFILE : -errno;
    socket_changed(f);
    return host;
}

/* ---- ioctl ---- */

/* The list of interfaces: a buffer of the program in a structure. */
static long list_interfaces(struct file *f, struct thread *t, uint64_t argument) {
    enum { LIST_MAX = 64 * sizeof(struct ifreq) };
    struct space *space = t->process->space;
    char list[LIST_MAX];
    struct ifconf c;
    int r = user_read(space, argument, &c, sizeof(c));
    if (r < 0)
        return r;
    uint64_t user = (uint64_t)c.ifc_buf;
    c.ifc_len = c.ifc_len > LIST_MAX ? LIST_MAX : c.ifc_len;
    c.ifc_buf = user ? list : NULL;
    if (ioctl(f->host, SIOCGIFCONF, &c) < 0)
        return -errno;
    if (user)
        r = user_write(space, user, list, (size_t)c.ifc_len);
    return r < 0 ? r : user_write(space, argument, &c.ifc_len, sizeof(c.ifc_len));
}

/* Questions that the host answers: how many bytes go there and back. Nothing of the host's network can be
 * changed. */
static const struct question {
    unsigned request;
    uint8_t in, out;
} questions[] = {
    {SIOCINQ, 0, sizeof(int)},
    {SIOCOUTQ, 0, sizeof(int)},
    {SIOCATMARK, 0, sizeof(int)},
    {SIOCGIFNAME, sizeof(struct ifreq), sizeof(struct ifreq)},
    {SIOCGIFFLAGS, sizeof(struct ifreq), sizeof(struct ifreq)},
    {SIOCGIFADDR, sizeof(struct ifreq), sizeof(struct ifreq)},
    {SIOCGIFDSTADDR, sizeof(struct ifreq), sizeof(struct ifreq)},
    {SIOCGIFBRDADDR, sizeof(struct ifreq), sizeof(struct ifreq)},
    {SIOCGIFNETMASK, sizeof(struct ifreq), sizeof(struct ifreq)},
    {SIOCGIFMETRIC, sizeof(struct ifreq), sizeof(struct ifreq)},
    {SIOCGIFMTU, sizeof(struct ifreq), sizeof(struct ifreq)},
    {SIOCGIFHWADDR, sizeof(struct ifreq), sizeof(struct ifreq)},
    {SIOCGIFINDEX, sizeof(struct ifreq), sizeof(struct ifreq)},
    {SIOCGIFTXQLEN, sizeof(struct ifreq), sizeof(struct ifreq)},
};

long socket_ioctl(struct file *f, struct thread *t, unsigned request, uint64_t argument) {
    struct space *space = t->process->space;
    char buffer[sizeof(struct ifreq)];
    if (request == SIOCGIFCONF)
        return list_interfaces(f, t, argument);
    for (size_t i = 0; i < ARRAY_LENGTH(questions); i++) {
        const struct question *q = &questions[i];
        if (q->request != request)
            continue;
        int r = q->in ? user_read(space, argument, buffer, q->in) : 0;
        if (r < 0)
            return r;
        if (ioctl(f->host, request, buffer) < 0)
            return -errno;
        return user_write(space, argument, buffer, q->out);
    }
    return -ENOTTY;
}

/* ---- as a file ---- */

static ssize_t socket_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    ssize_t n = recv(f->host, to, length, MSG_DONTWAIT);
    if (n >= 0) {
        socket_changed(f);
        return n;
    }
    return errno == EAGAIN ? socket_wait(f, t, POLLIN, 0) : -errno;
}

static ssize_t socket_write(struct file *f, struct thread *t, const void *from, size_t length,
                            uint64_t *offset) {
    ssize_t n = send(f->host, from, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
        socket_changed(f);
        return n;
    }
    int error = errno;
    if (error == EAGAIN)
        return socket_wait(f, t, POLLOUT, 0);
    if (error == EPIPE && socket_type(f) == SOCK_STREAM)
        signal_send_thread(t, SIGPIPE, NULL);
    return -error;
}

static long socket_read_user(struct file *f, struct thread *t, struct transfer *x) {
    struct message m;
    message_init(&m, 0);
    m.data = *x;
    return socket_receive(t, f, &m, &t->call.progress);
}

static long socket_write_user(struct file *f, struct thread *t, struct transfer *x) {
    struct message m;
    message_init(&m, 0);
    m.data = *x;
    return socket_send(t, f, &m, &t->call.progress);
}

static int socket_stat(struct file *f, struct stat *ret_stat) {
    return fstat(f->host, ret_stat) < 0 ? -errno : 0;
}

static void socket_release(struct file *f) {
    close(f->host); /* before the other end looks */
    f->host = -1;
    socket_changed(f);
}

static const struct file_ops socket_ops = {
    .name = "socket",
    .host_polls = true,
    .empty_writes = true,
    .read = socket_read,
    .write = socket_write,
    .read_user = socket_read_user,
    .write_user = socket_write_user,
    .poll = file_poll_host,
    .ioctl = socket_ioctl,
    .stat = socket_stat,
    .release = socket_release,
};

bool file_is_socket(const struct file *f) {
    return f->ops == &socket_ops || file_is_unix(f);
}

int socket_create(struct kernel *k, int host, int flags, struct file **ret_file) {
    struct file *f = file_create(k, &socket_ops, O_RDWR | (flags & O_NONBLOCK));
    if (!f)
        return -ENOMEM;
    f->host = host;
    *ret_file = f;
    return 0;
}
