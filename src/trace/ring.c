/* See ring.h.
 *
 *   put      events put so far: written by the producer alone
 *   taken    events taken so far: written by the consumer alone
 *   command  counts what was ordered of the gate; the order itself is under the lock
 *
 * Invariants: taken <= put <= taken + RING_PLACES; event n is in place (n - 1) % RING_PLACES.
 *
 * Handing over needs no lock. Who finds nothing to do says so (wanted, producer_waits), looks once more, and
 * sleeps under the lock; who changes put or taken looks afterwards whether the other sleeps. Both stores and
 * loads are sequentially consistent, so that not both can miss each other. */
#include "trace/ring.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/base.h"

enum {
    RING_PLACES = 1 << 13,
    RING_BATCH = 1 << 10,  /* so many wake a consumer that is collecting … */
    RING_COLLECT = 4,      /* … or so many milliseconds */
    RING_LINE = 64,        /* bytes that processors pass between them */
    RING_NEVER = INT32_MAX /* no event is wanted: the consumer is awake */
};

enum gate { GATE_OPEN, GATE_GOAL, GATE_CLOSED };

/* What the gate is to do, by `command`. */
struct ring_order {
    enum gate gate;
    struct goal goal; /* for GATE_GOAL: then it closes */
};

struct ring {
    struct trace_sink sink;
    struct event *places; /* RING_PLACES */

    /* the producer's */
    _Alignas(RING_LINE) _Atomic uint64_t put;
    uint64_t taken_known; /* `taken` as last looked at */
    uint32_t obeyed;      /* the command that `order_now` came with */
    struct ring_order order_now;

    /* the consumer's */
    _Alignas(RING_LINE) _Atomic uint64_t taken;

    /* both */
    _Alignas(RING_LINE) _Atomic uint32_t command;
    _Atomic int32_t wanted; /* events for which the sleeping consumer is to be woken */
    _Atomic bool producer_waits, closed, woken;

    pthread_mutex_t lock; /* guards what follows, and sleeping */
    pthread_cond_t to_producer, to_consumer;
    struct ring_order order;
    bool released;
    bool held;              /* the producer has stopped, or is about to, … */
    uint64_t held_sequence; /* … behind this event */
};

/* ---- making ---- */

static void ring_init_locks(struct ring *r) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->to_producer, &monotonic);
    pthread_cond_init(&r->to_consumer, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void ring_receive(struct trace_sink *, const struct event *);

int ring_create(bool paused, struct ring **ret_ring) {
    struct ring *r = aligned_alloc(RING_LINE, sizeof *r);
    struct event *places = malloc(RING_PLACES * sizeof *places);
    if (!r || !places) {
        free(r);
        free(places);
        return -ENOMEM;
    }
    memset(r, 0, sizeof *r);
    r->sink.receive = ring_receive;
    r->places = places;
    r->wanted = RING_NEVER;
    r->order.gate = r->order_now.gate = paused ? GATE_CLOSED : GATE_OPEN;
    r->held = paused;
    ring_init_locks(r);
    *ret_ring = r;
    return 0;
}

void ring_destroy(struct ring *r) {
    pthread_cond_destroy(&r->to_consumer);
    pthread_cond_destroy(&r->to_producer);
    pthread_mutex_destroy(&r->lock);
    free(r->places);
    free(r);
}

struct trace_sink *ring_sink(struct ring *r) {
    return &r->sink;
}

/* ---- the producer ---- */

static void wake_consumer(struct ring *r) {
    pthread_mutex_lock(&r->lock);
    pthread_cond_signal(&r->to_consumer);
    pthread_mutex_unlock(&r->lock);
}

/* Waits until a good part of the ring is free, so that it does not wake for each place. */
static void wait_for_room(struct ring *r) {
    pthread_mutex_lock(&r->lock);
    atomic_store(&r->producer_waits, true);
    while (r->put - (r->taken_known = atomic_load(&r->taken)) > RING_PLACES - RING_BATCH) {
        pthread_cond_signal(&r->to_consumer);
        pthread_cond_wait(&r->to_producer, &r->lock);
    }
    atomic_store(&r->producer_waits, false);
    pthread_mutex_unlock(&r->lock);
}

static void put_event(struct ring *r, const struct event *e) {
    uint64_t put = atomic_load_explicit(&r->put, memory_order_relaxed);
    if (unlikely(put - r->taken_known == RING_PLACES)) {
        r->taken_known = atomic_load_explicit(&r->taken, memory_order_acquire);
        if (put - r->taken_known == RING_PLACES)
            wait_for_room(r);
    }
    r->places[put % RING_PLACES] = *e;
    atomic_store(&r->put, put + 1);
    int32_t wanted = atomic_load(&r->wanted);
    if (unlikely(wanted != RING_NEVER) && put + 1 - atomic_load(&r->taken) >= (uint64_t)wanted)
        wake_consumer(r);
}

/* Takes notice of a new order. */
static void obey(struct ring *r) {
    pthread_mutex_lock(&r->lock);
    r->order_now = r->order;
    r->obeyed = atomic_load(&r->command);
    pthread_mutex_unlock(&r->lock);
}

/* Closes the gate behind this event, unless there is a newer order. */
static bool close_gate(struct ring *r, uint64_t sequence) {
    pthread_mutex_lock(&r->lock);
    bool closed = atomic_load(&r->command) == r->obeyed;
    if (closed) {
        r->held = true;
        r->held_sequence = sequence;
        r->order_now.gate = r->order.gate = GATE_CLOSED;
    }
    pthread_mutex_unlock(&r->lock);
    return closed;
}

/* Sleeps in front of the closed gate. */
static void wait_for_order(struct ring *r) {
    pthread_mutex_lock(&r->lock);
    pthread_cond_signal(&r->to_consumer);
    while (r->order.gate == GATE_CLOSED)
        pthread_cond_wait(&r->to_producer, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

static bool meets_goal(struct ring *r, const struct event *e) {
    struct goal *g = &r->order_now.goal;
    return r->order_now.gate == GATE_GOAL && goal_met(g, e) && g->skip-- == 0;
}

/* The gate closes before the event is put: who has taken the event sees that the machine is held. */
static void ring_receive(struct trace_sink *sink, const struct event *e) {
    struct ring *r = container_of(sink, struct ring, sink);
    if (unlikely(r->order_now.gate == GATE_CLOSED)) /* before the first event */
        wait_for_order(r);
    if (unlikely(atomic_load_explicit(&r->command, memory_order_acquire) != r->obeyed))
        obey(r);
    bool stop = meets_goal(r, e) && close_gate(r, e->sequence);
    put_event(r, e);
    if (!stop)
        return;
    wait_for_order(r);
    obey(r);
}

void ring_close(struct ring *r) {
    pthread_mutex_lock(&r->lock);
    atomic_store(&r->closed, true);
    pthread_cond_signal(&r->to_consumer);
    pthread_mutex_unlock(&r->lock);
}

/* ---- the consumer ---- */

static struct timespec time_after(int milliseconds) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += milliseconds / 1000;
    t.tv_nsec += milliseconds % 1000 * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

/* Sleeps until so many events are there, or something else is the matter, or the time is over (-1: never).
 * False: the time is over. */
static bool sleep_until(struct ring *r, int32_t wanted, int milliseconds) {
    struct timespec end = time_after(milliseconds < 0 ? 0 : milliseconds);
    int error = 0;
    pthread_mutex_lock(&r->lock);
    atomic_store(&r->wanted, wanted);
    while (!error && atomic_load(&r->put) - r->taken < (uint64_t)wanted && !r->closed && !r->woken &&
           !(r->held && r->put != r->taken) && !r->producer_waits)
        error = milliseconds < 0 ? pthread_cond_wait(&r->to_consumer, &r->lock)
                                 : pthread_cond_timedwait(&r->to_consumer, &r->lock, &end);
    atomic_store(&r->wanted, RING_NEVER);
    pthread_mutex_unlock(&r->lock);
    return error == 0;
}

/* Takes what is there. */
static size_t take_now(struct ring *r, struct event *events, size_t count) {
    uint64_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);
    uint64_t here = atomic_load_explicit(&r->put, memory_order_acquire) - taken;
    size_t n = (size_t)min_u64(here, count), first = taken % RING_PLACES;
    size_t straight = min_size(n, RING_PLACES - first);
    memcpy(events, r->places + first, straight * sizeof *events);
    memcpy(events + straight, r->places, (n - straight) * sizeof *events);
    atomic_store(&r->taken, taken + n);
    if (n && atomic_load(&r->producer_waits)) {
        pthread_mutex_lock(&r->lock);
        pthread_cond_signal(&r->to_producer);
        pthread_mutex_unlock(&r->lock);
    }
    return n;
}

enum ring_taken ring_take(struct ring *r, struct event *events, size_t count, int milliseconds,
                          size_t *ret_taken) {
    bool in_time = true, closed;
    if (atomic_load(&r->put) == r->taken)
        in_time = sleep_until(r, 1, milliseconds);
    if (in_time && !atomic_load(&r->woken))
        sleep_until(r, RING_BATCH, RING_COLLECT);
    atomic_store(&r->woken, false);
    closed = atomic_load(&r->closed); /* before looking for the last time */
    size_t n = take_now(r, events, count);
    if (!n)
        return closed ? RING_CLOSED : RING_WOKEN;
    *ret_taken = n;
    return RING_EVENTS;
}

/* ---- any thread ---- */

void ring_wake(struct ring *r) {
    pthread_mutex_lock(&r->lock);
    atomic_store(&r->woken, true);
    pthread_cond_signal(&r->to_consumer);
    pthread_mutex_unlock(&r->lock);
}

/* `last`: no order is followed after this one. */
static void give_order(struct ring *r, const struct ring_order *order, bool last) {
    pthread_mutex_lock(&r->lock);
    if (!r->released) {
        r->order = *order;
        r->held = false;
        r->released = last;
        atomic_fetch_add(&r->command, 1);
        pthread_cond_signal(&r->to_producer);
    }
    pthread_mutex_unlock(&r->lock);
}

void ring_run_to(struct ring *r, const struct goal *goal) {
    give_order(r, &(struct ring_order){GATE_GOAL, *goal}, false);
}

void ring_continue(struct ring *r) {
    give_order(r, &(struct ring_order){.gate = GATE_OPEN}, false);
}

void ring_pause(struct ring *r) {
    if (!ring_is_paused(r, &(uint64_t){0}))
        ring_run_to(r, &(struct goal){.kind = GOAL_STEP});
}

void ring_release(struct ring *r) {
    give_order(r, &(struct ring_order){.gate = GATE_OPEN}, true);
}

bool ring_is_paused(struct ring *r, uint64_t *ret_sequence) {
    pthread_mutex_lock(&r->lock);
    bool held = r->held;
    *ret_sequence = r->held_sequence;
    pthread_mutex_unlock(&r->lock);
    return held;
}
