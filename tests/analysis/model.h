/* Replacement by its definition, slowly: an independent model of a memory of n frames, that looks at every
 * page to choose a victim, and at every frame and slot of the swap area to find a free one. No policy
 * objects, no stacks, no lists. */
#ifndef TESTS_ANALYSIS_MODEL_H
#define TESTS_ANALYSIS_MODEL_H

#include "random-string.h"

enum model_policy { MODEL_FIFO, MODEL_CLOCK, MODEL_LRU, MODEL_OPT, MODEL_SIEVE };

enum { MODEL_NOWHERE = UINT32_MAX, MODEL_SWAP_UNLIMITED = UINT32_MAX };

struct model_page {
    bool resident, dirty, lazy, seen, bit, entered, aside;
    uint64_t order;       /* FIFO, CLOCK, SIEVE: the queue; LRU: the last reference */
    uint32_t frame, slot; /* or MODEL_NOWHERE */
};

/* A frame, or a slot of the swap area. */
struct model_place {
    uint32_t page;    /* or MODEL_NOWHERE: it is free */
    uint64_t emptied; /* when; 0: it was never used */
};

struct model_result {
    uint64_t references, misses, cold, evictions, to_swap, to_file;
    bool out_of_memory, swap_was_short;
    uint64_t out_of_memory_instruction;
};

struct model {
    enum model_policy policy;
    uint32_t frame_count, slot_count, resident;
    struct model_place *frames, *slots; /* slots: NULL iff there are as many as it takes */
    uint32_t slot_hand;
    const struct random_string *string;
    struct model_page *pages;
    uint64_t time;
    uint32_t sieve_hand; /* page, or UINT32_MAX: at the oldest */
    struct model_result result;
};

static inline bool model_anonymous(const struct model *m, uint32_t page) {
    return !(m->string->pages[page].flags & REFS_PAGE_FILE);
}

/* ---- frames and slots ---- */

static inline struct model_place *model_places(uint32_t count) {
    struct model_place *places = calloc(count + 1ULL, sizeof *places);
    for (uint32_t i = 0; i < count; i++)
        places[i].page = MODEL_NOWHERE;
    return places;
}

/* The free one that was emptied last, else the lowest that was never used; MODEL_NOWHERE: none is free. */
static inline uint32_t model_free_place(const struct model_place *places, uint32_t count) {
    uint32_t best = MODEL_NOWHERE;
    for (uint32_t i = 0; i < count; i++)
        if (places[i].page == MODEL_NOWHERE &&
            (best == MODEL_NOWHERE || places[i].emptied > places[best].emptied))
            best = i;
    return best;
}

static inline void model_empty(struct model *m, struct model_place *places, uint32_t *place) {
    if (*place != MODEL_NOWHERE)
        places[*place] = (struct model_place){MODEL_NOWHERE, ++m->time};
    *place = MODEL_NOWHERE;
}

/* A slot whose page is in a frame, from behind the hand; MODEL_NOWHERE: there is none. */
static inline uint32_t model_slot_to_take_back(const struct model *m) {
    for (uint32_t i = 1; i <= m->slot_count; i++) {
        const uint32_t slot = (m->slot_hand + i) % m->slot_count, page = m->slots[slot].page;
        if (page != MODEL_NOWHERE && m->pages[page].resident)
            return slot;
    }
    return MODEL_NOWHERE;
}

/* A page that has to be written to swap has a slot, or gets one. False: there is none to be had. */
static inline bool model_has_slot(struct model *m, uint32_t page) {
    if (!m->slots || m->pages[page].slot != MODEL_NOWHERE)
        return true;
    if (model_free_place(m->slots, m->slot_count) == MODEL_NOWHERE) {
        const uint32_t slot = model_slot_to_take_back(m);
        m->result.swap_was_short = true;
        if (slot == MODEL_NOWHERE)
            return false;
        m->slot_hand = slot;
        m->pages[m->slots[slot].page].dirty = true;
        model_empty(m, m->slots, &m->pages[m->slots[slot].page].slot);
    }
    const uint32_t slot = model_free_place(m->slots, m->slot_count);
    m->slots[slot].page = page;
    m->pages[page].slot = slot;
    return true;
}

/* ---- policies ---- */

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
    model_empty(m, m->frames, &p->frame);
}

static inline void model_enter(struct model *m, uint32_t page) {
    m->pages[page].order = ++m->time;
    m->pages[page].entered = true;
    m->pages[page].aside = false;
    m->pages[page].bit &= m->policy != MODEL_SIEVE;
}

/* Those that were set aside are candidates again when there is a slot to be had. */
static inline void model_reconsider(struct model *m) {
    if (!m->slots || (model_free_place(m->slots, m->slot_count) == MODEL_NOWHERE &&
                      model_slot_to_take_back(m) == MODEL_NOWHERE))
        return;
    for (uint32_t f = 0; f < m->frame_count; f++)
        if (m->frames[f].page != MODEL_NOWHERE && m->pages[m->frames[f].page].aside)
            model_enter(m, m->frames[f].page);
}

/* Makes room. False: there is none to be had. */
static inline bool model_make_room(struct model *m, size_t at) {
    if (m->resident == m->frame_count)
        model_reconsider(m);
    while (m->resident == m->frame_count) {
        const uint32_t victim = model_victim(m, at);
        if (victim == UINT32_MAX)
            return false;
        const struct model_page *p = &m->pages[victim];
        if (p->dirty && !p->lazy && model_anonymous(m, victim) && !model_has_slot(m, victim)) {
            model_leave(m, victim);
            m->pages[victim].aside = true;
        } else {
            model_evict(m, victim);
        }
    }
    return true;
}

static inline void model_bring_in(struct model *m, uint32_t page) {
    struct model_page *p = &m->pages[page];
    m->result.misses++;
    m->result.cold += !p->seen;
    if (!p->seen)
        p->dirty = model_anonymous(m, page) &&
                   (m->string->pages[page].flags & REFS_PAGE_KNOWN || m->slot_count == 0);
    p->seen = p->resident = true;
    m->resident++;
    p->frame = model_free_place(m->frames, m->frame_count);
    m->frames[p->frame].page = page;
    model_enter(m, page);
    p->bit = m->policy != MODEL_SIEVE;
}

static inline void model_reference(struct model *m, size_t at) {
    const struct refs_item *item = &m->string->items[at];
    struct model_page *p = &m->pages[item->page];
    if (!p->resident) {
        if (!model_make_room(m, at)) {
            m->result.out_of_memory = true;
            m->result.out_of_memory_instruction = item->instruction;
            return;
        }
        model_bring_in(m, item->page);
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
    model_empty(m, m->slots, &p->slot);
    if (!p->resident)
        return;
    model_leave(m, page);
    p->resident = p->aside = false;
    m->resident--;
    model_empty(m, m->frames, &p->frame);
}

static inline void model_give_up(struct model *m, uint32_t page) {
    struct model_page *p = &m->pages[page];
    p->dirty = true;
    p->lazy = p->resident;
    model_empty(m, m->slots, &p->slot);
    if (p->aside && p->resident)
        model_enter(m, page);
}

static inline void model_take(struct model *m, size_t at) {
    const uint32_t page = m->string->items[at].page;
    switch ((enum refs_kind)m->string->items[at].kind) {
    case REFS_REFERENCE: model_reference(m, at); break;
    case REFS_DIES: model_die(m, page); break;
    case REFS_CLEANED: m->pages[page].dirty = false; break;
    case REFS_COOLED: m->pages[page].bit &= m->policy == MODEL_SIEVE; break; /* its marks are its own */
    case REFS_GIVEN_UP: model_give_up(m, page); break;
    case REFS_MARK: break;
    }
}

/* Runs the string through a memory with so many slots of swap. */
static inline struct model_result model_run_with_swap(enum model_policy policy,
                                                      const struct random_string *string, uint32_t frames,
                                                      uint32_t slots) {
    struct model m = {.policy = policy,
                      .frame_count = frames,
                      .frames = model_places(frames),
                      .slot_count = slots,
                      .slots = slots == MODEL_SWAP_UNLIMITED ? NULL : model_places(slots),
                      .string = string,
                      .sieve_hand = UINT32_MAX,
                      .pages = calloc(string->page_count + 1, sizeof *m.pages)};
    for (uint32_t page = 0; page < string->page_count; page++)
        m.pages[page].frame = m.pages[page].slot = MODEL_NOWHERE;
    for (size_t i = 0; i < string->count && !m.result.out_of_memory; i++)
        model_take(&m, i);
    free(m.pages);
    free(m.slots);
    free(m.frames);
    return m.result;
}

static inline struct model_result model_run(enum model_policy policy, const struct random_string *string,
                                            uint32_t frames, bool no_swap) {
    return model_run_with_swap(policy, string, frames, no_swap ? 0 : MODEL_SWAP_UNLIMITED);
}

#endif
