/* Ranges of addresses, each with a key: live objects of a program by where they are. Disjoint: what is added
 * takes the place of what was there. */
#ifndef PLACE_RANGES_H
#define PLACE_RANGES_H

#include <stdbool.h>

#include <bsd/sys/tree.h>

#include "place/key.h"

struct range {
    RB_ENTRY(range) node;
    uint64_t start, end; /* end is behind the last byte */
    struct key key;
};
RB_HEAD(range_tree, range);

struct ranges {
    struct range_tree tree; /* all zero is empty */
};

void ranges_clear(struct ranges *);
/* 0 or -ENOMEM. */
int ranges_add(struct ranges *, uint64_t start, uint64_t end, struct key);
/* Removes what lies in [start, end), parts of ranges included. 0 or -ENOMEM. */
int ranges_cut(struct ranges *, uint64_t start, uint64_t end);
/* The range that begins exactly there: false, if none does. */
bool ranges_remove(struct ranges *, uint64_t start);
/* The range that contains the address, or NULL. */
const struct range *ranges_find(const struct ranges *, uint64_t address);
/* Makes an empty `to` a copy. 0 or -ENOMEM. */
int ranges_copy(struct ranges *to, const struct ranges *from);

#endif
