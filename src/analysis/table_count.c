/* See table_count.h. Of each space a set has the numbers of its tables, by level; of each page it is known in
 * whose name it was referred to last, so that most references take one comparison. When a space ends it is
 * given another such name: what a space of its number refers to later is told again. */
#include "analysis/table_count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/base.h"
#include "base/map.h"
#include "hw/types.h"

enum { LEVELS = 3, LEVEL_BITS = 9, LEVEL_SHIFT = 60 };

struct table_count {
    const struct refs_source *source;
    struct map tables[UINT16_MAX + 1]; /* by space: LEVEL << LEVEL_SHIFT | number; empty: it has no root
                                          either */
    struct map spaces;                 /* by process: its space */
    uint32_t names[UINT16_MAX + 1], name_count; /* by space, from 1 */
    uint32_t *last;                             /* by page: a name; 0: none yet */
    size_t capacity;
    uint32_t frames, peak;
};

int table_count_create(const struct refs_source *source, struct table_count **ret_count) {
    struct table_count *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->source = source;
    for (size_t i = 0; i < ARRAY_LENGTH(c->names); i++)
        c->names[i] = ++c->name_count;
    *ret_count = c;
    return 0;
}

void table_count_destroy(struct table_count *c) {
    if (!c)
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(c->tables); i++)
        map_free(&c->tables[i]);
    map_free(&c->spaces);
    free(c->last);
    free(c);
}

static int refer(struct table_count *c, uint16_t space, uint64_t vpn) {
    struct map *tables = &c->tables[space];
    const size_t before = map_count(tables);
    for (uint64_t level = 1; level <= LEVELS; level++)
        if (map_put(tables, level << LEVEL_SHIFT | vpn >> level * LEVEL_BITS, 0))
            return -ENOMEM;
    c->frames += (uint32_t)(map_count(tables) - before) + (before == 0);
    c->peak = max_u32(c->peak, c->frames);
    return 0;
}

static void space_ends(struct table_count *c, uint64_t space) {
    if (space > UINT16_MAX || map_count(&c->tables[space]) == 0)
        return;
    c->frames -= (uint32_t)map_count(&c->tables[space]) + 1;
    map_free(&c->tables[space]);
    c->names[space] = ++c->name_count;
}

/* fork() copies all entries, and so all tables. */
static int copy_space(struct table_count *c, const struct refs_mark *m) {
    size_t cursor = 0;
    uint64_t key, value;
    struct map *to = &c->tables[m->space];
    if (m->c == 0 || m->c > UINT16_MAX + 1ULL || m->c == m->space + 1ULL || map_count(to) > 0)
        return 0;
    while (map_next(&c->tables[m->c - 1], &cursor, &key, &value))
        if (map_put(to, key, value))
            return -ENOMEM;
    c->frames += (uint32_t)map_count(to) + (map_count(to) > 0);
    c->peak = max_u32(c->peak, c->frames);
    return 0;
}

static int take_mark(struct table_count *c, const struct refs_mark *m) {
    uint64_t space = m->space;
    switch ((enum refs_mark_type)m->type) {
    case REFS_MARK_EXIT: space_ends(c, space); return 0;
    case REFS_MARK_EXEC:
        if (map_get(&c->spaces, m->a, &space) && space != m->space)
            space_ends(c, space);
        return map_put(&c->spaces, m->a, m->space);
    case REFS_MARK_CREATE: return map_put(&c->spaces, m->a, m->space) ? -ENOMEM : copy_space(c, m);
    case REFS_MARK_MAP:
    case REFS_MARK_UNMAP:
    case REFS_MARK_NAME:
    case REFS_MARK_PHASE:
    case REFS_MARK_TYPES: break;
    }
    return 0;
}

int table_count_feed(struct table_count *c, const struct refs_item *items, size_t count) {
    int error = array_reserve_filled(&c->last, &c->capacity, refs_pages(c->source), sizeof *c->last, 0);
    for (size_t i = 0; i < count && !error; i++) {
        const struct refs_item *item = &items[i];
        if (item->kind == REFS_MARK) {
            error = take_mark(c, refs_mark(c->source, item->page));
        } else if (item->kind == REFS_REFERENCE && c->last[item->page] != c->names[item->space]) {
            const struct refs_page *page = refs_page(c->source, item->page);
            c->last[item->page] = c->names[item->space];
            error = page->flags & REFS_PAGE_KNOWN ? refer(c, item->space, page->vpn) : 0;
        }
    }
    return error;
}

uint32_t table_count_peak(const struct table_count *c) {
    return c->peak;
}
