/* The terminal that Thimble was started from: which one it is, and what it can do. */
#ifndef TERMINAL_TTY_H
#define TERMINAL_TTY_H

#include <stdbool.h>
#include <stdio.h>

struct tty {
    FILE *output, *input; /* standard ones, or both the same stream that is the tty's own; NULL: none */
    bool ascii;           /* nothing beyond ASCII can be shown */
};

/* 0; -ENOTTY: there is none, -ENXIO: it cannot place its cursor, or TERM does not say how. */
int tty_open(struct tty *);
void tty_close(struct tty *);

#endif
