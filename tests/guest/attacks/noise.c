/* Executes noise: pages of random bytes, and of this program's own code with some bytes changed, with a few
 * system calls in between. Each run is a process of its own, which may do to itself what it likes; its parent
 * must learn how it ended, and go on. Not for the host, unless by a user who owns nothing, in an empty
 * folder.
 *
 *     attacks-noise SEED RUNS [list]
 *
 * `list` says of each run that a signal ended at its very first instruction which one that was: this is the
 * same on the host, but for instructions that one of the two processors does not have. */
#include "../c/check.h"
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>

enum {
    AREA = 4 * 4096, /* noise in the middle, so that short jumps stay inside */
    START = 2 * 4096,
    PATIENCE_MS = 500,
    LOOP_MICROSECONDS = 10000,
    FIRST = 100, /* status of a process whose first instruction got signal n: FIRST + n */
};

extern const uint8_t __executable_start[], etext[];

static uint64_t state;
static uint8_t *area;
static uint8_t signal_stack[16384];

static uint64_t below(uint64_t limit) {
    return next_random(&state) % limit;
}

/* ---- what is executed ---- */

static void fill_random(void) {
    for (size_t i = 0; i < AREA; i += sizeof(uint64_t)) {
        uint64_t word = next_random(&state);
        memcpy(area + i, &word, sizeof word);
    }
}

/* Real code, moved to where it does not belong, with changes. */
static void fill_mutated(void) {
    size_t length = (size_t)(etext - __executable_start), changes = 1 + below(200);
    CHECK(length > 64);
    size_t from = below(length - 32);
    for (size_t i = 0; i < AREA; i++)
        area[i] = __executable_start[(from + i) % length];
    for (size_t i = 0; i < changes; i++)
        area[START + below(512)] ^= (uint8_t)(1 << below(8));
}

static void sprinkle_calls(void) {
    for (uint64_t n = below(6); n > 0; n--)
        memcpy(area + START + below(200), "\x0f\x05", 2);
}

static uint64_t any_value(void) {
    switch (below(4)) {
    case 0: return below(32);
    case 1: return (uint64_t)area + below(AREA);
    case 2: return (uint64_t)-1 - below(64);
    default: return next_random(&state);
    }
}

/* Numbers of calls, but not of those that act on other processes: the parent would be within their rights. */
static uint64_t any_number(void) {
    static const uint16_t acting[] = {SYS_kill,
                                      SYS_tkill,
                                      SYS_tgkill,
                                      SYS_rt_sigqueueinfo,
                                      SYS_rt_tgsigqueueinfo,
                                      SYS_prlimit64,
                                      SYS_ptrace,
                                      SYS_setpriority,
                                      SYS_process_vm_writev,
                                      SYS_pidfd_send_signal,
                                      SYS_sched_setscheduler,
                                      SYS_sched_setparam};
    uint64_t number = below(460);
    for (size_t i = 0; i < sizeof acting / sizeof *acting; i++)
        if (number == acting[i])
            return SYS_getpid;
    return number;
}

/* ---- the process that executes it ---- */

static void on_signal(int signal, siginfo_t *info, void *context) {
    const ucontext_t *c = context;
    (void)info;
    if ((uint64_t)c->uc_mcontext.gregs[REG_RIP] == (uint64_t)(area + START))
        _exit(FIRST + signal);
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL); /* and once more */
}

static void prepare(void) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    const struct itimerval soon = {.it_value = {0, LOOP_MICROSECONDS}};
    const struct rlimit bytes = {1 << 20, 1 << 20}, nothing = {0, 0};
    const stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (setpgid(0, 0) != 0 || sigaltstack(&stack, NULL) != 0 || setrlimit(RLIMIT_FSIZE, &bytes) != 0 ||
        setrlimit(RLIMIT_CORE, &nothing) != 0)
        _exit(99);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    for (int fd = 0; fd < 8; fd++)
        close(fd);
    setitimer(ITIMER_REAL, &soon, NULL);
}

/* Sets all registers but the stack pointer, and jumps. */
static void execute(const uint64_t values[15], void *start) {
    __asm__ volatile("pushq %[start]\n\t"
                     "movq 8(%[values]), %%rbx\n\t"
                     "movq 16(%[values]), %%rcx\n\t"
                     "movq 24(%[values]), %%rdx\n\t"
                     "movq 32(%[values]), %%rsi\n\t"
                     "movq 40(%[values]), %%rdi\n\t"
                     "movq 48(%[values]), %%rbp\n\t"
                     "movq 56(%[values]), %%r8\n\t"
                     "movq 64(%[values]), %%r9\n\t"
                     "movq 72(%[values]), %%r10\n\t"
                     "movq 80(%[values]), %%r11\n\t"
                     "movq 88(%[values]), %%r12\n\t"
                     "movq 96(%[values]), %%r13\n\t"
                     "movq 104(%[values]), %%r14\n\t"
                     "movq 112(%[values]), %%r15\n\t"
                     "movq (%[values]), %%rax\n\t"
                     "ret"
                     :
                     : [values] "a"(values), [start] "r"(start)
                     : "memory");
}

static void child(void) {
    uint64_t values[15];
    area = mmap(NULL, AREA, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        _exit(99);
    if (below(2))
        fill_random();
    else
        fill_mutated();
    if (below(2))
        sprinkle_calls();
    for (int i = 0; i < 15; i++)
        values[i] = any_value();
    values[0] = any_number();
    prepare();
    execute(values, area + START);
    _exit(0);
}

/* ---- the parent ---- */

/* Waits for its end, which is brought about if it takes too long; the status. */
static int end_of(pid_t pid) {
    int status;
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    CHECK(end.fd >= 0 && poll(&end, 1, PATIENCE_MS) >= 0 && close(end.fd) == 0);
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, &status, 0) == pid && (WIFEXITED(status) || WIFSIGNALED(status)));
    while (waitpid(-1, NULL, WNOHANG) > 0) /* what it left */
        ;
    return status;
}

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1,
             runs = argc > 2 ? strtoull(argv[2], NULL, 0) : 100;
    bool list = argc > 3;
    unsigned exited = 0, killed = 0;
    for (uint64_t run = 0; run < runs; run++) {
        state = (seed * 1000003 + run) * 0x9e3779b97f4a7c15u + 1;
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
            child();
        CHECK(pid > 0);
        int status = end_of(pid);
        exited += WIFEXITED(status);
        killed += WIFSIGNALED(status);
        CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != 99);
        if (list && WIFEXITED(status) && WEXITSTATUS(status) > FIRST)
            printf("%d: signal %d\n", (int)run, WEXITSTATUS(status) - FIRST);
    }
    CHECK(exited + killed == runs);
    puts("all noise executed");
    return 0;
}
