/* Unix sockets: sending and receiving. Messages wait at the receiver and are charged to the sender, as much
 * as Linux charges: so the same number of bytes fits before a program must wait.
 *
 * A stream's messages are read one after the other as if they were one, but not beyond one that carries open
 * files, nor from one sender to another when the reader wants to know who it was. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/network/socket.h"
#include "kernel/network/unix.h"

/* What Linux takes for a message: the head of a buffer (a power of two with 320 bytes of its own in it),
 * pages for what is beyond, and 256 bytes for the buffer's record. */
enum {
    HEAD_OWN = 320,
    HEAD_MIN = 512,
    RECORD = 256,
    STREAM_HEAD_MAX = PAGE_SIZE - HEAD_OWN,
    DATAGRAM_HEAD_MAX = 4 * PAGE_SIZE - HEAD_OWN,
    STREAM_PIECE_MAX = STREAM_HEAD_MAX + 8 * PAGE_SIZE,
    NOBODY = 65534,
};

static size_t charge_of(int type, size_t length) {
    size_t head_max = type == SOCK_STREAM ? STREAM_HEAD_MAX : DATAGRAM_HEAD_MAX;
    size_t beyond = length > head_max ? length - head_max : 0;
    size_t pages = (beyond + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    size_t own = ((length > pages ? length - pages : 0) + 63) / 64 * 64 + HEAD_OWN;
    size_t head = HEAD_MIN;
    while (head < own)
        head *= 2;
    return head + pages + RECORD;
}

/* ---- sending ---- */

static bool wants_credentials(const struct unix_socket *s) {
    return s->pass_credentials;
}

/* A message of the next `length` bytes. 0, -EFAULT or -ENOMEM. */
static int message_make(struct unix_socket *s, struct message *m, size_t length, struct unix_message **ret) {
    struct inject *inject = s->kernel->config.inject;
    struct unix_message *message = inject_malloc(inject, sizeof(*message) + length);
    if (!message)
        return -ENOMEM;
    *message = (struct unix_message){.length = length, .credentials = {.uid = NOBODY, .gid = NOBODY}};
    ssize_t n = transfer_from_user(&m->data, message->data, length);
    if (n < (ssize_t)length) {
        free(message);
        return -EFAULT;
    }
    if (m->file_count) {
        message->files = inject_malloc(inject, m->file_count * sizeof(*message->files));
        if (!message->files) {
            free(message);
            return -ENOMEM;
        }
    }
    *ret = message;
    return 0;
}

/* The files go along with the first message. */
static void give_files(struct unix_socket *s, struct message *m, struct unix_message *message) {
    for (unsigned i = 0; i < m->file_count; i++) {
        message->files[i] = m->files[i];
        m->files[i]->in_flight++;
    }
    message->file_count = m->file_count;
    s->kernel->unix_sockets->in_flight += m->file_count;
    m->file_count = 0;
}

static void message_put(struct unix_socket *s, struct unix_socket *to, struct thread *t, struct message *m,
                        struct unix_message *message) {
    give_files(s, m, message);
    if (m->has_credentials)
        message->credentials = m->credentials;
    else if (wants_credentials(s) || wants_credentials(to))
        message->credentials = message_credentials(t);
    message->sender = unix_ref(s);
    message->charge = charge_of(s->type, message->length);
    s->charged += message->charge;
    TAILQ_INSERT_TAIL(&to->messages, message, of_queue);
    to->message_count++;
    unix_changed_in(to);
}

/* Only those who may have so many files open may have so many on the way. */
static int check_in_flight(struct thread *t, const struct message *m) {
    const struct kernel *k = t->process->kernel;
    if (!m->file_count || geteuid() == 0)
        return 0;
    return k->unix_sockets->in_flight > t->process->limits[RLIMIT_NOFILE].rlim_cur ? -ETOOMANYREFS : 0;
}

static long broken_pipe(struct thread *t, int flags) {
    if (!(flags & MSG_NOSIGNAL))
        signal_send_thread(t, SIGPIPE, NULL);
    return -EPIPE;
}

static int take_error(struct unix_socket *s) {
    int error = s->error;
    s->error = 0;
    return -error;
}

static long stream_send(struct thread *t, struct file *f, struct message *m, uint64_t *progress) {
    struct unix_socket *s = f->data, *to = s->peer;
    if (m->has_address)
        return s->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    if (!to)
        return -ENOTCONN;
    transfer_skip(&m->data, min_u64(*progress, m->data.left));
    while (m->data.left) {
        struct unix_message *message;
        if (s->shut & UNIX_SHUT_SEND || to->dead || to->shut & UNIX_SHUT_RECEIVE)
            return *progress ? (long)*progress : broken_pipe(t, m->flags);
        if (s->charged >= s->send_limit) {
            long r = unix_wait(s, t, s, POLLOUT, m->flags);
            return r == SYS_SLEEP || !*progress ? r : (long)*progress;
        }
        size_t piece = min_size(min_size(m->data.left, s->send_limit / 2 - 64), STREAM_PIECE_MAX);
        int r = message_make(s, m, piece, &message);
        if (r < 0)
            return *progress ? (long)*progress : r;
        message_put(s, to, t, m, message);
        *progress += piece;
    }
    return (long)*progress;
}

/* Where a datagram goes. 0 with NULL: out of the machine. */
static int datagram_target(struct unix_socket *s, const struct message *m, struct unix_socket **ret_to) {
    *ret_to = s->peer;
    if (!m->has_address || s->type == SOCK_SEQPACKET)
        return s->peer || s->state == UNIX_OUTSIDE ? 0 : -ENOTCONN;
    int r = unix_find(s->kernel, &m->address, s->type, ret_to);
    return r < 0 ? r : !*ret_to && !m->address.on_host ? -ECONNREFUSED : 0;
}

/* Whether the datagram can go there now: 0, -errno or SYS_SLEEP. */
static long datagram_may_go(struct thread *t, struct unix_socket *s, struct unix_socket *to,
                            const struct message *m) {
    if (s->shut & UNIX_SHUT_SEND)
        return -EPIPE;
    if (s->charged >= s->send_limit)
        return unix_wait(s, t, s, POLLOUT, m->flags);
    if (to->dead) {
        if (s->type == SOCK_SEQPACKET)
            return -EPIPE;
        unix_disconnect(s);
        return -ECONNREFUSED;
    }
    if (to->peer && to->peer != s && to != s)
        return -EPERM;
    if (to->shut & UNIX_SHUT_RECEIVE)
        return -EPIPE;
    bool waits = to != s && to->peer != s && unix_is_full(to);
    return waits ? unix_wait(s, t, to, POLLOUT, m->flags) : 0;
}

static long datagram_send(struct thread *t, struct file *f, struct message *m) {
    struct unix_socket *s = f->data, *to;
    struct unix_message *message;
    int r = s->type == SOCK_SEQPACKET ? take_error(s) : 0;
    if (r == 0 && s->type == SOCK_SEQPACKET && s->state != UNIX_CONNECTED)
        r = -ENOTCONN;
    if (r == 0)
        r = datagram_target(s, m, &to);
    if (r < 0)
        return r;
    if (!to)
        return socket_send(t, f, m, &(uint64_t){0});
    size_t length = m->data.left;
    if (s->pass_credentials && !m->has_address)
        (void)unix_bind_automatically(s);
    if (length > s->send_limit - 32)
        return -EMSGSIZE;
    r = s->type == SOCK_DGRAM ? take_error(s) : 0;
    long may = r < 0 ? r : datagram_may_go(t, s, to, m);
    if (may < 0)
        return may;
    r = message_make(s, m, length, &message);
    if (r < 0)
        return r;
    message_put(s, to, t, m, message);
    return (long)length;
}

long unix_send(struct thread *t, struct file *f, struct message *m, uint64_t *progress) {
    const struct unix_socket *s = f->data;
    if (s->state == UNIX_OUTSIDE && s->type != SOCK_DGRAM)
        return socket_send(t, f, m, progress);
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    int r = check_in_flight(t, m);
    if (r < 0)
        return r;
    return s->type == SOCK_STREAM ? stream_send(t, f, m, progress) : datagram_send(t, f, m);
}

/* ---- receiving ---- */

static void copy_sender(const struct unix_message *message, struct message *m) {
    const struct unix_socket *sender = message->sender;
    memcpy(&m->address.given, &sender->name, sender->name_length);
    m->address.given_length = sender->name_length;
}

/* A message was read to its end. */
static void message_done(struct unix_socket *s, struct unix_message *message) {
    struct unix_messages one = TAILQ_HEAD_INITIALIZER(one);
    TAILQ_REMOVE(&s->messages, message, of_queue);
    s->message_count--;
    TAILQ_INSERT_TAIL(&one, message, of_queue);
    unix_drop(s->kernel, &one);
    sched_wake(s->kernel, s); /* those who wait to send to it */
}

/* The receiver gets the files; when it only looks, it gets them as well, and they stay. */
static void take_files(struct unix_socket *s, struct unix_message *message, struct message *m, bool peek) {
    for (unsigned i = 0; i < message->file_count; i++) {
        m->files[i] = message->files[i];
        if (peek)
            file_ref(m->files[i]);
        else
            m->files[i]->in_flight--;
    }
    m->file_count = message->file_count;
    if (peek)
        return;
    s->kernel->unix_sockets->in_flight -= message->file_count;
    message->file_count = 0;
    free(message->files);
    message->files = NULL;
}

static bool same_credentials(const struct ucred *a, const struct ucred *b) {
    return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

static void take_credentials(struct unix_socket *s, const struct unix_message *message, struct message *m) {
    m->has_credentials = s->pass_credentials;
    m->credentials = message->credentials;
}

/* The message that `skip` bytes of looking lead to; *skip becomes the place in it. */
static struct unix_message *message_at(struct unix_socket *s, size_t *skip) {
    struct unix_message *message;
    TAILQ_FOREACH(message, &s->messages, of_queue) {
        size_t there = message->length - message->done;
        if (*skip < there || (!*skip && !there))
            break;
        *skip -= there;
    }
    return message;
}

static size_t peek_start(const struct unix_socket *s, const struct message *m) {
    return m->flags & MSG_PEEK && s->peek_offset > 0 ? (size_t)s->peek_offset : 0;
}

static void peek_went(struct unix_socket *s, const struct message *m, size_t n) {
    if (s->peek_offset < 0)
        return;
    if (m->flags & MSG_PEEK)
        s->peek_offset += (int64_t)n;
    else
        s->peek_offset -= (int64_t)min_size(n, (size_t)s->peek_offset);
}

/* What is there of the stream now, as far as it may be read at once. Bytes, or -EFAULT. */
static long stream_take(struct unix_socket *s, struct message *m) {
    bool peek = m->flags & MSG_PEEK;
    size_t skip = peek_start(s, m), done = 0;
    struct unix_message *message = message_at(s, &skip), *next;
    bool first = !m->has_credentials && !m->address.given_length;
    for (; message && m->data.left; message = next, skip = 0) {
        next = TAILQ_NEXT(message, of_queue);
        if (s->pass_credentials && !first && !same_credentials(&m->credentials, &message->credentials))
            break;
        if (first)
            copy_sender(message, m);
        take_credentials(s, message, m);
        first = false;
        size_t n = min_size(m->data.left, message->length - message->done - skip);
        ssize_t copied = transfer_to_user(&m->data, message->data + message->done + skip, n);
        if (copied < (ssize_t)n)
            return done ? (long)done : -EFAULT;
        done += n;
        bool files = message->file_count;
        if (files)
            take_files(s, message, m, peek);
        peek_went(s, m, n);
        if (!peek)
            message->done += n;
        if (!peek && message->done < message->length)
            break;
        if (!peek)
            message_done(s, message);
        if (files)
            break;
    }
    return (long)done;
}

static long stream_receive(struct thread *t, struct file *f, struct message *m, uint64_t *progress) {
    struct unix_socket *s = f->data;
    if (s->state != UNIX_CONNECTED)
        return -EINVAL;
    transfer_skip(&m->data, min_u64(*progress, m->data.left));
    uint64_t wanted = *progress + m->data.left;
    uint64_t target = m->flags & MSG_WAITALL ? wanted : min_u64(s->receive_least, wanted);
    for (;;) {
        if (!wanted && s->message_count)
            return 0;
        long n = m->data.left ? stream_take(s, m) : 0;
        if (n < 0)
            return *progress ? (long)*progress : n;
        *progress += (uint64_t)n;
        if (m->file_count || (n && m->flags & MSG_PEEK))
            return (long)*progress;
        if (n && *progress < wanted && s->message_count) /* stopped at another sender */
            return (long)*progress;
        if (*progress >= target && *progress)
            return (long)*progress;
        int r = take_error(s);
        if (r < 0 || s->shut & UNIX_SHUT_RECEIVE)
            return *progress ? (long)*progress : r;
        long wait = unix_wait(s, t, s, POLLIN, m->flags);
        return wait == SYS_SLEEP || !*progress ? wait : (long)*progress;
    }
}

/* No datagram is there: is the end, an error, one from outside, or to be waited for. */
static long datagram_wait(struct thread *t, struct file *f, struct message *m) {
    struct unix_socket *s = f->data;
    bool may_wait = !(f->flags & O_NONBLOCK || m->flags & MSG_DONTWAIT);
    int r = take_error(s);
    if (r < 0)
        return r;
    if (s->shut & UNIX_SHUT_RECEIVE && (may_wait || s->type == SOCK_SEQPACKET))
        return 0;
    if (s->type == SOCK_DGRAM && (s->on_host || s->state == UNIX_OUTSIDE)) {
        long n = socket_receive(t, f, m, &(uint64_t){0});
        if (n == SYS_SLEEP) /* from inside, too */
            sched_sleep_channel(t, s);
        return n;
    }
    return unix_wait(s, t, s, POLLIN, m->flags);
}

static long datagram_receive(struct thread *t, struct file *f, struct message *m) {
    struct unix_socket *s = f->data;
    bool peek = m->flags & MSG_PEEK;
    size_t skip = peek_start(s, m);
    if (s->type == SOCK_SEQPACKET && s->state != UNIX_CONNECTED)
        return -ENOTCONN;
    struct unix_message *message = message_at(s, &skip);
    if (!message)
        return datagram_wait(t, f, m);
    size_t there = message->length - skip, n = min_size(m->data.left, there);
    copy_sender(message, m);
    take_credentials(s, message, m);
    take_files(s, message, m, peek);
    ssize_t copied = transfer_to_user(&m->data, message->data + skip, n);
    peek_went(s, m, peek ? n : message->length);
    if (!peek)
        message_done(s, message);
    if (copied < (ssize_t)n)
        return -EFAULT;
    m->result_flags |= n < there ? MSG_TRUNC : 0;
    return (long)(m->flags & MSG_TRUNC ? there : n);
}

long unix_receive(struct thread *t, struct file *f, struct message *m, uint64_t *progress) {
    const struct unix_socket *s = f->data;
    if (s->state == UNIX_OUTSIDE && s->type != SOCK_DGRAM)
        return socket_receive(t, f, m, progress);
    if (m->flags & (MSG_OOB | MSG_ERRQUEUE))
        return m->flags & MSG_OOB ? -EOPNOTSUPP : -EAGAIN;
    return s->type == SOCK_STREAM ? stream_receive(t, f, m, progress) : datagram_receive(t, f, m);
}
