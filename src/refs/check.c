/* See check.h. */
#include "refs/check.h"

#include "base/base.h"
#include "hw/types.h"
#include "policy/policy.h"

enum { ACCESS_ALL = ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC };

const char *refs_item_check(const struct refs_item *item, struct refs_before *before) {
    if (item->kind > REFS_MARK)
        return "there is no such kind of item";
    if (item->kind == REFS_MARK)
        return item->page < before->marks ? NULL : "it names a mark that there is not";
    if (item->page >= before->pages)
        return "it names a page that there is not";
    if (item->page > before->fresh)
        return "pages are numbered as they appear, and it skips one";
    if (item->kind == REFS_REFERENCE && (!item->flags || item->flags & ~ACCESS_ALL))
        return "a reference reads, writes or executes";
    if (item->kind == REFS_DIES && item->flags != POLICY_UNMAPPED && item->flags != POLICY_EXITED)
        return "a page dies because it was unmapped or its process ended";
    before->fresh = max_u32(before->fresh, item->page + 1);
    return NULL;
}

bool refs_items_are_plain(const struct refs_item *items, size_t count, const struct refs_before *before) {
    uint32_t wrong = 0, highest = 0;
    for (size_t i = 0; i < count; i++) {
        highest = max_u32(highest, items[i].page);
        wrong |= items[i].kind | (uint32_t)((uint8_t)(items[i].flags - 1) >= ACCESS_ALL);
    }
    return !wrong && highest < before->fresh;
}
