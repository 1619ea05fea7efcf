/* How many events a second go through the emitter and each kind of sink, and how long it takes to look at a
 * film of a million events. Not a test: `meson test --benchmark` prints the tables. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <pthread.h>

#include "cycle.h"
#include "scenario.h"
#include "trace/file.h"
#include "trace/film.h"
#include "trace/ring.h"

enum { EVENTS = 1 << 20, ROUNDS = 4 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *what, double seconds, double events, double bytes) {
    printf("%-28s %8.1f ns/event %9.2f million/s", what, seconds * 1e9 / events, events / seconds / 1e6);
    printf(bytes > 0 ? " %7.2f bytes/event\n" : "\n", bytes / events);
}

static void bench_nobody(void) {
    struct trace t = {0};
    const uint64_t n = 1 << 28;
    double start = now();
    for (uint64_t i = 0; i < n; i++) {
        trace_emit(&t, EVENT_PTE, 0, i, i, i, i, i);
        __asm__ volatile("" : : "r"(&t) : "memory");
    }
    report("nobody listens", now() - start, (double)n, 0);
}

static void bench_fold(const struct recorder *r) {
    struct fold *f = fold_create(NULL);
    double start = now();
    for (size_t i = 0; i < r->count; i++)
        if (fold_apply(f, &r->events[i]))
            abort();
    report("fold", now() - start, (double)r->count, 0);
    fold_destroy(f);
}

static void bench_file(const struct recorder *r, const char *path) {
    struct trace_file *file;
    struct stat status;
    if (trace_file_create(path, scenario_header(), NULL, NULL, NULL, &file))
        abort();
    struct trace_sink *sink = trace_file_sink(file);
    uint64_t sequence = 0;
    double start = now();
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < r->count; i++) {
            struct event e = r->events[i];
            e.sequence = ++sequence;
            sink->receive(sink, &e);
        }
    if (trace_file_finish(file, false) || stat(path, &status))
        abort();
    report(path, now() - start, (double)sequence, (double)status.st_size);
    trace_file_destroy(file);
    unlink(path);
}

/* ---- handing over to another thread ---- */

static void *take_all(void *ring) {
    static struct event events[2048];
    size_t count;
    while (ring_take(ring, events, 2048, -1, &count) != RING_CLOSED)
        ;
    return NULL;
}

static void bench_ring(const struct recorder *r) {
    struct ring *ring;
    pthread_t thread;
    if (ring_create(false, &ring) || pthread_create(&thread, NULL, take_all, ring))
        abort();
    double start = now();
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < r->count; i++)
            ring_sink(ring)->receive(ring_sink(ring), &r->events[i]);
    ring_close(ring);
    pthread_join(thread, NULL);
    report("ring (both threads)", now() - start, (double)ROUNDS * (double)r->count, 0);
    ring_destroy(ring);
}

static struct film *bench_growing(const struct recorder *r) {
    struct film *film;
    if (film_create(cycle_header(), &film))
        abort();
    double start = now();
    for (size_t i = 0; i < r->count; i += 512)
        if (film_append(film, r->events + i, r->count - i < 512 ? r->count - i : 512))
            abort();
    report("film that grows", now() - start, (double)r->count, 0);
    film_finish(film);
    return film;
}

/* ---- looking ---- */

static double milliseconds_since(double start) {
    return (now() - start) * 1e3;
}

static void show(const char *what, double milliseconds) {
    printf("%-40s %9.3f ms\n", what, milliseconds);
}

static void must(int error) {
    if (error)
        abort();
}

static void bench_states(struct film *film) {
    enum { JUMPS = 100, STEPS = 20000 };
    struct rng rng = {1};
    const struct fold *f;
    uint64_t events = film_events(film);
    double start = now(), worst = 0;
    for (int i = 0; i < JUMPS; i++) {
        double before = now(), took;
        must(film_state(film, 1 + rng_below(&rng, events), &f));
        took = milliseconds_since(before);
        worst = took > worst ? took : worst;
    }
    show("a state anywhere, on average", milliseconds_since(start) / JUMPS);
    show("a state anywhere, the slowest", worst);
    start = now();
    for (uint64_t n = 1; n <= STEPS; n++)
        must(film_state(film, events - n, &f));
    show("a step back, on average", milliseconds_since(start) / STEPS);
    start = now();
    for (uint64_t n = 1; n <= STEPS; n++)
        must(film_state(film, events - STEPS + n, &f));
    show("a step forward, on average", milliseconds_since(start) / STEPS);
}

static void bench_searching(struct film *film) {
    static uint32_t counts[1000][FILM_TIMELINE_KINDS];
    uint64_t n, events = film_events(film);
    double start = now();
    must(film_find(film, 0, false, &(struct goal){.kind = GOAL_KIND, .event = EVENT_MACHINE_STOP}, &n));
    show("searching from beginning to end", milliseconds_since(start));
    start = now();
    must(film_find(film, events, true, &(struct goal){.kind = GOAL_KIND, .event = EVENT_MACHINE_START}, &n));
    show("searching from end to beginning", milliseconds_since(start));
    start = now();
    must(film_timeline(film, 1000, counts));
    show("the timeline, for the first time", milliseconds_since(start));
    start = now();
    must(film_timeline(film, 1000, counts));
    show("the timeline, again", milliseconds_since(start));
}

static void bench_films(const struct recorder *r, const char *path) {
    struct trace_file *file;
    struct film *film;
    must(trace_file_create(path, cycle_header(), NULL, NULL, NULL, &file));
    for (size_t i = 0; i < r->count; i++)
        trace_file_sink(file)->receive(trace_file_sink(file), &r->events[i]);
    must(trace_file_finish(file, false));
    trace_file_destroy(file);
    double start = now();
    must(film_open(path, &film));
    printf("\na trace of %zu events, %d frames, %d pages\n", r->count, CYCLE_FRAMES, CYCLE_PAGES);
    show("opening", milliseconds_since(start));
    bench_states(film);
    bench_searching(film);
    film_destroy(film);
    unlink(path);
    printf("\nthe same as a film that grew\n");
    film = bench_growing(r);
    bench_states(film);
    film_destroy(film);
}

static void bench_looking(void) {
    static struct cycle c;
    struct recorder r = recorder();
    cycle_start(&c, 1, &r.sink);
    cycle_run(&c, EVENTS);
    cycle_stop(&c);
    bench_films(&r, "bench-trace.film");
    recorder_free(&r);
}

int main(void) {
    static struct scenario s;
    struct recorder r = recorder();
    scenario_start(&s, 1, &r.sink);
    scenario_run(&s, EVENTS);
    scenario_stop(&s);
    bench_nobody();
    bench_fold(&r);
    bench_ring(&r);
    bench_file(&r, "bench-trace.thimble");
    bench_file(&r, "bench-trace.jsonl");
    bench_file(&r, "bench-trace.jsonl.zst");
    recorder_free(&r);
    bench_looking();
    return 0;
}
