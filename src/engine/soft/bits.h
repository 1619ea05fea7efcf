/* BT, BTS, BTR, BTC with the number of the bit in a register: on memory, where the number reaches beyond the
 * operand and the library accesses single bytes; and on the stack pointer, which the
 * library uses meanwhile. */
#ifndef ENGINE_SOFT_BITS_H
#define ENGINE_SOFT_BITS_H

#include "engine/soft/decode.h"

bool bits_wants(const struct decoded *);
/* False: engine.trap is set, and nothing else changed. */
bool bits_execute(struct engine *, struct decoded *);

#endif
