/* Streams of the host: pipes, FIFOs, terminals and other character devices, which have no position.
 *
 * One that we opened is non-blocking on the host. One that Thimble inherited stays as it is, because others
 * use the same open file description: where it blocks it is asked by poll first, and a write is at most
 * PIPE_BUF bytes, which a pipe that polls writable takes without blocking. (For inherited pipes open.c
 * usually gets an open file description of our own.)
 *
 * A FIFO opens for reading at once, without waiting for a writer; the first read waits instead, which poll
 * allows: it reports the end only
 * after a writer was there. */
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/condition.h"
#include "kernel/files/inode.h"
#include "kernel/kinds.h"
#include "kernel/terminal/terminal.h"

struct stream {
    bool inherited; /* the other end is outside the machine */
    bool blocking;  /* the host's open file description is */
    bool terminal;
};

/* Called when the host would make us wait. */
static long stream_wait(struct file *f, struct thread *t, short events) {
    if (f->flags & O_NONBLOCK)
        return -EAGAIN;
    const struct stream *s = f->data;
    if (!s->inherited) /* its other end may be in the machine, which must not stop for it then */
        sched_sleep_channel(t, inodes_channel(f->kernel));
    sched_sleep_fd(t, f->host, events);
    return SYS_SLEEP;
}

static void stream_changed(struct file *f) {
    const struct stream *s = f->data;
    if (!s->inherited)
        sched_wake(f->kernel, inodes_channel(f->kernel));
}

static ssize_t stream_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    const struct stream *s = f->data;
    if (s->terminal) {
        condition_note(f->kernel, "terminal");
        int r = terminal_check(f, t, SIGTTIN);
        if (r < 0)
            return r;
    }
    for (;;) {
        bool blocks = s->inherited || !(f->flags & O_NONBLOCK);
        if (blocks && !file_poll_host(f, NULL, POLLIN))
            return s->terminal ? terminal_wait(f, t) : stream_wait(f, t, POLLIN);
        ssize_t n = read(f->host, to, length);
        if (n == 0 && s->terminal && t->call.attempted && file_poll_host(f, NULL, POLLIN) & POLLHUP)
            return -EIO; /* whoever waited at the hang-up is told of it */
        if (n >= 0) {
            stream_changed(f);
            return n;
        }
        if (errno == EAGAIN && !blocks)
            return -EAGAIN;
        if (errno != EAGAIN && errno != EINTR) /* EAGAIN: somebody else was faster */
            return -errno;
    }
}

static ssize_t stream_write(struct file *f, struct thread *t, const void *from, size_t length,
                            uint64_t *offset) {
    const struct stream *s = f->data;
    if (s->terminal) {
        int r = terminal_check(f, t, SIGTTOU);
        if (r < 0)
            return r;
    }
    size_t piece = s->blocking ? min_size(length, PIPE_BUF) : length;
    for (;;) {
        if (s->blocking && !file_poll_host(f, NULL, POLLOUT))
            return stream_wait(f, t, POLLOUT);
        ssize_t n = write(f->host, from, piece);
        if (n >= 0) {
            stream_changed(f);
            return n;
        }
        int error = errno;
        if (error == EPIPE)
            signal_send_thread(t, SIGPIPE, NULL);
        if (error == EAGAIN)
            return stream_wait(f, t, POLLOUT);
        if (error != EINTR)
            return -error;
    }
}

static long stream_ioctl(struct file *f, struct thread *t, unsigned request, uint64_t argument) {
    return terminal_ioctl(f, t, request, argument);
}

static int stream_stat(struct file *f, struct stat *ret_stat) {
    return fstat(f->host, ret_stat) < 0 ? -errno : 0;
}

static void stream_release(struct file *f) {
    close(f->host); /* before the other end looks */
    f->host = -1;
    stream_changed(f);
    free(f->data);
}

static const struct file_ops stream_ops = {
    .name = "stream",
    .host_polls = true,
    .read = stream_read,
    .write = stream_write,
    .poll = file_poll_host,
    .ioctl = stream_ioctl,
    .stat = stream_stat,
    .release = stream_release,
};

/* inotify's: records that are read one by one, of the host. */
static const struct file_ops watcher_ops = {
    .name = "inotify",
    .host_polls = true,
    .fixed_position = true,
    .read = stream_read,
    .poll = file_poll_host,
    .ioctl = stream_ioctl,
    .stat = stream_stat,
    .release = stream_release,
};

bool file_is_watcher(const struct file *f) {
    return f->ops == &watcher_ops;
}

static int create(struct kernel *k, const struct file_ops *ops, int host, int flags, bool inherited,
                  struct file **ret_file) {
    struct stream *s = inject_malloc(k->config.inject, sizeof(*s));
    struct file *f = s ? file_create(k, ops, flags) : NULL;
    if (!f) {
        free(s);
        return -ENOMEM;
    }
    *s = (struct stream){
        .inherited = inherited, .blocking = !(fcntl(host, F_GETFL) & O_NONBLOCK), .terminal = isatty(host)};
    if (s->terminal)
        k->nondeterministic_used |= k->config.deterministic;
    f->data = s;
    f->host = host;
    *ret_file = f;
    return 0;
}

int stream_create(struct kernel *k, int host, int flags, bool inherited, struct file **ret_file) {
    return create(k, &stream_ops, host, flags, inherited, ret_file);
}

int watcher_create(struct kernel *k, int host, int flags, struct file **ret_file) {
    return create(k, &watcher_ops, host, flags, false, ret_file);
}
