/* Films: events and states of a trace file and of a run that grows are those of the events themselves,
 * wherever one looks; searching and the timeline agree with looking at every event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/base.h"
#include "scenario.h"
#include "trace/file.h"
#include "trace/film-source.h"

enum { EVENTS = 150000 }; /* several blocks and more than one checkpoint */

static void record(uint64_t seed, uint64_t events, struct recorder *r) {
    static struct scenario s;
    *r = recorder();
    scenario_start(&s, seed, &r->sink);
    scenario_run(&s, events);
    scenario_stop(&s);
}

/* ---- the kinds of film ---- */

static struct film *film_of_file(const struct recorder *r, bool finish) {
    char path[] = "/tmp/thimble-test-XXXXXX";
    struct trace_file *file;
    struct film *film;
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_int_equal(trace_file_create(path, scenario_header(), NULL, NULL, NULL, &file), 0);
    for (size_t i = 0; i < r->count; i++)
        trace_file_sink(file)->receive(trace_file_sink(file), &r->events[i]);
    assert_int_equal(finish ? trace_file_finish(file, false) : trace_file_flush(file), 0);
    trace_file_destroy(file);
    assert_int_equal(film_open(path, &film), 0);
    unlink(path);
    return film;
}

static struct film *film_that_grew(const struct recorder *r) {
    struct film *film;
    assert_int_equal(film_create(scenario_header(), &film), 0);
    for (size_t i = 0, count; i < r->count; i += count) {
        count = min_size(r->count - i, 1 + i % 700);
        assert_int_equal(film_append(film, r->events + i, count), 0);
    }
    film_finish(film);
    return film;
}

/* A source that keeps no states, gives the events in small pieces, and has most of them only when it is asked
 * again. */
enum { SLOW_PIECE = 3000 };
struct slow_source {
    const struct recorder *recorder;
    bool asked[EVENTS / SLOW_PIECE + 2];
};

static uint64_t slow_events(void *context) {
    return ((struct slow_source *)context)->recorder->count;
}

static bool slow_is_finished(void *context) {
    return true;
}

static bool slow_is_cut(void *context) {
    return false;
}

static int slow_read(void *context, uint64_t n, struct event *events, size_t count, size_t *ret_count) {
    struct slow_source *s = context;
    bool *asked = &s->asked[n / SLOW_PIECE];
    if (!*asked) {
        *asked = true;
        return -EAGAIN;
    }
    *ret_count = min_size(min_size(count, 33), s->recorder->count - (n - 1));
    memcpy(events, s->recorder->events + n - 1, *ret_count * sizeof *events);
    return 0;
}

static void slow_destroy(void *context) {
    free(context);
}

static const struct film_source_ops slow_ops = {
    .events = slow_events,
    .is_finished = slow_is_finished,
    .is_cut = slow_is_cut,
    .read = slow_read,
    .destroy = slow_destroy,
};

static struct film *film_of_slow_source(const struct recorder *r) {
    struct slow_source *s = calloc(1, sizeof *s);
    struct film *film;
    s->recorder = r;
    assert_int_equal(film_create_from(&slow_ops, s, scenario_header(), &film), 0);
    return film;
}

/* ---- states ---- */

static const struct fold *state_of(struct film *film, uint64_t n) {
    const struct fold *f;
    int error;
    while ((error = film_state(film, n, &f)) == -EAGAIN)
        ;
    assert_int_equal(error, 0);
    assert_int_equal(f->sequence, n);
    return f;
}

static struct fold *fresh_fold(const struct recorder *r, uint64_t n) {
    struct fold *f = fold_create(NULL);
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(fold_apply(f, &r->events[i]), 0);
    return f;
}

/* Far jumps, and from each place some small steps to and fro. */
static void assert_states_are_those_of(struct film *film, const struct recorder *r, int jumps,
                                       uint64_t seed) {
    struct rng rng = {seed};
    for (int i = 0; i < jumps; i++) {
        uint64_t n = i ? rng_below(&rng, r->count + 1) : r->count;
        for (int step = 0; step < 6; step++) {
            struct fold *expected = fresh_fold(r, n);
            scenario_assert_same(state_of(film, n), expected);
            fold_destroy(expected);
            uint64_t by = rng_below(&rng, step % 2 ? 5 : 3000);
            n = step < 4 ? n - min_u64(n, by) : min_u64(n + by, r->count);
        }
    }
}

static void test_states_equal_fresh_folds(void **state) {
    struct recorder r;
    record(12, EVENTS, &r);
    struct film *films[] = {film_of_file(&r, true), film_of_file(&r, false), film_that_grew(&r),
                            film_of_slow_source(&r)};
    for (size_t i = 0; i < ARRAY_LENGTH(films); i++) {
        assert_int_equal(film_events(films[i]), r.count);
        assert_int_equal(film_is_cut(films[i]), i == 1);
        assert_true(film_is_finished(films[i]));
        assert_states_are_those_of(films[i], &r, 12, i + 1);
        film_destroy(films[i]);
    }
    recorder_free(&r);
}

/* Back and forward by small steps, and to just before the states that the film keeps for them: those are at
 * whole multiples of 1024 events. */
static void test_every_step_back_arrives(void **state) {
    struct recorder r;
    record(19, 40000, &r);
    struct film *film = film_of_file(&r, true);
    uint64_t n = r.count;
    for (uint64_t i = 0; i < 300; i++)
        state_of(film, n -= 1 + i % 25);
    for (n = n / 1024 * 1024; n > 1024; n -= 1024)
        state_of(film, n - 1);
    for (uint64_t i = 0; i < 1000; i++)
        state_of(film, n += 1 + i % 5);
    struct fold *expected = fresh_fold(&r, n);
    scenario_assert_same(state_of(film, n), expected);
    fold_destroy(expected);
    film_destroy(film);
    recorder_free(&r);
}

static void test_every_event_is_there(void **state) {
    struct recorder r;
    record(13, 40000, &r);
    struct film *films[] = {film_of_file(&r, true), film_that_grew(&r)};
    struct event *events = malloc((r.count + 1) * sizeof *events), one;
    size_t count;
    for (size_t i = 0; i < ARRAY_LENGTH(films); i++) {
        assert_int_equal(film_read(films[i], 1, events, r.count + 1, &count), 0);
        assert_int_equal(count, r.count);
        assert_memory_equal(events, r.events, count * sizeof *events);
        assert_int_equal(film_read(films[i], r.count - 2, events, 100, &count), 0);
        assert_int_equal(count, 3);
        assert_int_equal(film_event(films[i], 16385, &one), 0);
        assert_memory_equal(&one, &r.events[16384], sizeof one);
        const struct fold *f;
        assert_int_equal(film_event(films[i], 0, &one), -EINVAL);
        assert_int_equal(film_event(films[i], r.count + 1, &one), -EINVAL);
        assert_int_equal(film_state(films[i], r.count + 1, &f), -EINVAL);
        film_destroy(films[i]);
    }
    free(events);
    recorder_free(&r);
}

static void test_header_is_kept(void **state) {
    struct trace_header header = *scenario_header();
    struct film *film;
    assert_int_equal(film_create(&header, &film), 0);
    header.frames = 0;
    assert_int_equal(film_header(film)->frames, SCENARIO_FRAMES);
    assert_string_equal(film_header(film)->policy, header.policy);
    assert_int_equal(film_header(film)->argument_count, header.argument_count);
    assert_int_equal(film_events(film), 0);
    assert_false(film_is_finished(film));
    assert_int_equal(state_of(film, 0)->started, false);
    film_destroy(film);
}

/* ---- searching ---- */

static bool plain_find(const struct recorder *r, uint64_t from, bool backwards, const struct goal *goal,
                       uint64_t *ret_n) {
    uint64_t skip = goal->skip;
    for (uint64_t n = backwards ? from - 1 : from + 1; n >= 1 && n <= r->count; n += backwards ? -1ULL : 1)
        if (goal_met(goal, &r->events[n - 1]) && skip-- == 0) {
            *ret_n = n;
            return true;
        }
    return false;
}

static int find(struct film *film, uint64_t from, bool backwards, const struct goal *goal, uint64_t *ret_n) {
    int error;
    while ((error = film_find(film, from, backwards, goal, ret_n)) == -EAGAIN)
        ;
    return error;
}

static void assert_finds_like_plain(struct film *film, const struct recorder *r, const char *text) {
    struct goal goal;
    struct rng rng = {5};
    assert_null(goal_parse(text, &goal, NULL));
    for (int i = 0; i < 30; i++) {
        uint64_t from = 1 + rng_below(&rng, r->count), expected = 0, n = 0;
        bool backwards = rng_below(&rng, 2);
        int result = plain_find(r, from, backwards, &goal, &expected) ? 0 : -ENOENT;
        assert_int_equal(find(film, from, backwards, &goal, &n), result);
        assert_int_equal(n, expected);
    }
}

static void test_finding(void **state) {
    static const char *const goals[] = {
        "step",          "fault",           "served,skip=3",     "kind=swap_in,pid=1",
        "watched",       "fault,skip=5000", "kind=machine_stop", "kind=oom",
        "fault,object=2"};
    struct recorder r;
    record(14, 20000, &r);
    struct film *films[] = {film_of_file(&r, true), film_that_grew(&r), film_of_slow_source(&r)};
    for (size_t i = 0; i < ARRAY_LENGTH(films); i++) {
        for (size_t j = 0; j < ARRAY_LENGTH(goals); j++)
            if (i < 2 || j < 3)
                assert_finds_like_plain(films[i], &r, goals[j]);
        film_destroy(films[i]);
    }
    recorder_free(&r);
}

static void test_finding_by_number(void **state) {
    struct recorder r;
    record(15, 20000, &r);
    struct film *film = film_of_file(&r, true);
    struct goal goal = {.kind = GOAL_SEQUENCE, .number = 12345}, end = {.kind = GOAL_END};
    uint64_t n = 0;
    assert_int_equal(find(film, 0, false, &goal, &n), 0);
    assert_int_equal(n, 12345);
    assert_int_equal(find(film, 20000, true, &goal, &n), 0);
    assert_int_equal(n, 12345);
    assert_int_equal(find(film, 12345, true, &goal, &n), -ENOENT);
    assert_int_equal(find(film, 15000, false, &goal, &n), 0); /* the first step behind */
    assert_true(n > 15000 && event_is_step(&r.events[n - 1]));
    assert_int_equal(find(film, 0, false, &end, &n), -ENOENT);
    film_destroy(film);
    recorder_free(&r);
}

/* ---- the timeline ---- */

static uint64_t count_faults(const struct recorder *r, uint64_t from, uint64_t to, unsigned kind) {
    uint64_t faults = 0;
    for (uint64_t i = from; i < to; i++)
        faults += r->events[i].kind == EVENT_FAULT_DONE && r->events[i].flags == kind;
    return faults;
}

/* Exact as long as a cell is one event. */
static void test_timeline_of_a_short_run(void **state) {
    enum { BUCKETS = 37 };
    struct recorder r;
    record(16, 9000, &r);
    struct film *film = film_that_grew(&r);
    uint32_t counts[BUCKETS][FILM_TIMELINE_KINDS];
    assert_int_equal(film_timeline(film, BUCKETS, counts), 0);
    for (uint64_t bucket = 0; bucket < BUCKETS; bucket++) {
        uint64_t from = (bucket * r.count + BUCKETS - 1) / BUCKETS;
        uint64_t to = ((bucket + 1) * r.count + BUCKETS - 1) / BUCKETS;
        for (unsigned kind = 0; kind < FILM_TIMELINE_KINDS; kind++)
            assert_int_equal(counts[bucket][kind], count_faults(&r, from, to, kind));
    }
    film_destroy(film);
    recorder_free(&r);
}

/* Asked again and again while the run grows: nothing is lost or counted twice. */
static void test_timeline_of_a_growing_run(void **state) {
    enum { BUCKETS = 10 };
    struct recorder r;
    struct film *film;
    record(17, EVENTS, &r);
    assert_int_equal(film_create(scenario_header(), &film), 0);
    for (size_t done = 0, count; done < r.count; done += count) {
        uint32_t counts[BUCKETS][FILM_TIMELINE_KINDS];
        count = min_size(r.count - done, 50000);
        assert_int_equal(film_append(film, r.events + done, count), 0);
        assert_int_equal(film_timeline(film, BUCKETS, counts), 0);
        for (unsigned kind = 0; kind < FILM_TIMELINE_KINDS; kind++) {
            uint64_t sum = 0, expected = count_faults(&r, 0, done + count, kind);
            for (int i = 0; i < BUCKETS; i++)
                sum += counts[i][kind];
            assert_int_equal(sum, expected);
            uint64_t total = done + count, third = count_faults(&r, total * 3 / 10, total * 4 / 10, kind);
            assert_in_range(counts[3][kind], third - min_u64(third, 16), third + 16); /* 16: a cell */
        }
    }
    film_destroy(film);
    recorder_free(&r);
}

/* ---- a run that grows ---- */

struct growth {
    const struct recorder *recorder;
    struct film *film;
};

static void *grow(void *context) {
    const struct growth *g = context;
    for (size_t i = 0, count; i < g->recorder->count; i += count) {
        count = min_size(g->recorder->count - i, 97);
        if (film_append(g->film, g->recorder->events + i, count))
            abort();
    }
    film_finish(g->film);
    return NULL;
}

/* Looks at the newest and at old events and states while another thread appends. */
static void test_looking_while_it_grows(void **state) {
    struct recorder r;
    struct growth g = {&r, NULL};
    struct rng rng = {3};
    pthread_t thread;
    record(18, EVENTS, &r);
    assert_int_equal(film_create(scenario_header(), &g.film), 0);
    assert_int_equal(pthread_create(&thread, NULL, grow, &g), 0);
    for (bool finished = false; !finished;) {
        finished = film_is_finished(g.film);
        uint64_t total = film_events(g.film);
        if (!total)
            continue;
        struct event e;
        uint64_t n = rng_below(&rng, 2) ? total : 1 + rng_below(&rng, total);
        assert_int_equal(film_event(g.film, n, &e), 0);
        assert_memory_equal(&e, &r.events[n - 1], sizeof e);
        const struct fold *f = state_of(g.film, n);
        assert_int_equal(f->complaints, 0);
        assert_null(fold_check(f));
    }
    pthread_join(thread, NULL);
    assert_states_are_those_of(g.film, &r, 5, 77);
    film_destroy(g.film);
    recorder_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_equal_fresh_folds),
        cmocka_unit_test(test_every_step_back_arrives),
        cmocka_unit_test(test_every_event_is_there),
        cmocka_unit_test(test_header_is_kept),
        cmocka_unit_test(test_finding),
        cmocka_unit_test(test_finding_by_number),
        cmocka_unit_test(test_timeline_of_a_short_run),
        cmocka_unit_test(test_timeline_of_a_growing_run),
        cmocka_unit_test(test_looking_while_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
