/* The line discipline does to random input under random modes what the host's does: both get the same typing,
 * printing, reading and changes of modes, and everything that comes out at either end is compared. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/rng.h"
#include "kernel/terminal/discipline.h"

enum { SEEDS = 40, STEPS = 60, PIECE = 60, PATIENCE = 5000 };

struct pair {
    int master, slave; /* of the host */
    struct discipline *ours;
    struct rng rng;
    unsigned long seed;
    char done[STEPS * 600]; /* what was done, for the message of a failure */
    size_t done_length;
};

static void no_signal(void *context, int signal) {}
static void no_change(void *context, unsigned how) {}

static void note(struct pair *p, const char *what, const void *bytes, size_t length) {
    size_t size = sizeof p->done - p->done_length;
    int n = snprintf(p->done + p->done_length, size, "\n  %s ", what);
    for (size_t i = 0; i < length && n > 0 && (size_t)n < size; i++)
        n += snprintf(p->done + p->done_length + n, size - (size_t)n, "%02x", ((const uint8_t *)bytes)[i]);
    p->done_length = min_size(p->done_length + (size_t)n, sizeof p->done - 1);
}

static void pair_fail(const struct pair *p, const char *what, long ours, long host) {
    fprintf(stderr, "%s\n", p->done);
    fail_msg("seed %lu: %s: ours %ld, the host's %ld, after the above", p->seed, what, ours, host);
}

static bool pair_open(struct pair *p, unsigned long seed) {
    const struct discipline_client client = {no_signal, no_change, NULL};
    *p = (struct pair){.rng.state = seed, .seed = seed};
    int unlocked = 0;
    p->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (p->master < 0 || ioctl(p->master, TIOCSPTLCK, &unlocked) < 0)
        return false;
    p->slave = open(ptsname(p->master), O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_true(p->slave >= 0);
    assert_int_equal(discipline_create(NULL, &client, &p->ours), 0);
    return true;
}

static void pair_close(struct pair *p) {
    assert_null(discipline_check(p->ours));
    discipline_destroy(p->ours);
    close(p->slave);
    close(p->master);
}

static long bytes_at(int end) {
    int n = 0;
    assert_int_equal(ioctl(end, FIONREAD, &n), 0);
    return n;
}

/* What both still have to print. */
static void note_ends(struct pair *p) {
    uint8_t bytes[4096];
    note(p, "ours would print", bytes, discipline_take(p->ours, bytes, sizeof bytes));
    ssize_t n = read(p->master, bytes, sizeof bytes);
    note(p, "the host's prints", bytes, n < 0 ? 0 : (size_t)n);
}

/* The host hands bytes over in a thread of its own: polling an end that has nothing makes it do so now. */
static void settle(struct pair *p) {
    long readable = (long)discipline_readable_bytes(p->ours), printed = (long)discipline_printed(p->ours);
    struct pollfd ends[] = {{.fd = p->slave, .events = POLLIN}, {.fd = p->master, .events = POLLIN}};
    for (int i = 0; i < PATIENCE; i++) {
        poll(ends, 2, 0);
        if (bytes_at(p->slave) == readable && bytes_at(p->master) == printed)
            return;
        usleep(200);
    }
    long host_readable = bytes_at(p->slave), host_printed = bytes_at(p->master);
    note_ends(p);
    if (host_readable != readable)
        pair_fail(p, "bytes to be read", readable, host_readable);
    pair_fail(p, "bytes printed", printed, host_printed);
}

static void compare(struct pair *p, const char *what, const uint8_t *ours, ssize_t n, const uint8_t *host,
                    ssize_t host_n) {
    if (n != host_n)
        pair_fail(p, what, n, host_n);
    for (ssize_t i = 0; i < n; i++)
        if (ours[i] != host[i])
            pair_fail(p, what, ours[i], host[i]);
}

/* ---- steps ---- */

static void take_printed(struct pair *p) {
    uint8_t ours[4096], host[4096];
    size_t n = discipline_take(p->ours, ours, sizeof ours);
    ssize_t host_n = read(p->master, host, sizeof host);
    compare(p, "what was printed", ours, (ssize_t)n, host, host_n < 0 ? 0 : host_n);
}

static bool read_some(struct pair *p) {
    uint8_t ours[100], host[100];
    size_t length = 1 + rng_below(&p->rng, sizeof ours);
    note(p, "read", &(uint8_t){(uint8_t)length}, 1);
    ssize_t n = discipline_read(p->ours, ours, length);
    ssize_t host_n = read(p->slave, host, length);
    compare(p, "what was read", ours, n < 0 ? -1 : n, host, host_n);
    settle(p);
    return n >= 0;
}

static void make_text(struct pair *p, uint8_t *text, size_t length) {
    static const uint8_t usual[] = "abcXYZ_09 .,\t\n\r\b\x7f\x15\x17\x16\x12\x04"
                                   "\xc3\xa9\xe2\x82\xac\x80\xd7\xff\xf7\xdf\x1b\x01";
    static const uint8_t rare[] = "\x11\x13\x00";
    for (size_t i = 0; i < length; i++)
        text[i] = rng_below(&p->rng, 25) ? usual[rng_below(&p->rng, sizeof usual - 1)]
                                         : rare[rng_below(&p->rng, sizeof rare)];
}

/* A signal flushes echoes that the host has not handed over yet, which is chance: so nothing is typed with
 * it. */
static size_t make_typing(struct pair *p, uint8_t *text) {
    static const uint8_t signals[] = "\x03\x1c\x1a";
    size_t length = 1 + rng_below(&p->rng, PIECE);
    if (rng_below(&p->rng, 10)) {
        make_text(p, text, length);
        return length;
    }
    text[0] = signals[rng_below(&p->rng, 3)];
    return 1;
}

static void type_some(struct pair *p) {
    uint8_t text[PIECE];
    size_t length = make_typing(p, text);
    note(p, "type", text, length);
    assert_int_equal(discipline_type(p->ours, text, length), length);
    assert_int_equal(write(p->master, text, length), length);
    settle(p);
}

static void print_some(struct pair *p) {
    uint8_t text[PIECE];
    size_t length = 1 + rng_below(&p->rng, PIECE);
    make_text(p, text, length);
    note(p, "print", text, length);
    size_t n = discipline_write(p->ours, text, length);
    ssize_t host_n = write(p->slave, text, length);
    if ((ssize_t)n != (host_n < 0 ? 0 : host_n))
        pair_fail(p, "bytes that were taken", (long)n, host_n);
    settle(p);
}

/* Each with a small chance turned over. */
static void change_flags(struct pair *p, tcflag_t *flags, const tcflag_t *of, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!rng_below(&p->rng, 6))
            *flags ^= of[i];
}

static void change_modes(struct pair *p) {
    static const tcflag_t input[] = {ISTRIP, INLCR, IGNCR, ICRNL, IUCLC, IXON, IXANY, IUTF8, PARMRK};
    static const tcflag_t output[] = {OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET, XTABS};
    static const tcflag_t local[] = {ISIG,   ICANON,  ECHO,    ECHOE,  ECHOK,  ECHONL,
                                     NOFLSH, ECHOCTL, ECHOPRT, ECHOKE, IEXTEN, EXTPROC};
    static const uint8_t keys[] = "\x7f\x15\x17\x16\x12\x04\x11\x13\x00\x00\x00 aX\r\n";
    struct termios2 modes;
    assert_int_equal(ioctl(p->slave, TCGETS2, &modes), 0);
    change_flags(p, &modes.c_iflag, input, ARRAY_LENGTH(input));
    change_flags(p, &modes.c_oflag, output, ARRAY_LENGTH(output));
    change_flags(p, &modes.c_lflag, local, ARRAY_LENGTH(local) - (rng_below(&p->rng, 8) != 0));
    if (!rng_below(&p->rng, 3)) {
        static const uint8_t changed[] = {VERASE, VKILL,    VEOF,    VSTART, VSTOP,
                                          VEOL,   VREPRINT, VWERASE, VLNEXT, VEOL2};
        uint8_t key = changed[rng_below(&p->rng, ARRAY_LENGTH(changed))];
        modes.c_cc[key] = keys[rng_below(&p->rng, sizeof keys - 1)];
    }
    note(p, "modes", &modes, 4 * sizeof(tcflag_t) + 1 + sizeof modes.c_cc);
    assert_int_equal(ioctl(p->slave, TCSETS2, &modes), 0);
    discipline_set_modes(p->ours, &modes);
    assert_int_equal(ioctl(p->slave, TCGETS2, &modes), 0);
    assert_memory_equal(&modes, discipline_modes(p->ours), sizeof modes);
    settle(p);
}

static void flush_some(struct pair *p) {
    note(p, "flush input", NULL, 0);
    assert_int_equal(ioctl(p->slave, TCFLSH, TCIFLUSH), 0);
    discipline_flush_input(p->ours);
    settle(p);
}

static void step(struct pair *p) {
    switch (rng_below(&p->rng, 12)) {
    case 0:
    case 1: change_modes(p); break;
    case 2:
    case 3: print_some(p); break;
    case 4: read_some(p); break;
    case 5: flush_some(p); break;
    default: /* with nothing to be read, so that polling hands over what is typed */
        while (read_some(p))
            ;
        type_some(p);
    }
    take_printed(p);
    settle(p);
}

static void random_sessions_are_the_hosts(void **state) {
    const char *more = getenv("THIMBLE_SEEDS");
    unsigned long seeds = more ? strtoul(more, NULL, 10) : SEEDS;
    static struct pair p;
    for (unsigned long seed = 1; seed <= seeds; seed++) {
        if (!pair_open(&p, seed)) {
            print_message("no pseudo-terminal can be had here\n");
            skip();
        }
        for (int i = 0; i < STEPS; i++)
            step(&p);
        pair_close(&p);
    }
}

/* A line may be longer than there is room for, and is cut. */
static void long_line_is_cut_as_the_hosts(void **state) {
    static struct pair p;
    static uint8_t text[5000], ours[5000], host[5000];
    if (!pair_open(&p, 1))
        skip();
    struct termios2 modes = *discipline_modes(p.ours);
    modes.c_lflag &= ~(tcflag_t)ECHO;
    assert_int_equal(ioctl(p.slave, TCSETS2, &modes), 0);
    discipline_set_modes(p.ours, &modes);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)('a' + i % 26);
    text[sizeof text - 1] = '\n';
    assert_int_equal(discipline_type(p.ours, text, sizeof text), sizeof text);
    assert_int_equal(write(p.master, text, sizeof text), sizeof text);
    settle(&p);
    ssize_t n = discipline_read(p.ours, ours, sizeof ours);
    assert_int_equal(n, 4096);
    compare(&p, "what was read", ours, n, host, read(p.slave, host, sizeof host));
    pair_close(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sessions_are_the_hosts),
        cmocka_unit_test(long_line_is_cut_as_the_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
