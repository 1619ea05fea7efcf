/* Replacement by its definition, slowly: an independent model of a memory of n frames, that looks at every
 * page to choose a victim. Pages are all it knows: no frames, no policy objects, no stacks. */
#ifndef TESTS_ANALYSIS_MODEL_H
#define TESTS_ANALYSIS_MODEL_H

#include "random-string.h"

enum model_policy { MODEL_FIFO, MODEL_CLOCK, MODEL_LRU, MODEL_OPT, MODEL_SIEVE };

struct model_page {
    bool resident, dirty, lazy, seen, bit, entered, aside;
    uint64_t order; /* FIFO, CLOCK, SIEVE: the queue; LRU: the last reference */
};

struct model_result {
    uint64_t references, misses, cold, evictions, to_swap, to_file;
    bool out_of_memory;
};

struct model {
    enum model_policy policy;
    bool no_swap;
    uint32_t frames, resident;
    const struct random_string *string;
    struct model_page *pages;
    uint64_t time;
    uint32_t sieve_hand; /* page, or UINT32_MAX: at the oldest */
    struct model_result result;
};

static inline bool model_anonymous(const struct model *m, uint32_t page) {
    return !(m->string->pages[page].flags & REFS_PAGE_FILE);
}

/* When the page is referenced next, after item `at`; never: SIZE_MAX. */
static inline size_t model_next_use(const struct model *m, uint32_t page, size_t at) {
    for (size_t i = at + 1; i < m->string->count; i++)
        if (m->string->items[i].page == page && m->string->items[i].kind == REFS_REFERENCE)
            return i;
    return SIZE_MAX;
}

static inline bool model_is_candidate(const struct model *m, uint32_t page) {
    return m->pages[page].resident && !m->pages[page].aside;
}

/* The candidate with the smallest order above `above`; UINT32_MAX: none. */
static inline uint32_t model_oldest(const struct model *m, uint64_t above) {
    uint32_t best = UINT32_MAX;
    for (uint32_t p = 0; p < m->string->page_count; p++)
        if (model_is_candidate(m, p) && m->pages[p].order > above &&
            (best == UINT32_MAX || m->pages[p].order < m->pages[best].order))
            best = p;
    return best;
}

static inline uint32_t model_sieve_victim(struct model *m) {
    uint32_t hand = m->sieve_hand == UINT32_MAX ? model_oldest(m, 0) : m->sieve_hand;
    for (; hand != UINT32_MAX && m->pages[hand].bit;) {
        m->pages[hand].bit = false;
        hand = model_oldest(m, m->pages[hand].order);
        if (hand == UINT32_MAX)
            hand = model_oldest(m, 0);
    }
    m->sieve_hand = hand;
    return hand;
}

static inline uint32_t model_clock_victim(struct model *m) {
    for (;;) {
        const uint32_t hand = model_oldest(m, 0);
        if (hand == UINT32_MAX || !(m->pages[hand].bit || m->pages[hand].entered))
            return hand;
        m->pages[hand].bit = m->pages[hand].entered = false;
        m->pages[hand].order = ++m->time;
    }
}

/* Farthest next use; of those never used again, the one used longest ago. */
static inline uint32_t model_opt_victim(const struct model *m, size_t at) {
    uint32_t best = UINT32_MAX;
    size_t farthest = 0;
    for (uint32_t p = 0; p < m->string->page_count; p++) {
        if (!model_is_candidate(m, p))
            continue;
        const size_t next = model_next_use(m, p, at);
        if (best == UINT32_MAX || next > farthest ||
            (next == farthest && m->pages[p].order < m->pages[best].order)) {
            best = p;
            farthest = next;
        }
    }
    return best;
}

static inline uint32_t model_victim(struct model *m, size_t at) {
    switch (m->policy) {
    case MODEL_FIFO:
    case MODEL_LRU: return model_oldest(m, 0);
    case MODEL_CLOCK: return model_clock_victim(m);
    case MODEL_OPT: return model_opt_victim(m, at);
    case MODEL_SIEVE: return model_sieve_victim(m);
    }
    return UINT32_MAX;
}

/* The page is no candidate any more. SIEVE's hand stands at the next newer one, if it stood here. */
static inline void model_leave(struct model *m, uint32_t page) {
    if (m->sieve_hand == page)
        m->sieve_hand = model_oldest(m, m->pages[page].order);
}

static inline void model_evict(struct model *m, uint32_t page) {
    struct model_page *p = &m->pages[page];
    model_leave(m, page);
    m->result.evictions++;
    if (p->lazy) {
        p->dirty = true;
        p->lazy = false;
    } else if (p->dirty) {
        if (model_anonymous(m, page))
            m->result.to_swap++;
        else
            m->result.to_file++;
        p->dirty = false;
    }
    p->resident = false;
    m->resident--;
}

/* Makes room. False: there is none to be had. */
static inline bool model_make_room(struct model *m, size_t at) {
    while (m->resident == m->frames) {
        const uint32_t victim = model_victim(m, at);
        if (victim == UINT32_MAX)
            return false;
        const struct model_page *p = &m->pages[victim];
        if (m->no_swap && p->dirty && !p->lazy && model_anonymous(m, victim)) {
            model_leave(m, victim);
            m->pages[victim].aside = true;
        } else {
            model_evict(m, victim);
        }
    }
    return true;
}

static inline void model_enter(struct model *m, uint32_t page) {
    m->pages[page].order = ++m->time;
    m->pages[page].entered = true;
    m->pages[page].aside = false;
    m->pages[page].bit &= m->policy != MODEL_SIEVE;
}

static inline void model_reference(struct model *m, size_t at) {
    const struct refs_item *item = &m->string->items[at];
    struct model_page *p = &m->pages[item->page];
    if (!p->resident) {
        if (!model_make_room(m, at)) {
            m->result.out_of_memory = true;
            return;
        }
        m->result.misses++;
        m->result.cold += !p->seen;
        if (!p->seen)
            p->dirty = model_anonymous(m, item->page);
        p->seen = p->resident = true;
        m->resident++;
        model_enter(m, item->page);
        p->bit = m->policy != MODEL_SIEVE;
    } else {
        p->bit = true;
        if (m->policy == MODEL_LRU || m->policy == MODEL_OPT)
            p->order = ++m->time;
    }
    m->result.references++;
    if (item->flags & ACCESS_WRITE) {
        p->dirty = true;
        p->lazy = false;
    }
}

static inline void model_die(struct model *m, uint32_t page) {
    struct model_page *p = &m->pages[page];
    if (!p->resident)
        return;
    model_leave(m, page);
    p->resident = false;
    m->resident--;
}

static inline void model_give_up(struct model *m, uint32_t page) {
    struct model_page *p = &m->pages[page];
    p->dirty = true;
    p->lazy = p->resident;
    if (p->aside && p->resident)
        model_enter(m, page);
}

/* Runs the string through a memory. */
static inline struct model_result model_run(enum model_policy policy, const struct random_string *string,
                                            uint32_t frames, bool no_swap) {
    struct model m = {.policy = policy,
                      .no_swap = no_swap,
                      .frames = frames,
                      .string = string,
                      .sieve_hand = UINT32_MAX,
                      .pages = calloc(string->page_count + 1, sizeof *m.pages)};
    for (size_t i = 0; i < string->count && !m.result.out_of_memory; i++) {
        const uint32_t page = string->items[i].page;
        switch ((enum refs_kind)string->items[i].kind) {
        case REFS_REFERENCE: model_reference(&m, i); break;
        case REFS_DIES: model_die(&m, page); break;
        case REFS_CLEANED: m.pages[page].dirty = false; break;
        case REFS_COOLED: m.pages[page].bit &= policy == MODEL_SIEVE; break; /* its marks are its own */
        case REFS_GIVEN_UP: model_give_up(&m, page); break;
        case REFS_MARK: break;
        }
    }
    free(m.pages);
    return m.result;
}

#endif
