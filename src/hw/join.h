/* A log made shorter: successive entries of one page become one reference, of the first one's count and of
 * the kinds of all, with frame and count put right.
 *
 *     entry     A A A A B B        pages: base + frame
 *     its kind  r r w r x w   →    rests: end - count, kind
 *     becomes   Aw      Bwx */
#ifndef HW_JOIN_H
#define HW_JOIN_H

#include <stdbool.h>
#include <stddef.h>

#include "hw/reference.h"

enum { JOIN_ROOM = 16 }; /* entries that are written behind the last one */

/* Returns how many entries are left. They are in `out`, which has room for all of the log's and JOIN_ROOM. */
typedef size_t join_function(const struct reference_log *, struct reference *out);

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
