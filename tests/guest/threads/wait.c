/* wait4 and waitid: every option and kind of child; what SIGCHLD says; SA_NOCLDWAIT, SA_NOCLDSTOP, SIG_IGN;
 * orphans, sub-reapers, PR_SET_PDEATHSIG; orphaned process groups. */
#include "say.h"
#include <sys/prctl.h>
#include <sys/resource.h>

static int exits(void *code) {
    return (int)(intptr_t)code;
}

static int waits(void *unused) {
    (void)unused;
    for (;;)
        pause();
    return 0;
}

static void say_info(const char *what, long r, const siginfo_t *info, pid_t pid) {
    say("%s: %s signo %d code %d status %d pid %s uid %s", what, result(r), info->si_signo, info->si_code, info->si_status,
        info->si_pid == 0 ? "0" : info->si_pid == pid ? "child" : "other",
        info->si_uid == getuid() ? "mine" : "other");
}

/* ---- option tables ---- */

static void bad_arguments(void) {
    siginfo_t info;
    for (int bit = 0; bit < 32; bit++) {
        int options = (int)(1u << bit);
        say("wait4 option %x: %s; waitid: %s; with WEXITED: %s", 1u << bit, result(wait4(-1, NULL, options, NULL)),
            result(syscall(SYS_waitid, P_ALL, 0, &info, options, NULL)),
            result(syscall(SYS_waitid, P_ALL, 0, &info, options | WEXITED, NULL)));
    }
    for (int type = -1; type <= 5; type++)
        for (int id = -1; id <= 1; id++)
            if (!(type == P_PIDFD && id >= 0))
                say("waitid type %d id %d: %s", type, id,
                    result(syscall(SYS_waitid, type, id, &info, WEXITED | WNOHANG, NULL)));
    memset(&info, 0x55, sizeof info);
    long r = syscall(SYS_waitid, P_ALL, 0, &info, WEXITED, NULL);
    say("without children: %s, signo %d code %d pid %d status %d", result(r), info.si_signo, info.si_code, info.si_pid,
        info.si_status);
    say("waitid nowhere: %s", result(syscall(SYS_waitid, P_ALL, 0, 8, WEXITED, NULL)));
    say("wait4 INT_MIN: %s", result(wait4(INT32_MIN, NULL, 0, NULL)));
    say("wait4 of a group that is none: %s", result(wait4(-999999, NULL, 0, NULL)));
}

static void life(void) {
    int status;
    siginfo_t info = {0};
    struct rusage usage;
    pid_t pid = in_child(waits, NULL);
    say_info("nothing yet", waitid(P_PID, (id_t)pid, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG), &info, pid);
    kill(pid, SIGSTOP);
    say_info("stopped, kept", waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), &info, pid);
    say("wait4 without WUNTRACED: %s", result(waitpid(pid, &status, WNOHANG)));
    say("wait4 with it: %s", good(waitpid(pid, &status, WUNTRACED)));
    say("  %s", status_text(status));
    say("once only: %s", result(waitpid(pid, &status, WUNTRACED | WNOHANG)));
    kill(pid, SIGCONT);
    say_info("continued, kept", waitid(P_PGID, 0, &info, WCONTINUED | WNOWAIT), &info, pid);
    say("wait4 WCONTINUED: %s", good(waitpid(0, &status, WCONTINUED)));
    say("  %s", status_text(status));
    kill(pid, SIGSTOP); /* the group may be orphaned: SIGTSTP would be nothing */
    waitpid(pid, &status, WUNTRACED);
    say("and %s", status_text(status));
    kill(pid, SIGTERM);
    say("a stopped one does not die of SIGTERM: %s", result(waitpid(pid, &status, WNOHANG)));
    kill(pid, SIGCONT);
    memset(&info, 0, sizeof info);
    say_info("killed, kept", waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), &info, pid);
    say_info("killed, still there", waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG), &info, pid);
    say("wait4 nowhere: %s", result(wait4(pid, (int *)8, 0, NULL)));
    say("and it is reaped: %s", result(wait4(pid, &status, 0, NULL)));
    pid = in_child(exits, (void *)0x1ff);
    say("wait4 with usage: %s", good(wait4(-1, &status, 0, &usage)));
    say("  %s, a fault at least: %d", status_text(status), usage.ru_minflt > 0);
    pid = in_child(exits, (void *)3);
    say("waitid without info: %s", result(syscall(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL)));
    pid = in_child(exits, (void *)4);
    say("usage nowhere: %s", result(syscall(SYS_waitid, P_PID, pid, &info, WEXITED, 8)));
    say("it was reaped: %s", result(waitpid(pid, NULL, 0)));
}

/* ---- threads as parents ---- */

static volatile pid_t child_of_thread;
static void *makes_child(void *unused) {
    (void)unused;
    child_of_thread = in_child(exits, (void *)11);
    wait_for_state(child_of_thread, 'Z');
    return NULL;
}

static void *finds_no_child(void *unused) {
    (void)unused;
    say("another thread's child, __WNOTHREAD: %s", result(waitpid(child_of_thread, NULL, __WNOTHREAD)));
    return NULL;
}

static void threads_as_parents(void) {
    pthread_t thread;
    pid_t own = in_child(exits, (void *)12);
    wait_for_state(own, 'Z');
    child_of_thread = own;
    pthread_create(&thread, NULL, finds_no_child, NULL);
    pthread_join(thread, NULL);
    say_child("the thread that made it", own);
    pthread_create(&thread, NULL, makes_child, NULL);
    pthread_join(thread, NULL);
    say("the child of a thread that is gone: %s", good(waitpid(child_of_thread, NULL, __WNOTHREAD)));
}

/* ---- SIGCHLD ---- */

static volatile int signals, last_code, last_status, last_is_child;
static volatile pid_t expected;
static void on_child(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    signals++;
    last_code = info->si_code;
    last_status = info->si_status;
    last_is_child = info->si_pid == expected;
}

static void told(const char *what) {
    say("%s: %d signals, code %d, status %d, of the child %d", what, signals, last_code, last_status, last_is_child);
    signals = last_code = last_status = last_is_child = 0;
}

static void child_signals(int flags, const char *name) {
    struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | flags};
    int status;
    sigaction(SIGCHLD, &action, NULL);
    signals = 0;
    say("-- SIGCHLD %s", name);
    expected = in_child(waits, NULL);
    kill(expected, SIGSTOP);
    wait_for_state(expected, 'T');
    told("stop");
    kill(expected, SIGCONT);
    pause_ms(5);
    told("continue");
    kill(expected, SIGKILL);
    say("wait: %s", good(waitpid(expected, &status, 0)));
    pause_ms(2);
    told("kill");
    pid_t pid = in_child(exits, (void *)9);
    say("wait: %s", good(waitpid(pid, &status, 0)));
    pause_ms(2);
    last_is_child = 1; /* it may have ended before its number was known */
    told("exit");
}

static void ignored_children(void) {
    sigset_t set, pending;
    signal(SIGCHLD, SIG_IGN);
    pid_t pid = in_child(exits, NULL);
    say("ignored: %s", result(waitpid(pid, NULL, 0)));
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    pid = in_child(exits, NULL);
    waitpid(pid, NULL, 0);
    sigpending(&pending);
    say("ignored and blocked: pending %d", sigismember(&pending, SIGCHLD));
    signal(SIGCHLD, SIG_DFL);
    pid = in_child(exits, NULL);
    say("default and blocked: %s", good(waitpid(pid, NULL, 0)));
    sigpending(&pending);
    say("pending %d", sigismember(&pending, SIGCHLD));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- orphans ---- */

static volatile int *shared;
static void on_death(int signal, siginfo_t *info, void *context) {
    (void)context;
    shared[1] = signal;
    shared[2] = info->si_code;
    shared[3] = info->si_pid == shared[0];
}

static int orphan_of(void *subreaper_above) {
    struct sigaction action = {.sa_sigaction = on_death, .sa_flags = SA_SIGINFO};
    shared[0] = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        sigaction(SIGUSR1, &action, NULL);
        prctl(PR_SET_PDEATHSIG, SIGUSR1);
        shared[4] = 1;
        while (shared[1] == 0)
            pause_ms(1);
        shared[5] = subreaper_above ? getppid() == shared[6] : getppid() != shared[0];
        _exit(33);
    }
    shared[7] = pid;
    while (shared[4] == 0)
        pause_ms(1);
    return 0;
}

static void orphans(void) {
    int status;
    shared = shared_page();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    shared[6] = getpid();
    say_child("the parent in between", in_child(orphan_of, (void *)1));
    say("the orphan is ours: %s", good(waitpid(shared[7], &status, 0)));
    say("  %s, told by signal %d code %d of its parent %d, new parent %d", status_text(status), shared[1] == SIGUSR1,
        shared[2], shared[3], shared[5]);
    int subreaper = 0;
    prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    say("sub-reaper: %d", subreaper);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
        _exit(subreaper);
    }
    say_child("not inherited", pid);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* A zombie whose parent ends without waiting: the sub-reaper hears of it. */
static void inherited_zombies(void) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGCHLD, &action, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        pid_t zombie = in_child(exits, (void *)44);
        shared[8] = zombie;
        wait_for_state(zombie, 'Z');
        _exit(45);
    }
    say_child("its parent", pid);
    say_child("the zombie", shared[8]);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    signal(SIGCHLD, SIG_DFL);
}

/* A stopped group whose last link to the session goes is hung up and continued. */
static void on_hang_up(int signal) {
    shared[9 + (signal == SIGCONT)] = shared[11] = shared[11] + 1;
}

static int makes_stopped_group(void *unused) {
    (void)unused;
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        signal(SIGHUP, on_hang_up);
        signal(SIGCONT, on_hang_up);
        shared[12] = getpid();
        raise(SIGSTOP);
        _exit(shared[9] && shared[10] ? 55 : 56);
    }
    setpgid(pid, pid);
    waitpid(pid, NULL, WUNTRACED);
    return 0;
}

static void orphaned_groups(void) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t pid = fork();
    if (pid == 0) { /* a session of its own: the link is only through the one in between */
        setsid();
        prctl(PR_SET_CHILD_SUBREAPER, 0);
        pid_t between = in_child(makes_stopped_group, NULL);
        setpgid(between, between);
        waitpid(between, NULL, 0);
        _exit(0);
    }
    say_child("the session", pid);
    int status = 0;
    pid_t r = waitpid(shared[12], &status, 0);
    say("the stopped one: %s %s, hangup first %d", good(r), status_text(status), shared[9] < shared[10]);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

int main(void) {
    bad_arguments();
    life();
    threads_as_parents();
    child_signals(SA_RESTART, "plain");
    child_signals(SA_NOCLDSTOP | SA_RESTART, "SA_NOCLDSTOP");
    child_signals(SA_NOCLDWAIT | SA_RESTART, "SA_NOCLDWAIT");
    ignored_children();
    orphans();
    inherited_zombies();
    orphaned_groups();
    return 0;
}
