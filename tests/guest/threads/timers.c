/* Clocks, sleeping, interval timers, POSIX timers, timerfd: arguments, what they tell, signals, overruns. Times are
 * compared, never printed. */
#include "say.h"
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>

static volatile int count, last_code, last_value, last_overrun, last_tid;
static void note(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    count++;
    last_code = info->si_code;
    last_value = info->si_value.sival_int;
    last_overrun = info->si_overrun;
    last_tid = gettid_now();
}

static void handle(int signal) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigaction(signal, &action, NULL);
    count = 0;
}

static void work(long milliseconds) {
    uint64_t start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    while (now_ns(CLOCK_PROCESS_CPUTIME_ID) - start < (uint64_t)milliseconds * 1000000)
        ;
}

static void clocks(void) {
    struct timespec t;
    pid_t dead = fork();
    if (dead == 0)
        _exit(0);
    waitpid(dead, NULL, 0);
    for (int id = -1; id <= 14; id++) {
        if (id == 8 || id == 9) /* need hardware */
            continue;
        int clock = id == -1 ? -1 : id;
        const char *get = result(syscall(SYS_clock_gettime, clock, &t));
        const char *res = result(syscall(SYS_clock_getres, clock, &t));
        say("clock %d: get %s, resolution %s %s, without room %s", clock, get, res, t.tv_nsec == 1 ? "1 ns" : "coarse",
            result(syscall(SYS_clock_getres, clock, NULL)));
        say("  at 8: get %s resolution %s", result(syscall(SYS_clock_gettime, clock, 8)), result(syscall(SYS_clock_getres, clock, 8)));
        t = (struct timespec){0, 0};
        say("  sleep 0 %s, absolute %s", result(syscall(SYS_clock_nanosleep, clock, 0, &t, NULL)),
            result(syscall(SYS_clock_nanosleep, clock, TIMER_ABSTIME, &t, NULL)));
        if (id != CLOCK_REALTIME)
            say("  set %s", result(syscall(SYS_clock_settime, clock, &t)));
    }
    struct {
        const char *name;
        int pid, kind;
    } dynamic[] = {{"own process", getpid(), 2}, {"own thread", gettid_now(), 6},  {"0", 0, 2},          {"0 thread", 0, 6},
                   {"a dead one", dead, 2},      {"a dead thread", dead, 6},       {"kind 0", getpid(), 0}, {"kind 1", getpid(), 1},
                   {"kind 3", getpid(), 3}};
    for (int i = 0; i < COUNT(dynamic); i++)
        say("CPU clock of %s: %s, resolution %s", dynamic[i].name,
            result(syscall(SYS_clock_gettime, (int)(~(unsigned)dynamic[i].pid << 3 | (unsigned)dynamic[i].kind), &t)),
            dynamic[i].kind < 2 ? "?" : result(syscall(SYS_clock_getres, (int)(~(unsigned)dynamic[i].pid << 3 | (unsigned)dynamic[i].kind), &t)));
    uint64_t process = now_ns(CLOCK_PROCESS_CPUTIME_ID), thread = now_ns(CLOCK_THREAD_CPUTIME_ID);
    work(5);
    say("CPU clocks go on: %d %d, thread not before process %d", now_ns(CLOCK_PROCESS_CPUTIME_ID) > process,
        now_ns(CLOCK_THREAD_CPUTIME_ID) > thread, now_ns(CLOCK_THREAD_CPUTIME_ID) <= now_ns(CLOCK_PROCESS_CPUTIME_ID));
    clockid_t id;
    say("clock_getcpuclockid: %s, of a dead one %s", error_of(clock_getcpuclockid(getpid(), &id)), error_of(clock_getcpuclockid(dead, &id)));
    say("pthread_getcpuclockid: %s, readable %s", error_of(pthread_getcpuclockid(pthread_self(), &id)), result(clock_gettime(id, &t)));
}

static void sleeping(void) {
    struct timespec bad[] = {{-1, 0}, {0, -1}, {0, 1000000000}}, left = {7, 7};
    for (int i = 0; i < 3; i++)
        say("bad time %d: nanosleep %s clock_nanosleep %s", i, result(syscall(SYS_nanosleep, &bad[i], NULL)),
            result(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &bad[i], NULL)));
    say("nowhere: %s %s", result(syscall(SYS_nanosleep, 8, NULL)), result(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, 8, NULL)));
    handle(SIGALRM);
    struct itimerval timer = {.it_value = {0, 20000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    struct timespec long_time = {50, 0};
    say("interrupted: %s, left %d, kept ns %d", result(nanosleep(&long_time, &left)), left.tv_sec >= 48 && left.tv_sec < 50, left.tv_nsec == 7);
    setitimer(ITIMER_REAL, &timer, NULL);
    say("left nowhere: %s", result(syscall(SYS_nanosleep, &long_time, 8)));
    struct timespec little = {0, 3000000};
    uint64_t start = now_ns(CLOCK_MONOTONIC);
    say("short: %s, long enough %d", result(nanosleep(&little, NULL)), now_ns(CLOCK_MONOTONIC) - start >= 3000000);
}

static void intervals(void) {
    struct itimerval t = {{0, 0}, {0, 0}}, old;
    for (int which = -1; which <= 3; which++)
        say("itimer %d: get %s set %s, at 8 %s %s, null %s", which, result(getitimer(which, &old)), result(setitimer(which, &t, &old)),
            result(syscall(SYS_getitimer, which, 8)), result(syscall(SYS_setitimer, which, 8, NULL)),
            result(syscall(SYS_setitimer, which, NULL, NULL)));
    static const long bad[][4] = {{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 1000000, 0, 0}, {0, 0, -1, 0}, {0, 0, 0, 1000000}, {0, 999999, 0, 999999}};
    for (int i = 0; i < COUNT(bad); i++) {
        t = (struct itimerval){{bad[i][2], bad[i][3]}, {bad[i][0], bad[i][1]}};
        say("value %d: %s", i, result(setitimer(ITIMER_REAL, &t, NULL)));
    }
    t = (struct itimerval){0};
    setitimer(ITIMER_REAL, &t, NULL);
    say("alarm: %u %u %u", alarm(10), alarm(0) >= 9, alarm(0));
    static const struct {
        int which, signal;
        const char *name;
    } kinds[] = {{ITIMER_REAL, SIGALRM, "REAL"}, {ITIMER_VIRTUAL, SIGVTALRM, "VIRTUAL"}, {ITIMER_PROF, SIGPROF, "PROF"}};
    for (int i = 0; i < COUNT(kinds); i++) {
        handle(kinds[i].signal);
        t = (struct itimerval){{0, 2000}, {0, 2000}};
        setitimer(kinds[i].which, &t, NULL);
        while (count < 3)
            ;
        getitimer(kinds[i].which, &old);
        t = (struct itimerval){0};
        setitimer(kinds[i].which, &t, NULL);
        say("ITIMER_%s: code %d, interval kept %d, something left %d", kinds[i].name, last_code, old.it_interval.tv_usec >= 2000,
            old.it_value.tv_usec > 0);
    }
    alarm(50);
    pid_t pid = fork();
    if (pid == 0)
        _exit(alarm(0) == 0);
    say_child("timers are not inherited", pid);
    alarm(0);
    pid = fork();
    if (pid == 0) {
        struct rlimit limit = {1, 2};
        signal(SIGXCPU, SIG_DFL);
        setrlimit(RLIMIT_CPU, &limit);
        for (;;)
            ;
    }
    say_child("RLIMIT_CPU", pid);
}

static void *waits(void *tid) {
    *(volatile int *)tid = gettid_now();
    while (count == 0)
        pause_ms(1);
    return NULL;
}

static void posix_timers(void) {
    timer_t id;
    struct itimerspec t = {0}, old;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 1234};
    for (int clock = 0; clock <= 13; clock++) {
        if (clock == 8 || clock == 9)
            continue;
        int number = -1;
        const char *text = result(syscall(SYS_timer_create, clock, &event, &number));
        say("timer_create clock %d: %s, delete %s", clock, text, number < 0 ? "-" : result(syscall(SYS_timer_delete, number)));
    }
    for (int notify = -1; notify <= 8; notify++)
        for (int signal = -1; signal <= 65; signal += signal == 0 ? 64 : 1) {
            struct sigevent e = {.sigev_notify = notify, .sigev_signo = signal};
            e._sigev_un._tid = notify == SIGEV_THREAD_ID && signal == 64 ? gettid_now() : 1;
            int number;
            long r = syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &number);
            say("notify %d signal %d: %s", notify, signal, result(r));
            if (r == 0)
                syscall(SYS_timer_delete, number);
        }
    say("event nowhere %s, id nowhere %s", result(syscall(SYS_timer_create, CLOCK_MONOTONIC, 8, &id)),
        result(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, 8)));
    say("no such timer: set %s get %s overrun %s delete %s", result(syscall(SYS_timer_settime, 99, 0, &t, NULL)),
        result(syscall(SYS_timer_gettime, 99, &old)), result(syscall(SYS_timer_getoverrun, 99)), result(syscall(SYS_timer_delete, 99)));
    handle(SIGRTMIN + 1);
    handle(SIGALRM);
    timer_create(CLOCK_MONOTONIC, &event, &id);
    static const long bad[][2] = {{-1, 0}, {0, -1}, {0, 1000000000}};
    for (int i = 0; i < 3; i++) {
        t = (struct itimerspec){.it_value = {bad[i][0], bad[i][1]}};
        const char *value = result(timer_settime(id, 0, &t, NULL));
        t = (struct itimerspec){.it_interval = {bad[i][0], bad[i][1]}};
        say("bad time %d: value %s interval %s", i, value, result(timer_settime(id, 0, &t, NULL)));
    }
    say("null %s, nowhere %s", result(syscall(SYS_timer_settime, id, 0, NULL, NULL)), result(syscall(SYS_timer_settime, id, 0, 8, NULL)));
    t = (struct itimerspec){.it_value = {100, 5}, .it_interval = {7, 8}};
    timer_settime(id, 0, &t, NULL);
    timer_gettime(id, &old);
    say("told: value %d interval %ld %ld", old.it_value.tv_sec >= 98 && old.it_value.tv_sec <= 100, (long)old.it_interval.tv_sec, old.it_interval.tv_nsec);
    t = (struct itimerspec){.it_value = {0, 5000000}};
    timer_settime(id, 0, &t, &old);
    while (count == 0)
        pause_ms(1);
    say("once: %d signals, code %d, value %d, overrun %d, getoverrun %d", count, last_code, last_value, last_overrun, timer_getoverrun(id));
    timer_gettime(id, &old);
    say("disarmed: %ld %ld", (long)old.it_value.tv_sec, old.it_value.tv_nsec);
    sigset_t set, mask;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, &mask);
    t = (struct itimerspec){.it_value = {0, 1000000}, .it_interval = {0, 1000000}};
    timer_settime(id, 0, &t, NULL);
    pause_ms(30);
    siginfo_t info;
    int r = sigwaitinfo(&set, &info);
    say("blocked for 30 periods: %d, overrun many %d, the same by getoverrun %d, value %d", r == SIGRTMIN + 1, info.si_overrun >= 20,
        info.si_overrun == timer_getoverrun(id), info.si_value.sival_int);
    t = (struct itimerspec){0};
    timer_settime(id, 0, &t, NULL);
    while (sigtimedwait(&set, &info, &(struct timespec){0}) > 0)
        ;
    uint64_t at = now_ns(CLOCK_MONOTONIC) + 5000000;
    t.it_value = (struct timespec){(time_t)(at / 1000000000), (long)(at % 1000000000)};
    timer_settime(id, TIMER_ABSTIME, &t, NULL);
    sigwaitinfo(&set, &info);
    say("absolute: not early %d", now_ns(CLOCK_MONOTONIC) >= at);
    t.it_value = (struct timespec){1, 0};
    timer_settime(id, TIMER_ABSTIME, &t, NULL);
    say("in the past: %d", sigwaitinfo(&set, &info) == SIGRTMIN + 1);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    say("delete %s, again %s", result(timer_delete(id)), result(syscall(SYS_timer_delete, id)));
    volatile int tid = 0;
    pthread_t thread;
    count = 0;
    pthread_create(&thread, NULL, waits, (void *)&tid);
    while (!tid)
        pause_ms(1);
    event.sigev_notify = SIGEV_THREAD_ID;
    event._sigev_un._tid = tid;
    timer_create(CLOCK_REALTIME, &event, &id);
    t = (struct itimerspec){.it_value = {0, 3000000}};
    timer_settime(id, 0, &t, NULL);
    pthread_join(thread, NULL);
    say("SIGEV_THREAD_ID: that thread %d", last_tid == tid);
    timer_delete(id);
    event.sigev_notify = SIGEV_SIGNAL;
    static const clockid_t cpu[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    for (int i = 0; i < 2; i++) {
        count = 0;
        timer_create(cpu[i], &event, &id);
        t = (struct itimerspec){.it_value = {0, 3000000}};
        timer_settime(id, 0, &t, NULL);
        pause_ms(10);
        int asleep = count;
        while (count == 0)
            ;
        say("CPU clock %d: while asleep %d, at work %d", i, asleep, count);
        timer_delete(id);
    }
    event.sigev_notify = SIGEV_NONE;
    timer_create(CLOCK_MONOTONIC, &event, &id);
    t = (struct itimerspec){.it_value = {0, 1000000}};
    count = 0;
    timer_settime(id, 0, &t, NULL);
    pause_ms(4);
    timer_gettime(id, &old);
    say("SIGEV_NONE: %d signals, left %ld", count, old.it_value.tv_nsec);
    timer_delete(id);
}

static volatile int thread_value;
static void on_thread(union sigval value) {
    thread_value = value.sival_int;
}

static void thread_timers(void) {
    timer_t id;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread, .sigev_value.sival_int = 88};
    struct itimerspec t = {.it_value = {0, 2000000}};
    say("SIGEV_THREAD: %s", result(timer_create(CLOCK_MONOTONIC, &event, &id)));
    timer_settime(id, 0, &t, NULL);
    say("  it ran: %d", wait_for_value(&thread_value, 88));
    timer_delete(id);
}

static void files(void) {
    struct itimerspec t = {0}, old;
    uint64_t n;
    for (int clock = -1; clock <= 11; clock++)
        if (clock != 8 && clock != 9) {
            int fd = timerfd_create(clock, 0);
            say("timerfd clock %d: %s", clock, good(fd));
            close(fd);
        }
    say("flags 1: %s", good(timerfd_create(CLOCK_MONOTONIC, 1)));
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    say("cloexec %d, nonblock %d", fcntl(fd, F_GETFD), (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    say("unarmed: %s, of 4 bytes %s", result(read(fd, &n, 8)), result(read(fd, &n, 4)));
    say("flags 8: %s, of stdout %s, of none %s, null %s, bad time and none %s", result(timerfd_settime(fd, 8, &t, NULL)),
        result(timerfd_settime(1, 0, &t, NULL)), result(timerfd_settime(99, 0, &t, NULL)), result(syscall(SYS_timerfd_settime, fd, 0, NULL, NULL)),
        result(timerfd_settime(99, 0, &(struct itimerspec){.it_value = {-1, 0}}, NULL)));
    say("get of stdout %s, of none %s, nowhere %s", result(timerfd_gettime(1, &t)), result(timerfd_gettime(99, &t)), result(syscall(SYS_timerfd_gettime, fd, 8)));
    say("write: %s", result(write(fd, &n, 8)));
    t = (struct itimerspec){.it_value = {0, 1000000}, .it_interval = {0, 1000000}};
    say("set: %s", result(timerfd_settime(fd, 0, &t, &old)));
    pause_ms(20);
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    say("poll: %d %x", poll(&p, 1, 1000), (unsigned)p.revents);
    const char *text = result(read(fd, &n, 8));
    say("read: %s, many %d", text, n >= 15);
    t = (struct itimerspec){.it_value = {0, 1}};
    timerfd_settime(fd, 0, &t, &old);
    say("old: interval %ld", old.it_interval.tv_nsec);
    pause_ms(2);
    timerfd_gettime(fd, &old);
    say("expired: %ld %ld", old.it_value.tv_nsec, old.it_interval.tv_nsec);
    n = 0;
    long r = read(fd, &n, 8);
    say("once: %s %llu", result(r), (unsigned long long)n);
    say("again: %s", result(read(fd, &n, 8)));
    t = (struct itimerspec){.it_value = {1, 0}};
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
    say("in the past: %s", result(read(fd, &n, 8)));
    timerfd_settime(fd, 0, &t, NULL);
    timerfd_settime(fd, 0, &(struct itimerspec){0}, NULL);
    say("disarmed: %s", result(read(fd, &n, 8)));
    close(fd);
    fd = timerfd_create(CLOCK_REALTIME, 0);
    uint64_t at = now_ns(CLOCK_REALTIME) + 5000000;
    t.it_value = (struct timespec){(time_t)(at / 1000000000), (long)(at % 1000000000)};
    say("cancel on set: %s", result(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL)));
    r = read(fd, &n, 8);
    say("  %s, not early %d", result(r), now_ns(CLOCK_REALTIME) >= at);
    close(fd);
}

int main(void) {
    clocks();
    sleeping();
    intervals();
    posix_timers();
    thread_timers();
    files();
    return 0;
}
