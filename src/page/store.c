/* What a page has of a run: see store.h.
 *
 *   events 1 ……………………………………………………………… length
 *   block  |   0   |   1   |   2   |   3   |     block b: events b · STORE_BLOCK + 1 …, STORE_BLOCK of them,
 *              ▲ here          ▲ partly            from its first on; only the last of a run that grows is
 *   state  ▲       ▲               ▲               partly there
 *
 * A remote run's states are fetched at the beginnings of blocks: from there at most a block is folded. */
#include "page/store.h"

#include <errno.h>

#include "base/base.h"
#include "trace/film-source.h"
#include "trace/sorted.h"

/* Nearer than that it is quicker to fold on than to fetch a state. */
enum { STORE_NEAR = 2 * STORE_BLOCK };

struct block {
    uint64_t used; /* the store's clock at its last use */
    size_t count;
    struct event events[STORE_BLOCK];
};

struct state {
    uint64_t used;
    struct fold *loaded; /* what the bytes gave when they came, until it is asked for; or NULL */
    size_t size;
    uint8_t bytes[];
};

/* The server's word on a search. */
struct answer {
    bool valid;
    struct store_want question;
    uint64_t length; /* of the run when it was asked: "none" holds for that long a run only */
    uint64_t n;      /* 0: none */
};

struct store {
    bool remote;
    unsigned films; /* made of it; the last one takes it along */
    uint64_t length;
    bool finished, cut;
    struct sorted blocks; /* number → struct block * */
    struct sorted states; /* event → struct state * */
    size_t state_bytes;
    uint64_t clock; /* counts uses */
    struct answer answer;
    struct store_want wants[STORE_WANTS];
    size_t want_count;
};

int store_create(bool remote, struct store **ret_store) {
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->remote = remote;
    *ret_store = s;
    return 0;
}

static void state_free(struct state *state) {
    fold_destroy(state->loaded);
    free(state);
}

void store_destroy(struct store *s) {
    for (size_t i = 0; i < s->blocks.count; i++)
        free(s->blocks.entries[i].value);
    for (size_t i = 0; i < s->states.count; i++)
        state_free(s->states.entries[i].value);
    free(s->blocks.entries);
    free(s->states.entries);
    free(s);
}

void store_set_length(struct store *s, uint64_t events, bool finished, bool cut) {
    s->length = max_u64(s->length, events);
    s->finished = finished;
    s->cut = cut;
}

/* ---- wants ---- */

const struct store_want *store_wants(const struct store *s, size_t *ret_count) {
    *ret_count = s->want_count;
    return s->wants;
}

void store_clear_wants(struct store *s) {
    s->want_count = 0;
}

static bool want_equals(const struct store_want *a, const struct store_want *b) {
    return a->kind == b->kind && a->n == b->n && a->count == b->count && a->backwards == b->backwards &&
           !strcmp(a->goal, b->goal);
}

static int store_want(struct store *s, struct store_want want) {
    for (size_t i = 0; i < s->want_count; i++)
        if (want_equals(&s->wants[i], &want))
            return -EAGAIN;
    if (s->want_count < STORE_WANTS)
        s->wants[s->want_count++] = want;
    return -EAGAIN;
}

/* ---- events ---- */

/* Drops what was not used for longest, until there is room for one more. */
static void blocks_make_room(struct store *s) {
    while (s->remote && s->blocks.count >= STORE_REMOTE_BLOCKS) {
        size_t oldest = 0;
        for (size_t i = 1; i < s->blocks.count; i++) {
            const struct block *block = s->blocks.entries[i].value, *old = s->blocks.entries[oldest].value;
            if (block->used < old->used)
                oldest = i;
        }
        free(sorted_remove(&s->blocks, s->blocks.entries[oldest].key));
    }
}

static struct block *block_touch(struct store *s, uint64_t number) {
    struct block *block = sorted_get(&s->blocks, number);
    if (block)
        return block;
    blocks_make_room(s);
    block = malloc(sizeof *block);
    if (!block)
        return NULL;
    block->count = 0;
    if (!sorted_add(&s->blocks, number, block, NULL))
        return block;
    free(block);
    return NULL;
}

int store_add_events(struct store *s, uint64_t first, const struct event *events, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t n = first + i;
        if (!n || events[i].sequence != n)
            return -EINVAL;
        struct block *block = block_touch(s, (n - 1) / STORE_BLOCK);
        if (!block)
            return -ENOMEM;
        block->used = ++s->clock;
        size_t place = (n - 1) % STORE_BLOCK;
        if (place > block->count)
            return -EINVAL;
        if (place == block->count)
            block->events[block->count++] = events[i];
    }
    return 0;
}

/* The block of event n, if the event is here. */
static struct block *store_block(struct store *s, uint64_t n) {
    struct block *block = sorted_get(&s->blocks, (n - 1) / STORE_BLOCK);
    if (!block || (n - 1) % STORE_BLOCK >= block->count)
        return NULL;
    block->used = ++s->clock;
    return block;
}

/* Wants what is missing of the block of event n. */
static int want_block(struct store *s, uint64_t n) {
    uint64_t number = (n - 1) / STORE_BLOCK;
    const struct block *block = sorted_get(&s->blocks, number);
    uint64_t first = number * STORE_BLOCK + 1 + (block ? block->count : 0);
    uint64_t last = min_u64((number + 1) * STORE_BLOCK, s->length);
    return store_want(s,
                      (struct store_want){.kind = STORE_WANT_EVENTS, .n = first, .count = last - first + 1});
}

static int store_read(void *context, uint64_t n, struct event *events, size_t count, size_t *ret_count) {
    struct store *s = context;
    const struct block *block = store_block(s, n);
    if (!block)
        return s->remote ? want_block(s, n) : -EBADMSG;
    size_t place = (n - 1) % STORE_BLOCK;
    *ret_count = min_size(count, block->count - place);
    memcpy(events, block->events + place, *ret_count * sizeof *events);
    return 0;
}

/* ---- states ---- */

static void states_make_room(struct store *s, size_t size) {
    while (s->states.count && s->state_bytes + size > STORE_STATE_BYTES) {
        size_t oldest = 0;
        for (size_t i = 1; i < s->states.count; i++) {
            const struct state *state = s->states.entries[i].value, *old = s->states.entries[oldest].value;
            if (state->used < old->used)
                oldest = i;
        }
        struct state *dropped = sorted_remove(&s->states, s->states.entries[oldest].key);
        s->state_bytes -= dropped->size;
        state_free(dropped);
    }
}

/* Bytes that fold_load() refuses are not kept: the film would ask for them again and again. */
static int state_load(const void *bytes, size_t size, uint64_t n, struct fold **ret_fold) {
    struct fold *fold;
    int error = fold_load(bytes, size, NULL, &fold);
    if (error)
        return error;
    if (fold->sequence != n) {
        fold_destroy(fold);
        return -EBADMSG;
    }
    *ret_fold = fold;
    return 0;
}

int store_add_state(struct store *s, uint64_t n, const void *bytes, size_t size) {
    struct fold *fold;
    if (sorted_get(&s->states, n))
        return 0;
    int error = state_load(bytes, size, n, &fold);
    if (error)
        return error;
    states_make_room(s, size);
    struct state *state = malloc(sizeof *state + size);
    if (!state) {
        fold_destroy(fold);
        return -ENOMEM;
    }
    *state = (struct state){.used = ++s->clock, .loaded = fold, .size = size};
    memcpy(state->bytes, bytes, size);
    if (sorted_add(&s->states, n, state, NULL)) {
        state_free(state);
        return -ENOMEM;
    }
    s->state_bytes += size;
    return 0;
}

/* Everything that is needed to get to event n from a state that is far away, asked for at once: the state at
 * the beginning of its block, and the block. */
static int want_state(struct store *s, uint64_t n) {
    uint64_t begin = (n - 1) / STORE_BLOCK * STORE_BLOCK;
    if (!store_block(s, n))
        want_block(s, n);
    return store_want(s, (struct store_want){.kind = STORE_WANT_STATE, .n = begin});
}

static int store_state(void *context, uint64_t n, uint64_t after, struct fold **ret_fold) {
    struct store *s = context;
    size_t position = sorted_position(&s->states, n + 1);
    uint64_t best = position ? s->states.entries[position - 1].key : 0;
    if (s->remote && n - max_u64(best, after) > STORE_NEAR)
        return want_state(s, n);
    if (!best || best <= after)
        return -ENOENT;
    struct state *state = s->states.entries[position - 1].value;
    state->used = ++s->clock;
    if (state->loaded) {
        *ret_fold = state->loaded;
        state->loaded = NULL;
        return 0;
    }
    return fold_load(state->bytes, state->size, NULL, ret_fold);
}

/* ---- searching ---- */

/* Searches the events that are here, a block's worth at most. 0: found; -ENOENT: the run ends or begins
 * there; -EAGAIN: neither. */
static int search_here(struct store *s, uint64_t from, bool backwards, const struct goal *goal,
                       uint64_t *ret_n) {
    uint64_t skip = goal->skip, n = from;
    struct goal plain = *goal;
    plain.skip = 0;
    for (size_t i = 0; i < STORE_BLOCK; i++) {
        n += backwards ? -1ULL : 1;
        if (!n || n > s->length)
            return -ENOENT;
        const struct block *block = store_block(s, n);
        if (!block)
            return -EAGAIN;
        if (goal_met(&plain, &block->events[(n - 1) % STORE_BLOCK]) && !skip--) {
            *ret_n = n;
            return 0;
        }
    }
    return -EAGAIN;
}

void store_add_answer(struct store *s, uint64_t n) {
    for (size_t i = 0; i < s->want_count; i++) {
        if (s->wants[i].kind != STORE_WANT_FIND)
            continue;
        s->length = max_u64(s->length, n); /* the run may have grown since its length was told last */
        s->answer = (struct answer){.valid = true, .question = s->wants[i], .length = s->length, .n = n};
        return;
    }
}

static int store_find(void *context, uint64_t from, bool backwards, const struct goal *goal,
                      uint64_t *ret_n) {
    struct store *s = context;
    int found = search_here(s, from, backwards, goal, ret_n);
    if (found != -EAGAIN)
        return found;
    struct store_want want = {.kind = STORE_WANT_FIND, .n = from, .backwards = backwards};
    goal_print(goal, want.goal, sizeof want.goal);
    const struct answer *answer = &s->answer;
    if (!answer->valid || !want_equals(&answer->question, &want) ||
        (!answer->n && answer->length != s->length))
        return store_want(s, want);
    if (!answer->n)
        return -ENOENT;
    *ret_n = answer->n;
    return 0;
}

/* ---- the film ---- */

static uint64_t store_events(void *context) {
    return ((const struct store *)context)->length;
}
static bool store_is_finished(void *context) {
    return ((const struct store *)context)->finished;
}
static bool store_is_cut(void *context) {
    return ((const struct store *)context)->cut;
}
static void store_release(void *context) {
    struct store *s = context;
    if (!--s->films)
        store_destroy(s);
}

#define STORE_OPS(find_function)                                                                             \
    {                                                                                                        \
        .events = store_events, .is_finished = store_is_finished, .is_cut = store_is_cut,                    \
        .read = store_read, .state = store_state, .find = find_function, .destroy = store_release            \
    }
static const struct film_source_ops whole_ops = STORE_OPS(NULL), remote_ops = STORE_OPS(store_find);

int store_film(struct store *s, const struct trace_header *header, struct film **ret_film) {
    int error = film_create_from(s->remote ? &remote_ops : &whole_ops, s, header, ret_film);
    s->films += !error;
    return error;
}
