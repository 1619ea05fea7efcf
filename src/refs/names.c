/* See names.h. */
#include "refs/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

void names_free(struct names *n) {
    for (uint32_t i = 0; i < n->space_count; i++)
        map_free(&n->spaces[i]);
    free(n->spaces);
    *n = (struct names){0};
}

/* Room for the space, and for as many again as there were: numbers may come one by one. */
static int names_grow(struct names *n, uint16_t space) {
    const uint32_t count = min_u32(max_u32(space + 1u, 2 * n->space_count), UINT16_MAX + 1u);
    struct map *spaces = reallocarray(n->spaces, count, sizeof *spaces);
    if (!spaces)
        return -ENOMEM;
    memset(spaces + n->space_count, 0, (count - n->space_count) * sizeof *spaces);
    n->spaces = spaces;
    n->space_count = count;
    return 0;
}

void names_prefetch(const struct names *n, uint64_t name, uint16_t space) {
    if (space < n->space_count)
        map_prefetch(&n->spaces[space], name);
}

int names_page(struct names *n, struct refs_table *table, uint64_t name, uint16_t space, uint32_t *ret_page) {
    uint64_t number = n->last.page;
    int error = 0;
    if (!n->last.there || n->last.name != name || n->last.space != space) {
        if (space >= n->space_count)
            error = names_grow(n, space);
        if (!error && !map_get(&n->spaces[space], name, &number)) {
            const struct refs_page page = {.name = name, .vpn = name, .space = space};
            number = table->page_count;
            error = refs_table_page(table, &page);
            if (!error)
                error = map_put(&n->spaces[space], name, number);
        }
        if (error)
            return error;
        n->last.name = name;
        n->last.space = space;
        n->last.page = (uint32_t)number;
        n->last.there = true;
    }
    *ret_page = (uint32_t)number;
    return 0;
}
