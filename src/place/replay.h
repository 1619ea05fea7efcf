/* Misses by place of a recorded reference string, for one policy and size: the machine is not run. A trace
 * knows pages, where they were first touched and what they are of; it does not know instructions. */
#ifndef PLACE_REPLAY_H
#define PLACE_REPLAY_H

#include "analysis/warm_up.h"
#include "place/report.h"
#include "policy/policy.h"
#include "refs/refs.h"

struct replay_config {
    enum place_by by; /* mapping or file; others are refused */
    const struct policy_ops *policy;
    const char *parameters; /* or NULL */
    uint32_t frames;        /* for pages */
    uint64_t seed;
    bool no_swap;
    struct warm_up warm_up; /* what happens before its end is not told */
};

/* Reads the source to its end. 0 or -errno; *ret_message (malloc'd, on failure only, may be NULL) says why.
 *
 * Differs from a live run in this: a page counts as read from disk when it comes back, and a page of a file
 * the first time as well; that a write was to a private copy of a file's page shows
 * in the copy's own page. */
int place_replay(struct refs_source *, const struct replay_config *, struct place_report *ret_report,
                 char **ret_message);

#endif
