/* Each policy that keeps pages in queues against the same algorithm written down a second time, from the
 * paper's pseudo-code, over plain arrays and time stamps. */
#include "replay.h"

#include "queue.h"

/* ---- S3-FIFO: algorithm 1 of the paper ---- */

struct s3 {
    struct queue s, m, g;
    int freq[REPLAY_PAGES];
    int s_size, m_size;
    uint64_t evict; /* decided, until something else happens; 0: nothing */
};

static void s3_reset(void *model, int capacity) {
    struct s3 *m = model;
    m->s_size = capacity / 10 > 1 ? capacity / 10 : 1;
    m->m_size = capacity - m->s_size;
}

static void s3_insert(void *model, uint64_t page) {
    struct s3 *m = model;
    m->evict = 0;
    m->freq[page] = 0;
    queue_put(queue_drop(&m->g, page) ? &m->m : &m->s, page);
}

static void s3_access(void *model, uint64_t page) {
    struct s3 *m = model;
    m->evict = 0;
    m->freq[page] = m->freq[page] + 1 < 3 ? m->freq[page] + 1 : 3;
}

static void s3_evict_m(struct s3 *m) {
    while (!m->evict) {
        const uint64_t t = m->m.page[0];
        if (m->freq[t] == 0) {
            m->evict = t;
            break;
        }
        m->freq[t]--;
        queue_put(&m->m, queue_take_at(&m->m, 0));
    }
}

static void s3_evict_s(struct s3 *m) {
    while (!m->evict && m->s.count > 0) {
        const uint64_t t = m->s.page[0];
        if (m->freq[t] <= 1) {
            m->evict = t;
            break;
        }
        m->freq[t] = 0;
        queue_put(&m->m, queue_take_at(&m->s, 0));
        if (m->m.count > m->m_size)
            s3_evict_m(m);
    }
    if (!m->evict)
        s3_evict_m(m);
}

static uint64_t s3_victim(void *model) {
    struct s3 *m = model;
    if (m->s.count >= m->s_size || m->m.count == 0)
        s3_evict_s(m);
    else
        s3_evict_m(m);
    return m->evict;
}

static void s3_evicted(void *model, uint64_t page) {
    struct s3 *m = model;
    m->evict = 0;
    if (queue_drop(&m->m, page))
        return;
    queue_drop(&m->s, page);
    queue_put(&m->g, page);
    if (m->g.count > m->m_size)
        (void)queue_take_at(&m->g, 0);
}

static void s3_died(void *model, uint64_t page) {
    struct s3 *m = model;
    m->evict = 0;
    if (!queue_drop(&m->m, page))
        queue_drop(&m->s, page);
}

static const struct model s3 = {
    .policy = "s3-fifo",
    .size = sizeof(struct s3),
    .reset = s3_reset,
    .insert = s3_insert,
    .access = s3_access,
    .victim = s3_victim,
    .evicted = s3_evicted,
    .died = s3_died,
};

/* ---- 2Q, full version ---- */

struct twoq {
    struct queue a1in, a1out, am;
    int kin, kout;
    uint64_t wanted;
    bool wanted_out; /* it is in A1out */
};

static void twoq_reset(void *model, int capacity) {
    struct twoq *m = model;
    m->kin = capacity / 4;
    m->kout = capacity / 2;
}

static void twoq_miss(void *model, uint64_t page) {
    struct twoq *m = model;
    m->wanted_out = queue_drop(&m->a1out, page) || (m->wanted_out && m->wanted == page);
    m->wanted = page;
}

static void twoq_insert(void *model, uint64_t page) {
    struct twoq *m = model;
    const bool was_out = page == m->wanted && m->wanted_out;
    queue_put(was_out ? &m->am : &m->a1in, page);
    m->wanted_out = m->wanted_out && !was_out;
}

static void twoq_access(void *model, uint64_t page) {
    struct twoq *m = model;
    if (queue_drop(&m->am, page))
        queue_put(&m->am, page);
}

static uint64_t twoq_victim(void *model) {
    const struct twoq *m = model;
    return m->a1in.count > m->kin || m->am.count == 0 ? m->a1in.page[0] : m->am.page[0];
}

static void twoq_evicted(void *model, uint64_t page) {
    struct twoq *m = model;
    if (queue_drop(&m->am, page))
        return;
    queue_drop(&m->a1in, page);
    queue_put(&m->a1out, page);
    if (m->a1out.count > m->kout)
        (void)queue_take_at(&m->a1out, 0);
}

static void twoq_died(void *model, uint64_t page) {
    struct twoq *m = model;
    if (!queue_drop(&m->am, page))
        queue_drop(&m->a1in, page);
}

static const struct model twoq = {
    .policy = "2q",
    .size = sizeof(struct twoq),
    .reset = twoq_reset,
    .miss = twoq_miss,
    .insert = twoq_insert,
    .access = twoq_access,
    .victim = twoq_victim,
    .evicted = twoq_evicted,
    .died = twoq_died,
};

/* ---- ARC: figure 4 of the paper, case by case ---- */

struct arc {
    struct queue t1, t2, b1, b2;
    int c, p;
    uint64_t wanted;
    bool in_b1, in_b2; /* the wanted page, when it was missed */
    bool no_ghost;     /* case IV, |T1| = c: the victim is deleted altogether */
};

static void arc_reset(void *model, int capacity) {
    ((struct arc *)model)->c = capacity;
}

static void arc_miss(void *model, uint64_t page) {
    struct arc *m = model;
    const int b1 = m->b1.count, b2 = m->b2.count;
    m->wanted = page;
    m->in_b1 = queue_has(&m->b1, page);
    m->in_b2 = queue_has(&m->b2, page);
    if (m->in_b1) {
        m->p += b2 / b1 > 1 ? b2 / b1 : 1;
        m->p = m->p < m->c ? m->p : m->c;
    } else if (m->in_b2) {
        m->p -= b1 / b2 > 1 ? b1 / b2 : 1;
        m->p = m->p > 0 ? m->p : 0;
    }
}

/* Case IV, but for the eviction. */
static void arc_insert_new(struct arc *m, uint64_t page) {
    const int l1 = m->t1.count + m->b1.count, l2 = m->t2.count + m->b2.count;
    if (l1 == m->c)
        (void)queue_take_at(&m->b1, 0);
    else if (l1 + l2 == 2 * m->c)
        (void)queue_take_at(&m->b2, 0);
    queue_put(&m->t1, page);
}

static void arc_insert(void *model, uint64_t page) {
    struct arc *m = model;
    const bool was_ghost = queue_drop(&m->b1, page) || queue_drop(&m->b2, page);
    if (was_ghost)
        queue_put(&m->t2, page);
    else
        arc_insert_new(m, page);
    if (page == m->wanted)
        m->in_b1 = m->in_b2 = false;
}

static void arc_access(void *model, uint64_t page) {
    struct arc *m = model;
    if (!queue_drop(&m->t1, page))
        queue_drop(&m->t2, page);
    queue_put(&m->t2, page);
}

static uint64_t arc_victim(void *model) {
    struct arc *m = model;
    m->no_ghost = !m->in_b1 && !m->in_b2 && m->t1.count == m->c;
    if (m->no_ghost)
        return m->t1.page[0];
    if (m->t1.count >= 1 && ((m->in_b2 && m->t1.count == m->p) || m->t1.count > m->p))
        return m->t1.page[0];
    return m->t2.count ? m->t2.page[0] : m->t1.page[0];
}

static void arc_evicted(void *model, uint64_t page) {
    struct arc *m = model;
    if (queue_drop(&m->t1, page)) {
        if (!m->no_ghost)
            queue_put(&m->b1, page);
        return;
    }
    queue_drop(&m->t2, page);
    queue_put(&m->b2, page);
}

static void arc_died(void *model, uint64_t page) {
    struct arc *m = model;
    if (!queue_drop(&m->t1, page))
        queue_drop(&m->t2, page);
}

static const struct model arc = {
    .policy = "arc",
    .size = sizeof(struct arc),
    .reset = arc_reset,
    .miss = arc_miss,
    .insert = arc_insert,
    .access = arc_access,
    .victim = arc_victim,
    .evicted = arc_evicted,
    .died = arc_died,
};

/* ---- LIRS: by the times of last uses, without a stack. A page is in the paper's stack iff it was used after
 * some page that is LIR now ---- */

struct lirs {
    struct queue lir, hir,
        gone; /* in memory; in memory, next victim first; out of it, by the time they left */
    uint64_t last[REPLAY_PAGES], time;
    int lir_limit, ghosts;
};

static void lirs_reset(void *model, int capacity) {
    struct lirs *m = model;
    m->lir_limit = capacity > 1 ? capacity - 1 : 1;
    m->ghosts = 2 * capacity;
}

static uint64_t lirs_coldest(const struct lirs *m) {
    uint64_t page = m->lir.page[0];
    for (int i = 1; i < m->lir.count; i++)
        if (m->last[m->lir.page[i]] < m->last[page])
            page = m->lir.page[i];
    return page;
}

static bool lirs_in_stack(const struct lirs *m, uint64_t page) {
    return m->lir.count > 0 && m->last[page] > m->last[lirs_coldest(m)];
}

/* Ghosts that are not in the stack any more do not count. */
static void lirs_prune(struct lirs *m) {
    for (int i = m->gone.count - 1; i >= 0; i--)
        if (!lirs_in_stack(m, m->gone.page[i]))
            (void)queue_take_at(&m->gone, i);
}

static void lirs_use(struct lirs *m, uint64_t page) {
    const bool hot = lirs_in_stack(m, page) && (queue_has(&m->hir, page) || queue_has(&m->gone, page));
    queue_drop(&m->gone, page);
    m->last[page] = ++m->time;
    if (queue_has(&m->lir, page))
        return lirs_prune(m);
    queue_drop(&m->hir, page);
    if (!hot && m->lir.count >= m->lir_limit)
        return queue_put(&m->hir, page);
    queue_put(&m->lir, page);
    if (m->lir.count > m->lir_limit) {
        const uint64_t coldest = lirs_coldest(m);
        queue_drop(&m->lir, coldest);
        queue_put(&m->hir, coldest);
    }
    lirs_prune(m);
}

static void lirs_touch(void *model, uint64_t page) {
    lirs_use(model, page);
}

static uint64_t lirs_victim(void *model) {
    const struct lirs *m = model;
    return m->hir.count ? m->hir.page[0] : lirs_coldest(m);
}

static void lirs_gone(void *model, uint64_t page) {
    struct lirs *m = model;
    if (!queue_drop(&m->hir, page))
        queue_drop(&m->lir, page);
    lirs_prune(m);
}

static void lirs_evicted(void *model, uint64_t page) {
    struct lirs *m = model;
    const bool in_stack = lirs_in_stack(m, page);
    if (in_stack)
        queue_put(&m->gone, page);
    if (m->gone.count > m->ghosts)
        (void)queue_take_at(&m->gone, 0);
    lirs_gone(model, page);
}

/* With fewer ghosts than would fill the stack. */
static void lirs_reset_few(void *model, int capacity) {
    lirs_reset(model, capacity);
    ((struct lirs *)model)->ghosts = capacity / 2;
}

static const struct model lirs = {
    .policy = "lirs",
    .size = sizeof(struct lirs),
    .reset = lirs_reset,
    .insert = lirs_touch,
    .access = lirs_touch,
    .victim = lirs_victim,
    .evicted = lirs_evicted,
    .died = lirs_gone,
};

/* ---- LFU with aging: one row of pages, the next victim first ---- */

struct lfu {
    struct queue order; /* by count, then by the time when this count was reached */
    int count[REPLAY_PAGES];
    int references;
};

static void lfu_reset(void *model, int capacity) {}

static void lfu_place(struct lfu *m, uint64_t page) {
    int at = 0;
    while (at < m->order.count && m->count[m->order.page[at]] <= m->count[page])
        at++;
    queue_put_at(&m->order, at, page);
    if (++m->references < 10 * m->order.count)
        return;
    for (int i = 0; i < m->order.count; i++)
        m->count[m->order.page[i]] /= 2;
    m->references = 0;
}

static void lfu_insert(void *model, uint64_t page) {
    struct lfu *m = model;
    m->count[page] = 1;
    lfu_place(m, page);
}

static void lfu_access(void *model, uint64_t page) {
    struct lfu *m = model;
    queue_drop(&m->order, page);
    m->count[page] += m->count[page] < 254;
    lfu_place(m, page);
}

static uint64_t lfu_victim(void *model) {
    return ((const struct lfu *)model)->order.page[0];
}

static void lfu_gone(void *model, uint64_t page) {
    queue_drop(&((struct lfu *)model)->order, page);
}

static const struct model lfu = {
    .policy = "lfu",
    .size = sizeof(struct lfu),
    .reset = lfu_reset,
    .insert = lfu_insert,
    .access = lfu_access,
    .victim = lfu_victim,
    .evicted = lfu_gone,
    .died = lfu_gone,
};

/* ---- the tests ---- */

static void s3_fifo_is_that_of_the_paper(void **state) {
    replay_compare(&s3);
}
static void twoq_is_that_of_the_paper(void **state) {
    replay_compare(&twoq);
}
static void arc_is_that_of_the_paper(void **state) {
    replay_compare(&arc);
}
static void lirs_is_that_of_the_paper(void **state) {
    struct model few = lirs;
    few.policy = "lirs:ghosts=50";
    few.reset = lirs_reset_few;
    replay_compare(&lirs);
    replay_compare(&few);
}
static void lfu_takes_the_least_used(void **state) {
    replay_compare(&lfu);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s3_fifo_is_that_of_the_paper), cmocka_unit_test(twoq_is_that_of_the_paper),
        cmocka_unit_test(arc_is_that_of_the_paper),     cmocka_unit_test(lirs_is_that_of_the_paper),
        cmocka_unit_test(lfu_takes_the_least_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
