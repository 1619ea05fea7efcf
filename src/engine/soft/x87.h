/* Instructions of the x87 unit that the library does not decode: FICOM, FICOMP, FBLD, FBSTP,
 * FFREEP, FTST, FNOP. */
#ifndef ENGINE_SOFT_X87_H
#define ENGINE_SOFT_X87_H

#include "engine/soft/decode.h"

bool x87_wants(const struct decoded *);

/* Executes the instruction, except that rip stays; d->length becomes that of all of it. False: engine.trap is
 * set. */
bool x87_execute(struct engine *, struct decoded *d);

#endif
