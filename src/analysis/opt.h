/* OPT for one size, by its definition: the victim is the page whose next use lies farthest ahead. It needs
 * the future, which takes a reading of the references of its own; then it is a policy as any other is, to be
 * simulated. It tells what opt_stack.h cannot: write-backs, and misses without swap where programs give pages
 * up. Of pages that are never used again the one used longest ago goes first.
 *
 * Source: L. A. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems
 * Journal 5(2), 1966 (MIN); R. L. Mattson et al. 1970 (OPT). */
#ifndef ANALYSIS_OPT_H
#define ANALYSIS_OPT_H

#include "policy/policy.h"
#include "refs/refs.h"

struct opt_future;

/* Reads the source from its beginning to its end. 4 bytes a reference, in a file that nobody sees, in TMPDIR
 * or /tmp. 0; -EFBIG: more than 2^32 - 2 references; or -errno of the file or the source. */
int opt_future_read(struct refs_source *, struct opt_future **ret_future);
void opt_future_free(struct opt_future *);
/* The policy that knows it, for simulations of the same references, with config.offline. */
const struct policy_ops *opt_future_policy(const struct opt_future *);

#endif
