/* Who allocated what is live: call stacks of malloc and its kin, and of mmap, by address, in every address
 * space. The functions of any file that defines malloc are watched; their arguments and results are read from
 * the registers. */
#ifndef PLACE_ALLOCATION_H
#define PLACE_ALLOCATION_H

#include "place/report.h"
#include "place/unwind.h"

struct event;
struct allocations;

/* What is given must outlive it. Becomes the machine's probe_client. 0 or -ENOMEM. */
int allocations_create(struct machine *, struct locator *, struct unwinder *, struct stacks *,
                       struct allocations **ret_allocations);
void allocations_destroy(struct allocations *);
/* Every event of the run. 0 or -ENOMEM. */
int allocations_receive(struct allocations *, const struct event *);
/* The stack of the object at the address, which is there; 0: of no live object. */
struct key allocations_find(struct allocations *, uint32_t space, uint64_t address, const struct location *);
/* Adds what people must know to the report. 0 or -ENOMEM. */
int allocations_notes(const struct allocations *, struct place_report *);

#endif
