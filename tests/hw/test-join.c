/* Joining the reference log: every variant that this processor has against a model, on random logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/rng.h"
#include "hw/join.h"

enum { MOST = 70, ROUNDS = 3000 };

static const uint32_t bases[] = {0, 1, 0x7fffffff, 0xfffffffe};

/* The arrays of a log. */
struct arrays {
    uint32_t pages[MOST + JOIN_ROOM], rests[MOST + JOIN_ROOM];
};

/* A log in which pages and kinds repeat often. A frame may be none, or have a large number. */
static void draw(struct rng *rng, struct reference_log *log, struct arrays *a) {
    const uint32_t pages = 1 + (uint32_t)rng_below(rng, 4);
    const uint32_t frame = rng_below(rng, 2) ? (uint32_t)rng_below(rng, 1 << 17) : 0;
    log->count = 1 + rng_below(rng, MOST);
    for (size_t i = 0; i < log->count; i++) {
        a->pages[i] = log->base + frame - (frame == 0) + (uint32_t)rng_below(rng, pages);
        const uint64_t count = log->start + rng_below(rng, LOG_SPAN);
        a->rests[i] =
            (uint16_t)(log->end - count) | (rng_below(rng, 3) == 0) << 16 | (rng_below(rng, 3) == 0) << 24;
    }
}

/* What is left, as references. */
static size_t model(const struct reference_log *log, struct reference *out) {
    size_t kept = 0;
    for (size_t i = 0; i < log->count; i++) {
        const uint32_t rest = log->rests[i];
        if (!i || log->pages[i - 1] != log->pages[i])
            out[kept++] =
                (struct reference){.frame = log->pages[i] - log->base,
                                   .instruction = (uint16_t)(log->end - (rest & 0xffff) - log->start)};
        out[kept - 1].written |= rest >> 16 & 1;
        out[kept - 1].fetched |= rest >> 24 & 1;
    }
    return kept;
}

static void check(const struct join_variant *v, const struct reference_log *log) {
    struct reference expected[MOST];
    uint32_t words[MOST + JOIN_ROOM], frames[MOST + JOIN_ROOM], highest = 0;
    const size_t kept = model(log, expected);
    memset(words, 0xa5, sizeof words);
    memset(frames, 0xa5, sizeof frames);
    const struct joined joined = v->join(log, words, frames);
    assert_int_equal(joined.count, kept);
    for (size_t i = 0; i < kept; i++) {
        const struct reference *e = &expected[i];
        assert_int_equal(frames[i], e->frame);
        assert_int_equal(words[i] & 0xffff, e->frame & 0xffff);
        assert_int_equal(words[i] >> 16 & 0x3fff, e->instruction);
        assert_int_equal(words[i] >> 30 & 1, e->written);
        assert_int_equal(words[i] >> 31, e->fetched);
        highest = max_u32(highest, e->frame);
    }
    assert_int_equal(joined.highest_frame, highest);
    for (size_t i = log->count + JOIN_ROOM; i < MOST + JOIN_ROOM; i++) {
        assert_int_equal(words[i], 0xa5a5a5a5);
        assert_int_equal(frames[i], 0xa5a5a5a5);
    }
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
        draw(&rng, &log, &arrays);
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
