/* The parameters of a policy: what is taken, and that everything else is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/parameters.h"

static void known_keys_are_set_and_others_left(void **state) {
    uint64_t seed = 5, size = 6;
    const struct policy_parameter known[] = {{"seed", &seed, 0, UINT64_MAX}, {"size", &size, 1, 100}};
    assert_int_equal(policy_parse(NULL, known, 2), 0);
    assert_int_equal(policy_parse("", known, 2), 0);
    assert_int_equal(seed, 5);
    assert_int_equal(policy_parse("size=100", known, 2), 0);
    assert_int_equal(seed, 5);
    assert_int_equal(size, 100);
    assert_int_equal(policy_parse("size=0x10,seed=18446744073709551615", known, 2), 0);
    assert_int_equal(seed, UINT64_MAX);
    assert_int_equal(size, 16);
}

static void anything_else_is_refused(void **state) {
    static const char *const wrong[] = {
        "x",
        "seed",
        "seed=",
        "seed=x",
        "seed=1x",
        "seed=-1",
        "seed=+1",
        "seed= 1",
        "seed=1,",
        ",seed=1",
        "seed=1,,size=2",
        "seed=1,seed=2",
        "size=0",
        "size=101",
        "see=1",
        "seeds=1",
        "seed=1 size=2",
        "=1",
        "seed=1;",
        "SEED=1",
        "seed==1",
        ",",
        "=",
        "seed=18446744073709551616",
        "size=2=3",
    };
    uint64_t seed = 0, size = 1;
    const struct policy_parameter known[] = {{"seed", &seed, 0, UINT64_MAX}, {"size", &size, 1, 100}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(policy_parse(wrong[i], known, 2), -EINVAL);
    assert_int_equal(policy_parse("seed=1", NULL, 0), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_keys_are_set_and_others_left),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
