/* One sentence about one event, in the lecture's words: "PID 21 reads 0x406000, page 6 of mypgm: not
 * present". It is also what a screen reader reads instead of the picture. */
#ifndef VIEW_NARRATE_H
#define VIEW_NARRATE_H

#include "trace/fold.h"
#include "trace/text.h"

/* `fold` is the state after the event. Appends plain UTF-8 without control characters, whatever the guest
 * called its files. */
void narrate(const struct fold *, const struct event *, struct text *);

/* How pages are numbered in a sentence that stands beside a picture: as there. */
struct narrate_numbers {
    bool real; /* VPN 0x406, whatever labels say */
    /* The symbolic number of a page that has no label; false: it has none. May be NULL. */
    bool (*find)(const void *context, uint32_t pid, uint64_t vpn, uint64_t *ret_number);
    const void *context;
};
/* As narrate(), which uses labels, and real numbers where there are none. */
void narrate_numbered(const struct fold *, const struct event *, const struct narrate_numbers *,
                      struct text *);

#endif
