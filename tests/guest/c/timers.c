/* Timers and interrupted system calls: EINTR without SA_RESTART, restart with it, sleeping, setitimer, alarm,
 * sigsuspend, sigtimedwait, sigqueue, masks. Times are checked for their order, never printed. */
#include "check.h"
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static volatile sig_atomic_t count, value;

static void on_signal(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    count++;
    value = info->si_value.sival_int;
}

static void handle(int signal, int flags) {
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(signal, &action, NULL) == 0);
    count = 0;
}

static double now(void) {
    struct timespec t;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void one_shot(long microseconds) {
    struct itimerval timer = {.it_value = {0, microseconds}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void interrupted_read(void) {
    int ends[2];
    char byte;
    CHECK(pipe(ends) == 0);
    handle(SIGALRM, 0);
    one_shot(30000);
    CHECK_ERROR(read(ends[0], &byte, 1), EINTR);
    CHECK(count == 1);
    handle(SIGALRM, SA_RESTART);
    pid_t pid = fork();
    if (pid == 0) {
        usleep(150000);
        _exit(write(ends[1], "r", 1) == 1 ? 0 : 1);
    }
    one_shot(30000);
    CHECK(read(ends[0], &byte, 1) == 1 && byte == 'r'); /* the signal came first, the call went on */
    CHECK(count == 1 && waitpid(pid, NULL, 0) == pid);
    close(ends[0]), close(ends[1]);
    puts("EINTR and SA_RESTART");
}

static void sleeping(void) {
    double start = now();
    CHECK(usleep(40000) == 0 && now() - start >= 0.04);
    handle(SIGALRM, SA_RESTART); /* nanosleep is interrupted all the same */
    one_shot(20000);
    struct timespec wanted = {5, 0}, left;
    CHECK_ERROR(nanosleep(&wanted, &left), EINTR);
    CHECK(count == 1 && left.tv_sec >= 3 && left.tv_sec < 5);
    CHECK_ERROR(nanosleep(&(struct timespec){0, 2000000000}, NULL), EINVAL);
    struct timespec at;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
    at.tv_nsec += 20000000;
    if (at.tv_nsec >= 1000000000)
        at.tv_nsec -= 1000000000, at.tv_sec++;
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0);
    struct timespec after;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
    CHECK(after.tv_sec > at.tv_sec || (after.tv_sec == at.tv_sec && after.tv_nsec >= at.tv_nsec));
    puts("sleeping");
}

static void periodic(void) {
    handle(SIGALRM, SA_RESTART);
    struct itimerval timer = {{0, 5000}, {0, 5000}}, old;
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    while (count < 5) /* in the middle of computing */
        ;
    CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_interval.tv_usec == 5000);
    memset(&timer, 0, sizeof timer);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    CHECK(alarm(100) == 0 && alarm(0) > 90);
    puts("periodic");
}

static void masks(void) {
    sigset_t set, old, pending;
    handle(SIGUSR1, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
    CHECK(raise(SIGUSR1) == 0 && raise(SIGUSR1) == 0 && count == 0);
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
    CHECK_ERROR(sigsuspend(&old), EINTR); /* standard signals do not queue: one */
    CHECK(count == 1);
    sigaddset(&set, SIGRTMIN);
    handle(SIGRTMIN, 0);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    for (int i = 1; i <= 3; i++)
        CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i * 11}) == 0);
    siginfo_t info;
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == 11 && info.si_pid == getpid());
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    CHECK(count == 2 && value == 33); /* real-time signals queue, in order */
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK_ERROR(sigtimedwait(&set, &info, &(struct timespec){0, 10000000}), EAGAIN);
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    puts("masks and queues");
}

static void once_and_ignored(void) {
    handle(SIGUSR2, (int)SA_RESETHAND);
    CHECK(raise(SIGUSR2) == 0 && count == 1);
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGUSR2);
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
    CHECK(signal(SIGUSR2, SIG_IGN) != SIG_ERR && raise(SIGUSR2) == 0);
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR); /* children leave no zombies */
    pid = fork();
    if (pid == 0)
        _exit(0);
    CHECK_ERROR(waitpid(pid, &status, 0), ECHILD);
    CHECK(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
    CHECK_ERROR(sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, NULL), EINVAL);
    puts("once, and ignored");
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    interrupted_read();
    sleeping();
    periodic();
    masks();
    once_and_ignored();
    return 0;
}
