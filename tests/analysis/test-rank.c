/* Order statistics over a window, against counting: in windows of several super-groups, which only the
 * references of programs with many pages fill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analysis/rank.h"
#include "base/rng.h"

enum { WINDOW = (2 << RANK_SUPER_SHIFT) + 100000, PARTS = 10 };

/* The same operations for whichever instructions the functions below are built. */
struct calls {
    void (*append)(struct rank *, uint32_t count);
    void (*clear)(struct rank *, uint32_t at);
    uint32_t (*before)(const struct rank *, uint32_t at);
};

RANK_INLINE void append_many(struct rank *rank, uint32_t count) {
    while (count-- > 0)
        rank_append(rank);
}
static void append_plain(struct rank *rank, uint32_t count) {
    append_many(rank, count);
}
static void clear_plain(struct rank *rank, uint32_t at) {
    rank_clear(rank, at);
}
static uint32_t before_plain(const struct rank *rank, uint32_t at) {
    return rank_before(rank, at);
}
RANK_FAST static void append_fast(struct rank *rank, uint32_t count) {
    append_many(rank, count);
}
RANK_FAST static void clear_fast(struct rank *rank, uint32_t at) {
    rank_clear(rank, at);
}
RANK_FAST static uint32_t before_fast(const struct rank *rank, uint32_t at) {
    return rank_before(rank, at);
}

static void expect_counts(const struct calls *c, const struct rank *rank, const uint8_t *set) {
    uint32_t count = 0;
    for (uint32_t at = 0; at < rank->now; at++) {
        if (at % 61 == 0 || at % (1 << RANK_BLOCK_SHIFT) < 2)
            assert_int_equal(c->before(rank, at), count);
        count += set[at];
    }
    assert_int_equal(rank->count, count);
}

/* Moments come, and bits are cleared anywhere among those that were, in turns. */
static void compare(const struct calls *c) {
    struct rng rng = {11};
    struct rank rank;
    uint8_t *set = calloc(WINDOW, 1);
    assert_int_equal(rank_init(&rank, WINDOW), 0);
    for (int part = 0; part < PARTS; part++) {
        const uint32_t count = part < PARTS - 1 ? WINDOW / PARTS : WINDOW - rank.now;
        for (uint32_t at = rank.now; at < rank.now + count; at++)
            set[at] = 1;
        c->append(&rank, count);
        for (int i = 0; i < 30000; i++) {
            const uint32_t at = (uint32_t)rng_below(&rng, rank.now);
            if (set[at])
                c->clear(&rank, at);
            set[at] = 0;
        }
        expect_counts(c, &rank, set);
    }
    assert_true(rank_is_full(&rank));
    rank_free(&rank);
    free(set);
}

static void counts_are_those_of_the_bits(void **state) {
    compare(&(struct calls){append_plain, clear_plain, before_plain});
}

static void so_they_are_by_the_processors_instructions(void **state) {
    if (!rank_is_fast())
        skip();
    compare(&(struct calls){append_fast, clear_fast, before_fast});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_the_bits),
        cmocka_unit_test(so_they_are_by_the_processors_instructions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
