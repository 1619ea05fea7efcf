/* A program whose pages come, are shared and die in all the ways that must not depend on how much memory
 * there is; for each way a word:
 *
 *     guest cow       generations of children that inherit pages, write some and end in changing order
 *     guest memfd     shared memory that is written, mapped, truncated and punched by several processes
 *     guest file      a file mapped shared and private, synchronised, truncated, deleted, locked in memory
 *     guest threads   threads that share an address space
 *     guest advice    madvise that is told to other pages than those in memory only
 *
 * one whose pages come back as other pages where memory is small, so that it must not ask what is in them
 *
 *     guest free      madvise that gives pages up
 *
 * and one that does none of that, but asks about memory in every way that there is, first a word of each:
 *
 *     guest ask */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 120 };

static uint32_t seed = 12345;

static unsigned pick(unsigned below) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static char *map(int protection, int flags, int fd) {
    char *at = mmap(NULL, PAGES * PAGE, protection, flags, fd, 0);
    if (at == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return at;
}

static unsigned touch(char *memory, unsigned count, unsigned writes) {
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++) {
        char *byte = memory + pick(PAGES) * PAGE + pick(PAGE);
        if (pick(8) < writes)
            *byte += 1;
        else
            sum += (unsigned char)*byte;
    }
    return sum;
}

/* ---- cow ---- */

static void cow_generation(char *memory, int depth) {
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            seed += (unsigned)i * 7919;
            touch(memory, 200, (unsigned)i);
            if (depth > 0)
                cow_generation(memory, depth - 1);
            touch(memory, 100, 2);
            _exit(0);
        }
        touch(memory, 150, 3);
        if (i == 1)
            waitpid(children[0], NULL, 0);
    }
    while (wait(NULL) > 0) {
    }
}

static void run_cow(void) {
    char *memory = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    touch(memory, 2000, 4);
    cow_generation(memory, 1);
    touch(memory, 500, 4);
    munmap(memory, PAGES / 2 * PAGE);
}

/* ---- memfd ---- */

static void memfd_round(int fd, char *memory, unsigned round) {
    char bytes[3 * PAGE];
    memset(bytes, (int)round, sizeof bytes);
    for (int i = 0; i < 20; i++) {
        const off_t at = pick(PAGES - 4) * PAGE + pick(PAGE);
        if (pick(2))
            (void)!pwrite(fd, bytes, pick(sizeof bytes), at);
        else
            (void)!pread(fd, bytes, pick(sizeof bytes), at);
        touch(memory, 10, round % 8);
    }
    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pick(PAGES) * PAGE / 2, 5 * PAGE + 100);
}

static void run_memfd(void) {
    const int fd = memfd_create("shared", 0);
    (void)!ftruncate(fd, PAGES * PAGE);
    char *memory = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    char *copy = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
    for (unsigned round = 0; round < 12; round++) {
        if (round % 3 == 0 && fork() == 0) {
            memfd_round(fd, memory, round + 100);
            touch(copy, 50, 4);
            _exit(0);
        }
        memfd_round(fd, memory, round);
        touch(copy, 30, 2);
        if (round % 4 == 3) {
            (void)!ftruncate(fd, PAGES / 2 * PAGE + 77);
            (void)!ftruncate(fd, PAGES * PAGE);
        }
        wait(NULL);
    }
}

/* ---- file ---- */

/* Not mkstemp: in the machine clock and randomness are the same in each run, and so is the name.
 * One more file of that name (of a run beside this one, or of one killed) would cost another try,
 * with references of its own. */
static void run_file(void) {
    const char name[] = "mapped-file"; // in the working directory, which is this run's own
    for (int time = 0; time < 2; time++) {
        const int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd < 0) {
            perror(name);
            exit(1);
        }
        static char bytes[PAGE];
        for (int i = 0; i < PAGES; i++)
            (void)!write(fd, bytes, sizeof bytes);
        char *shared = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
        char *private = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
        for (unsigned round = 0; round < 12; round++) {
            touch(shared, 150, round % 5);
            touch(private, 60, round % 3);
            msync(shared + pick(PAGES / 2) * PAGE, 20 * PAGE, MS_SYNC);
            if (round == 3)
                mlock(shared + 10 * PAGE, 30 * PAGE);
            if (round == 4)
                munlock(shared + 10 * PAGE, 30 * PAGE);
            if (round == 5)
                fsync(fd);
            if (round == 6) {
                (void)!ftruncate(fd, PAGES / 2 * PAGE + 10);
                (void)!ftruncate(fd, PAGES * PAGE);
            }
            if (round == 8) {
                munmap(shared, PAGES * PAGE);
                shared = map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd);
            }
            if (round == 9)
                madvise(private, PAGES / 3 * PAGE, MADV_DONTNEED);
        }
        unlink(name);
        if (time == 0)
            close(fd);
        munmap(shared, PAGES * PAGE);
    }
}

/* ---- threads ---- */

static char *of_threads;

static void *thread_run(void *argument) {
    for (int i = 0; i < 2000; i++) {
        of_threads[((uintptr_t)argument * 31 + (unsigned)i * 7) % PAGES * PAGE] += 1;
        if (i % 500 == 0)
            sched_yield();
    }
    return NULL;
}

static void run_threads(void) {
    pthread_t threads[4];
    of_threads = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, thread_run, (void *)i);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

/* ---- advice ---- */

static void run_advice(void) {
    char *memory = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    for (int round = 0; round < 10; round++) {
        touch(memory, 300, 4);
        madvise(memory + pick(PAGES / 2) * PAGE, 30 * PAGE, MADV_COLD);
        madvise(memory + pick(PAGES / 2) * PAGE, 30 * PAGE, MADV_PAGEOUT);
        madvise(memory + pick(PAGES / 2) * PAGE, 30 * PAGE, MADV_WILLNEED);
        madvise(memory + pick(PAGES / 2) * PAGE, 10 * PAGE, MADV_DONTNEED);
        madvise(memory + pick(PAGES / 2) * PAGE, 10 * PAGE, 23 /* MADV_POPULATE_WRITE */);
        memory = mremap(memory, PAGES * PAGE, (PAGES + 1) * PAGE, MREMAP_MAYMOVE);
        memory = mremap(memory, (PAGES + 1) * PAGE, PAGES * PAGE, 0);
    }
}

/* ---- free ---- */

/* Advice ends a run if it meets a page at all: so that it does in every memory, one was just written. */
static void advise(char *memory, unsigned pages, int advice) {
    char *at = memory + pick(PAGES / 2) * PAGE;
    *at = 1;
    madvise(at, pages * PAGE, advice);
}

static void run_free(void) {
    char *memory = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    for (int round = 0; round < 12; round++) {
        touch(memory, 150, 4);
        advise(memory, 40, MADV_FREE);
        touch(memory, 60, (unsigned)round % 3);
        advise(memory, 20, MADV_FREE);
        if (round % 4 == 3)
            advise(memory, 10, MADV_DONTNEED);
    }
}

/* ---- ask ---- */

static void ask_file(const char *path) {
    char text[4096] = "";
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = read(fd, text, sizeof text);
    if (fd < 0 || got < 0)
        perror(path);
    close(fd);
}

static void ask_about_children(void) {
    struct rusage usage;
    siginfo_t info;
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    wait4(child, &status, 0, &usage);
    printf("wait4 %ld %ld %ld\n", usage.ru_minflt, usage.ru_majflt, usage.ru_maxrss);
    child = fork();
    if (child == 0)
        _exit(0);
    syscall(SYS_waitid, P_PID, child, &info, WEXITED, &usage);
    printf("waitid %ld %ld %ld\n", usage.ru_minflt, usage.ru_majflt, usage.ru_maxrss);
}

/* Prints what it is told by calls, so that a run can be compared with one in another memory. */
static void run_ask(void) {
    static const char *const files[] = {"/proc/meminfo",
                                        "/proc/vmstat",
                                        "/proc/swaps",
                                        "/proc/self/stat",
                                        "/proc/self/statm",
                                        "/proc/self/status",
                                        "/proc/self/io",
                                        "/proc/self/oom_score",
                                        "/proc/self/smaps",
                                        "/proc/self/pagemap",
                                        "/proc/self/maps",
                                        "/proc/uptime",
                                        "/proc/self/numa_maps",
                                        "/proc/self/smaps_rollup",
                                        "/sys/fs/cgroup/cgroup.controllers",
                                        "/sys/devices/system/node/node0/meminfo"};
    char *memory = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    unsigned char vector[PAGES];
    void *first = memory;
    int node = 0;
    struct rusage usage;
    struct sysinfo info;
    struct shm_info segments;
    struct timespec now;
    touch(memory, 500, 4);
    sysinfo(&info);
    getrusage(RUSAGE_SELF, &usage);
    ask_about_children();
    mincore(memory, sizeof vector * PAGE, vector);
    syscall(SYS_move_pages, 0, 1UL, &first, NULL, &node, 0);
    madvise(memory, PAGE, MADV_FREE);
    if (mmap(NULL, 1UL << 46, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        printf("so much memory is there not\n");
    shmctl(0, SHM_INFO, (struct shmid_ds *)&segments);
    clock_gettime(CLOCK_MONOTONIC, &now);
    unsigned resident = 0;
    for (unsigned i = 0; i < PAGES; i++)
        resident += vector[i] & 1;
    printf("%lu %lu %lu, %ld %ld %ld, %u, %d\n", info.totalram, info.freeram, info.freeswap, usage.ru_minflt,
           usage.ru_majflt, usage.ru_maxrss, resident, node);
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        ask_file(files[i]);
}

int main(int argc, char **argv) {
    const struct {
        const char *word;
        void (*run)(void);
    } ways[] = {{"cow", run_cow},       {"memfd", run_memfd}, {"file", run_file}, {"threads", run_threads},
                {"advice", run_advice}, {"free", run_free},   {"ask", run_ask}};
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
        if (argc == 2 && !strcmp(argv[1], ways[i].word)) {
            ways[i].run();
            return 0;
        }
    return 2;
}
