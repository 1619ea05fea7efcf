/* The native file of references: what is written is read back, as often as one likes; a file that was cut
 * gives what is whole of it; no damaged file gives anything else than the items that were written, or an
 * error. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/rng.h"
#include "hw/types.h"
#include "made.h"
#include "policy/policy.h"
#include "refs/hash.h"
#include "refs/native.h"

enum { ITEMS = 3 * CODEC_ITEMS + 1234 };

static struct made made;
static char *whole; /* a file of it */

static int set_up(void **state) {
    made = made_random(7, ITEMS);
    whole = made_path();
    made_write(&made, whole);
    return 0;
}

static int tear_down(void **state) {
    made_free(&made);
    made_remove(whole);
    return 0;
}

static struct refs_source *open_good(const char *path) {
    struct refs_source *s;
    char *message = NULL;
    const int error = refs_open(path, REFS_FORMAT_ANY, &s, &message);
    if (error)
        fail_msg("%d: %s", error, message);
    return s;
}

static void hash_of_made(uint8_t hash[16]) {
    struct refs_hash *h = refs_hash_create();
    refs_hash_add(h, made.items, made.count);
    refs_hash_get(h, hash);
    refs_hash_destroy(h);
}

static void check_totals(const struct refs_source *s) {
    struct refs_totals t;
    uint64_t references = 0;
    uint8_t hash[16];
    for (size_t i = 0; i < made.count; i++)
        references += made.items[i].kind == REFS_REFERENCE;
    hash_of_made(hash);
    assert_int_equal(refs_totals(s, &t), 0);
    assert_int_equal(t.references, references);
    assert_int_equal(t.items, made.count);
    assert_int_equal(t.pages, made.page_count);
    assert_int_equal(t.instructions, MADE_INSTRUCTIONS);
    assert_int_equal(t.dropped, MADE_DROPPED);
    assert_int_equal(t.half_count, MADE_HALVES);
    assert_memory_equal(t.halves, made_halves, sizeof made_halves);
    assert_true(t.whole);
    assert_memory_equal(t.hash, hash, 16);
    for (size_t i = 0; made_conditions[i]; i++)
        assert_string_equal(t.conditions[i], made_conditions[i]);
    assert_null(t.conditions[2]);
}

static void test_what_is_written_is_read(void **state) {
    struct refs_source *s = open_good(whole);
    const struct refs_header *h = refs_header(s);
    int error;
    assert_int_equal(refs_source_format(s), REFS_FORMAT_THIMBLE);
    assert_string_equal(h->thimble, made_header.thimble);
    assert_string_equal(h->cpu, made_header.cpu);
    assert_int_equal(h->argument_count, made_header.argument_count);
    for (size_t i = 0; i < h->argument_count; i++)
        assert_string_equal(h->arguments[i], made_header.arguments[i]);
    assert_int_equal(h->seed, 42);
    assert_int_equal(h->reduced_to, 3);
    assert_int_equal(h->page_size, PAGE_SIZE);
    assert_true(h->deterministic);
    check_totals(s); /* known from the beginning */
    for (int reading = 0; reading < 3; reading++) {
        assert_int_equal(made_compare(&made, s, &error), made.count);
        assert_int_equal(error, 0);
        check_totals(s);
        assert_int_equal(refs_pages(s), made.page_count);
        for (uint32_t i = 1; i <= made.objects; i++)
            assert_string_equal(refs_object_name(s, i), made_object_name(i));
        assert_int_equal(refs_rewind(s), 0);
    }
    refs_close(s);
}

static void test_rewinds_in_the_middle(void **state) {
    struct refs_source *s = open_good(whole);
    const struct refs_item *items;
    int error;
    assert_true(refs_next(s, &items) > 0);
    assert_true(refs_next(s, &items) > 0);
    assert_int_equal(refs_rewind(s), 0);
    assert_int_equal(made_compare(&made, s, &error), made.count);
    assert_int_equal(error, 0);
    refs_close(s);
}

/* A pipe has no end to look at before, and cannot be read twice. */
static void test_reads_a_pipe(void **state) {
    char *fifo = made_path(), command[200];
    struct refs_totals t;
    int error;
    unlink(fifo);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    snprintf(command, sizeof command, "cat %s > %s &", whole, fifo);
    assert_int_equal(system(command), 0);
    struct refs_source *s = open_good(fifo);
    assert_int_equal(refs_totals(s, &t), -ENODATA);
    assert_int_equal(made_compare(&made, s, &error), made.count);
    assert_int_equal(error, 0);
    check_totals(s);
    assert_int_equal(refs_rewind(s), -ESPIPE);
    assert_non_null(strstr(refs_message(s), "once"));
    refs_close(s);
    made_remove(fifo);
}

/* Wherever it was cut: items from the first on, as far as blocks are whole, and not called whole. */
static void test_cut_files_give_what_is_there(void **state) {
    char *path = made_path();
    size_t length, last = 0, blocks = 0;
    unsigned char *bytes = made_bytes(whole, &length);
    struct rng rng = (struct rng){1};
    for (size_t i = 0; i <= 300; i++) {
        const size_t cut = i < 300 ? (length * i + rng_below(&rng, length)) / 300 : length - 1;
        struct refs_source *s;
        struct refs_totals t;
        char *message = NULL;
        int error;
        made_put_bytes(path, bytes, cut);
        if (refs_open(path, REFS_FORMAT_THIMBLE, &s, &message)) {
            assert_true(cut < 300); /* in the header */
            assert_non_null(message);
            free(message);
            continue;
        }
        const size_t got = made_compare(&made, s, &error);
        assert_int_equal(error, 0);
        assert_true(got >= last);
        blocks += got > last;
        last = got;
        assert_int_equal(refs_totals(s, &t), 0);
        if (cut < length - 100) /* the end's block is all that may be whole without the closing */
            assert_false(t.whole);
        refs_close(s);
    }
    assert_int_equal(last, made.count);
    assert_in_range(blocks, 4, 12); /* whole blocks only, and there are a few */
    free(bytes);
    made_remove(path);
}

static void test_damage_is_noticed(void **state) {
    char *path = made_path();
    size_t length, noticed = 0;
    unsigned char *bytes = made_bytes(whole, &length);
    struct rng rng = (struct rng){2};
    for (int i = 0; i < 400; i++) {
        const size_t at = rng_below(&rng, i % 2 ? length : min_size(length, 400));
        const unsigned char before = bytes[at];
        struct refs_source *s;
        char *message = NULL;
        int error;
        bytes[at] ^= (unsigned char)(1 << rng_below(&rng, 8));
        made_put_bytes(path, bytes, length);
        bytes[at] = before;
        if (refs_open(path, REFS_FORMAT_ANY, &s, &message)) {
            assert_non_null(message);
            free(message);
            noticed++;
            continue;
        }
        made_compare(&made, s, &error);
        noticed += error != 0;
        if (error)
            assert_non_null(strstr(refs_message(s), path));
        refs_close(s);
    }
    assert_true(noticed > 390); /* a bit of padding may be nobody's */
    free(bytes);
    made_remove(path);
}

static void test_a_full_disk_is_reported_once(void **state) {
    struct refs_writer *w;
    char *message = NULL;
    uint32_t page;
    int reports = 0;
    if (access("/dev/full", W_OK))
        skip();
    int error = refs_writer_create("/dev/full", &made_header, &w, &message);
    assert_int_equal(error, -ENOSPC);
    assert_non_null(strstr(message, "/dev/full"));
    free(message);
    /* … and later on: the soft limit of a file's size. */
    char *path = made_path();
    assert_int_equal(refs_writer_create(path, &made_header, &w, &message), 0);
    assert_int_equal(refs_writer_page(w, &(struct refs_page){.name = 1}, &page), 0);
    struct refs_item item = {.flags = ACCESS_READ};
    struct rng rng = (struct rng){3};
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, limit;
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = 100000;
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 10 * CODEC_ITEMS; i++) {
        item.instruction = rng_next(&rng);
        const int result = refs_writer_add(w, &item, 1);
        reports += result != 0;
        if (result)
            assert_int_equal(result, -EFBIG);
    }
    assert_int_equal(reports, 1);
    assert_int_equal(refs_writer_flush(w), -EFBIG);
    assert_int_equal(refs_writer_finish(w, 0, 0, true, NULL), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &old);
    struct refs_source *s = open_good(path);
    struct refs_totals t;
    const struct refs_item *items;
    while (refs_next(s, &items) > 0)
        ;
    assert_int_equal(refs_totals(s, &t), 0);
    assert_false(t.whole);
    refs_close(s);
    made_remove(path);
}

static void test_the_writer_refuses_nonsense(void **state) {
    static const struct refs_item wrong[] = {
        {.page = 3, .flags = ACCESS_READ}, /* there are three */
        {.page = 1, .flags = ACCESS_READ}, /* 0 did not come yet */
        {.flags = 0},
        {.flags = 8},
        {.kind = REFS_DIES, .flags = POLICY_EVICTED},
        {.kind = REFS_MARK, .flags = 1},
        {.kind = REFS_MARK + 1, .flags = 1},
        {.kind = REFS_CLEANED, .page = 5000000},
    };
    const struct refs_page known = {.flags = REFS_PAGE_KNOWN}, stray = {.object = 1};
    char *path = made_path(), *message = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct refs_writer *w;
        struct refs_totals t;
        uint32_t page;
        assert_int_equal(refs_writer_create(path, &made_header, &w, &message), 0);
        assert_int_equal(refs_writer_page(w, &stray, &page), -EINVAL); /* there is no object */
        for (int k = 0; k < 3; k++)
            assert_int_equal(refs_writer_page(w, &known, &page), 0);
        refs_writer_add(w, &wrong[i], 1);
        assert_int_equal(refs_writer_finish(w, 0, 0, true, NULL), -EINVAL);
        struct refs_source *s = open_good(path);
        const struct refs_item *items;
        if (refs_next(s, &items))
            fail_msg("%s", refs_message(s));
        assert_int_equal(refs_totals(s, &t), 0);
        assert_false(t.whole);
        refs_close(s);
    }
    made_remove(path);
}

/* The writer does not remember who died; the reader does. */
static void test_the_dead_do_not_come_again(void **state) {
    char *path = made_path(), *message = NULL;
    struct refs_writer *w;
    uint32_t page;
    struct refs_page known = {.flags = REFS_PAGE_KNOWN};
    const struct refs_item items[] = {
        {.page = 70, .kind = REFS_DIES, .flags = POLICY_EXITED},
        {.page = 0, .flags = ACCESS_READ},
        {.page = 70, .flags = ACCESS_READ},
    };
    assert_int_equal(refs_writer_create(path, &made_header, &w, &message), 0);
    for (int i = 0; i <= 70; i++) {
        assert_int_equal(refs_writer_page(w, &known, &page), 0);
        const struct refs_item item = {.page = page, .flags = ACCESS_READ};
        assert_int_equal(refs_writer_add(w, &item, 1), 0);
    }
    assert_int_equal(refs_writer_add(w, items, ARRAY_LENGTH(items)), 0);
    assert_int_equal(refs_writer_finish(w, 0, 0, true, NULL), 0);
    struct refs_source *s = open_good(path);
    const struct refs_item *got;
    assert_int_equal(refs_next(s, &got), -EBADMSG);
    assert_non_null(strstr(refs_message(s), "item 74: its page is dead already"));
    refs_close(s);
    made_remove(path);
}

/* Which page, whether it was written, what died: nothing else is in the hash. */
static void test_the_hash_is_of_what_decides_results(void **state) {
    struct refs_item items[] = {
        {.page = 0, .flags = ACCESS_READ},
        {.page = 1, .flags = ACCESS_WRITE},
        {.page = 1, .kind = REFS_DIES, .flags = POLICY_EXITED},
    };
    const size_t count = ARRAY_LENGTH(items);
    uint8_t first[16], other[16];
    struct refs_hash *h = refs_hash_create();
    refs_hash_add(h, items, count);
    refs_hash_get(h, first);
#define ASSERT_HASH(assertion)                                                                               \
    refs_hash_reset(h);                                                                                      \
    refs_hash_add(h, items, count);                                                                          \
    refs_hash_get(h, other);                                                                                 \
    assertion(first, other, 16)
    items[0] = (struct refs_item){.instruction = 9, .space = 3, .flags = ACCESS_EXEC};
    ASSERT_HASH(assert_memory_equal);
    items[0].flags = ACCESS_WRITE;
    ASSERT_HASH(assert_memory_not_equal);
    items[0].flags = ACCESS_READ;
    items[0].page = 2;
    ASSERT_HASH(assert_memory_not_equal);
    items[0].page = 0;
    items[2].flags = POLICY_UNMAPPED;
    ASSERT_HASH(assert_memory_not_equal);
    refs_hash_destroy(h);
}

static void expect_refusal(const char *path, const char *expected) {
    struct refs_source *s;
    char *message = NULL;
    assert_true(refs_open(path, REFS_FORMAT_ANY, &s, &message) < 0);
    if (!strstr(message, expected))
        fail_msg("\"%s\" does not say \"%s\"", message, expected);
    free(message);
}

static void test_refusals_say_why(void **state) {
    char *path = made_path();
    size_t length;
    unsigned char *bytes = made_bytes(whole, &length);
    expect_refusal("/nonexistent/x", "cannot be opened: No such file");
    expect_refusal("/tmp", "Is a directory");
    expect_refusal(path, "the file is empty");
    made_put_bytes(path, "\177ELF\1\2\3\4", 8);
    expect_refusal(path, "in no format of references");
    bytes[24]++;
    made_put_bytes(path, bytes, length);
    expect_refusal(path, "version 3 of the format");
    bytes[24]--;
    bytes[28]++;
    made_put_bytes(path, bytes, length);
    expect_refusal(path, "another order of bytes");
    bytes[28]--;
    bytes[4]++;
    made_put_bytes(path, bytes, length);
    expect_refusal(path, "its first bytes are damaged");
    bytes[4]--;
    free(bytes);
    made_remove(path);
}

/* ---- blocks ---- */

/* Where block `number`, from 1, begins; *ret_head: what its head says. */
static size_t block_at(const unsigned char *bytes, unsigned number, struct native_head *ret_head) {
    size_t at = sizeof(struct native_opening);
    for (memcpy(ret_head, bytes + at, sizeof *ret_head); number > 1; number--) {
        at += sizeof *ret_head + ret_head->packed;
        memcpy(ret_head, bytes + at, sizeof *ret_head);
    }
    return at;
}

static unsigned block_of_kind(const unsigned char *bytes, enum native_kind kind) {
    struct native_head head = {0};
    unsigned number = 0;
    while (head.kind != kind)
        (void)block_at(bytes, ++number, &head);
    return number;
}

/* Reads until something is wrong: how many items came before. */
static size_t read_to_damage(struct refs_source *s) {
    const struct refs_item *items;
    size_t count = 0;
    long got;
    while ((got = refs_next(s, &items)) > 0)
        count += (size_t)got;
    assert_int_equal(got, -EBADMSG);
    return count;
}

static void test_damage_is_told_with_its_place(void **state) {
    char *path = made_path(), expected[200];
    struct native_head head;
    size_t length;
    unsigned char *bytes = made_bytes(whole, &length);
    size_t at = block_at(bytes, 1, &head);
    made_put_bytes(path, bytes, at + sizeof head + 3);
    expect_refusal(path, "is cut in its header");
    bytes[at + offsetof(struct native_head, kind)] = NATIVE_END;
    made_put_bytes(path, bytes, length);
    expect_refusal(path, "block 1 (from item 1 on): it is not the header");
    bytes[at + offsetof(struct native_head, kind)] = NATIVE_HEADER;
    at = block_at(bytes, 3, &head);
    bytes[at + sizeof head + head.packed / 2] ^= 1;
    made_put_bytes(path, bytes, length);
    struct refs_source *s = open_good(path);
    const size_t before = read_to_damage(s);
    assert_true(before > 0);
    snprintf(expected, sizeof expected,
             "%s: block 3 (from item %zu on): its bytes are not those that were written", path, before + 1);
    assert_string_equal(refs_message(s), expected);
    refs_close(s);
    bytes[at]++;
    made_put_bytes(path, bytes, length);
    s = open_good(path);
    assert_int_equal(read_to_damage(s), before);
    assert_non_null(strstr(refs_message(s), "it does not begin as a block does"));
    refs_close(s);
    bytes[at]--;
    bytes[at + sizeof head + head.packed / 2] ^= 1;
    bytes[at + offsetof(struct native_head, kind)] = NATIVE_END + 1;
    made_put_bytes(path, bytes, length);
    s = open_good(path);
    assert_int_equal(read_to_damage(s), before);
    assert_non_null(strstr(refs_message(s), "it is of a kind that there is not"));
    refs_close(s);
    free(bytes);
    made_remove(path);
}

/* The file up to that block, of which no more than the first bytes are left, packed as they ought to be. */
static void put_shortened(const char *path, const unsigned char *bytes, unsigned number, size_t left) {
    struct native_head head;
    const size_t at = block_at(bytes, number, &head);
    unsigned char *content = malloc(head.size), *file = malloc(at + sizeof head + ZSTD_compressBound(left));
    assert_int_equal(ZSTD_decompress(content, head.size, bytes + at + sizeof head, head.packed), head.size);
    head.packed =
        (uint32_t)ZSTD_compress(file + at + sizeof head, ZSTD_compressBound(left), content, left, 1);
    head.size = (uint32_t)left;
    memcpy(file, bytes, at);
    memcpy(file + at, &head, sizeof head);
    made_put_bytes(path, file, at + sizeof head + head.packed);
    free(content);
    free(file);
}

/* A file can be made on purpose: with checksums that are right, and too little behind the numbers. */
static void test_blocks_that_are_too_short_are_wrong(void **state) {
    static const enum native_kind kinds[] = {NATIVE_HEADER, NATIVE_ITEMS, NATIVE_END};
    char *path = made_path();
    size_t length;
    unsigned char *bytes = made_bytes(whole, &length);
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        struct native_head head;
        const unsigned number = block_of_kind(bytes, kinds[i]);
        (void)block_at(bytes, number, &head);
        for (size_t left = 0; left < head.size; left += 1 + head.size / 200) {
            put_shortened(path, bytes, number, left);
            if (kinds[i] == NATIVE_HEADER) {
                expect_refusal(path, "block 1 (from item 1 on): ");
                continue;
            }
            struct refs_source *s = open_good(path);
            assert_int_equal(read_to_damage(s), kinds[i] == NATIVE_END ? made.count : 0);
            refs_close(s);
        }
    }
    free(bytes);
    made_remove(path);
}

/* ---- what is large ---- */

/* A loop takes so little room that the number of items is what makes a block full. */
static void test_long_loops(void **state) {
    enum { LOOP = 1000, COUNT = 5 * NATIVE_ITEMS_MOST + 123 };
    char *path = made_path(), *message = NULL;
    struct refs_writer *w;
    struct refs_totals t;
    const struct refs_item *items;
    uint32_t page;
    assert_int_equal(refs_writer_create(path, &made_header, &w, &message), 0);
    for (uint32_t i = 0; i < LOOP; i++)
        assert_int_equal(refs_writer_page(w, &(struct refs_page){.name = i}, &page), 0);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(
            refs_writer_add(w, &(struct refs_item){.instruction = i, .page = i % LOOP, .flags = ACCESS_READ},
                            1),
            0);
    assert_int_equal(refs_writer_finish(w, COUNT, 0, true, NULL), 0);
    struct refs_source *s = open_good(path);
    uint32_t done = 0;
    for (long got; (got = refs_next(s, &items)) != 0; done += (uint32_t)got) {
        if (got < 0)
            fail_msg("%s", refs_message(s));
        for (uint32_t i = 0; i < got; i++)
            assert_true(items[i].page == (done + i) % LOOP && items[i].instruction == done + i);
    }
    assert_int_equal(done, COUNT);
    assert_int_equal(refs_totals(s, &t), 0);
    assert_true(t.whole && t.references == COUNT);
    refs_close(s);
    made_remove(path);
}

/* Texts as long as they may be, more of them than a block can hold; longer ones are refused, and do no
 * harm. */
static void test_long_texts(void **state) {
    enum { OBJECTS = NATIVE_LIMIT / NATIVE_TEXT + 3 };
    char *path = made_path(), *message = NULL, *text = malloc(NATIVE_TEXT + 1);
    struct refs_writer *w;
    struct refs_totals t;
    const struct refs_item *items;
    uint32_t object;
    memset(text, 'x', NATIVE_TEXT);
    text[NATIVE_TEXT] = '\0';
    assert_int_equal(refs_writer_create(path, &made_header, &w, &message), 0);
    assert_int_equal(refs_writer_object(w, text, &object), -E2BIG);
    assert_int_equal(refs_writer_mark(w, &(struct refs_mark){.text = text}), -E2BIG);
    assert_int_equal(refs_writer_mark(w, &(struct refs_mark){.text = "", .type = REFS_MARK_TYPES}), -EINVAL);
    text[NATIVE_TEXT - 1] = '\0';
    for (uint32_t i = 1; i <= OBJECTS; i++) {
        assert_int_equal(refs_writer_object(w, text, &object), 0);
        assert_int_equal(object, i);
    }
    assert_int_equal(refs_writer_mark(w, &(struct refs_mark){.text = text}), 0);
    assert_int_equal(refs_writer_finish(w, 0, 0, true, NULL), 0);
    struct refs_source *s = open_good(path);
    assert_int_equal(refs_next(s, &items), 1);
    assert_string_equal(refs_mark(s, items->page)->text, text);
    for (uint32_t i = 1; i <= OBJECTS; i++)
        assert_string_equal(refs_object_name(s, i), text);
    assert_int_equal(refs_next(s, &items), 0);
    assert_int_equal(refs_totals(s, &t), 0);
    assert_true(t.whole);
    refs_close(s);
    free(text);
    made_remove(path);
}

/* Pages that come first among the words that are right for sure have come, for the items behind them. */
static void test_words_may_name_new_pages(void **state) {
    char *path = made_path(), *message = NULL;
    struct refs_writer *w;
    const struct refs_item *items;
    uint32_t page;
    size_t room;
    assert_int_equal(refs_writer_create(path, &made_header, &w, &message), 0);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(refs_writer_page(w, &(struct refs_page){.name = i}, &page), 0);
    uint64_t *words = refs_writer_room(w, &room);
    assert_true(room >= 2);
    for (uint64_t i = 0; i < 2; i++)
        words[i] = (1 + i) | 1ULL << 32 | (uint64_t)ACCESS_READ << 56;
    assert_int_equal(refs_writer_filled(w, &(struct refs_item){.flags = ACCESS_READ}, 2, 2), 0);
    assert_int_equal(
        refs_writer_add(w, &(struct refs_item){.instruction = 9, .page = 3, .flags = ACCESS_READ}, 1), 0);
    assert_int_equal(refs_writer_finish(w, 9, 0, true, NULL), 0);
    struct refs_source *s = open_good(path);
    assert_int_equal(refs_next(s, &items), 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(items[i].page == i && items[i].instruction == (i < 3 ? i : 9));
    refs_close(s);
    made_remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_rewinds_in_the_middle),
        cmocka_unit_test(test_reads_a_pipe),
        cmocka_unit_test(test_cut_files_give_what_is_there),
        cmocka_unit_test(test_damage_is_noticed),
        cmocka_unit_test(test_a_full_disk_is_reported_once),
        cmocka_unit_test(test_the_writer_refuses_nonsense),
        cmocka_unit_test(test_the_dead_do_not_come_again),
        cmocka_unit_test(test_the_hash_is_of_what_decides_results),
        cmocka_unit_test(test_refusals_say_why),
        cmocka_unit_test(test_damage_is_told_with_its_place),
        cmocka_unit_test(test_blocks_that_are_too_short_are_wrong),
        cmocka_unit_test(test_long_loops),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_words_may_name_new_pages),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
