/* What an attribution found, as tables: which place cost how much, and which place drove out which. */
#ifndef PLACE_REPORT_H
#define PLACE_REPORT_H

#include <stddef.h>
#include <stdint.h>

enum place_by {
    PLACE_BY_MAPPING,
    PLACE_BY_FILE,
    PLACE_BY_SYMBOL,
    PLACE_BY_LINE,
    PLACE_BY_ALLOCATION,
    PLACE_BY_KINDS,
};

/* All in pages. */
struct place_counts {
    uint64_t misses;   /* faults that filled a frame */
    uint64_t refaults; /* of them, on pages that had been evicted */
    uint64_t swap_in, swap_out, file_in, file_out;
};

static inline void place_counts_add(struct place_counts *to, const struct place_counts *from) {
    to->misses += from->misses;
    to->refaults += from->refaults;
    to->swap_in += from->swap_in;
    to->swap_out += from->swap_out;
    to->file_in += from->file_in;
    to->file_out += from->file_out;
}

struct place_row {
    char *place;   /* "[heap]", "insert table.c:42 (prog)" …; frames joined by " < ", the innermost first */
    char **frames; /* the same in parts, the innermost first */
    size_t frame_count; /* at least 1 */
    struct place_counts counts;
};

/* A miss at a place drove out a page of another, or of its own, which was brought back later. */
struct place_pair {
    size_t evictor, evicted; /* rows of the table */
    uint64_t count;
};

struct place_table {
    const char *name;       /* "mapping", "function" …: a constant */
    const char *title;      /* what a row's numbers are, for people: a constant */
    struct place_row *rows; /* most misses first; then by refaults, swap traffic, place */
    size_t row_count;
    struct place_pair *pairs; /* most first */
    size_t pair_count;
    uint64_t unpaired; /* refaults of pages that no fault had driven out */
};

enum { PLACE_TABLES = 2 };

struct place_report {
    enum place_by by;
    struct place_counts totals;
    struct place_table tables[PLACE_TABLES];
    size_t table_count;
    char **notes; /* what people must know to read the tables */
    size_t note_count;
};

void place_report_free(struct place_report *);

#endif
