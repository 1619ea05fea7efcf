/* Pages of a file that calls them by numbers of its own: the same name in the same space is the same page. */
#ifndef REFS_NAMES_H
#define REFS_NAMES_H

#include "base/map.h"
#include "refs/table.h"

/* All zero: empty. */
struct names {
    struct map *spaces; /* name → page, a map for each space */
    uint32_t space_count;
    struct { /* looked up the last time */
        uint64_t name;
        uint32_t page;
        uint16_t space;
        bool there;
    } last;
};

void names_free(struct names *);
/* Has the host's caches fetch what names_page() will look at. */
void names_prefetch(const struct names *, uint64_t name, uint16_t space);
/* The page's number; a new page goes to the table. 0, -ENOMEM, or -EOVERFLOW. */
int names_page(struct names *, struct refs_table *, uint64_t name, uint16_t space, uint32_t *ret_page);

#endif
