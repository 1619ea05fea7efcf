/* What the three kinds of System V IPC have in common: numbers, keys, permissions, and leaving when a thread
 * or process ends. The objects are the machine's: they outlive the processes that made them, and end with the
 * machine. */
#ifndef KERNEL_SYSV_H
#define KERNEL_SYSV_H

#include <stdio.h>
#include <sys/ipc.h>

#include "kernel/process/process.h"

/* The head of a segment, a set, a queue. */
struct sysv_object {
    int id;
    key_t key; /* IPC_PRIVATE: cannot be found by key */
    uid_t uid, cuid;
    gid_t gid, cgid;
    unsigned mode; /* S_IRWXU… and the kind's own flags */
};

/* The objects of a kind. An id is made of the place in the table and a sequence number, so that an old id
 * does not name a new object. */
struct sysv_table {
    struct sysv_object **objects; /* NULL where there is none */
    int capacity, most;           /* at most so many */
    int used, last, sequence;
};

struct sysv {
    struct sysv_table segments, sets, queues;
    uint64_t segment_pages; /* of all segments */
    uint64_t semaphores;    /* in all sets */
    uint64_t messages, message_bytes;
};

int sysv_create(struct kernel *); /* sets kernel->sysv; 0 or -ENOMEM */
void sysv_destroy(struct kernel *);
const char *sysv_check(const struct kernel *); /* NULL, or which invariant is broken */

/* A thread ends in a call of these: it waits no more. */
struct sysv_waiter {
    void (*leave)(struct sysv_waiter *); /* off the queue, and freed */
};
void sysv_leave(struct thread *);
void sysv_process_end(struct process *); /* sysv_sem.c: its SEM_UNDO operations are undone */

/* ---- tables ---- */
struct sysv_object *sysv_find(const struct sysv_table *, int id); /* NULL: EINVAL */
struct sysv_object *sysv_find_key(const struct sysv_table *, key_t);
/* For *_STAT, by index. */
struct sysv_object *sysv_at(const struct sysv_table *, int index);
int sysv_last_index(const struct sysv_table *); /* 0 when there is none */
/* Enters a new object of this key: its number, permissions and owner are set. The id, -ENOSPC or -ENOMEM. */
int sysv_add(struct kernel *, struct sysv_table *, struct sysv_object *, key_t, int flags);
void sysv_remove(struct sysv_table *, struct sysv_object *);

/* The common part of shmget, semget and msgget. 1: make a new one; 0 with *ret_object: it exists (and
 * `fits(object, size)` or -EINVAL); -ENOENT, -EEXIST, -EACCES. */
int sysv_get(const struct sysv_table *, key_t, int flags, bool (*fits)(const struct sysv_object *, uint64_t),
             uint64_t size, struct sysv_object **ret_object);

/* ---- permissions ---- */
int sysv_may(const struct sysv_object *, unsigned access); /* S_IRUGO, S_IWUGO as Linux asks; 0 or -EACCES */
int sysv_may_change(const struct sysv_object *);           /* IPC_SET, IPC_RMID: 0 or -EPERM */
struct ipc_perm sysv_permissions(const struct sysv_object *);
int sysv_set_permissions(struct sysv_object *, const struct ipc_perm *); /* 0 or -EINVAL */
enum { SYSV_READ = 0444, SYSV_WRITE = 0222, SYSV_EXECUTE = 0111 };

time_t sysv_time(struct kernel *);

/* /proc/sysvipc: the lines of shm, sem and msg, with their heading. */
void sysv_list_segments(struct kernel *, FILE *);
void sysv_list_sets(struct kernel *, FILE *);
void sysv_list_queues(struct kernel *, FILE *);

/* What is left at the machine's end. */
void sysv_free_segment(struct kernel *, struct sysv_object *);
void sysv_free_set(struct kernel *, struct sysv_object *);
void sysv_free_queue(struct kernel *, struct sysv_object *);
const char *sysv_check_segment(const struct sysv_object *);
const char *sysv_check_set(const struct sysv_object *);
const char *sysv_check_queue(const struct sysv_object *);

/* The limits of a Linux machine as it comes (/proc/sys/kernel/shmmax and so on). */
#define SYSV_SHMMAX ((uint64_t)-1 - (1 << 24))
enum {
    SYSV_SHMMNI = 4096,
    SYSV_SEMMSL = 32000, /* semaphores of a set */
    SYSV_SEMMNS = 1024000000,
    SYSV_SEMOPM = 500,
    SYSV_SEMMNI = 32000,
    SYSV_SEMVMX = 32767,
    SYSV_MSGMNI = 32000,
    SYSV_MSGMAX = 8192,
    SYSV_MSGMNB = 16384,
};

#endif
