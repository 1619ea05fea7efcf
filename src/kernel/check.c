/* Verifies the kernel's invariants, as process.c, thread.c, sched.c and sys_futex.c state them. */
#include "kernel/files/file.h"
#include "kernel/process/process.h"
#include "kernel/signal/signal.h"
#include "kernel/sysv/sysv.h"

/* Every thread on the queue is in that state. How many there are; -1 if one is not. */
static int check_queue(const struct thread_queue *queue, enum thread_state state) {
    const struct thread *t;
    int n = 0;
    TAILQ_FOREACH(t, queue, of_queue) {
        if (t->state != state)
            return -1;
        n++;
    }
    return n;
}

static const char *check_thread(const struct kernel *k, const struct thread *t) {
    if (t->state == THREAD_DEAD)
        return "a dead thread is not in the graveyard";
    if (t->state == THREAD_SLEEPING && t->sleep.deadline < k->next_timer)
        return "a sleeper's deadline is before the machine's next timer";
    if (t->state == THREAD_SLEEPING && !t->in_call)
        return "a thread sleeps outside of a call";
    if (t->blocked & SIGNAL_UNBLOCKABLE)
        return "SIGKILL or SIGSTOP is blocked";
    if (t->process->dying && !t->kill_now)
        return "a thread of a dying process goes on";
    return t->process->kernel == k ? NULL : "a thread of another machine";
}

static const char *check_threads(const struct kernel *k) {
    const struct thread *t;
    unsigned fd_sleepers = 0, n = 0;
    int in_state[THREAD_DEAD + 1] = {0};
    TAILQ_FOREACH(t, &k->threads, of_machine) {
        const char *wrong = check_thread(k, t);
        if (wrong)
            return wrong;
        in_state[t->state]++;
        fd_sleepers += t->state == THREAD_SLEEPING && t->sleep.fd_count > 0;
        n++;
    }
    if (check_queue(&k->run_queue, THREAD_RUNNABLE) != in_state[THREAD_RUNNABLE])
        return "the run queue and the threads' states differ";
    if (check_queue(&k->sleepers, THREAD_SLEEPING) != in_state[THREAD_SLEEPING])
        return "the list of sleepers and the threads' states differ";
    if (n != k->thread_count)
        return "the count of threads is wrong";
    return fd_sleepers == k->fd_sleepers ? NULL : "the count of sleepers on host descriptors is wrong";
}

static const char *check_process(const struct process *p) {
    const struct process *child;
    bool zombie = p->state == PROCESS_ZOMBIE;
    if (zombie != TAILQ_EMPTY(&p->threads))
        return "a zombie has threads, or a living process none";
    if (zombie && (p->space || p->descriptors || p->fs))
        return "a zombie kept its space or its files";
    if (zombie && !p->parent)
        return "a zombie that nobody will wait for";
    if (!zombie && (!p->space || !p->descriptors || !p->fs))
        return "a living process lacks a space or files";
    TAILQ_FOREACH(child, &p->children, sibling)
        if (child->parent != p)
            return "a child has another parent";
    return NULL;
}

static const char *check_futexes(const struct kernel *k) {
    const struct futex_waiter *w;
    for (unsigned i = 0; i < FUTEX_BUCKETS; i++)
        TAILQ_FOREACH(w, &k->futex_buckets[i], of_bucket)
            if (!w->queued || w->thread->state == THREAD_DEAD || !w->thread->in_call)
                return "a thread that does not wait is queued at a futex";
    return NULL;
}

static const char *check_processes(const struct kernel *k) {
    const struct process *p;
    unsigned n = 0;
    TAILQ_FOREACH(p, &k->processes, of_machine) {
        const char *wrong = check_process(p);
        if (wrong)
            return wrong;
        n++;
    }
    return n == k->process_count ? NULL : "the count of processes is wrong";
}

const char *kernel_check(struct kernel *k) {
    const char *wrong = check_threads(k);
    if (!wrong)
        wrong = check_futexes(k);
    if (!wrong)
        wrong = check_processes(k);
    if (!wrong)
        wrong = sysv_check(k);
    return wrong ? wrong : files_check(k);
}
