/* Failure injection: the n-th allocation on the host, swap read or swap write fails, for n = 1, 2, … until a
 * whole scenario goes through without one. After each failure every invariant holds, what the program had
 * written is there, the right space was told, and nothing leaks. */
#include "unit.h"

#define BASE 0x10000000ULL

enum { PAGES = 12, FILE_PAGES = 6, LAST_N = 2000 };

struct scenario {
    struct test_machine m;
    struct test_file file;
    struct object *object;
    struct space *parent, *child;
    uint8_t written[PAGES]; /* what the parent's pages hold; 0 where a write failed */
};

/* A write that may fail, for want of memory or of a disk that works. */
static bool try_write(struct scenario *s, struct space *space, uint64_t address, uint8_t value) {
    enum fault_result result;
    const size_t done = test_access(&s->m, space, address, ACCESS_WRITE, &value, 1, &result);
    assert_true(done == 1 || result == FAULT_NO_MEMORY || result == FAULT_IO);
    if (result == FAULT_IO)
        assert_ptr_equal(s->m.io_error_space, space);
    return done == 1;
}

/* Everything that allocates or swaps, each step allowed to fail. */
static void scenario_run(struct scenario *s) {
    uint64_t address;
    struct map_request request = {.address = BASE,
                                  .length = PAGES << PAGE_SHIFT,
                                  .protection = RW,
                                  .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};
    if (space_create(s->m.vm, 1, &s->parent) < 0 || space_map(s->parent, &request, &address) < 0)
        return;
    for (unsigned i = 0; i < PAGES; i++)
        s->written[i] =
            try_write(s, s->parent, BASE + i * PAGE_SIZE, (uint8_t)(i + 1)) ? (uint8_t)(i + 1) : 0;
    if (object_create_file(s->m.vm, &test_file_backing, &s->file, "/file", &s->object) == 0) {
        request = (struct map_request){.address = 2 * BASE,
                                       .length = FILE_PAGES << PAGE_SHIFT,
                                       .protection = RW,
                                       .flags = MAP_SHARED | MAP_FIXED,
                                       .object = s->object,
                                       .may_write = true};
        if (space_map(s->parent, &request, &address) == 0)
            for (unsigned i = 0; i < FILE_PAGES; i++)
                try_write(s, s->parent, address + i * PAGE_SIZE, s->file.disk[i << PAGE_SHIFT]);
    }
    (void)space_protect(s->parent, BASE + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ);
    (void)space_protect(s->parent, BASE + 2 * PAGE_SIZE, PAGE_SIZE, RW);
    if (space_remap(s->parent, BASE + 4 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
                    BASE + 0x100000, &address) == 0)
        (void)space_remap(s->parent, BASE + 0x100000, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
                          BASE + 4 * PAGE_SIZE, &address);
    if (space_fork(s->parent, 2, &s->child) == 0)
        for (unsigned i = 0; i < PAGES; i += 3) /* not page 4, which may be elsewhere */
            try_write(s, s->child, BASE + i * PAGE_SIZE, 99);
    for (unsigned i = 0; i < PAGES; i++)
        if (s->written[i] && i != 4)
            try_write(s, s->parent, BASE + i * PAGE_SIZE, s->written[i]);
}

/* The failure is over: what was written must be there. A page whose slot or place moved may have gone with a
 * failed mremap between its two halves, so page 4 is looked for in both places. */
static void scenario_compare(struct scenario *s) {
    for (unsigned i = 0; s->parent && i < PAGES; i++) {
        uint8_t value = 0;
        int error = user_read(s->parent, BASE + i * PAGE_SIZE, &value, 1);
        if (error == -EFAULT && i == 4)
            error = user_read(s->parent, BASE + 0x100000, &value, 1);
        if (error == -EFAULT && s->written[0] == 0)
            continue; /* the mapping itself failed */
        assert_int_equal(error, 0);
        assert_int_equal(value, s->written[i]);
    }
}

static void scenario_end(struct scenario *s) {
    if (s->child)
        space_unref(s->child);
    if (s->parent)
        space_unref(s->parent);
    if (s->object)
        object_unref(s->object);
    const struct vm_counts counts = unit_counts(&s->m);
    assert_int_equal(counts.swap.used, 0);
    assert_int_equal(counts.frames.anonymous, 0);
    assert_int_equal(counts.frames.page_tables, 0);
    unit_destroy(&s->m);
    test_file_free(&s->file);
}

/* Fails the n-th call at the point. Whether the scenario came so far. */
static bool fail_nth(const struct test_config *config, enum inject_point point, uint64_t n, bool for_good) {
    struct scenario s = {0};
    s.m.inject.fail_at[point] = n;
    s.m.inject.for_good[point] = for_good;
    test_file_create(&s.file, FILE_PAGES << PAGE_SHIFT, FILE_PAGES << PAGE_SHIFT);
    const int error = test_machine_create(config, &s.m);
    if (error) {
        assert_int_equal(error, -ENOMEM);
        test_file_free(&s.file);
        return true;
    }
    scenario_run(&s);
    const bool failed = s.m.inject.calls[point] >= n;
    s.m.inject.fail_at[point] = 0;
    unit_check(&s.m);
    scenario_compare(&s);
    unit_check(&s.m);
    scenario_end(&s);
    return failed;
}

static void fail_all(enum inject_point point, bool for_good) {
    const struct page_table_ops *const formats[] = {&page_table_array, &page_table_x86_64};
    for (int i = 0; i < 2; i++) {
        struct test_config config = unit_config();
        config.frames = 0;
        config.available = 5;
        config.swap_pages = 100;
        config.format = formats[i];
        config.policy = &policy_clock;
        uint64_t n = 1;
        while (n < LAST_N && fail_nth(&config, point, n, for_good))
            n++;
        assert_in_range(n, 6, LAST_N - 1); /* it does come to the point, and to an end */
    }
}

static void test_an_allocation_fails(void **state) {
    fail_all(INJECT_ALLOC, false);
}
static void test_all_allocations_fail_from_some_time_on(void **state) {
    fail_all(INJECT_ALLOC, true);
}
static void test_a_swap_read_fails(void **state) {
    fail_all(INJECT_SWAP_READ, false);
}
static void test_a_swap_write_fails(void **state) {
    fail_all(INJECT_SWAP_WRITE, false);
}
static void test_the_swap_disk_breaks(void **state) {
    fail_all(INJECT_SWAP_READ, true);
    fail_all(INJECT_SWAP_WRITE, true);
}

/* ---- who is told ---- */

static void test_a_page_that_cannot_be_read_kills_nobody_else(void **state) {
    struct test_machine m;
    const struct test_config config = unit_config();
    unit_create(&m, &config);
    struct space *a = unit_space(&m, 1), *b = unit_space(&m, 2);
    enum fault_result result;
    uint8_t byte;
    unit_map(a, BASE, 1, RW, MAP_PRIVATE, NULL, 0);
    unit_map(b, BASE, 1, RW, MAP_PRIVATE, NULL, 0);
    test_write_byte(&m, a, BASE, 1);
    test_write_byte(&m, b, BASE, 2);
    unit_evict(a, BASE, 1);
    m.inject.fail_at[INJECT_SWAP_READ] = m.inject.calls[INJECT_SWAP_READ] + 1;
    test_access(&m, a, BASE, ACCESS_READ, &byte, 1, &result);
    assert_int_equal(result, FAULT_IO);
    assert_int_equal(m.io_errors, 1);
    assert_ptr_equal(m.io_error_space, a);
    assert_int_equal(test_read_byte(&m, b, BASE), 2);
    assert_int_equal(test_read_byte(&m, a, BASE), 1); /* the disk works again */
    space_unref(a);
    space_unref(b);
    unit_destroy(&m);
}

/* One bad write: another page goes instead, and nobody notices. */
static void test_a_victim_that_cannot_be_written_stays(void **state) {
    struct test_machine m;
    const struct test_config config = unit_config();
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    unit_map(space, BASE, 9, RW, MAP_PRIVATE, NULL, 0);
    m.inject.fail_at[INJECT_SWAP_WRITE] = 1;
    for (unsigned i = 0; i < 9; i++)
        test_write_byte(&m, space, BASE + i * PAGE_SIZE, (uint8_t)(i + 1));
    assert_true(pte_is_present(unit_pte(space, BASE))); /* the first victim */
    assert_int_equal(m.io_errors, 0);
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(test_read_byte(&m, space, BASE + i * PAGE_SIZE), i + 1);
    space_unref(space);
    unit_destroy(&m);
}

static void test_a_file_that_cannot_be_read_or_written(void **state) {
    struct test_machine m;
    struct test_file file;
    const struct test_config config = unit_config();
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    struct object *object = unit_file(&m, &file, 2);
    enum fault_result result;
    uint8_t byte = 9;
    unit_map(space, BASE, 2, RW, MAP_SHARED, object, 0);
    file.read_error = -EIO;
    test_access(&m, space, BASE, ACCESS_READ, &byte, 1, &result);
    assert_int_equal(result, FAULT_IO);
    file.read_error = 0;
    test_write_byte(&m, space, BASE, 'k');
    file.write_error = -ENOSPC;
    assert_int_equal(space_sync(space, BASE, PAGE_SIZE, MS_SYNC), -ENOSPC);
    unit_evict(space, BASE, 1);
    unit_check(&m);
    assert_int_equal(test_read_byte(&m, space, BASE), 'k'); /* it stayed, dirty */
    assert_int_equal(vm_sync(m.vm), -ENOSPC);
    file.write_error = 0;
    assert_int_equal(space_unmap(space, BASE, 2 * PAGE_SIZE), 0);
    assert_int_equal(file.disk[0], 'k');
    space_unref(space);
    object_unref(object);
    unit_destroy(&m);
    test_file_free(&file);
}

/* What is dirty at the very end and cannot be written is told, once, and of no space. */
static void test_last_write_back_fails(void **state) {
    struct test_machine m;
    struct test_file file;
    const struct test_config config = unit_config();
    unit_create(&m, &config);
    struct space *space = unit_space(&m, 1);
    struct object *object = unit_file(&m, &file, 2);
    unit_map(space, BASE, 2, RW, MAP_SHARED, object, 0);
    test_write_byte(&m, space, BASE, 'k');
    file.write_error = -ENOSPC;
    space_unref(space);
    object_unref(object);
    const unsigned before = m.io_errors;
    m.io_error_space = (struct space *)&m;
    unit_destroy(&m);
    assert_int_equal(m.io_errors, before + 1);
    assert_null(m.io_error_space);
    assert_int_equal(file.disk[0], 0);
    test_file_free(&file);
}

static void test_machines_that_cannot_be(void **state) {
    struct test_machine m = {0};
    struct test_config config = unit_config();
    config.frames = vm_minimum_frames(config.format, 3) - 1;
    assert_int_equal(test_machine_create(&config, &m), -EINVAL);
    config.format = &page_table_x86_64;
    assert_int_equal(vm_minimum_frames(config.format, 3), 16);
    config.frames = 15;
    assert_int_equal(test_machine_create(&config, &m), -EINVAL);
    config.frames = 0;
    assert_int_equal(test_machine_create(&config, &m), -EINVAL);
    config.frames = UINT32_MAX;
    assert_int_equal(test_machine_create(&config, &m), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_allocation_fails),
        cmocka_unit_test(test_all_allocations_fail_from_some_time_on),
        cmocka_unit_test(test_a_swap_read_fails),
        cmocka_unit_test(test_a_swap_write_fails),
        cmocka_unit_test(test_the_swap_disk_breaks),
        cmocka_unit_test(test_a_page_that_cannot_be_read_kills_nobody_else),
        cmocka_unit_test(test_a_victim_that_cannot_be_written_stays),
        cmocka_unit_test(test_a_file_that_cannot_be_read_or_written),
        cmocka_unit_test(test_last_write_back_fails),
        cmocka_unit_test(test_machines_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
