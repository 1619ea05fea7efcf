/* See fixture.h. */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what is seen ---- */

/* As tests/trace/check-trace.c: whether everything must agree after this event. */
static bool is_between_steps(const struct event *e) {
    return e->kind == EVENT_SYSCALL_ENTER || e->kind == EVENT_SYSCALL_EXIT || e->kind == EVENT_FAULT_DONE ||
           e->kind == EVENT_MACHINE_STOP;
}

static void sink_receive(struct trace_sink *sink, const struct event *e) {
    struct fixture *f = (struct fixture *)((char *)sink - offsetof(struct fixture, sink));
    if (f->count == f->capacity) {
        f->capacity = f->capacity ? 2 * f->capacity : 1024;
        f->events = realloc(f->events, f->capacity * sizeof *f->events);
        assert_non_null(f->events);
    }
    f->events[f->count++] = *e;
    assert_int_equal(fold_apply(f->fold, e), 0);
    if (f->fold->complaints)
        fail_msg("event %zu: %s", f->count, f->fold->last_complaint);
    const char *wrong = is_between_steps(e) ? fold_check_machine(f->fold) : NULL;
    if (wrong)
        fail_msg("event %zu: %s", f->count, wrong);
}

static void note_report(void *context, const char *line) {
    struct fixture *f = context;
    if (f->reports++ == 0)
        snprintf(f->reported, sizeof f->reported, "%s", line);
}

/* ---- life ---- */

int fixture_setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->config = (struct machine_config){
        .frames = 9,
        .reserved = 3,
        .swap_pages = 28,
        .policy = "clock",
        .deterministic = true,
        .seed = 1,
        .level = CPU_LEVEL_V3,
        .tlb_entries = 64,
        .check = true,
        .report = note_report,
        .context = f,
    };
    f->sink.receive = sink_receive;
    assert_int_equal(pipe2(f->output, O_CLOEXEC), 0);
    *state = f;
    return 0;
}

int fixture_teardown(void **state) {
    struct fixture *f = *state;
    if (f->machine)
        machine_destroy(f->machine);
    fold_destroy(f->fold);
    free(f->events);
    close(f->output[0]);
    close(f->output[1]);
    free(f);
    return 0;
}

void fixture_create(struct fixture *f) {
    char *message = NULL;
    int error = machine_create(&f->config, &f->machine, &message);
    if (error)
        fail_msg("%s: %s", strerror(-error), message ? message : "");
    f->fold = fold_create(NULL);
    assert_non_null(f->fold);
    if (!f->silent)
        machine_add_sink(f->machine, &f->sink);
}

int fixture_add(struct fixture *f, const char *name, char *const argv[], uint32_t pid, uint64_t stack_top) {
    static char *no_environment[] = {NULL};
    static char paths[8][256]; /* live as long as the runs need them: a test adds no more */
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s%s", PROGRAMS, name);
    const struct machine_program program = {
        .pid = pid,
        .file = path,
        .argv = argv,
        .envp = no_environment,
        .input = STDIN_FILENO,
        .output = f->output[1],
        .error = STDERR_FILENO,
        .stack_top = stack_top,
        .stack_pages = stack_top ? 1 : 0,
    };
    return machine_add_program(f->machine, &program);
}

int fixture_run(struct fixture *f) {
    return machine_run_programs(f->machine, NULL);
}

void fixture_run_one(struct fixture *f, const char *name, char *const argv[]) {
    fixture_create(f);
    assert_int_equal(fixture_add(f, name, argv, 0, 0), 0);
    assert_int_equal(fixture_run(f), 0);
}

/* ---- looking ---- */

const char *fixture_output(struct fixture *f) {
    static char bytes[65536];
    size_t length = 0;
    ssize_t n;
    fcntl(f->output[0], F_SETFL, O_NONBLOCK); /* the machine may have the other end still */
    while ((n = read(f->output[0], bytes + length, sizeof bytes - 1 - length)) > 0)
        length += (size_t)n;
    bytes[length] = '\0';
    return bytes;
}

size_t fixture_count(const struct fixture *f, enum event_kind kind) {
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        n += f->events[i].kind == kind;
    return n;
}

const struct event *fixture_event(const struct fixture *f, enum event_kind kind, size_t i) {
    for (size_t at = 0; at < f->count; at++)
        if (f->events[at].kind == kind && i-- == 0)
            return &f->events[at];
    fail_msg("there is no such event of kind %d", (int)kind);
    return NULL;
}

const char *fixture_string(struct fixture *f, uint64_t number) {
    static char bytes[8192];
    size_t length = 0;
    size_t i = 0;
    while (i < f->count && !(f->events[i].kind == EVENT_STRING && f->events[i].args[0] == number))
        i++;
    uint64_t left = i < f->count ? f->events[i].args[1] : 0;
    for (i++; left > 0 && i < f->count; i++) {
        size_t piece = left < sizeof f->events[i].args ? (size_t)left : sizeof f->events[i].args;
        memcpy(bytes + length, f->events[i].args, piece);
        length += piece;
        left -= piece;
    }
    bytes[length] = '\0';
    return bytes;
}

int fixture_exit_status(struct fixture *f) {
    struct machine_summary summary;
    machine_get_summary(f->machine, &summary);
    assert_true(summary.complete);
    return summary.wait_status >> 8;
}
