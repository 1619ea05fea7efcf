/* Copies a source to a native file. */
#include <errno.h>
#include <stdlib.h>

#include "refs/export_parts.h"

struct copy {
    struct refs_writer *writer;
    uint32_t pages, objects; /* written already */
};

/* Writes what the source has told of pages and objects. */
static int copy_tables(struct copy *c, const struct refs_source *s, uint32_t pages) {
    int error = 0;
    uint32_t number;
    for (; !error && c->pages < pages; c->pages++) {
        const struct refs_page *page = refs_page(s, c->pages);
        for (; !error && c->objects < page->object; c->objects++)
            error = refs_writer_object(c->writer, refs_object_name(s, c->objects + 1), &number);
        if (!error)
            error = refs_writer_page(c->writer, page, &number);
    }
    return error;
}

/* An item, and what it needs. */
static int copy_item(struct copy *c, const struct refs_source *s, const struct refs_item *item) {
    if (item->kind == REFS_MARK)
        return refs_writer_mark(c->writer, refs_mark(s, item->page));
    const int error = item->page < c->pages ? 0 : copy_tables(c, s, item->page + 1);
    return error ? error : refs_writer_add(c->writer, item, 1);
}

static int copy_items(struct copy *c, const struct refs_source *s, const struct refs_item *items,
                      size_t count, struct refs_exported *exported) {
    for (size_t i = 0; i < count; i++) {
        const int error = copy_item(c, s, &items[i]);
        if (error)
            return error;
        exported->references += items[i].kind == REFS_REFERENCE;
    }
    return 0;
}

int export_native(struct refs_source *s, const char *path, struct refs_exported *exported, char **ret_message,
                  int (*see)(void *context, const struct refs_item *, size_t count), void *context) {
    struct copy c = {0};
    struct refs_totals totals = {0};
    const struct refs_item *items;
    long got;
    int error = refs_writer_create(path, refs_header(s), &c.writer, ret_message);
    if (error)
        return error;
    while ((got = refs_next(s, &items)) > 0) {
        error = copy_items(&c, s, items, (size_t)got, exported);
        if (!error && see)
            error = see(context, items, (size_t)got);
        if (error)
            break;
    }
    if (!error && !got)
        error = copy_tables(&c, s, refs_pages(s));
    if (got < 0 || refs_totals(s, &totals))
        totals.whole = false;
    refs_writer_halves(c.writer, totals.halves, totals.half_count);
    const int finish =
        refs_writer_finish(c.writer, totals.instructions, totals.dropped, totals.whole, totals.conditions);
    if (got < 0)
        return export_source_failed(s, (int)got, ret_message);
    return error || finish ? export_fail(error ? error : finish, path, ret_message) : 0;
}
