/* FIFO: the page that was brought in first goes first, however much it is used.
 *
 * Source: L. A. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems
 * Journal 5(2), 1966. More frames can mean more faults under it: Belady, Nelson, Shedler, "An anomaly in
 * space-time characteristics of certain programs running in a paging machine", CACM 12(6), 1969. */
#include <assert.h>

#include "policy/parameters.h"
#include "policy/policies.h"
#include "policy/ring.h"

struct fifo {
    struct ring ring; /* in order of insertion */
};

static int fifo_create(const struct policy_config *config, void **ret_state) {
    if (policy_parse(config->parameters, NULL, 0) < 0)
        return -EINVAL;
    struct fifo *fifo = calloc(1, sizeof *fifo);
    if (!fifo)
        return -ENOMEM;
    if (ring_init(&fifo->ring, config->frames) < 0) {
        free(fifo);
        return -ENOMEM;
    }
    *ret_state = fifo;
    return 0;
}

static void fifo_destroy(void *state) {
    struct fifo *fifo = state;
    ring_free(&fifo->ring);
    free(fifo);
}

static void fifo_insert(void *state, pfn_t f, page_id_t page) {
    struct fifo *fifo = state;
    assert(!ring_has(&fifo->ring, f));
    ring_append(&fifo->ring, f);
}

static void fifo_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct fifo *fifo = state;
    assert(ring_has(&fifo->ring, f));
    ring_remove(&fifo->ring, f);
}

static pfn_t fifo_victim(void *state) {
    const struct fifo *fifo = state;
    return ring_oldest(&fifo->ring);
}

static const char *fifo_check(const void *state) {
    const struct fifo *fifo = state;
    return ring_check(&fifo->ring);
}

static size_t fifo_bytes(const void *state) {
    const struct fifo *fifo = state;
    return sizeof *fifo + ring_bytes(&fifo->ring);
}

const struct policy_ops policy_fifo = {
    .name = "fifo",
    .description = "first in, first out (Belady 1966)",
    .needs = POLICY_NEEDS_NOTHING,
    .create = fifo_create,
    .destroy = fifo_destroy,
    .insert = fifo_insert,
    .remove = fifo_remove,
    .victim = fifo_victim,
    .check = fifo_check,
    .bytes = fifo_bytes,
};
