/* The end of processes with threads: exec from any thread, exit_group from any, a leader that ends first, signals
 * that kill; what exec keeps and what it resets; vfork, posix_spawn. The program executes itself: argv[1] says as
 * what. */
#include "say.h"
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

extern char **environ;
static volatile int *shared;

/* ---- what the executed program finds ---- */

static const char *action_of(int signal) {
    struct sigaction action;
    sigaction(signal, NULL, &action);
    return action.sa_handler == SIG_DFL ? "default" : action.sa_handler == SIG_IGN ? "ignored" : "handler";
}

static int executed(char **argv) {
    sigset_t mask, pending;
    stack_t stack;
    struct itimerval timer;
    pid_t expected = atoi(argv[2]), parent = atoi(argv[3]);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigpending(&pending);
    sigaltstack(NULL, &stack);
    getitimer(ITIMER_REAL, &timer);
    say("executed: same pid %d, leader %d, same parent %d", getpid() == expected, gettid_now() == expected, getppid() == parent);
    say("  USR1 %s USR2 %s, blocked USR2 %d, pending thread %d process %d", action_of(SIGUSR1), action_of(SIGUSR2),
        sigismember(&mask, SIGUSR2), sigismember(&pending, SIGUSR2), sigismember(&pending, SIGRTMIN));
    say("  fd 70 %s, fd 71 %s, altstack %x, alarm set %d, pdeathsig %d", result(fcntl(70, F_GETFD)), result(fcntl(71, F_GETFD)),
        stack.ss_flags, timer.it_value.tv_sec > 0, ({ int s = 0; prctl(PR_GET_PDEATHSIG, &s); s; }));
    char name[17] = "";
    prctl(PR_GET_NAME, name);
    say("  name %s, timers %s", name, result(syscall(SYS_timer_getoverrun, 0)));
    return 23;
}

static void nothing(int signal) {
    (void)signal;
}

static void *sleeps(void *unused) {
    (void)unused;
    for (;;)
        pause();
    return NULL;
}

static volatile bool alone;
static char self[256]; /* /proc/self/exe is nothing once the leader is gone */
static void *executes(void *name) {
    char pid[16], parent[16];
    while (alone && task_state(getpid()) != 'Z' && task_state(getpid()) != 0)
        pause_ms(1);
    sigset_t set;
    snprintf(pid, sizeof pid, "%d", getpid());
    snprintf(parent, sizeof parent, "%d", getppid());
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    syscall(SYS_tkill, gettid_now(), SIGUSR2);
    kill(getpid(), SIGRTMIN);
    execl(name, "exec", "executed", pid, parent, NULL);
    return NULL;
}

static void before_exec(void) {
    static char alternate[65536];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    timer_t timer;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGUSR1, nothing);
    signal(SIGUSR2, SIG_IGN);
    sigaltstack(&stack, NULL);
    dup2(1, 70);
    dup2(1, 71);
    fcntl(71, F_SETFD, FD_CLOEXEC);
    alarm(1000);
    prctl(PR_SET_PDEATHSIG, SIGHUP);
    timer_create(CLOCK_MONOTONIC, NULL, &timer);
}

static int exec_case(void *kind) {
    pthread_t threads[4];
    before_exec();
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, sleeps, NULL);
    switch ((int)(intptr_t)kind) {
    case 0: executes(self); break;
    case 1:
        pthread_create(&threads[3], NULL, executes, self);
        pthread_join(threads[3], NULL);
        break;
    case 2:
        alone = true;
        pthread_create(&threads[3], NULL, executes, self);
        syscall(SYS_exit, 9); /* the leader only */
        break;
    default:
        pthread_create(&threads[3], NULL, executes, "/nonexistent");
        pthread_join(threads[3], NULL);
        say("exec failed: everybody is still there %d", task_state(getpid()) != 0);
    }
    return 24;
}

/* ---- exit ---- */

static void *ends_all(void *status) {
    pause_ms(5);
    syscall(SYS_exit_group, (int)(intptr_t)status);
    return NULL;
}

static void *ends_itself(void *unused) {
    (void)unused;
    pause_ms(30);
    shared[0] = 1;
    syscall(SYS_exit, 5);
    return NULL;
}

static void *kills(void *signal) {
    pause_ms(5);
    kill(getpid(), (int)(intptr_t)signal);
    return sleeps(NULL);
}

static void *faults(void *unused) {
    (void)unused;
    pause_ms(5);
    int *volatile nowhere = (int *)8;
    *nowhere = 1;
    return NULL;
}

static int exit_case(void *kind) {
    pthread_t thread;
    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, sleeps, NULL);
    switch ((int)(intptr_t)kind) {
    case 0: pthread_create(&thread, NULL, ends_all, (void *)61); break;
    case 1:
        pthread_create(&thread, NULL, ends_all, (void *)62);
        syscall(SYS_exit, 3);
        break;
    case 2: pthread_create(&thread, NULL, kills, (void *)SIGTERM); break;
    case 3: pthread_create(&thread, NULL, kills, (void *)SIGKILL); break;
    case 4: pthread_create(&thread, NULL, faults, NULL); break;
    case 5: return 63;
    default: abort();
    }
    return (int)(intptr_t)sleeps(NULL);
}

static int leader_first(void *code) {
    pthread_t thread;
    pthread_create(&thread, NULL, ends_itself, NULL);
    syscall(SYS_exit, (int)(intptr_t)code);
    return 1;
}

static int leader_pthread_exit(void *unused) {
    (void)unused;
    pthread_t thread;
    pthread_create(&thread, NULL, ends_itself, NULL);
    pthread_exit(NULL);
}

static void zombie_leader(void) {
    int status;
    siginfo_t info = {0};
    shared[0] = 0;
    pid_t pid = in_child(leader_first, (void *)5);
    say("leader gone: state %c", wait_for_state(pid, 'Z') ? 'Z' : '?');
    say("not to be waited for yet: %s", result(waitpid(pid, &status, WNOHANG)));
    say("waitid neither: %s pid %d", result(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT)), info.si_pid);
    say("signals reach it: %s, tgkill of the leader %s", result(kill(pid, 0)), result(syscall(SYS_tgkill, pid, pid, SIGUSR1)));
    say("wait: %s", good(waitpid(pid, &status, 0)));
    say("  %s, after the thread %d", status_text(status), shared[0]);
    say_child("pthread_exit of main", in_child(leader_pthread_exit, NULL));
    pid = in_child(leader_first, (void *)6);
    wait_for_state(pid, 'Z');
    kill(pid, SIGKILL);
    say_child("killed without a leader", pid);
}

/* ---- vfork and posix_spawn ---- */

static volatile int left_by_child, handled;
static void count_signal(int signal) {
    (void)signal;
    handled++;
}

static void vforks(void) {
    pid_t parent = getpid(), pid = vfork();
    if (pid == 0) {
        left_by_child = getppid() == parent && getpid() != parent;
        _exit(13);
    }
    say_child("vfork", pid);
    say("written by the child: %d", left_by_child);
    signal(SIGUSR1, count_signal);
    volatile int seen = -1;
    pid = vfork();
    if (pid == 0) {
        kill(parent, SIGUSR1);
        struct timespec time = {0, 30000000};
        syscall(SYS_nanosleep, &time, NULL);
        seen = handled;
        _exit(0);
    }
    say_child("vfork with a signal for the parent", pid);
    say("  handled while it waited %d, afterwards %d", seen, handled);
    pid = vfork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "exit 15", NULL);
        _exit(127);
    }
    say_child("vfork and exec", pid);
    pid = vfork();
    if (pid == 0) {
        execl("/nonexistent", "x", NULL);
        _exit(errno == ENOENT ? 16 : 17);
    }
    say_child("vfork and failed exec", pid);
}

static void spawns(void) {
    pid_t pid = 0;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t set;
    char *sh[] = {"sh", "-c", "echo spawned; exit $(ls -d /proc/self/fd/33 2>/dev/null | wc -l)", NULL};
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, 1, 33);
    int error = posix_spawn(&pid, "/bin/sh", &actions, NULL, sh, environ);
    say_child("spawned", pid);
    say("posix_spawn: %s", error_of(error));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    posix_spawnattr_setsigdefault(&attributes, &set);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    char *kill_me[] = {"sh", "-c", "kill -USR1 $$; exit 1", NULL};
    signal(SIGUSR1, SIG_IGN);
    say("with attributes: %s", error_of(posix_spawnp(&pid, "sh", NULL, &attributes, kill_me, environ)));
    say_child("  it", pid);
    say("of nothing: %s", error_of(posix_spawn(&pid, "/nonexistent", NULL, NULL, sh, environ)));
    say("system: %s", status_text(system("exit 4")));
    FILE *pipe = popen("echo through a pipe", "r");
    char line[64] = "";
    if (pipe && fgets(line, sizeof line, pipe))
        say("popen: %.14s, %s", line, status_text(pclose(pipe)));
}

int main(int argc, char **argv) {
    shared = shared_page();
    if (argc > 3 && strcmp(argv[1], "executed") == 0)
        return executed(argv);
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 96;
    for (intptr_t i = 0; i < 4; i++)
        say_child("exec", in_child(exec_case, (void *)i));
    for (intptr_t i = 0; i < 7; i++)
        say_child("exit", in_child(exit_case, (void *)i));
    zombie_leader();
    vforks();
    spawns();
    return 0;
}
