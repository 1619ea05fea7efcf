#include "engine/soft/tlb.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

/* A page that can never be looked up in this place: its own place is the neighbour. */
static uint64_t empty_page(uint32_t index) {
    return (uint64_t)(index ^ 1) << PAGE_SHIFT;
}

static uint32_t index_of(const struct tlb *tlb, vpn_t vpn) {
    return (uint32_t)vpn.n & (tlb->entries - 1);
}

static bool is_empty(const struct tlb_entry *e, uint32_t index) {
    return e->page == empty_page(index);
}

int tlb_create(uint32_t entries, struct tlb *ret_tlb) {
    size_t bytes = (size_t)entries * sizeof(struct tlb_entry) * TLB_TABLES;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    *ret_tlb = (struct tlb){.table = {memory, (struct tlb_entry *)memory + entries},
                            .entries = entries,
                            .touched = TLB_TOUCHED + 1};
    tlb_flush(ret_tlb);
    return 0;
}

void tlb_destroy(struct tlb *tlb) {
    munmap(tlb->table[0], (size_t)tlb->entries * sizeof(struct tlb_entry) * TLB_TABLES);
}

void tlb_insert(struct tlb *tlb, enum tlb_table table, vpn_t vpn, const void *host) {
    uint32_t index = index_of(tlb, vpn);
    struct tlb_entry *e = &tlb->table[table][index];
    if (is_empty(e, index)) {
        if (tlb->touched < TLB_TOUCHED)
            tlb->touched_entry[tlb->touched] = index << 1 | table;
        if (tlb->touched <= TLB_TOUCHED)
            tlb->touched++;
    }
    e->page = vpn_address(vpn);
    e->addend = (uint64_t)host - vpn_address(vpn);
}

void tlb_pass(struct tlb *tlb, enum tlb_table table, uint64_t address, const void *host) {
    uint32_t index = index_of(tlb, vpn_of(address));
    tlb->table[table][index] =
        (struct tlb_entry){.page = empty_page(index), .addend = (uint64_t)host - address};
}

void tlb_forget(struct tlb *tlb, vpn_t vpn) {
    uint32_t index = index_of(tlb, vpn);
    for (int t = 0; t < TLB_TABLES; t++)
        if (tlb->table[t][index].page == vpn_address(vpn))
            tlb->table[t][index].page = empty_page(index);
}

void tlb_forget_stores(struct tlb *tlb, const void *host) {
    struct tlb_entry *table = tlb->table[TLB_STORE];
    for (uint32_t i = 0; i < tlb->entries; i++)
        if (!is_empty(&table[i], i) && table[i].page + table[i].addend == (uint64_t)host)
            table[i].page = empty_page(i);
}

void tlb_flush(struct tlb *tlb) {
    if (tlb->touched <= TLB_TOUCHED) {
        for (uint32_t i = 0; i < tlb->touched; i++) {
            uint32_t index = tlb->touched_entry[i] >> 1;
            tlb->table[tlb->touched_entry[i] & 1][index].page = empty_page(index);
        }
    } else {
        for (int t = 0; t < TLB_TABLES; t++)
            for (uint32_t i = 0; i < tlb->entries; i++)
                tlb->table[t][i].page = empty_page(i);
    }
    tlb->touched = 0;
}

const char *tlb_check(const struct tlb *tlb, const struct page_table *table, const struct physmem *mem) {
    for (int t = 0; t < TLB_TABLES; t++) {
        for (uint32_t i = 0; i < tlb->entries; i++) {
            const struct tlb_entry *e = &tlb->table[t][i];
            if (is_empty(e, i))
                continue;
            pte_t pte = table->ops->get(table, vpn_of(e->page));
            if (!pte_is_present(pte))
                return "a TLB entry for a page that is not present";
            if (e->page + e->addend != (uint64_t)physmem_frame(mem, pte_pfn(pte)))
                return "a TLB entry that leads to another frame than the page table";
            if (!pte_has(pte, t == TLB_STORE ? PTE_W | PTE_DIRTY : PTE_R))
                return "a TLB entry that allows more than the page table";
            if (!pte_has(pte, PTE_REFERENCED))
                return "a TLB entry for a page whose referenced bit is clear";
        }
    }
    return NULL;
}
