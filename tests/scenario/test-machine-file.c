/* Machine files: what a right one gives, and what the first mistake of a wrong one is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "scenario/machine_file.h"

static char folder[] = "/tmp/test-machine-file-XXXXXX";

static void write_file(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int read_text(const char *text, struct machine_file **ret_file, char **ret_message) {
    char path[128];
    write_file("m.json", text);
    snprintf(path, sizeof path, "%s/m.json", folder);
    return machine_file_read(path, ret_file, ret_message);
}

/* ---- right ones ---- */

static void test_defaults(void **state) {
    struct machine_file *f;
    char *message;
    size_t count;
    assert_int_equal(read_text("{\"frames\": 9, \"programs\": [{\"file\": \"a\"}]}", &f, &message), 0);
    const struct machine_config *c = machine_file_config(f);
    assert_int_equal(c->frames, 9);
    assert_int_equal(c->reserved, 3);
    assert_int_equal(c->swap_pages, 28);
    assert_string_equal(c->policy, "clock");
    assert_null(c->page_table);
    assert_true(c->deterministic);
    assert_true(c->record_contents);
    assert_false(c->slot_at_first_touch);
    assert_int_equal(c->seed, 1);
    assert_int_equal(c->choices.frame_count, 0);
    assert_string_equal(machine_file_title(f), "");
    assert_int_equal(machine_file_programs(f), 1);
    assert_string_equal(machine_file_program(f, 0), "a");
    assert_null(machine_file_pictures(f, &count));
    assert_int_equal(count, 0);
    machine_file_destroy(f);
}

static void test_every_key(void **state) {
    static const char text[] =
        "{\"title\": \"t\", \"about\": \"some\", \"frames\": 12, \"reserved\": 2, \"swap\": 7,"
        "\"page_table\": \"array\", \"policy\": \"lru\", \"seed\": \"0x2a\", \"deterministic\": false,"
        "\"cpu\": \"x86-64-v2\", \"max_instructions\": 1000, \"contents\": false, \"watch\": [\"0x401000\"],"
        "\"swap_assignment\": \"touch\", \"frame_order\": [5, 4], \"slot_order\": [6], \"victims\": [4],"
        "\"scratch\": [\"b\", {\"file\": \"a\", \"name\": \"c\"}],"
        "\"programs\": [{\"pid\": 21, \"name\": \"n\", \"file\": \"c\", \"args\": [\"x\"],"
        "  \"env\": {\"A\": \"1\"}, \"stdin\": \"b\", \"stack\": {\"top\": \"0x410000\", \"pages\": 1}}],"
        "\"labels\": {\"strips\": [{\"pid\": 21, \"cells\": 10, \"pages\": {\"1\": \"0x401000\"}}],"
        "  \"files\": [{\"file\": \"a\", \"name\": \"/a\", \"pages\": 9, \"colour\": 1}]},"
        "\"scenario\": {\"series\": {\"frames\": [8, 9], \"policies\": [\"lru\"]}, \"pictures\": ["
        "  {\"name\": \"p\", \"title\": \"P\", \"until\": [\"fault=2\"], \"kind\": \"sharing\", \"pids\": "
        "[21],"
        "   \"caption\": \"see\", \"real_numbers\": true},"
        "  {\"name\": \"q\", \"after\": \"p\", \"until\": [\"kind=victim\"]}]}}";
    struct machine_file *f;
    char *message;
    size_t count;
    assert_int_equal(read_text(text, &f, &message), 0);
    const struct machine_config *c = machine_file_config(f);
    assert_int_equal(c->reserved, 2);
    assert_int_equal(c->swap_pages, 7);
    assert_string_equal(c->page_table, "array");
    assert_int_equal(c->seed, 42);
    assert_false(c->deterministic);
    assert_false(c->record_contents);
    assert_int_equal(c->level, CPU_LEVEL_V2);
    assert_int_equal(c->max_instructions, 1000);
    assert_string_equal(c->watch[0], "0x401000");
    assert_null(c->watch[1]);
    assert_true(c->slot_at_first_touch);
    assert_int_equal(c->choices.frame_count, 2);
    assert_int_equal(c->choices.frames[1], 4);
    assert_int_equal(c->choices.slots[0], 6);
    assert_int_equal(c->choices.victims[0], 4);
    assert_string_equal(machine_file_program(f, 0), "n");
    assert_int_equal(machine_file_series(f)->frame_count, 2);
    assert_string_equal(machine_file_series(f)->policies[0], "lru");
    const struct machine_picture *p = machine_file_pictures(f, &count);
    assert_int_equal(count, 2);
    assert_int_equal(p[0].kind, PICTURE_SHARING);
    assert_int_equal(p[0].pids[0], 21);
    assert_true(p[0].real_numbers);
    assert_int_equal(p[0].goals[0].skip, 1);
    assert_string_equal(p[1].title, "t");
    assert_int_equal(p[1].goal_count, 2); /* those of p come first */
    assert_int_equal(p[1].goals[0].kind, GOAL_FAULT);
    assert_int_equal(p[1].goals[1].event, EVENT_VICTIM);
    machine_file_destroy(f);
}

/* ---- wrong ones ---- */

#define PROGRAMS "\"programs\": [{\"file\": \"a\"}]"

static const struct {
    const char *text, *message; /* what is said behind the file's name */
} mistakes[] = {
    {"{", "line 1, column 1: "},
    {"[]", "is a list where an object is wanted"},
    {"{" PROGRAMS "}", "'frames' is missing"},
    {"{\"frames\": 9}", "'programs' is missing"},
    {"{\"frames\": 0, " PROGRAMS "}", "frames: 0 is not from 1 to 4294967294"},
    {"{\"frames\": -3, " PROGRAMS "}", "frames: -3 is below 1"},
    {"{\"frames\": 9.5, " PROGRAMS "}", "frames: is a number with a fraction where a whole number is wanted"},
    {"{\"frames\": \"9\", " PROGRAMS "}", "frames: is a string where a whole number is wanted"},
    {"{\"frames\": \"0x\", " PROGRAMS "}", "frames: is a string where a whole number is wanted"},
    {"{\"frame\": 9, " PROGRAMS "}", "there is no key 'frame' here: there are title, about, frames,"},
    {"{\"fra\\n\\u001b[2J\": 9, " PROGRAMS "}", "there is no key 'fra??[2J' here: there are title,"},
    {"{\"frames\": 9, \"frames\": 9, " PROGRAMS "}", "line 1, column "},
    {"{\"frames\": 9, \"programs\": []}", "programs: there is no program in it"},
    {"{\"frames\": 9, \"programs\": {}}", "programs: is an object where a list is wanted"},
    {"{\"frames\": 9, \"programs\": [{}]}", "programs[0]: 'file' is missing"},
    {"{\"frames\": 9, \"programs\": [{\"file\": \"\"}]}", "programs[0].file: the name of a file is empty"},
    {"{\"frames\": 9, \"programs\": [{\"file\": \"nosuch\"}]}", "programs[0].file: /tmp/test-machine-file-"},
    {"{\"frames\": 9, \"programs\": [{\"file\": \"a\", \"pid\": 1}]}",
     "programs[0].pid: 1 is not from 2 to 4194303"},
    {"{\"frames\": 9, \"programs\": [{\"file\": \"a\", \"pid\": 7}, {\"file\": \"a\", \"pid\": 7}]}",
     "programs[1]: programs[0] has pid 7 already"},
    {"{\"frames\": 9, \"programs\": [{\"file\": \"a\"}, {\"file\": \"a\", \"stack\": {\"top\": 4195}}]}",
     "programs[1].stack.top: 4195 is not a multiple of 4096"},
    {"{\"frames\": 9, \"programs\": [{\"file\": \"a\", \"stack\": {\"bottom\": 1}}]}",
     "programs[0].stack: there is no key 'bottom' here: there are top, pages"},
    {"{\"frames\": 9, \"programs\": [{\"file\": \"a\", \"args\": [1]}]}",
     "programs[0].args[0]: is a number where a string is wanted"},
    {"{\"frames\": 9, \"programs\": [{\"file\": \"a\", \"env\": {\"A=\": \"1\"}}]}",
     "programs[0].env.A=: a variable cannot have this name"},
    {"{\"frames\": 9, \"frame_order\": [3, 9], " PROGRAMS "}", "frame_order[1]: 9 is not from 0 to 8"},
    {"{\"frames\": 9, \"slot_order\": [28], " PROGRAMS "}", "slot_order[0]: 28 is not from 0 to 27"},
    {"{\"frames\": 9, \"swap_assignment\": \"later\", " PROGRAMS "}",
     "swap_assignment: there is no 'later': there are evict, touch"},
    {"{\"frames\": 9, \"deterministic\": 1, " PROGRAMS "}",
     "deterministic: is a number where true or false is wanted"},
    {"{\"frames\": 9, \"scratch\": [\"../a\"], " PROGRAMS "}", "scratch[0]: /tmp/test-machine-file-"},
    {"{\"frames\": 9, \"scratch\": [{\"file\": \"a\", \"name\": \"x/y\"}], " PROGRAMS "}",
     "scratch[0].name: 'x/y' is not a plain name of a file"},
    {"{\"frames\": 9, \"scratch\": [\"a\", \"a\"], " PROGRAMS "}", "scratch[1]: there is another 'a'"},
    {"{\"frames\": 9, \"labels\": {\"strips\": [{\"pid\": 7, \"cells\": 4, \"pages\": {\"4\": "
     "4096}}]}, " PROGRAMS "}",
     "labels.strips[0].pages.4: is not a cell from 0 to 3"},
    {"{\"frames\": 9, \"labels\": {\"strips\": [{\"pid\": 7, \"cells\": 4, \"pages\": {\"1\": "
     "4097}}]}, " PROGRAMS "}",
     "labels.strips[0].pages.1: 4097 is not the address of a page"},
    {"{\"frames\": 9, \"scenario\": {\"pictures\": [{\"title\": \"x\"}]}, " PROGRAMS "}",
     "scenario.pictures[0]: 'name' is missing"},
    {"{\"frames\": 9, \"scenario\": {\"pictures\": [{\"name\": \"a/b\"}]}, " PROGRAMS "}",
     "scenario.pictures[0].name: 'a/b' cannot be the name of a picture"},
    {"{\"frames\": 9, \"scenario\": {\"pictures\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}, " PROGRAMS "}",
     "scenario.pictures[1].name: there is another picture 'a' in this file"},
    {"{\"frames\": 9, \"scenario\": {\"pictures\": [{\"name\": \"a\", \"until\": [\"sometime "
     "later\"]}]}, " PROGRAMS "}",
     "scenario.pictures[0].until[0]: 'sometime later': "},
    {"{\"frames\": 9, \"scenario\": {\"pictures\": [{\"name\": \"a\", \"after\": \"b\"}]}, " PROGRAMS "}",
     "scenario.pictures[0].after: there is no picture 'b' before this one"},
    {"{\"frames\": 9, \"scenario\": {\"pictures\": [{\"name\": \"a\", \"kind\": \"big\"}]}, " PROGRAMS "}",
     "scenario.pictures[0].kind: there is no 'big': there are auto, tables,"},
};

static void test_mistakes_are_named_with_their_place(void **state) {
    for (size_t i = 0; i < ARRAY_LENGTH(mistakes); i++) {
        struct machine_file *f;
        char *message, expected[256];
        assert_int_equal(read_text(mistakes[i].text, &f, &message), -EINVAL);
        assert_non_null(message);
        snprintf(expected, sizeof expected, "%s/m.json: %s", folder, mistakes[i].message);
        if (strncmp(message, expected, strlen(expected)))
            fail_msg("mistake %zu: '%s' does not begin with '%s'", i, message, expected);
        assert_null(strchr(message, '\n'));
        free(message);
    }
}

static void test_a_file_that_is_not_there(void **state) {
    struct machine_file *f;
    char *message;
    assert_int_equal(machine_file_read("/nonexistent/m.json", &f, &message), -ENOENT);
    assert_string_equal(message, "/nonexistent/m.json: No such file or directory");
    free(message);
}

static int set_up(void **state) {
    assert_non_null(mkdtemp(folder));
    write_file("a", "");
    write_file("b", "");
    return 0;
}

static int tear_down(void **state) {
    static const char *const names[] = {"a", "b", "m.json"};
    char path[128];
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_mistakes_are_named_with_their_place),
        cmocka_unit_test(test_a_file_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
