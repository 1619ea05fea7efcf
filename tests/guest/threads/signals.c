/* Signals: who may send what, siginfo by origin, queues and their limit, masks, waiting for them, flags of
 * actions, alternate stacks, default actions of all 64. */
#include "say.h"
#include <sys/resource.h>

static int pairs[64], pair_count;
static volatile int count, last_signal, last_code, last_value, last_errno, last_pid_is_mine;

static void note(int signal, siginfo_t *info, void *context) {
    (void)context;
    count++;
    last_signal = signal;
    last_code = info->si_code;
    last_errno = info->si_errno;
    last_value = info->si_value.sival_int;
    last_pid_is_mine = info->si_pid == getpid() && info->si_uid == getuid();
    if (pair_count < COUNT(pairs))
        pairs[pair_count++] = signal;
}

static void handle(int signal, int flags) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, NULL);
    count = pair_count = last_signal = last_code = last_value = last_errno = last_pid_is_mine = 0;
}

static void told(const char *what) {
    say("%s: %d times, code %d, errno %d, value %d, of me %d", what, count, last_code, last_errno, last_value,
        last_pid_is_mine);
    count = pair_count = 0;
}

static sigset_t set_of(int a, int b) {
    sigset_t set;
    sigemptyset(&set);
    if (a)
        sigaddset(&set, a);
    if (b)
        sigaddset(&set, b);
    return set;
}

/* ---- numbers and targets ---- */

static pid_t dead_pid(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    return pid;
}

static void targets(void) {
    static const int numbers[] = {-1, 0, 65, 64, 100000};
    pid_t me = getpid(), none = dead_pid();
    signal(64, SIG_IGN);
    for (int i = 0; i < COUNT(numbers); i++) {
        int s = numbers[i];
        say("signal %d: kill me %s, none %s, INT_MIN %s", s, result(kill(me, s)), result(kill(none, s)),
            result(kill(INT32_MIN, s)));
        say("  tkill me %s none %s 0 %s -1 %s", result(syscall(SYS_tkill, me, s)), result(syscall(SYS_tkill, none, s)),
            result(syscall(SYS_tkill, 0, s)), result(syscall(SYS_tkill, -1, s)));
        say("  tgkill me %s, none %s, of another group %s, 0 %s", result(syscall(SYS_tgkill, me, me, s)),
            result(syscall(SYS_tgkill, me, none, s)), result(syscall(SYS_tgkill, none, me, s)),
            result(syscall(SYS_tgkill, 0, me, s)));
        say("  group that is none %s", result(kill(-none, s)));
    }
    signal(64, SIG_DFL);
    pid_t zombie = fork();
    if (zombie == 0)
        _exit(0);
    wait_for_state(zombie, 'Z');
    say("a zombie: kill %s, with 0 %s, tkill %s", result(kill(zombie, SIGTERM)), result(kill(zombie, 0)),
        result(syscall(SYS_tkill, zombie, SIGTERM)));
    waitpid(zombie, NULL, 0);
}

/* ---- siginfo ---- */

static void origins(void) {
    pid_t zombie = fork();
    if (zombie == 0)
        _exit(0);
    union sigval value = {.sival_int = 77};
    siginfo_t info;
    handle(SIGUSR1, 0);
    kill(getpid(), SIGUSR1), told("kill");
    raise(SIGUSR1), told("raise");
    sigqueue(getpid(), SIGUSR1, value), told("sigqueue");
    syscall(SYS_tkill, gettid_now(), SIGUSR1), told("tkill");
    pthread_sigqueue(pthread_self(), SIGUSR1, value), told("pthread_sigqueue");
    static const int codes[] = {SI_USER,    SI_KERNEL, SI_QUEUE, SI_TIMER,   SI_MESGQ, SI_ASYNCIO,
                                SI_SIGIO,   SI_TKILL,  SI_ASYNCNL, -10,     1,        2,
                                POLL_IN,    5,         6,        7,          1000};
    for (int i = 0; i < COUNT(codes); i++)
        for (int others = 0; others < 2; others++) {
            memset(&info, 0, sizeof info);
            info.si_code = codes[i];
            info.si_errno = 3;
            info.si_pid = getpid();
            info.si_uid = getuid();
            info.si_value.sival_int = 5;
            if (others)
                ((char *)&info)[120] = 1;
            errno = 0;
            say("code %d to me%s: %s; by tgsigqueueinfo: %s; to my child %s", codes[i], others ? " with more" : "",
                result(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info)),
                result(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid_now(), SIGUSR1, &info)),
                result(syscall(SYS_rt_sigqueueinfo, zombie, 0, &info)));
            told("  ");
        }
    say("nowhere: %s", result(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, 8)));
    say("signal 65: %s", result(syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info)));
    info.si_code = SI_QUEUE;
    say("signal 65, good code: %s", result(syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info)));
    waitpid(zombie, NULL, 0);
    say("tgid 0: %s", result(syscall(SYS_rt_tgsigqueueinfo, 0, getpid(), SIGUSR1, &info)));
}

static void of_pipes(void) {
    int ends[2];
    handle(SIGPIPE, 0);
    if (pipe(ends) < 0)
        return;
    close(ends[0]);
    say("write without readers: %s", result(write(ends[1], "x", 1)));
    told("SIGPIPE");
    close(ends[1]);
    struct rlimit limit = {4096, RLIM_INFINITY};
    handle(SIGXFSZ, 0);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &limit);
    int fd = memfd_create("f", 0);
    close(fd);
    signal(SIGPIPE, SIG_DFL);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* ---- queues ---- */

static void order(void) {
    sigset_t all, old;
    sigfillset(&all);
    int numbers[] = {SIGUSR2, SIGRTMIN + 2, SIGRTMIN, SIGUSR1, SIGRTMIN + 2, SIGCHLD, SIGRTMAX, SIGSEGV, SIGRTMIN + 1};
    for (int i = 0; i < COUNT(numbers); i++)
        handle(numbers[i], 0);
    sigprocmask(SIG_BLOCK, &all, &old);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < COUNT(numbers); i++)
            sigqueue(getpid(), numbers[i], (union sigval){.sival_int = i});
    pthread_kill(pthread_self(), SIGUSR2);
    pthread_kill(pthread_self(), SIGRTMIN + 1);
    sigprocmask(SIG_SETMASK, &old, NULL);
    char line[300] = "";
    for (int i = 0; i < pair_count; i++)
        sprintf(line + strlen(line), " %d", pairs[i] >= SIGRTMIN ? pairs[i] - SIGRTMIN + 100 : pairs[i]);
    say("handlers ran (nested, the last first):%s", line);
    sigprocmask(SIG_BLOCK, &all, &old);
    for (int i = 0; i < COUNT(numbers); i++)
        sigqueue(getpid(), numbers[i], (union sigval){.sival_int = i});
    siginfo_t info;
    line[0] = '\0';
    while (sigtimedwait(&all, &info, &(struct timespec){0}) > 0)
        sprintf(line + strlen(line), " %d:%d", info.si_signo >= SIGRTMIN ? info.si_signo - SIGRTMIN + 100 : info.si_signo,
                info.si_value.sival_int);
    say("sigtimedwait takes:%s", line);
    for (int i = 0; i < COUNT(numbers); i++)
        signal(numbers[i], SIG_DFL);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void limits(void) {
    struct rlimit old, small;
    sigset_t all, before;
    siginfo_t info;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    getrlimit(RLIMIT_SIGPENDING, &old);
    small = old;
    small.rlim_cur = 0;
    setrlimit(RLIMIT_SIGPENDING, &small);
    int rt = SIGRTMIN + 5;
    say("full: sigqueue real-time %s, standard %s", result(sigqueue(getpid(), rt, (union sigval){.sival_int = 1})),
        result(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 2})));
    say("  kill real-time %s, standard %s", result(kill(getpid(), rt)), result(kill(getpid(), SIGUSR2)));
    say("  tkill real-time %s, standard %s", result(syscall(SYS_tkill, gettid_now(), rt + 1)),
        result(syscall(SYS_tkill, gettid_now(), SIGHUP)));
    while (sigtimedwait(&all, &info, &(struct timespec){0}) > 0)
        say("  taken: %d code %d value %d", info.si_signo >= SIGRTMIN ? info.si_signo - SIGRTMIN + 100 : info.si_signo,
            info.si_code, info.si_value.sival_int);
    timer_t timer;
    say("  timer_create %s", result(timer_create(CLOCK_MONOTONIC, NULL, &timer)));
    setrlimit(RLIMIT_SIGPENDING, &old);
    int n = 0;
    for (int i = 0; i < 50; i++)
        n += sigqueue(getpid(), rt, (union sigval){.sival_int = i}) == 0;
    int sum = 0;
    while (sigtimedwait(&all, &info, &(struct timespec){0}) > 0)
        sum = sum * 3 % 1000003 + info.si_value.sival_int;
    say("%d queued, in order %d", n, sum);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* ---- masks and waiting ---- */

static void masks(void) {
    uint64_t set = ~0ULL, old = 0;
    for (int how = -1; how <= 3; how++)
        say("sigprocmask how %d: %s; without a set %s", how,
            result(syscall(SYS_rt_sigprocmask, how, &set, &old, 8)), result(syscall(SYS_rt_sigprocmask, how, NULL, &old, 8)));
    say("the mask: %llx", (unsigned long long)old);
    say("sizes: %s %s %s", result(syscall(SYS_rt_sigprocmask, 0, &set, &old, 4)),
        result(syscall(SYS_rt_sigprocmask, 0, &set, &old, 16)), result(syscall(SYS_rt_sigprocmask, 0, 8, &old, 8)));
    set = 0;
    say("old nowhere: %s", result(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, 8, 8)));
    say("sigpending of 0, 4, 8, 9 bytes: %s %s %s %s", result(syscall(SYS_rt_sigpending, &set, 0)),
        result(syscall(SYS_rt_sigpending, &set, 4)), result(syscall(SYS_rt_sigpending, &set, 8)),
        result(syscall(SYS_rt_sigpending, &set, 9)));
    say("sigsuspend of 4 bytes %s, nowhere %s", result(syscall(SYS_rt_sigsuspend, &set, 4)),
        result(syscall(SYS_rt_sigsuspend, 8, 8)));
    say("sigtimedwait of 4 bytes %s, nowhere %s", result(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 4)),
        result(syscall(SYS_rt_sigtimedwait, 8, NULL, NULL, 8)));
    struct timespec wrong = {0, 1000000000};
    say("  bad time %s, time nowhere %s", result(syscall(SYS_rt_sigtimedwait, &set, NULL, &wrong, 8)),
        result(syscall(SYS_rt_sigtimedwait, &set, NULL, 8, 8)));
}

static void waiting(void) {
    sigset_t usr = set_of(SIGUSR1, SIGUSR2), none = set_of(0, 0), old;
    siginfo_t info;
    handle(SIGUSR1, 0);
    handle(SIGALRM, 0);
    sigprocmask(SIG_BLOCK, &usr, &old);
    raise(SIGUSR1);
    say("sigsuspend: %s", result(sigsuspend(&none)));
    told("  handled");
    raise(SIGUSR2);
    say("sigwaitinfo: %d", sigwaitinfo(&usr, &info) == SIGUSR2);
    alarm(1);
    say("sigwaitinfo interrupted by another: %s", result(sigwaitinfo(&usr, &info)));
    told("  handled");
    say("sigtimedwait late: %s", result(sigtimedwait(&usr, &info, &(struct timespec){0, 5000000})));
    say("info nowhere: %s", (raise(SIGUSR2), result(syscall(SYS_rt_sigtimedwait, &usr, 8, NULL, 8))));
    sigset_t kill_set = set_of(SIGKILL, SIGSTOP);
    say("waits for SIGKILL: %s", result(sigtimedwait(&kill_set, &info, &(struct timespec){0, 1000000})));
    int which = 0;
    pid_t pid = fork();
    if (pid == 0) {
        pause_ms(20);
        kill(getppid(), SIGUSR2);
        _exit(0);
    }
    say("sigwait: %s", error_of(sigwait(&usr, &which)));
    say("  SIGUSR2: %d", which == SIGUSR2);
    waitpid(pid, NULL, 0);
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    sigpending(&none);
    say("ignored but blocked: pending %d", sigismember(&none, SIGUSR1));
    signal(SIGUSR1, SIG_IGN);
    sigpending(&none);
    say("after SIG_IGN again: pending %d", sigismember(&none, SIGUSR1));
    raise(SIGUSR2);
    signal(SIGUSR2, SIG_DFL);
    sigpending(&none);
    say("default set keeps it: %d", sigismember(&none, SIGUSR2));
    signal(SIGUSR2, SIG_IGN);
    sigpending(&none);
    say("SIG_IGN drops it: %d", sigismember(&none, SIGUSR2));
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
}

/* ---- flags ---- */

static volatile int depth, deepest, mask_inside;
static void nests(int signal) {
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    mask_inside = sigismember(&mask, signal) + 2 * sigismember(&mask, SIGUSR2);
    if (++depth > deepest)
        deepest = depth;
    if (count++ < 3)
        raise(signal);
    depth--;
}

struct kernel_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

static void flags(void) {
    struct sigaction action = {.sa_handler = nests}, old;
    sigaddset(&action.sa_mask, SIGUSR2);
    for (int nodefer = 0; nodefer < 2; nodefer++) {
        action.sa_flags = nodefer ? SA_NODEFER : 0;
        sigaction(SIGUSR1, &action, NULL);
        count = depth = deepest = 0;
        raise(SIGUSR1);
        say("%s: %d runs, %d deep, mask inside %d", nodefer ? "SA_NODEFER" : "plain", count, deepest, mask_inside);
    }
    action.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGUSR1, &action, NULL);
    count = 5;
    raise(SIGUSR1);
    sigaction(SIGUSR1, NULL, &old);
    say("SA_RESETHAND: handler default %d, flags as set %d", old.sa_handler == SIG_DFL,
        (old.sa_flags & (int)SA_RESETHAND) != 0);
    struct kernel_action raw = {.flags = ~0UL, .handler = (void *)1, .mask = ~0ULL}, back;
    say("every flag: %s", result(syscall(SYS_rt_sigaction, SIGUSR1, &raw, NULL, 8)));
    syscall(SYS_rt_sigaction, SIGUSR1, NULL, &back, 8);
    say("  back: %lx mask %llx", back.flags, (unsigned long long)back.mask);
    for (int s = -1; s <= 66; s++)
        if (s < 2 || s == SIGKILL || s == SIGSTOP || s > 62) {
            memset(&raw, 0, sizeof raw);
            say("signal %d: read %s, set %s", s, result(syscall(SYS_rt_sigaction, s, NULL, &back, 8)),
                result(syscall(SYS_rt_sigaction, s, &raw, NULL, 8)));
        }
    say("size 4 %s, act nowhere %s, old nowhere %s", result(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4)),
        result(syscall(SYS_rt_sigaction, SIGUSR1, 8, NULL, 8)), result(syscall(SYS_rt_sigaction, SIGUSR1, NULL, 8, 8)));
    raw.handler = (void *)1;
    say("set, but old nowhere: %s", result(syscall(SYS_rt_sigaction, SIGUSR1, &raw, 8, 8)));
    sigaction(SIGUSR1, NULL, &old);
    say("  it was set: %d", old.sa_handler == SIG_IGN);
    say("bad signal with act nowhere: %s", result(syscall(SYS_rt_sigaction, 99, 8, NULL, 8)));
    signal(SIGUSR1, SIG_DFL);
}

/* ---- alternate stacks ---- */

static volatile int on_it, flags_inside, change_inside;
static char *alternate;
static void looks(int signal) {
    (void)signal;
    stack_t now, other = {.ss_sp = alternate, .ss_size = 70000};
    char here;
    on_it = &here >= alternate && &here < alternate + 65536;
    sigaltstack(NULL, &now);
    flags_inside = now.ss_flags;
    change_inside = sigaltstack(&other, NULL) == 0 ? 0 : errno;
}

static void alternate_stacks(void) {
    alternate = mmap(NULL, 131072, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = {.ss_sp = alternate, .ss_size = 65536}, old;
    struct sigaction action = {.sa_handler = looks, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    sigaltstack(NULL, &old);
    say("none: flags %x size %zu", old.ss_flags, old.ss_size);
    raise(SIGUSR1);
    say("handler without one: on it %d, flags %x, changing %s", on_it, flags_inside, error_of(change_inside));
    static const unsigned modes[] = {0, SS_ONSTACK, SS_DISABLE, 3, 4, 8, 1u << 31, 1u << 31 | 1, 1u << 31 | 2, 1u << 30};
    static const size_t sizes[] = {65536, 2048, 2047, 0};
    for (int i = 0; i < COUNT(modes); i++)
        for (int j = 0; j < COUNT(sizes); j++) {
            stack.ss_flags = (int)modes[i];
            stack.ss_size = sizes[j];
            int r = sigaltstack(&stack, NULL);
            const char *text = result(r);
            sigaltstack(NULL, &old);
            say("flags %x size %zu: %s, then flags %x size %zu sp %d", modes[i], sizes[j], text, old.ss_flags, old.ss_size,
                old.ss_sp == alternate ? 1 : old.ss_sp == NULL ? 0 : -1);
        }
    for (int disarm = 0; disarm < 2; disarm++) {
        stack = (stack_t){.ss_sp = alternate, .ss_size = 65536, .ss_flags = disarm ? (int)(1u << 31) : 0};
        sigaltstack(&stack, NULL);
        raise(SIGUSR1);
        sigaltstack(NULL, &old);
        say("%s: on it %d, flags inside %x, changing %s; afterwards flags %x size %zu", disarm ? "autodisarm" : "plain",
            on_it, flags_inside, error_of(change_inside), old.ss_flags, old.ss_size);
    }
    say("nowhere: %s %s", result(sigaltstack((void *)8, NULL)), result(sigaltstack(NULL, (void *)8)));
    pid_t pid = fork();
    if (pid == 0) {
        sigaltstack(NULL, &old);
        _exit(old.ss_size == 65536);
    }
    say_child("inherited by fork", pid);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

static void *thread_stack(void *unused) {
    (void)unused;
    stack_t old;
    sigset_t mask;
    sigaltstack(NULL, &old);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    say("a thread: altstack flags %x, mask inherited %d, pending %d", old.ss_flags, sigismember(&mask, SIGUSR1),
        (sigpending(&mask), sigismember(&mask, SIGUSR2)));
    return NULL;
}

static void of_threads(void) {
    pthread_t thread;
    sigset_t usr = set_of(SIGUSR1, SIGUSR2), old;
    stack_t stack = {.ss_sp = alternate, .ss_size = 65536};
    sigaltstack(&stack, NULL);
    sigprocmask(SIG_BLOCK, &usr, &old);
    pthread_kill(pthread_self(), SIGUSR2);
    pthread_create(&thread, NULL, thread_stack, NULL);
    pthread_join(thread, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t mask;
        sigpending(&mask);
        _exit(sigismember(&mask, SIGUSR2));
    }
    say_child("pending signals are not inherited", pid);
    siginfo_t info;
    sigtimedwait(&usr, &info, &(struct timespec){0});
    sigprocmask(SIG_SETMASK, &old, NULL);
}

/* ---- default actions ---- */

static void defaults(void) {
    for (int s = 1; s <= 64; s++) {
        pid_t pid = fork();
        if (pid == 0) {
            struct rlimit none = {0, 0};
            setrlimit(RLIMIT_CORE, &none);
            signal(s, SIG_DFL);
            kill(getpid(), s);
            _exit(0);
        }
        int status;
        waitpid(pid, &status, WUNTRACED);
        say("signal %d: %s%s", s, status_text(status), WIFSIGNALED(status) && WCOREDUMP(status) ? ", dumped" : "");
        if (WIFSTOPPED(status)) {
            kill(pid, SIGCONT);
            say_child("  continued", pid);
        }
    }
}

/* SIGCONT and the stop signals cancel each other; a blocked SIGCONT continues all the same. */
static volatile int *shared;
static void on_continue(int signal) {
    (void)signal;
    shared[1]++;
}

static void stop_rules(void) {
    sigset_t stops = set_of(SIGTSTP, SIGCONT), pending, old;
    shared = shared_page();
    handle(SIGTSTP, 0);
    handle(SIGCONT, 0);
    sigprocmask(SIG_BLOCK, &stops, &old);
    raise(SIGTSTP);
    raise(SIGCONT);
    sigpending(&pending);
    say("SIGTSTP then SIGCONT: pending %d %d", sigismember(&pending, SIGTSTP), sigismember(&pending, SIGCONT));
    raise(SIGTSTP);
    sigpending(&pending);
    say("then SIGTSTP: pending %d %d", sigismember(&pending, SIGTSTP), sigismember(&pending, SIGCONT));
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGTSTP, SIG_DFL);
    signal(SIGCONT, SIG_DFL);
    for (int blocked = 0; blocked < 2; blocked++) {
        shared[0] = shared[1] = 0;
        pid_t pid = fork();
        if (pid == 0) {
            signal(SIGCONT, on_continue);
            if (blocked)
                sigprocmask(SIG_BLOCK, &stops, NULL);
            raise(SIGSTOP);
            int before = shared[1];
            sigprocmask(SIG_UNBLOCK, &stops, NULL);
            _exit(before * 10 + shared[1]);
        }
        int status;
        waitpid(pid, &status, WUNTRACED);
        kill(pid, SIGCONT);
        say_child(blocked ? "SIGCONT blocked" : "SIGCONT caught", pid);
    }
}

static void group(void) {
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        handle(SIGUSR1, 0);
        pid_t other = fork();
        if (other == 0) {
            pause();
            _exit(0);
        }
        wait_for_state(other, 'S');
        say("kill(0): %s", result(kill(0, SIGUSR1)));
        say("  to myself: %d", count);
        say("kill(-group): %s", result(kill(-getpgrp(), 0)));
        say_child("  to the other", other);
        setsid();
        _exit(0);
    }
    say_child("the group", pid);
}

int main(void) {
    targets();
    origins();
    of_pipes();
    order();
    limits();
    masks();
    waiting();
    flags();
    alternate_stacks();
    of_threads();
    defaults();
    stop_rules();
    group();
    return 0;
}
