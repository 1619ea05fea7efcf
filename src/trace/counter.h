/* Counts a tally from events: what the always-on tally (trace/tally.h) must agree with.
 *
 * A page that is brought in outside of any fault, for the kernel's own access (a write to a memfd …), is a
 * miss like one that a fault brings in.
 *
 * A refault is a fault that filled a frame with a page that had been evicted: one that comes back from swap,
 * or one of an object that was a victim before and is read again. Pages that are brought along with it are
 * nobody's misses. */
#ifndef TRACE_COUNTER_H
#define TRACE_COUNTER_H

#include "base/map.h"
#include "trace/tally.h"

/* All zero, or with evicted.inject set, is a counter at its start. */
struct tally_counter {
    struct tally tally;
    struct map evicted; /* identities of objects' pages that were victims */
    bool refault;       /* the fault being served has brought back an evicted page */
    bool in_fault;      /* one is being served */
    bool filled;        /* … and has its page: what is read from now on is brought along with it */
    struct map objects; /* object number → generation, for the identities of its pages */
};

void tally_counter_free(struct tally_counter *);
/* Takes the next event into account. 0 or -ENOMEM. */
int tally_counter_add(struct tally_counter *, const struct event *);
/* What one event adds to a tally, when the counter has already taken it: for the tally of its process. */
void tally_add(struct tally *, const struct tally_counter *, const struct event *);

#endif
