/* Where to stop: "the next step", "the next fault of pid 21", "when main is reached". A goal is looked for in
 * a recorded run (film.h), forwards or backwards, or is what a paused machine runs to (ring.h); both stop
 * after the first event that meets it. Text form: docs/TRACE.md and the URL of the page use it. */
#ifndef TRACE_GOAL_H
#define TRACE_GOAL_H

#include <stddef.h>

#include "trace/event.h"

enum goal_kind {
    GOAL_STEP,     /* the next event that is a step of the story: see event_is_step() */
    GOAL_FAULT,    /* a fault is raised */
    GOAL_SERVED,   /* a fault has been served (or has failed) */
    GOAL_KIND,     /* an event of kind `event` */
    GOAL_SYSCALL,  /* system call `number` is entered */
    GOAL_REACHED,  /* a watched place is reached: `number` is the address, 0: any of kind `reached` */
    GOAL_SEQUENCE, /* event `number`, or the first step behind it */
    GOAL_END,      /* never: to the end of the run */
    GOALS
};

/* All of it must hold. */
struct goal {
    enum goal_kind kind;
    uint32_t pid;     /* 0: whichever */
    uint16_t event;   /* enum event_kind, for GOAL_KIND */
    uint16_t reached; /* enum event_reached, for GOAL_REACHED */
    uint64_t number;
    uint64_t skip;   /* so many that meet it are passed over first: "fault=N" is GOAL_FAULT with skip N - 1 */
    uint64_t object; /* 0: whichever; else a page of this object is read (which is how a fault's object shows)
                        or written back */
};

/* The sub-steps that are shown one by one: raising a fault, victim, write-out, a changed entry, filling,
 * resuming; switches; machine, process, space, mapping, signal and system-call events; a place reached.
 * Bookkeeping between them (strings, labels, contents, output, objects, frames, slots, entries of which only
 * the referenced and dirty marks change) is shown with the step that follows. */
bool event_is_step(const struct event *);

/* Whether this event meets the goal, `skip` left aside. */
bool goal_met(const struct goal *, const struct event *);

/* From text: step | fault | served | fault=N | kind=NAME | syscall=NAME | main | _start | watched |
 * 0xADDRESS | event=N | end, each with an optional ",pid=N", ",object=N" and ",skip=N". `ret_symbol` receives
 * the text when it is none of these: a symbol's name, to be resolved by the caller, who puts its address into
 * ret_goal->number (NULL: symbols are refused); else NULL. Returns NULL, or what is wrong with it (static
 * text). */
const char *goal_parse(const char *text, struct goal *ret_goal, const char **ret_symbol);
/* Into `text`, NUL-terminated, as goal_parse() reads it. */
void goal_print(const struct goal *, char *text, size_t size);

#endif
