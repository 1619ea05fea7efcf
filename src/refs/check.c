/* See check.h. */
#include "refs/check.h"

#include "base/base.h"
#include "hw/types.h"
#include "policy/policy.h"

enum { ACCESS_ALL = ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC };

const char *refs_item_check(const struct refs_item *item, uint32_t pages, uint32_t marks) {
    if (item->kind > REFS_MARK)
        return "there is no such kind of item";
    if (item->kind == REFS_MARK)
        return item->page < marks ? NULL : "it names a mark that there is not";
    if (item->page >= pages)
        return "it names a page that there is not";
    if (item->kind == REFS_REFERENCE && (!item->flags || item->flags & ~ACCESS_ALL))
        return "a reference reads, writes or executes";
    if (item->kind == REFS_DIES && item->flags != POLICY_UNMAPPED && item->flags != POLICY_EXITED)
        return "a page dies because it was unmapped or its process ended";
    return NULL;
}

bool refs_items_suspicious(const struct refs_item *items, size_t count, uint32_t pages) {
    uint32_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong |= (uint32_t)(items[i].page >= pages) | (uint32_t)(items[i].kind != REFS_REFERENCE) |
                 (uint32_t)((uint8_t)(items[i].flags - 1) >= ACCESS_ALL);
    return wrong;
}
