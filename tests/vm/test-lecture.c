/* The lecture's nine frames, picture by picture: the frames and swap pages are those on the slides. Which
 * ones depends on the order of first touches only; a scratch process takes what must not be used. */
#include "unit.h"

#define TEXT    0x401000ULL /* VPN1: file page 1 */
#define STATIC  0x405000ULL /* VPN3: file page 5, read-only data */
#define DATA    0x406000ULL /* VPN4: file page 6 */
#define STACK   0x7fffffffe000ULL
#define HEAP    0x500000ULL
#define NUMBERS 0x600000ULL /* VPN6–9 */
#define SCRATCH 0x700000ULL

struct lecture {
    struct test_machine machine;
    struct test_file mypgm_file, bash_file, numbers_file;
    struct object *mypgm_object, *bash_object, *numbers_object;
    struct space *bash, *mypgm, *scratch;
    uint64_t scratch_next;
};

/* Takes swap pages out of the way: each is assigned at a first touch, its frame goes back. */
static void skip_slots(struct lecture *l, unsigned count) {
    for (unsigned i = 0; i < count; i++, l->scratch_next += PAGE_SIZE) {
        test_write_byte(&l->machine, l->scratch, l->scratch_next, 1);
        unit_evict(l->scratch, l->scratch_next, 1);
    }
}

static void lecture_start(struct lecture *l) {
    struct test_config config = unit_config();
    config.slot_at_first_touch = true;
    unit_create(&l->machine, &config);
    l->mypgm_object = unit_file(&l->machine, &l->mypgm_file, 9);
    l->bash_object = unit_file(&l->machine, &l->bash_file, 9);
    l->numbers_object = unit_file(&l->machine, &l->numbers_file, 4);
    l->bash = unit_space(&l->machine, 7);
    l->mypgm = unit_space(&l->machine, 21);
    l->scratch = unit_space(&l->machine, 1);
    l->scratch_next = SCRATCH;
    unit_map(l->scratch, SCRATCH, 28, RW, MAP_PRIVATE, NULL, 0);
    unit_map(l->mypgm, TEXT, 1, RX, MAP_PRIVATE, l->mypgm_object, 1);
    unit_map(l->mypgm, TEXT + PAGE_SIZE, 4, PROT_READ, MAP_PRIVATE, l->mypgm_object, 2);
    unit_map(l->mypgm, DATA, 3, RW, MAP_PRIVATE, l->mypgm_object, 6);
    unit_map(l->mypgm, STACK, 1, RW, MAP_PRIVATE, NULL, 0);
    unit_map(l->bash, TEXT, 1, RX, MAP_PRIVATE, l->bash_object, 3);
    unit_map(l->bash, STACK, 1, RW, MAP_PRIVATE, NULL, 0);
}

static void lecture_end(struct lecture *l) {
    space_unref(l->bash);
    space_unref(l->mypgm);
    space_unref(l->scratch);
    object_unref(l->mypgm_object);
    object_unref(l->bash_object);
    object_unref(l->numbers_object);
    unit_destroy(&l->machine);
    test_file_free(&l->mypgm_file);
    test_file_free(&l->bash_file);
    test_file_free(&l->numbers_file);
}

static void fetch(struct lecture *l, struct space *space, uint64_t address) {
    enum fault_result result;
    assert_int_equal(test_access(&l->machine, space, address, ACCESS_EXEC, NULL, 1, &result), 1);
}

/* 012: both programs have started; PP7 is free. */
static void picture_012(struct lecture *l) {
    skip_slots(l, 6);
    test_write_byte(&l->machine, l->bash, STACK, 'b'); /* PP3 (6) */
    fetch(l, l->mypgm, TEXT);                          /* PP4 (1) */
    skip_slots(l, 4);
    test_write_byte(&l->machine, l->mypgm, STACK, 'm'); /* PP5 (11) */
    test_read_byte(&l->machine, l->mypgm, STATIC);      /* PP6 (5) */
    skip_slots(l, 12);
    unit_map(l->scratch, 0x900000, 1, PROT_READ, MAP_PRIVATE, l->bash_object, 0);
    test_read_byte(&l->machine, l->scratch, 0x900000); /* PP7, not for long */
    fetch(l, l->bash, TEXT);                           /* PP8 (3) */
    unit_evict(l->scratch, 0x900000, 1);

    assert_int_equal(unit_frame(l->mypgm, TEXT), 4);
    assert_int_equal(unit_frame(l->mypgm, STATIC), 6);
    assert_int_equal(unit_frame(l->mypgm, STACK), 5);
    assert_int_equal(unit_frame(l->bash, TEXT), 8);
    assert_int_equal(unit_frame(l->bash, STACK), 3);
    assert_int_equal(unit_counts(&l->machine).frames.free, 1);
}

static void test_pictures_012_to_018(void **state) {
    struct lecture l;
    lecture_start(&l);
    picture_012(&l);
    struct test_machine *m = &l.machine;

    /* 013: bash grows its heap and touches it: PP7, swap page 24. The free pool is empty. */
    space_set_brk(l.bash, HEAP, 0);
    assert_int_equal(space_brk(l.bash, HEAP + 100), HEAP + 100);
    test_write_byte(m, l.bash, HEAP, 'h');
    assert_int_equal(unit_frame(l.bash, HEAP), 7);
    assert_true(fold_slot(m->fold, 24).used);
    assert_int_equal(fold_slot(m->fold, 24).page, fold_frame(m->fold, 7).page);
    assert_int_equal(unit_counts(m).frames.free, 0);

    /* 014: mypgm reads its static data, file page 6. 015: the victim is bash's page in PP3. 016: it is dirty
     * and goes to swap page 6. 017: bash's entry points there. 018: file page 6 is read into PP3. */
    assert_true(pte_is_empty(unit_pte(l.mypgm, DATA)));
    const uint64_t bash_page = fold_frame(m->fold, 3).page;
    assert_int_equal(test_read_byte(m, l.mypgm, DATA), l.mypgm_file.disk[6 << PAGE_SHIFT]);
    assert_int_equal(m->fold->victim.frame, 3);
    assert_int_equal(m->fold->victim.how, EVENT_VICTIM_TO_SWAP);
    assert_int_equal(unit_slot(l.bash, STACK), 6);
    assert_true(fold_slot(m->fold, 6).written);
    assert_int_equal(fold_slot(m->fold, 6).page, bash_page);
    assert_int_equal(unit_frame(l.mypgm, DATA), 3);
    assert_int_equal(m->fold->fault.step, FOLD_MAPPED);
    assert_int_equal(m->fold->fault.result, EVENT_FAULT_FILE);
    assert_true(m->fold->fault.major);

    assert_int_equal(test_read_byte(m, l.bash, STACK), 'b');
    lecture_end(&l);
}

static void test_pictures_019_to_022(void **state) {
    struct lecture l;
    lecture_start(&l);
    picture_012(&l);
    struct test_machine *m = &l.machine;

    /* 019: mypgm alone; PP7, PP3 and PP8 are free, in this order. */
    struct test_file second_file;
    struct object *second_object = unit_file(m, &second_file, 9);
    space_unref(l.bash);
    l.bash = unit_space(m, 42);
    unit_map(l.bash, TEXT, 1, PROT_READ, MAP_SHARED, l.bash_object, 3);
    unit_map(l.scratch, 0x900000, 1, PROT_READ, MAP_PRIVATE, l.mypgm_object, 8);
    test_read_byte(m, l.bash, TEXT); /* bash's text is still in the cache: PP8 */
    assert_int_equal(unit_frame(l.bash, TEXT), 8);
    test_read_byte(m, l.scratch, 0x900000);
    unit_map(l.scratch, 0x901000, 1, PROT_READ, MAP_PRIVATE, l.mypgm_object, 7);
    test_read_byte(m, l.scratch, 0x901000);
    assert_int_equal(unit_counts(m).frames.free, 0);
    unit_evict(l.bash, TEXT, 1); /* PP8 */
    const uint64_t in_pp7 = unit_frame(l.scratch, 0x900000) == 7 ? 0x900000 : 0x901000;
    unit_evict(l.scratch, in_pp7 ^ 0x1000, 1); /* PP3 */
    unit_evict(l.scratch, in_pp7, 1);          /* PP7 */
    assert_int_equal(unit_counts(m).frames.free, 3);

    /* 020: it maps numbers.bin; nothing is read. */
    const unsigned reads = l.numbers_file.reads;
    unit_map(l.mypgm, NUMBERS, 4, RW, MAP_SHARED, l.numbers_object, 0);
    assert_int_equal(l.numbers_file.reads, reads);
    assert_int_equal(unit_counts(m).frames.free, 3);

    /* 021: it touches VPN7: file page 1 comes into PP7; the others stay where they are. */
    test_read_byte(m, l.mypgm, NUMBERS + PAGE_SIZE);
    assert_int_equal(unit_frame(l.mypgm, NUMBERS + PAGE_SIZE), 7);
    assert_int_equal(object_resident(l.numbers_object), 1);
    assert_int_equal(unit_counts(m).frames.free, 2);

    /* 022: a second process maps the same file and touches the same page: PP7 in both tables. */
    unit_map(l.bash, TEXT, 1, RX, MAP_PRIVATE, second_object, 3);
    fetch(&l, l.bash, TEXT);
    assert_int_equal(unit_frame(l.bash, TEXT), 3);
    unit_map(l.bash, NUMBERS, 4, RW, MAP_SHARED, l.numbers_object, 0);
    test_write_byte(m, l.bash, NUMBERS + PAGE_SIZE, 'A');
    assert_int_equal(unit_frame(l.bash, NUMBERS + PAGE_SIZE), 7);
    assert_int_equal(test_read_byte(m, l.mypgm, NUMBERS + PAGE_SIZE), 'A');
    assert_int_equal(unit_counts(m).frames.free, 1);

    object_unref(second_object);
    lecture_end(&l);
    assert_int_equal(l.numbers_file.released, true);
    test_file_free(&second_file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures_012_to_018),
        cmocka_unit_test(test_pictures_019_to_022),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
