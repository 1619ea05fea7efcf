/* What a configuration is made of, and the sentence that a wrong one is answered with. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine/geometry.h"

static struct machine_config ordinary(uint32_t frames) {
    return (struct machine_config){
        .frames = frames,
        .reserved = 3,
        .policy = "clock",
        .level = CPU_LEVEL_V3,
        .tlb_entries = 1024,
    };
}

static struct geometry resolved(const struct machine_config *config) {
    struct geometry geometry;
    char *message = NULL;
    if (geometry_resolve(config, &geometry, &message))
        fail_msg("%s", message);
    return geometry;
}

static void refused(const struct machine_config *config, const char *expected) {
    struct geometry geometry;
    char *message = NULL;
    assert_int_equal(geometry_resolve(config, &geometry, &message), -EINVAL);
    if (!strstr(message, expected))
        fail_msg("the message is '%s', without '%s'", message, expected);
    free(message);
}

static void test_the_default_format_follows_from_the_frames(void **state) {
    struct machine_config config = ordinary(255);
    assert_ptr_equal(resolved(&config).format, &page_table_array);
    config.frames = 256;
    assert_ptr_equal(resolved(&config).format, &page_table_x86_64);
    config.frames = 0;
    config.available = 252;
    assert_ptr_equal(resolved(&config).format, &page_table_array);
    config.available = 253;
    assert_ptr_equal(resolved(&config).format, &page_table_x86_64);
}

static void test_a_named_format_is_taken(void **state) {
    struct machine_config config = ordinary(65536);
    config.page_table = "array";
    assert_ptr_equal(resolved(&config).format, &page_table_array);
    config.page_table = "hashed";
    refused(&config, "unknown page-table format 'hashed': there are array, x86-64");
}

static void test_the_smallest_machine_is_accepted_and_one_frame_less_is_not(void **state) {
    for (const struct page_table_ops *const *f = page_table_formats; *f; f++) {
        uint32_t least = vm_minimum_frames(*f, 3);
        struct machine_config config = ordinary(least);
        config.page_table = (*f)->name;
        assert_ptr_equal(resolved(&config).format, *f);
        config.frames = least - 1;
        char expected[128];
        snprintf(expected, sizeof expected, "%u frames are too few for the %s page-table format: at least %u",
                 least - 1, (*f)->name, least);
        refused(&config, expected);
    }
}

static void test_the_message_counts_the_frames_and_offers_the_smaller_format(void **state) {
    struct machine_config config = ordinary(vm_minimum_frames(&page_table_x86_64, 3) - 1);
    config.page_table = "x86-64";
    char expected[128];
    snprintf(expected, sizeof expected, "(3 reserved, 7 page tables, %u for the program)",
             vm_minimum_frames(&page_table_x86_64, 0) - 7);
    refused(&config, expected);
    snprintf(expected, sizeof expected, "try --page-table array, which needs %u",
             vm_minimum_frames(&page_table_array, 3));
    refused(&config, expected);
    config.frames = 1;
    config.frames = 4;
    refused(&config, "4 frames are too few");
}

static void test_reserved_frames_count(void **state) {
    struct machine_config config = ordinary(9);
    (void)resolved(&config); /* 6 of 9 are enough */
    config.reserved = 8;
    refused(&config, "8 reserved");
    config.reserved = UINT32_MAX - 1;
    refused(&config, "nothing is left for pages");
}

static void test_available_frames_stand_beside_the_reserved_ones(void **state) {
    struct machine_config config = ordinary(0);
    config.available = vm_minimum_frames(&page_table_array, 0);
    (void)resolved(&config);
    config.available--;
    refused(&config, "for pages are too few");
}

static void test_more_memory_than_the_host_has_is_refused(void **state) {
    struct machine_config config = ordinary(UINT32_MAX - 1);
    refused(&config, "more than this host has memory");
}

static void test_policies_are_found_by_name(void **state) {
    struct machine_config config = ordinary(48);
    config.policy = "random:seed=3";
    struct geometry geometry = resolved(&config);
    assert_string_equal(geometry.policy->name, "random");
    assert_string_equal(geometry.policy_parameters, "seed=3");
    config.policy = "best";
    refused(&config, "unknown policy 'best': there are ");
    refused(&config, "clock");
}

static void test_a_tlb_has_a_power_of_two_of_entries(void **state) {
    struct machine_config config = ordinary(48);
    static const unsigned bad[] = {0, 1, 8, 100, 131072};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        config.tlb_entries = bad[i];
        refused(&config, "a power of two from 16 to 65536");
    }
    config.tlb_entries = 16;
    (void)resolved(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_default_format_follows_from_the_frames),
        cmocka_unit_test(test_a_named_format_is_taken),
        cmocka_unit_test(test_the_smallest_machine_is_accepted_and_one_frame_less_is_not),
        cmocka_unit_test(test_the_message_counts_the_frames_and_offers_the_smaller_format),
        cmocka_unit_test(test_reserved_frames_count),
        cmocka_unit_test(test_available_frames_stand_beside_the_reserved_ones),
        cmocka_unit_test(test_more_memory_than_the_host_has_is_refused),
        cmocka_unit_test(test_policies_are_found_by_name),
        cmocka_unit_test(test_a_tlb_has_a_power_of_two_of_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
