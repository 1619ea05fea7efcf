/* WSClock: the hand of CLOCK, but a page goes only when it was not used for some time, tau: then it is in no
 * working set. A dirty one is passed over once, so that it could be written meanwhile, and goes when the hand
 * comes by again.
 *
 * Source: R. W. Carr, J. L. Hennessy, "WSClock: a simple and effective algorithm for virtual memory
 * management", SOSP 1981. Parameter: tau=10000000, in instructions.
 *
 * Differences: the paper measures time for each process, here it is the instructions of all of them together.
 * The paper starts the write when the hand passes a dirty page; a policy here cannot write, so passing is all
 * it does. Where everything is in a working set, the paper suspends a process; here the first page goes
 * that was clean and not referenced since the hand came by, else the one under the hand (as in A. S.
 * Tanenbaum, "Modern Operating Systems", 3.4.9). A round that found nothing also says until when nothing can
 * be found; before that the hand does not go all round for each victim, but stops at the first page that was
 * not referenced, or a clean one up to NEAR pages behind it. Where time is not known, nothing leaves a
 * working set. A page enters with its referenced bit set, in `marks`, as in clock.c. */
#include <assert.h>

#include "policy/parameters.h"
#include "policy/policies.h"
#include "policy/ring.h"

enum { NEAR = 8 };
enum {
    ENTERED = 1, /* inserted since the hand came by */
    PASSED = 2,  /* passed over because it was dirty, and not used since */
};

struct wsclock {
    struct ring ring;    /* oldest: under the hand */
    uint64_t *last_use;  /* by frame: instructions, as far as the hand knows */
    uint8_t *marks;      /* by frame: of ENTERED, PASSED */
    uint32_t passed_now; /* how many are PASSED */
    pfn_t chosen;        /* by victim(), until something is inserted or removed; PFN_NONE: nothing */
    uint64_t tau;
    uint64_t quiet_until; /* no page leaves its working set before; 0: not known */
    struct policy_config config;
};

static void wsclock_free(struct wsclock *ws) {
    ring_free(&ws->ring);
    free(ws->last_use);
    free(ws->marks);
    free(ws);
}

static int wsclock_create(const struct policy_config *config, void **ret_state) {
    uint64_t tau = 10000000;
    const struct policy_parameter known[] = {{"tau", &tau, 0, UINT64_MAX}};
    if (policy_parse(config->parameters, known, 1) < 0 || !config->test_and_clear_referenced)
        return -EINVAL;
    struct wsclock *ws = calloc(1, sizeof *ws);
    if (!ws)
        return -ENOMEM;
    ws->tau = tau;
    ws->chosen = PFN_NONE;
    ws->config = *config;
    ws->last_use = calloc((size_t)config->frames + 1, sizeof *ws->last_use);
    ws->marks = calloc((size_t)config->frames + 1, sizeof *ws->marks);
    if (!ws->last_use || !ws->marks || ring_init(&ws->ring, config->frames) < 0) {
        wsclock_free(ws);
        return -ENOMEM;
    }
    *ret_state = ws;
    return 0;
}

static void wsclock_destroy(void *state) {
    wsclock_free(state);
}

static uint64_t wsclock_now(const struct wsclock *ws) {
    return ws->config.now ? ws->config.now(ws->config.context) : 0;
}

static void wsclock_unmark(struct wsclock *ws, pfn_t f) {
    ws->passed_now -= ws->marks[f.n] & PASSED ? 1 : 0;
    ws->marks[f.n] = 0;
}

static void wsclock_insert(void *state, pfn_t f, page_id_t page) {
    struct wsclock *ws = state;
    assert(!ring_has(&ws->ring, f));
    ws->chosen = PFN_NONE;
    ring_append(&ws->ring, f);
    ws->marks[f.n] = ENTERED;
    ws->last_use[f.n] = wsclock_now(ws);
}

static void wsclock_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct wsclock *ws = state;
    assert(ring_has(&ws->ring, f));
    ws->chosen = PFN_NONE;
    ring_remove(&ws->ring, f);
    wsclock_unmark(ws, f);
}

static bool wsclock_is_dirty(const struct wsclock *ws, pfn_t f) {
    return ws->config.is_dirty && ws->config.is_dirty(ws->config.context, f);
}

/* Since the hand came by; notes it. */
static inline bool wsclock_was_used(struct wsclock *ws, pfn_t f, uint64_t now) {
    if (!ws->config.test_and_clear_referenced(ws->config.context, f) && !(ws->marks[f.n] & ENTERED))
        return false;
    ws->last_use[f.n] = now;
    wsclock_unmark(ws, f);
    return true;
}

/* What the hand does at a page. */
enum look { LOOK_USED, LOOK_IN_WORKING_SET, LOOK_PASS, LOOK_TAKE };

static enum look wsclock_look(struct wsclock *ws, pfn_t f, uint64_t now) {
    if (wsclock_was_used(ws, f, now))
        return LOOK_USED;
    if (now - ws->last_use[f.n] <= ws->tau)
        return LOOK_IN_WORKING_SET;
    if (ws->marks[f.n] & PASSED || !wsclock_is_dirty(ws, f))
        return LOOK_TAKE;
    ws->marks[f.n] |= PASSED;
    ws->passed_now++;
    return LOOK_PASS;
}

/* One or two rounds in search of a page that is in no working set; PFN_NONE if there is none. *ret_clean is
 * the first that was clean and not referenced, or PFN_NONE. */
static pfn_t wsclock_search(struct wsclock *ws, uint64_t now, pfn_t *ret_clean) {
    const uint32_t round = ws->ring.count;
    uint64_t first_use = UINT64_MAX;
    pfn_t hand = ring_oldest(&ws->ring);
    *ret_clean = PFN_NONE;
    /* What the first round passes over the second one takes. */
    for (uint32_t looks = 0; looks < round || (looks < 2 * round && ws->passed_now); looks++) {
        const enum look look = wsclock_look(ws, hand, now);
        if (look == LOOK_TAKE) {
            ring_begin_at(&ws->ring, hand);
            return hand;
        }
        if (look == LOOK_IN_WORKING_SET && pfn_is_none(*ret_clean) && !wsclock_is_dirty(ws, hand))
            *ret_clean = hand;
        if (ws->last_use[hand.n] < first_use)
            first_use = ws->last_use[hand.n];
        hand = ring_after(&ws->ring, hand);
    }
    ring_begin_at(&ws->ring, hand);
    ws->quiet_until = first_use <= UINT64_MAX - ws->tau ? first_use + ws->tau : UINT64_MAX;
    return PFN_NONE;
}

/* The same while it is known that there is none: a page that was not used is in its working set. */
static pfn_t wsclock_search_near(struct wsclock *ws, uint64_t now) {
    pfn_t first = PFN_NONE, hand = ring_oldest(&ws->ring);
    for (uint32_t looks = 0, near = 0; looks < ws->ring.count && near < NEAR; looks++) {
        if (!wsclock_was_used(ws, hand, now)) {
            if (!wsclock_is_dirty(ws, hand)) {
                first = hand;
                break;
            }
            first = pfn_is_none(first) ? hand : first;
        }
        near += !pfn_is_none(first);
        hand = ring_after(&ws->ring, hand);
    }
    ring_begin_at(&ws->ring, hand);
    return pfn_is_none(first) ? hand : first;
}

/* Moves the hand to the next victim. */
static pfn_t wsclock_move(struct wsclock *ws) {
    const uint64_t now = wsclock_now(ws);
    pfn_t clean;
    if (ws->quiet_until && now <= ws->quiet_until)
        return wsclock_search_near(ws, now);
    const pfn_t found = wsclock_search(ws, now, &clean);
    if (!pfn_is_none(found))
        return found;
    if (!pfn_is_none(clean))
        ring_begin_at(&ws->ring, clean);
    return ring_oldest(&ws->ring);
}

static pfn_t wsclock_victim(void *state) {
    struct wsclock *ws = state;
    if (pfn_is_none(ws->chosen) && ws->ring.count > 0)
        ws->chosen = wsclock_move(ws);
    return ws->chosen;
}

static const char *wsclock_check(const void *state) {
    const struct wsclock *ws = state;
    uint32_t passed = 0;
    for (uint32_t i = 0; i < ws->ring.frames; i++) {
        if (ws->marks[i] && !ring_has(&ws->ring, (pfn_t){i}))
            return "wsclock: a frame has a mark but is not in the circle";
        passed += ws->marks[i] & PASSED ? 1 : 0;
    }
    if (passed != ws->passed_now)
        return "wsclock: the number of pages passed over is wrong";
    return ring_check(&ws->ring);
}

static size_t wsclock_bytes(const void *state) {
    const struct wsclock *ws = state;
    return sizeof *ws + ring_bytes(&ws->ring) +
           ((size_t)ws->ring.frames + 1) * (sizeof *ws->last_use + sizeof *ws->marks);
}

const struct policy_ops policy_wsclock = {
    .name = "wsclock",
    .description = "a clock hand that takes pages unused for a while, dirty ones late (Carr 1981)",
    .parameters = "tau=10000000 (instructions): for how long a page is spared after its use",
    .needs = POLICY_NEEDS_REFERENCED_BITS,
    .create = wsclock_create,
    .destroy = wsclock_destroy,
    .insert = wsclock_insert,
    .remove = wsclock_remove,
    .victim = wsclock_victim,
    .check = wsclock_check,
    .bytes = wsclock_bytes,
};
