/* Where a film gets its events and states from: a trace file (film-file.c), a run that grows
 * (film-growing.c), a page in a browser. film.c does the rest and uses nothing but this: no file, no thread,
 * no packing. */
#ifndef TRACE_FILM_SOURCE_H
#define TRACE_FILM_SOURCE_H

#include "trace/film.h"

/* Every one of them may be called by several threads, if the film is. */
struct film_source_ops {
    /* Events so far. It only grows. */
    uint64_t (*events)(void *context);
    bool (*is_finished)(void *context);
    bool (*is_cut)(void *context);
    /* Events n, n + 1, … with 1 <= n <= events(): at least one and at most `count` of them; *ret_count how
     * many. 0 or -errno; -EAGAIN: they are not here yet and have been asked for. */
    int (*read)(void *context, uint64_t n, struct event *events, size_t count, size_t *ret_count);
    /* The latest state that is kept at or before event n and behind event `after`: the caller's from now.
     * -ENOMEM; -EAGAIN: it is not here yet; anything else: none, the events are replayed. May be NULL: no
     * state is kept. */
    int (*state)(void *context, uint64_t n, uint64_t after, struct fold **ret_fold);
    /* As film_find(). May be NULL: the events are searched one after the other. */
    int (*find)(void *context, uint64_t from, bool backwards, const struct goal *, uint64_t *ret_n);
    /* As film_timeline(). May be NULL: the events are counted. */
    int (*timeline)(void *context, size_t buckets, uint32_t (*ret_counts)[FILM_TIMELINE_KINDS]);
    void (*destroy)(void *context);
};

/* The source is the film's from now; on failure it stays the caller's. The header belongs to the source and
 * must live as long. 0 or -ENOMEM. */
int film_create_from(const struct film_source_ops *, void *context, const struct trace_header *,
                     struct film **ret_film);
/* The context of a film that was made with these operations. */
void *film_source_context(const struct film *, const struct film_source_ops *);

#endif
