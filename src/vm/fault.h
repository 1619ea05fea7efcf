/* One page fault while it is served. For fault.c and copy.c. */
#ifndef VM_FAULT_H
#define VM_FAULT_H

#include "vm/object.h"
#include "vm/space.h"

struct fault {
    /* what is wanted; not changed once fault_check() is done */
    struct space *space;
    struct mapping *mapping;
    uint64_t address;
    vpn_t vpn;
    unsigned access; /* enum access bits */

    /* what came of it; written by the function that serves it */
    enum event_fault kind;
    bool miss;         /* a frame was filled */
    bool major;        /* … from disk */
    bool refault;      /* … with a page that had been evicted */
    bool is_new;       /* … with one that was never in memory */
    bool swapped;      /* … from the swap area */
    const char *doing; /* for the message when it fails on an I/O error */
};

/* A frame in hand for the fault's page, this one, whose entry can be set afterwards without failing. May
 * evict any page: what was known about other pages and the fault's own entry must be looked up again. 0 or
 * -errno. */
int fault_frame(struct fault *, page_id_t, pfn_t *ret_frame);
/* Takes note of how a frame was filled. */
void fault_filled(struct fault *, const struct object_fill *);
/* The entry comes to name the frame, with `bits` of PTE_COW and PTE_DIRTY and what the mapping allows. What
 * the entry named before is looked after. */
void fault_install(struct fault *, pfn_t, uint64_t bits);
/* The same for a page that was just brought into the frame: that is a reference. */
void fault_install_arrived(struct fault *, pfn_t, uint64_t bits);
/* The same for a page that has just come into being: it is dirty, and counts as a miss. */
void fault_install_new(struct fault *, pfn_t);

/* copy.c: a write to a private page that others have, too. The page is present, swapped, or one of the
 * object's that is not mapped. 0 or -errno. */
int fault_copy(struct fault *);

static inline bool fault_writes(const struct fault *f) {
    return f->access & ACCESS_WRITE;
}

#endif
