/* What is in the frames, as the events tell it, is what is in the frames. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/types.h"
#include "machine/parts.h"

enum { FRAMES_MAX = 64, SLOTS_MAX = 4096, LINE = 32 };

/* The contents as a listener has them. */
struct listener {
    struct trace_sink sink;
    struct fixture *fixture;
    uint8_t (*frames)[PAGE_SIZE], (*slots)[PAGE_SIZE];
    uint8_t uses[FRAMES_MAX]; /* enum event_frame */
    bool owed[FRAMES_MAX];    /* filled, and nothing told since */
    size_t lines, compared;
};

/* Behind these everything that changed has been told: nothing ran since. */
static bool is_told(const struct event *e) {
    return e->kind == EVENT_FAULT || e->kind == EVENT_FAULT_DONE || e->kind == EVENT_SYSCALL_ENTER ||
           e->kind == EVENT_SYSCALL_EXIT || e->kind == EVENT_SWITCH || e->kind == EVENT_REACHED;
}

static void compare_frame(struct listener *l, uint32_t n) {
    const struct physmem *mem = vm_physmem(l->fixture->machine->vm);
    if (l->uses[n] != EVENT_FRAME_ANONYMOUS && l->uses[n] != EVENT_FRAME_CACHE)
        return;
    assert_false(l->owed[n]);
    assert_memory_equal(l->frames[n], physmem_frame(mem, (pfn_t){n}), PAGE_SIZE);
    l->compared++;
}

static void listener_receive(struct trace_sink *sink, const struct event *e) {
    struct listener *l = (struct listener *)sink;
    const uint64_t *a = e->args;
    switch (e->kind) {
    case EVENT_FRAME: l->uses[a[0]] = (uint8_t)e->flags; break;
    case EVENT_ZERO_FILL:
    case EVENT_FILE_READ:
    case EVENT_COPY:
        memset(l->frames[a[0]], 0, PAGE_SIZE);
        l->owed[a[0]] = true;
        break;
    case EVENT_SWAP_OUT: /* what is told of it up to now is what goes out */
        compare_frame(l, (uint32_t)a[0]);
        memcpy(l->slots[a[1]], l->frames[a[0]], PAGE_SIZE);
        break;
    case EVENT_WRITE_BACK: compare_frame(l, (uint32_t)a[0]); break;
    case EVENT_SWAP_IN: memcpy(l->frames[a[0]], l->slots[a[1]], PAGE_SIZE); break;
    case EVENT_CONTENT:
        memcpy(l->frames[a[0]] + e->flags * LINE, a + 1, LINE);
        l->owed[a[0]] = false;
        l->lines++;
        break;
    default: break;
    }
    for (uint32_t n = 0; is_told(e) && n < l->fixture->config.frames; n++)
        compare_frame(l, n);
}

/* Runs the programs that are added, with a listener. */
static void run_and_compare(struct fixture *f, struct listener *ret_listener) {
    struct listener *l = ret_listener;
    *l = (struct listener){.sink.receive = listener_receive, .fixture = f};
    l->frames = calloc(FRAMES_MAX, PAGE_SIZE);
    l->slots = calloc(SLOTS_MAX, PAGE_SIZE);
    assert_true(l->frames && l->slots);
    machine_add_sink(f->machine, &l->sink);
    assert_int_equal(fixture_run(f), 0);
    free(l->frames);
    free(l->slots);
}

static void small_programs_that_swap(void **state) {
    struct fixture *f = *state;
    struct listener l;
    char *grow[] = {"grow", "6", NULL}, *talk[] = {"talk", "hello", "3", "0", NULL};
    f->config.record_contents = true;
    fixture_create(f);
    fixture_add(f, "grow", grow, 21, 0x410000);
    fixture_add(f, "talk", talk, 7, 0x410000);
    fixture_add(f, "grow", grow, 12, 0x410000);
    run_and_compare(f, &l);
    assert_true(fixture_count(f, EVENT_SWAP_OUT) > 0);
    assert_true(l.lines > 100 && l.compared > 100);
}

static void pages_that_a_call_fills_and_evicts(void **state) {
    struct fixture *f = *state;
    struct listener l;
    char *argv[] = {"memfd", NULL};
    f->config.record_contents = true;
    fixture_create(f);
    fixture_add(f, "memfd", argv, 0, 0x410000);
    run_and_compare(f, &l);
    assert_true(fixture_count(f, EVENT_SWAP_OUT) > 0);
    assert_int_equal(fixture_exit_status(f), 0);
}

/* Forks that copy, memory that is written all over, files that are mapped and written back. */
static void run_guest(struct fixture *f, const char *program) {
    struct listener l;
    char folder[] = "/tmp/thimble-contents-XXXXXX", path[512];
    char *argv[] = {path, NULL}, *none[] = {NULL};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", GUESTS, program);
    f->config.frames = FRAMES_MAX;
    f->config.swap_pages = SLOTS_MAX;
    f->config.record_contents = true;
    fixture_create(f);
    const struct machine_program p = {.file = path,
                                      .argv = argv,
                                      .envp = none,
                                      .directory = folder,
                                      .input = -1,
                                      .output = f->output[1],
                                      .error = 2};
    assert_int_equal(machine_add_program(f->machine, &p), 0);
    run_and_compare(f, &l);
    assert_int_equal(fixture_exit_status(f), 0);
    assert_true(l.lines > 1000);
    snprintf(path, sizeof path, "rm -r '%s'", folder);
    assert_int_equal(system(path), 0);
}

static void copies_on_write(void **state) {
    run_guest(*state, "static-fork-cow");
}

static void pages_of_files(void **state) {
    run_guest(*state, "c-map-kinds");
}

static void nothing_is_told_of_a_machine_too_large_to_draw(void **state) {
    struct fixture *f = *state;
    char *grow[] = {"grow", "6", NULL};
    f->config.record_contents = true;
    f->config.frames = FRAMES_MAX + 1;
    fixture_run_one(f, "grow", grow);
    assert_int_equal(fixture_count(f, EVENT_CONTENT), 0);
}

static void nothing_is_told_unless_it_is_asked_for(void **state) {
    struct fixture *f = *state;
    char *grow[] = {"grow", "6", NULL};
    fixture_run_one(f, "grow", grow);
    assert_int_equal(fixture_count(f, EVENT_CONTENT), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(small_programs_that_swap),
        TEST(pages_that_a_call_fills_and_evicts),
        TEST(copies_on_write),
        TEST(pages_of_files),
        TEST(nothing_is_told_of_a_machine_too_large_to_draw),
        TEST(nothing_is_told_unless_it_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
