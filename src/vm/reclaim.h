/* Reclaim: making a frame free by evicting the page that it holds. */
#ifndef VM_RECLAIM_H
#define VM_RECLAIM_H

#include "vm/frame.h"

/* Evicts the page that the policy chooses, or the next one that can be evicted; leaves its frame in hand.
 * 0; -ENOMEM when no page can be evicted (swap is full or absent); the disk's -errno when that is why. */
int reclaim_frame(struct vm *, pfn_t *ret_frame);
/* policy_config.is_dirty: evicting the page would take a write. */
bool reclaim_is_dirty(void *vm, pfn_t);
/* Evicts this page. 0: the frame is in hand. -errno: nothing changed. */
int reclaim_evict(struct vm *, pfn_t);

#endif
