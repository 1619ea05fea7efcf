/* The index of an object's pages against a plain array, over pages near the ends of its tree's levels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "vm/index.h"

enum { PLACES = 400, ROUNDS = 200000 };

/* Pages in ascending order: from 0, around multiples of 64, 64², … and up to 2^36. */
static uint64_t page_of(unsigned place) {
    static const uint64_t around[] = {25,       128,        64 * 64,    64 << 12,
                                      64 << 18, 1ULL << 30, 1ULL << 35, (1ULL << 36) - 25};
    const unsigned group = place / 50;
    return around[group] + place % 50 - 25;
}

struct pair {
    struct page_index index;
    uint32_t plain[PLACES];
};

static void compare_walk(struct pair *p, unsigned from, unsigned to) {
    uint64_t page = page_of(from);
    struct index_entry entry;
    for (unsigned place = from; place < to; place++) {
        if (p->plain[place] == INDEX_NONE)
            continue;
        assert_true(index_next(&p->index, &page, page_of(to - 1) + 1, &entry));
        assert_int_equal(page, page_of(place));
        assert_int_equal(entry.v, p->plain[place]);
        page++;
    }
    assert_false(index_next(&p->index, &page, page_of(to - 1) + 1, &entry));
}

static uint64_t count_resident(const struct pair *p) {
    uint64_t resident = 0;
    for (unsigned i = 0; i < PLACES; i++)
        resident += index_kind((struct index_entry){p->plain[i]}) == INDEX_FRAME;
    return resident;
}

static void set(struct pair *p, unsigned place, struct index_entry entry) {
    assert_int_equal(index_reserve(&p->index, NULL, page_of(place)), 0);
    index_set(&p->index, page_of(place), entry);
    p->plain[place] = entry.v;
}

static void clear_from(struct pair *p, unsigned place) {
    for (unsigned i = place; i < PLACES; i++) {
        if (index_kind((struct index_entry){p->plain[i]}) == INDEX_FRAME)
            set(p, i, (struct index_entry){INDEX_EVICTED});
        p->plain[i] = INDEX_NONE;
    }
    index_clear(&p->index, page_of(place));
}

static void test_random_operations(void **state) {
    static struct pair p;
    struct rng rng = {7};
    for (unsigned round = 0; round < ROUNDS; round++) {
        const unsigned place = (unsigned)rng_below(&rng, PLACES);
        switch (rng_below(&rng, 20)) {
        case 0: compare_walk(&p, place, PLACES); break;
        case 1:
            if (rng_below(&rng, 50) == 0)
                clear_from(&p, place);
            break;
        case 2: set(&p, place, (struct index_entry){INDEX_EVICTED}); break;
        case 3: set(&p, place, (struct index_entry){INDEX_NONE}); break;
        default: set(&p, place, index_frame((pfn_t){(uint32_t)rng_below(&rng, INDEX_NUMBERS)})); break;
        }
        assert_int_equal(index_get(&p.index, page_of(place)).v, p.plain[place]);
        assert_int_equal(p.index.resident, count_resident(&p));
    }
    clear_from(&p, 60);
    clear_from(&p, 0);
    assert_int_equal(index_get(&p.index, 20).v, INDEX_NONE);
    uint64_t page = 0;
    struct index_entry entry;
    assert_false(index_next(&p.index, &page, UINT64_MAX, &entry));
    index_clear(&p.index, 0);
    assert_null(p.index.root);
}

static void test_no_memory(void **state) {
    struct page_index index = {0};
    struct inject inject = {.for_good = {true}};
    for (uint64_t n = 1;; n++) {
        inject.calls[INJECT_ALLOC] = 0;
        inject.fail_at[INJECT_ALLOC] = n;
        const int error = index_reserve(&index, &inject, 1ULL << 35);
        assert_int_equal(index_get(&index, 1ULL << 35).v, INDEX_NONE);
        if (!error)
            break;
        assert_in_range(n, 1, 20);
    }
    index_set(&index, 1ULL << 35, index_frame((pfn_t){3}));
    assert_int_equal(index_pfn(index_get(&index, 1ULL << 35)).n, 3);
    index_set(&index, 1ULL << 35, (struct index_entry){INDEX_NONE});
    index_clear(&index, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
