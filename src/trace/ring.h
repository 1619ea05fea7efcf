/* From the machine's thread to a user interface's: a ring of events, and the gate that holds the machine.
 *
 *   machine's thread                        another thread
 *   sink: put, gate closed? sleep  ──────►  ring_take(): sleeps until there are events
 *         ▲                                 ring_run_to(), ring_pause(), ring_continue()
 *         └───────────────────────────────────────┘
 *
 * One producer, one consumer. When the ring is full the producer waits for the consumer, which must therefore
 * never wait for anything but ring_take(). A machine that is held uses no CPU, and neither does a consumer to
 * whom nothing comes. Events that trickle are taken a few milliseconds late and together, so that handing one
 * over costs no system call. */
#ifndef TRACE_RING_H
#define TRACE_RING_H

#include "trace/goal.h"
#include "trace/sink.h"

struct ring;

/* `paused`: the gate is closed before the first event. 0 or -ENOMEM. */
int ring_create(bool paused, struct ring **ret_ring);
void ring_destroy(struct ring *); /* no thread may be in it */
struct trace_sink *ring_sink(struct ring *);
/* The producer will put nothing more; ring_take() gives the rest and then says RING_CLOSED. */
void ring_close(struct ring *);

enum ring_taken {
    RING_EVENTS,
    RING_WOKEN, /* no events, but ring_wake() was called or the time is over */
    RING_CLOSED /* and empty */
};

/* Consumer: waits for events, at most `milliseconds` (-1: without end). *ret_taken of them, at most `count`,
 * when RING_EVENTS is returned. */
enum ring_taken ring_take(struct ring *, struct event *events, size_t count, int milliseconds,
                          size_t *ret_taken);
/* Makes ring_take() return. Any thread. */
void ring_wake(struct ring *);

/* Any thread. The goal is tested on the machine's side, so that the machine stops exactly behind the event
 * that meets it and runs at full speed up to there. */
void ring_run_to(struct ring *, const struct goal *);
void ring_continue(struct ring *);
void ring_pause(struct ring *); /* it stops behind the next event that is a step */
/* Opens the gate for good (the machine is being ended). */
void ring_release(struct ring *);
/* Whether the machine is held, and behind which event. The consumer that has taken this event finds true. */
bool ring_is_paused(struct ring *, uint64_t *ret_sequence);

#endif
