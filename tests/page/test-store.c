/* The page's part of a run: a whole one shows what folding shows; a remote one asks for what it lacks, gets
 * there with it, and keeps to its bounds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/base.h"
#include "page/store.h"
#include "scenario.h"

enum { EVENTS = 70 * STORE_BLOCK };

/* One scenario for all tests; nobody changes it. */
static struct recorder recorded;

static int set_up(void **state) {
    static struct scenario s;
    recorded = recorder();
    scenario_start(&s, 7, &recorded.sink);
    scenario_run(&s, EVENTS);
    scenario_stop(&s);
    return 0;
}

static int tear_down(void **state) {
    recorder_free(&recorded);
    return 0;
}

static struct fold *fold_of(uint64_t n) {
    struct fold *fold = fold_create(NULL);
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(fold_apply(fold, &recorded.events[i]), 0);
    return fold;
}

/* What a server does: it has everything, and the store gets what it wants. */
struct server {
    struct store *store;
    uint64_t events; /* that there are by now */
    unsigned requests, finds;
    uint64_t most; /* events fetched at once */
};

static void serve_state(struct server *server, uint64_t n) {
    struct fold *fold = fold_of(n);
    void *bytes;
    size_t size;
    assert_int_equal(fold_save(fold, &bytes, &size), 0);
    assert_int_equal(store_add_state(server->store, n, bytes, size), 0);
    free(bytes);
    fold_destroy(fold);
}

static void serve_find(struct server *server, const struct store_want *want) {
    struct goal goal;
    const char *symbol;
    assert_null(goal_parse(want->goal, &goal, &symbol));
    uint64_t n = want->n;
    server->finds++;
    do
        n += want->backwards ? -1ULL : 1;
    while (n && n <= server->events && !goal_met(&goal, &recorded.events[n - 1]));
    store_add_answer(server->store, n <= server->events ? n : 0);
}

static void serve(struct server *server) {
    size_t count;
    const struct store_want *wants = store_wants(server->store, &count);
    assert_int_not_equal(count, 0);
    for (size_t i = 0; i < count; i++) {
        const struct store_want *want = &wants[i];
        server->requests++;
        switch (want->kind) {
        case STORE_WANT_EVENTS:
            assert_true(want->n + want->count - 1 <= server->events);
            server->most = max_u64(server->most, want->count);
            assert_int_equal(
                store_add_events(server->store, want->n, &recorded.events[want->n - 1], want->count), 0);
            break;
        case STORE_WANT_STATE: serve_state(server, want->n); break;
        case STORE_WANT_FIND: serve_find(server, want); break;
        }
    }
    store_clear_wants(server->store);
}

static const struct fold *state_of(struct server *server, struct film *film, uint64_t n) {
    const struct fold *fold;
    for (int round = 0; round < 8; round++) {
        int error = film_state(film, n, &fold);
        if (!error)
            return fold;
        assert_int_equal(error, -EAGAIN);
        serve(server);
    }
    fail_msg("what was fetched did not help");
    return NULL;
}

static struct film *remote_film(struct server *server, uint64_t events) {
    struct film *film;
    *server = (struct server){.events = events};
    assert_int_equal(store_create(true, &server->store), 0);
    assert_int_equal(store_film(server->store, scenario_header(), &film), 0);
    store_set_length(server->store, events, false, false);
    return film;
}

static void whole_run_shows_what_folding_shows(void **state) {
    struct store *store;
    struct film *film;
    const struct fold *shown;
    assert_int_equal(store_create(false, &store), 0);
    assert_int_equal(store_film(store, scenario_header(), &film), 0);
    assert_int_equal(store_add_events(store, 1, recorded.events, recorded.count), 0);
    store_set_length(store, recorded.count, true, true);
    assert_int_equal(film_events(film), recorded.count);
    assert_true(film_is_finished(film) && film_is_cut(film));
    static const uint64_t places[] = {0, 1, STORE_BLOCK, STORE_BLOCK + 1, 50000, 3, EVENTS / 2, EVENTS};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        struct fold *expected = fold_of(places[i]);
        assert_int_equal(film_state(film, places[i], &shown), 0);
        scenario_assert_same(shown, expected);
        fold_destroy(expected);
    }
    film_destroy(film);
}

static void remote_run_asks_for_what_it_lacks(void **state) {
    struct server server;
    struct film *film = remote_film(&server, EVENTS);
    static const uint64_t places[] = {EVENTS, 200000, 200001, 199999, 1, 0, STORE_BLOCK, 100000};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        struct fold *expected = fold_of(places[i]);
        unsigned before = server.requests;
        scenario_assert_same(state_of(&server, film, places[i]), expected);
        assert_in_range(server.requests - before, 0, 3); /* a state and a block, and maybe the next block */
        fold_destroy(expected);
    }
    assert_true(server.most <= STORE_BLOCK);
    film_destroy(film);
}

static void run_that_grows_is_followed(void **state) {
    struct server server;
    struct film *film = remote_film(&server, 10);
    static const uint64_t lengths[] = {10, 11, 600, STORE_BLOCK - 1, STORE_BLOCK, STORE_BLOCK + 7, 30000};
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        server.events = lengths[i];
        store_set_length(server.store, lengths[i], false, false);
        struct fold *expected = fold_of(lengths[i]);
        scenario_assert_same(state_of(&server, film, lengths[i]), expected);
        fold_destroy(expected);
    }
    store_set_length(server.store, 5, true, false); /* an old message: it never becomes shorter */
    assert_int_equal(film_events(film), 30000);
    film_destroy(film);
}

static int find_with_help(struct server *server, struct film *film, uint64_t from, bool backwards,
                          const struct goal *goal, uint64_t *ret_n) {
    int error;
    while ((error = film_find(film, from, backwards, goal, ret_n)) == -EAGAIN)
        serve(server);
    return error;
}

static void searches_go_to_the_server_only_when_far(void **state) {
    struct server server;
    struct film *film = remote_film(&server, EVENTS);
    const struct goal next = {.kind = GOAL_STEP};
    const struct goal kind = {.kind = GOAL_KIND, .event = EVENT_MACHINE_STOP};
    uint64_t n, start = 150000;
    state_of(&server, film, start);
    for (int i = 0; i < 50; i++)
        assert_int_equal(find_with_help(&server, film, start, i & 1, &next, &n), 0);
    assert_int_equal(server.finds, 0);
    assert_int_equal(find_with_help(&server, film, start, false, &kind, &n), -ENOENT); /* it stops later */
    assert_int_equal(server.finds, 1);
    const struct goal start_of_all = {.kind = GOAL_KIND, .event = EVENT_MACHINE_START};
    assert_int_equal(find_with_help(&server, film, start, true, &start_of_all, &n), 0);
    assert_int_equal(recorded.events[n - 1].kind, EVENT_MACHINE_START);
    assert_int_equal(server.finds, 2);
    film_destroy(film);
}

static void none_so_far_is_asked_again_when_the_run_has_grown(void **state) {
    struct server server;
    struct film *film = remote_film(&server, EVENTS);
    const struct goal stop = {.kind = GOAL_KIND, .event = EVENT_MACHINE_STOP};
    uint64_t n;
    assert_int_equal(find_with_help(&server, film, 1, false, &stop, &n), -ENOENT);
    server.events = recorded.count;
    store_set_length(server.store, recorded.count, true, false);
    assert_int_equal(find_with_help(&server, film, 1, false, &stop, &n), 0);
    assert_int_equal(n, recorded.count);
    film_destroy(film);
}

/* The server searches the run as it is by then; what it finds is there, though nobody has told the length
 * yet. */
static void what_is_found_may_be_newer_than_the_length(void **state) {
    struct server server;
    struct film *film = remote_film(&server, EVENTS);
    const struct goal stop = {.kind = GOAL_KIND, .event = EVENT_MACHINE_STOP};
    uint64_t n;
    server.events = recorded.count;
    assert_int_equal(find_with_help(&server, film, 1, false, &stop, &n), 0);
    struct fold *expected = fold_of(n);
    scenario_assert_same(state_of(&server, film, n), expected);
    fold_destroy(expected);
    film_destroy(film);
}

static void what_does_not_fit_is_refused(void **state) {
    struct server server;
    struct film *film = remote_film(&server, EVENTS);
    assert_int_equal(store_add_events(server.store, 2, recorded.events, 3), -EINVAL);
    assert_int_equal(store_add_events(server.store, 0, recorded.events, 3), -EINVAL);
    assert_int_equal(store_add_events(server.store, 9, recorded.events + 8, 3), -EINVAL); /* a hole */
    assert_int_not_equal(store_add_state(server.store, 5, "nonsense", 8), 0);
    struct fold *fold = fold_of(6);
    void *bytes;
    size_t size;
    assert_int_equal(fold_save(fold, &bytes, &size), 0);
    assert_int_equal(store_add_state(server.store, 5, bytes, size), -EBADMSG); /* of another event */
    free(bytes);
    fold_destroy(fold);
    film_destroy(film);
}

static void old_blocks_make_room(void **state) {
    struct server server;
    struct film *film = remote_film(&server, EVENTS);
    struct event event;
    for (uint64_t n = 1; n <= EVENTS; n += STORE_BLOCK)
        while (film_event(film, n, &event) == -EAGAIN)
            serve(&server);
    unsigned before = server.requests;
    assert_int_equal(before, EVENTS / STORE_BLOCK);
    assert_int_equal(film_event(film, EVENTS, &event), 0);  /* the last ones are still here, */
    assert_int_equal(film_event(film, 1, &event), -EAGAIN); /* the first one has made room */
    film_destroy(film);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_run_shows_what_folding_shows),
        cmocka_unit_test(remote_run_asks_for_what_it_lacks),
        cmocka_unit_test(run_that_grows_is_followed),
        cmocka_unit_test(searches_go_to_the_server_only_when_far),
        cmocka_unit_test(none_so_far_is_asked_again_when_the_run_has_grown),
        cmocka_unit_test(what_is_found_may_be_newer_than_the_length),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(old_blocks_make_room),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
