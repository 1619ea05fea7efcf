/* Open file descriptions: counting, and what all kinds share. The kinds are in files of their own. */
#include "kernel/files/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/events/epoll.h"
#include "kernel/files/inode.h"
#include "kernel/files/lock.h"
#include "kernel/network/unix.h"
#include "kernel/sandbox/limits.h"
#include "kernel/sandbox/sandbox.h"
#include "kernel/terminal/terminal.h"

struct file *file_create(struct kernel *k, const struct file_ops *ops, int flags) {
    struct file *f = inject_calloc(k->config.inject, 1, sizeof(*f));
    if (!f)
        return NULL;
    *f = (struct file){
        .ops = ops, .kernel = k, .references = 1, .flags = flags, .host = -1, .serial = ++k->last_file};
    LIST_INIT(&f->watchers);
    return f;
}

struct file *file_ref(struct file *f) {
    f->references++;
    return f;
}

void file_unref(struct file *f) {
    if (!f || --f->references)
        return;
    epoll_forget_file(f);
    lock_forget_file(f);
    if (f->ops->release)
        f->ops->release(f);
    if (f->host >= 0)
        close(f->host);
    free(f->path);
    free(f);
}

short file_poll(struct file *f, struct thread *sleeper, short events) {
    if (f->ops->poll)
        return f->ops->poll(f, sleeper, events);
    return (short)(events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM));
}

short file_poll_host(struct file *f, struct thread *sleeper, short events) {
    struct pollfd p = {.fd = f->host, .events = events};
    int n = poll(&p, 1, 0);
    if (n > 0)
        return p.revents;
    if (n < 0 && errno != EINTR)
        return events;
    if (sleeper)
        sched_sleep_fd(sleeper, f->host, events);
    return 0;
}

/* Events of a standard output, in pieces that can be looked at one by one. */
static void file_emit_output(const struct file *f, const char *bytes, size_t length) {
    enum { PIECE = 4000 };
    struct trace *trace = f->kernel->trace;
    for (size_t done = 0; done < length; done += PIECE) {
        uint64_t string = trace_string(trace, bytes + done, min_size(length - done, PIECE));
        trace_emit(trace, EVENT_OUTPUT, f->output, string, 0, 0, 0, 0);
    }
}

ssize_t file_write(struct file *f, struct thread *t, const void *from, size_t length, uint64_t *offset) {
    const size_t allowed = f->output ? limits_allow_output(f->kernel, length) : length;
    const ssize_t n = f->ops->write(f, t, from, allowed, offset);
    if (n > 0 && f->output)
        limits_count_output(f->kernel, (size_t)n);
    if (n > 0 && f->output && unlikely(f->kernel->trace && f->kernel->trace->listening))
        file_emit_output(f, from, (size_t)n);
    return n;
}

ssize_t file_name(struct file *f, char *to, size_t size) {
    if (f->path)
        return snprintf(to, size, "%s", f->path);
    if (f->host < 0)
        return snprintf(to, size, "anon_inode:[%s]", f->ops->name);
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", f->host);
    ssize_t length = readlink(link, to, size - 1);
    if (length < 0)
        return -errno;
    to[length] = '\0';
    return f->kernel->sandbox ? (ssize_t)sandbox_show_path(f->kernel->sandbox, to) : length;
}

int file_may_execute(struct file *f) {
    struct stat st;
    if (!f->ops->object || !f->ops->stat || f->ops->stat(f, &st) < 0 || !S_ISREG(st.st_mode))
        return -EACCES;
    if (f->host < 0)
        return st.st_mode & 0111 ? 0 : -EACCES;
    return faccessat(f->host, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) < 0 ? -EACCES : 0;
}

int files_create(struct kernel *k) {
    int r = inodes_create(k);
    if (r < 0)
        return r;
    r = locks_create(k);
    if (r < 0)
        goto out_inodes;
    r = terminal_create(k);
    if (r < 0)
        goto out_locks;
    r = unix_create(k);
    if (r < 0)
        goto out_terminal;
    return 0;
out_terminal:
    terminal_destroy(k);
out_locks:
    locks_destroy(k);
out_inodes:
    inodes_destroy(k);
    return r;
}

void files_destroy(struct kernel *k) {
    unix_destroy(k);
    terminal_destroy(k);
    locks_destroy(k);
    inodes_destroy(k);
}
