/* Futexes: waiting for a word of user memory. The queues are futex.c's, priority inheritance futex_pi.c's,
 * the calls sys_futex.c's. */
#ifndef KERNEL_FUTEX_H
#define KERNEL_FUTEX_H

#include "kernel/process/process.h"

/* A priority-inheriting lock that somebody waits for: the word names its owner, and the kernel knows who
 * waits (Linux: pi_state). It is there iff it has waiters. */
struct futex_pi {
    LIST_ENTRY(futex_pi) of_owner;
    struct futex_key key;
    struct thread *owner; /* never NULL */
    unsigned waiters;
};

/* ---- futex.c ---- */

enum futex_access { FUTEX_ACCESS_READ, FUTEX_ACCESS_WRITE };
/* What the word is known by: `private` to this address space, or wherever its page is mapped. 0, -EINVAL (not
 * aligned) or -EFAULT. */
int futex_get_key(struct thread *, uint64_t address, bool private, enum futex_access,
                  struct futex_key *ret_key);
bool futex_key_equals(const struct futex_key *, const struct futex_key *);
/* The waiter joins the end of its word's queue; it must not be in one. */
void futex_enqueue(struct futex_waiter *, struct thread *, const struct futex_key *, uint32_t bits);
void futex_dequeue(struct futex_waiter *);
/* The first that waits for the word, NULL: nobody. */
struct futex_waiter *futex_first(struct kernel *, const struct futex_key *);
/* The next one behind it that waits for the same word. */
struct futex_waiter *futex_next(const struct futex_waiter *);
/* It has what it waited for. */
void futex_complete(struct futex_waiter *);
/* Wakes at most `count` (at least one) of those who wait for one of `bits`, in the order they came. How many,
 * or -EINVAL when somebody waits for a lock there. */
int futex_wake_key(struct kernel *, const struct futex_key *, int count, uint32_t bits);
/* The same for a word that ends being a thread's number or a lock of a dead owner:
 * whatever key they wait by. */
void futex_wake_all_keys(struct thread *, uint64_t address, int count);
/* The thread waits no longer: it was interrupted, or ends. */
void futex_leave(struct thread *);

/* ---- futex_pi.c ---- */

long futex_lock_pi(struct thread *, const struct futex_key *, bool try_only);
/* Whether the thread owns the lock, as its word says: 0, -EPERM or -EFAULT. Asked
 * before futex_unlock_pi(). */
int futex_check_owner(struct thread *);
long futex_unlock_pi(struct thread *, const struct futex_key *);
/* FUTEX_WAIT_REQUEUE_PI once it was woken, and FUTEX_CMP_REQUEUE_PI once the word was compared. */
long futex_wait_requeue_pi(struct thread *, const struct futex_key *from, const struct futex_key *to);
long futex_requeue_pi(struct thread *, const struct futex_key *from, const struct futex_key *to, int count);
/* A waiter gives up the lock that it waits for. */
void futex_pi_abandon(struct futex_waiter *);
/* A thread ends (or executes another program): what it owns goes to those who wait for it. */
void futex_pi_exit(struct thread *);

/* ---- futex_robust.c ---- */

/* A thread ends: the locks on its robust list are marked as left by a dead owner, and their waiters told. */
void futex_release_robust(struct thread *);

#endif
