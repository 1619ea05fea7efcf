/* Ranges of addresses, against an array with an entry for each address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "place/ranges.h"

enum { ADDRESSES = 200, STEPS = 20000 };

struct model {
    uint64_t key[ADDRESSES]; /* 0: none */
    uint64_t start[ADDRESSES];
};

static void model_set(struct model *m, uint64_t start, uint64_t end, uint64_t key) {
    for (uint64_t at = start; at < end; at++) {
        m->key[at] = key;
        m->start[at] = start;
    }
}

/* What is left behind a cut is a range of its own. */
static void model_cut(struct model *m, uint64_t start, uint64_t end) {
    for (uint64_t at = end; at < ADDRESSES && m->key[at] && m->start[at] < end; at++)
        m->start[at] = end;
    model_set(m, start, end, 0);
}

static bool model_remove(struct model *m, uint64_t start) {
    const bool there = m->key[start] && m->start[start] == start;
    for (uint64_t at = start; there && at < ADDRESSES && m->key[at] && m->start[at] == start; at++)
        m->key[at] = 0;
    return there;
}

static void assert_same(const struct ranges *r, const struct model *m) {
    for (uint64_t at = 0; at < ADDRESSES; at++) {
        const struct range *found = ranges_find(r, at);
        assert_int_equal(found ? found->key.v : 0, m->key[at]);
        if (found)
            assert_int_equal(found->start, m->start[at]);
    }
}

static void random_changes(void **state) {
    struct rng rng = {1};
    struct ranges r = {0}, copy = {0};
    struct model m = {0};
    for (unsigned step = 1; step <= STEPS; step++) {
        const uint64_t start = rng_next(&rng) % ADDRESSES;
        const uint64_t end = start + 1 + rng_next(&rng) % (ADDRESSES - start > 12 ? 12 : ADDRESSES - start);
        switch (rng_next(&rng) % 3) {
        case 0:
            assert_int_equal(ranges_add(&r, start, end, (struct key){step}), 0);
            model_cut(&m, start, end);
            model_set(&m, start, end, step);
            break;
        case 1:
            assert_int_equal(ranges_cut(&r, start, end), 0);
            model_cut(&m, start, end);
            break;
        case 2: assert_int_equal(ranges_remove(&r, start), model_remove(&m, start)); break;
        }
        if (step % 16 == 0)
            assert_same(&r, &m);
    }
    assert_int_equal(ranges_copy(&copy, &r), 0);
    ranges_clear(&r);
    assert_null(ranges_find(&r, 0));
    assert_same(&copy, &m);
    ranges_clear(&copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
