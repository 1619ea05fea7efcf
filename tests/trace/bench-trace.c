/* How many events a second go through the emitter and each kind of sink. Not a test: `meson test --benchmark`
 * prints the table. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "scenario.h"
#include "trace/file.h"

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

int main(void) {
    static struct scenario s;
    struct recorder r = recorder();
    scenario_start(&s, 1, &r.sink);
    scenario_run(&s, EVENTS);
    scenario_stop(&s);
    bench_nobody();
    bench_fold(&r);
    bench_file(&r, "bench-trace.thimble");
    bench_file(&r, "bench-trace.jsonl");
    bench_file(&r, "bench-trace.jsonl.zst");
    recorder_free(&r);
    return 0;
}
