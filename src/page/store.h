/* The events and states of a run that a page has, as the source of its film (trace/film-source.h).
 *
 * Two kinds. A whole run is in memory from the beginning: a replay. Of a remote run the page has the parts
 * that it looked at: what is missing gives -EAGAIN and is noted as a want; the page fetches it, adds it and
 * asks again. Old parts of a remote run are dropped, so that memory stays bounded however long it is. */
#ifndef PAGE_STORE_H
#define PAGE_STORE_H

#include "trace/film.h"

enum {
    STORE_BLOCK = 4096,      /* events that are fetched and dropped together */
    STORE_REMOTE_BLOCKS = 64 /* that are kept of a remote run: 16 MiB */
};
#define STORE_STATE_BYTES ((size_t)32 << 20) /* of states that are kept */

enum store_want_kind { STORE_WANT_EVENTS, STORE_WANT_STATE, STORE_WANT_FIND };

struct store_want {
    enum store_want_kind kind;
    uint64_t n, count; /* events n … n + count - 1; the state after n; find: from n */
    bool backwards;
    char goal[160]; /* as goal_print() gives it */
};

enum { STORE_WANTS = 4 };

struct store;

/* 0 or -ENOMEM. */
int store_create(bool remote, struct store **ret_store);
/* Only when no film was made of it: the last of its films takes it along. */
void store_destroy(struct store *);
/* A film of what the store has; there may be several, each with a position of its own. 0 or -ENOMEM. */
int store_film(struct store *, const struct trace_header *, struct film **ret_film);

/* How long the run is by now. It never becomes shorter. */
void store_set_length(struct store *, uint64_t events, bool finished, bool cut);
/* Events first … as they come from the server; those that are there already are passed over. 0, -ENOMEM, or
 * -EINVAL: their sequence numbers are wrong, or they do not continue a block. */
int store_add_events(struct store *, uint64_t first, const struct event *, size_t count);
/* A state as fold_save() gives it. 0, -ENOMEM, or as fold_load(). */
int store_add_state(struct store *, uint64_t n, const void *bytes, size_t size);
/* What the first want of kind STORE_WANT_FIND was about: the event, or 0 when there is none. */
void store_add_answer(struct store *, uint64_t n);

/* What is missing; *ret_count of them, at most STORE_WANTS. Kept until store_clear_wants(). */
const struct store_want *store_wants(const struct store *, size_t *ret_count);
void store_clear_wants(struct store *);

#endif
