/* What an item must be, whoever writes it or reads it. */
#ifndef REFS_CHECK_H
#define REFS_CHECK_H

#include "refs/refs.h"

/* What came before. Pages are numbered as they appear: the next new one is `*fresh`. */
struct refs_before {
    uint32_t pages, marks; /* that there are to be named */
    uint32_t fresh;        /* one more than the highest page that an item named */
};

/* What is wrong with the item that comes next, or NULL. */
const char *refs_item_check(const struct refs_item *, struct refs_before *);

/* Whether all the items are references to pages that came before, and right: quick, for many. If not, they
 * may be right nevertheless. */
bool refs_items_are_plain(const struct refs_item *, size_t count, const struct refs_before *);

#endif
