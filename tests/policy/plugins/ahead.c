/* FIFO that brings the next page along, by address, and sends pages that were brought along first. */
#include "thimble/policy.h"

struct ahead {
    const struct thimble_host *host;
    uint64_t time;
    uint64_t entered[]; /* by frame; 0: no page */
};

static void *ahead_create(const struct thimble_host *host) {
    struct ahead *ahead = host->alloc(host, 1, sizeof *ahead + host->frames * sizeof ahead->entered[0]);
    if (!ahead)
        return NULL;
    ahead->host = host;
    ahead->time = 1ULL << 32;
    return ahead;
}

static void ahead_destroy(void *state) {
    struct ahead *ahead = state;
    ahead->host->free(ahead->host, ahead);
}

static void ahead_insert(void *state, uint32_t frame, uint64_t page) {
    struct ahead *ahead = state;
    ahead->entered[frame] = ++ahead->time;
}

static void ahead_insert_prefetched(void *state, uint32_t frame, uint64_t page) {
    struct ahead *ahead = state;
    ahead->entered[frame] = ++ahead->time - (1ULL << 31);
}

static void ahead_remove(void *state, uint32_t frame, uint64_t page, uint32_t reason) {
    struct ahead *ahead = state;
    ahead->entered[frame] = 0;
}

static uint32_t ahead_victim(void *state) {
    const struct ahead *ahead = state;
    uint32_t best = THIMBLE_NO_FRAME;
    for (uint32_t f = 0; f < ahead->host->frames; f++)
        if (ahead->entered[f] && (best == THIMBLE_NO_FRAME || ahead->entered[f] < ahead->entered[best]))
            best = f;
    return best;
}

static uint32_t ahead_prefetch(void *state, const struct thimble_miss *miss, struct thimble_wish *wishes,
                               uint32_t room) {
    const struct ahead *ahead = state;
    wishes[0] = (struct thimble_wish){.by = (uint32_t)ahead->host->parameter(ahead->host, "by"),
                                      .number = miss->virtual_page + 1};
    return (uint32_t)ahead->host->parameter(ahead->host, "count");
}

static const struct thimble_parameter parameters[] = {
    {.name = "by", .description = "how wishes are named", .maximum = 9, .whole = 1},
    {.name = "count", .description = "how many are said to be there", .initial = 1, .maximum = 1e6},
    {.name = NULL},
};

const struct thimble_policy thimble_policy = {
    .version = THIMBLE_POLICY_VERSION,
    .size = sizeof thimble_policy,
    .name = "ahead",
    .description = "first in, first out, and the next page along",
    .needs = THIMBLE_NEEDS_NOTHING,
    .parameters = parameters,
    .create = ahead_create,
    .destroy = ahead_destroy,
    .insert = ahead_insert,
    .remove = ahead_remove,
    .victim = ahead_victim,
    .prefetch = ahead_prefetch,
    .insert_prefetched = ahead_insert_prefetched,
};
