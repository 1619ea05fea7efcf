/* Each policy with a hand that goes round against the same algorithm written down a second time, from the
 * paper's pseudo-code, over plain arrays and time stamps. */
#include "replay.h"

#include "queue.h"

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

/* Within 8 pages of the first one that was not used, the first clean one; else that first one. */
static uint64_t wsclock_near(struct wsclock *m) {
    uint64_t first = 0;
    for (int i = 0, near = 0; i < m->circle.count && near < 8; i++, near += first != 0) {
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

/* ---- the tests ---- */

static void second_chance_and_clock_are_one(void **state) {
    struct model clock = second_chance;
    replay_compare(&second_chance);
    clock.policy = "clock";
    replay_compare(&clock);
}
static void sieve_is_that_of_the_paper(void **state) {
    replay_compare(&sieve);
}
static void wsclock_is_that_of_the_paper(void **state) {
    replay_compare(&wsclock);
}
static void clock_pro_is_that_of_the_paper(void **state) {
    replay_compare(&pro);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_chance_and_clock_are_one),
        cmocka_unit_test(sieve_is_that_of_the_paper),
        cmocka_unit_test(wsclock_is_that_of_the_paper),
        cmocka_unit_test(clock_pro_is_that_of_the_paper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
