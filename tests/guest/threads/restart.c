/* What a signal does to a call that blocks: a table of calls × (handler, handler with SA_RESTART, stop and continue,
 * a signal that is ignored). Each runs in a child of its own, which sleeps in the call; then the signal is sent,
 * then the call is let go on. Told: the result, whether the handler ran, and whether the call had to be let go. */
#include "say.h"
#include <linux/futex.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>

/* What a child has, made before the fork so that the parent can let it go. */
struct scene {
    int in, out;     /* a descriptor that the call uses, and the other end */
    int id;          /* of System V IPC */
    pid_t helper;    /* a grandchild */
    char name[64];
};
static volatile struct shared {
    int handled, word, pid;
    long result;
    int error, extra;
} *s;

static char block[1 << 20];
static struct timespec long_time = {100, 0}, short_time = {0, 300000000};

static void on_signal(int signal) {
    (void)signal;
    s->handled++;
}

/* ---- calls: prepare, call, let go ---- */

static void make_pipe(struct scene *x) {
    int ends[2];
    if (pipe(ends) == 0)
        x->in = ends[0], x->out = ends[1];
}
static void make_pair(struct scene *x) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0)
        x->in = ends[0], x->out = ends[1];
}
static void make_timed_pair(struct scene *x) {
    struct timeval time = {50, 0};
    make_pair(x);
    setsockopt(x->in, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    setsockopt(x->in, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}
static void make_listener(struct scene *x) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    x->in = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(x->in, (void *)&a, sizeof a) == 0)
        listen(x->in, 5);
}
static void let_connect(struct scene *x) {
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    getsockname(x->in, (void *)&a, &n);
    if (connect(fd, (void *)&a, n) < 0)
        say("connect failed");
}
static void let_byte(struct scene *x) {
    if (write(x->out, "x", 1) != 1)
        say("cannot let go");
}
static void let_drain(struct scene *x) {
    static char to[1 << 16];
    for (int i = 0; i < 200; i++)
        if (recv(x->in, to, sizeof to, MSG_DONTWAIT) < 0 && read(x->in, to, 0) == 0) {
            struct pollfd p = {x->in, POLLIN, 0};
            if (poll(&p, 1, 20) <= 0)
                break;
            if (read(x->in, to, sizeof to) <= 0)
                break;
        }
}
static void make_file(struct scene *x) {
    x->in = open(x->name, O_RDWR | O_CREAT, 0600);
    x->out = open(x->name, O_RDWR);
}
static void make_flock(struct scene *x) {
    make_file(x);
    flock(x->out, LOCK_EX);
}
static void let_flock(struct scene *x) {
    flock(x->out, LOCK_UN);
}
static struct flock whole(short type) {
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}
static void make_record(struct scene *x) {
    struct flock l = whole(F_WRLCK);
    make_file(x);
    fcntl(x->out, F_SETLK, &l);
}
static void let_record(struct scene *x) {
    struct flock l = whole(F_UNLCK);
    fcntl(x->out, F_SETLK, &l);
}
static void make_ofd(struct scene *x) {
    struct flock l = whole(F_WRLCK);
    make_file(x);
    fcntl(x->out, F_OFD_SETLK, &l);
}
static void let_ofd(struct scene *x) {
    struct flock l = whole(F_UNLCK);
    fcntl(x->out, F_OFD_SETLK, &l);
}
static void make_fifo(struct scene *x) {
    mkfifo(x->name, 0600);
}
static void let_fifo_write(struct scene *x) {
    x->out = open(x->name, O_RDONLY);
}
static void make_sem(struct scene *x) {
    x->id = semget(IPC_PRIVATE, 1, 0600);
}
static void let_sem(struct scene *x) {
    struct sembuf up = {0, 1, 0};
    semop(x->id, &up, 1);
}
static void make_msg(struct scene *x) {
    x->id = msgget(IPC_PRIVATE, 0600);
}
static void let_msg(struct scene *x) {
    struct {
        long type;
        char text[8];
    } m = {1, "text"};
    msgsnd(x->id, &m, 4, 0);
}
static void make_event(struct scene *x) {
    x->in = x->out = eventfd(0, 0);
}
static void let_event(struct scene *x) {
    uint64_t one = 1;
    if (write(x->out, &one, 8) != 8)
        say("cannot let go");
}
static void let_word(struct scene *x) {
    (void)x;
    s->word = 1;
    syscall(SYS_futex, &s->word, FUTEX_WAKE, 9, NULL, NULL, 0);
}
static void make_none(struct scene *x) {
    (void)x;
}
static void let_other_signal(struct scene *x) {
    (void)x;
    syscall(SYS_tgkill, s->pid, s->pid, SIGUSR2);
}

static long do_read(struct scene *x) {
    char c;
    return read(x->in, &c, 1);
}
static long do_readv(struct scene *x) {
    char c;
    struct iovec v = {&c, 1};
    return syscall(SYS_readv, x->in, &v, 1);
}
static long do_write(struct scene *x) {
    return write(x->out, block, sizeof block) > 0 ? 1 : -1;
}
static long do_recv(struct scene *x) {
    char c;
    return recv(x->in, &c, 1, 0);
}
static long do_recvmsg(struct scene *x) {
    char c;
    struct iovec v = {&c, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    return recvmsg(x->in, &m, 0);
}
static long do_recv_all(struct scene *x) {
    char c[2];
    return recv(x->in, c, 1, MSG_WAITALL);
}
static long do_accept(struct scene *x) {
    return accept(x->in, NULL, NULL) >= 0 ? 0 : -1;
}
static long do_poll(struct scene *x) {
    struct pollfd p = {x->in, POLLIN, 0};
    return poll(&p, 1, 100000);
}
static long do_poll_for_ever(struct scene *x) {
    struct pollfd p = {x->in, POLLIN, 0};
    return poll(&p, 1, -1);
}
static long do_ppoll(struct scene *x) {
    struct pollfd p = {x->in, POLLIN, 0};
    struct timespec time = long_time;
    long r = ppoll(&p, 1, &time, NULL);
    int error = errno;
    s->extra = time.tv_sec < 100;
    errno = error;
    return r;
}
static long do_select(struct scene *x) {
    fd_set set;
    struct timeval time = {100, 0};
    FD_ZERO(&set);
    FD_SET(x->in, &set);
    return select(x->in + 1, &set, NULL, NULL, &time);
}
static long do_pselect(struct scene *x) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(x->in, &set);
    return pselect(x->in + 1, &set, NULL, NULL, &long_time, NULL);
}
static int epoll_of(struct scene *x) {
    int set = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN};
    epoll_ctl(set, EPOLL_CTL_ADD, x->in, &e);
    return set;
}
static long do_epoll(struct scene *x) {
    struct epoll_event e;
    return epoll_wait(epoll_of(x), &e, 1, 100000);
}
static long do_epoll_pwait(struct scene *x) {
    struct epoll_event e;
    sigset_t mask;
    sigemptyset(&mask);
    return epoll_pwait(epoll_of(x), &e, 1, -1, &mask);
}
static long do_flock(struct scene *x) {
    return flock(x->in, LOCK_EX);
}
static long do_record(struct scene *x) {
    struct flock l = whole(F_WRLCK);
    return fcntl(x->in, F_SETLKW, &l);
}
static long do_ofd(struct scene *x) {
    struct flock l = whole(F_WRLCK);
    return fcntl(x->in, F_OFD_SETLKW, &l);
}
static long do_open_write(struct scene *x) {
    return open(x->name, O_WRONLY) >= 0 ? 0 : -1;
}
static long do_sem(struct scene *x) {
    struct sembuf down = {0, -1, 0};
    return semop(x->id, &down, 1);
}
static long do_semtimed(struct scene *x) {
    struct sembuf down = {0, -1, 0};
    return semtimedop(x->id, &down, 1, &long_time);
}
static long do_msg(struct scene *x) {
    struct {
        long type;
        char text[8];
    } m;
    return msgrcv(x->id, &m, 8, 0, 0);
}
static long do_event(struct scene *x) {
    uint64_t n;
    return read(x->in, &n, 8);
}
static long do_timerfd(struct scene *x) {
    (void)x;
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t n;
    timerfd_settime(fd, 0, &(struct itimerspec){.it_value = short_time}, NULL);
    return read(fd, &n, 8);
}
static long do_signalfd(struct scene *x) {
    (void)x;
    sigset_t set;
    struct signalfd_siginfo info;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return read(signalfd(-1, &set, 0), &info, sizeof info);
}
static long do_futex(struct scene *x) {
    (void)x;
    return syscall(SYS_futex, &s->word, FUTEX_WAIT, 0, NULL, NULL, 0);
}
static long do_futex_timed(struct scene *x) {
    (void)x;
    return syscall(SYS_futex, &s->word, FUTEX_WAIT, 0, &long_time, NULL, 0);
}
static long do_futex_bitset(struct scene *x) {
    (void)x;
    uint64_t at = now_ns(CLOCK_MONOTONIC) / 1000000000 + 100;
    struct timespec end = {(time_t)at, 0};
    return syscall(SYS_futex, &s->word, FUTEX_WAIT_BITSET, 0, &end, NULL, -1);
}
static long do_nanosleep(struct scene *x) {
    (void)x;
    struct timespec left = {77, 0};
    long r = syscall(SYS_nanosleep, &short_time, &left);
    int error = errno;
    s->extra = left.tv_sec != 77;
    errno = error;
    return r;
}
static long do_sleep_absolute(struct scene *x) {
    (void)x;
    uint64_t at = now_ns(CLOCK_MONOTONIC) + 300000000;
    struct timespec end = {(time_t)(at / 1000000000), (long)(at % 1000000000)};
    return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
}
static long do_pause(struct scene *x) {
    (void)x;
    return pause();
}
static long do_sigsuspend(struct scene *x) {
    (void)x;
    sigset_t set;
    sigemptyset(&set);
    return sigsuspend(&set);
}
static long do_sigtimedwait(struct scene *x) {
    (void)x;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return syscall(SYS_rt_sigtimedwait, &set, NULL, &long_time, 8) > 0 ? 1 : -1;
}
static pid_t grandchild(void) {
    pid_t pid = fork();
    if (pid == 0) {
        while (s->word == 0)
            pause_ms(2);
        _exit(0);
    }
    return pid;
}
static long do_wait4(struct scene *x) {
    (void)x;
    grandchild();
    return wait4(-1, NULL, 0, NULL) > 0 ? 1 : -1;
}
static long do_waitid(struct scene *x) {
    (void)x;
    siginfo_t info;
    grandchild();
    return waitid(P_ALL, 0, &info, WEXITED);
}

static const struct blocking {
    const char *name;
    void (*make)(struct scene *);
    long (*call)(struct scene *);
    void (*let)(struct scene *);
} calls[] = {
    {"read pipe", make_pipe, do_read, let_byte},
    {"readv pipe", make_pipe, do_readv, let_byte},
    {"write pipe", make_pipe, do_write, let_drain},
    {"read socket", make_pair, do_read, let_byte},
    {"write socket", make_pair, do_write, let_drain},
    {"recv", make_pair, do_recv, let_byte},
    {"recv WAITALL", make_pair, do_recv_all, let_byte},
    {"recvmsg", make_pair, do_recvmsg, let_byte},
    {"read, SO_RCVTIMEO", make_timed_pair, do_read, let_byte},
    {"recv, SO_RCVTIMEO", make_timed_pair, do_recv, let_byte},
    {"accept", make_listener, do_accept, let_connect},
    {"poll", make_pipe, do_poll, let_byte},
    {"poll for ever", make_pipe, do_poll_for_ever, let_byte},
    {"ppoll", make_pipe, do_ppoll, let_byte},
    {"select", make_pipe, do_select, let_byte},
    {"pselect", make_pipe, do_pselect, let_byte},
    {"epoll_wait", make_pipe, do_epoll, let_byte},
    {"epoll_pwait", make_pipe, do_epoll_pwait, let_byte},
    {"flock", make_flock, do_flock, let_flock},
    {"F_SETLKW", make_record, do_record, let_record},
    {"F_OFD_SETLKW", make_ofd, do_ofd, let_ofd},
    {"open FIFO to write", make_fifo, do_open_write, let_fifo_write},
    {"semop", make_sem, do_sem, let_sem},
    {"semtimedop", make_sem, do_semtimed, let_sem},
    {"msgrcv", make_msg, do_msg, let_msg},
    {"read eventfd", make_event, do_event, let_event},
    {"read timerfd", make_none, do_timerfd, make_none},
    {"read signalfd", make_none, do_signalfd, let_other_signal},
    {"futex", make_none, do_futex, let_word},
    {"futex, timed", make_none, do_futex_timed, let_word},
    {"futex, bitset", make_none, do_futex_bitset, let_word},
    {"nanosleep", make_none, do_nanosleep, make_none},
    {"clock_nanosleep", make_none, do_sleep_absolute, make_none},
    {"pause", make_none, do_pause, let_other_signal},
    {"sigsuspend", make_none, do_sigsuspend, let_other_signal},
    {"sigtimedwait", make_none, do_sigtimedwait, let_other_signal},
    {"wait4", make_none, do_wait4, let_word},
    {"waitid", make_none, do_waitid, let_word},
};

enum way { PLAIN, RESTART, STOP, IGNORED, IN_THREAD, WAYS };
static const char *ways[WAYS] = {"handler", "SA_RESTART", "stop and continue", "ignored", "another thread's"};

static void *takes_signals(void *unused) {
    (void)unused;
    for (;;)
        pause();
    return NULL;
}

/* In the child: its actions, then the call. */
static void perform(const struct blocking *b, struct scene *x, enum way way) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = way == RESTART ? SA_RESTART : 0};
    pthread_t thread;
    if (way == IGNORED)
        action.sa_handler = SIG_IGN;
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = on_signal;
    sigaction(SIGUSR2, &action, NULL);
    if (way == IN_THREAD) {
        sigset_t set;
        pthread_create(&thread, NULL, takes_signals, NULL);
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
    }
    s->pid = getpid();
    errno = 0;
    long r = b->call(x);
    s->error = r == -1 ? errno : 0;
    s->result = r;
    _exit(0);
}

static void one(const struct blocking *b, enum way way) {
    struct scene x = {.in = -1, .out = -1};
    memset((void *)s, 0, sizeof *s);
    snprintf(x.name, sizeof x.name, "restart.%d", getpid());
    b->make(&x);
    pid_t pid = fork();
    if (pid == 0)
        perform(b, &x, way);
    wait_for_value(&s->pid, pid);
    wait_for_state(pid, 'S');
    if (way == STOP) {
        kill(pid, SIGSTOP);
        wait_for_state(pid, 'T');
        kill(pid, SIGCONT);
    } else {
        kill(pid, SIGUSR1);
    }
    int alone = 0;
    bool caught = way != STOP && way != IGNORED;
    for (int i = 0, asleep = 0; i < 1000 && !alone && asleep < 5; i++, pause_ms(2)) {
        asleep = task_state(pid) == 'S' && (s->handled || !caught) ? asleep + 1 : 0;
        alone = waitpid(pid, NULL, WNOHANG) == pid;
    }
    int handled = s->handled;
    if (!alone)
        b->let(&x);
    else
        s->word = 1;
    if (!alone)
        waitpid(pid, NULL, 0);
    say("%s, %s: %s %s, handled %d%s", b->name, ways[way], s->result == -1 ? "-1" : "done", s->error ? error_of(s->error) : "",
        handled, alone ? "" : ", let go");
    unlink(x.name);
    if (b->make == make_sem)
        semctl(x.id, 0, IPC_RMID);
    if (b->make == make_msg)
        msgctl(x.id, IPC_RMID, NULL);
    close(x.in);
    if (x.out != x.in)
        close(x.out);
}

int main(int argc, char **argv) {
    s = shared_page();
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < COUNT(calls); i++)
        for (enum way way = 0; way < WAYS; way++)
            if (argc < 2 || strstr(calls[i].name, argv[1]))
                one(&calls[i], way);
    return 0;
}
