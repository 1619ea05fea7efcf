#include "hw/mmu.h"

#include "base/base.h"

enum mmu_result mmu_walk(struct page_table *table, vpn_t vpn, unsigned access, pte_t *ret_pte) {
    if (likely(table->ops->walk(table, vpn, access, ret_pte)))
        return MMU_OK;
    return pte_is_present(*ret_pte) ? MMU_PROTECTION : MMU_NOT_PRESENT;
}
