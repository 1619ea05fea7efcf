/* Places that are watched: told once, in their order, and without any effect on what is executed. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"

static char *places[] = {"places", NULL}, *talk[] = {"talk", "x", "3", "0", NULL};

/* What was reached, as "name@pid name@pid …". */
static const char *reached(struct fixture *f) {
    static char line[512];
    line[0] = '\0';
    for (size_t i = 0; i < fixture_count(f, EVENT_REACHED); i++) {
        const struct event *e = fixture_event(f, EVENT_REACHED, i);
        size_t length = strlen(line);
        snprintf(line + length, sizeof line - length, "%s%s@%u", i ? " " : "", fixture_string(f, e->args[2]),
                 e->pid);
    }
    return line;
}

static void entry_and_main_are_reached_once(void **state) {
    struct fixture *f = *state;
    fixture_run_one(f, "talk", talk);
    assert_string_equal(reached(f), "_start@2 main@2");
    const struct event *entry = fixture_event(f, EVENT_REACHED, 0),
                       *start = fixture_event(f, EVENT_REACHED, 1);
    assert_int_equal(entry->flags, EVENT_REACHED_ENTRY);
    assert_int_equal(start->flags, EVENT_REACHED_MAIN);
    assert_int_equal(entry->args[1], fixture_event(f, EVENT_SWITCH, 0)->args[0]); /* its space */
    assert_true(start->args[0] > entry->args[0]);
    assert_true(start->sequence < fixture_event(f, EVENT_OUTPUT, 0)->sequence);
}

static void symbols_and_addresses_are_watched(void **state) {
    struct fixture *f = *state;
    char entry[32];
    fixture_run_one(f, "talk", talk);
    snprintf(entry, sizeof entry, "0x%llx", (unsigned long long)fixture_event(f, EVENT_REACHED, 0)->args[0]);
    fixture_teardown(state);

    fixture_setup(state);
    f = *state;
    const char *const watch[] = {"say", entry, NULL};
    f->config.watch = watch;
    fixture_run_one(f, "talk", talk);
    char expected[128];
    const char *seen = reached(f);
    snprintf(expected, sizeof expected, "%s@2 _start@2 main@2 say@2", entry);
    assert_string_equal(seen, expected);
    assert_int_equal(fixture_event(f, EVENT_REACHED, 3)->flags, EVENT_REACHED_WATCHED);
    assert_int_equal(f->reports, 0);
}

static void a_symbol_that_is_missing_is_reported_once(void **state) {
    struct fixture *f = *state;
    const char *const watch[] = {"nonsense", "0xnonsense", "say", NULL};
    f->config.watch = watch;
    fixture_create(f);
    fixture_add(f, "talk", talk, 0, 0);
    fixture_add(f, "talk", talk, 0, 0);
    assert_int_equal(fixture_run(f), 0);
    assert_int_equal(f->reports, 2); /* of each name */
    assert_non_null(strstr(f->reported, "machine-talk has no symbol 'nonsense': it is not watched there"));
    assert_string_equal(reached(f), "_start@2 main@2 say@2 _start@3 main@3 say@3");
}

/* In the middle of a block, on the slow path; by two threads, which share it; by a
 * child, which has its own. */
static void every_kind_of_place(void **state) {
    struct fixture *f = *state;
    const char *const watch[] = {"middle", "alone", "shared", "late", "never", NULL};
    f->config.watch = watch;
    fixture_run_one(f, "places", places);
    assert_int_equal(fixture_exit_status(f), 3);
    assert_string_equal(reached(f), "_start@2 middle@2 alone@2 shared@2 late@2 late@4");
    const struct event *parent = fixture_event(f, EVENT_REACHED, 4),
                       *child = fixture_event(f, EVENT_REACHED, 5);
    assert_int_equal(parent->args[0], child->args[0]);
    assert_int_not_equal(parent->args[1], child->args[1]);
}

/* ---- the execution ---- */

struct figures {
    uint64_t instructions, switches, faults, tlb_misses;
};

static struct figures run_watching(const char *const *watch, bool silent) {
    void *state;
    struct machine_summary s;
    fixture_setup(&state);
    struct fixture *f = state;
    f->config.watch = watch;
    f->silent = silent;
    fixture_create(f);
    fixture_add(f, "places", places, 0, 0);
    fixture_add(f, "talk", talk, 0, 0);
    fixture_add(f, "places", places, 0, 0);
    assert_int_equal(fixture_run(f), 0);
    machine_get_summary(f->machine, &s);
    fixture_teardown(&state);
    return (struct figures){s.engine.instructions, s.kernel.context_switches, tally_faults(&s.vm.tally),
                            s.engine.tlb_misses};
}

static void execution_is_the_same_with_and_without(void **state) {
    static const char *const watch[] = {"middle", "alone", "shared", "late", "say", "0x400000", NULL};
    const struct figures without = run_watching(NULL, true), listened = run_watching(NULL, false),
                         watched = run_watching(watch, false);
    assert_memory_equal(&without, &listened, sizeof without);
    assert_memory_equal(&without, &watched, sizeof without);
    assert_true(without.instructions > 12000);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(entry_and_main_are_reached_once),
        TEST(symbols_and_addresses_are_watched),
        TEST(a_symbol_that_is_missing_is_reported_once),
        TEST(every_kind_of_place),
        cmocka_unit_test(execution_is_the_same_with_and_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
