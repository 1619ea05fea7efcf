/* The data TLB, with translated code's comparison written out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/soft/tlb.h"

enum { ENTRIES = 16 };

static uint8_t frames[2][PAGE_SIZE];

/* As the inline look-up does it: the host address, or NULL for a miss. */
static const uint8_t *look_up(const struct tlb *tlb, enum tlb_table table, uint64_t address, unsigned bytes) {
    const struct tlb_entry *e = &tlb->table[table][address >> PAGE_SHIFT & (ENTRIES - 1)];
    return address - e->page <= PAGE_SIZE - bytes ? (const uint8_t *)(address + e->addend) : NULL;
}

static int set_up(void **state) {
    static struct tlb tlb;
    *state = &tlb;
    return tlb_create(ENTRIES, &tlb);
}

static int tear_down(void **state) {
    tlb_destroy(*state);
    return 0;
}

static void test_empty_table_hits_nothing(void **state) {
    struct tlb *tlb = *state;
    for (uint64_t index = 0; index < ENTRIES; index++) {
        const uint64_t upper[] = {0, 1ULL << 63, 0x7fffffff0000, ~0ULL << 16};
        for (unsigned i = 0; i < sizeof upper / sizeof *upper; i++)
            for (int table = 0; table < TLB_TABLES; table++)
                assert_null(look_up(tlb, table, upper[i] + (index << PAGE_SHIFT), 1));
    }
}

static void test_hit_stays_within_the_page(void **state) {
    struct tlb *tlb = *state;
    tlb_insert(tlb, TLB_LOAD, (vpn_t){0x123}, frames[0]);
    assert_ptr_equal(look_up(tlb, TLB_LOAD, 0x123000, 8), frames[0]);
    assert_ptr_equal(look_up(tlb, TLB_LOAD, 0x123ff8, 8), frames[0] + 0xff8);
    assert_null(look_up(tlb, TLB_LOAD, 0x123ff9, 8));
    assert_null(look_up(tlb, TLB_LOAD, 0x122fff, 1));
    assert_null(look_up(tlb, TLB_LOAD, 0x124000, 1));
    assert_null(look_up(tlb, TLB_STORE, 0x123000, 1));
}

static void test_page_in_the_same_place_replaces(void **state) {
    struct tlb *tlb = *state;
    tlb_insert(tlb, TLB_STORE, (vpn_t){3}, frames[0]);
    tlb_insert(tlb, TLB_STORE, (vpn_t){3 + ENTRIES}, frames[1]);
    assert_null(look_up(tlb, TLB_STORE, 3 << PAGE_SHIFT, 1));
    assert_ptr_equal(look_up(tlb, TLB_STORE, (3 + ENTRIES) << PAGE_SHIFT, 1), frames[1]);
}

static void test_forget_empties_both_tables_but_no_other_page(void **state) {
    struct tlb *tlb = *state;
    tlb_insert(tlb, TLB_LOAD, (vpn_t){5}, frames[0]);
    tlb_insert(tlb, TLB_STORE, (vpn_t){5}, frames[0]);
    tlb_forget(tlb, (vpn_t){5 + ENTRIES});
    assert_non_null(look_up(tlb, TLB_LOAD, 5 << PAGE_SHIFT, 1));
    tlb_forget(tlb, (vpn_t){5});
    assert_null(look_up(tlb, TLB_LOAD, 5 << PAGE_SHIFT, 1));
    assert_null(look_up(tlb, TLB_STORE, 5 << PAGE_SHIFT, 1));
}

static void test_forget_stores_finds_every_alias_of_a_frame(void **state) {
    struct tlb *tlb = *state;
    tlb_insert(tlb, TLB_STORE, (vpn_t){1}, frames[0]);
    tlb_insert(tlb, TLB_STORE, (vpn_t){2}, frames[0]);
    tlb_insert(tlb, TLB_STORE, (vpn_t){3}, frames[1]);
    tlb_insert(tlb, TLB_LOAD, (vpn_t){1}, frames[0]);
    tlb_forget_stores(tlb, frames[0]);
    assert_null(look_up(tlb, TLB_STORE, 1 << PAGE_SHIFT, 1));
    assert_null(look_up(tlb, TLB_STORE, 2 << PAGE_SHIFT, 1));
    assert_non_null(look_up(tlb, TLB_STORE, 3 << PAGE_SHIFT, 1));
    assert_non_null(look_up(tlb, TLB_LOAD, 1 << PAGE_SHIFT, 1));
}

static void test_pass_serves_one_access_only(void **state) {
    struct tlb *tlb = *state;
    tlb_insert(tlb, TLB_LOAD, (vpn_t){7}, frames[0]);
    uint64_t address = (7 << PAGE_SHIFT) + 4090;
    tlb_pass(tlb, TLB_LOAD, address, frames[1]);
    assert_ptr_equal((void *)(address + tlb->table[TLB_LOAD][7].addend), frames[1]);
    assert_null(look_up(tlb, TLB_LOAD, address, 1));
}

static void test_flush_empties_many_and_few(void **state) {
    struct tlb *tlb = *state;
    for (unsigned n = 1; n < 4 * TLB_TOUCHED; n *= 3) {
        for (unsigned i = 0; i < n; i++) {
            tlb_insert(tlb, i & 1, (vpn_t){i}, frames[0]);
            if (i % 3 == 0)
                tlb_forget(tlb, (vpn_t){i});
        }
        tlb_flush(tlb);
        test_empty_table_hits_nothing(state);
        for (unsigned i = 0; i < n; i++)
            assert_null(look_up(tlb, i & 1, (uint64_t)i << PAGE_SHIFT, 1));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_empty_table_hits_nothing),
        TEST(test_hit_stays_within_the_page),
        TEST(test_page_in_the_same_place_replaces),
        TEST(test_forget_empties_both_tables_but_no_other_page),
        TEST(test_forget_stores_finds_every_alias_of_a_frame),
        TEST(test_pass_serves_one_access_only),
        TEST(test_flush_empties_many_and_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
