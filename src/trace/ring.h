/* From the machine's thread to a user interface's: a ring of events, and the gate that holds the machine.
 *
 *   machine's thread                        another thread
 *   sink: put, gate closed? sleep  ──────►  ring_take(): sleeps until there are events
 *         ▲                                 ring_run_to(), ring_pause(), ring_continue()
 *         └───────────────────────────────────────┘
 *
 * One producer, one consumer. When the ring is full the producer waits for the consumer, which must therefore
 * never wait for anything but ring_take(). A machine that is held uses no CPU. */
#ifndef TRACE_RING_H
#define TRACE_RING_H

#include "trace/goal.h"
#include "trace/sink.h"

struct ring;

/* `paused`: the gate is closed before the first event. 0 or -ENOMEM. */
int ring_create(bool paused, struct ring **ret_ring);
void ring_destroy(struct ring *); /* no thread may be in it */
struct trace_sink *ring_sink(struct ring *);
/* The producer will put nothing more; ring_take() gives the rest and then 0. */
void ring_close(struct ring *);

/* Consumer: waits for events; how many (at most `count`), 0: closed and empty. */
size_t ring_take(struct ring *, struct event *events, size_t count);

/* Any thread. The goal is tested on the machine's side, so that the machine stops exactly behind the event
 * that meets it and runs at full speed up to there. */
void ring_run_to(struct ring *, const struct goal *);
void ring_continue(struct ring *);
void ring_pause(struct ring *); /* it stops behind the next event that is a step */
/* Opens the gate for good (the machine is being ended). */
void ring_release(struct ring *);
/* Whether the machine is held, and behind which event. */
bool ring_is_paused(struct ring *, uint64_t *ret_sequence);

#endif
