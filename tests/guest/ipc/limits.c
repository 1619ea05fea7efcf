/* Limits: the rules of setting them, and what the ones do that work alike everywhere. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "say.h"

static int last_signal;

static void on_signal(int signal) {
    last_signal = signal;
}

static void show(const char *when, int resource) {
    struct rlimit l;
    getrlimit((__rlimit_resource_t)resource, &l);
    printf("  %s: %ld %ld\n", when, (long)l.rlim_cur, (long)l.rlim_max);
}

/* A child tries every pair of values around where it stands; raising the hard limit is a privilege. */
static void rules(void) {
    static const rlim_t values[] = {0, 1, 99, 100, RLIM_INFINITY};
    pid_t pid = child();
    if (pid)
        return (void)ended(pid);
    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        if (resource == RLIMIT_STACK || resource == RLIMIT_AS || resource == RLIMIT_DATA ||
            resource == RLIMIT_CPU || resource == RLIMIT_FSIZE)
            continue; /* the program itself lives by them */
        for (int i = 4; i >= 0; i--)
            for (int j = 4; j >= 0; j--) {
                struct rlimit l = {values[i], values[j]}, now;
                getrlimit((__rlimit_resource_t)resource, &now);
                if (l.rlim_max > now.rlim_max)
                    continue;
                CASE(text("limit %d to %ld %ld", resource, (long)l.rlim_cur, (long)l.rlim_max),
                     setrlimit((__rlimit_resource_t)resource, &l));
                show("now", resource);
            }
    }
    fflush(stdout);
    _exit(0);
}

static void arguments(void) {
    struct rlimit l = {5, 4};
    SAY(syscall(SYS_getrlimit, 16, &l));
    SAY(syscall(SYS_getrlimit, -1, &l));
    SAY(syscall(SYS_getrlimit, 16, 8));
    SAY(syscall(SYS_getrlimit, 0, 8));
    SAY(syscall(SYS_getrlimit, 0, 0));
    SAY(syscall(SYS_setrlimit, 16, &l));
    SAY(syscall(SYS_setrlimit, 16, 8));
    SAY(syscall(SYS_setrlimit, 0, 0));
    SAY(syscall(SYS_prlimit64, 0, 16, 0, &l));
    SAY(syscall(SYS_prlimit64, 0, 0, 0, 0));
    SAY(syscall(SYS_prlimit64, 0, 0, 8, 0));
    SAY(syscall(SYS_prlimit64, 0, 0, 0, 8));
    SAY(syscall(SYS_prlimit64, 4194305, 0, 0, &l));
    SAY(syscall(SYS_prlimit64, 4194305, 16, 0, &l));
    SAY(syscall(SYS_prlimit64, 4194305, 0, 8, &l));
    SAY(syscall(SYS_prlimit64, -1, 0, 0, &l));
    SAY(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &(struct rlimit){100, (rlim_t)1 << 40}, 0));
    pid_t pid = child();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    SAY(syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, &(struct rlimit){17, 30}, &l));
    SAY(syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, 0, &l));
    printf("%ld %ld\n", (long)l.rlim_cur, (long)l.rlim_max);
    kill(pid, SIGKILL);
    ended(pid);
}

static void descriptors(void) {
    struct rlimit old, few = {12, 0};
    int fds[32], n = 0, tube[2];
    getrlimit(RLIMIT_NOFILE, &old);
    few.rlim_max = old.rlim_max;
    SAY(dup2(1, 20));
    SAY(setrlimit(RLIMIT_NOFILE, &few));
    while (n < 32 && (fds[n] = open("/dev/null", O_RDONLY)) >= 0)
        n++;
    printf("opened up to %d, then %s\n", n ? fds[n - 1] : -1, strerrorname_np(errno));
    SAY(dup(1));
    SAY(dup2(1, 12));
    SAY(dup2(1, 11));
    SAY(dup2(20, 20));
    SAY(dup2(1, 20));
    SAY(fcntl(1, F_DUPFD, 12));
    SAY(fcntl(1, F_DUPFD, 11));
    SAY(fcntl(1, F_DUPFD, 20));
    SAY(pipe(tube));
    SAY(close(fds[n - 1]));
    SAY(pipe(tube));
    SAY(write(20, "", 0));
    SAY(memfd_create("x", 0));
    SAY(memfd_create("x", 0));
    SAY(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, old.rlim_max}));
    SAY(open("/dev/null", O_RDONLY));
    SAY(setrlimit(RLIMIT_NOFILE, &old));
    SAY(open("/dev/null", O_RDONLY) >= 0);
}

static void file_size(void) {
    static char bytes[3000];
    struct rlimit old;
    getrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, on_signal);
    int files[2] = {open("limited", O_RDWR | O_CREAT | O_TRUNC, 0600), memfd_create("limited", 0)};
    for (int i = 0; i < 2; i++) {
        int fd = files[i];
        CASE("set", setrlimit(RLIMIT_FSIZE, &(struct rlimit){5000, old.rlim_max}));
        for (int j = 0; j < 4; j++) {
            last_signal = 0;
            CASE("write 3000", write(fd, bytes, 3000));
            printf("  signal %d\n", last_signal);
        }
        last_signal = 0;
        CASE("write at 4999", pwrite(fd, bytes, 10, 4999));
        CASE("write at 5000", pwrite(fd, bytes, 10, 5000));
        CASE("write nothing at 6000", pwrite(fd, bytes, 0, 6000));
        CASE("truncate to 5000", ftruncate(fd, 5000));
        printf("  signal %d\n", last_signal);
        last_signal = 0;
        CASE("truncate to 5001", ftruncate(fd, 5001));
        printf("  signal %d\n", last_signal);
        last_signal = 0;
        CASE("allocate to 5001", fallocate(fd, 0, 0, 5001));
        printf("  signal %d\n", last_signal);
        fcntl(fd, F_SETFL, O_APPEND);
        CASE("truncate to 4990", ftruncate(fd, 4990));
        CASE("append 20", write(fd, bytes, 20));
        CASE("append 20", write(fd, bytes, 20));
        CASE("back", setrlimit(RLIMIT_FSIZE, &old));
        CASE("grows", write(fd, bytes, 20));
        CASE("set", setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, old.rlim_max}));
        CASE("a larger file shrinks", ftruncate(fd, 4000));
        CASE("but does not grow", ftruncate(fd, 4001));
        CASE("back", setrlimit(RLIMIT_FSIZE, &old));
    }
    unlink("limited");
    pid_t pid = child();
    if (pid == 0) {
        signal(SIGXFSZ, SIG_DFL);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, old.rlim_max});
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        if (write(files[1], bytes, 100) < 0)
            _exit(1);
        _exit(0);
    }
    ended(pid);
}

static void processor(void) {
    pid_t pid = child();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        setrlimit(RLIMIT_CPU, &(struct rlimit){1, 2});
        for (;;)
            continue;
    }
    ended(pid);
}

int main(void) {
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    arguments();
    rules();
    descriptors();
    file_size();
    processor();
    return 0;
}
