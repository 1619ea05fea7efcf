/* What can be said of a string R of references that is what --reduce k left of a string F (record/reduce.h),
 * about the misses of F with less than k frames. With k and more R has exactly the misses of F.
 *
 *   OPT_R(n) ≤ OPT_F(n)             What serves F serves R: the references that were dropped ask for nothing.
 *   1  OPT_R(n) ≤ OPT_F(n)
 *   2  OPT_F(n) ≤ OPT_R(n) + 2 × dropped
 *   3  LRU_F(k) ≤ LRU_F(n) ≤ LRU_F(h)      where h ≤ n
 *   4  OPT_F(n) ≤ LRU_F(n) ≤ references of F
 *
 * 1: What serves F serves R: the references that were dropped ask for nothing.
 *
 * 2: Put a reference to page p back. If p is in memory then, nothing changes. Else load it (a miss) in place
 * of any page z. From there on the memories differ in one page: one has z, the other p, or later v, where the
 * first has evicted v for p and not z. If z is evicted there, evict the other page here: the same again. If p
 * or v is loaded there it is here already: one miss less, and what is evicted for it there takes its place.
 * If z is referenced while there it is in memory: load it here in place of the other page (a miss), and they
 * are the same. So two misses at most for each. A page that dies does no harm: it makes room.
 *
 * 3: A larger LRU memory has all that a smaller one has (also where pages die). Who reduced F has counted,
 * for h = k / 2, k / 4 … 1, misses that LRU_F(h) is not above.
 *
 * Nothing of the kind is known of policies that are no stack algorithms: a reference that is dropped may save
 * them any number of misses, or cost it. */
#ifndef ANALYSIS_BOUNDS_H
#define ANALYSIS_BOUNDS_H

#include "analysis/result.h"

struct bounds {
    uint32_t frames;              /* k */
    uint64_t references, dropped; /* of R; F has both together */
    const uint64_t *opt;          /* misses of R, for each size of the curve */
    uint64_t lru;                 /* misses of R with k frames */
    const uint64_t *halves;       /* of F with k / 2, k / 4 … 1 frames LRU has at most so many */
    uint32_t half_count;          /* 0: not known */
};

/* Labels the curve of R, "lru" or "opt", and gives it bounds; from k frames on they are what it has. 0 or
 * -ENOMEM. */
int bounds_put(const struct bounds *, struct curve *);

#endif
