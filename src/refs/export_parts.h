/* The inside of exporting; for refs/ only. */
#ifndef REFS_EXPORT_PARTS_H
#define REFS_EXPORT_PARTS_H

#include "refs/export.h"
#include "trace/text.h"

struct export;

struct export_ops {
    unsigned name_bits; /* names of pages are below 2 to this */
    bool spaces;        /* a page is its name and its space */
    const char *header; /* that the file begins with */
    /* Appends a reference; how many of its kinds of access it did not say. */
    unsigned (*reference)(struct text *, uint64_t name, uint16_t space, const struct refs_item *);
};
extern const struct export_ops csv_export, lackey_export, ostep_export, perf_export;

/* How pages are called in the file: as in the source, where those names fit and are different, else by
 * number. */
struct naming {
    const struct refs_source *source;
    bool by_name, spaces;
};
/* Reads the source, if it can be read twice. 0 or -errno (refs_message()). */
int naming_choose(struct naming *, struct refs_source *, unsigned name_bits, bool spaces);

static inline uint64_t naming_name(const struct naming *n, uint32_t page) {
    return n->by_name ? refs_page(n->source, page)->name : page;
}
static inline uint16_t naming_space(const struct naming *n, const struct refs_item *item) {
    return n->spaces ? refs_page(n->source, item->page)->space : item->space;
}

/* export_native.c: a native file of the rest of the source. `item` (may be NULL) sees each batch before. */
int export_native(struct refs_source *, const char *path, struct refs_exported *, char **ret_message,
                  int (*see)(void *context, const struct refs_item *, size_t count), void *context);
/* export_oracle.c */
int export_oracle(struct refs_source *, const char *path, struct refs_exported *, char **ret_message);

/* "PATH cannot be written: …" */
int export_fail(int error, const char *path, char **ret_message);
/* What the source says, as *ret_message. */
int export_source_failed(struct refs_source *, int error, char **ret_message);

#endif
