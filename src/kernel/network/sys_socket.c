/* System calls that make, connect and ask sockets. Unix sockets are the machine's own (unix.h), all others
 * are carried out on the host. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/condition.h"
#include "kernel/files/descriptor.h"
#include "kernel/files/path.h"
#include "kernel/kinds.h"
#include "kernel/network/socket.h"
#include "kernel/network/socket_address.h"
#include "kernel/network/unix.h"
#include "kernel/syscall.h"

/* Socket options that this C library may not know. */
enum { OPTION_PASS_PIDFD = 76, OPTION_PEER_PIDFD = 77 };

/* 0 and the open file, -EBADF or -ENOTSOCK. */
static int socket_of(struct thread *t, uint64_t fd, struct file **ret_file) {
    struct file *f = descriptor_file(t->process, (int)fd);
    *ret_file = f;
    return !f || f->flags & O_PATH ? -EBADF : !file_is_socket(f) ? -ENOTSOCK : 0;
}

/* ---- making ---- */

enum { TYPE_MASK = 15, TYPE_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC };

/* The machine has no network: only sockets between its own programs. */
static int check_family(struct thread *t, int family) {
    return t->process->kernel->config.no_network && family != AF_UNIX ? -EACCES : 0;
}

static int check_unix(int type, int protocol) {
    int kind = type & TYPE_MASK;
    if (type & ~(TYPE_MASK | TYPE_FLAGS) || kind < 0 || kind > SOCK_PACKET)
        return -EINVAL;
    if (protocol && protocol != PF_UNIX)
        return -EPROTONOSUPPORT;
    bool known = kind == SOCK_STREAM || kind == SOCK_DGRAM || kind == SOCK_RAW || kind == SOCK_SEQPACKET;
    return known ? 0 : -ESOCKTNOSUPPORT;
}

/* Raw Unix sockets are datagram sockets. */
static int unix_type(int type) {
    int kind = type & TYPE_MASK;
    return kind == SOCK_RAW ? SOCK_DGRAM : kind;
}

static long install_socket(struct thread *t, int host, uint64_t type) {
    struct file *f;
    int r = socket_create(t->process->kernel, host, type & SOCK_NONBLOCK ? O_NONBLOCK : 0, &f);
    if (r < 0) {
        close(host);
        return r;
    }
    return descriptor_install_or_drop(t->process, f, type & SOCK_CLOEXEC);
}

static long make_unix(struct thread *t, int type, int protocol) {
    struct file *f;
    int r = check_unix(type, protocol);
    if (r == 0)
        r = unix_socket_create(t->process->kernel, unix_type(type), type & O_NONBLOCK, &f);
    return r < 0 ? r : descriptor_install_or_drop(t->process, f, type & SOCK_CLOEXEC);
}

static long sys_socket(struct thread *t, const uint64_t a[6]) {
    int r = check_family(t, (int)a[0]);
    if (r < 0)
        return r;
    if ((int)a[0] == AF_UNIX)
        return make_unix(t, (int)a[1], (int)a[2]);
    int host = socket((int)a[0], (int)a[1] | SOCK_NONBLOCK | SOCK_CLOEXEC, (int)a[2]);
    if (host < 0)
        return errno == EMFILE ? -ENFILE : -errno;
    t->process->kernel->nondeterministic_used |= t->process->kernel->config.deterministic;
    condition_note(t->process->kernel, "socket");
    return install_socket(t, host, a[1]);
}

/* Two descriptors for two files (taken over), or neither. */
static long install_pair(struct thread *t, struct file *files[2], bool close_on_exec, uint64_t user) {
    struct process *p = t->process;
    int fds[2];
    fds[0] = descriptor_install_or_drop(p, files[0], close_on_exec);
    fds[1] = descriptor_install_or_drop(p, files[1], close_on_exec);
    int r = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : user_write(p->space, user, fds, sizeof(fds));
    for (int i = 0; i < 2 && r < 0; i++) {
        if (fds[i] >= 0)
            descriptor_close(p, fds[i]);
    }
    return r;
}

/* Linux has pairs of Unix sockets only (and TIPC, which the host may not have). */
static long sys_socketpair(struct thread *t, const uint64_t a[6]) {
    struct file *files[2];
    int type = (int)a[1], r = check_family(t, (int)a[0]);
    if (r < 0)
        return r;
    if ((int)a[0] != AF_UNIX) {
        int hosts[2];
        if (socketpair((int)a[0], type | SOCK_CLOEXEC, (int)a[2], hosts) < 0)
            return -errno;
        close(hosts[0]);
        close(hosts[1]);
        return -EOPNOTSUPP;
    }
    r = check_unix(type, (int)a[2]);
    if (r == 0)
        r = unix_pair_create(t, unix_type(type), type & O_NONBLOCK, files);
    return r < 0 ? r : install_pair(t, files, type & SOCK_CLOEXEC, a[3]);
}

/* ---- names and connections ---- */

static long sys_bind(struct thread *t, const uint64_t a[6]) {
    struct socket_address address;
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r == 0)
        r = socket_address_load(t, a[1], a[2], true, &address);
    if (r < 0)
        return r;
    if (file_is_unix(f))
        return address.given_length < sizeof(sa_family_t) ? -EINVAL : unix_bind(t, f, &address);
    return bind(f->host, (struct sockaddr *)&address.host, address.host_length) < 0 ? -errno : 0;
}

/* call.scratch: the host said that it is in progress, to this call or to an earlier one. It tells what became
 * of that when it is asked to connect once more. */
static long connect_host(struct thread *t, struct file *f, const struct socket_address *a) {
    int r = connect(f->host, (const struct sockaddr *)&a->host, a->host_length) < 0 ? -errno : 0;
    socket_changed(f);
    bool may_wait = !(f->flags & O_NONBLOCK), going_on = r == -EINPROGRESS || (r == -EALREADY && may_wait);
    if (!going_on && r != -EAGAIN)
        return r;
    t->call.scratch |= going_on;
    long wait = socket_wait(f, t, POLLOUT, 0);
    return wait == -EAGAIN && t->call.scratch ? -EINPROGRESS : wait;
}

static long sys_connect(struct thread *t, const uint64_t a[6]) {
    struct socket_address address;
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r == 0)
        r = socket_address_load(t, a[1], a[2], false, &address);
    if (r < 0)
        return r;
    return file_is_unix(f) ? unix_connect(t, f, &address) : connect_host(t, f, &address);
}

static long sys_listen(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r < 0)
        return r;
    if (file_is_unix(f))
        return unix_listen(t, f, (int)a[1]);
    return listen(f->host, (int)a[1]) < 0 ? -errno : 0;
}

static long accept_file(struct thread *t, struct file *f, int flags, struct file **ret_file,
                        struct socket_address *ret_address) {
    if (file_is_unix(f))
        return unix_accept(t, f, flags & O_NONBLOCK, ret_file, ret_address);
    long host = socket_accept(t, f, ret_address);
    if (host < 0)
        return host;
    int r = socket_create(f->kernel, (int)host, flags & O_NONBLOCK, ret_file);
    if (r < 0)
        close((int)host);
    return r;
}

static long sys_accept4(struct thread *t, const uint64_t a[6]) {
    struct socket_address address = {0};
    struct file *f, *accepted;
    if (a[3] & ~(uint64_t)TYPE_FLAGS)
        return -EINVAL;
    int r = socket_of(t, a[0], &f);
    if (r == 0)
        r = descriptor_available(t->process);
    if (r < 0)
        return r;
    long result = accept_file(t, f, (int)a[3], &accepted, &address);
    if (result < 0)
        return result;
    r = socket_address_store(t, &address, a[1], a[2]);
    if (r < 0) {
        file_unref(accepted);
        return r;
    }
    return descriptor_install_or_drop(t->process, accepted, a[3] & SOCK_CLOEXEC);
}

static long sys_accept(struct thread *t, const uint64_t a[6]) {
    return sys_accept4(t, (const uint64_t[6]){a[0], a[1], a[2]});
}

static int host_name(const struct file *f, bool peer, struct socket_address *ret_address) {
    struct sockaddr *to = (struct sockaddr *)&ret_address->given;
    socklen_t *length = &ret_address->given_length;
    *length = sizeof(ret_address->given);
    return (peer ? getpeername(f->host, to, length) : getsockname(f->host, to, length)) < 0 ? -errno : 0;
}

static long store_name(struct thread *t, const uint64_t a[6], bool peer) {
    struct socket_address address;
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r == 0)
        r = file_is_unix(f) ? unix_name(f, peer, &address) : host_name(f, peer, &address);
    return r < 0 ? r : socket_address_return(t, &address, a[1], a[2]);
}

static long sys_getsockname(struct thread *t, const uint64_t a[6]) {
    return store_name(t, a, false);
}

static long sys_getpeername(struct thread *t, const uint64_t a[6]) {
    return store_name(t, a, true);
}

static long sys_shutdown(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    int r = socket_of(t, a[0], &f);
    if (r < 0)
        return r;
    if (file_is_unix(f))
        return unix_shutdown(f, (int)a[1]);
    r = shutdown(f->host, (int)a[1]) < 0 ? -errno : 0;
    socket_changed(f);
    return r;
}

/* ---- options ---- */

enum { OPTION_MAX = 4096 }; /* bytes */

/* Process descriptors are not the host's to give. */
static bool option_is_hidden(int level, int option) {
    return level == SOL_SOCKET && (option == OPTION_PASS_PIDFD || option == OPTION_PEER_PIDFD);
}

static long sys_setsockopt(struct thread *t, const uint64_t a[6]) {
    char value[OPTION_MAX];
    struct file *f;
    int level = (int)a[1], option = (int)a[2], r = socket_of(t, a[0], &f);
    if (r == 0 && ((int)a[4] < 0 || (int)a[4] > OPTION_MAX))
        r = -EINVAL;
    if (r == 0 && option_is_hidden(level, option))
        r = -ENOPROTOOPT;
    if (r == 0)
        r = user_read(t->process->space, a[3], value, (size_t)(int)a[4]);
    if (r < 0)
        return r;
    if (setsockopt(f->host, level, option, value, (socklen_t)a[4]) < 0)
        return -errno;
    if (file_is_unix(f) && level == SOL_SOCKET)
        unix_option_changed(f, option);
    return 0;
}

static int get_option(struct file *f, int level, int option, void *value, socklen_t *size) {
    if (option_is_hidden(level, option))
        return -ENOPROTOOPT;
    int r = file_is_unix(f) && level == SOL_SOCKET ? unix_get_option(f, option, value, size)
                                                   : UNIX_OPTION_OF_HOST;
    if (r != UNIX_OPTION_OF_HOST)
        return r;
    return getsockopt(f->host, level, option, value, size) < 0 ? -errno : 0;
}

static long sys_getsockopt(struct thread *t, const uint64_t a[6]) {
    char value[OPTION_MAX];
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
    r = get_option(f, (int)a[1], (int)a[2], value, &size);
    if (r == 0)
        r = user_write(t->process->space, a[3], value, size);
    return r < 0 ? r : user_write(t->process->space, a[4], &size, sizeof(size));
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
    {-1, NULL, NULL},
};
