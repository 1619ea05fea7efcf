/* The page cache: one frame for all who map a page, coherent with read() and write(), written back when it
 * must be, and remembered after the last program ended. */
#include "unit.h"

#define BASE 0x10000000ULL

struct cached {
    struct test_machine m;
    struct test_file file;
    struct object *object;
    struct space *a, *b;
};

static void cached_create(struct cached *c, uint64_t pages) {
    const struct test_config config = unit_config();
    unit_create(&c->m, &config);
    c->object = unit_file(&c->m, &c->file, pages);
    c->a = unit_space(&c->m, 1);
    c->b = unit_space(&c->m, 2);
}

static void cached_destroy(struct cached *c) {
    space_unref(c->a);
    space_unref(c->b);
    object_unref(c->object);
    unit_destroy(&c->m);
    assert_true(c->file.released);
    test_file_free(&c->file);
}

static void test_two_programs_share_a_frame(void **state) {
    struct cached c;
    cached_create(&c, 4);
    unit_map(c.a, BASE, 4, RX, MAP_PRIVATE, c.object, 0);
    unit_map(c.b, 2 * BASE, 2, PROT_READ, MAP_SHARED, c.object, 2);
    test_read_byte(&c.m, c.a, BASE + 3 * PAGE_SIZE);
    test_read_byte(&c.m, c.b, 2 * BASE + PAGE_SIZE);
    assert_int_equal(unit_frame(c.a, BASE + 3 * PAGE_SIZE), unit_frame(c.b, 2 * BASE + PAGE_SIZE));
    assert_int_equal(c.file.reads, 1);
    assert_int_equal(space_tally(c.b)->minor, 1);
    assert_int_equal(space_tally(c.b)->misses, 0);
    cached_destroy(&c);
}

/* Whoever touched it first: an eviction is told by the order of address spaces alone. */
static void test_an_eviction_counts_for_one_of_those_who_map_the_page(void **state) {
    struct cached c;
    cached_create(&c, 1);
    unit_map(c.a, BASE, 1, RX, MAP_PRIVATE, c.object, 0);
    unit_map(c.b, BASE, 1, RX, MAP_PRIVATE, c.object, 0);
    test_read_byte(&c.m, c.b, BASE);
    test_read_byte(&c.m, c.a, BASE);
    unit_map(c.b, 2 * BASE, 6, RW, MAP_PRIVATE, NULL, 0);
    for (unsigned i = 0; i < 6; i++) /* in six frames: the oldest page must go */
        test_write_byte(&c.m, c.b, 2 * BASE + i * PAGE_SIZE, 1);
    assert_int_equal(space_tally(c.a)->evictions[EVENT_VICTIM_CLEAN], 1);
    assert_int_equal(space_tally(c.b)->evictions[EVENT_VICTIM_CLEAN], 0);
    cached_destroy(&c);
}

static void test_pages_outlive_their_programs(void **state) {
    struct cached c;
    cached_create(&c, 2);
    unit_map(c.a, BASE, 2, RX, MAP_PRIVATE, c.object, 0);
    test_read_byte(&c.m, c.a, BASE);
    assert_int_equal(space_unmap(c.a, BASE, 2 * PAGE_SIZE), 0);
    object_unref(c.object);
    assert_false(c.file.released); /* its page is still in the cache */
    object_ref(c.object);
    unit_map(c.b, BASE, 2, RX, MAP_PRIVATE, c.object, 0);
    test_read_byte(&c.m, c.b, BASE);
    assert_int_equal(c.file.reads, 1);
    cached_destroy(&c);
}

/* Fills the whole memory with other pages. */
static void push_out(struct cached *c) {
    unit_map(c->b, BASE, 6, RW, MAP_PRIVATE, NULL, 0);
    for (unsigned i = 0; i < 6; i++)
        test_write_byte(&c->m, c->b, BASE + i * PAGE_SIZE, 1);
}

/* As in a memory where nothing was evicted. */
static void test_evicted_pages_outlive_their_programs(void **state) {
    struct cached c;
    cached_create(&c, 2);
    unit_map(c.a, BASE, 2, PROT_READ, MAP_PRIVATE, c.object, 0);
    test_read_byte(&c.m, c.a, BASE);
    const page_id_t before = vm_page_id(c.m.vm, pte_pfn(unit_pte(c.a, BASE)));
    assert_int_equal(space_unmap(c.a, BASE, 2 * PAGE_SIZE), 0);
    object_unref(c.object);
    push_out(&c);
    assert_int_equal(object_resident(c.object), 0);
    assert_false(c.file.released);
    object_ref(c.object);
    unit_map(c.a, BASE, 2, PROT_READ, MAP_PRIVATE, c.object, 0);
    test_read_byte(&c.m, c.a, BASE);
    assert_int_equal(vm_page_id(c.m.vm, pte_pfn(unit_pte(c.a, BASE))).n, before.n);
    cached_destroy(&c);
}

static void test_a_file_without_a_name_goes_with_its_last_user(void **state) {
    for (int evicted = 0; evicted < 2; evicted++) {
        struct cached c;
        cached_create(&c, 2);
        unit_map(c.a, BASE, 2, PROT_READ, MAP_PRIVATE, c.object, 0);
        test_read_byte(&c.m, c.a, BASE);
        if (evicted)
            push_out(&c);
        object_forget(c.object);
        object_unref(c.object);
        assert_false(c.file.released);
        assert_int_equal(space_unmap(c.a, BASE, 2 * PAGE_SIZE), 0);
        assert_true(c.file.released);
        space_unref(c.a);
        space_unref(c.b);
        unit_destroy(&c.m);
        test_file_free(&c.file);
    }
}

static void test_writes_reach_the_file(void **state) {
    struct cached c;
    cached_create(&c, 2);
    unit_map(c.a, BASE, 2, RW, MAP_SHARED, c.object, 0);
    test_read_byte(&c.m, c.a, BASE + 1);
    assert_false(pte_access(unit_pte(c.a, BASE)) & ACCESS_WRITE); /* the first write must be noticed */
    test_write_byte(&c.m, c.a, BASE + 1, 'A');
    assert_int_equal(space_tally(c.a)->faults[EVENT_FAULT_PROTECTION], 1);
    assert_int_equal(c.file.writes, 0);
    assert_int_equal(space_sync(c.a, BASE, PAGE_SIZE, MS_SYNC), 0);
    assert_int_equal(c.file.disk[1], 'A');
    assert_false(pte_access(unit_pte(c.a, BASE)) & ACCESS_WRITE);
    test_write_byte(&c.m, c.a, BASE + 1, 'B');
    assert_int_equal(space_sync(c.a, BASE, 2 * PAGE_SIZE, MS_SYNC), 0);
    assert_int_equal(space_sync(c.a, BASE, 2 * PAGE_SIZE, MS_SYNC), 0);
    assert_int_equal(c.file.writes, 2);
    test_write_byte(&c.m, c.a, BASE + 1, 'C');
    assert_int_equal(space_unmap(c.a, BASE, PAGE_SIZE), 0);
    assert_int_equal(c.file.disk[1], 'C');
    test_write_byte(&c.m, c.a, BASE + PAGE_SIZE, 'D');
    unit_evict(c.a, BASE + PAGE_SIZE, 1);
    assert_int_equal(c.file.disk[PAGE_SIZE], 'D');
    test_write_byte(&c.m, c.a, BASE + PAGE_SIZE, 'E');
    assert_int_equal(vm_sync(c.m.vm), 0);
    assert_int_equal(c.file.disk[PAGE_SIZE], 'E');
    test_write_byte(&c.m, c.a, BASE + PAGE_SIZE, 'F');
    cached_destroy(&c);
}

/* The first access to a page being a write is one fault, not two. */
static void test_a_write_brings_a_page_in_dirty(void **state) {
    struct cached c;
    cached_create(&c, 1);
    unit_map(c.a, BASE, 1, RW, MAP_SHARED, c.object, 0);
    test_write_byte(&c.m, c.a, BASE, 'A');
    assert_int_equal(tally_faults(space_tally(c.a)), 1);
    assert_int_equal(space_tally(c.a)->faults[EVENT_FAULT_FILE], 1);
    cached_destroy(&c);
}

static void test_private_writes_stay_private(void **state) {
    struct cached c;
    cached_create(&c, 1);
    unit_map(c.a, BASE, 1, RW, MAP_PRIVATE, c.object, 0);
    const uint8_t original = c.file.disk[5];
    test_write_byte(&c.m, c.a, BASE + 5, (uint8_t)~original);
    /* straight from the file into the copy: one fault, nothing in the cache */
    assert_int_equal(space_tally(c.a)->faults[EVENT_FAULT_COW], 1);
    assert_int_equal(space_tally(c.a)->major, 1);
    assert_int_equal(object_resident(c.object), 0);
    unit_map(c.b, BASE, 1, PROT_READ, MAP_SHARED, c.object, 0);
    assert_int_equal(test_read_byte(&c.m, c.b, BASE + 5), original);
    assert_int_equal(space_advise(c.a, BASE, PAGE_SIZE, MADV_DONTNEED), 0);
    assert_int_equal(test_read_byte(&c.m, c.a, BASE + 5), original);
    assert_int_equal(c.file.writes, 0);
    cached_destroy(&c);
}

static void test_read_and_write_see_mapped_pages(void **state) {
    struct cached c;
    uint8_t bytes[3 * PAGE_SIZE];
    cached_create(&c, 3);
    unit_map(c.a, BASE, 3, RW, MAP_SHARED, c.object, 0);
    test_write_byte(&c.m, c.a, BASE + PAGE_SIZE, 'm');
    memcpy(bytes, c.file.disk, sizeof bytes);
    object_overlay(c.object, 0, bytes, sizeof bytes);
    assert_int_equal(bytes[PAGE_SIZE], 'm');
    assert_int_equal(bytes[0], c.file.disk[0]);
    object_update(c.object, PAGE_SIZE - 1, "wxyz", 4);
    assert_int_equal(test_read_byte(&c.m, c.a, BASE + PAGE_SIZE), 'x');
    assert_int_equal(test_read_byte(&c.m, c.a, BASE + PAGE_SIZE - 1), c.file.disk[PAGE_SIZE - 1]);
    assert_int_equal(object_resident(c.object), 2); /* none was brought in by read or write */
    cached_destroy(&c);
}

static enum fault_result read_result(struct cached *c, struct space *space, uint64_t address) {
    uint8_t byte;
    enum fault_result result;
    test_access(&c->m, space, address, ACCESS_READ, &byte, 1, &result);
    return result;
}

static void test_truncation_takes_pages_away(void **state) {
    struct cached c;
    cached_create(&c, 3);
    unit_map(c.a, BASE, 3, RW, MAP_SHARED, c.object, 0);
    unit_map(c.b, BASE, 3, RW, MAP_PRIVATE, c.object, 0);
    for (unsigned i = 0; i < 3; i++) {
        test_write_byte(&c.m, c.a, BASE + i * PAGE_SIZE + 200, 1);
        test_write_byte(&c.m, c.b, BASE + i * PAGE_SIZE, 2); /* private copies go as well */
    }
    c.file.size = PAGE_SIZE + 100;
    assert_int_equal(object_truncate(c.object, PAGE_SIZE + 100), 0);
    assert_int_equal(read_result(&c, c.a, BASE + 2 * PAGE_SIZE), FAULT_PAST_END);
    assert_int_equal(read_result(&c, c.b, BASE + 2 * PAGE_SIZE), FAULT_PAST_END);
    assert_int_equal(test_read_byte(&c.m, c.a, BASE + PAGE_SIZE + 200), 0); /* behind the end in its page */
    assert_int_equal(test_read_byte(&c.m, c.b, BASE + PAGE_SIZE), 2);
    c.file.size = 3 * PAGE_SIZE;
    assert_int_equal(object_truncate(c.object, 3 * PAGE_SIZE), 0);
    memset(c.file.disk + PAGE_SIZE + 100, 0, 2 * PAGE_SIZE - 100);
    assert_int_equal(test_read_byte(&c.m, c.b, BASE + 2 * PAGE_SIZE), 0);
    cached_destroy(&c);
}

/* A host program changed the file: what is clean is read again, as other pages than before. */
static void test_invalidation_reads_again(void **state) {
    struct cached c;
    cached_create(&c, 2);
    unit_map(c.a, BASE, 2, RW, MAP_SHARED, c.object, 0);
    test_read_byte(&c.m, c.a, BASE);
    test_write_byte(&c.m, c.a, BASE + PAGE_SIZE, 'd');
    const page_id_t before = vm_page_id(c.m.vm, pte_pfn(unit_pte(c.a, BASE)));
    c.file.disk[0] = 'n';
    object_invalidate(c.object);
    unit_check(&c.m);
    assert_int_equal(test_read_byte(&c.m, c.a, BASE), 'n');
    assert_int_equal(test_read_byte(&c.m, c.a, BASE + PAGE_SIZE), 'd');
    const page_id_t after = vm_page_id(c.m.vm, pte_pfn(unit_pte(c.a, BASE)));
    assert_int_not_equal(before.n, after.n);
    cached_destroy(&c);
}

/* A page read again after its eviction is the same page, and a refault; one never seen is not. */
static void test_refaults(void **state) {
    struct cached c;
    cached_create(&c, 2);
    unit_map(c.a, BASE, 2, PROT_READ, MAP_PRIVATE, c.object, 0);
    test_read_byte(&c.m, c.a, BASE);
    const page_id_t before = vm_page_id(c.m.vm, pte_pfn(unit_pte(c.a, BASE)));
    unit_evict(c.a, BASE, 1);
    test_read_byte(&c.m, c.a, BASE + PAGE_SIZE);
    assert_int_equal(space_tally(c.a)->refaults, 0);
    test_read_byte(&c.m, c.a, BASE);
    assert_int_equal(space_tally(c.a)->refaults, 1);
    assert_int_equal(vm_page_id(c.m.vm, pte_pfn(unit_pte(c.a, BASE))).n, before.n);
    cached_destroy(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_programs_share_a_frame),
        cmocka_unit_test(test_an_eviction_counts_for_one_of_those_who_map_the_page),
        cmocka_unit_test(test_pages_outlive_their_programs),
        cmocka_unit_test(test_evicted_pages_outlive_their_programs),
        cmocka_unit_test(test_a_file_without_a_name_goes_with_its_last_user),
        cmocka_unit_test(test_writes_reach_the_file),
        cmocka_unit_test(test_a_write_brings_a_page_in_dirty),
        cmocka_unit_test(test_private_writes_stay_private),
        cmocka_unit_test(test_read_and_write_see_mapped_pages),
        cmocka_unit_test(test_truncation_takes_pages_away),
        cmocka_unit_test(test_invalidation_reads_again),
        cmocka_unit_test(test_refaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
