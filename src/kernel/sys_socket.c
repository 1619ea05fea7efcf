/* System calls about sockets, carried out on the host. Descriptors sent in messages (SCM_RIGHTS) must be of
 * host files; pipes and other objects of the machine cannot be passed on. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/descriptor.h"
#include "kernel/kinds.h"
#include "kernel/lookup.h"
#include "kernel/path.h"
#include "kernel/socket.h"
#include "kernel/syscall.h"
#include "kernel/transfer.h"

enum { MESSAGE_MAX = 1 << 20, CONTROL_MAX = 4096 }; /* bytes */

/* 0 and the open file, -EBADF or -ENOTSOCK. */
static int socket_of(struct thread *t, uint64_t fd, struct file **ret_file) {
    struct file *f = descriptor_file(t->process, (int)fd);
    *ret_file = f;
    return !f ? -EBADF : !file_is_socket(f) ? -ENOTSOCK : 0;
}

/* ---- addresses ---- */

/* The machine has no network: only sockets between its own programs. */
static int check_family(struct thread *t, int family) {
    return t->process->kernel->config.no_network && family != AF_UNIX ? -EACCES : 0;
}

static int name_through(int directory, const char *name, struct sockaddr_un *address, socklen_t *length) {
    char host[PATH_MAX];
    int n = snprintf(host, sizeof(host), "/proc/self/fd/%d/%s", directory, name);
    if ((size_t)n >= sizeof(address->sun_path))
        return -ENAMETOOLONG;
    strcpy(address->sun_path, host);
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
    return 0;
}

/* In a sandbox only sockets can be met that its programs may make themselves. The directory stays open until
 * the next address, since the address names it. */
static int translate_in_sandbox(struct thread *t, const char *path, bool makes, struct sockaddr_un *address,
                                socklen_t *length) {
    struct sandbox *box = t->process->kernel->sandbox;
    struct lookup l;
    int r = lookup_path(t, AT_FDCWD, path, makes ? 0 : LOOKUP_FOLLOW, &l);
    if (r < 0)
        return r;
    r = l.kind == LOOKUP_HOST ? 0 : -EACCES;
    if (r == 0 && makes)
        r = lookup_change(t, &l, SANDBOX_MAKE);
    else if (r == 0 && l.layer != SANDBOX_MISSING)
        r = sandbox_may_connect(box, l.inside, l.name, l.layer);
    int directory = r < 0 ? r : fcntl(l.directory, F_DUPFD_CLOEXEC, 3);
    if (directory >= 0) {
        sandbox_hold(box, directory);
        r = name_through(directory, l.name, address, length);
    }
    lookup_end(&l);
    return r == -EEXIST ? -EADDRINUSE : r;
}

/* A local path is relative to the program's working directory, not to ours: it is named through that. */
static int translate_local(struct thread *t, bool makes, struct sockaddr_un *address, socklen_t *length) {
    const struct kernel *k = t->process->kernel;
    char path[sizeof(address->sun_path) + 1] = ""; /* NUL-terminated */
    size_t size = *length - offsetof(struct sockaddr_un, sun_path);
    if (*length <= offsetof(struct sockaddr_un, sun_path))
        return 0; /* unnamed */
    if (!address->sun_path[0]) /* abstract: the host's programs have the same names */
        return k->config.no_network || k->sandbox ? -EACCES : 0;
    memcpy(path, address->sun_path, min_size(size, sizeof(address->sun_path)));
    if (k->sandbox)
        return translate_in_sandbox(t, path, makes, address, length);
    if (path[0] == '/')
        return 0;
    if (t->process->fs->directory < 0)
        return -EACCES; /* in /proc */
    return name_through(t->process->fs->directory, path, address, length);
}

/* `makes`: the address is bound, not looked for. */
static int load_address(struct thread *t, uint64_t user, uint64_t length, bool makes,
                        struct sockaddr_storage *ret_address, socklen_t *ret_length) {
    if (length > sizeof(*ret_address))
        return -EINVAL;
    *ret_length = (socklen_t)length;
    memset(ret_address, 0, sizeof(*ret_address));
    int r = user_read(t->process->space, user, ret_address, length);
    if (r == 0 && length >= sizeof(sa_family_t) && ret_address->ss_family == AF_UNIX)
        r = translate_local(t, makes, (struct sockaddr_un *)ret_address, ret_length);
    return r;
}

/* Stores as much as fits, and the whole length, as accept and its like do. */
static int store_address(struct thread *t, const struct sockaddr_storage *address, socklen_t length,
                         uint64_t user, uint64_t user_length) {
    struct space *space = t->process->space;
    int room;
    if (!user)
        return 0;
    int r = user_read(space, user_length, &room, sizeof(room));
    if (r < 0 || room < 0)
        return r < 0 ? r : -EINVAL;
    r = user_write(space, user, address, min_size((size_t)room, length));
    return r < 0 ? r : user_write(space, user_length, &length, sizeof(length));
}

/* ---- making ---- */

static long install_socket(struct thread *t, int host, uint64_t type) {
    struct file *f;
    int r = socket_create(t->process->kernel, host, type & SOCK_NONBLOCK ? O_NONBLOCK : 0, &f);
    if (r < 0) {
        close(host);
        return r;
    }
    return descriptor_install_or_drop(t->process, f, type & SOCK_CLOEXEC);
}

static long sys_socket(struct thread *t, const uint64_t a[6]) {
    int r = check_family(t, (int)a[0]);
    if (r < 0)
        return r;
    int host = socket((int)a[0], (int)a[1] | SOCK_NONBLOCK | SOCK_CLOEXEC, (int)a[2]);
    if (host < 0)
        return errno == EMFILE ? -ENFILE : -errno;
    t->process->kernel->nondeterministic_used |= t->process->kernel->config.deterministic;
    return install_socket(t, host, a[1]);
}

static long sys_socketpair(struct thread *t, const uint64_t a[6]) {
    int hosts[2], error = check_family(t, (int)a[0]);
    if (error < 0)
        return error;
    if (socketpair((int)a[0], (int)a[1] | SOCK_NONBLOCK | SOCK_CLOEXEC, (int)a[2], hosts) < 0)
        return -errno;
    long first = install_socket(t, hosts[0], a[1]);
    if (first < 0) {
        close(hosts[1]);
        return first;
    }
    long second = install_socket(t, hosts[1], a[1]);
    int fds[2] = {(int)first, (int)second};
    long r = second < 0 ? second : user_write(t->process->space, a[3], fds, sizeof(fds));
    if (r < 0) {
        descriptor_close(t->process, fds[0]);
        if (second >= 0)
            descriptor_close(t->process, fds[1]);
    }
    return r;
}

static long sys_bind(struct thread *t, const uint64_t a[6]) {
    struct sockaddr_storage address;
    socklen_t length;
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r == 0)
        r = load_address(t, a[1], a[2], true, &address, &length);
    if (r < 0)
        return r;
    mode_t old = umask(t->process->fs->umask);
    r = bind(f->host, (struct sockaddr *)&address, length) < 0 ? -errno : 0;
    umask(old);
    return r;
}

/* What became of a connection that was in progress: 0, -errno, or -EAGAIN while it still is. */
static int connect_result(const struct file *f) {
    struct pollfd p = {.fd = f->host, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof(error);
    if (poll(&p, 1, 0) <= 0)
        return -EAGAIN;
    return getsockopt(f->host, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
}

/* call.scratch: the host said "in progress". A full backlog (EAGAIN, local sockets) is tried again instead.
 */
static long sys_connect(struct thread *t, const uint64_t a[6]) {
    struct sockaddr_storage address;
    socklen_t length;
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r == 0)
        r = load_address(t, a[1], a[2], false, &address, &length);
    if (r < 0)
        return r;
    if (t->call.scratch)
        r = connect_result(f);
    else
        r = connect(f->host, (struct sockaddr *)&address, length) < 0 ? -errno : 0;
    socket_changed(f);
    if (r != -EINPROGRESS && r != -EAGAIN)
        return r;
    t->call.scratch |= r == -EINPROGRESS;
    long wait = socket_wait(f, t, POLLOUT, 0);
    return wait == -EAGAIN && t->call.scratch ? -EINPROGRESS : wait;
}

static long sys_listen(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    int r = socket_of(t, a[0], &f);
    return r < 0 ? r : listen(f->host, (int)a[1]) < 0 ? -errno : 0;
}

static long sys_accept4(struct thread *t, const uint64_t a[6]) {
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r < 0)
        return r;
    struct pollfd p = {.fd = f->host, .events = POLLIN};
    if (poll(&p, 1, 0) <= 0) /* an inherited socket may block */
        return socket_wait(f, t, POLLIN, 0);
    int host = accept4(f->host, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (host < 0)
        return errno == EAGAIN ? socket_wait(f, t, POLLIN, 0) : -errno;
    socket_changed(f);
    long fd = install_socket(t, host, a[3]);
    if (fd < 0)
        return fd;
    r = store_address(t, &address, length, a[1], a[2]);
    if (r < 0)
        descriptor_close(t->process, (int)fd);
    return r < 0 ? r : fd;
}

static long sys_accept(struct thread *t, const uint64_t a[6]) {
    return sys_accept4(t, (const uint64_t[6]){a[0], a[1], a[2]});
}

typedef int socket_name(int, struct sockaddr *, socklen_t *);

static long store_name(struct thread *t, const uint64_t a[6], socket_name *name) {
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r == 0 && name(f->host, (struct sockaddr *)&address, &length) < 0)
        r = -errno;
    return r < 0 ? r : store_address(t, &address, length, a[1], a[2]);
}

static long sys_getsockname(struct thread *t, const uint64_t a[6]) {
    return store_name(t, a, getsockname);
}

static long sys_getpeername(struct thread *t, const uint64_t a[6]) {
    return store_name(t, a, getpeername);
}

static long sys_shutdown(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r < 0)
        return r;
    r = shutdown(f->host, (int)a[1]) < 0 ? -errno : 0;
    socket_changed(f);
    return r;
}

static long sys_setsockopt(struct thread *t, const uint64_t a[6]) {
    char value[1024];
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r == 0 && a[4] > sizeof(value))
        r = -EINVAL;
    if (r == 0)
        r = user_read(t->process->space, a[3], value, a[4]);
    if (r < 0)
        return r;
    return setsockopt(f->host, (int)a[1], (int)a[2], value, (socklen_t)a[4]) < 0 ? -errno : 0;
}

static long sys_getsockopt(struct thread *t, const uint64_t a[6]) {
    char value[1024];
    int room;
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r == 0)
        r = user_read(t->process->space, a[4], &room, sizeof(room));
    if (r < 0)
        return r;
    if (room < 0)
        return -EINVAL;
    socklen_t size = (socklen_t)min_size((size_t)room, sizeof(value));
    if (getsockopt(f->host, (int)a[1], (int)a[2], value, &size) < 0)
        return -errno;
    r = user_write(t->process->space, a[3], value, size);
    return r < 0 ? r : user_write(t->process->space, a[4], &size, sizeof(size));
}

/* ---- messages ---- */

/* A message on its way between user memory and the host. */
struct message {
    struct msghdr header; /* the host's */
    struct sockaddr_storage address;
    char control[CONTROL_MAX] __attribute__((aligned(8)));
    struct iovec piece;
    struct transfer data;
};

static int message_buffer(struct thread *t, struct message *m) {
    size_t size = min_u64(m->data.left, MESSAGE_MAX);
    m->piece.iov_len = size;
    m->piece.iov_base = inject_malloc(t->process->kernel->config.inject, size + 1);
    m->header.msg_iov = &m->piece;
    m->header.msg_iovlen = 1;
    return m->piece.iov_base ? 0 : -ENOMEM;
}

/* Descriptors in a control message, of the program's (outgoing) to the host's. */
static int rights_to_host(struct thread *t, struct msghdr *header) {
    struct cmsghdr *c;
    for (c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        int *fds = (int *)(void *)CMSG_DATA(c);
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            struct file *f = descriptor_file(t->process, fds[i]);
            if (!f)
                return -EBADF;
            if (f->host < 0)
                return -EOPNOTSUPP;
            if (f->ops->object && f->ops->seek) /* the receiver goes on where it is now */
                lseek(f->host, f->ops->seek(f, 0, SEEK_CUR), SEEK_SET);
            fds[i] = f->host;
        }
    }
    return 0;
}

/* And back: the host's descriptors become open files of the program, -1 where that fails. */
static void rights_from_host(struct thread *t, struct msghdr *header, bool close_on_exec) {
    struct kernel *k = t->process->kernel;
    struct cmsghdr *c;
    for (c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        int *fds = (int *)(void *)CMSG_DATA(c);
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            struct file *f;
            int flags = fcntl(fds[i], F_GETFL);
            if (file_from_host(k, fds[i], flags, true, &f) < 0) {
                close(fds[i]);
                fds[i] = -1;
            } else {
                fds[i] = descriptor_install_or_drop(t->process, f, close_on_exec);
            }
        }
    }
}

/* Sends the message's data from where earlier attempts ended; streams may take it in parts. */
static long message_send(struct thread *t, struct file *f, struct message *m, int flags) {
    uint64_t *progress = &t->call.progress;
    transfer_skip(&m->data, min_u64(*progress, m->data.left));
    if (*progress)
        m->header.msg_controllen = 0; /* went with the first byte */
    int r = message_buffer(t, m);
    if (r < 0)
        return r;
    ssize_t have = m->piece.iov_len ? transfer_from_user(&m->data, m->piece.iov_base, m->piece.iov_len) : 0;
    long result = have;
    if (have >= 0) {
        m->piece.iov_len = (size_t)have;
        result = sendmsg(f->host, &m->header, (flags & ~MSG_WAITALL) | MSG_DONTWAIT | MSG_NOSIGNAL);
        result = result < 0 ? -errno : result;
    }
    free(m->piece.iov_base);
    if (result == -EPIPE && !(flags & MSG_NOSIGNAL))
        signal_send_thread(t, SIGPIPE, NULL);
    if (result == -EAGAIN)
        result = socket_wait(f, t, POLLOUT, flags);
    if (result >= 0) {
        socket_changed(f);
        *progress += (uint64_t)result;
        bool more = result < have || m->data.left;
        if (more && result > 0 && !(f->flags & O_NONBLOCK || flags & MSG_DONTWAIT)) {
            sched_sleep_fd(t, f->host, POLLOUT);
            return SYS_SLEEP;
        }
        return (long)*progress;
    }
    return result == SYS_SLEEP || !*progress ? result : (long)*progress;
}

static long message_receive(struct thread *t, struct file *f, struct message *m, int flags) {
    if (transfer_probe(&m->data) < 0)
        return -EFAULT;
    int r = message_buffer(t, m);
    if (r < 0)
        return r;
    ssize_t n = recvmsg(f->host, &m->header, (flags & ~MSG_WAITALL) | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    long result = n < 0 ? -errno : n;
    if (result == -EAGAIN)
        result = socket_wait(f, t, POLLIN, flags);
    if (n >= 0)
        socket_changed(f);
    if (n > 0) { /* with MSG_TRUNC the length may be more than what is there */
        size_t there = min_size((size_t)n, m->piece.iov_len);
        ssize_t taken = there ? transfer_to_user(&m->data, m->piece.iov_base, there) : 0;
        result = taken < 0 ? taken : taken < (ssize_t)there ? taken : n;
    }
    free(m->piece.iov_base);
    return result;
}

static long sys_sendto(struct thread *t, const uint64_t a[6]) {
    struct message m = {0};
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r == 0 && a[4])
        r = load_address(t, a[4], a[5], false, &m.address, &m.header.msg_namelen);
    if (r < 0)
        return r;
    m.header.msg_name = a[4] ? &m.address : NULL;
    transfer_set(&m.data, t, a[1], a[2]);
    return message_send(t, f, &m, (int)a[3]);
}

/* One part of what recvfrom waits for: call.progress bytes are there already. */
static long receive_part(struct thread *t, struct file *f, const uint64_t a[6], bool *ret_full) {
    struct message m = {.header.msg_name = &m.address, .header.msg_namelen = sizeof(m.address)};
    transfer_set(&m.data, t, a[1], a[2]);
    transfer_skip(&m.data, min_u64(t->call.progress, m.data.left));
    long n = message_receive(t, f, &m, (int)a[3]);
    if (n < 0)
        return n;
    *ret_full = !m.data.left;
    int r = store_address(t, &m.address, m.header.msg_namelen, a[4], a[5]);
    return r < 0 ? r : n;
}

/* MSG_WAITALL on a stream: parts are collected in call.progress. */
static long sys_recvfrom(struct thread *t, const uint64_t a[6]) {
    bool all = a[3] & MSG_WAITALL && !(a[3] & MSG_PEEK), full = false;
    uint64_t *progress = &t->call.progress;
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r < 0)
        return r;
    for (;;) {
        long n = receive_part(t, f, a, &full);
        if (n < 0)
            return n == SYS_SLEEP || !*progress ? n : (long)*progress;
        *progress += (uint64_t)n;
        if (n == 0 || full || !all)
            return (long)*progress;
    }
}

/* The parts of a user's struct msghdr. */
static int load_header(struct thread *t, uint64_t user, struct msghdr *ret_user, struct message *m) {
    int r = user_read(t->process->space, user, ret_user, sizeof(*ret_user));
    if (r == 0)
        r = transfer_load(&m->data, t, (uint64_t)ret_user->msg_iov, ret_user->msg_iovlen);
    return r == 0 && ret_user->msg_controllen > CONTROL_MAX ? -ENOBUFS : r;
}

static long do_sendmsg(struct thread *t, uint64_t fd, uint64_t user, int flags) {
    struct message m;
    struct msghdr given;
    struct file *f;
    memset(&m.header, 0, sizeof(m.header));
    int r = socket_of(t, fd, &f);
    if (r == 0)
        r = load_header(t, user, &given, &m);
    if (r == 0 && given.msg_name) {
        m.header.msg_name = &m.address;
        r = load_address(t, (uint64_t)given.msg_name, given.msg_namelen, false, &m.address, &m.header.msg_namelen);
    }
    if (r == 0 && given.msg_controllen) {
        m.header.msg_control = m.control;
        m.header.msg_controllen = given.msg_controllen;
        r = user_read(t->process->space, (uint64_t)given.msg_control, m.control, given.msg_controllen);
    }
    if (r == 0)
        r = rights_to_host(t, &m.header);
    return r < 0 ? r : message_send(t, f, &m, flags);
}

static long sys_sendmsg(struct thread *t, const uint64_t a[6]) {
    return do_sendmsg(t, a[0], a[1], (int)a[2]);
}

static int store_header(struct thread *t, uint64_t user, struct msghdr *given, const struct message *m) {
    struct space *space = t->process->space;
    int r = 0;
    if (given->msg_name) {
        size_t n = min_size(given->msg_namelen, m->header.msg_namelen);
        r = user_write(space, (uint64_t)given->msg_name, &m->address, n);
        given->msg_namelen = m->header.msg_namelen;
    }
    if (r == 0 && given->msg_controllen)
        r = user_write(space, (uint64_t)given->msg_control, m->control, m->header.msg_controllen);
    given->msg_controllen = m->header.msg_controllen;
    given->msg_flags = m->header.msg_flags & ~MSG_CMSG_CLOEXEC;
    return r < 0 ? r : user_write(space, user, given, sizeof(*given));
}

static long do_recvmsg(struct thread *t, uint64_t fd, uint64_t user, int flags) {
    struct message m;
    struct msghdr given;
    struct file *f;
    memset(&m.header, 0, sizeof(m.header));
    int r = socket_of(t, fd, &f);
    if (r == 0)
        r = load_header(t, user, &given, &m);
    if (r < 0)
        return r;
    m.header.msg_name = given.msg_name ? &m.address : NULL;
    m.header.msg_namelen = given.msg_name ? sizeof(m.address) : 0;
    m.header.msg_control = given.msg_controllen ? m.control : NULL;
    m.header.msg_controllen = given.msg_controllen;
    long n = message_receive(t, f, &m, flags & ~MSG_CMSG_CLOEXEC);
    if (n < 0)
        return n;
    rights_from_host(t, &m.header, flags & MSG_CMSG_CLOEXEC);
    r = store_header(t, user, &given, &m);
    return r < 0 ? r : n;
}

static long sys_recvmsg(struct thread *t, const uint64_t a[6]) {
    return do_recvmsg(t, a[0], a[1], (int)a[2]);
}

/* Several messages: as many as go without waiting, but wait for the first. */
static long sys_sendmmsg(struct thread *t, const uint64_t a[6]) {
    long sent = 0;
    for (uint64_t i = 0; i < min_u64((uint32_t)a[2], IOV_MAX); i++) {
        uint64_t entry = a[1] + i * sizeof(struct mmsghdr);
        t->call.progress = 0;
        long n = do_sendmsg(t, a[0], entry, (int)a[3] | (i ? MSG_DONTWAIT : 0));
        if (n < 0)
            return sent ? sent : n;
        unsigned length = (unsigned)n;
        if (user_write(t->process->space, entry + offsetof(struct mmsghdr, msg_len), &length,
                       sizeof(length)) < 0)
            return sent ? sent : -EFAULT;
        sent++;
    }
    return sent;
}

static long sys_recvmmsg(struct thread *t, const uint64_t a[6]) {
    long received = 0;
    for (uint64_t i = 0; i < min_u64((uint32_t)a[2], IOV_MAX); i++) {
        uint64_t entry = a[1] + i * sizeof(struct mmsghdr);
        long n = do_recvmsg(t, a[0], entry, ((int)a[3] & ~MSG_WAITFORONE) | (i ? MSG_DONTWAIT : 0));
        if (n < 0)
            return received ? received : n;
        unsigned length = (unsigned)n;
        if (user_write(t->process->space, entry + offsetof(struct mmsghdr, msg_len), &length,
                       sizeof(length)) < 0)
            return received ? received : -EFAULT;
        received++;
    }
    return received;
}

const struct syscall_entry syscalls_socket[] = {
    {SYS_socket, "socket", sys_socket},
    {SYS_socketpair, "socketpair", sys_socketpair},
    {SYS_bind, "bind", sys_bind},
    {SYS_connect, "connect", sys_connect},
    {SYS_listen, "listen", sys_listen},
    {SYS_accept, "accept", sys_accept},
    {SYS_accept4, "accept4", sys_accept4},
    {SYS_getsockname, "getsockname", sys_getsockname},
    {SYS_getpeername, "getpeername", sys_getpeername},
    {SYS_shutdown, "shutdown", sys_shutdown},
    {SYS_setsockopt, "setsockopt", sys_setsockopt},
    {SYS_getsockopt, "getsockopt", sys_getsockopt},
    {SYS_sendto, "sendto", sys_sendto},
    {SYS_recvfrom, "recvfrom", sys_recvfrom},
    {SYS_sendmsg, "sendmsg", sys_sendmsg},
    {SYS_recvmsg, "recvmsg", sys_recvmsg},
    {SYS_sendmmsg, "sendmmsg", sys_sendmmsg},
    {SYS_recvmmsg, "recvmmsg", sys_recvmmsg},
    {-1, NULL, NULL},
};
