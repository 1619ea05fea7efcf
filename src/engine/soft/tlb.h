/* The data TLB: two direct-mapped tables, one for loads and one for stores, which translated code reads.
 *
 * An entry holds the address of its page and what to add to an address in it to get the host's. An empty
 * entry holds the address of a page that belongs to another place, so that no address can match it:
 *
 *     hit  iff  address - entry.page <= PAGE_SIZE - bytes      (unsigned; fails for an access across pages)
 *
 * Both tables lie below 2 GiB, where their addresses are immediate operands. */
#ifndef ENGINE_SOFT_TLB_H
#define ENGINE_SOFT_TLB_H

#include "hw/mmu.h"

enum tlb_table { TLB_LOAD, TLB_STORE, TLB_TABLES };

struct tlb_entry {
    uint64_t page;   /* address */
    uint64_t addend; /* host address - guest address; meaningful in an empty entry after tlb_pass() */
};

enum { TLB_ENTRY_SHIFT = 4, TLB_TOUCHED = 128 };

struct tlb {
    struct tlb_entry *table[TLB_TABLES];
    uint32_t entries; /* of each table; a power of two */
    /* Which entries may be in use: the first `touched` of `touched_entry` (index << 1 | table), or, when
     * touched > TLB_TOUCHED, any. */
    uint32_t touched;
    uint32_t touched_entry[TLB_TOUCHED];
};

int tlb_create(uint32_t entries, struct tlb *ret_tlb); /* 0 or -ENOMEM */
void tlb_destroy(struct tlb *);

/* Which table an access (enum access bits) uses. */
static inline enum tlb_table tlb_table_for(unsigned access) {
    return access & ACCESS_WRITE ? TLB_STORE : TLB_LOAD;
}

/* The page is at `host`. */
void tlb_insert(struct tlb *, enum tlb_table, vpn_t, const void *host);

/* Lets this one access through: translated code, which is behind the comparison, will find `host` as the
 * translation of `address`; later accesses miss. */
void tlb_pass(struct tlb *, enum tlb_table, uint64_t address, const void *host);

void tlb_forget(struct tlb *, vpn_t);
/* Drops every store entry that leads to the frame at `host`. */
void tlb_forget_stores(struct tlb *, const void *host);
void tlb_flush(struct tlb *);

/* Verifies that every entry agrees with the page table. NULL, or what is wrong. */
const char *tlb_check(const struct tlb *, const struct page_table *, const struct physmem *);

#endif
