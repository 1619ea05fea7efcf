/* The line discipline of a pseudo-terminal: what lies between its two ends.
 *
 *      other end                                                    programs
 *   discipline_type() ──► edit, echo, make signals ──► lines ──► discipline_read()
 *   discipline_take() ◄── printed ◄── post-process ◄──────────── discipline_write()
 *
 * It is Linux's standard one, N_TTY, as the other end and the programs can observe it: termios(3), and where
 * that is silent what Linux 6 does (the unit test compares both). It knows bytes and modes; who may read, who
 * sleeps, and whom a signal reaches is for its user to say. */
#ifndef KERNEL_DISCIPLINE_H
#define KERNEL_DISCIPLINE_H

#include <asm/termbits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/inject.h"

struct discipline;

/* What the user of a discipline is told, in the middle of the functions below. */
struct discipline_client {
    void (*signal)(void *context, int signal);    /* was typed: for the foreground group */
    void (*changed)(void *context, unsigned how); /* TIOCPKT_* bits for a master in packet mode */
    void *context;
};

/* With the modes that a new pseudo-terminal has. 0 or -ENOMEM. */
int discipline_create(struct inject *, const struct discipline_client *, struct discipline **ret_discipline);
void discipline_destroy(struct discipline *); /* NULL is allowed */

const struct termios2 *discipline_modes(const struct discipline *);
void discipline_set_modes(struct discipline *, const struct termios2 *);

/* ---- the programs' end ---- */

/* What read() gives now: a line or less of it in canonical mode (0: end of file was typed), else up to
 * `length` of the bytes there. -EAGAIN: nothing is there. */
ssize_t discipline_read(struct discipline *, void *to, size_t length);
/* Whether `least` bytes can be read; in canonical mode whether a line can. */
bool discipline_readable(const struct discipline *, size_t least);
size_t discipline_readable_bytes(const struct discipline *); /* as FIONREAD counts them */
/* Prints. How many of the bytes were taken: fewer when the other end does not read, or output is stopped. */
size_t discipline_write(struct discipline *, const void *from, size_t length);
bool discipline_writable(const struct discipline *);
/* tcflow(): output is held until discipline_start(), whatever is typed. */
void discipline_stop(struct discipline *);
void discipline_start(struct discipline *);
/* tcflush(). */
void discipline_flush_input(struct discipline *);
void discipline_flush_output(struct discipline *);
/* A byte to the other end, past everything that waits: a stop or start character. */
void discipline_send(struct discipline *, uint8_t byte);

/* ---- the other end ---- */

/* Types. How many of the bytes were taken: fewer when the programs do not read. */
size_t discipline_type(struct discipline *, const void *from, size_t length);
size_t discipline_type_room(const struct discipline *); /* bytes that would be taken now */
void discipline_flush_typed(struct discipline *);       /* those that wait, not yet processed */
/* Takes what was printed: bytes, 0 when there are none. */
size_t discipline_take(struct discipline *, void *to, size_t length);
size_t discipline_printed(const struct discipline *); /* bytes */
void discipline_flush_printed(struct discipline *);

/* Verifies the invariants. NULL, or what is wrong. */
const char *discipline_check(const struct discipline *);

#endif
