/* See lru_stack.h. The stack is a window of time (rank.h): a bit is set at the moment of each page's last
 * reference, and a page's depth is 1 + the number of bits set after its own. When the window is full, the
 * moments are renumbered without the gaps.
 *
 * Pages that die leave holes: bits without a page, which count as entries. A memory of n frames holds the
 * pages among the first n entries; the holes among them are its free frames.
 *
 *   depth              1  2  3  4  5  6        the page at 5 is referenced, the topmost hole is at 3:
 *   before             a  b  –  c  x  d
 *   after              x  a  b  c  –  d        memories of 3 and 4 frames had room for it and lose nobody:
 *                                              the hole moves down to where the page was
 *
 * A page that comes for the first time fills the topmost hole; where there is none, the stack grows.
 *
 * Of each page, `dirty` is the smallest memory in which it is dirty: in smaller ones it is clean, or not
 * there. Found at depth d, it had been evicted in memories below d; those from `dirty` to d - 1 had to write
 * it. From `lazy` on (there is no such size unless programs call MADV_FREE) it is given up: evicted, it is
 * lost, and comes back dirty:
 *
 *   sizes         1 … dirty - 1     dirty … lazy - 1     lazy …
 *                 clean             dirty                given up              dirty ≤ lazy
 *
 * Without swap, anonymous pages are never evicted, as if each were referenced all the time: they are the top
 * `pinned` entries, not in the window; the depth of a page of a file is `pinned` more. */
#include "analysis/lru_stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/depths.h"
#include "analysis/holes.h"
#include "analysis/rank.h"
#include "base/array.h"
#include "base/big.h"
#include "hw/types.h"

enum { WINDOW_MIN = 1 << 16, AHEAD_PAGE = 32, AHEAD_BIT = 12 };

#define TIME_NEVER  UINT32_MAX       /* not there: it was never, or is dead */
#define TIME_PINNED (UINT32_MAX - 1) /* without swap, an anonymous page */

struct lru_page {
    uint32_t time;
    uint32_t dirty; /* DEPTH_NEVER: clean everywhere */
};

struct lru_stack {
    struct lru_page *pages;
    uint32_t *lazy;  /* by page; NULL: no page was ever given up */
    uint8_t *pinned; /* by page, whether it never goes; NULL: with swap */
    uint32_t page_count;
    size_t page_capacity; /* of all three */
    struct rank rank;
    struct holes holes; /* a subset of the bits */
    uint32_t pinned_count, floor;
    struct depths depths;
    bool fast;
};

int lru_stack_create(bool no_swap, struct lru_stack **ret_stack) {
    struct lru_stack *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->fast = rank_is_fast();
    s->floor = 1;
    if (rank_init(&s->rank, WINDOW_MIN) < 0 || depths_reserve(&s->depths, 1) < 0 ||
        (no_swap && !(s->pinned = calloc(1, 1)))) {
        lru_stack_destroy(s);
        return -ENOMEM;
    }
    *ret_stack = s;
    return 0;
}

void lru_stack_destroy(struct lru_stack *s) {
    if (!s)
        return;
    depths_free(&s->depths);
    holes_free(&s->holes);
    rank_free(&s->rank);
    free(s->pinned);
    free(s->lazy);
    free(s->pages);
    free(s);
}

/* ---- pages ---- */

static int pages_grow(struct lru_stack *s, size_t count) {
    size_t pages = s->page_capacity, lazy = pages, pinned = pages;
    if (array_reserve_big(&s->pages, &pages, s->page_count, count, sizeof *s->pages) ||
        (s->lazy && array_reserve_filled(&s->lazy, &lazy, count, sizeof *s->lazy, 0xff)) ||
        (s->pinned && array_reserve(&s->pinned, &pinned, count, sizeof *s->pinned)))
        return -ENOMEM;
    s->page_capacity = pages;
    return 0;
}

int lru_stack_add_pages(struct lru_stack *s, const struct refs_page *pages, size_t count) {
    const size_t all = s->page_count + count;
    if (all > TIME_PINNED)
        return -EOVERFLOW;
    const int error = pages_grow(s, all);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        const uint32_t dirty = refs_page_has_copy(&pages[i]) ? DEPTH_NEVER : 1;
        s->pages[s->page_count + i] = (struct lru_page){TIME_NEVER, dirty};
        if (s->pinned)
            s->pinned[s->page_count + i] = !(pages[i].flags & REFS_PAGE_FILE);
    }
    s->page_count = (uint32_t)all;
    return 0;
}

/* ---- the window ---- */

RANK_INLINE void pages_renumber(struct lru_stack *s, const struct rank *old) {
    for (uint32_t p = 0; p < s->page_count; p++)
        if (s->pages[p].time < TIME_PINNED)
            s->pages[p].time = rank_before(old, s->pages[p].time);
}
RANK_FAST static void pages_renumber_fast(struct lru_stack *s, const struct rank *old) {
    pages_renumber(s, old);
}
static void pages_renumber_plain(struct lru_stack *s, const struct rank *old) {
    pages_renumber(s, old);
}

/* Renumbers the moments of pages and holes: the n-th bit that is set becomes moment n. */
static int window_compact(struct lru_stack *s) {
    const struct rank old = s->rank;
    const uint64_t wanted = max_u64(WINDOW_MIN, max_u64(4ULL * old.count, old.count + s->page_count / 2));
    struct rank rank;
    struct holes holes = {0};
    if (rank_init(&rank, (uint32_t)min_u64(wanted, TIME_PINNED)) < 0)
        return -ENOMEM;
    if (s->holes.height > 0 && holes_init(&holes, rank.window) < 0) {
        rank_free(&rank);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < old.count; i++)
        rank_append(&rank);
    (s->fast ? pages_renumber_fast : pages_renumber_plain)(s, &old);
    if (s->holes.height > 0)
        for (uint64_t at = 0; (at = bitmap_find(s->holes.levels[0], old.window, at, true)) < old.window; at++)
            holes_add(&holes, rank_before(&old, (uint32_t)at));
    rank_free(&s->rank);
    holes_free(&s->holes);
    s->rank = rank;
    s->holes = holes;
    return 0;
}

/* Before an item: makes sure that a moment can be appended, and that any depth can be counted. */
RANK_INLINE int stack_make_room(struct lru_stack *s) {
    if (unlikely(rank_is_full(&s->rank))) {
        const int error = window_compact(s);
        if (error)
            return error;
    }
    return depths_reserve(&s->depths, s->rank.count + s->pinned_count + 1);
}

RANK_INLINE uint32_t stack_depth(const struct lru_stack *s, uint32_t time) {
    return s->rank.count - rank_before(&s->rank, time) + s->pinned_count;
}

/* The topmost hole, if it lies above the moment, is filled: true. */
RANK_INLINE bool hole_fill(struct lru_stack *s, uint32_t above, bool anywhere) {
    if (likely(s->holes.count == 0))
        return false;
    const uint32_t latest = holes_latest(&s->holes);
    if (!anywhere && latest < above)
        return false;
    holes_remove(&s->holes, latest);
    rank_clear(&s->rank, latest);
    return true;
}

static int hole_make(struct lru_stack *s, uint32_t time) {
    if (s->holes.height == 0 && holes_init(&s->holes, s->rank.window) < 0)
        return -ENOMEM;
    holes_add(&s->holes, time);
    return 0;
}

/* ---- what is dirty where ---- */

/* The page's place is `depth` now: it has been evicted in all smaller memories. `hit`: the same, or 0. */
RANK_INLINE void dirty_sink(struct lru_stack *s, uint32_t page, uint32_t depth, uint32_t hit) {
    uint32_t *dirty = &s->pages[page].dirty;
    const uint32_t lazy = unlikely(s->lazy != NULL) ? s->lazy[page] : DEPTH_NEVER;
    depths_add(&s->depths, hit, *dirty, min_u32(lazy, depth));
    if (unlikely(depth > lazy)) {
        *dirty = lazy;
        s->lazy[page] = depth;
    } else if (*dirty < depth) {
        *dirty = depth;
    }
}

RANK_INLINE void dirty_write(struct lru_stack *s, uint32_t page) {
    s->pages[page].dirty = 1;
    if (unlikely(s->lazy != NULL))
        s->lazy[page] = DEPTH_NEVER;
}

static int page_give_up(struct lru_stack *s, uint32_t page) {
    struct lru_page *of = &s->pages[page];
    if (!s->lazy) {
        s->lazy = malloc(s->page_capacity * sizeof *s->lazy);
        if (!s->lazy)
            return -ENOMEM;
        memset(s->lazy, 0xff, s->page_capacity * sizeof *s->lazy);
    }
    if (of->time < TIME_PINNED)
        dirty_sink(s, page, stack_depth(s, of->time), 0);
    /* Where it is not there any more, it comes back as a new page: the same as given up and lost. */
    of->dirty = s->lazy[page] = 1;
    return 0;
}

/* ---- references ---- */

/* Without swap, a page that never goes: true. */
RANK_INLINE bool pinned_reference(struct lru_stack *s, uint32_t page) {
    struct lru_page *of = &s->pages[page];
    if (!s->pinned[page])
        return false;
    if (of->time == TIME_PINNED) {
        depths_add(&s->depths, 1, 0, 0);
        return true;
    }
    of->time = TIME_PINNED;
    s->pinned_count++;
    s->depths.cold++;
    hole_fill(s, 0, true);
    s->floor = max_u32(s->floor, s->pinned_count);
    return true;
}

RANK_INLINE uint32_t page_reference(struct lru_stack *s, uint32_t page) {
    struct lru_page *of = &s->pages[page];
    uint32_t depth = 0;
    if (of->time == TIME_NEVER) {
        s->depths.cold++;
        hole_fill(s, 0, true);
    } else {
        depth = stack_depth(s, of->time);
        dirty_sink(s, page, depth, depth);
        if (hole_fill(s, of->time, false))
            holes_add(&s->holes, of->time);
        else
            rank_clear(&s->rank, of->time);
    }
    of->time = rank_append(&s->rank);
    return depth;
}

RANK_INLINE uint32_t stack_reference(struct lru_stack *s, uint32_t page, unsigned flags) {
    uint32_t depth = 1;
    s->depths.references++;
    if (unlikely(s->pinned != NULL) && pinned_reference(s, page))
        return depth;
    if (unlikely(s->pinned != NULL))
        s->floor = max_u32(s->floor, s->pinned_count + 1);
    depth = page_reference(s, page);
    if (flags & ACCESS_WRITE)
        dirty_write(s, page);
    return depth;
}

static int page_die(struct lru_stack *s, uint32_t page) {
    struct lru_page *of = &s->pages[page];
    const uint32_t time = of->time;
    if (time == TIME_NEVER)
        return 0;
    of->time = TIME_NEVER;
    if (time == TIME_PINNED) {
        s->pinned_count--;
        return hole_make(s, rank_append(&s->rank));
    }
    dirty_sink(s, page, stack_depth(s, time), 0);
    return hole_make(s, time);
}

/* ---- items ---- */

static int item_other(struct lru_stack *s, const struct refs_item *item) {
    struct lru_page *of = &s->pages[item->page];
    switch ((enum refs_kind)item->kind) {
    case REFS_DIES: return page_die(s, item->page);
    case REFS_CLEANED:
        if (of->time < TIME_PINNED)
            dirty_sink(s, item->page, stack_depth(s, of->time), 0);
        of->dirty = DEPTH_NEVER;
        return 0;
    case REFS_GIVEN_UP:
        if (s->pinned && s->pinned[item->page])
            return -ENOTSUP;
        return page_give_up(s, item->page);
    case REFS_REFERENCE:
    case REFS_COOLED:
    case REFS_MARK: return 0;
    }
    return -EBADMSG;
}

RANK_INLINE void items_prefetch(const struct lru_stack *s, const struct refs_item *items, size_t left) {
    if (left > AHEAD_PAGE && items[AHEAD_PAGE].page < s->page_count)
        __builtin_prefetch(&s->pages[items[AHEAD_PAGE].page], 1);
    if (left > AHEAD_BIT && items[AHEAD_BIT].page < s->page_count) {
        const uint32_t time = s->pages[items[AHEAD_BIT].page].time;
        if (time < s->rank.window)
            rank_prefetch(&s->rank, time);
    }
}

RANK_INLINE int stack_feed(struct lru_stack *s, const struct refs_item *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (items[i].kind == REFS_MARK)
            continue;
        if (unlikely(items[i].page >= s->page_count))
            return -EBADMSG;
        items_prefetch(s, items + i, count - i);
        int error = stack_make_room(s);
        if (unlikely(error))
            return error;
        if (likely(items[i].kind == REFS_REFERENCE)) {
            stack_reference(s, items[i].page, items[i].flags);
            continue;
        }
        error = item_other(s, &items[i]);
        if (error)
            return error;
    }
    return 0;
}

RANK_FAST static int stack_feed_fast(struct lru_stack *s, const struct refs_item *items, size_t count) {
    return stack_feed(s, items, count);
}

static int stack_feed_plain(struct lru_stack *s, const struct refs_item *items, size_t count) {
    return stack_feed(s, items, count);
}

int lru_stack_feed(struct lru_stack *s, const struct refs_item *items, size_t count) {
    return s->fast ? stack_feed_fast(s, items, count) : stack_feed_plain(s, items, count);
}

/* ---- single steps ---- */

int lru_stack_step(struct lru_stack *s, const struct refs_item *item, uint32_t *ret_depth) {
    const int error = stack_make_room(s);
    if (error)
        return error;
    *ret_depth = stack_reference(s, item->page, item->flags);
    return 0;
}

void lru_stack_forget(struct lru_stack *s, uint32_t page) {
    struct lru_page *of = &s->pages[page];
    if (of->time < TIME_PINNED)
        rank_clear(&s->rank, of->time);
    of->time = TIME_NEVER;
}

/* ---- what came out ---- */

/* The counts, with what pages that are still there had to be written in memories that they have left. */
static int depths_finish(const struct lru_stack *s, struct depths *ret_depths) {
    struct depths depths = s->depths;
    depths.counts = big_alloc(depths.capacity, sizeof *depths.counts);
    if (!depths.counts)
        return -ENOMEM;
    memcpy(depths.counts, s->depths.counts, depths.capacity * sizeof *depths.counts);
    for (uint32_t p = 0; p < s->page_count; p++) {
        const struct lru_page *of = &s->pages[p];
        const uint32_t lazy = s->lazy ? s->lazy[p] : DEPTH_NEVER;
        if (of->time < TIME_PINNED)
            depths_add(&depths, 0, of->dirty, min_u32(lazy, stack_depth(s, of->time)));
    }
    depths_flush(&depths);
    *ret_depths = depths;
    return 0;
}

int lru_stack_curve(const struct lru_stack *s, const uint32_t *sizes, size_t count, uint64_t *ret_faults,
                    uint64_t *ret_writebacks) {
    struct depths depths;
    const int error = depths_finish(s, &depths);
    if (error)
        return error;
    depths_curve(&depths, sizes, count, ret_faults, ret_writebacks);
    depths_free(&depths);
    return 0;
}

uint32_t lru_stack_floor(const struct lru_stack *s) {
    return s->floor;
}
uint64_t lru_stack_cold(const struct lru_stack *s) {
    return s->depths.cold;
}
