/* The fold against a naive model of random but consistent events; its checkpoints; its behaviour on nonsense
 * and without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "scenario.h"

enum { SEEDS = 12, STEPS = 1500 };

/* A sink that folds. */
struct folder {
    struct trace_sink sink;
    struct fold *fold;
};

static void folder_receive(struct trace_sink *sink, const struct event *e) {
    assert_int_equal(fold_apply(container_of(sink, struct folder, sink)->fold, e), 0);
}

static void assert_right(const char *wrong, uint64_t seed, const struct fold *f) {
    if (wrong)
        fail_msg("seed %lu, event %lu: %s", (unsigned long)seed, (unsigned long)f->sequence, wrong);
}

static void test_agrees_with_naive_model(void **state) {
    static struct scenario s;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct folder folder = {{.receive = folder_receive}, fold_create(NULL)};
        scenario_start(&s, seed, &folder.sink);
        for (int step = 0; step < STEPS; step++) {
            scenario_step(&s);
            if (step % 16 && step > 200)
                continue;
            if (folder.fold->complaints)
                fail_msg("seed %lu, event %lu: complaint: %s", (unsigned long)seed,
                         (unsigned long)folder.fold->first_complaint, folder.fold->last_complaint);
            assert_right(scenario_compare(&s, folder.fold), seed, folder.fold);
            assert_right(fold_check(folder.fold), seed, folder.fold);
            assert_right(fold_check_machine(folder.fold), seed, folder.fold);
        }
        scenario_stop(&s);
        assert_true(folder.fold->stopped);
        fold_destroy(folder.fold);
    }
}

/* The scenarios must reach what the comparison is about. */
static void test_scenarios_reach_everything(void **state) {
    static struct scenario s;
    uint64_t kinds[EVENT_KINDS] = {0};
    struct recorder r = recorder();
    scenario_start(&s, 3, &r.sink);
    scenario_run(&s, 100000);
    scenario_stop(&s);
    for (size_t i = 0; i < r.count; i++)
        kinds[r.events[i].kind]++;
    for (int kind = EVENT_STRING; kind < EVENT_KINDS; kind++)
        if (!kinds[kind] && kind != EVENT_OOM)
            fail_msg("no event of kind %d", kind);
    for (int kind = 0; kind < EVENT_FAULT_KINDS; kind++)
        assert_true(s.tally.faults[kind] > 0);
    assert_true(s.tally.refaults > s.tally.swap_in); /* of files, too */
    recorder_free(&r);
}

static void fold_all(struct fold *f, const struct event *events, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_int_equal(fold_apply(f, &events[i]), 0);
}

static struct fold *copy_of(const struct fold *f) {
    struct fold *copy;
    void *bytes;
    size_t size;
    assert_int_equal(fold_save(f, &bytes, &size), 0);
    assert_int_equal(fold_load(bytes, size, NULL, &copy), 0);
    free(bytes);
    return copy;
}

static void test_loaded_state_goes_on_like_the_saved(void **state) {
    static struct scenario s;
    struct recorder r = recorder();
    scenario_start(&s, 99, &r.sink);
    scenario_run(&s, 6000);
    scenario_stop(&s);
    struct fold *whole = fold_create(NULL);
    for (size_t cut = 0, done = 0; cut < r.count; cut += 1 + cut / 3) { /* cuts within strings and faults */
        fold_all(whole, r.events + done, cut - done);
        done = cut;
        struct fold *copy = copy_of(whole);
        assert_null(fold_check(copy));
        scenario_assert_same(copy, whole);
        fold_destroy(copy);
    }
    fold_destroy(whole);
    for (size_t cut = 1; cut < r.count; cut += 1 + cut / 2) {
        struct fold *straight = fold_create(NULL);
        fold_all(straight, r.events, cut);
        struct fold *copy = copy_of(straight);
        fold_all(straight, r.events + cut, r.count - cut);
        fold_all(copy, r.events + cut, r.count - cut);
        scenario_assert_same(copy, straight);
        assert_null(scenario_compare(&s, copy));
        fold_destroy(straight);
        fold_destroy(copy);
    }
    recorder_free(&r);
}

static void test_damaged_checkpoint_is_refused(void **state) {
    static struct scenario s;
    struct folder folder = {{.receive = folder_receive}, fold_create(NULL)};
    struct fold *loaded;
    void *bytes;
    size_t size;
    scenario_start(&s, 5, &folder.sink);
    scenario_run(&s, 300);
    assert_int_equal(fold_save(folder.fold, &bytes, &size), 0);
    for (size_t length = 0; length < size; length++)
        assert_int_equal(fold_load(bytes, length, NULL, &loaded), -EBADMSG);
    ((char *)bytes)[0] ^= 1;
    assert_int_equal(fold_load(bytes, size, NULL, &loaded), -EPROTO);
    ((char *)bytes)[0] ^= 1;
    struct rng rng = {7};
    for (int i = 0; i < 3000; i++) { /* some damage cannot be noticed here; none may do harm */
        size_t at = 4 + rng_below(&rng, size - 4);
        uint8_t was = ((uint8_t *)bytes)[at];
        ((uint8_t *)bytes)[at] = (uint8_t)rng_next(&rng);
        if (fold_load(bytes, size, NULL, &loaded) == 0) {
            if (loaded->frame_total < 1 << 20 && loaded->swap_pages < 1 << 20)
                assert_right(fold_check(loaded), at, loaded);
            fold_destroy(loaded);
        }
        ((uint8_t *)bytes)[at] = was;
    }
    free(bytes);
    fold_destroy(folder.fold);
}

/* Events that agree with nothing: complaints, and a state that still hangs together. */
static void test_nonsense_is_complained_about(void **state) {
    struct rng rng = {11};
    struct fold *f = fold_create(NULL);
    for (uint64_t n = 1; n <= 20000; n++) {
        struct event e = {.sequence = n, .pid = (uint32_t)rng_below(&rng, 5)};
        e.kind = (uint16_t)rng_below(&rng, EVENT_KINDS + 2);
        e.flags = (uint16_t)rng_below(&rng, 10);
        for (int i = 0; i < 5; i++)
            e.args[i] = rng_below(&rng, 8) ? rng_below(&rng, 40) : rng_next(&rng);
        if (e.kind == EVENT_PTE && rng_below(&rng, 2))
            e.args[3] = pte_make_present((pfn_t){(uint32_t)rng_below(&rng, 40)}, 7, 0).v;
        if (n == 10)
            e = (struct event){.sequence = n, .kind = EVENT_MACHINE_START, .args = {30, 3, 20}};
        assert_int_equal(fold_apply(f, &e), 0);
        if (n % 100 == 0 && f->frame_total == 30)
            assert_null(fold_check(f));
    }
    assert_true(f->complaints > 1000);
    assert_true(f->first_complaint < 10);
    fold_destroy(f);
}

static void test_steps_of_a_fault(void **state) {
    static const struct {
        enum event_kind kind;
        uint64_t args[5];
        enum fold_step step;
    } script[] = {
        {EVENT_FAULT, {1, 0x5008, 0}, FOLD_TRAPPED},
        {EVENT_VICTIM, {4, 77}, FOLD_CHOSEN},
        {EVENT_SLOT, {2, 77}, FOLD_CHOSEN},
        {EVENT_SWAP_OUT, {4, 2, 77}, FOLD_WRITTEN},
        {EVENT_PTE, {1, 9, 4ULL << 16 | PTE_PRESENT, 2ULL << 16 | PTE_SWAPPED}, FOLD_UNMAPPED},
        {EVENT_FRAME, {4, 0}, FOLD_UNMAPPED},
        {EVENT_ZERO_FILL, {4, 78}, FOLD_FILLED},
        {EVENT_PTE, {1, 5, 0, 4ULL << 16 | PTE_PRESENT | PTE_R}, FOLD_MAPPED},
        {EVENT_FAULT_DONE, {1, 0x5008, 4ULL << 16 | PTE_PRESENT | PTE_R, 0, 1}, FOLD_MAPPED},
    };
    struct fold *f = fold_create(NULL);
    struct event before[] = {
        {.sequence = 1, .kind = EVENT_MACHINE_START, .args = {6, 3, 4}},
        {.sequence = 2, .kind = EVENT_SPACE_CREATE, .args = {1, 1, 0}},
        {.sequence = 3, .kind = EVENT_PTE, .args = {1, 9, 0, 4ULL << 16 | PTE_PRESENT}},
    };
    fold_all(f, before, 3);
    for (size_t i = 0; i < ARRAY_LENGTH(script); i++) {
        struct event e = {.sequence = 4 + i, .kind = (uint16_t)script[i].kind};
        e.flags = script[i].kind == EVENT_SLOT || script[i].kind == EVENT_VICTIM;
        memcpy(e.args, script[i].args, sizeof e.args);
        assert_int_equal(fold_apply(f, &e), 0);
        assert_int_equal(f->fault.step, script[i].step);
        assert_int_equal(f->victim.active, i >= 1 && i < 5);
        assert_int_equal(f->fault.active, i + 1 < ARRAY_LENGTH(script));
    }
    assert_int_equal(f->complaints, 0);
    assert_int_equal(f->fault.filled_frame, 4);
    assert_true(f->fault.miss && !f->fault.major);
    assert_int_equal(fold_frame(f, 4).mapper_count, 1);
    assert_int_equal(fold_mapper_vpn(fold_frame(f, 4).mappers[0]).n, 5);
    fold_destroy(f);
}

/* An eviction that came to nothing is over when the next fault begins. */
static void test_victim_ends_with_its_fault(void **state) {
    struct fold *f = fold_create(NULL);
    struct event events[] = {
        {.sequence = 1, .kind = EVENT_MACHINE_START, .args = {6, 3, 4}},
        {.sequence = 2, .kind = EVENT_VICTIM, .args = {4, 77}},
        {.sequence = 3, .kind = EVENT_FAULT, .args = {1, 0x5008, 0}},
    };
    fold_all(f, events, 2);
    assert_true(f->victim.active);
    fold_all(f, events + 2, 1);
    assert_false(f->victim.active);
    fold_destroy(f);
}

static void assert_check_says(const struct fold *f, const char *expected) {
    const char *wrong = fold_check(f);
    assert_non_null(wrong);
    assert_string_equal(wrong, expected);
}

/* Each invariant is broken by hand, seen, and mended. */
static void test_check_finds_damage(void **state) {
    struct fold *f = fold_create(NULL);
    struct event events[] = {
        {.sequence = 1, .kind = EVENT_MACHINE_START, .args = {6, 3, 4}},
        {.sequence = 2, .kind = EVENT_SPACE_CREATE, .args = {1, 1, 0}},
        {.sequence = 3, .kind = EVENT_MAP, .flags = 7, .args = {1, 0, 8, 0, 0}},
        {.sequence = 4, .kind = EVENT_MAP, .flags = 3, .args = {1, 8, 8, 0, 0}},
        {.sequence = 5, .kind = EVENT_PTE, .args = {1, 2, 0, 4ULL << 16 | PTE_PRESENT}},
        {.sequence = 6, .kind = EVENT_PTE, .args = {1, 3, 0, 4ULL << 16 | PTE_PRESENT}},
    };
    fold_all(f, events, ARRAY_LENGTH(events));
    struct fold_space *space = f->spaces.entries[0].value;
    struct fold_leaf *leaf = space->leaves.entries[0].value;
    struct fold_frame *frame = sparse_get(&f->frames, 4);
    f->frames_by_use[EVENT_FRAME_FREE]++;
    assert_check_says(f, "the uses of frames are miscounted");
    f->frames_by_use[EVENT_FRAME_FREE]--;
    f->slots_used++;
    assert_check_says(f, "the slots in use are miscounted");
    f->slots_used--;
    f->output_total++;
    assert_check_says(f, "the output that is kept has a wrong length");
    f->output_total--;
    f->label_count++;
    assert_check_says(f, "more labels than there is room for");
    f->label_count--;
    space->mappings[1].flags = 7;
    assert_check_says(f, "two mappings that continue each other are not one");
    space->mappings[1].first = 7;
    assert_check_says(f, "mappings overlap or are out of order");
    space->mappings[1] = (struct fold_mapping){.first = 8, .pages = 8, .flags = 3};
    space->present++;
    assert_check_says(f, "the entries of an address space are miscounted");
    space->present--;
    leaf->entries[2].v += 1 << 16;
    assert_check_says(f, "a frame does not know an entry that maps it");
    leaf->entries[2].v -= 1 << 16;
    uint64_t mapper = frame->mappers[0];
    frame->mappers[0] = frame->mappers[1];
    frame->mappers[1] = mapper;
    assert_check_says(f, "the mappers of a frame are out of order");
    frame->mappers[1] = frame->mappers[0];
    frame->mappers[0] = mapper;
    f->spaces.entries[0].key++;
    assert_check_says(f, "an address space stands under another number");
    f->spaces.entries[0].key--;
    assert_null(fold_check(f));
    fold_destroy(f);
}

static void test_check_machine_finds_disagreement(void **state) {
    struct fold *f = fold_create(NULL);
    struct event events[] = {
        {.sequence = 1, .kind = EVENT_MACHINE_START, .args = {6, 3, 4}},
        {.sequence = 2, .kind = EVENT_SPACE_CREATE, .args = {1, 1, 0}},
        {.sequence = 3, .kind = EVENT_MAP, .flags = 7, .args = {1, 0, 8, 0, 0}},
        {.sequence = 4, .kind = EVENT_FRAME, .flags = EVENT_FRAME_ANONYMOUS, .args = {4, 1}},
        {.sequence = 5, .kind = EVENT_PTE, .args = {1, 2, 0, 4ULL << 16 | PTE_PRESENT}},
        {.sequence = 6, .kind = EVENT_FRAME, .flags = EVENT_FRAME_FREE, .args = {4, 0}},
        {.sequence = 7, .kind = EVENT_PTE, .args = {1, 2, 4ULL << 16 | PTE_PRESENT, 0}},
        {.sequence = 8, .kind = EVENT_PTE, .args = {1, 3, 0, 1ULL << 16 | PTE_SWAPPED}},
    };
    const char *expected[] = {
        NULL, NULL,
        NULL, NULL,
        NULL, "an entry maps a frame that holds no page",
        NULL, "an entry names a slot that holds nothing",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(events); i++) {
        fold_all(f, &events[i], 1);
        const char *wrong = fold_check_machine(f);
        if (expected[i])
            assert_string_equal(wrong, expected[i]);
        else
            assert_null(wrong);
        assert_null(fold_check(f));
    }
    fold_destroy(f);
}

/* The bytes of a page go with it to the swap area and come back; the frame's next page does not have them. */
static void test_bytes_follow_their_page(void **state) {
    struct fold *f = fold_create(NULL);
    struct event events[] = {
        {.sequence = 1, .kind = EVENT_MACHINE_START, .args = {6, 3, 4}},
        {.sequence = 2, .kind = EVENT_ZERO_FILL, .args = {4, 1}},
        {.sequence = 3, .kind = EVENT_FRAME, .flags = EVENT_FRAME_ANONYMOUS, .args = {4, 1}},
        {.sequence = 4, .kind = EVENT_CONTENT, .flags = 2, .args = {4, 0x64636261, 0, 0, 7}},
        {.sequence = 5, .kind = EVENT_SLOT, .flags = 1, .args = {2, 1}},
        {.sequence = 6, .kind = EVENT_SWAP_OUT, .args = {4, 2, 1}},
        {.sequence = 7, .kind = EVENT_FRAME, .flags = EVENT_FRAME_FREE, .args = {4, 0}},
        {.sequence = 8, .kind = EVENT_SWAP_IN, .args = {5, 2, 1}},
        {.sequence = 9, .kind = EVENT_FRAME, .flags = EVENT_FRAME_ANONYMOUS, .args = {5, 1}},
        {.sequence = 10, .kind = EVENT_SLOT, .flags = 0, .args = {2, 1}},
        {.sequence = 11, .kind = EVENT_CONTENT, .flags = 1, .args = {3, 1, 1, 1, 1}},
        {.sequence = 12, .kind = EVENT_CONTENT, .flags = 128, .args = {5, 1, 1, 1, 1}},
    };
    fold_all(f, events, 3);
    assert_null(fold_content(f, 4));
    fold_all(f, events + 3, 1);
    assert_string_equal((const char *)fold_content(f, 4) + 64, "abcd");
    assert_int_equal(fold_content(f, 4)[64 + 24], 7);
    assert_int_equal(fold_content(f, 4)[0], 0); /* never said: zero */
    fold_all(f, events + 4, 3);
    assert_null(fold_content(f, 4));
    assert_string_equal((const char *)fold_slot_content(f, 2) + 64, "abcd");
    fold_all(f, events + 7, 3);
    assert_string_equal((const char *)fold_content(f, 5) + 64, "abcd");
    assert_null(fold_slot_content(f, 2));
    assert_int_equal(f->complaints, 0);
    fold_all(f, events + 10, 2); /* a reserved frame; beyond the end of a frame */
    assert_int_equal(f->complaints, 2);
    fold_destroy(f);
}

/* A program that prints for ever: only the end is kept, and the strings do not pile up. */
static void test_endless_output(void **state) {
    struct fold *f = fold_create(NULL);
    struct trace t = {0};
    struct folder folder = {{.receive = folder_receive}, f};
    char line[101];
    size_t length;
    trace_add_sink(&t, &folder.sink);
    for (int i = 0; i < 5000; i++) {
        snprintf(line, sizeof line, "%0100d", i);
        trace_emit(&t, EVENT_OUTPUT, 1, trace_string(&t, line, 100), 0, 0, 0, 0);
    }
    const char *output = fold_output(f, &length);
    assert_int_equal(length, FOLD_OUTPUT);
    assert_int_equal(f->output_total, 500000);
    assert_memory_equal(output + length - 100, line, 100);
    assert_int_equal(map_count(&f->strings.whole), 1);
    assert_memory_equal(fold_string(f, f->output_string)->bytes, line, 100);
    assert_null(fold_check(f));
    fold_destroy(f);
}

/* Every allocation fails once: the fold says so, and gives everything back (seen by a leak checker). */
static void test_failing_allocations(void **state) {
    static struct scenario s;
    struct recorder r = recorder();
    scenario_start(&s, 21, &r.sink);
    scenario_run(&s, 500);
    for (uint64_t n = 1;; n++) {
        struct inject inject = {.fail_at[INJECT_ALLOC] = n};
        struct fold *f = fold_create(&inject);
        int error = f ? 0 : -ENOMEM;
        for (size_t i = 0; i < r.count && !error; i++)
            error = fold_apply(f, &r.events[i]);
        void *bytes = NULL;
        size_t size;
        if (!error)
            error = fold_save(f, &bytes, &size);
        struct fold *loaded = NULL;
        if (!error)
            error = fold_load(bytes, size, &inject, &loaded);
        fold_destroy(loaded);
        free(bytes);
        fold_destroy(f);
        if (!error) {
            assert_true(inject.calls[INJECT_ALLOC] < n);
            break;
        }
        assert_int_equal(error, -ENOMEM);
    }
    recorder_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_naive_model),
        cmocka_unit_test(test_scenarios_reach_everything),
        cmocka_unit_test(test_loaded_state_goes_on_like_the_saved),
        cmocka_unit_test(test_damaged_checkpoint_is_refused),
        cmocka_unit_test(test_nonsense_is_complained_about),
        cmocka_unit_test(test_steps_of_a_fault),
        cmocka_unit_test(test_victim_ends_with_its_fault),
        cmocka_unit_test(test_check_finds_damage),
        cmocka_unit_test(test_check_machine_finds_disagreement),
        cmocka_unit_test(test_bytes_follow_their_page),
        cmocka_unit_test(test_endless_output),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
