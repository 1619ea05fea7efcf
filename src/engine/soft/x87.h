/* Instructions of the x87 unit that the library does not decode: FICOM, FICOMP, FBLD, FBSTP,
 * FFREEP, FTST, FNOP;
 * and those about the control word, of which the library keeps only how to round. */
#ifndef ENGINE_SOFT_X87_H
#define ENGINE_SOFT_X87_H

#include "engine/soft/decode.h"

bool x87_wants(const struct decoded *);
/* Whether it is one that the library decodes, but wrongly: those about the control word. */
bool x87_overrides(const struct decoded *);

/* Executes the instruction, except that rip stays; d->length becomes that of all of it. False: engine.trap is
 * set. */
bool x87_execute(struct engine *, struct decoded *d);

#endif
