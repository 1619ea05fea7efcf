/* Event counters (eventfd): a 64-bit number that writes add to and reads take. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kernel/kinds.h"

struct eventfd {
    uint64_t count;                     /* below UINT64_MAX */
    uint64_t activity_in, activity_out; /* kernel->news as of the last news for readers, for writers */
    bool semaphore;
};

static long eventfd_wait(struct file *f, struct thread *t) {
    if (f->flags & O_NONBLOCK)
        return -EAGAIN;
    sched_sleep_channel(t, f->data);
    return SYS_SLEEP;
}

static ssize_t eventfd_file_read(struct file *f, struct thread *t, void *to, size_t length,
                                 uint64_t *offset) {
    struct eventfd *e = f->data;
    uint64_t value = e->semaphore ? 1 : e->count;
    if (length < sizeof(value))
        return -EINVAL;
    if (!e->count)
        return eventfd_wait(f, t);
    e->count -= value;
    e->activity_out = ++f->kernel->news;
    memcpy(to, &value, sizeof(value));
    sched_wake(f->kernel, e);
    return sizeof(value);
}

static ssize_t eventfd_file_write(struct file *f, struct thread *t, const void *from, size_t length,
                                  uint64_t *offset) {
    struct eventfd *e = f->data;
    uint64_t value;
    if (length < sizeof(value))
        return -EINVAL;
    memcpy(&value, from, sizeof(value));
    if (value == UINT64_MAX)
        return -EINVAL;
    if (UINT64_MAX - 1 - e->count < value)
        return eventfd_wait(f, t);
    e->count += value;
    e->activity_in = ++f->kernel->news;
    sched_wake(f->kernel, e);
    return sizeof(value);
}

static short eventfd_poll(struct file *f, struct thread *sleeper, short events) {
    const struct eventfd *e = f->data;
    short ready = (short)((e->count ? POLLIN : 0) | (e->count < UINT64_MAX - 1 ? POLLOUT : 0));
    return ready & events;
}

static int eventfd_stat(struct file *f, struct stat *ret_stat) {
    *ret_stat = (struct stat){.st_ino = 1, .st_mode = 0600, .st_nlink = 1, .st_blksize = PAGE_SIZE};
    return 0;
}

static void eventfd_release(struct file *f) {
    sched_wake(f->kernel, f->data);
    free(f->data);
}

static const struct file_ops eventfd_ops = {
    .record = sizeof(uint64_t),
    .fixed_position = true,
    .no_splice = true,
    .name = "eventfd",
    .read = eventfd_file_read,
    .write = eventfd_file_write,
    .poll = eventfd_poll,
    .stat = eventfd_stat,
    .release = eventfd_release,
};

int eventfd_create(struct kernel *k, uint64_t count, int flags, struct file **ret_file) {
    struct eventfd *e = inject_malloc(k->config.inject, sizeof(*e));
    struct file *f = e ? file_create(k, &eventfd_ops, O_RDWR | (flags & EFD_NONBLOCK)) : NULL;
    if (!f) {
        free(e);
        return -ENOMEM;
    }
    *e = (struct eventfd){.count = count, .semaphore = flags & EFD_SEMAPHORE};
    f->data = e;
    f->activity = &e->activity_in;
    f->activity_out = &e->activity_out;
    *ret_file = f;
    return 0;
}
