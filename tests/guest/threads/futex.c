/* futex(2) itself: arguments, keys, wake-ups and their order, requeueing, WAKE_OP, time-outs, locks with an owner
 * (PI), robust lists, futex_waitv. */
#include "say.h"
#include <linux/futex.h>
#include <stddef.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
struct wanted {
    uint64_t value, address;
    uint32_t flags, reserved;
};

static volatile int words[64];
static volatile pid_t tids[16];

static long futex(volatile void *address, int operation, long value, const void *time, volatile void *second, long third) {
    return syscall(SYS_futex, address, operation, value, time, second, third);
}

/* ---- arguments ---- */

static void arguments(void) {
    char *hole = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(hole + 4096, 4096);
    mprotect(hole + 8192, 4096, PROT_READ);
    struct {
        const char *name;
        volatile void *address;
    } places[] = {{"unaligned", (char *)words + 1}, {"unaligned by 2", (char *)words + 2}, {"null", NULL}, {"a hole", hole + 4096},
                  {"read-only", hole + 8192},       {"the kernel's", (void *)(-4096L)},    {"a word", words}};
    static const char *names[] = {"WAIT",    "WAKE",      "FD",          "REQUEUE",     "CMP_REQUEUE", "WAKE_OP",        "LOCK_PI",
                                  "UNLOCK_PI", "TRYLOCK_PI", "WAIT_BITSET", "WAKE_BITSET", "WAIT_REQUEUE_PI", "CMP_REQUEUE_PI", "LOCK_PI2",
                                  "14",      "15",        "127"};
    struct timespec none = {0, 0};
    for (int i = 0; i < COUNT(places); i++)
        for (int private = 0; private < 2; private++)
            for (int command = 0; command < COUNT(names); command++) {
                int op = (command == 16 ? 127 : command) | (private ? FUTEX_PRIVATE_FLAG : 0);
                if (command == FUTEX_LOCK_PI2 && !kernel_is(5, 14))
                    continue;
                words[0] = words[1] = 0;
                bool two = command == FUTEX_REQUEUE || command == FUTEX_CMP_REQUEUE || command == FUTEX_WAKE_OP ||
                           command == FUTEX_CMP_REQUEUE_PI;
                long r = futex(places[i].address, op, command == FUTEX_CMP_REQUEUE_PI, two ? (void *)1 : &none, &words[8],
                               command == FUTEX_WAIT_BITSET || command == FUTEX_WAKE_BITSET ? -1 : 0);
                say("%s%s at %s: %s, word %s", names[command], private ? " private" : "", places[i].name, result(r),
                    words[0] == gettid_now() ? "tid" : words[0] == 0 ? "0" : "other");
            }
    munmap(hole, 4096);
}

static void values(void) {
    struct timespec bad[] = {{-1, 0}, {0, -1}, {0, 1000000000}, {0, 999999999}};
    for (int i = 0; i < 3; i++)
        say("bad time %d: WAIT %s BITSET %s LOCK_PI %s WAKE %s", i, result(futex(words, FUTEX_WAIT, 0, &bad[i], NULL, 0)),
            result(futex(words, FUTEX_WAIT_BITSET, 0, &bad[i], NULL, -1)), result(futex(words, FUTEX_LOCK_PI, 0, &bad[i], NULL, 0)),
            result(futex(words, FUTEX_WAKE, 1, &bad[i], NULL, 0)));
    say("time nowhere: %s", result(futex(words, FUTEX_WAIT, 0, (void *)8, NULL, 0)));
    say("another value: %s, with a bad time %s", result(futex(words, FUTEX_WAIT, 1, NULL, NULL, 0)),
        result(futex(words, FUTEX_WAIT, 1, &bad[0], NULL, 0)));
    say("no bits: WAIT %s WAKE %s", result(futex(words, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0)),
        result(futex(words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0)));
    say("realtime: WAKE %s, REQUEUE %s", result(futex(words, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0)),
        result(futex(words, FUTEX_REQUEUE | FUTEX_CLOCK_REALTIME, 0, NULL, &words[1], 0)));
    say("negative counts: REQUEUE %s %s, CMP %s", result(futex(words, FUTEX_REQUEUE, -1, (void *)1, &words[1], 0)),
        result(futex(words, FUTEX_REQUEUE, 1, (void *)-1L, &words[1], 0)),
        result(futex(words, FUTEX_CMP_REQUEUE, -1, (void *)1, &words[1], 0)));
    say("CMP_REQUEUE with another value: %s", result(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, &words[1], 7)));
    say("CMP_REQUEUE_PI: waking 0 %s, 2 %s, to itself %s", result(futex(words, FUTEX_CMP_REQUEUE_PI, 0, (void *)1, &words[1], 0)),
        result(futex(words, FUTEX_CMP_REQUEUE_PI, 2, (void *)1, &words[1], 0)),
        result(futex(words, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &words[0], 0)));
    say("WAIT_REQUEUE_PI to itself %s, another value %s", result(futex(words, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &words[0], 0)),
        result(futex(words, FUTEX_WAIT_REQUEUE_PI, 9, NULL, &words[1], 0)));
}

static void times(void) {
    struct timespec time = {0, 20000000}, past = {1, 0};
    uint64_t start = now_ns(CLOCK_MONOTONIC);
    say("relative: %s, late enough %d", result(futex(words, FUTEX_WAIT, 0, &time, NULL, 0)), now_ns(CLOCK_MONOTONIC) - start >= 20000000);
    for (int real = 0; real < 2; real++) {
        clockid_t clock = real ? CLOCK_REALTIME : CLOCK_MONOTONIC;
        int flag = real ? FUTEX_CLOCK_REALTIME : 0;
        uint64_t end = now_ns(clock) + 20000000;
        struct timespec at = {(time_t)(end / 1000000000), (long)(end % 1000000000)};
        say("absolute, clock %d: %s", real, result(futex(words, FUTEX_WAIT_BITSET | flag, 0, &at, NULL, -1)));
        say("  late enough %d, in the past %s", now_ns(clock) >= end,
            result(futex(words, FUTEX_WAIT_BITSET | flag, 0, &past, NULL, -1)));
    }
}

/* ---- WAKE_OP ---- */

static void operations(void) {
    static const int olds[] = {0, 1, 5, -1, -2048, 2047, 0x7fffffff, (int)0x80000000};
    static const int operands[] = {0, 1, 5, 31, 32, 0x7ff, 0x800, 0xfff};
    unsigned sum = 0;
    for (int op = 0; op < 16; op++) {
        sum = 0;
        for (int cmp = 0; cmp < 16; cmp++)
            for (int i = 0; i < COUNT(olds); i++)
                for (int j = 0; j < COUNT(operands); j++) {
                    if ((op & 8) && operands[j] > 31)
                        continue;
                    words[1] = olds[i];
                    unsigned code = (unsigned)op << 28 | (unsigned)cmp << 24 | (unsigned)operands[j] << 12 | (unsigned)operands[(j + i) % 8];
                    errno = 0;
                    long r = futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1], code);
                    sum = sum * 31 + (unsigned)words[1] * 7 + (unsigned)r + (unsigned)errno * 3;
                }
        say("operation %d: %08x", op, sum);
    }
}

/* ---- several waiters ---- */

struct job {
    int number, word;
    unsigned bits;
    volatile int state; /* 1: about to wait, 2: woken */
    long result;
    int error;
};
static struct job jobs[16];
static volatile int woken_order[32], woken_count;

static void *waiter(void *argument) {
    struct job *job = argument;
    tids[job->number] = gettid_now();
    job->state = 1;
    job->result = futex(&words[job->word], job->bits ? FUTEX_WAIT_BITSET : FUTEX_WAIT, 0, NULL, NULL, job->bits);
    job->error = errno;
    woken_order[__atomic_fetch_add(&woken_count, 1, __ATOMIC_SEQ_CST)] = job->number;
    job->state = 2;
    return NULL;
}

static pthread_t started[16];
static void start(int number, int word, unsigned bits) {
    jobs[number] = (struct job){.number = number, .word = word, .bits = bits};
    pthread_create(&started[number], NULL, waiter, &jobs[number]);
    while (jobs[number].state == 0)
        sched_yield();
    wait_for_state(tids[number], 'S');
}

/* Wakes them one by one, so that the order is the queue's. */
static void drain(const char *what, int word) {
    char line[128] = "";
    woken_count = 0;
    for (int n = 0; futex(&words[word], FUTEX_WAKE, 1, NULL, NULL, 0) == 1; n++) {
        for (int i = 0; i < 5000 && woken_count == n; i++)
            pause_ms(1);
        /* a waiter that was woken may not have run: the one that has is the one */
        sprintf(line + strlen(line), " %d", woken_order[woken_count - 1]);
    }
    say("%s:%s", what, line);
}

static void join_all(int count) {
    for (int i = 0; i < count; i++)
        pthread_join(started[i], NULL);
}

static void queues(void) {
    for (int i = 0; i < 5; i++)
        start(i, 10, 0);
    drain("in order", 10);
    join_all(5);
    for (int i = 0; i < 6; i++)
        start(i, 10, i % 2 ? 2 : 5);
    woken_count = 0;
    say("bits 2: %s", result(futex(&words[10], FUTEX_WAKE_BITSET, 2, NULL, NULL, 2)));
    say("bits 8: %s", result(futex(&words[10], FUTEX_WAKE_BITSET, 9, NULL, NULL, 8)));
    while (woken_count < 2)
        pause_ms(1);
    drain("the others", 10);
    join_all(6);
    for (int i = 0; i < 6; i++)
        start(i, 10, 0);
    woken_count = 0;
    say("requeue 1 and 3: %s", result(futex(&words[10], FUTEX_CMP_REQUEUE, 1, (void *)3, &words[11], 0)));
    while (woken_count < 1)
        pause_ms(1);
    say("  the first is woken: %d", woken_order[0]);
    drain("left behind", 10);
    drain("moved", 11);
    join_all(6);
    for (int i = 0; i < 3; i++)
        start(i, 12, 0);
    say("requeue to itself: %s", result(futex(&words[12], FUTEX_REQUEUE, 0, (void *)2, &words[12], 0)));
    drain("then", 12);
    join_all(3);
    start(0, 13, 0), start(1, 14, 0), start(2, 14, 0);
    woken_count = 0;
    words[14] = 0;
    say("wake_op of both: %s", result(futex(&words[13], FUTEX_WAKE_OP, 1, (void *)1, &words[14], FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0))));
    say("  word %d", words[14]);
    while (woken_count < 2)
        pause_ms(1);
    drain("left", 14);
    join_all(3);
    start(0, 15, 0), start(1, 15, 0);
    say("a wake-up of none: %s, of minus one: %s", result(futex(&words[15], FUTEX_WAKE, 0, NULL, NULL, 0)),
        result(futex(&words[15], FUTEX_WAKE, -1, NULL, NULL, 0)));
    join_all(2);
}

/* ---- shared keys ---- */

static int waits_shared(void *word) {
    struct timespec limit = {5, 0};
    return futex(word, FUTEX_WAIT, 0, &limit, NULL, 0) == 0 ? 0 : errno == EAGAIN ? 0 : 1;
}

static void wake_until(const char *what, volatile int *word, int operation, pid_t pid) {
    wait_for_state(pid, 'S');
    long r = 0;
    for (int i = 0; i < 200 && r == 0; i++, pause_ms(1))
        r = futex(word, operation, 1, NULL, NULL, 0);
    say("%s: woken %ld", what, r);
    if (r == 0)
        kill(pid, SIGKILL);
    say_child("  it", pid);
}

static void shared_keys(void) {
    volatile int *page = shared_page();
    wake_until("anonymous shared memory", page, FUTEX_WAKE, in_child(waits_shared, (void *)page));
    int fd = memfd_create("futex", 0);
    if (ftruncate(fd, 8192) < 0)
        return;
    volatile int *one = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    volatile int *two = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
    wake_until("a file mapped twice", two + 5, FUTEX_WAKE, in_child(waits_shared, (void *)(one + 1024 + 5)));
    volatile int *moved = mremap((void *)two, 4096, 8192, MREMAP_MAYMOVE);
    (void)moved;
    pid_t pid = in_child(waits_shared, (void *)(one + 3));
    wait_for_state(pid, 'S');
    say("another word of the page: %s", result(futex(one + 4, FUTEX_WAKE, 1, NULL, NULL, 0)));
    say("by a private key: %s", result(futex(one + 3, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0)));
    wake_until("by the shared key", one + 3, FUTEX_WAKE, pid);
    static int own;
    pid = in_child(waits_shared, &own);
    wait_for_state(pid, 'S');
    say("private memory is not shared by fork: %s", result(futex(&own, FUTEX_WAKE, 1, NULL, NULL, 0)));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    pid = in_child(waits_shared, (void *)(page + 9));
    wait_for_state(pid, 'S');
    madvise((void *)page, 4096, MADV_DONTNEED);
    wake_until("after MADV_DONTNEED", page + 9, FUTEX_WAKE, pid);
    close(fd);
}

/* ---- locks with an owner ---- */

static volatile int lock, second_lock, step, pi_words[8];
/* A call and the word that it leaves behind. */
#define SAY_LOCK(what, call)                                                                                 \
    do {                                                                                                     \
        const char *answer = result(call);                                                                     \
        say("%s: %s, word %s", what, answer, word_text(lock));                                                 \
    } while (0)
static const char *word_text(int word) {
    static char text[4][64];
    static int next;
    int tid = word & FUTEX_TID_MASK;
    char *to = text[next++ % 4];
    snprintf(to, 64, "%s%s%s", tid == 0 ? "0" : tid == gettid_now() ? "me" : "another", word & FUTEX_WAITERS ? "|WAITERS" : "",
             word & FUTEX_OWNER_DIED ? "|DIED" : "");
    return to;
}

static void *pi_locker(void *argument) {
    struct job *job = argument;
    job->number = gettid_now();
    job->state = 1;
    job->result = futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    job->error = errno;
    job->state = 2;
    if (job->word == 1) /* it ends owning the lock */
        return NULL;
    while (step == 0)
        pause_ms(1);
    errno = 0;
    long r = futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    job->bits = (unsigned)(r == 0 ? 0 : errno);
    return NULL;
}

static void *locks_in_turn(void *argument) {
    struct job *job = argument;
    futex(&second_lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    job->number = gettid_now();
    job->state = 1;
    job->result = futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    futex(&second_lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    return NULL;
}

static pthread_t run_job(int i, void *(*function)(void *), int word) {
    pthread_t thread;
    jobs[i] = (struct job){.word = word};
    pthread_create(&thread, NULL, function, &jobs[i]);
    while (jobs[i].state == 0)
        pause_ms(1);
    return thread;
}

static void inheriting(void) {
    struct timespec past = {1, 0};
    lock = 0;
    SAY_LOCK("lock", futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    SAY_LOCK("again", futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    SAY_LOCK("try", futex(&lock, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    pthread_t thread = run_job(0, pi_locker, 0);
    wait_for_state(jobs[0].number, 'S');
    say("somebody waits: word %s; a wake-up: %s", word_text(lock), result(futex(&lock, FUTEX_WAKE, 1, NULL, NULL, 0)));
    say("  wait there: %s", result(futex(&lock, FUTEX_REQUEUE, 1, (void *)1, &words[20], 0)));
    say("unlock: %s", result(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0)));
    wait_for_value(&jobs[0].state, 2);
    say("  now: %s", word_text(lock));
    SAY_LOCK("unlock by a stranger", futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    SAY_LOCK("try", futex(&lock, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    say("lock, late: %s", result(futex(&lock, FUTEX_LOCK_PI, 0, &past, NULL, 0)));
    step = 1;
    pthread_join(thread, NULL);
    say("all gone: word %s, the other got %ld, unlocked %s", word_text(lock), jobs[0].result, error_of((int)jobs[0].bits));
    lock = 0x3ffffff0;
    const char *text = result(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    say("an owner that is none: %s, word changed %d", text, lock != 0x3ffffff0);
    lock = FUTEX_OWNER_DIED;
    SAY_LOCK("a dead owner's", futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    SAY_LOCK("unlock", futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    say("unlock again: %s", result(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0)));
}

static void deadlocks_and_deaths(void) {
    lock = second_lock = 0;
    futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    pthread_t thread = run_job(1, locks_in_turn, 0);
    wait_for_state(jobs[1].number, 'S');
    say("a circle: %s", result(futex(&second_lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0)));
    futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    pthread_join(thread, NULL);
    say("it got both: %ld, words %s %s", jobs[1].result, word_text(lock), word_text(second_lock));
    lock = 0;
    futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    thread = run_job(2, pi_locker, 1);
    wait_for_state(jobs[2].number, 'S');
    step = 1;
    pthread_t next = run_job(3, pi_locker, 0);
    wait_for_state(jobs[3].number, 'S');
    futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    pthread_join(thread, NULL); /* dies with the lock: the next one has it */
    pthread_join(next, NULL);
    say("the owner died: the next got %ld, unlocked %s, word %s", jobs[3].result, error_of((int)jobs[3].bits), word_text(lock));
}

static void *waits_on_condition(void *argument) {
    struct job *job = argument;
    job->number = gettid_now();
    job->state = 1;
    job->result = futex(&pi_words[0], FUTEX_WAIT_REQUEUE_PI, 0, NULL, &lock, 0);
    job->error = errno;
    job->bits = (lock & FUTEX_TID_MASK) == gettid_now();
    long r = futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    job->word = r == 0 ? 0 : errno;
    return NULL;
}

static void conditions(void) {
    pthread_t threads[3];
    for (int owned = 0; owned < 2; owned++) {
        lock = 0;
        if (owned)
            futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
        for (int i = 0; i < 3; i++) {
            threads[i] = run_job(4 + i, waits_on_condition, 0);
            wait_for_state(jobs[4 + i].number, 'S');
        }
        say("wake them: %s, requeue to another: %s", result(futex(&pi_words[0], FUTEX_WAKE, 1, NULL, NULL, 0)),
            result(futex(&pi_words[0], FUTEX_CMP_REQUEUE_PI, 1, (void *)9, &second_lock, 0)));
        say("requeue: %s", result(futex(&pi_words[0], FUTEX_CMP_REQUEUE_PI, 1, (void *)9, &lock, 0)));
        if (owned)
            say("unlock: %s", result(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0)));
        for (int i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        for (int i = 4; i < 7; i++)
            say("  one got %ld, owned it %u, unlocked %s", jobs[i].result, jobs[i].bits, error_of(jobs[i].word));
        say("  word %s", word_text(lock));
    }
    struct timespec past = {1, 0};
    say("late: %s", result(futex(&pi_words[0], FUTEX_WAIT_REQUEUE_PI, 0, &past, &lock, 0)));
}

/* ---- robust lists ---- */

static volatile struct robust {
    struct robust_list list;
    volatile int word;
} *robust_locks;

static int leaves_locks(void *kind) {
    static struct robust_list_head head;
    struct robust *l = (struct robust *)robust_locks;
    head.futex_offset = offsetof(struct robust, word);
    head.list.next = &l[0].list;
    l[0].list.next = &l[1].list;
    l[1].list.next = &l[2].list;
    l[2].list.next = &head.list;
    l[0].word = gettid_now();
    l[1].word = gettid_now() | (int)FUTEX_WAITERS;
    l[2].word = 12345;
    l[3].word = gettid_now();
    head.list_op_pending = &l[3].list;
    syscall(SYS_set_robust_list, &head, sizeof head);
    switch ((int)(intptr_t)kind) {
    case 0: return 0;
    case 1: kill(getpid(), SIGKILL); break;
    case 2: execl("/bin/true", "true", NULL); break;
    case 3: l[2].list.next = &l[0].list; return 0; /* a circle */
    case 4: l[1].list.next = (void *)8; return 0;
    default: break;
    }
    return 1;
}

static void robust(void) {
    robust_locks = shared_page();
    for (intptr_t kind = 0; kind < 5; kind++) {
        memset((void *)robust_locks, 0, 4096);
        pid_t pid = in_child(leaves_locks, (void *)kind);
        waitpid(pid, NULL, 0);
        say("robust list, end %ld: %s %s %d %s", (long)kind, word_text(robust_locks[0].word), word_text(robust_locks[1].word),
            robust_locks[2].word, word_text(robust_locks[3].word));
    }
    struct robust_list_head *head = NULL;
    size_t length = 0;
    say("get_robust_list: %s length %zu; of none %s; nowhere %s", result(syscall(SYS_get_robust_list, 0, &head, &length)), length,
        result(syscall(SYS_get_robust_list, 4000000, &head, &length)), result(syscall(SYS_get_robust_list, 0, 8, &length)));
    say("set_robust_list of 23 bytes: %s", result(syscall(SYS_set_robust_list, head, 23)));
}

/* ---- futex_waitv ---- */

static void *wakes_third(void *unused) {
    (void)unused;
    wait_for_state(getpid(), 'S');
    while (futex(&words[32], FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0) == 0)
        pause_ms(1);
    return NULL;
}

static void vectors(void) {
    struct wanted w[130];
    struct timespec past = {1, 0}, bad = {0, 1000000000};
    if (!kernel_is(5, 16))
        return;
    memset(w, 0, sizeof w);
    for (int i = 0; i < 130; i++)
        w[i] = (struct wanted){0, (uint64_t)&words[30 + i % 5], 2 | FUTEX_PRIVATE_FLAG, 0};
    say("waitv: none %s, 129 %s, flags %s, null %s", result(syscall(SYS_futex_waitv, w, 0, 0, NULL, 0)),
        result(syscall(SYS_futex_waitv, w, 129, 0, NULL, 0)), result(syscall(SYS_futex_waitv, w, 1, 1, NULL, 0)),
        result(syscall(SYS_futex_waitv, NULL, 1, 0, NULL, 0)));
    say("  nowhere %s, clock 7 %s, bad time %s, past %s", result(syscall(SYS_futex_waitv, 8, 1, 0, NULL, 0)),
        result(syscall(SYS_futex_waitv, w, 1, 0, &past, 7)), result(syscall(SYS_futex_waitv, w, 1, 0, &bad, CLOCK_MONOTONIC)),
        result(syscall(SYS_futex_waitv, w, 128, 0, &past, CLOCK_MONOTONIC)));
    w[1].flags = 0x100;
    say("  bad flags %s", result(syscall(SYS_futex_waitv, w, 2, 0, &past, CLOCK_MONOTONIC)));
    w[1].flags = 2 | FUTEX_PRIVATE_FLAG;
    w[1].reserved = 1;
    say("  reserved %s", result(syscall(SYS_futex_waitv, w, 2, 0, &past, CLOCK_MONOTONIC)));
    w[1].reserved = 0;
    w[1].value = 5;
    say("  another value %s", result(syscall(SYS_futex_waitv, w, 2, 0, &past, CLOCK_MONOTONIC)));
    w[1].value = 0;
    w[1].address |= 1;
    say("  unaligned %s", result(syscall(SYS_futex_waitv, w, 2, 0, &past, CLOCK_MONOTONIC)));
    w[1].address &= ~1ULL;
    pthread_t thread;
    pthread_create(&thread, NULL, wakes_third, NULL);
    say("  woken: %s", result(syscall(SYS_futex_waitv, w, 5, 0, NULL, 0)));
    pthread_join(thread, NULL);
}

int main(void) {
    arguments();
    values();
    times();
    operations();
    queues();
    shared_keys();
    inheriting();
    deadlocks_and_deaths();
    conditions();
    robust();
    vectors();
    return 0;
}
