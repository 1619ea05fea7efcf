/* System V message queues: msgget, msgsnd, msgrcv, msgctl.
 *
 * A receiver that finds nothing waits in the queue's list, and the next fitting message is given to it
 * directly, not to whoever comes first; a sender that finds no room tries again when some was made.
 *
 * Source: Linux 6.1 ipc/msg.c; msgget(2), msgop(2), msgctl(2). */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/msg.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/process/identity.h"
#include "kernel/syscall.h"
#include "kernel/sysv/sysv.h"

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif

/* What messages may cost the host, all queues together; more is -ENOMEM. */
enum { MSG_TOTAL_MAX = 64 << 20 };

struct message {
    TAILQ_ENTRY(message) of_queue;
    long type;
    size_t size;
    char bytes[];
};

enum receive_mode { RECEIVE_ANY, RECEIVE_EQUAL, RECEIVE_NOT_EQUAL, RECEIVE_LOWEST, RECEIVE_AT };

/* Which message somebody wants. */
struct receive_request {
    enum receive_mode mode;
    long type; /* RECEIVE_AT: the position */
    size_t room;
    bool truncate; /* MSG_NOERROR */
};

enum { RECEIVE_PENDING = 1 };

struct receive_wait {
    struct sysv_waiter waiter; /* first */
    TAILQ_ENTRY(receive_wait) of_queue;
    struct msg_queue *queue; /* NULL: in no list any more */
    struct thread *thread;
    struct receive_request request;
    struct message *message; /* what was given to it */
    int result;              /* RECEIVE_PENDING, 0 or -errno */
};

struct msg_queue {
    struct sysv_object head;
    struct kernel *kernel;
    TAILQ_HEAD(, message) messages;
    TAILQ_HEAD(, receive_wait) receivers;
    uint64_t bytes, count, most; /* most: bytes, and messages */
    uint32_t last_sender, last_receiver;
    time_t send_time, receive_time, change_time;
};

static struct sysv_table *queues_of(struct thread *t) {
    return &t->process->kernel->sysv->queues;
}

static struct msg_queue *queue_find(struct thread *t, int id) {
    return (struct msg_queue *)sysv_find(queues_of(t), id);
}

/* ---- queues ---- */

static void wait_end(struct receive_wait *w, struct message *message, int result) {
    TAILQ_REMOVE(&w->queue->receivers, w, of_queue);
    w->queue = NULL;
    w->message = message;
    w->result = result;
    sched_wake(w->thread->process->kernel, w);
}

static void queue_put(struct msg_queue *q, struct message *m) {
    TAILQ_INSERT_TAIL(&q->messages, m, of_queue);
    q->bytes += m->size;
    q->count++;
    q->kernel->sysv->messages++;
    q->kernel->sysv->message_bytes += m->size;
}

static void queue_take(struct msg_queue *q, struct message *m) {
    TAILQ_REMOVE(&q->messages, m, of_queue);
    q->bytes -= m->size;
    q->count--;
    q->kernel->sysv->messages--;
    q->kernel->sysv->message_bytes -= m->size;
}

/* Those who wait to send or to receive look again. */
static void queue_expel(struct msg_queue *q, int result) {
    while (!TAILQ_EMPTY(&q->receivers))
        wait_end(TAILQ_FIRST(&q->receivers), NULL, result);
    sched_wake(q->kernel, q);
}

static void queue_destroy(struct msg_queue *q) {
    struct message *m;
    queue_expel(q, -EIDRM);
    while ((m = TAILQ_FIRST(&q->messages))) {
        queue_take(q, m);
        free(m);
    }
    sysv_remove(&q->kernel->sysv->queues, &q->head);
    free(q);
}

void sysv_free_queue(struct kernel *k, struct sysv_object *head) {
    queue_destroy((struct msg_queue *)head);
}

const char *sysv_check_queue(const struct sysv_object *head) {
    const struct msg_queue *q = (const struct msg_queue *)head;
    const struct receive_wait *w;
    const struct message *m;
    uint64_t bytes = 0, count = 0;
    TAILQ_FOREACH(m, &q->messages, of_queue) {
        bytes += m->size;
        count++;
    }
    TAILQ_FOREACH(w, &q->receivers, of_queue)
        if (w->queue != q || w->result != RECEIVE_PENDING || w->thread->ipc_waiter != &w->waiter)
            return "a thread waits for a message and does not know it";
    return bytes == q->bytes && count == q->count ? NULL : "the messages of a queue are miscounted";
}

static bool queue_fits(const struct sysv_object *head, uint64_t size) {
    return true;
}

static long queue_create(struct thread *t, key_t key, int flags) {
    struct kernel *k = t->process->kernel;
    struct msg_queue *q = inject_calloc(k->config.inject, 1, sizeof *q);
    if (!q)
        return -ENOMEM;
    int id = sysv_add(k, &k->sysv->queues, &q->head, key, flags);
    if (id < 0) {
        free(q);
        return id;
    }
    q->kernel = k;
    q->most = SYSV_MSGMNB;
    q->change_time = sysv_time(k);
    TAILQ_INIT(&q->messages);
    TAILQ_INIT(&q->receivers);
    return id;
}

static long sys_msgget(struct thread *t, const uint64_t args[6]) {
    struct sysv_object *found;
    int r = sysv_get(queues_of(t), (key_t)args[0], (int)args[1], queue_fits, 0, &found);
    if (r == 1)
        return queue_create(t, (key_t)args[0], (int)args[1]);
    return r < 0 ? r : found->id;
}

/* ---- msgsnd ---- */

static bool request_matches(const struct receive_request *request, const struct message *m) {
    switch (request->mode) {
    case RECEIVE_ANY:
    case RECEIVE_AT: return true;
    case RECEIVE_EQUAL: return m->type == request->type;
    case RECEIVE_NOT_EQUAL: return m->type != request->type;
    case RECEIVE_LOWEST: return m->type <= request->type;
    }
    return false;
}

/* Gives the message to the first receiver that waits for such a one. One whose room is too small has waited
 * in vain. */
static bool queue_hand_over(struct msg_queue *q, struct message *m) {
    struct receive_wait *w, *next;
    TAILQ_FOREACH_SAFE(w, &q->receivers, of_queue, next) {
        if (!request_matches(&w->request, m))
            continue;
        if (w->request.room < m->size && !w->request.truncate) {
            wait_end(w, NULL, -E2BIG);
            continue;
        }
        q->last_receiver = w->thread->process->pid;
        q->receive_time = sysv_time(q->kernel);
        wait_end(w, m, 0);
        return true;
    }
    return false;
}

static long message_read(struct thread *t, uint64_t at, long type, size_t size,
                         struct message **ret_message) {
    const struct sysv *sysv = t->process->kernel->sysv;
    if (sysv->message_bytes + size > MSG_TOTAL_MAX)
        return -ENOMEM;
    struct message *m = inject_malloc(t->process->kernel->config.inject, sizeof *m + size);
    if (!m)
        return -ENOMEM;
    m->type = type;
    m->size = size;
    if (user_read(t->process->space, at + sizeof type, m->bytes, size) < 0) {
        free(m);
        return -EFAULT;
    }
    *ret_message = m;
    return 0;
}

static void queue_send(struct thread *t, struct msg_queue *q, struct message *m) {
    q->last_sender = t->process->pid;
    q->send_time = sysv_time(q->kernel);
    if (!queue_hand_over(q, m))
        queue_put(q, m);
}

/* 0 when the queue takes the message now, -EAGAIN when there is no room, or why it never will. */
static int queue_may_send(struct msg_queue *q, size_t size) {
    int r = q ? sysv_may(&q->head, SYSV_WRITE) : -EINVAL;
    if (r < 0)
        return r;
    return size + q->bytes <= q->most && 1 + q->count <= q->most ? 0 : -EAGAIN;
}

static long sys_msgsnd(struct thread *t, const uint64_t args[6]) {
    int id = (int)args[0], flags = (int)args[3];
    uint64_t size = args[2];
    long type;
    if (user_read(t->process->space, args[1], &type, sizeof type) < 0)
        return -EFAULT;
    if (size > SYSV_MSGMAX || id < 0 || type < 1)
        return -EINVAL;
    struct message *m;
    long made = message_read(t, args[1], type, size, &m); /* a bad address comes before a bad queue */
    if (made < 0)
        return made;
    struct msg_queue *q = queue_find(t, id);
    int r = queue_may_send(q, size);
    if (r == 0) {
        queue_send(t, q, m);
        return 0;
    }
    free(m);
    if (r != -EAGAIN || (flags & IPC_NOWAIT))
        return !q && t->call.attempted ? -EIDRM : r;
    t->call.on_signal = -K_ERESTARTNOHAND;
    sched_sleep_channel(t, q);
    return SYS_SLEEP;
}

/* ---- msgrcv ---- */

/* The message for the request, or NULL. */
static struct message *queue_search(struct msg_queue *q, const struct receive_request *request) {
    struct message *m, *lowest = NULL;
    long position = 0;
    TAILQ_FOREACH(m, &q->messages, of_queue) {
        if (!request_matches(request, m))
            continue;
        if (request->mode == RECEIVE_AT ? position++ == request->type : request->mode != RECEIVE_LOWEST)
            return m;
        if (request->mode == RECEIVE_LOWEST && (!lowest || m->type < lowest->type))
            lowest = m;
    }
    return lowest;
}

static struct receive_request receive_parse(const uint64_t args[6]) {
    long type = (long)args[3];
    int flags = (int)args[4];
    struct receive_request request = {.type = type, .room = args[2], .truncate = flags & MSG_NOERROR};
    if (flags & MSG_COPY)
        request.mode = RECEIVE_AT;
    else if (type == 0)
        request.mode = RECEIVE_ANY;
    else if (type < 0) {
        request.mode = RECEIVE_LOWEST;
        request.type = type == INT64_MIN ? INT64_MAX : -type;
    } else
        request.mode = flags & MSG_EXCEPT ? RECEIVE_NOT_EQUAL : RECEIVE_EQUAL;
    return request;
}

static long message_write(struct thread *t, uint64_t at, size_t room, const struct message *m) {
    size_t size = min_size(room, m->size);
    if (user_write(t->process->space, at, &m->type, sizeof m->type) < 0 ||
        user_write(t->process->space, at + sizeof m->type, m->bytes, size) < 0)
        return -EFAULT;
    return (long)size;
}

static void wait_leave(struct sysv_waiter *waiter) {
    struct receive_wait *w = (struct receive_wait *)waiter;
    if (w->queue)
        TAILQ_REMOVE(&w->queue->receivers, w, of_queue);
    w->thread->ipc_waiter = NULL;
    free(w->message);
    free(w);
}

static long wait_begin(struct thread *t, struct msg_queue *q, const struct receive_request *request) {
    struct receive_wait *w = inject_malloc(t->process->kernel->config.inject, sizeof *w);
    if (!w)
        return -ENOMEM;
    *w = (struct receive_wait){
        .waiter.leave = wait_leave, .queue = q, .thread = t, .request = *request, .result = RECEIVE_PENDING};
    TAILQ_INSERT_TAIL(&q->receivers, w, of_queue);
    t->ipc_waiter = &w->waiter;
    t->call.on_signal = -K_ERESTARTNOHAND;
    sched_sleep_channel(t, w);
    return SYS_SLEEP;
}

/* The thread was woken. */
static long wait_continue(struct thread *t, const uint64_t args[6], bool *ret_again) {
    struct receive_wait *w = (struct receive_wait *)t->ipc_waiter;
    long result = w->result;
    if (result == RECEIVE_PENDING) {
        if (!t->call.interrupted) {
            sched_sleep_channel(t, w);
            return SYS_SLEEP;
        }
        result = -K_ERESTARTNOHAND;
    }
    *ret_again = result == -EAGAIN; /* the queue's properties have changed */
    if (w->message)
        result = message_write(t, args[1], args[2], w->message);
    wait_leave(&w->waiter);
    return result;
}

static long queue_receive(struct thread *t, struct msg_queue *q, const struct receive_request *request,
                          const uint64_t args[6]) {
    int flags = (int)args[4];
    struct message *m = queue_search(q, request);
    if (!m && (flags & IPC_NOWAIT))
        return -ENOMSG;
    if (!m)
        return wait_begin(t, q, request);
    if (request->room < m->size && !request->truncate)
        return -E2BIG;
    if (flags & MSG_COPY)
        return request->room < m->size ? -EINVAL : message_write(t, args[1], args[2], m);
    queue_take(q, m);
    q->last_receiver = t->process->pid;
    q->receive_time = sysv_time(q->kernel);
    sched_wake(q->kernel, q); /* senders */
    long result = message_write(t, args[1], args[2], m);
    free(m);
    return result;
}

static long sys_msgrcv(struct thread *t, const uint64_t args[6]) {
    int id = (int)args[0], flags = (int)args[4];
    if (t->ipc_waiter) {
        bool again = false;
        long result = wait_continue(t, args, &again);
        if (!again)
            return result;
    }
    if (id < 0 || (int64_t)args[2] < 0)
        return -EINVAL;
    if ((flags & MSG_COPY) && ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT)))
        return -EINVAL;
    struct receive_request request = receive_parse(args);
    struct msg_queue *q = queue_find(t, id);
    int r = q ? sysv_may(&q->head, SYSV_READ) : -EINVAL;
    return r < 0 ? r : queue_receive(t, q, &request, args);
}

/* ---- msgctl ---- */

static long queue_info(struct thread *t, int command, uint64_t at) {
    const struct sysv *sysv = t->process->kernel->sysv;
    struct msginfo info = {.msgpool = SYSV_MSGMNI * SYSV_MSGMNB / 1024,
                           .msgmap = SYSV_MSGMNB,
                           .msgmax = SYSV_MSGMAX,
                           .msgmnb = SYSV_MSGMNB,
                           .msgmni = SYSV_MSGMNI,
                           .msgssz = 16,
                           .msgtql = SYSV_MSGMNB,
                           .msgseg = 0xffff};
    if (command == MSG_INFO) {
        info.msgpool = sysv->queues.used;
        info.msgmap = (int)sysv->messages;
        info.msgtql = (int)sysv->message_bytes;
    }
    return user_write(t->process->space, at, &info, sizeof info) < 0 ? -EFAULT
                                                                     : sysv_last_index(&sysv->queues);
}

static long queue_stat(struct thread *t, int id, int command, uint64_t at) {
    const struct sysv_table *table = queues_of(t);
    const struct sysv_object *head = command == IPC_STAT ? sysv_find(table, id) : sysv_at(table, id);
    const struct msg_queue *q = (const struct msg_queue *)head;
    if (!q)
        return -EINVAL;
    int r = command == MSG_STAT_ANY ? 0 : sysv_may(head, SYSV_READ);
    if (r < 0)
        return r;
    struct msqid_ds stat = {.msg_perm = sysv_permissions(head),
                            .msg_stime = q->send_time,
                            .msg_rtime = q->receive_time,
                            .msg_ctime = q->change_time,
                            .__msg_cbytes = q->bytes,
                            .msg_qnum = q->count,
                            .msg_qbytes = q->most,
                            .msg_lspid = (pid_t)q->last_sender,
                            .msg_lrpid = (pid_t)q->last_receiver};
    if (user_write(t->process->space, at, &stat, sizeof stat) < 0)
        return -EFAULT;
    return command == IPC_STAT ? 0 : head->id;
}

static long queue_set(struct msg_queue *q, const struct msqid_ds *stat) {
    if (stat->msg_qbytes > SYSV_MSGMNB && !identity_capable(CAP_SYS_RESOURCE))
        return -EPERM;
    int r = sysv_set_permissions(&q->head, &stat->msg_perm);
    if (r < 0)
        return r;
    q->most = stat->msg_qbytes;
    q->change_time = sysv_time(q->kernel);
    queue_expel(q, -EAGAIN);
    return 0;
}

static long queue_change(struct thread *t, struct msg_queue *q, int command, uint64_t at) {
    struct msqid_ds stat;
    if (command == IPC_SET && user_read(t->process->space, at, &stat, sizeof stat) < 0)
        return -EFAULT;
    int r = q ? sysv_may_change(&q->head) : -EINVAL;
    if (r < 0 || command == IPC_SET)
        return r < 0 ? r : queue_set(q, &stat);
    queue_destroy(q);
    return 0;
}

static long sys_msgctl(struct thread *t, const uint64_t args[6]) {
    int id = (int)args[0], command = (int)args[1];
    if (id < 0 || command < 0)
        return -EINVAL;
    switch (command) {
    case IPC_INFO:
    case MSG_INFO: return queue_info(t, command, args[2]);
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY: return queue_stat(t, id, command, args[2]);
    case IPC_SET:
    case IPC_RMID: return queue_change(t, queue_find(t, id), command, args[2]);
    default: return -EINVAL;
    }
}

/* ---- /proc/sysvipc/msg ---- */

void sysv_list_queues(struct kernel *k, FILE *out) {
    const struct sysv_table *table = &k->sysv->queues;
    fprintf(out, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
                 "      stime      rtime      ctime\n");
    for (int i = 0; i < table->capacity; i++) {
        const struct msg_queue *q = (const struct msg_queue *)table->objects[i];
        if (!q)
            continue;
        const struct sysv_object *h = &q->head;
        fprintf(out, "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lld %10lld %10lld\n", h->key,
                h->id, h->mode, q->bytes, q->count, q->last_sender, q->last_receiver, h->uid, h->gid, h->cuid,
                h->cgid, (long long)q->send_time, (long long)q->receive_time, (long long)q->change_time);
    }
}

const struct syscall_entry syscalls_sysv_msg[] = {
    {SYS_msgget, "msgget", sys_msgget},
    {SYS_msgsnd, "msgsnd", sys_msgsnd},
    {SYS_msgrcv, "msgrcv", sys_msgrcv},
    {SYS_msgctl, "msgctl", sys_msgctl},
    {-1, NULL, NULL},
};
