/* See table.h. */
#include "refs/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* Room for one more in an array of `count`; the array, or NULL (then it is as it was). */
static void *grow(void *array, uint32_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return array;
    const size_t wanted = *capacity * 2 + 64;
    void *more = reallocarray(array, wanted, size);
    if (more)
        *capacity = wanted;
    return more;
}

int refs_table_page(struct refs_table *t, const struct refs_page *page) {
    if (t->page_count == REFS_PAGES_MAX)
        return -EOVERFLOW;
    struct refs_page *pages = grow(t->pages, t->page_count, &t->page_capacity, sizeof *pages);
    if (!pages)
        return -ENOMEM;
    t->pages = pages;
    pages[t->page_count++] = *page;
    return 0;
}

int refs_table_mark(struct refs_table *t, const struct refs_mark *mark) {
    if (t->mark_count == UINT32_MAX)
        return -EOVERFLOW;
    struct refs_mark *marks = grow(t->marks, t->mark_count, &t->mark_capacity, sizeof *marks);
    if (!marks)
        return -ENOMEM;
    t->marks = marks;
    const char *text = *mark->text ? strdup(mark->text) : "";
    if (!text)
        return -ENOMEM;
    marks[t->mark_count] = *mark;
    marks[t->mark_count++].text = text;
    return 0;
}

int refs_table_object(struct refs_table *t, const char *name) {
    if (t->object_count == UINT32_MAX)
        return -EOVERFLOW;
    char **objects = grow(t->objects, t->object_count, &t->object_capacity, sizeof *objects);
    if (!objects)
        return -ENOMEM;
    t->objects = objects;
    objects[t->object_count] = strdup(name);
    if (!objects[t->object_count])
        return -ENOMEM;
    t->object_count++;
    return 0;
}
