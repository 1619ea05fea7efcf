/* System calls that send and receive through sockets. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "kernel/network/socket.h"
#include "kernel/network/socket_address.h"
#include "kernel/network/unix.h"
#include "kernel/syscall.h"

/* 0 and the open file, -EBADF or -ENOTSOCK. */
static int socket_of(struct thread *t, uint64_t fd, struct file **ret_file) {
    struct file *f = descriptor_file(t->process, (int)fd);
    *ret_file = f;
    return !f || f->flags & O_PATH ? -EBADF : !file_is_socket(f) ? -ENOTSOCK : 0;
}

static long send_message(struct thread *t, struct file *f, struct message *m, uint64_t *progress) {
    return file_is_unix(f) ? unix_send(t, f, m, progress) : socket_send(t, f, m, progress);
}

static long receive_message(struct thread *t, struct file *f, struct message *m, uint64_t *progress) {
    return file_is_unix(f) ? unix_receive(t, f, m, progress) : socket_receive(t, f, m, progress);
}

/* ---- one buffer ---- */

/* Linux asks where the buffer is before all else. */
static int set_buffer(struct message *m, struct thread *t, uint64_t address, uint64_t length) {
    transfer_set(&m->data, t, address, length);
    return transfer_in_user_space(address, m->data.left) ? 0 : -EFAULT;
}

static long sys_sendto(struct thread *t, const uint64_t a[6]) {
    struct message m;
    struct file *f;
    message_init(&m, (int)a[3]);
    int r = set_buffer(&m, t, a[1], a[2]);
    if (r == 0)
        r = socket_of(t, a[0], &f);
    if (r == 0 && a[4])
        r = socket_address_load(t, a[4], a[5], false, &m.address);
    if (r < 0)
        return r;
    m.has_address = a[4] != 0;
    return send_message(t, f, &m, &t->call.progress);
}

static long sys_recvfrom(struct thread *t, const uint64_t a[6]) {
    struct message m;
    struct file *f;
    message_init(&m, (int)a[3]);
    int r = set_buffer(&m, t, a[1], a[2]);
    if (r == 0)
        r = socket_of(t, a[0], &f);
    if (r < 0)
        return r;
    long n = receive_message(t, f, &m, &t->call.progress);
    message_end(&m);
    if (n < 0)
        return n;
    r = socket_address_store(t, &m.address, a[4], a[5]);
    return r < 0 ? r : n;
}

/* ---- struct msghdr ---- */

static int load_header(struct thread *t, uint64_t user, struct msghdr *ret_user, struct message *m) {
    int r = user_read(t->process->space, user, ret_user, sizeof(*ret_user));
    if (r < 0)
        return r;
    if (!ret_user->msg_name)
        ret_user->msg_namelen = 0;
    if ((int)ret_user->msg_namelen < 0)
        return -EINVAL;
    if (ret_user->msg_iovlen > IOV_MAX)
        return -EMSGSIZE;
    return transfer_load(&m->data, t, (uint64_t)ret_user->msg_iov, ret_user->msg_iovlen);
}

static int load_control(struct thread *t, struct file *f, const struct msghdr *given, struct message *m) {
    if (given->msg_controllen > MESSAGE_CONTROL_MAX)
        return -ENOBUFS;
    m->control_room = given->msg_controllen;
    if (!m->control_room)
        return 0;
    int r = user_read(t->process->space, (uint64_t)given->msg_control, m->control, m->control_room);
    if (r == 0 && file_is_unix(f))
        r = message_load_control(t, m);
    bool outside = !file_is_unix(f) || unix_of(f)->state == UNIX_OUTSIDE;
    return r == 0 && outside ? message_control_to_host(t, m) : r;
}

static long do_sendmsg(struct thread *t, struct file *f, uint64_t user, int flags, uint64_t *progress) {
    struct message m;
    struct msghdr given;
    message_init(&m, flags);
    long r = load_header(t, user, &given, &m);
    if (r == 0 && given.msg_name && given.msg_namelen) {
        m.has_address = true;
        r = socket_address_load(t, (uint64_t)given.msg_name,
                                min_size(given.msg_namelen, sizeof(m.address.given)), false, &m.address);
    }
    if (r == 0)
        r = load_control(t, f, &given, &m);
    if (r == 0 && *progress) { /* files went along with the first byte */
        message_end(&m);
        m.control_room = 0;
    }
    if (r == 0)
        r = send_message(t, f, &m, progress);
    message_end(&m);
    return r;
}

static long sys_sendmsg(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    int r = socket_of(t, a[0], &f);
    return r < 0 ? r : do_sendmsg(t, f, a[1], (int)a[2], &t->call.progress);
}

static int store_header(struct thread *t, uint64_t user, const struct msghdr *given,
                        const struct message *m) {
    struct space *space = t->process->space;
    const struct socket_address *from = &m->address;
    struct msghdr result = *given;
    int r = 0;
    if (given->msg_name) {
        r = user_write(space, (uint64_t)given->msg_name, &from->given,
                       min_size(given->msg_namelen, from->given_length));
        result.msg_namelen = from->given_length;
    }
    result.msg_controllen = m->control_used;
    result.msg_flags = m->result_flags;
    return r < 0 ? r : user_write(space, user, &result, sizeof(result));
}

static long do_recvmsg(struct thread *t, struct file *f, uint64_t user, int flags, uint64_t *progress) {
    struct message m;
    struct msghdr given;
    message_init(&m, flags);
    int r = load_header(t, user, &given, &m);
    if (r < 0)
        return r;
    m.result_flags = flags & MSG_CMSG_CLOEXEC; /* Linux tells it back */
    m.control_user = (uint64_t)given.msg_control;
    m.control_room = m.control_user ? min_size(given.msg_controllen, MESSAGE_CONTROL_MAX) : 0;
    long n = receive_message(t, f, &m, progress);
    if (n >= 0) {
        message_store_control(t, &m, flags & MSG_CMSG_CLOEXEC);
        r = store_header(t, user, &given, &m);
    }
    message_end(&m);
    return r < 0 ? r : n;
}

static long sys_recvmsg(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    int r = socket_of(t, a[0], &f);
    return r < 0 ? r : do_recvmsg(t, f, a[1], (int)a[2] & ~MSG_WAITFORONE, &t->call.progress);
}

/* ---- several messages: call.progress counts them, call.scratch the bytes of the one that waits ---- */

static int store_length(struct thread *t, uint64_t entry, long n) {
    unsigned length = (unsigned)n;
    return user_write(t->process->space, entry + offsetof(struct mmsghdr, msg_len), &length, sizeof(length));
}

/* The end of the call after the message at call.progress failed; what was done counts more. */
static long several_end(struct thread *t, long error) {
    return t->call.progress && error != SYS_SLEEP ? (long)t->call.progress : error;
}

static long sys_sendmmsg(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r < 0)
        return r;
    uint64_t count = min_u64((uint32_t)a[2], IOV_MAX);
    for (uint64_t *i = &t->call.progress; *i < count; ++*i) {
        uint64_t entry = a[1] + *i * sizeof(struct mmsghdr);
        long n = do_sendmsg(t, f, entry, (int)a[3], &t->call.scratch);
        if (n < 0)
            return several_end(t, n);
        t->call.scratch = 0;
        r = store_length(t, entry, n);
        if (r < 0)
            return several_end(t, r);
    }
    return (long)count;
}

/* recvmmsg's time-out: looked at only between messages, as in Linux. */
static int load_timeout(struct thread *t, uint64_t user, uint64_t *ret_deadline) {
    struct timespec ts;
    *ret_deadline = UINT64_MAX;
    if (!user)
        return 0;
    int r = user_read(t->process->space, user, &ts, sizeof(ts));
    if (r < 0)
        return r;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= 1000000000)
        return -EINVAL;
    uint64_t seconds = min_u64((uint64_t)ts.tv_sec, UINT32_MAX);
    *ret_deadline = clock_now(t->process->kernel) + seconds * 1000000000 + (uint64_t)ts.tv_nsec;
    return 0;
}

static void store_timeout(struct thread *t, uint64_t user, uint64_t deadline) {
    uint64_t now = clock_now(t->process->kernel), left = deadline > now ? deadline - now : 0;
    struct timespec ts = {.tv_sec = (time_t)(left / 1000000000), .tv_nsec = (long)(left % 1000000000)};
    if (user)
        (void)user_write(t->process->space, user, &ts, sizeof(ts));
}

static long receive_several(struct thread *t, struct file *f, const uint64_t a[6], uint64_t deadline) {
    uint64_t count = min_u64((uint32_t)a[2], IOV_MAX), *i = &t->call.progress;
    int flags = (int)a[3];
    while (*i < count) {
        uint64_t entry = a[1] + *i * sizeof(struct mmsghdr);
        bool waits = !(flags & MSG_WAITFORONE) || !*i;
        long n =
            do_recvmsg(t, f, entry, (flags & ~MSG_WAITFORONE) | (waits ? 0 : MSG_DONTWAIT), &t->call.scratch);
        if (n < 0)
            return several_end(t, n);
        t->call.scratch = 0;
        int r = store_length(t, entry, n);
        if (r < 0)
            return several_end(t, r);
        ++*i;
        if (clock_now(t->process->kernel) >= deadline)
            break;
    }
    return (long)*i;
}

static long sys_recvmmsg(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    uint64_t deadline;
    int r = load_timeout(t, a[4], &deadline);
    if (r == 0)
        r = socket_of(t, a[0], &f);
    if (r < 0)
        return r;
    long n = receive_several(t, f, a, deadline);
    if (n > 0)
        store_timeout(t, a[4], deadline);
    return n;
}

const struct syscall_entry syscalls_message[] = {
    {SYS_sendto, "sendto", sys_sendto},
    {SYS_recvfrom, "recvfrom", sys_recvfrom},
    {SYS_sendmsg, "sendmsg", sys_sendmsg},
    {SYS_recvmsg, "recvmsg", sys_recvmsg},
    {SYS_sendmmsg, "sendmmsg", sys_sendmmsg},
    {SYS_recvmmsg, "recvmmsg", sys_recvmmsg},
    {-1, NULL, NULL},
};
