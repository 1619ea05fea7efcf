/* Leaves out references that change nothing: safely allowed drop, with memories of k frames or more in mind.
 *
 *     … p … p … p …      Of three references to one page with less than k other pages in between, the one
 *       ▲   │   ▲        in the middle can go: the page is in memory from the first to the third in any LRU
 *   stays   │   stays    or OPT memory of at least k frames, and misses are the same.
 *          goes
 *
 * It is applied again to what is left, so that of a page in steady use the first reference and the last
 * before k others remain. What a dropped reference did to the page (written) is added to the next one that
 * stays. Other items than references pass, in order; one that concerns a page ends its row of references.
 *
 * Source: S. F. Kaplan, Y. Smaragdakis, P. R. Wilson, "Trace reduction for virtual memory simulations",
 * SIGMETRICS 1999, and "Flexible reference trace reduction for VM simulations", ACM TOMACS 13(1), 2003. */
#ifndef RECORD_REDUCE_H
#define RECORD_REDUCE_H

#include "refs/refs.h"

struct reduce;

/* `emit` gets what stays. 0 or -ENOMEM. */
int reduce_create(uint32_t frames, void (*emit)(void *context, const struct refs_item *), void *context,
                  struct reduce **ret_reduce);
void reduce_destroy(struct reduce *);

/* The next item. 0 or -ENOMEM. */
int reduce_add(struct reduce *, const struct refs_item *);
/* No item follows: what may still be held back is emitted. */
void reduce_end(struct reduce *);
uint64_t reduce_dropped(const struct reduce *);
/* How many misses, at most, LRU has of all references up to now with k / 2, k / 4 … 1 frames; exactly so many
 * where no page died. How many numbers. */
uint32_t reduce_halves(const struct reduce *, uint64_t ret_misses[REFS_HALVES]);

#endif
