/* A log made shorter: successive entries of one page become one, of the first one's count and of the kinds of
 * all, with frame and count put right.
 *
 *     entry     A A A A B B        pages: base + frame
 *     its kind  r r w r x w   →    rests: end - count, kind
 *     becomes   Aw      Bwx
 *
 * It becomes a word, which has room for small frame numbers only, and its frame in an array beside it:
 *
 *      31  30  29                        16 15              0
 *     +---+---+----------------------------+----------------+
 *     | x | w | instructions since `start` | frame mod 2^16 |
 *     +---+---+----------------------------+----------------+ */
#ifndef HW_JOIN_H
#define HW_JOIN_H

#include <stdbool.h>
#include <stddef.h>

#include "hw/reference.h"

enum { JOIN_ROOM = 16 }; /* entries that are written behind the last one */
enum {
    JOINED_FRAME = UINT16_MAX,
    JOINED_SINCE_SHIFT = 16,
    JOINED_SINCE = LOG_SPAN - 1,
    JOINED_WRITTEN_SHIFT = 30,
    JOINED_FETCHED_SHIFT = 31
};

struct joined {
    size_t count;           /* entries that are left */
    uint32_t highest_frame; /* of them; up to JOINED_FRAME the words say all */
};

/* `words` and `frames` have room for all of the log's entries and JOIN_ROOM. */
typedef struct joined join_function(const struct reference_log *, uint32_t *words, uint32_t *frames);

/* All of them do the same; the first that the processor supports is the quickest. The
 * last one needs nothing. */
struct join_variant {
    const char *name;
    bool (*is_supported)(void);
    join_function *join;
};
extern const struct join_variant join_variants[];

join_function *join_choose(void);

#endif
