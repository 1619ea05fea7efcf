/* What read() gives at either end: lines, bytes, times, ends of files, flow control, flushing, packets. */
#include "pair.h"

static void set_raw(int fd, int least, int tenths) {
    struct termios modes;
    CHECK(tcgetattr(fd, &modes) == 0);
    cfmakeraw(&modes);
    modes.c_cc[VMIN] = (cc_t)least;
    modes.c_cc[VTIME] = (cc_t)tenths;
    CHECK(tcsetattr(fd, TCSANOW, &modes) == 0);
}

static void say_waiting(const struct pair *p) {
    int in = -1, out = -1;
    CHECK(ioctl(p->slave, FIONREAD, &in) == 0 && ioctl(p->master, FIONREAD, &out) == 0);
    printf("to be read %d, printed %d\n", in, out);
}

static void lines(void) {
    struct pair p = pair_open(1);
    type(&p, "one\ntwo\nthree");
    say_waiting(&p);
    SAY_READ(p.slave, 100);
    SAY_READ(p.slave, 2);
    SAY_READ(p.slave, 100);
    SAY_READ(p.slave, 100);
    type(&p, "\x04");
    SAY_READ(p.slave, 100);
    type(&p, "\x04");
    SAY_READ(p.slave, 100);
    type(&p, "abcd\x04"
             "efg\n");
    SAY_READ(p.slave, 4);
    SAY_READ(p.slave, 4);
    SAY_READ(p.master, 100);
    pair_close(&p);
}

static void changing_modes(void) {
    struct pair p = pair_open(1);
    set_local(p.slave, 0, ECHO);
    type(&p, "half a line");
    say_waiting(&p);
    set_local(p.slave, 0, ICANON);
    say_waiting(&p);
    SAY_READ(p.slave, 4);
    set_local(p.slave, ICANON, 0);
    say_waiting(&p);
    SAY_READ(p.slave, 100);
    type(&p, "to be flushed\n");
    SAY(tcflush(p.slave, TCIFLUSH));
    say_waiting(&p);
    type(&p, "gone too\n");
    struct termios modes;
    tcgetattr(p.slave, &modes);
    SAY(tcsetattr(p.slave, TCSAFLUSH, &modes));
    say_waiting(&p);
    SAY(tcflush(p.slave, 7));
    SAY(tcflow(p.slave, 7));
    SAY(tcdrain(p.slave));
    SAY(tcsendbreak(p.slave, 0));
    pair_close(&p);
}

/* What is typed before the first dot is there beforehand, each dot is a tenth of a second: and what a read of
 * `length` under VMIN and VTIME gives, in tenths of a second. */
static void timed(int least, int tenths, size_t length, const char *when) {
    struct pair p = pair_open(1);
    struct timespec begin, end;
    char bytes[100];
    int go[2];
    CHECK(pipe(go) == 0);
    set_raw(p.slave, least, tenths);
    fflush(stdout);
    size_t at_once = strcspn(when, ".");
    CHECK(write(p.master, when, at_once) == (ssize_t)at_once);
    settle(&p);
    pid_t typist = fork();
    if (typist == 0) {
        (void)!read(go[0], bytes, 1);
        when += at_once;
        while (*when) {
            size_t n = strcspn(when, ".");
            (void)!write(p.master, when, n);
            when += n;
            if (*when)
                pause_ms(100);
            when += *when == '.';
        }
        _exit(0);
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    CHECK(write(go[1], "g", 1) == 1);
    ssize_t n = read(p.slave, bytes, length);
    clock_gettime(CLOCK_MONOTONIC, &end);
    long ms = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
    printf("VMIN %d, VTIME %d, read %zu, typed \"%s\": %zd, %s\n", least, tenths, length, when, n,
           ms < 60 ? "at once" : "later");
    waitpid(typist, NULL, 0);
    close(go[0]);
    close(go[1]);
    pair_close(&p);
}

static void flow(void) {
    struct pair p = pair_open(1);
    fcntl(p.slave, F_SETFL, O_RDWR | O_NONBLOCK);
    type(&p, "\x13");
    SAY(write(p.slave, "held", 4));
    type(&p, "echo");
    say_poll("stopped", p.slave);
    SAY_READ(p.master, 100);
    type(&p, "\x11");
    SAY_READ(p.master, 100);
    SAY(write(p.slave, "free", 4));
    SAY_READ(p.master, 100);
    SAY(tcflow(p.slave, TCOOFF));
    SAY(write(p.slave, "held", 4));
    type(&p, "\x11");
    SAY(write(p.slave, "held", 4));
    SAY(tcflow(p.slave, TCOON));
    SAY(write(p.slave, "free", 4));
    SAY(tcflow(p.slave, TCIOFF));
    SAY(tcflow(p.slave, TCION));
    SAY_READ(p.master, 100);
    pair_close(&p);
}

static void packets(void) {
    struct pair p = pair_open(1);
    int on = 1, state = -1;
    SAY(ioctl(p.master, TIOCPKT, &on));
    SAY(ioctl(p.master, TIOCGPKT, &state));
    printf("packet mode %d\n", state);
    SAY(write(p.slave, "data", 4));
    SAY_READ(p.master, 100);
    type(&p, "\x13");
    say_poll("stopped", p.master);
    SAY_READ(p.master, 100);
    type(&p, "\x11");
    SAY_READ(p.master, 100);
    SAY(tcflush(p.slave, TCIFLUSH));
    SAY_READ(p.master, 100);
    SAY(tcflush(p.slave, TCIOFLUSH));
    SAY_READ(p.master, 100);
    struct termios modes;
    tcgetattr(p.slave, &modes);
    modes.c_iflag &= ~(tcflag_t)IXON;
    tcsetattr(p.slave, TCSANOW, &modes);
    SAY_READ(p.master, 100);
    modes.c_iflag |= IXON;
    tcsetattr(p.slave, TCSANOW, &modes);
    SAY_READ(p.master, 100);
    set_local(p.slave, EXTPROC, 0);
    SAY_READ(p.master, 100);
    SAY(write(p.slave, "more", 4));
    SAY_READ(p.master, 3);
    SAY_READ(p.master, 3);
    on = 0;
    SAY(ioctl(p.master, TIOCPKT, &on));
    SAY_READ(p.master, 100);
    pair_close(&p);
}

/* More than there is room for, one way and the other. */
static void floods(void) {
    struct pair p = pair_open(1);
    static char text[20000], back[20000];
    set_raw(p.slave, 1, 0);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    for (int down = 0; down < 2; down++) {
        int from = down ? p.slave : p.master, to = down ? p.master : p.slave;
        fflush(stdout);
        pid_t writer = fork();
        if (writer == 0)
            _exit(write(from, text, sizeof text) == sizeof text ? 0 : 1);
        size_t n = 0;
        while (n < sizeof back) {
            ssize_t r = read(to, back + n, 777);
            CHECK(r > 0);
            n += (size_t)r;
        }
        int status;
        waitpid(writer, &status, 0);
        printf("all of it %d, the same %d\n", status == 0, memcmp(text, back, sizeof text) == 0);
    }
    pair_close(&p);
}

int main(void) {
    lines();
    changing_modes();
    timed(0, 0, 10, "");
    timed(0, 0, 10, "abc");
    timed(0, 2, 10, "");
    timed(0, 3, 10, "..a");
    timed(3, 0, 10, "a.b.c");
    timed(3, 0, 2, "a.b.c");
    timed(3, 0, 10, "abcdef");
    timed(5, 2, 10, "..ab");
    timed(2, 2, 10, "..abcd");
    timed(1, 0, 1, ".abc");
    flow();
    packets();
    floods();
    return 0;
}
