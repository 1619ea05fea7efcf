/* A run as something to wind to and fro: its events by number, and the state after each. One interface for a
 * recorded trace, a machine that is still running, and a page in a browser that has only part of the events
 * (film-source.h).
 *
 * Several threads may use a film at once, but for film_state() and film_timeline(): those are for one. */
#ifndef TRACE_FILM_H
#define TRACE_FILM_H

#include "trace/event.h"
#include "trace/fold.h"
#include "trace/goal.h"
#include "trace/header.h"

struct film;

/* A native trace file. 0 or -errno as trace_reader_open(); trace/explain.h has sentences for them. Opens at
 * once, whatever its size; memory stays bounded. A file that was cut ends at the cut. */
int film_open(const char *path, struct film **ret_film);
/* Of a run that grows by film_append(): events are kept packed, old ones in an unlinked temporary file;
 * memory stays bounded. One thread appends, others may look meanwhile. The header is copied. */
int film_create(const struct trace_header *, struct film **ret_film);
int film_append(struct film *, const struct event *, size_t count); /* 0 or -errno: then it ends here */
void film_finish(struct film *);                                    /* no event follows */
void film_destroy(struct film *);                                   /* NULL is allowed */

const struct trace_header *film_header(const struct film *);
uint64_t film_events(const struct film *); /* so far; numbered 1 … */
bool film_is_finished(const struct film *);
bool film_is_cut(const struct film *); /* events are missing at the end */

/* All of these: 0 or -errno; -EINVAL: there is no such event (yet); -EAGAIN: not here yet, film_wanted() says
 * what to fetch (a page in a browser only). */

int film_event(struct film *, uint64_t n, struct event *ret_event);
/* Events n … as many as there are, up to `count`; *ret_count of them. */
int film_read(struct film *, uint64_t n, struct event *events, size_t count, size_t *ret_count);
/* The state after event n (0: before the first). Valid until the next film_state() of this film; small steps
 * forwards and backwards from the last call's n are cheap. */
int film_state(struct film *, uint64_t n, const struct fold **ret_fold);
/* The nearest event after `from` (backwards: before it) that meets the goal. -ENOENT: none (so far). */
int film_find(struct film *, uint64_t from, bool backwards, const struct goal *, uint64_t *ret_n);

/* The first event that contradicts those before it, why (static text), and how many do. -ENOENT: none does.
 * It may take as long as film_state() of the last event, and moves what film_state() gave. */
int film_complaint(struct film *, uint64_t *ret_n, const char **ret_why, uint64_t *ret_count);

/* How many faults of each kind (enum event_fault, failed included) fall into each of `buckets` equal parts of
 * events 1 … film_events(), to within a 16384th part of them at each border. Costs one pass over what was
 * added since the last call. */
enum { FILM_TIMELINE_KINDS = EVENT_FAULT_KINDS + 1 };
int film_timeline(struct film *, size_t buckets, uint32_t (*ret_counts)[FILM_TIMELINE_KINDS]);

#endif
