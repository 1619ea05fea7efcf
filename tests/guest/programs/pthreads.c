/* Threads at work as programs have them: a queue with a mutex and two condition variables, a barrier between
 * rounds, thread-local and thread-specific data, a read-write lock, once, and thousands of short-lived
 * threads. What is printed depends on the sums only, never on who came first. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "../c/check.h"

enum { WORKERS = 6, ITEMS = 3000, ROUNDS = 20, SHORT_LIVED = 400, ROOM = 16 };

/* ---- a bounded queue ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    uint64_t items[ROOM];
    unsigned first, count;
    bool closed;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER,
           .not_empty = PTHREAD_COND_INITIALIZER,
           .not_full = PTHREAD_COND_INITIALIZER};

static void queue_put(uint64_t item) {
    pthread_mutex_lock(&queue.lock);
    while (queue.count == ROOM)
        pthread_cond_wait(&queue.not_full, &queue.lock);
    queue.items[(queue.first + queue.count++) % ROOM] = item;
    pthread_cond_signal(&queue.not_empty);
    pthread_mutex_unlock(&queue.lock);
}

static bool queue_get(uint64_t *ret_item) {
    pthread_mutex_lock(&queue.lock);
    while (!queue.count && !queue.closed)
        pthread_cond_wait(&queue.not_empty, &queue.lock);
    bool got = queue.count > 0;
    if (got) {
        *ret_item = queue.items[queue.first++ % ROOM];
        queue.count--;
        pthread_cond_signal(&queue.not_full);
    }
    pthread_mutex_unlock(&queue.lock);
    return got;
}

static void queue_close(void) {
    pthread_mutex_lock(&queue.lock);
    queue.closed = true;
    pthread_cond_broadcast(&queue.not_empty);
    pthread_mutex_unlock(&queue.lock);
}

static _Thread_local uint64_t own_sum;

static void *consume(void *unused) {
    for (uint64_t item; queue_get(&item);)
        own_sum += item;
    return (void *)own_sum;
}

static void queue_work(void) {
    pthread_t workers[WORKERS];
    uint64_t sum = 0;
    for (unsigned i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&workers[i], NULL, consume, NULL) == 0);
    for (uint64_t i = 1; i <= ITEMS; i++)
        queue_put(i);
    queue_close();
    for (unsigned i = 0; i < WORKERS; i++) {
        void *result;
        CHECK(pthread_join(workers[i], &result) == 0);
        sum += (uint64_t)result;
    }
    printf("queue: %lu, own %lu\n", sum, own_sum);
}

/* ---- rounds between barriers: each writes its own cells and reads its neighbours' ---- */

static pthread_barrier_t barrier;
static uint64_t cells[2][WORKERS];

static void *relax(void *argument) {
    unsigned me = (unsigned)(uintptr_t)argument;
    int serial = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const uint64_t *from = cells[round % 2];
        cells[(round + 1) % 2][me] = from[(me + 1) % WORKERS] + 3 * from[(me + WORKERS - 1) % WORKERS] + me;
        serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    }
    return (void *)(uintptr_t)serial;
}

static void barrier_work(void) {
    pthread_t workers[WORKERS];
    uintptr_t serial = 0;
    pthread_barrier_init(&barrier, NULL, WORKERS);
    for (uintptr_t i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&workers[i], NULL, relax, (void *)i) == 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        void *result;
        pthread_join(workers[i], &result);
        serial += (uintptr_t)result;
    }
    for (unsigned i = 0; i < WORKERS; i++)
        printf("%lu ", cells[ROUNDS % 2][i]);
    printf("rounds: %lu\n", serial);
}

/* ---- readers and writers, specific data, once ---- */

static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static uint64_t table[64];
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint destroyed, prepared;

static void forget(void *value) {
    destroyed += *(unsigned *)value;
    free(value);
}

static void prepare(void) {
    pthread_key_create(&key, forget);
    prepared++;
}

static void *read_and_write(void *argument) {
    uint64_t state = (uintptr_t)argument + 1, torn = 0;
    pthread_once(&once, prepare);
    unsigned *mine = malloc(sizeof(unsigned));
    *mine = 1;
    pthread_setspecific(key, mine);
    for (unsigned i = 0; i < 500; i++) {
        if (next_random(&state) % 4 == 0) {
            pthread_rwlock_wrlock(&table_lock);
            for (unsigned j = 0; j < 64; j++)
                table[j]++;
            pthread_rwlock_unlock(&table_lock);
        } else {
            pthread_rwlock_rdlock(&table_lock);
            for (unsigned j = 1; j < 64; j++)
                torn += table[j] != table[0];
            pthread_rwlock_unlock(&table_lock);
        }
    }
    return (void *)torn;
}

static void table_work(void) {
    pthread_t workers[WORKERS];
    uintptr_t torn = 0;
    for (uintptr_t i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&workers[i], NULL, read_and_write, (void *)i) == 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        void *result;
        pthread_join(workers[i], &result);
        torn += (uintptr_t)result;
    }
    printf("table: %lu, torn %lu, prepared %u, destroyed %u\n", table[0], torn, prepared, destroyed);
}

/* ---- many threads, one after the other and detached ---- */

static sem_t done;
static atomic_ulong total;

static void *add_up(void *argument) {
    total += (uintptr_t)argument;
    sem_post(&done);
    return NULL;
}

static void crowd_work(void) {
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, 64 * 1024);
    sem_init(&done, 0, 0);
    for (uintptr_t i = 1; i <= SHORT_LIVED; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, i % 2 ? &detached : NULL, add_up, (void *)i) == 0);
        if (i % 2 == 0)
            pthread_join(thread, NULL);
    }
    for (unsigned i = 0; i < SHORT_LIVED; i++)
        sem_wait(&done);
    printf("crowd: %lu\n", total);
}

int main(void) {
    for (unsigned i = 0; i < WORKERS; i++)
        cells[0][i] = i;
    queue_work();
    barrier_work();
    table_work();
    crowd_work();
    return 0;
}
