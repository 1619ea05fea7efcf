/* futex(2) and futex_waitv(2): the calls. The queues are futex.c's, locks with an owner futex_pi.c's, the
 * locks of threads that end futex_robust.c's.
 *
 * Source: Linux 6.1 kernel/futex/syscalls.c, waitwake.c, requeue.c. As there, a wake-up of none wakes one. */
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/futex/futex.h"
#include "kernel/syscall.h"

/* What a waiting call keeps in call.scratch. */
enum { FUTEX_NOT_QUEUED, FUTEX_QUEUED };

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* ---- time ---- */

enum futex_clock { FUTEX_RELATIVE, FUTEX_MONOTONIC, FUTEX_REALTIME };

/* call.deadline from the timespec at `address` (0: none), at the first attempt only: restart_syscall keeps
 * it. */
static int futex_set_deadline(struct thread *t, uint64_t address, enum futex_clock clock) {
    struct kernel *k = t->process->kernel;
    struct timespec time;
    uint64_t now = clock_now(k), ns;
    if (t->call.deadline)
        return 0;
    t->call.deadline = UINT64_MAX;
    if (address == 0)
        return 0;
    if (user_read(t->process->space, address, &time, sizeof time) < 0)
        return -EFAULT;
    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= 1000000000)
        return -EINVAL;
    if (__builtin_mul_overflow((uint64_t)time.tv_sec, 1000000000u, &ns) ||
        __builtin_add_overflow(ns, (uint64_t)time.tv_nsec, &ns))
        return 0;
    uint64_t zero = clock == FUTEX_RELATIVE ? 0 : clock == FUTEX_MONOTONIC ? now : clock_realtime(k);
    t->call.deadline = ns <= zero ? now : now + min_u64(ns - zero, UINT64_MAX - 1 - now);
    return 0;
}

/* ---- waiting and waking ---- */

static long futex_wait_first(struct thread *t, const struct futex_key *key, uint32_t bits) {
    uint32_t word;
    if (user_read(t->process->space, t->call.args[0], &word, sizeof word) < 0)
        return -EFAULT;
    if (word != (uint32_t)t->call.args[2])
        return -EAGAIN;
    futex_enqueue(&t->futex, t, key, bits);
    t->call.scratch = FUTEX_QUEUED;
    sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

static long futex_wait(struct thread *t, const struct futex_key *key, uint32_t bits) {
    if (t->call.scratch == FUTEX_NOT_QUEUED)
        return futex_wait_first(t, key, bits);
    if (t->futex.woken)
        return 0;
    bool late = clock_now(t->process->kernel) >= t->call.deadline;
    if (late || t->call.interrupted) {
        futex_leave(t);
        t->call.scratch = FUTEX_NOT_QUEUED;
        return late ? -ETIMEDOUT : t->call.args[3] ? -K_ERESTART_RESTARTBLOCK : -K_ERESTARTSYS;
    }
    sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

/* Those behind the first `wake` of `from`, which are woken, are moved to `to`. How many both are. */
static long futex_requeue(struct kernel *k, const struct futex_key *from, const struct futex_key *to,
                          int wake, int move) {
    struct futex_waiter *w, *next, *last = NULL;
    long done = 0;
    for (w = futex_first(k, from); w; w = futex_next(w))
        last = w;
    for (w = futex_first(k, from); w && done - wake < move; w = next) {
        next = w == last ? NULL : futex_next(w); /* those behind it were moved there just now */
        if (w->pi || w->requeues_to_pi)
            return -EINVAL;
        uint32_t bits = w->bits;
        if (++done <= wake) {
            futex_complete(w);
        } else if (!futex_key_equals(from, to)) {
            futex_dequeue(w);
            futex_enqueue(w, w->thread, to, bits);
        }
    }
    return done;
}

static long futex_two(struct thread *t, const uint64_t args[6], const struct futex_key *first, int command) {
    struct kernel *k = t->process->kernel;
    bool private = args[1] & FUTEX_PRIVATE_FLAG, to_lock = command == FUTEX_CMP_REQUEUE_PI;
    struct futex_key second;
    uint32_t word;
    int r = futex_get_key(t, args[4], private, to_lock ? FUTEX_ACCESS_WRITE : FUTEX_ACCESS_READ, &second);
    if (r < 0)
        return r;
    if (to_lock && futex_key_equals(first, &second))
        return -EINVAL;
    if (command != FUTEX_REQUEUE) {
        if (user_read(t->process->space, args[0], &word, sizeof word) < 0)
            return -EFAULT;
        if (word != (uint32_t)args[5])
            return -EAGAIN;
    }
    return to_lock ? futex_requeue_pi(t, first, &second, (int)args[3])
                   : futex_requeue(k, first, &second, (int)args[2], (int)args[3]);
}

/* ---- FUTEX_WAKE_OP ---- */

/* False: there is no such operation. */
static bool futex_operate(uint32_t old, uint32_t encoded, uint32_t *ret_new) {
    uint32_t operand = encoded >> 12 & 0xfff;
    if (encoded >> 31)
        operand = 1u << (operand & 31);
    else
        operand = (uint32_t)((int32_t)(operand << 20) >> 20);
    switch (encoded >> 28 & 7) {
    case FUTEX_OP_SET: *ret_new = operand; return true;
    case FUTEX_OP_ADD: *ret_new = old + operand; return true;
    case FUTEX_OP_OR: *ret_new = old | operand; return true;
    case FUTEX_OP_ANDN: *ret_new = old & ~operand; return true;
    case FUTEX_OP_XOR: *ret_new = old ^ operand; return true;
    default: return false;
    }
}

/* 1, 0, or -ENOSYS: there is no such comparison. */
static int futex_compare(uint32_t old, uint32_t encoded) {
    int32_t a = (int32_t)old, b = (int32_t)(encoded << 20) >> 20;
    switch (encoded >> 24 & 15) {
    case FUTEX_OP_CMP_EQ: return a == b;
    case FUTEX_OP_CMP_NE: return a != b;
    case FUTEX_OP_CMP_LT: return a < b;
    case FUTEX_OP_CMP_LE: return a <= b;
    case FUTEX_OP_CMP_GT: return a > b;
    case FUTEX_OP_CMP_GE: return a >= b;
    default: return -ENOSYS;
    }
}

static long futex_wake_op(struct thread *t, const uint64_t args[6], const struct futex_key *first) {
    struct kernel *k = t->process->kernel;
    struct futex_key second;
    uint32_t old, changed;
    int r = futex_get_key(t, args[4], args[1] & FUTEX_PRIVATE_FLAG, FUTEX_ACCESS_WRITE, &second);
    if (r < 0)
        return r;
    if (user_read(t->process->space, args[4], &old, sizeof old) < 0)
        return -EFAULT;
    if (!futex_operate(old, (uint32_t)args[5], &changed))
        return -ENOSYS;
    if (user_write(t->process->space, args[4], &changed, sizeof changed) < 0)
        return -EFAULT;
    int wake = futex_compare(old, (uint32_t)args[5]);
    int woken = wake < 0 ? wake : futex_wake_key(k, first, (int)args[2], FUTEX_BITSET_MATCH_ANY);
    if (woken < 0 || !wake)
        return woken;
    r = futex_wake_key(k, &second, (int)args[3], FUTEX_BITSET_MATCH_ANY);
    return r < 0 ? r : woken + r;
}

/* ---- futex(2) ---- */

/* Commands that take a time-out, and what it means. False: args[3] is something else. */
static bool futex_takes_time(int operation, enum futex_clock *ret_clock) {
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT: *ret_clock = FUTEX_RELATIVE; return true;
    case FUTEX_LOCK_PI: *ret_clock = FUTEX_REALTIME; return true;
    case FUTEX_LOCK_PI2:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
        *ret_clock = operation & FUTEX_CLOCK_REALTIME ? FUTEX_REALTIME : FUTEX_MONOTONIC;
        return true;
    default: return false;
    }
}

static enum futex_access futex_first_access(int command) {
    bool writes = command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2 || command == FUTEX_TRYLOCK_PI ||
                  command == FUTEX_UNLOCK_PI;
    return writes ? FUTEX_ACCESS_WRITE : FUTEX_ACCESS_READ;
}

/* What can be said of the arguments without looking at memory. */
static int futex_check(const uint64_t args[6]) {
    int operation = (int)args[1], command = operation & FUTEX_CMD_MASK;
    bool negative = (int)args[2] < 0 || (int)args[3] < 0;
    switch (command) {
    case FUTEX_WAIT_BITSET: return (uint32_t)args[5] == 0 ? -EINVAL : 0;
    case FUTEX_WAIT_REQUEUE_PI: return args[0] == args[4] ? -EINVAL : 0;
    case FUTEX_LOCK_PI2: return 0;
    default: break;
    }
    if (operation & FUTEX_CLOCK_REALTIME)
        return -ENOSYS;
    switch (command) {
    case FUTEX_WAKE_BITSET: return (uint32_t)args[5] == 0 ? -EINVAL : 0;
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: return negative ? -EINVAL : 0;
    case FUTEX_CMP_REQUEUE_PI: return negative || args[0] == args[4] || (int)args[2] != 1 ? -EINVAL : 0;
    case FUTEX_WAIT:
    case FUTEX_WAKE:
    case FUTEX_WAKE_OP:
    case FUTEX_LOCK_PI:
    case FUTEX_TRYLOCK_PI:
    case FUTEX_UNLOCK_PI: return 0;
    default: return -ENOSYS;
    }
}

static long futex_wait_on_condition(struct thread *t, const struct futex_key *key) {
    const uint64_t *args = t->call.args;
    struct futex_key target;
    uint32_t word;
    int r = futex_get_key(t, args[4], args[1] & FUTEX_PRIVATE_FLAG, FUTEX_ACCESS_WRITE, &target);
    if (r < 0)
        return r;
    if (t->call.scratch == FUTEX_NOT_QUEUED) {
        if (user_read(t->process->space, args[0], &word, sizeof word) < 0)
            return -EFAULT;
        if (word != (uint32_t)args[2])
            return -EAGAIN;
        if (futex_key_equals(key, &target))
            return -EINVAL;
    }
    return futex_wait_requeue_pi(t, key, &target);
}

static long sys_futex(struct thread *t, const uint64_t args[6]) {
    int operation = (int)args[1], command = operation & FUTEX_CMD_MASK;
    struct kernel *k = t->process->kernel;
    struct futex_key key;
    enum futex_clock clock = FUTEX_RELATIVE;
    bool timed = futex_takes_time(operation, &clock);
    int r = futex_set_deadline(t, timed ? args[3] : 0, clock);
    if (r == 0)
        r = futex_check(args);
    if (r == 0 && command == FUTEX_UNLOCK_PI)
        r = futex_check_owner(t);
    if (r == 0 && t->call.scratch == FUTEX_NOT_QUEUED)
        r = futex_get_key(t, args[0], operation & FUTEX_PRIVATE_FLAG, futex_first_access(command), &key);
    if (r < 0)
        return r;
    switch (command) {
    case FUTEX_WAIT: return futex_wait(t, &key, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAIT_BITSET: return futex_wait(t, &key, (uint32_t)args[5]);
    case FUTEX_WAKE: return futex_wake_key(k, &key, (int)args[2], FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET: return futex_wake_key(k, &key, (int)args[2], (uint32_t)args[5]);
    case FUTEX_WAKE_OP: return futex_wake_op(t, args, &key);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2: return futex_lock_pi(t, &key, false);
    case FUTEX_TRYLOCK_PI: return futex_lock_pi(t, &key, true);
    case FUTEX_UNLOCK_PI: return futex_unlock_pi(t, &key);
    case FUTEX_WAIT_REQUEUE_PI: return futex_wait_on_condition(t, &key);
    default: return futex_two(t, args, &key, command);
    }
}

/* ---- futex_waitv(2) ---- */

struct futex_wanted {
    uint64_t value, address;
    uint32_t flags, reserved;
};
enum { FUTEX_WAITV_LIMIT = 128, FUTEX_WAITV_32 = 2 };

/* Joins the queues one after the other. The number of one whose word has another value already: -EAGAIN. */
static int waitv_enqueue(struct thread *t, const struct futex_wanted *wanted, unsigned count) {
    struct futex_key key;
    uint32_t word;
    for (unsigned i = 0; i < count; i++) {
        bool private = wanted[i].flags & FUTEX_PRIVATE_FLAG;
        int r = futex_get_key(t, wanted[i].address, private, FUTEX_ACCESS_READ, &key);
        if (r < 0)
            return r;
        if (user_read(t->process->space, wanted[i].address, &word, sizeof word) < 0)
            return -EFAULT;
        if (word != (uint32_t)wanted[i].value)
            return -EAGAIN;
        futex_enqueue(&t->futex_vector[i], t, &key, FUTEX_BITSET_MATCH_ANY);
    }
    return 0;
}

static long waitv_first(struct thread *t, const uint64_t args[6]) {
    struct futex_wanted wanted[FUTEX_WAITV_LIMIT];
    unsigned count = (unsigned)args[1];
    if (user_read(t->process->space, args[0], wanted, count * sizeof *wanted) < 0)
        return -EFAULT;
    for (unsigned i = 0; i < count; i++)
        if ((wanted[i].flags & ~(uint32_t)FUTEX_PRIVATE_FLAG) != FUTEX_WAITV_32 || wanted[i].reserved ||
            wanted[i].value > UINT32_MAX)
            return -EINVAL;
    t->futex_vector = inject_calloc(t->process->kernel->config.inject, count, sizeof *t->futex_vector);
    if (!t->futex_vector)
        return -ENOMEM;
    t->futex_count = count;
    int r = waitv_enqueue(t, wanted, count);
    if (r < 0) {
        futex_leave(t);
        return r;
    }
    t->call.scratch = FUTEX_QUEUED;
    sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

/* The number of the last one that was woken, as Linux tells it; -1: none. */
static long waitv_woken(const struct thread *t) {
    for (unsigned i = t->futex_count; i > 0; i--)
        if (t->futex_vector[i - 1].woken)
            return (long)i - 1;
    return -1;
}

static long waitv_again(struct thread *t) {
    long woken = waitv_woken(t);
    bool late = clock_now(t->process->kernel) >= t->call.deadline;
    if (woken < 0 && !late && !t->call.interrupted) {
        sched_sleep_until(t, t->call.deadline);
        return SYS_SLEEP;
    }
    futex_leave(t);
    t->call.scratch = FUTEX_NOT_QUEUED;
    return woken >= 0 ? woken : late ? -ETIMEDOUT : -K_ERESTARTSYS;
}

static long sys_futex_waitv(struct thread *t, const uint64_t args[6]) {
    if (t->call.scratch == FUTEX_QUEUED)
        return waitv_again(t);
    if ((uint32_t)args[2] || (uint32_t)args[1] == 0 || (uint32_t)args[1] > FUTEX_WAITV_LIMIT || !args[0])
        return -EINVAL;
    if (args[3] && (int)args[4] != CLOCK_REALTIME && (int)args[4] != CLOCK_MONOTONIC)
        return -EINVAL;
    int r = futex_set_deadline(t, args[3], (int)args[4] == CLOCK_REALTIME ? FUTEX_REALTIME : FUTEX_MONOTONIC);
    return r < 0 ? r : waitv_first(t, args);
}

const struct syscall_entry syscalls_futex[] = {
    {SYS_futex, "futex", sys_futex},
    {SYS_futex_waitv, "futex_waitv", sys_futex_waitv},
    {-1, NULL, NULL},
};
