/* The floor and the answer for a run whose needs are known: thirty pages of its own that it uses all the
 * time, and a loop over a hundred pages of a file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "analysis/answer.h"
#include "analysis/floor.h"
#include "analysis/phases.h"
#include "analysis/simulate.h"
#include "hw/types.h"
#include "policy/policies.h"

enum { OWN = 30, LOOP = 100, ROUNDS = 50, BRIEF = 10 };

static char path[] = "/tmp/thimble-answer-XXXXXX";

/* Pages by what they are for: the program's own, those that live briefly, the loop's. */
enum { PAGES = OWN + 4 * OWN + LOOP, FIRST_OF_FILE = PAGES - LOOP };

struct script {
    struct refs_writer *writer;
    uint64_t instruction;
    uint32_t numbers[PAGES]; /* in the file, + 1; 0: it has not appeared */
};

static uint32_t number_of(struct script *s, uint32_t page) {
    if (!s->numbers[page]) {
        const uint16_t kind = page >= FIRST_OF_FILE ? REFS_PAGE_FILE : 0;
        const struct refs_page shape = {.name = page + 1, .flags = REFS_PAGE_KNOWN | kind};
        assert_int_equal(refs_writer_page(s->writer, &shape, &s->numbers[page]), 0);
        s->numbers[page]++;
    }
    return s->numbers[page] - 1;
}

static void put(struct script *s, uint32_t page, enum refs_kind kind, unsigned flags) {
    const struct refs_item item = {.instruction = s->instruction += 10,
                                   .page = number_of(s, page),
                                   .kind = (uint8_t)kind,
                                   .flags = (uint8_t)flags};
    assert_int_equal(refs_writer_add(s->writer, &item, 1), 0);
}

/* Some pages live only at the beginning: they count for the floor if there are more of them than later. */
static struct refs_source *write_script(uint32_t brief) {
    struct script s = {0};
    struct refs_source *source;
    char *message = NULL;
    const struct refs_header header = {.page_size = PAGE_SIZE, .seed = 1, .deterministic = true};
    assert_int_equal(refs_writer_create(path, &header, &s.writer, &message), 0);
    for (uint32_t i = 0; i < brief; i++)
        put(&s, OWN + i, REFS_REFERENCE, ACCESS_WRITE);
    for (uint32_t i = 0; i < brief; i++)
        put(&s, OWN + i, REFS_DIES, POLICY_UNMAPPED);
    for (uint32_t round = 0; round < ROUNDS; round++)
        for (uint32_t i = 0; i < LOOP; i++) {
            put(&s, i % OWN, REFS_REFERENCE, ACCESS_WRITE);
            put(&s, FIRST_OF_FILE + i, REFS_REFERENCE, ACCESS_READ);
        }
    assert_int_equal(refs_writer_finish(s.writer, s.instruction, 0, true, NULL), 0);
    assert_int_equal(refs_open(path, REFS_FORMAT_ANY, &source, &message), 0);
    return source;
}

static struct answer_config question(double slowdown) {
    return (struct answer_config){
        .policy = &policy_clock,
        .seed = 1,
        .no_swap = true,
        .disk = {.latency = 1e-3, .bandwidth = 1e12, .depth = 1, .writes = 0},
        .page_size = PAGE_SIZE,
        .cpu_seconds = 1,
        .slowdown = slowdown,
        .threads = 2,
    };
}

static struct answer answer_to(struct refs_source *source, double slowdown) {
    struct answer answer;
    char *message = NULL;
    const struct answer_config config = question(slowdown);
    assert_int_equal(answer_find(source, &config, &answer, &message), 0);
    return answer;
}

static void the_floor_is_what_must_stay_and_one_page_of_a_file(void **state) {
    struct refs_source *source = write_script(BRIEF);
    struct answer answer = answer_to(source, 1);
    assert_int_equal(answer.floor.floor, OWN + 1);
    assert_int_equal(answer.floor.anonymous, OWN);
    assert_int_equal(answer.floor.files, LOOP);
    assert_int_equal(answer.floor.all, OWN + LOOP);
    assert_int_equal(answer.floor.cold_anonymous, OWN + BRIEF);
    answer_free(&answer);
    refs_close(source);

    source = write_script(4 * OWN);
    answer = answer_to(source, 1);
    assert_int_equal(answer.floor.floor, 4 * OWN);
    answer_free(&answer);
    refs_close(source);
}

static void put_all(struct script *s, uint32_t from, uint32_t end, enum refs_kind kind, unsigned flags) {
    for (uint32_t page = from; page < end; page++)
        put(s, page, kind, flags);
}

/* A page that was given up need not stay until it is written again. */
static void the_floor_does_without_what_was_given_up(void **state) {
    struct script s = {0};
    struct refs_source *source;
    struct floor_scan *scan;
    struct floor_result floor;
    const struct refs_item *items;
    char *message = NULL;
    const struct refs_header header = {.page_size = PAGE_SIZE};
    assert_int_equal(refs_writer_create(path, &header, &s.writer, &message), 0);
    put_all(&s, 0, 10, REFS_REFERENCE, ACCESS_WRITE);
    put_all(&s, 0, 10, REFS_GIVEN_UP, 0);
    put_all(&s, 10, 20, REFS_REFERENCE, ACCESS_WRITE);
    put_all(&s, 0, 5, REFS_REFERENCE, ACCESS_WRITE);
    put(&s, 5, REFS_REFERENCE, ACCESS_READ); /* 15 that stay, and this one */
    const uint64_t most = s.instruction;
    put_all(&s, 6, 9, REFS_REFERENCE, ACCESS_READ);
    put(&s, FIRST_OF_FILE, REFS_REFERENCE, ACCESS_READ); /* 15, 5 that were given up, and this one */
    put_all(&s, 5, 7, REFS_DIES, POLICY_UNMAPPED);
    put(&s, 0, REFS_GIVEN_UP, 0);
    put(&s, 20, REFS_REFERENCE, ACCESS_WRITE);
    put(&s, FIRST_OF_FILE, REFS_REFERENCE, ACCESS_READ); /* once more 15 */
    assert_int_equal(refs_writer_finish(s.writer, s.instruction, 0, true, NULL), 0);
    assert_int_equal(refs_open(path, REFS_FORMAT_ANY, &source, &message), 0);
    assert_int_equal(floor_scan_create(source, &scan), 0);
    for (long count; (count = refs_next(source, &items)) > 0;)
        assert_int_equal(floor_scan_feed(scan, items, (size_t)count), 0);
    floor_scan_get(scan, &floor);
    assert_int_equal(floor.floor, 16);
    assert_int_equal(floor.floor_instruction, most);
    assert_int_equal(floor.anonymous, 19); /* with 5 to 8, which are read again */
    assert_int_equal(floor.files, 1);
    assert_int_equal(floor.all, 21);
    assert_int_equal(floor.cold_anonymous, 21);
    assert_int_equal(floor.cold_files, 1);
    assert_false(floor.forked);
    floor_scan_destroy(scan);
    refs_close(source);
}

static bool runs_out_of_memory(struct refs_source *source, uint32_t frames) {
    const struct simulation_config config = {.policy = &policy_lru, .frames = frames, .no_swap = true};
    struct simulation *simulation;
    struct simulation_result result;
    assert_int_equal(simulation_create(&config, &simulation), 0);
    assert_int_equal(refs_rewind(source), 0);
    assert_int_equal(simulate_all(source, &simulation, 1, 1, NULL), 0);
    simulation_get_result(simulation, &result);
    simulation_destroy(simulation);
    return result.out_of_memory;
}

static void with_one_frame_less_than_the_floor_there_is_no_victim(void **state) {
    struct refs_source *source = write_script(BRIEF);
    assert_false(runs_out_of_memory(source, OWN + 1));
    assert_true(runs_out_of_memory(source, OWN));
    refs_close(source);
}

/* The loop fits whole or not at all: CLOCK misses at each of its pages with one frame too few. */
static void the_answer_is_the_smallest_size_that_is_fast_enough(void **state) {
    struct refs_source *source = write_script(BRIEF);
    struct answer answer = answer_to(source, 1.01);
    assert_true(answer.chosen > 0 && answer.chosen < answer.count);
    assert_int_equal(answer.points[answer.chosen].frames, OWN + LOOP);
    assert_int_equal(answer.points[answer.chosen].misses, OWN + BRIEF + LOOP);
    assert_int_equal(answer.points[answer.chosen].reads, LOOP);
    assert_int_equal(answer.points[answer.chosen - 1].frames, OWN + LOOP - 1);
    assert_true(answer.points[answer.chosen - 1].slowdown > 1.01);
    answer_free(&answer);

    answer = answer_to(source, 1000); /* anything will do that can run */
    assert_int_equal(answer.chosen, 0);
    assert_int_equal(answer.points[0].frames, OWN + 1);
    assert_int_equal(answer.alive, OWN + 1);
    answer_free(&answer);
    refs_close(source);
}

/* What was given up and lost comes back as a page that must stay, though it is only read: more frames are
 * needed than the floor then, and the answer is the least with which the run goes to its end. */
static void the_answer_has_room_for_what_was_lost_and_came_back(void **state) {
    struct script s = {0};
    struct refs_source *source;
    char *message = NULL;
    const struct refs_header header = {.page_size = PAGE_SIZE};
    assert_int_equal(refs_writer_create(path, &header, &s.writer, &message), 0);
    put_all(&s, 0, 10, REFS_REFERENCE, ACCESS_WRITE);
    put(&s, 0, REFS_GIVEN_UP, 0);
    put(&s, FIRST_OF_FILE, REFS_REFERENCE, ACCESS_READ);
    put(&s, 0, REFS_REFERENCE, ACCESS_READ);
    put(&s, FIRST_OF_FILE, REFS_REFERENCE, ACCESS_READ);
    assert_int_equal(refs_writer_finish(s.writer, s.instruction, 0, true, NULL), 0);
    assert_int_equal(refs_open(path, REFS_FORMAT_ANY, &source, &message), 0);
    struct answer answer = answer_to(source, 1000);
    assert_int_equal(answer.floor.floor, 10); /* for a policy that keeps it */
    assert_int_equal(answer.floor.anonymous, 10);
    assert_int_equal(answer.alive, 11);
    assert_int_equal(answer.points[answer.chosen].frames, 11);
    answer_free(&answer);
    refs_close(source);
}

/* The phases add up to the whole; the loop's first round is in the first, and cold. */
static void phases_add_up(void **state) {
    struct refs_source *source = write_script(BRIEF);
    const struct simulation_config config = {.policy = &policy_clock, .frames = OWN + LOOP};
    const uint64_t round = 10 * 2 * LOOP; /* instructions */
    struct phase *phases;
    size_t count;
    assert_int_equal(phases_compute(source, &config, round, &phases, &count), 0);
    assert_int_equal(count, ROUNDS + 1); /* what was brief came in front of the rounds */
    uint64_t references = 0, misses = 0, instructions = 0;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(phases[i].start, instructions);
        instructions += phases[i].instructions;
        references += phases[i].counted.references;
        misses += phases[i].counted.misses;
        if (i > 1)
            assert_int_equal(phases[i].counted.misses, 0);
    }
    assert_int_equal(references, BRIEF + 2 * LOOP * ROUNDS);
    assert_int_equal(misses, OWN + BRIEF + LOOP);
    free(phases);
    refs_close(source);
}

/* Every count of the phases adds up to the simulation's, where pages are evicted, too; intervals in which
 * nothing is referenced are there. */
static void counts_of_phases_add_up(void **state) {
    enum { PART = 60, INTERVAL = 500, GAP = 10 * INTERVAL };
    struct script s = {0};
    struct refs_source *source;
    struct phase *phases;
    struct simulation *simulation;
    struct simulation_result whole, sum = {0};
    size_t count;
    char *message = NULL;
    const struct refs_header header = {.page_size = PAGE_SIZE};
    const struct simulation_config config = {.policy = &policy_lru, .frames = 50};
    assert_int_equal(refs_writer_create(path, &header, &s.writer, &message), 0);
    for (int round = 0; round < 4; round++) {
        put_all(&s, 0, PART, REFS_REFERENCE, ACCESS_WRITE);
        put_all(&s, FIRST_OF_FILE, FIRST_OF_FILE + PART, REFS_REFERENCE, ACCESS_WRITE);
        s.instruction += GAP;
    }
    assert_int_equal(refs_writer_finish(s.writer, s.instruction, 0, true, NULL), 0);
    assert_int_equal(refs_open(path, REFS_FORMAT_ANY, &source, &message), 0);
    assert_int_equal(phases_compute(source, &config, INTERVAL, &phases, &count), 0);
    size_t empty = 0;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(phases[i].start, i * INTERVAL);
        assert_true(i + 1 == count || phases[i].instructions == INTERVAL);
        empty += phases[i].counted.references == 0;
        sum.references += phases[i].counted.references;
        sum.misses += phases[i].counted.misses;
        sum.cold += phases[i].counted.cold;
        sum.cold_anonymous += phases[i].counted.cold_anonymous;
        sum.evictions += phases[i].counted.evictions;
        sum.to_swap += phases[i].counted.to_swap;
        sum.to_file += phases[i].counted.to_file;
    }
    assert_in_range(empty, 3 * (GAP / INTERVAL - 1), 3 * GAP / INTERVAL);
    free(phases);
    assert_int_equal(simulation_create(&config, &simulation), 0);
    assert_int_equal(refs_rewind(source), 0);
    assert_int_equal(simulate_all(source, &simulation, 1, 1, NULL), 0);
    simulation_get_result(simulation, &whole);
    simulation_destroy(simulation);
    assert_int_equal(sum.references, whole.references);
    assert_int_equal(sum.misses, whole.misses);
    assert_int_equal(sum.cold, whole.cold);
    assert_int_equal(sum.cold_anonymous, whole.cold_anonymous);
    assert_int_equal(sum.evictions, whole.evictions);
    assert_int_equal(sum.to_swap, whole.to_swap);
    assert_int_equal(sum.to_file, whole.to_file);
    assert_true(sum.to_swap > 0 && sum.to_file > 0);
    refs_close(source);
}

/* The phases of a run whose last reference is at this instruction, one for each. */
static int phases_to(uint64_t last, size_t *ret_count) {
    struct script s = {0};
    struct refs_source *source;
    struct phase *phases;
    char *message = NULL;
    const struct refs_header header = {.page_size = PAGE_SIZE};
    const struct simulation_config config = {.policy = &policy_fifo, .frames = 2};
    assert_int_equal(refs_writer_create(path, &header, &s.writer, &message), 0);
    s.instruction = last - 10;
    put(&s, 0, REFS_REFERENCE, ACCESS_READ);
    assert_int_equal(refs_writer_finish(s.writer, last, 0, true, NULL), 0);
    assert_int_equal(refs_open(path, REFS_FORMAT_ANY, &source, &message), 0);
    const int error = phases_compute(source, &config, 1, &phases, ret_count);
    if (!error)
        free(phases);
    refs_close(source);
    return error;
}

static void there_may_be_a_million_phases(void **state) {
    size_t count;
    assert_int_equal(phases_to(999999, &count), 0);
    assert_int_equal(count, 1000000);
    assert_int_equal(phases_to(1000000, &count), -E2BIG);
}

static void a_file_without_references_is_refused(void **state) {
    struct refs_writer *writer;
    struct refs_source *source;
    struct answer answer;
    char *message = NULL;
    const struct refs_header header = {.page_size = PAGE_SIZE};
    const struct answer_config config = question(1.1);
    assert_int_equal(refs_writer_create(path, &header, &writer, &message), 0);
    assert_int_equal(refs_writer_finish(writer, 0, 0, true, NULL), 0);
    assert_int_equal(refs_open(path, REFS_FORMAT_ANY, &source, &message), 0);
    assert_int_equal(answer_find(source, &config, &answer, &message), -ENODATA);
    assert_non_null(message);
    free(message);
    refs_close(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_floor_is_what_must_stay_and_one_page_of_a_file),
        cmocka_unit_test(the_floor_does_without_what_was_given_up),
        cmocka_unit_test(with_one_frame_less_than_the_floor_there_is_no_victim),
        cmocka_unit_test(the_answer_is_the_smallest_size_that_is_fast_enough),
        cmocka_unit_test(the_answer_has_room_for_what_was_lost_and_came_back),
        cmocka_unit_test(phases_add_up),
        cmocka_unit_test(counts_of_phases_add_up),
        cmocka_unit_test(there_may_be_a_million_phases),
        cmocka_unit_test(a_file_without_references_is_refused),
    };
    const int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
