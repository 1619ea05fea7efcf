/* RANDOM: any page, all with the same probability. Keeps no record of use at all, and is what every other
 * policy has to beat.
 *
 * Source: L. A. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems
 * Journal 5(2), 1966. Parameter seed=N instead of the machine's seed.
 *
 * The inserted frames stand in an array without gaps: `frame` of them, `place` says where each one is. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/rng.h"
#include "policy/parameters.h"
#include "policy/policies.h"

#define OUT UINT32_MAX

struct random {
    uint32_t frames;
    uint32_t count;  /* inserted */
    uint32_t *frame; /* count of them are in use */
    uint32_t *place; /* by frame: its index in `frame`, or OUT */
    pfn_t chosen;    /* by victim(), until something is inserted or removed; PFN_NONE: nothing */
    struct rng rng;
};

static int random_create(const struct policy_config *config, void **ret_state) {
    uint64_t seed = config->seed;
    const struct policy_parameter known[] = {{"seed", &seed, 0, UINT64_MAX}};
    if (policy_parse(config->parameters, known, 1) < 0)
        return -EINVAL;
    struct random *random = calloc(1, sizeof *random);
    if (!random)
        return -ENOMEM;
    *random = (struct random){.frames = config->frames, .chosen = PFN_NONE, .rng = {seed}};
    random->frame = calloc((size_t)config->frames + 1, sizeof *random->frame);
    random->place = calloc((size_t)config->frames + 1, sizeof *random->place);
    if (!random->frame || !random->place)
        goto out_free;
    for (uint32_t i = 0; i < config->frames; i++)
        random->place[i] = OUT;
    *ret_state = random;
    return 0;

out_free:
    free(random->place);
    free(random->frame);
    free(random);
    return -ENOMEM;
}

static void random_destroy(void *state) {
    struct random *random = state;
    free(random->place);
    free(random->frame);
    free(random);
}

static void random_insert(void *state, pfn_t f, page_id_t page) {
    struct random *random = state;
    assert(f.n < random->frames && random->place[f.n] == OUT);
    random->chosen = PFN_NONE;
    random->place[f.n] = random->count;
    random->frame[random->count++] = f.n;
}

static void random_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct random *random = state;
    assert(f.n < random->frames && random->place[f.n] != OUT);
    random->chosen = PFN_NONE;
    const uint32_t gap = random->place[f.n], last = random->frame[--random->count];
    random->frame[gap] = last;
    random->place[last] = gap;
    random->place[f.n] = OUT;
}

static pfn_t random_victim(void *state) {
    struct random *random = state;
    if (random->count && pfn_is_none(random->chosen))
        random->chosen = (pfn_t){random->frame[rng_below(&random->rng, random->count)]};
    return random->chosen;
}

static const char *random_check(const void *state) {
    const struct random *random = state;
    uint32_t count = 0;
    for (uint32_t i = 0; i < random->frames; i++) {
        const uint32_t place = random->place[i];
        if (place == OUT)
            continue;
        count++;
        if (place >= random->count || random->frame[place] != i)
            return "random: a frame is not where it is said to be";
    }
    return count == random->count ? NULL : "random: the count of frames is wrong";
}

static size_t random_bytes(const void *state) {
    const struct random *random = state;
    return sizeof *random + 2 * ((size_t)random->frames + 1) * sizeof *random->frame;
}

const struct policy_ops policy_random = {
    .name = "random",
    .description = "any page, drawn by lot (Belady 1966)",
    .parameters = "seed=N (default: that of the machine): of the lots",
    .needs = POLICY_NEEDS_NOTHING,
    .create = random_create,
    .destroy = random_destroy,
    .insert = random_insert,
    .remove = random_remove,
    .victim = random_victim,
    .check = random_check,
    .bytes = random_bytes,
};
