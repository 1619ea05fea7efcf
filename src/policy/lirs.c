/* LIRS: pages are ranked not by when they were used last but by how many others were used between their last
 * two uses. Those that come back soon (LIR) have nearly all of memory and never go; all others (HIR) pass
 * through a few frames, in the order of a queue.
 *
 * Source: S. Jiang, X. Zhang, "LIRS: an efficient low inter-reference recency set replacement policy to
 * improve buffer cache performance", SIGMETRICS 2002, section 3.3. Parameters: hir=1, the frames for HIR
 * pages in percent of memory (at least one where there are two); ghosts=200, how many pages out of memory are
 * remembered, in percent of it; beyond that the one evicted first is forgotten. The paper's stack has no
 * bound.
 *
 *      stack  bottom: a LIR page ─► … ─► top: the page used last      LIR, HIR in memory, HIR out of memory
 *      queue  front: the victim ─► … ─► end                           HIR in memory
 *
 * A page that is used while it is in the stack was away for less long than the LIR page at the bottom, and
 * takes its place. Invariants: the bottom is LIR, unless the stack is empty; a LIR page is in the stack; a
 * HIR page in memory is in the queue; a ghost is in the stack. While there are fewer LIR pages than there may
 * be, as in the beginning or after some died, any page used becomes one. Where all pages are LIR, the bottom
 * goes. */
#include <assert.h>

#include "policy/ghosts.h"
#include "policy/parameters.h"
#include "policy/policies.h"

enum { STACK, STACKS };
enum { QUEUE, GHOSTS, QUEUES };

struct lirs {
    struct lists stack; /* mark: the frame is LIR */
    struct lists queue; /* and the ghosts, in the order of their evictions */
    struct ghosts ghosts;
    uint32_t lir, lir_limit; /* frames */
};

static int lirs_create(const struct policy_config *config, void **ret_state) {
    uint64_t hir = 1, ghosts = 200;
    const struct policy_parameter known[] = {{"hir", &hir, 1, 99}, {"ghosts", &ghosts, 0, 1000}};
    if (policy_parse(config->parameters, known, 2) < 0)
        return -EINVAL;
    const uint64_t capacity = policy_capacity(config), limit = capacity * ghosts / 100;
    struct lirs *lirs = calloc(1, sizeof *lirs);
    if (!lirs || limit >= UINT32_MAX)
        goto out_free;
    const uint32_t hirs = (uint32_t)(capacity * hir / 100);
    lirs->lir_limit = capacity > 1 ? (uint32_t)capacity - (hirs ? hirs : 1) : 1;
    if (ghosts_init_lists(&lirs->ghosts, &lirs->stack, config->frames, (uint32_t)limit, STACKS) < 0)
        goto out_free;
    if (lists_init(&lirs->queue, config->frames + (uint32_t)limit, QUEUES) < 0)
        goto out_free_stack;
    *ret_state = lirs;
    return 0;

out_free_stack:
    lists_free(&lirs->stack);
    ghosts_free(&lirs->ghosts);
out_free:
    free(lirs);
    return -ENOMEM;
}

static void lirs_destroy(void *state) {
    struct lirs *lirs = state;
    lists_free(&lirs->stack);
    lists_free(&lirs->queue);
    ghosts_free(&lirs->ghosts);
    free(lirs);
}

static bool lirs_in_stack(const struct lirs *lirs, uint32_t node) {
    return lists_of(&lirs->stack, node) == STACK;
}

static void lirs_forget(struct lirs *lirs, uint32_t ghost) {
    lists_remove(&lirs->stack, ghost);
    lists_remove(&lirs->queue, ghost);
    ghosts_drop(&lirs->ghosts, ghost);
}

/* "Stack pruning": what lies below the lowest LIR page has no chance any more. */
static void lirs_prune(struct lirs *lirs) {
    uint32_t bottom;
    while ((bottom = lists_oldest(&lirs->stack, STACK)) != NODE_NONE && !lirs->stack.nodes[bottom].mark) {
        if (bottom >= lirs->ghosts.first)
            lirs_forget(lirs, bottom);
        else
            lists_remove(&lirs->stack, bottom);
    }
}

/* A page at the top of the stack becomes LIR; the one at the bottom loses that, if there are too many. */
static void lirs_promote(struct lirs *lirs, uint32_t f) {
    lirs->stack.nodes[f].mark = true;
    lirs->lir++;
    if (lists_of(&lirs->queue, f) == QUEUE)
        lists_remove(&lirs->queue, f);
    if (lirs->lir <= lirs->lir_limit)
        return;
    const uint32_t bottom = lists_oldest(&lirs->stack, STACK);
    lirs->stack.nodes[bottom].mark = false;
    lirs->lir--;
    lists_append(&lirs->queue, QUEUE, bottom);
    lirs_prune(lirs); /* takes it out of the stack */
}

static void lirs_insert(void *state, pfn_t f, page_id_t page) {
    struct lirs *lirs = state;
    assert(!lirs_in_stack(lirs, f.n) && lists_of(&lirs->queue, f.n) == LIST_NONE);
    const uint32_t ghost = ghosts_find(&lirs->ghosts, page);
    if (ghost != NODE_NONE)
        lirs_forget(lirs, ghost);
    lists_append(&lirs->stack, STACK, f.n);
    if (ghost != NODE_NONE || lirs->lir < lirs->lir_limit)
        lirs_promote(lirs, f.n);
    else
        lists_append(&lirs->queue, QUEUE, f.n);
}

static void lirs_access(void *state, pfn_t f, page_id_t page) {
    struct lirs *lirs = state;
    const bool was_in_stack = lirs_in_stack(lirs, f.n);
    if (was_in_stack)
        lists_move(&lirs->stack, STACK, f.n);
    else
        lists_append(&lirs->stack, STACK, f.n);
    if (lirs->stack.nodes[f.n].mark)
        lirs_prune(lirs);
    else if (was_in_stack || lirs->lir < lirs->lir_limit)
        lirs_promote(lirs, f.n);
    else
        lists_move(&lirs->queue, QUEUE, f.n);
}

/* A victim that is in the stack leaves its ghost in its place, but for the bottom's,
 * which would go at once. */
static void lirs_leave_ghost(struct lirs *lirs, uint32_t f, page_id_t page) {
    if (lirs->ghosts.limit == 0 || f == lists_oldest(&lirs->stack, STACK)) {
        lists_remove(&lirs->stack, f);
        return;
    }
    if (ghosts_full(&lirs->ghosts))
        lirs_forget(lirs, lists_oldest(&lirs->queue, GHOSTS));
    const uint32_t ghost = ghosts_add(&lirs->ghosts, page);
    lists_replace(&lirs->stack, f, ghost);
    lists_append(&lirs->queue, GHOSTS, ghost);
}

static void lirs_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct lirs *lirs = state;
    assert(lirs->stack.nodes[f.n].mark || lists_of(&lirs->queue, f.n) == QUEUE);
    if (lirs->stack.nodes[f.n].mark)
        lirs->lir--;
    else
        lists_remove(&lirs->queue, f.n);
    lirs->stack.nodes[f.n].mark = false;
    if (!lirs_in_stack(lirs, f.n))
        return;
    if (reason == POLICY_EVICTED)
        lirs_leave_ghost(lirs, f.n, page);
    else
        lists_remove(&lirs->stack, f.n);
    lirs_prune(lirs);
}

static pfn_t lirs_victim(void *state) {
    const struct lirs *lirs = state;
    const uint32_t front = lists_oldest(&lirs->queue, QUEUE);
    return (pfn_t){front != NODE_NONE ? front : lists_oldest(&lirs->stack, STACK)};
}

static const char *lirs_check(const void *state) {
    const struct lirs *lirs = state;
    uint32_t lir = 0;
    const uint32_t bottom = lists_oldest(&lirs->stack, STACK);
    if (bottom != NODE_NONE && !lirs->stack.nodes[bottom].mark)
        return "lirs: the page at the bottom of the stack is not LIR";
    for (uint32_t n = 0; n < lirs->ghosts.first; n++) {
        lir += lirs->stack.nodes[n].mark;
        if (lirs->stack.nodes[n].mark && (!lirs_in_stack(lirs, n) || lists_of(&lirs->queue, n) != LIST_NONE))
            return "lirs: a LIR page is not in the stack, or is in the queue";
    }
    if (lir != lirs->lir || lir > lirs->lir_limit)
        return "lirs: the number of LIR pages is wrong";
    if (lists_count(&lirs->queue, GHOSTS) != lirs->ghosts.used)
        return "lirs: a ghost is not in its list";
    const char *wrong = ghosts_check(&lirs->ghosts);
    wrong = wrong ? wrong : lists_check(&lirs->stack);
    return wrong ? wrong : lists_check(&lirs->queue);
}

static size_t lirs_bytes(const void *state) {
    const struct lirs *lirs = state;
    return sizeof *lirs + lists_bytes(&lirs->stack) + lists_bytes(&lirs->queue) + ghosts_bytes(&lirs->ghosts);
}

const struct policy_ops policy_lirs = {
    .name = "lirs",
    .description = "keeps what comes back soon, by inter-reference recency (Jiang 2002)",
    .parameters =
        "hir=1 (percent of memory, 1 to 99): frames for pages that do not; ghosts=200 (percent, 0 to "
        "1000): pages remembered that went",
    .needs = POLICY_NEEDS_EVERY_REFERENCE,
    .create = lirs_create,
    .destroy = lirs_destroy,
    .insert = lirs_insert,
    .access = lirs_access,
    .remove = lirs_remove,
    .victim = lirs_victim,
    .check = lirs_check,
    .bytes = lirs_bytes,
};
