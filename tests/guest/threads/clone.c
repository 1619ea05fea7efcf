/* clone and clone3: every flag, combinations that Linux refuses, where numbers are written, what is shared. */
#include "say.h"
#include <asm/prctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>

struct arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
    uint64_t later[4];
};

static long raw_clone(unsigned long flags, void *stack, int *parent, int *child, unsigned long tls) {
    return syscall(SYS_clone, flags, stack, parent, child, tls);
}

static char stack[65536] __attribute__((aligned(64)));

/* Runs in the child when the call succeeds: it only leaves. */
static void child_leaves(long r) {
    if (r == 0)
        syscall(SYS_exit, 7);
}

static void reap(long r) {
    if (r > 0)
        waitpid((pid_t)r, NULL, __WALL);
}

static const struct {
    const char *name;
    uint64_t flag;
} flags[] = {{"VM", CLONE_VM},
             {"FS", CLONE_FS},
             {"FILES", CLONE_FILES},
             {"SIGHAND", CLONE_SIGHAND},
             {"VFORK", CLONE_VFORK},
             {"PARENT", CLONE_PARENT},
             {"THREAD", CLONE_THREAD},
             {"SYSVSEM", CLONE_SYSVSEM},
             {"UNTRACED", CLONE_UNTRACED},
             {"IO", CLONE_IO},
             {"DETACHED", CLONE_DETACHED}};

/* Combinations without a shared address space: the child needs no stack of its own. */
static void each_pair(void) {
    for (int i = 0; i < COUNT(flags); i++)
        for (int j = i; j < COUNT(flags); j++) {
            uint64_t both = flags[i].flag | flags[j].flag;
            if (both & (CLONE_VM | CLONE_PARENT))
                continue;
            long r = raw_clone(both | SIGCHLD, NULL, NULL, NULL, 0);
            child_leaves(r);
            say("clone %s %s: %s", flags[i].name, flags[j].name, good(r));
            reap(r);
        }
}

static void each_pair_of_clone3(void) {
    for (int i = 0; i < COUNT(flags); i++)
        for (int j = i; j < COUNT(flags); j++)
            for (int signal = 0; signal <= SIGCHLD; signal += SIGCHLD) {
                struct arguments a = {.flags = flags[i].flag | flags[j].flag, .exit_signal = (uint64_t)signal};
                if (a.flags & (CLONE_VM | CLONE_PARENT) && !((a.flags & CLONE_PARENT) && signal))
                    continue;
                long r = syscall(SYS_clone3, &a, 64);
                child_leaves(r);
                say("clone3 %s %s signal %d: %s", flags[i].name, flags[j].name, signal, good(r));
                reap(r);
            }
}

static void refused(void) {
    static const struct {
        const char *name;
        uint64_t flags;
    } cases[] = {{"THREAD", CLONE_THREAD},
                 {"THREAD|VM", CLONE_THREAD | CLONE_VM},
                 {"SIGHAND", CLONE_SIGHAND},
                 {"THREAD|SIGHAND", CLONE_THREAD | CLONE_SIGHAND},
                 {"NEWNS|FS", CLONE_NEWNS | CLONE_FS},
                 {"NEWUSER|FS", CLONE_NEWUSER | CLONE_FS},
                 {"NEWPID|THREAD", CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM},
                 {"NEWUSER|THREAD", CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM},
                 {"PIDFD|PARENT_SETTID", CLONE_PIDFD | CLONE_PARENT_SETTID},
                 {"PIDFD|DETACHED", CLONE_PIDFD | CLONE_DETACHED}};
    for (int i = 0; i < COUNT(cases); i++) {
        int word;
        long r = raw_clone(cases[i].flags | SIGCHLD, NULL, &word, &word, 0);
        child_leaves(r);
        say("clone %s: %s", cases[i].name, good(r));
        reap(r);
    }
    say("SETTLS of the kernel's half: %s", good(raw_clone(CLONE_SETTLS | SIGCHLD, NULL, NULL, NULL, 1UL << 63)));
}

static void sizes(void) {
    static const size_t lengths[] = {0, 1, 63, 64, 65, 72, 79, 80, 87, 88, 89, 96, 104, 120, 4096, 4097, 1UL << 40};
    static char page[8192] __attribute__((aligned(4096)));
    for (int i = 0; i < COUNT(lengths); i++)
        for (int dirty = 0; dirty < 2; dirty++) {
            memset(page, 0, sizeof page);
            struct arguments *a = (struct arguments *)page;
            a->exit_signal = SIGCHLD;
            page[100] = dirty ? 1 : 0;
            long r = syscall(SYS_clone3, a, lengths[i]);
            child_leaves(r);
            say("clone3 of %zu bytes%s: %s", lengths[i], dirty ? ", one behind the known" : "", good(r));
            reap(r);
        }
    say("clone3 at 0: %s", good(syscall(SYS_clone3, 0, 64)));
    say("clone3 at 8: %s", good(syscall(SYS_clone3, 8, 88)));
}

static void one_clone3(const char *what, struct arguments a, size_t size) {
    long r = syscall(SYS_clone3, &a, size);
    child_leaves(r);
    say("clone3 %s: %s", what, good(r));
    reap(r);
}

static void members(void) {
    int tid = 4000000, wrong = 0;
    signal(64, SIG_IGN);
    one_clone3("unknown flag", (struct arguments){.flags = 1ULL << 40}, 88);
    one_clone3("CSIGNAL in flags", (struct arguments){.flags = SIGCHLD}, 88);
    one_clone3("exit signal 64", (struct arguments){.exit_signal = 64}, 88);
    one_clone3("exit signal 65", (struct arguments){.exit_signal = 65}, 88);
    one_clone3("exit signal 2^32", (struct arguments){.exit_signal = 1ULL << 32}, 88);
    one_clone3("stack without size", (struct arguments){.exit_signal = SIGCHLD, .stack = (uint64_t)stack}, 88);
    one_clone3("size without stack", (struct arguments){.exit_signal = SIGCHLD, .stack_size = 4096}, 88);
    one_clone3("stack beyond user space",
               (struct arguments){.exit_signal = SIGCHLD, .stack = 1ULL << 62, .stack_size = 4096}, 88);
    one_clone3("set_tid without size", (struct arguments){.exit_signal = SIGCHLD, .set_tid = (uint64_t)&tid}, 88);
    one_clone3("size without set_tid", (struct arguments){.exit_signal = SIGCHLD, .set_tid_size = 1}, 88);
    one_clone3("33 set_tids",
               (struct arguments){.exit_signal = SIGCHLD, .set_tid = (uint64_t)&tid, .set_tid_size = 33}, 88);
    one_clone3("set_tid 0",
               (struct arguments){.exit_signal = SIGCHLD, .set_tid = (uint64_t)&wrong, .set_tid_size = 1}, 88);
    wrong = -5;
    one_clone3("set_tid -5",
               (struct arguments){.exit_signal = SIGCHLD, .set_tid = (uint64_t)&wrong, .set_tid_size = 1}, 88);
    one_clone3("set_tid at 8", (struct arguments){.exit_signal = SIGCHLD, .set_tid = 8, .set_tid_size = 1}, 88);
    one_clone3("CLEAR_SIGHAND|SIGHAND",
               (struct arguments){.flags = 0x100000000ULL | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD}, 88);
    one_clone3("CLEAR_SIGHAND", (struct arguments){.flags = 0x100000000ULL, .exit_signal = SIGCHLD}, 64);
    one_clone3("a cgroup without the flag", (struct arguments){.exit_signal = SIGCHLD, .cgroup = 77}, 88);
}

/* ---- where numbers are written ---- */

static void numbers(void) {
    static volatile int parent_tid, child_tid;
    volatile int *shared = shared_page();
    long r = raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, (int *)&parent_tid, (int *)&child_tid, 0);
    if (r == 0) {
        shared[0] = parent_tid == getpid() || parent_tid == 0;
        shared[1] = child_tid == getpid();
        _exit(0);
    }
    waitpid((pid_t)r, NULL, 0);
    say("PARENT_SETTID: in the parent %d; CHILD_SETTID: in the child %d, in the parent %d", parent_tid == r, shared[1],
        child_tid != 0);
    r = raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, (int *)8, (int *)16, 0);
    child_leaves(r);
    say("at addresses that are none: %s", good(r));
    say_child("and that child", (pid_t)r);
    shared[2] = 5;
    r = raw_clone(CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, (int *)&shared[2], 0);
    child_leaves(r);
    waitpid((pid_t)r, NULL, 0);
    say("CHILD_CLEARTID of a process of its own leaves the word: %d", shared[2]);
    say("set_tid_address tells the number: %d", syscall(SYS_set_tid_address, &child_tid) == gettid_now());
}

/* ---- what a process with CLONE_VM shares ---- */

static volatile int word;
static int shares(void *unused) {
    (void)unused;
    word = 42;
    return 3;
}

static int waits_for_word(void *unused) {
    (void)unused;
    while (word != 1)
        sched_yield();
    word = 2;
    return 0;
}

static int closes(void *fd) {
    close((int)(intptr_t)fd);
    return 0;
}

static int changes_handler(void *unused) {
    (void)unused;
    signal(SIGUSR1, SIG_IGN);
    return 0;
}

static int changes_directory(void *unused) {
    (void)unused;
    return chdir("/") == 0 ? umask(027), 0 : 1;
}

static void run_clone(const char *what, int (*function)(void *), int flag, void *argument) {
    int status;
    pid_t pid = clone(function, stack + sizeof stack, flag, argument);
    pid_t r = waitpid(pid, &status, __WALL);
    say("%s: %s", what, r == pid ? status_text(status) : result(r));
}

static void sharing(void) {
    char directory[256];
    run_clone("CLONE_VM", shares, CLONE_VM | SIGCHLD, NULL);
    say("the parent sees %d", word);
    pid_t pid = clone(waits_for_word, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
    word = 1;
    say_child("both run", pid);
    say("and met: %d", word);
    run_clone("CLONE_VM|VFORK", shares, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    int fd = dup(1);
    run_clone("CLONE_FILES", closes, CLONE_FILES | SIGCHLD, (void *)(intptr_t)fd);
    say("its close is ours: %s", result(fcntl(fd, F_GETFD)));
    fd = dup(1);
    run_clone("without CLONE_FILES", closes, SIGCHLD, (void *)(intptr_t)fd);
    say("its close is its own: %s", good(fcntl(fd, F_GETFD)));
    close(fd);
    run_clone("CLONE_VM|SIGHAND", changes_handler, CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL);
    say("its handler is ours: %d", signal(SIGUSR1, SIG_DFL) == SIG_IGN);
    run_clone("without CLONE_SIGHAND", changes_handler, SIGCHLD, NULL);
    say("its handler is its own: %d", signal(SIGUSR1, SIG_DFL) == SIG_DFL);
    char *before = getcwd(NULL, 0);
    mode_t mask = umask(022);
    run_clone("CLONE_FS", changes_directory, CLONE_FS | SIGCHLD, NULL);
    say("its directory and umask are ours: %s %o", getcwd(directory, sizeof directory), umask(mask));
    if (chdir(before) < 0)
        say("cannot go back");
    free(before);
}

/* ---- exit signals, who waits ---- */

static volatile int arrived;
static void note(int signal, siginfo_t *info, void *context) {
    (void)context;
    arrived = signal * 1000 + info->si_code;
}

static void exit_signals(void) {
    int status;
    const int numbers_of[] = {0, SIGUSR1, SIGRTMIN + 3};
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN + 3, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    for (int i = 0; i < COUNT(numbers_of); i++) {
        arrived = 0;
        long pid = raw_clone((unsigned long)numbers_of[i], NULL, NULL, NULL, 0);
        child_leaves(pid);
        wait_for_state((pid_t)pid, 'Z');
        say("exit signal %d: plain wait %s", i, result(waitpid((pid_t)pid, &status, 0)));
        say("  __WCLONE: %s", good(waitpid((pid_t)pid, &status, __WCLONE | WNOHANG)));
        say("  arrived %d", arrived == 0 ? 0 : arrived - numbers_of[i] * 1000);
    }
}

/* CLONE_PARENT: the grandchild is a child of ours. */
static void siblings(void) {
    volatile int *shared = shared_page();
    pid_t pid = fork();
    if (pid == 0) {
        long r = raw_clone(CLONE_PARENT | SIGUSR2, NULL, NULL, NULL, 0);
        if (r == 0)
            _exit(21);
        shared[0] = (int)r;
        say("the sibling is not its child: %s", result(waitpid((pid_t)r, NULL, __WALL)));
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    int status = 0;
    pid_t r = waitpid(shared[0], &status, __WALL);
    say("CLONE_PARENT, exit signal of its maker: %s %s", good(r), status_text(status));
}

/* ---- arch_prctl ---- */

static void bases(void) {
    unsigned long fs = 0, gs = 1;
    say("GET_FS: %s, GET_GS: %s, gs is 0: %d, fs is not: %d", result(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs)),
        result(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs)), gs == 0, fs != 0);
    static unsigned long cell = 0x1234567;
    unsigned long seen;
    say("SET_GS: %s", result(syscall(SYS_arch_prctl, ARCH_SET_GS, &cell)));
    __asm__("mov %%gs:0, %0" : "=r"(seen));
    say("through gs: %lx", seen);
    say("SET_GS beyond: %s", result(syscall(SYS_arch_prctl, ARCH_SET_GS, 1UL << 47)));
    say("SET_FS beyond: %s", result(syscall(SYS_arch_prctl, ARCH_SET_FS, -1UL)));
    say("GET_FS nowhere: %s", result(syscall(SYS_arch_prctl, ARCH_GET_FS, 8)));
    say("unknown: %s", result(syscall(SYS_arch_prctl, 0x9999, 0)));
    say("SET_GS 0: %s", result(syscall(SYS_arch_prctl, ARCH_SET_GS, 0)));
}

int main(void) {
    each_pair();
    each_pair_of_clone3();
    refused();
    sizes();
    members();
    numbers();
    sharing();
    exit_signals();
    siblings();
    bases();
    return 0;
}
