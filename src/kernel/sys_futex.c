/* futex(2): threads that sleep on a word of user memory. A word of private memory is known by its address
 * space and address, one of shared memory by its object and the offset in it, so that processes that map the
 * same file meet. Priority-inheriting futexes are not implemented (ENOSYS).
 *
 * Source: Linux 6.1 kernel/futex/. Invariant: a thread is on futex_waiters iff futex_waiting. */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "kernel/futex.h"
#include "kernel/syscall.h"

struct futex_key {
    const void *base;
    uint64_t offset;
};

/* What futex_wait keeps in call.scratch. */
enum { FUTEX_NOT_QUEUED, FUTEX_QUEUED, FUTEX_WOKEN };

static int futex_get_key(struct thread *t, uint64_t address, int operation, struct futex_key *ret_key) {
    struct space *s = t->process->space;
    struct mapping_view view;
    if (address % sizeof(uint32_t))
        return -EINVAL;
    if (address >= USER_END)
        return -EFAULT;
    *ret_key = (struct futex_key){s, address};
    if ((operation & FUTEX_PRIVATE_FLAG) || !space_next_mapping(s, address, false, &view))
        return 0;
    if (view.start <= address && view.shared && view.object)
        *ret_key = (struct futex_key){view.object, view.offset + (address - view.start)};
    return 0;
}

static bool futex_matches(const struct thread *waiter, const struct futex_key *key, uint32_t bits) {
    return waiter->futex_base == key->base && waiter->futex_offset == key->offset &&
           (waiter->futex_bits & bits);
}

static void futex_enter(struct thread *t, const struct futex_key *key, uint32_t bits) {
    t->futex_waiting = true;
    t->futex_base = key->base;
    t->futex_offset = key->offset;
    t->futex_bits = bits;
    TAILQ_INSERT_TAIL(&t->process->kernel->futex_waiters, t, of_futex);
}

void futex_leave(struct thread *t) {
    if (!t->futex_waiting)
        return;
    t->futex_waiting = false;
    TAILQ_REMOVE(&t->process->kernel->futex_waiters, t, of_futex);
}

static int futex_wake_key(struct kernel *k, const struct futex_key *key, int count, uint32_t bits) {
    struct thread *waiter, *next;
    int woken = 0;
    TAILQ_FOREACH_SAFE(waiter, &k->futex_waiters, of_futex, next) {
        if (woken >= count)
            break;
        if (!futex_matches(waiter, key, bits))
            continue;
        futex_leave(waiter);
        waiter->call.scratch = FUTEX_WOKEN;
        sched_make_runnable(waiter);
        woken++;
    }
    return woken;
}

/* Private and shared waiters on one address have different keys only if it is shared memory: the end of a
 * thread is told to both. */
int futex_wake(struct thread *t, uint64_t address, int count, uint32_t bits) {
    struct futex_key key, private_key = {t->process->space, address};
    int r = futex_get_key(t, address, 0, &key);
    if (r < 0)
        return r;
    r = futex_wake_key(t->process->kernel, &key, count, bits);
    if (key.base != private_key.base)
        r += futex_wake_key(t->process->kernel, &private_key, count - r, bits);
    return r;
}

static int futex_requeue(struct kernel *k, const struct futex_key *from, const struct futex_key *to,
                         int count) {
    struct thread *waiter, *next, *last = TAILQ_LAST(&k->futex_waiters, thread_queue);
    int moved = 0;
    TAILQ_FOREACH_SAFE(waiter, &k->futex_waiters, of_futex, next) {
        bool at_end = waiter == last;
        if (moved < count && futex_matches(waiter, from, UINT32_MAX)) {
            uint32_t bits = waiter->futex_bits;
            futex_leave(waiter);
            futex_enter(waiter, to, bits);
            moved++;
        }
        if (at_end) /* those behind it were moved there just now */
            break;
    }
    return moved;
}

/* ---- waiting ---- */

/* *ret_deadline in machine time; UINT64_MAX without a timeout. FUTEX_WAIT's is relative, the others'
 * absolute. */
static int futex_get_deadline(struct thread *t, const uint64_t args[6], uint64_t *ret_deadline) {
    struct kernel *k = t->process->kernel;
    int operation = (int)args[1];
    struct timespec time;
    *ret_deadline = UINT64_MAX;
    if (args[3] == 0)
        return 0;
    if (user_read(t->process->space, args[3], &time, sizeof time) < 0)
        return -EFAULT;
    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= 1000000000)
        return -EINVAL;
    uint64_t now = clock_now(k), ns;
    if (__builtin_mul_overflow((uint64_t)time.tv_sec, 1000000000u, &ns) ||
        __builtin_add_overflow(ns, (uint64_t)time.tv_nsec, &ns))
        return 0;
    if ((operation & FUTEX_CMD_MASK) == FUTEX_WAIT) {
        *ret_deadline = now + min_u64(ns, UINT64_MAX - now);
    } else if (operation & FUTEX_CLOCK_REALTIME) {
        uint64_t real = clock_realtime(k);
        *ret_deadline = ns <= real ? now : now + (ns - real);
    } else {
        *ret_deadline = ns;
    }
    return 0;
}

static long futex_wait_first(struct thread *t, const uint64_t args[6], uint32_t bits) {
    struct futex_key key;
    uint32_t word;
    int r = futex_get_key(t, args[0], (int)args[1], &key);
    if (r == 0 && t->call.deadline == 0) /* else restart_syscall: the old one holds */
        r = futex_get_deadline(t, args, &t->call.deadline);
    if (r < 0)
        return r;
    if (user_read(t->process->space, args[0], &word, sizeof word) < 0)
        return -EFAULT;
    if (word != (uint32_t)args[2])
        return -EAGAIN;
    futex_enter(t, &key, bits);
    t->call.scratch = FUTEX_QUEUED;
    sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

static long futex_wait(struct thread *t, const uint64_t args[6], uint32_t bits) {
    if (bits == 0)
        return -EINVAL;
    if (t->call.scratch == FUTEX_WOKEN)
        return 0;
    if (t->call.scratch == FUTEX_NOT_QUEUED)
        return futex_wait_first(t, args, bits);
    if (clock_now(t->process->kernel) >= t->call.deadline) {
        futex_leave(t);
        return -ETIMEDOUT;
    }
    if (t->call.interrupted) {
        futex_leave(t);
        t->call.scratch = FUTEX_NOT_QUEUED;
        return args[3] ? -K_ERESTART_RESTARTBLOCK : -K_ERESTARTSYS;
    }
    sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

/* ---- FUTEX_WAKE_OP ---- */

static bool futex_operate(uint32_t old, uint32_t encoded, uint32_t *ret_new, bool *ret_wake) {
    uint32_t operand = encoded >> 12 & 0xfff, comparand = encoded & 0xfff;
    int32_t a = (int32_t)old, b = (int32_t)(comparand << 20) >> 20;
    if (encoded >> 31)
        operand = 1u << (operand & 31);
    else
        operand = (uint32_t)((int32_t)(operand << 20) >> 20);
    switch (encoded >> 28 & 7) {
    case FUTEX_OP_SET: *ret_new = operand; break;
    case FUTEX_OP_ADD: *ret_new = old + operand; break;
    case FUTEX_OP_OR: *ret_new = old | operand; break;
    case FUTEX_OP_ANDN: *ret_new = old & ~operand; break;
    case FUTEX_OP_XOR: *ret_new = old ^ operand; break;
    default: return false;
    }
    switch (encoded >> 24 & 15) {
    case FUTEX_OP_CMP_EQ: *ret_wake = a == b; return true;
    case FUTEX_OP_CMP_NE: *ret_wake = a != b; return true;
    case FUTEX_OP_CMP_LT: *ret_wake = a < b; return true;
    case FUTEX_OP_CMP_LE: *ret_wake = a <= b; return true;
    case FUTEX_OP_CMP_GT: *ret_wake = a > b; return true;
    case FUTEX_OP_CMP_GE: *ret_wake = a >= b; return true;
    default: return false;
    }
}

static long futex_wake_op(struct thread *t, const uint64_t args[6], const struct futex_key *first,
                          const struct futex_key *second) {
    struct kernel *k = t->process->kernel;
    uint32_t old, changed;
    bool wake;
    if (user_read(t->process->space, args[4], &old, sizeof old) < 0)
        return -EFAULT;
    if (!futex_operate(old, (uint32_t)args[5], &changed, &wake))
        return -ENOSYS;
    if (user_write(t->process->space, args[4], &changed, sizeof changed) < 0)
        return -EFAULT;
    int woken = futex_wake_key(k, first, (int)args[2], UINT32_MAX);
    if (wake)
        woken += futex_wake_key(k, second, (int)args[3], UINT32_MAX);
    return woken;
}

static long futex_two(struct thread *t, const uint64_t args[6], int command) {
    struct kernel *k = t->process->kernel;
    struct futex_key first, second;
    uint32_t word;
    int r = futex_get_key(t, args[0], (int)args[1], &first);
    if (r == 0)
        r = futex_get_key(t, args[4], (int)args[1], &second);
    if (r < 0)
        return r;
    if ((int)args[2] < 0 || (int)args[3] < 0)
        return -EINVAL;
    if (command == FUTEX_WAKE_OP)
        return futex_wake_op(t, args, &first, &second);
    if (user_read(t->process->space, args[0], &word, sizeof word) < 0)
        return -EFAULT;
    if (command == FUTEX_CMP_REQUEUE && word != (uint32_t)args[5])
        return -EAGAIN;
    int woken = futex_wake_key(k, &first, (int)args[2], UINT32_MAX);
    int moved = futex_requeue(k, &first, &second, (int)args[3]);
    return command == FUTEX_CMP_REQUEUE ? woken + moved : woken;
}

static long sys_futex(struct thread *t, const uint64_t args[6]) {
    int operation = (int)args[1], command = operation & FUTEX_CMD_MASK;
    struct futex_key key;
    int r;
    switch (command) {
    case FUTEX_WAIT: return futex_wait(t, args, UINT32_MAX);
    case FUTEX_WAIT_BITSET: return futex_wait(t, args, (uint32_t)args[5]);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        r = futex_get_key(t, args[0], operation, &key);
        if (r < 0)
            return r;
        if (command == FUTEX_WAKE_BITSET && (uint32_t)args[5] == 0)
            return -EINVAL;
        return futex_wake_key(t->process->kernel, &key, (int)args[2],
                              command == FUTEX_WAKE ? UINT32_MAX : (uint32_t)args[5]);
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_WAKE_OP: return futex_two(t, args, command);
    default: return -ENOSYS;
    }
}

/* ---- robust lists ---- */

static void futex_release_owned(struct thread *t, uint64_t address) {
    struct space *s = t->process->space;
    uint32_t word;
    if (user_read(s, address, &word, sizeof word) < 0 || (word & FUTEX_TID_MASK) != t->tid)
        return;
    uint32_t dead = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    if (user_write(s, address, &dead, sizeof dead) == 0 && (word & FUTEX_WAITERS))
        futex_wake(t, address, 1, UINT32_MAX);
}

void futex_release_robust(struct thread *t) {
    struct robust_list_head head;
    struct space *s = t->process->space;
    if (!t->robust_list || !s || user_read(s, t->robust_list, &head, sizeof head) < 0)
        return;
    uint64_t entry = (uint64_t)head.list.next & ~1ULL, offset = (uint64_t)head.futex_offset;
    /* the list is the program's and may be circular */
    for (int i = 0; i < ROBUST_LIST_LIMIT && entry != t->robust_list; i++) {
        uint64_t next;
        int r = user_read(s, entry, &next, sizeof next);
        if (entry != (uint64_t)head.list_op_pending)
            futex_release_owned(t, entry + offset);
        if (r < 0)
            return;
        entry = next & ~1ULL;
    }
    if (head.list_op_pending)
        futex_release_owned(t, ((uint64_t)head.list_op_pending & ~1ULL) + offset);
}

static long sys_set_robust_list(struct thread *t, const uint64_t args[6]) {
    if (args[1] != sizeof(struct robust_list_head))
        return -EINVAL;
    t->robust_list = args[0];
    return 0;
}

static long sys_get_robust_list(struct thread *t, const uint64_t args[6]) {
    struct thread *of = args[0] ? thread_find(t->process->kernel, (uint32_t)args[0]) : t;
    uint64_t length = sizeof(struct robust_list_head);
    if (!of)
        return -ESRCH;
    if (user_write(t->process->space, args[2], &length, sizeof length) < 0 ||
        user_write(t->process->space, args[1], &of->robust_list, sizeof of->robust_list) < 0)
        return -EFAULT;
    return 0;
}

const struct syscall_entry syscalls_futex[] = {
    {SYS_futex, "futex", sys_futex},
    {SYS_set_robust_list, "set_robust_list", sys_set_robust_list},
    {SYS_get_robust_list, "get_robust_list", sys_get_robust_list},
    {-1, NULL, NULL},
};
