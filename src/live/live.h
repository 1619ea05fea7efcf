/* A machine that runs while somebody looks: its events go through a ring into a film; it can be paused,
 * stepped and continued; its program has a terminal of its own.
 *
 * The machine runs in the thread that calls live_run(); a collector thread of this module moves events from
 * the ring to the film; user interfaces run in threads of their own and use the rest of these functions.
 * Nothing here touches the machine's state. */
#ifndef LIVE_LIVE_H
#define LIVE_LIVE_H

#include "machine/machine.h"
#include "trace/film.h"

struct live;

struct live_config {
    const struct trace_header *header;
    bool paused;               /* begins held before the first event */
    const struct goal *run_to; /* and runs to this first; NULL: nowhere */
    bool terminal; /* give the programs a pseudo-terminal as descriptors 0–2, which controls them */
    /* Called from other threads when there are new events, or the machine was held, went on or ended. At most
     * 60 times a second unless it was held or ended. Must return soon. May be NULL. */
    void (*changed)(void *context);
    void *context;
};

/* Adds itself to the machine, before its first event. 0 or -errno. */
int live_create(struct machine *, const struct live_config *, struct live **ret_live);
/* Runs what was added to the machine, to its end; finishes the film. As machine_run_programs(). */
int live_run(struct live *, size_t *ret_failed);
/* After live_run() has returned and no other thread uses it. The film goes with it. */
void live_destroy(struct live *);

struct film *live_film(struct live *);

enum live_state { LIVE_RUNNING, LIVE_PAUSED, LIVE_ENDED };
enum live_state live_state(struct live *);
void live_pause(struct live *);
void live_continue(struct live *);
/* Runs on until the goal is met (then it is paused) or the run ends. */
void live_run_to(struct live *, const struct goal *);
/* Ends the machine soon; live_run() returns. */
void live_stop(struct live *);

/* The programs' terminal: descriptors to hand to machine_add_program() (-1 when there is none). */
int live_terminal(struct live *);
/* What was typed; Ctrl-C and its like are signals, as the programs have set their terminal. 0 or -errno, and
 * then nothing was taken; -EAGAIN: the programs do not read; -EIO: they have ended; -ENOTTY: they have no
 * terminal. */
int live_type(struct live *, const char *bytes, size_t length);
/* The terminal is shown in so many rows and columns from now on (at first in 24 and 80): the programs in its
 * foreground get SIGWINCH if that is new. */
void live_set_size(struct live *, unsigned rows, unsigned columns);
/* Output that reached the terminal, from byte `offset` on: up to `size` bytes, how many; what is older than
 * the last 64 KiB is gone (*ret_offset says where the bytes begin). */
size_t live_output(struct live *, uint64_t offset, char *bytes, size_t size, uint64_t *ret_offset);

#endif
