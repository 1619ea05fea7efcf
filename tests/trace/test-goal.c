/* Goals: what meets them, and their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/base.h"
#include "hw/pte.h"
#include "trace/goal.h"
#include "trace/schema.h"
#include "trace/syscall-name.h"

static struct goal parsed(const char *text) {
    struct goal g;
    const char *symbol, *wrong = goal_parse(text, &g, &symbol);
    if (wrong || symbol)
        fail_msg("%s: %s", text, wrong ? wrong : "a symbol");
    return g;
}

static void test_text_comes_back(void **state) {
    static const char *const texts[] = {
        "step",
        "fault",
        "served",
        "fault,skip=41",
        "kind=swap_out",
        "syscall=mmap",
        "syscall=9999",
        "main",
        "_start",
        "watched",
        "0x401000",
        "event=214",
        "end",
        "fault,pid=21",
        "step,object=3",
        "fault,pid=21,object=3,skip=7",
        "main,pid=42",
        "0xffffffffffffffff,pid=1",
        "kind=reached",
        "kind=machine_stop,pid=4294967295",
        "syscall=read,pid=7",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        char text[100];
        struct goal g = parsed(texts[i]);
        goal_print(&g, text, sizeof text);
        assert_string_equal(text, texts[i]);
    }
    assert_int_equal(parsed("fault=42").skip, 41);
    assert_int_equal(parsed("syscall=9").number, SYS_mmap);
}

static void test_short_room_cuts_the_text(void **state) {
    char text[8] = "xxxxxxx";
    struct goal g = parsed("fault,pid=21");
    goal_print(&g, text, sizeof text);
    assert_string_equal(text, "fault,p");
    goal_print(&g, text, 0);
    assert_string_equal(text, "fault,p");
}

static void test_nonsense_is_refused(void **state) {
    static const char *const texts[] = {"",
                                        "fault=0",
                                        "fault=",
                                        "fault=x",
                                        "kind=nothing",
                                        "kind=",
                                        "syscall=nothing",
                                        "0x",
                                        "0x0",
                                        "0xg",
                                        "event=0",
                                        "pid=3",
                                        "fault,pid=0",
                                        "fault,pid=4294967296",
                                        "fault,",
                                        "fault,,",
                                        "fault,pid",
                                        "main,cpu=3",
                                        "step pid=3=2",
                                        "sum,pid=3",
                                        "event=99999999999999999999",
                                        "x=y",
                                        "fault,pid=1,"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct goal g;
        const char *symbol;
        if (!goal_parse(texts[i], &g, &symbol))
            fail_msg("'%s' was taken", texts[i]);
    }
}

static void test_symbols_are_the_callers(void **state) {
    struct goal g;
    const char *symbol;
    assert_null(goal_parse("sum_numbers", &g, &symbol));
    assert_string_equal(symbol, "sum_numbers");
    assert_int_equal(g.kind, GOAL_REACHED);
    assert_non_null(goal_parse("sum_numbers", &g, NULL));
    assert_null(goal_parse("step", &g, NULL));
}

static void assert_meets(const char *text, struct event e, bool expected) {
    struct goal g = parsed(text);
    if (goal_met(&g, &e) != expected)
        fail_msg("%s: kind %d %s", text, e.kind, expected ? "does not meet it" : "meets it");
}

static void test_what_meets(void **state) {
    const struct event fault = {.sequence = 9, .kind = EVENT_FAULT, .pid = 7};
    const struct event read = {.sequence = 10, .kind = EVENT_FILE_READ, .pid = 7, .args = {4, 3, 6}};
    const struct event slot = {.sequence = 11, .kind = EVENT_SLOT, .pid = 7};
    const struct event call = {.kind = EVENT_SYSCALL_ENTER, .flags = SYS_mmap};
    const struct event at_main = {.kind = EVENT_REACHED, .flags = EVENT_REACHED_MAIN, .args = {0x401000}};
    assert_meets("fault", fault, true);
    assert_meets("fault,pid=7", fault, true);
    assert_meets("fault,pid=8", fault, false);
    assert_meets("served", fault, false);
    assert_meets("step", fault, true);
    assert_meets("step", slot, false);
    assert_meets("kind=slot", slot, true);
    assert_meets("fault,object=3", read, true);
    assert_meets("fault,object=4", read, false);
    assert_meets("fault,object=3", fault, false);
    assert_meets("event=9", fault, true);
    assert_meets("event=11", slot, true);
    assert_meets("event=10", slot, false);
    assert_meets("event=8", fault, true);
    assert_meets("syscall=mmap", call, true);
    assert_meets("syscall=munmap", call, false);
    assert_meets("main", at_main, true);
    assert_meets("_start", at_main, false);
    assert_meets("0x401000", at_main, true);
    assert_meets("0x401001", at_main, false);
    assert_meets("end", at_main, false);
}

/* Marks that come and go with the search for a victim are no step; permissions and frames are. */
static void test_steps_of_entries(void **state) {
    const uint64_t entry = pte_make_present((pfn_t){4}, ACCESS_READ, PTE_REFERENCED).v;
    struct event e = {.kind = EVENT_PTE, .args = {1, 2, entry, entry & ~(uint64_t)PTE_REFERENCED}};
    assert_false(event_is_step(&e));
    e.args[3] = entry | PTE_W;
    assert_true(event_is_step(&e));
    e.args[2] = 0;
    assert_true(event_is_step(&e));
}

#define CALL(name)                                                                                           \
    { SYS_##name, #name }

static void test_names_of_system_calls(void **state) {
    static const struct {
        uint64_t number;
        const char *name;
    } calls[] = {
        CALL(read),           CALL(write),  CALL(mmap),        CALL(brk),        CALL(clone),
        CALL(exit_group),     CALL(openat), CALL(getrandom),   CALL(statx),      CALL(rseq),
        CALL(io_uring_setup), CALL(clone3), CALL(futex_waitv), CALL(newfstatat), CALL(arch_prctl),
        CALL(execveat),       CALL(wait4),  CALL(gettid),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        uint64_t number = 0;
        assert_string_equal(syscall_name(calls[i].number), calls[i].name);
        assert_true(syscall_number(calls[i].name, strlen(calls[i].name), &number));
        assert_int_equal(number, calls[i].number);
    }
    assert_string_equal(syscall_name(100000), "syscall_unknown");
    uint64_t number;
    assert_false(syscall_number("readx", 5, &number));
    assert_true(syscall_number("readx", 4, &number));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_comes_back),
        cmocka_unit_test(test_short_room_cuts_the_text),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_symbols_are_the_callers),
        cmocka_unit_test(test_what_meets),
        cmocka_unit_test(test_steps_of_entries),
        cmocka_unit_test(test_names_of_system_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
