/* See film.h: winding to and fro, searching, the timeline, over any source of events (film-source.h).
 *
 *   events   1 ………………………………………………………………………………………………… film_events()
 *   source   ▪ states kept ▪                      ▪
 *   shelf                  ▫    ▫    ▫    ▫         states that the cursor came through, saved
 *   cursor                                   ▲      one fold
 *
 * To show event n the cursor goes on from where it is, or begins anew from the latest of the states at or
 * before n. The shelf makes going back by small steps as cheap as going forward. */
#include "trace/film-source.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base.h"

enum {
    FILM_BATCH = 1024,       /* events read at a time */
    FILM_NEAR = 2048,        /* so far the cursor simply goes on */
    SHELF_STATES = 32,       /* saved at most, the oldest makes room … */
    SHELF_EVENTS = 2048,     /* … at least so many events apart … */
    SHELF_RATIO = 4,         /* … whose bytes are so many times those of the state */
    SHELF_LIMIT = 1 << 26,   /* bytes, all together */
    TIMELINE_CELLS = 1 << 14 /* at most: a power of two */
};

struct shelf_state {
    uint64_t sequence;
    void *bytes; /* fold_save()'s; NULL: the place is free */
    size_t size;
};

/* Counts of faults in cells of equal width. When the cells are full, two become one. */
struct timeline {
    uint32_t (*cells)[FILM_TIMELINE_KINDS]; /* TIMELINE_CELLS; NULL: not asked for yet */
    uint64_t width;                         /* events a cell: a power of two */
    uint64_t counted;                       /* events so far */
};

struct film {
    const struct film_source_ops *ops;
    void *context;
    const struct trace_header *header;
    struct fold *cursor;  /* NULL: none; else the state after event cursor->sequence */
    struct event *events; /* FILM_BATCH, for the cursor and the timeline */
    struct shelf_state shelf[SHELF_STATES];
    size_t shelf_next; /* the place that is filled next */
    size_t shelf_size; /* bytes on it */
    struct timeline timeline;
};

/* ---- making ---- */

int film_create_from(const struct film_source_ops *ops, void *context, const struct trace_header *header,
                     struct film **ret_film) {
    struct film *f = calloc(1, sizeof *f);
    if (!f)
        return -ENOMEM;
    f->events = malloc(FILM_BATCH * sizeof *f->events);
    if (!f->events) {
        free(f);
        return -ENOMEM;
    }
    f->ops = ops;
    f->context = context;
    f->header = header;
    *ret_film = f;
    return 0;
}

void film_destroy(struct film *f) {
    if (!f)
        return;
    f->ops->destroy(f->context);
    fold_destroy(f->cursor);
    for (size_t i = 0; i < SHELF_STATES; i++)
        free(f->shelf[i].bytes);
    free(f->timeline.cells);
    free(f->events);
    free(f);
}

void *film_source_context(const struct film *f, const struct film_source_ops *ops) {
    assert(f->ops == ops);
    return f->context;
}

/* ---- what there is ---- */

const struct trace_header *film_header(const struct film *f) {
    return f->header;
}

uint64_t film_events(const struct film *f) {
    return f->ops->events(f->context);
}

bool film_is_finished(const struct film *f) {
    return f->ops->is_finished(f->context);
}

bool film_is_cut(const struct film *f) {
    return f->ops->is_cut(f->context);
}

int film_read(struct film *f, uint64_t n, struct event *events, size_t count, size_t *ret_count) {
    uint64_t total = film_events(f);
    if (!n || n > total)
        return -EINVAL;
    count = (size_t)min_u64(count, total - n + 1);
    size_t done = 0;
    while (done < count) {
        size_t more;
        int error = f->ops->read(f->context, n + done, events + done, count - done, &more);
        if (error)
            return error;
        done += more;
    }
    *ret_count = done;
    return 0;
}

int film_event(struct film *f, uint64_t n, struct event *ret_event) {
    size_t count;
    return film_read(f, n, ret_event, 1, &count);
}

/* ---- the shelf ---- */

static void shelf_clear_place(struct film *f, struct shelf_state *place) {
    f->shelf_size -= place->size;
    free(place->bytes);
    *place = (struct shelf_state){0};
}

/* The latest at or before event n; NULL: none. */
static struct shelf_state *shelf_find(struct film *f, uint64_t n) {
    struct shelf_state *best = NULL;
    for (size_t i = 0; i < SHELF_STATES; i++) {
        struct shelf_state *s = &f->shelf[i];
        if (s->bytes && s->sequence <= n && (!best || s->sequence > best->sequence))
            best = s;
    }
    return best;
}

/* Whether the cursor, which has come here from event `start`, is at a place worth keeping. */
static bool shelf_wants(struct film *f, uint64_t start) {
    uint64_t here = f->cursor->sequence;
    const struct shelf_state *near = shelf_find(f, here);
    size_t size = near ? near->size : 0;
    if (near)
        start = max_u64(start, near->sequence);
    return here - start >= SHELF_EVENTS && (here - start) * sizeof(struct event) >= SHELF_RATIO * size;
}

/* Saves the cursor's state. That there is no memory for it costs time later, nothing else. */
static void shelf_put(struct film *f) {
    struct shelf_state *place = &f->shelf[f->shelf_next], saved = {.sequence = f->cursor->sequence};
    if (fold_save(f->cursor, &saved.bytes, &saved.size))
        return;
    if (saved.size > SHELF_LIMIT) {
        free(saved.bytes);
        return;
    }
    for (size_t i = 0; place->bytes || f->shelf_size + saved.size > SHELF_LIMIT; i++)
        shelf_clear_place(f, &f->shelf[(f->shelf_next + i) % SHELF_STATES]);
    *place = saved;
    f->shelf_size += saved.size;
    f->shelf_next = (f->shelf_next + 1) % SHELF_STATES;
}

/* ---- the cursor ---- */

static void cursor_set(struct film *f, struct fold *state) {
    fold_destroy(f->cursor);
    f->cursor = state;
}

/* Replaces the cursor by a state that the source keeps, if that is nearer than event `from`. 0, -ENOMEM,
 * -EAGAIN. */
static int cursor_from_source(struct film *f, uint64_t n, uint64_t from) {
    struct fold *state;
    int error = f->ops->state ? f->ops->state(f->context, n, from, &state) : -ENOENT;
    if (!error)
        cursor_set(f, state);
    return error == -ENOMEM || error == -EAGAIN ? error : 0;
}

static int cursor_from_shelf(struct film *f, struct shelf_state *from) {
    struct fold *state;
    int error = fold_load(from->bytes, from->size, NULL, &state);
    if (!error)
        cursor_set(f, state);
    return error;
}

/* Puts the cursor at event n or before it, as near as can be had without replaying. */
static int cursor_place(struct film *f, uint64_t n) {
    bool ahead = !f->cursor || f->cursor->sequence > n;
    uint64_t at = ahead ? 0 : f->cursor->sequence;
    struct shelf_state *shelf = shelf_find(f, n);
    if (!ahead && n - at <= FILM_NEAR)
        return 0;
    int error = 0;
    if (shelf && shelf->sequence > at) {
        error = cursor_from_shelf(f, shelf);
        at = shelf->sequence;
    }
    if (!error && n - at > FILM_NEAR)
        error = cursor_from_source(f, n, at);
    if (error || (f->cursor && f->cursor->sequence <= n))
        return error;
    struct fold *state = fold_create(NULL);
    if (!state)
        return -ENOMEM;
    cursor_set(f, state);
    return 0;
}

/* Applies the events up to n. What is applied stays applied, also when the rest is not here yet. */
static int cursor_advance(struct film *f, uint64_t n) {
    uint64_t start = f->cursor->sequence;
    while (f->cursor->sequence < n) {
        uint64_t at = f->cursor->sequence;
        size_t count = 0;
        int error = f->ops->read(f->context, at + 1, f->events, (size_t)min_u64(n - at, FILM_BATCH), &count);
        for (size_t i = 0; i < count && !error; i++)
            error = f->events[i].sequence == at + 1 + i ? fold_apply(f->cursor, &f->events[i]) : -EBADMSG;
        if (error == -ENOMEM)
            cursor_set(f, NULL); /* it is of no use any more */
        if (error)
            return error;
        if (shelf_wants(f, start))
            shelf_put(f);
    }
    return 0;
}

int film_state(struct film *f, uint64_t n, const struct fold **ret_fold) {
    if (n > film_events(f))
        return -EINVAL;
    int error = cursor_place(f, n);
    if (!error)
        error = cursor_advance(f, n);
    if (error)
        return error;
    *ret_fold = f->cursor;
    return 0;
}

int film_complaint(struct film *f, uint64_t *ret_n, const char **ret_why, uint64_t *ret_count) {
    const struct fold *state;
    int error = film_state(f, film_events(f), &state);
    if (error)
        return error;
    uint64_t n = state->first_complaint, count = state->complaints;
    if (!n)
        return -ENOENT;
    error = film_state(f, n - 1, &state);
    if (!error)
        error = film_state(f, n, &state); /* by a step, so that the reason is there: checkpoints lack it */
    if (error)
        return error;
    *ret_n = n;
    *ret_why = state->last_complaint;
    *ret_count = count;
    return 0;
}

/* ---- searching ---- */

/* The part of the film that is looked through at once: events first … first + count - 1. */
struct find_window {
    uint64_t first;
    size_t count;
    bool backwards;
};

/* Looks through the window for the event that meets the goal after *skip others did.
 * False: it is not here. */
static bool find_in(const struct event *events, const struct find_window *w, const struct goal *goal,
                    uint64_t *skip, uint64_t *ret_n) {
    for (size_t i = 0; i < w->count; i++) {
        size_t at = w->backwards ? w->count - 1 - i : i;
        if (goal_met(goal, &events[at]) && (*skip)-- == 0) {
            *ret_n = w->first + at;
            return true;
        }
    }
    return false;
}

/* The next window behind (or before) event `from`; its count is 0 at the end. */
static struct find_window find_window(uint64_t from, bool backwards, uint64_t total) {
    struct find_window w = {.backwards = backwards};
    if (backwards) {
        uint64_t last = min_u64(from ? from - 1 : 0, total);
        w.count = last ? (size_t)((last - 1) % FILM_BATCH + 1) : 0; /* sources have blocks of whole windows */
        w.first = last - w.count + 1;
    } else if (from < total) {
        w.count = (size_t)min_u64(total - from, FILM_BATCH);
        w.first = from + 1;
    }
    return w;
}

static int find_by_scanning(struct film *f, uint64_t from, bool backwards, const struct goal *goal,
                            uint64_t *ret_n) {
    uint64_t skip = goal->skip, total = film_events(f);
    struct event *events = malloc(FILM_BATCH * sizeof *events);
    if (!events)
        return -ENOMEM;
    int result = -ENOENT;
    struct find_window w = find_window(from, backwards, total);
    while (w.count && result == -ENOENT) {
        int error = film_read(f, w.first, events, w.count, &w.count);
        if (error)
            result = error;
        else if (find_in(events, &w, goal, &skip, ret_n))
            result = 0;
        w = find_window(backwards ? w.first : w.first + w.count - 1, backwards, total);
    }
    free(events);
    return result;
}

int film_find(struct film *f, uint64_t from, bool backwards, const struct goal *goal, uint64_t *ret_n) {
    bool exact = goal->kind == GOAL_SEQUENCE;
    if (goal->kind == GOAL_END)
        return -ENOENT;
    if (exact && backwards) { /* of the events that it means, the first */
        uint64_t n;
        int error = film_find(f, 0, false, goal, &n);
        if (!error && n < from)
            *ret_n = n;
        return error || n < from ? error : -ENOENT;
    }
    if (f->ops->find)
        return f->ops->find(f->context, from, backwards, goal, ret_n);
    if (exact)
        from = max_u64(from, max_u64(goal->number, 1) - 1);
    return find_by_scanning(f, from, backwards, goal, ret_n);
}

/* ---- the timeline ---- */

static int timeline_start(struct timeline *t) {
    if (t->cells)
        return 0;
    t->cells = calloc(TIMELINE_CELLS, sizeof *t->cells);
    t->width = 1;
    return t->cells ? 0 : -ENOMEM;
}

/* Two cells become one, so that there is room for as many events again. */
static void timeline_halve(struct timeline *t) {
    for (size_t i = 0; i < TIMELINE_CELLS / 2; i++)
        for (size_t kind = 0; kind < FILM_TIMELINE_KINDS; kind++)
            t->cells[i][kind] = t->cells[2 * i][kind] + t->cells[2 * i + 1][kind];
    memset(t->cells + TIMELINE_CELLS / 2, 0, TIMELINE_CELLS / 2 * sizeof *t->cells);
    t->width *= 2;
}

static void timeline_count(struct timeline *t, const struct event *e) {
    if (t->counted / t->width == TIMELINE_CELLS)
        timeline_halve(t);
    if (e->kind == EVENT_FAULT_DONE && e->flags < FILM_TIMELINE_KINDS)
        t->cells[t->counted / t->width][e->flags]++;
    t->counted++;
}

/* Takes the events that came since the last time into account. */
static int timeline_follow(struct film *f, uint64_t total) {
    struct timeline *t = &f->timeline;
    int error = timeline_start(t);
    while (!error && t->counted < total) {
        size_t count = 0;
        error = f->ops->read(f->context, t->counted + 1, f->events, FILM_BATCH, &count);
        for (size_t i = 0; i < count; i++)
            timeline_count(t, &f->events[i]);
    }
    return error;
}

int film_timeline(struct film *f, size_t buckets, uint32_t (*ret_counts)[FILM_TIMELINE_KINDS]) {
    if (f->ops->timeline)
        return f->ops->timeline(f->context, buckets, ret_counts);
    struct timeline *t = &f->timeline;
    int error = timeline_follow(f, film_events(f));
    if (error || !buckets)
        return error;
    memset(ret_counts, 0, buckets * sizeof *ret_counts);
    for (uint64_t cell = 0; cell * t->width < t->counted; cell++) {
        uint64_t bucket = cell * t->width * buckets / t->counted;
        for (size_t kind = 0; kind < FILM_TIMELINE_KINDS; kind++)
            ret_counts[bucket][kind] += t->cells[cell][kind];
    }
    return 0;
}
