/* LRU for every number of frames at once: Mattson's stack, whose depth at which a page is found is the
 * smallest memory in which it would still be there.
 *
 * Source: R. L. Mattson, J. Gecsei, D. R. Slutz, I. L. Traiger, "Evaluation techniques for storage
 * hierarchies", IBM Systems Journal 9(2), 1970. Write-backs by dirty levels: J. G. Thompson, A. J. Smith,
 * "Efficient (stack) algorithms for analysis of write-back and sector memories", ACM TOCS 7(1), 1989. */
#ifndef ANALYSIS_LRU_STACK_H
#define ANALYSIS_LRU_STACK_H

#include <stdbool.h>

#include "refs/refs.h"

struct lru_stack;

/* 0 or -ENOMEM. `no_swap`: anonymous pages stay, see simulate.h. */
int lru_stack_create(bool no_swap, struct lru_stack **ret_stack);
void lru_stack_destroy(struct lru_stack *);
/* The next pages, in order of their numbers; before the first item that names them. 0 or -ENOMEM. */
int lru_stack_add_pages(struct lru_stack *, const struct refs_page *, size_t count);
/* Items in order. 0; -ENOMEM; -EBADMSG: a page that was not added; -ENOTSUP: without swap, pages that are
 * given up (MADV_FREE) make no stack: to be simulated size by size. */
int lru_stack_feed(struct lru_stack *, const struct refs_item *, size_t count);
/* Misses (cold ones included) and write-backs with each of the sizes, ascending; either may be NULL, or
 * -ENOMEM. Without swap, nothing is said about sizes below lru_stack_floor(). */
int lru_stack_curve(const struct lru_stack *, const uint32_t *sizes, size_t count, uint64_t *ret_faults,
                    uint64_t *ret_writebacks);
/* How many frames it takes, without swap, for every miss to have a victim. Else 1. */
uint32_t lru_stack_floor(const struct lru_stack *);
uint64_t lru_stack_cold(const struct lru_stack *);

/* ---- for samples (sample.c): single steps ---- */

/* A reference, alone: the depth at which the page is found; 0: it was not there. 0 or -ENOMEM. */
int lru_stack_step(struct lru_stack *, const struct refs_item *, uint32_t *ret_depth);
/* As if the page had never been there: those below it move up. */
void lru_stack_forget(struct lru_stack *, uint32_t page);

#endif
