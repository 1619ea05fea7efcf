/* Call stacks of programs, by their unwind tables (.eh_frame, .debug_frame): frame pointers are not there in
 * optimised code. Memory is only looked at. */
#ifndef PLACE_UNWIND_H
#define PLACE_UNWIND_H

#include "place/locate.h"
#include "place/stacks.h"
#include "place/texts.h"

struct unwinder;

/* At most `depth` frames of a stack. 0 or -ENOMEM. What is given must outlive it. */
int unwinder_create(struct machine *, struct locator *, const struct dw *, struct stacks *, struct texts *,
                    unsigned depth, struct unwinder **ret_unwinder);
void unwinder_destroy(struct unwinder *);

/* The stack of who is at work: a key of kind KEY_STACK, whose innermost frame is the instruction being
 * executed; the others are the instructions that called. Without unwind tables it is shorter. `functions`:
 * frames are KEY_SYMBOL where there is a symbol, not KEY_CODE. Without memory for it: [kernel]'s. */
struct key unwind_stack(struct unwinder *, const struct probe_worker *, bool functions);
/* The same without the innermost frame: who called the function that is being entered. */
struct key unwind_callers(struct unwinder *, const struct probe_worker *);

#endif
