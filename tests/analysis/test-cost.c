/* The model of a disk: what is said about one, and what misses cost with it. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/cost.h"
#include "base/base.h"

static struct cost_disk parsed(const char *text) {
    struct cost_disk disk;
    char *message = NULL;
    assert_int_equal(cost_disk_parse(text, &disk, &message), 0);
    return disk;
}

static void near(double value, double expected) {
    assert_true(fabs(value - expected) <= fabs(expected) * 1e-9);
}

static void test_disks_are_described(void **state) {
    near(parsed("latency=2ms").latency, 2e-3);
    near(parsed("latency=90us,bandwidth=1G").latency, 90e-6);
    near(parsed("latency=90us,bandwidth=1G").bandwidth, 1024. * 1024 * 1024);
    near(parsed("hdd,writes=0").writes, 0);
    near(parsed("hdd,writes=0").latency, parsed("hdd").latency);
    near(parsed("depth=4").depth, 4);
    near(parsed("depth=4").latency, parsed("ssd").latency);
    assert_true(parsed("hdd").latency > parsed("ssd").latency);
    assert_true(parsed("ssd").latency > parsed("nvme").latency);
}

static void test_what_says_nothing_about_a_disk_is_refused(void **state) {
    static const char *const wrong[] = {
        "",          "tape",        "latency",      "latency=",       "latency=5", "latency=-1s",
        "ssd,hdd",   "latency=11s", "bandwidth=0",  "bandwidth=1Q",   "depth=0",   "writes=1.5",
        "writes=-1", "ssd,",        "latency=infs", "latency=1e999s", "speed=3",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct cost_disk disk;
        char *message = NULL;
        assert_int_equal(cost_disk_parse(wrong[i], &disk, &message), -EINVAL);
        assert_non_null(message);
        free(message);
    }
}

static void test_a_stall_is_the_sum_of_waits(void **state) {
    const struct cost_disk disk = {.latency = 1e-3, .bandwidth = 4096e3, .depth = 2, .writes = 1};
    near(cost_of_read(&disk, 4096), 2e-3);
    near(cost_of_write(&disk, 4096), 0.5e-3 + 1e-3);
    near(cost_stall(&disk, 4096, 10, 4), 10 * 2e-3 + 4 * 1.5e-3);
    struct cost_disk idle = disk;
    idle.writes = 0;
    near(cost_stall(&idle, 4096, 10, 4), 10 * 2e-3);
}

static void test_a_slowdown_is_against_the_program_with_all_its_memory(void **state) {
    near(cost_slowdown(1, 1, 0), 2);
    near(cost_slowdown(1, 2, 1), 1.5);
    near(cost_slowdown(0, 0, 0), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disks_are_described),
        cmocka_unit_test(test_what_says_nothing_about_a_disk_is_refused),
        cmocka_unit_test(test_a_stall_is_the_sum_of_waits),
        cmocka_unit_test(test_a_slowdown_is_against_the_program_with_all_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
