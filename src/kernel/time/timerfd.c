/* Timers that are read as files (timerfd). Nothing runs when one expires: how often it has is computed from
 * the machine's clock when somebody looks, and sleepers register the time of its next expiration. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/kinds.h"

enum { NS = 1000000000 };

struct timerfd {
    int clock;         /* CLOCK_REALTIME, CLOCK_MONOTONIC or CLOCK_BOOTTIME */
    uint64_t next;     /* machine time of the next expiration, ns; 0: disarmed */
    uint64_t interval; /* ns; 0: once */
};

static uint64_t to_ns(const struct timespec *t) {
    return min_u64((uint64_t)t->tv_sec, INT64_MAX / NS - 1) * NS + (uint64_t)t->tv_nsec;
}

static struct timespec from_ns(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / NS), .tv_nsec = (long)(ns % NS)};
}

/* Expirations since the last look, which are used up when `take`. */
static uint64_t timerfd_count(struct file *f, bool take) {
    struct timerfd *timer = f->data;
    uint64_t now = clock_now(f->kernel);
    if (!timer->next || now < timer->next)
        return 0;
    uint64_t count = timer->interval ? 1 + (now - timer->next) / timer->interval : 1;
    if (take)
        timer->next = timer->interval ? timer->next + count * timer->interval : 0;
    return count;
}

static ssize_t timerfd_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    struct timerfd *timer = f->data;
    uint64_t count;
    if (length < sizeof(count))
        return -EINVAL;
    count = timerfd_count(f, true);
    if (count) {
        memcpy(to, &count, sizeof(count));
        return sizeof(count);
    }
    if (f->flags & O_NONBLOCK)
        return -EAGAIN;
    sched_sleep_channel(t, timer);
    if (timer->next)
        sched_sleep_until(t, timer->next);
    return SYS_SLEEP;
}

static short timerfd_poll(struct file *f, struct thread *sleeper, short events) {
    const struct timerfd *timer = f->data;
    if (timerfd_count(f, false))
        return events & (POLLIN | POLLRDNORM);
    if (sleeper && timer->next)
        sched_sleep_until(sleeper, timer->next);
    return 0;
}

static int timerfd_stat(struct file *f, struct stat *ret_stat) {
    *ret_stat = (struct stat){.st_ino = 1, .st_mode = 0600, .st_nlink = 1, .st_blksize = PAGE_SIZE};
    return 0;
}

static void timerfd_release(struct file *f) {
    free(f->data);
}

static const struct file_ops timerfd_ops = {
    .record = sizeof(uint64_t),
    .fixed_position = true,
    .name = "timerfd",
    .read = timerfd_read,
    .poll = timerfd_poll,
    .stat = timerfd_stat,
    .release = timerfd_release,
};

int timerfd_file_create(struct kernel *k, int clock, int flags, struct file **ret_file) {
    struct timerfd *timer = inject_malloc(k->config.inject, sizeof(*timer));
    struct file *f = timer ? file_create(k, &timerfd_ops, O_RDWR | (flags & TFD_NONBLOCK)) : NULL;
    if (!f) {
        free(timer);
        return -ENOMEM;
    }
    *timer = (struct timerfd){.clock = clock};
    f->data = timer;
    f->activity = &timer->next; /* an expiration is news until it is read */
    *ret_file = f;
    return 0;
}

int timerfd_get(struct file *f, struct itimerspec *ret_now) {
    const struct timerfd *timer = f->data;
    if (f->ops != &timerfd_ops)
        return -EINVAL;
    uint64_t now = clock_now(f->kernel), next = timer->next;
    if (next && next <= now) /* the expirations that were not read do not count */
        next = timer->interval ? next + (1 + (now - next) / timer->interval) * timer->interval : 0;
    ret_now->it_value = from_ns(next ? next - now : 0);
    ret_now->it_interval = from_ns(timer->interval);
    return 0;
}

int timerfd_set(struct file *f, int flags, const struct itimerspec *to, struct itimerspec *ret_old) {
    int r = timerfd_get(f, ret_old);
    if (r < 0)
        return r;
    struct timerfd *timer = f->data;
    uint64_t value = to_ns(&to->it_value), now = clock_now(f->kernel);
    timer->interval = to_ns(&to->it_interval);
    timer->next = 0;
    if (value && !(flags & TFD_TIMER_ABSTIME)) {
        timer->next = now + value;
    } else if (value) {
        bool calendar = timer->clock == CLOCK_REALTIME || timer->clock == CLOCK_REALTIME_ALARM;
        uint64_t zero = calendar ? clock_realtime(f->kernel) - now : 0;
        timer->next = value > zero ? value - zero : 1;
    }
    sched_wake(f->kernel, timer);
    return 0;
}
