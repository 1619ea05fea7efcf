/* System V semaphores: semget, semop, semtimedop, semctl, and what SEM_UNDO undoes.
 *
 * A thread that cannot do its operations leaves them in the set's queue (struct sem_wait). Whoever changes a
 * value does the operations of those that can go on now, in the order in which they came, and wakes them: so
 * nobody who comes later gets ahead of them.
 *
 *   semop ─┬─ done ─────────────────────────► result
 *          └─ sem_wait in the queue, asleep ─► done by another │ timeout │ signal │ the set is removed
 *
 * Source: Linux 6.1 ipc/sem.c; semget(2), semop(2), semctl(2). Threads of a process share its undo values. */
#include <errno.h>
#include <stdlib.h>
#include <sys/sem.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/syscall.h"
#include "kernel/sysv/sysv.h"

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

/* What semaphores may cost the host, all sets together; more is -ENOMEM. */
enum { SEM_TOTAL_MAX = 1 << 22, SEM_UNDO_MOST = 32767 };

struct semaphore {
    int value;    /* 0 … SYSV_SEMVMX */
    uint32_t pid; /* of the last operation */
};

/* What is to be added to the semaphores of a set when the process ends. */
struct sem_undo {
    LIST_ENTRY(sem_undo) of_process, of_set;
    struct sem_set *set;
    short adjust[];
};

enum { SEM_PENDING = 1 };

struct sem_wait {
    struct sysv_waiter waiter; /* first */
    TAILQ_ENTRY(sem_wait) of_set;
    struct sem_set *set; /* NULL: in no queue any more */
    struct thread *thread;
    int result;          /* SEM_PENDING, 0 or -errno */
    bool alters;         /* else it waits for zeros only */
    unsigned blocked_by; /* the operation that could not be done */
    unsigned count;
    struct sembuf operations[];
};

struct sem_set {
    struct sysv_object head;
    struct kernel *kernel;
    time_t operation_time, change_time;
    LIST_HEAD(, sem_undo) undos;
    TAILQ_HEAD(, sem_wait) waits;
    unsigned count;
    struct semaphore semaphores[];
};

static struct sysv_table *sets_of(struct thread *t) {
    return &t->process->kernel->sysv->sets;
}

static struct sem_set *set_find(struct thread *t, int id) {
    return (struct sem_set *)sysv_find(sets_of(t), id);
}

/* ---- sets ---- */

static void wait_end(struct sem_wait *w, int result) {
    TAILQ_REMOVE(&w->set->waits, w, of_set);
    w->set = NULL;
    w->result = result;
    sched_wake(w->thread->process->kernel, w);
}

static void undo_free(struct sem_undo *undo) {
    LIST_REMOVE(undo, of_process);
    LIST_REMOVE(undo, of_set);
    free(undo);
}

static void set_destroy(struct sem_set *set) {
    struct sysv *sysv = set->kernel->sysv;
    while (!TAILQ_EMPTY(&set->waits))
        wait_end(TAILQ_FIRST(&set->waits), -EIDRM);
    while (!LIST_EMPTY(&set->undos))
        undo_free(LIST_FIRST(&set->undos));
    sysv->semaphores -= set->count;
    sysv_remove(&sysv->sets, &set->head);
    free(set);
}

void sysv_free_set(struct kernel *k, struct sysv_object *head) {
    set_destroy((struct sem_set *)head);
}

const char *sysv_check_set(const struct sysv_object *head) {
    const struct sem_set *set = (const struct sem_set *)head;
    const struct sem_wait *w;
    for (unsigned i = 0; i < set->count; i++)
        if (set->semaphores[i].value < 0 || set->semaphores[i].value > SYSV_SEMVMX)
            return "a semaphore has an impossible value";
    TAILQ_FOREACH(w, &set->waits, of_set)
        if (w->set != set || w->result != SEM_PENDING || w->thread->ipc_waiter != &w->waiter)
            return "a thread waits at a semaphore and does not know it";
    return NULL;
}

static bool set_fits(const struct sysv_object *head, uint64_t count) {
    return count <= ((const struct sem_set *)head)->count;
}

static long set_create(struct thread *t, key_t key, int count, int flags) {
    struct kernel *k = t->process->kernel;
    if (count == 0)
        return -EINVAL;
    if (k->sysv->semaphores + (unsigned)count > SEM_TOTAL_MAX)
        return -ENOMEM;
    struct sem_set *set =
        inject_calloc(k->config.inject, 1, sizeof *set + (size_t)count * sizeof set->semaphores[0]);
    if (!set)
        return -ENOMEM;
    int id = sysv_add(k, &k->sysv->sets, &set->head, key, flags);
    if (id < 0) {
        free(set);
        return id;
    }
    set->kernel = k;
    set->count = (unsigned)count;
    set->change_time = sysv_time(k);
    k->sysv->semaphores += set->count;
    LIST_INIT(&set->undos);
    TAILQ_INIT(&set->waits);
    return id;
}

static long sys_semget(struct thread *t, const uint64_t args[6]) {
    struct sysv_object *found;
    int count = (int)args[1], flags = (int)args[2];
    if (count < 0 || count > SYSV_SEMMSL)
        return -EINVAL;
    int r = sysv_get(sets_of(t), (key_t)args[0], flags, set_fits, (uint64_t)count, &found);
    if (r == 1)
        return set_create(t, (key_t)args[0], count, flags);
    return r < 0 ? r : found->id;
}

/* ---- operations ---- */

static struct sem_undo *undo_find(const struct process *p, const struct sem_set *set) {
    struct sem_undo *undo;
    LIST_FOREACH(undo, &p->sem_undos, of_process)
        if (undo->set == set)
            return undo;
    return NULL;
}

static struct sem_undo *undo_get(struct process *p, struct sem_set *set) {
    struct sem_undo *undo = undo_find(p, set);
    if (undo)
        return undo;
    undo = inject_calloc(p->kernel->config.inject, 1, sizeof *undo + set->count * sizeof undo->adjust[0]);
    if (!undo)
        return NULL;
    undo->set = set;
    LIST_INSERT_HEAD(&p->sem_undos, undo, of_process);
    LIST_INSERT_HEAD(&set->undos, undo, of_set);
    return undo;
}

/* The first `count` operations are taken back. */
static void operations_revert(struct sem_set *set, const struct sembuf *operations, unsigned count,
                              struct sem_undo *undo) {
    while (count-- > 0) {
        const struct sembuf *op = &operations[count];
        set->semaphores[op->sem_num].value -= op->sem_op;
        if (op->sem_flg & SEM_UNDO)
            undo->adjust[op->sem_num] = (short)(undo->adjust[op->sem_num] + op->sem_op);
    }
}

/* Does one operation. 0, SEM_PENDING (it would have to wait) or -ERANGE. */
static int operation_do(struct sem_set *set, const struct sembuf *op, struct sem_undo *undo) {
    struct semaphore *s = &set->semaphores[op->sem_num];
    int value = s->value + op->sem_op;
    if (op->sem_op == 0 ? s->value != 0 : value < 0)
        return SEM_PENDING;
    if (value > SYSV_SEMVMX)
        return -ERANGE;
    if (op->sem_flg & SEM_UNDO) {
        int adjust = undo->adjust[op->sem_num] - op->sem_op;
        if (adjust < -SEM_UNDO_MOST - 1 || adjust > SEM_UNDO_MOST)
            return -ERANGE;
        undo->adjust[op->sem_num] = (short)adjust;
    }
    s->value = value;
    return 0;
}

/* All or none of them. 0, -EAGAIN (IPC_NOWAIT), -ERANGE, or SEM_PENDING with *ret_blocked_by. */
static int operations_try(struct process *p, struct sem_set *set, const struct sembuf *operations,
                          unsigned count, unsigned *ret_blocked_by) {
    struct sem_undo *undo = undo_find(p, set);
    for (unsigned i = 0; i < count; i++) {
        int r = operation_do(set, &operations[i], undo);
        if (r == 0)
            continue;
        operations_revert(set, operations, i, undo);
        *ret_blocked_by = i;
        return r == SEM_PENDING && (operations[i].sem_flg & IPC_NOWAIT) ? -EAGAIN : r;
    }
    for (unsigned i = 0; i < count; i++)
        set->semaphores[operations[i].sem_num].pid = p->pid;
    set->operation_time = sysv_time(p->kernel);
    return 0;
}

/* The first that waits (for zeros, or to alter something) and can go on. */
static struct sem_wait *set_next(struct sem_set *set, bool alters) {
    struct sem_wait *w, *next;
    TAILQ_FOREACH_SAFE(w, &set->waits, of_set, next) {
        if (w->alters != alters)
            continue;
        int r = operations_try(w->thread->process, set, w->operations, w->count, &w->blocked_by);
        if (r == SEM_PENDING)
            continue;
        wait_end(w, r);
        if (r == 0)
            return w;
    }
    return NULL;
}

/* Values have changed: those who waited for it go on, those for zero first, as each leaves the set to the
 * next. */
static void set_changed(struct sem_set *set) {
    do {
        while (set_next(set, false))
            continue;
    } while (set_next(set, true));
}

/* ---- semop ---- */

static void wait_leave(struct sysv_waiter *waiter) {
    struct sem_wait *w = (struct sem_wait *)waiter;
    if (w->set)
        TAILQ_REMOVE(&w->set->waits, w, of_set);
    w->thread->ipc_waiter = NULL;
    free(w);
}

static long wait_sleep(struct sem_wait *w) {
    struct thread *t = w->thread;
    sched_sleep_channel(t, w);
    if (t->call.deadline)
        sched_sleep_until(t, t->call.deadline);
    return SYS_SLEEP;
}

static long wait_begin(struct thread *t, struct sem_set *set, const struct sembuf *operations, unsigned count,
                       bool alters, unsigned blocked_by) {
    size_t size = count * sizeof operations[0];
    struct sem_wait *w = inject_malloc(t->process->kernel->config.inject, sizeof *w + size);
    if (!w)
        return -ENOMEM;
    *w = (struct sem_wait){.waiter.leave = wait_leave,
                           .set = set,
                           .thread = t,
                           .result = SEM_PENDING,
                           .alters = alters,
                           .blocked_by = blocked_by,
                           .count = count};
    memcpy(w->operations, operations, size);
    TAILQ_INSERT_TAIL(&set->waits, w, of_set);
    t->ipc_waiter = &w->waiter;
    t->call.on_signal = -EINTR;
    return wait_sleep(w);
}

/* The thread was woken. */
static long wait_continue(struct thread *t) {
    struct sem_wait *w = (struct sem_wait *)t->ipc_waiter;
    long result = w->result;
    if (result == SEM_PENDING) {
        if (t->call.interrupted)
            result = -EINTR;
        else if (t->call.deadline && clock_now(t->process->kernel) >= t->call.deadline)
            result = -EAGAIN;
        else
            return wait_sleep(w);
    }
    wait_leave(&w->waiter);
    return result;
}

/* What the operations are together: whether they alter, undo, and the highest semaphore. */
struct sem_demand {
    bool alters, undoes;
    unsigned highest;
};

static struct sem_demand operations_demand(const struct sembuf *operations, unsigned count) {
    struct sem_demand d = {0};
    for (unsigned i = 0; i < count; i++) {
        d.highest = max_u32(d.highest, operations[i].sem_num);
        d.alters |= operations[i].sem_op != 0;
        d.undoes |= (operations[i].sem_flg & SEM_UNDO) != 0;
    }
    return d;
}

static long set_operate(struct thread *t, int id, const struct sembuf *operations, unsigned count) {
    struct sem_demand demand = operations_demand(operations, count);
    struct sem_set *set = set_find(t, id);
    unsigned blocked_by;
    if (!set)
        return -EINVAL;
    if (demand.highest >= set->count)
        return -EFBIG;
    int r = sysv_may(&set->head, demand.alters ? SYSV_WRITE : SYSV_READ);
    if (r < 0)
        return r;
    if (demand.undoes && !undo_get(t->process, set))
        return -ENOMEM;
    r = operations_try(t->process, set, operations, count, &blocked_by);
    if (r == SEM_PENDING)
        return wait_begin(t, set, operations, count, demand.alters, blocked_by);
    if (r == 0 && demand.alters)
        set_changed(set);
    return r;
}

static long sys_semtimedop(struct thread *t, const uint64_t args[6]) {
    struct sembuf operations[SYSV_SEMOPM];
    struct space *space = t->process->space;
    struct timespec timeout;
    uint64_t count = (uint32_t)args[2];
    if (t->ipc_waiter)
        return wait_continue(t);
    if (args[3] && user_read(space, args[3], &timeout, sizeof timeout) < 0)
        return -EFAULT;
    if (count > SYSV_SEMOPM)
        return -E2BIG;
    if (count < 1)
        return -EINVAL;
    if (user_read(space, args[1], operations, count * sizeof operations[0]) < 0)
        return -EFAULT;
    if (args[3]) {
        if (timeout.tv_sec < 0 || timeout.tv_nsec < 0 || timeout.tv_nsec >= 1000000000)
            return -EINVAL;
        uint64_t seconds = min_u64((uint64_t)timeout.tv_sec, INT32_MAX);
        t->call.deadline = clock_now(t->process->kernel) + seconds * 1000000000 + (uint64_t)timeout.tv_nsec;
    }
    return set_operate(t, (int)args[0], operations, (unsigned)count);
}

static long sys_semop(struct thread *t, const uint64_t args[6]) {
    const uint64_t without_timeout[6] = {args[0], args[1], args[2]};
    return sys_semtimedop(t, without_timeout);
}

/* ---- the end of a process ---- */

static void undo_apply(struct sem_undo *undo, uint32_t pid) {
    struct sem_set *set = undo->set;
    for (unsigned i = 0; i < set->count; i++) {
        int value = set->semaphores[i].value + undo->adjust[i];
        if (undo->adjust[i] == 0)
            continue;
        set->semaphores[i].value = value < 0 ? 0 : value > SYSV_SEMVMX ? SYSV_SEMVMX : value;
        set->semaphores[i].pid = pid;
    }
    set->operation_time = sysv_time(set->kernel);
    undo_free(undo);
    set_changed(set);
}

void sysv_process_end(struct process *p) {
    while (!LIST_EMPTY(&p->sem_undos))
        undo_apply(LIST_FIRST(&p->sem_undos), p->pid);
}

/* ---- semctl ---- */

static long set_info(struct thread *t, int command, uint64_t at) {
    const struct sysv *sysv = t->process->kernel->sysv;
    struct seminfo info = {.semmap = SYSV_SEMMNS,
                           .semmni = SYSV_SEMMNI,
                           .semmns = SYSV_SEMMNS,
                           .semmnu = SYSV_SEMMNS,
                           .semmsl = SYSV_SEMMSL,
                           .semopm = SYSV_SEMOPM,
                           .semume = SYSV_SEMOPM,
                           .semusz = 20,
                           .semvmx = SYSV_SEMVMX,
                           .semaem = SYSV_SEMVMX};
    if (command == SEM_INFO) {
        info.semusz = sysv->sets.used;
        info.semaem = (int)sysv->semaphores;
    }
    return user_write(t->process->space, at, &info, sizeof info) < 0 ? -EFAULT : sysv_last_index(&sysv->sets);
}

static long set_stat(struct thread *t, int id, int command, uint64_t at) {
    const struct sysv_table *table = sets_of(t);
    const struct sysv_object *head = command == IPC_STAT ? sysv_find(table, id) : sysv_at(table, id);
    const struct sem_set *set = (const struct sem_set *)head;
    if (!set)
        return -EINVAL;
    int r = command == SEM_STAT_ANY ? 0 : sysv_may(head, SYSV_READ);
    if (r < 0)
        return r;
    struct semid_ds stat = {.sem_perm = sysv_permissions(head),
                            .sem_otime = set->operation_time,
                            .sem_ctime = set->change_time,
                            .sem_nsems = set->count};
    if (user_write(t->process->space, at, &stat, sizeof stat) < 0)
        return -EFAULT;
    return command == IPC_STAT ? 0 : head->id;
}

/* How many threads wait at this semaphore, for zero or for more. */
static long set_count_waiting(const struct sem_set *set, unsigned number, bool for_zero) {
    const struct sem_wait *w;
    long count = 0;
    TAILQ_FOREACH(w, &set->waits, of_set) {
        const struct sembuf *op = &w->operations[w->blocked_by];
        count += op->sem_num == number && (op->sem_op == 0) == for_zero;
    }
    return count;
}

static void set_forget_undo(struct sem_set *set, unsigned number) {
    struct sem_undo *undo;
    LIST_FOREACH(undo, &set->undos, of_set)
        undo->adjust[number] = 0;
}

static void set_assign(struct thread *t, struct sem_set *set, unsigned number, int value) {
    set->semaphores[number] = (struct semaphore){.value = value, .pid = t->process->pid};
    set_forget_undo(set, number);
}

static void set_assigned(struct sem_set *set) {
    set->change_time = sysv_time(set->kernel);
    set_changed(set);
}

static long set_get_all(struct thread *t, const struct sem_set *set, uint64_t at) {
    unsigned short values[256];
    for (unsigned i = 0; i < set->count;) {
        unsigned n = (unsigned)min_u64(set->count - i, ARRAY_LENGTH(values));
        for (unsigned j = 0; j < n; j++)
            values[j] = (unsigned short)set->semaphores[i + j].value;
        if (user_write(t->process->space, at + i * sizeof values[0], values, n * sizeof values[0]) < 0)
            return -EFAULT;
        i += n;
    }
    return 0;
}

static long set_set_all(struct thread *t, struct sem_set *set, uint64_t at) {
    size_t size = set->count * sizeof(unsigned short);
    unsigned short *values = inject_malloc(t->process->kernel->config.inject, size);
    if (!values)
        return -ENOMEM;
    long r = user_read(t->process->space, at, values, size) < 0 ? -EFAULT : 0;
    for (unsigned i = 0; r == 0 && i < set->count; i++)
        r = values[i] > SYSV_SEMVMX ? -ERANGE : 0;
    for (unsigned i = 0; r == 0 && i < set->count; i++)
        set_assign(t, set, i, values[i]);
    if (r == 0)
        set_assigned(set);
    free(values);
    return r;
}

static long set_get_one(const struct sem_set *set, int number, int command) {
    if (number < 0 || (unsigned)number >= set->count)
        return -EINVAL;
    const struct semaphore *s = &set->semaphores[number];
    switch (command) {
    case GETVAL: return s->value;
    case GETPID: return s->pid;
    case GETNCNT: return set_count_waiting(set, (unsigned)number, false);
    default: return set_count_waiting(set, (unsigned)number, true);
    }
}

static long set_values(struct thread *t, struct sem_set *set, int number, int command, uint64_t at) {
    int r = set ? sysv_may(&set->head, command == SETALL ? SYSV_WRITE : SYSV_READ) : -EINVAL;
    if (r < 0)
        return r;
    if (command == GETALL)
        return set_get_all(t, set, at);
    return command == SETALL ? set_set_all(t, set, at) : set_get_one(set, number, command);
}

static long set_set_one(struct thread *t, struct sem_set *set, int number, int value) {
    if (value < 0 || value > SYSV_SEMVMX)
        return -ERANGE;
    if (!set || number < 0 || (unsigned)number >= set->count)
        return -EINVAL;
    int r = sysv_may(&set->head, SYSV_WRITE);
    if (r < 0)
        return r;
    set_assign(t, set, (unsigned)number, value);
    set_assigned(set);
    return 0;
}

static long set_change(struct thread *t, struct sem_set *set, int command, uint64_t at) {
    struct semid_ds stat;
    if (command == IPC_SET && user_read(t->process->space, at, &stat, sizeof stat) < 0)
        return -EFAULT;
    int r = set ? sysv_may_change(&set->head) : -EINVAL;
    if (r < 0)
        return r;
    if (command == IPC_RMID) {
        set_destroy(set);
        return 0;
    }
    r = sysv_set_permissions(&set->head, &stat.sem_perm);
    if (r == 0)
        set->change_time = sysv_time(set->kernel);
    return r;
}

static long sys_semctl(struct thread *t, const uint64_t args[6]) {
    int id = (int)args[0], number = (int)args[1], command = (int)args[2];
    if (id < 0)
        return -EINVAL;
    switch (command) {
    case IPC_INFO:
    case SEM_INFO: return set_info(t, command, args[3]);
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY: return set_stat(t, id, command, args[3]);
    case GETALL:
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
    case SETALL: return set_values(t, set_find(t, id), number, command, args[3]);
    case SETVAL: return set_set_one(t, set_find(t, id), number, (int)args[3]);
    case IPC_SET:
    case IPC_RMID: return set_change(t, set_find(t, id), command, args[3]);
    default: return -EINVAL;
    }
}

/* ---- /proc/sysvipc/sem ---- */

void sysv_list_sets(struct kernel *k, FILE *out) {
    const struct sysv_table *table = &k->sysv->sets;
    fprintf(out, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
    for (int i = 0; i < table->capacity; i++) {
        const struct sem_set *set = (const struct sem_set *)table->objects[i];
        if (!set)
            continue;
        const struct sysv_object *h = &set->head;
        fprintf(out, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lld %10lld\n", h->key, h->id, h->mode,
                set->count, h->uid, h->gid, h->cuid, h->cgid, (long long)set->operation_time,
                (long long)set->change_time);
    }
}

const struct syscall_entry syscalls_sysv_sem[] = {
    {SYS_semget, "semget", sys_semget},
    {SYS_semop, "semop", sys_semop},
    {SYS_semtimedop, "semtimedop", sys_semtimedop},
    {SYS_semctl, "semctl", sys_semctl},
    {-1, NULL, NULL},
};
