/* CLOCK-Pro: LIRS with a clock. Hot pages, cold pages in memory, and cold pages out of it stand in one circle
 * in the order of their last moves to its head; three hands go round it.
 *
 * Source: S. Jiang, F. Chen, X. Zhang, "CLOCK-Pro: an effective improvement of the CLOCK replacement", USENIX
 * ATC 2005, section 4. No parameters: the share of the cold pages in memory adapts itself.
 *
 *   cold hand   always at a cold page in memory. Not referenced: it is the victim, and stays in the circle
 *               without a frame if it is in its test period. Referenced: it goes to the head, hot if in its
 *               test period, else cold and its test period begins
 *   hot hand    moves when there are too many hot pages: referenced hot ones are spared, the first other
 *               becomes cold. It ends the test periods of the cold pages that it passes, and stops at a hot
 *               one
 *   test hand   ends test periods when more pages are remembered out of memory than memory has frames
 *
 * A page missed while its test period lasts comes in hot, any other one cold, with a test period. A use
 * within a test period raises the number of frames for cold pages by one; a test period that ends without
 * lowers it. The head is right behind the hot hand, which so comes to a new page last. The number of cold
 * frames is at least 1 and leaves at least 1 to hot pages. As the paper leaves open how memory fills: pages
 * come in hot until the hot pages have their share (which at first is all but one frame), as in LIRS.
 *
 * The bit is set by uses after the one that brings a page in, which referenced bits cannot tell (see
 * sieve.c). Invariants: a ghost is cold and in its test period; each hand is at a page of the circle, or
 * nowhere. */
#include <assert.h>

#include "policy/ghosts.h"
#include "policy/parameters.h"
#include "policy/policies.h"

enum { CIRCLE, CIRCLES };
enum { HOT = 1, TEST = 2, REFERENCED = 4 };

struct clock_pro {
    struct lists circle; /* mark: of HOT, TEST, REFERENCED */
    struct ghosts ghosts;
    struct lists colds;           /* the cold pages in memory once more, in the order of the circle */
    uint32_t hot_hand, test_hand; /* nodes; NODE_NONE: the circle is empty */
    uint32_t cold_hand;           /* a cold page in memory; NODE_NONE: there is none */
    uint32_t cold_ahead;          /* the first cold page in memory at or in front of the hot hand; likewise */
    uint32_t hot;                 /* frames in use by hot pages */
    uint32_t capacity, cold_target; /* frames */
    pfn_t chosen;                   /* by victim(), until a page comes, goes or is used; PFN_NONE: nothing */
};

static int clock_pro_create(const struct policy_config *config, void **ret_state) {
    if (policy_parse(config->parameters, NULL, 0) < 0)
        return -EINVAL;
    struct clock_pro *pro = calloc(1, sizeof *pro);
    if (!pro)
        return -ENOMEM;
    const uint32_t capacity = policy_capacity(config);
    *pro = (struct clock_pro){.capacity = capacity, .cold_target = 1, .chosen = PFN_NONE};
    pro->hot_hand = pro->cold_hand = pro->test_hand = pro->cold_ahead = NODE_NONE;
    if (ghosts_init_lists(&pro->ghosts, &pro->circle, config->frames, capacity + 1, CIRCLES) < 0)
        goto out_free;
    if (lists_init(&pro->colds, config->frames, CIRCLES) < 0)
        goto out_free_circle;
    *ret_state = pro;
    return 0;

out_free_circle:
    lists_free(&pro->circle);
    ghosts_free(&pro->ghosts);
out_free:
    free(pro);
    return -ENOMEM;
}

static void clock_pro_destroy(void *state) {
    struct clock_pro *pro = state;
    lists_free(&pro->circle);
    lists_free(&pro->colds);
    ghosts_free(&pro->ghosts);
    free(pro);
}

static uint8_t *mark_of(const struct clock_pro *pro, uint32_t node) {
    return &pro->circle.nodes[node].mark;
}

static bool is_ghost(const struct clock_pro *pro, uint32_t node) {
    return node >= pro->ghosts.first;
}

/* The next one in a circle. */
static uint32_t circle_next(const struct lists *circle, uint32_t node) {
    const uint32_t next = lists_after(circle, node);
    return next != NODE_NONE ? next : lists_oldest(circle, CIRCLE);
}

static uint32_t cold_count(const struct clock_pro *pro) {
    return lists_count(&pro->colds, CIRCLE);
}

/* A page right behind the hot hand is a cold one in memory. */
static void cold_insert(struct clock_pro *pro, uint32_t f) {
    if (cold_count(pro) == 0) {
        lists_append(&pro->colds, CIRCLE, f);
        pro->cold_hand = pro->cold_ahead = f;
    } else {
        lists_insert_before(&pro->colds, pro->cold_ahead, f);
    }
}

/* It is one no more; hands at it move on. */
static void cold_remove(struct clock_pro *pro, uint32_t f) {
    const uint32_t next = circle_next(&pro->colds, f), to = next != f ? next : NODE_NONE;
    pro->cold_hand = pro->cold_hand == f ? to : pro->cold_hand;
    pro->cold_ahead = pro->cold_ahead == f ? to : pro->cold_ahead;
    lists_remove(&pro->colds, f);
}

/* Takes a node out of the circle; hands at it move on. */
static void circle_remove(struct clock_pro *pro, uint32_t node) {
    const uint32_t next = circle_next(&pro->circle, node), to = next != node ? next : NODE_NONE;
    pro->hot_hand = pro->hot_hand == node ? to : pro->hot_hand;
    pro->test_hand = pro->test_hand == node ? to : pro->test_hand;
    lists_remove(&pro->circle, node);
}

/* Puts a node at the head. */
static void circle_insert(struct clock_pro *pro, uint32_t node) {
    if (pro->hot_hand == NODE_NONE) {
        lists_append(&pro->circle, CIRCLE, node);
        pro->hot_hand = pro->test_hand = node;
    } else {
        lists_insert_before(&pro->circle, pro->hot_hand, node);
    }
}

static void circle_move_to_head(struct clock_pro *pro, uint32_t node) {
    circle_remove(pro, node);
    circle_insert(pro, node);
}

static void cold_target_move(struct clock_pro *pro, bool up) {
    if (up && pro->cold_target + 1 < pro->capacity)
        pro->cold_target++;
    else if (!up && pro->cold_target > 1)
        pro->cold_target--;
}

/* The test period of a cold page is over without a use. A ghost is forgotten. */
static void test_end(struct clock_pro *pro, uint32_t node) {
    if (!(*mark_of(pro, node) & TEST))
        return;
    *mark_of(pro, node) &= (uint8_t)~TEST;
    cold_target_move(pro, false);
    if (is_ghost(pro, node)) {
        circle_remove(pro, node);
        ghosts_drop(&pro->ghosts, node);
    }
}

/* What the hot hand does at a page; it moves on. */
static void hot_hand_step(struct clock_pro *pro) {
    const uint32_t node = pro->hot_hand;
    uint8_t *mark = mark_of(pro, node);
    pro->hot_hand = circle_next(&pro->circle, node);
    if (!(*mark & HOT)) {
        if (pro->cold_ahead == node)
            pro->cold_ahead = circle_next(&pro->colds, node);
        test_end(pro, node);
    } else if (*mark & REFERENCED) {
        *mark &= (uint8_t)~REFERENCED;
    } else {
        *mark = 0;
        pro->hot--;
        cold_insert(pro, node);
    }
}

/* The hot hand: makes pages cold while there are too many hot ones, and then stops at the next hot one. */
static void hot_hand_run(struct clock_pro *pro) {
    if (pro->hot <= pro->capacity - pro->cold_target)
        return;
    while (pro->hot > pro->capacity - pro->cold_target)
        hot_hand_step(pro);
    while (pro->hot > 0 && !(*mark_of(pro, pro->hot_hand) & HOT))
        hot_hand_step(pro);
}

/* The test hand: not more pages out of memory than frames. */
static void test_hand_run(struct clock_pro *pro) {
    while (pro->ghosts.used > pro->capacity) {
        const uint32_t node = pro->test_hand;
        pro->test_hand = circle_next(&pro->circle, node);
        if (!(*mark_of(pro, node) & HOT))
            test_end(pro, node);
    }
}

static void clock_pro_insert(void *state, pfn_t f, page_id_t page) {
    struct clock_pro *pro = state;
    assert(lists_of(&pro->circle, f.n) == LIST_NONE);
    const uint32_t ghost = ghosts_find(&pro->ghosts, page);
    bool hot = pro->hot < pro->capacity - pro->cold_target;
    pro->chosen = PFN_NONE;
    if (ghost != NODE_NONE) {
        circle_remove(pro, ghost);
        ghosts_drop(&pro->ghosts, ghost);
        cold_target_move(pro, true);
        hot = true;
    }
    *mark_of(pro, f.n) = hot ? HOT : TEST;
    pro->hot += hot;
    circle_insert(pro, f.n);
    if (!hot)
        cold_insert(pro, f.n);
    hot_hand_run(pro);
}

static void clock_pro_access(void *state, pfn_t f, page_id_t page) {
    struct clock_pro *pro = state;
    pro->chosen = PFN_NONE;
    *mark_of(pro, f.n) |= REFERENCED;
}

static void clock_pro_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct clock_pro *pro = state;
    const uint8_t mark = *mark_of(pro, f.n);
    assert(lists_of(&pro->circle, f.n) == CIRCLE);
    pro->chosen = PFN_NONE;
    if (mark & HOT)
        pro->hot--;
    else
        cold_remove(pro, f.n);
    if (reason == POLICY_EVICTED && (mark & TEST)) {
        const uint32_t ghost = ghosts_add(&pro->ghosts, page);
        *mark_of(pro, ghost) = TEST;
        lists_insert_before(&pro->circle, f.n, ghost);
    }
    circle_remove(pro, f.n);
    test_hand_run(pro);
}

/* What the cold hand does at a page that was referenced. */
static void cold_page_used(struct clock_pro *pro, uint32_t node) {
    const bool in_test = *mark_of(pro, node) & TEST;
    cold_remove(pro, node);
    *mark_of(pro, node) = in_test ? HOT : TEST;
    circle_move_to_head(pro, node);
    if (!in_test) {
        cold_insert(pro, node);
        return;
    }
    pro->hot++;
    cold_target_move(pro, true);
    hot_hand_run(pro);
}

/* Moves the cold hand to the next victim; NODE_NONE if no page is cold any more. */
static uint32_t cold_hand_run(struct clock_pro *pro) {
    while (pro->cold_hand != NODE_NONE && (*mark_of(pro, pro->cold_hand) & REFERENCED))
        cold_page_used(pro, pro->cold_hand);
    return pro->cold_hand;
}

/* The first hot page that was not referenced: only where there is no cold one. */
static uint32_t hot_victim(struct clock_pro *pro) {
    uint32_t node = pro->hot_hand;
    for (;; node = circle_next(&pro->circle, node)) {
        uint8_t *mark = mark_of(pro, node);
        if ((*mark & HOT) && !(*mark & REFERENCED))
            return node;
        if (*mark & HOT)
            *mark &= (uint8_t)~REFERENCED;
    }
}

static pfn_t clock_pro_victim(void *state) {
    struct clock_pro *pro = state;
    if (!pfn_is_none(pro->chosen))
        return pro->chosen;
    uint32_t node = cold_hand_run(pro);
    if (node == NODE_NONE && pro->hot)
        node = hot_victim(pro);
    return pro->chosen = (pfn_t){node};
}

static const char *clock_pro_check(const void *state) {
    const struct clock_pro *pro = state;
    const uint32_t hands[] = {pro->hot_hand, pro->test_hand};
    for (int i = 0; i < 2; i++)
        if ((hands[i] == NODE_NONE) != (lists_count(&pro->circle, CIRCLE) == 0) ||
            (hands[i] != NODE_NONE && lists_of(&pro->circle, hands[i]) != CIRCLE))
            return "clock-pro: a hand does not point into the circle";
    const uint32_t colds[] = {pro->cold_hand, pro->cold_ahead};
    for (int i = 0; i < 2; i++)
        if ((colds[i] == NODE_NONE) != (cold_count(pro) == 0) ||
            (colds[i] != NODE_NONE && lists_of(&pro->colds, colds[i]) != CIRCLE))
            return "clock-pro: a hand does not point at a cold page in memory";
    uint32_t hot = 0, cold = 0;
    for (uint32_t n = 0; n < pro->circle.size; n++) {
        if (lists_of(&pro->circle, n) == LIST_NONE)
            continue;
        const uint8_t mark = *mark_of(pro, n);
        if (is_ghost(pro, n) && mark != TEST)
            return "clock-pro: a page out of memory is not in its test period";
        hot += !is_ghost(pro, n) && (mark & HOT);
        cold += !is_ghost(pro, n) && !(mark & HOT);
    }
    if (hot != pro->hot || cold != cold_count(pro))
        return "clock-pro: the number of hot or cold pages is wrong";
    if (hot + cold + pro->ghosts.used != lists_count(&pro->circle, CIRCLE) ||
        pro->ghosts.used > pro->capacity)
        return "clock-pro: the number of pages out of memory is wrong";
    const char *wrong = ghosts_check(&pro->ghosts);
    wrong = wrong ? wrong : lists_check(&pro->circle);
    return wrong ? wrong : lists_check(&pro->colds);
}

static size_t clock_pro_bytes(const void *state) {
    const struct clock_pro *pro = state;
    return sizeof *pro + lists_bytes(&pro->circle) + lists_bytes(&pro->colds) + ghosts_bytes(&pro->ghosts);
}

const struct policy_ops policy_clock_pro = {
    .name = "clock-pro",
    .description = "LIRS as a clock with three hands and test periods (Jiang, Chen, Zhang 2005)",
    .needs = POLICY_NEEDS_EVERY_REFERENCE,
    .create = clock_pro_create,
    .destroy = clock_pro_destroy,
    .insert = clock_pro_insert,
    .access = clock_pro_access,
    .remove = clock_pro_remove,
    .victim = clock_pro_victim,
    .check = clock_pro_check,
    .bytes = clock_pro_bytes,
};
