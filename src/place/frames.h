/* The names of frames of code, each looked up once. Where the compiler put functions into others, one place
 * in the code is several frames. */
#ifndef PLACE_FRAMES_H
#define PLACE_FRAMES_H

#include "base/map.h"
#include "place/naming.h"

struct frame_list {
    char **names; /* the innermost first */
    size_t count; /* at least 1 */
};

/* All zero but for `naming` is empty. */
struct frames {
    const struct naming *naming;
    struct map numbers; /* struct key → number + 1 in lists */
    struct frame_list *lists;
    uint32_t count;
    size_t capacity;
};

void frames_free(struct frames *);
/* Of any key but a stack. NULL: no memory. The list is valid until the next call. */
const struct frame_list *frames_get(struct frames *, struct key);

#endif
