/* Each policy from the literature against the same algorithm written down a second time, from the paper's
 * pseudo-code, over plain arrays and time stamps; and the worked examples of the papers. */
#include "replay.h"

#include "queue.h"

/* ---- SIEVE: algorithm 1 of the paper. The tail, the oldest page, is number 0 ---- */

struct sieve {
    struct queue queue;
    bool visited[REPLAY_PAGES];
    int hand; /* -1: NULL */
};

static void sieve_reset(void *model, int capacity) {
    ((struct sieve *)model)->hand = -1;
}

static void sieve_insert(void *model, uint64_t page) {
    struct sieve *m = model;
    m->visited[page] = false;
    queue_put(&m->queue, page);
}

static void sieve_access(void *model, uint64_t page) {
    ((struct sieve *)model)->visited[page] = true;
}

static uint64_t sieve_victim(void *model) {
    struct sieve *m = model;
    int o = m->hand < 0 ? 0 : m->hand;
    while (m->visited[m->queue.page[o]]) {
        m->visited[m->queue.page[o]] = false;
        o = (o + 1) % m->queue.count;
    }
    m->hand = o;
    return m->queue.page[o];
}

static void sieve_gone(void *model, uint64_t page) {
    struct sieve *m = model;
    const int at = queue_find(&m->queue, page);
    (void)queue_take_at(&m->queue, at);
    if (at < m->hand)
        m->hand--;
    if (m->hand >= m->queue.count)
        m->hand = -1;
}

static const struct model sieve = {
    .policy = "sieve",
    .size = sizeof(struct sieve),
    .reset = sieve_reset,
    .insert = sieve_insert,
    .access = sieve_access,
    .victim = sieve_victim,
    .evicted = sieve_gone,
    .died = sieve_gone,
};

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

/* ---- CLOCK-Pro: the circle is a row that begins at the hot hand, so that its end is the head ---- */

enum pro_kind { PRO_HOT, PRO_COLD, PRO_GONE };

struct pro {
    struct queue row;
    enum pro_kind kind[REPLAY_PAGES];
    bool test[REPLAY_PAGES], used[REPLAY_PAGES];
    uint64_t cold_hand, test_hand; /* pages */
    int m, m_cold;
    uint64_t evict; /* decided, until something else happens */
};

static void pro_reset(void *model, int capacity) {
    struct pro *m = model;
    m->m = capacity;
    m->m_cold = 1;
}

static int pro_count(const struct pro *m, enum pro_kind kind) {
    int count = 0;
    for (int i = 0; i < m->row.count; i++)
        count += m->kind[m->row.page[i]] == kind;
    return count;
}

static uint64_t pro_next(const struct pro *m, uint64_t page) {
    return m->row.page[(queue_find(&m->row, page) + 1) % m->row.count];
}

/* The cold hand is at a cold page in memory, or nowhere: it goes on at once when that page is so no more. */
static void pro_cold_hand_leaves(struct pro *m, uint64_t page) {
    if (m->cold_hand != page)
        return;
    m->cold_hand = 0;
    for (uint64_t at = pro_next(m, page); at != page && !m->cold_hand; at = pro_next(m, at))
        if (m->kind[at] == PRO_COLD)
            m->cold_hand = at;
}

static void pro_cold_hand_may_begin(struct pro *m, uint64_t page) {
    if (!m->cold_hand)
        m->cold_hand = page;
}

static void pro_take(struct pro *m, uint64_t page) {
    const uint64_t next = m->row.count > 1 ? pro_next(m, page) : 0;
    pro_cold_hand_leaves(m, page);
    m->test_hand = m->test_hand == page ? next : m->test_hand;
    queue_drop(&m->row, page);
}

static void pro_put(struct pro *m, uint64_t page) {
    queue_put(&m->row, page);
    if (m->row.count == 1)
        m->test_hand = page;
}

static void pro_adapt(struct pro *m, int by) {
    const int most = m->m > 1 ? m->m - 1 : 1;
    m->m_cold += by;
    m->m_cold = m->m_cold < 1 ? 1 : m->m_cold > most ? most : m->m_cold;
}

static void pro_end_test(struct pro *m, uint64_t page) {
    if (!m->test[page])
        return;
    m->test[page] = false;
    pro_adapt(m, -1);
    if (m->kind[page] == PRO_GONE)
        pro_take(m, page);
}

/* At the first page of the row, which then is its last, unless it is gone for good. */
static void pro_hot_hand_step(struct pro *m) {
    const uint64_t page = m->row.page[0];
    queue_put(&m->row, queue_take_at(&m->row, 0));
    if (m->kind[page] != PRO_HOT)
        pro_end_test(m, page);
    else if (!m->used[page]) {
        m->kind[page] = PRO_COLD;
        pro_cold_hand_may_begin(m, page);
    }
    m->used[page] = m->kind[page] != PRO_HOT && m->used[page];
}

static void pro_hot_hand(struct pro *m) {
    if (pro_count(m, PRO_HOT) <= m->m - m->m_cold)
        return;
    while (pro_count(m, PRO_HOT) > m->m - m->m_cold)
        pro_hot_hand_step(m);
    while (pro_count(m, PRO_HOT) && m->kind[m->row.page[0]] != PRO_HOT)
        pro_hot_hand_step(m);
}

static void pro_insert(void *model, uint64_t page) {
    struct pro *m = model;
    const bool again = queue_has(&m->row, page);
    bool hot = again || pro_count(m, PRO_HOT) < m->m - m->m_cold;
    if (again) {
        pro_take(m, page);
        pro_adapt(m, 1);
    }
    m->evict = 0;
    m->kind[page] = hot ? PRO_HOT : PRO_COLD;
    m->test[page] = !hot;
    m->used[page] = false;
    pro_put(m, page);
    if (!hot)
        pro_cold_hand_may_begin(m, page);
    pro_hot_hand(m);
}

static void pro_access(void *model, uint64_t page) {
    struct pro *m = model;
    m->evict = 0;
    m->used[page] = true;
}

static void pro_cold_page_used(struct pro *m, uint64_t page) {
    m->used[page] = false;
    pro_take(m, page);
    pro_put(m, page);
    if (!m->test[page]) {
        m->test[page] = true;
        pro_cold_hand_may_begin(m, page);
        return;
    }
    m->test[page] = false;
    m->kind[page] = PRO_HOT;
    pro_adapt(m, 1);
    pro_hot_hand(m);
}

static uint64_t pro_victim(void *model) {
    struct pro *m = model;
    while (!m->evict && m->cold_hand) {
        if (m->used[m->cold_hand])
            pro_cold_page_used(m, m->cold_hand);
        else
            m->evict = m->cold_hand;
    }
    for (int i = 0; !m->evict; i = (i + 1) % m->row.count) {
        const uint64_t page = m->row.page[i];
        if (m->kind[page] == PRO_HOT && !m->used[page])
            m->evict = page;
        else if (m->kind[page] == PRO_HOT)
            m->used[page] = false;
    }
    return m->evict;
}

static void pro_died(void *model, uint64_t page) {
    struct pro *m = model;
    m->evict = 0;
    pro_take(m, page);
}

static void pro_evicted(void *model, uint64_t page) {
    struct pro *m = model;
    if (!m->test[page])
        return pro_died(model, page);
    m->evict = 0;
    m->kind[page] = PRO_GONE;
    m->used[page] = false;
    pro_cold_hand_leaves(m, page);
    if (m->row.count > 1 && m->test_hand == page)
        m->test_hand = pro_next(m, page);
    if (m->row.count > 1 && m->row.page[0] == page)
        queue_put(&m->row, queue_take_at(&m->row, 0));
    while (pro_count(m, PRO_GONE) > m->m) {
        const uint64_t at = m->test_hand;
        m->test_hand = pro_next(m, at);
        if (m->kind[at] != PRO_HOT)
            pro_end_test(m, at);
    }
}

static const struct model pro = {
    .policy = "clock-pro",
    .size = sizeof(struct pro),
    .reset = pro_reset,
    .insert = pro_insert,
    .access = pro_access,
    .victim = pro_victim,
    .evicted = pro_evicted,
    .died = pro_died,
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

/* ---- second chance: a queue; and CLOCK, which is the same ---- */

struct second {
    struct queue queue;
    bool fresh[REPLAY_PAGES];
};

static void second_reset(void *model, int capacity) {}

static void second_insert(void *model, uint64_t page) {
    struct second *m = model;
    queue_put(&m->queue, page);
    m->fresh[page] = true;
}

static void second_access(void *model, uint64_t page) {}

static uint64_t second_victim(void *model) {
    struct second *m = model;
    for (;;) {
        const uint64_t page = m->queue.page[0];
        const bool used = replay_test_and_clear(page);
        if (!used && !m->fresh[page])
            return page;
        m->fresh[page] = false;
        queue_put(&m->queue, queue_take_at(&m->queue, 0));
    }
}

static void second_gone(void *model, uint64_t page) {
    queue_drop(&((struct second *)model)->queue, page);
}

static const struct model second_chance = {
    .policy = "second-chance",
    .size = sizeof(struct second),
    .reset = second_reset,
    .insert = second_insert,
    .access = second_access,
    .victim = second_victim,
    .evicted = second_gone,
    .died = second_gone,
};

/* ---- WSClock ---- */

struct wsclock {
    struct queue circle; /* number 0 is under the hand */
    uint64_t last_use[REPLAY_PAGES];
    bool fresh[REPLAY_PAGES], passed[REPLAY_PAGES];
    uint64_t quiet_until;
};

enum { WSCLOCK_TAU = 40000 };

static void wsclock_reset(void *model, int capacity) {}

static void wsclock_insert(void *model, uint64_t page) {
    struct wsclock *m = model;
    queue_put(&m->circle, page);
    m->last_use[page] = replay_now();
    m->fresh[page] = true;
    m->passed[page] = false;
}

static void wsclock_access(void *model, uint64_t page) {}

/* Whether the hand takes the page that it is at. *clean: the first one that would do otherwise. */
static bool wsclock_look(struct wsclock *m, uint64_t *clean) {
    const uint64_t page = m->circle.page[0];
    const bool used = replay_test_and_clear(page) || m->fresh[page];
    m->fresh[page] = false;
    if (used) {
        m->last_use[page] = replay_now();
        m->passed[page] = false;
    } else if (replay_now() - m->last_use[page] > WSCLOCK_TAU) {
        if (m->passed[page] || !replay_is_dirty(page))
            return true;
        m->passed[page] = true;
    } else if (!*clean && !replay_is_dirty(page)) {
        *clean = page;
    }
    return false;
}

static void wsclock_turn(struct wsclock *m) {
    queue_put(&m->circle, queue_take_at(&m->circle, 0));
}

/* Within 64 pages of the first one that was not used, the first clean one; else that first one. */
static uint64_t wsclock_near(struct wsclock *m) {
    uint64_t first = 0;
    for (int i = 0, near = 0; i < m->circle.count && near < 64; i++, near += first != 0) {
        const uint64_t page = m->circle.page[0];
        uint64_t clean = 0;
        const bool used = replay_test_and_clear(page) || m->fresh[page];
        m->fresh[page] = false;
        if (used) {
            m->last_use[page] = replay_now();
        } else {
            assert_false(wsclock_look(m, &clean));
            if (clean)
                return clean;
            first = first ? first : page;
        }
        wsclock_turn(m);
    }
    return first ? first : m->circle.page[0];
}

static uint64_t wsclock_oldest_use(const struct wsclock *m) {
    uint64_t oldest = UINT64_MAX;
    for (int i = 0; i < m->circle.count; i++)
        if (m->last_use[m->circle.page[i]] < oldest)
            oldest = m->last_use[m->circle.page[i]];
    return oldest;
}

static uint64_t wsclock_victim(void *model) {
    struct wsclock *m = model;
    uint64_t clean = 0;
    if (replay_now() <= m->quiet_until)
        return wsclock_near(m);
    for (int i = 0; i < 2 * m->circle.count; i++) {
        uint64_t ignored = 1;
        if (wsclock_look(m, i < m->circle.count ? &clean : &ignored))
            return m->circle.page[0];
        wsclock_turn(m);
    }
    m->quiet_until = wsclock_oldest_use(m) + WSCLOCK_TAU;
    while (clean && m->circle.page[0] != clean)
        wsclock_turn(m);
    return m->circle.page[0];
}

static void wsclock_gone(void *model, uint64_t page) {
    queue_drop(&((struct wsclock *)model)->circle, page);
}

static const struct model wsclock = {
    .policy = "wsclock:tau=40000",
    .size = sizeof(struct wsclock),
    .reset = wsclock_reset,
    .insert = wsclock_insert,
    .access = wsclock_access,
    .victim = wsclock_victim,
    .evicted = wsclock_gone,
    .died = wsclock_gone,
};

/* ---- the tests ---- */

static void compare(const struct model *model) {
    static const uint32_t frames[] = {1, 2, 3, 4, 7, 10, 21, 40};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        for (uint64_t seed = 1; seed <= 6; seed++)
            replay_random(model, frames[i], 100 * seed + i, 6000);
}

static void sieve_is_that_of_the_paper(void **state) {
    compare(&sieve);
}
static void s3_fifo_is_that_of_the_paper(void **state) {
    compare(&s3);
}
static void twoq_is_that_of_the_paper(void **state) {
    compare(&twoq);
}
static void arc_is_that_of_the_paper(void **state) {
    compare(&arc);
}
static void lirs_is_that_of_the_paper(void **state) {
    struct model few = lirs;
    few.policy = "lirs:ghosts=50";
    few.reset = lirs_reset_few;
    compare(&lirs);
    compare(&few);
}
static void clock_pro_is_that_of_the_paper(void **state) {
    compare(&pro);
}
static void lfu_takes_the_least_used(void **state) {
    compare(&lfu);
}
static void wsclock_is_that_of_the_paper(void **state) {
    compare(&wsclock);
}

static void second_chance_and_clock_are_one(void **state) {
    struct model clock = second_chance;
    compare(&second_chance);
    clock.policy = "clock";
    compare(&clock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_chance_and_clock_are_one), cmocka_unit_test(sieve_is_that_of_the_paper),
        cmocka_unit_test(s3_fifo_is_that_of_the_paper),    cmocka_unit_test(twoq_is_that_of_the_paper),
        cmocka_unit_test(arc_is_that_of_the_paper),        cmocka_unit_test(lirs_is_that_of_the_paper),
        cmocka_unit_test(clock_pro_is_that_of_the_paper),  cmocka_unit_test(lfu_takes_the_least_used),
        cmocka_unit_test(wsclock_is_that_of_the_paper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
