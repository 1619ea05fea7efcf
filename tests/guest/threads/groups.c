/* Process groups and sessions: who may join what; signals to a group while its members fork, none of which may get
 * lost; signalfd. */
#include "say.h"
#include <sys/epoll.h>
#include <sys/signalfd.h>

/* ---- rules ---- */

static int sleeps(void *unused) {
    (void)unused;
    for (;;)
        pause();
    return 0;
}

static int executes(void *unused) {
    (void)unused;
    execl("/bin/sleep", "sleep", "100", NULL);
    return 1;
}

static int own_session(void *unused) {
    (void)unused;
    setsid();
    return sleeps(NULL);
}

static void end(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static bool is_sleep(pid_t pid) {
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, name, sizeof name - 1);
    close(fd);
    return n > 0 && strncmp(name, "sleep", 5) == 0;
}

static void *has_tid(void *tid) {
    *(volatile int *)tid = gettid_now();
    pause_ms(50);
    return NULL;
}

static int rules(void *unused) {
    (void)unused;
    pid_t group_alone = 0, child = in_child(sleeps, NULL), session = in_child(own_session, NULL), other = in_child(executes, NULL);
    while (getsid(session) != session || !is_sleep(other))
        pause_ms(1);
    say("setpgid: negative group %s, of nobody %s, to a group that is none %s", result(setpgid(0, -1)), result(setpgid(4000000, 0)),
        result(setpgid(0, 4000000)));
    say("  a child to its own %s, again %s", result(setpgid(child, 0)), result(setpgid(child, child)));
    say("  me to the child's %s", result(setpgid(0, child)));
    say("  a child in another session %s, one that has executed %s", result(setpgid(session, 0)), result(setpgid(other, 0)));
    say("  my parent %s", result(setpgid(getppid(), 0)));
    say("  me to my own %s", result(setpgid(0, 0)));
    say("setsid as a group's leader: %s", result(setsid()));
    say("  joining the session's group %s", result(setpgid(0, session)));
    say("getpgid: of a child %d, of nobody %s, negative %s", getpgid(child) == child, result(getpgid(4000000)), result(getpgid(-1)));
    say("getsid: of the session %d, of nobody %s", getsid(session) == session, result(getsid(4000000)));
    volatile int tid = 0;
    pthread_t thread;
    pthread_create(&thread, NULL, has_tid, (void *)&tid);
    while (!tid)
        pause_ms(1);
    say("by a thread's number: getpgid %d, getsid %s, setpgid %s, kill %s", getpgid(tid) == getpgrp(), good(getsid(tid)),
        result(setpgid(tid, 0)), result(kill(tid, 0)));
    pthread_join(thread, NULL);
    end(child);
    say("a group whose members are gone: %s", result(setpgid(0, child)));
    end(session);
    end(other);
    group_alone = fork();
    if (group_alone == 0) {
        pid_t r = setsid();
        bool leads = r == getpid();
        _exit(leads && getpgrp() == r && getsid(0) == r && setpgid(0, 0) == -1 && errno == EPERM && setsid() == -1 ? 0 : 1);
    }
    say_child("a session's leader stays in its group", group_alone);
    return 0;
}

/* ---- signals to a group that forks ---- */

enum { SIGNALS = 150 };
static volatile int *shared;
static void count_signal(int signal) {
    (void)signal;
    if (getpid() == shared[0])
        shared[1]++;
}

static int forks_on_and_on(void *kind) {
    setpgid(0, 0);
    shared[0] = getpid();
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
    sigaction(SIGRTMIN, &action, NULL);
    shared[2] = 1;
    while (!shared[3]) {
        pid_t pid = kind ? vfork() : fork();
        if (pid == 0)
            _exit(3);
        int status = 0;
        if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 3)
            shared[4]++;
    }
    return 0;
}

static void forking_group(int kind) {
    uint64_t seed = 7 + (uint64_t)kind;
    shared = shared_page();
    pid_t pid = in_child(forks_on_and_on, (void *)(intptr_t)kind);
    wait_for_value(&shared[2], 1);
    for (int i = 0; i < SIGNALS; i++) {
        kill(-pid, SIGRTMIN);
        seed = seed * 6364136223846793005u + 1;
        for (volatile unsigned j = 0; j < seed >> 50; j++)
            ;
    }
    wait_for_value(&shared[1], SIGNALS);
    shared[3] = 1;
    say_child("the one that forks", pid);
    say("%s: of %d signals %d came, children that went wrong %d", kind ? "vfork" : "fork", SIGNALS, shared[1], shared[4]);
}

/* ---- signalfd ---- */

static void say_signal(const char *what, int fd) {
    struct signalfd_siginfo i;
    memset(&i, 0, sizeof i);
    long r = read(fd, &i, sizeof i);
    say("%s: %s signo %d code %d of me %d value %d status %d overrun %d", what, result(r),
        i.ssi_signo >= (unsigned)SIGRTMIN ? (int)i.ssi_signo - SIGRTMIN + 100 : (int)i.ssi_signo, i.ssi_code, i.ssi_pid == (unsigned)getpid(),
        i.ssi_int, i.ssi_status, (int)i.ssi_overrun);
}

static void signal_files(void) {
    uint64_t mask = ~0ULL;
    sigset_t set, none;
    struct signalfd_siginfo many[4];
    sigemptyset(&none);
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    say("signalfd4: size 4 %s, flags 1 %s, of stdout %s, of none %s, nowhere %s", result(syscall(SYS_signalfd4, -1, &mask, 4, 0)),
        result(syscall(SYS_signalfd4, -1, &mask, 8, 1)), result(syscall(SYS_signalfd4, 1, &mask, 8, 0)),
        result(syscall(SYS_signalfd4, 99, &mask, 8, 0)), result(syscall(SYS_signalfd4, -1, 8, 8, 0)));
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), narrow = signalfd(-1, &none, SFD_NONBLOCK);
    say("cloexec %d nonblock %d", fcntl(fd, F_GETFD), (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    say("nothing: %s, too small %s, write %s", result(read(fd, many, sizeof many)), result(read(fd, many, 127)), result(write(fd, many, 128)));
    raise(SIGUSR1), say_signal("tgkill", fd);
    kill(getpid(), SIGUSR2), say_signal("kill", fd);
    sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 55}), say_signal("sigqueue", fd);
    pid_t pid = fork();
    if (pid == 0)
        _exit(6);
    waitpid(pid, NULL, 0);
    say_signal("a child", fd);
    alarm(1);
    struct pollfd p = {fd, POLLIN, 0};
    say("poll: %d %x", poll(&p, 1, 5000), (unsigned)p.revents);
    say_signal("alarm", fd);
    for (int i = 0; i < 6; i++)
        sigqueue(getpid(), SIGRTMIN + i % 2, (union sigval){.sival_int = i});
    long r = read(fd, many, sizeof many);
    say("four at a time: %s: %d %d %d %d", result(r), many[0].ssi_int, many[1].ssi_int, many[2].ssi_int, many[3].ssi_int);
    r = read(fd, many, 3 * sizeof *many + 60);
    say("the rest: %s: %d %d", result(r), many[0].ssi_int, many[1].ssi_int);
    raise(SIGUSR1);
    say("not in the mask: %s", result(read(narrow, many, sizeof many)));
    sigaddset(&none, SIGUSR1);
    say("mask changed: %d", signalfd(narrow, &none, 0) == narrow);
    say_signal("now in it", narrow);
    int polls = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(polls, EPOLL_CTL_ADD, narrow, &event);
    raise(SIGUSR1);
    say("epoll: %d", epoll_wait(polls, &event, 1, 2000));
    say_signal("and read", narrow);
    say("epoll: %d", epoll_wait(polls, &event, 1, 0));
    pid = fork();
    if (pid == 0) {
        raise(SIGUSR1);
        _exit(read(narrow, many, sizeof many) == sizeof *many ? 1 : 2);
    }
    say_child("a child reads its own signals", pid);
    kill(getpid(), SIGTERM);
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, &(struct sigevent){.sigev_signo = SIGUSR2, .sigev_value.sival_int = 9}, &timer);
    timer_settime(timer, 0, &(struct itimerspec){.it_value = {0, 1000000}}, NULL);
    pause_ms(10);
    while (read(fd, many, sizeof *many) > 0)
        if (many[0].ssi_signo != SIGCHLD)
            say("  %d code %d value %d", (int)many[0].ssi_signo, many[0].ssi_code, many[0].ssi_int);
}

int main(void) {
    say_child("rules", in_child(rules, NULL));
    forking_group(0);
    forking_group(1);
    signal_files();
    return 0;
}
