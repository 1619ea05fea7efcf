#include "replay.h"

#include <stdlib.h>

static struct replay *current; /* the one whose model is asked */

page_id_t replay_identity(const struct model *model, uint64_t page) {
    return model && model->files && page % 2 ? page_id_of_object(1, page) : (page_id_t){page};
}

static page_id_t identity(const struct replay *r, uint64_t page) {
    return replay_identity(r->model, page);
}

/* ---- bits, which policy and model read at different times: each has its own copy ---- */

static bool bits_of_model[REPLAY_PAGES];

static uint32_t frame_of(const struct replay *r, uint64_t page) {
    uint32_t n = 0;
    while (n < r->frames && r->page[n] != page)
        n++;
    return n;
}

bool replay_test_and_clear(uint64_t page) {
    const bool bit = bits_of_model[page];
    bits_of_model[page] = false;
    return bit;
}

bool replay_is_dirty(uint64_t page) {
    return current->dirty[frame_of(current, page)];
}

uint64_t replay_now(void) {
    return current->now;
}

static bool policy_test_and_clear(void *context, pfn_t f) {
    struct replay *r = context;
    assert_true(f.n < r->frames && r->page[f.n]);
    const bool bit = r->referenced[f.n];
    r->referenced[f.n] = false;
    return bit;
}

static bool policy_is_dirty(void *context, pfn_t f) {
    const struct replay *r = context;
    assert_true(f.n < r->frames && r->page[f.n]);
    return r->dirty[f.n];
}

static uint64_t policy_now(void *context) {
    return ((const struct replay *)context)->now;
}

static void set_referenced(struct replay *r, uint32_t n) {
    r->referenced[n] = true;
    bits_of_model[r->page[n]] = true;
}

/* ---- a memory ---- */

void replay_open(struct replay *r, const char *specification, const struct model *model, uint32_t frames) {
    const char *parameters;
    assert_true(frames <= REPLAY_FRAMES);
    *r = (struct replay){.ops = policy_find(specification, &parameters),
                         .model = model,
                         .frames = frames,
                         .set_on_entry = true};
    assert_non_null(r->ops);
    const struct policy_config config = {.frames = frames,
                                         .capacity = frames,
                                         .seed = 1,
                                         .parameters = parameters,
                                         .test_and_clear_referenced = policy_test_and_clear,
                                         .is_dirty = policy_is_dirty,
                                         .now = policy_now,
                                         .context = r};
    assert_int_equal(r->ops->create(&config, &r->policy), 0);
    if (!model)
        return;
    current = r;
    memset(bits_of_model, 0, sizeof bits_of_model);
    r->of_model = calloc(1, model->size);
    assert_non_null(r->of_model);
    model->reset(r->of_model, (int)frames);
}

void replay_close(struct replay *r) {
    r->ops->destroy(r->policy);
    free(r->of_model);
}

bool replay_resident(const struct replay *r, uint64_t page) {
    return frame_of(r, page) < r->frames;
}

static void remove_frame(struct replay *r, uint32_t n, enum policy_remove reason) {
    const uint64_t page = r->page[n];
    r->ops->remove(r->policy, (pfn_t){n}, identity(r, page), reason);
    if (r->model && reason == POLICY_EVICTED)
        r->model->evicted(r->of_model, page);
    else if (r->model)
        r->model->died(r->of_model, page);
    r->page[n] = 0;
    r->referenced[n] = r->dirty[n] = false;
    bits_of_model[page] = false;
}

static void insert_frame(struct replay *r, uint32_t n, uint64_t page) {
    r->page[n] = page;
    if (r->set_on_entry)
        set_referenced(r, n);
    r->ops->insert(r->policy, (pfn_t){n}, identity(r, page));
    if (r->model)
        r->model->insert(r->of_model, page);
}

void replay_kill(struct replay *r, uint64_t page, enum policy_remove reason) {
    remove_frame(r, frame_of(r, page), reason);
}

static uint32_t ask(struct replay *r) {
    const pfn_t victim = r->ops->victim(r->policy);
    assert_true(victim.n < r->frames && r->page[victim.n]);
    assert_int_equal(r->ops->victim(r->policy).n, victim.n);
    if (r->model)
        assert_int_equal(r->page[victim.n], r->model->victim(r->of_model));
    return victim.n;
}

/* Takes a frame from somebody. */
static uint32_t reclaim(struct replay *r, struct rng *rng) {
    uint32_t n = ask(r);
    while (rng && rng_below(rng, 20) == 0) { /* it could not be written */
        const uint64_t page = r->page[n];
        const bool dirty = r->dirty[n];
        remove_frame(r, n, POLICY_UNMAPPED);
        insert_frame(r, n, page);
        r->dirty[n] = dirty;
        n = ask(r);
    }
    if (rng && rng_below(rng, 20) == 0) /* somebody else decided */
        do
            n = (uint32_t)rng_below(rng, r->frames);
        while (!r->page[n]);
    r->evicted = r->page[n];
    remove_frame(r, n, POLICY_EVICTED);
    return n;
}

/* Sometimes several pages go for one that comes in, as where frames are taken in batches. */
static void reclaim_more(struct replay *r, struct rng *rng) {
    if (!rng || rng_below(rng, 20))
        return;
    for (uint64_t more = 1 + rng_below(rng, 5); more > 0 && !pfn_is_none(r->ops->victim(r->policy)); more--)
        (void)reclaim(r, rng);
}

/* A free frame, not the first one; `frames` if there is none. */
static uint32_t find_free(const struct replay *r) {
    uint32_t n = (uint32_t)(r->misses * 7 % r->frames);
    for (uint32_t i = 0; i < r->frames; i++, n = (n + 1) % r->frames)
        if (!r->page[n])
            return n;
    return r->frames;
}

void replay_reference(struct replay *r, uint64_t page, struct rng *rng) {
    uint32_t n = frame_of(r, page);
    r->evicted = 0;
    r->now += 1000;
    if (n < r->frames) {
        set_referenced(r, n);
        if (r->ops->access)
            r->ops->access(r->policy, (pfn_t){n}, identity(r, page));
        if (r->model)
            r->model->access(r->of_model, page);
        return;
    }
    r->misses++;
    const int tries = rng && rng_below(rng, 20) == 0 ? 2 : 1; /* it may not come at once */
    for (int i = 0; i < tries; i++) {
        if (r->ops->miss)
            r->ops->miss(r->policy, identity(r, page));
        if (r->model && r->model->miss)
            r->model->miss(r->of_model, page);
    }
    n = find_free(r);
    if (n == r->frames)
        n = reclaim(r, rng);
    reclaim_more(r, rng);
    insert_frame(r, n, page);
}

/* ---- random traces ---- */

/* Pages 1 … range; a dead one is replaced by another number, which was not there before. */
struct population {
    uint64_t page[4 * REPLAY_FRAMES];
    uint64_t next, range;
};

static uint64_t population_draw(struct population *p, struct rng *rng, uint64_t hot, int step) {
    switch (step / 500 % 3) {
    case 0: return p->page[rng_below(rng, rng_below(rng, 4) ? hot : p->range)];
    case 1: return p->page[(uint64_t)step % (hot + 1 < p->range ? hot + 1 : p->range)]; /* a loop */
    default: return p->page[rng_below(rng, 1 + rng_below(rng, p->range))];
    }
}

static void some_dies(struct replay *r, struct population *p, struct rng *rng) {
    const uint32_t n = (uint32_t)rng_below(rng, r->frames);
    if (!r->page[n])
        return;
    for (uint64_t i = 0; i < p->range; i++)
        if (p->page[i] == r->page[n] && p->next < REPLAY_PAGES)
            p->page[i] = p->next++;
    remove_frame(r, n, rng_below(rng, 2) ? POLICY_UNMAPPED : POLICY_EXITED);
}

static void all_die(struct replay *r) {
    for (uint32_t n = 0; n < r->frames; n++)
        if (r->page[n])
            remove_frame(r, n, POLICY_EXITED);
    assert_true(pfn_is_none(r->ops->victim(r->policy)));
    assert_null(r->ops->check(r->policy));
}

void replay_random(const struct model *model, uint32_t frames, uint64_t seed, int steps) {
    struct rng rng = {seed};
    struct replay r;
    struct population p = {.next = 1, .range = 2 + rng_below(&rng, 3 * frames)};
    while (p.next <= p.range) {
        p.page[p.next - 1] = p.next;
        p.next++;
    }
    replay_open(&r, model->policy, model, frames);
    r.set_on_entry = seed % 2;
    uint64_t hot = 1;
    for (int step = 0; step < steps; step++) {
        if (step % 100 == 0)
            hot = 1 + rng_below(&rng, p.range);
        const uint64_t page = population_draw(&p, &rng, hot, step);
        replay_reference(&r, page, &rng);
        if (rng_below(&rng, 3) == 0)
            r.dirty[frame_of(&r, page)] = true;
        if (rng_below(&rng, 60) == 0)
            some_dies(&r, &p, &rng);
        if (step % 50 == 0)
            assert_null(r.ops->check(r.policy));
        if (step == steps / 2 && seed % 3 == 0)
            all_die(&r);
    }
    all_die(&r);
    replay_close(&r);
}

void replay_compare(const struct model *model) {
    static const uint32_t frames[] = {1, 2, 3, 4, 7, 10, 21, 64};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        for (uint64_t seed = 1; seed <= 6; seed++)
            replay_random(model, frames[i], 100 * seed + i, 6000);
}
