/* The numbers of the machine: frames, pages, swap slots, page identities.
 *
 * Each has a type of its own so that mixing them does not compile. None of them is an address: a frame number
 * says where in physical memory, a page number where in an address space, a slot where on the swap disk, and
 * a page identity *what* the content is, wherever it happens to be. */
#ifndef HW_TYPES_H
#define HW_TYPES_H

#include <stdbool.h>
#include <stdint.h>

enum { PAGE_SHIFT = 12, PAGE_SIZE = 1 << PAGE_SHIFT, PAGE_MASK = PAGE_SIZE - 1 };

/* Number of a physical page (PPn on the pictures), 0 … frames-1. */
typedef struct {
    uint32_t n;
} pfn_t;

/* Number of a virtual page: address >> PAGE_SHIFT. User space has 2^35 of them (47-bit addresses). */
typedef struct {
    uint64_t n;
} vpn_t;

/* Number of a page of the swap area, 0 … pages-1. */
typedef struct {
    uint32_t n;
} slot_t;

/* What a page is: never reused while the machine lives. An anonymous page counts up from 1; a file page (or a
 * page of shared anonymous memory) is its object's generation and its index in the object. 0 is no page. */
typedef struct {
    uint64_t n;
} page_id_t;

#define PFN_NONE     ((pfn_t){UINT32_MAX})
#define SLOT_NONE    ((slot_t){UINT32_MAX})
#define PAGE_ID_NONE ((page_id_t){0})

/* Lowest address above user space, and the page number that it begins: Linux leaves
 * the last page unmapped. */
#define USER_END     0x7ffffffff000ULL
#define USER_END_VPN ((vpn_t){USER_END >> PAGE_SHIFT})

static inline bool pfn_eq(pfn_t a, pfn_t b) {
    return a.n == b.n;
}
static inline bool pfn_is_none(pfn_t a) {
    return a.n == UINT32_MAX;
}
static inline bool slot_is_none(slot_t a) {
    return a.n == UINT32_MAX;
}
static inline bool page_id_eq(page_id_t a, page_id_t b) {
    return a.n == b.n;
}
static inline vpn_t vpn_of(uint64_t address) {
    return (vpn_t){address >> PAGE_SHIFT};
}
static inline uint64_t vpn_address(vpn_t v) {
    return v.n << PAGE_SHIFT;
}
static inline uint64_t page_round_down(uint64_t a) {
    return a & ~(uint64_t)PAGE_MASK;
}
static inline uint64_t page_round_up(uint64_t a) {
    return (a + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
}

/* Page identities: bit 63 tells an object's page (generation in bits 36–62, index in bits 0–35) from an
 * anonymous one (a counter). */
static inline page_id_t page_id_of_object(uint32_t generation, uint64_t index) {
    return (page_id_t){1ULL << 63 | (uint64_t)(generation & 0x7ffffff) << 36 | (index & 0xfffffffffULL)};
}
static inline bool page_id_is_object(page_id_t id) {
    return id.n >> 63;
}
static inline uint32_t page_id_generation(page_id_t id) {
    return (uint32_t)(id.n >> 36) & 0x7ffffff;
}

/* What an access wants; the same bits are a PTE's permissions and PROT_READ/WRITE/EXEC. */
enum access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_EXEC = 4 };

#endif
