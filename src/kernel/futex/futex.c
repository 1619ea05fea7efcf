/* The queues of futex(2): who waits for which word of user memory. A word of private memory is known by its
 * address space and address, one of shared memory by its object and the offset in it: wherever the page is
 * mapped, and in whatever frame or swap slot it is.
 *
 * Source: Linux 6.1 kernel/futex/core.c. Invariant: a waiter is in the bucket of its key iff `queued`. */
#include "kernel/futex/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>

#include "base/base.h"
#include "kernel/schedule/sched.h"

int futex_get_key(struct thread *t, uint64_t address, bool private, enum futex_access access,
                  struct futex_key *ret_key) {
    struct space *s = t->process->space;
    struct mapping_view view;
    uint32_t word;
    if (address % sizeof word)
        return -EINVAL;
    if (address >= USER_END)
        return -EFAULT;
    *ret_key = (struct futex_key){s, address};
    if (private)
        return 0;
    if (user_read(s, address, &word, sizeof word) < 0 || !space_next_mapping(s, address, false, &view))
        return -EFAULT;
    bool writable = view.access & ACCESS_WRITE;
    if (!writable && (access == FUTEX_ACCESS_WRITE || !view.object))
        return -EFAULT;
    if (view.shared && view.object)
        *ret_key = (struct futex_key){view.object, view.offset + (address - view.start)};
    return 0;
}

bool futex_key_equals(const struct futex_key *a, const struct futex_key *b) {
    return a->base == b->base && a->offset == b->offset;
}

static struct futex_bucket *futex_bucket(struct kernel *k, const struct futex_key *key) {
    uint64_t hash = ((uint64_t)(uintptr_t)key->base ^ key->offset) * 0x9e3779b97f4a7c15ULL;
    return &k->futex_buckets[hash >> 56];
}
_Static_assert(FUTEX_BUCKETS == 256, "the hash has eight bits");

void futex_enqueue(struct futex_waiter *w, struct thread *t, const struct futex_key *key, uint32_t bits) {
    w->thread = t;
    w->key = *key;
    w->bits = bits;
    w->queued = true;
    w->woken = false;
    TAILQ_INSERT_TAIL(futex_bucket(t->process->kernel, key), w, of_bucket);
}

void futex_dequeue(struct futex_waiter *w) {
    if (!w->queued)
        return;
    TAILQ_REMOVE(futex_bucket(w->thread->process->kernel, &w->key), w, of_bucket);
    w->queued = false;
}

struct futex_waiter *futex_first(struct kernel *k, const struct futex_key *key) {
    struct futex_waiter *w;
    TAILQ_FOREACH(w, futex_bucket(k, key), of_bucket)
        if (futex_key_equals(&w->key, key))
            return w;
    return NULL;
}

struct futex_waiter *futex_next(const struct futex_waiter *w) {
    struct futex_waiter *next = TAILQ_NEXT(w, of_bucket);
    while (next && !futex_key_equals(&next->key, &w->key))
        next = TAILQ_NEXT(next, of_bucket);
    return next;
}

void futex_complete(struct futex_waiter *w) {
    futex_dequeue(w);
    w->woken = true;
    sched_make_runnable(w->thread);
}

int futex_wake_key(struct kernel *k, const struct futex_key *key, int count, uint32_t bits) {
    struct futex_waiter *w, *next;
    int woken = 0;
    for (w = futex_first(k, key); w; w = next) {
        next = futex_next(w);
        if (w->pi || w->requeues_to_pi)
            return -EINVAL;
        if (!(w->bits & bits))
            continue;
        futex_complete(w);
        if (++woken >= count)
            break;
    }
    return woken;
}

void futex_wake_all_keys(struct thread *t, uint64_t address, int count) {
    struct kernel *k = t->process->kernel;
    struct futex_key key, private_key = {t->process->space, address};
    if (futex_get_key(t, address, false, FUTEX_ACCESS_READ, &key) == 0)
        (void)futex_wake_key(k, &key, count, FUTEX_BITSET_MATCH_ANY);
    if (key.base != private_key.base)
        (void)futex_wake_key(k, &private_key, count, FUTEX_BITSET_MATCH_ANY);
}

static void futex_give_up(struct futex_waiter *w) {
    futex_dequeue(w);
    if (w->pi)
        futex_pi_abandon(w);
    w->requeues_to_pi = false;
}

void futex_leave(struct thread *t) {
    futex_give_up(&t->futex);
    for (unsigned i = 0; i < t->futex_count; i++)
        futex_dequeue(&t->futex_vector[i]);
    free(t->futex_vector);
    t->futex_vector = NULL;
    t->futex_count = 0;
}
