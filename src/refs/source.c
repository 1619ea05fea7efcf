/* Reading references, whatever the format. See refs.h and source.h. */
#include "refs/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/message.h"
#include "refs/check.h"

const struct refs_reader *const refs_readers[REFS_FORMATS] = {
    [REFS_FORMAT_THIMBLE] = &native_reader,   [REFS_FORMAT_ORACLE_GENERAL] = &oracle_reader,
    [REFS_FORMAT_LACKEY] = &lackey_reader,    [REFS_FORMAT_CSV] = &csv_reader,
    [REFS_FORMAT_PERF_SCRIPT] = &perf_reader, [REFS_FORMAT_OSTEP] = &ostep_reader,
};

static const char *const format_names[REFS_FORMATS] = {
    [REFS_FORMAT_ANY] = "any",
    [REFS_FORMAT_THIMBLE] = "thimble",
    [REFS_FORMAT_ORACLE_GENERAL] = "oracleGeneral",
    [REFS_FORMAT_LACKEY] = "lackey",
    [REFS_FORMAT_CSV] = "csv",
    [REFS_FORMAT_PERF_SCRIPT] = "perf-script",
    [REFS_FORMAT_OSTEP] = "ostep",
};

const char *refs_format_name(enum refs_format format) {
    return format_names[format];
}

int refs_format_parse(const char *name, enum refs_format *ret_format) {
    for (enum refs_format f = REFS_FORMAT_ANY; f < REFS_FORMATS; f++) {
        if (!strcasecmp(name, format_names[f])) {
            *ret_format = f;
            return 0;
        }
    }
    return -EINVAL;
}

int source_fail(struct refs_source *s, int error, const char *format, ...) {
    va_list arguments;
    char *what = NULL;
    if (s->message)
        return error;
    va_start(arguments, format);
    if (vasprintf(&what, format, arguments) < 0)
        what = NULL;
    va_end(arguments);
    message_fail(error, &s->message, "%s: %s", s->path, what ? what : strerror(-error));
    free(what);
    return error;
}

int source_vfail(struct refs_source *s, const char *unit, uint64_t number, const char *format,
                 va_list arguments) {
    char *what = NULL;
    if (vasprintf(&what, format, arguments) < 0)
        what = NULL;
    source_fail(s, -EBADMSG, "%s %" PRIu64 ": %s", unit, number, what ? what : "is wrong");
    free(what);
    return -EBADMSG;
}

/* ---- opening ---- */

void refs_close(struct refs_source *s) {
    if (!s)
        return;
    if (s->reader)
        s->reader->close(s);
    refs_bytes_close(s->bytes);
    refs_table_free(&s->table);
    refs_hash_destroy(s->hash);
    free(s->dead);
    free(s->items);
    free(s->message);
    free(s->path);
    free(s);
}

int source_bytes_fail(struct refs_source *s, int error, const char *unit, uint64_t number) {
    if (error == -EBADMSG)
        return source_fail(s, error, "%s %" PRIu64 ": the compressed file is damaged here", unit, number);
    if (error == -ENODATA)
        return source_fail(s, error, "%s %" PRIu64 ": the compressed file is cut here", unit, number);
    return source_fail(s, error, "%s %" PRIu64 ": cannot be read: %s", unit, number, strerror(-error));
}

/* Unpacks what is packed, and finds the format of what is then there. */
static int source_recognise(struct refs_source *s, enum refs_format format) {
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    const uint8_t *bytes;
    ssize_t length = refs_bytes_see(s->bytes, SOURCE_SNIFF, &bytes);
    if (length >= (ssize_t)sizeof zstd && !memcmp(bytes, zstd, sizeof zstd)) {
        if (refs_bytes_unpack(s->bytes))
            return source_fail(s, -ENOMEM, "out of memory");
        length = refs_bytes_see(s->bytes, SOURCE_SNIFF, &bytes);
    }
    if (length < 0)
        return source_bytes_fail(s, (int)length, "byte", 0);
    if (!length)
        return source_fail(s, -ENODATA, "the file is empty");
    s->reader = refs_readers[format];
    for (enum refs_format f = REFS_FORMAT_THIMBLE; !s->reader && f < REFS_FORMATS; f++)
        if (refs_readers[f]->fits(bytes, (size_t)length))
            s->reader = refs_readers[f];
    if (!s->reader)
        return source_fail(s, -EINVAL, "is in no format of references that Thimble knows");
    return 0;
}

static int source_open(struct refs_source *s, enum refs_format format, bool keep) {
    s->hash = refs_hash_create();
    s->items = malloc(SOURCE_ITEMS * sizeof *s->items);
    if (!s->hash || !s->items)
        return source_fail(s, -ENOMEM, "out of memory");
    int error = refs_bytes_open(s->path, &s->bytes);
    if (error)
        return source_fail(s, error, "cannot be opened: %s", strerror(-error));
    error = keep ? refs_bytes_keep(s->bytes) : 0;
    if (error)
        return source_fail(s, error, "cannot be copied to a temporary file (TMPDIR): %s", strerror(-error));
    error = source_recognise(s, format);
    return error ? error : s->reader->open(s);
}

static int open_path(const char *path, enum refs_format format, bool keep, struct refs_source **ret_source,
                     char **ret_message) {
    struct refs_source *s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return message_fail(-ENOMEM, ret_message, "%s: out of memory", path);
    }
    const int error = source_open(s, format, keep);
    if (error) {
        *ret_message = s->message;
        s->message = NULL;
        refs_close(s);
        return error;
    }
    *ret_source = s;
    return 0;
}

int refs_open(const char *path, enum refs_format format, struct refs_source **ret_source,
              char **ret_message) {
    return open_path(path, format, false, ret_source, ret_message);
}

int refs_open_kept(const char *path, enum refs_format format, struct refs_source **ret_source,
                   char **ret_message) {
    return open_path(path, format, true, ret_source, ret_message);
}

int refs_rewind(struct refs_source *s) {
    int error = refs_bytes_rewind(s->bytes);
    if (error)
        return source_fail(s, error, "is not a regular file: it can be read only once");
    s->references = s->item_count = s->instruction = s->deaths = 0;
    s->ended = false;
    s->before = (struct refs_before){0};
    s->error = 0;
    free(s->message);
    s->message = NULL;
    refs_hash_reset(s->hash);
    if (s->dead_words)
        memset(s->dead, 0, s->dead_words * sizeof *s->dead);
    error = s->reader->rewind(s);
    s->error = error;
    return error;
}

/* ---- items ---- */

static bool page_is_dead(const struct refs_source *s, uint32_t page) {
    return page / 64 < s->dead_words && s->dead[page / 64] >> page % 64 & 1;
}

static int page_dies(struct refs_source *s, uint32_t page) {
    if (array_reserve_filled(&s->dead, &s->dead_words, page / 64 + 1, sizeof *s->dead, 0))
        return -ENOMEM;
    s->dead[page / 64] |= 1ULL << page % 64;
    s->deaths++;
    return 0;
}

static int check_item(struct refs_source *s, const struct refs_item *item, uint64_t number) {
    const char *wrong = refs_item_check(item, &s->before);
    if (!wrong && item->kind != REFS_MARK && page_is_dead(s, item->page))
        wrong = "its page is dead already";
    if (wrong)
        return source_fail(s, -EBADMSG, "item %llu: %s", (unsigned long long)number, wrong);
    s->references += item->kind == REFS_REFERENCE;
    if (item->kind == REFS_DIES && page_dies(s, item->page))
        return source_fail(s, -ENOMEM, "out of memory");
    return 0;
}

/* Whether one of the items names a page that died; quick. */
static bool names_dead(const struct refs_source *s, size_t count) {
    bool dead = false;
    for (size_t i = 0; s->deaths && i < count; i++)
        dead |= page_is_dead(s, s->items[i].page);
    return dead;
}

static int check_items(struct refs_source *s, size_t count) {
    s->before.pages = s->table.page_count;
    s->before.marks = s->table.mark_count;
    if (!names_dead(s, count) && refs_items_are_plain(s->items, count, &s->before)) {
        s->references += count;
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const int error = check_item(s, &s->items[i], s->item_count + i + 1);
        if (error)
            return error;
    }
    return 0;
}

static bool totals_equal(const struct refs_totals *a, const struct refs_totals *b) {
    return a->references == b->references && a->items == b->items && a->pages == b->pages &&
           !memcmp(a->hash, b->hash, sizeof a->hash);
}

/* Everything was read: the totals. */
static int source_end(struct refs_source *s) {
    struct refs_totals counted = s->totals;
    counted.references = s->references;
    counted.items = s->item_count;
    counted.pages = s->table.page_count;
    refs_hash_get(s->hash, counted.hash);
    if (s->announced && !totals_equal(&counted, &s->totals))
        return source_fail(
            s, -EBADMSG,
            "its end says %llu references to %u pages in %llu items, and they are %llu to %u in "
            "%llu, or others",
            (unsigned long long)s->totals.references, s->totals.pages, (unsigned long long)s->totals.items,
            (unsigned long long)counted.references, counted.pages, (unsigned long long)counted.items);
    if (!s->announced)
        counted.instructions = s->instruction;
    s->totals = counted;
    s->known = true;
    return 0;
}

long refs_next(struct refs_source *s, const struct refs_item **ret_items) {
    if (s->error || s->ended)
        return s->error;
    const long count = s->reader->next(s);
    if (count < 0) {
        s->error = (int)count;
    } else if (!count) {
        s->ended = true;
        s->error = source_end(s);
    } else {
        s->error = check_items(s, (size_t)count);
        refs_hash_add(s->hash, s->items, (size_t)count);
        s->item_count += (uint64_t)count;
        s->instruction = s->items[count - 1].instruction;
    }
    *ret_items = s->items;
    return s->error ? s->error : count;
}

/* ---- what is known ---- */

const char *refs_message(const struct refs_source *s) {
    return s->message ? s->message : "out of memory";
}

const struct refs_header *refs_header(const struct refs_source *s) {
    return &s->header;
}

int refs_totals(const struct refs_source *s, struct refs_totals *ret_totals) {
    if (!s->known && !s->announced)
        return -ENODATA;
    *ret_totals = s->totals;
    return 0;
}

int refs_count_pages(struct refs_source *s, uint32_t *ret_pages) {
    const struct refs_item *items;
    long count;
    struct refs_totals totals;
    if (!refs_totals(s, &totals)) {
        *ret_pages = totals.pages;
        return 0;
    }
    while ((count = refs_next(s, &items)) > 0)
        ;
    *ret_pages = s->table.page_count;
    return count < 0 ? (int)count : refs_rewind(s);
}

uint32_t refs_pages(const struct refs_source *s) {
    return s->table.page_count;
}

const struct refs_page *refs_page(const struct refs_source *s, uint32_t page) {
    return &s->table.pages[page];
}

const struct refs_mark *refs_mark(const struct refs_source *s, uint32_t mark) {
    return &s->table.marks[mark];
}

const char *refs_object_name(const struct refs_source *s, uint32_t object) {
    return object && object <= s->table.object_count ? s->table.objects[object - 1] : "";
}

enum refs_format refs_source_format(const struct refs_source *s) {
    return s->reader->format;
}
