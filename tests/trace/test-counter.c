/* Tallies counted from events. That random sequences are counted right is shown by test-fold.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scenario.h"

struct line {
    enum event_kind kind;
    unsigned flags;
    uint64_t args[5];
};

static struct tally count(const struct line *lines, size_t n) {
    struct tally_counter counter = {0};
    for (size_t i = 0; i < n; i++) {
        struct event e = {
            .sequence = i + 1, .kind = (uint16_t)lines[i].kind, .flags = (uint16_t)lines[i].flags};
        memcpy(e.args, lines[i].args, sizeof e.args);
        assert_int_equal(tally_counter_add(&counter, &e), 0);
    }
    struct tally tally = counter.tally;
    tally_counter_free(&counter);
    return tally;
}

#define COUNT(lines) count(lines, sizeof(lines) / sizeof((lines)[0]))

static void test_faults_by_kind(void **state) {
    const struct line lines[] = {
        {EVENT_FAULT, 1, {0}}, {EVENT_FAULT_DONE, EVENT_FAULT_ZERO_FILL, {1, 0, 0, 0, 1}},
        {EVENT_FAULT, 1, {0}}, {EVENT_FAULT_DONE, EVENT_FAULT_FILE, {1, 0, 0, 1, 1}},
        {EVENT_FAULT, 1, {0}}, {EVENT_FAULT_DONE, EVENT_FAULT_FILE, {1, 0, 0, 0, 0}},
        {EVENT_FAULT, 1, {0}}, {EVENT_FAULT_DONE, EVENT_FAULT_PROTECTION, {1, 0, 0, 0, 0}},
        {EVENT_FAULT, 1, {0}}, {EVENT_FAULT_DONE, EVENT_FAULT_FAILED, {1, 0, 0, 0, 0}},
    };
    struct tally expected = {.faults = {1, 2, 0, 0, 1}, .major = 1, .minor = 3, .misses = 2};
    struct tally tally = COUNT(lines);
    assert_memory_equal(&tally, &expected, sizeof tally);
    assert_int_equal(tally_faults(&tally), tally.major + tally.minor);
}

static void test_refaults_of_files_and_swap(void **state) {
    const uint64_t page = page_id_of_object(9, 4).n, other = page_id_of_object(9, 5).n;
    const struct line lines[] = {
        {EVENT_OBJECT, 0, {2, 9, 1, 10}},
        /* first time: no refault */
        {EVENT_FAULT, 1, {0}},
        {EVENT_FILE_READ, 0, {3, 2, 4}},
        {EVENT_FAULT_DONE, EVENT_FAULT_FILE, {1, 0, 0, 1, 1}},
        {EVENT_VICTIM, EVENT_VICTIM_CLEAN, {3, page}},
        /* another page of the object: none */
        {EVENT_FAULT, 1, {0}},
        {EVENT_FILE_READ, 0, {3, 2, 5}},
        {EVENT_FAULT_DONE, EVENT_FAULT_FILE, {1, 0, 0, 1, 1}},
        /* the evicted one: a refault, once for each miss */
        {EVENT_FAULT, 1, {0}},
        {EVENT_FILE_READ, 0, {4, 2, 4}},
        {EVENT_FAULT_DONE, EVENT_FAULT_FILE, {1, 0, 0, 1, 1}},
        {EVENT_FAULT, 1, {0}},
        {EVENT_FAULT_DONE, EVENT_FAULT_FILE, {1, 0, 0, 0, 0}},
        /* from swap */
        {EVENT_VICTIM, EVENT_VICTIM_TO_SWAP, {3, 12}},
        {EVENT_SWAP_OUT, 0, {3, 0, 12}},
        {EVENT_FAULT, 1, {0}},
        {EVENT_SWAP_IN, 0, {3, 0, 12}},
        {EVENT_FAULT_DONE, EVENT_FAULT_SWAP_IN, {1, 0, 0, 1, 1}},
        /* the number belongs to another file now */
        {EVENT_VICTIM, EVENT_VICTIM_TO_FILE, {3, other}},
        {EVENT_OBJECT_GONE, 0, {2}},
        {EVENT_OBJECT, 0, {2, 10, 1, 10}},
        {EVENT_FAULT, 1, {0}},
        {EVENT_FILE_READ, 0, {3, 2, 5}},
        {EVENT_FAULT_DONE, EVENT_FAULT_FILE, {1, 0, 0, 1, 1}},
    };
    struct tally tally = COUNT(lines);
    assert_int_equal(tally.refaults, 2);
    assert_int_equal(tally.misses, 5);
    assert_int_equal(tally.swap_in, 1);
    assert_int_equal(tally.swap_out, 1);
    for (int how = EVENT_VICTIM_CLEAN; how <= EVENT_VICTIM_TO_FILE; how++)
        assert_int_equal(tally.evictions[how], 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_by_kind),
        cmocka_unit_test(test_refaults_of_files_and_swap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
