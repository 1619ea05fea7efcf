/* The two forms of the summary, from a made-up run: every key is there, odd bytes and failed writes are
 * survived. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "ui/summary.h"

static const struct syscall_summary unimplemented[] = {{"bpf", 3}, {"syscall_999", 1}};
static const struct process_summary processes[] = {
    {.pid = 1, .command = "sh -c \xff", .wait_status = 0x300, .peak_resident = 12, .syscalls = 40},
    {.pid = 2, .parent = 1, .command = "loop", .wait_status = 9, .peak_resident = 6},
    {.pid = 3, .parent = 1, .command = "late", .wait_status = -1},
};

static const struct machine_summary run = {
    .complete = true,
    .wait_status = 0x300,
    .stop = KERNEL_FINISHED,
    .policy = "clock",
    .page_table = "array",
    .seed = 7,
    .wall_seconds = 0.25,
    .vm =
        {.frames = {.total = 9, .reserved = 3, .page_tables = 0, .anonymous = 1, .page_cache = 2, .free = 3},
         .frames_peak = {.total = 9, .reserved = 3, .anonymous = 4, .page_cache = 5, .free = 1},
         .swap = {.pages = 28, .used = 1, .peak = 4, .in = 2, .out = 5},
         .tally = {.faults = {10, 20, 2, 3, 4},
                   .major = 22,
                   .minor = 17,
                   .misses = 30,
                   .refaults = 6,
                   .evictions = {11, 5, 1},
                   .swap_in = 2,
                   .swap_out = 5}},
    .engine = {.instructions = 123456, .tlb_misses = 99},
    .kernel = {.syscalls = 40,
               .context_switches = 8,
               .instructions = 123456,
               .unimplemented = unimplemented,
               .unimplemented_count = 2,
               .processes = processes,
               .process_count = 3},
};

static char *command[] = {(char *)"sh", (char *)"-c", (char *)"\xff", NULL};
static const struct summary_context context = {.command = command, .exit_status = 3};

static json_t *json_of_run(void) {
    char *text;
    size_t length;
    FILE *to = open_memstream(&text, &length);
    assert_int_equal(summary_print_json(to, &run, &context), 0);
    fclose(to);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

/* The integer at a path of keys. */
static json_int_t at(json_t *root, const char *path) {
    char keys[64];
    strcpy(keys, path);
    for (char *key = strtok(keys, "."); key; key = strtok(NULL, ".")) {
        root = json_object_get(root, key);
        if (!root)
            fail_msg("no key '%s' of '%s'", key, path);
    }
    assert_true(json_is_integer(root));
    return json_integer_value(root);
}

static void test_json_has_every_number(void **state) {
    static const struct {
        const char *path;
        json_int_t value;
    } expected[] = {
        {"schema", 1},
        {"seed", 7},
        {"page_size", 4096},
        {"exit_status", 3},
        {"instructions", 123456},
        {"frames.total", 9},
        {"frames.reserved", 3},
        {"frames.free", 3},
        {"frames.page_tables", 0},
        {"frames.anonymous", 1},
        {"frames.page_cache", 2},
        {"frames_peak.anonymous", 4},
        {"frames_peak.free", 1},
        {"faults.total", 39},
        {"faults.misses", 30},
        {"faults.minor", 17},
        {"faults.major", 22},
        {"faults.zero_fill", 10},
        {"faults.file", 20},
        {"faults.swap_in", 2},
        {"faults.cow", 3},
        {"faults.protection", 4},
        {"refaults", 6},
        {"evictions.total", 17},
        {"evictions.clean", 11},
        {"evictions.to_swap", 5},
        {"evictions.to_file", 1},
        {"swap.pages", 28},
        {"swap.used", 1},
        {"swap.peak", 4},
        {"swap.in", 2},
        {"swap.out", 5},
        {"tlb.misses", 99},
        {"context_switches", 8},
        {"oom_kills", 0},
        {"syscalls.total", 40},
        {"syscalls.unimplemented.bpf", 3},
        {"syscalls.unimplemented.syscall_999", 1},
    };
    json_t *root = json_of_run();
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        if (at(root, expected[i].path) != expected[i].value)
            fail_msg("%s is %lld", expected[i].path, (long long)at(root, expected[i].path));
    json_decref(root);
}

static void test_json_has_words_and_truths(void **state) {
    json_t *root = json_of_run();
    assert_string_equal(json_string_value(json_object_get(root, "policy")), "clock");
    assert_string_equal(json_string_value(json_object_get(root, "page_table")), "array");
    assert_string_equal(json_string_value(json_object_get(root, "version")), THIMBLE_VERSION);
    assert_true(json_is_true(json_object_get(root, "complete")));
    assert_true(json_real_value(json_object_get(root, "wall_seconds")) == 0.25);
    json_decref(root);
}

static void test_json_tells_how_each_process_ended(void **state) {
    json_t *root = json_of_run();
    json_t *list = json_object_get(root, "processes");
    assert_int_equal(json_array_size(list), 3);
    assert_int_equal(at(json_array_get(list, 0), "exit_status"), 3);
    assert_int_equal(at(json_array_get(list, 0), "peak_resident"), 12);
    assert_int_equal(at(json_array_get(list, 1), "exit_status"), 128 + 9);
    assert_int_equal(at(json_array_get(list, 1), "parent"), 1);
    assert_true(json_is_null(json_object_get(json_array_get(list, 2), "exit_status")));
    json_decref(root);
}

static void test_json_survives_bytes_that_are_not_utf_8(void **state) {
    json_t *root = json_of_run();
    json_t *words = json_object_get(root, "command");
    assert_int_equal(json_array_size(words), 3);
    assert_string_equal(json_string_value(json_array_get(words, 2)), "\xc3\xbf");
    json_t *first = json_array_get(json_object_get(root, "processes"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "command")), "sh -c \xc3\xbf");
    json_decref(root);
}

static void test_text_names_what_matters(void **state) {
    static const char *const expected[] = {
        "ended with status 3",
        "123,456 instructions",
        "9 frames of 4 KiB (36 KiB), 3 of them reserved",
        "array, charged nothing",
        "39: 10 zero-fill, 20 file, 2 swap-in, 3 copy-on-write, 4 protection",
        "17 minor, 22 major",
        "17: 11 clean and dropped, 5 written to swap, 1 written to files",
        "5 out, 2 in; 1 of 28 pages used, 4 at most",
        "not implemented: bpf (3), syscall_999 (1)",
        "loop",
    };
    char *text;
    size_t length;
    FILE *to = open_memstream(&text, &length);
    assert_int_equal(summary_print_text(to, &run, &context), 0);
    fclose(to);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        if (!strstr(text, expected[i]))
            fail_msg("no '%s' in:\n%s", expected[i], text);
    free(text);
}

static void test_a_full_disk_is_reported(void **state) {
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(summary_print_json(full, &run, &context), -ENOSPC);
    fclose(full);
    full = fopen("/dev/full", "w");
    assert_int_equal(summary_print_text(full, &run, &context), -ENOSPC);
    fclose(full);
}

static void test_exit_statuses_are_a_shells(void **state) {
    assert_int_equal(summary_exit_status(0), 0);
    assert_int_equal(summary_exit_status(0xff00), 255);
    assert_int_equal(summary_exit_status(11), 139);
    assert_int_equal(summary_exit_status(11 | 0x80), 139); /* with a core dump */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_has_every_number),
        cmocka_unit_test(test_json_has_words_and_truths),
        cmocka_unit_test(test_json_tells_how_each_process_ended),
        cmocka_unit_test(test_json_survives_bytes_that_are_not_utf_8),
        cmocka_unit_test(test_text_names_what_matters),
        cmocka_unit_test(test_a_full_disk_is_reported),
        cmocka_unit_test(test_exit_statuses_are_a_shells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
