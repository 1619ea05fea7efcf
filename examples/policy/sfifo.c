/* Segmented FIFO: pages enter a first queue; those that fall out of it wait in a second one. A page that is
 * used while it waits is given another round in the first; the one that has waited longest in vain goes.
 *
 * Source: R. Turner, H. Levy, "Segmented FIFO page replacement", SIGMETRICS 1981. Parameter alpha: the share
 * of memory for the second queue. 0 is FIFO; with 1 every page must prove itself, as with CLOCK. */
#include <thimble/policy.h>

/* A queue is a ring of frames around a head, which stands behind the frames in the same array. */
struct link {
    uint32_t next, previous, queue;
};

struct state {
    const struct thimble_host *host;
    uint32_t length[2], limit; /* of the second queue */
    struct link links[];
};

static void queue_leave(struct state *s, uint32_t frame) {
    struct link *link = &s->links[frame];
    s->links[link->previous].next = link->next;
    s->links[link->next].previous = link->previous;
    s->length[link->queue]--;
}

static void queue_enter(struct state *s, uint32_t frame, uint32_t queue) {
    const uint32_t head = s->host->frames + queue, last = s->links[head].previous;
    s->links[frame] = (struct link){head, last, queue};
    s->links[last].next = s->links[head].previous = frame;
    s->length[queue]++;
}

static void *create(const struct thimble_host *host) {
    struct state *s = host->alloc(host, 1, sizeof *s + ((size_t)host->frames + 2) * sizeof s->links[0]);
    if (!s)
        return NULL;
    s->host = host;
    s->limit = (uint32_t)(host->parameter(host, "alpha") * host->capacity);
    for (uint32_t head = host->frames; head < host->frames + 2; head++)
        s->links[head] = (struct link){head, head, head - host->frames};
    return s;
}

static void destroy(void *state) {
    struct state *s = state;
    s->host->free(s->host, s);
}

static void insert(void *state, uint32_t frame, uint64_t page) {
    queue_enter(state, frame, 0);
}

static void removed(void *state, uint32_t frame, uint64_t page, uint32_t reason) {
    queue_leave(state, frame);
}

/* The oldest of the first queue goes on to the second one, and what happens to it from now on counts. */
static void demote(struct state *s) {
    const uint32_t oldest = s->links[s->host->frames].next;
    queue_leave(s, oldest);
    s->host->test_and_clear_referenced(s->host, oldest);
    queue_enter(s, oldest, 1);
}

static uint32_t victim(void *state) {
    struct state *s = state;
    /* Each page is looked at twice at most: used pages end, one after the other, in the first queue. */
    for (uint32_t looks = 2 * (s->length[0] + s->length[1]); looks > 0; looks--) {
        while (s->length[0] && (s->length[1] < s->limit || !s->length[1]))
            demote(s);
        const uint32_t oldest = s->links[s->host->frames + 1].next;
        if (!s->host->test_and_clear_referenced(s->host, oldest))
            return oldest;
        queue_leave(s, oldest);
        queue_enter(s, oldest, 0);
    }
    return s->links[s->host->frames + (s->length[1] ? 1 : 0)].next;
}

static const struct thimble_parameter parameters[] = {
    {.name = "alpha", .description = "share of memory where pages wait", .initial = 0.25, .maximum = 1},
    {.name = NULL},
};

const struct thimble_policy thimble_policy = {
    .version = THIMBLE_POLICY_VERSION,
    .size = sizeof thimble_policy,
    .name = "sfifo",
    .description = "two queues: pages wait in the second, and the unused ones go (Turner, Levy 1981)",
    .needs = THIMBLE_NEEDS_REFERENCED_BITS,
    .parameters = parameters,
    .create = create,
    .destroy = destroy,
    .insert = insert,
    .remove = removed,
    .victim = victim,
};
