/* Joining the reference log: every variant that this processor has against a model, on random logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "hw/join.h"

enum { MOST = 70, ROUNDS = 3000 };

static const uint32_t bases[] = {0, 1, 0x7fffffff, 0xfffffffe};

/* The arrays of a log. */
struct arrays {
    uint32_t pages[MOST + JOIN_ROOM], rests[MOST + JOIN_ROOM];
};

/* A log in which pages and kinds repeat often. */
static size_t draw(struct rng *rng, uint32_t base, struct arrays *a) {
    const size_t n = 1 + rng_below(rng, MOST);
    const uint32_t pages = 1 + (uint32_t)rng_below(rng, 4);
    for (size_t i = 0; i < n; i++) {
        a->pages[i] = base - 1 + (uint32_t)rng_below(rng, pages);
        a->rests[i] =
            (uint16_t)rng_next(rng) | (rng_below(rng, 3) == 0) << 16 | (rng_below(rng, 3) == 0) << 24;
    }
    return n;
}

static size_t model(const struct reference_log *log, struct reference *out) {
    size_t kept = 0;
    for (size_t i = 0; i < log->count; i++) {
        const uint32_t rest = log->rests[i];
        if (!i || log->pages[i - 1] != log->pages[i])
            out[kept++] = (struct reference){.frame = log->pages[i] - log->base,
                                             .count = (uint16_t)(log->end - (rest & 0xffff))};
        out[kept - 1].written |= rest >> 16 & 1;
        out[kept - 1].fetched |= rest >> 24 & 1;
    }
    return kept;
}

static void check(const struct join_variant *v, const struct reference_log *log) {
    struct reference expected[MOST], got[MOST + JOIN_ROOM];
    const size_t kept = model(log, expected);
    memset(got, 0xa5, sizeof got);
    assert_int_equal(v->join(log, got), kept);
    assert_memory_equal(got, expected, kept * sizeof *got);
    for (size_t i = log->count + JOIN_ROOM; i < MOST + JOIN_ROOM; i++)
        assert_int_equal(got[i].frame, 0xa5a5a5a5);
}

static void test_every_variant_is_the_model(void **state) {
    struct rng rng = {1};
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct arrays arrays;
        memset(&arrays, 0x5a, sizeof arrays); /* behind the log is junk */
        struct reference_log log = {.pages = arrays.pages,
                                    .rests = arrays.rests,
                                    .base = bases[round % (sizeof bases / sizeof *bases)],
                                    .end = (uint16_t)rng_next(&rng),
                                    .start = rng_next(&rng)};
        log.count = draw(&rng, log.base, &arrays);
        for (const struct join_variant *v = join_variants; v->name; v++)
            if (v->is_supported())
                check(v, &log);
    }
}

static void test_the_first_that_is_supported_is_chosen(void **state) {
    const struct join_variant *v = join_variants;
    while (!v->is_supported())
        v++;
    assert_ptr_equal(join_choose(), v->join);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_variant_is_the_model),
        cmocka_unit_test(test_the_first_that_is_supported_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
