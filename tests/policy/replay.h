/* Replays references to a policy and to a model of it side by side: a memory of some frames, in which pages
 * appear, are used, are evicted and die. The model knows pages only; the policy sees frames whose numbers are
 * shuffled. After every miss the victims must agree. */
#ifndef TESTS_POLICY_REPLAY_H
#define TESTS_POLICY_REPLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "policy/policies.h"

enum { REPLAY_FRAMES = 1600, REPLAY_PAGES = 100000 };

/* An algorithm written down a second time. Pages are 1 … REPLAY_PAGES-1; `capacity` is set before reset(). */
struct model {
    const char *policy; /* specification */
    size_t size;        /* of the state */
    void (*reset)(void *model, int capacity);
    void (*miss)(void *model, uint64_t page); /* the page is wanted; may be NULL */
    void (*insert)(void *model, uint64_t page);
    void (*access)(void *model, uint64_t page);
    uint64_t (*victim)(void *model); /* the page to go */
    void (*evicted)(void *model, uint64_t page);
    void (*died)(void *model, uint64_t page);
    bool files; /* every second page is one of an object */
};

struct replay {
    const struct policy_ops *ops;
    void *policy;
    const struct model *model; /* or NULL */
    void *of_model;
    uint32_t frames;
    uint64_t page[REPLAY_FRAMES]; /* in the frame; 0: free */
    bool referenced[REPLAY_FRAMES];
    bool dirty[REPLAY_FRAMES];
    bool set_on_entry; /* the referenced bit is set when a page comes in */
    uint64_t now;
    uint64_t misses;
    uint64_t evicted; /* the last victim, 0 if there was none at the last reference */
};

/* What models may ask for about a page; it must be resident. They act on one replay at a time. */
bool replay_test_and_clear(uint64_t page);
bool replay_is_dirty(uint64_t page);
uint64_t replay_now(void);

page_id_t replay_identity(const struct model *, uint64_t page);

void replay_open(struct replay *, const char *specification, const struct model *, uint32_t frames);
void replay_close(struct replay *);
bool replay_resident(const struct replay *, uint64_t page);
/* A reference. With `rng`, sometimes the victim cannot be written, or another page goes. */
void replay_reference(struct replay *, uint64_t page, struct rng *);
/* The page, which is resident, is no more. */
void replay_kill(struct replay *, uint64_t page, enum policy_remove);
/* References, deaths and unusual calls, `steps` of them, drawn from the seed. */
void replay_random(const struct model *, uint32_t frames, uint64_t seed, int steps);
/* The same in memories of several sizes, with several seeds. */
void replay_compare(const struct model *);

#endif
