/* The history of a run agrees with the fold at every sample, however long the run and in however many pieces
 * it came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "page/history.h"
#include "scenario.h"

static struct recorder record(uint64_t seed, uint64_t events) {
    static struct scenario s;
    struct recorder r = recorder();
    scenario_start(&s, seed, &r.sink);
    scenario_run(&s, events);
    scenario_stop(&s);
    return r;
}

static json_t *history_json(const struct history *h) {
    struct text t = {0};
    json_error_t error;
    history_put_json(h, &t);
    json_t *json = json_loadb(t.bytes, t.length, 0, &error);
    if (!json)
        fail_msg("not JSON: %s", error.text);
    text_free(&t);
    return json;
}

static json_int_t value(const json_t *json, const char *column, size_t which, size_t sample) {
    return json_integer_value(json_array_get(json_array_get(json_object_get(json, column), which), sample));
}

static json_int_t present_of(const struct fold *fold, uint32_t pid) {
    json_int_t present = 0;
    for (size_t i = 0; i < fold->spaces.count; i++) {
        const struct fold_space *space = fold->spaces.entries[i].value;
        if (space->owner == pid)
            present += (json_int_t)space->present;
    }
    return present;
}

static void assert_sample(const json_t *json, size_t sample, const struct fold *fold) {
    json_int_t faults = 0, resident = 0, present = 0;
    const json_t *pids = json_object_get(json, "pids");
    for (size_t kind = 0; kind < EVENT_FAULT_KINDS; kind++) {
        assert_int_equal(value(json, "faults", kind, sample), fold->counter.tally.faults[kind]);
        faults += value(json, "faults", kind, sample);
    }
    assert_int_equal(faults, tally_faults(&fold->counter.tally));
    for (size_t i = 0; i < json_array_size(pids); i++) {
        uint32_t pid = (uint32_t)json_integer_value(json_array_get(pids, i));
        if (pid)
            assert_int_equal(value(json, "resident", i, sample), present_of(fold, pid));
        resident += value(json, "resident", i, sample);
    }
    for (size_t i = 0; i < fold->spaces.count; i++)
        present += (json_int_t)((const struct fold_space *)fold->spaces.entries[i].value)->present;
    assert_int_equal(resident, present);
}

static void assert_agrees(uint64_t seed, uint64_t events) {
    struct recorder r = record(seed, events);
    struct history *h;
    assert_int_equal(history_create(&h), 0);
    for (size_t i = 0; i < r.count; i++)
        assert_int_equal(history_add(h, &r.events[i]), 0);
    json_t *json = history_json(h);
    const json_t *n = json_object_get(json, "n");
    size_t samples = json_array_size(n), applied = 0;
    assert_in_range(samples, 1, HISTORY_SAMPLES + 1);
    assert_int_equal(json_integer_value(json_array_get(n, samples - 1)), r.count);
    struct fold *fold = fold_create(NULL);
    json_int_t every = json_integer_value(json_object_get(json, "every"));
    for (size_t sample = 0; sample < samples; sample++) {
        if (sample + 1 < samples)
            assert_int_equal(json_integer_value(json_array_get(n, sample)), (json_int_t)(sample + 1) * every);
        size_t at = (size_t)json_integer_value(json_array_get(n, sample));
        while (applied < at)
            assert_int_equal(fold_apply(fold, &r.events[applied++]), 0);
        assert_sample(json, sample, fold);
    }
    fold_destroy(fold);
    json_decref(json);
    history_destroy(h);
    recorder_free(&r);
}

static void short_run_agrees_event_by_event(void **state) {
    assert_agrees(1, 300);
}

static void long_runs_agree_at_every_sample(void **state) {
    assert_agrees(2, HISTORY_SAMPLES);
    assert_agrees(3, HISTORY_SAMPLES + 1);
    assert_agrees(4, 20000);
}

static void empty_run_has_no_samples(void **state) {
    struct history *h;
    assert_int_equal(history_create(&h), 0);
    json_t *json = history_json(h);
    assert_int_equal(json_array_size(json_object_get(json, "n")), 0);
    json_decref(json);
    history_destroy(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_run_agrees_event_by_event),
        cmocka_unit_test(long_runs_agree_at_every_sample),
        cmocka_unit_test(empty_run_has_no_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
