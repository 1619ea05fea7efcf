#include "place/ranges.h"

#include <errno.h>
#include <stdlib.h>

static int range_compare(const struct range *a, const struct range *b) {
    return a->start < b->start ? -1 : a->start > b->start;
}

RB_PROTOTYPE(range_tree, range, node, range_compare)
RB_GENERATE(range_tree, range, node, range_compare)

static void range_drop(struct ranges *r, struct range *range) {
    RB_REMOVE(range_tree, &r->tree, range);
    free(range);
}

static int range_insert(struct ranges *r, uint64_t start, uint64_t end, struct key key) {
    struct range *range = calloc(1, sizeof *range);
    if (!range)
        return -ENOMEM;
    range->start = start;
    range->end = end;
    range->key = key;
    RB_INSERT(range_tree, &r->tree, range);
    return 0;
}

void ranges_clear(struct ranges *r) {
    while (!RB_EMPTY(&r->tree))
        range_drop(r, RB_ROOT(&r->tree));
}

/* The last range that begins at or below the address. */
static struct range *range_below(const struct ranges *r, uint64_t address) {
    struct range *at = RB_ROOT(&r->tree), *found = NULL;
    while (at) {
        if (at->start <= address) {
            found = at;
            at = RB_RIGHT(at, node);
        } else {
            at = RB_LEFT(at, node);
        }
    }
    return found;
}

const struct range *ranges_find(const struct ranges *r, uint64_t address) {
    const struct range *found = range_below(r, address);
    return found && address < found->end ? found : NULL;
}

/* The first range that ends above the address. */
static struct range *range_first(struct ranges *r, uint64_t address) {
    struct range *found = range_below(r, address);
    if (!found)
        return RB_MIN(range_tree, &r->tree);
    return found->end > address ? found : RB_NEXT(range_tree, &r->tree, found);
}

int ranges_cut(struct ranges *r, uint64_t start, uint64_t end) {
    struct range *at = range_first(r, start), *next;
    for (; at && at->start < end; at = next) {
        next = RB_NEXT(range_tree, &r->tree, at);
        if (at->end > end && range_insert(r, end, at->end, at->key))
            return -ENOMEM;
        if (at->start < start)
            at->end = start;
        else
            range_drop(r, at);
    }
    return 0;
}

int ranges_add(struct ranges *r, uint64_t start, uint64_t end, struct key key) {
    const int error = ranges_cut(r, start, end);
    return error ? error : range_insert(r, start, end, key);
}

bool ranges_remove(struct ranges *r, uint64_t start) {
    struct range *found = range_below(r, start);
    if (!found || found->start != start)
        return false;
    range_drop(r, found);
    return true;
}

int ranges_copy(struct ranges *to, const struct ranges *from) {
    struct range *range;
    RB_FOREACH(range, range_tree, (struct range_tree *)&from->tree)
    if (range_insert(to, range->start, range->end, range->key))
        return -ENOMEM;
    return 0;
}
