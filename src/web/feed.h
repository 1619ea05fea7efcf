/* The feed: Server-Sent Events that tell every browser how many events there are and what the machine does.
 *
 * A browser is told the newest state when it is ready to hear it and nothing in between: one that reads
 * slowly costs no memory and holds up nobody. One without news is suspended and costs no time. */
#ifndef WEB_FEED_H
#define WEB_FEED_H

#include <microhttpd.h>

#include "trace/text.h"

struct feed;

/* `describe` appends the state as one line of JSON; it is called from the server's thread. 0 or -errno. */
int feed_create(void (*describe)(void *context, struct text *), void *context, struct feed **ret_feed);
/* A response for one more browser, NULL: out of memory. */
struct MHD_Response *feed_response(struct feed *, struct MHD_Connection *);
/* What describe() says may have changed. From any thread; returns at once. */
void feed_changed(struct feed *);
/* Ends every response; none is suspended from now on. */
void feed_end(struct feed *);
/* After the server has stopped. NULL is allowed. */
void feed_destroy(struct feed *);

#endif
