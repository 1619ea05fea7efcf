/* What glibc makes of threads: mutexes of every kind, condition variables, rwlocks, barriers, semaphores, spin locks,
 * once, keys, cancellation, C11 threads, thread-local storage, names, priorities. Sums and results only, never who
 * came first. */
#include "say.h"
#include <sched.h>
#include <semaphore.h>
#include <threads.h>

enum { THREADS = 6, ROUNDS = 300 };

/* ---- mutexes ---- */

static pthread_mutex_t mutex;
static long counter;
static void *adds(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        long seen = counter;
        if (i % 16 == 0)
            sched_yield();
        counter = seen + 1;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *tries(void *unused) {
    (void)unused;
    return (void *)(intptr_t)pthread_mutex_trylock(&mutex);
}
static void *unlocks(void *unused) {
    (void)unused;
    return (void *)(intptr_t)pthread_mutex_unlock(&mutex);
}
static int in_thread(void *(*function)(void *)) {
    pthread_t thread;
    void *r = NULL;
    pthread_create(&thread, NULL, function, NULL);
    pthread_join(thread, &r);
    return (int)(intptr_t)r;
}

static void mutexes(void) {
    static const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ADAPTIVE_NP};
    for (int t = 0; t < COUNT(types); t++)
        for (int protocol = 0; protocol < 2; protocol++)
            for (int robust = 0; robust < 2; robust++)
                for (int shared = 0; shared < 2; shared++) {
                    pthread_mutexattr_t a;
                    pthread_t threads[THREADS];
                    pthread_mutexattr_init(&a);
                    pthread_mutexattr_settype(&a, types[t]);
                    pthread_mutexattr_setprotocol(&a, protocol ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE);
                    pthread_mutexattr_setrobust(&a, robust ? PTHREAD_MUTEX_ROBUST : PTHREAD_MUTEX_STALLED);
                    pthread_mutexattr_setpshared(&a, shared);
                    int r = pthread_mutex_init(&mutex, &a);
                    counter = 0;
                    for (int i = 0; i < THREADS; i++)
                        pthread_create(&threads[i], NULL, adds, NULL);
                    for (int i = 0; i < THREADS; i++)
                        pthread_join(threads[i], NULL);
                    say("type %d pi %d robust %d shared %d: init %s, sum %ld", t, protocol, robust, shared, error_of(r), counter);
                    pthread_mutex_lock(&mutex);
                    struct timespec past = {1, 0};
                    bool relocks = types[t] == PTHREAD_MUTEX_RECURSIVE || types[t] == PTHREAD_MUTEX_ERRORCHECK;
                    const char *try = error_of(in_thread(tries));
                    const char *unlock = relocks ? error_of(in_thread(unlocks)) : "-";
                    const char *again = relocks ? error_of(pthread_mutex_lock(&mutex)) : "-";
                    say("  another: try %s, unlock %s; again: %s, timed %s", try, unlock, again,
                        error_of(pthread_mutex_timedlock(&mutex, &past)));
                    while (pthread_mutex_unlock(&mutex) == 0 && relocks)
                        ;
                    say("  destroy: %s", error_of(pthread_mutex_destroy(&mutex)));
                }
}

/* ---- robust mutexes whose owner dies ---- */

static struct shared_locks {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    pthread_rwlock_t rwlock;
    pthread_barrier_t barrier;
    sem_t semaphore;
    volatile int value, ready;
} *common;

static int dies_with_lock(void *killed) {
    pthread_mutex_lock(&common->mutex);
    common->value = 1;
    if (killed)
        kill(getpid(), SIGKILL);
    return 0;
}
static void *thread_dies_with_lock(void *unused) {
    (void)unused;
    pthread_mutex_lock(&common->mutex);
    return NULL;
}
static int waits_for_lock(void *unused) {
    (void)unused;
    common->ready = 1;
    int r = pthread_mutex_lock(&common->mutex);
    pthread_mutex_consistent(&common->mutex);
    pthread_mutex_unlock(&common->mutex);
    return r;
}

static void robust(void) {
    for (int pi = 0; pi < 2; pi++)
        for (int how = 0; how < 4; how++) {
            pthread_mutexattr_t kind;
            common = shared_page();
            pthread_mutexattr_init(&kind);
            pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
            pthread_mutexattr_setpshared(&kind, 1);
            pthread_mutexattr_setprotocol(&kind, pi ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE);
            pthread_mutex_init(&common->mutex, &kind);
            if (how == 3) { /* nobody dies */
                pthread_mutex_lock(&common->mutex);
                pid_t waiter = in_child(waits_for_lock, NULL);
                wait_for_value(&common->ready, 1);
                wait_for_state(waiter, 'S');
                pthread_mutex_unlock(&common->mutex);
                say_child("a process that waits gets it", waiter);
            } else if (how == 2) {
                in_thread(thread_dies_with_lock);
            } else {
                waitpid(in_child(dies_with_lock, (void *)(intptr_t)how), NULL, 0);
            }
            say("pi %d, owner's end %d: lock %s", pi, how, error_of(pthread_mutex_lock(&common->mutex)));
            const char *a = error_of(pthread_mutex_consistent(&common->mutex));
            const char *b = error_of(pthread_mutex_unlock(&common->mutex));
            say("  consistent %s, unlock %s", a, b);
            a = error_of(pthread_mutex_lock(&common->mutex));
            b = error_of(pthread_mutex_unlock(&common->mutex));
            say("  lock %s, unlock %s", a, b);
            waitpid(in_child(dies_with_lock, NULL), NULL, 0);
            a = error_of(pthread_mutex_lock(&common->mutex));
            b = error_of(pthread_mutex_unlock(&common->mutex));
            const char *c = error_of(pthread_mutex_lock(&common->mutex));
            say("  lock %s, unlock without consistency %s, then %s", a, b, c);
        }
}

/* ---- condition variables, rwlocks, barriers, semaphores ---- */

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t guard;
static int queue[8], head, tail;
static long consumed;
static void *produces(void *unused) {
    (void)unused;
    for (int i = 1; i <= ROUNDS; i++) {
        pthread_mutex_lock(&guard);
        while (tail - head == 8)
            pthread_cond_wait(&condition, &guard);
        queue[tail++ % 8] = i;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&guard);
    }
    return NULL;
}
static void *consumes(void *unused) {
    (void)unused;
    for (int i = 1; i <= ROUNDS; i++) {
        pthread_mutex_lock(&guard);
        while (tail == head)
            pthread_cond_wait(&condition, &guard);
        consumed += queue[head++ % 8];
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&guard);
    }
    return NULL;
}

static void conditions(void) {
    for (int pi = 0; pi < 2; pi++) {
        pthread_mutexattr_t a;
        pthread_t threads[THREADS];
        pthread_mutexattr_init(&a);
        pthread_mutexattr_setprotocol(&a, pi ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE);
        pthread_mutex_init(&guard, &a);
        consumed = 0;
        for (int i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, i % 2 ? produces : consumes, NULL);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        say("condition, pi %d: %ld", pi, consumed);
        struct timespec soon;
        pthread_mutex_lock(&guard);
        clock_gettime(CLOCK_REALTIME, &soon);
        say("  timed wait: %s", error_of(pthread_cond_timedwait(&condition, &guard, &soon)));
        clock_gettime(CLOCK_MONOTONIC, &soon);
        say("  by the other clock: %s, mutex held %s", error_of(pthread_cond_clockwait(&condition, &guard, CLOCK_MONOTONIC, &soon)),
            error_of(in_thread(tries)));
        pthread_mutex_unlock(&guard);
    }
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static volatile int readers_now, writers_now, broken, serials;
static void *reads_and_writes(void *n) {
    for (int i = 0; i < ROUNDS / 4; i++) {
        if ((i + (int)(intptr_t)n) % 5) {
            pthread_rwlock_rdlock(&rwlock);
            __atomic_fetch_add(&readers_now, 1, __ATOMIC_SEQ_CST);
            broken |= writers_now != 0;
            sched_yield();
            __atomic_fetch_sub(&readers_now, 1, __ATOMIC_SEQ_CST);
        } else {
            pthread_rwlock_wrlock(&rwlock);
            broken |= writers_now++ != 0 || readers_now != 0;
            counter++;
            writers_now--;
        }
        pthread_rwlock_unlock(&rwlock);
    }
    for (int i = 0; i < 20; i++)
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_fetch_add(&serials, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static sem_t semaphore;
static pthread_spinlock_t spin;
static void *posts(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        sem_wait(&semaphore);
        counter++;
        sem_post(&semaphore);
        pthread_spin_lock(&spin);
        consumed++;
        pthread_spin_unlock(&spin);
    }
    return NULL;
}

static void others(void) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    counter = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, reads_and_writes, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    say("rwlock: %ld writes, broken %d; barrier: %d rounds", counter, broken, serials);
    sem_init(&semaphore, 0, 1);
    pthread_spin_init(&spin, 0);
    counter = consumed = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, posts, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    say("semaphore %ld, spin lock %ld", counter, consumed);
    struct timespec past = {1, 0};
    sem_wait(&semaphore);
    say("sem_trywait %s, timed %s", result(sem_trywait(&semaphore)), result(sem_timedwait(&semaphore, &past)));
}

/* ---- between processes ---- */

static int works_in_common(void *unused) {
    (void)unused;
    pthread_barrier_wait(&common->barrier);
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&common->mutex);
        common->value++;
        pthread_mutex_unlock(&common->mutex);
        pthread_rwlock_wrlock(&common->rwlock);
        common->ready++;
        pthread_rwlock_unlock(&common->rwlock);
    }
    sem_post(&common->semaphore);
    pthread_mutex_lock(&common->mutex);
    while (common->value < 100000)
        pthread_cond_wait(&common->condition, &common->mutex);
    pthread_mutex_unlock(&common->mutex);
    return 17;
}

static void processes(void) {
    pthread_mutexattr_t m;
    pthread_condattr_t c;
    pthread_rwlockattr_t r;
    pthread_barrierattr_t b;
    pid_t pids[4];
    common = shared_page();
    pthread_mutexattr_init(&m), pthread_condattr_init(&c), pthread_rwlockattr_init(&r), pthread_barrierattr_init(&b);
    pthread_mutexattr_setpshared(&m, 1), pthread_condattr_setpshared(&c, 1);
    pthread_rwlockattr_setpshared(&r, 1), pthread_barrierattr_setpshared(&b, 1);
    pthread_mutex_init(&common->mutex, &m), pthread_cond_init(&common->condition, &c);
    pthread_rwlock_init(&common->rwlock, &r), pthread_barrier_init(&common->barrier, &b, 4);
    sem_init(&common->semaphore, 1, 0);
    for (int i = 0; i < 4; i++)
        pids[i] = in_child(works_in_common, NULL);
    for (int i = 0; i < 4; i++)
        sem_wait(&common->semaphore);
    say("in common: %d %d", common->value, common->ready);
    pthread_mutex_lock(&common->mutex);
    common->value = 100000;
    pthread_cond_broadcast(&common->condition);
    pthread_mutex_unlock(&common->mutex);
    for (int i = 0; i < 4; i++)
        say_child("  one of them", pids[i]);
}

/* ---- once, keys, TLS, cancellation ---- */

static int onces, destroyed, cleaned;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t keys[3];
static __thread int own = 7;
static __thread struct {
    long big[100];
} zeroed;
static void count_once(void) {
    onces++;
}
static void destroys(void *value) {
    __atomic_fetch_add(&destroyed, (int)(intptr_t)value, __ATOMIC_SEQ_CST);
}
static void cleans(void *value) {
    __atomic_fetch_add(&cleaned, (int)(intptr_t)value, __ATOMIC_SEQ_CST);
}

static void *uses_all(void *n) {
    pthread_once(&once, count_once);
    for (int i = 0; i < 3; i++)
        pthread_setspecific(keys[i], (void *)(intptr_t)(i + 1));
    own += (int)(intptr_t)n;
    zeroed.big[50] += own;
    return (void *)(intptr_t)(own * 1000 + zeroed.big[50]);
}

static volatile int ready; /* the thread is as its name says: on a busy host that can take a while */
static void *deferred(void *unused) {
    (void)unused;
    pthread_cleanup_push(cleans, (void *)1);
    pthread_cleanup_push(cleans, (void *)10);
    ready = 1;
    for (;;)
        pause_ms(50);
    pthread_cleanup_pop(1);
    pthread_cleanup_pop(1);
    return NULL;
}
static void *asynchronous(void *unused) {
    (void)unused;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    pthread_cleanup_push(cleans, (void *)100);
    ready = 1;
    for (;;)
        ;
    pthread_cleanup_pop(1);
    return NULL;
}
static volatile int may_end;
static void *not_to_be_cancelled(void *unused) {
    (void)unused;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    ready = 1;
    while (!may_end)
        pause_ms(1);
    return (void *)5;
}
static void *in_condition(void *unused) {
    (void)unused;
    pthread_mutex_lock(&guard);
    pthread_cleanup_push(cleans, (void *)1000);
    ready = 1;
    pthread_cond_wait(&condition, &guard);
    pthread_cleanup_pop(1);
    return NULL;
}

static void ends(const char *what, void *(*function)(void *)) {
    pthread_t thread;
    void *value = NULL;
    ready = 0;
    pthread_create(&thread, NULL, function, NULL);
    while (!ready)
        pause_ms(1);
    const char *r = error_of(pthread_cancel(thread));
    may_end = 1;
    pthread_join(thread, &value);
    say("cancel %s: %s, %s, cleaned %d", what, r, value == PTHREAD_CANCELED ? "cancelled" : "ended", cleaned);
}

static int c11(void *n) {
    static thread_local int mine;
    mine += (int)(intptr_t)n;
    return mine;
}

static void rest(void) {
    pthread_t threads[THREADS];
    long sum = 0;
    void *value;
    for (int i = 0; i < 3; i++)
        pthread_key_create(&keys[i], destroys);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, uses_all, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], &value), sum += (long)(intptr_t)value;
    say("once %d, destroyed %d, thread-local %ld, main's %d", onces, destroyed, sum, own);
    pthread_mutex_init(&guard, NULL);
    ends("deferred", deferred);
    ends("asynchronous", asynchronous);
    ends("disabled", not_to_be_cancelled);
    ends("in pthread_cond_wait", in_condition);
    say("the mutex was taken back: %s", error_of(pthread_mutex_trylock(&guard)));
    thrd_t t;
    int r = 0;
    thrd_create(&t, c11, (void *)9);
    thrd_join(t, &r);
    say("C11: %d", r);
    char name[16];
    pthread_create(&threads[0], NULL, not_to_be_cancelled, ((void)(may_end = 0), NULL));
    say("name: %s, too long %s", error_of(pthread_setname_np(threads[0], "worker")), error_of(pthread_setname_np(threads[0], "sixteen letters!")));
    pthread_getname_np(threads[0], name, sizeof name);
    say("  %s", name);
    say("kill 0: %s, of 65 %s", error_of(pthread_kill(threads[0], 0)), error_of(pthread_kill(threads[0], 65)));
    say("join of oneself: %s, try %s", error_of(pthread_join(pthread_self(), NULL)), error_of(pthread_tryjoin_np(threads[0], NULL)));
    may_end = 1;
    pthread_join(threads[0], NULL);
    pthread_attr_t a;
    size_t size;
    pthread_attr_init(&a);
    say("stack of 1: %s", error_of(pthread_attr_setstacksize(&a, 1)));
    pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
    pthread_attr_getstacksize(&a, &size);
    for (int i = 0; i < 20; i++)
        r |= pthread_create(&threads[0], &a, uses_all, NULL);
    say("detached: %s", error_of(r == 9 ? 0 : r));
    cpu_set_t set;
    say("affinity: %s, %d at least", error_of(pthread_getaffinity_np(pthread_self(), sizeof set, &set)), CPU_COUNT(&set) >= 1);
}

int main(void) {
    mutexes();
    robust();
    conditions();
    others();
    processes();
    rest();
    return 0;
}
