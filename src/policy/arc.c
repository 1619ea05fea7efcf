/* ARC, the adaptive replacement cache: LRU lists T1 of pages that were used once lately and T2 of those used
 * at least twice, each with a list of the identities of its last victims, B1 and B2. A miss on a page in B1
 * says that T1 should be larger, one in B2 that T2 should; the target size of T1, p, follows.
 *
 * Source: N. Megiddo, D. S. Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003, figure 4.
 * p is a whole number, and the quotients by which it moves are rounded down.
 *
 *      |T1| + |B1| <= c,   |T1| + |T2| + |B1| + |B2| <= 2c,   0 <= p <= c          after every insert()
 *
 * The paper shortens B1 or B2 before a page moves there; here when the new page has come in, which leaves the
 * same lists. A page that dies is no victim and leaves no ghost. The choice depends on the page wanted, which
 * miss() says; without it p moves when the page comes in, one victim late. */
#include <assert.h>

#include "policy/ghosts.h"
#include "policy/parameters.h"
#include "policy/policies.h"

enum { T1, T2, B1, B2, LISTS };

struct arc {
    struct lists lists;
    struct ghosts ghosts;
    uint32_t capacity; /* c */
    uint32_t target;   /* p */
    page_id_t wanted;  /* what miss() said, iff is_wanted */
    bool is_wanted;
    uint8_t wanted_in; /* B1, B2, or LIST_NONE, as it was at miss() */
};

static int arc_create(const struct policy_config *config, void **ret_state) {
    if (policy_parse(config->parameters, NULL, 0) < 0)
        return -EINVAL;
    struct arc *arc = calloc(1, sizeof *arc);
    if (!arc)
        return -ENOMEM;
    *arc = (struct arc){.capacity = policy_capacity(config), .wanted_in = LIST_NONE};
    if (arc->capacity > UINT32_MAX / 4 ||
        ghosts_init_lists(&arc->ghosts, &arc->lists, config->frames, 2 * arc->capacity, LISTS) < 0) {
        free(arc);
        return -ENOMEM;
    }
    *ret_state = arc;
    return 0;
}

static void arc_destroy(void *state) {
    struct arc *arc = state;
    lists_free(&arc->lists);
    ghosts_free(&arc->ghosts);
    free(arc);
}

static uint32_t arc_count(const struct arc *arc, uint8_t list) {
    return lists_count(&arc->lists, list);
}

/* By how much p moves on a miss in one list of ghosts. */
static uint32_t arc_step(const struct arc *arc, uint8_t hit, uint8_t other) {
    const uint32_t step = arc_count(arc, other) / arc_count(arc, hit);
    return step ? step : 1;
}

/* Moves p for a page that is missed. Returns B1, B2, or LIST_NONE. */
static uint8_t arc_adapt(struct arc *arc, page_id_t page) {
    const uint32_t ghost = ghosts_find(&arc->ghosts, page);
    const uint8_t list = ghost == NODE_NONE ? LIST_NONE : lists_of(&arc->lists, ghost);
    if (list == B1) {
        const uint32_t step = arc_step(arc, B1, B2), room = arc->capacity - arc->target;
        arc->target += step < room ? step : room;
    } else if (list == B2) {
        const uint32_t step = arc_step(arc, B2, B1);
        arc->target -= step < arc->target ? step : arc->target;
    }
    return list;
}

static void arc_miss(void *state, page_id_t page) {
    struct arc *arc = state;
    arc->wanted_in = arc_adapt(arc, page);
    arc->wanted = page;
    arc->is_wanted = true;
}

static void arc_forget(struct arc *arc, uint32_t ghost) {
    lists_remove(&arc->lists, ghost);
    ghosts_drop(&arc->ghosts, ghost);
}

/* Shortens the lists of ghosts to what the invariants allow. */
static void arc_trim(struct arc *arc) {
    while (arc_count(arc, T1) + arc_count(arc, B1) > arc->capacity && arc_count(arc, B1))
        arc_forget(arc, lists_oldest(&arc->lists, B1));
    while (arc_count(arc, T1) + arc_count(arc, T2) + arc->ghosts.used > 2 * arc->capacity &&
           arc_count(arc, B2))
        arc_forget(arc, lists_oldest(&arc->lists, B2));
}

static void arc_insert(void *state, pfn_t f, page_id_t page) {
    struct arc *arc = state;
    assert(lists_of(&arc->lists, f.n) == LIST_NONE);
    if (arc->is_wanted && page_id_eq(arc->wanted, page)) {
        arc->is_wanted = false;
        arc->wanted_in = LIST_NONE;
    } else {
        (void)arc_adapt(arc, page);
    }
    const uint32_t ghost = ghosts_find(&arc->ghosts, page);
    if (ghost != NODE_NONE)
        arc_forget(arc, ghost);
    lists_append(&arc->lists, ghost == NODE_NONE ? T1 : T2, f.n);
    arc_trim(arc);
}

static void arc_access(void *state, pfn_t f, page_id_t page) {
    struct arc *arc = state;
    lists_move(&arc->lists, T2, f.n);
}

static void arc_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct arc *arc = state;
    const uint8_t list = lists_of(&arc->lists, f.n);
    assert(list == T1 || list == T2);
    lists_remove(&arc->lists, f.n);
    if (reason != POLICY_EVICTED)
        return;
    if (ghosts_full(&arc->ghosts)) /* only where there are more frames than was said */
        arc_forget(arc, lists_oldest(&arc->lists, arc_count(arc, B2) ? B2 : B1));
    lists_append(&arc->lists, list == T1 ? B1 : B2, ghosts_add(&arc->ghosts, page));
}

/* REPLACE of the paper. */
static pfn_t arc_victim(void *state) {
    struct arc *arc = state;
    const uint32_t once = arc_count(arc, T1);
    const bool from_once = once > arc->target || (arc->wanted_in == B2 && once == arc->target);
    if (arc_count(arc, T2) == 0 || (once > 0 && from_once))
        return (pfn_t){lists_oldest(&arc->lists, T1)};
    return (pfn_t){lists_oldest(&arc->lists, T2)};
}

static const char *arc_check(const void *state) {
    const struct arc *arc = state;
    if (arc_count(arc, B1) + arc_count(arc, B2) != arc->ghosts.used)
        return "arc: a ghost is in neither B1 nor B2";
    if (arc->target > arc->capacity)
        return "arc: the target is larger than memory";
    if (arc_count(arc, T1) + arc_count(arc, T2) + arc->ghosts.used > 2 * arc->capacity)
        return "arc: more ghosts than memory has frames";
    const char *wrong = ghosts_check(&arc->ghosts);
    return wrong ? wrong : lists_check(&arc->lists);
}

static size_t arc_bytes(const void *state) {
    const struct arc *arc = state;
    return sizeof *arc + lists_bytes(&arc->lists) + ghosts_bytes(&arc->ghosts);
}

const struct policy_ops policy_arc = {
    .name = "arc",
    .description =
        "pages used once and pages used again, in shares that follow the misses (Megiddo, Modha 2003)",
    .needs = POLICY_NEEDS_EVERY_REFERENCE,
    .create = arc_create,
    .destroy = arc_destroy,
    .insert = arc_insert,
    .access = arc_access,
    .remove = arc_remove,
    .victim = arc_victim,
    .check = arc_check,
    .bytes = arc_bytes,
    .miss = arc_miss,
};
