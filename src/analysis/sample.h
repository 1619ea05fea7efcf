/* LRU for many sizes, estimated from a sample of the pages: for traces too large to be analysed exactly. A
 * page is in the sample if the hash of its number is below a threshold: a share of all hashes (fixed rate),
 * which is lowered whenever the sample has more pages than it may (fixed size). A depth among the pages of
 * the sample stands for one in proportion among all.
 *
 * Source: C. A. Waldspurger, N. Park, A. Garthwaite, I. Ahmad, "Efficient MRC construction with SHARDS",
 * USENIX FAST 2015: both, with the adjustment for the references that were expected (SHARDS-adj). */
#ifndef ANALYSIS_SAMPLE_H
#define ANALYSIS_SAMPLE_H

#include "refs/refs.h"

struct sample;

/* Of this share of the pages at first, above 0 and up to 1, and of so many at once at most; for sizes,
 * ascending, which stay the caller's. 0, -ENOMEM. */
int sample_create(double rate, uint32_t pages, const uint32_t *sizes, size_t count,
                  struct sample **ret_sample);
void sample_destroy(struct sample *);
/* As lru_stack.h's functions of the same names. */
int sample_add_pages(struct sample *, const struct refs_page *, size_t count);
int sample_feed(struct sample *, const struct refs_item *, size_t count);
void sample_curve(const struct sample *, uint64_t *ret_faults);
/* The part of all pages that is in the sample now. */
double sample_rate(const struct sample *);
uint64_t sample_cold(const struct sample *); /* exact */

#endif
