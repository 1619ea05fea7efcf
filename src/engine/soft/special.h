/* Instructions that this engine executes itself, one by one: those that the library does not decode although
 * they are legal or merely privileged, and those that it decodes but gets wrong. */
#ifndef ENGINE_SOFT_SPECIAL_H
#define ENGINE_SOFT_SPECIAL_H

#include "engine/soft/decode.h"

/* Whether the instruction is ours, even if the library decodes it. */
bool special_wants(const uint8_t *bytes, unsigned available);

/* Whether the library must be given it in another encoding. */
bool special_is_misread(const uint8_t *bytes, unsigned available);

/* Whether it is one of ours, and all its bytes are there. */
bool special_is_complete(const struct engine *, const uint8_t *bytes, unsigned available);

/* Executes the instruction at rip, which the library does not decode or special_wants(). Whatever is not
 * known is an undefined instruction. False: engine.trap is set, and nothing else changed. */
bool special_execute(struct engine *, const uint8_t *bytes, unsigned available);

/* ---- for those that execute ---- */

/* Sets engine.trap; false. */
bool special_raise(struct engine *, enum trap_vector, uint64_t error);
/* Goes on behind the instruction, `more` bytes behind what was decoded; true. */
bool special_finish(struct engine *, const struct decoded *, unsigned more);
/* Sets the flags that user mode may set, from so many bytes. */
void special_set_flags(struct engine *, uint64_t flags, unsigned bytes);

#endif
