/* Every system call with wild arguments: what a program can ask of the kernel, and nobody in his right mind
 * does.
 *
 *     attacks-wild SEED ROUNDS [FIRST LAST]
 *
 * Each number has a child process, which makes ROUNDS calls. A call may end the child, stop it or send it to
 * sleep for good: the parent says what became of it, ends it, and goes on. Nothing is said of results:
 * the question is whether the parent, and the machine, are there afterwards. It is not for the host: it runs
 * in the machine, whose files are an overlay, and in an empty folder. */
#include "../c/check.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

enum { NUMBERS = 1024, WORDS = 3 * 512, PATIENCE_MS = 300, FILE_BYTES_MAX = 1 << 20 };

static uint64_t state;
static uint64_t pointers[64];
static unsigned pointer_count;
static int home; /* the empty folder that it was started in */

static uint64_t below(uint64_t limit) {
    return next_random(&state) % limit;
}

/* ---- what arguments can be ---- */

static uint64_t bits(void) {
    uint64_t value = 0;
    for (uint64_t i = below(4); i > 0; i--)
        value |= 1ULL << below(below(2) ? 64 : 24);
    return value;
}

static uint64_t boundary(void) {
    static const uint64_t values[] = {
        0x7fff,         0x8000,
        0xffff,         0x10000,
        INT32_MAX,      1ULL << 31,
        UINT32_MAX,     1ULL << 32,
        1ULL << 40,     1ULL << 46,
        1ULL << 47,     (1ULL << 47) - 1,
        INT64_MAX,      1ULL << 63,
        UINT64_MAX,     (uint64_t)AT_FDCWD,
        PAGE - 1,       PAGE,
        PAGE + 1,       2 * PAGE,
        1ULL << 20,     1ULL << 30,
        0x7ffffffff000, UINT64_MAX - 4095,
        1000000000,     999999999999999u,
        3 * PAGE,       64 * PAGE,
    };
    return values[below(sizeof values / sizeof *values)];
}

static uint64_t any_value(void) {
    switch (below(8)) {
    case 0:
    case 1: return below(24); /* counts, commands, descriptors */
    case 2: return bits();
    case 3: return boundary();
    case 4: return -below(24);
    case 5: return below(200) * (below(2) ? 8 : 512);
    default: return pointers[below(pointer_count)];
    }
}

/* ---- what pointers can point at ---- */

static const char *const names[] = {
    "a",      "b",    "d",    "d/e",  "d/nothing",       "loop/x",
    "",       ".",    "link", "fifo", "/proc/self/maps", "/proc/self/fd",
    "socket", "loop", "a/b",
};

static void pointer_add(const void *address) {
    CHECK(pointer_count < sizeof pointers / sizeof *pointers);
    pointers[pointer_count++] = (uint64_t)address;
}

/* Three pages that can be used, one that cannot be written, one that cannot be touched, and a hole. */
static char *arena_make(void) {
    char *arena = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(arena != MAP_FAILED && mprotect(arena + 3 * PAGE, PAGE, PROT_READ) == 0);
    CHECK(mprotect(arena + 4 * PAGE, PAGE, PROT_NONE) == 0 && munmap(arena + 5 * PAGE, PAGE) == 0);
    return arena;
}

static void pointers_make(char *arena) {
    static const uint64_t nowhere[] = {0,
                                       1,
                                       PAGE,
                                       0x7ffffffff000 - 8,
                                       0x800000000000,
                                       0xffff800000000000,
                                       0xffffffffff600000,
                                       0xfffffffffffffff8};
    static const int places[] = {0,
                                 8,
                                 1,
                                 64,
                                 PAGE,
                                 PAGE - 4,
                                 3 * PAGE - 1,
                                 3 * PAGE - 8,
                                 3 * PAGE,
                                 4 * PAGE - 8,
                                 4 * PAGE,
                                 5 * PAGE - 1,
                                 5 * PAGE,
                                 PAGE + 512,
                                 2 * PAGE + 96,
                                 2 * PAGE + 1024};
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
        pointer_add((void *)nowhere[i]);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        pointer_add(arena + places[i]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        pointer_add(names[i]);
}

/* Structures, lists of pointers, strings without an end: values and pointers in turn. */
static void words_fill(uint64_t *words) {
    for (size_t i = 0; i < WORDS; i += 1 + below(3))
        words[i] = any_value();
    if (below(2)) /* most structures of the kernel have halves of words */
        for (size_t i = 0; i < 64; i++)
            ((uint32_t *)words)[below(2 * WORDS)] = (uint32_t)any_value();
}

/* ---- a process to be lost ---- */

/* One of each kind: arguments are often small numbers. None is what the parent writes to, or a device. */
static void descriptors_make(void) {
    int pair[2];
    sigset_t set;
    for (int fd = 0; fd <= home; fd++)
        close(fd);
    CHECK(open("a", O_RDONLY) == 0 && open("b", O_WRONLY | O_APPEND) == 1 && dup(1) == 2);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(open("a", O_RDWR) == 3 && open("b", O_RDONLY) == 4 && open("d", O_RDONLY | O_DIRECTORY) == 5);
    CHECK(open("a", O_PATH) == 6 && pipe(pair) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0 && epoll_create1(0) >= 0 && eventfd(3, 0) >= 0);
    CHECK(timerfd_create(CLOCK_MONOTONIC, 0) >= 0 && signalfd(-1, &set, 0) >= 0 && inotify_init() >= 0);
    CHECK(memfd_create("m", 0) >= 0 && open("fifo", O_RDWR) >= 0 && open("/proc/self/status", O_RDONLY) >= 0);
    CHECK(socket(AF_UNIX, SOCK_STREAM, 0) >= 0 && open("b", O_RDWR | O_APPEND) >= 0);
}

static void on_alarm(int signal) {
    (void)signal;
}

/* Calls that would wait are interrupted; files stay small; neither the parent nor its
 * group are within reach. */
static void limits_make(void) {
    const struct itimerval often = {{0, 1000}, {0, 1000}};
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct rlimit bytes = {FILE_BYTES_MAX, FILE_BYTES_MAX};
    CHECK(setpgid(0, 0) == 0 && setrlimit(RLIMIT_FSIZE, &bytes) == 0);
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
}

/* What a call has made goes at once: its registers and its stack are those of the caller. */
static void raw_call(uint64_t number, const uint64_t a[6]) {
    register uint64_t r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
    uint64_t result = number;
    __asm__ volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "cmpq $%c[clone], %[number]\n\t"
        "je 2f\n\t"
        "cmpq $%c[fork], %[number]\n\t"
        "je 2f\n\t"
        "cmpq $%c[vfork], %[number]\n\t"
        "je 2f\n\t"
        "cmpq $%c[clone3], %[number]\n\t"
        "jne 1f\n"
        "2:\n\t"
        "xorl %%edi, %%edi\n\t"
        "movl $%c[end], %%eax\n\t"
        "syscall\n"
        "1:"
        : "+a"(result), "+r"(r10), "+r"(r8), "+r"(r9)
        : "D"(a[0]), "S"(a[1]), "d"(a[2]), [number] "b"(number & UINT32_MAX), [clone] "i"(SYS_clone),
          [fork] "i"(SYS_fork), [vfork] "i"(SYS_vfork), [clone3] "i"(SYS_clone3), [end] "i"(SYS_exit)
        : "rcx", "r11", "memory", "cc");
}

/* What acts on a process acts on this one, or on a number that nobody has: the
 * parent is within its rights. */
static void tame(uint64_t number, uint64_t a[6]) {
    static const uint16_t acting[] = {SYS_kill,
                                      SYS_tkill,
                                      SYS_tgkill,
                                      SYS_rt_sigqueueinfo,
                                      SYS_rt_tgsigqueueinfo,
                                      SYS_prlimit64,
                                      SYS_process_vm_readv,
                                      SYS_process_vm_writev,
                                      SYS_pidfd_open,
                                      SYS_ptrace};
    uint64_t *who = &a[number == SYS_ptrace];
    for (size_t i = 0; i < sizeof acting / sizeof *acting; i++)
        if (number == acting[i])
            *who = *who % 4 ? (uint64_t)getpid() : INT32_MAX;
}

static void child(uint64_t number, uint64_t rounds) {
    uint64_t *words = (uint64_t *)arena_make();
    limits_make();
    descriptors_make();
    pointers_make((char *)words);
    for (uint64_t round = 0; round < rounds; round++) {
        uint64_t a[6];
        if (round % 8 == 0)
            words_fill(words);
        for (int i = 0; i < 6; i++)
            a[i] = any_value();
        if (below(2))
            a[0] = below(24);
        tame(number, a);
        raw_call(number, a);
    }
    _exit(0);
}

/* ---- the parent ---- */

/* Waits for its end, which is brought about if it takes too long. What became of it. */
static const char *outcome(pid_t pid) {
    static char text[32];
    int status;
    for (int i = 0; i < PATIENCE_MS; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            snprintf(text, sizeof text, WIFEXITED(status) ? "status %d" : "signal %d",
                     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
            return text;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, &status, 0) == pid);
    return "ended";
}

static void number_run(uint64_t number, uint64_t seed, uint64_t rounds) {
    state = (seed * 1024 + number) * 0x9e3779b97f4a7c15 + 1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        child(number, rounds);
    CHECK(pid > 0);
    const char *end = outcome(pid);
    if (strcmp(end, "status 0") != 0)
        printf("%d: %s\n", (int)number, end);
    while (waitpid(-1, NULL, WNOHANG) > 0) /* what it left */
        ;
}

static void folder_make(void) {
    CHECK(mkdir("d", 0700) == 0 && symlink("loop", "loop") == 0 && symlink("a", "link") == 0 &&
          mkfifo("fifo", 0600) == 0);
    for (int i = 0; i < 3; i++) {
        int fd = open((const char *[]){"a", "b", "d/e"}[i], O_RDWR | O_CREAT, 0600);
        CHECK(fd >= 0 && ftruncate(fd, 3 * PAGE / 2) == 0 && close(fd) == 0);
    }
}

/* A child may have renamed, removed or forbidden what others need: from time to time
 * there is a new folder. */
static void folder_renew(void) {
    char name[] = "wild-XXXXXX";
    CHECK(fchdir(home) == 0 && mkdtemp(name) && chdir(name) == 0);
    folder_make();
}

/* Refuses to begin where there is something to lose. */
static void home_open(void) {
    DIR *listing = opendir(".");
    unsigned entries = 0;
    CHECK(listing);
    while (readdir(listing))
        entries++;
    CHECK(entries == 2); /* itself and its parent */
    home = dirfd(listing);
}

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1,
             rounds = argc > 2 ? strtoull(argv[2], NULL, 0) : 100;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 0) : 0,
             last = argc > 4 ? strtoull(argv[4], NULL, 0) : NUMBERS;
    static const uint64_t far[] = {INT32_MAX, 1ULL << 31, UINT32_MAX, UINT64_MAX, 1ULL << 63, 0x40000000};
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    home_open();
    folder_renew();
    for (uint64_t number = first; number < last; number++) {
        if (number % 32 == 0)
            folder_renew();
        number_run(number, seed, rounds);
    }
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        number_run(far[i], seed, rounds);
    puts("all calls made");
    return 0;
}
