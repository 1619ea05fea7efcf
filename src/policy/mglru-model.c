/* A model of Linux's multi-generational LRU for one memory cgroup on one node: pages stand in generations,
 * two to four at a time. Aging looks at every page's referenced bit and opens a new generation; a page found
 * used the second time moves to the youngest one. Eviction goes through the oldest one and spares what was
 * used. Pages that come back soon count against their kind (anonymous, file) and tier, which decides whose
 * turn it is and whether pages used often are moved on instead of out.
 *
 *      min_seq[type] … max_seq:   oldest ─► out      max_seq-1: where faults put pages      max_seq: youngest
 *
 * Source: Linux 6.18, mm/vmscan.c (lru_gen_*, try_to_inc_max_seq, sort_folio, scan_folios, get_type_to_scan,
 * get_tier_idx, evict_folios), mm/workingset.c (lru_gen_eviction, lru_gen_refault), include/linux/mm_inline.h
 * (lru_gen_folio_seq). Parameters: swappiness=60; swap=1 (0: there is none, anonymous pages go only where
 * there are no others).
 *
 * Differences: one page at a time, not 64; aging runs whenever there are three generations or fewer, as it
 * does in a cgroup too small to reclaim anything at the first priority; it looks at every page, not at page
 * tables that a Bloom filter names, and neighbours of a page found used are not looked at. Of the four tiers
 * only the first and the last occur: the others are for read() and write() of files. Executables, large
 * folios, zones, write-back and shared memory as in linux-2q-model.c. Not validated against a kernel. */
#include <assert.h>

#include "policy/ghosts.h"
#include "policy/parameters.h"
#include "policy/policies.h"

enum { ANON, FILES, TYPES };
enum { GENERATIONS = 4, GENERATIONS_LEAST = 2 };
enum { SHADOWS = TYPES * GENERATIONS, LISTS };        /* a page's list: 4 * type + seq % 4 */
enum { REFERENCED = 1, WORKINGSET = 2, ENTERED = 4 }; /* PG_referenced, PG_workingset; bit not yet seen */
enum { TIER_FIRST, TIER_LAST, TIERS };                /* a page's tier: whether it is WORKINGSET */
enum { BATCH = 64 };                                  /* MIN_LRU_BATCH */

/* What happened to the pages of one type and tier; and the mean over generations that are gone. */
struct tier {
    uint64_t refaulted, total; /* total: evicted or protected */
    uint64_t mean_refaulted, mean_total;
};

struct mglru {
    struct lists lists; /* count: the generation, seq % 4, in which the page belongs; it moves when it is
                           come upon */
    struct ghosts ghosts;
    uint64_t *evicted_at; /* by ghost: min_seq when it went */
    uint64_t max_seq, min_seq[TYPES];
    uint64_t pages[TYPES]; /* in frames */
    struct tier tiers[TYPES][TIERS];
    uint64_t swappiness, swap;
    pfn_t chosen;
    struct policy_config config;
};

static int mglru_create(const struct policy_config *config, void **ret_state) {
    uint64_t swappiness = 60, swap = 1;
    const struct policy_parameter known[] = {{"swappiness", &swappiness, 0, 200}, {"swap", &swap, 0, 1}};
    if (policy_parse(config->parameters, known, 2) < 0 || !config->test_and_clear_referenced)
        return -EINVAL;
    struct mglru *lru = calloc(1, sizeof *lru);
    if (!lru)
        return -ENOMEM;
    const uint32_t ghosts = policy_capacity(config) * 2;
    *lru = (struct mglru){.swappiness = swappiness, .swap = swap, .chosen = PFN_NONE, .config = *config};
    lru->max_seq = GENERATIONS_LEAST - 1;
    lru->evicted_at = big_calloc((size_t)ghosts + 1, sizeof *lru->evicted_at);
    if (!lru->evicted_at)
        goto out_free;
    if (ghosts_init_lists(&lru->ghosts, &lru->lists, config->frames, ghosts, LISTS) < 0)
        goto out_free;
    *ret_state = lru;
    return 0;

out_free:
    free(lru->evicted_at);
    free(lru);
    return -ENOMEM;
}

static void mglru_destroy(void *state) {
    struct mglru *lru = state;
    lists_free(&lru->lists);
    ghosts_free(&lru->ghosts);
    free(lru->evicted_at);
    free(lru);
}

static uint8_t list_of(unsigned type, uint64_t seq) {
    return (uint8_t)(type * GENERATIONS + seq % GENERATIONS);
}

/* Puts a page into a generation, which it then belongs to. */
static void page_move(struct mglru *lru, uint32_t f, unsigned type, uint64_t seq) {
    lru->lists.nodes[f].count = (uint16_t)(seq % GENERATIONS);
    if (lists_of(&lru->lists, f) == LIST_NONE)
        lists_append(&lru->lists, list_of(type, seq), f);
    else
        lists_move(&lru->lists, list_of(type, seq), f);
}

static struct tier *tier_of(struct mglru *lru, unsigned type, uint8_t mark) {
    return &lru->tiers[type][mark & WORKINGSET ? TIER_LAST : TIER_FIRST];
}

static void shadow_drop(struct mglru *lru, uint32_t ghost) {
    lists_remove(&lru->lists, ghost);
    ghosts_drop(&lru->ghosts, ghost);
}

static void mglru_insert(void *state, pfn_t f, page_id_t page) {
    struct mglru *lru = state;
    assert(lists_of(&lru->lists, f.n) == LIST_NONE);
    const unsigned type = page_id_is_object(page) ? FILES : ANON;
    const uint32_t ghost = ghosts_find(&lru->ghosts, page);
    uint8_t mark = ENTERED;
    if (ghost != NODE_NONE) {
        if (lru->max_seq - lru->evicted_at[ghost - lru->ghosts.first] < GENERATIONS) {
            mark |= lru->lists.nodes[ghost].mark & WORKINGSET;
            tier_of(lru, type, mark)->refaulted++;
        }
        shadow_drop(lru, ghost);
    }
    lru->chosen = PFN_NONE;
    lru->lists.nodes[f.n].mark = mark;
    page_move(lru, f.n, type, lru->max_seq - (mark & WORKINGSET ? 0 : 1));
    lru->pages[type]++;
}

static void mglru_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct mglru *lru = state;
    assert(lists_of(&lru->lists, f.n) < SHADOWS);
    const unsigned type = lists_of(&lru->lists, f.n) / GENERATIONS;
    lru->chosen = PFN_NONE;
    lists_remove(&lru->lists, f.n);
    lru->pages[type]--;
    if (reason != POLICY_EVICTED)
        return;
    const uint8_t mark = lru->lists.nodes[f.n].mark & WORKINGSET;
    tier_of(lru, type, mark)->total++;
    if (ghosts_full(&lru->ghosts))
        shadow_drop(lru, lists_oldest(&lru->lists, SHADOWS));
    const uint32_t ghost = ghosts_add(&lru->ghosts, page);
    lru->lists.nodes[ghost].mark = mark;
    lru->evicted_at[ghost - lru->ghosts.first] = lru->min_seq[type];
    lists_append(&lru->lists, SHADOWS, ghost);
}

static bool page_was_used(struct mglru *lru, pfn_t f) {
    uint8_t *mark = &lru->lists.nodes[f.n].mark;
    const bool referenced = lru->config.test_and_clear_referenced(lru->config.context, f),
               entered = *mark & ENTERED;
    *mark &= (uint8_t)~ENTERED;
    return entered | referenced;
}

/* The oldest generation of a type is no more: what was counted in it becomes part of the means. */
static void generation_end(struct mglru *lru, unsigned type) {
    for (unsigned i = 0; i < TIERS; i++) {
        struct tier *tier = &lru->tiers[type][i];
        tier->mean_refaulted = (tier->mean_refaulted + tier->refaulted) / 2;
        tier->mean_total = (tier->mean_total + tier->total) / 2;
        tier->refaulted = tier->total = 0;
    }
    lru->min_seq[type]++;
}

/* try_to_inc_min_seq() */
static void generations_drop_empty(struct mglru *lru) {
    for (unsigned type = 0; type < TYPES; type++)
        while (lru->min_seq[type] + GENERATIONS_LEAST <= lru->max_seq &&
               lists_count(&lru->lists, list_of(type, lru->min_seq[type])) == 0)
            generation_end(lru, type);
}

/* inc_min_seq(): the oldest generation joins the next, in front of it. */
static void generation_merge(struct mglru *lru, unsigned type) {
    const uint64_t seq = lru->min_seq[type];
    const uint8_t old = list_of(type, seq), next = list_of(type, seq + 1);
    for (uint32_t n = lists_oldest(&lru->lists, old); n != NODE_NONE; n = lists_after(&lru->lists, n))
        if (lru->lists.nodes[n].count == seq % GENERATIONS)
            lru->lists.nodes[n].count = (uint16_t)((seq + 1) % GENERATIONS);
    lists_join(&lru->lists, old, next);
    lists_join(&lru->lists, next, old);
    generation_end(lru, type);
}

/* Aging. The order of frame numbers plays no part: pages are only marked. */
static void age(struct mglru *lru) {
    for (unsigned type = 0; type < TYPES; type++)
        if (lru->max_seq - lru->min_seq[type] + 1 == GENERATIONS)
            generation_merge(lru, type);
    const unsigned youngest = lru->max_seq % GENERATIONS;
    for (uint32_t n = 0; n < lru->ghosts.first; n++) {
        struct lists_node *node = &lru->lists.nodes[n];
        if (node->list == LIST_NONE)
            continue;
        /* By masks: nothing foretells which pages were used, and branches would often go wrong. */
        const unsigned used = page_was_used(lru, (pfn_t){n}), before = node->mark;
        const unsigned again = -(used & (before >> 1 | before) & REFERENCED);
        node->mark = (uint8_t)(((before | used * REFERENCED) & ~again) | (WORKINGSET & again));
        node->count = (uint16_t)((node->count & ~again) | (youngest & again));
    }
    lru->max_seq++;
}

/* positive_ctrl_err(): whether `a`, the set point, has at least the rate of refaults
 * of `b`, by their gains. */
static bool is_worse(const struct tier *a, uint64_t gain_a, const struct tier *b, uint64_t gain_b) {
    const uint64_t refaulted_a = a->mean_refaulted + a->refaulted, total_a = a->mean_total + a->total;
    const uint64_t refaulted_b = b->mean_refaulted + b->refaulted, total_b = b->mean_total + b->total;
    return refaulted_b < BATCH ||
           refaulted_b * (total_a + BATCH) * gain_a <= (refaulted_a + 1) * total_b * gain_b;
}

static struct tier tiers_sum(const struct mglru *lru, unsigned type) {
    const struct tier *a = &lru->tiers[type][TIER_FIRST], *b = &lru->tiers[type][TIER_LAST];
    return (struct tier){a->refaulted + b->refaulted, a->total + b->total,
                         a->mean_refaulted + b->mean_refaulted, a->mean_total + b->mean_total};
}

/* get_type_to_scan() */
static unsigned type_to_scan(const struct mglru *lru) {
    if (lru->swappiness <= 1)
        return FILES;
    if (lru->swappiness == 200)
        return ANON;
    const struct tier anon = tiers_sum(lru, ANON), file = tiers_sum(lru, FILES);
    return is_worse(&anon, lru->swappiness, &file, 200 - lru->swappiness) ? FILES : ANON;
}

/* Looks at the oldest page of the oldest generation: whether it is to go. */
static bool page_scan(struct mglru *lru, unsigned type, pfn_t f) {
    struct lists_node *node = &lru->lists.nodes[f.n];
    const uint64_t oldest = lru->min_seq[type];
    if (node->count != oldest % GENERATIONS) { /* aging has promoted it */
        lists_move(&lru->lists, (uint8_t)(type * GENERATIONS + node->count), f.n);
        return false;
    }
    const struct tier *tiers = lru->tiers[type];
    if ((node->mark & WORKINGSET) && !is_worse(&tiers[TIER_FIRST], 2, &tiers[TIER_LAST], 3)) {
        lru->tiers[type][TIER_LAST].total++; /* protected */
        page_move(lru, f.n, type, oldest + 1);
        return false;
    }
    if (!page_was_used(lru, f))
        return true;
    const bool again = node->mark & (REFERENCED | WORKINGSET);
    node->mark = again ? WORKINGSET : type == ANON ? REFERENCED : 0;
    page_move(lru, f.n, type, lru->max_seq - (again ? 0 : 1));
    return false;
}

static bool type_can_go(const struct mglru *lru, unsigned type) {
    return lru->max_seq - lru->min_seq[type] + 1 > GENERATIONS_LEAST &&
           lists_count(&lru->lists, list_of(type, lru->min_seq[type])) > 0;
}

/* The type whose turn it is, or the other one where it cannot go. */
static unsigned type_that_can_go(const struct mglru *lru, bool files_first) {
    if (!type_can_go(lru, FILES))
        return ANON;
    return files_first || !type_can_go(lru, ANON) ? FILES : type_to_scan(lru);
}

static pfn_t mglru_victim(void *state) {
    struct mglru *lru = state;
    const bool files_only = (!lru->swap || !lru->swappiness) && lru->pages[FILES] > 0;
    if (lru->pages[ANON] + lru->pages[FILES] == 0)
        return PFN_NONE;
    while (pfn_is_none(lru->chosen)) {
        generations_drop_empty(lru);
        const uint64_t anon = lru->min_seq[ANON], file = lru->min_seq[FILES];
        if ((files_only || file < anon ? file : anon) + GENERATIONS_LEAST >= lru->max_seq) {
            age(lru);
            continue;
        }
        const unsigned type = type_that_can_go(lru, files_only);
        const pfn_t f = {lists_oldest(&lru->lists, list_of(type, lru->min_seq[type]))};
        if (page_scan(lru, type, f))
            lru->chosen = f;
    }
    return lru->chosen;
}

static const char *mglru_check(const void *state) {
    const struct mglru *lru = state;
    for (unsigned type = 0; type < TYPES; type++) {
        const uint64_t generations = lru->max_seq - lru->min_seq[type] + 1;
        uint64_t pages = 0;
        for (unsigned generation = 0; generation < GENERATIONS; generation++)
            pages += lists_count(&lru->lists, list_of(type, generation));
        if (pages != lru->pages[type])
            return "mglru-model: the number of pages is wrong";
        if (generations < GENERATIONS_LEAST || generations > GENERATIONS)
            return "mglru-model: too few or too many generations";
        for (uint64_t seq = lru->max_seq + 1; seq < lru->min_seq[type] + GENERATIONS; seq++)
            if (lists_count(&lru->lists, list_of(type, seq)) > 0)
                return "mglru-model: a page is in a generation that there is not";
    }
    if (lists_count(&lru->lists, SHADOWS) != lru->ghosts.used)
        return "mglru-model: a shadow is not in its list";
    const char *wrong = ghosts_check(&lru->ghosts);
    return wrong ? wrong : lists_check(&lru->lists);
}

static size_t mglru_bytes(const void *state) {
    const struct mglru *lru = state;
    return sizeof *lru + lists_bytes(&lru->lists) + ghosts_bytes(&lru->ghosts) +
           ((size_t)lru->ghosts.limit + 1) * sizeof *lru->evicted_at;
}

const struct policy_ops policy_mglru_model = {
    .name = "mglru-model",
    .description = "generations and tiers as in Linux 6.18's MGLRU; not validated",
    .parameters = "swappiness=60 (0 to 200): how much anonymous pages are to give beside files'; "
                  "swap=1 (0 or 1): whether there is swap",
    .needs = POLICY_NEEDS_REFERENCED_BITS,
    .create = mglru_create,
    .destroy = mglru_destroy,
    .insert = mglru_insert,
    .remove = mglru_remove,
    .victim = mglru_victim,
    .check = mglru_check,
    .bytes = mglru_bytes,
};
