/* Joining the reference log: every variant that this processor has against a model, on random logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "engine/soft/join.h"

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

static size_t model(const struct reference *log, size_t n, uint32_t base, uint16_t end,
                    struct reference *out) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!i || log[i - 1].frame != log[i].frame)
            out[kept++] =
                (struct reference){.frame = log[i].frame - base, .count = (uint16_t)(end - log[i].count)};
        out[kept - 1].written |= log[i].written;
        out[kept - 1].fetched |= log[i].fetched;
    }
    return kept;
}

static void check(const struct join_variant *v, const struct reference *log, size_t n, uint32_t base,
                  uint16_t end) {
    struct reference expected[MOST], got[MOST + JOIN_ROOM];
    memset(got, 0xa5, sizeof got); /* behind the log is junk */
    memcpy(got, log, n * sizeof *log);
    const size_t kept = model(log, n, base, end, expected);
    assert_int_equal(v->join(got, n, base, end), kept);
    assert_memory_equal(got, expected, kept * sizeof *got);
}

static void test_every_variant_is_the_model(void **state) {
    struct rng rng = {1};
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct reference log[MOST];
        const uint32_t base = bases[round % (sizeof bases / sizeof *bases)];
        const uint16_t end = (uint16_t)rng_next(&rng);
        const size_t n = draw(&rng, base, log);
        for (const struct join_variant *v = join_variants; v->name; v++)
            if (v->is_supported())
                check(v, log, n, base, end);
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
