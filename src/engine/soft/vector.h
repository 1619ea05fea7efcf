/* Instructions on vector registers that the library decodes for some immediates only: comparisons of
 * floating-point numbers, and of strings. */
#ifndef ENGINE_SOFT_VECTOR_H
#define ENGINE_SOFT_VECTOR_H

#include "engine/soft/decode.h"

bool vector_wants(const struct decoded *);
/* Whether it is one that the library decodes, but wrongly. */
bool vector_overrides(const struct decoded *);
/* Whether all its bytes are there. */
bool vector_is_complete(const struct engine *, const struct decoded *);
/* False: engine.trap is set, and nothing else changed. */
bool vector_execute(struct engine *, struct decoded *);

#endif
