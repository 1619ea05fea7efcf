/* One submission. What the build writes is kept as a scratch copy; each test begins with a copy of that, so
 * that no test sees what another one did. */
#include "grade/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "grade/copy.h"
#include "grade/judge.h"
#include "grade/run.h"

enum { PATH_SIZE = 4096, MESSAGE_MAX = 4000 };

struct worker {
    const struct spec *spec;
    const char *submission, *work;
    char built[PATH_SIZE], test_work[PATH_SIZE], scratch[PATH_SIZE];
    uint64_t peak_memory;
    char *message; /* malloc'd: why nothing could be tested; NULL: it could */
    double score;
};

static void fail(struct worker *w, const char *what, const char *detail, size_t length) {
    size_t n = length < MESSAGE_MAX ? length : MESSAGE_MAX;
    if (!w->message && asprintf(&w->message, "%s%s%.*s", what, n ? ": " : "", (int)n, detail) < 0)
        w->message = NULL;
}

static void note_memory(struct worker *w, const struct run_result *r) {
    if (r->capture.peak_memory > w->peak_memory)
        w->peak_memory = r->capture.peak_memory;
}

/* Whether the build's command did its work; what it said is the message if not. */
static void judge_build(struct worker *w, const struct run_result *r) {
    const struct spec_text *said = r->capture.error.length ? &r->capture.error : &r->capture.output;
    char *end = judge_end(r);
    if (end)
        fail(w, "the build was not finished", end, strlen(end));
    else if (run_number(r, "exit_status") != 0)
        fail(w, "it does not build", said->bytes, said->length);
    free(end);
}

static void build(struct worker *w) {
    const struct run_request request = {.spec = w->spec,
                                        .submission = w->submission,
                                        .command = w->spec->build,
                                        .limits = &w->spec->build_limits,
                                        .scratch = w->built,
                                        .work = w->work};
    struct run_result result;
    if (mkdir(w->built, 0700) < 0)
        fail(w, "no directory for the build could be made", strerror(errno), strlen(strerror(errno)));
    if (w->message || !w->spec->build)
        return;
    int error = run_command_in_machine(&request, &result);
    if (error < 0) {
        fail(w, "the build could not be started", strerror(-error), strlen(strerror(-error)));
        return;
    }
    judge_build(w, &result);
    note_memory(w, &result);
    run_result_free(&result);
}

static json_t *run_test(struct worker *w, const struct spec_test *t) {
    const struct run_request request = {.spec = w->spec,
                                        .submission = w->submission,
                                        .command = t->command,
                                        .machine = &t->machine,
                                        .limits = &t->limits,
                                        .input = &t->input,
                                        .scratch = w->scratch,
                                        .work = w->test_work};
    struct run_result result;
    int error = mkdir(w->test_work, 0700) < 0 ? -errno : copy_tree(w->built, w->scratch);
    if (error == 0)
        error = run_command_in_machine(&request, &result);
    if (error < 0)
        return judge_not_run(t, strerror(-error));
    json_t *judged = judge_test(t, &result);
    note_memory(w, &result);
    run_result_free(&result);
    return judged;
}

static json_t *test_everything(struct worker *w) {
    json_t *tests = json_array();
    for (size_t i = 0; i < w->spec->test_count; i++) {
        const struct spec_test *t = &w->spec->tests[i];
        json_t *judged = w->message ? judge_not_run(t, "it was not built") : run_test(w, t);
        w->score += json_real_value(json_object_get(judged, "score"));
        json_array_append_new(tests, judged);
        copy_remove(w->test_work);
    }
    return tests;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

json_t *worker_grade(const struct spec *spec, const char *submission, const char *work) {
    struct worker w = {.spec = spec, .submission = submission, .work = work};
    double start = now();
    snprintf(w.built, sizeof(w.built), "%s/built", work);
    snprintf(w.test_work, sizeof(w.test_work), "%s/test", work);
    if (snprintf(w.scratch, sizeof(w.scratch), "%s/test/scratch", work) >= (int)sizeof(w.scratch))
        fail(&w, "the name of the temporary directory is too long", "", 0);
    build(&w);
    json_t *tests = test_everything(&w);
    const char *message = w.message ? w.message : "";
    json_t *graded = json_pack("{s:b, s:o, s:f, s:f, s:f, s:I, s:o}", "built", !w.message, "message",
                               judge_text(message, strlen(message), MESSAGE_MAX), "score", w.score,
                               "max_score", spec_max_points(spec), "seconds", now() - start, "peak_memory",
                               (json_int_t)w.peak_memory, "tests", tests);
    free(w.message);
    return graded;
}
