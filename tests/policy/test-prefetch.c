/* What a prefetcher asks for, against a model that goes through all numbers; and what can be asked of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/rng.h"
#include "policy/policies.h"
#include "policy/prefetch.h"

enum { NUMBERS = 300 };

struct wishes {
    struct prefetch_wish wish[PREFETCH_WISHES];
    size_t count;
};

static void wish(struct wishes *w, enum prefetch_by by, uint64_t number) {
    if (w->count < PREFETCH_WISHES)
        w->wish[w->count++] = (struct prefetch_wish){by, number};
}

/* Of all numbers those in the same window: behind `at` first, then before it. */
static void model_window(struct wishes *w, enum prefetch_by by, uint64_t at, uint32_t pages) {
    for (uint64_t n = at + 1; n < NUMBERS; n++)
        if (n / pages == at / pages)
            wish(w, by, n);
    for (uint64_t n = 0; n < at; n++)
        if (n / pages == at / pages)
            wish(w, by, n);
}

/* ---- a policy with wishes of its own: as many as there is room for ---- */

static size_t greedy_prefetch(void *state, const struct prefetch_miss *miss, struct prefetch_wish *wishes,
                              size_t room) {
    for (size_t i = 0; i < room; i++)
        wishes[i] = (struct prefetch_wish){PREFETCH_BY_ADDRESS, miss->vpn.n + *(uint64_t *)state + i};
    return room;
}

static const struct policy_ops greedy = {.name = "greedy", .prefetch = greedy_prefetch};

/* ---- tests ---- */

struct part {
    const char *text;
    enum prefetch_by by;
    bool file, swap; /* asks when a page was read from there … */
    bool not_swap;   /* … and not from there */
};

static const struct part parts[] = {
    {"fault-around:pages=", PREFETCH_BY_INDEX, true, false, true},
    {"swap-ahead:slots=", PREFETCH_BY_SLOT, false, true, false},
    {"swap-ahead-address:pages=", PREFETCH_BY_ADDRESS, false, true, false},
};

static uint64_t number_of(const struct prefetch_miss *miss, enum prefetch_by by) {
    switch (by) {
    case PREFETCH_BY_ADDRESS: return miss->vpn.n;
    case PREFETCH_BY_INDEX: return miss->index;
    case PREFETCH_BY_SLOT: return miss->slot.n;
    }
    return 0;
}

static void model_ask(struct wishes *w, const struct part *part, uint32_t pages,
                      const struct prefetch_miss *miss) {
    if ((part->file && !miss->from_file) || (part->swap && !miss->from_swap) ||
        (part->not_swap && miss->from_swap))
        return;
    model_window(w, part->by, number_of(miss, part->by), pages);
}

static void test_wishes_are_the_models(void **state) {
    struct rng rng = {1};
    uint64_t base = 1000;
    size_t full = 0;
    for (int n = 0; n < 3000; n++) {
        char text[256] = "";
        struct wishes expected = {.count = 0};
        const struct prefetch_miss miss = {.vpn = {rng_below(&rng, NUMBERS - 64)},
                                           .index = rng_below(&rng, NUMBERS - 64),
                                           .slot = {(uint32_t)rng_below(&rng, NUMBERS - 64)},
                                           .from_file = rng_below(&rng, 2),
                                           .from_swap = rng_below(&rng, 2)};
        const size_t count = 1 + rng_below(&rng, 3);
        for (size_t i = 0; i < count; i++) {
            const struct part *part = &parts[rng_below(&rng, ARRAY_LENGTH(parts))];
            const uint32_t pages = 2 + (uint32_t)rng_below(&rng, 63);
            const size_t length = strlen(text);
            snprintf(text + length, sizeof text - length, "%s%s%u", i ? "+" : "", part->text, pages);
            model_ask(&expected, part, pages, &miss);
        }
        if (rng_below(&rng, 2)) {
            strcat(text, "+policy");
            for (uint64_t i = 0; expected.count < PREFETCH_WISHES; i++)
                wish(&expected, PREFETCH_BY_ADDRESS, miss.vpn.n + base + i);
        }
        struct prefetcher p;
        struct wishes asked;
        char *message = NULL;
        assert_int_equal(prefetcher_parse(text, &greedy, &p, &message), 0);
        asked.count = prefetcher_ask(&p, &greedy, &base, &miss, asked.wish);
        assert_int_equal(asked.count, expected.count);
        for (size_t i = 0; i < asked.count; i++) {
            assert_int_equal(asked.wish[i].by, expected.wish[i].by);
            assert_int_equal(asked.wish[i].number, expected.wish[i].number);
        }
        full += asked.count == PREFETCH_WISHES;
    }
    assert_true(full > 100);
}

static struct prefetcher parsed(const char *text) {
    struct prefetcher p;
    char *message = NULL;
    if (prefetcher_parse(text, &greedy, &p, &message))
        fail_msg("%s: %s", text, message);
    return p;
}

static void test_what_is_not_said_has_its_usual_value(void **state) {
    struct prefetcher p = parsed("none");
    assert_int_equal(p.count, 0);
    p = parsed("fault-around+swap-ahead+swap-ahead-address+policy");
    assert_int_equal(p.count, 4);
    const uint32_t pages[] = {16, 8, 8};
    for (size_t i = 0; i < ARRAY_LENGTH(pages); i++)
        assert_int_equal(p.parts[i].pages, pages[i]);
    assert_int_equal(p.late, 100000);
    assert_int_equal(p.from, 64);
    p = parsed("swap-ahead:late=7+policy:from=0");
    assert_int_equal(p.late, 7);
    assert_int_equal(p.from, 0);
}

static void test_what_cannot_be_is_refused(void **state) {
    static const char *const wrong[][2] = {
        {"", "'' is not known"},
        {"fault", "'fault' is not known"},
        {"fault-around-", "'fault-around-' is not known"},
        {"none+policy", "'none' is not known"},
        {"swap-ahead+", "'' is not known"},
        {"fault-around:pages=1", "'fault-around:pages=1' cannot be used"},
        {"fault-around:pages=65", "'fault-around:pages=65' cannot be used"},
        {"swap-ahead:pages=8", "'swap-ahead:pages=8' cannot be used"},
        {"policy:pages=8", "'policy:pages=8' cannot be used"},
        {"policy+policy+policy+policy+policy", "'policy' cannot be used"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct prefetcher p;
        char *message = NULL;
        assert_int_equal(prefetcher_parse(wrong[i][0], &greedy, &p, &message), -EINVAL);
        assert_non_null(strstr(message, wrong[i][1]));
        free(message);
    }
    struct prefetcher p;
    char *message = NULL;
    assert_int_equal(prefetcher_parse("swap-ahead+policy", &policy_fifo, &p, &message), -EINVAL);
    assert_non_null(strstr(message, "policy fifo has no prefetch of its own"));
    free(message);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wishes_are_the_models),
        cmocka_unit_test(test_what_is_not_said_has_its_usual_value),
        cmocka_unit_test(test_what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
