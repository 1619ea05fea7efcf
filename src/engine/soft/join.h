/* What is done to the log before it is delivered: successive entries of one page become one, of the first
 * one's count and of the kinds of all, as the client is told.
 *
 *     entry before   A A A A B B        frame      host page - base
 *     its kind       r r w r x w   →    count      end - count
 *     becomes        Aw      Bwx */
#ifndef ENGINE_SOFT_JOIN_H
#define ENGINE_SOFT_JOIN_H

#include <stdbool.h>
#include <stddef.h>

#include "hw/reference.h"

enum { JOIN_ROOM = 8 }; /* entries behind the last one that are read, and written */

/* n > 0 entries in place; returns how many stay. */
typedef size_t join_function(struct reference *, size_t n, uint32_t base, uint16_t end);

/* All of them do the same; the first that the processor supports is the quickest. The last one needs nothing.
 */
struct join_variant {
    const char *name;
    bool (*is_supported)(void);
    join_function *join;
};
extern const struct join_variant join_variants[];

join_function *join_choose(void);

#endif
