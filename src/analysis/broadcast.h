/* One reading of a source, heard by many analyses on several threads.
 *
 * The caller's thread reads; batches go through a queue that is bounded. Each listener hears every batch, in
 * order, always on the same thread, so that a listener needs no locks of its own. */
#ifndef ANALYSIS_BROADCAST_H
#define ANALYSIS_BROADCAST_H

#include "analysis/warm_up.h"

/* Some items, and the pages that appeared since the last batch, in order of their numbers. */
struct broadcast_batch {
    const struct refs_item *items;
    size_t count;
    const struct refs_page *pages;
    size_t page_count;
    size_t counting_from; /* the place in `items` before which counting begins; or WARM_UP_NOT_HERE */
};

struct broadcast_listener {
    void *state;
    /* 0, or -errno: it hears nothing more, and broadcast_run() fails. */
    int (*hear)(void *state, const struct broadcast_batch *);
};

/* Reads the source from where it stands to its end. `threads` 0: as many as there are processors. `warm_up`
 * may be NULL: everything is counted. 0, or -errno: the source's, a listener's (the one that comes first in
 * the list), or for the want of memory or threads. */
int broadcast_run(struct refs_source *, const struct broadcast_listener *, size_t count, unsigned threads,
                  struct warm_up_scan *warm_up);

#endif
