/* Each line of the table in vm/fault.c: what a fault does, how it is counted, and how it is refused. */
#include "unit.h"

#define BASE 0x10000000ULL

static struct tally tally_of(struct space *space) {
    return *space_tally(space);
}

static enum fault_result access_result(struct test_machine *m, struct space *space, uint64_t address,
                                       unsigned access) {
    uint8_t byte = 0;
    enum fault_result result;
    test_access(m, space, address, access, &byte, 1, &result);
    return result;
}

static void test_first_touch_gives_zeros(void **state) {
    struct test_machine m;
    const struct test_config config = unit_config();
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    unit_map(space, BASE, 2, RW, MAP_PRIVATE, NULL, 0);
    assert_int_equal(test_read_byte(&m, space, BASE + 123), 0);
    const struct tally tally = tally_of(space);
    assert_int_equal(tally.faults[EVENT_FAULT_ZERO_FILL], 1);
    assert_int_equal(tally.minor, 1);
    assert_int_equal(tally.misses, 1);
    assert_int_equal(tally_faults(&tally), 1);
    space_unref(space);
    unit_destroy(&m);
}

static void test_a_page_comes_back_from_swap(void **state) {
    struct test_machine m;
    const struct test_config config = unit_config();
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    unit_map(space, BASE, 20, RW, MAP_PRIVATE, NULL, 0);
    for (unsigned i = 0; i < 20; i++)
        test_write_byte(&m, space, BASE + i * PAGE_SIZE, (uint8_t)(i + 1));
    assert_int_equal(tally_of(space).evictions[EVENT_VICTIM_TO_SWAP], 14);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(test_read_byte(&m, space, BASE + i * PAGE_SIZE), i + 1);
    const struct tally tally = tally_of(space);
    assert_int_equal(tally.faults[EVENT_FAULT_SWAP_IN], 20); /* FIFO in order: none was still there */
    assert_int_equal(tally.major, 20);
    assert_int_equal(tally.refaults, 20);
    assert_int_equal(tally.swap_in, 20);
    space_unref(space);
    assert_int_equal(unit_counts(&m).swap.used, 0);
    unit_destroy(&m);
}

/* A page that was swapped in and not written since is dropped without being written again. */
static void test_a_clean_page_keeps_its_slot(void **state) {
    struct test_machine m;
    const struct test_config config = unit_config();
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    unit_map(space, BASE, 1, RW, MAP_PRIVATE, NULL, 0);
    test_write_byte(&m, space, BASE, 7);
    unit_evict(space, BASE, 1);
    const uint32_t slot = unit_slot(space, BASE);
    assert_int_equal(test_read_byte(&m, space, BASE), 7);
    unit_evict(space, BASE, 1);
    assert_int_equal(unit_slot(space, BASE), slot);
    assert_int_equal(unit_counts(&m).swap.out, 1);
    test_write_byte(&m, space, BASE, 8);
    unit_evict(space, BASE, 1);
    assert_int_equal(unit_slot(space, BASE), slot);
    assert_int_equal(unit_counts(&m).swap.out, 2);
    assert_int_equal(test_read_byte(&m, space, BASE), 8);
    space_unref(space);
    unit_destroy(&m);
}

/* Seven pages in six frames and two slots: there is always one slot to write to only if the pages that are
 * in memory give theirs back. */
static void test_slots_of_resident_pages_are_taken_back(void **state) {
    struct test_machine m;
    struct test_config config = unit_config();
    config.swap_pages = 2;
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    unit_map(space, BASE, 9, RW, MAP_PRIVATE | MAP_NORESERVE, NULL, 0); /* more than there is */
    for (unsigned round = 0; round < 5; round++)
        for (unsigned i = 0; i < 7; i++) {
            const uint64_t page = BASE + i * PAGE_SIZE;
            if (round)
                assert_int_equal(test_read_byte(&m, space, page), round - 1 + i);
            if (round < 4)
                test_write_byte(&m, space, page, (uint8_t)(round + i));
            unit_check(&m);
        }
    test_write_byte(&m, space, BASE + 7 * PAGE_SIZE, 1);
    assert_int_equal(m.out_of_memory, 0);
    assert_int_equal(access_result(&m, space, BASE + 8 * PAGE_SIZE, ACCESS_WRITE), FAULT_NO_MEMORY);
    assert_int_equal(m.out_of_memory, 1);
    space_unref(space);
    unit_destroy(&m);
}

/* CLOCK gives every page a second chance: all bits are cleared, then the first page goes; a page that was
 * used again stays. */
static void test_referenced_bits_are_cleared_and_set_again(void **state) {
    struct test_machine m;
    struct test_config config = unit_config();
    config.policy = &policy_clock;
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    unit_map(space, BASE, 8, RW, MAP_PRIVATE, NULL, 0);
    for (unsigned i = 0; i < 7; i++)
        test_write_byte(&m, space, BASE + i * PAGE_SIZE, 1);
    assert_true(pte_is_swapped(unit_pte(space, BASE)));
    for (unsigned i = 1; i < 6; i++)
        assert_false(pte_has(unit_pte(space, BASE + i * PAGE_SIZE), PTE_REFERENCED));
    test_read_byte(&m, space, BASE + PAGE_SIZE); /* through the TLB, unless that was told to forget */
    assert_true(pte_has(unit_pte(space, BASE + PAGE_SIZE), PTE_REFERENCED));
    test_write_byte(&m, space, BASE + 7 * PAGE_SIZE, 1);
    assert_true(pte_is_present(unit_pte(space, BASE + PAGE_SIZE)));
    assert_true(pte_is_swapped(unit_pte(space, BASE + 2 * PAGE_SIZE)));
    space_unref(space);
    unit_destroy(&m);
}

/* Without swap, pages of files are found among many that cannot be evicted, and not by asking for each. */
static unsigned victims_asked;
static pfn_t counting_victim(void *state) {
    victims_asked++;
    return policy_clock.victim(state);
}

static void test_pages_without_a_way_out_are_set_aside(void **state) {
    struct test_machine m;
    struct test_file file;
    struct policy_ops counting = policy_clock;
    struct test_config config = unit_config();
    counting.victim = counting_victim;
    config.policy = &counting;
    config.frames = 103;
    config.swap_pages = 0;
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    struct object *object = unit_file(&m, &file, 20);
    unit_map(space, BASE, 90, RW, MAP_PRIVATE, NULL, 0);
    unit_map(space, BASE + 0x100000, 20, PROT_READ, MAP_PRIVATE, object, 0);
    for (unsigned i = 0; i < 90; i++)
        test_write_byte(&m, space, BASE + i * PAGE_SIZE, (uint8_t)i);
    victims_asked = 0;
    for (unsigned i = 0; i < 300; i++)
        test_read_byte(&m, space, BASE + 0x100000 + i % 20 * PAGE_SIZE);
    assert_in_range(victims_asked, 200, 400);
    assert_int_equal(space_advise(space, BASE, 90 * PAGE_SIZE, MADV_FREE), 0); /* now they can go */
    unit_check(&m);
    unit_map(space, BASE + 0x200000, 95, RW, MAP_PRIVATE, NULL, 0);
    for (unsigned i = 0; i < 95; i++)
        test_write_byte(&m, space, BASE + 0x200000 + i * PAGE_SIZE, 1);
    assert_int_equal(m.out_of_memory, 0);
    space_unref(space);
    object_unref(object);
    unit_destroy(&m);
    test_file_free(&file);
}

static void test_refused_accesses(void **state) {
    struct test_machine m;
    struct test_file file;
    const struct test_config config = unit_config();
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    struct object *object = unit_file(&m, &file, 1);
    unit_map(space, BASE, 1, PROT_READ, MAP_PRIVATE, NULL, 0);
    unit_map(space, BASE + PAGE_SIZE, 1, PROT_NONE, MAP_PRIVATE, NULL, 0);
    unit_map(space, BASE + 2 * PAGE_SIZE, 2, PROT_READ, MAP_PRIVATE, object, 0);
    unit_map(space, BASE + 4 * PAGE_SIZE, 1, PROT_WRITE, MAP_PRIVATE, NULL, 0);
    assert_int_equal(access_result(&m, space, BASE, ACCESS_WRITE), FAULT_PERMISSION);
    assert_int_equal(access_result(&m, space, BASE, ACCESS_EXEC), FAULT_PERMISSION);
    assert_int_equal(access_result(&m, space, BASE + PAGE_SIZE, ACCESS_READ), FAULT_PERMISSION);
    assert_int_equal(access_result(&m, space, BASE + 3 * PAGE_SIZE, ACCESS_READ), FAULT_PAST_END);
    assert_int_equal(access_result(&m, space, BASE + 5 * PAGE_SIZE, ACCESS_READ), FAULT_NO_MAPPING);
    assert_int_equal(access_result(&m, space, USER_END + 8, ACCESS_READ), FAULT_NO_MAPPING);
    assert_int_equal(access_result(&m, space, UINT64_MAX, ACCESS_READ), FAULT_NO_MAPPING);
    /* as on x86, what can be written can be read */
    assert_int_equal(access_result(&m, space, BASE + 4 * PAGE_SIZE, ACCESS_READ), FAULT_OK);
    const struct tally tally = tally_of(space);
    assert_int_equal(tally_faults(&tally), 1);
    space_unref(space);
    object_unref(object);
    unit_destroy(&m);
    test_file_free(&file);
}

static void test_page_without_permissions_keeps_its_content(void **state) {
    struct test_machine m;
    const struct test_config config = unit_config();
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    unit_map(space, BASE, 2, RW, MAP_PRIVATE, NULL, 0);
    test_write_byte(&m, space, BASE, 'x');
    test_write_byte(&m, space, BASE + PAGE_SIZE, 'y');
    unit_evict(space, BASE, 1);
    assert_int_equal(space_protect(space, BASE, 2 * PAGE_SIZE, PROT_NONE), 0);
    unit_evict(space, BASE + PAGE_SIZE, 1);
    assert_int_equal(access_result(&m, space, BASE, ACCESS_READ), FAULT_PERMISSION);
    assert_int_equal(space_protect(space, BASE, 2 * PAGE_SIZE, RW), 0);
    assert_int_equal(test_read_byte(&m, space, BASE), 'x');
    assert_int_equal(test_read_byte(&m, space, BASE + PAGE_SIZE), 'y');
    space_unref(space);
    unit_destroy(&m);
}

/* ---- stacks ---- */

#define STACK_TOP 0x7ffffffff000ULL

static void test_a_stack_grows_to_its_limit(void **state) {
    struct test_machine m;
    struct test_config config = unit_config();
    config.swap_pages = 1000;
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    const struct space_limits limits = {UINT64_MAX, UINT64_MAX, 1 << 20, UINT64_MAX, UINT64_MAX, 0};
    space_set_limits(space, &limits);
    unit_map(space, STACK_TOP - PAGE_SIZE, 1, RW, MAP_PRIVATE | MAP_GROWSDOWN, NULL, 0);
    test_write_byte(&m, space, STACK_TOP - 100 * PAGE_SIZE, 1);
    struct space_counts counts;
    space_get_counts(space, &counts);
    assert_int_equal(counts.stack, 100);
    assert_int_equal(counts.resident, 1);
    test_write_byte(&m, space, STACK_TOP - 256 * PAGE_SIZE, 1);
    assert_int_equal(access_result(&m, space, STACK_TOP - 257 * PAGE_SIZE, ACCESS_WRITE), FAULT_NO_MAPPING);
    space_unref(space);
    unit_destroy(&m);
}

static void test_a_stack_keeps_a_gap(void **state) {
    struct test_machine m;
    struct test_config config = unit_config();
    config.swap_pages = 1000;
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    unit_map(space, STACK_TOP - PAGE_SIZE, 1, RW, MAP_PRIVATE | MAP_GROWSDOWN, NULL, 0);
    unit_map(space, STACK_TOP - 300 * PAGE_SIZE, 1, RW, MAP_PRIVATE, NULL, 0);
    test_write_byte(&m, space, STACK_TOP - 43 * PAGE_SIZE, 1);
    assert_int_equal(access_result(&m, space, STACK_TOP - 44 * PAGE_SIZE, ACCESS_WRITE), FAULT_NO_MAPPING);
    /* and mmap leaves the gap alone */
    uint64_t address;
    const struct map_request request = {.length = PAGE_SIZE,
                                        .address = STACK_TOP - 200 * PAGE_SIZE,
                                        .protection = RW,
                                        .flags = MAP_PRIVATE | MAP_ANONYMOUS};
    assert_int_equal(space_map(space, &request, &address), 0);
    assert_int_equal(address, 0x7ffff7fff000ULL - PAGE_SIZE);
    space_unref(space);
    unit_destroy(&m);
}

/* ---- sums ---- */

static void test_tallies_add_up(void **state) {
    struct test_machine m;
    struct test_file file;
    struct test_config config = unit_config();
    config.policy = &policy_lru;
    unit_create(&m, &config);
    struct space *a = unit_space(&m, 1), *b;
    struct object *object = unit_file(&m, &file, 8);
    unit_map(a, BASE, 10, RW, MAP_PRIVATE, NULL, 0);
    unit_map(a, BASE + 0x100000, 8, RW, MAP_SHARED, object, 0);
    unit_map(a, BASE + 0x200000, 8, RW, MAP_PRIVATE, object, 0);
    for (unsigned i = 0; i < 60; i++)
        test_write_byte(&m, a, BASE + (i % 3) * 0x100000 + (i * 7 % 8) * PAGE_SIZE, (uint8_t)i);
    assert_int_equal(space_fork(a, 2, &b), 0);
    for (unsigned i = 0; i < 60; i++) {
        struct space *space = i % 2 ? a : b;
        const uint64_t address = BASE + (i % 3) * 0x100000 + (i * 5 % 8) * PAGE_SIZE;
        test_read_byte(&m, space, address);
        if (i % 4)
            test_write_byte(&m, space, address, (uint8_t)i);
    }
    const struct tally all = unit_counts(&m).tally, one = tally_of(a), two = tally_of(b);
    for (int kind = 0; kind < EVENT_FAULT_KINDS; kind++) {
        assert_true(all.faults[kind] > 0);
        assert_int_equal(all.faults[kind], one.faults[kind] + two.faults[kind]);
    }
    assert_int_equal(all.major + all.minor, tally_faults(&all));
    assert_int_equal(all.misses, one.misses + two.misses);
    assert_true(all.misses < tally_faults(&all));
    assert_int_equal(all.swap_in, one.swap_in + two.swap_in);
    assert_int_equal(all.swap_out, one.swap_out + two.swap_out);
    space_unref(a);
    space_unref(b);
    object_unref(object);
    unit_destroy(&m); /* compares with the tally of the events, too */
    test_file_free(&file);
}

/* The OOM killer's victim gives its memory back at once: the other's fault goes on. */
static void test_reaping_lets_the_other_go_on(void **state) {
    struct test_machine m;
    struct test_config config = unit_config();
    config.swap_pages = 0;
    unit_create(&m, &config);
    struct space *large = unit_space(&m, 1), *small = unit_space(&m, 2);
    unit_map(large, BASE, 6, RW, MAP_PRIVATE, NULL, 0);
    unit_map(small, BASE, 2, RW, MAP_PRIVATE, NULL, 0);
    for (unsigned i = 0; i < 5; i++)
        test_write_byte(&m, large, BASE + i * PAGE_SIZE, 1);
    test_write_byte(&m, small, BASE, 2);
    m.to_reap = large;
    test_write_byte(&m, small, BASE + PAGE_SIZE, 3);
    assert_int_equal(m.out_of_memory, 1);
    assert_int_equal(test_read_byte(&m, small, BASE), 2);
    assert_int_equal(access_result(&m, large, BASE, ACCESS_READ), FAULT_KILLED);
    unit_check(&m);
    m.to_reap = small;
    unit_map(small, BASE, 6, RW, MAP_PRIVATE, NULL, 0);
    unit_map(small, BASE + 0x10000, 1, RW, MAP_PRIVATE, NULL, 0);
    for (unsigned i = 0; i < 6; i++)
        test_write_byte(&m, small, BASE + i * PAGE_SIZE, 1);
    assert_int_equal(access_result(&m, small, BASE + 0x10000, ACCESS_WRITE), FAULT_KILLED);
    space_unref(large);
    space_unref(small);
    unit_destroy(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_touch_gives_zeros),
        cmocka_unit_test(test_a_page_comes_back_from_swap),
        cmocka_unit_test(test_a_clean_page_keeps_its_slot),
        cmocka_unit_test(test_slots_of_resident_pages_are_taken_back),
        cmocka_unit_test(test_referenced_bits_are_cleared_and_set_again),
        cmocka_unit_test(test_pages_without_a_way_out_are_set_aside),
        cmocka_unit_test(test_refused_accesses),
        cmocka_unit_test(test_page_without_permissions_keeps_its_content),
        cmocka_unit_test(test_a_stack_grows_to_its_limit),
        cmocka_unit_test(test_a_stack_keeps_a_gap),
        cmocka_unit_test(test_tallies_add_up),
        cmocka_unit_test(test_reaping_lets_the_other_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
