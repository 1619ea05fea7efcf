/* FIFO, CLOCK and SIEVE for up to 64 sizes in one pass: a word a page says in which of the memories it is, so
 * that a page that is in all of them takes one look. The numbers are those of simulations, exactly.
 *
 * The policies are those of the same names in src/policy, without parameters, with swap. */
#ifndef ANALYSIS_MASKS_H
#define ANALYSIS_MASKS_H

#include <stdbool.h>

#include "policy/policy.h"
#include "refs/refs.h"

enum { MASKS_SIZES = 64 };

struct masks;

/* Whether there is a method for the policy. */
bool masks_can(const struct policy_ops *);
/* For 1 to 64 sizes, which stay the caller's. 0, -ENOMEM. */
int masks_create(const struct policy_ops *, const uint32_t *sizes, size_t count, struct masks **ret_masks);
void masks_destroy(struct masks *);
/* As lru_stack.h's functions of the same names. */
int masks_add_pages(struct masks *, const struct refs_page *, size_t count);
int masks_feed(struct masks *, const struct refs_item *, size_t count);
void masks_curve(const struct masks *, uint64_t *ret_faults, uint64_t *ret_writebacks); /* may be NULL */
uint64_t masks_cold(const struct masks *);

#endif
