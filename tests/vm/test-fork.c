/* Copy-on-write: who gets a copy, who takes a page over, and that neither depends on what is in memory. */
#include "unit.h"

#define BASE 0x10000000ULL

struct family {
    struct test_machine m;
    struct space *parent, *child;
};

/* A parent that has written `pages` pages, and its child. */
static void family_create(struct family *f, uint32_t frames, unsigned pages) {
    struct test_config config = unit_config();
    config.frames = frames;
    unit_create(&f->m, &config);
    f->parent = unit_space(&f->m, 1);
    unit_map(f->parent, BASE, pages, RW, MAP_PRIVATE, NULL, 0);
    for (unsigned i = 0; i < pages; i++)
        test_write_byte(&f->m, f->parent, BASE + i * PAGE_SIZE, (uint8_t)(i + 1));
    assert_int_equal(space_fork(f->parent, 2, &f->child), 0);
}

static void family_destroy(struct family *f) {
    space_unref(f->parent);
    if (f->child)
        space_unref(f->child);
    assert_int_equal(unit_counts(&f->m).swap.used, 0);
    assert_int_equal(unit_counts(&f->m).frames.anonymous, 0);
    unit_destroy(&f->m);
}

static void test_the_first_writer_copies_and_the_other_takes_over(void **state) {
    struct family f;
    family_create(&f, 9, 1);
    assert_int_equal(unit_frame(f.parent, BASE), unit_frame(f.child, BASE));
    const uint32_t frame = unit_frame(f.parent, BASE);
    test_write_byte(&f.m, f.child, BASE, 100);
    assert_int_not_equal(unit_frame(f.child, BASE), frame);
    assert_int_equal(space_tally(f.child)->faults[EVENT_FAULT_COW], 1);
    assert_int_equal(test_read_byte(&f.m, f.parent, BASE), 1);
    test_write_byte(&f.m, f.parent, BASE, 50);
    assert_int_equal(unit_frame(f.parent, BASE), frame);
    assert_int_equal(space_tally(f.parent)->faults[EVENT_FAULT_COW], 0);
    assert_int_equal(space_tally(f.parent)->faults[EVENT_FAULT_PROTECTION], 1);
    assert_int_equal(test_read_byte(&f.m, f.child, BASE), 100);
    family_destroy(&f);
}

/* Both have the page on one slot: one reads it in, the other finds it in memory. */
static void test_a_shared_slot_is_read_once(void **state) {
    struct family f;
    family_create(&f, 9, 1);
    assert_int_equal(space_protect(f.child, BASE, PAGE_SIZE, PROT_READ), 0);
    test_read_byte(&f.m, f.child, BASE);
    for (unsigned i = 0; i < 6; i++) /* pushes the page out, whoever maps it */
        unit_map(f.parent, BASE + (i + 1) * 0x10000, 1, RW, MAP_PRIVATE, NULL, 0);
    for (unsigned i = 0; i < 6; i++)
        test_write_byte(&f.m, f.parent, BASE + (i + 1) * 0x10000, 1);
    assert_int_equal(unit_slot(f.parent, BASE), unit_slot(f.child, BASE));
    assert_int_equal(test_read_byte(&f.m, f.parent, BASE), 1);
    const uint64_t read = unit_counts(&f.m).swap.in;
    assert_int_equal(test_read_byte(&f.m, f.child, BASE), 1);
    assert_int_equal(unit_counts(&f.m).swap.in, read);
    assert_int_equal(unit_frame(f.parent, BASE), unit_frame(f.child, BASE));
    assert_int_equal(space_tally(f.child)->faults[EVENT_FAULT_SWAP_IN], 1);
    assert_int_equal(space_tally(f.child)->major, 0);
    family_destroy(&f);
}

/* Whether a write copies must not depend on the number of frames: swapped-out owners count. */
static void test_copies_do_not_depend_on_frames(void **state) {
    uint64_t copies[3];
    static const uint32_t frames[3] = {4, 7, 100};
    for (int size = 0; size < 3; size++) {
        struct family f;
        family_create(&f, frames[size] + 2, 8);
        for (unsigned i = 0; i < 8; i++) {
            test_write_byte(&f.m, i % 2 ? f.child : f.parent, BASE + i * PAGE_SIZE, 77);
            unit_check(&f.m);
        }
        for (unsigned i = 0; i < 8; i++)
            test_write_byte(&f.m, i % 3 ? f.parent : f.child, BASE + i * PAGE_SIZE, 99);
        copies[size] = unit_counts(&f.m).tally.faults[EVENT_FAULT_COW];
        family_destroy(&f);
    }
    assert_int_equal(copies[0], 8);
    assert_int_equal(copies[1], copies[0]);
    assert_int_equal(copies[2], copies[0]);
}

/* The copy's own allocation evicts the page that is to be copied; there is one frame in all. */
static void test_copying_in_one_frame(void **state) {
    struct family f;
    struct test_config config = unit_config();
    config.frames = 0;
    config.available = 1;
    config.format = &page_table_x86_64;
    unit_create(&f.m, &config);
    f.parent = unit_space(&f.m, 1);
    unit_map(f.parent, BASE, 2, RW, MAP_PRIVATE, NULL, 0);
    test_write_byte(&f.m, f.parent, BASE, 1);
    test_write_byte(&f.m, f.parent, BASE + PAGE_SIZE, 2);
    assert_int_equal(space_fork(f.parent, 2, &f.child), 0);
    for (unsigned round = 0; round < 3; round++) {
        test_write_byte(&f.m, f.child, BASE + PAGE_SIZE, (uint8_t)(20 + round));
        unit_check(&f.m);
        test_write_byte(&f.m, f.parent, BASE, (uint8_t)(10 + round));
        assert_int_equal(test_read_byte(&f.m, f.child, BASE), 1);
        assert_int_equal(test_read_byte(&f.m, f.parent, BASE + PAGE_SIZE), 2);
        assert_int_equal(test_read_byte(&f.m, f.child, BASE + PAGE_SIZE), 20 + round);
        assert_int_equal(test_read_byte(&f.m, f.parent, BASE), 10 + round);
    }
    family_destroy(&f);
}

static void test_a_page_freed_by_advice_survives_fork(void **state) {
    struct family f;
    family_create(&f, 9, 2);
    space_unref(f.child);
    assert_int_equal(space_advise(f.parent, BASE, 2 * PAGE_SIZE, MADV_FREE), 0);
    assert_int_equal(test_read_byte(&f.m, f.parent, BASE), 1);
    assert_int_equal(space_fork(f.parent, 3, &f.child), 0);
    unit_check(&f.m);
    for (unsigned i = 0; i < 12; i++) {
        unit_map(f.parent, BASE + 0x100000 + i * PAGE_SIZE, 1, RW, MAP_PRIVATE, NULL, 0);
        test_write_byte(&f.m, f.parent, BASE + 0x100000 + i * PAGE_SIZE, 1);
    }
    assert_int_equal(test_read_byte(&f.m, f.child, BASE), 1);
    assert_int_equal(test_read_byte(&f.m, f.parent, BASE), 1);
    family_destroy(&f);
}

static void test_a_page_freed_by_advice_is_dropped_unless_written(void **state) {
    struct family f;
    family_create(&f, 9, 2);
    space_unref(f.child);
    f.child = NULL;
    assert_int_equal(space_advise(f.parent, BASE, 2 * PAGE_SIZE, MADV_FREE), 0);
    test_write_byte(&f.m, f.parent, BASE + PAGE_SIZE, 9);
    const uint64_t out = unit_counts(&f.m).swap.out;
    unit_evict(f.parent, BASE, 2);
    assert_int_equal(unit_counts(&f.m).swap.out, out + 1);
    assert_int_equal(test_read_byte(&f.m, f.parent, BASE), 0);
    assert_int_equal(test_read_byte(&f.m, f.parent, BASE + PAGE_SIZE), 9);
    family_destroy(&f);
}

static void test_fork_advice(void **state) {
    struct family f;
    family_create(&f, 9, 3);
    space_unref(f.child);
    assert_int_equal(space_advise(f.parent, BASE, PAGE_SIZE, MADV_DONTFORK), 0);
    assert_int_equal(space_advise(f.parent, BASE + PAGE_SIZE, PAGE_SIZE, MADV_WIPEONFORK), 0);
    assert_int_equal(space_fork(f.parent, 3, &f.child), 0);
    uint8_t byte;
    assert_int_equal(user_read(f.child, BASE, &byte, 1), -EFAULT);
    assert_int_equal(test_read_byte(&f.m, f.child, BASE + PAGE_SIZE), 0);
    assert_int_equal(test_read_byte(&f.m, f.child, BASE + 2 * PAGE_SIZE), 3);
    family_destroy(&f);
}

static void test_shared_memory_stays_shared(void **state) {
    struct test_machine m;
    struct test_config config = unit_config();
    config.frames = 6;
    unit_create(&m, &config);
    struct space *parent = unit_space(&m, 1), *child;
    unit_map(parent, BASE, 6, RW, MAP_SHARED, NULL, 0);
    test_write_byte(&m, parent, BASE, 1);
    assert_int_equal(space_fork(parent, 2, &child), 0);
    for (unsigned i = 0; i < 6; i++) {
        test_write_byte(&m, i % 2 ? parent : child, BASE + i * PAGE_SIZE, (uint8_t)(i + 1));
        unit_check(&m);
    }
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(test_read_byte(&m, i % 2 ? child : parent, BASE + i * PAGE_SIZE), i + 1);
    assert_true(unit_counts(&m).swap.out > 0);
    space_unref(parent);
    assert_int_equal(test_read_byte(&m, child, BASE), 1);
    space_unref(child);
    assert_int_equal(unit_counts(&m).swap.used, 0);
    unit_destroy(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_writer_copies_and_the_other_takes_over),
        cmocka_unit_test(test_a_shared_slot_is_read_once),
        cmocka_unit_test(test_copies_do_not_depend_on_frames),
        cmocka_unit_test(test_copying_in_one_frame),
        cmocka_unit_test(test_a_page_freed_by_advice_survives_fork),
        cmocka_unit_test(test_a_page_freed_by_advice_is_dropped_unless_written),
        cmocka_unit_test(test_fork_advice),
        cmocka_unit_test(test_shared_memory_stays_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
