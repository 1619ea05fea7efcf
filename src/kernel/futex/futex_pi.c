/* Priority-inheriting futexes: the word holds its owner's thread number, and whoever unlocks it hands it to
 * the first that waits. All threads here have the same priority, so nothing is inherited: what remains of the
 * protocol is who owns the lock, deadlocks, and owners that die.
 *
 *   the word is        then                      and it is
 *   ---------------    -----------------------   -------------------------------------------
 *   0                  a lock, in user mode      owner
 *   owner              somebody waits            owner | WAITERS
 *   owner | WAITERS    an unlock                 next owner | WAITERS, or 0: nobody waits
 *   owner | WAITERS    the owner ends            next owner | WAITERS | OWNER_DIED
 *
 * Source: Linux 6.1 kernel/futex/pi.c and requeue.c. Invariants: a struct futex_pi is on its owner's list;
 * its waiters are queued by its key, first come, first served. */
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "kernel/futex/futex.h"
#include "kernel/schedule/sched.h"

static int pi_read(struct thread *t, uint64_t address, uint32_t *ret_word) {
    return user_read(t->process->space, address, ret_word, sizeof *ret_word) < 0 ? -EFAULT : 0;
}

static int pi_write(struct thread *t, uint64_t address, uint32_t word) {
    return user_write(t->process->space, address, &word, sizeof word) < 0 ? -EFAULT : 0;
}

static void pi_set_owner(struct futex_pi *pi, struct thread *owner) {
    if (pi->owner)
        LIST_REMOVE(pi, of_owner);
    pi->owner = owner;
    LIST_INSERT_HEAD(&owner->pi_owned, pi, of_owner);
}

static void pi_unref(struct futex_pi *pi) {
    if (--pi->waiters > 0)
        return;
    LIST_REMOVE(pi, of_owner);
    free(pi);
}

void futex_pi_abandon(struct futex_waiter *w) {
    struct futex_pi *pi = w->pi;
    w->pi = NULL;
    pi_unref(pi);
}

/* ---- taking ---- */

/* Who owns a lock whose word says so: by those who wait already, or by the thread's number. */
static int pi_find_owner(struct kernel *k, const struct futex_key *key, uint32_t word,
                         struct thread **ret_owner) {
    const struct futex_waiter *first = futex_first(k, key);
    uint32_t tid = word & FUTEX_TID_MASK;
    if (!first) {
        *ret_owner = thread_find(k, tid);
        return *ret_owner ? 0 : -ESRCH;
    }
    if (!first->pi || (tid != first->pi->owner->tid && !((word & FUTEX_OWNER_DIED) && tid == 0)))
        return -EINVAL;
    *ret_owner = first->pi->owner;
    return 0;
}

/* The lock at `address` for thread `to` (`t` or one that waits for it). 1: it has it; 0: *ret_owner has it,
 * and knows by the word that somebody waits; -errno. */
static int pi_take(struct thread *t, uint64_t address, const struct futex_key *key, struct thread *to,
                   bool others_wait, struct thread **ret_owner) {
    struct kernel *k = t->process->kernel;
    const struct futex_waiter *first = futex_first(k, key);
    uint32_t word;
    int r = pi_read(t, address, &word);
    if (r < 0)
        return r;
    if ((word & FUTEX_TID_MASK) == to->tid)
        return -EDEADLK;
    if (first)
        return pi_find_owner(k, key, word, ret_owner);
    if ((word & FUTEX_TID_MASK) == 0) {
        uint32_t taken = (word & FUTEX_OWNER_DIED) | to->tid | (others_wait ? FUTEX_WAITERS : 0);
        r = pi_write(t, address, taken);
        return r < 0 ? r : 1;
    }
    r = pi_write(t, address, word | FUTEX_WAITERS);
    return r < 0 ? r : pi_find_owner(k, key, word, ret_owner);
}

/* Whether `owner` waits, perhaps through others, for a lock of the thread. */
static bool pi_would_deadlock(const struct thread *t, const struct thread *owner) {
    while (owner && owner != t)
        owner = owner->futex.pi ? owner->futex.pi->owner : NULL;
    return owner == t;
}

/* The waiter, in no queue, now waits for the lock. */
static int pi_join(struct futex_waiter *w, struct thread *t, const struct futex_key *key,
                   struct thread *owner) {
    struct kernel *k = t->process->kernel;
    const struct futex_waiter *first = futex_first(k, key);
    if (pi_would_deadlock(t, owner))
        return -EDEADLK;
    struct futex_pi *pi = first ? first->pi : NULL;
    if (!pi) {
        pi = inject_calloc(k->config.inject, 1, sizeof *pi);
        if (!pi)
            return -ENOMEM;
        pi->key = *key;
        pi_set_owner(pi, owner);
    }
    pi->waiters++;
    w->pi = pi;
    futex_enqueue(w, t, key, FUTEX_BITSET_MATCH_ANY);
    return 0;
}

static long pi_wait(struct thread *t, long interrupted) {
    struct futex_waiter *w = &t->futex;
    if (w->woken) {
        w->woken = false;
        return 0;
    }
    bool late = clock_now(t->process->kernel) >= t->call.deadline;
    if (late || t->call.interrupted) {
        futex_leave(t);
        t->call.scratch = 0;
        return late ? -ETIMEDOUT : interrupted;
    }
    sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

long futex_lock_pi(struct thread *t, const struct futex_key *key, bool try_only) {
    struct thread *owner;
    if (t->call.scratch)
        return pi_wait(t, -K_ERESTARTNOINTR);
    int r = pi_take(t, t->call.args[0], key, t, false, &owner);
    if (r != 0)
        return r < 0 ? r : 0;
    if (try_only)
        return -EAGAIN;
    t->futex.address = t->call.args[0];
    r = pi_join(&t->futex, t, key, owner);
    if (r < 0)
        return r;
    t->call.scratch = 1;
    sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

/* ---- giving back ---- */

/* The first waiter owns it from now on; the word in its memory says so. */
static int pi_hand_over(struct futex_waiter *w, uint32_t died) {
    struct futex_pi *pi = w->pi;
    struct thread *to = w->thread;
    uint32_t word = to->tid | FUTEX_WAITERS | died;
    int r = user_write(to->process->space, w->address, &word, sizeof word) < 0 ? -EFAULT : 0;
    if (r < 0 && !died)
        return r;
    pi_set_owner(pi, to);
    w->pi = NULL;
    futex_complete(w);
    pi_unref(pi);
    return 0;
}

int futex_check_owner(struct thread *t) {
    uint32_t word;
    int r = pi_read(t, t->call.args[0], &word);
    if (r < 0)
        return r;
    return (word & FUTEX_TID_MASK) == t->tid ? 0 : -EPERM;
}

long futex_unlock_pi(struct thread *t, const struct futex_key *key) {
    struct futex_waiter *first = futex_first(t->process->kernel, key);
    if (!first)
        return pi_write(t, t->call.args[0], 0);
    if (!first->pi || first->pi->owner != t)
        return -EINVAL;
    return pi_hand_over(first, 0);
}

void futex_pi_exit(struct thread *t) {
    struct futex_pi *pi;
    while ((pi = LIST_FIRST(&t->pi_owned)))
        (void)pi_hand_over(futex_first(t->process->kernel, &pi->key), FUTEX_OWNER_DIED);
}

/* ---- condition variables with a priority-inheriting mutex ---- */

long futex_wait_requeue_pi(struct thread *t, const struct futex_key *from, const struct futex_key *to) {
    struct futex_waiter *w = &t->futex;
    if (t->call.scratch)
        return pi_wait(t, w->pi ? -EAGAIN : -K_ERESTARTNOINTR);
    futex_enqueue(w, t, from, FUTEX_BITSET_MATCH_ANY);
    w->requeues_to_pi = true;
    w->target = *to;
    w->address = t->call.args[4];
    t->call.scratch = 1;
    sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

/* One waiter moves on to the lock: it gets it, or waits for it from now on. */
static int requeue_one(struct thread *t, struct futex_waiter *w, const struct futex_key *to,
                       bool others_wait) {
    struct thread *owner;
    if (!w->requeues_to_pi || !futex_key_equals(&w->target, to))
        return -EINVAL;
    int r = pi_take(t, t->call.args[4], to, w->thread, others_wait, &owner);
    if (r < 0)
        return r;
    if (r == 1) {
        w->requeues_to_pi = false;
        futex_complete(w);
        return 0;
    }
    struct futex_key from = w->key;
    futex_dequeue(w);
    r = pi_join(w, w->thread, to, owner);
    if (r < 0) /* it stays where it was */
        futex_enqueue(w, w->thread, &from, FUTEX_BITSET_MATCH_ANY);
    else
        w->requeues_to_pi = false;
    return r;
}

long futex_requeue_pi(struct thread *t, const struct futex_key *from, const struct futex_key *to, int count) {
    struct futex_waiter *w;
    int done = 0;
    while (done - 1 < count && (w = futex_first(t->process->kernel, from))) {
        int r = requeue_one(t, w, to, count > 0);
        if (r < 0)
            return r;
        done++;
    }
    return done;
}
