/* Misses as a function of the number of frames, for any policies, from as few readings of the references as
 * there can be: the driver above the analyses of this folder.
 *
 *   lru, opt                    every size at once (lru_stack.h, opt_stack.h)
 *   fifo, clock, sieve          64 sizes at once (masks.h), with swap and every reference
 *   any other                   a simulation for each size (simulate.h), on all processors
 *
 * `opt` is a policy here and nowhere else: it knows the future. */
#ifndef ANALYSIS_CURVE_H
#define ANALYSIS_CURVE_H

#include <stdbool.h>

#include "analysis/result.h"
#include "analysis/warm_up.h"
#include "policy/policy.h"
#include "refs/refs.h"

enum { CURVE_OPT_WRITEBACKS = 64 };

struct curve_request {
    const char *const *policies; /* "NAME" or "NAME:key=value,…" */
    size_t policy_count;
    const uint32_t *sizes;  /* ascending; NULL: from few pages to all of them (sizes_between()) */
    size_t size_count;      /* where sizes is NULL: at most so many; 0: at most 64 */
    struct warm_up warm_up; /* misses, cold ones and write-backs before its end are not counted */
    uint64_t seed;          /* of policies that draw random numbers */
    bool no_swap;           /* anonymous pages stay; below curve.floor frames there is no result */
    uint64_t observe_bits;  /* see simulate.h; 0: every reference */
    uint32_t sample;    /* LRU only: estimate it from so many pages at once at most (SHARDS); 0: exactly */
    double sample_rate; /* … and from this share of all pages; 0: from all, until they are too many */
    bool writebacks;    /* wanted of OPT, too, which then takes a second reading and a simulation a size: of
                           no more than CURVE_OPT_WRITEBACKS sizes */
    bool measure;       /* what each policy costs: simulates each once more, one after the other */
    unsigned threads;   /* 0: as many as there are processors */
};

/* What a policy costs at the largest of the sizes. Measured: it differs from run to run. 0: not known. */
struct curve_cost {
    double ns_per_reference, ns_per_victim, bytes_per_frame;
};

struct curve_set {
    struct curve *curves; /* one a policy, in the order of the request */
    struct curve_cost *costs;
    size_t count;
    struct refs_totals totals; /* of the source, whose strings it uses */
    uint64_t cold;             /* misses at any size: first references */
    struct warm_up_scan warm_up;
};

/* 0; -EINVAL, -ENOTSUP (a combination that cannot be computed soundly), -ENOMEM or the source's error, with
 * *ret_message (malloc'd) saying why. Reads the source from its beginning to its end. A policy that breaks
 * its contract at any of the sizes has a curve that says so (RESULT_FAILED) and no
 * numbers; the others go on. */
int curve_compute(struct refs_source *, const struct curve_request *, struct curve_set *ret_set,
                  char **ret_message);
/* The first curve whose policy failed, or NULL. */
const struct curve *curve_set_failed(const struct curve_set *);
void curve_set_free(struct curve_set *);

#endif
