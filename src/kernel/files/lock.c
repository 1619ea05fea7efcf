/* File locks: see lock.h.
 *
 * A `locked` file has the records of all owners; an owner is a descriptor table (POSIX) or an open file
 * (OFD). Invariants: records of one owner do not overlap; records of two owners overlap only when both are
 * read locks; a locked file has at least one record (but during a call); the host lock on `host` is, byte for
 * byte, the strongest of the records there. */
#include "kernel/files/lock.h"

#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"

enum { LOCK_RETRY = 5000000 }; /* ns: how often a lock held outside the machine is tried again */

struct record {
    TAILQ_ENTRY(record) of_file;
    const void *owner;
    bool ofd, write;
    pid_t pid;
    int64_t start, end; /* bytes, both inclusive */
};

struct locked {
    LIST_ENTRY(locked) of_machine;
    dev_t dev;
    ino_t ino;
    int host; /* own open file description for the mirrored locks, or -1 */
    bool host_writable;
    TAILQ_HEAD(, record) records; /* those of one owner in a row, in the order of their bytes */
};

struct locks {
    LIST_HEAD(, locked) files;
};

/* What one call wants. */
struct request {
    const void *owner;
    bool ofd, wait;
    short type;
    int64_t start, end;
    pid_t pid;
};

int locks_create(struct kernel *k) {
    k->locks = inject_calloc(k->config.inject, 1, sizeof(*k->locks));
    if (!k->locks)
        return -ENOMEM;
    LIST_INIT(&k->locks->files);
    return 0;
}

static void locked_free_if_unused(struct locked *l) {
    if (!TAILQ_EMPTY(&l->records))
        return;
    LIST_REMOVE(l, of_machine);
    if (l->host >= 0)
        close(l->host);
    free(l);
}

static const char *check_pair(const struct record *a, const struct record *b) {
    if (a->start > b->end || b->start > a->end)
        return NULL;
    if (a->owner == b->owner)
        return "two locks of one owner overlap";
    return a->write || b->write ? "a write lock overlaps another owner's" : NULL;
}

const char *locks_check(const struct kernel *k) {
    const struct locked *l;
    const struct record *a, *b;
    LIST_FOREACH(l, &k->locks->files, of_machine) {
        if (TAILQ_EMPTY(&l->records))
            return "a locked file without locks";
        TAILQ_FOREACH(a, &l->records, of_file) {
            if (a->start > a->end)
                return "a lock of nothing";
            for (b = TAILQ_NEXT(a, of_file); b; b = TAILQ_NEXT(b, of_file)) {
                const char *wrong = check_pair(a, b);
                if (wrong)
                    return wrong;
            }
        }
    }
    return NULL;
}

static void record_show(const struct locked *l, const struct record *r, unsigned number, FILE *out) {
    char end[24] = "EOF";
    if (r->end != INT64_MAX)
        snprintf(end, sizeof(end), "%ld", r->end);
    fprintf(out, "%u: %s  ADVISORY  %s %d %02x:%02x:%lu %ld %s\n", number, r->ofd ? "OFDLCK" : "POSIX ",
            r->write ? "WRITE" : "READ ", r->ofd ? -1 : r->pid, major(l->dev), minor(l->dev), l->ino,
            r->start, end);
}

void locks_show(const struct kernel *k, FILE *out) {
    unsigned number = 0;
    const struct locked *l;
    const struct record *r;
    LIST_FOREACH(l, &k->locks->files, of_machine) {
        TAILQ_FOREACH(r, &l->records, of_file)
            record_show(l, r, ++number, out);
    }
}

void locks_destroy(struct kernel *k) {
    free(k->locks); /* empty: every file is closed */
    k->locks = NULL;
}

/* ---- locked files ---- */

static void locked_key(struct file *f, dev_t *ret_dev, ino_t *ret_ino) {
    struct stat st;
    if (f->host >= 0 && fstat(f->host, &st) == 0) {
        *ret_dev = st.st_dev;
        *ret_ino = st.st_ino;
    } else {
        *ret_dev = ~(dev_t)0;
        *ret_ino = (ino_t)(uintptr_t)(f->data ? f->data : f);
    }
}

static struct locked *locked_find(struct file *f) {
    dev_t dev;
    ino_t ino;
    locked_key(f, &dev, &ino);
    struct locked *l;
    LIST_FOREACH(l, &f->kernel->locks->files, of_machine) {
        if (l->dev == dev && l->ino == ino)
            return l;
    }
    return NULL;
}

static void locked_open_mirror(struct locked *l, int host) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", host);
    l->host = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    l->host_writable = l->host >= 0;
    if (l->host < 0)
        l->host = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static struct locked *locked_make(struct file *f) {
    struct locked *l = locked_find(f);
    if (l)
        return l;
    l = inject_calloc(f->kernel->config.inject, 1, sizeof(*l));
    if (!l)
        return NULL;
    locked_key(f, &l->dev, &l->ino);
    l->host = -1;
    TAILQ_INIT(&l->records);
    if (f->host >= 0)
        locked_open_mirror(l, f->host);
    LIST_INSERT_HEAD(&f->kernel->locks->files, l, of_machine);
    return l;
}

/* ---- records ---- */

static struct record *conflict(struct locked *l, const struct request *q) {
    struct record *r;
    TAILQ_FOREACH(r, &l->records, of_file) {
        if (r->owner != q->owner && r->start <= q->end && q->start <= r->end &&
            (r->write || q->type == F_WRLCK))
            return r;
    }
    return NULL;
}

static void record_free(struct locked *l, struct record *r) {
    TAILQ_REMOVE(&l->records, r, of_file);
    free(r);
}

/* Takes the range out of one record of the owner; `spare` is used up (set to NULL) when that splits it. */
static void record_cut(struct locked *l, struct record *r, int64_t start, int64_t end,
                       struct record **spare) {
    if (r->start < start && r->end > end) {
        struct record *tail = *spare;
        *spare = NULL;
        *tail = *r;
        tail->start = end + 1;
        TAILQ_INSERT_AFTER(&l->records, r, tail, of_file);
        r->end = start - 1;
    } else if (r->start < start) {
        r->end = start - 1;
    } else if (r->end > end) {
        r->start = end + 1;
    } else {
        record_free(l, r);
    }
}

/* Among its owner's, or at the end; a neighbour of the same type becomes part of it. */
static void record_insert(struct locked *l, struct record *added) {
    struct record *r, *next, *before = NULL;
    TAILQ_FOREACH_SAFE(r, &l->records, of_file, next) {
        if (r->owner != added->owner)
            continue;
        bool left = r->end != INT64_MAX && r->end + 1 == added->start;
        bool right = added->end != INT64_MAX && added->end + 1 == r->start;
        if ((left || right) && r->write == added->write) {
            added->start = left ? r->start : added->start;
            added->end = right ? r->end : added->end;
            record_free(l, r);
        } else if (r->start < added->start) {
            before = r;
        }
    }
    TAILQ_FOREACH(r, &l->records, of_file) {
        if (before ? r == before : r->owner == added->owner)
            break;
    }
    if (!r)
        TAILQ_INSERT_TAIL(&l->records, added, of_file);
    else if (before)
        TAILQ_INSERT_AFTER(&l->records, before, added, of_file);
    else
        TAILQ_INSERT_BEFORE(r, added, of_file);
}

/* Makes the range the owner's with the request's type. 0 or -ENOMEM: then nothing changed. */
static int records_set(struct inject *inject, struct locked *l, const struct request *q) {
    struct record *spare = inject_malloc(inject, sizeof(*spare));
    struct record *added = inject_malloc(inject, sizeof(*added));
    if (!spare || !added) {
        free(spare);
        free(added);
        return -ENOMEM;
    }
    struct record *r, *next;
    TAILQ_FOREACH_SAFE(r, &l->records, of_file, next) {
        if (r->owner == q->owner && r->start <= q->end && q->start <= r->end)
            record_cut(l, r, q->start, q->end, &spare);
    }
    free(spare);
    if (q->type == F_UNLCK) {
        free(added);
        return 0;
    }
    *added = (struct record){.owner = q->owner,
                             .ofd = q->ofd,
                             .write = q->type == F_WRLCK,
                             .pid = q->pid,
                             .start = q->start,
                             .end = q->end};
    record_insert(l, added);
    return 0;
}

/* ---- the mirror on the host ---- */

static int mirror_set(int host, short type, int64_t start, int64_t end) {
    struct flock lock = {.l_type = type,
                         .l_whence = SEEK_SET,
                         .l_start = start,
                         .l_len = end == INT64_MAX ? 0 : end - start + 1};
    return fcntl(host, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

/* A write lock needs a descriptor that can write. Where the file may not be opened for writing any more, only
 * the machine's own processes are kept apart. */
static int mirror_acquire(struct locked *l, const struct request *q) {
    if (l->host < 0 || (q->type == F_WRLCK && !l->host_writable))
        return 0;
    return mirror_set(l->host, q->type, q->start, q->end);
}

/* Brings the host lock on the range down to the strongest record, piece by piece between their borders. */
static void mirror_release(struct locked *l, int64_t start, int64_t end) {
    while (l->host >= 0) {
        int64_t stop = end;
        short type = F_UNLCK;
        struct record *r;
        TAILQ_FOREACH(r, &l->records, of_file) {
            if (r->start <= start && start <= r->end) {
                type = r->write ? F_WRLCK : type == F_WRLCK ? type : F_RDLCK;
                stop = r->end < stop ? r->end : stop;
            } else if (r->start > start && r->start <= stop) {
                stop = r->start - 1;
            }
        }
        if (type != F_WRLCK || l->host_writable)
            mirror_set(l->host, type, start, stop);
        if (stop == end)
            return;
        start = stop + 1;
    }
}

/* ---- fcntl ---- */

/* flock64_to_posix_lock() of Linux. */
static int request_range(struct file *f, const struct flock *lock, struct request *q) {
    int64_t base = 0;
    struct stat st;
    if (lock->l_whence == SEEK_CUR)
        base = f->ops->seek ? f->ops->seek(f, 0, SEEK_CUR) : 0;
    else if (lock->l_whence == SEEK_END && f->ops->stat && f->ops->stat(f, &st) == 0)
        base = st.st_size;
    else if (lock->l_whence != SEEK_SET)
        return -EINVAL;
    if (lock->l_start > INT64_MAX - base)
        return -EOVERFLOW;
    q->start = base + lock->l_start;
    if (q->start < 0)
        return -EINVAL;
    q->end = INT64_MAX;
    if (lock->l_len > 0 && __builtin_add_overflow(q->start, lock->l_len - 1, &q->end))
        return -EOVERFLOW;
    if (lock->l_len < 0) {
        if (q->start + lock->l_len < 0)
            return -EINVAL;
        q->end = q->start - 1;
        q->start += lock->l_len;
    }
    return q->type == F_RDLCK || q->type == F_WRLCK || q->type == F_UNLCK ? 0 : -EINVAL;
}

static int request_check(struct file *f, const struct request *q) {
    int mode = f->flags & O_ACCMODE;
    return (q->type == F_RDLCK && mode == O_WRONLY) || (q->type == F_WRLCK && mode == O_RDONLY) ? -EBADF : 0;
}

static long lock_get(struct locked *l, const struct request *q, struct flock *lock) {
    const struct record *r = conflict(l, q);
    if (r) {
        *lock = (struct flock){.l_type = r->write ? F_WRLCK : F_RDLCK,
                               .l_whence = SEEK_SET,
                               .l_start = r->start,
                               .l_len = r->end == INT64_MAX ? 0 : r->end - r->start + 1,
                               .l_pid = r->ofd ? -1 : r->pid};
        return 0;
    }
    struct flock outside = *lock;
    outside.l_pid = 0;
    if (l->host >= 0 && fcntl(l->host, F_OFD_GETLK, &outside) == 0 && outside.l_type != F_UNLCK)
        *lock = outside;
    else
        lock->l_type = F_UNLCK;
    return 0;
}

/* ---- waiting. A thread that sleeps in F_SETLKW has the owner that it waits for in call.scratch. ---- */

static const void *owner_waits_for(const struct kernel *k, const void *owner) {
    const struct thread *t;
    TAILQ_FOREACH(t, &k->threads, of_machine) {
        if (t->process->descriptors == owner && t->state == THREAD_SLEEPING && t->in_call &&
            t->call.number == SYS_fcntl && t->call.args[1] == F_SETLKW)
            return (const void *)t->call.scratch;
    }
    return NULL;
}

/* Whether waiting for `other` would close a circle of processes that wait for each other. As in Linux, long
 * circles are not found. */
static bool would_deadlock(const struct kernel *k, const void *owner, const void *other) {
    enum { CIRCLE_MAX = 10 };
    for (int i = 0; i < CIRCLE_MAX && other; i++) {
        if (other == owner)
            return true;
        other = owner_waits_for(k, other);
    }
    return false;
}

static long lock_wait(struct thread *t, const struct request *q, const struct record *in_the_way) {
    struct kernel *k = t->process->kernel;
    bool process_wide = in_the_way && !q->ofd && !in_the_way->ofd;
    if (process_wide && would_deadlock(k, q->owner, in_the_way->owner))
        return -EDEADLK;
    t->call.scratch = process_wide ? (uint64_t)in_the_way->owner : 0;
    sched_sleep_channel(t, k->locks);
    if (!in_the_way) /* somebody outside has it */
        sched_sleep_until(t, clock_now(k) + LOCK_RETRY);
    return SYS_SLEEP;
}

static long lock_set(struct thread *t, struct locked *l, const struct request *q) {
    struct kernel *k = t->process->kernel;
    if (q->type == F_UNLCK) {
        int r = records_set(k->config.inject, l, q);
        mirror_release(l, q->start, q->end);
        sched_wake(k, k->locks);
        return r;
    }
    const struct record *in_the_way = conflict(l, q);
    int r = in_the_way ? -EAGAIN : mirror_acquire(l, q);
    if (r == 0) {
        r = records_set(k->config.inject, l, q);
        mirror_release(l, q->start, q->end); /* a smaller lock may have replaced a larger one */
        sched_wake(k, k->locks);
        return r;
    }
    return q->wait && (r == -EAGAIN || r == -EACCES) ? lock_wait(t, q, in_the_way) : r;
}

long lock_control(struct thread *t, struct file *f, int command, struct flock *lock) {
    bool ofd = command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
    struct request q = {.owner = ofd ? (const void *)f : t->process->descriptors,
                        .ofd = ofd,
                        .wait = command == F_SETLKW || command == F_OFD_SETLKW,
                        .type = lock->l_type,
                        .pid = (pid_t)t->process->pid};
    bool get = command == F_GETLK || command == F_OFD_GETLK;
    int r = command == F_GETLK && q.type == F_UNLCK ? -EINVAL : request_range(f, lock, &q);
    if (r == 0 && !get)
        r = request_check(f, &q);
    if (r == 0 && ofd && lock->l_pid)
        r = -EINVAL;
    if (r < 0)
        return r;
    struct locked *l = locked_make(f);
    if (!l)
        return -ENOLCK;
    long result = get ? lock_get(l, &q, lock) : lock_set(t, l, &q);
    locked_free_if_unused(l);
    return result;
}

/* ---- flock ---- */

long lock_flock(struct thread *t, struct file *f, int operation) {
    struct kernel *k = f->kernel;
    if (f->host < 0)
        return -EINVAL;
    if (flock(f->host, operation | LOCK_NB) == 0) {
        f->flocked = true;
        if ((operation & ~LOCK_NB) != LOCK_EX)
            sched_wake(k, k->locks);
        return 0;
    }
    if (errno != EWOULDBLOCK || operation & LOCK_NB)
        return -errno;
    sched_sleep_channel(t, k->locks);
    sched_sleep_until(t, clock_now(k) + LOCK_RETRY);
    return SYS_SLEEP;
}

/* ---- closing ---- */

static void forget(struct file *f, const void *owner) {
    struct locks *locks = f->kernel->locks;
    struct locked *l = locks && !LIST_EMPTY(&locks->files) ? locked_find(f) : NULL;
    if (!l)
        return;
    bool any = false;
    struct record *r, *next;
    TAILQ_FOREACH_SAFE(r, &l->records, of_file, next) {
        if (r->owner == owner) {
            record_free(l, r);
            any = true;
        }
    }
    if (!any)
        return;
    mirror_release(l, 0, INT64_MAX);
    locked_free_if_unused(l);
    sched_wake(f->kernel, locks);
}

void lock_forget_owner(struct file *f, const void *table) {
    forget(f, table);
}

void lock_forget_file(struct file *f) {
    forget(f, f);
    if (f->flocked)
        sched_wake(f->kernel, f->kernel->locks);
}
