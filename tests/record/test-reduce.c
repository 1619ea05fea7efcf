/* Leaving references out: against LRU and OPT simulated page by page, in all sizes, on random strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/rng.h"
#include "hw/types.h"
#include "policy/policy.h"
#include "record/reduce.h"

enum { ITEMS = 400, PAGES = 256, FRAMES_MAX = 16, STRINGS = 3000 };

struct string {
    struct refs_item items[ITEMS];
    size_t count;
    uint32_t pages;
};

static void take(void *context, const struct refs_item *item) {
    struct string *s = context;
    assert_true(s->count < ITEMS);
    s->items[s->count++] = *item;
}

/* Up to `alive` pages at a time, some used much more than others; pages die and others come. */
static void make(struct rng *rng, struct string *s, uint32_t alive) {
    uint32_t place[FRAMES_MAX];
    *s = (struct string){.pages = alive};
    for (uint32_t i = 0; i < alive; i++)
        place[i] = i;
    const uint64_t deaths = rng_below(rng, 4) ? rng_below(rng, 20) : 0;
    uint32_t from = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        if (rng_below(rng, 25) == 0)
            from = (uint32_t)rng_below(rng, alive);
        const uint32_t width = 1 + (uint32_t)rng_below(rng, rng_below(rng, 3) ? 4 : alive);
        uint32_t *at = &place[(from + rng_below(rng, width)) % alive];
        struct refs_item item = {.instruction = i, .page = *at, .flags = ACCESS_READ};
        if (rng_below(rng, 4) == 0)
            item.flags = ACCESS_WRITE;
        if (rng_below(rng, 100) < deaths && s->pages < PAGES) {
            item.kind = rng_below(rng, 2) ? REFS_DIES : REFS_CLEANED;
            item.flags = item.kind == REFS_DIES ? POLICY_EXITED : 0;
            if (item.kind == REFS_DIES)
                *at = s->pages++;
        }
        s->items[s->count++] = item;
    }
}

static uint32_t reduce(const struct string *s, uint32_t frames, struct string *ret,
                       uint64_t ret_halves[REFS_HALVES]) {
    struct reduce *r;
    *ret = (struct string){.pages = s->pages};
    assert_int_equal(reduce_create(frames, take, ret, &r), 0);
    for (size_t i = 0; i < s->count; i++)
        assert_int_equal(reduce_add(r, &s->items[i]), 0);
    reduce_end(r);
    assert_int_equal(reduce_dropped(r), s->count - ret->count);
    const uint32_t count = reduce_halves(r, ret_halves);
    reduce_destroy(r);
    return count;
}

/* ---- memories ---- */

struct memory {
    uint32_t page[FRAMES_MAX], frames, used;
    bool dirty[PAGES];
    size_t misses, writes;
};

static size_t find(const struct memory *m, uint32_t page) {
    size_t i = 0;
    while (i < m->used && m->page[i] != page)
        i++;
    return i;
}

static void move_out(struct memory *m, size_t i) {
    m->used--;
    memmove(&m->page[i], &m->page[i + 1], (m->used - i) * sizeof *m->page);
}

static size_t next_use(const struct string *s, size_t from, uint32_t page) {
    size_t i = from;
    while (i < s->count && (s->items[i].kind != REFS_REFERENCE || s->items[i].page != page))
        i++;
    return i;
}

/* Pages stand in the order of their last use: LRU takes the first one, OPT the one that is wanted last. */
static size_t victim(const struct memory *m, const struct string *s, size_t now, bool opt) {
    size_t best = 0;
    for (size_t i = 1; opt && i < m->used; i++)
        if (next_use(s, now, m->page[i]) > next_use(s, now, m->page[best]))
            best = i;
    return best;
}

static void refer(struct memory *m, const struct string *s, size_t now, bool opt) {
    const uint32_t page = s->items[now].page;
    const size_t i = find(m, page);
    if (i < m->used) {
        move_out(m, i);
    } else {
        m->misses++;
        if (m->used == m->frames) {
            const size_t out = victim(m, s, now, opt);
            m->writes += m->dirty[m->page[out]];
            m->dirty[m->page[out]] = false;
            move_out(m, out);
        }
    }
    m->page[m->used++] = page;
    if (s->items[now].flags & ACCESS_WRITE)
        m->dirty[page] = true;
}

static struct memory run(const struct string *s, uint32_t frames, bool opt) {
    struct memory m = {.frames = frames};
    for (size_t now = 0; now < s->count; now++) {
        const struct refs_item *item = &s->items[now];
        const size_t i = find(&m, item->page);
        if (item->kind == REFS_REFERENCE)
            refer(&m, s, now, opt);
        else
            m.dirty[item->page] = false;
        if (item->kind == REFS_DIES && i < m.used)
            move_out(&m, i);
    }
    return m;
}

static void test_misses_of_lru_and_opt_are_the_same_from_k_frames_on(void **state) {
    struct rng rng = {7};
    static struct string s, reduced;
    uint64_t halves[REFS_HALVES];
    size_t dropped = 0;
    for (int n = 0; n < STRINGS; n++) {
        const uint32_t alive = 2 + (uint32_t)rng_below(&rng, FRAMES_MAX - 3);
        const uint32_t k = 1 + (uint32_t)rng_below(&rng, alive);
        make(&rng, &s, alive);
        reduce(&s, k, &reduced, halves);
        dropped += s.count - reduced.count;
        for (uint32_t frames = k; frames < FRAMES_MAX; frames++) {
            const struct memory a = run(&s, frames, false), b = run(&reduced, frames, false);
            assert_int_equal(a.misses, b.misses);
            assert_int_equal(a.writes, b.writes);
            assert_int_equal(run(&s, frames, true).misses, run(&reduced, frames, true).misses);
        }
    }
    assert_true(dropped > (size_t)STRINGS * ITEMS / 10);
}

/* Exactly, but where pages die: then never too few, and seldom many too many. */
static void test_misses_of_lru_in_halves_of_k_frames_are_counted(void **state) {
    struct rng rng = {9};
    static struct string s, reduced;
    uint64_t halves[REFS_HALVES], counted = 0, true_misses = 0;
    for (int n = 0; n < STRINGS; n++) {
        const uint32_t alive = 2 + (uint32_t)rng_below(&rng, FRAMES_MAX - 3);
        const uint32_t k = 1 + (uint32_t)rng_below(&rng, FRAMES_MAX);
        make(&rng, &s, alive);
        const uint32_t count = reduce(&s, k, &reduced, halves);
        assert_int_equal(k >> count, 1);
        for (uint32_t i = 0; i < count; i++) {
            const uint64_t misses = run(&s, k >> (i + 1), false).misses;
            if (s.pages == alive)
                assert_int_equal(halves[i], misses);
            assert_true(halves[i] >= misses);
            counted += halves[i];
            true_misses += misses;
        }
    }
    print_message("%.4f of the true misses\n", (double)counted / (double)true_misses);
    assert_true(counted > true_misses && counted < true_misses + true_misses / 20);
}

/* a b a b … : with two frames only the first and the last of each page remain. */
static void test_only_ends_of_a_row_stay(void **state) {
    static struct string s, reduced;
    uint64_t halves[REFS_HALVES];
    s = (struct string){.count = 100, .pages = 2};
    for (size_t i = 0; i < s.count; i++)
        s.items[i] = (struct refs_item){.instruction = i, .page = i % 2, .flags = ACCESS_READ};
    s.items[51].flags = ACCESS_WRITE;
    reduce(&s, 2, &reduced, halves);
    assert_int_equal(reduced.count, 4);
    const uint64_t expected[] = {0, 1, 98, 99};
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_int_equal(reduced.items[i].instruction, expected[i]);
    assert_true(reduced.items[3].flags & ACCESS_WRITE); /* of one that was left out */
    reduce(&s, 1, &reduced, halves);
    assert_int_equal(reduced.count, 100);
}

static void test_what_happens_to_a_page_stays_in_its_place(void **state) {
    static struct string s, reduced;
    uint64_t halves[REFS_HALVES];
    s = (struct string){.count = 8, .pages = 1};
    for (size_t i = 0; i < s.count; i++)
        s.items[i] = (struct refs_item){.instruction = i, .flags = ACCESS_READ};
    s.items[4].kind = REFS_CLEANED;
    s.items[4].flags = 0;
    reduce(&s, 4, &reduced, halves);
    const uint64_t expected[] = {0, 3, 4, 5, 7};
    assert_int_equal(reduced.count, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_int_equal(reduced.items[i].instruction, expected[i]);
}

/* ---- many pages ---- */

enum { MANY = 3000, ROUNDS = 4 };

static void count_item(void *context, const struct refs_item *item) {
    ++*(size_t *)context;
}

/* Rounds over many pages: all but the first and the last is dropped where all of them have room. */
static void test_many_pages(void **state) {
    struct reduce *r;
    size_t emitted = 0;
    uint64_t halves[REFS_HALVES];
    assert_int_equal(reduce_create(MANY, count_item, &emitted, &r), 0);
    for (uint32_t i = 0; i < ROUNDS * MANY; i++)
        assert_int_equal(
            reduce_add(r, &(struct refs_item){.instruction = i, .page = i % MANY, .flags = ACCESS_READ}), 0);
    assert_int_equal(reduce_dropped(r), (ROUNDS - 2) * MANY);
    reduce_end(r);
    assert_int_equal(emitted, 2 * MANY);
    assert_int_equal(reduce_halves(r, halves), 11);
    for (int i = 0; i < 11; i++) /* with less than all pages a round has nothing left of the one before */
        assert_int_equal(halves[i], ROUNDS * MANY);
    reduce_destroy(r);
}

/* What stays for sure is given on at once: a run may be long. */
static void test_what_waits_are_few(void **state) {
    enum { K = 10 };
    struct reduce *r;
    size_t emitted = 0;
    assert_int_equal(reduce_create(K, count_item, &emitted, &r), 0);
    for (uint32_t i = 0; i < ROUNDS * MANY; i++) {
        assert_int_equal(
            reduce_add(r, &(struct refs_item){.instruction = i, .page = i % MANY, .flags = ACCESS_READ}), 0);
        assert_true(emitted + K > i);
    }
    reduce_destroy(r);
    assert_int_equal(emitted, ROUNDS * MANY);
}

/* The largest k there is has the most halves. */
static void test_all_halves_are_counted(void **state) {
    struct reduce *r;
    size_t emitted = 0;
    uint64_t halves[REFS_HALVES + 1] = {[REFS_HALVES] = 7};
    assert_int_equal(reduce_create(UINT32_MAX, count_item, &emitted, &r), 0);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(reduce_add(r, &(struct refs_item){.page = i % 3, .flags = ACCESS_READ}), 0);
    assert_int_equal(reduce_halves(r, halves), REFS_HALVES);
    assert_int_equal(halves[REFS_HALVES - 1], 30); /* one frame */
    assert_int_equal(halves[REFS_HALVES - 2], 3);  /* three */
    assert_int_equal(halves[REFS_HALVES], 7);
    reduce_destroy(r);
    assert_int_equal(emitted, 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_misses_of_lru_and_opt_are_the_same_from_k_frames_on),
        cmocka_unit_test(test_misses_of_lru_in_halves_of_k_frames_are_counted),
        cmocka_unit_test(test_only_ends_of_a_row_stay),
        cmocka_unit_test(test_what_happens_to_a_page_stays_in_its_place),
        cmocka_unit_test(test_many_pages),
        cmocka_unit_test(test_what_waits_are_few),
        cmocka_unit_test(test_all_halves_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
