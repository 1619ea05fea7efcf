/* An address space: mappings, a page table, and what they add up to. Public part: vm/vm.h. */
#ifndef VM_SPACE_H
#define VM_SPACE_H

#include "vm/mapping.h"

enum resident_kind { RESIDENT_ANONYMOUS, RESIDENT_FILE, RESIDENT_SHARED, RESIDENT_KINDS };

struct space {
    struct vm *vm;
    uint32_t number; /* for events and reverse mappings; used again after the space is gone */
    uint32_t pid;
    uint32_t references;
    bool reaped; /* chosen by the OOM killer: its pages are gone */
    struct page_table *table;
    struct mapping_set mappings;
    struct tally tally;

    /* kept by vm/entry.c */
    uint64_t resident[RESIDENT_KINDS], resident_peak, swapped;

    uint64_t brk_start, brk_end; /* bytes; the heap is between them */
    uint64_t data;               /* bytes of the program's own data */
    unsigned future;             /* MAPPING_LOCKS that new mappings get: mlockall(MCL_FUTURE) */
    struct space_limits limits;
};

/* ---- entry.c: the only place that changes page-table entries ---- */

pte_t space_pte(const struct space *, vpn_t);
/* Allocates the tables for a page, so that space_set_pte() cannot fail. May evict any page. 0, -ENOMEM or a
 * disk's error. */
int space_prepare(struct space *, vpn_t);
/* Changes an entry: keeps reverse mappings, slots and counts, tells who must know. A frame or slot that is no
 * longer named is the caller's to look after (space_settle). A frame that is named newly needs room for a
 * mapper (frame_reserve_mapper). */
void space_set_pte(struct space *, vpn_t, pte_t new);
/* The same, for who has just looked the entry up: it is `old`. */
void space_replace_pte(struct space *, vpn_t, pte_t old, pte_t new);
/* What the entry named before it was replaced may be nobody's any more: then the page is over. */
void space_settle(struct space *, pte_t old, enum policy_remove);
/* Moves an entry to a page whose entry is empty. */
void space_move_pte(struct space *, vpn_t from, vpn_t to);
bool space_next_pte(const struct space *, vpn_t *vpn, vpn_t end, pte_t *ret_pte);
uint64_t space_resident(const struct space *);

/* ---- limit.c: what may be mapped, promised and locked ---- */

/* Whether `pages` more with such flags may be mapped. 0 or -ENOMEM. */
int space_may_map(const struct space *, uint64_t pages, unsigned flags);
/* Whether so many pages more may be promised, by enum vm_overcommit. 0 or -ENOMEM. */
int vm_may_promise(const struct vm *, uint64_t pages);
/* Whether `pages` more with such flags may be locked if the flags say so; whether any may. */
bool space_may_lock(const struct space *, uint64_t pages, unsigned flags);
bool space_may_lock_any(const struct space *);

/* ---- map.c ---- */

/* The lowest page that mmap chooses by itself (Linux: vm.mmap_min_addr), and the end of the first mapping
 * that it places. */
enum { MAP_LOWEST_PAGE = 0x10000 >> PAGE_SHIFT };
#define MAP_TOP 0x7ffff7fff000ULL

/* Empties the entries of [start, end), which lies in one mapping; dirty pages of shared files are written
 * back. */
void space_zap(struct space *, const struct mapping *, vpn_t start, vpn_t end, enum policy_remove);
/* Unmaps what is mapped there. 0 or -ENOMEM. */
int space_unmap_pages(struct space *, vpn_t start, vpn_t end, enum policy_remove);
/* A place for so many pages: the hint if it is free there. 0 or -ENOMEM. */
int space_find_gap(struct space *, uint64_t pages, vpn_t hint, vpn_t *ret_start);
/* The pages of a range of bytes; -EINVAL if it is not page-aligned or not in user space. */
int space_range(uint64_t address, uint64_t length, vpn_t *ret_start, vpn_t *ret_end);
/* EVENT_MAP for a part of the mapping that is new; and its name, to who observes. */
void space_emit_map_range(struct space *, const struct mapping *, vpn_t start, vpn_t end);
/* To who observes: what a part of the mapping is called, and what it permits. */
void space_tell_range(struct space *, const struct mapping *, vpn_t start, vpn_t end);

/* ---- advise.c ---- */

/* Faults in every page of the range, for a write where `access` says so. The first failure. */
enum fault_result space_populate(struct space *, vpn_t start, vpn_t end, unsigned access);
/* Brings in what is mapped there as mlock() and MAP_POPULATE do: private writable pages for a write, those
 * that are locked when they are touched not at all. The first failure: the rest stays as it is. */
enum fault_result space_populate_all(struct space *, vpn_t start, vpn_t end);

/* ---- space.c ---- */

/* A space without mappings; `from` (or NULL) is the one that it will be a copy of, for the event. */
int space_create_from(struct vm *, uint32_t pid, const struct space *from, struct space **ret_space);

/* ---- fault.c ---- */

/* An access by the kernel on the program's behalf, through the page table and the fault handler: a reference.
 * Behind *ret_frame is the page until the next call of anything that may fault. Not for FAULT_OK: as
 * space_fault(). */
enum fault_result space_touch(struct space *, uint64_t address, unsigned access, pfn_t *ret_frame);

/* Maps the page as a read would, without being a fault. 0 or -errno. */
int space_bring_in(struct space *, vpn_t);

/* ---- stack.c ---- */
enum { STACK_GUARD_PAGES = 256 }; /* Linux: stack_guard_gap */
/* The lowest page that others may use below the mapping: a stack keeps a gap. */
vpn_t mapping_guarded_start(const struct mapping *);
/* Grows the stack above the page down to it: its mapping, or NULL. */
struct mapping *space_grow_stack(struct space *, vpn_t);

#endif
