/* How many frames the page tables of a run take, from its references: for files, which do not say.
 *
 * Each address space has tables of four levels (x86-64) over all places that it referred to, from its first
 * reference until its process ends or executes another program. It is an estimate: tables that became empty
 * were given back, a page that several spaces share may be at different places in them, and with less memory
 * swapped pages keep their tables while those of files may go. */
#ifndef ANALYSIS_TABLE_COUNT_H
#define ANALYSIS_TABLE_COUNT_H

#include "refs/refs.h"

struct table_count;

int table_count_create(const struct refs_source *, struct table_count **ret_count); /* 0 or -ENOMEM */
void table_count_destroy(struct table_count *);
int table_count_feed(struct table_count *, const struct refs_item *, size_t count); /* 0 or -ENOMEM */
/* Frames of all spaces together, at most; 0: where pages are is not known. */
uint32_t table_count_peak(const struct table_count *);

#endif
