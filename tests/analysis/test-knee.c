/* Knees of curves whose knees are known: a loop, two working sets, a straight line, noise on top. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/knee.h"

enum { SIZES = 400, MOST = 8 };

struct shape {
    uint32_t sizes[SIZES];
    uint64_t faults[SIZES];
    size_t knees[MOST];
    long found;
};

/* Sizes 1, 2, … with what `faults` says of each. */
static void look(struct shape *shape, uint64_t (*faults)(uint32_t size)) {
    for (uint32_t i = 0; i < SIZES; i++) {
        shape->sizes[i] = i + 1;
        shape->faults[i] = faults(i + 1);
    }
    shape->found = knees_find(shape->sizes, shape->faults, SIZES, shape->knees, MOST);
}

static uint32_t size_of(const struct shape *shape, size_t knee) {
    return shape->sizes[shape->knees[knee]];
}

static uint64_t loop_of_100(uint32_t size) {
    return size < 100 ? 100000 : 100;
}

static void test_a_loop_under_lru_has_its_length_as_knee(void **state) {
    struct shape shape;
    look(&shape, loop_of_100);
    assert_int_equal(shape.found, 1);
    assert_int_equal(size_of(&shape, 0), 100);
}

static uint64_t two_working_sets(uint32_t size) {
    return (size < 40 ? 50000 : 0) + (size < 300 ? 20000 : 0) + 300;
}

static void test_two_working_sets_are_two_knees(void **state) {
    struct shape shape;
    look(&shape, two_working_sets);
    assert_int_equal(shape.found, 2);
    assert_int_equal(size_of(&shape, 0), 40);
    assert_int_equal(size_of(&shape, 1), 300);
}

static uint64_t ramp_to_200(uint32_t size) {
    return size < 200 ? 1000 * (200 - size) + 7 : 7;
}

static void test_the_end_of_a_ramp_is_a_knee_and_its_middle_is_none(void **state) {
    struct shape shape;
    look(&shape, ramp_to_200);
    assert_int_equal(shape.found, 1);
    assert_int_equal(size_of(&shape, 0), 200);
}

static uint64_t straight(uint32_t size) {
    return 1000 * (SIZES - size);
}

static void test_what_falls_evenly_to_the_end_has_no_knee_before_it(void **state) {
    struct shape shape;
    look(&shape, straight);
    for (long i = 0; i < shape.found; i++)
        assert_true(size_of(&shape, (size_t)i) >= SIZES * 9 / 10);
}

/* FIFO's way: more frames, more misses. */
static uint64_t loop_with_anomaly(uint32_t size) {
    return loop_of_100(size) + (size % 7 == 0 ? 150 : 0);
}

static void test_an_anomaly_is_no_knee(void **state) {
    struct shape shape;
    look(&shape, loop_with_anomaly);
    assert_int_equal(shape.found, 1);
    assert_in_range(size_of(&shape, 0), 100, 110);
}

static uint64_t flat(uint32_t size) {
    return 12;
}

static void test_a_curve_that_does_not_fall_has_none(void **state) {
    struct shape shape;
    look(&shape, flat);
    assert_int_equal(shape.found, 0);
    assert_int_equal(knees_find(shape.sizes, shape.faults, 1, shape.knees, MOST), 0);
}

/* sqlite3 grouping 40,000 rows, without swap, under CLOCK: no step is like the one before. */
static void test_a_fall_that_becomes_gentler_is_followed_to_its_end(void **state) {
    static const uint32_t sizes[] = {336, 344, 352, 360, 369, 377, 386, 395,
                                     404, 423, 464, 498, 572, 641, 827};
    static const uint64_t faults[] = {834492, 420049, 188158, 75465, 14912, 1099, 963, 938,
                                      910,    890,    882,    863,   846,   832,  827};
    size_t knees[MOST];
    assert_int_equal(knees_find(sizes, faults, sizeof sizes / sizeof *sizes, knees, MOST), 1);
    assert_int_equal(sizes[knees[0]], 377);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_loop_under_lru_has_its_length_as_knee),
        cmocka_unit_test(test_two_working_sets_are_two_knees),
        cmocka_unit_test(test_the_end_of_a_ramp_is_a_knee_and_its_middle_is_none),
        cmocka_unit_test(test_what_falls_evenly_to_the_end_has_no_knee_before_it),
        cmocka_unit_test(test_an_anomaly_is_no_knee),
        cmocka_unit_test(test_a_fall_that_becomes_gentler_is_followed_to_its_end),
        cmocka_unit_test(test_a_curve_that_does_not_fall_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
