/* Translations that are not true any more: whatever a page was, after mprotect, munmap, mremap, fork, a write
 * to its file or to its code, every access of every thread and process sees what it is now. Each case is
 * warmed up first, so that there is something to be stale. */
#include "../c/check.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { WARM = 200, THREADS = 3 };

static __thread sigjmp_buf escape;

static void on_fault(int signal) {
    siglongjmp(escape, signal);
}

/* What an access to the byte ends in: its value, or minus the signal. */
static int try_read(const volatile uint8_t *at) {
    int signal = sigsetjmp(escape, 1);
    return signal ? -signal : *at;
}

static int try_write(volatile uint8_t *at, uint8_t value) {
    int signal = sigsetjmp(escape, 1);
    if (signal)
        return -signal;
    *at = value;
    return 0;
}

static int try_call(int (*function)(void)) {
    int signal = sigsetjmp(escape, 1);
    return signal ? -signal : function();
}

static const char *outcome(int result) {
    static char text[32];
    if (result >= 0)
        snprintf(text, sizeof text, "%d", result);
    return result >= 0          ? text
           : -result == SIGSEGV ? "refused"
           : -result == SIGBUS  ? "bus error"
                                : "another signal";
}

static void say(const char *what, int result) {
    printf("%s: %s\n", what, outcome(result));
}

static uint8_t *warm_pages(size_t count, int protection, int flags) {
    uint8_t *memory = mmap(NULL, count * PAGE, protection | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    for (int i = 0; i < WARM; i++)
        for (size_t page = 0; page < count; page++)
            ((volatile uint8_t *)memory)[page * PAGE] = (uint8_t)(page + 1);
    return memory;
}

static uint8_t *warm(int flags) {
    return warm_pages(2, PROT_READ, flags);
}

/* ---- one process ---- */

static void protections(void) {
    uint8_t *p = warm(MAP_PRIVATE);
    CHECK(mprotect(p, PAGE, PROT_READ) == 0);
    say("write after mprotect(READ)", try_write(p, 9));
    say("read after mprotect(READ)", try_read(p));
    CHECK(mprotect(p, PAGE, PROT_NONE) == 0);
    say("read after mprotect(NONE)", try_read(p));
    CHECK(mprotect(p, PAGE, PROT_READ | PROT_WRITE) == 0);
    say("write after mprotect(READ | WRITE)", try_write(p, 9));
    say("and read", try_read(p));
    CHECK(munmap(p, PAGE) == 0);
    say("read after munmap", try_read(p));
    say("write after munmap", try_write(p, 1));
    CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    say("read of what was mapped instead", try_read(p));
    say("write to what was mapped instead", try_write(p, 1));
    CHECK(mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    say("read over a mapping", try_read(p + PAGE));
}

static void moves(void) {
    uint8_t *p = warm(MAP_PRIVATE), *to = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(to != MAP_FAILED && mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    say("read where it was moved from", try_read(p));
    say("read where it was moved to", try_read(to));
    say("write where it was moved to", try_write(to, 7));
    p = warm(MAP_PRIVATE);
    CHECK(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL) != MAP_FAILED);
    say("read where DONTUNMAP left it", try_read(p));
    p = warm(MAP_PRIVATE);
    CHECK(mremap(p, 2 * PAGE, PAGE, 0) == p);
    say("read behind what was cut", try_read(p + PAGE));
    p = warm(MAP_PRIVATE);
    CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0);
    say("read after MADV_DONTNEED", try_read(p));
}

static void file_ends(void) {
    int fd = open("stale.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0);
    for (int flags = MAP_SHARED; flags <= MAP_PRIVATE; flags++) {
        volatile uint8_t *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
        CHECK(p != MAP_FAILED && ftruncate(fd, 2 * PAGE) == 0);
        for (int i = 0; i < WARM; i++)
            p[PAGE] = 5;
        CHECK(ftruncate(fd, PAGE) == 0);
        say("read behind the file's end", try_read(p + PAGE));
        say("write behind the file's end", try_write(p + PAGE, 1));
        CHECK(ftruncate(fd, 2 * PAGE) == 0);
        say("read after it grew again", try_read(p + PAGE));
    }
    volatile uint8_t *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(shared != MAP_FAILED && pwrite(fd, "\1", 1, 0) == 1);
    say("before write(2)", try_read(shared));
    CHECK(pwrite(fd, "\2", 1, 0) == 1);
    say("after write(2)", try_read(shared));
    CHECK(unlink("stale.dat") == 0);
}

static void put_code(uint8_t *at, uint8_t value) {
    memcpy(at, ((uint8_t[]){0xb8, value, 0, 0, 0, 0xc3}), 6); /* mov eax, value; ret */
}

static void code(void) {
    uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    uint8_t *other = mremap(p, 0, PAGE, MREMAP_MAYMOVE);
    CHECK(other != MAP_FAILED);
    int (*function)(void) = (int (*)(void))(void *)p;
    put_code(p, 1);
    for (int i = 0; i < WARM; i++)
        CHECK(try_call(function) == 1);
    put_code(p, 2);
    say("code after a write to it", try_call(function));
    put_code(other, 3);
    say("code after a write through another mapping", try_call(function));
    int pipe_fds[2];
    CHECK(pipe(pipe_fds) == 0 && write(pipe_fds[1], "\4", 1) == 1 && read(pipe_fds[0], p + 1, 1) == 1);
    say("code after a read(2) into it", try_call(function));
    CHECK(mprotect(p, PAGE, PROT_READ) == 0);
    say("code without the right to execute", try_call(function));
    CHECK(mprotect(p, PAGE, PROT_READ | PROT_EXEC) == 0);
    say("code with it again", try_call(function));
    CHECK(munmap(p, PAGE) == 0);
    say("code that is unmapped", try_call(function));
}

/* ---- several processes ---- */

static void forks(int flags) {
    uint8_t *p = warm(flags);
    int down[2], up[2];
    uint8_t byte = 0;
    CHECK(pipe(down) == 0 && pipe(up) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < WARM; i++)
            CHECK(try_read(p) == 1);
        CHECK(write(up[1], "r", 1) == 1 && read(down[0], &byte, 1) == 1);
        say("the child sees", try_read(p));
        CHECK(try_write(p, 33) == 0);
        say("the child wrote", try_read(p));
        fflush(stdout);
        _exit(0);
    }
    CHECK(pid > 0 && read(up[0], &byte, 1) == 1);
    CHECK(try_write(p, 22) == 0 && write(down[1], "w", 1) == 1 && waitpid(pid, NULL, 0) == pid);
    say("the parent sees", try_read(p));
}

/* ---- several threads: each is warm, one changes, all look ---- */

static pthread_barrier_t ready, changed;
static uint8_t *common;
static int seen[THREADS];

static void *looker(void *number) {
    volatile uint8_t sum = 0;
    for (int i = 0; i < WARM; i++)
        sum = (uint8_t)(sum + try_read(common));
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&changed);
    seen[(intptr_t)number] = (intptr_t)number == 1 ? try_write(common, 3) : try_read(common);
    return NULL;
}

static void threads(const char *what, int protection) {
    pthread_t ids[THREADS];
    common = warm(MAP_PRIVATE);
    CHECK(pthread_barrier_init(&ready, NULL, THREADS + 1) == 0 &&
          pthread_barrier_init(&changed, NULL, THREADS + 1) == 0);
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&ids[i], NULL, looker, (void *)i) == 0);
    pthread_barrier_wait(&ready);
    CHECK((protection < 0 ? munmap(common, PAGE) : mprotect(common, PAGE, protection)) == 0);
    pthread_barrier_wait(&changed);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(ids[i], NULL) == 0);
        printf("%s, thread %d: %s\n", what, i, outcome(seen[i]));
    }
}

int main(void) {
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGBUS, &action, NULL) == 0);
    protections();
    moves();
    file_ends();
    code();
    forks(MAP_PRIVATE);
    forks(MAP_SHARED);
    threads("munmap", -1);
    threads("mprotect(NONE)", PROT_NONE);
    threads("mprotect(READ)", PROT_READ);
    return 0;
}
