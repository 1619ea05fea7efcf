/* Waiting for files: poll, select, epoll; and the counters and signals that are waited for as files.
 *
 * A waiting thread asks every file; those of the machine wake whoever polls at any change (sched_sleep_any),
 * those of the host and timers are registered one by one. A time-out is turned into a deadline at the first
 * attempt. The variants with a signal mask set it at the first attempt; it is put back when the call ends or
 * the handler's frame is built. */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/events/epoll.h"
#include "kernel/files/descriptor.h"
#include "kernel/kinds.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"

enum { NS = 1000000000 };

/* ---- what the calls share ---- */

/* Time left: nanoseconds, UINT64_MAX for ever. Called once the deadline is known. */
static uint64_t time_left(struct thread *t) {
    uint64_t now = clock_now(t->process->kernel);
    return t->call.deadline == UINT64_MAX ? UINT64_MAX : t->call.deadline > now ? t->call.deadline - now : 0;
}

/* At the first attempt: when the call times out. `timeout` in ns, UINT64_MAX for never. */
static void set_deadline(struct thread *t, uint64_t timeout) {
    uint64_t now = clock_now(t->process->kernel);
    if (!t->call.deadline)
        t->call.deadline = timeout < UINT64_MAX - now ? now + timeout : UINT64_MAX;
}

/* A time-out in user memory, 0 for none. 0, -EFAULT or -EINVAL. */
static int load_timespec(struct thread *t, uint64_t user, uint64_t *ret_ns) {
    struct timespec ts;
    *ret_ns = UINT64_MAX;
    int r = user ? user_read(t->process->space, user, &ts, sizeof(ts)) : 0;
    if (r < 0 || !user)
        return r;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NS)
        return -EINVAL;
    uint64_t seconds = min_u64((uint64_t)ts.tv_sec, UINT64_MAX / NS - 1);
    *ret_ns = seconds * NS + (uint64_t)ts.tv_nsec;
    return 0;
}

/* Linux writes back what is left of the time-out. As there, a bad pointer changes nothing. */
static void store_timespec(struct thread *t, uint64_t user) {
    uint64_t left = time_left(t);
    struct timespec ts = {.tv_sec = (time_t)(left / NS), .tv_nsec = (long)(left % NS)};
    if (user && left != UINT64_MAX)
        (void)user_write(t->process->space, user, &ts, sizeof(ts));
}

/* The temporary signal mask of ppoll and its like; 0 for none. */
static int set_mask(struct thread *t, uint64_t user, uint64_t size) {
    uint64_t mask;
    if (!user || t->call.attempted)
        return 0;
    if (size != sizeof(mask))
        return -EINVAL;
    int r = user_read(t->process->space, user, &mask, sizeof(mask));
    if (r < 0)
        return r;
    t->saved_blocked = t->blocked;
    t->restore_blocked = true;
    signal_set_blocked(t, mask & ~SIGNAL_UNBLOCKABLE);
    return 0;
}

/* Nothing is ready. 0: the time is over; else SYS_SLEEP. */
static long wait_more(struct thread *t, int on_signal) {
    if (!time_left(t))
        return 0;
    t->call.on_signal = on_signal;
    sched_sleep_any(t);
    if (t->call.deadline != UINT64_MAX)
        sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

/* Whether a call that finds nothing ready is going to sleep. */
static struct thread *sleeper(struct thread *t) {
    return time_left(t) ? t : NULL;
}

/* ---- poll ---- */

static short poll_one(struct thread *t, const struct pollfd *p, struct thread *who_sleeps) {
    if (p->fd < 0)
        return 0;
    struct file *f = descriptor_file(t->process, p->fd);
    if (!f || f->flags & O_PATH)
        return POLLNVAL;
    short wanted = (short)(p->events | POLLERR | POLLHUP);
    return file_poll(f, who_sleeps, wanted) & wanted;
}

static long do_poll(struct thread *t, uint64_t user, uint64_t count, int on_signal) {
    struct space *space = t->process->space;
    if (count > t->process->limits[RLIMIT_NOFILE].rlim_cur || count > DESCRIPTORS_MAX)
        return -EINVAL;
    size_t size = count * sizeof(struct pollfd);
    struct pollfd *fds = inject_malloc(t->process->kernel->config.inject, size + 1);
    if (!fds)
        return -ENOMEM;
    long ready = user_read(space, user, fds, size);
    for (uint64_t i = 0; ready >= 0 && i < count; i++) {
        fds[i].revents = poll_one(t, &fds[i], ready ? NULL : sleeper(t));
        ready += fds[i].revents != 0;
    }
    if (ready == 0)
        ready = wait_more(t, on_signal);
    for (uint64_t i = 0; ready >= 0 && i < count; i++) {
        uint64_t to = user + i * sizeof(fds[i]) + offsetof(struct pollfd, revents);
        int r = user_write(space, to, &fds[i].revents, sizeof(fds[i].revents));
        ready = r < 0 ? r : ready;
    }
    free(fds);
    return ready;
}

static long sys_poll(struct thread *t, const uint64_t a[6]) {
    int timeout = (int)a[2];
    set_deadline(t, timeout < 0 ? UINT64_MAX : (uint64_t)timeout * 1000000);
    return do_poll(t, a[0], a[1], -K_ERESTART_RESTARTBLOCK);
}

static long sys_ppoll(struct thread *t, const uint64_t a[6]) {
    uint64_t timeout;
    int r = load_timespec(t, a[2], &timeout);
    if (r == 0)
        r = set_mask(t, a[3], a[4]);
    if (r < 0)
        return r;
    set_deadline(t, timeout);
    long ready = do_poll(t, a[0], a[1], -K_ERESTARTNOHAND);
    if (ready != SYS_SLEEP || t->call.interrupted)
        store_timespec(t, a[2]);
    return ready;
}

/* ---- select ---- */

/* Three sets of bits, as words of 64. */
struct sets {
    unsigned count; /* descriptors */
    size_t words;   /* of each set */
    uint64_t *in[3], *out[3];
};

static const short select_events[3] = {POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM, POLLPRI};
static const short select_ready[3] = {POLLIN | POLLRDNORM | POLLHUP | POLLERR, POLLOUT | POLLWRNORM | POLLERR,
                                      POLLPRI};

/* Tries one descriptor of the sets. How many of them it is ready in, or -EBADF. */
static int select_one(struct thread *t, struct sets *s, unsigned fd, struct thread *who_sleeps) {
    uint64_t bit = 1ULL << fd % 64;
    short events = 0;
    int ready = 0;
    for (int i = 0; i < 3; i++)
        events |= s->in[i][fd / 64] & bit ? select_events[i] : 0;
    if (!events)
        return 0;
    struct file *f = descriptor_file(t->process, (int)fd);
    if (!f)
        return -EBADF;
    short found = file_poll(f, who_sleeps, events);
    for (int i = 0; i < 3; i++) {
        if (s->in[i][fd / 64] & bit && found & select_ready[i]) {
            s->out[i][fd / 64] |= bit;
            ready++;
        }
    }
    return ready;
}

static long select_all(struct thread *t, struct sets *s) {
    long ready = 0;
    for (unsigned fd = 0; fd < s->count; fd++) {
        int r = select_one(t, s, fd, ready ? NULL : sleeper(t));
        if (r < 0)
            return r;
        ready += r;
    }
    return ready ? ready : wait_more(t, -K_ERESTARTNOHAND);
}

static long do_select(struct thread *t, uint64_t count, const uint64_t users[3]) {
    struct space *space = t->process->space;
    if ((int)count < 0)
        return -EINVAL;
    struct sets s = {.count = (unsigned)min_u64(count, (uint64_t)descriptors_capacity(t->process))};
    s.words = (s.count + 63) / 64;
    uint64_t *bits = inject_calloc(t->process->kernel->config.inject, 6 * s.words + 1, sizeof(*bits));
    if (!bits)
        return -ENOMEM;
    long r = 0;
    size_t bytes = s.words * sizeof(*bits);
    for (int i = 0; i < 3; i++) {
        s.in[i] = bits + (size_t)i * s.words;
        s.out[i] = bits + (size_t)(i + 3) * s.words;
        if (r == 0 && users[i])
            r = user_read(space, users[i], s.in[i], bytes);
    }
    if (r == 0)
        r = select_all(t, &s);
    for (int i = 0; i < 3; i++) {
        if (r >= 0 && users[i] && user_write(space, users[i], s.out[i], bytes) < 0)
            r = -EFAULT;
    }
    free(bits);
    return r;
}

static long sys_select(struct thread *t, const uint64_t a[6]) {
    struct timeval tv;
    uint64_t timeout = UINT64_MAX;
    int r = a[4] ? user_read(t->process->space, a[4], &tv, sizeof(tv)) : 0;
    if (r < 0)
        return r;
    if (a[4] && (tv.tv_sec < 0 || tv.tv_usec < 0))
        return -EINVAL;
    if (a[4])
        timeout = min_u64((uint64_t)tv.tv_sec, UINT64_MAX / NS / 2) * NS + (uint64_t)tv.tv_usec * 1000;
    set_deadline(t, timeout);
    long ready = do_select(t, a[0], a + 1);
    if (a[4] && (ready != SYS_SLEEP || t->call.interrupted)) {
        uint64_t left = time_left(t);
        tv = (struct timeval){.tv_sec = (time_t)(left / NS), .tv_usec = (suseconds_t)(left % NS / 1000)};
        (void)user_write(t->process->space, a[4], &tv, sizeof(tv));
    }
    return ready;
}

static long sys_pselect6(struct thread *t, const uint64_t a[6]) {
    struct {
        uint64_t mask, size;
    } mask = {0};
    uint64_t timeout;
    int r = load_timespec(t, a[4], &timeout);
    if (r == 0 && a[5])
        r = user_read(t->process->space, a[5], &mask, sizeof(mask));
    if (r == 0)
        r = set_mask(t, mask.mask, mask.size);
    if (r < 0)
        return r;
    set_deadline(t, timeout);
    long ready = do_select(t, a[0], a + 1);
    if (ready != SYS_SLEEP || t->call.interrupted)
        store_timespec(t, a[4]);
    return ready;
}

/* ---- epoll ---- */

static long sys_epoll_create1(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    if (a[0] & ~(uint64_t)EPOLL_CLOEXEC)
        return -EINVAL;
    int r = epoll_file_create(t->process->kernel, &f);
    return r < 0 ? r : descriptor_install_or_drop(t->process, f, a[0] & EPOLL_CLOEXEC);
}

static long sys_epoll_create(struct thread *t, const uint64_t a[6]) {
    return (int)a[0] > 0 ? sys_epoll_create1(t, (const uint64_t[6]){0}) : -EINVAL;
}

static long sys_epoll_ctl(struct thread *t, const uint64_t a[6]) {
    struct epoll_event event = {0};
    struct file *set = descriptor_file(t->process, (int)a[0]), *f = descriptor_file(t->process, (int)a[2]);
    if (a[1] != EPOLL_CTL_DEL && user_read(t->process->space, a[3], &event, sizeof(event)) < 0)
        return -EFAULT;
    return set && f ? epoll_control(set, (int)a[1], f, (int)a[2], &event) : -EBADF;
}

static long do_epoll_wait(struct thread *t, const uint64_t a[6], int on_signal) {
    enum { BATCH = 1024 };
    struct epoll_event events[BATCH];
    struct file *set = descriptor_file(t->process, (int)a[0]);
    int count = (int)a[2];
    if (!set)
        return -EBADF;
    if (count <= 0 || count > INT_MAX / (int)sizeof(events[0]) || !file_is_epoll(set))
        return -EINVAL;
    int n = epoll_collect(set, t, events, count < BATCH ? count : BATCH);
    if (n == 0)
        return wait_more(t, on_signal);
    int r = user_write(t->process->space, a[1], events, (size_t)n * sizeof(events[0]));
    return r < 0 ? r : n;
}

static long sys_epoll_wait(struct thread *t, const uint64_t a[6]) {
    int timeout = (int)a[3];
    set_deadline(t, timeout < 0 ? UINT64_MAX : (uint64_t)timeout * 1000000);
    return do_epoll_wait(t, a, -EINTR);
}

static long sys_epoll_pwait(struct thread *t, const uint64_t a[6]) {
    int r = set_mask(t, a[4], a[5]), timeout = (int)a[3];
    if (r < 0)
        return r;
    set_deadline(t, timeout < 0 ? UINT64_MAX : (uint64_t)timeout * 1000000);
    return do_epoll_wait(t, a, -EINTR);
}

static long sys_epoll_pwait2(struct thread *t, const uint64_t a[6]) {
    uint64_t timeout;
    int r = load_timespec(t, a[3], &timeout);
    if (r == 0)
        r = set_mask(t, a[4], a[5]);
    if (r < 0)
        return r;
    set_deadline(t, timeout);
    return do_epoll_wait(t, a, -EINTR);
}

/* ---- event counters ---- */

static long sys_eventfd2(struct thread *t, const uint64_t a[6]) {
    struct file *f;
    if (a[1] & ~(uint64_t)(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
        return -EINVAL;
    int r = eventfd_create(t->process->kernel, (uint32_t)a[0], (int)a[1], &f);
    return r < 0 ? r : descriptor_install_or_drop(t->process, f, a[1] & EFD_CLOEXEC);
}

static long sys_eventfd(struct thread *t, const uint64_t a[6]) {
    return sys_eventfd2(t, (const uint64_t[6]){a[0]});
}

/* ---- signals. signalfd(fd or -1, mask, size of the mask, flags) ---- */

static long do_signalfd(struct thread *t, const uint64_t a[6], uint64_t flags) {
    uint64_t mask;
    struct file *f;
    if (a[2] != sizeof(mask) || flags & ~(uint64_t)(SFD_CLOEXEC | SFD_NONBLOCK))
        return -EINVAL;
    int r = user_read(t->process->space, a[1], &mask, sizeof(mask));
    if (r < 0)
        return r;
    if ((int)a[0] == -1) {
        r = signalfd_create_file(t->process->kernel, mask, (int)flags, &f);
        return r < 0 ? r : descriptor_install_or_drop(t->process, f, flags & SFD_CLOEXEC);
    }
    f = descriptor_file(t->process, (int)a[0]);
    r = f ? signalfd_set_mask(f, mask) : -EBADF;
    return r < 0 ? r : (int)a[0];
}

static long sys_signalfd(struct thread *t, const uint64_t a[6]) {
    return do_signalfd(t, a, 0);
}

static long sys_signalfd4(struct thread *t, const uint64_t a[6]) {
    return do_signalfd(t, a, a[3]);
}

const struct syscall_entry syscalls_poll[] = {
    {SYS_poll, "poll", sys_poll},
    {SYS_ppoll, "ppoll", sys_ppoll},
    {SYS_select, "select", sys_select},
    {SYS_pselect6, "pselect6", sys_pselect6},
    {SYS_epoll_create, "epoll_create", sys_epoll_create},
    {SYS_epoll_create1, "epoll_create1", sys_epoll_create1},
    {SYS_epoll_ctl, "epoll_ctl", sys_epoll_ctl},
    {SYS_epoll_wait, "epoll_wait", sys_epoll_wait},
    {SYS_epoll_pwait, "epoll_pwait", sys_epoll_pwait},
    {SYS_epoll_pwait2, "epoll_pwait2", sys_epoll_pwait2},
    {SYS_eventfd, "eventfd", sys_eventfd},
    {SYS_eventfd2, "eventfd2", sys_eventfd2},
    {SYS_signalfd, "signalfd", sys_signalfd},
    {SYS_signalfd4, "signalfd4", sys_signalfd4},
    {-1, NULL, NULL},
};
