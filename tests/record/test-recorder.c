/* The recorder: told by hand what a vm would tell it, against what the file then holds. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/rng.h"
#include "record/recorder.h"

enum { BASE = 1234567, END = 54321 }; /* of the log: any */
enum { FRAMES = 16, STEPS = 400000, BATCH = 200 };

struct test {
    char path[64];
    struct recorder *recorder;
    const struct vm_observer *o;
    unsigned failures;
    uint32_t first_frame;
    uint32_t pages[BATCH], rests[BATCH]; /* of entries that were not yet delivered … */
    size_t batched;
    uint64_t start; /* … from this instruction on */
};

static void note_failure(void *context, int error) {
    ((struct test *)context)->failures++;
}

static void begin(struct test *t, const char *path, uint32_t reduce_to) {
    char *message = NULL;
    *t = (struct test){.failures = 0};
    snprintf(t->path, sizeof t->path, "%s", path);
    if (strstr(path, "XXXXXX"))
        close(mkstemp(t->path));
    const struct recorder_config config = {
        .path = t->path,
        .header = {.thimble = "test", .page_size = PAGE_SIZE, .reduced_to = reduce_to},
        .failed = note_failure,
        .context = t};
    assert_int_equal(recorder_create(&config, &t->recorder, &message), 0);
    t->o = recorder_observer(t->recorder);
}

static void deliver(struct test *t) {
    const struct reference_log log = {.pages = t->pages,
                                      .rests = t->rests,
                                      .count = t->batched,
                                      .base = BASE,
                                      .end = END,
                                      .start = t->start};
    if (t->batched)
        t->o->references(t->o->context, &log);
    t->batched = 0;
}

static void appears(struct test *t, uint64_t id, uint64_t vpn) {
    const struct vm_place place = {.vpn = {vpn}, .space = 3};
    deliver(t);
    t->o->appears(t->o->context, (page_id_t){id}, &place);
}

static void holds(struct test *t, uint32_t frame, uint64_t id) {
    deliver(t);
    t->o->holds(t->o->context, (pfn_t){t->first_frame + frame}, (page_id_t){id});
}

static void refer(struct test *t, uint32_t frame, uint64_t instruction, unsigned access) {
    if (t->batched == BATCH || instruction - t->start >= LOG_SPAN)
        deliver(t);
    if (!t->batched)
        t->start = instruction;
    t->pages[t->batched] = t->first_frame + frame + BASE;
    t->rests[t->batched++] = log_rest((uint32_t)(END - instruction), access);
}

/* A page that was not there is written in that frame, for the first time. */
static void arrive(struct test *t, uint32_t frame, uint64_t id, uint64_t instruction) {
    appears(t, id, 100 + frame);
    holds(t, frame, id);
    refer(t, frame, instruction, ACCESS_WRITE);
}

/* Reads all items of the file; the array is the caller's. */
static struct refs_item *read_all(struct test *t, size_t *ret_count, struct refs_totals *ret_totals) {
    struct refs_source *source;
    const struct refs_item *items;
    struct refs_item *all = NULL;
    char *message = NULL;
    *ret_count = 0;
    assert_int_equal(refs_open(t->path, REFS_FORMAT_ANY, &source, &message), 0);
    for (long n; (n = refs_next(source, &items)) != 0; *ret_count += (size_t)n) {
        assert_true(n > 0);
        all = reallocarray(all, *ret_count + (size_t)n, sizeof *all);
        memcpy(all + *ret_count, items, (size_t)n * sizeof *items);
    }
    assert_int_equal(refs_totals(source, ret_totals), 0);
    ret_totals->conditions = NULL;
    refs_close(source);
    unlink(t->path);
    return all;
}

/* The file has these items, of a run with so many instructions. */
static struct refs_totals expect_items(struct test *t, const struct refs_item *expected, size_t n,
                                       uint64_t instructions) {
    struct recorder_progress progress;
    struct refs_totals totals;
    size_t count;
    assert_int_equal(recorder_finish(t->recorder, instructions, true, NULL, &progress), 0);
    struct refs_item *items = read_all(t, &count, &totals);
    assert_int_equal(count, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(items[i].page, expected[i].page);
        assert_int_equal(items[i].kind, expected[i].kind);
        if (items[i].kind != REFS_REFERENCE)
            continue;
        assert_int_equal(items[i].instruction, expected[i].instruction);
        assert_int_equal(items[i].flags, expected[i].flags ? expected[i].flags : ACCESS_READ);
    }
    assert_int_equal(totals.instructions, instructions);
    assert_int_equal(progress.references, totals.references);
    assert_int_equal(progress.pages, totals.pages);
    assert_true(totals.whole);
    free(items);
    return totals;
}

/* Pages move from frame to frame, die and come, are written back; runs come in pieces. The file must have the
 * runs joined by page, with the kinds of all their accesses. */
static void check_runs(uint32_t first_frame) {
    struct test t;
    struct rng rng = {3};
    uint64_t id_in[FRAMES], last_id = 0, now = 0, runs = 0;
    uint32_t page_of[FRAMES];
    static struct refs_item expected[STEPS];
    size_t n = 0;
    uint32_t open = UINT32_MAX, frame = 0;
    begin(&t, "/tmp/thimble-recorder-XXXXXX", 0);
    t.first_frame = first_frame;
    for (uint32_t f = 0; f < FRAMES; f++) {
        id_in[f] = ++last_id;
        page_of[f] = (uint32_t)last_id - 1;
        arrive(&t, f, id_in[f], now);
        expected[n++] = (struct refs_item){.page = open = page_of[f], .flags = ACCESS_WRITE};
    }
    for (int i = 0; i < STEPS; i++) {
        const uint64_t what = rng_below(&rng, i >> 13 & 1 ? 100 : 2000);
        const bool calm = i >> 12 & 1; /* long batches, all of whose pages are known and other ones */
        if (calm && (i >> 11 & 1))     /* long batches with long steps */
            now += rng_below(&rng, 100) ? 0 : 65533 + rng_below(&rng, 4);
        else
            now += rng_below(&rng, 1000) ? rng_below(&rng, 20) : rng_below(&rng, 1ULL << 33);
        if (calm || rng_below(&rng, 3))
            frame = (frame + (uint32_t)rng_below(&rng, FRAMES - calm) + calm) % FRAMES;
        if (what < 1) { /* another page comes into the frame; the old one dies */
            deliver(&t);
            t.o->dies(t.o->context, (page_id_t){id_in[frame]}, POLICY_UNMAPPED);
            expected[n++] = (struct refs_item){.page = page_of[frame], .kind = REFS_DIES};
            arrive(&t, frame, ++last_id, now);
            id_in[frame] = last_id;
            page_of[frame] = open = (uint32_t)last_id - 1;
            expected[n++] = (struct refs_item){.page = open, .instruction = now, .flags = ACCESS_WRITE};
        } else if (what < 2) { /* two pages change places */
            const uint32_t other = (uint32_t)rng_below(&rng, FRAMES), page = page_of[frame];
            const uint64_t id = id_in[frame];
            id_in[frame] = id_in[other];
            page_of[frame] = page_of[other];
            id_in[other] = id;
            page_of[other] = page;
            holds(&t, other, id_in[other]);
            holds(&t, frame, id_in[frame]);
        } else if (what < 3) {
            deliver(&t);
            t.o->cleaned(t.o->context, (page_id_t){id_in[frame]});
            expected[n++] = (struct refs_item){.page = page_of[frame], .kind = REFS_CLEANED};
            open = UINT32_MAX;
        } else {
            const unsigned access = 1U << rng_below(&rng, 3);
            refer(&t, frame, now, access);
            if (rng_below(&rng, calm ? 1000 : 10) == 0)
                refer(&t, 0x12345678, now, ACCESS_READ); /* no frame: skipped */
            if (page_of[frame] != open)
                expected[n++] = (struct refs_item){.page = open = page_of[frame], .instruction = now};
            expected[n - 1].flags |= (uint8_t)(access & ~(unsigned)ACCESS_READ);
            runs++;
        }
    }
    deliver(&t);
    const struct refs_totals totals = expect_items(&t, expected, n, now);
    assert_int_equal(totals.pages, last_id);
    assert_true(runs > n);
    assert_int_equal(t.failures, 0);
}

static void test_file_has_the_runs_of_pages_that_move(void **state) {
    check_runs(0);
}

/* The numbers of half of them have more than 16 bits. */
static void test_frames_may_have_large_numbers(void **state) {
    check_runs((1 << 16) - FRAMES / 2);
}

static void emit(struct test *t, struct event e) {
    deliver(t);
    recorder_sink(t->recorder)->receive(recorder_sink(t->recorder), &e);
}

/* A mark in the middle of a run stands behind it, with the name that came before it. */
static void test_marks_stand_behind_the_run_that_they_meet(void **state) {
    struct test t;
    struct refs_totals totals;
    size_t count;
    begin(&t, "/tmp/thimble-recorder-XXXXXX", 0);
    appears(&t, 1, 10);
    holds(&t, 0, 1);
    refer(&t, 0, 5, ACCESS_EXEC);
    struct event string = {.kind = EVENT_STRING, .args = {1, 4}}, data = {.kind = EVENT_STRING_DATA};
    memcpy(data.args, "/a/b", 4);
    emit(&t, string);
    emit(&t, data);
    emit(&t, (struct event){.kind = EVENT_PROCESS_EXEC, .pid = 7, .instruction = 6, .args = {1, 0, 3}});
    refer(&t, 0, 7, ACCESS_WRITE);
    appears(&t, 2, 11);
    holds(&t, 1, 2);
    refer(&t, 1, 8, ACCESS_READ);
    deliver(&t);
    assert_int_equal(recorder_finish(t.recorder, 9, true, NULL, NULL), 0);
    struct refs_item *items = read_all(&t, &count, &totals);
    const uint8_t kinds[] = {REFS_REFERENCE, REFS_MARK, REFS_REFERENCE};
    assert_int_equal(count, ARRAY_LENGTH(kinds));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(items[i].kind, kinds[i]);
    assert_int_equal(items[0].flags, ACCESS_WRITE | ACCESS_EXEC);
    free(items);
}

/* Prints a mark, like snprintf(). */
typedef int mark_print(char *to, size_t size, const struct refs_mark *);

static int print_mark(char *to, size_t size, const struct refs_mark *m) {
    return snprintf(to, size, "%d %d %lx+%lx %d @%lu %s\n", m->type, m->space, m->a, m->b, m->flags,
                    m->instruction, m->text);
}

static int print_numbers(char *to, size_t size, const struct refs_mark *m) {
    if (m->type == REFS_MARK_UNMAP)
        return 0;
    return snprintf(to, size, "%d:%lu,%lu,%lu ", m->space, m->a, m->b, m->c);
}

/* The marks of a file, one behind the other. */
static void read_marks(struct test *t, mark_print *print, char *to, size_t size) {
    struct refs_source *source;
    const struct refs_item *items;
    char *message = NULL;
    size_t length = 0;
    assert_int_equal(refs_open(t->path, REFS_FORMAT_ANY, &source, &message), 0);
    for (long n; (n = refs_next(source, &items)) > 0;)
        for (long i = 0; i < n; i++) {
            const struct refs_mark *m = items[i].kind == REFS_MARK ? refs_mark(source, items[i].page) : NULL;
            if (m)
                length += (size_t)print(to + length, size - length, m);
        }
    refs_close(source);
    unlink(t->path);
}

/* A space whose number was another's begins empty; what changes there is mapped again,
 * and has the name then. */
static void test_names_and_spaces_are_marks(void **state) {
    struct test t;
    char marks[400], expected[400];
    const struct vm_range plain = {.space = 3, .start = {16}, .pages = 2, .flags = EVENT_MAP_SHARED | 3};
    struct vm_range named = plain;
    named.name = "ledger";
    begin(&t, "/tmp/thimble-recorder-XXXXXX", 0);
    emit(&t, (struct event){.kind = EVENT_SPACE_CREATE, .instruction = 4, .args = {3, 7}});
    t.o->renamed(t.o->context, &named, 5);
    t.o->renamed(t.o->context, &plain, 6);
    assert_int_equal(recorder_finish(t.recorder, 9, true, NULL, NULL), 0);
    read_marks(&t, print_mark, marks, sizeof marks);
    snprintf(expected, sizeof expected,
             "%d 3 0+7ffffffff 0 @4 \n%d 3 10+2 11 @5 \n%d 3 10+2 11 @5 ledger\n%d 3 10+2 11 @6 \n",
             REFS_MARK_UNMAP, REFS_MARK_MAP, REFS_MARK_NAME, REFS_MARK_MAP);
    assert_string_equal(marks, expected);
}

/* A process ends in the space that it has then; a space is copied from another once. */
static void test_marks_know_the_spaces_of_processes(void **state) {
    struct test t;
    char numbers[200];
    begin(&t, "/tmp/thimble-recorder-XXXXXX", 0);
    emit(&t, (struct event){.kind = EVENT_SPACE_CREATE, .args = {4, 7, 3 + 1}});
    emit(&t, (struct event){.kind = EVENT_PROCESS_CREATE, .pid = 7, .args = {1, 4}});
    emit(&t, (struct event){.kind = EVENT_PROCESS_CREATE, .pid = 8, .args = {7, 4}}); /* by vfork */
    emit(&t, (struct event){.kind = EVENT_PROCESS_EXEC, .pid = 8, .args = {0, 0, 5}});
    emit(&t, (struct event){.kind = EVENT_PROCESS_EXIT, .pid = 8, .args = {256}});
    emit(&t, (struct event){.kind = EVENT_PROCESS_EXIT, .pid = 7, .args = {0}});
    emit(&t, (struct event){.kind = EVENT_PROCESS_EXIT, .pid = 7, .args = {0}});
    emit(&t,
         (struct event){.kind = EVENT_MAP, .args = {4, 16, 2, 9, 0}}); /* of nothing that it was told of */
    emit(&t, (struct event){.kind = EVENT_OBJECT, .args = {9}});
    emit(&t, (struct event){.kind = EVENT_MAP, .args = {4, 16, 2, 9, 0}});
    assert_int_equal(recorder_finish(t.recorder, 9, true, NULL, NULL), 0);
    read_marks(&t, print_numbers, numbers, sizeof numbers);
    assert_string_equal(numbers, "4:7,1,4 4:8,7,0 5:8,0,0 5:8,256,0 4:7,0,0 0:7,0,0 4:16,2,0 4:16,2,1 ");
}

/* A page that is dead cannot die. */
static void test_a_page_dies_once(void **state) {
    struct test t;
    struct refs_totals totals;
    size_t count;
    begin(&t, "/tmp/thimble-recorder-XXXXXX", 0);
    arrive(&t, 0, 1, 5);
    deliver(&t);
    for (int i = 0; i < 2; i++)
        t.o->dies(t.o->context, (page_id_t){1}, POLICY_UNMAPPED);
    assert_int_equal(recorder_finish(t.recorder, 9, true, NULL, NULL), 0);
    free(read_all(&t, &count, &totals));
    assert_int_equal(count, 2);
}

static void test_reduced_file_says_so(void **state) {
    struct test t;
    struct refs_totals totals;
    size_t count;
    begin(&t, "/tmp/thimble-recorder-XXXXXX", 4);
    for (uint32_t i = 0; i < 3; i++)
        arrive(&t, i, i + 1, 0);
    for (uint32_t i = 0; i < 300; i++)
        refer(&t, i % 3, i, ACCESS_READ);
    emit(&t, (struct event){.kind = EVENT_PROCESS_EXIT, .pid = 7, .instruction = 300});
    deliver(&t);
    assert_int_equal(recorder_finish(t.recorder, 300, true, NULL, NULL), 0);
    free(read_all(&t, &count, &totals));
    assert_int_equal(count, 7);
    assert_int_equal(totals.references, 6);
    assert_int_equal(totals.dropped, 297);
}

/* A disk that is full after some blocks: said once, and everything goes on; what was written can be read. */
static void test_full_disk_is_said_once(void **state) {
    struct test t;
    struct rng rng = {1};
    struct rlimit before, small = {.rlim_max = RLIM_INFINITY};
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    small.rlim_cur = 1 << 18;
    signal(SIGXFSZ, SIG_IGN);
    begin(&t, "/tmp/thimble-recorder-XXXXXX", 0);
    setrlimit(RLIMIT_FSIZE, &small);
    for (uint32_t i = 0; i < FRAMES; i++)
        arrive(&t, i, i + 1, 0);
    for (uint64_t i = 0; i < 2000000; i++)
        refer(&t, (uint32_t)rng_below(&rng, FRAMES), i, ACCESS_READ);
    deliver(&t);
    assert_int_equal(recorder_finish(t.recorder, 0, true, NULL, NULL), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(t.failures, 1);
    struct refs_totals totals;
    size_t count;
    free(read_all(&t, &count, &totals));
    assert_in_range(count, 1, 1999999);
    assert_false(totals.whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_has_the_runs_of_pages_that_move),
        cmocka_unit_test(test_frames_may_have_large_numbers),
        cmocka_unit_test(test_marks_stand_behind_the_run_that_they_meet),
        cmocka_unit_test(test_names_and_spaces_are_marks),
        cmocka_unit_test(test_marks_know_the_spaces_of_processes),
        cmocka_unit_test(test_a_page_dies_once),
        cmocka_unit_test(test_reduced_file_says_so),
        cmocka_unit_test(test_full_disk_is_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
