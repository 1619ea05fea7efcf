/* A live machine: what its film holds, where it stops, what its terminal says, and that a machine that is
 * held or ended costs nothing. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/base.h"
#include "live/live.h"

enum { PATIENCE = 20000 }; /* milliseconds until a wait has failed */

struct show {
    struct machine *machine;
    struct live *live;
    pthread_t thread;
    int result; /* of live_run() */
    _Atomic int changes;
};

/* ---- starting and ending ---- */

static void changed(void *context) {
    struct show *s = context;
    s->changes++;
}

static void report(void *context, const char *line) {
    fprintf(stderr, "%s\n", line);
}

static void *run(void *context) {
    struct show *s = context;
    s->result = live_run(s->live, NULL);
    return NULL;
}

/* `how`: paused, run_to and terminal are taken from there. */
static void start(struct show *s, char *path, const struct live_config *how) {
    static char *no_environment[] = {NULL};
    static char *argv[] = {"program", NULL};
    const struct machine_config config = {
        .frames = 12,
        .reserved = 3,
        .swap_pages = 100,
        .policy = "clock",
        .deterministic = true,
        .seed = 1,
        .level = CPU_LEVEL_V3,
        .tlb_entries = 64,
        .report = report,
    };
    static const struct trace_header header = {.thimble = "test",
                                               .frames = 12,
                                               .reserved = 3,
                                               .page_table = "array",
                                               .policy = "clock",
                                               .cpu = "any"};
    struct live_config live = *how;
    char *message = NULL;
    live.header = &header;
    live.changed = changed;
    live.context = s;
    *s = (struct show){0};
    if (machine_create(&config, &s->machine, &message))
        fail_msg("%s", message);
    assert_int_equal(live_create(s->machine, &live, &s->live), 0);
    int stream = live_terminal(s->live);
    const struct machine_program program = {.file = path,
                                            .argv = argv,
                                            .envp = no_environment,
                                            .input = stream < 0 ? 0 : stream,
                                            .output = stream < 0 ? 1 : stream,
                                            .error = stream < 0 ? 2 : stream};
    assert_int_equal(machine_add_program(s->machine, &program), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

static void end(struct show *s) {
    pthread_join(s->thread, NULL);
    live_destroy(s->live);
    machine_destroy(s->machine);
}

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void wait_for(struct show *s, enum live_state wanted) {
    for (int i = 0; live_state(s->live) != wanted; i++) {
        assert_in_range(i, 0, PATIENCE);
        nap();
    }
}

/* The last event of a film that does not grow now. */
static struct event last_event(struct show *s) {
    struct event e;
    struct film *film = live_film(s->live);
    assert_int_equal(film_event(film, film_events(film), &e), 0);
    return e;
}

/* Whether the machine's tables must agree after this event. */
static bool is_between_steps(const struct event *e) {
    return e->kind == EVENT_SYSCALL_ENTER || e->kind == EVENT_SYSCALL_EXIT || e->kind == EVENT_FAULT_DONE ||
           e->kind == EVENT_MACHINE_STOP;
}

/* The state at the end equals a fresh fold of all events, and the machine's tables agree
 * whenever they must (at most the first 20000 events are looked at so closely). */
static void assert_film_is_right(struct film *film) {
    struct fold *fresh = fold_create(NULL);
    for (uint64_t n = 1; n <= film_events(film); n++) {
        struct event e;
        assert_int_equal(film_event(film, n, &e), 0);
        assert_int_equal(e.sequence, n);
        assert_int_equal(fold_apply(fresh, &e), 0);
        if (n < 20000 && is_between_steps(&e))
            assert_null(fold_check_machine(fresh));
    }
    const struct fold *f;
    void *bytes[2];
    size_t sizes[2];
    assert_int_equal(film_state(film, film_events(film), &f), 0);
    assert_int_equal(fold_save(f, &bytes[0], &sizes[0]), 0);
    assert_int_equal(fold_save(fresh, &bytes[1], &sizes[1]), 0);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    assert_int_equal(f->complaints, 0);
    assert_null(fold_check(f));
    free(bytes[0]);
    free(bytes[1]);
    fold_destroy(fresh);
}

/* ---- running ---- */

static void test_from_step_to_step_and_to_the_end(void **state) {
    struct show s;
    start(&s, PROGRAMS "dialog", &(struct live_config){.paused = true, .terminal = true});
    wait_for(&s, LIVE_PAUSED);
    assert_int_equal(film_events(live_film(s.live)), 0);
    for (uint64_t step = 0, before = 0; step < 30; step++) {
        live_run_to(s.live, &(struct goal){.kind = GOAL_STEP});
        wait_for(&s, LIVE_PAUSED);
        struct event e = last_event(&s);
        assert_true(event_is_step(&e));
        assert_true(e.sequence > before);
        before = e.sequence;
        assert_film_is_right(live_film(s.live));
    }
    assert_int_equal(live_type(s.live, "Ada\n", 4), 0);
    live_continue(s.live);
    wait_for(&s, LIVE_ENDED);
    assert_true(film_is_finished(live_film(s.live)));
    assert_film_is_right(live_film(s.live));
    assert_int_equal(last_event(&s).kind, EVENT_MACHINE_STOP);
    assert_int_equal(s.result, 0);
    end(&s);
}

static void test_runs_to_a_goal_at_the_start(void **state) {
    struct show s;
    const struct goal third = {.kind = GOAL_FAULT, .skip = 2};
    start(&s, PROGRAMS "endless", &(struct live_config){.paused = true, .run_to = &third});
    wait_for(&s, LIVE_PAUSED);
    struct event e = last_event(&s);
    uint64_t faults = 0, n = 0;
    while (film_find(live_film(s.live), n, false, &(struct goal){.kind = GOAL_FAULT}, &n) == 0)
        faults++;
    assert_int_equal(e.kind, EVENT_FAULT);
    assert_int_equal(faults, 3);
    live_stop(s.live);
    end(&s);
}

static void test_stopping(void **state) {
    for (int held = 0; held < 2; held++) {
        struct show s;
        start(&s, PROGRAMS "endless", &(struct live_config){.paused = held});
        while (!held && film_events(live_film(s.live)) < 100000)
            nap();
        live_stop(s.live);
        wait_for(&s, LIVE_ENDED);
        struct event e = last_event(&s);
        assert_int_equal(e.kind, EVENT_MACHINE_STOP);
        assert_int_equal(e.args[1], 1);
        assert_film_is_right(live_film(s.live));
        live_continue(s.live); /* all too late, and harmless */
        live_pause(s.live);
        live_stop(s.live);
        end(&s);
    }
}

/* ---- being told ---- */

static double time_on_the_wall(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_told_of_news_but_not_too_often(void **state) {
    struct show s;
    start(&s, PROGRAMS "endless", &(struct live_config){0});
    while (film_events(live_film(s.live)) < 1000)
        nap();
    int before = s.changes;
    double start = time_on_the_wall();
    nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    assert_in_range(s.changes - before, 3, (int)((time_on_the_wall() - start) * 60) + 1);
    live_pause(s.live);
    wait_for(&s, LIVE_PAUSED);
    while (s.changes == before)
        nap();
    live_stop(s.live);
    end(&s);
}

static void await_change(struct show *s, int before) {
    for (int i = 0; s->changes == before; i++) {
        assert_in_range(i, 0, PATIENCE);
        nap();
    }
}

static void test_told_of_each_stop(void **state) {
    struct show s;
    start(&s, PROGRAMS "endless", &(struct live_config){.paused = true});
    for (int i = 0; i < 20; i++) {
        int before = s.changes;
        live_run_to(s.live, &(struct goal){.kind = GOAL_SERVED});
        await_change(&s, before);
        wait_for(&s, LIVE_PAUSED);
    }
    live_stop(s.live);
    wait_for(&s, LIVE_ENDED);
    end(&s);
}

static double processor_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_paused_uses_no_processor(void **state) {
    struct show s;
    start(&s, PROGRAMS "endless", &(struct live_config){.terminal = true});
    live_pause(s.live);
    wait_for(&s, LIVE_PAUSED);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    double before = processor_time();
    uint64_t events = film_events(live_film(s.live));
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    assert_true(processor_time() - before < 0.003);
    assert_int_equal(film_events(live_film(s.live)), events);
    live_stop(s.live);
    end(&s);
}

/* ---- the terminal ---- */

/* Waits until the terminal shows exactly this. */
static void await_output(struct show *s, const char *expected) {
    char bytes[200];
    uint64_t offset;
    size_t length = 0;
    for (int i = 0; i < PATIENCE && length < strlen(expected); i++) {
        nap();
        length = live_output(s->live, 0, bytes, sizeof bytes - 1, &offset);
    }
    bytes[length] = 0;
    assert_string_equal(bytes, expected);
}

static void test_a_dialog(void **state) {
    struct show s;
    uint64_t offset;
    char some[4];
    start(&s, PROGRAMS "dialog", &(struct live_config){.terminal = true});
    await_output(&s, "Name? ");
    assert_int_equal(live_type(s.live, "Ad", 2), 0);
    await_output(&s, "Name? Ad");
    assert_int_equal(live_type(s.live, "\177da\n", 4), 0); /* the terminal's own editing */
    await_output(&s, "Name? Ad\b \bda\r\nHello Ada\r\n");
    wait_for(&s, LIVE_ENDED);
    assert_int_equal(live_output(s.live, 2, some, sizeof some, &offset), 4);
    assert_int_equal(offset, 2);
    assert_memory_equal(some, "me? ", 4);
    assert_int_equal(live_type(s.live, "x", 1), -EIO);
    struct machine_summary summary;
    machine_get_summary(s.machine, &summary);
    assert_int_equal(summary.wait_status >> 8, 7);
    end(&s);
}

/* The line discipline cannot send the signal: the programs are no processes of the host. */
static void test_control_c(void **state) {
    struct show s;
    struct machine_summary summary;
    start(&s, PROGRAMS "dialog", &(struct live_config){.terminal = true});
    await_output(&s, "Name? ");
    assert_int_equal(live_type(s.live, "\003", 1), 0);
    wait_for(&s, LIVE_ENDED);
    machine_get_summary(s.machine, &summary);
    assert_int_equal(summary.wait_status, SIGINT);
    end(&s);
}

/* Nobody reads: what is typed waits, and at last is refused as a whole. */
static void test_typing_into_the_void(void **state) {
    struct show s;
    char line[1000];
    int error = 0;
    memset(line, '\n', sizeof line);
    start(&s, PROGRAMS "endless", &(struct live_config){.terminal = true});
    for (int i = 0; i < 1000 && !error; i++)
        error = live_type(s.live, line, sizeof line);
    assert_int_equal(error, -EAGAIN);
    live_stop(s.live);
    end(&s);
}

static void test_no_terminal(void **state) {
    struct show s;
    uint64_t offset = 5;
    char byte;
    start(&s, PROGRAMS "endless", &(struct live_config){.paused = true});
    assert_int_equal(live_terminal(s.live), -1);
    assert_int_equal(live_type(s.live, "x", 1), -ENOTTY);
    assert_int_equal(live_output(s.live, 5, &byte, 1, &offset), 0);
    live_stop(s.live);
    end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_step_to_step_and_to_the_end),
        cmocka_unit_test(test_runs_to_a_goal_at_the_start),
        cmocka_unit_test(test_stopping),
        cmocka_unit_test(test_told_of_news_but_not_too_often),
        cmocka_unit_test(test_told_of_each_stop),
        cmocka_unit_test(test_paused_uses_no_processor),
        cmocka_unit_test(test_a_dialog),
        cmocka_unit_test(test_control_c),
        cmocka_unit_test(test_typing_into_the_void),
        cmocka_unit_test(test_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
