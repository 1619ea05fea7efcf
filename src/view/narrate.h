/* One sentence about one event, in the lecture's words: "PID 21 reads 0x406000, page 6 of mypgm: not
 * present". It is also what a screen reader reads instead of the picture. */
#ifndef VIEW_NARRATE_H
#define VIEW_NARRATE_H

#include "trace/fold.h"
#include "trace/text.h"

/* `fold` is the state after the event. Appends plain UTF-8 without control characters, whatever the guest
 * called its files. */
void narrate(const struct fold *, const struct event *, struct text *);

#endif
