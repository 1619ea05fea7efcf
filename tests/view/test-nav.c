/* The walker over random films, against the plainest walk there is: an array of events. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../trace/scenario.h"
#include "trace/film-source.h"
#include "view/nav.h"

enum { EVENTS = 3000, SEEDS = 4 };

/* ---- films ---- */

struct run {
    struct recorder recorder;
    struct film *film;
    struct nav *nav;
};

static void record(struct run *r, uint64_t seed, uint64_t events) {
    struct scenario *s = calloc(1, sizeof *s);
    assert_non_null(s);
    r->recorder = recorder();
    scenario_start(s, seed, &r->recorder.sink);
    scenario_run(s, events);
    scenario_stop(s);
    free(s);
}

/* A whole film of a random run. */
static void start(struct run *r, uint64_t seed) {
    record(r, seed, EVENTS);
    assert_int_equal(film_create(scenario_header(), &r->film), 0);
    assert_int_equal(film_append(r->film, r->recorder.events, r->recorder.count), 0);
    film_finish(r->film);
    assert_int_equal(nav_create(r->film, false, &r->nav), 0);
}

static void finish(struct run *r) {
    nav_destroy(r->nav);
    film_destroy(r->film);
    recorder_free(&r->recorder);
}

/* ---- the model ---- */

typedef bool matches(const struct event *, uint64_t argument);

static bool is_step(const struct event *e, uint64_t unused) {
    return event_is_step(e);
}

static bool is_fault(const struct event *e, uint64_t unused) {
    return e->kind == EVENT_FAULT;
}

static bool is_kind(const struct event *e, uint64_t kind) {
    return e->kind == kind;
}

static bool is_step_of(const struct event *e, uint64_t pid) {
    return event_is_step(e) && e->pid == pid;
}

/* The first event behind `from` that matches; 0: none. */
static uint64_t scan(const struct run *r, uint64_t from, matches *match, uint64_t argument) {
    for (uint64_t n = from + 1; n <= r->recorder.count; n++)
        if (match(&r->recorder.events[n - 1], argument))
            return n;
    return 0;
}

static uint64_t scan_back(const struct run *r, uint64_t from, matches *match, uint64_t argument) {
    for (uint64_t n = from; n-- > 1;)
        if (match(&r->recorder.events[n - 1], argument))
            return n;
    return 0;
}

static void assert_state_is_after(const struct run *r, uint64_t n) {
    struct fold *fresh = fold_create(NULL);
    const struct fold *shown;
    assert_non_null(fresh);
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(fold_apply(fresh, &r->recorder.events[i]), 0);
    assert_int_equal(film_state(r->film, nav_position(r->nav), &shown), 0);
    scenario_assert_same(shown, fresh);
    fold_destroy(fresh);
}

/* Presses a key for a whole walk, and compares each place with the scan's. */
static void assert_walk(struct run *r, int key, matches *match, uint64_t argument) {
    uint64_t at = nav_position(r->nav);
    for (;;) {
        const uint64_t next = scan(r, at, match, argument);
        assert_int_equal(nav_key(r->nav, key), NAV_DRAW);
        if (!next)
            break;
        assert_int_equal(nav_position(r->nav), next);
        assert_string_equal(nav_message(r->nav), "");
        at = next;
    }
    assert_int_equal(nav_position(r->nav), at); /* a search that finds nothing stays where it is */
    assert_non_null(strstr(nav_message(r->nav), "follows: the run has ended"));
}

/* ---- walking ---- */

static void test_forward_shows_every_step(void **state) {
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct run r;
        start(&r, seed);
        assert_walk(&r, seed % 2 ? 's' : NAV_RIGHT, is_step, 0);
        finish(&r);
    }
}

static void test_back_after_forward_is_the_same_state(void **state) {
    struct run r;
    start(&r, 5);
    struct rng rng = {6};
    uint64_t at = 0;
    for (int i = 0; i < 400; i++) {
        const bool forward = at < 10 || rng_below(&rng, 3) > 0;
        assert_int_equal(nav_key(r.nav, forward ? NAV_RIGHT : NAV_LEFT), NAV_DRAW);
        at = forward ? scan(&r, at, is_step, 0) : scan_back(&r, at, is_step, 0);
        assert_int_equal(nav_position(r.nav), at);
        if (i % 16 == 0)
            assert_state_is_after(&r, at);
    }
    finish(&r);
}

static void test_back_from_the_first_step_says_so(void **state) {
    struct run r;
    start(&r, 1);
    assert_int_equal(nav_key(r.nav, NAV_HOME), NAV_DRAW);
    const uint64_t first = scan(&r, 0, is_step, 0);
    assert_int_equal(nav_position(r.nav), first);
    assert_int_equal(nav_key(r.nav, NAV_LEFT), NAV_DRAW);
    assert_int_equal(nav_position(r.nav), first);
    assert_string_equal(nav_message(r.nav), "There is no step before this");
    finish(&r);
}

static void test_n_finds_every_fault(void **state) {
    struct run r;
    start(&r, 2);
    assert_walk(&r, 'n', is_fault, 0);
    finish(&r);
}

static void test_filters(void **state) {
    struct run r;
    start(&r, 3);
    nav_set_filter(r.nav, &(struct nav_filter){.kind = EVENT_VICTIM});
    assert_walk(&r, 'N', is_kind, EVENT_VICTIM);
    for (uint64_t at = nav_position(r.nav); (at = scan_back(&r, at, is_kind, EVENT_VICTIM));) {
        nav_key(r.nav, NAV_LEFT);
        assert_int_equal(nav_position(r.nav), at);
    }
    const uint32_t pid = r.recorder.events[r.recorder.count / 2].pid;
    nav_set_filter(r.nav, &(struct nav_filter){.pid = pid});
    nav_go(r.nav, 0);
    assert_walk(&r, 's', is_step_of, pid);
    finish(&r);
}

static void test_go(void **state) {
    struct run r;
    start(&r, 4);
    for (uint64_t n = 0; n <= r.recorder.count; n += 37) {
        assert_int_equal(nav_go(r.nav, n), NAV_DRAW);
        const bool here = n && event_is_step(&r.recorder.events[n - 1]);
        assert_int_equal(nav_position(r.nav), here ? n : scan_back(&r, n, is_step, 0));
    }
    nav_go(r.nav, r.recorder.count + 100);
    assert_int_equal(nav_position(r.nav), scan_back(&r, r.recorder.count + 1, is_step, 0));
    assert_non_null(strstr(nav_message(r.nav), "There are"));
    finish(&r);
}

static void test_find_counts_from_the_beginning(void **state) {
    struct run r;
    start(&r, 4);
    uint64_t third = 0;
    for (int i = 0; i < 3; i++)
        third = scan(&r, third, is_fault, 0);
    nav_go(r.nav, r.recorder.count);
    assert_int_equal(nav_find(r.nav, &(struct goal){.kind = GOAL_FAULT, .skip = 2}), NAV_DRAW);
    assert_int_equal(nav_position(r.nav), third);
    finish(&r);
}

/* ---- questions ---- */

static void test_g_takes_numbers_and_goals(void **state) {
    struct run r;
    char number[24];
    start(&r, 4);
    const uint64_t fault = scan(&r, 0, is_fault, 0), second = scan(&r, fault, is_fault, 0);
    assert_int_equal(nav_key(r.nav, 'g'), NAV_ASK);
    assert_non_null(strstr(nav_question(r.nav), "Go to"));
    snprintf(number, sizeof number, " %llu ", (unsigned long long)fault);
    assert_int_equal(nav_answer(r.nav, number), NAV_DRAW);
    assert_int_equal(nav_position(r.nav), fault);
    assert_string_equal(nav_question(r.nav), "");
    nav_key(r.nav, 'g');
    assert_int_equal(nav_answer(r.nav, "fault=2"), NAV_DRAW);
    assert_int_equal(nav_position(r.nav), second);
    nav_key(r.nav, 'g');
    assert_int_equal(nav_answer(r.nav, "12monkeys"), NAV_ASK); /* asked again, with the reason */
    assert_non_null(strstr(nav_message(r.nav), "12monkeys"));
    assert_int_equal(nav_answer(r.nav, NULL), NAV_DRAW);
    assert_int_equal(nav_position(r.nav), second);
    finish(&r);
}

static void test_f_takes_a_filter(void **state) {
    struct run r;
    start(&r, 3);
    assert_int_equal(nav_key(r.nav, 'N'), NAV_ASK); /* nothing is chosen yet: which kind? */
    assert_int_equal(nav_answer(r.nav, "kind=swap_out"), NAV_DRAW);
    assert_int_equal(nav_position(r.nav), scan(&r, 0, is_kind, EVENT_SWAP_OUT));
    assert_int_equal(nav_key(r.nav, 'f'), NAV_ASK);
    assert_int_equal(nav_answer(r.nav, "kind=swapout"), NAV_ASK);
    assert_non_null(strstr(nav_message(r.nav), "no such kind"));
    assert_int_equal(nav_answer(r.nav, "file=/nowhere"), NAV_ASK);
    assert_int_equal(nav_answer(r.nav, "pid=x"), NAV_ASK);
    assert_int_equal(nav_answer(r.nav, "pid=1, kind=fault"), NAV_DRAW);
    assert_string_equal(nav_message(r.nav), "Only pid=1 kind=fault");
    nav_key(r.nav, 'f');
    assert_int_equal(nav_answer(r.nav, ""), NAV_DRAW);
    assert_string_equal(nav_message(r.nav), "Everything is shown");
    finish(&r);
}

static void test_labels_and_the_keys_of_the_interface(void **state) {
    struct run r;
    start(&r, 1);
    assert_false(nav_real_numbers(r.nav));
    assert_int_equal(nav_key(r.nav, 'l'), NAV_DRAW);
    assert_true(nav_real_numbers(r.nav));
    assert_int_equal(nav_key(r.nav, 'e'), NAV_EXPORT);
    assert_int_equal(nav_key(r.nav, '?'), NAV_HELP);
    assert_int_equal(nav_key(r.nav, 'q'), NAV_QUIT);
    assert_int_equal(nav_key(r.nav, 'z'), NAV_NOTHING);
    assert_int_equal(nav_key(r.nav, 0), NAV_NOTHING);
    assert_int_equal(nav_answer(r.nav, "nobody asked"), NAV_NOTHING);
    finish(&r);
}

/* ---- predicting ---- */

static void assert_score(const struct run *r, unsigned right, unsigned asked) {
    unsigned is_right, is_asked;
    nav_score(r->nav, &is_right, &is_asked);
    assert_int_equal(is_right, right);
    assert_int_equal(is_asked, asked);
}

static void test_a_prediction_is_asked_before_the_victim_is_shown(void **state) {
    struct run r;
    char answer[24];
    unsigned asked = 0, right = 0;
    start(&r, 7);
    for (uint64_t victim = 0; (victim = scan(&r, victim, is_kind, EVENT_VICTIM)) && asked < 20; asked++) {
        const uint64_t frame = r.recorder.events[victim - 1].args[0];
        const bool guess = asked % 3 == 0;
        assert_int_equal(nav_key(r.nav, 'p'), NAV_ASK);
        assert_int_equal(nav_position(r.nav), scan_back(&r, victim, is_step, 0));
        assert_null(strstr(nav_question(r.nav), "PP3")); /* it does not give the answer away */
        const uint64_t said = guess ? frame : frame == SCENARIO_RESERVED ? frame + 1 : SCENARIO_RESERVED;
        snprintf(answer, sizeof answer, asked % 2 ? "PP%llu" : "%llu", (unsigned long long)said);
        assert_int_equal(nav_answer(r.nav, answer), NAV_DRAW);
        right += guess;
        assert_int_equal(nav_position(r.nav), victim);
        assert_non_null(strstr(nav_message(r.nav), guess ? "Right" : "the victim is"));
        assert_score(&r, right, asked + 1);
    }
    assert_true(asked > 5);
    finish(&r);
}

static void test_what_is_no_guess_is_not_counted(void **state) {
    struct run r;
    start(&r, 7);
    assert_int_equal(nav_key(r.nav, 'p'), NAV_ASK);
    assert_int_equal(nav_answer(r.nav, "1"), NAV_ASK);
    assert_non_null(strstr(nav_message(r.nav), "reserved"));
    assert_int_equal(nav_answer(r.nav, "24"), NAV_ASK);
    assert_int_equal(nav_answer(r.nav, "the third"), NAV_ASK);
    assert_int_equal(nav_answer(r.nav, NULL), NAV_DRAW);
    assert_score(&r, 0, 0);
    assert_int_equal(nav_answer(r.nav, "3"), NAV_NOTHING);
    finish(&r);
}

static void test_no_victim_is_left(void **state) {
    struct run r;
    start(&r, 7);
    nav_go(r.nav, r.recorder.count);
    assert_int_equal(nav_key(r.nav, 'p'), NAV_DRAW);
    assert_string_equal(nav_message(r.nav), "No victim follows: the run has ended");
    finish(&r);
}

/* ---- live ---- */

/* A live run: the film has the first events only. */
static void start_live(struct run *r, uint64_t seed, uint64_t events) {
    record(r, seed, EVENTS);
    assert_int_equal(film_create(scenario_header(), &r->film), 0);
    assert_int_equal(film_append(r->film, r->recorder.events, events), 0);
    assert_int_equal(nav_create(r->film, true, &r->nav), 0);
    assert_int_equal(nav_go(r->nav, events), NAV_DRAW);
}

/* What the machine does: it runs until the goal is met (or so many events are there). */
static void run_to(struct run *r, const struct goal *goal, uint64_t most) {
    uint64_t skipped = 0;
    for (uint64_t n = film_events(r->film) + 1; n <= most; n++) {
        const struct event *e = &r->recorder.events[n - 1];
        assert_int_equal(film_append(r->film, e, 1), 0);
        if (goal_met(goal, e) && skipped++ == goal->skip)
            return;
    }
}

static void test_live_keys_run_the_machine(void **state) {
    struct run r;
    start_live(&r, 8, 100);
    for (int i = 0; i < 200; i++) {
        const int key = i % 5 ? 's' : 'n';
        const uint64_t next = scan(&r, nav_position(r.nav), key == 's' ? is_step : is_fault, 0);
        assert_int_equal(nav_key(r.nav, key), NAV_RUN);
        assert_int_equal(nav_arrived(r.nav), NAV_NOTHING); /* not yet */
        run_to(&r, nav_goal(r.nav), r.recorder.count);
        assert_int_equal(film_events(r.film), next);
        assert_int_equal(nav_arrived(r.nav), NAV_DRAW);
        assert_int_equal(nav_position(r.nav), next);
    }
    assert_int_equal(nav_key(r.nav, NAV_LEFT), NAV_DRAW);
    assert_int_equal(nav_key(r.nav, NAV_RIGHT), NAV_DRAW); /* it is in the film: nothing has to run */
    finish(&r);
}

static void test_live_prediction(void **state) {
    struct run r;
    char answer[24];
    start_live(&r, 7, 50);
    const uint64_t victim = scan(&r, 50, is_kind, EVENT_VICTIM);
    assert_int_equal(nav_key(r.nav, 'p'), NAV_RUN);
    run_to(&r, nav_goal(r.nav), r.recorder.count);
    assert_int_equal(film_events(r.film), victim);
    assert_int_equal(nav_arrived(r.nav), NAV_ASK);
    assert_true(nav_position(r.nav) < victim);
    snprintf(answer, sizeof answer, "%llu", (unsigned long long)r.recorder.events[victim - 1].args[0]);
    assert_int_equal(nav_answer(r.nav, answer), NAV_DRAW);
    assert_score(&r, 1, 1);
    finish(&r);
}

static void test_live_goal_counts_what_was_passed(void **state) {
    struct run r;
    start_live(&r, 8, 400);
    uint64_t passed = 0, fault = 0;
    for (uint64_t n = 0; (n = scan(&r, n, is_fault, 0)) && n <= 400;)
        passed++;
    for (uint64_t i = 0; i < passed + 3; i++)
        fault = scan(&r, fault, is_fault, 0);
    assert_true(passed > 2);
    assert_int_equal(nav_find(r.nav, &(struct goal){.kind = GOAL_FAULT, .skip = passed + 2}), NAV_RUN);
    assert_int_equal(nav_goal(r.nav)->skip, 2);
    const struct goal goal = *nav_goal(r.nav);
    run_to(&r, &(struct goal){.kind = GOAL_FAULT, .skip = 1}, r.recorder.count);
    assert_int_equal(nav_arrived(r.nav), NAV_NOTHING); /* two of three: not yet */
    run_to(&r, &(struct goal){.kind = goal.kind, .skip = goal.skip - 2}, r.recorder.count);
    assert_int_equal(nav_arrived(r.nav), NAV_DRAW);
    assert_int_equal(nav_position(r.nav), fault);
    finish(&r);
}

static void test_live_continue_and_stop(void **state) {
    static const struct goal never = {.kind = GOAL_END};
    struct run r;
    start_live(&r, 9, 100);
    assert_int_equal(nav_key(r.nav, 'c'), NAV_CONTINUE);
    run_to(&r, &never, 300);
    assert_int_equal(nav_arrived(r.nav), NAV_DRAW);
    assert_int_equal(nav_position(r.nav), scan_back(&r, 301, is_step, 0));
    assert_int_equal(nav_arrived(r.nav), NAV_NOTHING);
    assert_int_equal(nav_key(r.nav, 'l'), NAV_DRAW); /* what does not walk does not stop it */
    assert_int_equal(nav_key(r.nav, 's'), NAV_PAUSE);
    run_to(&r, &never, 320); /* it stops a little later */
    assert_int_equal(nav_arrived(r.nav), NAV_DRAW);
    assert_int_equal(nav_position(r.nav), scan_back(&r, 321, is_step, 0));
    assert_int_equal(nav_key(r.nav, NAV_LEFT), NAV_DRAW);
    assert_int_equal(nav_key(r.nav, 'c'), NAV_CONTINUE);
    run_to(&r, &never, r.recorder.count);
    film_finish(r.film);
    assert_int_equal(nav_arrived(r.nav), NAV_DRAW);
    assert_string_equal(nav_message(r.nav), "The run has ended");
    assert_int_equal(nav_arrived(r.nav), NAV_NOTHING);
    assert_int_equal(nav_key(r.nav, 'n'), NAV_DRAW);
    finish(&r);
}

static void test_live_goal_is_never_met(void **state) {
    struct run r;
    start_live(&r, 9, 100);
    nav_set_filter(r.nav, &(struct nav_filter){.pid = 4000});
    assert_int_equal(nav_key(r.nav, 'n'), NAV_RUN);
    run_to(&r, nav_goal(r.nav), r.recorder.count);
    assert_int_equal(nav_arrived(r.nav), NAV_NOTHING);
    film_finish(r.film);
    assert_int_equal(nav_arrived(r.nav), NAV_DRAW);
    assert_string_equal(nav_message(r.nav), "No page fault of PID 4000 follows: the run has ended");
    finish(&r);
}

/* ---- a film that has to be fetched ---- */

/* Gives each event only when it is asked for the second time. */
struct slow_film {
    const struct recorder *recorder;
    bool *here;
};

static uint64_t slow_events(void *context) {
    const struct slow_film *slow = context;
    return slow->recorder->count;
}

static bool slow_is_finished(void *context) {
    return true;
}

static bool slow_is_cut(void *context) {
    return false;
}

static int slow_read(void *context, uint64_t n, struct event *events, size_t count, size_t *ret_count) {
    enum { BLOCK = 64 };
    struct slow_film *slow = context;
    const uint64_t block = (n - 1) / BLOCK, end = (block + 1) * BLOCK;
    if (!slow->here[block]) {
        slow->here[block] = true;
        return -EAGAIN;
    }
    size_t got = 0;
    for (; n <= end && n <= slow->recorder->count && got < count; n++)
        events[got++] = slow->recorder->events[n - 1];
    *ret_count = got;
    return 0;
}

static void slow_destroy(void *context) {
    struct slow_film *slow = context;
    free(slow->here);
    free(slow);
}

static const struct film_source_ops slow_ops = {
    .events = slow_events,
    .is_finished = slow_is_finished,
    .is_cut = slow_is_cut,
    .read = slow_read,
    .destroy = slow_destroy,
};

static void make_slow(struct run *slow, const struct run *fast) {
    struct slow_film *source = calloc(1, sizeof *source);
    assert_non_null(source);
    source->recorder = &fast->recorder;
    source->here = calloc(fast->recorder.count + 1, sizeof *source->here);
    assert_non_null(source->here);
    assert_int_equal(film_create_from(&slow_ops, source, scenario_header(), &slow->film), 0);
    assert_int_equal(nav_create(slow->film, false, &slow->nav), 0);
}

/* Gives the key, or the answer, until nothing has to be fetched. */
static enum nav_result insist(struct nav *nav, int key, const char *answer, unsigned *fetched) {
    for (;;) {
        const uint64_t before = nav_position(nav);
        const enum nav_result result = answer ? nav_answer(nav, answer) : nav_key(nav, key);
        if (result != NAV_FETCH)
            return result;
        assert_int_equal(nav_position(nav), before); /* a key is not half done */
        ++*fetched;
    }
}

static void test_keys_that_need_a_fetch_do_the_same_in_the_end(void **state) {
    static const int keys[] = {'s',      'n', NAV_RIGHT, NAV_LEFT, 'p',     'N',
                               NAV_HOME, 'g', 'c',       's',      NAV_END, 'l'};
    struct run fast, slow;
    struct rng rng = {10};
    unsigned fetched = 0, none = 0;
    start(&fast, 11);
    for (int round = 0; round < 8; round++) {
        make_slow(&slow, &fast);
        nav_destroy(fast.nav);
        assert_int_equal(nav_create(fast.film, false, &fast.nav), 0);
        for (int i = 0; i < 60; i++) {
            const int key = keys[rng_below(&rng, sizeof keys / sizeof *keys)];
            enum nav_result result = insist(fast.nav, key, NULL, &none);
            assert_int_equal(insist(slow.nav, key, NULL, &fetched), result);
            if (result == NAV_ASK) {
                const char *answer = key == 'p' ? "PP5" : key == 'g' ? "fault=3" : "kind=victim";
                result = insist(fast.nav, 0, answer, &none);
                assert_int_equal(insist(slow.nav, 0, answer, &fetched), result);
            }
            assert_int_equal(nav_position(slow.nav), nav_position(fast.nav));
            assert_string_equal(nav_message(slow.nav), nav_message(fast.nav));
        }
        nav_destroy(slow.nav);
        film_destroy(slow.film);
    }
    assert_true(fetched > 20);
    assert_int_equal(none, 0);
    finish(&fast);
}

/* ---- pictures ---- */

static void test_a_picture_marks_what_its_step_changed(void **state) {
    static const struct picture_options options = {.kind = PICTURE_TABLES};
    struct run r;
    start(&r, 12);
    unsigned marked = 0;
    for (uint64_t n = 0; (n = scan(&r, n, is_kind, EVENT_VICTIM)) && marked < 10;) {
        nav_go(r.nav, n);
        struct picture *p = nav_picture(r.nav, &options);
        assert_non_null(p);
        const uint64_t frame = r.recorder.events[n - 1].args[0];
        assert_int_equal(p->sequence, n);
        assert_true(p->frames[frame].victim);
        assert_true(p->frames[frame].changed);
        assert_non_null(strstr(p->narration, "picks a victim"));
        picture_destroy(p);
        marked++;
    }
    assert_true(marked > 3);
    finish(&r);
}

static char *json_of(const struct picture *p) {
    struct text t = {0};
    draw_json(p, &(struct draw_options){0}, &t);
    text_bytes(&t, "", 1);
    assert_false(t.failed);
    return t.bytes;
}

/* The marks are those of the events behind the step before, no more and no fewer. */
static void test_marks_are_those_of_one_step(void **state) {
    struct run r;
    start(&r, 12);
    for (uint64_t n = 200; (n = scan(&r, n, is_step, 0)) && n < 300;) {
        const uint64_t before = scan_back(&r, n, is_step, 0);
        const struct picture_options options = {
            .kind = PICTURE_TABLES,
            .before = before,
            .changes = &r.recorder.events[before],
            .change_count = n - before,
        };
        const struct fold *fold;
        struct picture *expected;
        assert_int_equal(film_state(r.film, n, &fold), 0);
        assert_int_equal(picture_create(fold, &options, NULL, &expected), 0);
        nav_go(r.nav, n);
        struct picture *p = nav_picture(r.nav, &(struct picture_options){.kind = PICTURE_TABLES});
        assert_non_null(p);
        char *a = json_of(p), *b = json_of(expected);
        assert_string_equal(a, b);
        free(a);
        free(b);
        picture_destroy(p);
        picture_destroy(expected);
    }
    finish(&r);
}

static void test_advice_about_the_size(void **state) {
    struct run r;
    struct text t = {0};
    start(&r, 1);
    assert_false(nav_put_advice(r.nav, &t)); /* 24 frames can be drawn */
    assert_int_equal(t.length, 0);
    finish(&r);
    const struct event large = {.sequence = 1, .kind = EVENT_MACHINE_START, .args = {1000, 3, 50}};
    assert_int_equal(film_create(scenario_header(), &r.film), 0);
    assert_int_equal(film_append(r.film, &large, 1), 0);
    assert_int_equal(nav_create(r.film, false, &r.nav), 0);
    nav_go(r.nav, 1);
    assert_true(nav_put_advice(r.nav, &t));
    text_bytes(&t, "", 1);
    assert_non_null(strstr(t.bytes, "1000 frames"));
    assert_non_null(strstr(t.bytes, "-n 9"));
    text_free(&t);
    nav_destroy(r.nav);
    film_destroy(r.film);
}

static void test_help_names_every_key(void **state) {
    struct text t = {0};
    nav_put_help(&t);
    text_bytes(&t, "", 1);
    for (const char *key = "snNcgpfle?q"; *key; key++) {
        const char name[] = {'\n', *key, ' ', 0};
        assert_true(strstr(t.bytes, name) || *key == 's');
    }
    text_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward_shows_every_step),
        cmocka_unit_test(test_back_after_forward_is_the_same_state),
        cmocka_unit_test(test_back_from_the_first_step_says_so),
        cmocka_unit_test(test_n_finds_every_fault),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_go),
        cmocka_unit_test(test_find_counts_from_the_beginning),
        cmocka_unit_test(test_g_takes_numbers_and_goals),
        cmocka_unit_test(test_f_takes_a_filter),
        cmocka_unit_test(test_labels_and_the_keys_of_the_interface),
        cmocka_unit_test(test_a_prediction_is_asked_before_the_victim_is_shown),
        cmocka_unit_test(test_what_is_no_guess_is_not_counted),
        cmocka_unit_test(test_no_victim_is_left),
        cmocka_unit_test(test_live_keys_run_the_machine),
        cmocka_unit_test(test_live_prediction),
        cmocka_unit_test(test_live_goal_counts_what_was_passed),
        cmocka_unit_test(test_live_continue_and_stop),
        cmocka_unit_test(test_live_goal_is_never_met),
        cmocka_unit_test(test_keys_that_need_a_fetch_do_the_same_in_the_end),
        cmocka_unit_test(test_a_picture_marks_what_its_step_changed),
        cmocka_unit_test(test_marks_are_those_of_one_step),
        cmocka_unit_test(test_advice_about_the_size),
        cmocka_unit_test(test_help_names_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
