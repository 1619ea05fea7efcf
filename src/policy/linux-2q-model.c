/* A model of what Linux does with CONFIG_LRU_GEN off, for one memory cgroup on one node: an active and an
 * inactive list each for anonymous and for file pages. New pages are inactive; from the end of an inactive
 * list a page goes out, unless it was referenced: then it stays, and the second time becomes active. A page
 * that comes back soon, by its refault distance, becomes active at once.
 *
 * Source: Linux 6.18, mm/vmscan.c (get_scan_count, shrink_active_list, folio_check_references,
 * inactive_is_low), mm/workingset.c (workingset_eviction, workingset_test_recent, workingset_refault),
 * mm/swap.c (lru_note_cost). Parameters: swappiness=60; swap=1 (0: there is none, anonymous pages go only
 * where there are no others).
 *
 * Differences: one page at a time is reclaimed, not 32 or more, and what a pass was to scan is scanned
 * whoever asks; no kswapd, no soft limits, one zone, no large folios. Executable file pages are not spared,
 * as a policy does not see permissions. Several mappings of a page count as one. Shared memory is taken for a
 * file. Dirty file pages go like clean ones instead of waiting for the flusher. Use of files by read() and by
 * unmapping does not mark pages. Pages evicted more than `capacity` evictions ago are forgotten, which
 * changes no decision: their distance is too large. docs/POLICIES.md says how far it agrees with a kernel. */
#include <assert.h>

#include "base/base.h"
#include "policy/ghosts.h"
#include "policy/parameters.h"
#include "policy/policies.h"

enum { ANON, FILES, TYPES };
enum { INACTIVE, ACTIVE };
enum { LISTS_OF_PAGES = 4, SHADOWS = LISTS_OF_PAGES, LISTS }; /* a page's list: 2 * type + active */
enum { REFERENCED = 1, WORKINGSET = 2, ENTERED = 4 }; /* PG_referenced, PG_workingset; bit not yet seen */
enum { BATCH = 32, PRIORITY = 12 };                   /* SWAP_CLUSTER_MAX, DEF_PRIORITY */

struct twolists {
    struct lists lists;
    struct ghosts ghosts;
    uint64_t *evicted_at;       /* by ghost: `age` when it went */
    uint64_t pages;             /* in frames */
    uint64_t age;               /* lruvec.nonresident_age */
    uint64_t cost[TYPES];       /* lruvec.anon_cost, file_cost */
    bool refaulted[TYPES];      /* pages became active by refaults since the last plan */
    bool may_deactivate[TYPES]; /* by the last plan */
    uint64_t to_scan[LISTS_OF_PAGES];
    unsigned turn, batch; /* the list being scanned, and how many pages more */
    uint64_t swappiness, swap;
    pfn_t chosen;
    struct policy_config config;
};

static int twolists_create(const struct policy_config *config, void **ret_state) {
    uint64_t swappiness = 60, swap = 1;
    const struct policy_parameter known[] = {{"swappiness", &swappiness, 0, 200}, {"swap", &swap, 0, 1}};
    if (policy_parse(config->parameters, known, 2) < 0 || !config->test_and_clear_referenced)
        return -EINVAL;
    struct twolists *two = calloc(1, sizeof *two);
    if (!two)
        return -ENOMEM;
    const uint32_t ghosts = policy_capacity(config) + 1;
    *two = (struct twolists){.swappiness = swappiness, .swap = swap, .chosen = PFN_NONE, .config = *config};
    two->evicted_at = big_calloc(ghosts, sizeof *two->evicted_at);
    if (!two->evicted_at)
        goto out_free;
    if (ghosts_init_lists(&two->ghosts, &two->lists, config->frames, ghosts, LISTS) < 0)
        goto out_free;
    *ret_state = two;
    return 0;

out_free:
    free(two->evicted_at);
    free(two);
    return -ENOMEM;
}

static void twolists_destroy(void *state) {
    struct twolists *two = state;
    lists_free(&two->lists);
    ghosts_free(&two->ghosts);
    free(two->evicted_at);
    free(two);
}

static uint64_t size_of(const struct twolists *two, unsigned type, unsigned active) {
    return lists_count(&two->lists, (uint8_t)(2 * type + active));
}

/* lru_note_cost() */
static void cost_note(struct twolists *two, unsigned type, uint64_t cost) {
    two->cost[type] += cost;
    if (two->cost[ANON] + two->cost[FILES] > two->pages / 4) {
        two->cost[ANON] /= 2;
        two->cost[FILES] /= 2;
    }
}

static void shadow_drop(struct twolists *two, uint32_t ghost) {
    lists_remove(&two->lists, ghost);
    ghosts_drop(&two->ghosts, ghost);
}

/* workingset_test_recent() */
static bool shadow_is_recent(const struct twolists *two, uint32_t ghost, unsigned type) {
    uint64_t workingset = size_of(two, FILES, ACTIVE);
    if (type == ANON)
        workingset += size_of(two, FILES, INACTIVE);
    if (two->swap)
        workingset += size_of(two, ANON, ACTIVE) + (type == FILES ? size_of(two, ANON, INACTIVE) : 0);
    return two->age - two->evicted_at[ghost - two->ghosts.first] <= workingset;
}

static void twolists_insert(void *state, pfn_t f, page_id_t page) {
    struct twolists *two = state;
    assert(lists_of(&two->lists, f.n) == LIST_NONE);
    const unsigned type = page_id_is_object(page) ? FILES : ANON;
    const uint32_t ghost = ghosts_find(&two->ghosts, page);
    bool recent = false, workingset = false;
    if (ghost != NODE_NONE) {
        recent = shadow_is_recent(two, ghost, type);
        workingset = recent && (two->lists.nodes[ghost].mark & WORKINGSET);
        shadow_drop(two, ghost);
    }
    two->chosen = PFN_NONE;
    two->lists.nodes[f.n].mark = workingset ? ENTERED | WORKINGSET : ENTERED;
    two->age += recent;
    two->refaulted[type] |= recent;
    if (workingset)
        cost_note(two, type, BATCH);
    lists_append(&two->lists, (uint8_t)(2 * type + (recent ? ACTIVE : INACTIVE)), f.n);
    two->pages++;
}

static void twolists_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct twolists *two = state;
    assert(lists_of(&two->lists, f.n) < LISTS_OF_PAGES);
    two->chosen = PFN_NONE;
    lists_remove(&two->lists, f.n);
    two->pages--;
    if (reason != POLICY_EVICTED)
        return;
    if (ghosts_full(&two->ghosts))
        shadow_drop(two, lists_oldest(&two->lists, SHADOWS));
    const uint32_t ghost = ghosts_add(&two->ghosts, page);
    two->lists.nodes[ghost].mark = two->lists.nodes[f.n].mark & WORKINGSET;
    two->evicted_at[ghost - two->ghosts.first] = two->age++;
    lists_append(&two->lists, SHADOWS, ghost);
}

/* inactive_is_low(): in a large memory the inactive list may be smaller than the active one. */
static bool inactive_is_low(const struct twolists *two, unsigned type) {
    const uint64_t inactive = size_of(two, type, INACTIVE), active = size_of(two, type, ACTIVE);
    const uint64_t gigabytes = (inactive + active) >> (30 - PAGE_SHIFT);
    uint64_t ratio = 1;
    while (gigabytes && (ratio + 1) * (ratio + 1) <= 10 * gigabytes)
        ratio++;
    return inactive * ratio < active;
}

/* a / b. Most numbers are small, and their division takes a processor half the time. */
static uint64_t quotient(uint64_t a, uint64_t b) {
    return (a | b) >> 32 ? a / b : (uint32_t)a / (uint32_t)b;
}

/* get_scan_count(): the shares of the types, which their costs decide. */
static void plan_share(const struct twolists *two, uint64_t ret_share[TYPES]) {
    const uint64_t total = two->cost[ANON] + two->cost[FILES];
    const uint64_t anon_cost = total + two->cost[ANON], file_cost = total + two->cost[FILES];
    ret_share[ANON] = quotient(two->swappiness * (anon_cost + file_cost + 1), anon_cost + 1);
    ret_share[FILES] = quotient((200 - two->swappiness) * (anon_cost + file_cost + 1), file_cost + 1);
}

/* Pages that may be scanned, by list. */
static void plan_sizes(struct twolists *two, uint64_t ret_sizes[LISTS_OF_PAGES]) {
    for (unsigned type = 0; type < TYPES; type++) {
        two->may_deactivate[type] = two->refaulted[type] || inactive_is_low(two, type);
        two->refaulted[type] = false;
        ret_sizes[2 * type + INACTIVE] = size_of(two, type, INACTIVE);
        ret_sizes[2 * type + ACTIVE] = two->may_deactivate[type] ? size_of(two, type, ACTIVE) : 0;
    }
}

/* The first priority, by its number the largest, at which a list of this size has a page to scan, by its
 * share of `all`; 0: none, or only the last one. Without division, which would take
 * longer than all the rest. */
static unsigned plan_first(uint64_t size, uint64_t share, uint64_t all) {
    if (size * share < all || size == 0)
        return 0;
    unsigned priority = (unsigned)(__builtin_clzll(all) - __builtin_clzll(size * share)); /* or less */
    while (priority > 0 && (size >> priority) * share < all)
        priority--;
    return priority;
}

/* The first priority from this one on that gives something to scan, and what; 0 if none does. Done for nearly
 * every victim, so it is found without trying each. */
static unsigned plan_at(struct twolists *two, unsigned priority, const uint64_t sizes[LISTS_OF_PAGES],
                        const uint64_t share[TYPES]) {
    const bool no_anon = !two->swap || !two->swappiness;
    const uint64_t all = share[ANON] + share[FILES];
    const uint64_t trim = two->may_deactivate[FILES] ? 0 : sizes[2 * FILES + INACTIVE];
    const uint64_t anon = max_u64(sizes[2 * ANON + INACTIVE], sizes[2 * ANON + ACTIVE]);
    const uint64_t files = max_u64(sizes[2 * FILES + INACTIVE], sizes[2 * FILES + ACTIVE]);
    unsigned first = no_anon ? plan_first(files, 1, 1) : plan_first(anon, share[ANON], all);
    if (files > 0 && !no_anon)
        first = max_u32(first, max_u32(plan_first(trim, 1, 1), plan_first(files, share[FILES], all)));
    priority = min_u32(priority, first);
    const bool files_only = no_anon || (priority > 0 && trim >> priority);
#pragma GCC unroll 4
    for (unsigned list = 0; list < LISTS_OF_PAGES; list++) {
        const uint64_t size = sizes[list] >> priority;
        if (size == 0 || (files_only && list / 2 == ANON))
            two->to_scan[list] = 0;
        else if (files_only || priority == 0)
            two->to_scan[list] = size;
        else
            two->to_scan[list] = quotient(size * share[list / 2], all);
    }
    return priority;
}

static bool plan_is_done(const struct twolists *two) {
    return !(two->to_scan[0] | two->to_scan[1] | two->to_scan[2] | two->to_scan[3]);
}

/* What to scan next: at the first priority from `priority` on that gives something. Returns the one after. */
static unsigned plan_make(struct twolists *two, unsigned priority) {
    uint64_t share[TYPES], sizes[LISTS_OF_PAGES];
    plan_sizes(two, sizes);
    plan_share(two, share);
    priority = plan_at(two, priority, sizes, share);
    if (plan_is_done(two)) /* only anonymous pages, and no swap area: somebody wants one all the same */
        two->to_scan[2 * ANON + INACTIVE] = size_of(two, ANON, INACTIVE);
    if (plan_is_done(two)) {
        two->to_scan[2 * ANON + ACTIVE] = size_of(two, ANON, ACTIVE);
        two->may_deactivate[ANON] = true;
    }
    two->turn = LISTS_OF_PAGES - 1;
    two->batch = 0;
    return priority ? priority - 1 : 0;
}

/* The list whose turn it is, in batches; the plan is not done. */
static unsigned plan_next(struct twolists *two) {
    while (two->batch == 0 || two->to_scan[two->turn] == 0) {
        two->turn = (two->turn + 1) % LISTS_OF_PAGES;
        two->batch = BATCH;
    }
    two->batch--;
    two->to_scan[two->turn]--;
    return two->turn;
}

static bool page_was_used(struct twolists *two, pfn_t f) {
    uint8_t *mark = &two->lists.nodes[f.n].mark;
    const bool referenced = two->config.test_and_clear_referenced(two->config.context, f),
               entered = *mark & ENTERED;
    *mark &= (uint8_t)~ENTERED;
    return entered || referenced;
}

/* shrink_active_list(), one page: used or not. */
static void active_scan(struct twolists *two, unsigned type, pfn_t f) {
    (void)page_was_used(two, f);
    two->lists.nodes[f.n].mark |= WORKINGSET;
    lists_move(&two->lists, (uint8_t)(2 * type + INACTIVE), f.n);
}

/* shrink_inactive_list(), one page: whether it is to go. */
static bool inactive_scan(struct twolists *two, unsigned type, pfn_t f) {
    uint8_t *mark = &two->lists.nodes[f.n].mark;
    const bool again = *mark & REFERENCED;
    if (!page_was_used(two, f)) {
        *mark &= (uint8_t)~REFERENCED;
        if (type == ANON && two->config.is_dirty && two->config.is_dirty(two->config.context, f))
            cost_note(two, type, BATCH);
        return true;
    }
    *mark |= REFERENCED;
    two->age += again;
    lists_move(&two->lists, (uint8_t)(2 * type + (again ? ACTIVE : INACTIVE)), f.n);
    cost_note(two, type, 1);
    return false;
}

static pfn_t twolists_victim(void *state) {
    struct twolists *two = state;
    unsigned priority = PRIORITY;
    while (two->pages > 0 && pfn_is_none(two->chosen)) {
        if (plan_is_done(two))
            priority = plan_make(two, priority);
        const unsigned list = plan_next(two);
        const pfn_t f = {lists_oldest(&two->lists, (uint8_t)list)};
        if (pfn_is_none(f)) /* pages died since the plan was made */
            two->to_scan[list] = 0;
        else if (list % 2 == ACTIVE)
            active_scan(two, list / 2, f);
        else if (inactive_scan(two, list / 2, f))
            two->chosen = f;
    }
    return two->chosen;
}

static const char *twolists_check(const void *state) {
    const struct twolists *two = state;
    if (lists_count(&two->lists, SHADOWS) != two->ghosts.used)
        return "linux-2q-model: a shadow is not in its list";
    uint64_t pages = 0;
    for (uint8_t list = 0; list < LISTS_OF_PAGES; list++)
        pages += lists_count(&two->lists, list);
    if (pages != two->pages)
        return "linux-2q-model: the number of pages is wrong";
    if (!pfn_is_none(two->chosen) && lists_of(&two->lists, two->chosen.n) >= LISTS_OF_PAGES)
        return "linux-2q-model: the victim is in no list";
    const char *wrong = ghosts_check(&two->ghosts);
    return wrong ? wrong : lists_check(&two->lists);
}

static size_t twolists_bytes(const void *state) {
    const struct twolists *two = state;
    return sizeof *two + lists_bytes(&two->lists) + ghosts_bytes(&two->ghosts) +
           two->ghosts.limit * sizeof *two->evicted_at;
}

const struct policy_ops policy_linux_2q_model = {
    .name = "linux-2q-model",
    .description = "active and inactive lists as in Linux 6.18 (compared for clean file pages only: "
                   "docs/POLICIES.md)",
    .parameters = "swappiness=60 (0 to 200): how much anonymous pages are to give beside files'; "
                  "swap=1 (0 or 1): whether there is swap",
    .needs = POLICY_NEEDS_REFERENCED_BITS,
    .create = twolists_create,
    .destroy = twolists_destroy,
    .insert = twolists_insert,
    .remove = twolists_remove,
    .victim = twolists_victim,
    .check = twolists_check,
    .bytes = twolists_bytes,
};
