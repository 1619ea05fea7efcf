/* The registry of page-table formats. */
#include "hw/pagetable.h"

#include <stddef.h>
#include <string.h>

const struct page_table_ops *const page_table_formats[] = {&page_table_array, &page_table_x86_64, NULL};

const struct page_table_ops *page_table_find(const char *name) {
    for (const struct page_table_ops *const *format = page_table_formats; *format; format++)
        if (strcmp((*format)->name, name) == 0)
            return *format;
    return NULL;
}
