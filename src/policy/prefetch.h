/* Prefetch: which pages to bring along when one is missing. A prefetcher sees where the missing page is and
 * names others by where they are; whether they are on a disk, and whether there is room, is the memory's
 * business. It keeps no state. */
#ifndef POLICY_PREFETCH_H
#define POLICY_PREFETCH_H

#include "policy/policy.h"

enum prefetch_by {
    PREFETCH_BY_ADDRESS, /* number: a virtual page of the same address space */
    PREFETCH_BY_INDEX,   /* number: a page of the same file, or of the same shared memory */
    PREFETCH_BY_SLOT,    /* number: a slot of the swap area */
};

struct prefetch_wish {
    enum prefetch_by by;
    uint64_t number;
};

/* A miss that has just been served. */
struct prefetch_miss {
    page_id_t page;
    vpn_t vpn;
    uint32_t space;
    bool from_file; /* read from it, or from shared memory's swap: object and index hold */
    bool from_swap; /* read from there: slot holds */
    uint32_t object;
    uint64_t index;
    slot_t slot;
    uint32_t free_frames;
};

enum { PREFETCH_WISHES = 64 };

enum prefetch_kind { PREFETCH_FAULT_AROUND, PREFETCH_SWAP_AHEAD, PREFETCH_SWAP_ADDRESS, PREFETCH_POLICY };

struct prefetcher {
    struct {
        enum prefetch_kind kind;
        uint32_t pages; /* in an aligned window */
    } parts[4];
    size_t count;  /* 0: none */
    uint64_t late; /* instructions that a transfer takes, for the account of pages that came too late */
    uint64_t from; /* frames for pages that a memory must have before pages are evicted for it */
};

/* "none", or one or more of the following, joined by '+':
 *   fault-around:pages=16        the aligned window of so many pages of the file around one read from it
 *   swap-ahead:slots=8           the aligned window of slots around the one that was read
 *   swap-ahead-address:pages=8   the aligned window of virtual pages around one that was swapped out
 *   policy                       what the policy itself asks for
 * Each takes late=N and from=N as well, which hold for all. 0, or -EINVAL with *ret_message (malloc'd). */
int prefetcher_parse(const char *specification, const struct policy_ops *, struct prefetcher *ret_prefetcher,
                     char **ret_message);

/* Up to PREFETCH_WISHES pages, most wanted first: how many. */
size_t prefetcher_ask(const struct prefetcher *, const struct policy_ops *, void *policy_state,
                      const struct prefetch_miss *, struct prefetch_wish wishes[PREFETCH_WISHES]);

#endif
