/* What `step` and `web` have in common: the film that is watched, recorded or live, and the signals that end
 * it. */
#ifndef UI_WATCH_H
#define UI_WATCH_H

#include <signal.h>

#include "live/live.h"
#include "ui/session.h"

/* The signals that an interface handles itself: blocked in every thread from now on, to be waited for. Those
 * that end it, and where it has a `screen` those that concern that. */
void watch_take_signals(bool screen, sigset_t *ret_signals);

/* Where a run begins to be watched: what --until says, else where the first program begins. */
void watch_get_beginning(const struct options *, struct goal *ret_goal);

/* Opens the recording, says on standard error what is wrong with it, and finds the event to begin with. NULL:
 * it cannot be opened, or has no such event. */
struct film *watch_open(const struct options *, uint64_t *ret_begin);

/* The session's machine, held before it does anything until live_run(). `run_on`: then it runs to the
 * beginning, else it waits to be told. `changed` as in live_config. NULL: was reported. */
struct live *watch_create(struct session *, bool run_on, void (*changed)(void *context), void *context);

/* One line that says what is watched: what --title says, the command, or the recording's name and its
 * command. malloc'd; NULL: out of memory. */
char *watch_title(const struct options *, const struct trace_header *);

#endif
