/* Worked examples: traces whose victims can be followed on paper; and loops, where LRU misses always. */
#include "replay.h"

enum { NOBODY = 0 };

/* References the pages of `text`, a letter each; returns the page that left at the last one, or NOBODY. */
static uint64_t run(struct replay *r, const char *text) {
    for (; *text; text++)
        replay_reference(r, (uint64_t)*text, NULL);
    return r->evicted;
}

static void opens_with(struct replay *r, const char *specification, uint32_t frames, const char *text) {
    replay_open(r, specification, NULL, frames);
    run(r, text);
}

/* Figure 2 of the LIRS paper: three blocks of memory, two of them for LIR blocks. The stack from its bottom:
 * B (LIR), D (HIR, not resident), A (LIR), E (HIR, in the queue). Then one of B, E, D, C is referenced, which
 * the paper's figure shows, and X is, which shows what stands first in the queue. */
static void lirs_example_of_the_paper(void **state) {
    static const struct {
        const char *next;
        uint64_t out, then_out;
    } cases[] = {
        {"B", NOBODY, 'E'}, /* the stack is pruned */
        {"E", NOBODY, 'B'}, /* E becomes LIR, B HIR */
        {"D", 'E', 'B'},    /* D becomes LIR, B HIR */
        {"C", 'E', 'C'},    /* C is HIR */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct replay r;
        opens_with(&r, "lirs", 3, "BADAE");
        assert_int_equal(r.evicted, 'D');
        assert_int_equal(run(&r, cases[i].next), cases[i].out);
        assert_int_equal(run(&r, "X"), cases[i].then_out);
        assert_null(r.ops->check(r.policy));
        replay_close(&r);
    }
}

/* Two frames. T1 = B, T2 = A; C pushes B to B1; B comes back: p = 1, so A goes to B2; A comes back: p = 0
 * again, so C goes. */
static void arc_follows_its_ghosts(void **state) {
    struct replay r;
    opens_with(&r, "arc", 2, "ABA");
    assert_int_equal(run(&r, "C"), 'B');
    assert_int_equal(run(&r, "B"), 'A');
    assert_int_equal(run(&r, "A"), 'C');
    replay_close(&r);
}

/* Four frames, of which A1in may have one; A1out remembers two. A leaves first, comes back to Am, and stays
 * while others pass through A1in. */
static void twoq_keeps_what_came_back(void **state) {
    struct replay r;
    opens_with(&r, "2q", 4, "ABCD");
    assert_int_equal(run(&r, "E"), 'A');
    assert_int_equal(run(&r, "A"), 'B');
    assert_int_equal(run(&r, "F"), 'C');
    assert_int_equal(run(&r, "G"), 'D');
    assert_int_equal(run(&r, "H"), 'E');
    assert_int_equal(run(&r, "C"), 'F'); /* forgotten: D and E are the two */
    assert_int_equal(run(&r, "E"), 'G'); /* remembered; Am = A E, A1in = H C */
    assert_int_equal(run(&r, "X"), 'H');
    assert_true(replay_resident(&r, 'A') && replay_resident(&r, 'E'));
    replay_close(&r);
}

/* The figure of the SIEVE paper's idea: A and C are used again; the hand spares them where they are, takes B,
 * and goes on from there, not from the tail. */
static void sieve_goes_on_where_it_was(void **state) {
    struct replay r;
    opens_with(&r, "sieve", 4, "ABCDAC");
    assert_int_equal(run(&r, "E"), 'B');
    assert_int_equal(run(&r, "F"), 'D'); /* C is spared */
    assert_int_equal(run(&r, "G"), 'E');
    assert_int_equal(run(&r, "H"), 'F');
    assert_true(replay_resident(&r, 'A') && replay_resident(&r, 'C'));
    replay_close(&r);
}

/* Ten frames, one of them for S. A, used twice after it came, goes on to M; the others go, and come back to
 * M. */
static void s3_fifo_filters_in_the_small_queue(void **state) {
    struct replay r;
    opens_with(&r, "s3-fifo", 10, "ABCDEFGHIJAA");
    assert_int_equal(run(&r, "K"), 'B');
    assert_int_equal(run(&r, "B"), 'C'); /* B was remembered: M = A B */
    assert_int_equal(run(&r, "LMNOPQRS"), 'K');
    assert_true(replay_resident(&r, 'A') && replay_resident(&r, 'B'));
    replay_close(&r);
}

/* Used often, then not at all: LFU keeps the page until halving has made it like the others. */
static void lfu_forgets_in_time(void **state) {
    struct replay r;
    opens_with(&r, "lfu:age=4", 2, "AAAABCDEF");
    assert_true(replay_resident(&r, 'A'));
    run(&r, "GHIJKLMNOPQRSTUVWXYZ");
    assert_false(replay_resident(&r, 'A'));
    replay_close(&r);
}

/* ---- loops ---- */

static uint64_t loop_misses(const char *specification, uint32_t frames, uint64_t pages, int rounds) {
    struct replay r;
    replay_open(&r, specification, NULL, frames);
    for (int round = 0; round < rounds; round++)
        for (uint64_t page = 1; page <= pages; page++)
            replay_reference(&r, page, NULL);
    replay_close(&r);
    return r.misses;
}

/* 60 pages in turn, 50 frames. Nobody can do better than to miss each time on 10 of 59 others. */
static void lirs_and_clock_pro_keep_most_of_a_loop(void **state) {
    const uint64_t optimum = 60 + 99 * 60 * 10 / 59;
    assert_int_equal(loop_misses("lru", 50, 60, 100), 6000);
    assert_int_equal(loop_misses("clock", 50, 60, 100), 6000);
    assert_in_range(loop_misses("lirs", 50, 60, 100), optimum, optimum * 12 / 10);
    assert_in_range(loop_misses("clock-pro", 50, 60, 100), optimum, optimum * 12 / 10);
}

static void every_policy_has_only_cold_misses_where_all_fits(void **state) {
    for (const struct policy_ops *const *ops = policies; *ops; ops++)
        assert_int_equal(loop_misses((*ops)->name, 60, 60, 10), 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lirs_example_of_the_paper),
        cmocka_unit_test(arc_follows_its_ghosts),
        cmocka_unit_test(twoq_keeps_what_came_back),
        cmocka_unit_test(sieve_goes_on_where_it_was),
        cmocka_unit_test(s3_fifo_filters_in_the_small_queue),
        cmocka_unit_test(lfu_forgets_in_time),
        cmocka_unit_test(lirs_and_clock_pro_keep_most_of_a_loop),
        cmocka_unit_test(every_policy_has_only_cold_misses_where_all_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
