/* Decisions made in advance: frames, swap slots, victims. */
#include "fixture.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "hw/pte.h"

/* The program touches, in this order: its stack (at exec), its text, its heap page by page, its data. */
static char *grow_4[] = {"grow", "4", NULL}, *grow_2[] = {"grow", "2", NULL};

static int run_grow(struct fixture *f, char *const argv[]) {
    fixture_create(f);
    assert_int_equal(fixture_add(f, "grow", argv, 7, 0x410000), 0);
    return fixture_run(f);
}

/* The frame that the page has come to be in at the end of its last fault. */
static uint32_t frame_of(const struct fixture *f, uint64_t vpn) {
    uint32_t frame = UINT32_MAX;
    for (size_t i = 0; i < f->count; i++)
        if (f->events[i].kind == EVENT_FAULT_DONE && f->events[i].args[1] >> 12 == vpn)
            frame = pte_pfn((pte_t){f->events[i].args[2]}).n;
    return frame;
}

enum { STACK = 0x40f, TEXT = 0x400, HEAP = 0x403, DATA = 0x402 };

static void frames_are_taken_as_chosen(void **state) {
    struct fixture *f = *state;
    static const uint32_t frames[] = {8, 3, 5, 4};
    f->config.choices = (struct vm_choices){.frames = frames, .frame_count = ARRAY_LENGTH(frames)};
    assert_int_equal(run_grow(f, grow_2), 0);
    assert_int_equal(frame_of(f, STACK), 8);
    assert_int_equal(frame_of(f, TEXT), 3);
    assert_int_equal(frame_of(f, HEAP), 5);
    assert_int_equal(frame_of(f, HEAP + 1), 4);
    assert_int_equal(frame_of(f, DATA), 6); /* as usual: the lowest that was never used */
    assert_int_equal(fixture_exit_status(f), 2);
}

static void slots_are_assigned_as_chosen(void **state) {
    struct fixture *f = *state;
    static const uint32_t slots[] = {11, 24, 6};
    f->config.slot_at_first_touch = true;
    f->config.choices = (struct vm_choices){.slots = slots, .slot_count = ARRAY_LENGTH(slots)};
    assert_int_equal(run_grow(f, grow_4), 0);
    static const uint32_t expected[] = {11, 24, 6, 0, 1}; /* stack, heap; then as usual */
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        assert_int_equal(fixture_event(f, EVENT_SLOT, i)->flags, 1);
        assert_int_equal(fixture_event(f, EVENT_SLOT, i)->args[0], expected[i]);
    }
}

/* Stack, text, data and six pages of heap in six frames: three pages must go. */
static void victims_are_evicted_as_chosen(void **state) {
    struct fixture *f = *state;
    char *grow_6[] = {"grow", "6", NULL};
    static const uint32_t victims[] = {6, 5};
    f->config.choices = (struct vm_choices){.victims = victims, .victim_count = ARRAY_LENGTH(victims)};
    assert_int_equal(run_grow(f, grow_6), 0);
    assert_int_equal(fixture_event(f, EVENT_VICTIM, 0)->args[0], 6);
    assert_int_equal(fixture_event(f, EVENT_VICTIM, 1)->args[0], 5);
    assert_true(fixture_count(f, EVENT_VICTIM) > 2); /* further ones are the policy's */
    assert_int_equal(fixture_exit_status(f), 6);
}

/* ---- what cannot be followed ---- */

static void refused(struct fixture *f, const char *message) {
    assert_int_equal(run_grow(f, grow_4), -ENOTRECOVERABLE);
    assert_int_equal(f->reports, 1);
    assert_string_equal(f->reported, message);
}

#define REFUSED(list, count, message, ...)                                                                   \
    do {                                                                                                     \
        static const uint32_t numbers[] = {__VA_ARGS__};                                                     \
        struct fixture *fixture = *state;                                                                    \
        fixture->config.slot_at_first_touch = true;                                                          \
        fixture->config.choices = (struct vm_choices){.list = numbers, .count = ARRAY_LENGTH(numbers)};      \
        refused(fixture, message);                                                                           \
    } while (0)

static void a_frame_in_use_is_refused(void **state) {
    REFUSED(frames, frame_count, "choices: frames[2] = 5 cannot be followed: it is in use", 4, 5, 5);
}

static void a_frame_in_use_is_refused_at_the_first_exec(void **state) {
    REFUSED(frames, frame_count, "choices: frames[0] = 2 cannot be followed: it is reserved", 2, 9);
}

static void a_frame_beyond_memory_is_refused(void **state) {
    REFUSED(frames, frame_count, "choices: frames[1] = 9 cannot be followed: it is not a frame for pages", 3,
            9);
}

static void a_slot_in_use_is_refused(void **state) {
    REFUSED(slots, slot_count, "choices: slots[1] = 27 cannot be followed: it is in use", 27, 27);
}

static void a_slot_beyond_the_swap_area_is_refused(void **state) {
    REFUSED(slots, slot_count, "choices: slots[0] = 28 cannot be followed: it is not in the swap area", 28);
}

static void a_reserved_victim_is_refused(void **state) {
    struct fixture *f = *state;
    f->config.frames = 7; /* four for pages */
    REFUSED(victims, victim_count,
            "choices: victims[0] = 1 cannot be followed: it holds no page that could be evicted", 1);
}

static void a_victim_that_swap_has_no_room_for_is_refused(void **state) {
    struct fixture *f = *state;
    static const uint32_t victims[] = {3};
    f->config.frames = 7;
    f->config.swap_pages = 0;
    f->config.choices = (struct vm_choices){.victims = victims, .victim_count = 1};
    assert_int_equal(run_grow(f, grow_4), -ENOTRECOVERABLE);
    assert_string_equal(f->reported, "choices: victims[0] = 3 cannot be followed: it cannot be written out");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(frames_are_taken_as_chosen),
        TEST(slots_are_assigned_as_chosen),
        TEST(victims_are_evicted_as_chosen),
        TEST(a_frame_in_use_is_refused),
        TEST(a_frame_in_use_is_refused_at_the_first_exec),
        TEST(a_frame_beyond_memory_is_refused),
        TEST(a_slot_in_use_is_refused),
        TEST(a_slot_beyond_the_swap_area_is_refused),
        TEST(a_reserved_victim_is_refused),
        TEST(a_victim_that_swap_has_no_room_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
