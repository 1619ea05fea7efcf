/* What an item must be, whoever writes it or reads it. */
#ifndef REFS_CHECK_H
#define REFS_CHECK_H

#include "refs/refs.h"

/* What is wrong with an item in a trace of so many pages and marks, or NULL. */
const char *refs_item_check(const struct refs_item *, uint32_t pages, uint32_t marks);

/* Whether any of the items may be wrong: quick, for many. */
bool refs_items_suspicious(const struct refs_item *, size_t count, uint32_t pages);

#endif
