/* The model test: random sequences over small machines, for each policy and page-table format, compared after
 * each step with the model (model.h) and with every check.
 *
 *     test-model [SECONDS [SEED [STEPS]]]
 *
 * runs for so long (10, or $MODEL_SECONDS). A failure names the seed; the same seed with 0 seconds runs that
 * one sequence again, and with MODEL_VERBOSE set in the environment names its operations. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/policies.h"
#include "sequence.h"

enum {
    STEPS = 160, /* of a sequence, unless told otherwise */
    AGAIN = 8,   /* every so many sequences run twice: the same events must come out */
};

/* Of all kinds, in a memory that is small as well. */
static const struct prefetcher prefetchers[] = {
    {.parts = {{PREFETCH_FAULT_AROUND, 8}, {PREFETCH_SWAP_AHEAD, 8}}, .count = 2},
    {.parts = {{PREFETCH_SWAP_ADDRESS, 4}}, .count = 1},
    {.parts = {{PREFETCH_SWAP_AHEAD, 16}, {PREFETCH_SWAP_ADDRESS, 16}}, .count = 2, .from = 100},
};

/* Everything about a sequence follows from its seed. */
static struct test_config choose(uint64_t seed) {
    static const struct policy_ops *const choices[] = {&policy_fifo, &policy_clock, &policy_lru,
                                                       &policy_random};
    struct rng rng = {seed ^ 0x7f4a7c15};
    const bool array = rng_below(&rng, 2);
    struct test_config c = {
        .reserved = 3,
        .format = array ? &page_table_array : &page_table_x86_64,
        .policy = choices[rng_below(&rng, 4)],
        .seed = seed,
        .swap_pages = rng_below(&rng, 4) ? 1000 : (uint32_t)rng_below(&rng, 40),
        .slot_at_first_touch = rng_below(&rng, 4) == 0,
        .traced = rng_below(&rng, 2),
    };
    const uint32_t pages = 1 + (uint32_t)rng_below(&rng, 30);
    if (seed % 3 == 0)
        c.prefetcher = &prefetchers[seed / 3 % 3];
    if (array)
        c.frames = c.reserved + 2 + pages;
    else if (rng_below(&rng, 2))
        c.available = pages;
    else
        c.frames = c.reserved + 13 + 2 * pages;
    return c;
}

static int run(uint64_t seed, unsigned steps, uint64_t *operations, uint64_t *out_of_memory) {
    static struct sequence s;
    const struct test_config c = choose(seed);
    const char *failure = sequence_run(&s, &c, seed, steps);
    *operations += s.served;
    *out_of_memory += s.out_of_memory;
    if (!failure && c.traced && seed % AGAIN == 0) {
        const uint64_t events = s.machine.event_hash;
        failure = sequence_run(&s, &c, seed, steps);
        if (!failure && s.machine.event_hash != events)
            failure = "run again, the sequence gives other events";
    }
    if (!failure)
        return 0;
    printf("seed %lu, step %u: %s\n(%s, %s, %u frames, %u available, swap %u)\n", seed, s.step, failure,
           c.policy->name, c.format->name, c.frames, c.available, c.swap_pages);
    return 1;
}

/* The seed that is being run, for a message when an assertion ends the test. */
static volatile uint64_t current_seed;

static void say_seed(int number) {
    dprintf(2, "signal %d in the sequence of seed %lu\n", number, current_seed);
    signal(number, SIG_DFL);
    raise(number);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    const char *from_environment = getenv("MODEL_SECONDS");
    const double seconds = argc > 1 ? atof(argv[1]) : from_environment ? atof(from_environment) : 10;
    const uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL) << 20;
    const unsigned steps = argc > 3 ? (unsigned)atoi(argv[3]) : STEPS;
    const double end = now() + seconds;
    uint64_t operations = 0, out_of_memory = 0, seed = first;
    printf("first seed %lu\n", first);
    fflush(stdout);
    signal(SIGSEGV, say_seed);
    signal(SIGABRT, say_seed);
    do {
        current_seed = seed;
        if (run(seed++, steps, &operations, &out_of_memory))
            return 1;
    } while (now() < end);
    printf("%lu sequences, %lu operations, %lu without memory\n", seed - first, operations, out_of_memory);
    return 0;
}
