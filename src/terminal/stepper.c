/* The stepper's life: it takes the terminal over, waits for keys, events and signals, and gives it back.
 *
 * Signals are read from a descriptor, so that nothing happens at a moment that was not chosen. */
#include "terminal/stepper.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "terminal/keys.h"
#include "terminal/parts.h"

enum {
    ESCAPE_MILLISECONDS = 50, /* after which an Escape is a key, and no beginning of one */
    PATIENCE = 300,           /* milliseconds, before a run that has nothing to show yet is shown */
};

int stepper_create(const struct stepper_config *config, struct stepper **ret_stepper) {
    struct stepper *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->config = *config;
    pthread_mutex_init(&s->lock, NULL);
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->signal_fd = signalfd(-1, config->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    int error = s->wake_fd < 0 || s->signal_fd < 0 ? -errno : tty_open(&s->tty);
    if (!error)
        error = nav_create(config->film, config->live != NULL, &s->nav);
    if (error) {
        stepper_destroy(s);
        return error;
    }
    *ret_stepper = s;
    return 0;
}

void stepper_destroy(struct stepper *s) {
    if (!s)
        return;
    if (s->nav)
        nav_destroy(s->nav);
    tty_close(&s->tty);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    if (s->signal_fd >= 0)
        close(s->signal_fd);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void stepper_changed(struct stepper *s) {
    uint64_t one = 1;
    ssize_t written = write(s->wake_fd, &one, sizeof one); /* cannot fail: the counter is far from full */
    (void)written;
}

void stepper_say(struct stepper *s, const char *line) {
    pthread_mutex_lock(&s->lock);
    snprintf(s->said, sizeof s->said, "%s", line);
    pthread_mutex_unlock(&s->lock);
    stepper_changed(s);
}

void stepper_end(struct stepper *s) {
    atomic_store(&s->ending, true);
    stepper_changed(s);
}

/* ---- the screen ---- */

static SCREEN *screen_begin(struct stepper *s) {
    const char *no_colour = getenv("NO_COLOR");
    SCREEN *screen = newterm(NULL, s->tty.output, s->tty.input);
    if (!screen)
        return NULL;
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_MILLISECONDS);
    paint_begin(&s->paint, !no_colour || !*no_colour, s->tty.ascii);
    return screen;
}

static void screen_end(SCREEN *screen) {
    curs_set(1);
    endwin();
    delscreen(screen);
}

static void screen_resize(const struct stepper *s) {
    struct winsize size;
    if (!ioctl(fileno(s->tty.output), TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
        resizeterm(size.ws_row, size.ws_col);
    clearok(curscr, TRUE);
}

void stepper_suspend(struct stepper *s) {
    curs_set(1);
    endwin();
    pthread_kill(pthread_self(), SIGSTOP); /* all threads stop, this one before it goes on */
    screen_resize(s);                      /* meanwhile it may have another size, and other things on it */
}

/* ---- waiting ---- */

static void take_signals(struct stepper *s) {
    struct signalfd_siginfo info;
    while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        switch (info.ssi_signo) {
        case SIGWINCH:
        case SIGCONT: screen_resize(s); break;
        case SIGTSTP: stepper_suspend(s); break;
        default: s->ended_by = (int)info.ssi_signo; s->leaving = true;
        }
    }
}

static void take_said(struct stepper *s) {
    pthread_mutex_lock(&s->lock);
    if (s->said[0])
        memcpy(s->notice, s->said, sizeof s->notice);
    s->said[0] = 0;
    pthread_mutex_unlock(&s->lock);
}

/* The run has ended without ever coming to where it was to begin: it is shown where it came to. */
static void begin_at_end(struct stepper *s) {
    if (!s->notice[0])
        snprintf(s->notice, sizeof s->notice, "%s", nav_message(s->nav));
    keyboard_follow(s, nav_go(s->nav, film_events(s->config.film)));
}

static void take_news(struct stepper *s) {
    uint64_t count;
    if (read(s->wake_fd, &count, sizeof count) < 0)
        return;
    s->leaving |= atomic_load(&s->ending);
    take_said(s);
    bool began = nav_position(s->nav) != 0, finished = film_is_finished(s->config.film);
    keyboard_follow(s, nav_arrived(s->nav));
    if (!began && finished && !nav_position(s->nav))
        begin_at_end(s);
    if (s->mode == MODE_TYPE && finished)
        s->mode = MODE_WALK; /* nobody reads any more */
}

static void take_keys(struct stepper *s) {
    bool more = true;
    while (more && !s->leaving) {
        int key = keys_next(&more);
        if (key != KEYS_NONE)
            keyboard_press(s, key);
    }
}

/* Waits for something and takes it. */
static void wait_and_take(struct stepper *s) {
    enum { NEWS, SIGNALS, KEYS };
    struct pollfd fds[] = {
        [NEWS] = {.fd = s->wake_fd, .events = POLLIN},
        [SIGNALS] = {.fd = s->signal_fd, .events = POLLIN},
        [KEYS] = {.fd = fileno(s->tty.input), .events = POLLIN},
    };
    if (poll(fds, sizeof fds / sizeof *fds, -1) < 0)
        return; /* EINTR: look again */
    if (fds[NEWS].revents)
        take_news(s);
    if (fds[SIGNALS].revents)
        take_signals(s);
    if (fds[KEYS].revents & POLLIN)
        take_keys(s);
    else if (fds[KEYS].revents) { /* the terminal is gone */
        s->ended_by = SIGHUP;
        s->leaving = true;
    }
}

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A run that cannot even begin must not make the screen flicker: until the machine is held where the stepper
 * wants to begin, or ended by stepper_end(), there is nothing to be seen; but not for long. */
static void wait_for_beginning(struct stepper *s) {
    int64_t end = milliseconds_now() + PATIENCE, left = PATIENCE;
    while (!s->leaving && left > 0 && live_state(s->config.live) != LIVE_PAUSED) {
        struct pollfd fds[] = {
            {.fd = s->wake_fd, .events = POLLIN},
            {.fd = s->signal_fd, .events = POLLIN},
        };
        if (poll(fds, sizeof fds / sizeof *fds, (int)left) > 0 && fds[1].revents)
            break; /* the loop below takes signals */
        take_news(s);
        left = end - milliseconds_now();
    }
}

/* ---- the whole ---- */

static void begin(struct stepper *s) {
    keyboard_follow(s, nav_find(s->nav, s->config.until));
    if (s->config.live)
        wait_for_beginning(s);
}

int stepper_run(struct stepper *s) {
    begin(s);
    if (s->leaving)
        return s->ended_by;
    SCREEN *screen = screen_begin(s);
    if (!screen)
        return SIGHUP; /* it was there when we looked */
    while (!s->leaving) {
        panes_draw(s);
        wait_and_take(s);
    }
    screen_end(screen);
    return s->ended_by;
}
