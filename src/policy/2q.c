/* 2Q, the full version: a new page passes through a FIFO queue, A1in; when it leaves it, its identity stays
 * in A1out, without a frame; only a page that comes back while it is remembered there enters the main LRU
 * list, Am. So a page must be wanted twice, and not in one burst, before it can push out others.
 *
 * Source: T. Johnson, D. Shasha, "2Q: a low overhead high performance buffer management replacement
 * algorithm", VLDB 1994. Parameters, in percent of memory: in=25 (Kin), out=50 (Kout), the paper's
 * recommendation.
 *
 * As in the paper, the wanted page is looked up in A1out before room is made, by miss(), and counts there no
 * more; the victims that make room could push it out. A page that comes in unasked is looked up then. */
#include <assert.h>

#include "policy/ghosts.h"
#include "policy/parameters.h"
#include "policy/policies.h"

enum { A1IN, AM, A1OUT, QUEUES };

struct twoq {
    struct lists lists;
    struct ghosts ghosts; /* those of A1out */
    uint32_t in;          /* Kin, in frames; Kout is the most ghosts that there can be */
    page_id_t wanted;     /* by miss(), until it comes in … */
    bool was_out;         /* … and it was in A1out */
};

static int twoq_create(const struct policy_config *config, void **ret_state) {
    uint64_t in = 25, out = 50;
    const struct policy_parameter known[] = {{"in", &in, 0, 100}, {"out", &out, 0, 1000}};
    if (policy_parse(config->parameters, known, 2) < 0)
        return -EINVAL;
    const uint64_t capacity = policy_capacity(config), limit = capacity * out / 100;
    struct twoq *twoq = calloc(1, sizeof *twoq);
    if (!twoq || limit >= UINT32_MAX)
        goto out_free;
    twoq->in = (uint32_t)(capacity * in / 100);
    if (ghosts_init_lists(&twoq->ghosts, &twoq->lists, config->frames, (uint32_t)limit, QUEUES) < 0)
        goto out_free;
    *ret_state = twoq;
    return 0;

out_free:
    free(twoq);
    return -ENOMEM;
}

static void twoq_destroy(void *state) {
    struct twoq *twoq = state;
    lists_free(&twoq->lists);
    ghosts_free(&twoq->ghosts);
    free(twoq);
}

static void twoq_forget(struct twoq *twoq, uint32_t ghost) {
    lists_remove(&twoq->lists, ghost);
    ghosts_drop(&twoq->ghosts, ghost);
}

/* Takes the page out of A1out. Whether it was there. */
static bool twoq_take(struct twoq *twoq, page_id_t page) {
    const uint32_t ghost = ghosts_find(&twoq->ghosts, page);
    if (ghost != NODE_NONE)
        twoq_forget(twoq, ghost);
    return ghost != NODE_NONE;
}

static void twoq_miss(void *state, page_id_t page) {
    struct twoq *twoq = state;
    const bool again = twoq->was_out && page_id_eq(twoq->wanted, page); /* it did not come the last time */
    twoq->was_out = twoq_take(twoq, page) || again;
    twoq->wanted = page;
}

static void twoq_insert(void *state, pfn_t f, page_id_t page) {
    struct twoq *twoq = state;
    assert(lists_of(&twoq->lists, f.n) == LIST_NONE);
    bool was_out = twoq->was_out && page_id_eq(twoq->wanted, page);
    if (was_out)
        twoq->was_out = false;
    else
        was_out = twoq_take(twoq, page);
    lists_append(&twoq->lists, was_out ? AM : A1IN, f.n);
}

static void twoq_access(void *state, pfn_t f, page_id_t page) {
    struct twoq *twoq = state;
    if (lists_of(&twoq->lists, f.n) == AM) /* within A1in uses are taken for one burst */
        lists_move(&twoq->lists, AM, f.n);
}

static void twoq_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct twoq *twoq = state;
    const uint8_t list = lists_of(&twoq->lists, f.n);
    assert(list == A1IN || list == AM);
    lists_remove(&twoq->lists, f.n);
    if (list != A1IN || reason != POLICY_EVICTED || twoq->ghosts.limit == 0)
        return;
    if (ghosts_full(&twoq->ghosts))
        twoq_forget(twoq, lists_oldest(&twoq->lists, A1OUT));
    lists_append(&twoq->lists, A1OUT, ghosts_add(&twoq->ghosts, page));
}

static pfn_t twoq_victim(void *state) {
    struct twoq *twoq = state;
    const bool from_in = lists_count(&twoq->lists, A1IN) > twoq->in || lists_count(&twoq->lists, AM) == 0;
    return (pfn_t){lists_oldest(&twoq->lists, from_in ? A1IN : AM)};
}

static const char *twoq_check(const void *state) {
    const struct twoq *twoq = state;
    if (lists_count(&twoq->lists, A1OUT) != twoq->ghosts.used)
        return "2q: a ghost is not in A1out";
    const char *wrong = ghosts_check(&twoq->ghosts);
    return wrong ? wrong : lists_check(&twoq->lists);
}

static size_t twoq_bytes(const void *state) {
    const struct twoq *twoq = state;
    return sizeof *twoq + lists_bytes(&twoq->lists) + ghosts_bytes(&twoq->ghosts);
}

const struct policy_ops policy_2q = {
    .name = "2q",
    .description = "a FIFO queue for new pages, LRU for those that came back (Johnson 1994)",
    .parameters = "in=25 (percent of memory, 0 to 100): the queue of new pages; out=50 (percent, 0 to 1000): "
                  "pages remembered that left it",
    .needs = POLICY_NEEDS_EVERY_REFERENCE,
    .create = twoq_create,
    .destroy = twoq_destroy,
    .insert = twoq_insert,
    .access = twoq_access,
    .remove = twoq_remove,
    .victim = twoq_victim,
    .check = twoq_check,
    .bytes = twoq_bytes,
    .miss = twoq_miss,
};
