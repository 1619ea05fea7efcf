/* See opt_stack.h. Why this is OPT, in four steps.
 *
 * 1  One size. Between two references to a page lies an interval (p, t) of time. A memory of C frames can
 * keep the page over it, and so hit, iff at each moment in between there is a frame to spare: C, less one for
 *    the page that is referenced at that moment, less those taken by intervals that are kept already. Taking
 *    intervals in order of their ends, and each one that fits, keeps as many as can be kept (the greedy
 * choice by earliest end), which is OPT. Whether one fits is known at t.
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
 *    reference is the lowest level of any moment ≤ p. Going from size to size in step 2 the moment that goes
 *    from B(C) is carried along: it comes to be level C + 1's where B(C + 1) loses a later one. In the order
 *    of time that is a walk to the left:
 *
 *       from p    the latest moment ≤ p goes and its level is carried to the left; a moment with a level
 * lower than the one carried exchanges the two; what is carried at the end is d, the lowest from now  d is
 * carried to the left in the same way, through the later moments, which alone can have levels below d; what
 * is carried at the end is the lowest level of all, now's
 *
 * 4  Some sizes. Where only the sizes S1 < S2 < … are asked for, moments of levels in between need not be
 * told apart: the level of a moment is the index of the first size whose B has it, from 1, and one that only
 *    larger memories would have is forgotten. Exchanges are then fewer, and no more than there are sizes.
 *
 * 5  Pages that die: their frames are free at once, as OPT would evict them first, and no interval is kept
 * for a page that is not used again. Nothing has to be done. A page that is new is a miss in all sizes.
 *
 * Without swap an anonymous page takes a frame from its first use to its death: then one goes from each B(C),
 * the latest; at its death now is added to each. B(C) has C moments, less the number of such pages, `pinned`;
 * the `count` moments that are not "long ago" are those of the sizes pinned + 1 … pinned + count. */
#include "analysis/opt_stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/big.h"
#include "analysis/slots.h"
#include "hw/types.h"

enum { WINDOW_MIN = 1 << 16, AHEAD = 24 };

#define BOUND_NEVER  UINT32_MAX       /* not there: it was never, or is dead */
#define BOUND_PINNED (UINT32_MAX - 1) /* without swap, an anonymous page */

struct opt_stack {
    uint32_t *bounds; /* by page: it was last used at the moment before this one */
    uint8_t *pinned;  /* by page, whether it never goes; NULL: with swap */
    uint32_t page_count, page_capacity;
    struct slots levels; /* by moment; empty: no B has it */
    uint32_t now;
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
    if (!s->hits || slots_init(&s->levels, WINDOW_MIN) < 0 || (no_swap && !(s->pinned = calloc(1, 1)))) {
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
    free(s->pinned);
    free(s->bounds);
    free(s);
}

static int pages_grow(struct opt_stack *s, size_t count) {
    if (count <= s->page_capacity)
        return 0;
    const size_t wanted = min_size(INT32_MAX, max_size(count, 2 * (size_t)s->page_capacity));
    uint32_t *bounds = big_grow(s->bounds, s->page_count, wanted, sizeof *bounds);
    if (!bounds)
        return -ENOMEM;
    s->bounds = bounds;
    if (s->pinned) {
        uint8_t *pinned = realloc(s->pinned, wanted);
        if (!pinned)
            return -ENOMEM;
        s->pinned = pinned;
    }
    s->page_capacity = (uint32_t)wanted;
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

/* Renumbers the moments that have a level without the gaps. A bound becomes the number of them before it. */
static int window_compact(struct opt_stack *s) {
    const uint64_t wanted = max_u64(WINDOW_MIN, s->count + max_u64(3ULL * s->count, s->page_count / 2));
    struct slots levels;
    uint32_t *before = big_alloc(s->now + 1ULL, sizeof *before), count = 0;
    if (!before)
        return -ENOMEM;
    if (slots_init(&levels, (uint32_t)min_u64(wanted, BOUND_PINNED - 1)) < 0) {
        free(before);
        return -ENOMEM;
    }
    for (uint32_t at = 0; at < s->now; at++) {
        before[at] = count;
        if (s->levels.levels[0][at] != SLOTS_EMPTY)
            slots_set(&levels, count++, s->levels.levels[0][at]);
    }
    before[s->now] = count;
    for (uint32_t p = 0; p < s->page_count; p++)
        if (s->bounds[p] < BOUND_PINNED)
            s->bounds[p] = before[s->bounds[p]];
    free(before);
    slots_free(&s->levels);
    s->levels = levels;
    s->now = count;
    return 0;
}

/* ---- moments and levels ---- */

/* Carries the level to the left from before `end`; returns what is carried at the end. */
static inline int32_t level_carry(struct opt_stack *s, uint32_t end, int32_t level) {
    for (;;) {
        end = slots_find(&s->levels, end, level);
        if (end == SLOTS_NONE)
            return level;
        const int32_t lower = s->levels.levels[0][end];
        slots_set(&s->levels, end, level);
        level = lower;
    }
}

/* The latest moment before `end` goes; returns the level that becomes free, the lowest before `end`, or 0
 * where there is no moment. */
static inline int32_t moment_take(struct opt_stack *s, uint32_t end) {
    const uint32_t latest = slots_find(&s->levels, end, SLOTS_EMPTY);
    if (latest == SLOTS_NONE)
        return 0;
    const int32_t level = s->levels.levels[0][latest];
    slots_set(&s->levels, latest, SLOTS_EMPTY);
    s->count--;
    return level_carry(s, latest, level);
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
    if (level == 0)
        return;
    s->count++;
    slots_set(&s->levels, s->now++, level);
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
    moment_take(s, s->now);
    s->pinned_count++;
    s->floor = max_u32(s->floor, s->pinned_count);
    return true;
}

/* A miss in all sizes. */
static inline void page_missed(struct opt_stack *s) {
    const int32_t level = moment_take(s, s->now);
    moment_add(s, level ? level : level_of_size(s, s->pinned_count + 1ULL));
}

static inline void page_found(struct opt_stack *s, uint32_t bound) {
    int32_t level = moment_take(s, bound);
    if (level == 0) /* the first size that has only "long ago" left */
        level = level_of_size(s, (uint64_t)s->pinned_count + s->count + 1);
    if (level == 0) {
        page_missed(s);
        return;
    }
    s->hits[level]++;
    moment_add(s, level_carry(s, s->now, level));
}

static inline void page_reference(struct opt_stack *s, uint32_t page) {
    if (s->bounds[page] == BOUND_NEVER) {
        s->cold++;
        page_missed(s);
    } else {
        page_found(s, s->bounds[page]);
    }
    s->bounds[page] = s->now;
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

int opt_stack_feed(struct opt_stack *s, const struct refs_item *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (items[i].kind == REFS_MARK)
            continue;
        if (unlikely(items[i].page >= s->page_count))
            return -EBADMSG;
        if (i + AHEAD < count && items[i + AHEAD].page < s->page_count)
            __builtin_prefetch(&s->bounds[items[i + AHEAD].page], 1);
        int error = s->now == s->levels.window ? window_compact(s) : 0;
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
