/* The hash map against a model that is too simple to be wrong: an array indexed by a number of the key. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/rng.h"

enum { KEYS = 600, STEPS = 60000 };

struct model {
    uint64_t key[KEYS];
    bool there[KEYS];
    uint64_t value[KEYS];
    size_t count;
};

/* Neighbours, powers of two, the ends of the range, and anything. */
static void model_choose_keys(struct model *model, struct rng *rng) {
    for (size_t i = 0; i < KEYS; i++)
        model->key[i] = i < 200 ? i : i < 250 ? 1000ULL << (i - 200) | 1 : rng_next(rng);
    model->key[KEYS - 1] = UINT64_MAX;
}

static void model_compare(const struct model *model, const struct map *map) {
    assert_null(map_check(map));
    assert_int_equal(map_count(map), model->count);
    for (size_t i = 0; i < KEYS; i++) {
        uint64_t value = 42;
        assert_int_equal(map_get(map, model->key[i], &value), model->there[i]);
        assert_int_equal(value, model->there[i] ? model->value[i] : 42);
    }
    size_t cursor = 0, found = 0;
    for (uint64_t key, value, expected; map_next(map, &cursor, &key, &value); found++) {
        assert_true(map_get(map, key, &expected));
        assert_int_equal(value, expected);
    }
    assert_int_equal(found, model->count);
}

static void model_put(struct model *model, struct map *map, size_t i, uint64_t value) {
    const int error = map_put(map, model->key[i], value);
    if (error) { /* only an injected failure: nothing may have changed */
        assert_int_equal(error, -ENOMEM);
        return;
    }
    model->count += !model->there[i];
    model->there[i] = true;
    model->value[i] = value;
}

static void model_remove(struct model *model, struct map *map, size_t i) {
    uint64_t value = 42;
    assert_int_equal(map_remove(map, model->key[i], &value), model->there[i]);
    assert_int_equal(value, model->there[i] ? model->value[i] : 42);
    model->count -= model->there[i];
    model->there[i] = false;
}

/* Phases that mostly grow and mostly shrink, over few and over many keys. */
static void run_sequence(uint64_t seed, struct inject *inject) {
    struct rng rng = {seed};
    struct model model = {.count = 0};
    model_choose_keys(&model, &rng);
    struct map map = MAP_INIT(inject);
    uint64_t keys = KEYS, puts = 50;
    for (int step = 0; step < STEPS; step++) {
        if (step % 1000 == 0) {
            keys = 1 + rng_below(&rng, KEYS);
            puts = 10 + rng_below(&rng, 80);
            model_compare(&model, &map);
        }
        const size_t i = rng_below(&rng, keys);
        if (rng_below(&rng, 100) < puts)
            model_put(&model, &map, i, rng_next(&rng));
        else
            model_remove(&model, &map, i);
    }
    model_compare(&model, &map);
    map_free(&map);
    assert_int_equal(map_count(&map), 0);
}

static void random_sequences_agree_with_the_model(void **state) {
    for (uint64_t seed = 1; seed <= 20; seed++)
        run_sequence(seed, NULL);
}

static void failed_growth_changes_nothing(void **state) {
    for (uint64_t n = 1; n <= 6; n++) {
        struct inject inject = {.fail_at[INJECT_ALLOC] = n, .for_good[INJECT_ALLOC] = n % 2};
        run_sequence(n, &inject);
        assert_true(inject.calls[INJECT_ALLOC] >= n);
    }
}

static void reserved_room_cannot_fail(void **state) {
    struct inject inject = {.calls = {0}};
    struct map map = MAP_INIT(&inject);
    assert_int_equal(map_reserve(&map, 1000), 0);
    inject = (struct inject){.fail_at[INJECT_ALLOC] = 1, .for_good[INJECT_ALLOC] = true};
    for (uint64_t key = 1; key <= 1000; key++)
        assert_int_equal(map_put(&map, key, key), 0);
    assert_int_equal(map_reserve(&map, SIZE_MAX), -ENOMEM);
    assert_int_equal(map_reserve(&map, 1000000), -ENOMEM);
    assert_int_equal(map_count(&map), 1000);
    map_free(&map);
}

/* Old keys go as new ones come, for ever: a table with tombstones would fill up or grow. */
static void turnover_does_not_make_it_grow(void **state) {
    struct map map = MAP_INIT(NULL);
    for (uint64_t key = 1; key <= 1000000; key++) {
        assert_int_equal(map_put(&map, key, key), 0);
        if (key > 40)
            assert_true(map_remove(&map, key - 40, NULL));
    }
    assert_int_equal(map_count(&map), 40);
    assert_int_equal(map.places, 64);
    assert_null(map_check(&map));
    map_free(&map);
}

static void check_sees_damage(void **state) {
    struct map map = MAP_INIT(NULL);
    for (uint64_t key = 1; key <= 20; key++)
        assert_int_equal(map_put(&map, key, key), 0);
    map.used++;
    assert_non_null(map_check(&map));
    map.used--;
    size_t place = 0;
    while (!map.entries[place].key)
        place++;
    const struct map_entry kept = map.entries[place];
    map.entries[place].key = 0;
    assert_non_null(map_check(&map));
    map.entries[place] = kept;
    assert_null(map_check(&map));
    map_free(&map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sequences_agree_with_the_model),
        cmocka_unit_test(failed_growth_changes_nothing),
        cmocka_unit_test(reserved_room_cannot_fail),
        cmocka_unit_test(turnover_does_not_make_it_grow),
        cmocka_unit_test(check_sees_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
