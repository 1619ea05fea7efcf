/* Threads: registers, a place in the scheduler, a signal mask. Does not know what a thread does (syscall.c)
 * or when it runs (sched.c).
 *
 *   thread_create ─► (of_process, of_machine) ─ thread_start ─► run queue ◄──► sleepers, or stopped
 *                                                                  │
 *                                          thread_end ─► graveyard ─ thread_bury ─► freed
 *
 * Invariant: a thread in the graveyard is on no other list, so its memory may be read by those who were just
 * running on its behalf, and by nobody else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernel/futex/futex.h"
#include "kernel/process/thread.h"
#include "kernel/sandbox/limits.h"
#include "kernel/schedule/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/sysv/sysv.h"

int thread_create(struct process *p, uint32_t tid, struct thread **ret_thread) {
    struct kernel *k = p->kernel;
    if (!limits_allow_task(k, k->thread_count))
        return -EAGAIN;
    struct thread *t = inject_calloc(k->config.inject, 1, sizeof *t);
    if (!t)
        return -ENOMEM;
    int r = k->engine_ops->cpu_create(k->engine, &t->cpu);
    if (r < 0) {
        free(t);
        return r;
    }
    t->process = p;
    t->tid = tid;
    memcpy(t->comm, p->comm, sizeof t->comm);
    LIST_INIT(&t->pi_owned);
    t->state = THREAD_STOPPED;
    t->sleep.deadline = UINT64_MAX;
    signal_state_init(&t->signals, k);
    TAILQ_INSERT_TAIL(&p->threads, t, of_process);
    TAILQ_INSERT_TAIL(&k->threads, t, of_machine);
    k->thread_count++;
    *ret_thread = t;
    return 0;
}

void thread_start(struct thread *t) {
    sched_enqueue(t);
}

struct thread *thread_find(struct kernel *k, uint32_t tid) {
    struct thread *t;
    TAILQ_FOREACH(t, &k->threads, of_machine)
        if (t->tid == tid)
            return t;
    return NULL;
}

/* pthread_join() waits on this word: nobody does when the address space dies with the thread. */
void thread_clear_tid(struct thread *t) {
    struct process *p = t->process;
    bool shared =
        p->borrows_space || (!p->dying && TAILQ_FIRST(&p->threads) != TAILQ_LAST(&p->threads, thread_list));
    uint32_t zero = 0;
    if (!t->clear_child_tid || !shared || !p->space)
        return;
    if (user_write(p->space, t->clear_child_tid, &zero, sizeof zero) == 0)
        futex_wake_all_keys(t, t->clear_child_tid, 1);
}

void thread_end(struct thread *t) {
    struct process *p = t->process;
    struct kernel *k = p->kernel;
    futex_leave(t);
    sysv_leave(t);
    futex_release_robust(t);
    futex_pi_exit(t);
    thread_clear_tid(t);
    sched_remove(t);
    signal_state_clear(&t->signals);
    TAILQ_REMOVE(&p->threads, t, of_process);
    TAILQ_REMOVE(&k->threads, t, of_machine);
    k->thread_count--;
    t->state = THREAD_DEAD;
    TAILQ_INSERT_TAIL(&k->graveyard, t, of_queue);
    if (TAILQ_EMPTY(&p->threads)) {
        process_end(p);
        return;
    }
    signal_retarget(p);
    process_thread_ended(p, t->tid);
}

void thread_bury(struct kernel *k) {
    struct thread *t;
    while ((t = TAILQ_FIRST(&k->graveyard))) {
        TAILQ_REMOVE(&k->graveyard, t, of_queue);
        k->engine_ops->cpu_destroy(k->engine, t->cpu);
        free(t->sleep.fds);
        free(t);
    }
}
