/* Encodings about which the processor and the library disagree: prefixes that the processor ignores and the
 * library refuses, and instructions that the library takes and the processor refuses. */
#ifndef ENGINE_SOFT_ENCODING_H
#define ENGINE_SOFT_ENCODING_H

#include "engine/soft/decode.h"

/* Writes the same instruction to `out` (`available` bytes) as the library takes it: without prefixes that
 * have no effect, ending where it did, so that its first `*ret_removed` bytes are
 * void. False: it is simple. */
bool encoding_simplify(const uint8_t *bytes, unsigned available, uint8_t *out, unsigned *ret_removed);

/* Whether the library executes something else unless it is simplified. */
bool encoding_is_misread(const struct decoded *);

/* Whether the processor refuses what the library would execute. */
bool encoding_is_undefined(const struct decoded *);

#endif
