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

#include "base/base.h"
#include "hw/types.h"
#include "refs/names.h"
#include "refs/source.h"

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
    const size_t count = max_size(page + 1u, o->expected_count * 2 + 64);
    uint64_t *expected = reallocarray(o->expected, count, sizeof *expected);
    if (!expected)
        return -ENOMEM;
    memset(expected + o->expected_count, 0, (count - o->expected_count) * sizeof *expected);
    o->expected = expected;
    o->expected_count = count;
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

/* The next record. 1, 0 at the end, or -errno. */
static int oracle_next_record(struct refs_source *s, struct oracle_record *ret_record) {
    struct oracle *o = s->state;
    const uint8_t *bytes;
    const ssize_t there = refs_bytes_see(s->bytes, ORACLE_RECORD, &bytes);
    if (there < 0)
        return source_bytes_fail(s, (int)there, "record", o->record + 1);
    if (!there)
        return 0;
    o->record++;
    if (there < ORACLE_RECORD)
        return oracle_fail(s, "is cut: %zd of %d bytes", there, ORACLE_RECORD);
    *ret_record = oracle_get(bytes);
    refs_bytes_take(s->bytes, ORACLE_RECORD);
    return 1;
}

static long oracle_next_plain(struct refs_source *s) {
    struct oracle *o = s->state;
    struct oracle_record r;
    long count = 0;
    while (count < SOURCE_ITEMS) {
        uint32_t page;
        int error = oracle_next_record(s, &r);
        if (error < 0)
            return error;
        if (!error && count)
            break;
        if (!error)
            return check_end(s);
        error = names_page(&o->names, &s->table, r.object, 0, &page);
        if (error)
            return source_fail(s, error, "too many pages for the memory there is");
        error = check_expected(s, &r, page);
        if (error)
            return error;
        s->items[count++] =
            (struct refs_item){.instruction = o->record - 1, .page = page, .flags = ACCESS_READ};
    }
    return count;
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
    if (page / 64 >= o->seen_words) {
        const size_t words = s->table.page_count / 64 + 1;
        uint64_t *seen = reallocarray(o->seen, words, sizeof *seen);
        if (!seen)
            return source_fail(s, -ENOMEM, "out of memory");
        memset(seen + o->seen_words, 0, (words - o->seen_words) * sizeof *seen);
        o->seen = seen;
        o->seen_words = words;
    }
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
