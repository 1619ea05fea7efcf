/* A replacement policy over a reference string, without the machine: same object code, same calls in the same
 * order with the same page identities as live, so that misses are the machine's, exactly
 * (`thimble run --deterministic --available n`: faults.misses).
 *
 * What a memory of n frames does with an item:
 *   reference, page in a frame      the bit is set; policy.access() if it wants every reference
 *   reference, page not there       a miss: policy.miss(); a free frame, else policy.victim() is evicted (a
 *                                   write-back if it is dirty); the bit is set; policy.insert()
 *   dies                            its frame, if any, is free: policy.remove(UNMAPPED or EXITED)
 *
 * A page is dirty from its first appearance if it has no copy (refs_page_has_copy()), else from a write;
 * clean when it was written out. Without swap, pages of which nothing is known count as anonymous. One
 * that was given up (MADV_FREE) is evicted without a write, and comes back as a new anonymous page does.
 *
 * To the policy, page p is identity p + 1, with bit 63 set for pages of files and of shared memory
 * (page_id_is_object()). One that was given up and lost comes back with a new identity, as in the machine. */
#ifndef ANALYSIS_SIMULATE_H
#define ANALYSIS_SIMULATE_H

#include "policy/policy.h"
#include "refs/refs.h"

struct warm_up_scan;

struct simulation;

enum { SIMULATION_FRAMES_MAX = (1 << 27) - 2 }; /* 512 GiB */

struct simulation_config {
    const struct policy_ops *policy;
    const char *parameters; /* or NULL */
    uint32_t frames;        /* for pages: 1 to SIMULATION_FRAMES_MAX */
    uint64_t seed;
    bool no_swap; /* anonymous pages stay: a victim that is one is taken from the policy for good */
    /* Slots of the swap area; 0: as many as it takes. A victim that can have none is taken from the policy
     * until there is one. Exact if each page is one address space's; of a page that several share, which of
     * them have read it back decides whether it can do without its slot, and the items do not say. */
    uint32_t swap_pages;
    /* 0: a policy that wants every reference gets it. K: it gets only the referenced bits of resident pages,
     * each K instructions, as hardware can deliver them (`--observe bits:K`): before the first reference at
     * or after each multiple of K, the pages in frames whose bit is set, in ascending order of their names,
     * are told to policy.access(), and their bits are cleared. There, bringing a page in leaves its bit
     * clear. */
    uint64_t observe_bits;
    bool offline; /* the policy is OPT (opt.h): access() tells of pages that were set aside, too */
    bool measure; /* the policy's time */
    /* What a policy that is not Thimble's own says, and why one could not be made (then with -EINVAL), in the
     * thread that calls; POLICY_LEAKS, and POLICY_FAILED of a crash then, come during simulation_destroy().
     * May be NULL. */
    void (*tell)(void *context, enum policy_news, const char *line);
    /* Who wants to know which pages: a page leaves its frame (`lost`: given up, and its content with it;
     * `written`: to swap or to its file); and, when room has been made, a page is brought in. Both may be
     * NULL. */
    void (*evicted)(void *context, uint32_t page, bool written, bool lost);
    void (*missed)(void *context, uint32_t page);
    void *context;
};

struct simulation_result {
    uint64_t references, misses, cold; /* cold: misses on a page that was never there before */
    uint64_t cold_anonymous;           /* … and is no file's, so that nothing had to be read */
    uint64_t evictions, to_swap, to_file;
    bool
        out_of_memory; /* at some miss there was no victim, for want of swap; the simulation ends before it */
    uint64_t out_of_memory_instruction; /* … at this one */
    bool swap_was_short;                /* slots had to be taken from pages in frames, or there were none */
    /* Measured by samples, or 0: what the policy's functions took in all, divided by the references; and
     * policy.victim() alone. */
    double ns_per_reference, ns_per_victim;
    size_t policy_bytes; /* memory of the policy's state now; 0: not known */
};

/* 0, -ENOMEM, or -EINVAL (parameters, frames). */
int simulation_create(const struct simulation_config *, struct simulation **ret_simulation);
void simulation_destroy(struct simulation *);
/* The next pages, in order of their numbers; before the first item that names them. 0 or -ENOMEM. */
int simulation_add_pages(struct simulation *, const struct refs_page *, size_t count);
/* Items in order. 0, or -errno: -EPROTO when the policy broke its contract, -EBADMSG for a page that was not
 * added; see simulation_message(). */
int simulation_feed(struct simulation *, const struct refs_item *, size_t count);
/* What was counted up to now is not: a warm-up is over. */
void simulation_restart(struct simulation *);
const char *simulation_message(const struct simulation *); /* NULL: none */
/* The policy's own check: NULL, or what is wrong with its state. */
const char *simulation_check(const struct simulation *);
void simulation_get_result(const struct simulation *, struct simulation_result *ret_result);

/* All of them over one reading of the source, from where it stands, on as many threads as told (0: as there
 * are processors), with a warm-up or NULL. 0, or -errno: of the source, or the first of a simulation. */
int simulate_all(struct refs_source *, struct simulation *const *, size_t count, unsigned threads,
                 struct warm_up_scan *);

#endif
