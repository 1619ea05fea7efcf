/* Races against the kernel: while one thread makes a call, another changes what the call works with. Whatever
 * comes first, the result is one of the two that make sense, and nothing else is touched. */
#include "../c/check.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { ROUNDS = 3000, CANARIES = 64 };

static atomic_bool stop;
static __thread sigjmp_buf escape;
static char *buffer; /* two pages; the second comes and goes */

static void on_fault(int signal) {
    siglongjmp(escape, signal);
}

static void run(const char *name, void (*attack)(void), void *(*meanwhile)(void *)) {
    pthread_t other;
    stop = false;
    CHECK(madvise(buffer, 2 * PAGE, MADV_DONTNEED) == 0);
    CHECK(pthread_create(&other, NULL, meanwhile, NULL) == 0);
    attack();
    stop = true;
    CHECK(pthread_join(other, NULL) == 0);
    printf("%s: only what makes sense\n", name);
    fflush(stdout);
}

/* ---- the target of a copy comes and goes ---- */

static void *unmapper(void *unused) {
    while (!stop) {
        CHECK(munmap(buffer + PAGE, PAGE) == 0);
        sched_yield();
        CHECK(mmap(buffer + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                   0) == buffer + PAGE);
        sched_yield();
    }
    return unused;
}

static void *protector(void *unused) {
    while (!stop) {
        CHECK(mprotect(buffer + PAGE, PAGE, PROT_READ) == 0);
        sched_yield();
        CHECK(mprotect(buffer + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
        sched_yield();
    }
    return unused;
}

static void copy_in(void) {
    int fd = open("races.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
    static char page[2 * PAGE];
    memset(page, 'n', sizeof page);
    CHECK(fd >= 0 && write(fd, page, sizeof page) == sizeof page);
    for (int i = 0; i < ROUNDS; i++) {
        ssize_t n = pread(fd, buffer + PAGE / 2, PAGE, 0);
        CHECK((n >= (ssize_t)PAGE / 2 && n <= (ssize_t)PAGE) || (n < 0 && errno == EFAULT));
        CHECK(n < 0 || buffer[PAGE - 1] == 'n');
        buffer[PAGE - 1] = 'o';
    }
    CHECK(close(fd) == 0 && unlink("races.dat") == 0);
}

static void copy_out(void) {
    int fds[2];
    static char got[2 * PAGE];
    CHECK(pipe(fds) == 0);
    memset(buffer, 'b', PAGE);
    for (int i = 0; i < ROUNDS; i++) {
        struct iovec vector[] = {{buffer + PAGE - 8, 8}, {buffer + PAGE, 8}};
        ssize_t n = writev(fds[1], vector, 2);
        CHECK(n == 8 || n == 16 || (n < 0 && errno == EFAULT));
        if (n < 0)
            continue;
        CHECK(read(fds[0], got, sizeof got) == n && memcmp(got, "bbbbbbbb", 8) == 0);
        CHECK(n == 8 || memcmp(got + 8, "\0\0\0\0\0\0\0", 8) == 0);
    }
    close(fds[0]), close(fds[1]);
}

/* ---- a file that is mapped is cut and grows ---- */

static int cut_fd;

static void *cutter(void *unused) {
    static char page[PAGE];
    memset(page, 'x', PAGE);
    while (!stop) {
        CHECK(ftruncate(cut_fd, 0) == 0);
        sched_yield();
        CHECK(pwrite(cut_fd, page, PAGE, 0) == (ssize_t)PAGE);
        sched_yield();
    }
    return unused;
}

static void read_mapped(void) {
    volatile char *mapped = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, cut_fd, 0);
    CHECK(mapped != MAP_FAILED);
    for (int i = 0; i < ROUNDS; i++) {
        int signal = sigsetjmp(escape, 1);
        if (signal) {
            CHECK(signal == SIGBUS);
            continue;
        }
        char c = mapped[i % PAGE];
        CHECK(c == 'x' || c == 0);
        if (i % 16 == 0)
            sched_yield();
    }
    CHECK(munmap((void *)(uintptr_t)mapped, PAGE) == 0);
}

static void write_from_mapped(void) {
    char *mapped = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, cut_fd, 0);
    int fds[2];
    char got[100];
    CHECK(mapped != MAP_FAILED && pipe(fds) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        ssize_t n = write(fds[1], mapped + 2000, 100);
        CHECK(n == 100 || (n < 0 && errno == EFAULT));
        CHECK(n < 0 || read(fds[0], got, 100) == 100);
        for (ssize_t j = 0; j < n; j++)
            CHECK(got[j] == 'x' || got[j] == 0);
        if (i % 16 == 0)
            sched_yield();
    }
    CHECK(munmap(mapped, PAGE) == 0 && close(fds[0]) == 0 && close(fds[1]) == 0);
}

/* ---- a name changes while it is used ---- */

static char name[16] = "allowed";

static void *renamer(void *unused) {
    while (!stop) {
        memcpy(name, "missing", 7);
        sched_yield();
        memcpy(name, "allowed", 7);
        sched_yield();
    }
    return unused;
}

static void open_by_name(void) {
    int made = open("allowed", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(made >= 0 && write(made, "good", 4) == 4);
    for (int i = 0; i < ROUNDS; i++) {
        char got[4];
        int fd = open(name, O_RDONLY);
        CHECK(fd >= 0 || errno == ENOENT);
        if (fd >= 0)
            CHECK(read(fd, got, 4) == 4 && memcmp(got, "good", 4) == 0 && close(fd) == 0);
        if (i % 16 == 0)
            sched_yield();
    }
    CHECK(close(made) == 0 && unlink("allowed") == 0);
}

/* ---- descriptors are closed and opened again ---- */

static int table_fds[2];

static void *closer(void *unused) {
    while (!stop) {
        int spare = dup(table_fds[0]);
        CHECK(spare >= 0 && close(spare) == 0);
        CHECK(dup2(table_fds[1], 700) == 700);
        sched_yield();
        CHECK(close(700) == 0);
        sched_yield();
    }
    return unused;
}

static void use_descriptor(void) {
    char got[8];
    for (int i = 0; i < ROUNDS; i++) {
        ssize_t n = write(700, "d", 1);
        CHECK(n == 1 || (n < 0 && errno == EBADF));
        CHECK(n < 0 || read(table_fds[0], got, sizeof got) == 1);
        if (i % 16 == 0)
            sched_yield();
    }
}

/* ---- fork while another thread writes and gives back ---- */

static void *giver(void *unused) {
    for (uint64_t i = 0; !stop; i++) {
        buffer[i % PAGE] = (char)('A' + i % 26);
        if (i % 64 == 0)
            CHECK(madvise(buffer, PAGE, MADV_DONTNEED) == 0);
        if (i % 16 == 0)
            sched_yield();
    }
    return unused;
}

static void fork_meanwhile(void) {
    for (int i = 0; i < 40; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            char before[PAGE];
            memcpy(before, buffer, PAGE);
            for (int j = 0; j < 50; j++)
                sched_yield();
            _exit(memcmp(before, buffer, PAGE) != 0); /* nobody writes here any more */
        }
        int status;
        CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    }
}

int main(void) {
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    CHECK(sigaction(SIGBUS, &action, NULL) == 0);
    uint64_t *canary = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    buffer = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cut_fd = open("cut.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(canary != MAP_FAILED && buffer != MAP_FAILED && cut_fd >= 0 && ftruncate(cut_fd, PAGE) == 0);
    CHECK(pipe(table_fds) == 0);
    for (uint64_t i = 0; i < CANARIES; i++)
        canary[i] = pattern(i, 1);
    run("read into what is unmapped", copy_in, unmapper);
    run("read into what is protected", copy_in, protector);
    run("write from what is unmapped", copy_out, unmapper);
    run("access to a file that is cut", read_mapped, cutter);
    run("write from a file that is cut", write_from_mapped, cutter);
    run("open by a name that changes", open_by_name, renamer);
    run("write to what is closed", use_descriptor, closer);
    run("fork while memory is given back", fork_meanwhile, giver);
    for (uint64_t i = 0; i < CANARIES; i++)
        CHECK(canary[i] == pattern(i, 1));
    CHECK(unlink("cut.dat") == 0);
    return 0;
}
