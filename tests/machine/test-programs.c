/* Several programs started together: numbers, order, streams, stacks, labels, the end. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/types.h"

/* ---- order and numbers ---- */

static void programs_take_turns_in_the_order_they_were_added(void **state) {
    struct fixture *f = *state;
    char *a[] = {"a", "a", "3", "4", NULL}, *b[] = {"b", "b", "2", "5", NULL},
         *c[] = {"c", "c", "3", "6", NULL};
    fixture_create(f);
    assert_int_equal(fixture_add(f, "talk", a, 21, 0), 0);
    assert_int_equal(fixture_add(f, "talk", b, 7, 0), 0);
    assert_int_equal(fixture_add(f, "talk", c, 0, 0), 0);
    assert_int_equal(fixture_run(f), 0);
    assert_string_equal(fixture_output(f), "abcabcac");
    assert_int_equal(fixture_exit_status(f), 4); /* the first one's */
}

static void every_program_is_executed_before_the_first_one_runs(void **state) {
    struct fixture *f = *state;
    static const uint32_t pids[] = {21, 7, 22};
    char *argv[] = {"x", "x", "1", "0", NULL};
    fixture_create(f);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(fixture_add(f, "talk", argv, i < 2 ? pids[i] : 0, 0), 0);
    assert_int_equal(fixture_run(f), 0);
    uint64_t first_run = fixture_event(f, EVENT_SWITCH, 0)->sequence;
    for (unsigned i = 0; i < 3; i++) {
        const struct event *create = fixture_event(f, EVENT_PROCESS_CREATE, i);
        const struct event *exec = fixture_event(f, EVENT_PROCESS_EXEC, i);
        assert_int_equal(create->pid, pids[i]);
        assert_int_equal(create->args[0], 0); /* the machine is its parent */
        assert_int_equal(exec->pid, pids[i]);
        assert_true(exec->sequence < first_run);
    }
    assert_int_equal(fixture_event(f, EVENT_SWITCH, 0)->pid, 21);
    assert_int_equal(fixture_event(f, EVENT_SWITCH, 1)->pid, 7);
}

static void numbers_are_given_once(void **state) {
    struct fixture *f = *state;
    char *argv[] = {"x", "x", "1", "0", NULL};
    fixture_create(f);
    assert_int_equal(fixture_add(f, "talk", argv, 42, 0), 0);
    assert_int_equal(fixture_add(f, "talk", argv, 42, 0), -EEXIST);
    assert_int_equal(fixture_add(f, "talk", argv, 0, 0), 0); /* 43 */
    assert_int_equal(fixture_add(f, "talk", argv, 43, 0), -EEXIST);
    assert_int_equal(fixture_add(f, "talk", argv, 1, 0), -EINVAL);
    assert_int_equal(fixture_add(f, "talk", argv, 4194304, 0), -EINVAL);
    assert_int_equal(fixture_add(f, "talk", argv, 3, 0x408001), -EINVAL);
    assert_int_equal(fixture_add(f, "talk", argv, 3, USER_END + PAGE_SIZE), -EINVAL);
}

static void nothing_runs_when_one_cannot_be_started(void **state) {
    struct fixture *f = *state;
    char *argv[] = {"x", "x", "1", "0", NULL};
    size_t failed = 99;
    fixture_create(f);
    assert_int_equal(fixture_add(f, "talk", argv, 3, 0), 0);
    assert_int_equal(fixture_add(f, "not-there", argv, 7, 0), 0);
    assert_int_equal(fixture_add(f, "talk", argv, 12, 0), 0);
    assert_int_equal(machine_run_programs(f->machine, &failed), -ENOENT);
    assert_int_equal(failed, 1);
    assert_int_equal(fixture_count(f, EVENT_SWITCH), 0);
    assert_string_equal(fixture_output(f), "");
}

/* ---- streams and directory ---- */

static void each_has_its_own_streams(void **state) {
    struct fixture *f = *state;
    int own[2];
    char seen[8] = "", *a[] = {"a", "a", "2", "0", NULL}, *b[] = {"b", "b", "2", "0", NULL}, *none[] = {NULL};
    assert_int_equal(pipe2(own, O_CLOEXEC), 0);
    fixture_create(f);
    const struct machine_program apart = {
        .file = PROGRAMS "talk", .argv = a, .envp = none, .input = -1, .output = own[1], .error = -1};
    assert_int_equal(machine_add_program(f->machine, &apart), 0);
    assert_int_equal(fixture_add(f, "talk", b, 0, 0), 0);
    assert_int_equal(fixture_run(f), 0);
    assert_int_equal(read(own[0], seen, sizeof seen - 1), 2);
    assert_string_equal(seen, "aa");
    assert_int_equal(fcntl(own[1], F_GETFD), FD_CLOEXEC); /* still the caller's */
    assert_string_equal(fixture_output(f), "bb");
    close(own[0]);
    close(own[1]);
}

static void a_program_is_looked_for_in_its_directory(void **state) {
    struct fixture *f = *state;
    char folder[] = PROGRAMS, *a[] = {"a", "a", "1", "0", NULL}, *none[] = {NULL};
    *strrchr(folder, '/') = '\0';
    fixture_create(f);
    struct machine_program program = {.file = "./machine-talk",
                                      .argv = a,
                                      .envp = none,
                                      .directory = folder,
                                      .input = -1,
                                      .output = f->output[1],
                                      .error = -1};
    assert_int_equal(machine_add_program(f->machine, &program), 0);
    program.directory = "/not/there";
    assert_int_equal(machine_add_program(f->machine, &program), 0);
    size_t failed;
    assert_int_equal(machine_run_programs(f->machine, &failed), -ENOENT);
    assert_int_equal(failed, 1); /* the first one was found */
}

static void what_is_written_is_an_event(void **state) {
    struct fixture *f = *state;
    char *hello[] = {"x", "hello ", "2", "0", NULL};
    fixture_run_one(f, "talk", hello);
    assert_int_equal(fixture_count(f, EVENT_OUTPUT), 2);
    assert_int_equal(fixture_event(f, EVENT_OUTPUT, 0)->flags, 1);
    assert_string_equal(fixture_string(f, fixture_event(f, EVENT_OUTPUT, 0)->args[0]), "hello ");
    assert_string_equal(fixture_output(f), "hello hello ");
}

static void a_large_write_gives_several_events(void **state) {
    struct fixture *f = *state;
    char text[10001], seen[10001] = "", *argv[] = {"x", text, "1", "0", NULL};
    for (unsigned i = 0; i < 10000; i++)
        text[i] = (char)('a' + i % 26);
    text[10000] = '\0';
    fixture_run_one(f, "talk", argv);
    assert_true(fixture_count(f, EVENT_OUTPUT) > 1);
    for (size_t i = 0; i < fixture_count(f, EVENT_OUTPUT); i++)
        strcat(seen, fixture_string(f, fixture_event(f, EVENT_OUTPUT, i)->args[0]));
    assert_string_equal(seen, text);
    assert_string_equal(fixture_output(f), text);
}

/* ---- stacks ---- */

static const struct event *stack_mapping(const struct fixture *f) {
    for (size_t i = 0; i < fixture_count(f, EVENT_MAP); i++)
        if (fixture_event(f, EVENT_MAP, i)->flags & EVENT_MAP_STACK)
            return fixture_event(f, EVENT_MAP, i);
    return NULL;
}

/* The program's heap begins at 0x403000; its stack is the page at 0x405000. */
static int grown_heap(struct fixture *f, char *pages) {
    char *argv[] = {"grow", pages, NULL};
    fixture_create(f);
    assert_int_equal(fixture_add(f, "grow", argv, 7, 0x406000), 0);
    assert_int_equal(fixture_run(f), 0);
    return fixture_exit_status(f);
}

static void a_stack_of_one_page_has_the_heap_beside_it(void **state) {
    struct fixture *f = *state;
    assert_int_equal(grown_heap(f, "2"), 2);
    const struct event *map = stack_mapping(f);
    assert_non_null(map);
    assert_int_equal(map->args[1], 0x405);
    assert_int_equal(map->args[2], 1);
}

static void the_heap_does_not_grow_into_a_stack(void **state) {
    assert_int_equal(grown_heap(*state, "3"), 99);
}

static void a_stack_below_other_mappings(void **state) {
    struct fixture *f = *state;
    char *argv[] = {"x", "x", "2", "3", NULL};
    fixture_create(f);
    assert_int_equal(fixture_add(f, "talk", argv, 0, 0x400000), 0); /* the text is right above it */
    assert_int_equal(fixture_run(f), 0);
    assert_int_equal(fixture_exit_status(f), 3);
    assert_int_equal(stack_mapping(f)->args[1], 0x3ff);
}

static void arguments_must_fit_onto_the_stack(void **state) {
    struct fixture *f = *state;
    char text[4000], *argv[] = {"x", text, "1", "0", NULL};
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    fixture_create(f);
    assert_int_equal(fixture_add(f, "talk", argv, 0, 0x408000), 0);
    assert_int_equal(fixture_run(f), -E2BIG);
}

static void a_stack_in_the_program_s_place_is_refused(void **state) {
    struct fixture *f = *state;
    char *argv[] = {"x", "x", "1", "0", NULL};
    fixture_create(f);
    assert_int_equal(fixture_add(f, "talk", argv, 0, 0x401000), 0);
    assert_int_equal(fixture_run(f), -EEXIST);
}

/* ---- labels ---- */

static void labels_come_behind_the_start(void **state) {
    struct fixture *f = *state;
    char *argv[] = {"x", "x", "1", "0", NULL};
    const struct machine_label strip = {.what = EVENT_LABEL_STRIP, .args = {21, 10}};
    const struct machine_label file = {
        .what = EVENT_LABEL_FILE, .args = {0, 0, 9, 2, 1}, .path = "/some/path", .name = "mypgm"};
    fixture_create(f);
    assert_int_equal(machine_add_label(f->machine, &strip), 0);
    assert_int_equal(machine_add_label(f->machine, &file), 0);
    assert_int_equal(fixture_add(f, "talk", argv, 21, 0), 0);
    assert_int_equal(fixture_run(f), 0);
    const struct event *start = fixture_event(f, EVENT_MACHINE_START, 0);
    const struct event *first = fixture_event(f, EVENT_LABEL, 0), *second = fixture_event(f, EVENT_LABEL, 1);
    assert_int_equal(first->sequence, start->sequence + 1);
    assert_int_equal(first->flags, EVENT_LABEL_STRIP);
    assert_int_equal(first->args[0], 21);
    assert_int_equal(first->args[1], 10);
    assert_int_equal(second->flags, EVENT_LABEL_FILE);
    assert_string_equal(fixture_string(f, second->args[0]), "/some/path");
    assert_string_equal(fixture_string(f, second->args[1]), "mypgm");
    assert_int_equal(second->args[2], 9);
    assert_true(second->sequence < fixture_event(f, EVENT_SPACE_CREATE, 0)->sequence);
}

/* ---- being stopped ---- */

static void wait_until_it_is_ready(struct fixture *f) {
    char byte;
    assert_int_equal(read(f->output[0], &byte, 1), 1);
    usleep(20000); /* it sleeps in poll by now, or loops */
}

static void *stop_when_it_is_ready(void *context) {
    struct fixture *f = context;
    wait_until_it_is_ready(f);
    machine_request_stop(f->machine);
    return NULL;
}

/* The program has a pipe for its input to which nobody writes. */
static void stop(struct fixture *f, char *const argv[], bool deterministic) {
    int silence[2];
    char *none[] = {NULL};
    pthread_t thread;
    struct machine_summary summary;
    assert_int_equal(pipe2(silence, O_CLOEXEC), 0);
    f->config.deterministic = deterministic;
    fixture_create(f);
    const struct machine_program program = {.file = PROGRAMS "wait",
                                            .argv = argv,
                                            .envp = none,
                                            .input = silence[0],
                                            .output = f->output[1],
                                            .error = -1};
    assert_int_equal(machine_add_program(f->machine, &program), 0);
    assert_int_equal(pthread_create(&thread, NULL, stop_when_it_is_ready, f), 0);
    assert_int_equal(fixture_run(f), 0);
    pthread_join(thread, NULL);
    machine_get_summary(f->machine, &summary);
    assert_int_equal(summary.stop, KERNEL_STOPPED);
    assert_false(summary.complete);
    assert_int_equal(fixture_event(f, EVENT_MACHINE_STOP, 0)->args[1], 1);
    close(silence[0]);
    close(silence[1]);
}

static void a_machine_that_sleeps_can_be_stopped(void **state) {
    char *argv[] = {"wait", NULL};
    stop(*state, argv, false);
}

static void a_deterministic_machine_that_waits_can_be_stopped(void **state) {
    char *argv[] = {"wait", NULL};
    stop(*state, argv, true);
}

static void a_machine_that_loops_can_be_stopped(void **state) {
    char *argv[] = {"wait", "loop", NULL};
    stop(*state, argv, true);
}

static void a_machine_can_be_stopped_before_it_runs(void **state) {
    struct fixture *f = *state;
    char *argv[] = {"wait", "loop", NULL};
    fixture_create(f);
    machine_request_stop(f->machine);
    assert_int_equal(fixture_add(f, "wait", argv, 0, 0), 0);
    assert_int_equal(fixture_run(f), 0);
    assert_int_equal(fixture_count(f, EVENT_SWITCH), 0);
}

static void *send_when_it_is_ready(void *context) {
    struct fixture *f = context;
    wait_until_it_is_ready(f);
    machine_send_signal(f->machine, SIGINT);
    return NULL;
}

static void a_signal_from_another_thread_is_the_programs(void **state) {
    struct fixture *f = *state;
    char *argv[] = {"wait", "loop", NULL};
    pthread_t thread;
    struct machine_summary summary;
    fixture_create(f);
    assert_int_equal(fixture_add(f, "wait", argv, 0, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, send_when_it_is_ready, f), 0);
    assert_int_equal(fixture_run(f), 0);
    pthread_join(thread, NULL);
    machine_get_summary(f->machine, &summary);
    assert_int_equal(summary.stop, KERNEL_FINISHED);
    assert_int_equal(summary.wait_status, SIGINT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void) {
    alarm(50); /* a machine that is not stopped must not run for ever */
    const struct CMUnitTest tests[] = {
        TEST(programs_take_turns_in_the_order_they_were_added),
        TEST(every_program_is_executed_before_the_first_one_runs),
        TEST(numbers_are_given_once),
        TEST(nothing_runs_when_one_cannot_be_started),
        TEST(each_has_its_own_streams),
        TEST(a_program_is_looked_for_in_its_directory),
        TEST(what_is_written_is_an_event),
        TEST(a_large_write_gives_several_events),
        TEST(a_stack_of_one_page_has_the_heap_beside_it),
        TEST(the_heap_does_not_grow_into_a_stack),
        TEST(a_stack_below_other_mappings),
        TEST(arguments_must_fit_onto_the_stack),
        TEST(a_stack_in_the_program_s_place_is_refused),
        TEST(labels_come_behind_the_start),
        TEST(a_machine_that_sleeps_can_be_stopped),
        TEST(a_deterministic_machine_that_waits_can_be_stopped),
        TEST(a_machine_that_loops_can_be_stopped),
        TEST(a_machine_can_be_stopped_before_it_runs),
        TEST(a_signal_from_another_thread_is_the_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
