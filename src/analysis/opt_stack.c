/* See opt_stack.h. Why this is OPT, in five steps.
 *
 * 1  One size. Between two references to a page lies an interval (p, t) of time. A memory of C frames can
 *    keep the page over it, and so hit, iff at each moment in between there is a frame to spare: C, less one
 *    for the page that is referenced at that moment, less those taken by intervals that are kept already.
 *    Taking intervals in order of their ends, and each one that fits, keeps as many as can be kept (the
 *    greedy choice by earliest end), which is OPT. Whether one fits is known at t.
 *
 * 2  So for C all there is to remember is, for each moment q, how many more pages last used before q can be
 *    kept up to now. It never falls with q. Let B(C) be the multiset of moments where it rises by one: C of
 *    them, at first all "long ago". Looking at a page that was last used at p:
 *       hit    iff B(C) has a moment ≤ p. The latest one ≤ p goes (that frame is taken from then on);
 *       miss   the latest of all goes (the page needs a frame now);
 *       both   now is added: a page used now can be kept.
 *
 * 3  All sizes. B(C + 1) is B(C) and one moment more, of "level" C + 1: true at first, and kept by step 2 for
 *    hit and hit, miss and miss, miss and hit. So a level for each moment is all there is. The depth d of a
 *    reference is the lowest level of any moment ≤ p. Which moment goes from which B: from p to the left, the
 *    latest moment goes and its level is handed on to the next one that has a lower one, which hands on its
 *    own, until d is left over. From now to the left, d is handed on in the same way, through moments after
 *    p; what is left over is the lowest level of all, which now gets.
 *
 *    Nearly always the latest moment has that lowest level (1, as now got it): then it gets d, and that is
 *    all of the second walk.
 *
 * 4  The first walk, along which every moment might change its level, is not made. Moments keep the levels
 *    that they got; the one with level d is spent, wherever it is; and what the looks at p and the moments
 *    spent come to is kept as a balance for each moment x:
 *
 *       moments ≤ x that are spent   −   looks at some p ≤ x
 *
 *    Each look has been given a moment ≤ its p, so the balance is nowhere below 0. Looks may trade what they
 *    were given (augmenting paths): one at p can have a moment after p, if another one that was given a
 *    moment ≤ p can take that instead, or by any longer chain. That goes just as far as the first x ≥ p
 *    where the balance is 0: up to there the looks have all that is spent. So
 *
 *       d is the lowest level of any moment ≤ x, x the first place ≥ p where the balance is 0
 *
 *    which is what the walks would find: the sets of moments that can be given to looks are the independent
 *    sets of a matroid, and to give each look the lowest level that can be had, one after the other, makes
 *    the lowest whole (R. Rado 1957, J. Edmonds 1971), as the walks do for each C. Spending a moment at s for
 *    a look at p adds 1 to the balance from s to p - 1, or, where s lies behind p, takes 1 from p to s - 1.
 *
 *    So a reference takes some steps down and up two trees (slots.h, balance.h), however many sizes there
 *    are.
 *
 * 5  Some sizes. Where only the sizes S1 < S2 < … are asked for, moments of levels in between need not be
 *    told apart: the level of a moment is the index of the first size whose B has it, from 1, and one that
 *    only larger memories would have is forgotten.
 *
 * Pages that die: their frames are free at once, as OPT would evict them first, and no interval is kept for a
 * page that is not used again. Nothing has to be done. A page that is new is a miss in all sizes.
 *
 * Without swap an anonymous page takes a frame from its first use to its death: then one goes from each B(C),
 * the latest; at its death now is added to each. B(C) has C moments, less the number of such pages, `pinned`;
 * the `count` moments that are not "long ago" are those of the sizes pinned + 1 … pinned + count. */
#include "analysis/opt_stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/balance.h"
#include "analysis/slots.h"
#include "base/array.h"
#include "base/big.h"
#include "hw/types.h"

enum { WINDOW_MIN = 1 << 12, AHEAD = 24, AHEAD_TREES = 8, MOMENTS_AN_ITEM = 2 };

#define BOUND_NEVER  UINT32_MAX       /* not there: it was never, or is dead */
#define BOUND_PINNED (UINT32_MAX - 1) /* without swap, an anonymous page */

struct opt_stack {
    uint32_t *bounds; /* by page: the moment when it was last used */
    uint8_t *pinned;  /* by page, whether it never goes; NULL: with swap */
    uint32_t page_count;
    size_t page_capacity;
    struct slots levels; /* by moment; empty: it is spent, or was forgotten */
    struct balance balance;
    uint32_t now;   /* moments that were */
    uint32_t count; /* of moments with a level */
    uint32_t pinned_count, floor;
    const uint32_t *sizes;
    size_t size_count;
    uint64_t *hits; /* by level */
    uint64_t references, cold;
};

int opt_stack_create(bool no_swap, const uint32_t *sizes, size_t count, struct opt_stack **ret_stack) {
    struct opt_stack *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->floor = 1;
    s->sizes = sizes;
    s->size_count = count;
    s->hits = calloc(count + 1, sizeof *s->hits);
    if (!s->hits || slots_init(&s->levels, WINDOW_MIN) < 0 || balance_init(&s->balance, WINDOW_MIN) < 0 ||
        (no_swap && !(s->pinned = calloc(1, 1)))) {
        opt_stack_destroy(s);
        return -ENOMEM;
    }
    *ret_stack = s;
    return 0;
}

void opt_stack_destroy(struct opt_stack *s) {
    if (!s)
        return;
    free(s->hits);
    slots_free(&s->levels);
    balance_free(&s->balance);
    free(s->pinned);
    free(s->bounds);
    free(s);
}

static int pages_grow(struct opt_stack *s, size_t count) {
    size_t bounds = s->page_capacity, pinned = bounds;
    if (array_reserve_big(&s->bounds, &bounds, s->page_count, count, sizeof *s->bounds) ||
        (s->pinned && array_reserve(&s->pinned, &pinned, count, sizeof *s->pinned)))
        return -ENOMEM;
    s->page_capacity = bounds;
    return 0;
}

int opt_stack_add_pages(struct opt_stack *s, const struct refs_page *pages, size_t count) {
    const size_t all = s->page_count + count;
    if (all > INT32_MAX)
        return -EOVERFLOW;
    const int error = pages_grow(s, all);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        s->bounds[s->page_count + i] = BOUND_NEVER;
        if (s->pinned)
            s->pinned[s->page_count + i] = !(pages[i].flags & REFS_PAGE_FILE);
    }
    s->page_count = (uint32_t)all;
    return 0;
}

/* ---- the window ---- */

/* What is kept of the window when its moments are renumbered without the gaps. */
struct kept {
    uint32_t *numbers; /* by moment: 1 if it stays, as it has a level or a page was last used then; in the
                          end how many up to it stay */
    struct slots levels;
    struct balance balance;
};

static void kept_free(struct kept *kept) {
    free(kept->numbers);
    slots_free(&kept->levels);
    balance_free(&kept->balance);
}

static int kept_init(const struct opt_stack *s, struct kept *ret_kept) {
    struct kept kept = {.numbers = big_calloc(s->now + 1ULL, sizeof *kept.numbers)};
    uint64_t count = 0;
    if (!kept.numbers)
        return -ENOMEM;
    for (uint32_t p = 0; p < s->page_count; p++)
        if (s->bounds[p] < BOUND_PINNED)
            kept.numbers[s->bounds[p]] = 1;
    for (uint32_t at = 0; at < s->now; at++) {
        kept.numbers[at] |= slots_get(&s->levels, at) != SLOTS_EMPTY;
        count += kept.numbers[at];
    }
    const uint64_t more = max_u64(WINDOW_MIN, max_u64(count + count / 2, s->page_count / 2));
    const uint32_t window = (uint32_t)min_u64(count + more, BOUND_PINNED - 1);
    if (slots_init(&kept.levels, window) < 0 || balance_init(&kept.balance, window) < 0) {
        kept_free(&kept);
        return -ENOMEM;
    }
    *ret_kept = kept;
    return 0;
}

/* Renumbers. The balance of moments that go is of interest only where it is the lowest since the one before
 * that stays: what is added or taken begins and ends at moments that stay. */
static int window_compact(struct opt_stack *s) {
    struct kept kept;
    uint32_t count = 0;
    const int error = kept_init(s, &kept);
    if (error)
        return error;
    int32_t *balances = kept.balance.levels[0];
    for (uint32_t at = 0; at < s->now; at++) {
        const int32_t balance = balance_get(&s->balance, at);
        if (kept.numbers[at]) {
            slots_set(&kept.levels, count, slots_get(&s->levels, at));
            balances[count++] = balance;
        } else if (count > 0 && balance < balances[count - 1]) {
            balances[count - 1] = balance;
        }
        kept.numbers[at] = count;
    }
    balance_settle(&kept.balance, count);
    for (uint32_t p = 0; p < s->page_count; p++)
        if (s->bounds[p] < BOUND_PINNED)
            s->bounds[p] = kept.numbers[s->bounds[p]] - 1;
    slots_free(&s->levels);
    balance_free(&s->balance);
    s->levels = kept.levels;
    s->balance = kept.balance;
    s->now = count;
    free(kept.numbers);
    return 0;
}

/* ---- moments and levels ---- */

/* A look at a page that was last used at the moment `bound`, which there was: returns the lowest level that
 * it can have, whose moment is spent then, or 0 where there is none. */
static inline int32_t moment_take(struct opt_stack *s, uint32_t bound) {
    uint32_t at;
    const int32_t level = slots_least(&s->levels, balance_find_zero(&s->balance, bound) + 1, &at);
    if (level == SLOTS_EMPTY)
        return 0;
    slots_set(&s->levels, at, SLOTS_EMPTY);
    s->count--;
    if (at < bound)
        balance_add(&s->balance, at, bound, 1);
    else
        balance_add(&s->balance, bound, at, -1);
    return level;
}

/* The lowest level of all, which a look now can have; 0 where there is no moment. */
static inline int32_t moment_take_latest(struct opt_stack *s) {
    return s->now > 0 ? moment_take(s, s->now - 1) : 0;
}

/* The level of a moment that memories of this size and larger ones have; 0: none that is asked for. */
static int32_t level_of_size(const struct opt_stack *s, uint64_t size) {
    size_t low = 0, high = s->size_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (s->sizes[middle] < size)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->size_count ? (int32_t)low + 1 : 0;
}

/* Now is added, with this level. 0: it is forgotten. */
static inline void moment_add(struct opt_stack *s, int32_t level) {
    const uint32_t now = s->now++;
    if (level == 0)
        return;
    s->count++;
    slots_set(&s->levels, now, level);
}

/* Whether the latest moment has the lowest level that there is. */
static inline bool latest_is_lowest(const struct opt_stack *s) {
    return likely(s->now > 0) && likely(slots_get(&s->levels, s->now - 1) == 1);
}

/* The level is handed on from now to the left; now is added, with what is left over. */
static inline void moment_add_through(struct opt_stack *s, int32_t level) {
    const uint32_t latest = s->now - 1;
    if (latest_is_lowest(s)) {
        moment_add(s, 1);
        slots_set(&s->levels, latest, level);
        return;
    }
    moment_add(s, level);
    moment_add(s, moment_take_latest(s));
}

/* ---- items ---- */

/* Without swap, a page that never goes: true. */
static bool pinned_reference(struct opt_stack *s, uint32_t page) {
    if (!s->pinned[page]) {
        s->floor = max_u32(s->floor, s->pinned_count + 1);
        return false;
    }
    if (s->bounds[page] == BOUND_PINNED) {
        s->hits[1]++;
        return true;
    }
    s->bounds[page] = BOUND_PINNED;
    s->cold++;
    moment_take_latest(s);
    s->pinned_count++;
    s->floor = max_u32(s->floor, s->pinned_count);
    return true;
}

/* A miss in all sizes. */
static inline void page_missed(struct opt_stack *s) {
    const uint32_t latest = s->now - 1;
    if (latest_is_lowest(s)) {
        slots_set(&s->levels, s->now++, 1);
        slots_set(&s->levels, latest, SLOTS_EMPTY);
        return;
    }
    const int32_t level = moment_take_latest(s);
    moment_add(s, level ? level : level_of_size(s, s->pinned_count + 1ULL));
}

static inline void page_found(struct opt_stack *s, uint32_t bound) {
    int32_t level = moment_take(s, bound);
    if (level == 0) { /* the first size that has only "long ago" left */
        level = level_of_size(s, (uint64_t)s->pinned_count + s->count + 1);
        if (level == 0) {
            page_missed(s);
            return;
        }
        balance_add(&s->balance, 0, bound, 1);
    }
    s->hits[level]++;
    moment_add_through(s, level);
}

static inline void page_reference(struct opt_stack *s, uint32_t page) {
    if (s->bounds[page] == BOUND_NEVER) {
        s->cold++;
        page_missed(s);
    } else {
        page_found(s, s->bounds[page]);
    }
    s->bounds[page] = s->now - 1;
}

static void page_dies(struct opt_stack *s, uint32_t page) {
    if (s->bounds[page] == BOUND_NEVER)
        return;
    if (s->bounds[page] == BOUND_PINNED) {
        moment_add(s, level_of_size(s, s->pinned_count));
        s->pinned_count--;
    }
    s->bounds[page] = BOUND_NEVER;
}

static int item_take(struct opt_stack *s, const struct refs_item *item) {
    switch ((enum refs_kind)item->kind) {
    case REFS_REFERENCE:
        s->references++;
        if (!s->pinned || !pinned_reference(s, item->page))
            page_reference(s, item->page);
        return 0;
    case REFS_DIES: page_dies(s, item->page); return 0;
    case REFS_GIVEN_UP: return s->pinned && s->pinned[item->page] ? -ENOTSUP : 0;
    case REFS_CLEANED:
    case REFS_COOLED:
    case REFS_MARK: return 0;
    }
    return -EBADMSG;
}

static inline void items_prefetch(const struct opt_stack *s, const struct refs_item *items, size_t left) {
    if (left > AHEAD && items[AHEAD].page < s->page_count)
        __builtin_prefetch(&s->bounds[items[AHEAD].page], 1);
    if (left > AHEAD_TREES && items[AHEAD_TREES].page < s->page_count) {
        const uint32_t bound = s->bounds[items[AHEAD_TREES].page];
        if (bound < s->now) {
            __builtin_prefetch(&s->balance.levels[0][bound], 1);
            __builtin_prefetch(&s->levels.levels[0][bound], 1);
        }
    }
}

int opt_stack_feed(struct opt_stack *s, const struct refs_item *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (items[i].kind == REFS_MARK)
            continue;
        if (unlikely(items[i].page >= s->page_count))
            return -EBADMSG;
        items_prefetch(s, items + i, count - i);
        int error = s->now + MOMENTS_AN_ITEM > s->levels.window ? window_compact(s) : 0;
        if (!error)
            error = item_take(s, &items[i]);
        if (error)
            return error;
    }
    return 0;
}

/* ---- what came out ---- */

void opt_stack_curve(const struct opt_stack *s, uint64_t *ret_faults) {
    uint64_t hits = 0;
    for (size_t i = 0; i < s->size_count; i++) {
        hits += s->hits[i + 1];
        ret_faults[i] = s->references - hits;
    }
}

uint32_t opt_stack_floor(const struct opt_stack *s) {
    return s->floor;
}
uint64_t opt_stack_cold(const struct opt_stack *s) {
    return s->cold;
}
