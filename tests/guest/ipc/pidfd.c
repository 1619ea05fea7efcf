/* Descriptors of processes: pidfd_open, poll, pidfd_send_signal, pidfd_getfd. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "say.h"

static int open_pid(pid_t pid, unsigned flags) {
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

static long send(int fd, int signal, siginfo_t *info, unsigned flags) {
    return syscall(SYS_pidfd_send_signal, fd, signal, info, flags);
}

static const char *ready(int fd, int timeout) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
    int r = poll(&p, 1, timeout);
    return r == 0  ? "not ready"
           : r < 0 ? strerrorname_np(errno)
                   : text("ready %x", (unsigned)p.revents & ~(unsigned)POLLHUP);
}

int main(void) {
    int tube[2], own = open_pid(getpid(), 0);
    char c;
    struct stat st;
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    SAY(open_pid(0, 0));
    SAY(open_pid(-1, 0));
    SAY(open_pid(4194305, 0));
    SAY(open_pid(getpid(), 1));
    SAY(open_pid(getpid(), 0x80000000));
    printf("close on exec %d, flags %x\n", fcntl(own, F_GETFD),
           fcntl(own, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    int other = open_pid(getpid(), O_NONBLOCK);
    printf("close on exec %d, flags %x\n", fcntl(other, F_GETFD),
           fcntl(other, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    SAY(read(own, &c, 1));
    SAY(write(own, &c, 1));
    SAY(lseek(own, 0, SEEK_SET) == -1 ? -1 : 0);
    SAY(fstat(own, &st));
    printf("myself: %s\n", ready(own, 0));

    SAY(send(own, 0, NULL, 0));
    SAY(send(own, 65, NULL, 0));
    SAY(send(own, -1, NULL, 0));
    SAY(send(own, 0, NULL, 0x100));
    SAY(send(1, 0, NULL, 0));
    SAY(send(-1, 0, NULL, 0));
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    SAY(send(own, SIGUSR2, &info, 0));
    SAY(send(own, SIGUSR1, (siginfo_t *)8, 0));

    CASE("pipe", pipe(tube));
    pid_t pid = child();
    if (pid == 0) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
        if (write(tube[1], "r", 1) != 1)
            _exit(1);
        siginfo_t got;
        sigwaitinfo(&set, &got);
        printf("signal %d code %d value %d\n", got.si_signo, got.si_code, got.si_value.sival_int);
        fflush(stdout);
        for (;;)
            pause();
    }
    CASE("ready", read(tube[0], &c, 1));
    int fd = open_pid(pid, 0);
    printf("running: %s\n", ready(fd, 0));
    info.si_code = SI_USER;
    SAY(send(fd, SIGUSR1, &info, 0));
    info.si_code = SI_TKILL;
    SAY(send(fd, SIGUSR1, &info, 0));
    info.si_code = SI_QUEUE;
    info.si_value.sival_int = 42;
    SAY(send(fd, SIGUSR1, &info, 0));
    SAY(syscall(SYS_pidfd_getfd, fd, 999, 0));
    SAY(syscall(SYS_pidfd_getfd, fd, 1, 1));
    SAY(syscall(SYS_pidfd_getfd, 1, 1, 0));
    int got = (int)SAY_ID(syscall(SYS_pidfd_getfd, fd, tube[1], 0));
    printf("close on exec %d\n", fcntl(got, F_GETFD));
    SAY(write(got, "z", 1));
    SAY(read(tube[0], &c, 1));
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    SAY(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
    SAY(epoll_wait(set, &event, 1, 0));
    usleep(50000);
    SAY(send(fd, SIGKILL, NULL, 0));
    SAY(epoll_wait(set, &event, 1, 5000));
    printf("ended: %s\n", ready(fd, 5000));
    SAY(send(fd, 0, NULL, 0));
    SAY(syscall(SYS_pidfd_getfd, fd, 1, 0));
    SAY_ID(open_pid(pid, 0));
    siginfo_t status = {0};
    SAY(waitid((idtype_t)3 /* P_PIDFD */, (id_t)fd, &status, WEXITED | WNOWAIT));
    printf("code %d status %d\n", status.si_code, status.si_status);
    SAY(waitid((idtype_t)3, (id_t)fd, &status, WEXITED));
    SAY(waitid((idtype_t)3, (id_t)fd, &status, WEXITED));
    SAY(waitid((idtype_t)3, 1, &status, WEXITED));
    SAY(waitid((idtype_t)3, 999, &status, WEXITED));
    printf("waited for: %s\n", ready(fd, 0));
    SAY(send(fd, 0, NULL, 0));
    SAY(open_pid(pid, 0));
    /* Somebody waits in poll when it ends. */
    pid = child();
    if (pid == 0) {
        usleep(50000);
        _exit(3);
    }
    fd = open_pid(pid, 0);
    printf("then: %s\n", ready(fd, 10000));
    ended(pid);
    return 0;
}
