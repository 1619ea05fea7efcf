/* The page's files (HTML, script, style, WebAssembly), embedded in the program. */
#ifndef PAGE_ASSETS_H
#define PAGE_ASSETS_H

#include <stddef.h>

#include "trace/film.h"

struct page_asset {
    const char *path; /* "/", "/page.js" … */
    const char *type; /* of its content, as in HTTP */
    const unsigned char *bytes;
    size_t size;
};

/* NULL when there is none of this path. */
const struct page_asset *page_asset_find(const char *path);
/* All of them, one after the other; NULL behind the last. */
const struct page_asset *page_asset_at(size_t index);

/* Writes the self-contained replay of a whole film: one HTML file without any reference to another. It opens
 * at event `start`; 0: where the program begins. 0 or -errno. */
int page_write_replay(struct film *, const char *title, uint64_t start, int fd);

#endif
