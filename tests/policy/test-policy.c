/* Each replacement policy against an independent reference that computes its victim by brute force from time
 * stamps, on random traces; worked examples from the literature; what every policy must keep to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "policy/policies.h"

enum { FRAMES = 24, PAGES = 60, STEPS = 20000 };

/* A memory that replays references to pages, with what the references need to know of each frame. */
struct memory {
    const struct policy_ops *ops;
    void *policy;
    uint32_t frames;
    uint64_t page[FRAMES];        /* in the frame; 0: free */
    bool referenced[FRAMES];      /* the hardware's bit */
    uint64_t entered[FRAMES];     /* time of insertion */
    uint64_t used[FRAMES];        /* time of the last reference */
    bool clock_bit[FRAMES];       /* the reference's own idea of CLOCK: bit … */
    uint64_t clock_order[FRAMES]; /* … and when the hand comes by next: smallest first */
    uint64_t time;
    uint64_t faults;
};

static bool memory_test_and_clear(void *context, pfn_t f) {
    struct memory *m = context;
    const bool referenced = m->referenced[f.n];
    m->referenced[f.n] = false;
    return referenced;
}

static void memory_open(struct memory *m, const char *specification, uint32_t frames, uint64_t seed) {
    const char *parameters;
    *m = (struct memory){.ops = policy_find(specification, &parameters), .frames = frames};
    assert_non_null(m->ops);
    const struct policy_config config = {.frames = frames,
                                         .capacity = frames,
                                         .seed = seed,
                                         .parameters = parameters,
                                         .test_and_clear_referenced = memory_test_and_clear,
                                         .context = m};
    assert_int_equal(m->ops->create(&config, &m->policy), 0);
}

static void memory_close(struct memory *m) {
    m->ops->destroy(m->policy);
}

static uint32_t memory_find(const struct memory *m, uint64_t page) {
    uint32_t n = 0;
    while (n < m->frames && m->page[n] != page)
        n++;
    return n;
}

/* The inserted frame with the smallest stamp. */
static pfn_t smallest(const struct memory *m, const uint64_t *stamp) {
    pfn_t best = PFN_NONE;
    for (uint32_t n = 0; n < m->frames; n++)
        if (m->page[n] && (pfn_is_none(best) || stamp[n] < stamp[best.n]))
            best.n = n;
    return best;
}

/* CLOCK as its definition has it, one look of the hand at a time. */
static pfn_t reference_clock(struct memory *m) {
    for (;;) {
        const pfn_t hand = smallest(m, m->clock_order);
        if (!m->clock_bit[hand.n])
            return hand;
        m->clock_bit[hand.n] = false;
        m->clock_order[hand.n] = ++m->time;
    }
}

static void memory_check_victim(struct memory *m, pfn_t victim) {
    assert_true(victim.n < m->frames && m->page[victim.n]);
    if (m->ops == &policy_fifo)
        assert_int_equal(victim.n, smallest(m, m->entered).n);
    else if (m->ops == &policy_lru)
        assert_int_equal(victim.n, smallest(m, m->used).n);
    else if (m->ops == &policy_clock)
        assert_int_equal(victim.n, reference_clock(m).n);
}

static void memory_remove(struct memory *m, pfn_t f, enum policy_remove reason) {
    m->ops->remove(m->policy, f, (page_id_t){m->page[f.n]}, reason);
    m->page[f.n] = 0;
    m->referenced[f.n] = false;
}

static void memory_insert(struct memory *m, pfn_t f, uint64_t page) {
    m->page[f.n] = page;
    m->entered[f.n] = m->used[f.n] = m->clock_order[f.n] = ++m->time;
    m->clock_bit[f.n] = true;
    m->ops->insert(m->policy, f, (page_id_t){page});
}

/* A reference to a page, with the fault and the eviction that it may need. Returns the victim or PFN_NONE. */
static pfn_t memory_reference(struct memory *m, uint64_t page) {
    pfn_t victim = PFN_NONE, f = {memory_find(m, page)};
    if (f.n < m->frames) {
        m->referenced[f.n] = m->clock_bit[f.n] = true;
        m->used[f.n] = ++m->time;
        if (m->ops->needs == POLICY_NEEDS_EVERY_REFERENCE)
            m->ops->access(m->policy, f, (page_id_t){page});
        return victim;
    }
    m->faults++;
    f.n = memory_find(m, 0);
    if (f.n == m->frames) {
        f = victim = m->ops->victim(m->policy);
        memory_check_victim(m, victim);
        memory_remove(m, victim, POLICY_EVICTED);
    }
    memory_insert(m, f, page);
    return victim;
}

/* ---- random traces ---- */

static void random_trace(const char *specification, uint32_t frames, uint64_t seed) {
    struct rng rng = {seed};
    struct memory m;
    memory_open(&m, specification, frames, seed);
    uint64_t hot = 1;
    for (int step = 0; step < STEPS; step++) {
        if (step % 200 == 0)
            hot = 1 + rng_below(&rng, PAGES);
        memory_reference(&m, 1 + (rng_below(&rng, 4) ? rng_below(&rng, hot) : rng_below(&rng, PAGES)));
        const pfn_t f = {(uint32_t)rng_below(&rng, frames)};
        if (m.page[f.n] && rng_below(&rng, 20) == 0)
            memory_remove(&m, f, rng_below(&rng, 2) ? POLICY_UNMAPPED : POLICY_EXITED);
        if (step % 100 == 0)
            assert_null(m.ops->check(m.policy));
    }
    for (uint32_t n = 0; n < frames; n++)
        if (m.page[n])
            memory_remove(&m, (pfn_t){n}, POLICY_EXITED);
    assert_true(pfn_is_none(m.ops->victim(m.policy)));
    assert_null(m.ops->check(m.policy));
    memory_close(&m);
}

static void victims_are_those_of_the_reference(void **state) {
    static const uint32_t frames[] = {1, 2, 3, 9, FRAMES};
    for (const struct policy_ops *const *ops = policies; *ops; ops++)
        for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
            for (uint64_t seed = 1; seed <= 3; seed++)
                random_trace((*ops)->name, frames[i], seed);
}

/* ---- worked examples ---- */

static uint64_t faults_of(const char *specification, uint32_t frames, const char *pages) {
    struct memory m;
    memory_open(&m, specification, frames, 1);
    for (; *pages; pages++)
        memory_reference(&m, (uint64_t)(*pages - '0') + 1);
    memory_close(&m);
    return m.faults;
}

/* Belady, Nelson, Shedler 1969. */
static void fifo_shows_beladys_anomaly_and_lru_does_not(void **state) {
    static const char trace[] = "123412512345";
    assert_int_equal(faults_of("fifo", 3, trace), 9);
    assert_int_equal(faults_of("fifo", 4, trace), 10);
    assert_int_equal(faults_of("lru", 3, trace), 10);
    assert_int_equal(faults_of("lru", 4, trace), 8);
}

/* The reference string of Silberschatz, Galvin, Gagne, "Operating System Concepts", 9.4, three frames. */
static void textbook_string_gives_the_textbook_faults(void **state) {
    static const char trace[] = "70120304230321201701";
    assert_int_equal(faults_of("fifo", 3, trace), 15);
    assert_int_equal(faults_of("lru", 3, trace), 12);
}

/* Three pages; all have been spared once when page 4 needs room, so the order of entry decides: 1 goes. Then
 * 2 is used, so that 3 goes before it. */
static void clock_gives_a_second_chance(void **state) {
    struct memory m;
    memory_open(&m, "clock", 3, 1);
    for (uint64_t page = 1; page <= 3; page++)
        assert_true(pfn_is_none(memory_reference(&m, page)));
    assert_int_equal(memory_reference(&m, 4).n, 0);
    memory_reference(&m, 2);
    assert_int_equal(memory_reference(&m, 5).n, 2);
    assert_int_equal(memory_reference(&m, 6).n, 1); /* 4 and 5 entered after the hand spared 2 */
    memory_close(&m);
}

/* ---- random ---- */

static void random_reaches_every_frame_equally(void **state) {
    struct memory m;
    unsigned chosen[FRAMES] = {0};
    memory_open(&m, "random", FRAMES, 3);
    for (uint64_t page = 1; page <= FRAMES + 24000; page++) {
        const pfn_t victim = memory_reference(&m, page);
        if (!pfn_is_none(victim))
            chosen[victim.n]++;
    }
    for (int n = 0; n < FRAMES; n++)
        assert_in_range(chosen[n], 850, 1150);
    memory_close(&m);
}

static void victims_of(const char *specification, uint64_t seed, uint32_t victims[200]) {
    struct memory m;
    memory_open(&m, specification, FRAMES, seed);
    for (uint64_t page = 1; page <= FRAMES + 200; page++) {
        const pfn_t victim = memory_reference(&m, page);
        if (page > FRAMES)
            victims[page - FRAMES - 1] = victim.n;
    }
    memory_close(&m);
}

static void random_is_a_function_of_its_seed(void **state) {
    uint32_t a[200], b[200];
    victims_of("random", 7, a);
    victims_of("random:seed=7", 8, b);
    assert_memory_equal(a, b, sizeof a);
    victims_of("random", 8, b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* ---- what every policy keeps to ---- */

static void asking_twice_gives_the_same_victim(void **state) {
    for (const struct policy_ops *const *ops = policies; *ops; ops++) {
        struct memory m;
        memory_open(&m, (*ops)->name, FRAMES, 1);
        for (uint64_t page = 1; page <= FRAMES; page++)
            memory_reference(&m, page);
        const pfn_t victim = m.ops->victim(m.policy);
        assert_true(victim.n < FRAMES);
        for (int i = 0; i < 10; i++)
            assert_int_equal(m.ops->victim(m.policy).n, victim.n);
        memory_close(&m);
    }
}

/* Two instances that see different traces in turns choose what each would choose alone. */
static void instances_do_not_interfere(void **state) {
    for (const struct policy_ops *const *ops = policies; *ops; ops++) {
        struct memory both[2], alone[2];
        for (unsigned i = 0; i < 2; i++) {
            memory_open(&both[i], (*ops)->name, 8 + i, 5 + i);
            memory_open(&alone[i], (*ops)->name, 8 + i, 5 + i);
        }
        static pfn_t victims[2][2000];
        for (unsigned i = 0; i < 2; i++) {
            struct rng rng = {i};
            for (int step = 0; step < 2000; step++)
                victims[i][step] = memory_reference(&alone[i], 1 + rng_below(&rng, 20));
        }
        struct rng rng[2] = {{0}, {1}};
        for (int step = 0; step < 2000; step++)
            for (unsigned i = 0; i < 2; i++)
                assert_int_equal(memory_reference(&both[i], 1 + rng_below(&rng[i], 20)).n,
                                 victims[i][step].n);
        for (unsigned i = 0; i < 2; i++) {
            memory_close(&both[i]);
            memory_close(&alone[i]);
        }
    }
}

static void unknown_names_and_parameters_are_refused(void **state) {
    const char *parameters;
    static const char *const names[] = {"", ":", "fif", "fifos", "FIFO", "fifo=1", "lru,clock"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_null(policy_find(names[i], &parameters));
    static const char *const wrong[] = {
        "fifo:x=1",           "clock:seed=1",     "lru:k=2",
        "random:seed=",       "random:sed=1",     "sieve:x=1",
        "2q:in=101",          "2q:k=1",           "arc:p=1",
        "s3-fifo:small=0",    "lfu:age=0",        "wsclock:tau=",
        "lirs:hir=0",         "clock-pro:x=1",    "linux-2q-model:swappiness=201",
        "mglru-model:swap=2", "second-chance:x=1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct policy_ops *ops = policy_find(wrong[i], &parameters);
        const struct policy_config config = {
            .frames = 4, .parameters = parameters, .test_and_clear_referenced = memory_test_and_clear};
        void *created = NULL;
        assert_int_equal(ops->create(&config, &created), -EINVAL);
        assert_null(created);
    }
    assert_ptr_equal(policy_find("clock", &parameters), &policy_clock);
    assert_null(parameters);
    assert_ptr_equal(policy_find("random:seed=3", &parameters), &policy_random);
    assert_string_equal(parameters, "seed=3");
}

/* A policy says what it needs, and has the functions for it. */
static void declarations_are_whole(void **state) {
    for (const struct policy_ops *const *ops = policies; *ops; ops++) {
        assert_true((*ops)->name && (*ops)->description && (*ops)->create && (*ops)->destroy);
        assert_true((*ops)->insert && (*ops)->remove && (*ops)->victim && (*ops)->check);
        assert_int_equal((*ops)->access != NULL, (*ops)->needs == POLICY_NEEDS_EVERY_REFERENCE);
    }
}

/* Many accesses at once are the same as one by one. */
static void lru_takes_accesses_together(void **state) {
    enum { MANY = 9 };
    const struct policy_config config = {.frames = MANY, .capacity = MANY};
    void *one, *all;
    struct rng rng = {1};
    assert_int_equal(policy_create(&policy_lru, &config, &one), 0);
    assert_int_equal(policy_create(&policy_lru, &config, &all), 0);
    for (uint32_t f = 0; f < MANY; f++) {
        policy_lru.insert(one, (pfn_t){f}, (page_id_t){f + 1});
        policy_lru.insert(all, (pfn_t){f}, (page_id_t){f + 1});
    }
    for (unsigned round = 0; round < 200; round++) {
        pfn_t frames[POLICY_ACCESSES_MOST];
        const size_t n = 1 + rng_below(&rng, round < 190 ? 12 : POLICY_ACCESSES_MOST);
        for (size_t i = 0; i < n; i++) {
            frames[i] = (pfn_t){(uint32_t)rng_below(&rng, MANY)};
            policy_lru.access(one, frames[i], (page_id_t){frames[i].n + 1});
        }
        policy_lru.access_all(all, frames, n);
        assert_null(policy_lru.check(all));
        const pfn_t victim = policy_lru.victim(one);
        assert_int_equal(policy_lru.victim(all).n, victim.n);
        policy_lru.remove(one, victim, (page_id_t){victim.n + 1}, POLICY_EVICTED);
        policy_lru.remove(all, victim, (page_id_t){victim.n + 1}, POLICY_EVICTED);
        policy_lru.insert(one, victim, (page_id_t){victim.n + 1});
        policy_lru.insert(all, victim, (page_id_t){victim.n + 1});
    }
    policy_lru.destroy(one);
    policy_lru.destroy(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lru_takes_accesses_together),
        cmocka_unit_test(victims_are_those_of_the_reference),
        cmocka_unit_test(fifo_shows_beladys_anomaly_and_lru_does_not),
        cmocka_unit_test(textbook_string_gives_the_textbook_faults),
        cmocka_unit_test(clock_gives_a_second_chance),
        cmocka_unit_test(random_reaches_every_frame_equally),
        cmocka_unit_test(random_is_a_function_of_its_seed),
        cmocka_unit_test(asking_twice_gives_the_same_victim),
        cmocka_unit_test(instances_do_not_interfere),
        cmocka_unit_test(unknown_names_and_parameters_are_refused),
        cmocka_unit_test(declarations_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
