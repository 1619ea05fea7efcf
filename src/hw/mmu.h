/* The MMU: translates a page of the current page table, checks permissions, sets referenced and dirty bits.
 *
 * The TLB belongs to the engine (it is part of how a CPU executes); the MMU is what a TLB miss asks. */
#ifndef HW_MMU_H
#define HW_MMU_H

#include "hw/pagetable.h"

enum mmu_result {
    MMU_OK,
    MMU_NOT_PRESENT, /* empty or swapped entry, or a page number outside user space */
    MMU_PROTECTION,  /* present, but the access is not allowed */
};

/* Translates one access (a mask of enum access). On MMU_OK *ret_pte is the entry after its bits were set: a
 * read sets REFERENCED, a write sets REFERENCED and DIRTY. Otherwise *ret_pte is the entry as found. */
enum mmu_result mmu_walk(struct page_table *table, vpn_t vpn, unsigned access, pte_t *ret_pte);

#endif
