/* CLOCK, or second chance: frames in a circle, a hand that goes round. A page that was referenced since the
 * hand came by is spared once and its referenced bit cleared; the first one that was not is the victim.
 *
 * Source: F. J. Corbató, "A paging experiment with the Multics system", in: In Honor of P. M. Morse, MIT
 * Press, 1969 (MIT Project MAC memo M-384, 1968).
 *
 * The circle is a ring whose oldest frame is the one under the hand; moving the hand on puts that frame at
 * the end, and a new page enters there: behind the hand, to be looked at last. It enters with its bit set
 * (inserting counts as a reference); the policy keeps that one bit itself, in `entered`, so that it does not
 * matter whether the caller's bit is set already. */
#include <assert.h>

#include "base/bitmap.h"
#include "policy/parameters.h"
#include "policy/policies.h"
#include "policy/ring.h"

struct clock {
    struct ring ring;  /* oldest: under the hand */
    uint64_t *entered; /* a bit a frame: inserted since the hand came by */
    bool (*test_and_clear_referenced)(void *context, pfn_t);
    void *context;
};

static int clock_create(const struct policy_config *config, void **ret_state) {
    if (policy_parse(config->parameters, NULL, 0) < 0 || !config->test_and_clear_referenced)
        return -EINVAL;
    struct clock *clock = calloc(1, sizeof *clock);
    if (!clock)
        return -ENOMEM;
    clock->test_and_clear_referenced = config->test_and_clear_referenced;
    clock->context = config->context;
    clock->entered = calloc(bitmap_words(config->frames) + 1, sizeof *clock->entered);
    if (!clock->entered || ring_init(&clock->ring, config->frames) < 0)
        goto out_free;
    *ret_state = clock;
    return 0;

out_free:
    free(clock->entered);
    free(clock);
    return -ENOMEM;
}

static void clock_destroy(void *state) {
    struct clock *clock = state;
    ring_free(&clock->ring);
    free(clock->entered);
    free(clock);
}

static void clock_insert(void *state, pfn_t f, page_id_t page) {
    struct clock *clock = state;
    assert(!ring_has(&clock->ring, f));
    ring_append(&clock->ring, f);
    bitmap_set(clock->entered, f.n);
}

static void clock_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct clock *clock = state;
    assert(ring_has(&clock->ring, f));
    ring_remove(&clock->ring, f);
    bitmap_clear(clock->entered, f.n);
}

/* Whether the page was referenced since the hand came by; forgets it. */
static bool clock_test_and_clear(struct clock *clock, pfn_t f) {
    const bool entered = bitmap_test(clock->entered, f.n);
    const bool referenced = clock->test_and_clear_referenced(clock->context, f);
    bitmap_clear(clock->entered, f.n);
    return entered || referenced;
}

static pfn_t clock_victim(void *state) {
    struct clock *clock = state;
    pfn_t hand = ring_oldest(&clock->ring);
    /* One round clears every bit, so the hand stops at the latest where it started. */
    for (uint32_t spared = 0; spared < clock->ring.count; spared++) {
        if (!clock_test_and_clear(clock, hand))
            break;
        hand = ring_after(&clock->ring, hand);
    }
    if (!pfn_is_none(hand))
        ring_begin_at(&clock->ring, hand);
    return hand;
}

static const char *clock_check(const void *state) {
    const struct clock *clock = state;
    for (uint32_t i = 0; i < clock->ring.frames; i++)
        if (bitmap_test(clock->entered, i) && !ring_has(&clock->ring, (pfn_t){i}))
            return "clock: a frame has its bit set but is not in the circle";
    return ring_check(&clock->ring);
}

static size_t clock_bytes(const void *state) {
    const struct clock *clock = state;
    return sizeof *clock + ring_bytes(&clock->ring) +
           (bitmap_words(clock->ring.frames) + 1) * sizeof *clock->entered;
}

const struct policy_ops policy_clock = {
    .name = "clock",
    .description = "second chance: a referenced page is spared once as the hand comes by (Corbató 1969)",
    .needs = POLICY_NEEDS_REFERENCED_BITS,
    .create = clock_create,
    .destroy = clock_destroy,
    .insert = clock_insert,
    .remove = clock_remove,
    .victim = clock_victim,
    .check = clock_check,
    .bytes = clock_bytes,
};

/* The same algorithm as books tell it (A. S. Tanenbaum, "Modern Operating Systems", 3.4.4): a FIFO queue in
 * which a referenced page goes to the end instead of out. Where the hand is, the queue begins. */
const struct policy_ops policy_second_chance = {
    .name = "second-chance",
    .description =
        "a FIFO queue in which a referenced page goes to the end instead of out; the victims are clock's",
    .needs = POLICY_NEEDS_REFERENCED_BITS,
    .create = clock_create,
    .destroy = clock_destroy,
    .insert = clock_insert,
    .remove = clock_remove,
    .victim = clock_victim,
    .check = clock_check,
    .bytes = clock_bytes,
};
