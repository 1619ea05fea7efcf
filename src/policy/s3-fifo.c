/* S3-FIFO: three FIFO queues. A new page enters a small one, S; it goes on to the main one, M, if it was used
 * more than once by the time it gets to the front, else out, and its identity is remembered in G, without a
 * frame. A page that G remembers enters M at once. In M a page that was used goes round again, at most as
 * often as it was used, up to three times.
 *
 * Source: J. Yang, Y. Zhang, Z. Qiu, Y. Yue, K. V. Rashmi, "FIFO queues are all you need for cache eviction",
 * SOSP 2023, algorithm 1. Parameter: small=10, the share of S in percent of memory; M, and G, have the rest.
 *
 * Where a page moves to a full M in search of a victim, the paper has M evict one and goes on; here the one
 * that M evicts is the victim, as one is all that was asked for. Uses after the one that brings a page in are
 * counted, which referenced bits cannot do (see sieve.c). */
#include <assert.h>

#include "policy/ghosts.h"
#include "policy/parameters.h"
#include "policy/policies.h"

enum { SMALL, MAIN, GHOSTS, QUEUES };
enum { USES_MAXIMUM = 3, USES_TO_STAY = 2 };

struct s3 {
    struct lists lists; /* count: uses, 0 … 3 */
    struct ghosts ghosts;
    uint32_t small, main; /* sizes of the queues, in frames */
    pfn_t chosen;         /* by victim(), until something happens; PFN_NONE: nothing */
};

static int s3_create(const struct policy_config *config, void **ret_state) {
    uint64_t small = 10;
    const struct policy_parameter known[] = {{"small", &small, 1, 99}};
    if (policy_parse(config->parameters, known, 1) < 0)
        return -EINVAL;
    struct s3 *s3 = calloc(1, sizeof *s3);
    if (!s3)
        return -ENOMEM;
    const uint32_t capacity = policy_capacity(config);
    s3->small = (uint32_t)(capacity * small / 100);
    s3->small = s3->small ? s3->small : 1;
    s3->main = capacity > s3->small ? capacity - s3->small : 0;
    s3->chosen = PFN_NONE;
    if (ghosts_init_lists(&s3->ghosts, &s3->lists, config->frames, s3->main, QUEUES) < 0) {
        free(s3);
        return -ENOMEM;
    }
    *ret_state = s3;
    return 0;
}

static void s3_destroy(void *state) {
    struct s3 *s3 = state;
    lists_free(&s3->lists);
    ghosts_free(&s3->ghosts);
    free(s3);
}

static void s3_forget(struct s3 *s3, uint32_t ghost) {
    lists_remove(&s3->lists, ghost);
    ghosts_drop(&s3->ghosts, ghost);
}

static void s3_insert(void *state, pfn_t f, page_id_t page) {
    struct s3 *s3 = state;
    assert(lists_of(&s3->lists, f.n) == LIST_NONE);
    const uint32_t ghost = ghosts_find(&s3->ghosts, page);
    if (ghost != NODE_NONE)
        s3_forget(s3, ghost);
    s3->chosen = PFN_NONE;
    s3->lists.nodes[f.n].count = 0;
    lists_append(&s3->lists, ghost == NODE_NONE ? SMALL : MAIN, f.n);
}

static void s3_access(void *state, pfn_t f, page_id_t page) {
    struct s3 *s3 = state;
    uint16_t *uses = &s3->lists.nodes[f.n].count;
    s3->chosen = PFN_NONE;
    if (*uses < USES_MAXIMUM)
        ++*uses;
}

static void s3_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct s3 *s3 = state;
    const uint8_t list = lists_of(&s3->lists, f.n);
    assert(list == SMALL || list == MAIN);
    s3->chosen = PFN_NONE;
    lists_remove(&s3->lists, f.n);
    if (list != SMALL || reason != POLICY_EVICTED || s3->ghosts.limit == 0)
        return;
    if (ghosts_full(&s3->ghosts))
        s3_forget(s3, lists_oldest(&s3->lists, GHOSTS));
    lists_append(&s3->lists, GHOSTS, ghosts_add(&s3->ghosts, page));
}

/* The first page of M that has no uses left. */
static uint32_t s3_victim_of_main(struct s3 *s3) {
    uint32_t n = lists_oldest(&s3->lists, MAIN);
    while (n != NODE_NONE && s3->lists.nodes[n].count > 0) {
        s3->lists.nodes[n].count--;
        lists_move(&s3->lists, MAIN, n);
        n = lists_oldest(&s3->lists, MAIN);
    }
    return n;
}

/* The first page of S that does not belong in M, unless M overflows before. */
static uint32_t s3_victim_of_small(struct s3 *s3) {
    uint32_t n;
    while ((n = lists_oldest(&s3->lists, SMALL)) != NODE_NONE && s3->lists.nodes[n].count >= USES_TO_STAY) {
        s3->lists.nodes[n].count = 0;
        lists_move(&s3->lists, MAIN, n);
        if (lists_count(&s3->lists, MAIN) > s3->main)
            return s3_victim_of_main(s3);
    }
    return n;
}

static pfn_t s3_victim(void *state) {
    struct s3 *s3 = state;
    if (!pfn_is_none(s3->chosen))
        return s3->chosen;
    uint32_t n = NODE_NONE;
    if (lists_count(&s3->lists, SMALL) >= s3->small || lists_count(&s3->lists, MAIN) == 0)
        n = s3_victim_of_small(s3);
    if (n == NODE_NONE)
        n = s3_victim_of_main(s3);
    return s3->chosen = (pfn_t){n};
}

static const char *s3_check(const void *state) {
    const struct s3 *s3 = state;
    if (lists_count(&s3->lists, GHOSTS) != s3->ghosts.used)
        return "s3-fifo: a ghost is not in G";
    if (!pfn_is_none(s3->chosen) && lists_of(&s3->lists, s3->chosen.n) > MAIN)
        return "s3-fifo: the victim is in no queue";
    const char *wrong = ghosts_check(&s3->ghosts);
    return wrong ? wrong : lists_check(&s3->lists);
}

static size_t s3_bytes(const void *state) {
    const struct s3 *s3 = state;
    return sizeof *s3 + lists_bytes(&s3->lists) + ghosts_bytes(&s3->ghosts);
}

const struct policy_ops policy_s3_fifo = {
    .name = "s3-fifo",
    .description = "a small FIFO queue for new pages, a main one, and ghosts (Yang 2023)",
    .parameters = "small=10 (percent of memory, 1 to 99): the queue of new pages",
    .needs = POLICY_NEEDS_EVERY_REFERENCE,
    .create = s3_create,
    .destroy = s3_destroy,
    .insert = s3_insert,
    .access = s3_access,
    .remove = s3_remove,
    .victim = s3_victim,
    .check = s3_check,
    .bytes = s3_bytes,
};
