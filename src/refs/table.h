/* What a source knows beside the items: pages, objects, marks, and the texts that they name. */
#ifndef REFS_TABLE_H
#define REFS_TABLE_H

#include "refs/refs.h"

struct refs_table {
    struct refs_page *pages;
    struct refs_mark *marks;
    char **objects; /* names; the first is object 1 */
    uint32_t page_count, mark_count, object_count;
    size_t page_capacity, mark_capacity, object_capacity;
};

void refs_table_free(struct refs_table *);
/* 0, -ENOMEM, or -EOVERFLOW: no numbers are left. */
int refs_table_page(struct refs_table *, const struct refs_page *);
int refs_table_mark(struct refs_table *, const struct refs_mark *); /* copies the text */
int refs_table_object(struct refs_table *, const char *name);

#endif
