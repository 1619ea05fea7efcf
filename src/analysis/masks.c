/* See masks.h. Each memory has a queue of the pages in it, from the one that entered first:
 *
 *   FIFO    takes the first
 *   CLOCK   puts the first at the end while it is marked, and clears the mark: the hand is before the first
 *   SIEVE   leaves pages where they are; the hand is a place in the queue
 *
 * An entry of a queue is valid iff its page is in the memory: entries of pages that died, which never come
 * again, stay until they come to the front or the queue is compacted; one that SIEVE evicts is
 * overwritten. */
#include "analysis/masks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/base.h"
#include "policy/policies.h"

#define ENTRY_GONE UINT32_MAX
#define HAND_FIRST UINT32_MAX /* the first of the queue */

enum { AHEAD = 16 };
enum masks_kind { MASKS_FIFO, MASKS_CLOCK, MASKS_SIEVE };

struct masks_page {
    uint64_t there;   /* in these memories */
    uint64_t marked;  /* CLOCK: referenced since the hand came by, SIEVE: since it came in */
    uint64_t entered; /* CLOCK: of these marks, those of coming in, which MADV_COLD leaves */
    uint64_t no_copy; /* evicting it there takes a write */
};

struct queue {
    uint32_t *entries;
    uint32_t first, end, capacity;
    uint32_t hand; /* SIEVE: a valid entry, or HAND_FIRST */
    uint32_t pages, size;
    uint64_t misses, writes;
};

struct masks {
    enum masks_kind kind;
    struct masks_page *pages;
    uint64_t *lazy; /* by page: given up in these memories; NULL: no page ever was */
    uint8_t *seen;  /* by page */
    uint32_t page_count;
    size_t page_capacity; /* of all three */
    struct queue queues[MASKS_SIZES];
    size_t count;
    uint64_t all, cold;
};

static bool kind_of(const struct policy_ops *policy, enum masks_kind *ret_kind) {
    if (policy == &policy_fifo)
        *ret_kind = MASKS_FIFO;
    else if (policy == &policy_clock)
        *ret_kind = MASKS_CLOCK;
    else if (policy == &policy_sieve)
        *ret_kind = MASKS_SIEVE;
    else
        return false;
    return true;
}

bool masks_can(const struct policy_ops *policy) {
    enum masks_kind kind;
    return kind_of(policy, &kind);
}

int masks_create(const struct policy_ops *policy, const uint32_t *sizes, size_t count,
                 struct masks **ret_masks) {
    struct masks *m = calloc(1, sizeof *m);
    if (!m)
        return -ENOMEM;
    if (!kind_of(policy, &m->kind) || count == 0 || count > MASKS_SIZES) {
        free(m);
        return -EINVAL;
    }
    m->count = count;
    m->all = count == 64 ? ~0ULL : (1ULL << count) - 1;
    for (size_t i = 0; i < count; i++)
        m->queues[i] = (struct queue){.size = sizes[i], .hand = HAND_FIRST};
    *ret_masks = m;
    return 0;
}

void masks_destroy(struct masks *m) {
    if (!m)
        return;
    for (size_t i = 0; i < m->count; i++)
        free(m->queues[i].entries);
    free(m->pages);
    free(m->lazy);
    free(m->seen);
    free(m);
}

/* ---- pages ---- */

static int pages_grow(struct masks *m, size_t count) {
    size_t pages = m->page_capacity, seen = pages, lazy = pages;
    if (array_reserve_big(&m->pages, &pages, m->page_count, count, sizeof *m->pages) ||
        array_reserve(&m->seen, &seen, count, sizeof *m->seen) ||
        (m->lazy && array_reserve_filled(&m->lazy, &lazy, count, sizeof *m->lazy, 0)))
        return -ENOMEM;
    m->page_capacity = pages;
    return 0;
}

int masks_add_pages(struct masks *m, const struct refs_page *pages, size_t count) {
    const size_t all = m->page_count + count;
    if (all > UINT32_MAX - 1)
        return -EOVERFLOW;
    const int error = pages_grow(m, all);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        const uint64_t no_copy = refs_page_has_copy(&pages[i]) ? 0 : m->all;
        m->pages[m->page_count + i] = (struct masks_page){.no_copy = no_copy};
        m->seen[m->page_count + i] = 0;
    }
    m->page_count = (uint32_t)all;
    return 0;
}

/* ---- queues ---- */

static inline bool entry_is_valid(const struct masks *m, uint32_t page, uint64_t bit) {
    return page != ENTRY_GONE && m->pages[page].there & bit;
}

/* Room for one more: what is not valid goes, and the queue grows if that was little. 0 or -ENOMEM. */
static int queue_make_room(struct masks *m, struct queue *q, uint64_t bit) {
    uint32_t kept = 0, hand = HAND_FIRST;
    for (uint32_t i = q->first; i < q->end; i++) {
        if (!entry_is_valid(m, q->entries[i], bit))
            continue;
        if (i == q->hand)
            hand = kept;
        q->entries[kept++] = q->entries[i];
    }
    q->first = 0;
    q->end = kept;
    q->hand = hand;
    if (kept + kept / 4ULL < q->capacity)
        return 0;
    const uint64_t wanted = max_u64(64, 2ULL * q->capacity);
    const uint32_t capacity = (uint32_t)min_u64(wanted, UINT32_MAX);
    uint32_t *entries = reallocarray(q->entries, capacity, sizeof *entries);
    if (!entries)
        return -ENOMEM;
    q->entries = entries;
    q->capacity = capacity;
    return 0;
}

/* The first valid entry at or behind the place, or HAND_FIRST where there is none. */
static uint32_t queue_next(const struct masks *m, const struct queue *q, uint64_t bit, uint32_t at) {
    while (at < q->end && !entry_is_valid(m, q->entries[at], bit))
        at++;
    return at < q->end ? at : HAND_FIRST;
}

/* ---- victims: the memory has pages, so there is one ---- */

static uint32_t victim_fifo(struct masks *m, struct queue *q, uint64_t bit) {
    q->first = queue_next(m, q, bit, q->first);
    return q->entries[q->first++];
}

static uint32_t victim_clock(struct masks *m, struct queue *q, uint64_t bit) {
    for (;;) {
        const uint32_t page = victim_fifo(m, q, bit);
        struct masks_page *of = &m->pages[page];
        if (!(of->marked & bit))
            return page;
        of->marked &= ~bit;
        of->entered &= ~bit;
        q->entries[q->end++] = page; /* there is room: see page_enter() */
        if (q->end == q->capacity)
            (void)queue_make_room(m, q, bit);
    }
}

static uint32_t victim_sieve(struct masks *m, struct queue *q, uint64_t bit) {
    uint32_t hand = q->hand;
    for (;;) {
        if (hand == HAND_FIRST)
            hand = q->first = queue_next(m, q, bit, q->first);
        const uint32_t page = q->entries[hand];
        if (!(m->pages[page].marked & bit)) {
            q->entries[hand] = ENTRY_GONE;
            q->hand = queue_next(m, q, bit, hand + 1);
            return page;
        }
        m->pages[page].marked &= ~bit;
        hand = queue_next(m, q, bit, hand + 1);
    }
}

static void page_evict(struct masks *m, struct queue *q, uint64_t bit) {
    uint32_t page = 0;
    switch (m->kind) {
    case MASKS_FIFO: page = victim_fifo(m, q, bit); break;
    case MASKS_CLOCK: page = victim_clock(m, q, bit); break;
    case MASKS_SIEVE: page = victim_sieve(m, q, bit); break;
    }
    struct masks_page *of = &m->pages[page];
    of->there &= ~bit;
    q->pages--;
    if (unlikely(m->lazy != NULL) && m->lazy[page] & bit) {
        m->lazy[page] &= ~bit; /* lost: it comes back as a new one */
        of->no_copy |= bit;
    } else {
        q->writes += (of->no_copy & bit) != 0;
        of->no_copy &= ~bit;
    }
}

/* ---- items ---- */

/* The page comes into one memory. 0 or -ENOMEM. */
static int page_enter(struct masks *m, uint32_t page, size_t size) {
    struct queue *q = &m->queues[size];
    const uint64_t bit = 1ULL << size;
    q->misses++;
    if (unlikely(q->end == q->capacity)) {
        const int error = queue_make_room(m, q, bit);
        if (error)
            return error;
    }
    if (q->pages == q->size)
        page_evict(m, q, bit);
    q->entries[q->end++] = page;
    q->pages++;
    return 0;
}

static int page_miss(struct masks *m, uint32_t page) {
    struct masks_page *of = &m->pages[page];
    const uint64_t missing = m->all & ~of->there;
    if (missing == m->all && !m->seen[page]) {
        m->seen[page] = 1;
        m->cold++;
    }
    for (uint64_t left = missing; left; left &= left - 1) {
        const int error = page_enter(m, page, (size_t)__builtin_ctzll(left));
        if (error)
            return error;
    }
    of->there = m->all;
    of->entered |= missing;
    of->marked = m->kind == MASKS_CLOCK ? of->marked | missing : of->marked & ~missing;
    return 0;
}

static inline int page_reference(struct masks *m, const struct refs_item *item) {
    struct masks_page *of = &m->pages[item->page];
    of->marked |= of->there;
    const int error = unlikely(of->there != m->all) ? page_miss(m, item->page) : 0;
    if (item->flags & ACCESS_WRITE) {
        of->no_copy = m->all;
        if (unlikely(m->lazy != NULL))
            m->lazy[item->page] = 0;
    }
    return error;
}

static void page_die(struct masks *m, uint32_t page) {
    const uint64_t there = m->pages[page].there;
    m->pages[page].there = 0;
    for (uint64_t left = there; left; left &= left - 1) {
        struct queue *q = &m->queues[__builtin_ctzll(left)];
        q->pages--;
        if (q->hand != HAND_FIRST && q->entries[q->hand] == page)
            q->hand = queue_next(m, q, left & -left, q->hand + 1);
    }
}

static int page_give_up(struct masks *m, uint32_t page) {
    if (!m->lazy)
        m->lazy = calloc(m->page_capacity, sizeof *m->lazy);
    if (!m->lazy)
        return -ENOMEM;
    m->lazy[page] = m->pages[page].there;
    m->pages[page].no_copy = m->all;
    return 0;
}

static int item_take(struct masks *m, const struct refs_item *item) {
    struct masks_page *of = &m->pages[item->page];
    switch ((enum refs_kind)item->kind) {
    case REFS_REFERENCE: return page_reference(m, item);
    case REFS_DIES: page_die(m, item->page); return 0;
    case REFS_CLEANED: of->no_copy = 0; return 0;
    case REFS_COOLED:
        if (m->kind == MASKS_CLOCK) /* SIEVE's marks are the policy's, not the hardware's */
            of->marked &= of->entered;
        return 0;
    case REFS_GIVEN_UP: return page_give_up(m, item->page);
    case REFS_MARK: return 0;
    }
    return -EBADMSG;
}

int masks_feed(struct masks *m, const struct refs_item *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (items[i].kind == REFS_MARK)
            continue;
        if (unlikely(items[i].page >= m->page_count))
            return -EBADMSG;
        if (i + AHEAD < count && items[i + AHEAD].page < m->page_count)
            __builtin_prefetch(&m->pages[items[i + AHEAD].page], 1);
        const int error = item_take(m, &items[i]);
        if (error)
            return error;
    }
    return 0;
}

/* ---- what came out ---- */

void masks_curve(const struct masks *m, uint64_t *ret_faults, uint64_t *ret_writebacks) {
    for (size_t i = 0; i < m->count; i++) {
        ret_faults[i] = m->queues[i].misses;
        if (ret_writebacks)
            ret_writebacks[i] = m->queues[i].writes;
    }
}

uint64_t masks_cold(const struct masks *m) {
    return m->cold;
}
