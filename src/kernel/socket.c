/* Sockets of the host. One that the machine opened is non-blocking there; on one that Thimble inherited each
 * call says MSG_DONTWAIT. What would block puts the thread to sleep. */
#include "kernel/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include "kernel/inode.h"
#include "kernel/kinds.h"
#include "kernel/terminal.h"

/* The time-out that the program set for a direction, in ns; 0: none. */
static uint64_t timeout_of(const struct file *f, short events) {
    struct timeval tv = {0};
    socklen_t size = sizeof(tv);
    int option = events & POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO;
    if (getsockopt(f->host, SOL_SOCKET, option, &tv, &size) < 0)
        return 0;
    return (uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000;
}

long socket_wait(struct file *f, struct thread *t, short events, int flags) {
    if (f->flags & O_NONBLOCK || flags & MSG_DONTWAIT)
        return -EAGAIN;
    uint64_t timeout = timeout_of(f, events), now = clock_now(f->kernel);
    if (timeout && !t->call.deadline)
        t->call.deadline = now + timeout;
    if (timeout && now >= t->call.deadline)
        return -EAGAIN;
    if (timeout)
        sched_sleep_until(t, t->call.deadline);
    sched_sleep_channel(
        t, inodes_channel(f->kernel)); /* the peer may be in the machine, which must not stop for it then */
    sched_sleep_fd(t, f->host, events);
    return SYS_SLEEP;
}

void socket_changed(struct file *f) {
    sched_wake(f->kernel, inodes_channel(f->kernel));
}

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
    if (error == EPIPE)
        signal_send_thread(t, SIGPIPE, NULL);
    return -error;
}

static short socket_poll(struct file *f, struct thread *sleeper, short events) {
    struct pollfd p = {.fd = f->host, .events = events};
    if (poll(&p, 1, 0) > 0)
        return p.revents;
    if (sleeper)
        sched_sleep_fd(sleeper, f->host, events);
    return 0;
}

static long socket_ioctl(struct file *f, struct thread *t, unsigned request, uint64_t argument) {
    return terminal_ioctl(f, t, request, argument);
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
    .read = socket_read,
    .write = socket_write,
    .poll = socket_poll,
    .ioctl = socket_ioctl,
    .stat = socket_stat,
    .release = socket_release,
};

bool file_is_socket(const struct file *f) {
    return f->ops == &socket_ops;
}

int socket_create(struct kernel *k, int host, int flags, struct file **ret_file) {
    struct file *f = file_create(k, &socket_ops, O_RDWR | (flags & O_NONBLOCK));
    if (!f)
        return -ENOMEM;
    f->host = host;
    *ret_file = f;
    return 0;
}
