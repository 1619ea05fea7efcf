/* See simulate.h: one policy, one size.
 *
 * What is known of a page is one word, so that a reference to a page in a frame touches one place in memory:
 *
 *     31 30   29     28      27 … 0
 *    [ kind ][seen][no copy][ frame ]        frame: FRAME_NONE iff it is in none
 *
 * While it is in a frame, its referenced bit is there, in a byte, and so is whether it is dirty: policies ask
 * for many frames, and what they ask for is near. "No copy" says that evicting the page takes a write; a page
 * of the lazy kind, given up by MADV_FREE, is evicted without one all the same. Frames are taken as the
 * machine takes them: the one that was given back last, else the lowest that was never used.
 *
 * Invariant: the policy knows exactly the frames in state FRAME_INSERTED. */
#include "analysis/simulate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/swap_area.h"
#include "base/array.h"
#include "base/base.h"
#include "base/big.h"
#include "base/host_clock.h"
#include "base/map.h"

enum {
    FRAME_BITS = 28,
    FRAME_NONE = (1 << FRAME_BITS) - 1,
    NO_COPY = 1 << 28,
    SEEN = 1 << 29,
    KIND_SHIFT = 30,
};
enum kind { KIND_ANONYMOUS, KIND_LAZY, KIND_SHARED, KIND_FILE };

enum frame_state {
    FRAME_UNUSED,
    FRAME_INSERTED,
    FRAME_ASIDE,
    FRAME_STATES = 3,
    FRAME_REFERENCED = 4,
    FRAME_DIRTY = 8
};

/* Numbers of identities beside those of pages. */
#define FURTHER_LIVES (1ULL << 40)
#define LOST          UINT64_MAX /* none: the page is gone, and did not come back yet */

/* How many of the policy's calls go by between two that are timed. */
enum { MEASURE_EVERY = 32 };

struct measure {
    uint64_t calls, timed, ns;
};

struct simulation {
    struct simulation_config config;
    void *policy;
    void (*access)(void *state, pfn_t, page_id_t); /* NULL unless it is told of each reference */
    bool harvests;                                 /* it is told of referenced bits, now and then */
    uint64_t next_harvest, now;
    struct simulation_result result;
    struct simulation_result uncounted; /* the part of it before simulation_restart() */
    int error;                          /* for good */
    char message[512];

    uint32_t *pages; /* words, see above */
    uint64_t *names; /* by page; NULL unless there are harvests */
    uint32_t page_count;
    size_t page_capacity;
    struct map first_pages; /* of objects: the first page by its name */
    struct map identities;  /* by page: the number that its identity is made of, where that is not its own */
    bool has_identities;
    uint64_t lives,
        newest; /* pages that came again as new ones; the greatest name of those that were there */

    uint32_t *frame_page; /* the page in the frame; of an unused one: the next in the list + 1, 0: the last */
    uint8_t *frame_bytes; /* enum frame_state; of the page that is in it: FRAME_REFERENCED, FRAME_DIRTY */
    uint32_t first_free;  /* given back last, + 1; 0: none */
    uint32_t fresh;       /* frames from here were never used */

    uint32_t aside;         /* frames in this state */
    struct swap_area *area; /* NULL: none, or as large as it takes */

    uint32_t *bag; /* pages of one harvest */
    uint64_t clock_ns;
    struct measure policy_calls, victim_calls;
};

static inline uint32_t word_frame(uint32_t word) {
    return word & FRAME_NONE;
}
static inline enum kind word_kind(uint32_t word) {
    return (enum kind)(word >> KIND_SHIFT);
}
static inline uint32_t word_with_kind(uint32_t word, enum kind kind) {
    return (word & ~(3U << KIND_SHIFT)) | (uint32_t)kind << KIND_SHIFT;
}
/* A page of a file or of shared memory that died and is there again has the identity that it had, as in the
 * machine: policies may remember it. One that was lost with its content, given up, has another. */
static inline page_id_t page_identity(const struct simulation *s, uint32_t page, uint32_t word) {
    const uint64_t object = word_kind(word) >= KIND_SHARED ? 1ULL << 63 : 0;
    uint64_t number = page;
    if (unlikely(s->has_identities))
        (void)map_get(&s->identities, page, &number);
    return (page_id_t){object | (number + 1)};
}

__attribute__((format(printf, 3, 4))) static int simulation_fail(struct simulation *s, int error,
                                                                 const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(s->message, sizeof s->message, format, arguments);
    va_end(arguments);
    return s->error = error;
}

/* FRAME_DIRTY or 0; without a branch, which could not be foreseen. */
static inline uint8_t word_dirty(uint32_t word) {
    return (uint8_t)((((word & NO_COPY) != 0) & (word_kind(word) != KIND_LAZY)) * FRAME_DIRTY);
}

/* What is known of a page changes; whether it was referenced does not. */
static void page_set(struct simulation *s, uint32_t page, uint32_t word) {
    s->pages[page] = word;
    if (word_frame(word) == FRAME_NONE)
        return;
    uint8_t *byte = &s->frame_bytes[word_frame(word)];
    *byte = (uint8_t)((*byte & ~FRAME_DIRTY) | word_dirty(word));
}

static inline enum frame_state frame_state(const struct simulation *s, uint32_t n) {
    return (enum frame_state)(s->frame_bytes[n] & FRAME_STATES);
}

/* ---- what the policy asks ---- */

static bool ask_referenced(void *context, pfn_t f) {
    const struct simulation *s = context;
    if (unlikely(f.n >= s->config.frames))
        return false;
    uint8_t *byte = &s->frame_bytes[f.n];
    const bool referenced =
        (*byte & (FRAME_STATES | FRAME_REFERENCED)) == (FRAME_INSERTED | FRAME_REFERENCED);
    *byte = (uint8_t)(*byte - referenced * FRAME_REFERENCED);
    return referenced;
}

static bool ask_dirty(void *context, pfn_t f) {
    const struct simulation *s = context;
    return f.n < s->config.frames && frame_state(s, f.n) == FRAME_INSERTED &&
           s->frame_bytes[f.n] & FRAME_DIRTY;
}

static uint64_t ask_now(void *context) {
    return ((const struct simulation *)context)->now;
}

/* ---- its time ---- */

/* What asking for the time takes. */
static uint64_t time_cost(void) {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 1000; i++) {
        const uint64_t start = host_nanoseconds(CLOCK_MONOTONIC);
        least = min_u64(least, host_nanoseconds(CLOCK_MONOTONIC) - start);
    }
    return least;
}

/* The time at which a call begins that is to be timed; 0: not this one. */
static inline uint64_t measure_start(const struct simulation *s, struct measure *measure) {
    if (likely(!s->config.measure) || measure->calls++ % MEASURE_EVERY != 0)
        return 0;
    return host_nanoseconds(CLOCK_MONOTONIC);
}

static inline void measure_end(const struct simulation *s, struct measure *measure, uint64_t start) {
    if (likely(!start))
        return;
    const uint64_t took = host_nanoseconds(CLOCK_MONOTONIC) - start;
    measure->timed++;
    measure->ns += took > s->clock_ns ? took - s->clock_ns : 0;
}

/* ---- making one ---- */

/* One that has failed is no longer the policy that was asked for: the simulation ends with the reason. */
static void policy_told(void *context, enum policy_news news, const char *line) {
    struct simulation *s = context;
    const char *end = strstr(line, POLICY_GOES_ON);
    if (news == POLICY_FAILED && end && !s->error)
        (void)simulation_fail(s, -EPROTO, "%.*s", (int)(end - line), line);
    else if (s->config.tell)
        s->config.tell(s->config.context, news, line);
}

static int simulation_create_policy(struct simulation *s) {
    const struct policy_config config = {
        .frames = s->config.frames,
        .capacity = s->config.frames,
        .seed = s->config.seed,
        .parameters = s->config.parameters,
        .test_and_clear_referenced = ask_referenced,
        .is_dirty = ask_dirty,
        .now = ask_now,
        .tell = policy_told,
        .context = s,
    };
    const struct policy_ops *ops = s->config.policy;
    const bool every = ops->needs == POLICY_NEEDS_EVERY_REFERENCE && ops->access;
    s->harvests = every && s->config.observe_bits > 0;
    s->access = every && !s->harvests ? ops->access : NULL;
    s->next_harvest = s->config.observe_bits;
    return policy_create(ops, &config, &s->policy);
}

int simulation_create(const struct simulation_config *config, struct simulation **ret_simulation) {
    if (config->frames == 0 || config->frames > SIMULATION_FRAMES_MAX)
        return -EINVAL;
    struct simulation *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->config = *config;
    int error = -ENOMEM;
    s->frame_page = big_calloc(config->frames, sizeof *s->frame_page);
    s->frame_bytes = big_calloc(config->frames, sizeof *s->frame_bytes);
    if (!s->frame_page || !s->frame_bytes)
        goto out_destroy;
    if (config->swap_pages && !config->no_swap && (error = swap_area_create(config->swap_pages, &s->area)))
        goto out_destroy;
    error = simulation_create_policy(s);
    if (error)
        goto out_destroy;
    if (s->harvests && !(s->bag = malloc(config->frames * sizeof *s->bag))) {
        error = -ENOMEM;
        goto out_destroy;
    }
    s->clock_ns = config->measure ? time_cost() : 0;
    *ret_simulation = s;
    return 0;

out_destroy:
    simulation_destroy(s);
    return error;
}

void simulation_destroy(struct simulation *s) {
    if (!s)
        return;
    if (s->policy)
        s->config.policy->destroy(s->policy);
    swap_area_destroy(s->area);
    free(s->bag);
    free(s->frame_bytes);
    free(s->frame_page);
    free(s->names);
    free(s->pages);
    map_free(&s->first_pages);
    map_free(&s->identities);
    free(s);
}

static int pages_grow(struct simulation *s, size_t count) {
    size_t pages = s->page_capacity, names = pages;
    if (array_reserve_big(&s->pages, &pages, s->page_count, count, sizeof *s->pages) ||
        (s->harvests && array_reserve(&s->names, &names, count, sizeof *s->names)))
        return -ENOMEM;
    s->page_capacity = pages;
    return 0;
}

/* 0 or -ENOMEM. */
static int page_find_twin(struct simulation *s, uint32_t page, uint64_t name) {
    uint64_t first;
    if (!map_get(&s->first_pages, name, &first))
        return map_put(&s->first_pages, name, page);
    s->has_identities = true;
    return map_put(&s->identities, page, first);
}

/* The page's content is gone. What comes back in its place is a new page, which policies do not know. OPT
 * goes by the item, whatever the identity. */
static void page_lost(struct simulation *s, uint32_t page) {
    s->has_identities = true;
    if (map_put(&s->identities, page, LOST) < 0)
        (void)simulation_fail(s, -ENOMEM, "no memory for a page that was given up");
}

/* A page that is not there is referenced: if it was lost, one is made now, newer than all that were made
 * before. */
static void page_live_again(struct simulation *s, uint32_t page) {
    uint64_t number;
    if (!map_get(&s->identities, page, &number) || number != LOST)
        return;
    (void)map_put(&s->identities, page, FURTHER_LIVES + s->lives++); /* in its place: cannot fail */
    if (s->names)
        s->names[page] = s->newest;
}

int simulation_add_pages(struct simulation *s, const struct refs_page *pages, size_t count) {
    const size_t all = s->page_count + count;
    if (all > UINT32_MAX)
        return -EOVERFLOW;
    int error = pages_grow(s, all);
    if (!error && s->area)
        error = swap_area_add_pages(s->area, all);
    if (error)
        return error;
    for (size_t i = 0; !error && i < count; i++) {
        const uint16_t flags = pages[i].flags;
        const enum kind kind = flags & REFS_PAGE_FILE     ? KIND_FILE
                               : flags & REFS_PAGE_SHARED ? KIND_SHARED
                                                          : KIND_ANONYMOUS;
        const bool stays = s->config.no_swap && kind != KIND_FILE; /* nobody knows that it can be had again */
        const uint32_t copy = refs_page_has_copy(&pages[i]) && !stays ? 0 : NO_COPY;
        s->pages[s->page_count + i] = word_with_kind(copy | FRAME_NONE, kind);
        if (s->names)
            s->names[s->page_count + i] = pages[i].name;
        if (kind >= KIND_SHARED && pages[i].name)
            error = page_find_twin(s, s->page_count + (uint32_t)i, pages[i].name);
    }
    if (!error)
        s->page_count = (uint32_t)all;
    return error;
}

/* ---- frames ---- */

static bool frame_take_free(struct simulation *s, pfn_t *ret_frame) {
    if (s->first_free) {
        *ret_frame = (pfn_t){s->first_free - 1};
        s->first_free = s->frame_page[ret_frame->n];
        return true;
    }
    if (s->fresh == s->config.frames)
        return false;
    *ret_frame = (pfn_t){s->fresh++};
    return true;
}

static void frame_put_free(struct simulation *s, uint32_t n) {
    s->frame_bytes[n] = FRAME_UNUSED;
    s->frame_page[n] = s->first_free;
    s->first_free = n + 1;
}

static void policy_forget(struct simulation *s, pfn_t f, enum policy_remove reason) {
    const uint32_t page = s->frame_page[f.n];
    const uint64_t start = measure_start(s, &s->policy_calls);
    s->config.policy->remove(s->policy, f, page_identity(s, page, s->pages[page]), reason);
    measure_end(s, &s->policy_calls, start);
}

/* ---- a miss ---- */

static void page_evict(struct simulation *s, uint32_t page) {
    uint32_t word = s->pages[page];
    const bool lost = word_kind(word) == KIND_LAZY, written = word_dirty(word),
               file = word_kind(word) == KIND_FILE;
    if (s->config.evicted)
        s->config.evicted(s->config.context, page, written, lost);
    s->result.evictions++;
    s->result.to_file += written & file;
    s->result.to_swap += written & !file;
    word &= ~(uint32_t)NO_COPY;
    if (unlikely(lost)) {
        word = word_with_kind(word | NO_COPY, KIND_ANONYMOUS); /* it comes back as a new one */
        page_lost(s, page);
    }
    s->pages[page] = word | FRAME_NONE;
    if (s->area)
        swap_area_page_out(s->area, page);
}

/* Whether the policy may name this frame as a victim. */
static int victim_check(struct simulation *s, pfn_t f) {
    const char *name = s->config.policy->name;
    if (f.n >= s->config.frames)
        return simulation_fail(s, -EPROTO, "%s: its victim is frame %u, and there are only %u", name, f.n,
                               s->config.frames);
    if (frame_state(s, f.n) != FRAME_INSERTED)
        return simulation_fail(s, -EPROTO, "%s: its victim, frame %u, holds no page that it was given", name,
                               f.n);
    return 0;
}

/* Whether the page cannot be written anywhere. */
static bool victim_must_stay(struct simulation *s, uint32_t page) {
    uint32_t lost;
    if (likely(!s->area && !s->config.no_swap))
        return false;
    if (!word_dirty(s->pages[page]) || word_kind(s->pages[page]) == KIND_FILE)
        return false;
    if (!s->area)
        return true;
    if (!swap_area_assign(s->area, page, &lost))
        return true;
    if (lost != SWAP_AREA_NONE)
        page_set(s, lost, s->pages[lost] | NO_COPY);
    return false;
}

static void policy_insert(struct simulation *s, pfn_t f, page_id_t id) {
    const uint64_t start = measure_start(s, &s->policy_calls);
    s->config.policy->insert(s->policy, f, id);
    measure_end(s, &s->policy_calls, start);
}

/* The policy has a page again that was set aside, as a new one. */
static void frame_reconsider(struct simulation *s, uint32_t n) {
    const uint32_t page = s->frame_page[n];
    if (frame_state(s, n) != FRAME_ASIDE)
        return;
    s->frame_bytes[n] ^= FRAME_ASIDE ^ FRAME_INSERTED;
    s->aside--;
    policy_insert(s, (pfn_t){n}, page_identity(s, page, s->pages[page]));
}

/* Pages that were set aside for want of swap can go when there is room. */
static void frames_reconsider(struct simulation *s) {
    if (s->aside > 0 && s->area && swap_area_has_room(s->area))
        for (uint32_t n = 0; s->aside > 0 && n < s->config.frames; n++)
            frame_reconsider(s, n);
}

/* Makes room for a page. 0; 1: there is none to be had; -EPROTO. */
static int frame_reclaim(struct simulation *s, pfn_t *ret_frame) {
    frames_reconsider(s);
    for (;;) {
        const uint64_t start = measure_start(s, &s->victim_calls);
        const pfn_t f = s->config.policy->victim(s->policy);
        measure_end(s, &s->victim_calls, start);
        if (pfn_is_none(f))
            break;
        const int error = victim_check(s, f);
        if (error)
            return error;
        const uint32_t page = s->frame_page[f.n];
        if (!victim_must_stay(s, page)) {
            policy_forget(s, f, POLICY_EVICTED);
            page_evict(s, page);
            s->frame_bytes[f.n] = FRAME_UNUSED;
            *ret_frame = f;
            return 0;
        }
        policy_forget(s, f, POLICY_UNMAPPED);
        s->frame_bytes[f.n] ^= FRAME_INSERTED ^ FRAME_ASIDE;
        s->aside++;
    }
    for (uint32_t n = 0; n < s->config.frames; n++)
        if (frame_state(s, n) == FRAME_INSERTED)
            return simulation_fail(s, -EPROTO, "%s: it names no victim, but has pages",
                                   s->config.policy->name);
    return 1;
}

static int page_miss(struct simulation *s, const struct refs_item *item) {
    const uint32_t before = s->pages[item->page];
    if (unlikely(s->has_identities))
        page_live_again(s, item->page);
    if (s->names && word_kind(before) < KIND_SHARED)
        s->newest = max_u64(s->newest, s->names[item->page]);
    const page_id_t id = page_identity(s, item->page, before);
    const struct policy_ops *ops = s->config.policy;
    if (ops->miss)
        ops->miss(s->policy, id);
    pfn_t f = PFN_NONE;
    const int error = frame_take_free(s, &f) ? 0 : frame_reclaim(s, &f);
    if (error < 0)
        return error;
    if (error) {
        s->result.out_of_memory = true;
        s->result.out_of_memory_instruction = item->instruction;
        return 0;
    }
    if (s->config.missed)
        s->config.missed(s->config.context, item->page);
    s->result.misses++;
    s->result.references++;
    s->result.cold += !(before & SEEN);
    s->result.cold_anonymous += !(before & SEEN) && word_kind(before) != KIND_FILE;
    const uint32_t bits = SEEN | (item->flags & ACCESS_WRITE ? NO_COPY : 0);
    s->pages[item->page] = (before & ~(uint32_t)FRAME_NONE) | bits | f.n;
    s->frame_page[f.n] = item->page;
    s->frame_bytes[f.n] =
        (uint8_t)(FRAME_INSERTED | (s->harvests ? 0 : FRAME_REFERENCED) | word_dirty(s->pages[item->page]));
    if (s->area)
        swap_area_page_in(s->area, item->page);
    policy_insert(s, f, id);
    return 0;
}

/* ---- harvests of referenced bits ---- */

static int name_compare(const void *a, const void *b, void *context) {
    const struct simulation *s = context;
    const uint32_t p = *(const uint32_t *)a, q = *(const uint32_t *)b;
    uint64_t x = s->names[p], y = s->names[q];
    if (x == y) {
        x = p, y = q;
        (void)map_get(&s->identities, p, &x);
        (void)map_get(&s->identities, q, &y);
    }
    return x != y ? (x < y ? -1 : 1) : (p > q) - (p < q);
}

static void harvest(struct simulation *s) {
    size_t count = 0;
    for (uint32_t n = 0; n < s->fresh; n++)
        if (frame_state(s, n) == FRAME_INSERTED && s->frame_bytes[n] & FRAME_REFERENCED)
            s->bag[count++] = s->frame_page[n];
    qsort_r(s->bag, count, sizeof *s->bag, name_compare, s);
    for (size_t i = 0; i < count; i++) {
        const uint32_t page = s->bag[i], word = s->pages[page];
        s->frame_bytes[word_frame(word)] &= (uint8_t)~FRAME_REFERENCED;
        const uint64_t start = measure_start(s, &s->policy_calls);
        s->config.policy->access(s->policy, (pfn_t){word_frame(word)}, page_identity(s, page, word));
        measure_end(s, &s->policy_calls, start);
    }
}

static void harvest_if_due(struct simulation *s, uint64_t instruction) {
    if (instruction < s->next_harvest)
        return;
    harvest(s);
    s->next_harvest = (instruction / s->config.observe_bits + 1) * s->config.observe_bits;
}

/* ---- the other items ---- */

static void page_dies(struct simulation *s, const struct refs_item *item) {
    const uint32_t word = s->pages[item->page];
    const pfn_t f = {word_frame(word)};
    if (s->area)
        swap_area_release(s->area, item->page);
    if (f.n == FRAME_NONE)
        return;
    if (frame_state(s, f.n) == FRAME_INSERTED)
        policy_forget(s, f, item->flags == POLICY_EXITED ? POLICY_EXITED : POLICY_UNMAPPED);
    else
        s->aside--;
    frame_put_free(s, f.n);
    s->pages[item->page] = word | FRAME_NONE;
}

/* A page that was set aside can go without swap now: the policy has it again, as a new one. */
static void page_given_up(struct simulation *s, uint32_t page) {
    const uint32_t word = s->pages[page] | NO_COPY;
    const pfn_t f = {word_frame(word)};
    if (word_kind(word) > KIND_LAZY)
        return;
    if (s->area)
        swap_area_release(s->area, page);
    page_set(s, page, f.n == FRAME_NONE ? word : word_with_kind(word, KIND_LAZY));
    if (f.n == FRAME_NONE)
        page_lost(s, page);
    else
        frame_reconsider(s, f.n);
}

static void page_cooled(struct simulation *s, uint32_t page) {
    const uint32_t frame = word_frame(s->pages[page]);
    if (frame != FRAME_NONE)
        s->frame_bytes[frame] &= (uint8_t)~FRAME_REFERENCED;
}

static void item_other(struct simulation *s, const struct refs_item *item) {
    switch ((enum refs_kind)item->kind) {
    case REFS_REFERENCE: break;
    case REFS_DIES: page_dies(s, item); break;
    case REFS_CLEANED: page_set(s, item->page, s->pages[item->page] & ~(uint32_t)NO_COPY); break;
    case REFS_COOLED: page_cooled(s, item->page); break;
    case REFS_GIVEN_UP: page_given_up(s, item->page); break;
    case REFS_MARK: break;
    }
}

/* ---- items ---- */

static inline void page_hit(struct simulation *s, const struct refs_item *item, uint32_t word) {
    const bool writes = item->flags & ACCESS_WRITE;
    word |= writes ? NO_COPY : 0;
    if (unlikely(word_kind(word) == KIND_LAZY) && writes)
        word = word_with_kind(word, KIND_ANONYMOUS);
    s->pages[item->page] = word;
    s->frame_bytes[word_frame(word)] |= (uint8_t)(FRAME_REFERENCED | (writes ? FRAME_DIRTY : 0));
    s->result.references++;
    if (s->access &&
        likely(s->aside == 0 || s->config.offline || frame_state(s, word_frame(word)) == FRAME_INSERTED)) {
        const uint64_t start = measure_start(s, &s->policy_calls);
        s->access(s->policy, (pfn_t){word_frame(word)}, page_identity(s, item->page, word));
        measure_end(s, &s->policy_calls, start);
    }
}

static int item_take(struct simulation *s, const struct refs_item *item) {
    s->now = item->instruction;
    if (unlikely(item->kind != REFS_REFERENCE)) {
        item_other(s, item);
        return 0;
    }
    if (unlikely(s->harvests))
        harvest_if_due(s, item->instruction);
    const uint32_t word = s->pages[item->page];
    if (unlikely(word_frame(word) == FRAME_NONE))
        return page_miss(s, item);
    page_hit(s, item, word);
    return 0;
}

int simulation_feed(struct simulation *s, const struct refs_item *items, size_t count) {
    enum { AHEAD = 16 }; /* items, for the host's caches */
    for (size_t i = 0; i < count && !s->error && !s->result.out_of_memory; i++) {
        if (unlikely(items[i].page >= s->page_count) && items[i].kind != REFS_MARK)
            return simulation_fail(s, -EBADMSG, "a reference to page %u, and there are only %u",
                                   items[i].page, s->page_count);
        if (i + AHEAD < count && items[i + AHEAD].page < s->page_count)
            __builtin_prefetch(&s->pages[items[i + AHEAD].page], 1);
        const int error = item_take(s, &items[i]);
        s->error = s->error ? s->error : error;
    }
    return s->error;
}

/* ---- what came out ---- */

void simulation_restart(struct simulation *s) {
    s->uncounted = s->result;
}

const char *simulation_message(const struct simulation *s) {
    return s->message[0] ? s->message : NULL;
}

const char *simulation_check(const struct simulation *s) {
    return s->config.policy->check ? s->config.policy->check(s->policy) : NULL;
}

static void discount(struct simulation_result *result, const struct simulation_result *before) {
    result->references -= before->references;
    result->misses -= before->misses;
    result->cold -= before->cold;
    result->cold_anonymous -= before->cold_anonymous;
    result->evictions -= before->evictions;
    result->to_swap -= before->to_swap;
    result->to_file -= before->to_file;
}

void simulation_get_result(const struct simulation *s, struct simulation_result *ret_result) {
    const struct measure *calls = &s->policy_calls, *victims = &s->victim_calls;
    const double call = calls->timed ? (double)calls->ns / (double)calls->timed : 0;
    const double victim = victims->timed ? (double)victims->ns / (double)victims->timed : 0;
    const double all = call * (double)calls->calls + victim * (double)victims->calls;
    *ret_result = s->result;
    ret_result->ns_per_victim = victim;
    ret_result->policy_bytes = s->config.policy->bytes ? s->config.policy->bytes(s->policy) : 0;
    ret_result->ns_per_reference = s->result.references ? all / (double)s->result.references : 0;
    ret_result->swap_was_short = s->area && swap_area_was_short(s->area);
    discount(ret_result, &s->uncounted);
}
