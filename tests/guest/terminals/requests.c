/* Requests on every kind of descriptor: result and errno, with a good argument and with bad ones. */
#include <linux/tty.h>

#include "pair.h"

#define SAY_REQUEST(r)                                                                                       \
    { r, #r }
static const struct {
    unsigned long number;
    const char *name;
} requests[] = {
    SAY_REQUEST(TCGETS),     SAY_REQUEST(TCSETS),    SAY_REQUEST(TCSETSW),    SAY_REQUEST(TCSETSF),
    SAY_REQUEST(TCGETA),     SAY_REQUEST(TCSETA),    SAY_REQUEST(TCSETAW),    SAY_REQUEST(TCSETAF),
    SAY_REQUEST(TCSBRK),     SAY_REQUEST(TCSBRKP),   SAY_REQUEST(TCXONC),     SAY_REQUEST(TCFLSH),
    SAY_REQUEST(TIOCEXCL),   SAY_REQUEST(TIOCNXCL),  SAY_REQUEST(TIOCGEXCL),  SAY_REQUEST(TIOCGPGRP),
    SAY_REQUEST(TIOCSPGRP),  SAY_REQUEST(TIOCGSID),  SAY_REQUEST(TIOCOUTQ),   SAY_REQUEST(TIOCGWINSZ),
    SAY_REQUEST(TIOCSWINSZ), SAY_REQUEST(FIONREAD),  SAY_REQUEST(TIOCGETD),   SAY_REQUEST(TIOCPKT),
    SAY_REQUEST(TIOCGPKT),   SAY_REQUEST(TIOCNOTTY), SAY_REQUEST(TIOCGPTLCK), SAY_REQUEST(TIOCGPTN),
    SAY_REQUEST(TIOCGDEV),   SAY_REQUEST(0x5499),
};

static const char *result_of(long r) {
    static char text[64];
    snprintf(text, sizeof text, "%ld%s%s", r < 0 ? -1 : r, r < 0 ? " " : "",
             r < 0 ? strerrorname_np(errno) : "");
    return text;
}

/* Zeroes are a good argument for each: harmless modes, no size, group 0. */
static void on_descriptor(const char *what, int fd) {
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char room[256] = {0};
        bool by_value = requests[i].number == TCSBRK || requests[i].number == TCSBRKP ||
                        requests[i].number == TCXONC || requests[i].number == TCFLSH;
        printf("%s %s:", what, requests[i].name);
        if (by_value) {
            for (long value = 0; value < 5; value++)
                if (requests[i].number != TCXONC || value == 1 || value == 4)
                    printf(" %s,", result_of(ioctl(fd, requests[i].number, value)));
        } else {
            printf(" %s,", result_of(ioctl(fd, requests[i].number, room)));
            printf(" %s", result_of(ioctl(fd, requests[i].number, (void *)8)));
        }
        printf("\n");
    }
}

static void on_pair(void) {
    struct pair p = pair_open(1);
    on_descriptor("slave", p.slave);
    on_descriptor("master", p.master);
    close(p.master);
    on_descriptor("dead slave", p.slave);
    close(p.slave);
}

static void on_others(void) {
    int ends[2], null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR),
                 file = open("/etc/passwd", O_RDONLY);
    CHECK(pipe(ends) == 0);
    on_descriptor("pipe", ends[0]);
    on_descriptor("null", null);
    on_descriptor("zero", zero);
    on_descriptor("file", file);
    on_descriptor("closed", 99);
}

static void show(const struct termios *modes) {
    printf("%o %o %o %o %d ", modes->c_iflag, modes->c_oflag, modes->c_cflag, modes->c_lflag, modes->c_line);
    for (int i = 0; i < 19; i++)
        printf("%02x", modes->c_cc[i]);
    printf(" %u %u\n", cfgetispeed(modes), cfgetospeed(modes));
}

/* Every bit of the modes, set alone, at either end, and what comes back. */
static void modes(void) {
    struct pair p = pair_open(1);
    struct termios first, changed, back;
    CHECK(tcgetattr(p.slave, &first) == 0);
    show(&first);
    for (int word = 0; word < 4; word++) {
        for (int bit = 0; bit < 29; bit++) { /* those above are not the same in every version of Linux */
            changed = first;
            (&changed.c_iflag)[word] ^= 1u << bit;
            long r = tcsetattr(bit % 2 ? p.slave : p.master, TCSANOW, &changed);
            printf("%d.%d %s ", word, bit, result_of(r));
            CHECK(tcgetattr(bit % 3 ? p.slave : p.master, &back) == 0);
            show(&back);
        }
    }
    pair_close(&p);
}

struct old_modes {
    unsigned short input, output, control, local;
    unsigned char line, keys[8], padding;
};

static void old_modes(void) {
    struct pair p = pair_open(1);
    struct old_modes old = {0};
    struct termios now;
    SAY(ioctl(p.slave, TCGETA, &old));
    printf("%o %o %o %o %d\n", old.input, old.output, old.control, old.local, old.line);
    old.local = ISIG;
    old.keys[VINTR] = 7;
    SAY(ioctl(p.slave, TCSETA, &old));
    CHECK(tcgetattr(p.slave, &now) == 0);
    show(&now);
    pair_close(&p);
}

struct modes2 { /* struct termios2 cannot be had together with the C library's */
    unsigned input, output, control, local;
    unsigned char line, keys[19];
    unsigned input_speed, output_speed;
};

static void speeds(void) {
    struct pair p = pair_open(1);
    struct modes2 m;
    for (unsigned code = 0; code < 32; code++) {
        CHECK(ioctl(p.slave, _IOR('T', 0x2A, struct modes2), &m) == 0);
        m.control = (m.control & ~010017u) | (code & 15) | (code & 16 ? 010000 : 0);
        m.input_speed = 1234;
        m.output_speed = 4321;
        long r = ioctl(p.slave, _IOW('T', 0x2B, struct modes2), &m);
        CHECK(ioctl(p.slave, _IOR('T', 0x2A, struct modes2), &m) == 0);
        printf("speed %u: %s, %o %u %u\n", code, result_of(r), m.control, m.input_speed, m.output_speed);
    }
    pair_close(&p);
}

static void sizes(void) {
    struct pair p = pair_open(1);
    struct winsize size = {1, 2, 3, 4}, back = {9, 9, 9, 9};
    SAY(ioctl(p.master, TIOCGWINSZ, &back));
    printf("%d %d %d %d\n", back.ws_row, back.ws_col, back.ws_xpixel, back.ws_ypixel);
    SAY(ioctl(p.slave, TIOCSWINSZ, &size));
    SAY(ioctl(p.master, TIOCGWINSZ, &back));
    printf("%d %d %d %d\n", back.ws_row, back.ws_col, back.ws_xpixel, back.ws_ypixel);
    pair_close(&p);
}

int main(void) {
    on_pair();
    on_others();
    modes();
    old_modes();
    speeds();
    sizes();
    return 0;
}
