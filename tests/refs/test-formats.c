/* The other formats: what each means, that it comes back as it went, and that whatever is wrong is told with
 * its line or record. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/rng.h"
#include "hw/types.h"
#include "made.h"
#include "policy/policy.h"
#include "refs/export.h"
#include "refs/oracle.h"

enum { R = ACCESS_READ, W = ACCESS_WRITE, X = ACCESS_EXEC };

/* A temporary file of these bytes. */
static char *file_of(const void *bytes, size_t length) {
    char *path = made_path();
    made_put_bytes(path, bytes, length);
    return path;
}

static struct refs_source *open_as(const char *path, enum refs_format format) {
    struct refs_source *s;
    char *message = NULL;
    if (refs_open(path, format, &s, &message))
        fail_msg("%s", message);
    return s;
}

/* All items; the caller frees them. */
static struct refs_item *read_all(struct refs_source *s, size_t *ret_count) {
    struct refs_item *all = NULL;
    const struct refs_item *items;
    size_t count = 0;
    long got;
    while ((got = refs_next(s, &items)) > 0) {
        all = reallocarray(all, count + (size_t)got, sizeof *all);
        memcpy(all + count, items, (size_t)got * sizeof *all);
        count += (size_t)got;
    }
    if (got < 0)
        fail_msg("%s", refs_message(s));
    *ret_count = count;
    return all;
}

struct expected {
    uint64_t name; /* of the page */
    uint8_t flags;
    uint16_t space;
    uint64_t instruction;
};

/* The text is recognised, and says this; twice. */
static void expect_text(const char *text, enum refs_format format, const struct expected *expected,
                        size_t count) {
    char *path = file_of(text, strlen(text));
    struct refs_source *s = open_as(path, REFS_FORMAT_ANY);
    assert_string_equal(refs_format_name(refs_source_format(s)), refs_format_name(format));
    for (int reading = 0; reading < 2; reading++) {
        size_t got;
        struct refs_item *items = read_all(s, &got);
        struct refs_totals t;
        assert_int_equal(got, count);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(items[i].kind, REFS_REFERENCE);
            assert_int_equal(refs_page(s, items[i].page)->name, expected[i].name);
            assert_int_equal(items[i].flags, expected[i].flags);
            assert_int_equal(items[i].space, expected[i].space);
            assert_int_equal(items[i].instruction, expected[i].instruction);
        }
        assert_int_equal(refs_totals(s, &t), 0);
        assert_int_equal(t.references, count);
        assert_true(t.whole);
        free(items);
        assert_int_equal(refs_rewind(s), 0);
    }
    refs_close(s);
    made_remove(path);
}
#define EXPECT_TEXT(text, format, ...)                                                                       \
    do {                                                                                                     \
        const struct expected list[] = {__VA_ARGS__};                                                        \
        expect_text(text, format, list, ARRAY_LENGTH(list));                                                 \
    } while (0)

/* What a file that is wrong gives: a message that has this in it, and an error at the opening or later. */
static void expect_wrong(const void *bytes, size_t length, enum refs_format format, const char *expected) {
    char *path = file_of(bytes, length), *message = NULL;
    struct refs_source *s;
    const struct refs_item *items;
    if (refs_open(path, format, &s, &message) == 0) {
        long got;
        while ((got = refs_next(s, &items)) > 0)
            ;
        if (!got)
            fail_msg("nothing was found wrong, not even: %s", expected);
        message = strdup(refs_message(s));
        assert_int_equal(refs_next(s, &items), got); /* and it stays so */
        refs_close(s);
    }
    if (!strstr(message, expected))
        fail_msg("\"%s\" does not say \"%s\"", message, expected);
    assert_non_null(strstr(message, path));
    free(message);
    made_remove(path);
}
static void expect_wrong_text(const char *text, enum refs_format format, const char *expected) {
    expect_wrong(text, strlen(text), format, expected);
}

/* ---- CSV ---- */

static void test_csv(void **state) {
    EXPECT_TEXT("page,kind,space\n5,r,0\n0x10,w,1\r\n5,x,1\n5,x\n\n18446744073709551615,r,65535",
                REFS_FORMAT_CSV, {5, R, 0, 0}, {16, W, 1, 1}, {5, X, 1, 2}, {5, X, 0, 3},
                {UINT64_MAX, R, 65535, 4});
    EXPECT_TEXT("\r\n\npage,kind\r\n7,r\r\n\r\n8,w\r\n", REFS_FORMAT_CSV, {7, R, 0, 0}, {8, W, 0, 1});
    /* one line, one reference, even if it is the same page again */
    EXPECT_TEXT("page,kind\n7,r\n7,r\n7,w\n", REFS_FORMAT_CSV, {7, R, 0, 0}, {7, R, 0, 1}, {7, W, 0, 2});
}

static void test_csv_spaces_are_of_the_page(void **state) {
    char *path = file_of("page,kind,space\n1,r,0\n1,r,1\n1,r\n", 35 - 3);
    struct refs_source *s = open_as(path, REFS_FORMAT_ANY);
    size_t count;
    struct refs_item *items = read_all(s, &count);
    assert_int_equal(count, 3);
    assert_int_equal(refs_pages(s), 2);
    assert_int_equal(items[0].page, items[2].page);
    free(items);
    refs_close(s);
    made_remove(path);
}

static void test_csv_wrong(void **state) {
    expect_wrong_text("page,kind\n1,r\n2,q\n", REFS_FORMAT_ANY, "line 3: \"2,q\": the kind is r, w or x");
    expect_wrong_text("page,kind\n1,rw\n", REFS_FORMAT_ANY, "line 2: \"1,rw\": the kind");
    expect_wrong_text("page,kind\n1,r\n2\n", REFS_FORMAT_ANY,
                      "line 3: \"2\" does not begin with a page number");
    expect_wrong_text("page,kind\n1,r\n2,", REFS_FORMAT_ANY, "line 3: \"2,\": the kind");
    expect_wrong_text("page,kind\n-1,r\n", REFS_FORMAT_ANY, "line 2");
    expect_wrong_text("page,kind\n18446744073709551616,r\n", REFS_FORMAT_ANY, "line 2");
    expect_wrong_text("page,kind\n0x,r\n", REFS_FORMAT_ANY, "line 2");
    expect_wrong_text("page,kind\n1,r,65536\n", REFS_FORMAT_ANY, "line 2: \"1,r,65536\": the space");
    expect_wrong_text("page,kind\n1,r,1,\n", REFS_FORMAT_ANY, "the space");
    expect_wrong_text("page,kind\n\x1b[2J\n", REFS_FORMAT_ANY, "line 2: \"?[2J\"");
    expect_wrong_text("1,r\n", REFS_FORMAT_CSV, "line 1: \"1,r\" is not the header");
}

/* ---- lackey ---- */

static void test_lackey(void **state) {
    EXPECT_TEXT("==12== Lackey, an example Valgrind tool\n"
                "I  04001000,3\n"
                " L 04001ff0,8\n" /* the page that executes: one run */
                "I  04001003,5\n"
                " S 1ffeffeffc,8\n" /* crosses: two pages */
                "I  04001008,2\n"
                " M 0421c7cc,4\n"
                " L 0421c000,1\n"
                "--12-- a remark\n"
                "SB 04001000\n"
                "I  0400100a,1\n",
                REFS_FORMAT_LACKEY, {0x4001, X, 0, 0}, {0x1ffeffe, W, 0, 2}, {0x1ffefff, W, 0, 2},
                {0x4001, X, 0, 2}, {0x421c, W, 0, 3}, {0x4001, X, 0, 3});
}

static void test_lackey_wrong(void **state) {
    expect_wrong_text("I  04001000,3\nhello\n", REFS_FORMAT_ANY, "line 2: \"hello\" is no access");
    expect_wrong_text("I  04001000,3\n L 10,0\n", REFS_FORMAT_ANY, "line 2: no access is of 0 bytes at 0x10");
    expect_wrong_text("I  04001000,3\n L 10,99999999\n", REFS_FORMAT_ANY, "line 2: no access is of 99999999");
    expect_wrong_text("I  04001000,3\n L ffffffffffffffff,8\n", REFS_FORMAT_ANY, "line 2: no access is of 8");
    expect_wrong_text("I  04001000,3\n L 1ffeffeffc,8", REFS_FORMAT_ANY, "line 2: is cut");
    expect_wrong_text("I  04001000,3\n L 1fx,8\n", REFS_FORMAT_ANY, "line 2");
    expect_wrong_text("I  04001000,3\n L 12345678123456781,8\n", REFS_FORMAT_ANY, "line 2");
}

/* ---- perf script ---- */

static void test_perf(void **state) {
    EXPECT_TEXT(
        "# a header\n"
        "    a b  1658 37336.549151: page-faults:     7fff79be8f29 ffffffff81bb8018\n"
        "l 7 s 1658/1660 [003] 37336.5: 1 cpu/mem-stores/P:  7fff79be8f29 55d0c0001000 [unknown] (/bin/ls)\n"
        "sh  99 cpu/mem-loads,ldlat=30/P: 7fff79be9000 5c1000842 |OP LOAD|LVL L1 hit| 5 55d0c0001000\n"
        "sh  99 mem: 1000 42 |OP STORE|LVL L1 hit|\n"
        "sh  99 page-faults: 2000\n"
        "\t 55d0c0001000 main+0x5 (/bin/sh)\n"
        "\n"
        "sh  99 instructions: 0 55d0c0001000\n",
        REFS_FORMAT_PERF_SCRIPT, {0x7fff79be8, R, 0, 0}, {0x55d0c0001, X, 0, 1}, {0x7fff79be8, W, 0, 2},
        {0x7fff79be9, R, 1, 3}, {1, W, 1, 4}, {2, R, 1, 5}, {0x55d0c0001, X, 1, 6});
    /* which number is the process, and which token the event */
    EXPECT_TEXT("sh  99 1 mem-loads: 1000\n"
                "7  98 mem-loads: 1000\n"
                "l 7-8  97 mem-loads: 1000\n"
                "sh  99 : mem-loads: 1000\n"
                "x  98 mem-loads: 1000\n"
                "sh  97 1 mem-stores: 1000 42 |OP N/A|LVL L1 hit|\n"
                "l 7 s  98 [003] mem-loads: 1000\n",
                REFS_FORMAT_PERF_SCRIPT, {1, R, 0, 0}, {1, R, 1, 1}, {1, R, 2, 2}, {1, R, 0, 3}, {1, R, 1, 4},
                {1, W, 2, 5}, {1, R, 1, 6});
    char *path = file_of("sh  99 mem-loads: 1000\n", 23);
    struct refs_source *s = open_as(path, REFS_FORMAT_ANY);
    struct refs_totals t;
    size_t count;
    free(read_all(s, &count));
    assert_int_equal(refs_totals(s, &t), 0);
    assert_string_equal(t.conditions[0], "sampled by perf");
    refs_close(s);
    made_remove(path);
}

static void test_perf_wrong(void **state) {
    static const char good[] = "sh 99 mem-loads: 1000\n";
    const struct {
        const char *line, *expected;
    } wrong[] = {
        {"sh 99 1.5: 1 cycles:  ffffffff8177539a elf_load+0x28a (k)\n",
         "there is one address, and it is the"},
        {"sh 99 1.5: 1000\n", "there is no event"},
        {"sh mem-loads:\n", "there is no process"},
        {"sh 99 mem-loads:\n", "there is no address"},
        {"sh 99 mem-loads: zz\n", "there is no address"},
        {"sh 99 mem-loads: 10", "is cut"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        char text[200];
        snprintf(text, sizeof text, "%s%s", good, wrong[i].line);
        expect_wrong_text(text, REFS_FORMAT_ANY, wrong[i].expected);
        expect_wrong_text(text, REFS_FORMAT_ANY, "line 2: ");
    }
}

/* Remarks alone are no samples. */
static void test_remarks_are_in_no_format(void **state) {
    expect_wrong_text("# captured on a day\n\n", REFS_FORMAT_ANY, "in no format of references");
}

static void test_perf_with_too_many_processes(void **state) {
    enum { LINE = 40, MOST = UINT16_MAX + 1 };
    char *text = malloc((MOST + 1) * LINE);
    size_t length = 0;
    for (uint32_t i = 0; i <= MOST; i++)
        length += (size_t)snprintf(text + length, LINE, "sh %u mem-loads: 1000\n", 1 + i);
    expect_wrong(text, length, REFS_FORMAT_ANY, "line 65537: more than 65536 processes");
    free(text);
}

/* ---- OSTEP ---- */

static void test_ostep(void **state) {
    EXPECT_TEXT("1\n2\n3\n1\n", REFS_FORMAT_OSTEP, {1, R, 0, 0}, {2, R, 0, 1}, {3, R, 0, 2}, {1, R, 0, 3});
    EXPECT_TEXT("1, 2,0x3 1,1", REFS_FORMAT_OSTEP, {1, R, 0, 0}, {2, R, 0, 1}, {3, R, 0, 2}, {1, R, 0, 3},
                {1, R, 0, 4});
    EXPECT_TEXT("1\t2\r\n# 9\n3\r\n", REFS_FORMAT_OSTEP, {1, R, 0, 0}, {2, R, 0, 1}, {3, R, 0, 2});
}

static void test_ostep_wrong(void **state) {
    expect_wrong_text("1\n2\n-1\n", REFS_FORMAT_ANY, "line 3: \"-1\" is no page number");
    expect_wrong_text("1\n2,3x\n", REFS_FORMAT_ANY, "line 2: \"3x\" is no page number");
    expect_wrong_text("1\n99999999999999999999\n", REFS_FORMAT_ANY, "line 2");
    expect_wrong_text("1\n2 #3\n", REFS_FORMAT_ANY, "line 2: \"#3\" is no page number");
    expect_wrong_text(" , ,\n", REFS_FORMAT_ANY, "format");
}

/* ---- oracleGeneral ---- */

static void put_record(uint8_t *to, uint32_t time, uint64_t object, int64_t next) {
    oracle_put(to, &(struct oracle_record){.object = object, .next = next, .time = time, .size = 4096});
}

static void test_oracle(void **state) {
    uint8_t bytes[4 * ORACLE_RECORD], packed[500];
    for (int base = 0; base < 2; base++) { /* numbers of records from 1, and from 0 */
        put_record(bytes, 0, 1ULL << 63, 4 - base);
        put_record(bytes + 24, 0, 0, 3 - base);
        put_record(bytes + 48, 1, 0, -1);
        put_record(bytes + 72, 9, 1ULL << 63, INT64_MAX);
        char *raw = file_of(bytes, sizeof bytes);
        const size_t length = ZSTD_compress(packed, sizeof packed, bytes, sizeof bytes, 3);
        char *zst = file_of(packed, length);
        for (int i = 0; i < 2; i++) {
            static const uint32_t pages[] = {0, 1, 1, 0};
            struct refs_source *s = open_as(i ? raw : zst, REFS_FORMAT_ANY);
            size_t count;
            struct refs_item *items = read_all(s, &count);
            assert_int_equal(refs_source_format(s), REFS_FORMAT_ORACLE_GENERAL);
            assert_int_equal(count, 4);
            for (size_t k = 0; k < count; k++)
                assert_true(items[k].page == pages[k] && items[k].flags == R && items[k].instruction == k);
            assert_true(refs_page(s, 0)->name == 1ULL << 63);
            free(items);
            refs_close(s);
        }
        made_remove(raw);
        made_remove(zst);
    }
}

static void test_oracle_wrong(void **state) {
    uint8_t bytes[4 * ORACLE_RECORD], packed[500];
    put_record(bytes, 0, 10, 3);
    put_record(bytes + 24, 0, 11, 4);
    put_record(bytes + 48, 1, 10, -1);
    put_record(bytes + 72, 9, 11, -1);
    expect_wrong(bytes, 80, REFS_FORMAT_ANY, "record 4: is cut: 8 of 24 bytes");
    expect_wrong(bytes, 72, REFS_FORMAT_ANY,
                 "record 3: is the last, and an object was said to come in record 4");
    put_record(bytes + 48, 1, 11, -1);
    expect_wrong(bytes, sizeof bytes, REFS_FORMAT_ANY,
                 "record 3: object 11 is here, and its last record says that it comes next in record 4");
    put_record(bytes + 48, 1, 10, 2);
    expect_wrong(bytes, sizeof bytes, REFS_FORMAT_ORACLE_GENERAL,
                 "record 3: object 10 is said to come next in record 2, which was before");
    put_record(bytes + 48, 1, 10, -1);
    put_record(bytes + 24, 0, 11, 3); /* counted from 0, and the others from 1 */
    expect_wrong(bytes, sizeof bytes, REFS_FORMAT_ANY,
                 "record 4: object 11 is here, and its last record says that it comes next in record 3");
    put_record(bytes + 24, 0, 11, 4);
    size_t length = ZSTD_compress(packed, sizeof packed, bytes, sizeof bytes, 3);
    expect_wrong(packed, length - 1, REFS_FORMAT_ANY, "the compressed file is cut");
    packed[0] ^= 1; /* no zstd any more */
    expect_wrong(packed, length, REFS_FORMAT_ANY, "in no format");
}

static void test_cut_where_packed(void **state) {
    enum { RECORDS = 1000 };
    uint8_t bytes[RECORDS * ORACLE_RECORD], packed[sizeof bytes + 1000], line[] = "page,kind\n1,r\n";
    for (unsigned i = 0; i < RECORDS; i++)
        put_record(bytes + i * ORACLE_RECORD, i, i, -1);
    size_t length = ZSTD_compress(packed, sizeof packed, bytes, sizeof bytes, 3);
    length += ZSTD_compress(packed + length, sizeof packed - length, bytes, sizeof bytes, 3);
    expect_wrong(packed, length - 1, REFS_FORMAT_ANY, "record 1001: the compressed file is cut here");
    memset(bytes, '\n', sizeof bytes);
    memcpy(bytes, line, sizeof line - 1);
    length = ZSTD_compress(packed, sizeof packed, bytes, sizeof bytes, 3);
    length += ZSTD_compress(packed + length, sizeof packed - length, "2,r\n3,r\n", 8, 3);
    expect_wrong(packed, length - 1, REFS_FORMAT_ANY, "line 23991: the compressed file is cut here");
}

/* ---- there and back ---- */

static void hash_of(const char *path, enum refs_format format, uint8_t ret_hash[16]) {
    struct refs_source *s = open_as(path, format);
    struct refs_totals t;
    size_t count;
    free(read_all(s, &count));
    assert_int_equal(refs_totals(s, &t), 0);
    memcpy(ret_hash, t.hash, 16);
    refs_close(s);
}

static void export_to(const char *from, const char *to, enum refs_format format,
                      struct refs_exported *exported) {
    struct refs_source *s = open_as(from, REFS_FORMAT_ANY);
    char *message = NULL;
    if (refs_export(s, to, format, exported, &message))
        fail_msg("%s", message);
    assert_true(exported->whole);
    refs_close(s);
}

static void remove_with_side(char *path) {
    char side[100];
    snprintf(side, sizeof side, "%s" ORACLE_SIDE, path);
    unlink(side);
    made_remove(path);
}

/* Everything comes back through oracleGeneral and its side file. */
static void test_oracle_and_its_side_hold_everything(void **state) {
    struct made made = made_random(11, 40000);
    char *native = made_path(), *oracle = made_path(), *back = made_path();
    struct refs_exported exported;
    size_t length, again;
    made_write(&made, native);
    export_to(native, oracle, REFS_FORMAT_ORACLE_GENERAL, &exported);
    assert_false(exported.renamed);
    export_to(oracle, back, REFS_FORMAT_THIMBLE, &exported);
    unsigned char *bytes = made_bytes(native, &length), *copy = made_bytes(back, &again);
    struct refs_source *s = open_as(back, REFS_FORMAT_ANY);
    int error;
    assert_int_equal(made_compare(&made, s, &error), made.count);
    refs_close(s);
    s = open_as(oracle, REFS_FORMAT_ANY);
    assert_int_equal(refs_source_format(s), REFS_FORMAT_ORACLE_GENERAL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(made_compare(&made, s, &error), made.count);
        assert_int_equal(error, 0);
        assert_int_equal(refs_rewind(s), 0);
    }
    refs_close(s);
    free(bytes);
    free(copy);
    made_free(&made);
    remove_with_side(oracle);
    made_remove(native);
    made_remove(back);
}

/* The records say when each object comes next: by brute force. */
static void test_oracle_knows_the_future(void **state) {
    struct made made = made_random(12, 70000); /* more than a piece of the temporary file */
    char *native = made_path(), *oracle = made_path();
    struct refs_exported exported;
    size_t length, record = 0;
    uint64_t *next = calloc(made.page_count, sizeof *next);
    made_write(&made, native);
    export_to(native, oracle, REFS_FORMAT_ORACLE_GENERAL, &exported);
    unsigned char *bytes = made_bytes(oracle, &length);
    assert_int_equal(length, exported.references * ORACLE_RECORD);
    for (size_t i = 0; i < made.count; i++) {
        if (made.items[i].kind != REFS_REFERENCE)
            continue;
        const struct oracle_record r = oracle_get(bytes + record++ * ORACLE_RECORD);
        uint64_t *said = &next[made.items[i].page];
        assert_true(r.object == made.pages[made.items[i].page].name);
        assert_true(!*said || *said == record);
        assert_true(r.next == -1 || (r.next > (int64_t)record && r.next <= (int64_t)exported.references));
        *said = r.next == -1 ? UINT64_MAX : (uint64_t)r.next;
    }
    for (uint32_t i = 0; i < made.page_count; i++)
        assert_true(!next[i] || next[i] == UINT64_MAX);
    free(next);
    free(bytes);
    made_free(&made);
    remove_with_side(oracle);
    made_remove(native);
}

/* What is no list of records is not taken for one; and what a record says of the next counts from 0 or from
 * 1, not from anywhere. */
static void test_oracle_is_recognised_by_sense(void **state) {
    uint8_t records[5 * ORACLE_RECORD];
    put_record(records, 2, 1, -1);
    put_record(records + ORACLE_RECORD, 1, 2, -1);
    expect_wrong(records, 2 * ORACLE_RECORD, REFS_FORMAT_ANY, "format"); /* time goes back */
    put_record(records, 1, 1, 1LL << 48);
    expect_wrong(records, ORACLE_RECORD, REFS_FORMAT_ANY, "format");
    put_record(records, 1, 1, 3);
    for (uint64_t i = 1; i < 5; i++)
        put_record(records + i * ORACLE_RECORD, 1, i == 4 ? 1 : 10 + i, -1);
    expect_wrong(records, sizeof records, REFS_FORMAT_ANY, "record 5: object 1 is here");
    for (uint64_t i = 0; i < 5; i++)
        put_record(records + i * ORACLE_RECORD, 1, i % 2, 0); /* not said */
    char *path = file_of(records, sizeof records);
    struct refs_source *s = open_as(path, REFS_FORMAT_ANY);
    size_t count;
    free(read_all(s, &count));
    assert_int_equal(count, 5);
    refs_close(s);
    made_remove(path);
}

/* A side file whose records are changed: the last is of a page that had another object, or says that it is
 * not the last. */
static void test_records_must_be_those_of_the_side(void **state) {
    enum { REFERENCES = 40 };
    char *oracle = made_path();
    uint8_t records[REFERENCES * ORACLE_RECORD];
    struct refs_writer *w;
    char *message = NULL, side[100];
    uint32_t number;
    snprintf(side, sizeof side, "%s" ORACLE_SIDE, oracle);
    assert_int_equal(refs_writer_create(side, &made_header, &w, &message), 0);
    for (uint32_t i = 0; i < REFERENCES; i++) {
        const struct refs_item item = {.instruction = i, .page = i % 4, .flags = R};
        if (i < 4)
            assert_int_equal(refs_writer_page(w, &(struct refs_page){.name = i}, &number), 0);
        assert_int_equal(refs_writer_add(w, &item, 1), 0);
        put_record(records + i * ORACLE_RECORD, i, i % 4, -1);
    }
    assert_int_equal(refs_writer_finish(w, REFERENCES, 0, true, NULL), 0);
    made_put_bytes(oracle, records, sizeof records);
    struct refs_source *s = open_as(oracle, REFS_FORMAT_ANY);
    size_t count;
    free(read_all(s, &count));
    assert_int_equal(count, REFERENCES);
    refs_close(s);
    static const struct oracle_record wrong[] = {
        {.time = REFERENCES, .object = 99, .next = -1, .size = 4096},
        {.time = REFERENCES, .object = (REFERENCES - 1) % 4, .next = REFERENCES + 9, .size = 4096},
    };
    static const char *const expected[] = {"object 99 is here, and the side file has another page",
                                           "was said to come in record 49"};
    for (int i = 0; i < 2; i++) {
        const struct refs_item *items;
        long got;
        oracle_put(records + (REFERENCES - 1) * ORACLE_RECORD, &wrong[i]);
        made_put_bytes(oracle, records, sizeof records);
        s = open_as(oracle, REFS_FORMAT_ANY);
        while ((got = refs_next(s, &items)) > 0)
            ;
        assert_int_equal(got, -EBADMSG);
        assert_non_null(strstr(refs_message(s), expected[i]));
        refs_close(s);
    }
    remove_with_side(oracle);
}

/* A side file of another string, or of a longer or shorter one. */
static void test_a_side_file_must_belong(void **state) {
    struct made made = made_random(13, 3000);
    char *native = made_path(), *oracle = made_path(), side[100], *other = made_path();
    struct refs_exported exported;
    size_t length;
    made_write(&made, native);
    export_to(native, oracle, REFS_FORMAT_ORACLE_GENERAL, &exported);
    snprintf(side, sizeof side, "%s" ORACLE_SIDE, oracle);
    unsigned char *bytes = made_bytes(oracle, &length);
    for (int i = 0; i < 3; i++) {
        struct made wrong = made_random(i == 2 ? 14 : 13, i == 0 ? 2900 : i == 1 ? 3100 : 3000);
        made_write(&wrong, side);
        struct refs_source *s = open_as(oracle, REFS_FORMAT_ANY);
        const struct refs_item *items;
        long got;
        while ((got = refs_next(s, &items)) > 0)
            ;
        assert_int_equal(got, -EBADMSG);
        assert_non_null(strstr(refs_message(s), "record "));
        assert_non_null(strstr(refs_message(s), "belong together"));
        refs_close(s);
        made_free(&wrong);
    }
    free(bytes);
    made_free(&made);
    remove_with_side(oracle);
    made_remove(native);
    made_remove(other);
}

/* A side file that is damaged in its middle: nothing ends early without a word. */
static void test_a_damaged_side_file_is_named(void **state) {
    struct made made = made_random(13, 100000);
    char *native = made_path(), *oracle = made_path(), side[100];
    struct refs_exported exported;
    const struct refs_item *items;
    size_t length;
    long got;
    made_write(&made, native);
    export_to(native, oracle, REFS_FORMAT_ORACLE_GENERAL, &exported);
    snprintf(side, sizeof side, "%s" ORACLE_SIDE, oracle);
    unsigned char *bytes = made_bytes(side, &length);
    bytes[length / 2] ^= 1;
    made_put_bytes(side, bytes, length);
    struct refs_source *s = open_as(oracle, REFS_FORMAT_ANY);
    while ((got = refs_next(s, &items)) > 0)
        ;
    assert_int_equal(got, -EBADMSG);
    assert_non_null(strstr(refs_message(s), "its side file: "));
    assert_non_null(strstr(refs_message(s), "its bytes are not those that were written"));
    refs_close(s);
    free(bytes);
    made_free(&made);
    remove_with_side(oracle);
    made_remove(native);
}

/* References alone, no page twice in a row: what every format can hold. */
static void write_plain(const char *path, bool spaces) {
    struct refs_writer *w;
    struct rng rng = {5};
    char *message = NULL;
    uint32_t pages = 0, last = UINT32_MAX, page, number;
    assert_int_equal(refs_writer_create(path, &made_header, &w, &message), 0);
    for (uint64_t i = 0; i < 60000; i++) {
        page = (uint32_t)rng_below(&rng, min_u32(pages + 1, 500));
        page = page == last ? (page + 1) % (pages + 1) : page;
        if (page == last)
            continue;
        if (page == pages) {
            const struct refs_page known = {.name = 1000 + page, .space = (uint16_t)(spaces ? page % 3 : 0)};
            assert_int_equal(refs_writer_page(w, &known, &number), 0);
            pages++;
        }
        const struct refs_item item = {.instruction = i * 3,
                                       .page = page,
                                       .space = (uint16_t)(spaces ? page % 3 : 0),
                                       .flags = (uint8_t[]){R, W, X, W | X}[rng_below(&rng, 4)]};
        assert_int_equal(refs_writer_add(w, &item, 1), 0);
        last = page;
    }
    assert_int_equal(refs_writer_finish(w, 180000, 0, true, NULL), 0);
}

static void test_there_and_back(void **state) {
    char *native = made_path(), *other = made_path(), *back = made_path();
    for (enum refs_format f = REFS_FORMAT_THIMBLE; f < REFS_FORMATS; f++) {
        uint8_t first[16], there[16], again[16];
        struct refs_exported exported;
        write_plain(native, f != REFS_FORMAT_LACKEY && f != REFS_FORMAT_OSTEP);
        hash_of(native, REFS_FORMAT_ANY, first);
        export_to(native, other, f, &exported);
        assert_int_equal(exported.lost, 0);
        assert_false(exported.renamed);
        hash_of(other, REFS_FORMAT_ANY, there);
        export_to(other, back, REFS_FORMAT_THIMBLE, &exported);
        hash_of(back, REFS_FORMAT_THIMBLE, again);
        assert_memory_equal(there, again, 16);
        if (f == REFS_FORMAT_OSTEP) /* which does not say what is written */
            assert_memory_not_equal(first, there, 16);
        else
            assert_memory_equal(first, there, 16);
    }
    remove_with_side(other);
    made_remove(native);
    made_remove(back);
}

/* Read in part, and then from the beginning again. */
static void test_a_reading_can_be_broken_off(void **state) {
    char *native = made_path(), *other = made_path();
    struct refs_exported exported;
    write_plain(native, false);
    for (enum refs_format f = REFS_FORMAT_THIMBLE; f < REFS_FORMATS; f++) {
        const struct refs_item *items;
        size_t whole, again;
        export_to(native, other, f, &exported);
        if (f == REFS_FORMAT_ORACLE_GENERAL) {
            char side[100];
            snprintf(side, sizeof side, "%s" ORACLE_SIDE, other);
            assert_int_equal(unlink(side), 0);
        }
        struct refs_source *s = open_as(other, f);
        free(read_all(s, &whole));
        assert_int_equal(refs_rewind(s), 0);
        assert_in_range(refs_next(s, &items), 1, whole - 1);
        assert_int_equal(refs_rewind(s), 0);
        free(read_all(s, &again));
        assert_int_equal(again, whole);
        refs_close(s);
    }
    made_remove(native);
    made_remove(other);
}

/* What a format cannot hold is counted. */
static void test_losses_are_counted(void **state) {
    struct made made = made_random(15, 5000);
    char *native = made_path(), *csv = made_path();
    struct refs_exported exported;
    uint64_t lost = 0;
    for (size_t i = 0; i < made.count; i++)
        lost += made.items[i].kind != REFS_REFERENCE;
    made_write(&made, native);
    export_to(native, csv, REFS_FORMAT_CSV, &exported);
    assert_int_equal(exported.lost, lost);
    assert_int_equal(exported.references, made.count - lost);
    export_to(native, csv, REFS_FORMAT_LACKEY, &exported);
    assert_true(exported.renamed); /* names of 64 bits are no page numbers */
    made_free(&made);
    made_remove(native);
    made_remove(csv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_spaces_are_of_the_page),
        cmocka_unit_test(test_csv_wrong),
        cmocka_unit_test(test_lackey),
        cmocka_unit_test(test_lackey_wrong),
        cmocka_unit_test(test_perf),
        cmocka_unit_test(test_perf_wrong),
        cmocka_unit_test(test_remarks_are_in_no_format),
        cmocka_unit_test(test_perf_with_too_many_processes),
        cmocka_unit_test(test_ostep),
        cmocka_unit_test(test_ostep_wrong),
        cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_oracle_wrong),
        cmocka_unit_test(test_cut_where_packed),
        cmocka_unit_test(test_oracle_and_its_side_hold_everything),
        cmocka_unit_test(test_oracle_knows_the_future),
        cmocka_unit_test(test_oracle_is_recognised_by_sense),
        cmocka_unit_test(test_records_must_be_those_of_the_side),
        cmocka_unit_test(test_a_side_file_must_belong),
        cmocka_unit_test(test_a_damaged_side_file_is_named),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_a_reading_can_be_broken_off),
        cmocka_unit_test(test_losses_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
