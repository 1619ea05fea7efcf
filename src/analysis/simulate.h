/* A replacement policy over a reference string, without the machine: same object code, same calls in the same
 * order with the same page identities as live, so that misses are the machine's, exactly
 * (`thimble run --deterministic --available n`: faults.misses).
 *
 * What a memory of n frames does with an item:
 *   reference, page in a frame      the bit is set; policy.access() if it wants every reference
 *   reference, page not there       a miss: a free frame, else policy.victim() is evicted (a write-back if it
 *                                   is dirty); policy.insert()
 *   dies                            its frame, if any, is free: policy.remove(UNMAPPED or EXITED)
 * A page is dirty from its first appearance if it is anonymous (it has no copy yet), else from a write; clean
 * when it was written out. */
#ifndef ANALYSIS_SIMULATE_H
#define ANALYSIS_SIMULATE_H

#include "policy/policy.h"
#include "refs/refs.h"

struct simulation;

struct simulation_config {
    const struct policy_ops *policy;
    const char *parameters; /* or NULL */
    uint32_t frames;        /* for pages */
    uint64_t seed;
    bool no_swap; /* anonymous pages stay: a victim that is one is taken from the policy for good */
    /* 0: a policy that wants every reference gets it. K: it gets only the referenced bits of resident pages,
     * each K instructions, as hardware can deliver them (`--observe bits:K`). */
    uint64_t observe_bits;
};

struct simulation_result {
    uint64_t references, misses, cold; /* cold: misses on a page that was never there before */
    uint64_t evictions, to_swap, to_file;
    bool out_of_memory;                 /* no_swap: at some miss there was no victim */
    uint64_t out_of_memory_instruction; /* … for the first time here */
    uint64_t policy_ns, victims;        /* time in the policy's functions, when it is measured */
    size_t policy_bytes;                /* state of the policy at its end */
};

/* 0, -ENOMEM, or -EINVAL (parameters). The source gives page kinds; it outlives the simulation. */
int simulation_create(const struct simulation_config *, const struct refs_source *,
                      struct simulation **ret_simulation);
void simulation_destroy(struct simulation *);
/* Items in order. 0, or -errno: -EPROTO when the policy broke its contract, see simulation_message(). */
int simulation_feed(struct simulation *, const struct refs_item *, size_t count);
const char *simulation_message(const struct simulation *);
void simulation_get_result(const struct simulation *, struct simulation_result *ret_result);

/* All of them over one reading of the source, on as many threads as there are processors to use. 0 or -errno.
 */
int simulate_all(struct refs_source *, struct simulation *const *, size_t count, unsigned threads);

#endif
