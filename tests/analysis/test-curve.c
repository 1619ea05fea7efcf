/* The driver, over files: each policy's curve is that of memories of each size; labels; what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/curve.h"
#include "analysis/simulate.h"
#include "base/base.h"
#include "policy/policies.h"

#include "model.h"
#include "string-file.h"

enum { SIZES = 12 };
static const uint32_t sizes[SIZES] = {1, 2, 3, 4, 6, 8, 11, 14, 17, 20, 24, 40};

static struct random_string string_make(uint32_t seed, uint32_t given_up) {
    const struct random_shape shape = {.items = 2000,
                                       .live = 24,
                                       .deaths = seed % 3 * 15,
                                       .cleaned = 20,
                                       .cooled = 20,
                                       .given_up = given_up,
                                       .writes = 300,
                                       .files = 600,
                                       .shared = 200,
                                       .unknown = 100,
                                       .steps = 3};
    return random_string_make(&shape, seed);
}

static void expect_curve(const struct curve *curve, enum model_policy policy,
                         const struct random_string *string, bool no_swap, uint64_t cold) {
    for (size_t i = 0; i < curve->count; i++) {
        const struct model_result expected = model_run(policy, string, curve->sizes[i], no_swap);
        assert_int_equal(expected.out_of_memory, curve->sizes[i] < curve->floor);
        if (expected.out_of_memory)
            continue;
        assert_int_equal(curve->faults[i], expected.misses);
        assert_int_equal(cold, expected.cold);
        if (curve->writebacks)
            assert_int_equal(curve->writebacks[i], expected.to_swap + expected.to_file);
    }
}

static void curves_are_those_of_memories(void **state) {
    static const char *const names[] = {"fifo", "lru", "clock", "opt", "lru", "sieve"};
    static const enum model_policy models[] = {MODEL_FIFO, MODEL_LRU, MODEL_CLOCK,
                                               MODEL_OPT,  MODEL_LRU, MODEL_SIEVE};
    for (uint32_t seed = 1; seed <= 6; seed++) {
        const bool no_swap = seed % 2 == 0;
        struct random_string string = string_make(seed, seed == 3 || seed == 6 ? 10 : 0);
        struct refs_source *source = string_open(&string, 0, NULL);
        const struct curve_request request = {.policies = names,
                                              .policy_count = ARRAY_LENGTH(names),
                                              .sizes = sizes,
                                              .size_count = SIZES,
                                              .no_swap = no_swap,
                                              .writebacks = seed == 4,
                                              .threads = seed};
        struct curve_set set;
        char *message = NULL;
        if (curve_compute(source, &request, &set, &message) < 0)
            fail_msg("%s", message);
        assert_int_equal(set.count, ARRAY_LENGTH(names));
        assert_int_equal(set.totals.pages, string.page_count);
        for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
            assert_string_equal(set.curves[i].policy, names[i]);
            assert_int_equal(set.curves[i].label, RESULT_EXACT);
            assert_null(set.curves[i].condition);
            expect_curve(&set.curves[i], models[i], &string, no_swap, set.cold);
            if (request.writebacks)
                assert_non_null(set.curves[i].writebacks);
        }
        curve_set_free(&set);
        refs_close(source);
        random_string_free(&string);
    }
}

/* Where policies learn of referenced bits only, no quicker method applies to those that want every reference:
 * each size is what a simulation of it says. The others never wanted more. */
static void bits_are_for_those_who_want_every_reference(void **state) {
    static const char *const names[] = {"sieve", "lru", "fifo", "clock"};
    static const struct policy_ops *const ops[] = {&policy_sieve, &policy_lru, &policy_fifo, &policy_clock};
    static const enum model_policy models[] = {MODEL_SIEVE, MODEL_LRU, MODEL_FIFO, MODEL_CLOCK};
    struct random_string string = string_make(2, 0);
    struct refs_source *source = string_open(&string, 0, NULL);
    const struct curve_request request = {.policies = names,
                                          .policy_count = ARRAY_LENGTH(names),
                                          .sizes = sizes,
                                          .size_count = SIZES,
                                          .observe_bits = 20};
    struct curve_set set;
    char *message = NULL;
    assert_int_equal(curve_compute(source, &request, &set, &message), 0);
    for (size_t p = 0; p < ARRAY_LENGTH(names); p++) {
        uint64_t difference = 0;
        for (size_t i = 0; i < SIZES; i++) {
            const struct simulation_config config = {
                .policy = ops[p], .frames = sizes[i], .seed = request.seed, .observe_bits = 20};
            struct simulation *s;
            struct simulation_result result;
            assert_int_equal(simulation_create(&config, &s), 0);
            assert_int_equal(simulation_add_pages(s, string.pages, string.page_count), 0);
            assert_int_equal(simulation_feed(s, string.items, string.count), 0);
            simulation_get_result(s, &result);
            simulation_destroy(s);
            assert_int_equal(set.curves[p].faults[i], result.misses);
            difference += result.misses != model_run(models[p], &string, sizes[i], false).misses;
        }
        assert_true((difference > 0) == (p < 2));
    }
    curve_set_free(&set);
    refs_close(source);
    random_string_free(&string);
}

/* What is counted behind a warm-up is the whole less its beginning, of memories that are warm. OPT's part of
 * the beginning is that of an OPT that ends there: it has the fewest misses up to every moment. */
static void expect_counted(const struct curve *curve, enum model_policy policy,
                           const struct random_string *string, size_t warm_up, bool no_swap) {
    const struct random_string beginning = {string->items, string->pages, warm_up, string->page_count};
    for (size_t i = 0; i < curve->count; i++) {
        const struct model_result whole = model_run(policy, string, curve->sizes[i], no_swap);
        const struct model_result part = model_run(policy, &beginning, curve->sizes[i], no_swap);
        if (whole.out_of_memory)
            continue;
        assert_int_equal(curve->faults[i], whole.misses - part.misses);
        if (curve->writebacks && policy != MODEL_OPT)
            assert_int_equal(curve->writebacks[i],
                             whole.to_swap + whole.to_file - part.to_swap - part.to_file);
    }
}

static void warm_ups_are_not_counted(void **state) {
    static const char *const names[] = {"fifo", "lru", "clock", "opt", "sieve"};
    static const enum model_policy models[] = {MODEL_FIFO, MODEL_LRU, MODEL_CLOCK, MODEL_OPT, MODEL_SIEVE};
    for (uint32_t seed = 1; seed <= 8; seed++) {
        const bool no_swap = seed % 2 == 0;
        struct random_string string = string_make(seed, seed == 3 ? 10 : 0);
        struct refs_source *source = string_open(&string, 0, NULL);
        size_t warm_up = string.count * seed / 9;
        while (string.items[warm_up].instruction == string.items[warm_up - 1].instruction)
            warm_up++;
        const struct curve_request request = {
            .policies = names,
            .policy_count = ARRAY_LENGTH(names),
            .sizes = sizes,
            .size_count = SIZES,
            .warm_up = {.by_instructions = true, .instructions = string.items[warm_up].instruction},
            .no_swap = no_swap,
            .writebacks = seed > 4,
            .threads = seed % 3};
        struct curve_set set;
        char *message = NULL;
        uint64_t before = 0;
        if (curve_compute(source, &request, &set, &message) < 0)
            fail_msg("%s", message);
        for (size_t i = 0; i < warm_up; i++)
            before += string.items[i].kind == REFS_REFERENCE;
        assert_int_equal(set.warm_up.left_out, before);
        assert_int_equal(set.warm_up.instruction, string.items[warm_up].instruction);
        for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
            expect_counted(&set.curves[i], models[i], &string, warm_up, no_swap);
        curve_set_free(&set);
        refs_close(source);
        random_string_free(&string);
    }
}

static void a_run_that_is_all_warm_up_is_refused(void **state) {
    static const char *const names[] = {"lru"};
    struct random_string string = string_make(1, 0);
    struct refs_source *source = string_open(&string, 0, NULL);
    const struct warm_up wanted[] = {{.by_instructions = true, .instructions = 1000000}, {.marked = true}};
    for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++) {
        const struct curve_request request = {
            .policies = names, .policy_count = 1, .sizes = sizes, .size_count = SIZES, .warm_up = wanted[i]};
        struct curve_set set;
        char *message = NULL;
        assert_int_equal(curve_compute(source, &request, &set, &message), -ERANGE);
        assert_non_null(strstr(message, "the warm-up was not over"));
        free(message);
    }
    refs_close(source);
    random_string_free(&string);
}

/* Without sizes some are chosen, up to the number of pages. */
static void sizes_are_chosen(void **state) {
    static const char *const names[] = {"lru"};
    struct random_string string = string_make(1, 0);
    struct refs_source *source = string_open(&string, 0, NULL);
    const struct curve_request request = {.policies = names, .policy_count = 1};
    struct curve_set set;
    char *message = NULL;
    assert_int_equal(curve_compute(source, &request, &set, &message), 0);
    const struct curve *curve = &set.curves[0];
    assert_in_range(curve->count, 20, 64);
    assert_in_range(curve->sizes[0], 1, 8);
    assert_int_equal(curve->sizes[curve->count - 1], string.page_count);
    assert_int_equal(curve->faults[curve->count - 1], set.cold);
    for (size_t i = 1; i < curve->count; i++)
        assert_true(curve->sizes[i] > curve->sizes[i - 1]);
    curve_set_free(&set);
    refs_close(source);
    random_string_free(&string);
}

/* A file that does not say how many pages it has. */
static struct refs_source *open_csv(const char *path, struct rng *rng) {
    struct refs_source *source;
    char *message = NULL;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("page,kind\n", file);
    for (int i = 0; i < 20000; i++)
        fprintf(file, "%u,%c\n", (unsigned)(rng_below(rng, 40) * rng_below(rng, 40)),
                "rwx"[rng_below(rng, 3)]);
    fclose(file);
    assert_int_equal(refs_open(path, REFS_FORMAT_ANY, &source, &message), 0);
    return source;
}

/* Where lru is alone they are chosen when the file has been read, else before. */
static void sizes_are_the_same_whenever_they_are_chosen(void **state) {
    static const char *const names[] = {"lru", "lru", "clock"};
    static const char path[] = "/tmp/thimble-curve-sizes.csv";
    struct rng rng = {5};
    struct refs_source *source = open_csv(path, &rng);
    for (size_t most = 0; most <= 320; most += 160) {
        struct curve_request request = {.policies = names, .policy_count = 2, .size_count = most};
        struct curve_set late, early;
        char *message = NULL;
        assert_int_equal(curve_compute(source, &request, &late, &message), 0);
        request.policy_count = 3;
        assert_int_equal(curve_compute(source, &request, &early, &message), 0);
        const struct curve *a = &early.curves[0];
        assert_in_range(a->count, 16, most ? most : 64);
        for (size_t i = 0; i < 2; i++) {
            const struct curve *b = &late.curves[i];
            assert_int_equal(b->count, a->count);
            assert_memory_equal(b->sizes, a->sizes, a->count * sizeof *a->sizes);
            assert_memory_equal(b->faults, a->faults, a->count * sizeof *a->faults);
            assert_memory_equal(b->writebacks, a->writebacks, a->count * sizeof *a->writebacks);
        }
        assert_int_equal(late.cold, early.cold);
        curve_set_free(&late);
        curve_set_free(&early);
    }
    refs_close(source);
    unlink(path);
}

static void conditions_are_named(void **state) {
    static const char *const names[] = {"lru"}, *const conditions[] = {"sysinfo", "mincore", NULL};
    struct random_string string = string_make(1, 0);
    struct refs_source *source = string_open(&string, 0, conditions);
    const struct curve_request request = {
        .policies = names, .policy_count = 1, .sizes = sizes, .size_count = SIZES};
    struct curve_set set;
    char *message = NULL;
    assert_int_equal(curve_compute(source, &request, &set, &message), 0);
    assert_int_equal(set.curves[0].label, RESULT_CONDITIONAL);
    assert_non_null(strstr(set.curves[0].condition, "by sysinfo, mincore:"));
    curve_set_free(&set);
    refs_close(source);
    random_string_free(&string);
}

static void costs_are_measured(void **state) {
    static const char *const names[] = {"lru", "opt", "clock"};
    struct random_string string = string_make(2, 0);
    struct refs_source *source = string_open(&string, 0, NULL);
    const struct curve_request request = {
        .policies = names, .policy_count = 3, .sizes = sizes, .size_count = SIZES, .measure = true};
    struct curve_set set;
    char *message = NULL;
    assert_int_equal(curve_compute(source, &request, &set, &message), 0);
    assert_true(set.costs[0].ns_per_reference > 0 && set.costs[2].ns_per_reference > 0);
    assert_true(set.costs[1].ns_per_reference == 0);
    expect_curve(&set.curves[0], MODEL_LRU, &string, false, set.cold);
    expect_curve(&set.curves[2], MODEL_CLOCK, &string, false, set.cold);
    curve_set_free(&set);
    refs_close(source);
    random_string_free(&string);
}

static void samples_are_estimates(void **state) {
    static const char *const names[] = {"lru"};
    struct random_string string = string_make(3, 0);
    struct refs_source *source = string_open(&string, 0, NULL);
    const struct curve_request request = {
        .policies = names, .policy_count = 1, .sizes = sizes, .size_count = SIZES, .sample = 1000};
    struct curve_set set;
    char *message = NULL;
    assert_int_equal(curve_compute(source, &request, &set, &message), 0);
    assert_int_equal(set.curves[0].label, RESULT_ESTIMATED);
    assert_non_null(strstr(set.curves[0].condition, "from 1000 pages"));
    expect_curve(&set.curves[0], MODEL_LRU, &string, false, set.cold); /* of all pages, after all */
    curve_set_free(&set);
    refs_close(source);
    random_string_free(&string);
}

/* ---- bounds ---- */

/* Whether the references at `first` and `last`, both to one page, have less than k other pages in between,
 * and nothing else that happens to the page. */
static bool is_near(const struct random_string *s, size_t first, size_t last, uint32_t k) {
    const uint32_t page = s->items[first].page;
    uint32_t others[64], count = 0;
    for (size_t i = first + 1; i < last; i++) {
        uint32_t known = 0;
        if (s->items[i].page == page && s->items[i].kind != REFS_REFERENCE)
            return false;
        if (s->items[i].page == page || s->items[i].kind != REFS_REFERENCE)
            continue;
        while (known < count && others[known] != s->items[i].page)
            known++;
        if (known == count)
            others[count++] = s->items[i].page;
        if (count == k)
            return false;
    }
    return true;
}

static size_t next_to_page(const struct random_string *s, size_t at) {
    size_t next = at + 1;
    while (next < s->count && s->items[next].page != s->items[at].page)
        next++;
    return next < s->count && s->items[next].kind == REFS_REFERENCE ? next : SIZE_MAX;
}

/* The rule of record/reduce.h, again and again until it says nothing more. How many references went. */
static uint64_t drop_safely(struct random_string *s, uint32_t k) {
    uint64_t dropped = 0;
    for (size_t i = 0; i < s->count; i++) {
        const size_t middle = s->items[i].kind == REFS_REFERENCE ? next_to_page(s, i) : SIZE_MAX;
        const size_t last = middle == SIZE_MAX ? SIZE_MAX : next_to_page(s, middle);
        if (last == SIZE_MAX || !is_near(s, i, last, k))
            continue;
        memmove(s->items + middle, s->items + middle + 1, (s->count - middle - 1) * sizeof *s->items);
        s->count--;
        dropped++;
        i--;
    }
    return dropped;
}

static void expect_between(const struct curve *curve, enum model_policy policy,
                           const struct random_string *whole, uint32_t k) {
    assert_int_equal(curve->label, RESULT_BOUNDED);
    for (size_t i = 0; i < curve->count; i++) {
        const uint64_t truth = model_run(policy, whole, curve->sizes[i], false).misses;
        assert_in_range(truth, curve->lower[i], curve->upper[i]);
        assert_in_range(curve->faults[i], curve->lower[i], curve->upper[i]);
        if (curve->sizes[i] >= k)
            assert_int_equal(curve->lower[i], curve->upper[i]);
    }
}

/* `halves`: with what was counted for smaller memories, for which the bounds are the truth then. */
static void expect_bounds(struct random_string *string, uint32_t k, bool halves) {
    static const char *const names[] = {"lru", "opt"};
    struct random_string whole = *string;
    struct curve_set set;
    char *message = NULL;
    whole.items = malloc(string->count * sizeof *whole.items);
    memcpy(whole.items, string->items, string->count * sizeof *whole.items);
    struct refs_totals totals = {.dropped = drop_safely(string, k)};
    for (uint32_t frames = k / 2; halves && frames > 0; frames /= 2)
        totals.halves[totals.half_count++] = model_run(MODEL_LRU, &whole, frames, false).misses;
    struct refs_source *source = string_open_reduced(string, k, &totals, NULL);
    const struct curve_request request = {
        .policies = names, .policy_count = 2, .sizes = sizes, .size_count = SIZES, .writebacks = true};
    assert_true(totals.dropped > 0);
    assert_int_equal(curve_compute(source, &request, &set, &message), 0);
    char said[100];
    uint64_t references = 0;
    for (size_t i = 0; i < whole.count; i++)
        references += whole.items[i].kind == REFS_REFERENCE;
    snprintf(said, sizeof said,
             "%llu of %llu references were dropped (--reduce %u): with less than %u frames",
             (unsigned long long)totals.dropped, (unsigned long long)references, k, k);
    assert_non_null(strstr(set.curves[0].condition, said));
    expect_between(&set.curves[0], MODEL_LRU, &whole, k);
    expect_between(&set.curves[1], MODEL_OPT, &whole, k);
    for (uint32_t i = 0; i < SIZES; i++)
        for (uint32_t n = 0; n < totals.half_count; n++)
            if (sizes[i] == k >> (n + 1)) {
                assert_int_equal(set.curves[0].upper[i], totals.halves[n]);
                assert_true(set.curves[1].upper[i] <= totals.halves[n]);
            }
    curve_set_free(&set);
    refs_close(source);
    free(whole.items);
}

static void bounds_hold_what_was_dropped(void **state) {
    for (uint32_t seed = 1; seed <= 12; seed++) {
        struct random_string string = string_make(seed, 0);
        string.count /= 4;
        expect_bounds(&string, 3 + seed, seed % 2);
        random_string_free(&string);
    }
}

/* With one frame each reference misses, and for the one that is dropped another one is spared. */
static void a_reference_may_be_worth_two_misses(void **state) {
    struct refs_page pages[2] = {{.name = 1}, {.name = 2}};
    struct refs_item items[5];
    for (uint32_t i = 0; i < 5; i++)
        items[i] = (struct refs_item){.page = i % 2, .flags = ACCESS_READ};
    struct random_string string = {.items = items, .pages = pages, .count = 5, .page_count = 2};
    expect_bounds(&string, 2, false);
    assert_int_equal(string.count, 4);
}

/* ---- what is refused ---- */

static void expect_refused(struct refs_source *source, const struct curve_request *request, int error,
                           const char *part) {
    struct curve_set set;
    char *message = NULL;
    assert_int_equal(curve_compute(source, request, &set, &message), error);
    assert_non_null(message);
    if (!strstr(message, part))
        fail_msg("'%s' does not say '%s'", message, part);
    free(message);
}

static void what_is_unsound_is_refused(void **state) {
    static const char *const lru[] = {"lru"}, *const clock[] = {"lru", "clock"}, *const wrong[] = {"opt:x=1"};
    static const char *const unknown[] = {"belady"}, *const parameter[] = {"fifo:x=1"};
    struct random_string string = string_make(1, 0);
    struct refs_source *source = string_open(&string, 8, NULL);
    struct curve_request request = {
        .policies = clock, .policy_count = 2, .sizes = sizes, .size_count = SIZES};
    expect_refused(source, &request, -ENOTSUP, "clock: the references were reduced (--reduce 8)");
    request.policies = lru;
    request.policy_count = 1;
    request.sizes += 5;
    request.size_count -= 5;
    request.no_swap = true;
    expect_refused(source, &request, -ENOTSUP, "without swap");
    request.no_swap = false;
    struct curve_set set;
    char *message = NULL;
    assert_int_equal(curve_compute(source, &request, &set, &message), 0);
    assert_null(set.curves[0].writebacks);
    curve_set_free(&set);
    refs_close(source);

    source = string_open(&string, 0, NULL);
    request.policies = wrong;
    expect_refused(source, &request, -EINVAL, "opt has no parameters");
    static const char *const wrong_behind[] = {"lru", "opt:x=1"};
    request.policies = wrong_behind;
    request.policy_count = 2;
    expect_refused(source, &request, -EINVAL, "opt has no parameters");
    request.policy_count = 1;
    request.policies = unknown;
    expect_refused(source, &request, -EINVAL, "belady");
    request.policies = parameter;
    expect_refused(source, &request, -EINVAL, "fifo:x=1");
    request.policies = clock + 1;
    request.sample = 1000;
    expect_refused(source, &request, -ENOTSUP, "only lru can be estimated");
    refs_close(source);
    random_string_free(&string);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curves_are_those_of_memories),
        cmocka_unit_test(bits_are_for_those_who_want_every_reference),
        cmocka_unit_test(warm_ups_are_not_counted),
        cmocka_unit_test(a_run_that_is_all_warm_up_is_refused),
        cmocka_unit_test(sizes_are_chosen),
        cmocka_unit_test(sizes_are_the_same_whenever_they_are_chosen),
        cmocka_unit_test(conditions_are_named),
        cmocka_unit_test(costs_are_measured),
        cmocka_unit_test(samples_are_estimates),
        cmocka_unit_test(bounds_hold_what_was_dropped),
        cmocka_unit_test(a_reference_may_be_worth_two_misses),
        cmocka_unit_test(what_is_unsound_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
