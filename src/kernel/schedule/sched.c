/* The scheduler: round robin over the runnable threads, a list of the sleeping ones, host descriptors polled
 * when nobody can run. Does not run threads and does not know what they wait for means.
 *
 *               budget used up: to the tail
 *               ┌──────────────────────────┐
 *   run queue:  head (runs) … … … … … … … tail ◄── sched_make_runnable
 *                │ sched_block                        ▲
 *                └──► sleepers: channels, any, host descriptors, deadline
 *
 * Invariants: a thread is on the run queue iff RUNNABLE, among the sleepers iff SLEEPING; next_timer is at or
 * before the earliest deadline; fd_sleepers counts the sleepers with host descriptors. Time slices count
 * guest instructions (and calls) only, so that scheduling does not depend on the number of frames. */
#include "kernel/schedule/sched.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/sandbox/limits.h"
#include "kernel/time/timer.h"

/* Slices between two looks at the host's descriptors while somebody can run. */
enum { SCHED_POLL_SLICES = 4 };

void sched_enqueue(struct thread *t) {
    struct kernel *k = t->process->kernel;
    assert(t->state != THREAD_RUNNABLE && t->state != THREAD_DEAD);
    t->state = THREAD_RUNNABLE;
    /* What is left of a slice outlives a sleep: threads that only block and wake each other use theirs up,
     * too, so that timers and the host's descriptors get their turn. */
    if (t->budget == 0) { /* used up, perhaps in a call that then slept; or a new thread's */
        t->budget = k->config.quantum;
        k->slice_ended = true;
    }
    TAILQ_INSERT_TAIL(&k->run_queue, t, of_queue);
}

static void sched_leave_sleepers(struct thread *t) {
    struct kernel *k = t->process->kernel;
    TAILQ_REMOVE(&k->sleepers, t, of_queue);
    if (t->sleep.fd_count > 0)
        k->fd_sleepers--;
}

void sched_remove(struct thread *t) {
    if (t->state == THREAD_RUNNABLE)
        TAILQ_REMOVE(&t->process->kernel->run_queue, t, of_queue);
    else if (t->state == THREAD_SLEEPING)
        sched_leave_sleepers(t);
    t->state = THREAD_STOPPED;
}

void sched_make_runnable(struct thread *t) {
    if (t->state == THREAD_SLEEPING)
        sched_leave_sleepers(t);
    else if (t->state != THREAD_STOPPED || (t->process->stop_signal && !t->kill_now))
        return;
    t->state = THREAD_STOPPED;
    sched_enqueue(t);
}

void sched_block(struct thread *t) {
    struct kernel *k = t->process->kernel;
    assert(t->state == THREAD_RUNNABLE);
    t->process->switches.voluntary++;
    TAILQ_REMOVE(&k->run_queue, t, of_queue);
    t->state = THREAD_SLEEPING;
    TAILQ_INSERT_TAIL(&k->sleepers, t, of_queue);
    if (t->sleep.fd_count > 0)
        k->fd_sleepers++;
    sched_note_deadline(k, t->sleep.deadline);
}

void sched_forget(struct thread *t) {
    assert(t->state != THREAD_SLEEPING);
    t->sleep.channel_count = 0;
    t->sleep.any_channel = false;
    t->sleep.fd_count = 0;
    t->sleep.deadline = UINT64_MAX;
}

void sched_yield_slice(struct thread *t) {
    t->budget = 0;
}

void sched_note_deadline(struct kernel *k, uint64_t deadline) {
    k->next_timer = min_u64(k->next_timer, deadline);
}

/* ---- what to wait for ---- */

void sched_sleep_channel(struct thread *t, const void *channel) {
    struct sleep *s = &t->sleep;
    for (unsigned i = 0; i < s->channel_count; i++)
        if (s->channels[i] == channel)
            return;
    if (s->channel_count == ARRAY_LENGTH(s->channels))
        s->any_channel = true;
    else
        s->channels[s->channel_count++] = channel;
}

void sched_sleep_any(struct thread *t) {
    t->sleep.any_channel = true;
}

void sched_sleep_until(struct thread *t, uint64_t deadline) {
    t->sleep.deadline = min_u64(t->sleep.deadline, deadline);
}

void sched_sleep_fd(struct thread *t, int host_fd, short events) {
    struct sleep *s = &t->sleep;
    struct kernel *k = t->process->kernel;
    if (s->fd_count == s->fd_capacity) {
        unsigned capacity = s->fd_capacity ? 2 * s->fd_capacity : 4;
        struct pollfd *grown = inject_realloc(k->config.inject, s->fds, capacity, sizeof *grown);
        if (!grown) { /* without room to wait for it the thread tries again soon */
            sched_sleep_until(t, clock_now(k) + 1000000);
            return;
        }
        s->fds = grown;
        s->fd_capacity = capacity;
    }
    s->fds[s->fd_count++] = (struct pollfd){.fd = host_fd, .events = events};
}

static bool sched_waits_for(const struct sleep *s, const void *channel) {
    for (unsigned i = 0; i < s->channel_count; i++)
        if (s->channels[i] == channel)
            return true;
    return s->any_channel;
}

void sched_wake(struct kernel *k, const void *channel) {
    struct thread *t, *next;
    TAILQ_FOREACH_SAFE(t, &k->sleepers, of_queue, next)
        if (sched_waits_for(&t->sleep, channel))
            sched_make_runnable(t);
}

/* ---- time ---- */

static void sched_expire(struct kernel *k) {
    uint64_t now = clock_now(k);
    if (now < k->next_timer)
        return;
    k->next_timer = UINT64_MAX;
    timer_expire(k, now);
    struct thread *t, *next;
    TAILQ_FOREACH_SAFE(t, &k->sleepers, of_queue, next) {
        if (t->sleep.deadline <= now)
            sched_make_runnable(t);
        else
            sched_note_deadline(k, t->sleep.deadline);
    }
}

/* ---- host descriptors ---- */

/* All sleepers' descriptors, in their order, behind the wake-up descriptor. Their number, or -ENOMEM. */
static int sched_collect(struct kernel *k) {
    struct thread *t;
    unsigned needed = 1, n = 0;
    TAILQ_FOREACH(t, &k->sleepers, of_queue)
        needed += t->sleep.fd_count;
    if (needed > k->poll_capacity) {
        struct pollfd *grown = inject_realloc(k->config.inject, k->poll_set, needed, sizeof *grown);
        if (!grown)
            return -ENOMEM;
        k->poll_set = grown;
        k->poll_capacity = needed;
    }
    k->poll_set[n++] = (struct pollfd){.fd = k->config.wake_fd, .events = POLLIN};
    TAILQ_FOREACH(t, &k->sleepers, of_queue)
        for (unsigned i = 0; i < t->sleep.fd_count; i++)
            k->poll_set[n++] = t->sleep.fds[i];
    return (int)n;
}

static void sched_wake_polled(struct kernel *k) {
    struct thread *t, *next;
    unsigned n = 1;
    TAILQ_FOREACH_SAFE(t, &k->sleepers, of_queue, next) {
        bool ready = false;
        for (unsigned i = 0; i < t->sleep.fd_count; i++)
            ready |= k->poll_set[n++].revents != 0;
        if (ready)
            sched_make_runnable(t);
    }
}

/* Polls for at most `timeout` (NULL: for ever). False when the wait was for the machine's own attention. */
static bool sched_poll(struct kernel *k, const struct timespec *timeout) {
    int n = sched_collect(k);
    if (n < 0) /* no memory for the list: let time pass and look again */
        return ppoll(NULL, 0, &(struct timespec){.tv_nsec = 1000000}, NULL) == 0;
    struct timespec left;
    int ready = ppoll(k->poll_set, (nfds_t)n, limits_shorten(k, timeout, &left), NULL);
    if (ready < 0 && errno != EINTR) { /* the host cannot say who is ready: they find out themselves */
        for (int i = 0; i < n; i++)
            k->poll_set[i].revents = i > 0 ? k->poll_set[i].events : 0;
        ready = n;
    }
    if (ready < 0)
        return false;
    if (ready > 0)
        sched_wake_polled(k);
    return k->poll_set[0].revents == 0;
}

static struct timespec sched_timespec(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
}

/* Virtual time stands still while nobody works, so it jumps to the next deadline; what the host has ready by
 * then goes first. */
static bool sched_wait_virtual(struct kernel *k) {
    if (k->next_timer == UINT64_MAX)
        return sched_poll(k, NULL);
    k->nondeterministic_used |= k->fd_sleepers > 0;
    if (k->fd_sleepers > 0 && !sched_poll(k, &(struct timespec){0}))
        return false;
    uint64_t now = clock_now(k);
    if (TAILQ_EMPTY(&k->run_queue) && k->next_timer > now)
        k->skipped_time += k->next_timer - now;
    sched_expire(k);
    return true;
}

bool sched_wait(struct kernel *k) {
    if (k->config.deterministic)
        return sched_wait_virtual(k);
    uint64_t now = clock_now(k);
    struct timespec timeout = sched_timespec(k->next_timer > now ? k->next_timer - now : 0);
    bool attention = !sched_poll(k, k->next_timer == UINT64_MAX ? NULL : &timeout);
    sched_expire(k);
    return !attention;
}

bool sched_wait_for_host(struct thread *t) {
    struct kernel *k = t->process->kernel;
    unsigned own = t->sleep.fd_count;
    sched_sleep_fd(t, k->config.wake_fd, POLLIN);
    if (t->sleep.fd_count == own) /* no memory for one more */
        return false;
    struct timespec left;
    bool ready = ppoll(t->sleep.fds, own + 1, limits_shorten(k, NULL, &left), NULL) > 0 &&
                 t->sleep.fds[own].revents == 0;
    t->sleep.fd_count = own;
    return ready;
}

/* ---- who is next ---- */

static void sched_slice_end(struct kernel *k, struct thread *t) {
    TAILQ_REMOVE(&k->run_queue, t, of_queue);
    t->state = THREAD_STOPPED;
    t->process->switches.forced += !TAILQ_EMPTY(&k->run_queue);
    sched_enqueue(t);
}

/* A time slice ended: a moment to look at the outside world, also when threads only start, end, block and
 * wake each other. Under deterministic the host's descriptors are asked only when nobody can run. */
static void sched_look_outside(struct kernel *k) {
    k->slice_ended = false;
    sched_expire(k);
    if (k->fd_sleepers > 0 && !k->config.deterministic && ++k->slices >= SCHED_POLL_SLICES) {
        k->slices = 0;
        sched_poll(k, &(struct timespec){0});
    }
}

struct thread *sched_pick(struct kernel *k) {
    struct thread *t = TAILQ_FIRST(&k->run_queue);
    if (likely(t && t->budget > 0 && !k->slice_ended))
        return t;
    if (t && t->budget == 0)
        sched_slice_end(k, t);
    if (k->slice_ended)
        sched_look_outside(k);
    return TAILQ_FIRST(&k->run_queue);
}
