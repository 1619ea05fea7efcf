/* See terminal.h.
 *
 *   programs ── descriptor 0–2 ── line discipline of the host ── other end ── thread ── output kept
 *                                                                    ▲
 *                                                                    └── typed, waiting
 *
 * The thread sleeps in poll() until something is printed or can be typed. */
#include "live/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/base.h"

enum {
    TYPED_LIMIT = 1 << 12, /* bytes that may wait */
    LAST_WORDS = 50,       /* milliseconds in which the host delivers what was printed at the end */
};

struct terminal {
    int other_end, programs_end;
    int wake; /* an event descriptor: typed or finished */
    void (*printed)(void *context);
    void *context;
    pthread_t thread;
    bool running; /* the thread */

    pthread_mutex_t lock; /* guards what follows */
    bool finished;
    char kept[TERMINAL_KEPT]; /* byte n of the output is at n % TERMINAL_KEPT */
    uint64_t printed_total;
    char typed[TYPED_LIMIT];
    size_t typed_length;
};

/* ---- the thread ---- */

static void keep(struct terminal *t, const char *bytes, size_t length) {
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < length; i++)
        t->kept[t->printed_total++ % TERMINAL_KEPT] = bytes[i];
    pthread_mutex_unlock(&t->lock);
    t->printed(t->context);
}

/* Takes what was printed. False: nothing was, or never will be again. */
static bool take_output(struct terminal *t) {
    char bytes[4096];
    ssize_t length = read(t->other_end, bytes, sizeof bytes);
    if (length > 0)
        keep(t, bytes, (size_t)length);
    return length > 0;
}

/* Types what waits, as much as the terminal takes. */
static void give_input(struct terminal *t) {
    pthread_mutex_lock(&t->lock);
    ssize_t length = t->typed_length ? write(t->other_end, t->typed, t->typed_length) : 0;
    if (length > 0) {
        t->typed_length -= (size_t)length;
        memmove(t->typed, t->typed + length, t->typed_length);
    }
    pthread_mutex_unlock(&t->lock);
}

/* What the thread waits for now. */
static short events_wanted(struct terminal *t, bool *ret_finished) {
    pthread_mutex_lock(&t->lock);
    short events = (short)(POLLIN | (t->typed_length ? POLLOUT : 0));
    *ret_finished = t->finished;
    pthread_mutex_unlock(&t->lock);
    return events;
}

static void *terminal_thread(void *context) {
    struct terminal *t = context;
    bool finished = false;
    do {
        struct pollfd fds[] = {{.fd = t->other_end, .events = events_wanted(t, &finished)},
                               {.fd = t->wake, .events = POLLIN}};
        uint64_t count;
        int ready = poll(fds, finished ? 1 : 2, finished ? LAST_WORDS : -1);
        if (ready <= 0 && finished)
            break;
        if (fds[1].revents & POLLIN && read(t->wake, &count, sizeof count) < 0)
            break;
        if (fds[0].revents & POLLOUT)
            give_input(t);
    } while (take_output(t) || !finished);
    return NULL;
}

/* ---- making ---- */

static int open_ends(struct terminal *t) {
    const struct winsize size = {.ws_row = TERMINAL_ROWS, .ws_col = TERMINAL_COLUMNS};
    if (openpty(&t->other_end, &t->programs_end, NULL, NULL, &size))
        return -errno;
    if (fcntl(t->other_end, F_SETFD, FD_CLOEXEC) || fcntl(t->programs_end, F_SETFD, FD_CLOEXEC) ||
        fcntl(t->other_end, F_SETFL, O_NONBLOCK))
        return -errno;
    t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return t->wake < 0 ? -errno : 0;
}

/* The host's signals are for the machine's thread. */
static int start_thread(struct terminal *t) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = -pthread_create(&t->thread, NULL, terminal_thread, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    t->running = !error;
    return error;
}

int terminal_open(void (*printed)(void *context), void *context, struct terminal **ret_terminal) {
    struct terminal *t = calloc(1, sizeof *t);
    if (!t)
        return -ENOMEM;
    t->other_end = t->programs_end = t->wake = -1;
    t->printed = printed;
    t->context = context;
    pthread_mutex_init(&t->lock, NULL);
    int error = open_ends(t);
    if (!error)
        error = start_thread(t);
    if (error)
        terminal_close(t);
    else
        *ret_terminal = t;
    return error;
}

static void wake_thread(const struct terminal *t) {
    const uint64_t one = 1;
    ssize_t written = write(t->wake, &one, sizeof one); /* cannot fail: the counter is far from full */
    (void)written;
}

void terminal_finish(struct terminal *t) {
    if (!t->running)
        return;
    pthread_mutex_lock(&t->lock);
    t->finished = true;
    t->typed_length = 0;
    pthread_mutex_unlock(&t->lock);
    wake_thread(t);
    pthread_join(t->thread, NULL);
    t->running = false;
}

void terminal_close(struct terminal *t) {
    if (!t)
        return;
    terminal_finish(t);
    const int descriptors[] = {t->other_end, t->programs_end, t->wake};
    for (size_t i = 0; i < ARRAY_LENGTH(descriptors); i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

int terminal_descriptor(const struct terminal *t) {
    return t->programs_end;
}

/* ---- any thread ---- */

size_t terminal_output(struct terminal *t, uint64_t offset, char *bytes, size_t size, uint64_t *ret_offset) {
    pthread_mutex_lock(&t->lock);
    uint64_t oldest = t->printed_total - min_u64(t->printed_total, TERMINAL_KEPT);
    offset = min_u64(max_u64(offset, oldest), t->printed_total);
    size_t length = (size_t)min_u64(size, t->printed_total - offset);
    for (size_t i = 0; i < length; i++)
        bytes[i] = t->kept[(offset + i) % TERMINAL_KEPT];
    pthread_mutex_unlock(&t->lock);
    *ret_offset = offset;
    return length;
}

int terminal_type(struct terminal *t, const char *bytes, size_t length) {
    pthread_mutex_lock(&t->lock);
    int error = t->finished ? -EIO : length > TYPED_LIMIT - t->typed_length ? -EAGAIN : 0;
    if (!error) {
        memcpy(t->typed + t->typed_length, bytes, length);
        t->typed_length += length;
    }
    pthread_mutex_unlock(&t->lock);
    if (!error)
        wake_thread(t);
    return error;
}

bool terminal_set_size(const struct terminal *t, unsigned rows, unsigned columns) {
    struct winsize size;
    if (ioctl(t->programs_end, TIOCGWINSZ, &size) || (size.ws_row == rows && size.ws_col == columns))
        return false;
    size.ws_row = (unsigned short)min_u32(rows, UINT16_MAX);
    size.ws_col = (unsigned short)min_u32(columns, UINT16_MAX);
    return ioctl(t->programs_end, TIOCSWINSZ, &size) == 0;
}

int terminal_signal(const struct terminal *t, char typed) {
    static const struct {
        int character, signal;
    } keys[] = {{VINTR, SIGINT}, {VQUIT, SIGQUIT}, {VSUSP, SIGTSTP}};
    struct termios modes;
    if (tcgetattr(t->programs_end, &modes) || !(modes.c_lflag & ISIG))
        return 0;
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        if (typed && modes.c_cc[keys[i].character] == (cc_t)typed)
            return keys[i].signal;
    return 0;
}
