/* See table.h. */
#include "refs/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void refs_table_free(struct refs_table *t) {
    for (uint32_t i = 0; i < t->mark_count; i++)
        if (*t->marks[i].text)
            free((char *)t->marks[i].text);
    for (uint32_t i = 0; i < t->object_count; i++)
        free(t->objects[i]);
    free(t->pages);
    free(t->marks);
    free(t->objects);
    *t = (struct refs_table){0};
}

int refs_table_page(struct refs_table *t, const struct refs_page *page) {
    if (t->page_count == REFS_PAGES_MAX)
        return -EOVERFLOW;
    if (array_reserve(&t->pages, &t->page_capacity, t->page_count + 1ULL, sizeof *t->pages))
        return -ENOMEM;
    t->pages[t->page_count++] = *page;
    return 0;
}

int refs_table_mark(struct refs_table *t, const struct refs_mark *mark) {
    if (t->mark_count == UINT32_MAX)
        return -EOVERFLOW;
    if (array_reserve(&t->marks, &t->mark_capacity, t->mark_count + 1ULL, sizeof *t->marks))
        return -ENOMEM;
    const char *text = *mark->text ? strdup(mark->text) : "";
    if (!text)
        return -ENOMEM;
    t->marks[t->mark_count] = *mark;
    t->marks[t->mark_count++].text = text;
    return 0;
}

int refs_table_object(struct refs_table *t, const char *name) {
    if (t->object_count == UINT32_MAX)
        return -EOVERFLOW;
    if (array_reserve(&t->objects, &t->object_capacity, t->object_count + 1ULL, sizeof *t->objects))
        return -ENOMEM;
    t->objects[t->object_count] = strdup(name);
    if (!t->objects[t->object_count])
        return -ENOMEM;
    t->object_count++;
    return 0;
}
