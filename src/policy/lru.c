/* LRU, exact: the page whose last reference lies furthest back goes first.
 *
 * Source: P. J. Denning, "The working set model for program behavior", CACM 11(5), 1968, and R. L. Mattson et
 * al., "Evaluation techniques for storage hierarchies", IBM Systems Journal 9(2), 1970, who show that it is a
 * stack algorithm: more frames never mean more faults. It must be told of every reference. */
#include <assert.h>

#include "policy/parameters.h"
#include "policy/policies.h"
#include "policy/ring.h"

struct lru {
    struct ring ring; /* in order of the last reference */
};

static int lru_create(const struct policy_config *config, void **ret_state) {
    if (policy_parse(config->parameters, NULL, 0) < 0)
        return -EINVAL;
    struct lru *lru = calloc(1, sizeof *lru);
    if (!lru)
        return -ENOMEM;
    if (ring_init(&lru->ring, config->frames) < 0) {
        free(lru);
        return -ENOMEM;
    }
    *ret_state = lru;
    return 0;
}

static void lru_destroy(void *state) {
    struct lru *lru = state;
    ring_free(&lru->ring);
    free(lru);
}

static void lru_insert(void *state, pfn_t f, page_id_t page) {
    struct lru *lru = state;
    assert(!ring_has(&lru->ring, f));
    ring_append(&lru->ring, f);
}

static void lru_access(void *state, pfn_t f, page_id_t page) {
    struct lru *lru = state;
    assert(ring_has(&lru->ring, f));
    ring_move_to_end(&lru->ring, f);
}

/* Only the last access to each frame changes the order. From the last one back: the frames leave the ring,
 * which also says that they were seen; then they are put at its end, the latest at last. */
static void lru_access_all(void *state, const pfn_t *frames, size_t count) {
    struct lru *lru = state;
    pfn_t latest[POLICY_ACCESSES_MOST];
    size_t n = 0;
    assert(count <= POLICY_ACCESSES_MOST);
    while (count-- > 0) {
        if (!ring_has(&lru->ring, frames[count]))
            continue;
        ring_remove(&lru->ring, frames[count]);
        latest[n++] = frames[count];
    }
    while (n-- > 0)
        ring_append(&lru->ring, latest[n]);
}

static void lru_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct lru *lru = state;
    assert(ring_has(&lru->ring, f));
    ring_remove(&lru->ring, f);
}

static pfn_t lru_victim(void *state) {
    const struct lru *lru = state;
    return ring_oldest(&lru->ring);
}

static const char *lru_check(const void *state) {
    const struct lru *lru = state;
    return ring_check(&lru->ring);
}

static size_t lru_bytes(const void *state) {
    const struct lru *lru = state;
    return sizeof *lru + ring_bytes(&lru->ring);
}

const struct policy_ops policy_lru = {
    .name = "lru",
    .description = "least recently used, exact: sees every reference (Denning 1968, Mattson et al. 1970)",
    .needs = POLICY_NEEDS_EVERY_REFERENCE,
    .create = lru_create,
    .destroy = lru_destroy,
    .insert = lru_insert,
    .access = lru_access,
    .access_all = lru_access_all,
    .remove = lru_remove,
    .victim = lru_victim,
    .check = lru_check,
    .bytes = lru_bytes,
};
