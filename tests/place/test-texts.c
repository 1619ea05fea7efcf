/* Texts by number, and stacks by node: the same again is the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "place/counts.h"
#include "place/stacks.h"
#include "place/texts.h"

static void texts_are_kept_once(void **state) {
    struct texts names = {0};
    char text[32];
    uint32_t number;
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 1000; i++) {
            snprintf(text, sizeof text, "text %u", i);
            assert_int_equal(texts_add(&names, text, &number), 0);
            assert_int_equal(number, i);
            assert_string_equal(texts_get(&names, i), text);
        }
    }
    assert_int_equal(names.count, 1000);
    texts_free(&names);
}

static void stacks_share_their_callers(void **state) {
    struct stacks stacks = {0};
    uint32_t main_node, a, b, again;
    const struct key frames[] = {key_make(KEY_CODE, 1, 0x1000), key_make(KEY_CODE, 1, 0x2000),
                                 key_make(KEY_CODE, 2, 0x1000)};
    assert_int_equal(stacks_add(&stacks, 0, frames[0], &main_node), 0);
    assert_int_equal(stacks_add(&stacks, main_node, frames[1], &a), 0);
    assert_int_equal(stacks_add(&stacks, main_node, frames[2], &b), 0);
    assert_int_not_equal(a, b);
    assert_int_equal(stacks_add(&stacks, main_node, frames[1], &again), 0);
    assert_int_equal(again, a);
    assert_int_equal(stacks_get(&stacks, a)->parent, main_node);
    assert_int_equal(stacks_get(&stacks, main_node)->parent, 0);
    assert_int_equal(key_value(stacks_get(&stacks, b)->frame), 0x1000);
    assert_int_equal(key_module(stacks_get(&stacks, b)->frame), 2);
    stacks_free(&stacks);
}

static void who_drove_out_whom(void **state) {
    struct counts c = {0};
    uint32_t here, there, found;
    uint64_t times = 0;
    assert_int_equal(counts_key(&c, key_make(KEY_NAME, 0, 0), &here), 0);
    assert_int_equal(counts_key(&c, key_make(KEY_NAME, 0, 1), &there), 0);
    assert_false(counts_page_place(&c, 7, &found));
    assert_int_equal(counts_page_filled(&c, 7, here), 0);
    assert_true(counts_page_place(&c, 7, &found));
    assert_int_equal(found, here);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(counts_page_evicted(&c, 7, here, there), 0);
        assert_int_equal(counts_page_back(&c, 7, here), 0);
        assert_int_equal(counts_page_filled(&c, 7, here), 0);
    }
    assert_true(map_get(&c.pairs, (uint64_t)there << 32 | here, &times));
    assert_int_equal(times, 3);
    assert_int_equal(counts_page_back(&c, 8, here), 0);
    assert_int_equal(c.unpaired, 1);
    counts_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_kept_once),
                                       cmocka_unit_test(stacks_share_their_callers),
                                       cmocka_unit_test(who_drove_out_whom)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
