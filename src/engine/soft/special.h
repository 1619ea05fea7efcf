/* Instructions that this engine executes itself, one by one: those that the library does not decode although
 * they are legal or merely privileged, and those that it decodes but gets wrong. */
#ifndef ENGINE_SOFT_SPECIAL_H
#define ENGINE_SOFT_SPECIAL_H

#include <stdbool.h>

#include "engine/soft/soft.h"

/* Whether the instruction, which the library has decoded to be `length` bytes long, is nevertheless ours. */
bool special_wants(const uint8_t *bytes, unsigned available, unsigned length);

/* Whether it is one of ours, and all its bytes are there. */
bool special_is_complete(const struct engine *, const uint8_t *bytes, unsigned available);

/* Executes the instruction at rip, which the library does not decode or special_wants(). Whatever is not
 * known is an undefined instruction. False: engine.trap is set, and nothing else changed. */
bool special_execute(struct engine *, const uint8_t *bytes, unsigned available);

#endif
