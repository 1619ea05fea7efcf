/* The sentences of the story: the lecture's sequence word for word, each kind of event, and guests that name
 * their files badly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../trace/scenario.h"
#include "script.h"
#include "trace/goal.h"
#include "view/narrate.h"
#include "view/plain.h"

enum { SENTENCE = 400 };

/* What is said of one event. */
static void say(const struct fold *fold, const struct event *event, char sentence[SENTENCE]) {
    struct text t = {0};
    narrate(fold, event, &t);
    assert_false(t.failed);
    assert_true(t.length > 0 && t.length < SENTENCE);
    memcpy(sentence, t.bytes, t.length);
    sentence[t.length] = 0;
    text_free(&t);
}

/* ---- the lecture ---- */

/* Says the steps since the last call, and compares them with the sentences, of which the last is NULL. */
static void assert_story(const struct script *s, size_t *told, const char *const *sentences) {
    char sentence[SENTENCE];
    struct fold *fold = fold_create(NULL);
    assert_non_null(fold);
    for (size_t i = 0; i < s->count; i++) {
        assert_int_equal(fold_apply(fold, &s->events[i]), 0);
        if (i < *told || !event_is_step(&s->events[i]))
            continue;
        say(fold, &s->events[i], sentence);
        assert_non_null(*sentences);
        assert_string_equal(sentence, *sentences++);
    }
    assert_null(*sentences);
    *told = s->count;
    fold_destroy(fold);
}

static void test_the_lecture(void **state) {
    struct script s;
    script_picture_012(&s);
    size_t told = s.count;
    script_picture_013(&s);
    assert_story(
        &s, &told,
        (const char *const[]){"PID 7's VPN5 is mapped to the heap: rw-; filled with zeros when it is touched",
                              "PID 7 writes 0x500000, the heap: not present", "PP7 is filled with zeros",
                              "PID 7's VPN5 becomes rw- and points at PP7", "PID 7 resumes", NULL});
    script_picture_014(&s);
    assert_story(
        &s, &told,
        (const char *const[]){"The page-table register points at PID 21's table: PID 21 runs", NULL});
    script_picture_015(&s);
    assert_story(&s, &told,
                 (const char *const[]){"PID 21 reads 0x406000, page 6 of mypgm: not present",
                                       "The OS picks a victim: PP3, PID 7's VPN6", NULL});
    script_picture_016(&s);
    assert_story(&s, &told, (const char *const[]){"PP3 is dirty: it is written to swap page 6", NULL});
    script_picture_017(&s);
    assert_story(&s, &told,
                 (const char *const[]){"PID 7's entry for VPN6 becomes --- and points at swap page 6", NULL});
    script_end(&s);
}

static void test_the_lecture_ends_well(void **state) {
    struct script s;
    char sentence[SENTENCE];
    script_picture_012(&s);
    script_picture_013(&s);
    script_picture_014(&s);
    script_picture_015(&s);
    script_picture_016(&s);
    script_picture_017(&s);
    const struct event read = {.pid = 21, .kind = EVENT_FILE_READ, .args = {3, 1, 6}};
    say(s.fold, &read, sentence);
    assert_string_equal(sentence, "File page 6 of mypgm is read into PP3");
    const struct event entry = {
        .pid = 21,
        .kind = EVENT_PTE,
        .args = {21, SCRIPT_DATA, 0, pte_make_present((pfn_t){3}, ACCESS_READ | ACCESS_WRITE, 0).v}};
    say(s.fold, &entry, sentence);
    assert_string_equal(sentence, "PID 21's VPN4 becomes rw- and points at PP3");
    const struct event done = {.pid = 21, .kind = EVENT_FAULT_DONE, .args = {21, SCRIPT_DATA << PAGE_SHIFT}};
    say(s.fold, &done, sentence);
    assert_string_equal(sentence, "PID 21 resumes");
    script_end(&s);
}

/* ---- each kind ---- */

struct told {
    struct event event;
    const char *sentence;
};

static void assert_told(const struct script *s, const struct told *told, size_t count) {
    char sentence[SENTENCE];
    for (size_t i = 0; i < count; i++) {
        say(s->fold, &told[i].event, sentence);
        assert_string_equal(sentence, told[i].sentence);
    }
}

#define PRESENT(frame, access, bits) (pte_make_present((pfn_t){frame}, access, bits).v)
#define SWAPPED(slot, access)        (pte_make_swapped((slot_t){slot}, access, 0).v)
#define RW                           (ACCESS_READ | ACCESS_WRITE)

static void test_entries(void **state) {
    struct script s;
    script_picture_012(&s);
    const struct told told[] = {
        {{.pid = 7, .kind = EVENT_PTE, .args = {7, SCRIPT_STACK, PRESENT(3, RW, 0), 0}},
         "PID 7's entry for VPN6 is emptied"},
        {{.pid = 7, .kind = EVENT_PTE, .args = {7, SCRIPT_STACK, SWAPPED(6, RW), 0}},
         "PID 7's entry for VPN6 is emptied"},
        {{.pid = 7,
          .kind = EVENT_PTE,
          .args = {7, SCRIPT_STACK, PRESENT(3, RW, 0), PRESENT(3, ACCESS_READ, PTE_COW)}},
         "PID 7's VPN6 becomes r--, copy-on-write"},
        {{.pid = 7,
          .kind = EVENT_PTE,
          .args = {7, SCRIPT_STACK, PRESENT(3, ACCESS_READ, PTE_COW), PRESENT(3, RW, 0)}},
         "PID 7's VPN6 becomes rw-: nobody else has the page, and it need not be copied"},
        {{.pid = 7,
          .kind = EVENT_PTE,
          .args = {7, SCRIPT_STACK, PRESENT(3, RW, PTE_REFERENCED), PRESENT(3, RW, 0)}},
         "PID 7's VPN6 is no longer marked referenced"},
        {{.pid = 7,
          .kind = EVENT_PTE,
          .args = {7, SCRIPT_STACK, PRESENT(3, RW, 0), PRESENT(3, RW, PTE_DIRTY)}},
         "PID 7's VPN6 is marked dirty"},
        {{.pid = 7, .kind = EVENT_PTE, .args = {7, 0x9999, 0, SWAPPED(4, RW)}},
         "PID 7's entry for VPN 0x9999 becomes --- and points at swap page 4"},
        {{.pid = 21, .kind = EVENT_PTE, .args = {21, SCRIPT_DATA, 0, PRESENT(3, ACCESS_READ, PTE_COW)}},
         "PID 21's VPN4 becomes rw- and points at PP3 (copy-on-write)"},
    };
    assert_told(&s, told, sizeof told / sizeof *told);
    script_end(&s);
}

static void test_faults(void **state) {
    struct script s;
    script_picture_012(&s);
    const uint64_t text = (uint64_t)SCRIPT_TEXT << PAGE_SHIFT, stack = (uint64_t)SCRIPT_STACK << PAGE_SHIFT;
    const struct told told[] = {
        {{.pid = 7, .kind = EVENT_FAULT, .flags = ACCESS_EXEC, .args = {7, text}},
         "PID 7 executes 0x401000, page 3 of bash: not present"},
        {{.pid = 7, .kind = EVENT_FAULT, .flags = ACCESS_WRITE, .args = {7, text, PRESENT(8, 5, 0)}},
         "PID 7 writes 0x401000, page 3 of bash: not permitted, it is r-x"},
        {{.pid = 21,
          .kind = EVENT_FAULT,
          .flags = ACCESS_READ,
          .args = {21, (SCRIPT_DATA + 1ULL) << PAGE_SHIFT}},
         "PID 21 reads 0x407000, page 7 of mypgm: not present"},
        {{.pid = 7, .kind = EVENT_FAULT, .flags = ACCESS_READ, .args = {7, 0}},
         "PID 7 reads 0x0: nothing is mapped there"},
        {{.pid = 7, .kind = EVENT_FAULT, .flags = ACCESS_READ, .args = {7, stack + 8, SWAPPED(6, RW)}},
         "PID 7 reads 0x7fffffffe008, the stack: not present, it is on swap page 6"},
        {{.pid = 7, .kind = EVENT_FAULT, .flags = ACCESS_WRITE, .args = {7, stack, PRESENT(3, 1, PTE_COW)}},
         "PID 7 writes 0x7fffffffe000, the stack: present, but copy-on-write"},
        {{.pid = 7, .kind = EVENT_FAULT_DONE, .flags = EVENT_FAULT_FAILED, .args = {7, 0}},
         "The access of PID 7 to 0x0 fails: a signal follows"},
        {{.pid = 7, .kind = EVENT_VICTIM, .flags = EVENT_VICTIM_CLEAN, .args = {8}},
         "The OS picks a victim: PP8, PID 7's VPN1: it is clean and need not be written"},
    };
    assert_told(&s, told, sizeof told / sizeof *told);
    script_end(&s);
}

static void test_the_kernels_own_accesses(void **state) {
    struct script s;
    char sentence[SENTENCE];
    script_picture_012(&s);
    script_emit(&s, 7, EVENT_SYSCALL_ENTER, 1, 1, 0x401000, 5, 0, 0);
    const struct event fault = {.pid = 7, .kind = EVENT_FAULT, .flags = ACCESS_READ, .args = {7, 0x401000}};
    say(s.fold, &fault, sentence);
    assert_string_equal(sentence, "For PID 7, the OS reads 0x401000, page 3 of bash: not present");
    const struct event done = {.pid = 7, .kind = EVENT_FAULT_DONE, .args = {7, 0x401000}};
    say(s.fold, &done, sentence);
    assert_string_equal(sentence, "The OS goes on for PID 7");
    script_end(&s);
}

static void test_system_calls(void **state) {
    struct script s;
    script_picture_012(&s);
    const struct told told[] = {
        {{.pid = 7, .kind = EVENT_SYSCALL_ENTER, .flags = 12, .args = {0x501000}},
         "PID 7 calls brk(0x501000)"},
        {{.pid = 7, .kind = EVENT_SYSCALL_ENTER, .flags = 12}, "PID 7 calls brk(NULL)"},
        {{.pid = 7, .kind = EVENT_SYSCALL_EXIT, .flags = 12, .args = {0x501000}}, "brk gives PID 7 0x501000"},
        {{.pid = 7, .kind = EVENT_SYSCALL_ENTER, .flags = 9, .args = {0, 16384, 3, 0x22, UINT32_MAX}},
         "PID 7 calls mmap(NULL, 16384, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1)"},
        {{.pid = 7, .kind = EVENT_SYSCALL_EXIT, .flags = 9, .args = {(uint64_t)-12}},
         "mmap fails for PID 7: ENOMEM"},
        {{.pid = 7, .kind = EVENT_SYSCALL_ENTER, .flags = 11, .args = {0x600000, 4096}},
         "PID 7 calls munmap(0x600000, 4096)"},
        {{.pid = 7, .kind = EVENT_SYSCALL_ENTER, .flags = 10, .args = {0x600000, 4096, 0}},
         "PID 7 calls mprotect(0x600000, 4096, PROT_NONE)"},
        {{.pid = 7, .kind = EVENT_SYSCALL_ENTER, .flags = 28, .args = {0x600000, 4096, 4}},
         "PID 7 calls madvise(0x600000, 4096, MADV_DONTNEED)"},
        {{.pid = 7, .kind = EVENT_SYSCALL_ENTER, .flags = 57}, "PID 7 calls fork"},
        {{.pid = 7, .kind = EVENT_SYSCALL_ENTER, .flags = 56, .args = {0x1200011}},
         "PID 7 calls clone(CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, NULL)"},
        {{.pid = 7, .kind = EVENT_SYSCALL_ENTER, .flags = 231, .args = {1}}, "PID 7 calls exit_group(1)"},
        {{.pid = 7, .kind = EVENT_SYSCALL_ENTER, .flags = 62, .args = {12, 9}},
         "PID 7 calls kill(12, SIGKILL)"},
        {{.pid = 7, .kind = EVENT_SYSCALL_ENTER, .flags = 511}, "PID 7 calls system call 511"},
        {{.pid = 7, .kind = EVENT_SYSCALL_EXIT, .flags = 1, .args = {5}}, "write gives PID 7 5"},
    };
    assert_told(&s, told, sizeof told / sizeof *told);
    script_end(&s);
}

static void test_processes(void **state) {
    struct script s;
    script_picture_012(&s);
    const struct told told[] = {
        {{.pid = 9, .kind = EVENT_PROCESS_CREATE, .args = {7, 9}}, "PID 7 creates PID 9"},
        {{.pid = 9, .kind = EVENT_PROCESS_CREATE, .args = {7, 7}},
         "PID 7 creates PID 9, which shares its address space"},
        {{.pid = 9, .kind = EVENT_SPACE_CREATE, .args = {9, 9, 7 + 1}},
         "PID 9 gets an empty address space, to which that of PID 7 is copied"},
        {{.pid = 7, .kind = EVENT_PROCESS_EXIT, .args = {256}}, "PID 7 exits with status 1"},
        {{.pid = 7, .kind = EVENT_PROCESS_EXIT, .args = {128 + 11}}, "PID 7 is ended by SIGSEGV"},
        {{.pid = 7, .kind = EVENT_SIGNAL, .flags = 11, .args = {1, 0x10}},
         "PID 7 gets SIGSEGV for address 0x10"},
        {{.pid = 7, .kind = EVENT_SIGNAL, .flags = 15, .args = {0, 0, 21}}, "PID 7 gets SIGTERM from PID 21"},
        {{.kind = EVENT_OOM, .args = {21, 3, 4}},
         "Neither a frame nor a swap page is left: the OS ends PID 21, which has 3 frames and 4 swap pages"},
        {{.kind = EVENT_MACHINE_START, .args = {9, 3, 28}},
         "The machine starts: 9 page frames, 3 of them reserved for the OS, and 28 swap pages"},
    };
    assert_told(&s, told, sizeof told / sizeof *told);
    script_end(&s);
}

/* Mappings: one page, two, several; files and none. */
static void test_mappings(void **state) {
    struct script s;
    script_picture_019(&s);
    script_picture_020(&s); /* numbers.bin is object 3, mapped at VPN6 to VPN9 */
    const uint64_t object =
        ((struct fold_object *)s.fold->objects.entries[s.fold->objects.count - 1].value)->number;
    const struct told told[] = {
        {{.pid = 21,
          .kind = EVENT_MAP,
          .flags = 3 | EVENT_MAP_SHARED,
          .args = {21, SCRIPT_NUMBERS, 4, object, 0}},
         "PID 21's VPN6 to VPN9 are mapped to pages 0 to 3 of numbers.bin: rw-, shared; nothing is read "
         "until it is "
         "touched"},
        {{.pid = 21, .kind = EVENT_MAP, .flags = 1, .args = {21, SCRIPT_NUMBERS, 2, object, 2}},
         "PID 21's VPN6 and VPN7 are mapped to pages 2 and 3 of numbers.bin: r--; nothing is read until it "
         "is touched"},
        {{.pid = 21, .kind = EVENT_MAP, .flags = 3 | EVENT_MAP_STACK, .args = {21, 0x77, 1}},
         "PID 21's VPN 0x77 is mapped to the stack: rw-; filled with zeros when it is touched"},
        {{.pid = 21, .kind = EVENT_UNMAP, .args = {21, SCRIPT_NUMBERS, 4}},
         "PID 21's VPN6 to VPN9 are unmapped"},
        {{.pid = 21, .kind = EVENT_PROTECT, .flags = 5, .args = {21, SCRIPT_NUMBERS, 1}},
         "PID 21's VPN6 becomes r-x"},
    };
    assert_told(&s, told, sizeof told / sizeof *told);
    script_end(&s);
}

/* ---- beside a picture ---- */

static bool number_is_last_digit(const void *context, uint32_t pid, uint64_t vpn, uint64_t *ret_number) {
    *ret_number = vpn % 16;
    return vpn != 0x402;
}

static void assert_numbered(const struct script *s, const struct narrate_numbers *numbers,
                            const struct event *e, const char *expected) {
    struct text t = {0};
    narrate_numbered(s->fold, e, numbers, &t);
    assert_int_equal(t.length, strlen(expected));
    assert_memory_equal(t.bytes, expected, t.length);
    text_free(&t);
}

static void test_numbers_are_those_of_the_picture(void **state) {
    static const struct narrate_numbers real = {.real = true}, found = {.find = number_is_last_digit};
    struct script s;
    script_picture_012(&s);
    const struct event victim = {.pid = 21, .kind = EVENT_VICTIM, .flags = EVENT_VICTIM_TO_SWAP, .args = {3}};
    const struct event unmap = {.pid = 21, .kind = EVENT_UNMAP, .args = {21, 0x402, 7}};
    const struct event other = {.pid = 21, .kind = EVENT_UNMAP, .args = {21, 0x403, 6}};
    assert_numbered(&s, &real, &victim, "The OS picks a victim: PP3, PID 7's VPN 0x7fffffffe");
    assert_numbered(&s, &found, &victim, "The OS picks a victim: PP3, PID 7's VPN6"); /* the label counts */
    assert_numbered(&s, &found, &unmap, "PID 21's VPN 0x402 to VPN 0x408 are unmapped");
    assert_numbered(&s, &found, &other, "PID 21's VPN3 to VPN8 are unmapped");
    script_end(&s);
}

static void test_a_picture_and_its_sentence_agree(void **state) {
    struct script s;
    script_start(&s, 9, 3, 28);
    script_process(&s, 2, "/bin/program");
    script_object(&s, 1, "/bin/program", 4);
    script_map(&s, 2, 0x400, 1, 5, 1, 0);
    script_touch_file(&s, 2, 0x400, 3, 1, 0, ACCESS_EXEC);
    script_step(&s);
    script_map(&s, 2, 0x700, 1, 3, 0, 0);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    const struct picture_process *process = &p->processes[0];
    uint64_t number = 0;
    char expected[SENTENCE];
    for (size_t i = 0; i < process->cell_count; i++)
        if (process->cells[i].first.n == 0x700 && process->cells[i].mapped)
            number = process->cells[i].number;
    assert_true(number > 0 && number < 0x700);
    snprintf(expected, sizeof expected, "PID 2's VPN%u is mapped", (unsigned)number);
    assert_int_equal(strncmp(p->narration, expected, strlen(expected)), 0);
    picture_destroy(p);
    p = script_picture(&s, (struct picture_options){.real_numbers = true});
    assert_int_equal(strncmp(p->narration, "PID 2's VPN 0x700 is mapped", 27), 0);
    picture_destroy(p);
    script_end(&s);
}

/* ---- whatever the guests do ---- */

static void assert_is_plain(const char *sentence) {
    uint32_t character;
    const size_t length = strlen(sentence);
    for (size_t i = 0, size; i < length; i += size) {
        size = plain_decode(sentence + i, length - i, &character);
        assert_true(size > 1 || character < 0x80); /* valid UTF-8 */
        assert_true(character >= 0x20 && character != 0x7f && !(character >= 0x80 && character < 0xa0));
        assert_false(character >= 0x202a && character <= 0x202e);
    }
}

static void test_names_of_guests_are_harmless(void **state) {
    static const char *const names[] = {
        "/tmp/\033[31mred\033[0m",
        "/tmp/a\nb\tc\r",
        "/tmp/\xff\xfe\x80",
        "/tmp/\xe2\x80\xae.txt.exe",
        "/tmp/<script>alert(1)</script>",
        "/",
        "",
        "a/very/long/name/that/goes/on/and/on/and/on/and/on/and/on/and/on/and/on",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct script s;
        char sentence[SENTENCE];
        script_start(&s, 9, 3, 28);
        script_process(&s, 2, names[i]);
        script_object(&s, 1, names[i], 4);
        for (size_t j = 0; j < s.count; j++) {
            say(s.fold, &s.events[j], sentence);
            assert_is_plain(sentence);
        }
        const struct event read = {.pid = 2, .kind = EVENT_FILE_READ, .args = {4, 1, 0}};
        say(s.fold, &read, sentence);
        assert_is_plain(sentence);
        script_end(&s);
    }
}

static void test_every_event_of_random_runs_has_a_sentence(void **state) {
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct scenario *s = calloc(1, sizeof *s);
        struct recorder r = recorder();
        struct fold *fold = fold_create(NULL);
        char sentence[SENTENCE];
        assert_true(s && fold);
        scenario_start(s, seed, &r.sink);
        scenario_run(s, 3000);
        for (size_t i = 0; i < r.count; i++) {
            assert_int_equal(fold_apply(fold, &r.events[i]), 0);
            say(fold, &r.events[i], sentence);
            assert_is_plain(sentence);
        }
        fold_destroy(fold);
        recorder_free(&r);
        free(s);
    }
}

/* Numbers that no machine would give: there is a sentence all the same, and it is plain. */
static void test_events_that_contradict_the_state(void **state) {
    struct script s;
    struct rng rng = {1};
    char sentence[SENTENCE];
    script_picture_019(&s);
    script_picture_020(&s);
    script_picture_021(&s);
    script_picture_022(&s);
    for (int i = 0; i < 20000; i++) {
        struct event e = {.sequence = 9999, .pid = (uint32_t)rng_below(&rng, 50)};
        e.kind = (uint16_t)rng_below(&rng, EVENT_KINDS + 2);
        e.flags = (uint16_t)rng_below(&rng, i % 2 ? 8 : 65536);
        for (int j = 0; j < 5; j++)
            e.args[j] = rng_below(&rng, 3) ? rng_below(&rng, 50) : rng_next(&rng);
        say(s.fold, &e, sentence);
        assert_is_plain(sentence);
    }
    script_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_lecture),
        cmocka_unit_test(test_the_lecture_ends_well),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_the_kernels_own_accesses),
        cmocka_unit_test(test_system_calls),
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_mappings),
        cmocka_unit_test(test_numbers_are_those_of_the_picture),
        cmocka_unit_test(test_a_picture_and_its_sentence_agree),
        cmocka_unit_test(test_names_of_guests_are_harmless),
        cmocka_unit_test(test_every_event_of_random_runs_has_a_sentence),
        cmocka_unit_test(test_events_that_contradict_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
