/* What the kernel writes into a program's memory is what it has to say: so many bytes, and none that happened
 * to lie there. Each call is made twice into a buffer with another filling, which shows the bytes that it
 * writes; they are searched for what fresh and freed memory of the machine is filled with when it runs with
 * MALLOC_PERTURB_=165. */
#include "../c/check.h"
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>

enum { SIZE = 8192, FRESH = 0x5a, FREED = 0xa5, SUSPICIOUS = 4 };

static int file_fd, directory_fd, socket_fd, timer_fd, epoll_fd, terminal_fd;
static const sigset_t usr1 = {{1u << (SIGUSR1 - 1)}};

typedef long writer(void *buffer);

static long w_stat(void *b) {
    return syscall(SYS_fstat, file_fd, b);
}
static long w_statx(void *b) {
    return syscall(SYS_statx, file_fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, b);
}
static long w_statfs(void *b) {
    return syscall(SYS_fstatfs, file_fd, b);
}
static long w_getdents(void *b) {
    lseek(directory_fd, 0, SEEK_SET);
    return syscall(SYS_getdents64, directory_fd, b, SIZE);
}
static long w_getdents_old(void *b) {
    lseek(directory_fd, 0, SEEK_SET);
    return syscall(SYS_getdents, directory_fd, b, SIZE);
}
static long w_rusage(void *b) {
    return syscall(SYS_getrusage, RUSAGE_SELF, b);
}
static long w_sysinfo(void *b) {
    return syscall(SYS_sysinfo, b);
}
static long w_uname(void *b) {
    return syscall(SYS_uname, b);
}
static long w_times(void *b) {
    return syscall(SYS_times, b) > 0 ? 0 : -1;
}
static long w_limits(void *b) {
    return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, b);
}
static long w_clock(void *b) {
    return syscall(SYS_clock_gettime, CLOCK_REALTIME, b);
}
static long w_timer(void *b) {
    return syscall(SYS_timerfd_gettime, timer_fd, b);
}
static long w_itimer(void *b) {
    return syscall(SYS_getitimer, ITIMER_VIRTUAL, b);
}
static long w_action(void *b) {
    return syscall(SYS_rt_sigaction, SIGUSR2, NULL, b, 8);
}
static long w_altstack(void *b) {
    return syscall(SYS_sigaltstack, NULL, b);
}
static long w_termios(void *b) {
    return syscall(SYS_ioctl, terminal_fd, TCGETS, b);
}
static long w_winsize(void *b) {
    return syscall(SYS_ioctl, terminal_fd, TIOCGWINSZ, b);
}
static long w_name(void *b) {
    socklen_t length = 110;
    return syscall(SYS_getsockname, socket_fd, b, &length) < 0 ? -1 : (long)length;
}
static long w_epoll(void *b) {
    return syscall(SYS_epoll_wait, epoll_fd, b, 4, 0);
}
static long w_affinity(void *b) {
    return syscall(SYS_sched_getparam, 0, b);
}
static long w_wait(void *b) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(3);
    CHECK(pid > 0);
    return syscall(SYS_waitid, P_PID, pid, b, WEXITED, NULL);
}
static long w_signal(void *b) {
    struct timespec none = {0, 0};
    CHECK(raise(SIGUSR1) == 0);
    return syscall(SYS_rt_sigtimedwait, &usr1, b, &none, 8);
}
static long w_credentials(void *b) {
    socklen_t length = sizeof(struct ucred);
    return syscall(SYS_getsockopt, socket_fd, SOL_SOCKET, SO_PEERCRED, b, &length);
}
static long w_message(void *b) {
    char data = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec vector = {&data, 1};
    struct msghdr sent = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&sent);
    int pair[2];
    *c = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &file_fd, sizeof(int));
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && sendmsg(pair[0], &sent, 0) == 1);
    struct msghdr got = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = b, .msg_controllen = 256};
    long result = recvmsg(pair[1], &got, 0);
    int passed;
    memcpy(&passed, CMSG_DATA((struct cmsghdr *)b), sizeof passed);
    close(passed), close(pair[0]), close(pair[1]);
    return result;
}

static const struct {
    const char *name;
    writer *write;
} writers[] = {
    {"fstat", w_stat},
    {"statx", w_statx},
    {"fstatfs", w_statfs},
    {"getdents64", w_getdents},
    {"getdents", w_getdents_old},
    {"getrusage", w_rusage},
    {"sysinfo", w_sysinfo},
    {"uname", w_uname},
    {"times", w_times},
    {"prlimit64", w_limits},
    {"clock_gettime", w_clock},
    {"timerfd_gettime", w_timer},
    {"getitimer", w_itimer},
    {"rt_sigaction", w_action},
    {"sigaltstack", w_altstack},
    {"TCGETS", w_termios},
    {"TIOCGWINSZ", w_winsize},
    {"getsockname", w_name},
    {"epoll_wait", w_epoll},
    {"sched_getparam", w_affinity},
    {"waitid", w_wait},
    {"rt_sigtimedwait", w_signal},
    {"SO_PEERCRED", w_credentials},
    {"SCM_RIGHTS", w_message},
};

static int is_suspicious(const uint8_t *bytes, size_t length) {
    size_t fresh = 0, freed = 0;
    for (size_t i = 0; i < length; i++) {
        fresh = bytes[i] == FRESH ? fresh + 1 : 0;
        freed = bytes[i] == FREED ? freed + 1 : 0;
        if (fresh == SUSPICIOUS || freed == SUSPICIOUS)
            return 1;
    }
    return 0;
}

static void writer_run(size_t which) {
    static uint8_t first[SIZE], second[SIZE];
    memset(first, 0x11, SIZE);
    memset(second, 0x22, SIZE);
    long results[2] = {writers[which].write(first), writers[which].write(second)};
    size_t written = 0;
    for (size_t i = 0; i < SIZE; i++)
        written += first[i] != 0x11 || second[i] != 0x22;
    printf("%s: %s, %zu bytes%s\n", writers[which].name, results[0] < 0 || results[1] < 0 ? "failed" : "done",
           written,
           is_suspicious(first, SIZE) || is_suspicious(second, SIZE) ? ", of the kernel's own memory" : "");
}

/* ---- the frame of a signal ---- */

static volatile int frames_seen, frames_bad;

static void on_signal(int signal, siginfo_t *info, void *context) {
    (void)signal;
    const ucontext_t *u = context;
    frames_seen++;
    frames_bad += is_suspicious((const uint8_t *)info, sizeof *info);
    frames_bad += is_suspicious((const uint8_t *)u, offsetof(ucontext_t, __fpregs_mem));
    frames_bad += is_suspicious((const uint8_t *)u->uc_mcontext.fpregs, 512);
}

static void frames(void) {
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
    for (int i = 0; i < 20; i++)
        CHECK(raise(SIGUSR2) == 0);
    printf("signal frames: %d, %d with the kernel's own memory\n", frames_seen, frames_bad);
}

int main(void) {
    int pair[2], terminal = posix_openpt(O_RDWR | O_NOCTTY);
    struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 7};
    CHECK(mkdir("entries", 0700) == 0);
    for (int i = 1; i <= 5; i++) {
        char name[16] = "entries/eeeee";
        name[8 + i] = '\0';
        int fd = open(name, O_CREAT | O_WRONLY, 0600);
        CHECK(fd >= 0 && close(fd) == 0);
    }
    file_fd = open("entries/e", O_RDONLY);
    directory_fd = open("entries", O_RDONLY | O_DIRECTORY);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    socket_fd = pair[0];
    timer_fd = timerfd_create(CLOCK_MONOTONIC, 0);
    epoll_fd = epoll_create1(0);
    CHECK(file_fd >= 0 && directory_fd >= 0 && timer_fd >= 0 && epoll_fd >= 0);
    CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, socket_fd, &event) == 0);
    CHECK(terminal >= 0 && unlockpt(terminal) == 0 &&
          (terminal_fd = open(ptsname(terminal), O_RDWR | O_NOCTTY)) >= 0);
    CHECK(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0);
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++)
        writer_run(i);
    frames();
    return 0;
}
