/* The two models of Linux against the same rules written down a second time, over plain arrays: what goes
 * where, in the words of the kernel's functions, without its lists' links. */
#include "replay.h"

#include "queue.h"

enum { ANON, FILES };

static int type_of(const struct model *model, uint64_t page) {
    return page_id_is_object(replay_identity(model, page)) ? FILES : ANON;
}

/* ---- active and inactive lists ---- */

static const struct model two;

struct two {
    struct queue list[4], gone; /* inactive anon, active anon, inactive file, active file */
    bool fresh[REPLAY_PAGES], referenced[REPLAY_PAGES], workingset[REPLAY_PAGES];
    uint64_t gone_at[REPLAY_PAGES];
    uint64_t age, cost[2], left[4];
    bool refaulted[2], deactivate[2];
    int capacity, turn, batch;
    uint64_t evict;
};

static void two_reset(void *model, int capacity) {
    ((struct two *)model)->capacity = capacity;
}

static void two_cost(struct two *m, int type, uint64_t cost) {
    m->cost[type] += cost;
    const int pages = m->list[0].count + m->list[1].count + m->list[2].count + m->list[3].count;
    if (m->cost[0] + m->cost[1] > (uint64_t)(pages / 4)) {
        m->cost[0] /= 2;
        m->cost[1] /= 2;
    }
}

static void two_insert(void *model, uint64_t page) {
    struct two *m = model;
    const int type = type_of(&two, page);
    m->evict = 0;
    m->fresh[page] = true;
    m->referenced[page] = false;
    if (!queue_drop(&m->gone, page)) {
        m->workingset[page] = false;
        queue_put(&m->list[2 * type], page);
        return;
    }
    /* All that could be reclaimed in its stead: the lists but the one it was in. */
    const int others = m->list[0].count + m->list[1].count + m->list[2].count + m->list[3].count;
    if (m->age - m->gone_at[page] > (uint64_t)(others - m->list[2 * type].count)) {
        m->workingset[page] = false;
        queue_put(&m->list[2 * type], page);
        return;
    }
    m->age++;
    m->refaulted[type] = true;
    if (m->workingset[page])
        two_cost(m, type, 32);
    queue_put(&m->list[2 * type + 1], page);
}

static void two_access(void *model, uint64_t page) {}

static void two_plan(struct two *m, int *priority) {
    for (int type = 0; type < 2; type++) {
        m->deactivate[type] = m->refaulted[type] || m->list[2 * type].count < m->list[2 * type + 1].count;
        m->refaulted[type] = false;
    }
    const uint64_t total = m->cost[0] + m->cost[1];
    const uint64_t a = total + m->cost[0], f = total + m->cost[1];
    const uint64_t share[] = {60 * (a + f + 1) / (a + 1), 140 * (a + f + 1) / (f + 1)};
    uint64_t sum = 0;
    for (;; --*priority) {
        const bool trim = *priority && m->list[2].count >> *priority && !m->deactivate[FILES];
        for (int i = 0; i < 4; i++) {
            const uint64_t size = (uint64_t)m->list[i].count >> *priority;
            m->left[i] = *priority == 0 ? size
                         : trim         ? (i < 2 ? 0 : size)
                                        : size * share[i / 2] / (share[0] + share[1]);
            if (i % 2 && !m->deactivate[i / 2])
                m->left[i] = 0;
            sum += m->left[i];
        }
        if (sum)
            break;
    }
    m->turn = 3;
    m->batch = 0;
    *priority -= *priority > 0;
}

static bool two_used(struct two *m, uint64_t page) {
    const bool used = replay_test_and_clear(page) || m->fresh[page];
    m->fresh[page] = false;
    return used;
}

/* The oldest page of a list is looked at; m->evict: it goes. */
static void two_scan(struct two *m, int list) {
    const uint64_t page = m->list[list].page[0];
    const int type = list / 2;
    const bool used = two_used(m, page);
    if (list % 2) {
        m->workingset[page] = true;
        queue_put(&m->list[list - 1], queue_take_at(&m->list[list], 0));
    } else if (!used) {
        m->referenced[page] = false;
        if (type == ANON && replay_is_dirty(page))
            two_cost(m, ANON, 32);
        m->evict = page;
    } else {
        (void)queue_take_at(&m->list[list], 0);
        queue_put(&m->list[m->referenced[page] ? list + 1 : list], page);
        m->age += m->referenced[page];
        m->referenced[page] = true;
        two_cost(m, type, 1);
    }
}

static uint64_t two_victim(void *model) {
    struct two *m = model;
    for (int priority = 12; !m->evict;) {
        if (m->left[0] + m->left[1] + m->left[2] + m->left[3] == 0)
            two_plan(m, &priority);
        while (m->batch == 0 || m->left[m->turn] == 0) {
            m->turn = (m->turn + 1) % 4;
            m->batch = 32;
        }
        m->batch--;
        m->left[m->turn]--;
        if (m->list[m->turn].count == 0)
            m->left[m->turn] = 0;
        else
            two_scan(m, m->turn);
    }
    return m->evict;
}

static void two_died(void *model, uint64_t page) {
    struct two *m = model;
    m->evict = 0;
    for (int i = 0; i < 4; i++)
        queue_drop(&m->list[i], page);
}

static void two_evicted(void *model, uint64_t page) {
    struct two *m = model;
    two_died(model, page);
    m->gone_at[page] = m->age++;
    queue_put(&m->gone, page);
    if (m->gone.count == QUEUE_SIZE) /* the policy remembers fewer, which must make no difference */
        (void)queue_take_at(&m->gone, 0);
}

static const struct model two = {
    .policy = "linux-2q-model",
    .size = sizeof(struct two),
    .reset = two_reset,
    .insert = two_insert,
    .access = two_access,
    .victim = two_victim,
    .evicted = two_evicted,
    .died = two_died,
    .files = true,
};

/* ---- generations: of each page its sequence number, and of each list an order ---- */

static const struct model generations;

struct mglru {
    bool no_swap;
    struct queue order[2]; /* by the time at which a page came to its place */
    uint64_t place[REPLAY_PAGES],
        seq[REPLAY_PAGES]; /* the generation it stands in, and the one it belongs to */
    bool fresh[REPLAY_PAGES], referenced[REPLAY_PAGES], workingset[REPLAY_PAGES];
    struct queue gone;
    uint64_t gone_at[REPLAY_PAGES];
    uint64_t max, min[2];
    uint64_t refaulted[2][2], total[2][2], mean_refaulted[2][2], mean_total[2][2]; /* by type, workingset */
    int capacity;
    uint64_t evict;
};

static void mglru_reset(void *model, int capacity) {
    struct mglru *m = model;
    m->capacity = capacity;
    m->max = 1;
}

static void mglru_reset_without_swap(void *model, int capacity) {
    mglru_reset(model, capacity);
    ((struct mglru *)model)->no_swap = true;
}

static void mglru_put(struct mglru *m, uint64_t page, uint64_t seq) {
    const int type = type_of(&generations, page);
    queue_drop(&m->order[type], page);
    queue_put(&m->order[type], page);
    m->place[page] = m->seq[page] = seq;
}

static void mglru_insert(void *model, uint64_t page) {
    struct mglru *m = model;
    const bool recent = queue_drop(&m->gone, page) && m->max < m->gone_at[page] + 4;
    m->evict = 0;
    m->workingset[page] = recent && m->workingset[page];
    if (recent)
        m->refaulted[type_of(&generations, page)][m->workingset[page]]++;
    m->fresh[page] = true;
    m->referenced[page] = false;
    mglru_put(m, page, m->workingset[page] ? m->max : m->max - 1);
}

static void mglru_access(void *model, uint64_t page) {}

static bool mglru_used(struct mglru *m, uint64_t page) {
    const bool used = replay_test_and_clear(page) || m->fresh[page];
    m->fresh[page] = false;
    return used;
}

/* The oldest page of the oldest generation of a type, or 0. */
static uint64_t mglru_oldest(const struct mglru *m, int type) {
    for (int i = 0; i < m->order[type].count; i++)
        if (m->place[m->order[type].page[i]] == m->min[type])
            return m->order[type].page[i];
    return 0;
}

static void mglru_end(struct mglru *m, int type) {
    for (int w = 0; w < 2; w++) {
        m->mean_refaulted[type][w] = (m->mean_refaulted[type][w] + m->refaulted[type][w]) / 2;
        m->mean_total[type][w] = (m->mean_total[type][w] + m->total[type][w]) / 2;
        m->refaulted[type][w] = m->total[type][w] = 0;
    }
    m->min[type]++;
}

/* There is no room for a fifth generation: the oldest page after page takes its place
 * before the next one's. */
static void mglru_merge(struct mglru *m, int type) {
    uint64_t later[QUEUE_SIZE];
    struct queue *order = &m->order[type];
    const uint64_t old = m->min[type];
    int first = 0, rest = 0;
    for (int i = 0; i < order->count; i++) {
        const uint64_t page = order->page[i];
        if (m->place[page] != old) {
            later[rest++] = page;
            continue;
        }
        m->place[page] = old + 1;
        if (m->seq[page] == old)
            m->seq[page] = old + 1;
        order->page[first++] = page;
    }
    memcpy(order->page + first, later, (size_t)rest * sizeof *later);
    mglru_end(m, type);
}

static void mglru_age(struct mglru *m) {
    for (int type = 0; type < 2; type++)
        if (m->max == m->min[type] + 3)
            mglru_merge(m, type);
    for (int type = 0; type < 2; type++)
        for (int i = 0; i < m->order[type].count; i++) {
            const uint64_t page = m->order[type].page[i];
            if (!mglru_used(m, page))
                continue;
            if (m->referenced[page] || m->workingset[page]) {
                m->workingset[page] = true;
                m->referenced[page] = false;
                m->seq[page] = m->max;
            } else {
                m->referenced[page] = true;
            }
        }
    m->max++;
}

/* Whether refaults of b are fewer than 64, or its rate at most that of a. */
static bool mglru_at_most(const uint64_t b[2], uint64_t gain_b, const uint64_t a[2], uint64_t gain_a) {
    return b[0] < 64 || b[0] * (a[1] + 64) * gain_a <= (a[0] + 1) * b[1] * gain_b;
}

static void mglru_rate(const struct mglru *m, int type, int from, int to, uint64_t ret[2]) {
    ret[0] = ret[1] = 0;
    for (int w = from; w <= to; w++) {
        ret[0] += m->mean_refaulted[type][w] + m->refaulted[type][w];
        ret[1] += m->mean_total[type][w] + m->total[type][w];
    }
}

static void mglru_scan(struct mglru *m, int type, uint64_t page) {
    uint64_t once[2], often[2];
    mglru_rate(m, type, 0, 0, once);
    mglru_rate(m, type, 1, 1, often);
    if (m->seq[page] != m->min[type]) {
        mglru_put(m, page, m->seq[page]);
    } else if (m->workingset[page] && !mglru_at_most(often, 3, once, 2)) {
        m->total[type][1]++;
        mglru_put(m, page, m->min[type] + 1);
    } else if (!mglru_used(m, page)) {
        m->evict = page;
    } else if (m->referenced[page] || m->workingset[page]) {
        m->workingset[page] = true;
        m->referenced[page] = false;
        mglru_put(m, page, m->max);
    } else {
        m->referenced[page] = type == ANON;
        mglru_put(m, page, m->max - 1);
    }
}

static uint64_t mglru_victim(void *model) {
    struct mglru *m = model;
    const bool files_only = m->no_swap && m->order[FILES].count > 0;
    while (!m->evict) {
        for (int type = 0; type < 2; type++)
            while (m->max - m->min[type] >= 2 && !mglru_oldest(m, type))
                mglru_end(m, type);
        const uint64_t least = m->min[ANON] < m->min[FILES] ? m->min[ANON] : m->min[FILES];
        if ((files_only ? m->min[FILES] : least) + 2 >= m->max) {
            mglru_age(m);
            continue;
        }
        uint64_t anon[2], file[2];
        mglru_rate(m, ANON, 0, 1, anon);
        mglru_rate(m, FILES, 0, 1, file);
        int type = m->no_swap || mglru_at_most(file, 140, anon, 60) ? FILES : ANON;
        if (m->max - m->min[type] < 2 || !mglru_oldest(m, type))
            type = !type;
        mglru_scan(m, type, mglru_oldest(m, type));
    }
    return m->evict;
}

static void mglru_died(void *model, uint64_t page) {
    struct mglru *m = model;
    m->evict = 0;
    queue_drop(&m->order[type_of(&generations, page)], page);
}

static void mglru_evicted(void *model, uint64_t page) {
    struct mglru *m = model;
    const int type = type_of(&generations, page);
    mglru_died(model, page);
    m->total[type][m->workingset[page]]++;
    m->gone_at[page] = m->min[type];
    queue_put(&m->gone, page);
    if (m->gone.count > 2 * m->capacity)
        (void)queue_take_at(&m->gone, 0);
}

static const struct model generations = {
    .policy = "mglru-model",
    .size = sizeof(struct mglru),
    .reset = mglru_reset,
    .insert = mglru_insert,
    .access = mglru_access,
    .victim = mglru_victim,
    .evicted = mglru_evicted,
    .died = mglru_died,
    .files = true,
};

static const struct model generations_without_swap = {
    .policy = "mglru-model:swap=0",
    .size = sizeof(struct mglru),
    .reset = mglru_reset_without_swap,
    .insert = mglru_insert,
    .access = mglru_access,
    .victim = mglru_victim,
    .evicted = mglru_evicted,
    .died = mglru_died,
    .files = true,
};

/* ---- the tests ---- */

static void active_and_inactive_lists_follow_the_rules(void **state) {
    replay_compare(&two);
}

static void generations_follow_the_rules(void **state) {
    replay_compare(&generations);
    replay_compare(&generations_without_swap);
}

/* A set of pages that is used again and again, at times seldom enough to be evicted, beside a stream of pages
 * that are used once: only those of the set refault, and most of them in the last tier. */
static void replay_stream(const struct model *model, uint32_t frames, uint64_t seed) {
    const uint64_t set = frames * (3 + seed % 3) / 4, type = seed % 2;
    struct rng rng = {seed};
    struct replay r;
    uint64_t next = set + 1;
    replay_open(&r, model->policy, model, frames);
    r.set_on_entry = seed % 3;
    for (uint64_t step = 0; step < 30 * frames; step++) {
        const uint64_t often = step / (2 * frames) % 2 ? 2 : 4;
        const uint64_t page = rng_below(&rng, 5) < often ? 1 + rng_below(&rng, set) : next++;
        /* A set of one type and a stream of the other, or both of each. */
        const uint64_t number = seed % 4 < 2 ? page : 2 * page + (page <= set ? type : 1 - type);
        replay_reference(&r, number, &rng);
    }
    assert_true(2 * next < REPLAY_PAGES);
    assert_null(r.ops->check(r.policy));
    replay_close(&r);
}

/* Rates of refaults decide nothing until there are 64 of them in two generations or
 * so: it takes more frames. */
static void refaults_decide_by_type_and_tier(void **state) {
    for (uint64_t seed = 1; seed <= 4; seed++)
        replay_stream(seed == 2 ? &generations_without_swap : &generations,
                      REPLAY_FRAMES - 300 + 50 * (uint32_t)seed, seed);
    for (uint64_t seed = 1; seed <= 4; seed++) {
        replay_random(&generations, 200 + 60 * (uint32_t)seed, seed, 12000);
        replay_random(&generations_without_swap, 200 + 60 * (uint32_t)seed, seed + 50, 12000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(active_and_inactive_lists_follow_the_rules),
        cmocka_unit_test(generations_follow_the_rules),
        cmocka_unit_test(refaults_decide_by_type_and_tier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
