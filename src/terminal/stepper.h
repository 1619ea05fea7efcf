/* The stepper: a run, recorded or live, in the terminal that Thimble was started from.
 *
 *   1 line    what is watched, and where we are
 *   15 up     the picture
 *   2         the narration
 *   4 up      the programs' terminal: what they wrote, and their input while it has the keyboard
 *   1         a message, or a question and its answer
 *   1         the keys
 *
 * It takes the terminal over when it has something to show, and gives it back as it was, however it ends. It
 * uses no CPU while nothing happens. */
#ifndef TERMINAL_STEPPER_H
#define TERMINAL_STEPPER_H

#include <signal.h>

#include "live/live.h"
#include "trace/film.h"

struct stepper;

struct stepper_config {
    const char *title; /* what is watched; live as long as the terminal */
    struct film *film;
    struct live *live;        /* NULL: recorded */
    const struct goal *until; /* where it begins */
    bool until_was_asked;     /* by the user: then it is said when the run never came there */
    const sigset_t *signals;  /* blocked in every thread: they are handled here */
};

/* 0; -ENOTTY: there is no terminal, -ENXIO: it cannot place its cursor (TERM), or another -errno. */
int stepper_create(const struct stepper_config *, struct stepper **ret_stepper);
/* There are more events, or the machine was held, went on or ended. From any thread; returns at once. */
void stepper_changed(struct stepper *);
/* Shows a line about the machine, until the next key. From any thread; returns at once. */
void stepper_say(struct stepper *, const char *line);
/* Ends stepper_run() soon. From any thread. */
void stepper_end(struct stepper *);
/* Until the user leaves: 0; or until a signal that ends processes: its number. */
int stepper_run(struct stepper *);
void stepper_destroy(struct stepper *); /* NULL is allowed */

#endif
