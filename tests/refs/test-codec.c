/* Items as columns: what repeats itself takes next to no room, around the ring and across its end, however
 * the items come in groups; columns that are too short or too long are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/rng.h"
#include "hw/types.h"
#include "refs/codec.h"

enum { COUNT = 5 * CODEC_RING + 12345, BLOCK_GROUPS = 3 };

struct block {
    struct codec_columns columns;
    size_t items;
};

struct test {
    struct codec writer, reader;
    struct block block;
    struct refs_item *items, *read;
    size_t count;
    size_t bytes; /* of all columns */
};

static void set_up_block(struct block *b) {
    for (unsigned i = 0; i < COLUMNS; i++)
        b->columns.bytes[i] = malloc(BLOCK_GROUPS * codec_column_room(i));
}

static void clear_block(struct block *b) {
    memset(b->columns.size, 0, sizeof b->columns.size);
    b->items = 0;
}

static int set_up(void **state) {
    struct test *t = *state = calloc(1, sizeof *t);
    t->items = calloc(COUNT, sizeof *t->items);
    t->read = calloc(CODEC_ITEMS, sizeof *t->read);
    set_up_block(&t->block);
    codec_init(&t->writer);
    codec_init(&t->reader);
    return 0;
}

static int tear_down(void **state) {
    struct test *t = *state;
    for (unsigned i = 0; i < COLUMNS; i++)
        free(t->block.columns.bytes[i]);
    free(t->items);
    free(t->read);
    free(t);
    return 0;
}

/* Some of the items, all in one space. */
static void encode_group(struct test *t, size_t from, size_t count) {
    size_t room;
    uint64_t *words = codec_room(&t->writer, &room);
    assert_in_range(count, 1, room);
    for (size_t i = 0; i < count; i++)
        words[i] = codec_word(&t->items[from + i], &t->writer.instruction, &t->block.columns);
    codec_space(&t->block.columns, (uint32_t)count, t->items[from].space);
    codec_encode(&t->writer, &t->block.columns, count);
    t->block.items += count;
}

static struct codec_rest rest_of(const struct block *b) {
    struct codec_rest rest;
    for (unsigned i = 0; i < COLUMNS; i++) {
        rest.from[i] = b->columns.bytes[i];
        rest.end[i] = rest.from[i] + b->columns.size[i];
    }
    return rest;
}

/* The block holds the items from this one on. */
static void expect_block(struct test *t, size_t from) {
    struct codec_rest rest = rest_of(&t->block);
    for (size_t done = 0; done < t->block.items;) {
        const long got = codec_decode(&t->reader, &rest, t->read, t->block.items - done);
        assert_in_range(got, 1, CODEC_ITEMS);
        assert_memory_equal(t->read, t->items + from + done, (size_t)got * sizeof *t->read);
        done += (size_t)got;
    }
    for (unsigned i = 0; i < COLUMNS; i++)
        t->bytes += t->block.columns.size[i];
    clear_block(&t->block);
}

/* All items there and back; groups end where the room does, or earlier. */
static void expect_same(struct test *t, bool whole_groups) {
    struct rng rng = {1};
    for (size_t at = 0, from = 0; at < t->count; from = at) {
        for (int n = 0; n < BLOCK_GROUPS && at < t->count; n++) {
            size_t room;
            codec_room(&t->writer, &room);
            const size_t count = min_size(t->count - at, whole_groups ? room : 1 + rng_below(&rng, room));
            encode_group(t, at, count);
            at += count;
        }
        expect_block(t, from);
    }
}

/* Page by page; a step of 0 … 3, now and then a wide one. */
static void add(struct test *t, uint32_t page, uint64_t step, uint16_t space) {
    const uint64_t before = t->count ? t->items[t->count - 1].instruction : 0;
    t->items[t->count++] = (struct refs_item){.instruction = before + step,
                                              .page = page,
                                              .space = space,
                                              .flags = (uint8_t)(page % 3 ? ACCESS_READ : ACCESS_WRITE)};
}

/* A loop of so many pages. */
static void loop(struct test *t, uint32_t pages) {
    while (t->count < COUNT)
        add(t, (uint32_t)(t->count % pages), t->count % pages % 4, 0);
}

static void test_a_loop_takes_little_room(void **state) {
    struct test *t = *state;
    loop(t, 1000);
    expect_same(t, true);
    /* The first round is written out. Later on a stretch begins where another did, as only these places are
     * remembered: some words come before. */
    assert_in_range(t->bytes, 1000 * 8, 1000 * 8 + COUNT / 15);
}

static void test_so_does_one_as_long_as_the_window(void **state) {
    struct test *t = *state;
    loop(t, CODEC_WINDOW);
    expect_same(t, true);
    assert_in_range(t->bytes, CODEC_WINDOW * 8, CODEC_WINDOW * 8 + COUNT / 50);
}

static void test_so_do_groups_of_any_size(void **state) {
    struct test *t = *state;
    loop(t, 777);
    expect_same(t, false);
    assert_in_range(t->bytes, 777 * 8, 777 * 8 + COUNT / 15);
}

/* Ten words that come again and again, between others: a stretch of ten takes no more than one that is short
 * has to. */
static void test_short_stretches_are_found(void **state) {
    struct test *t = *state;
    while (t->count < COUNT)
        add(t, t->count % 11 ? (uint32_t)(t->count % 11) : 1000 + (uint32_t)t->count, 1, 0);
    expect_same(t, true);
    assert_true(t->bytes < COUNT / 11 * (8 + 6) + COUNT / 50); /* a literal, and the three numbers */
}

/* Nothing comes again; steps beyond 16 bits, spaces by turns of many items. */
static void test_what_never_was_there_is_kept(void **state) {
    struct test *t = *state;
    struct rng rng = {5};
    while (t->count < COUNT)
        add(t, (uint32_t)rng_next(&rng),
            rng_below(&rng, 100) ? rng_below(&rng, 0x10002) : rng_next(&rng) >> 20, 9);
    expect_same(t, false);
}

/* Whichever column is a byte short, or has one more: this is not what was written. */
static void test_columns_of_another_length_are_wrong(void **state) {
    struct test *t = *state;
    size_t room;
    codec_room(&t->writer, &room);
    for (uint32_t i = 0; i < 300; i++)
        add(t, i % 100, i == 7 ? 1 << 20 : 3, 4);
    encode_group(t, 0, 300);
    for (unsigned i = 0; i < COLUMNS; i++) {
        struct codec_rest rest = rest_of(&t->block);
        assert_true(rest.end[i] > rest.from[i]);
        rest.end[i]--;
        codec_init(&t->reader);
        assert_int_equal(codec_decode(&t->reader, &rest, t->read, t->block.items), -1);
        rest = rest_of(&t->block);
        rest.end[i]++;
        codec_init(&t->reader);
        assert_int_equal(codec_decode(&t->reader, &rest, t->read, t->block.items), -1);
    }
    for (size_t others = 299; others <= 301; others += 2) { /* nor are there fewer items, or more */
        struct codec_rest rest = rest_of(&t->block);
        codec_init(&t->reader);
        assert_int_equal(codec_decode(&t->reader, &rest, t->read, others), -1);
    }
    codec_init(&t->reader);
    expect_block(t, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_loop_takes_little_room),     TEST(test_so_does_one_as_long_as_the_window),
        TEST(test_so_do_groups_of_any_size),     TEST(test_short_stretches_are_found),
        TEST(test_what_never_was_there_is_kept), TEST(test_columns_of_another_length_are_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
