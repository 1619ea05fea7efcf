/* Controlling terminals and job control: who has the terminal, who is stopped for touching it, who is hung
 * up. */
#include "pair.h"

static volatile sig_atomic_t seen[65];

static void count(int signal) {
    seen[signal]++;
}

static void watch_signals(void) {
    static const int watched[] = {SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT, SIGTTIN, SIGTTOU, SIGWINCH};
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        sigaction(watched[i], &(struct sigaction){.sa_handler = count}, NULL);
}

static void say_seen(const char *who) {
    printf("%s:", who);
    for (int i = 1; i < 65; i++) {
        if (seen[i])
            printf(" SIG%s", sigabbrev_np(i));
        seen[i] = 0;
    }
    printf("\n");
    fflush(stdout);
}

static void say_owner(const char *when, int fd) {
    errno = 0;
    pid_t group = tcgetpgrp(fd);
    const char *no_group = group < 0 ? strerrorname_np(errno) : "";
    pid_t session = tcgetsid(fd);
    printf("%s: group %s%s, session %s%s\n", when,
           group < 0            ? no_group
           : group == getpgrp() ? "ours"
                                : "another",
           "",
           session < 0            ? strerrorname_np(errno)
           : session == getsid(0) ? "ours"
                                  : "another",
           "");
    fflush(stdout);
}

/* ---- getting and losing it ---- */

static void taking(void *context) {
    struct pair p = pair_open(0), q = pair_open(0);
    SAY(open("/dev/tty", O_RDWR));
    p.slave = open(p.name, O_WRONLY);
    say_owner("opened for writing", p.slave);
    close(p.slave);
    p.slave = open(p.name, O_RDWR | O_NOCTTY);
    say_owner("opened with O_NOCTTY", p.slave);
    say_owner("at the master", p.master);
    close(p.slave);
    p.slave = open(p.name, O_RDWR);
    say_owner("opened", p.slave);
    say_owner("at the master", p.master);
    q.slave = open(q.name, O_RDWR);
    say_owner("a second one", q.slave);
    SAY(ioctl(q.slave, TIOCSCTTY, 0));
    SAY(ioctl(p.slave, TIOCSCTTY, 0));
    int tty = open("/dev/tty", O_RDWR);
    SAY(tty >= 0 && write(tty, "by name", 7) == 7);
    SAY_READ(p.master, 100);
    say_owner("/dev/tty", tty);
    close(tty);
    SAY(ioctl(q.slave, TIOCNOTTY));
    signal(SIGHUP, SIG_IGN);
    SAY(ioctl(p.slave, TIOCNOTTY));
    say_owner("given up", p.slave);
    SAY(open("/dev/tty", O_RDWR));
    SAY(ioctl(q.slave, TIOCSCTTY, 0));
    say_owner("taken by request", q.slave);
    pair_close(&p);
    pair_close(&q);
}

static void others(void *context) {
    struct pair p = pair_open(0);
    p.slave = open(p.name, O_RDWR);
    fflush(stdout);
    if (fork() == 0) {
        SAY(ioctl(p.slave, TIOCSCTTY, 0));
        SAY(tcsetpgrp(p.slave, 1));
        SAY(tcsetpgrp(p.slave, 999999));
        SAY(tcsetpgrp(p.slave, -1));
        SAY(setsid() == getpid());
        SAY(open("/dev/tty", O_RDWR));
        say_owner("in another session", p.slave);
        SAY(tcsetpgrp(p.slave, getpgrp()));
        SAY(write(p.slave, "allowed", 7));
        _exit(0);
    }
    wait(NULL);
    SAY_READ(p.master, 100);
    fflush(stdout);
    if (fork() == 0) {
        SAY(ioctl(p.slave, TIOCNOTTY));
        SAY(open("/dev/tty", O_RDWR));
        _exit(0);
    }
    wait(NULL);
    say_owner("one member gave it up", p.slave);
    pair_close(&p);
}

/* ---- the background ---- */

static struct pair terminal;

static void act_read(void) {
    char byte;
    SAY(read(terminal.slave, &byte, 1));
}
static void act_write(void) {
    SAY(write(terminal.slave, "b", 1));
}
static void act_modes(void) {
    struct termios modes;
    CHECK(tcgetattr(terminal.slave, &modes) == 0);
    SAY(tcsetattr(terminal.slave, TCSANOW, &modes));
}
static void act_group(void) {
    SAY(tcsetpgrp(terminal.slave, getpgrp()));
}
static void act_flush(void) {
    SAY(tcflush(terminal.slave, TCIFLUSH));
}
static void act_flow(void) {
    SAY(tcflow(terminal.slave, TCOON));
}
static void act_size(void) {
    struct winsize size = {5, 6, 0, 0};
    SAY(ioctl(terminal.slave, TIOCSWINSZ, &size));
}
static void act_break(void) {
    SAY(tcsendbreak(terminal.slave, 0));
}
static void act_master(void) {
    struct termios modes;
    CHECK(tcgetattr(terminal.master, &modes) == 0);
    SAY(tcsetattr(terminal.master, TCSANOW, &modes));
}

enum manner { PLAIN, IGNORED, BLOCKED, CAUGHT, ORPHANED, MANNERS };
static const char *const manners[] = {"plain", "ignored", "blocked", "caught", "orphaned"};

static void in_background(void (*act)(void), enum manner manner) {
    sigset_t stops;
    setpgid(0, 0);
    sigemptyset(&stops);
    sigaddset(&stops, SIGTTIN);
    sigaddset(&stops, SIGTTOU);
    if (manner == BLOCKED)
        sigprocmask(SIG_BLOCK, &stops, NULL);
    for (int i = SIGTTIN; i <= SIGTTOU && manner != PLAIN; i++)
        if (manner == IGNORED || manner == CAUGHT)
            sigaction(i, &(struct sigaction){.sa_handler = manner == IGNORED ? SIG_IGN : count}, NULL);
    if (manner == ORPHANED) {
        const pid_t parent = getpid();
        if (fork() > 0)
            _exit(0);
        while (getppid() == parent)
            pause_ms(1);
    }
    act();
    if (manner == CAUGHT)
        say_seen("caught");
    _exit(0);
}

static void background(const char *name, void (*act)(void), enum manner manner) {
    int status, ended[2];
    char byte;
    printf("%s, %s:\n", name, manners[manner]);
    fflush(stdout);
    CHECK(pipe(ended) == 0);
    pid_t child = fork();
    if (child == 0)
        in_background(act, manner);
    close(ended[1]);
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    if (WIFSTOPPED(status)) {
        printf("stopped by SIG%s\n", sigabbrev_np(WSTOPSIG(status)));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    CHECK(read(ended[0], &byte, 1) == 0); /* an orphan is waited for by the end that it holds */
    close(ended[0]);
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(terminal.slave, getpgrp());
    signal(SIGTTOU, SIG_DFL);
}

static void backgrounds(void *context) {
    static const struct {
        const char *name;
        void (*act)(void);
    } acts[] = {{"read", act_read},   {"write", act_write}, {"modes", act_modes},
                {"group", act_group}, {"flush", act_flush}, {"flow", act_flow},
                {"size", act_size},   {"break", act_break}, {"master", act_master}};
    terminal = pair_open(0);
    terminal.slave = open(terminal.name, O_RDWR);
    for (int stop = 0; stop < 2; stop++) {
        set_local(terminal.slave, stop ? TOSTOP : 0, stop ? 0 : TOSTOP);
        for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
            for (enum manner manner = PLAIN; manner < MANNERS; manner++) {
                bool endless =
                    manner == CAUGHT && (acts[i].act == act_read || stop || acts[i].act != act_write);
                if (!endless && (!stop || acts[i].act == act_write))
                    background(acts[i].name, acts[i].act, manner);
            }
    }
    signal(SIGHUP, SIG_IGN);
    pair_close(&terminal);
}

/* ---- signals from the terminal ---- */

/* A member of the session in a group of its own says what reaches it. */
static pid_t start_listener(const char *name, int rounds, int ready[2]) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        watch_signals();
        (void)!write(ready[1], "r", 1);
        for (int i = 0; i < rounds; i++) {
            char byte;
            while (read(ready[0], &byte, 1) < 0)
                ;
            say_seen(name);
            (void)!write(ready[1], "d", 1);
        }
        _exit(0);
    }
    return child;
}

static void typing(void *context) {
    struct pair p = pair_open(0);
    int front[2][2], back[2][2];
    char byte;
    CHECK(pipe(front[0]) == 0 && pipe(front[1]) == 0 && pipe(back[0]) == 0 && pipe(back[1]) == 0);
    p.slave = open(p.name, O_RDWR);
    int front_ends[2] = {front[0][0], front[1][1]}, back_ends[2] = {back[0][0], back[1][1]};
    static const char *const typed[] = {"\x03", "\x1c", "\x1a", "ab\x03", "\x16\x03\n", "\x04"};
    enum { ROUNDS = 2 * (sizeof typed / sizeof *typed) + 3 };
    pid_t first = start_listener("foreground", ROUNDS, front_ends);
    start_listener("background", ROUNDS, back_ends);
    CHECK(read(front[1][0], &byte, 1) == 1 && read(back[1][0], &byte, 1) == 1);
    CHECK(tcsetpgrp(p.slave, first) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        size_t which = (size_t)round / 2;
        struct winsize size = {(unsigned short)(20 + round), 80, 0, 0};
        printf("round %d\n", round);
        fflush(stdout);
        if (which < sizeof typed / sizeof *typed) {
            signal(SIGTTOU, SIG_IGN);
            set_local(p.slave, round % 2 ? NOFLSH : 0, round % 2 ? 0 : NOFLSH);
            type(&p, typed[which]);
        } else {
            ioctl(round % 2 ? p.slave : p.master, TIOCSWINSZ, &size);
        }
        pause_ms(10);
        CHECK(write(front[0][1], "g", 1) == 1 && read(front[1][0], &byte, 1) == 1);
        CHECK(write(back[0][1], "g", 1) == 1 && read(back[1][0], &byte, 1) == 1);
        SAY_READ(p.master, 100);
        SAY(tcflush(p.slave, TCIFLUSH));
    }
    while (wait(NULL) > 0)
        ;
    SAY(ioctl(p.master, TIOCSIG, SIGWINCH));
    pair_close(&p);
}

/* ---- hanging up ---- */

/* A member of the leader's session that says, once the leader is gone, what has reached it. `turns` keeps the
 * order: whoever has its writing end is to speak first. */
static void listen_for_hangup(const struct pair *p, const char *name, pid_t leader, const int turns[2],
                              bool first) {
    fflush(stdout);
    watch_signals(); /* here, so that it has them from its first moment */
    if (fork() != 0)
        return;
    close(p->master);
    if (!first)
        close(turns[1]);
    while (kill(leader, 0) == 0)
        pause_ms(2);
    pause_ms(20);
    char byte;
    while (!first && read(turns[0], &byte, 1) < 0)
        ;
    say_seen(name);
    SAY(open("/dev/tty", O_RDWR));
    _exit(0);
}

/* The other end goes: the leader is told, and when it ends the foreground. */
static void hung_up(void *context) {
    struct pair p = pair_open(0);
    p.slave = open(p.name, O_RDWR);
    listen_for_hangup(&p, "member of the leader's group", getpid(), context, true);
    close(p.master);
    while (!seen[SIGHUP]) /* the member has to close it, too */
        pause_ms(2);
    pause_ms(20);
    say_seen("leader");
    say_poll("hung up", p.slave);
    SAY_READ(p.slave, 10);
    say_owner("hung up", p.slave);
    SAY(open("/dev/tty", O_RDWR));
}

static struct pair leaders;

static void leader_ends(void *context) {
    leaders.slave = open(leaders.name, O_RDWR);
    listen_for_hangup(&leaders, "foreground", getpid(), context, true);
    pid_t leader = getpid();
    if (fork() == 0) {
        setpgid(0, 0);
        listen_for_hangup(&leaders, "background", leader, context, false);
        _exit(0);
    }
    wait(NULL);
    pause_ms(10);
}

static void waits_at_hangup(void *context) {
    struct pair p = pair_open(0);
    char byte;
    p.slave = open(p.name, O_RDWR);
    signal(SIGHUP, SIG_IGN);
    int ends[2];
    CHECK(pipe(ends) == 0);
    fflush(stdout);
    if (fork() == 0) {
        close(p.master);
        SAY(read(p.slave, &byte, 1) <= 0); /* 0 or EIO: which is chance */
        _exit(0);
    }
    pause_ms(30);
    close(p.master);
    wait(NULL);
}

/* Runs the session, and waits for everybody who listens in it. */
static void hearing(void (*body)(void *)) {
    int turns[2], all[2];
    char byte;
    CHECK(pipe(turns) == 0 && pipe(all) == 0);
    in_session(body, turns);
    close(turns[1]);
    close(all[1]);
    CHECK(read(all[0], &byte, 1) == 0);
    close(turns[0]);
    close(all[0]);
}

int main(void) {
    in_session(taking, NULL);
    in_session(others, NULL);
    in_session(backgrounds, NULL);
    in_session(typing, NULL);
    hearing(hung_up);
    leaders = pair_open(0);
    hearing(leader_ends);
    say_owner("the leader has ended", leaders.master);
    pair_close(&leaders);
    in_session(waits_at_hangup, NULL);
    return 0;
}
