/* OPT (MIN) for any numbers of frames at once, exactly, in one reading and without knowing the future: which
 * of the memories would have the page under the best possible replacement is known when it is referenced.
 *
 * OPT minimises misses. It is not the best for the number of pages written, nor for the time waited for them;
 * nothing is said about writes here: which of the pages that are never used again goes first is a matter of
 * taste, and decides about writes. See opt.h for a memory of one size.
 *
 * Source: R. L. Mattson et al., "Evaluation techniques for storage hierarchies", IBM Systems Journal 9(2),
 * 1970, who define the stack; L. A. Belady, "A study of replacement algorithms …", 1966, for MIN. That
 * distances can be had on-line: G. Bilardi, K. Ekanadham, P. Pattnaik, "Optimal on-line computation of stack
 * distances for MIN and OPT", Computing Frontiers 2017; the method here is derived in opt_stack.c. */
#ifndef ANALYSIS_OPT_STACK_H
#define ANALYSIS_OPT_STACK_H

#include <stdbool.h>

#include "refs/refs.h"

struct opt_stack;

/* Of sizes, ascending, which stay the caller's. 0 or -ENOMEM. The others as lru_stack.h's functions of the
 * same names; a reference takes time in proportion to the logarithm of the pages, whatever the number of
 * sizes. */
int opt_stack_create(bool no_swap, const uint32_t *sizes, size_t count, struct opt_stack **ret_stack);
void opt_stack_destroy(struct opt_stack *);
int opt_stack_add_pages(struct opt_stack *, const struct refs_page *, size_t count);
int opt_stack_feed(struct opt_stack *, const struct refs_item *, size_t count);
void opt_stack_curve(const struct opt_stack *, uint64_t *ret_faults);
uint32_t opt_stack_floor(const struct opt_stack *);
uint64_t opt_stack_cold(const struct opt_stack *);

#endif
