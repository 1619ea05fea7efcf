/* Finds the page's files. They are embedded at build time: embed.py makes the table, the assembler takes in
 * the bytes. */
#include "page/assets.h"

#include <string.h>

extern const struct page_asset page_asset_table[];
extern const size_t page_asset_count;

const struct page_asset *page_asset_find(const char *path) {
    for (size_t i = 0; i < page_asset_count; i++)
        if (!strcmp(page_asset_table[i].path, path))
            return &page_asset_table[i];
    return NULL;
}

const struct page_asset *page_asset_at(size_t index) {
    return index < page_asset_count ? &page_asset_table[index] : NULL;
}
