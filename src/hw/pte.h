/* The page-table entry: one logical 64-bit value, which a page-table format encodes as it likes.
 *
 *   63                      16 15    11 10    9     8    7   6   5  4  3  2 1 0
 *   +-------------------------+--------+----+-----+----+---+---+---+--------+-----+
 *   | frame or swap slot      | order  |gone|lazy |cow | D | R | U | x w r  |kind |
 *   +-------------------------+--------+----+-----+----+---+---+---+--------+-----+
 *
 *   empty    all zero: nothing was ever touched here (or it was dropped); the mapping says what a touch
 *            brings
 *   present  a frame. r, w, x are what the MMU allows *now* (a copy-on-write page lacks w). A page under
 *            PROT_NONE stays present without any permission
 *   swapped  a slot. r, w, x and cow are what the entry gets back at swap-in
 *
 * R (referenced) and D (dirty) are set by the MMU and cleared by the OS. Order is kept 0; it is there for
 * huge pages. */
#ifndef HW_PTE_H
#define HW_PTE_H

#include "hw/types.h"

typedef struct {
    uint64_t v;
} pte_t;

enum pte_kind { PTE_EMPTY = 0, PTE_PRESENT = 1, PTE_SWAPPED = 2 };

enum {
    PTE_R = ACCESS_READ << 2,
    PTE_W = ACCESS_WRITE << 2,
    PTE_X = ACCESS_EXEC << 2,
    PTE_RWX = PTE_R | PTE_W | PTE_X,
    PTE_USER = 1 << 5,
    PTE_REFERENCED = 1 << 6,
    PTE_DIRTY = 1 << 7,
    PTE_COW = 1 << 8,  /* private: a write must copy the page, or take it over when nobody else has it */
    PTE_LAZY = 1 << 9, /* MADV_FREE: may be dropped while it is not dirty */
    PTE_NUMBER_SHIFT = 16,
};

static inline enum pte_kind pte_kind(pte_t p) {
    return (enum pte_kind)(p.v & 3);
}
static inline bool pte_is_empty(pte_t p) {
    return p.v == 0;
}
static inline bool pte_is_present(pte_t p) {
    return (p.v & 3) == PTE_PRESENT;
}
static inline bool pte_is_swapped(pte_t p) {
    return (p.v & 3) == PTE_SWAPPED;
}
static inline bool pte_has(pte_t p, uint64_t bits) {
    return (p.v & bits) == bits;
}
static inline pte_t pte_set(pte_t p, uint64_t bits) {
    return (pte_t){p.v | bits};
}
static inline pte_t pte_clear(pte_t p, uint64_t bits) {
    return (pte_t){p.v & ~bits};
}
/* The permissions as enum access bits. */
static inline unsigned pte_access(pte_t p) {
    return (unsigned)(p.v >> 2) & 7;
}
static inline pte_t pte_with_access(pte_t p, unsigned access) {
    return (pte_t){(p.v & ~(uint64_t)PTE_RWX) | (uint64_t)access << 2};
}
static inline pfn_t pte_pfn(pte_t p) {
    return (pfn_t){(uint32_t)(p.v >> PTE_NUMBER_SHIFT)};
}
static inline slot_t pte_slot(pte_t p) {
    return (slot_t){(uint32_t)(p.v >> PTE_NUMBER_SHIFT)};
}
static inline pte_t pte_make_present(pfn_t f, unsigned access, uint64_t bits) {
    return (pte_t){(uint64_t)f.n << PTE_NUMBER_SHIFT | PTE_PRESENT | PTE_USER | (uint64_t)access << 2 | bits};
}
static inline pte_t pte_make_swapped(slot_t s, unsigned access, uint64_t bits) {
    return (pte_t){(uint64_t)s.n << PTE_NUMBER_SHIFT | PTE_SWAPPED | PTE_USER | (uint64_t)access << 2 | bits};
}

#endif
