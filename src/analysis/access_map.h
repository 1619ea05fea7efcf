/* Where a program's references went over time: a grid of address × time, and the size of its working set.
 *
 * The address axis has only pages that were ever referenced, in bands: what one file, or one run of memory
 * that is no file's, occupies in one address space, in the order of addresses. A page stands where it was
 * first touched. Time is in instructions, or in references where a trace counts no
 * instructions or that is asked for. */
#ifndef ANALYSIS_ACCESS_MAP_H
#define ANALYSIS_ACCESS_MAP_H

#include "analysis/warm_up.h"
#include "refs/refs.h"

struct access_config {
    uint32_t columns, rows; /* of the grid, at most; ≥ 1 */
    uint32_t bands;         /* at most; the smallest are put together. 0: as many as there are rows */
    bool by_references;     /* time counts references */
    /* The working set at a time is the pages referenced in the window before it (P. J. Denning, "The working
     * set model for program behavior", CACM 11:5, 1968). In units of time; 0: a hundredth of the whole. */
    uint64_t window;
    struct warm_up warm_up; /* the map begins at its end */
};

struct access_band {
    char *name;  /* path, "[heap]", "[stack]", "[anonymous]", "12 others" */
    bool others; /* bands were put together: space, first and last are one of theirs */
    uint16_t space;
    uint64_t first, last; /* VPNs, both of the band */
    uint32_t pages, rows;
    uint32_t number; /* while it is made */
};

struct access_map {
    uint64_t references;  /* in the map */
    uint64_t start, time; /* where it begins, and how long it is, in its unit */
    uint64_t window;
    uint32_t pages;
    uint32_t columns, rows;
    uint64_t *cells;           /* rows × columns: references; row 0 has the highest addresses */
    uint32_t *working_set;     /* at the end of each column: pages */
    struct access_band *bands; /* from the highest addresses of the last space to the lowest of the first */
    size_t band_count;
};

/* Reads the source twice, from its beginning. 0, -ENOMEM, as refs_next(), or -ERANGE: it is all warm-up.
 * Pages that nothing but the warm-up touched have their rows, too. */
int access_map_make(struct refs_source *, const struct access_config *, struct access_map *ret_map);
void access_map_free(struct access_map *);

#endif
