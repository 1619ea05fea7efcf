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

/* A log in which pages and kinds repeat often. */
static size_t draw(struct rng *rng, uint32_t base, struct reference *log) {
    const size_t n = 1 + rng_below(rng, MOST);
    const uint32_t pages = 1 + (uint32_t)rng_below(rng, 4);
    for (size_t i = 0; i < n; i++)
        log[i] = (struct reference){.frame = base - 1 + (uint32_t)rng_below(rng, pages),
                                    .count = (uint16_t)rng_next(rng),
                                    .written = rng_below(rng, 3) == 0,
                                    .fetched = rng_below(rng, 3) == 0};
    return n;
}

static size_t model(const struct reference_log *log, struct reference *out) {
    const struct reference *e = log->entries;
    size_t kept = 0;
    for (size_t i = 0; i < log->count; i++) {
        if (!i || e[i - 1].frame != e[i].frame)
            out[kept++] =
                (struct reference){.frame = log_frame(log, i), .count = (uint16_t)log_instruction(log, i)};
        out[kept - 1].written |= e[i].written;
        out[kept - 1].fetched |= e[i].fetched;
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
        struct reference entries[MOST + JOIN_ROOM];
        memset(entries, 0x5a, sizeof entries); /* behind the log is junk */
        struct reference_log log = {.entries = entries,
                                    .base = bases[round % (sizeof bases / sizeof *bases)],
                                    .end = (uint16_t)rng_next(&rng),
                                    .start = rng_next(&rng)};
        log.count = draw(&rng, log.base, entries);
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
