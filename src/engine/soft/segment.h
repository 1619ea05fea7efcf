/* Instructions about segments, of which 64-bit programs can see that they hardly exist. */
#ifndef ENGINE_SOFT_SEGMENT_H
#define ENGINE_SOFT_SEGMENT_H

#include "engine/soft/decode.h"

/* Whether it is one of these. */
bool segment_wants(const struct decoded *);
/* Whether it is one that the library decodes, but wrongly. */
bool segment_overrides(const struct decoded *);
/* Whether all its bytes are there. */
bool segment_is_complete(const struct engine *, const struct decoded *);
/* Executes it. False: engine.trap is set, and nothing else changed. */
bool segment_execute(struct engine *, struct decoded *);

#endif
