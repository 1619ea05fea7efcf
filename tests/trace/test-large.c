/* A large trace: it opens at once, any step of it is there soon, and memory stays bounded, whatever its size.
 *
 *   test-large EVENTS
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "cycle.h"
#include "scenario.h"
#include "trace/file.h"
#include "trace/film.h"

#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined SANITIZED || defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SLACK = 20 }; /* what sanitizers take in time and memory */
#else
enum { SLACK = 1 };
#endif

enum {
    MEMORY = SLACK * 40 << 10, /* KiB: what the process may grow by to look at a trace */
    OPENING = SLACK * 50,      /* milliseconds of processor time */
    STEP = SLACK * 100,        /* the same, for any step on average */
};

static uint64_t events;
static char path[] = "/tmp/thimble-test-XXXXXX";

/* ---- measuring ---- */

static double milliseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* KiB that the process had at most. */
static long memory_used(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Runs the function in a process of its own, so that its memory can be told from others'. True: it returned
 * (and cmocka's assertions in it held). */
static bool runs_apart(void (*function)(void)) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        function();
        fflush(stdout);
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

/* Where a child says what is wrong: cmocka's own assertions would go on with the parent's tests in it. */
static void require(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "test-large: %s\n", what);
        _exit(1);
    }
}

/* ---- recording ---- */

static int set_up(void **state) {
    static struct cycle c;
    struct trace_file *file;
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_int_equal(trace_file_create(path, cycle_header(), NULL, NULL, NULL, &file), 0);
    cycle_start(&c, 1, trace_file_sink(file));
    cycle_run(&c, events - 1);
    events = c.trace.sequence + 1;
    cycle_stop(&c);
    int error = trace_file_finish(file, false);
    trace_file_destroy(file);
    return error;
}

static int tear_down(void **state) {
    return unlink(path);
}

/* ---- looking ---- */

/* A sink that folds as far as event `end`. */
struct folder {
    struct trace_sink sink;
    struct fold *fold;
    uint64_t end;
};

static void folder_receive(struct trace_sink *sink, const struct event *e) {
    struct folder *f = container_of(sink, struct folder, sink);
    if (e->sequence <= f->end)
        require(fold_apply(f->fold, e) == 0, "no memory");
}

/* The same machine once more, to event n. */
static struct fold *fresh_fold(uint64_t n) {
    static struct cycle c;
    struct folder folder = {{.receive = folder_receive}, fold_create(NULL), n};
    cycle_start(&c, 1, &folder.sink);
    cycle_run(&c, n);
    return folder.fold;
}

static bool same_state(const struct fold *a, const struct fold *b) {
    void *bytes[2] = {NULL, NULL};
    size_t sizes[2];
    bool same = !fold_save(a, &bytes[0], &sizes[0]) && !fold_save(b, &bytes[1], &sizes[1]) &&
                sizes[0] == sizes[1] && !memcmp(bytes[0], bytes[1], sizes[0]);
    free(bytes[0]);
    free(bytes[1]);
    return same;
}

static void look_at_file(void) {
    struct film *film;
    struct rng rng = {9};
    const struct fold *f;
    enum { JUMPS = 60 };
    long memory = memory_used();
    double start = milliseconds(), opened;
    require(film_open(path, &film) == 0, "cannot open");
    opened = milliseconds();
    require(opened - start < OPENING, "opening takes too long");
    require(film_events(film) == events && !film_is_cut(film), "not all events are there");
    for (int i = 0; i < JUMPS; i++)
        require(film_state(film, 1 + rng_below(&rng, events), &f) == 0 && !f->complaints, "a state");
    double average = (milliseconds() - opened) / JUMPS;
    printf("opened in %.1f ms, a state in %.1f ms on average, %ld KiB\n", opened - start, average,
           memory_used() - memory);
    require(average < STEP, "a state takes too long");
    require(memory_used() - memory < MEMORY, "too much memory");
    film_destroy(film);
}

static void test_opens_at_once(void **state) {
    assert_true(runs_apart(look_at_file));
}

static void compare_states(void) {
    struct film *film;
    struct rng rng = {10};
    const struct fold *f;
    require(film_open(path, &film) == 0, "cannot open");
    for (int i = 0; i < 3; i++) {
        uint64_t n = 1 + rng_below(&rng, events - 1);
        struct fold *expected = fresh_fold(n);
        require(film_state(film, n, &f) == 0 && same_state(f, expected), "a state is not that of its events");
        fold_destroy(expected);
    }
    film_destroy(film);
}

static void test_states_are_right(void **state) {
    assert_true(runs_apart(compare_states));
}

static void find_backwards(void) {
    struct film *film;
    uint64_t n = 0;
    require(film_open(path, &film) == 0, "cannot open");
    double start = milliseconds();
    require(film_find(film, events, true, &(struct goal){.kind = GOAL_REACHED, .reached = EVENT_REACHED_MAIN},
                      &n) == 0 &&
                n < 20,
            "main was reached at the beginning");
    double took = milliseconds() - start;
    printf("from the end to the beginning in %.0f ms\n", took);
    require(took * 1e6 / (double)events < 1000, "searching takes more than a microsecond an event");
    film_destroy(film);
}

static void test_finds_from_end_to_beginning(void **state) {
    assert_true(runs_apart(find_backwards));
}

/* Half of the file: it opens as quickly, and ends at a whole block. */
static void look_at_half(void) {
    struct film *film;
    const struct fold *f;
    struct stat status;
    require(stat(path, &status) == 0 && truncate(path, status.st_size / 2) == 0, "cannot cut");
    double start = milliseconds();
    require(film_open(path, &film) == 0, "cannot open");
    require(milliseconds() - start < OPENING, "opening takes too long");
    uint64_t there = film_events(film);
    require(film_is_cut(film) && there > events / 3 && there < events * 2 / 3, "not cut in the middle");
    require(film_state(film, there, &f) == 0, "the last state");
    film_destroy(film);
}

static void test_half_of_it(void **state) {
    assert_true(runs_apart(look_at_half));
}

/* ---- growing ---- */

struct grower {
    struct trace_sink sink;
    struct film *film;
};

static void grower_receive(struct trace_sink *sink, const struct event *e) {
    require(film_append(container_of(sink, struct grower, sink)->film, e, 1) == 0, "cannot append");
}

static void grow(void) {
    static struct cycle c;
    struct grower g = {{.receive = grower_receive}, NULL};
    const struct fold *f;
    long memory = memory_used();
    require(film_create(cycle_header(), &g.film) == 0, "cannot begin");
    cycle_start(&c, 1, &g.sink);
    for (uint64_t n = 1; n < 20; n++) {
        cycle_run(&c, events / 20 * n);
        require(film_state(g.film, events / 40 * n, &f) == 0, "a state meanwhile");
    }
    cycle_stop(&c);
    printf("growing: %ld KiB\n", memory_used() - memory);
    require(memory_used() - memory < MEMORY, "too much memory");
    film_destroy(g.film);
}

static void test_growing(void **state) {
    assert_true(runs_apart(grow));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_at_once),
        cmocka_unit_test(test_states_are_right),
        cmocka_unit_test(test_finds_from_end_to_beginning),
        cmocka_unit_test(test_growing),
        cmocka_unit_test(test_half_of_it), /* the last: it cuts the file */
    };
    events = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    return events ? cmocka_run_group_tests(tests, set_up, tear_down) : 2;
}
