/* Reads libCacheSim's oracleGeneral (oracle.h), raw or packed by zstd. A record is a reference.
 *
 * Beside FILE there may be FILE.side, a native file of the same string: then the items are those of the side
 * file, and each record must be about the page that the side file says, so that two files that do not belong
 * together are an error. Without it every reference is a read.
 *
 * What a record says about the next one of its object must come true, if it says so (it does not with -1, 0
 * and the largest number): a file that is cut or made of something else is found out. Some producers count
 * records from 0: both are right, but not mixed. */
#include "refs/oracle.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/base.h"
#include "hw/types.h"
#include "refs/names.h"
#include "refs/source.h"

enum { TOGETHER = 64 }; /* records whose pages are looked up at once */

struct oracle {
    uint64_t record; /* read, of this reading */
    struct names names;
    uint64_t *expected; /* by page: the number of its next record; 0: not said */
    size_t expected_count;
    int64_t base; /* numbers of records are too small by this; -1: not known yet */
    /* With a side file: */
    struct refs_source *side;
    struct map numbers; /* object → page of the side's */
    uint64_t *seen;     /* bitmap: pages that have an object */
    size_t seen_words;
};

__attribute__((format(printf, 2, 3))) static int oracle_fail(struct refs_source *s, const char *format, ...) {
    const struct oracle *o = s->state;
    va_list arguments;
    va_start(arguments, format);
    const int error = source_vfail(s, "record", o->record, format, arguments);
    va_end(arguments);
    return error;
}

/* ---- what a record says about the next ---- */

static bool is_said(int64_t next) {
    return next > 0 && next != INT64_MAX;
}

static int expected_grow(struct oracle *o, uint32_t page) {
    const size_t before = o->expected_count;
    if (array_reserve_big(&o->expected, &o->expected_count, before, page + 1ULL, sizeof *o->expected))
        return -ENOMEM;
    memset(o->expected + before, 0, (o->expected_count - before) * sizeof *o->expected);
    return 0;
}

/* Whether the record is where an earlier one said it would be. */
static int check_expected(struct refs_source *s, const struct oracle_record *r, uint32_t page) {
    struct oracle *o = s->state;
    if (page >= o->expected_count && expected_grow(o, page))
        return source_fail(s, -ENOMEM, "out of memory");
    const uint64_t expected = o->expected[page];
    if (expected && o->base < 0 && expected + 1 >= o->record)
        o->base = (int64_t)(o->record - expected);
    if (expected && (o->base < 0 || expected + (uint64_t)o->base != o->record))
        return oracle_fail(s,
                           "object %llu is here, and its last record says that it comes next in record %llu",
                           (unsigned long long)r->object, (unsigned long long)expected);
    if (is_said(r->next) && (uint64_t)r->next < o->record)
        return oracle_fail(s, "object %llu is said to come next in record %lld, which was before",
                           (unsigned long long)r->object, (long long)r->next);
    o->expected[page] = is_said(r->next) ? (uint64_t)r->next : 0;
    return 0;
}

/* Nothing may be expected any more. */
static int check_end(struct refs_source *s) {
    const struct oracle *o = s->state;
    for (size_t page = 0; page < o->expected_count; page++)
        if (o->expected[page])
            return oracle_fail(s,
                               "is the last, and an object was said to come in record %llu: the file is cut",
                               (unsigned long long)o->expected[page]);
    return 0;
}

/* ---- records ---- */

/* The next records, as many as wanted or as are there. Their number, 0 at the end, or -errno. They do not
 * count as read yet. */
static long oracle_take(struct refs_source *s, struct oracle_record *ret_records, size_t wanted) {
    struct oracle *o = s->state;
    const uint8_t *bytes;
    const ssize_t there = refs_bytes_see(s->bytes, wanted * ORACLE_RECORD, &bytes);
    const size_t count = there > 0 ? (size_t)there / ORACLE_RECORD : 0;
    if (there < 0)
        return source_bytes_fail(s, (int)there, "record", o->record + 1);
    if (there && !count) {
        o->record++;
        return oracle_fail(s, "is cut: %zd of %d bytes", there, ORACLE_RECORD);
    }
    for (size_t i = 0; i < count; i++)
        ret_records[i] = oracle_get(bytes + i * ORACLE_RECORD);
    refs_bytes_take(s->bytes, count * ORACLE_RECORD);
    return (long)count;
}

/* The next record. 1, 0 at the end, or -errno. */
static int oracle_next_record(struct refs_source *s, struct oracle_record *ret_record) {
    struct oracle *o = s->state;
    const long got = oracle_take(s, ret_record, 1);
    o->record += got > 0;
    return (int)got;
}

/* Finds the pages of several records: what is known of each object and page lies somewhere else in memory,
 * and is fetched for all of them at once. */
static int find_pages(struct refs_source *s, const struct oracle_record *records, size_t count,
                      uint32_t *ret_pages) {
    struct oracle *o = s->state;
    int error = 0;
    for (size_t i = 0; i < count; i++)
        names_prefetch(&o->names, records[i].object, 0);
    for (size_t i = 0; i < count && !error; i++) {
        error = names_page(&o->names, &s->table, records[i].object, 0, &ret_pages[i]);
        if (!error && ret_pages[i] < o->expected_count)
            __builtin_prefetch(&o->expected[ret_pages[i]], 1);
    }
    return error ? source_fail(s, error, "too many pages for the memory there is") : 0;
}

static long oracle_next_plain(struct refs_source *s) {
    struct oracle *o = s->state;
    struct oracle_record records[TOGETHER];
    uint32_t pages[TOGETHER];
    size_t count = 0;
    while (count < SOURCE_ITEMS) {
        const long got = oracle_take(s, records, min_size(TOGETHER, SOURCE_ITEMS - count));
        if (got < 0)
            return got;
        if (!got && !count)
            return check_end(s);
        if (!got)
            break;
        int error = find_pages(s, records, (size_t)got, pages);
        for (long i = 0; i < got && !error; i++) {
            o->record++;
            error = check_expected(s, &records[i], pages[i]);
            s->items[count++] =
                (struct refs_item){.instruction = o->record - 1, .page = pages[i], .flags = ACCESS_READ};
        }
        if (error)
            return error;
    }
    return (long)count;
}

/* ---- with a side file ---- */

/* Takes over the pages, objects and marks that the side file has told since. */
static int side_follow(struct refs_source *s) {
    const struct refs_table *from = &((struct oracle *)s->state)->side->table;
    struct refs_table *to = &s->table;
    int error = 0;
    while (!error && to->page_count < from->page_count)
        error = refs_table_page(to, &from->pages[to->page_count]);
    while (!error && to->mark_count < from->mark_count)
        error = refs_table_mark(to, &from->marks[to->mark_count]);
    while (!error && to->object_count < from->object_count)
        error = refs_table_object(to, from->objects[to->object_count]);
    return error ? source_fail(s, error, "out of memory") : 0;
}

/* Notes that the object is the page, which has none yet. */
static int side_introduce(struct refs_source *s, uint64_t object, uint32_t page) {
    struct oracle *o = s->state;
    if (array_reserve_filled(&o->seen, &o->seen_words, page / 64 + 1, sizeof *o->seen, 0))
        return source_fail(s, -ENOMEM, "out of memory");
    if (o->seen[page / 64] >> page % 64 & 1)
        return oracle_fail(s,
                           "object %llu is here, and the side file has another page: they do not belong "
                           "together",
                           (unsigned long long)object);
    o->seen[page / 64] |= 1ULL << page % 64;
    return map_put(&o->numbers, object, page) ? source_fail(s, -ENOMEM, "out of memory") : 0;
}

/* Takes the record of a reference to the page. */
static int side_check(struct refs_source *s, uint32_t page) {
    struct oracle *o = s->state;
    struct oracle_record r;
    uint64_t number;
    const int got = oracle_next_record(s, &r);
    if (got < 0)
        return got;
    if (!got)
        return oracle_fail(s,
                           "is the last, and the side file has more references: they do not belong together");
    if (!map_get(&o->numbers, r.object, &number)) {
        const int error = side_introduce(s, r.object, page);
        if (error)
            return error;
    } else if (number != page) {
        return oracle_fail(s,
                           "object %llu is here, and the side file has another page: they do not belong "
                           "together",
                           (unsigned long long)r.object);
    }
    return check_expected(s, &r, page);
}

static int side_end(struct refs_source *s) {
    struct oracle *o = s->state;
    struct oracle_record r;
    const int got = oracle_next_record(s, &r);
    if (got)
        return got < 0 ? got
                       : oracle_fail(s, "the side file has no such reference: they do not belong together");
    s->totals = o->side->totals;
    s->announced = true;
    return check_end(s);
}

static long oracle_next_side(struct refs_source *s) {
    struct oracle *o = s->state;
    const struct refs_item *items;
    const long count = refs_next(o->side, &items);
    if (count < 0)
        return source_fail(s, (int)count, "its side file: %s", refs_message(o->side));
    if (!count)
        return side_end(s);
    const int error = side_follow(s);
    if (error)
        return error;
    for (long i = 0; i < count; i++) {
        const int wrong = items[i].kind == REFS_REFERENCE ? side_check(s, items[i].page) : 0;
        if (wrong)
            return wrong;
    }
    memcpy(s->items, items, (size_t)count * sizeof *items);
    return count;
}

static int side_open(struct refs_source *s) {
    struct oracle *o = s->state;
    struct stat status;
    char *path, *message = NULL;
    if (asprintf(&path, "%s" ORACLE_SIDE, s->path) < 0)
        return source_fail(s, -ENOMEM, "out of memory");
    int error = 0;
    if (!stat(path, &status) && S_ISREG(status.st_mode)) {
        error = refs_open(path, REFS_FORMAT_THIMBLE, &o->side, &message);
        if (error)
            source_fail(s, error, "its side file: %s", message ? message : "out of memory");
        free(message);
    }
    free(path);
    if (!error && o->side) {
        s->header = *refs_header(o->side);
        if (!refs_totals(o->side, &s->totals))
            s->announced = true;
    }
    return error;
}

/* ---- the whole file ---- */

/* Whether the records may be: not text, time does not go back, and the next is later. */
static bool oracle_fits(const uint8_t *bytes, size_t length) {
    bool text = true;
    uint32_t time = 0;
    for (size_t i = 0; i < length; i++)
        text = text && (bytes[i] >= ' ' || (bytes[i] >= '\t' && bytes[i] <= '\r'));
    for (size_t i = 0; (i + 1) * ORACLE_RECORD <= length; i++) {
        const struct oracle_record r = oracle_get(bytes + i * ORACLE_RECORD);
        if (r.time < time || r.next < -1 || (is_said(r.next) && ((uint64_t)r.next <= i || r.next >> 48)))
            return false;
        time = r.time;
    }
    return !text && length >= ORACLE_RECORD;
}

static int oracle_open(struct refs_source *s) {
    struct oracle *o = calloc(1, sizeof *o);
    if (!o)
        return source_fail(s, -ENOMEM, "out of memory");
    s->state = o;
    o->base = -1;
    s->totals.whole = true;
    s->header.page_size = PAGE_SIZE;
    return side_open(s);
}

static void oracle_close(struct refs_source *s) {
    struct oracle *o = s->state;
    if (!o)
        return;
    refs_close(o->side);
    names_free(&o->names);
    map_free(&o->numbers);
    free(o->expected);
    free(o->seen);
    free(o);
}

static int oracle_rewind(struct refs_source *s) {
    struct oracle *o = s->state;
    o->record = 0;
    if (o->expected)
        memset(o->expected, 0, o->expected_count * sizeof *o->expected);
    const int error = o->side ? refs_rewind(o->side) : 0;
    return error ? source_fail(s, error, "its side file: %s", refs_message(o->side)) : 0;
}

static long oracle_next(struct refs_source *s) {
    const struct oracle *o = s->state;
    return o->side ? oracle_next_side(s) : oracle_next_plain(s);
}

const struct refs_reader oracle_reader = {
    .format = REFS_FORMAT_ORACLE_GENERAL,
    .fits = oracle_fits,
    .open = oracle_open,
    .close = oracle_close,
    .rewind = oracle_rewind,
    .next = oracle_next,
};
