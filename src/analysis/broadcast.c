/* See broadcast.h. A ring of slots: the reader fills slot (written % SLOTS) when every worker is done with
 * what was in it before; worker w reads slot (read[w] % SLOTS). All counters are under one lock, which is
 * taken twice a batch of some 10,000 items.
 *
 * With one listener and one thread there are no threads at all: it hears the batches as they are read. */
#include "analysis/broadcast.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/base.h"

enum { SLOTS = 8, THREADS_MAX = 256 };

struct slot {
    struct refs_item *items;
    struct refs_page *pages;
    size_t count, capacity, page_count, page_capacity, counting_from;
};

struct worker {
    struct broadcast *broadcast;
    pthread_t thread;
    size_t first; /* listeners first, first + workers, first + 2 × workers … are its own */
    uint64_t read;
};

struct broadcast {
    const struct broadcast_listener *listeners;
    int *errors;                  /* one a listener */
    struct warm_up_scan *warm_up; /* of the thread that reads; NULL: none */
    size_t count;
    struct slot slots[SLOTS];
    struct worker *workers;
    size_t worker_count;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t written; /* batches */
    bool ended;
    size_t alive; /* listeners that did not fail */
};

/* ---- hearing ---- */

/* How many of its listeners fail in this batch. */
static size_t batch_hear(struct broadcast *b, size_t first, size_t step,
                         const struct broadcast_batch *batch) {
    size_t failed = 0;
    for (size_t i = first; i < b->count; i += step) {
        if (b->errors[i])
            continue;
        b->errors[i] = b->listeners[i].hear(b->listeners[i].state, batch);
        failed += b->errors[i] != 0;
    }
    return failed;
}

static void *worker_run(void *context) {
    struct worker *worker = context;
    struct broadcast *b = worker->broadcast;
    pthread_mutex_lock(&b->lock);
    for (;;) {
        while (worker->read == b->written && !b->ended)
            pthread_cond_wait(&b->changed, &b->lock);
        if (worker->read == b->written)
            break;
        pthread_mutex_unlock(&b->lock);
        const struct slot *slot = &b->slots[worker->read % SLOTS];
        const struct broadcast_batch batch = {slot->items, slot->count, slot->pages, slot->page_count,
                                              slot->counting_from};
        const size_t failed = batch_hear(b, worker->first, b->worker_count, &batch);
        pthread_mutex_lock(&b->lock);
        worker->read++;
        b->alive -= failed;
        pthread_cond_broadcast(&b->changed);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* ---- reading ---- */

/* The pages that appeared since `*known`, copied to the slot. 0 or -ENOMEM. */
static int slot_take_pages(struct slot *slot, const struct refs_source *source, uint32_t *known) {
    const uint32_t pages = refs_pages(source);
    slot->page_count = pages - *known;
    if (array_reserve(&slot->pages, &slot->page_capacity, slot->page_count, sizeof *slot->pages))
        return -ENOMEM;
    for (size_t i = 0; i < slot->page_count; i++)
        slot->pages[i] = *refs_page(source, (*known)++);
    return 0;
}

static int slot_take_items(struct slot *slot, const struct refs_item *items, size_t count) {
    if (array_reserve(&slot->items, &slot->capacity, count, sizeof *slot->items))
        return -ENOMEM;
    memcpy(slot->items, items, count * sizeof *items);
    slot->count = count;
    return 0;
}

static size_t find_counting(struct broadcast *b, const struct refs_source *source,
                            const struct refs_item *items, size_t count) {
    return b->warm_up ? warm_up_find(b->warm_up, source, items, count) : WARM_UP_NOT_HERE;
}

/* Reads and hears on the caller's thread. */
static int run_alone(struct broadcast *b, struct refs_source *source) {
    const struct refs_item *items;
    uint32_t known = 0;
    long count = 0;
    while (b->alive > 0 && (count = refs_next(source, &items)) > 0) {
        const int error = slot_take_pages(&b->slots[0], source, &known);
        if (error)
            return error;
        const struct broadcast_batch batch = {items, (size_t)count, b->slots[0].pages, b->slots[0].page_count,
                                              find_counting(b, source, items, (size_t)count)};
        b->alive -= batch_hear(b, 0, 1, &batch);
    }
    return count < 0 ? (int)count : 0;
}

/* Under the lock: whether every worker is done with what the slot held that is written next. */
static bool slot_is_free(const struct broadcast *b) {
    for (size_t w = 0; w < b->worker_count; w++)
        if (b->workers[w].read + SLOTS <= b->written)
            return false;
    return true;
}

static int run_reader(struct broadcast *b, struct refs_source *source) {
    const struct refs_item *items;
    uint32_t known = 0;
    int error = 0;
    for (;;) {
        const long count = refs_next(source, &items);
        if (count <= 0)
            return (int)count;
        pthread_mutex_lock(&b->lock);
        while (!slot_is_free(b))
            pthread_cond_wait(&b->changed, &b->lock);
        const bool anybody = b->alive > 0;
        pthread_mutex_unlock(&b->lock);
        struct slot *slot = &b->slots[b->written % SLOTS]; /* only this thread changes `written` */
        error = slot_take_pages(slot, source, &known);
        if (!error)
            error = slot_take_items(slot, items, (size_t)count);
        if (error || !anybody)
            return error;
        slot->counting_from = find_counting(b, source, items, (size_t)count);
        pthread_mutex_lock(&b->lock);
        b->written++;
        pthread_cond_broadcast(&b->changed);
        pthread_mutex_unlock(&b->lock);
    }
}

static void workers_join(struct broadcast *b, size_t started) {
    pthread_mutex_lock(&b->lock);
    b->ended = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    for (size_t w = 0; w < started; w++)
        pthread_join(b->workers[w].thread, NULL);
}

static int run_threads(struct broadcast *b, struct refs_source *source) {
    b->workers = calloc(b->worker_count, sizeof *b->workers);
    if (!b->workers)
        return -ENOMEM;
    int error = 0;
    size_t started = 0;
    for (; started < b->worker_count && !error; started++) {
        b->workers[started] = (struct worker){.broadcast = b, .first = started};
        error = -pthread_create(&b->workers[started].thread, NULL, worker_run, &b->workers[started]);
        if (error)
            break;
    }
    if (!error)
        error = run_reader(b, source);
    workers_join(b, started);
    free(b->workers);
    return error;
}

static int first_error(const struct broadcast *b, int error) {
    for (size_t i = 0; i < b->count && !error; i++)
        error = b->errors[i];
    return error;
}

int broadcast_run(struct refs_source *source, const struct broadcast_listener *listeners, size_t count,
                  unsigned threads, struct warm_up_scan *warm_up) {
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (threads == 0)
        threads = processors > 0 ? (unsigned)processors : 1;
    struct broadcast b = {
        .listeners = listeners,
        .count = count,
        .alive = count,
        .warm_up = warm_up,
        .errors = calloc(count + 1, sizeof *b.errors),
        .worker_count = min_size(count, min_size(threads, THREADS_MAX)),
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
    };
    if (!b.errors)
        return -ENOMEM;
    const bool alone = threads == 1 || count == 0;
    const int error = first_error(&b, alone ? run_alone(&b, source) : run_threads(&b, source));
    for (int i = 0; i < SLOTS; i++) {
        free(b.slots[i].items);
        free(b.slots[i].pages);
    }
    pthread_cond_destroy(&b.changed);
    pthread_mutex_destroy(&b.lock);
    free(b.errors);
    return error;
}
