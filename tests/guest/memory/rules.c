/* What memory calls do beside returning: stacks that grow, guard gaps, limits, overcommitment, locks, files
 * that shrink under their mappings, and every kind of mapping over fork. Usage: rules PART. */
#include "arena.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

enum {
    RW = PROT_READ | PROT_WRITE,
    PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS,
    SHARED = MAP_SHARED | MAP_ANONYMOUS
};

static char *map(long page, long pages, int access, int flags, int fd) {
    char *at = mmap(ARENA_AT(page), (size_t)pages * PAGE, access, flags | MAP_FIXED, fd, 0);
    return at;
}

static void say(const char *what, long result) {
    printf("%s: %s\n", what, result_name(result));
}

/* A child, so that what it does to itself goes with it. */
static void in_child(void (*run)(long), long argument) {
    fflush(stdout);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        run(argument);
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    if (status)
        printf("status %d\n", status);
}

/* ---- growing down ---- */

/* A stack at 600, something `gap` pages below; touched downwards. */
static void grow_towards(long gap, int access, int flags) {
    arena_clear();
    CHECK(map(600, 4, RW, PRIVATE | MAP_GROWSDOWN, -1) != MAP_FAILED);
    CHECK(map(600 - gap - 1, 1, access, flags, -1) != MAP_FAILED);
    const long first = gap > 260 ? 600 - gap + 250 : 599;
    for (long page = first; page >= 600 - gap - 1; page -= page > 600 - gap + 3 && gap > 8 ? 3 : 1)
        printf("%ld %s, ", page, arena_touch(ARENA_AT(page), 'g'));
    puts("");
    arena_show(false);
}

static void part_growth(void) {
    static const long gaps[] = {0, 1, 2, 5, 255, 256, 257, 258, 300};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        printf("above a mapping, %ld pages\n", gaps[i]);
        grow_towards(gaps[i], RW, PRIVATE);
        printf("above one without permissions, %ld pages\n", gaps[i]);
        grow_towards(gaps[i], PROT_NONE, PRIVATE);
        printf("above one that grows, %ld pages\n", gaps[i]);
        grow_towards(gaps[i], RW, PRIVATE | MAP_GROWSDOWN);
    }
    arena_clear();
    CHECK(map(600, 4, RW, PRIVATE | MAP_GROWSDOWN, -1) != MAP_FAILED);
    for (long hint = 340; hint < 348; hint++) { /* mmap leaves the gap alone, MAP_FIXED does not */
        char *at = mmap(ARENA_AT(hint), PAGE, RW, PRIVATE, -1, 0);
        printf("hint %ld: %d\n", hint, at == ARENA_AT(hint));
        CHECK(munmap(at, PAGE) == 0);
    }
    say("fixed in the gap", (long)map(598, 1, RW, PRIVATE, -1));
    say("mprotect from below", mprotect(ARENA_AT(599), PAGE, PROT_READ | PROT_GROWSDOWN));
    say("mprotect of the rest", mprotect(ARENA_AT(603), PAGE, PROT_READ | PROT_GROWSDOWN));
    arena_show(false);
    say("and of what does not grow", mprotect(ARENA_AT(598), PAGE, PROT_READ | PROT_GROWSDOWN));
    char byte;
    arena_clear();
    CHECK(map(600, 4, RW, PRIVATE | MAP_GROWSDOWN, -1) != MAP_FAILED);
    printf("the kernel reads below: %d\n", arena_peek(ARENA_AT(590), &byte)); /* grows as well */
    arena_show(false);
}

/* ---- limits ---- */

static void set_limit(int resource, rlim_t value) {
    struct rlimit limit;
    CHECK(getrlimit((__rlimit_resource_t)resource, &limit) == 0);
    limit.rlim_cur = value;
    CHECK(setrlimit((__rlimit_resource_t)resource, &limit) == 0);
}

static long status_pages(const char *name) {
    char line[256];
    long kib = -4;
    FILE *status = fopen("/proc/self/status", "r");
    CHECK(status);
    while (fgets(line, sizeof line, status))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtol(line + strlen(name) + 1, NULL, 10);
    fclose(status);
    return kib / 4;
}

static void limit_address_space(long unused) {
    (void)unused;
    const long now = status_pages("VmSize");
    set_limit(RLIMIT_AS, (rlim_t)(now + 20) * PAGE);
    say("as much as there is", (long)map(0, 20, PROT_NONE, PRIVATE, -1));
    say("one more", (long)map(30, 1, PROT_NONE, PRIVATE, -1));
    say("in place of another", (long)map(5, 10, RW, PRIVATE, -1));
    say("and beyond", (long)map(15, 10, RW, PRIVATE, -1));
    arena_show(false);
    say("mremap", (long)mremap(ARENA, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
    say("shrinking", (long)mremap(ARENA_AT(15), 5 * PAGE, PAGE, 0));
    say("growing", (long)mremap(ARENA_AT(15), PAGE, 5 * PAGE, 0));
    say("brk", syscall(SYS_brk, syscall(SYS_brk, 0) + 64 * 4096) == syscall(SYS_brk, 0));
    arena_show(false);
}

static void limit_data(long unused) {
    (void)unused;
    const long now = status_pages("VmData");
    set_limit(RLIMIT_DATA, (rlim_t)(now + 10) * PAGE);
    say("too much", (long)map(0, 11, RW, PRIVATE, -1));
    say("just so much", (long)map(0, 10, RW, PRIVATE, -1));
    say("one more", (long)map(20, 1, RW, PRIVATE, -1));
    say("shared", (long)map(20, 10, RW, SHARED, -1));
    say("a stack", (long)map(40, 10, RW, PRIVATE | MAP_GROWSDOWN, -1));
    say("only for reading", (long)map(60, 3, PROT_READ, PRIVATE, -1));
    say("which becomes writable", mprotect(ARENA_AT(60), PAGE, RW));
    say("after the other no longer is", mprotect(ARENA_AT(3), PAGE, PROT_READ));
    say("it does", mprotect(ARENA_AT(60), PAGE, RW));
    say("mremap", (long)mremap(ARENA_AT(9), PAGE, 2 * PAGE, 0));
    arena_show(false);
}

/* The program's own data count as well: how far the heap goes below a limit tells how many they are. The heap
 * is given back byte by byte, since taking pages is under the limit of all data. */
static void limit_heap(long pages) {
    const unsigned long start = (unsigned long)syscall(SYS_brk, 0), limit = (unsigned long)pages * PAGE;
    unsigned long end = start + limit;
    CHECK((unsigned long)syscall(SYS_brk, end) == end);
    set_limit(RLIMIT_DATA, limit);
    while (end > start && (unsigned long)syscall(SYS_brk, end - 1) != end - 1)
        end--;
    printf("%ld pages: %lu bytes are not the new heap's\n", pages, start + limit - (end - 1));
}

static void limit_stack(long unused) {
    (void)unused;
    set_limit(RLIMIT_STACK, 20 * PAGE);
    CHECK(map(600, 4, RW, PRIVATE | MAP_GROWSDOWN, -1) != MAP_FAILED);
    static const long pages[] = {590, 585, 584, 583, 500};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        printf("%ld: %s\n", pages[i], arena_touch(ARENA_AT(pages[i]), 's'));
    arena_show(false);
}

static void locks_show(const char *what, long result) {
    say(what, result);
    printf("   VmLck %ld\n", status_pages("VmLck"));
}

/* What the limit means to who may exceed it, and to who may not: as whom the tests run. */
static void limit_locks(long pages) {
    set_limit(RLIMIT_MEMLOCK, (rlim_t)pages * PAGE);
    CHECK(map(0, 20, RW, PRIVATE, -1) != MAP_FAILED);
    locks_show("mlock", mlock(ARENA, 4 * PAGE));
    locks_show("again", mlock(ARENA_AT(2), 4 * PAGE));
    locks_show("too much", mlock(ARENA, 20 * PAGE));
    locks_show("on fault", mlock2(ARENA_AT(6), PAGE, MLOCK_ONFAULT));
    locks_show("unaligned", mlock(ARENA_AT(9) + 100, PAGE));
    locks_show("a hole", mlock(ARENA_AT(19), 2 * PAGE));
    locks_show("MAP_LOCKED", (long)map(30, 2, RW, PRIVATE | MAP_LOCKED, -1));
    locks_show("MAP_LOCKED, much", (long)map(40, 20, RW, PRIVATE | MAP_LOCKED, -1));
    locks_show("munlock", munlock(ARENA_AT(1), 2 * PAGE));
    locks_show("mremap of a locked one", (long)mremap(ARENA_AT(3), PAGE, 30 * PAGE, MREMAP_MAYMOVE));
    arena_show(true);
    say("mlockall", mlockall(MCL_CURRENT));
    say("for the future", mlockall(MCL_FUTURE));
    say("mmap", (long)map(40, 2, RW, PRIVATE, -1));
    say("mmap, much", (long)map(44, 20, RW, PRIVATE, -1));
    locks_show("munlockall", munlockall());
    locks_show("mmap again", (long)map(44, 20, RW, PRIVATE, -1));
    arena_show(true);
}

static void part_limits(void) {
    in_child(limit_address_space, 0);
    in_child(limit_data, 0);
    in_child(limit_heap, 200);
    in_child(limit_heap, 300);
    in_child(limit_stack, 0);
}

static void part_locks(void) {
    CHECK(map(0, 20, RW, PRIVATE, -1) != MAP_FAILED);
    locks_show("mlock", mlock(ARENA, 4 * PAGE));
    locks_show("on fault", mlock2(ARENA_AT(6), PAGE, MLOCK_ONFAULT));
    locks_show("MAP_LOCKED", (long)map(30, 2, RW, PRIVATE | MAP_LOCKED, -1));
    locks_show("in its place", (long)map(30, 1, RW, PRIVATE, -1));
    locks_show("unmapped", munmap(ARENA_AT(31), PAGE));
    locks_show("moved", (long)mremap(ARENA, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, ARENA_AT(40)));
    locks_show("larger", (long)mremap(ARENA_AT(40), 2 * PAGE, 4 * PAGE, 0));
    arena_show(true);
    locks_show("all", munlockall());
    arena_show(true);
}

/* ---- overcommitment, heuristically: one call alone may not ask for more than there is at all ---- */

static void part_overcommit(void) {
    static const struct {
        const char *name;
        int access, flags;
    } kinds[] = {{"private", RW, PRIVATE},
                 {"private, read-only", PROT_READ, PRIVATE},
                 {"private, no reserve", RW, PRIVATE | MAP_NORESERVE},
                 {"shared", RW, SHARED},
                 {"shared, no reserve", RW, SHARED | MAP_NORESERVE},
                 {"without permissions", PROT_NONE, PRIVATE}};
    const size_t huge = 1ul << 44; /* more than any machine that runs this has */
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        errno = 0;
        char *at = mmap(NULL, huge, kinds[i].access, kinds[i].flags, -1, 0);
        printf("%s: %s\n", kinds[i].name, at == MAP_FAILED ? error_name(errno) : "ok");
        if (at == MAP_FAILED)
            continue;
        say("   writable", mprotect(at, huge, RW));
        say("   a page of it", mprotect(at, PAGE, RW));
        CHECK(munmap(at, huge) == 0);
    }
}

/* ---- what may be executed ---- */

/* Mapped to be executed, at once and later. What cannot be mapped at all is not asked: for some files that is
 * decided by the file system. */
static void execute(const char *what, int fd) {
    static const struct {
        const char *name;
        int access, flags;
    } kinds[] = {{"private", PROT_EXEC, MAP_PRIVATE},
                 {"shared", PROT_READ | PROT_EXEC, MAP_SHARED},
                 {"writable", RW | PROT_EXEC, MAP_PRIVATE},
                 {"growing", PROT_EXEC, MAP_PRIVATE | MAP_GROWSDOWN},
                 {"of no kind", PROT_EXEC, 0}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        arena_clear();
        printf("%s, %s: ", what, kinds[i].name);
        say("mmap", (long)map(0, 1, kinds[i].access, kinds[i].flags, fd));
    }
    if (map(0, 1, PROT_READ, MAP_PRIVATE, fd) != MAP_FAILED)
        say("   mprotect", mprotect(ARENA, PAGE, PROT_READ | PROT_EXEC));
    close(fd);
}

static void part_execute(void) {
    int ends[2];
    sigset_t none;
    sigemptyset(&none);
    CHECK(pipe(ends) == 0);
    execute("pipe, to read", ends[0]);
    execute("pipe, to write", ends[1]);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    execute("socket", ends[0]);
    close(ends[1]);
    execute("datagrams", socket(AF_INET, SOCK_DGRAM, 0));
    execute("eventfd", eventfd(0, 0));
    execute("epoll", epoll_create1(0));
    execute("timerfd", timerfd_create(CLOCK_MONOTONIC, 0));
    execute("signalfd", signalfd(-1, &none, 0));
    execute("inotify", inotify_init());
    execute("process", (int)syscall(SYS_pidfd_open, getpid(), 0));
    execute("memory", memfd_create("M", 0));
    execute("file", arena_create_file("X", 2, 'A'));
    static const char *const paths[] = {"/dev/zero", "/dev/null",         "/dev/urandom",   "/proc/self/maps",
                                        "/proc",     "/proc/self/fdinfo", "/sys/kernel/mm", "."};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        execute(paths[i], open(paths[i], O_RDONLY));
    unlink("X");
}

/* ---- advice about memory of processes ---- */

static void advise_process(const char *who, int process) {
    static const struct iovec good = {ARENA, 4096};
    static const struct iovec vectors[][3] = {
        {{ARENA, 4096}},
        {{ARENA, 8192}, {ARENA + 4096, 4096}, {ARENA, 1}},
        {{ARENA, 0}, {ARENA, 4096}, {ARENA + 1, 0}},
        {{ARENA, 4096}, {ARENA + 1, 4096}, {ARENA, 4096}},
        {{ARENA + 1, 4096}, {ARENA, 4096}, {ARENA, 4096}},
        {{ARENA + 4 * 4096, 4096}, {ARENA, 4096}, {ARENA, 4096}},
        {{ARENA, 4096}, {ARENA + 4 * 4096, 4096}, {ARENA, 4096}},
        {{ARENA, -1ul}, {ARENA, 4096}, {ARENA, 4096}},
        {{ARENA, 4096}, {(void *)0x7ffffffff000, 4096}, {ARENA, 4096}},
        {{(void *)-4096ul, 1}, {ARENA, -1ul}, {ARENA, 1}},
    };
    static const int advices[] = {MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, 4711};
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
        for (size_t j = 0; j < sizeof vectors / sizeof *vectors; j++)
            for (unsigned long count = 0; count < 4; count++) {
                printf("%s, advice %d, ranges %zu, %lu of them", who, advices[i], j, count);
                say("", syscall(SYS_process_madvise, process, vectors[j], count, advices[i], 0));
            }
    say("with flags", syscall(SYS_process_madvise, process, &good, 1, MADV_COLD, 1));
    say("many", syscall(SYS_process_madvise, process, &good, 1025, MADV_COLD, 0));
    say("ranges nowhere", syscall(SYS_process_madvise, process, 8, 1, MADV_COLD, 0));
    say("none there", syscall(SYS_process_madvise, process, 8, 0, MADV_COLD, 0));
    say("what changes memory", syscall(SYS_process_madvise, process, &good, 1, MADV_NORMAL, 0));
}

static void part_process_advice(void) {
    char byte;
    CHECK(map(0, 4, RW, PRIVATE, -1) != MAP_FAILED);
    (void)arena_touch(ARENA, 'a');
    fflush(stdout);
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 && *ARENA == 'a' ? 0 : 1);
    }
    const int own = (int)syscall(SYS_pidfd_open, getpid(), 0), other = (int)syscall(SYS_pidfd_open, child, 0);
    advise_process("its own", own);
    advise_process("a child's", other);
    advise_process("nobody's", -1);
    advise_process("a file's", 1);
    arena_show(true);
    close(ends[1]);
    siginfo_t info;
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    printf("the child: %d\n", info.si_status);
    advise_process("a zombie's", other);
    CHECK(waitpid(child, NULL, 0) == child);
    advise_process("a dead one's", other);
}

/* ---- files that shrink ---- */

static void part_truncate(void) {
    const int fd = arena_create_file("T", 8, 'A');
    CHECK(map(0, 10, RW, MAP_SHARED, fd) != MAP_FAILED && map(20, 10, RW, MAP_PRIVATE, fd) != MAP_FAILED);
    static const long sizes[] = {8 * 4096, 5 * 4096, 5 * 4096 - 100, 2 * 4096 + 1, 7 * 4096, 0, 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        printf("private %s, ", arena_touch(ARENA_AT(23), 'p'));
        printf("shared %s, ", arena_touch(ARENA_AT(6), 's'));
        say("ftruncate", ftruncate(fd, sizes[i]));
        for (long page = 0; page < 30; page++)
            if (page < 10 || page >= 20)
                printf("%s ", arena_touch(ARENA_AT(page), 0));
        puts("");
        arena_show(true);
        char byte = '-';
        printf("behind the end: %d\n", arena_peek(ARENA_AT(2) + 2, &byte) ? byte : -1);
        say("msync", msync(ARENA, 10 * PAGE, MS_SYNC));
    }
    unlink("T");
}

/* ---- fork ---- */

enum { KINDS = 9 };

static void fork_build(void) {
    const int a = arena_create_file("S", 4, 'A'), zero = open("/dev/zero", O_RDWR);
    const int memory = memfd_create("M", 0);
    CHECK(ftruncate(memory, 4 * 4096) == 0);
    arena_clear();
    CHECK(map(0, 4, RW, PRIVATE, -1) != MAP_FAILED && map(5, 4, RW, SHARED, -1) != MAP_FAILED &&
          map(10, 4, RW, MAP_PRIVATE, a) != MAP_FAILED && map(15, 4, RW, MAP_SHARED, a) != MAP_FAILED &&
          map(20, 4, RW, MAP_SHARED, memory) != MAP_FAILED &&
          map(25, 4, RW, MAP_PRIVATE, memory) != MAP_FAILED &&
          map(30, 4, RW, MAP_PRIVATE, zero) != MAP_FAILED && map(35, 4, RW, MAP_SHARED, zero) != MAP_FAILED &&
          map(40, 4, RW, PRIVATE | MAP_GROWSDOWN, -1) != MAP_FAILED);
    for (int i = 0; i < KINDS; i++)
        (void)arena_touch(ARENA_AT(5 * i + 1), 'p');
    close(a);
    close(zero);
    close(memory);
}

static int fork_pipe[2][2];

static void hand_over(int to) {
    CHECK(write(fork_pipe[to][1], "x", 1) == 1);
}

static void wait_for(int who) {
    char byte;
    CHECK(read(fork_pipe[who][0], &byte, 1) == 1);
}

/* Parent and child write in turn; each shows what it sees. The advice was given before. */
static void fork_show(int advice) {
    fork_build();
    for (int i = 0; i < KINDS; i++) {
        errno = 0;
        if (advice >= 0)
            printf("advice %d to kind %d: %s\n", advice, i,
                   result_name(madvise(ARENA_AT(5 * i), 2 * PAGE, advice)));
    }
    (void)madvise(ARENA, 40 * PAGE, MADV_PAGEOUT);
    CHECK(pipe(fork_pipe[0]) == 0 && pipe(fork_pipe[1]) == 0);
    fflush(stdout);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        puts("the child:");
        arena_show(true);
        for (int i = 0; i < KINDS; i++)
            printf("%s ", arena_touch(ARENA_AT(5 * i + 1), 'c'));
        for (int i = 0; i < KINDS; i++)
            printf("%s ", arena_touch(ARENA_AT(5 * i + 2), 'd'));
        puts("");
        fflush(stdout);
        hand_over(0);
        wait_for(1);
        puts("the child, after the parent wrote:");
        arena_show(true);
        fflush(stdout);
        _exit(0);
    }
    wait_for(0);
    puts("the parent, after the child wrote:");
    arena_show(true);
    for (int i = 0; i < KINDS; i++)
        printf("%s ", arena_touch(ARENA_AT(5 * i + 3), 'q'));
    puts("");
    fflush(stdout);
    hand_over(1);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    for (int i = 0; i < 4; i++)
        close(fork_pipe[i / 2][i % 2]);
}

static void part_fork(void) {
    fork_show(-1);
    fork_show(MADV_DONTFORK);
    fork_show(MADV_WIPEONFORK);
    fork_show(MADV_DONTDUMP);
    unlink("S");
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {{"growth", part_growth},   {"limits", part_limits},
                 {"locks", part_locks},     {"overcommit", part_overcommit},
                 {"execute", part_execute}, {"truncate", part_truncate},
                 {"fork", part_fork},       {"process-advice", part_process_advice}};
    CHECK(argc >= 2);
    arena_init();
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(argv[1], parts[i].name) == 0)
            parts[i].run();
    if (strcmp(argv[1], "memlock") == 0)
        in_child(limit_locks, argc > 2 ? atol(argv[2]) : 10);
    arena_clear();
    return 0;
}
