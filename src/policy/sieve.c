/* SIEVE: a FIFO queue in which pages never move, and a hand that goes from the oldest to the newest, spares
 * the pages that were referenced again after they came in, and takes the first one that was not.
 *
 * Source: Y. Zhang, J. Yang, Y. Yue, Y. Vigfusson, K. V. Rashmi, "SIEVE is simpler than LRU: an efficient
 * turn-key eviction algorithm for web caches", NSDI 2024, algorithm 1.
 *
 * It differs from CLOCK in where a new page enters: at the newest end, not behind the hand, so that new pages
 * are looked at soon and old ones that are used stay. A page enters unvisited, so referenced bits will not
 * do: hardware sets the bit with the very reference that brings the page in, and could not tell a page that
 * was used once from one that was used again. */
#include <assert.h>

#include "policy/lists.h"
#include "policy/parameters.h"
#include "policy/policies.h"

enum { QUEUE, QUEUES };

struct sieve {
    struct lists lists; /* mark: visited */
    uint32_t hand;      /* the frame to look at next; NODE_NONE: the oldest */
};

static int sieve_create(const struct policy_config *config, void **ret_state) {
    if (policy_parse(config->parameters, NULL, 0) < 0)
        return -EINVAL;
    struct sieve *sieve = calloc(1, sizeof *sieve);
    if (!sieve)
        return -ENOMEM;
    sieve->hand = NODE_NONE;
    if (lists_init(&sieve->lists, config->frames, QUEUES) < 0) {
        free(sieve);
        return -ENOMEM;
    }
    *ret_state = sieve;
    return 0;
}

static void sieve_destroy(void *state) {
    struct sieve *sieve = state;
    lists_free(&sieve->lists);
    free(sieve);
}

static void sieve_insert(void *state, pfn_t f, page_id_t page) {
    struct sieve *sieve = state;
    assert(lists_of(&sieve->lists, f.n) == LIST_NONE);
    sieve->lists.nodes[f.n].mark = false;
    lists_append(&sieve->lists, QUEUE, f.n);
}

static void sieve_access(void *state, pfn_t f, page_id_t page) {
    struct sieve *sieve = state;
    sieve->lists.nodes[f.n].mark = true;
}

static void sieve_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct sieve *sieve = state;
    assert(lists_of(&sieve->lists, f.n) == QUEUE);
    if (sieve->hand == f.n)
        sieve->hand = lists_after(&sieve->lists, f.n);
    lists_remove(&sieve->lists, f.n);
}

static pfn_t sieve_victim(void *state) {
    struct sieve *sieve = state;
    uint32_t hand = sieve->hand == NODE_NONE ? lists_oldest(&sieve->lists, QUEUE) : sieve->hand;
    /* One round clears every mark. */
    while (hand != NODE_NONE && sieve->lists.nodes[hand].mark) {
        sieve->lists.nodes[hand].mark = false;
        hand = lists_after(&sieve->lists, hand);
        if (hand == NODE_NONE)
            hand = lists_oldest(&sieve->lists, QUEUE);
    }
    sieve->hand = hand;
    return (pfn_t){hand};
}

static const char *sieve_check(const void *state) {
    const struct sieve *sieve = state;
    if (sieve->hand != NODE_NONE && lists_of(&sieve->lists, sieve->hand) != QUEUE)
        return "sieve: the hand points at a frame that is not in the queue";
    return lists_check(&sieve->lists);
}

static size_t sieve_bytes(const void *state) {
    const struct sieve *sieve = state;
    return sizeof *sieve + lists_bytes(&sieve->lists);
}

const struct policy_ops policy_sieve = {
    .name = "sieve",
    .description =
        "a FIFO queue that stays in place, and a hand that takes what was not used again (Zhang 2024)",
    .needs = POLICY_NEEDS_EVERY_REFERENCE,
    .create = sieve_create,
    .destroy = sieve_destroy,
    .insert = sieve_insert,
    .access = sieve_access,
    .remove = sieve_remove,
    .victim = sieve_victim,
    .check = sieve_check,
    .bytes = sieve_bytes,
};
