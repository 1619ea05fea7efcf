/* LFU with aging: the page that was used least often goes first; of several, the one whose turn came longest
 * ago. Counts are halved from time to time, so that what was popular once does not stay for ever.
 *
 * Source: the halving of all counts after Robinson and Devarakonda, "Data cache management using
 * frequency-based replacement", SIGMETRICS 1990. Counts are of references and of the page's present stay in
 * memory only; they stop at 254. All of them are halved, rounding down, after every age × (resident pages)
 * references; parameter: age=10. (The "aging" of Tanenbaum's "Modern Operating Systems", 3.4.7, shifts
 * sampled referenced bits into a register instead and approximates LRU, not LFU.)
 *
 * A list for each count, in the order in which pages reached it; halving joins the lists of 2k and 2k+1, in
 * this order, so it never changes which of two pages goes first. */
#include <assert.h>

#include "base/bitmap.h"
#include "policy/lists.h"
#include "policy/parameters.h"
#include "policy/policies.h"

enum { COUNTS = 255 }; /* 0 … 254, each the number of a list */

struct lfu {
    struct lists lists;
    uint64_t some[4];    /* a bit a count: its list is not empty */
    uint64_t age;        /* references a resident page between halvings */
    uint64_t references; /* since the last halving */
    uint32_t resident;
};

static int lfu_create(const struct policy_config *config, void **ret_state) {
    uint64_t age = 10;
    const struct policy_parameter known[] = {{"age", &age, 1, UINT32_MAX}};
    if (policy_parse(config->parameters, known, 1) < 0)
        return -EINVAL;
    struct lfu *lfu = calloc(1, sizeof *lfu);
    if (!lfu)
        return -ENOMEM;
    lfu->age = age;
    if (lists_init(&lfu->lists, config->frames, COUNTS) < 0) {
        free(lfu);
        return -ENOMEM;
    }
    *ret_state = lfu;
    return 0;
}

static void lfu_destroy(void *state) {
    struct lfu *lfu = state;
    lists_free(&lfu->lists);
    free(lfu);
}

static void lfu_add(struct lfu *lfu, uint8_t count, pfn_t f) {
    lists_append(&lfu->lists, count, f.n);
    bitmap_set(lfu->some, count);
}

static void lfu_take(struct lfu *lfu, pfn_t f) {
    const uint8_t count = lists_of(&lfu->lists, f.n);
    lists_remove(&lfu->lists, f.n);
    if (lists_count(&lfu->lists, count) == 0)
        bitmap_clear(lfu->some, count);
}

static void lfu_halve(struct lfu *lfu) {
    for (unsigned count = 1; count < COUNTS; count++) {
        if (!bitmap_test(lfu->some, count))
            continue;
        lists_join(&lfu->lists, (uint8_t)(count / 2), (uint8_t)count);
        bitmap_clear(lfu->some, count);
        bitmap_set(lfu->some, count / 2);
    }
    lfu->references = 0;
}

static void lfu_count_reference(struct lfu *lfu) {
    if (++lfu->references >= lfu->age * lfu->resident)
        lfu_halve(lfu);
}

static void lfu_insert(void *state, pfn_t f, page_id_t page) {
    struct lfu *lfu = state;
    assert(lists_of(&lfu->lists, f.n) == LIST_NONE);
    lfu_add(lfu, 1, f);
    lfu->resident++;
    lfu_count_reference(lfu);
}

static void lfu_access(void *state, pfn_t f, page_id_t page) {
    struct lfu *lfu = state;
    const uint8_t count = lists_of(&lfu->lists, f.n);
    lfu_take(lfu, f);
    lfu_add(lfu, count + 1 < COUNTS ? (uint8_t)(count + 1) : count, f);
    lfu_count_reference(lfu);
}

static void lfu_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct lfu *lfu = state;
    assert(lists_of(&lfu->lists, f.n) != LIST_NONE);
    lfu_take(lfu, f);
    lfu->resident--;
}

static pfn_t lfu_victim(void *state) {
    const struct lfu *lfu = state;
    const uint64_t least = bitmap_find(lfu->some, COUNTS, 0, true);
    return least < COUNTS ? (pfn_t){lists_oldest(&lfu->lists, (uint8_t)least)} : PFN_NONE;
}

static const char *lfu_check(const void *state) {
    const struct lfu *lfu = state;
    uint32_t resident = 0;
    for (unsigned count = 0; count < COUNTS; count++) {
        resident += lists_count(&lfu->lists, (uint8_t)count);
        if (bitmap_test(lfu->some, count) != (lists_count(&lfu->lists, (uint8_t)count) > 0))
            return "lfu: it is not known which counts there are";
    }
    return resident == lfu->resident ? lists_check(&lfu->lists) : "lfu: the number of pages is wrong";
}

static size_t lfu_bytes(const void *state) {
    const struct lfu *lfu = state;
    return sizeof *lfu + lists_bytes(&lfu->lists);
}

const struct policy_ops policy_lfu = {
    .name = "lfu",
    .description = "least frequently used; counts are halved now and then (Robinson 1990)",
    .parameters = "age=10 (1 to 4294967295): references a page in memory from one halving to the next",
    .needs = POLICY_NEEDS_EVERY_REFERENCE,
    .create = lfu_create,
    .destroy = lfu_destroy,
    .insert = lfu_insert,
    .access = lfu_access,
    .remove = lfu_remove,
    .victim = lfu_victim,
    .check = lfu_check,
    .bytes = lfu_bytes,
};
