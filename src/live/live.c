/* See live.h.
 *
 *   machine's thread       collector                       user interfaces
 *   live_run()         ┌─► ring_take → film_append ──────► film_…
 *     machine ── ring ─┘   changed()
 *        ▲                                                 live_run_to() …
 *        └──────────────── gate of the ring ◄──────────────────┘
 *
 * The collector alone calls changed(), so that a caller of live_run_to() may hold whatever locks it likes. */
#include "live/live.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "live/terminal.h"
#include "trace/ring.h"

enum {
    LIVE_TAKE = 2048,      /* events at a time */
    LIVE_INTERVAL = 17000, /* microseconds between two calls of changed(), at least */
};

struct live {
    struct machine *machine;
    struct ring *ring;
    struct film *film;
    struct terminal *terminal; /* NULL: the programs have none */
    void (*changed)(void *context);
    void *context;
    _Atomic bool ended;
    _Atomic bool printed; /* the terminal has news */

    /* the collector's */
    struct event events[LIVE_TAKE];
    bool news;        /* something happened that changed() was not told */
    int64_t told;     /* when it was called last */
    bool held;        /* as it was told last … */
    uint64_t held_at; /* … and behind which event */
};

/* ---- the collector ---- */

static int64_t microseconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Whether the machine is held and its events up to there are in the film. */
static bool is_held(struct live *l, uint64_t *ret_sequence) {
    return ring_is_paused(l->ring, ret_sequence) &&
           (film_events(l->film) >= *ret_sequence || film_is_cut(l->film));
}

static void tell(struct live *l) {
    l->news = false;
    l->told = microseconds_now();
    if (l->changed)
        l->changed(l->context);
}

/* Tells of news if it is time to, and at once if the machine was held or went on. */
static void tell_in_time(struct live *l) {
    uint64_t held_at = 0;
    bool held = is_held(l, &held_at), turned = held != l->held || (held && held_at != l->held_at);
    l->held = held;
    l->held_at = held_at;
    if (turned || (l->news && microseconds_now() - l->told >= LIVE_INTERVAL))
        tell(l);
}

/* How long the collector may sleep, in milliseconds: until it may tell its news. */
static int time_to_sleep(const struct live *l) {
    int64_t left = l->told + LIVE_INTERVAL - microseconds_now();
    return !l->news ? -1 : left <= 0 ? 0 : (int)(left / 1000 + 1);
}

static void *collect(void *context) {
    struct live *l = context;
    enum ring_taken taken;
    do {
        size_t count = 0;
        taken = ring_take(l->ring, l->events, LIVE_TAKE, time_to_sleep(l), &count);
        if (taken == RING_EVENTS)
            (void)film_append(l->film, l->events, count); /* a film that is cut says so */
        l->news |= taken == RING_EVENTS || atomic_exchange(&l->printed, false);
        tell_in_time(l);
    } while (taken != RING_CLOSED);
    film_finish(l->film);
    return NULL;
}

/* The host's signals are for the machine's thread. */
static int start_collector(struct live *l, pthread_t *ret_thread) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = -pthread_create(ret_thread, NULL, collect, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* ---- the machine's thread ---- */

static void terminal_printed(void *context) {
    struct live *l = context;
    atomic_store(&l->printed, true);
    ring_wake(l->ring);
}

int live_create(struct machine *machine, const struct live_config *config, struct live **ret_live) {
    struct live *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->machine = machine;
    l->changed = config->changed;
    l->context = config->context;
    int error = ring_create(config->paused && !config->run_to, &l->ring);
    if (!error)
        error = film_create(config->header, &l->film);
    if (!error && config->terminal)
        error = terminal_open(terminal_printed, l, &l->terminal);
    if (!error && l->terminal)
        machine_set_terminal(machine, terminal_descriptor(l->terminal));
    if (error) {
        live_destroy(l);
        return error;
    }
    if (config->run_to)
        ring_run_to(l->ring, config->run_to);
    machine_add_sink(machine, ring_sink(l->ring));
    *ret_live = l;
    return 0;
}

int live_run(struct live *l, size_t *ret_failed) {
    pthread_t collector;
    int error = start_collector(l, &collector);
    if (error)
        return error;
    error = machine_run_programs(l->machine, ret_failed);
    if (l->terminal)
        terminal_finish(l->terminal);
    ring_release(l->ring);
    ring_close(l->ring);
    pthread_join(collector, NULL);
    atomic_store(&l->ended, true);
    tell(l);
    return error;
}

void live_destroy(struct live *l) {
    film_destroy(l->film);
    terminal_close(l->terminal);
    if (l->ring)
        ring_destroy(l->ring);
    free(l);
}

/* ---- user interfaces ---- */

struct film *live_film(struct live *l) {
    return l->film;
}

enum live_state live_state(struct live *l) {
    uint64_t sequence;
    return atomic_load(&l->ended) ? LIVE_ENDED : is_held(l, &sequence) ? LIVE_PAUSED : LIVE_RUNNING;
}

void live_pause(struct live *l) {
    ring_pause(l->ring);
}

/* The collector must look, to tell that the machine went on. */
void live_continue(struct live *l) {
    ring_continue(l->ring);
    ring_wake(l->ring);
}

void live_run_to(struct live *l, const struct goal *goal) {
    ring_run_to(l->ring, goal);
    ring_wake(l->ring);
}

void live_stop(struct live *l) {
    machine_request_stop(l->machine);
    ring_release(l->ring);
    ring_wake(l->ring);
}

int live_terminal(struct live *l) {
    return l->terminal ? terminal_descriptor(l->terminal) : -1;
}

int live_type(struct live *l, const char *bytes, size_t length) {
    int error = l->terminal ? terminal_type(l->terminal, bytes, length) : -ENOTTY;
    for (size_t i = 0; i < length && !error; i++) {
        int signal = terminal_signal(l->terminal, bytes[i]);
        if (signal)
            machine_send_signal(l->machine, signal);
    }
    return error;
}

void live_set_size(struct live *l, unsigned rows, unsigned columns) {
    if (l->terminal && terminal_set_size(l->terminal, rows, columns))
        machine_send_signal(l->machine, SIGWINCH);
}

size_t live_output(struct live *l, uint64_t offset, char *bytes, size_t size, uint64_t *ret_offset) {
    if (l->terminal)
        return terminal_output(l->terminal, offset, bytes, size, ret_offset);
    *ret_offset = 0;
    return 0;
}
