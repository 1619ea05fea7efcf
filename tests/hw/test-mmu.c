/* The MMU's answers for every kind of entry, permission and access, under every format. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "frames.h"
#include "hw/mmu.h"

static const vpn_t PAGE = {0x7fffffffe};

struct fixture {
    struct supply supply;
    struct page_table *table;
};

static void fixture_open(struct fixture *f, const struct page_table_ops *ops) {
    supply_init(&f->supply);
    const struct table_frames frames = supply_frames(&f->supply);
    assert_int_equal(ops->create(&frames, &f->table), 0);
}

static void fixture_close(struct fixture *f) {
    f->table->ops->set(f->table, PAGE, (pte_t){0});
    f->table->ops->destroy(f->table);
    assert_int_equal(f->supply.in_use, 0);
    physmem_destroy(&f->supply.mem);
}

/* One access to one entry: result and bits as the text in hw/mmu.h has it. */
static void access_once(struct page_table *table, pte_t before, unsigned access) {
    assert_int_equal(table->ops->prepare(table, PAGE), 0);
    table->ops->set(table, PAGE, before);
    pte_t seen = {~0ULL};
    const enum mmu_result result = mmu_walk(table, PAGE, access, &seen);
    pte_t after = before;
    if (!pte_is_present(before)) {
        assert_int_equal(result, MMU_NOT_PRESENT);
    } else if (access & ~pte_access(before) || !pte_has(before, PTE_USER)) {
        assert_int_equal(result, MMU_PROTECTION);
    } else {
        assert_int_equal(result, MMU_OK);
        after.v |= PTE_REFERENCED | (access & ACCESS_WRITE ? PTE_DIRTY : 0);
    }
    assert_int_equal(seen.v, after.v);
    assert_int_equal(table->ops->get(table, PAGE).v, after.v);
}

static void every_permission_meets_every_access(void **state) {
    static const uint64_t extra[] = {0, PTE_COW, PTE_REFERENCED, PTE_REFERENCED | PTE_DIRTY, PTE_LAZY};
    for (const struct page_table_ops *const *ops = page_table_formats; *ops; ops++) {
        struct fixture f;
        fixture_open(&f, *ops);
        for (unsigned access = 1; access < 8; access++) {
            access_once(f.table, (pte_t){0}, access);
            for (unsigned allowed = 0; allowed < 8; allowed++)
                for (unsigned i = 0; i < sizeof extra / sizeof *extra; i++) {
                    const pte_t present = pte_make_present((pfn_t){3}, allowed, extra[i]);
                    access_once(f.table, present, access);
                    access_once(f.table, pte_clear(present, PTE_USER), access);
                    access_once(f.table, pte_make_swapped((slot_t){3}, allowed, extra[i]), access);
                }
        }
        fixture_close(&f);
    }
}

static void pages_outside_user_space_are_not_there(void **state) {
    const uint64_t outside[] = {1ULL << 35, 1ULL << 36, (1ULL << 36) + PAGE.n, UINT64_MAX >> 12, UINT64_MAX};
    for (const struct page_table_ops *const *ops = page_table_formats; *ops; ops++) {
        struct fixture f;
        fixture_open(&f, *ops);
        assert_int_equal((*ops)->prepare(f.table, PAGE), 0);
        (*ops)->set(f.table, PAGE, pte_make_present((pfn_t){3}, ACCESS_READ, 0));
        for (unsigned i = 0; i < sizeof outside / sizeof *outside; i++) {
            pte_t seen = {42};
            assert_int_equal(mmu_walk(f.table, (vpn_t){outside[i]}, ACCESS_READ, &seen), MMU_NOT_PRESENT);
            assert_int_equal(seen.v, 0);
            assert_int_equal((*ops)->get(f.table, (vpn_t){outside[i]}).v, 0);
        }
        fixture_close(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_permission_meets_every_access),
        cmocka_unit_test(pages_outside_user_space_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
