/* Every page-table format against a model that is too simple to be wrong: a short array of (page, entry). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "frames.h"

enum { PAGES = 300, STEPS = 20000 };

struct model {
    vpn_t page[PAGES]; /* ascending */
    pte_t entry[PAGES];
};

/* Pages that share tables on every level, and some that share none; the ends of user space. */
static void model_choose_pages(struct model *model, struct rng *rng) {
    static const unsigned spread[] = {0, 6, 9, 15, 18, 24, 27, 30, 34};
    uint64_t last = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        const uint64_t step = 1 + rng_below(rng, 1ULL << spread[i * ARRAY_LENGTH(spread) / PAGES]);
        last += i == 0 ? 0 : step;
        if (last > USER_END_VPN.n - PAGES + i)
            last = USER_END_VPN.n - PAGES + i;
        model->page[i].n = last;
        model->entry[i].v = 0;
    }
    model->page[PAGES - 1].n = USER_END_VPN.n - 1;
}

static pte_t random_entry(struct rng *rng) {
    const uint64_t bits = rng_next(rng) & (PTE_COW | PTE_LAZY | PTE_REFERENCED | PTE_DIRTY | 63 << 10);
    const unsigned access = (unsigned)rng_below(rng, 8);
    const uint32_t number = (uint32_t)(rng_next(rng) >> rng_below(rng, 33) >> 31);
    pte_t entry = rng_below(rng, 3) ? pte_make_present((pfn_t){number}, access, bits)
                                    : pte_make_swapped((slot_t){number}, access, bits);
    if (rng_below(rng, 8) == 0)
        entry = pte_clear(entry, PTE_USER);
    return entry;
}

/* What table frames the used entries need under the four-level format: the root and one for each different
 * prefix. */
static uint32_t model_table_frames(const struct model *model) {
    uint32_t frames = 1;
    for (unsigned shift = 9; shift <= 27; shift += 9) {
        uint64_t last = UINT64_MAX;
        for (unsigned i = 0; i < PAGES; i++) {
            if (pte_is_empty(model->entry[i]) || model->page[i].n >> shift == last)
                continue;
            last = model->page[i].n >> shift;
            frames++;
        }
    }
    return frames;
}

static void model_compare(const struct model *model, const struct page_table *table) {
    assert_null(table->ops->check(table));
    for (unsigned i = 0; i < PAGES; i++)
        assert_int_equal(table->ops->get(table, model->page[i]).v, model->entry[i].v);
}

/* next() from a random page to a random end gives the model's entries and nothing else. */
static void model_compare_next(const struct model *model, const struct page_table *table, struct rng *rng) {
    vpn_t at = {model->page[rng_below(rng, PAGES)].n - rng_below(rng, 2)};
    const vpn_t end = {model->page[rng_below(rng, PAGES)].n + rng_below(rng, 2)};
    if (at.n > USER_END_VPN.n)
        at.n = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        if (model->page[i].n < at.n || model->page[i].n >= end.n || pte_is_empty(model->entry[i]))
            continue;
        pte_t entry;
        assert_true(table->ops->next(table, &at, end, &entry));
        assert_int_equal(at.n, model->page[i].n);
        assert_int_equal(entry.v, model->entry[i].v);
        at.n++;
    }
    pte_t entry = {42};
    const vpn_t before = at;
    assert_false(table->ops->next(table, &at, end, &entry));
    assert_int_equal(entry.v, 42);
    assert_int_equal(at.n, before.n);
}

static void model_mark(struct model *model, struct page_table *table, unsigned i, struct rng *rng) {
    const uint64_t bits = rng_next(rng) & (PTE_REFERENCED | PTE_DIRTY);
    if (!pte_is_present(model->entry[i]))
        return;
    table->ops->mark(table, model->page[i], bits);
    model->entry[i] = pte_set(model->entry[i], bits);
}

static void model_walk(struct model *model, struct page_table *table, unsigned i, struct rng *rng) {
    const unsigned access = 1 + (unsigned)rng_below(rng, 7);
    pte_t *entry = &model->entry[i], walked;
    const bool allowed =
        pte_is_present(*entry) && pte_has(*entry, PTE_USER) && !(access & ~pte_access(*entry));
    assert_int_equal(table->ops->walk(table, model->page[i], access, &walked), allowed);
    if (allowed)
        *entry = pte_set(*entry, access & ACCESS_WRITE ? PTE_REFERENCED | PTE_DIRTY : PTE_REFERENCED);
    assert_int_equal(walked.v, entry->v);
}

static void model_set(struct model *model, struct page_table *table, unsigned i, struct rng *rng,
                      uint64_t empties) {
    pte_t entry = rng_below(rng, 100) < empties ? (pte_t){0} : random_entry(rng);
    if (!pte_is_empty(entry)) {
        const int error = table->ops->prepare(table, model->page[i]);
        if (error) {
            assert_int_equal(error, -ENOMEM);
            entry.v = 0; /* as the OS does that gives up: clears away the partly built path */
        }
        if (error && !pte_is_empty(model->entry[i]))
            fail_msg("prepare() failed for a page whose table exists");
    }
    table->ops->set(table, model->page[i], entry);
    model->entry[i] = entry;
}

static void model_empty(struct model *model, struct page_table *table) {
    for (unsigned i = 0; i < PAGES; i++) {
        table->ops->set(table, model->page[i], (pte_t){0});
        model->entry[i].v = 0;
    }
}

/* A random sequence; `fail_every` > 0 makes allocations fail now and then. */
static void run_sequence(const struct page_table_ops *ops, uint64_t seed, uint64_t fail_every) {
    struct rng rng = {seed};
    struct supply supply;
    supply_init(&supply);
    const struct table_frames frames = supply_frames(&supply);
    struct page_table *table;
    assert_int_equal(ops->create(&frames, &table), 0);
    struct model model;
    model_choose_pages(&model, &rng);
    uint64_t empties = 50, few = PAGES;
    for (int step = 0; step < STEPS; step++) {
        if (step % 500 == 0) {
            empties = rng_below(&rng, 101);
            few = 1 + rng_below(&rng, PAGES);
            model_compare(&model, table);
            assert_int_equal(table->frames, supply.in_use);
            assert_int_equal(table->frames, ops == &page_table_array ? 0 : model_table_frames(&model));
        }
        if (fail_every && rng_below(&rng, fail_every) == 0)
            supply.inject.fail_at[INJECT_ALLOC] = supply.inject.calls[INJECT_ALLOC] + 1 + rng_below(&rng, 4);
        const unsigned i = (unsigned)rng_below(&rng, few);
        switch (step % 50 ? 1 + rng_below(&rng, 8) : 0) {
        case 0: model_compare_next(&model, table, &rng); break;
        case 1: model_mark(&model, table, i, &rng); break;
        case 2: model_walk(&model, table, i, &rng); break;
        default: model_set(&model, table, i, &rng, empties); break;
        }
    }
    model_empty(&model, table);
    assert_null(ops->check(table));
    assert_int_equal(table->frames, ops == &page_table_array ? 0 : 1);
    ops->destroy(table);
    assert_int_equal(supply.in_use, 0);
    physmem_destroy(&supply.mem);
}

static void random_sequences_agree_with_the_model(void **state) {
    for (const struct page_table_ops *const *ops = page_table_formats; *ops; ops++)
        for (uint64_t seed = 1; seed <= 25; seed++)
            run_sequence(*ops, seed, 0);
}

static void failing_allocations_leave_the_table_whole(void **state) {
    for (const struct page_table_ops *const *ops = page_table_formats; *ops; ops++)
        for (uint64_t seed = 1; seed <= 15; seed++)
            run_sequence(*ops, seed, 5);
}

static void creation_fails_cleanly(void **state) {
    for (const struct page_table_ops *const *ops = page_table_formats; *ops; ops++) {
        uint64_t n = 1;
        for (int error = -ENOMEM; error; n++) {
            struct supply supply;
            supply_init(&supply);
            supply.inject.fail_at[INJECT_ALLOC] = n;
            const struct table_frames frames = supply_frames(&supply);
            struct page_table *table = NULL;
            error = (*ops)->create(&frames, &table);
            if (error)
                assert_null(table);
            else
                (*ops)->destroy(table);
            assert_int_equal(supply.in_use, 0);
            physmem_destroy(&supply.mem);
        }
        assert_in_range(n, 3, 6); /* each format allocates two or three things */
    }
}

/* ---- allocation that changes the tree which is being extended ---- */

struct evictor {
    struct page_table *table;
    vpn_t page; /* emptied at the next allocation */
    bool done;
};

static void evict(void *context) {
    struct evictor *evictor = context;
    if (!evictor->done)
        evictor->table->ops->set(evictor->table, evictor->page, (pte_t){0});
    evictor->done = true;
}

/* Reclaim, for the sake of a table frame, evicts the only page of a table that shares a path with it. */
static void an_eviction_in_the_middle_of_prepare_is_survived(void **state) {
    for (unsigned shift = 0; shift < 35; shift++) {
        struct supply supply;
        supply_init(&supply);
        const struct table_frames frames = supply_frames(&supply);
        struct page_table *table;
        assert_int_equal(page_table_x86_64.create(&frames, &table), 0);
        const vpn_t other = {0}, wanted = {1ULL << shift};
        assert_int_equal(table->ops->prepare(table, other), 0);
        table->ops->set(table, other, pte_make_present((pfn_t){5}, ACCESS_READ, 0));
        struct evictor evictor = {.table = table, .page = other};
        supply.before_alloc = evict;
        supply.context = &evictor;
        assert_int_equal(table->ops->prepare(table, wanted), 0);
        table->ops->set(table, wanted, pte_make_present((pfn_t){6}, ACCESS_READ, 0));
        assert_null(table->ops->check(table));
        assert_int_equal(pte_pfn(table->ops->get(table, wanted)).n, 6);
        assert_int_equal(table->frames, 4);
        assert_int_equal(supply.in_use, 4);
        table->ops->destroy(table);
        assert_int_equal(supply.in_use, 0);
        physmem_destroy(&supply.mem);
    }
}

/* ---- the x86-64 encoding, from the manual ---- */

static uint64_t *table_of(struct supply *supply, uint64_t entry) {
    return physmem_frame(&supply->mem, (pfn_t){(uint32_t)(entry >> 12 & 0xffffffffff)});
}

/* Walks by hand, as a processor would, from the only frame whose path leads to the page. */
static void hardware_could_walk_it(void **state) {
    struct supply supply;
    supply_init(&supply);
    const struct table_frames frames = supply_frames(&supply);
    struct page_table *table;
    assert_int_equal(page_table_x86_64.create(&frames, &table), 0);
    const vpn_t page = vpn_of(0x555555554000);
    assert_int_equal(table->ops->prepare(table, page), 0);
    assert_int_equal(table->frames, 4);
    table->ops->set(table, page, pte_make_present((pfn_t){0x1234567}, ACCESS_READ | ACCESS_WRITE, 0));
    pte_t entry;
    assert_true(table->ops->walk(table, page, ACCESS_WRITE, &entry));

    uint64_t *level = physmem_frame(&supply.mem, (pfn_t){0}); /* the first frame handed out: CR3 */
    for (unsigned shift = 39; shift > 12; shift -= 9) {
        const uint64_t upper = level[0x555555554000 >> shift & 511];
        assert_int_equal(upper & 0xfff, 7); /* P, R/W, U/S */
        assert_int_equal(upper >> 52, 1);   /* one entry below is in use; XD clear */
        level = table_of(&supply, upper);
    }
    uint64_t *leaf = &level[0x555555554000 >> 12 & 511];
    assert_int_equal(*leaf & 0x1ff, 0x67); /* P, R/W, U/S, A, D */
    assert_int_equal(*leaf >> 12 & 0xffffffffff, 0x1234567);
    assert_int_equal(*leaf >> 63, 1); /* XD */

    table->ops->set(table, page, pte_make_present((pfn_t){1}, 0, 0));
    assert_int_equal(*leaf & 1, 0); /* PROT_NONE: a processor must not use it */
    table->ops->set(table, page, pte_make_swapped((slot_t){0}, ACCESS_READ, 0));
    assert_int_equal(*leaf & 1, 0);
    assert_true(*leaf != 0);
    table->ops->set(table, page, pte_make_present((pfn_t){1}, ACCESS_READ | ACCESS_EXEC, 0));
    assert_int_equal(*leaf & 0x8000000000000003, 1); /* not writable, executable */
    *leaf |= 1 << 5;                                 /* the processor sets A */
    assert_true(pte_has(table->ops->get(table, page), PTE_REFERENCED));
    table->ops->destroy(table);
    physmem_destroy(&supply.mem);
}

static void check_sees_damage(void **state) {
    struct supply supply;
    supply_init(&supply);
    const struct table_frames frames = supply_frames(&supply);
    struct page_table *table;
    assert_int_equal(page_table_x86_64.create(&frames, &table), 0);
    assert_int_equal(table->ops->prepare(table, (vpn_t){0}), 0);
    table->ops->set(table, (vpn_t){0}, pte_make_present((pfn_t){1}, ACCESS_READ, 0));
    assert_null(table->ops->check(table));
    uint64_t *root = physmem_frame(&supply.mem, (pfn_t){0}), kept = root[0];
    root[0] += 1ULL << 52;
    assert_non_null(table->ops->check(table));
    root[0] = kept | (uint64_t)SUPPLY_FRAMES << 12;
    assert_non_null(table->ops->check(table));
    root[0] = kept;
    table->frames++;
    assert_non_null(table->ops->check(table));
    table->frames--;
    assert_null(table->ops->check(table));
    table->ops->destroy(table);
    physmem_destroy(&supply.mem);
}

static void formats_are_found_by_name(void **state) {
    assert_ptr_equal(page_table_find("array"), &page_table_array);
    assert_ptr_equal(page_table_find("x86-64"), &page_table_x86_64);
    assert_null(page_table_find("x86"));
    assert_null(page_table_find(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sequences_agree_with_the_model),
        cmocka_unit_test(failing_allocations_leave_the_table_whole),
        cmocka_unit_test(creation_fails_cleanly),
        cmocka_unit_test(an_eviction_in_the_middle_of_prepare_is_survived),
        cmocka_unit_test(hardware_could_walk_it),
        cmocka_unit_test(check_sees_damage),
        cmocka_unit_test(formats_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
