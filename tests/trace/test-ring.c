/* The ring: every event arrives once and in order, whatever the two ends do; the gate holds exactly where it
 * should; whoever waits uses no processor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/base.h"
#include "base/rng.h"
#include "trace/ring.h"

#ifdef TEST_IS_SLOW
enum { EVENTS = 200000 };
#else
enum { EVENTS = 3000000 };
#endif
enum { FAULT_EVERY = 100, TAKE = 700 };

static struct event event_number(uint64_t n) {
    return (struct event){.sequence = n, .kind = n % FAULT_EVERY ? EVENT_SLOT : EVENT_FAULT, .args = {n * 3}};
}

/* ---- the machine's side ---- */

struct producer {
    struct ring *ring;
    uint64_t events;
    bool pauses; /* now and then, as a program that computes */
};

static void *produce(void *context) {
    const struct producer *p = context;
    struct rng rng = {4};
    for (uint64_t n = 1; n <= p->events; n++) {
        struct event e = event_number(n);
        ring_sink(p->ring)->receive(ring_sink(p->ring), &e);
        if (p->pauses && rng_below(&rng, 20000) == 0)
            nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
    }
    ring_close(p->ring);
    return NULL;
}

static pthread_t start(const struct producer *p) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, produce, (void *)p), 0);
    return thread;
}

static struct ring *new_ring(bool paused) {
    struct ring *r;
    assert_int_equal(ring_create(paused, &r), 0);
    return r;
}

/* ---- taking ---- */

/* What comes from the ring, checked. */
struct taker {
    struct ring *ring;
    uint64_t last; /* sequence of the last event */
};

static enum ring_taken take(struct taker *t, int milliseconds) {
    struct event events[TAKE];
    size_t count = 0;
    enum ring_taken taken = ring_take(t->ring, events, TAKE, milliseconds, &count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(events[i].sequence, t->last + 1);
        assert_int_equal(events[i].args[0], events[i].sequence * 3);
        t->last = events[i].sequence;
    }
    return taken;
}

/* Until the machine is held and all its events are here. Where it is held. */
static uint64_t take_until_held(struct taker *t) {
    uint64_t held;
    while (!ring_is_paused(t->ring, &held) || t->last < held)
        assert_int_not_equal(take(t, 1000), RING_CLOSED);
    return held;
}

static void take_to_the_end(struct taker *t) {
    while (take(t, -1) != RING_CLOSED)
        ;
}

static void test_all_events_arrive_in_order(void **state) {
    for (int pauses = 0; pauses < 2; pauses++) {
        struct producer p = {new_ring(false), EVENTS, pauses};
        struct taker t = {p.ring, 0};
        pthread_t thread = start(&p);
        take_to_the_end(&t);
        assert_int_equal(t.last, EVENTS);
        pthread_join(thread, NULL);
        ring_destroy(p.ring);
    }
}

/* A consumer that dawdles: the ring fills up, the machine waits, nothing is lost. */
static void test_full_ring_makes_the_machine_wait(void **state) {
    struct producer p = {new_ring(false), 50000, false};
    struct taker t = {p.ring, 0};
    pthread_t thread = start(&p);
    while (take(&t, -1) != RING_CLOSED)
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    assert_int_equal(t.last, p.events);
    pthread_join(thread, NULL);
    ring_destroy(p.ring);
}

static void test_few_events_do_not_stay(void **state) {
    struct ring *r = new_ring(false);
    struct taker t = {r, 0};
    for (uint64_t n = 1; n <= 3; n++) {
        struct event e = event_number(n);
        ring_sink(r)->receive(ring_sink(r), &e);
        assert_int_equal(take(&t, 5000), RING_EVENTS);
        assert_int_equal(t.last, n);
    }
    assert_int_equal(take(&t, 1), RING_WOKEN);
    ring_wake(r);
    assert_int_equal(take(&t, -1), RING_WOKEN);
    ring_close(r);
    assert_int_equal(take(&t, -1), RING_CLOSED);
    ring_destroy(r);
}

/* ---- the gate ---- */

static void test_held_before_the_first_event(void **state) {
    struct producer p = {new_ring(true), 1000, false};
    struct taker t = {p.ring, 0};
    pthread_t thread = start(&p);
    uint64_t held = 99;
    assert_int_equal(take(&t, 20), RING_WOKEN);
    assert_true(ring_is_paused(p.ring, &held));
    assert_int_equal(held, 0);
    ring_continue(p.ring);
    take_to_the_end(&t);
    assert_int_equal(t.last, 1000);
    pthread_join(thread, NULL);
    ring_destroy(p.ring);
}

/* From goal to goal: it stops behind the event that meets it, and not one further. */
static void test_stops_exactly_behind_the_goal(void **state) {
    struct producer p = {new_ring(true), 100000, false};
    struct taker t = {p.ring, 0};
    pthread_t thread = start(&p);
    ring_run_to(p.ring, &(struct goal){.kind = GOAL_FAULT});
    assert_int_equal(take_until_held(&t), 100);
    ring_run_to(p.ring, &(struct goal){.kind = GOAL_FAULT, .skip = 4});
    assert_int_equal(take_until_held(&t), 600);
    ring_run_to(p.ring, &(struct goal){.kind = GOAL_SEQUENCE, .number = 54321});
    assert_int_equal(take_until_held(&t), 54321);
    for (int i = 1; i < 50; i++) { /* slots are no steps */
        ring_run_to(p.ring, &(struct goal){.kind = GOAL_STEP});
        assert_int_equal(take_until_held(&t), 54300 + i * FAULT_EVERY);
    }
    ring_pause(p.ring); /* it is paused: nothing happens */
    assert_int_equal(take_until_held(&t), 54300 + 49 * FAULT_EVERY);
    ring_release(p.ring);
    ring_pause(p.ring); /* not any more */
    take_to_the_end(&t);
    assert_int_equal(t.last, p.events);
    pthread_join(thread, NULL);
    ring_destroy(p.ring);
}

/* Orders of all kinds from another thread, at any moment. */
struct commander {
    struct ring *ring;
    _Atomic bool end;
};

static void *command(void *context) {
    struct commander *c = context;
    struct rng rng = {8};
    while (!c->end) {
        uint64_t held;
        switch (rng_below(&rng, 5)) {
        case 0: ring_pause(c->ring); break;
        case 1: ring_continue(c->ring); break;
        case 2: ring_run_to(c->ring, &(struct goal){.kind = GOAL_FAULT, .skip = rng_below(&rng, 30)}); break;
        case 3: ring_wake(c->ring); break;
        default:
            if (ring_is_paused(c->ring, &held) && held)
                assert_int_equal(held % FAULT_EVERY, 0);
        }
        if (rng_below(&rng, 50) == 0)
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    ring_release(c->ring);
    return NULL;
}

static void test_orders_at_any_moment(void **state) {
    struct producer p = {new_ring(true), EVENTS / 4, true};
    struct taker t = {p.ring, 0};
    struct commander c = {p.ring, false};
    pthread_t thread = start(&p), commander;
    assert_int_equal(pthread_create(&commander, NULL, command, &c), 0);
    for (enum ring_taken taken = RING_WOKEN; taken != RING_CLOSED;) {
        taken = take(&t, 1000);
        c.end = t.last > EVENTS / 5;
    }
    assert_int_equal(t.last, p.events);
    pthread_join(thread, NULL);
    pthread_join(commander, NULL);
    ring_destroy(p.ring);
}

/* ---- waiting ---- */

static double processor_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *wait_for_events(void *ring) {
    struct taker t = {ring, FAULT_EVERY};
    take_to_the_end(&t);
    return NULL;
}

/* Both threads are there, one before the gate and one before an empty ring, for three tenths of a second. */
static void test_a_held_machine_uses_no_processor(void **state) {
    struct producer p = {new_ring(true), 1000, false};
    struct taker t = {p.ring, 0};
    pthread_t thread = start(&p), waiting;
    ring_run_to(p.ring, &(struct goal){.kind = GOAL_FAULT});
    take_until_held(&t);
    assert_int_equal(pthread_create(&waiting, NULL, wait_for_events, p.ring), 0);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    double before = processor_time();
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    assert_true(processor_time() - before < 0.003);
    ring_release(p.ring);
    pthread_join(waiting, NULL);
    pthread_join(thread, NULL);
    ring_destroy(p.ring);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_events_arrive_in_order),
        cmocka_unit_test(test_full_ring_makes_the_machine_wait),
        cmocka_unit_test(test_few_events_do_not_stay),
        cmocka_unit_test(test_held_before_the_first_event),
        cmocka_unit_test(test_stops_exactly_behind_the_goal),
        cmocka_unit_test(test_orders_at_any_moment),
        cmocka_unit_test(test_a_held_machine_uses_no_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
