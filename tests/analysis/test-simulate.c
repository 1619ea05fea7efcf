/* One policy at one size: against an independent model that knows pages only, on random strings with deaths
 * and all other items; policies that break their contract are told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "analysis/simulate.h"
#include "base/base.h"
#include "policy/policies.h"

#include "model.h"

static struct simulation *simulation_of(const struct policy_ops *policy, uint32_t frames, uint32_t slots,
                                        const struct random_string *string) {
    const bool unlimited = slots == MODEL_SWAP_UNLIMITED;
    const struct simulation_config config = {
        .policy = policy, .frames = frames, .no_swap = slots == 0, .swap_pages = unlimited ? 0 : slots};
    struct simulation *s;
    assert_int_equal(simulation_create(&config, &s), 0);
    assert_int_equal(simulation_add_pages(s, string->pages, string->page_count), 0);
    return s;
}

static void assert_same(const struct simulation *s, uint32_t slots, const struct model_result *expected) {
    struct simulation_result result;
    simulation_get_result(s, &result);
    assert_int_equal(result.out_of_memory, expected->out_of_memory);
    assert_int_equal(result.references, expected->references);
    assert_int_equal(result.misses, expected->misses);
    assert_int_equal(result.cold, expected->cold);
    assert_int_equal(result.evictions, expected->evictions);
    assert_int_equal(result.to_swap, expected->to_swap);
    assert_int_equal(result.to_file, expected->to_file);
    assert_int_equal(result.swap_was_short, expected->swap_was_short && slots > 0);
    if (expected->out_of_memory)
        assert_int_equal(result.out_of_memory_instruction, expected->out_of_memory_instruction);
}

/* With so many slots of swap: 0, some, or MODEL_SWAP_UNLIMITED. */
static void compare(const struct random_string *string, uint32_t slots) {
    static const struct {
        const struct policy_ops *policy;
        enum model_policy model;
    } pairs[] = {{&policy_fifo, MODEL_FIFO}, {&policy_clock, MODEL_CLOCK}, {&policy_lru, MODEL_LRU}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        for (uint32_t frames = 1; frames <= 28; frames += 3) {
            const struct model_result expected = model_run_with_swap(pairs[i].model, string, frames, slots);
            struct simulation *s = simulation_of(pairs[i].policy, frames, slots, string);
            assert_int_equal(simulation_feed(s, string->items, string->count / 2), 0);
            assert_null(simulation_check(s));
            assert_int_equal(
                simulation_feed(s, string->items + string->count / 2, string->count - string->count / 2), 0);
            assert_null(simulation_check(s));
            assert_same(s, slots, &expected);
            simulation_destroy(s);
        }
}

static void same_as_the_model(void **state) {
    for (uint32_t seed = 1; seed <= 12; seed++) {
        const struct random_shape shape = {.items = 1500,
                                           .live = 24,
                                           .deaths = seed % 3 * 15,
                                           .cleaned = 20,
                                           .cooled = 20,
                                           .given_up = seed % 2 * 20,
                                           .writes = 300,
                                           .files = 500,
                                           .shared = 200,
                                           .unknown = 100,
                                           .steps = 3};
        struct random_string string = random_string_make(&shape, seed);
        compare(&string, MODEL_SWAP_UNLIMITED);
        compare(&string, 0);
        for (uint32_t slots = 1; slots <= 13; slots += 4)
            compare(&string, slots);
        random_string_free(&string);
    }
}

/* What is not counted is the difference between the whole and its beginning; a cold miss of a page that is no
 * file's reads nothing. */
static void counting_begins_where_it_is_told(void **state) {
    const struct random_shape shape = {
        .items = 1500, .live = 24, .deaths = 15, .writes = 300, .files = 500, .steps = 3};
    struct random_string string = random_string_make(&shape, 7);
    const size_t half = string.count / 2;
    struct simulation_result whole, beginning, rest;
    struct simulation *s = simulation_of(&policy_lru, 9, MODEL_SWAP_UNLIMITED, &string);
    assert_int_equal(simulation_feed(s, string.items, half), 0);
    simulation_get_result(s, &beginning);
    assert_int_equal(simulation_feed(s, string.items + half, string.count - half), 0);
    simulation_get_result(s, &whole);
    simulation_destroy(s);

    s = simulation_of(&policy_lru, 9, MODEL_SWAP_UNLIMITED, &string);
    assert_int_equal(simulation_feed(s, string.items, half), 0);
    simulation_restart(s);
    simulation_get_result(s, &rest);
    assert_int_equal(rest.misses, 0);
    assert_int_equal(simulation_feed(s, string.items + half, string.count - half), 0);
    simulation_get_result(s, &rest);
    simulation_destroy(s);
    assert_int_equal(rest.references, whole.references - beginning.references);
    assert_int_equal(rest.misses, whole.misses - beginning.misses);
    assert_int_equal(rest.to_swap, whole.to_swap - beginning.to_swap);
    assert_int_equal(rest.to_file, whole.to_file - beginning.to_file);

    uint64_t anonymous = 0;
    for (uint32_t page = 0; page < string.page_count; page++)
        anonymous += !(string.pages[page].flags & REFS_PAGE_FILE);
    assert_int_equal(whole.cold_anonymous, anonymous);
    random_string_free(&string);
}

/* Belady, Nelson and Shedler's string: FIFO misses 9 times with three frames and 10 times with four. */
static void beladys_anomaly(void **state) {
    const uint8_t pages[] = {1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5};
    struct refs_item items[sizeof pages] = {0};
    struct refs_page known[6] = {0};
    const struct random_string string = {items, known, sizeof pages, 6};
    for (size_t i = 0; i < sizeof pages; i++)
        items[i] = (struct refs_item){.page = pages[i], .flags = ACCESS_READ};
    for (uint32_t frames = 3; frames <= 4; frames++) {
        struct simulation_result result;
        struct simulation *s = simulation_of(&policy_fifo, frames, MODEL_SWAP_UNLIMITED, &string);
        assert_int_equal(simulation_feed(s, items, sizeof pages), 0);
        simulation_get_result(s, &result);
        assert_int_equal(result.misses, frames == 3 ? 9 : 10);
        assert_int_equal(result.cold, 5);
        simulation_destroy(s);
    }
}

/* ---- what a policy is told ---- */

struct seen {
    struct policy_config config;
    char text[300];
};

static int seen_create(const struct policy_config *config, void **ret_state) {
    struct seen *seen = *ret_state = calloc(1, sizeof *seen);
    if (seen)
        seen->config = *config;
    return seen ? 0 : -ENOMEM;
}
static void seen_add(void *state, const char *what, uint64_t number) {
    struct seen *seen = state;
    const size_t length = strlen(seen->text);
    snprintf(seen->text + length, sizeof seen->text - length, "%s%llu ", what, (unsigned long long)number);
}
static void seen_insert(void *state, pfn_t f, page_id_t id) {
    seen_add(state, "+", id.n & ~(1ULL << 63));
}
static void seen_access(void *state, pfn_t f, page_id_t id) {
    seen_add(state, "", id.n & ~(1ULL << 63));
}
/* Evicted: "-", unmapped: "u", exited: "x". */
static void seen_remove(void *state, pfn_t f, page_id_t id, enum policy_remove reason) {
    static const char *const words[] = {"-", "u", "x"};
    seen_add(state, words[reason], id.n & ~(1ULL << 63));
}
static pfn_t seen_victim(void *state) {
    seen_add(state, "?", 0);
    return (pfn_t){0};
}
/* The test reads the text by way of the check. */
static const char *seen_check(const void *state) {
    return ((const struct seen *)state)->text;
}

static const struct policy_ops policy_seen = {
    .name = "seen",
    .needs = POLICY_NEEDS_EVERY_REFERENCE,
    .create = seen_create,
    .destroy = free,
    .insert = seen_insert,
    .access = seen_access,
    .remove = seen_remove,
    .victim = seen_victim,
    .check = seen_check,
};

/* What policy_seen saw of these items about these pages in a memory of two frames. */
static void expect_seen(const struct refs_page pages[3], const struct refs_item *items, size_t count,
                        uint64_t observe_bits, const char *expected) {
    const struct simulation_config config = {
        .policy = &policy_seen, .frames = 2, .observe_bits = observe_bits};
    struct simulation *s;
    assert_int_equal(simulation_create(&config, &s), 0);
    assert_int_equal(simulation_add_pages(s, pages, 3), 0);
    assert_int_equal(simulation_feed(s, items, count), 0);
    assert_string_equal(simulation_check(s), expected);
    simulation_destroy(s);
}

/* Why a page leaves, and that a page which died is not there, nor anything in the frame that it had. */
static void dead_pages_are_gone(void **state) {
    const struct refs_page pages[3] = {0};
    const struct refs_item items[] = {
        {.page = 0},
        {.page = 1},
        {.page = 0, .kind = REFS_DIES, .flags = POLICY_EXITED},
        {.page = 1, .kind = REFS_DIES, .flags = POLICY_UNMAPPED},
        {.page = 2},
        {.page = 1},
    };
    expect_seen(pages, items, ARRAY_LENGTH(items), 0, "+1 +2 x1 u2 +3 +2 ");
}

static void asking_insert(void *state, pfn_t f, page_id_t id) {
    struct seen *seen = state;
    seen_add(state, "@", seen->config.now(seen->config.context));
    for (uint32_t n = 0; n <= seen->config.frames; n++) {
        seen_add(state, "r", seen->config.test_and_clear_referenced(seen->config.context, (pfn_t){n}));
        seen_add(state, "d", seen->config.is_dirty(seen->config.context, (pfn_t){n}));
    }
}

/* The time is the item's; in a frame whose page died, or that there is not, nothing
 * is referenced or dirty. */
static void policies_are_answered(void **state) {
    struct policy_ops asking = policy_seen;
    const struct refs_page pages[4] = {
        {.flags = REFS_PAGE_KNOWN}, {.flags = REFS_PAGE_KNOWN}, {.flags = REFS_PAGE_KNOWN | REFS_PAGE_FILE}};
    const struct random_string string = {.pages = (struct refs_page *)pages, .page_count = 4};
    const struct refs_item items[] = {
        {.page = 0, .instruction = 5},
        {.page = 1, .instruction = 7},
        {.page = 0, .instruction = 8},
        {.page = 0, .instruction = 8, .kind = REFS_DIES, .flags = POLICY_UNMAPPED},
        {.page = 1, .instruction = 9, .kind = REFS_DIES, .flags = POLICY_UNMAPPED},
        {.page = 2, .instruction = 9},
    };
    asking.insert = asking_insert;
    struct simulation *s = simulation_of(&asking, 2, MODEL_SWAP_UNLIMITED, &string);
    assert_int_equal(simulation_feed(s, items, ARRAY_LENGTH(items)), 0);
    assert_string_equal(simulation_check(s), "@5 r1 d1 r0 d0 r0 d0 @7 r0 d1 r1 d1 r0 d0 1 u1 u2 "
                                             "@9 r0 d0 r1 d0 r0 d0 ");
    simulation_destroy(s);
}

/* Bits are delivered before the first reference at or after each multiple of K, by name, before victim(). */
static void bits_are_harvested(void **state) {
    const struct refs_page pages[] = {{.name = 9}, {.name = 5}, {.name = 7}};
    const struct refs_item items[] = {
        {.page = 0, .instruction = 1},  {.page = 1, .instruction = 2},  {.page = 0, .instruction = 3},
        {.page = 1, .instruction = 4},  {.page = 0, .instruction = 5},  {.page = 2, .instruction = 10},
        {.page = 2, .instruction = 12}, {.page = 1, .instruction = 35}, {.page = 1, .instruction = 39},
        {.page = 1, .instruction = 40},
    };
    expect_seen(pages, items, ARRAY_LENGTH(items), 10, "+1 +2 2 1 ?0 -1 +3 3 2 ");
}

/* The bit of a page that died is not delivered. */
static void bits_die_with_their_pages(void **state) {
    const struct refs_page pages[3] = {{.name = 1}, {.name = 2}, {.name = 3}};
    const struct refs_item items[] = {
        {.page = 0, .instruction = 1},
        {.page = 1, .instruction = 2},
        {.page = 0, .instruction = 3},
        {.page = 1, .instruction = 4},
        {.page = 0, .instruction = 5, .kind = REFS_DIES, .flags = POLICY_EXITED},
        {.page = 1, .instruction = 10},
    };
    expect_seen(pages, items, ARRAY_LENGTH(items), 10, "+1 +2 x1 2 ");
}

/* A page of an object that died and came back is the one that it was; an anonymous one, or one without a
 * name, is never another. */
static void pages_that_come_back_are_themselves(void **state) {
    const struct refs_page pages[] = {
        {.name = 7, .flags = REFS_PAGE_SHARED},
        {.name = 7, .flags = REFS_PAGE_SHARED},
        {.name = 7, .flags = REFS_PAGE_SHARED},
        {.name = 8, .flags = REFS_PAGE_FILE},
        {.name = 8, .flags = REFS_PAGE_FILE},
        {.name = 9},
        {.name = 9},
        {.flags = REFS_PAGE_SHARED},
        {.flags = REFS_PAGE_SHARED},
    };
    for (int at_once = 0; at_once < 2; at_once++) {
        const struct simulation_config config = {.policy = &policy_seen, .frames = 1};
        struct simulation *s;
        assert_int_equal(simulation_create(&config, &s), 0);
        if (at_once)
            assert_int_equal(simulation_add_pages(s, pages, ARRAY_LENGTH(pages)), 0);
        for (uint32_t i = 0; i < ARRAY_LENGTH(pages); i++) {
            const struct refs_item items[] = {
                {.page = i}, {.page = i}, {.page = i, .kind = REFS_DIES, .flags = POLICY_UNMAPPED}};
            if (!at_once)
                assert_int_equal(simulation_add_pages(s, &pages[i], 1), 0);
            assert_int_equal(simulation_feed(s, items, ARRAY_LENGTH(items)), 0);
        }
        assert_string_equal(simulation_check(s),
                            "+1 1 u1 +1 1 u1 +1 1 u1 +4 4 u4 +4 4 u4 +6 6 u6 +7 7 u7 +8 8 u8 "
                            "+9 9 u9 ");
        simulation_destroy(s);
    }
}

/* Each time that a page was given up and lost, what comes back is another page; the newest of all where bits
 * are delivered. */
static void pages_that_were_lost_are_others(void **state) {
    const struct refs_page pages[] = {{.name = 5, .flags = REFS_PAGE_KNOWN},
                                      {.name = 9, .flags = REFS_PAGE_KNOWN},
                                      {.name = 7, .flags = REFS_PAGE_KNOWN}};
    const struct refs_item items[] = {
        {.page = 0, .instruction = 1},
        {.page = 1, .instruction = 1},
        {.page = 0, .instruction = 2, .kind = REFS_GIVEN_UP},
        {.page = 2, .instruction = 2}, /* frame 0 is the victim each time */
        {.page = 0, .instruction = 2},
        {.page = 0, .instruction = 3, .kind = REFS_GIVEN_UP},
        {.page = 2, .instruction = 3},
        {.page = 0, .instruction = 4},
        {.page = 0, .instruction = 5},
        {.page = 1, .instruction = 6},
        {.page = 1, .instruction = 10},
    };
    static const char expected[] = "+1 +2 ?0 -1 +3 ?0 -3 +1099511627777 ?0 -1099511627777 +3 ?0 -3 "
                                   "+1099511627778 2 1099511627778 ";
    const struct simulation_config config = {.policy = &policy_seen, .frames = 2, .observe_bits = 10};
    struct simulation *s;
    struct simulation_result result;
    assert_int_equal(simulation_create(&config, &s), 0);
    assert_int_equal(simulation_add_pages(s, pages, 3), 0);
    assert_int_equal(simulation_feed(s, items, ARRAY_LENGTH(items)), 0);
    assert_string_equal(simulation_check(s), expected);
    simulation_get_result(s, &result);
    assert_int_equal(result.to_swap, 1); /* page 2, the first time */
    simulation_destroy(s);
}

/* ---- its time ---- */

enum { SLOW_NS = 20000, SLOW_PAGES = 320 };

static void wait_slowly(void) {
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec < SLOW_NS);
}
static void slow_access(void *state, pfn_t f, page_id_t id) {
    wait_slowly();
}
static pfn_t slow_victim(void *state) {
    wait_slowly();
    return (pfn_t){0};
}

/* A call of 20 microseconds for each reference, or for each second one, with whatever else the host did. */
static void time_is_measured(void **state) {
    struct policy_ops slow = policy_seen;
    struct refs_page pages[SLOW_PAGES] = {0};
    struct simulation_result result;
    struct simulation *s;
    slow.access = slow_access;
    slow.victim = slow_victim;
    const struct simulation_config config = {.policy = &slow, .frames = 1, .measure = true};
    assert_int_equal(simulation_create(&config, &s), 0);
    assert_int_equal(simulation_add_pages(s, pages, SLOW_PAGES), 0);
    for (uint32_t i = 0; i < 2 * SLOW_PAGES; i++)
        assert_int_equal(simulation_feed(s, &(struct refs_item){.page = i / 2}, 1), 0);
    simulation_get_result(s, &result);
    simulation_destroy(s);
    assert_in_range(result.ns_per_victim, SLOW_NS * 9 / 10, 100 * SLOW_NS);
    assert_in_range(result.ns_per_reference, SLOW_NS * 3 / 4, 100 * SLOW_NS);
}

/* ---- a loop larger than memory ---- */

enum { LOOP_PAGES = 500, LOOP_ROUNDS = 20, LOOP_USES = 8, LOOP_STEP = 10, LOOP_FRAMES = 400 };
enum { LOOP_PAGE_TIME = 2 * LOOP_USES * LOOP_STEP, LOOP_LOOK = LOOP_PAGES / 10 * LOOP_PAGE_TIME };

/* As programs loop: code (page 0) and data in turn, each page of data several times before the next. */
static uint64_t loop_misses(const struct policy_ops *policy) {
    const struct simulation_config config = {
        .policy = policy, .frames = LOOP_FRAMES, .observe_bits = LOOP_LOOK};
    struct refs_page pages[LOOP_PAGES + 1];
    struct simulation_result result;
    struct simulation *s;
    uint64_t now = 0;
    for (uint32_t page = 0; page <= LOOP_PAGES; page++)
        pages[page] = (struct refs_page){.name = page, .flags = REFS_PAGE_FILE};
    assert_int_equal(simulation_create(&config, &s), 0);
    assert_int_equal(simulation_add_pages(s, pages, LOOP_PAGES + 1), 0);
    for (int i = 0; i < LOOP_ROUNDS * LOOP_PAGES * LOOP_USES; i++) {
        const uint32_t page = 1 + (uint32_t)(i / LOOP_USES % LOOP_PAGES);
        const struct refs_item items[] = {
            {.instruction = now, .kind = REFS_REFERENCE, .flags = ACCESS_EXEC},
            {.instruction = now + LOOP_STEP, .page = page, .kind = REFS_REFERENCE, .flags = ACCESS_READ}};
        assert_int_equal(simulation_feed(s, items, 2), 0);
        now += sizeof items / sizeof *items * LOOP_STEP;
    }
    assert_null(simulation_check(s));
    simulation_get_result(s, &result);
    simulation_destroy(s);
    return result.misses;
}

/* What LIRS and CLOCK-Pro are for: with bits that are looked at now and then (to a policy that sees each use,
 * all pages are used again at once, and so all are hot). */
static void part_of_a_loop_is_kept(void **state) {
    const uint64_t lru = loop_misses(&policy_lru);
    assert_true(lru >= (uint64_t)LOOP_ROUNDS * LOOP_PAGES * 9 / 10);
    assert_true(lru >= 3 * loop_misses(&policy_lirs));
    assert_true(lru >= 3 * loop_misses(&policy_clock_pro));
}

/* ---- broken policies ---- */

static pfn_t wrong_victim(void *state) {
    return (pfn_t){7};
}
static pfn_t free_victim(void *state) {
    return (pfn_t){1};
}
static pfn_t no_victim(void *state) {
    return PFN_NONE;
}

static void broken_policies_are_named(void **state) {
    static const struct {
        pfn_t (*victim)(void *);
        const char *message;
    } cases[] = {
        {wrong_victim, "fifo: its victim is frame 7, and there are only 2"},
        {no_victim, "fifo: it names no victim, but has pages"},
    };
    const struct refs_page pages[4] = {0};
    const struct random_string string = {.pages = (struct refs_page *)pages, .page_count = 4};
    const struct refs_item items[] = {{.page = 0}, {.page = 1}, {.page = 2}, {.page = 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct policy_ops broken = policy_fifo;
        broken.victim = cases[i].victim;
        struct simulation *s = simulation_of(&broken, 2, MODEL_SWAP_UNLIMITED, &string);
        assert_int_equal(simulation_feed(s, items, 4), -EPROTO);
        assert_string_equal(simulation_message(s), cases[i].message);
        simulation_destroy(s);
    }
}

/* Without swap, an anonymous page is set aside: naming its frame once more is wrong. */
static void page_set_aside_is_no_victim(void **state) {
    const struct refs_page pages[4] = {0};
    const struct random_string string = {.pages = (struct refs_page *)pages, .page_count = 4};
    const struct refs_item items[] = {{.page = 0}, {.page = 1}, {.page = 2}};
    struct policy_ops broken = policy_fifo;
    broken.victim = free_victim;
    struct simulation *s = simulation_of(&broken, 2, 0, &string);
    assert_int_equal(simulation_feed(s, items, 3), -EPROTO);
    assert_string_equal(simulation_message(s), "fifo: its victim, frame 1, holds no page that it was given");
    simulation_destroy(s);
}

static void unknown_pages_are_refused(void **state) {
    const struct refs_page pages[1] = {0};
    const struct random_string string = {.pages = (struct refs_page *)pages, .page_count = 1};
    const struct refs_item items[] = {{.page = 1}};
    struct simulation *s = simulation_of(&policy_fifo, 2, MODEL_SWAP_UNLIMITED, &string);
    assert_int_equal(simulation_feed(s, items, 1), -EBADMSG);
    assert_string_equal(simulation_message(s), "a reference to page 1, and there are only 1");
    simulation_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_the_model),
        cmocka_unit_test(counting_begins_where_it_is_told),
        cmocka_unit_test(beladys_anomaly),
        cmocka_unit_test(dead_pages_are_gone),
        cmocka_unit_test(policies_are_answered),
        cmocka_unit_test(bits_are_harvested),
        cmocka_unit_test(bits_die_with_their_pages),
        cmocka_unit_test(pages_that_come_back_are_themselves),
        cmocka_unit_test(pages_that_were_lost_are_others),
        cmocka_unit_test(time_is_measured),
        cmocka_unit_test(part_of_a_loop_is_kept),
        cmocka_unit_test(broken_policies_are_named),
        cmocka_unit_test(page_set_aside_is_no_victim),
        cmocka_unit_test(unknown_pages_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
