/* Signals that wait: the pending set of a thread or of a process, and the tables of actions. Who sends and
 * who takes them is signal.c's.
 *
 * A standard signal is queued once, a real-time signal as often as it is sent, a POSIX timer's signal once
 * for each timer. RLIMIT_SIGPENDING bounds what all guests, who are one user, have queued; beyond it a signal
 * is still pending but says nothing of its sender, or (real-time, with something to say) is refused.
 *
 * Source: Linux 6.1 kernel/signal/signal.c (__send_signal_locked, __sigqueue_alloc). Invariant: the bit of a
 * signal is set in `pending` iff it is queued, or was sent when its queue was full or memory short. */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/signal/signal.h"
#include "kernel/time/timer.h"

struct queued_signal {
    TAILQ_ENTRY(queued_signal) link;
    siginfo_t info;
    bool from_timer; /* info.si_timerid is a timer of the receiver */
};

/* ---- tables of actions ---- */

struct signal_table {
    unsigned references;
    struct signal_action actions[SIGNAL_COUNT + 1];
};

static struct signal_table *signal_table_of(struct signal_action *actions) {
    return (struct signal_table *)(void *)((char *)actions - offsetof(struct signal_table, actions));
}

struct signal_action *signal_actions_create(struct inject *inject, const struct signal_action *from) {
    struct signal_table *table = inject_calloc(inject, 1, sizeof *table);
    if (!table)
        return NULL;
    table->references = 1;
    for (int signal = 1; from && signal <= SIGNAL_COUNT; signal++)
        table->actions[signal] = from[signal];
    return table->actions;
}

struct signal_action *signal_actions_ref(struct signal_action *actions) {
    signal_table_of(actions)->references++;
    return actions;
}

void signal_actions_unref(struct signal_action *actions) {
    struct signal_table *table = signal_table_of(actions);
    if (--table->references == 0)
        free(table);
}

bool signal_actions_are_shared(struct signal_action *actions) {
    return signal_table_of(actions)->references > 1;
}

/* ---- pending sets ---- */

void signal_state_init(struct signal_state *s, struct kernel *k) {
    s->kernel = k;
    s->pending = 0;
    TAILQ_INIT(&s->queue);
}

static void signal_state_remove(struct signal_state *s, struct queued_signal *q) {
    TAILQ_REMOVE(&s->queue, q, link);
    s->kernel->queued_signals--;
    free(q);
}

void signal_state_drop(struct signal_state *s, uint64_t mask) {
    struct queued_signal *q, *next;
    s->pending &= ~mask;
    TAILQ_FOREACH_SAFE(q, &s->queue, link, next)
        if (signal_bit(q->info.si_signo) & mask)
            signal_state_remove(s, q);
}

void signal_state_clear(struct signal_state *s) {
    signal_state_drop(s, UINT64_MAX);
}

static struct queued_signal *signal_state_append(struct signal_state *s, int signal, const siginfo_t *info) {
    struct queued_signal *q = inject_malloc(s->kernel->config.inject, sizeof *q);
    if (!q)
        return NULL;
    q->info = info ? *info : (siginfo_t){.si_code = SI_KERNEL};
    q->info.si_signo = signal;
    q->from_timer = false;
    s->kernel->queued_signals++;
    TAILQ_INSERT_TAIL(&s->queue, q, link);
    return q;
}

int signal_state_add(struct signal_state *s, const struct process *to, int signal, const siginfo_t *info) {
    bool standard = signal < SIGNAL_REALTIME, by_kernel = !info || info->si_code >= 0;
    if (standard && (s->pending & signal_bit(signal)))
        return 0;
    bool full =
        s->kernel->queued_signals >= to->limits[RLIMIT_SIGPENDING].rlim_cur && !(standard && by_kernel);
    if ((full || !signal_state_append(s, signal, info)) && !standard && info && info->si_code != SI_USER)
        return -EAGAIN;
    s->pending |= signal_bit(signal);
    return 0;
}

void signal_state_add_timer(struct signal_state *s, int signal, const siginfo_t *info) {
    struct queued_signal *q = signal_state_append(s, signal, info);
    if (!q)
        return;
    q->from_timer = true;
    s->pending |= signal_bit(signal);
}

bool signal_state_has_timer(const struct signal_state *s, int timer) {
    const struct queued_signal *q;
    TAILQ_FOREACH(q, &s->queue, link)
        if (q->from_timer && q->info.si_timerid == timer)
            return true;
    return false;
}

void signal_state_take(struct signal_state *s, struct process *p, int signal, siginfo_t *ret_info) {
    struct queued_signal *q, *found = NULL;
    bool more = false;
    TAILQ_FOREACH(q, &s->queue, link) {
        if (q->info.si_signo != signal)
            continue;
        more = found != NULL;
        if (more)
            break;
        found = q;
    }
    if (!more)
        s->pending &= ~signal_bit(signal);
    if (!found) {
        *ret_info = (siginfo_t){.si_signo = signal, .si_code = SI_USER};
        return;
    }
    *ret_info = found->info;
    if (found->from_timer)
        timer_taken(p, ret_info);
    signal_state_remove(s, found);
}
