/* One table while the machine runs: counts by key, and who drove out whom. */
#ifndef PLACE_COUNTS_H
#define PLACE_COUNTS_H

#include <stdbool.h>

#include "base/map.h"
#include "place/key.h"
#include "place/report.h"

struct counts {
    struct map index;        /* struct key → number */
    struct key *keys;        /* by number */
    struct place_counts *of; /* by number */
    uint32_t count;
    size_t capacity;
    struct map pages; /* page identity → number of its place << 32 | number + 1 of who drove it out, 0:
                         nobody */
    struct map pairs; /* evictor << 32 | evicted → times */
    uint64_t unpaired;
};

/* All zero is empty. All return 0 or -ENOMEM. */
void counts_free(struct counts *);
/* From here on it is counted anew; where pages are, and who drove them out, stays known. */
void counts_restart(struct counts *);
int counts_key(struct counts *, struct key, uint32_t *ret_number);
/* The page is of the place from now on. */
int counts_page_filled(struct counts *, uint64_t page, uint32_t place);
int counts_page_evicted(struct counts *, uint64_t page, uint32_t place, uint32_t evictor);
/* The page, evicted earlier, was brought back by a miss of `place`. */
int counts_page_back(struct counts *, uint64_t page, uint32_t place);
/* The place of the page: false when it is not known. */
bool counts_page_place(const struct counts *, uint64_t page, uint32_t *ret_place);

#endif
