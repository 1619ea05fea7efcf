/* Page tables: one small interface, a file for each format.
 *
 * A table maps page numbers to logical PTEs (hw/pte.h). It knows neither mappings nor policies; changing an
 * entry does not touch the TLB — who changes it tells the engine (hw/engine.h, `forget_page`). */
#ifndef HW_PAGETABLE_H
#define HW_PAGETABLE_H

#include "base/inject.h"
#include "hw/physmem.h"
#include "hw/pte.h"

/* Where a format whose tables live in physical memory gets its frames. Given by the OS, which counts them. */
struct table_frames {
    struct physmem *mem;
    int (*alloc)(void *context, pfn_t *ret_frame); /* a zero-filled frame; 0 or -ENOMEM */
    void (*free)(void *context, pfn_t frame);
    void *context;
    struct inject *inject; /* for what a format allocates on the host, or NULL */
};

struct page_table {
    const struct page_table_ops *ops;
    uint32_t
        space; /* number of the address space that the table belongs to; the OS's, for events and the TLB */
    uint32_t frames; /* frames of physical memory that the table occupies now */
};

struct page_table_ops {
    const char *name;        /* as on the command line: "array", "x86-64" */
    const char *description; /* one line, for messages */
    unsigned levels;         /* 1 … 4: entries read by a walk */

    int (*create)(const struct table_frames *frames, struct page_table **ret_table);
    /* Frees the table frames. Entries must have been emptied by the OS before (it
     * owns what they point at). */
    void (*destroy)(struct page_table *);

    /* The entry of a page; the empty PTE where no table exists. Never fails, never allocates. */
    pte_t (*get)(const struct page_table *, vpn_t);

    /* Allocates what a later set() of this page may need, so that set() cannot fail: called before a victim
     * is picked. 0 or -ENOMEM (a partly built path stays, empty, and is freed with the next set() in it). */
    int (*prepare)(struct page_table *, vpn_t);

    /* Writes the entry. A non-empty value needs prepare() first. Writing the empty PTE frees table frames
     * that become empty. */
    void (*set)(struct page_table *, vpn_t, pte_t);

    /* The first non-empty entry at or after *vpn and before `end`: returns true with the page and its PTE,
     * false when there is none. Skips holes without visiting each page. */
    bool (*next)(const struct page_table *, vpn_t *vpn, vpn_t end, pte_t *ret_pte);

    /* Sets referenced and/or dirty bits of a present entry, as the MMU does
     * (PTE_REFERENCED, PTE_DIRTY only). */
    void (*mark)(struct page_table *, vpn_t, uint64_t bits);

    /* What the MMU does (hw/mmu.h), in one walk: true when the entry is present and allows `access` (enum
     * access bits) to user mode, after setting its referenced and, for a write, its dirty bit. Else false and
     * nothing changed. *ret_pte is the entry as it is now. Page numbers outside user space are allowed. */
    bool (*walk)(struct page_table *, vpn_t, unsigned access, pte_t *ret_pte);

    /* Verifies the format's own invariants (counts of used entries, frames). Returns
     * NULL, or what is wrong. */
    const char *(*check)(const struct page_table *);
};

extern const struct page_table_ops page_table_array;
extern const struct page_table_ops page_table_x86_64;

/* All formats, NULL-terminated; and the one of that name, or NULL. */
extern const struct page_table_ops *const page_table_formats[];
const struct page_table_ops *page_table_find(const char *name);

#endif
