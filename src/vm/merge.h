/* When mappings that meet become one, by Linux's rules (vma_merge_new_range, vma_merge_existing_range): a
 * program sees it in /proc/self/maps, and in calls that do not go across mappings.
 *
 * Two mappings join if a program could not tell them apart from one: same flags, same opening of the same
 * file, and the file's pages go on. Private ones must also be of one *family* (Linux: anon_vma), or one of
 * them not be of any: a mapping gets one when a frame is first filled for it alone, that of a
 * neighbour with which it could join but for its permissions, else a new one. A fork gives each of the
 * child's mappings a family of its own, which is *inherited*: those join nothing that is not of the family,
 * so that the way from a frame to all who share it stays short on Linux; here it is merely so. */
#ifndef VM_MERGE_H
#define VM_MERGE_H

#include "vm/mapping.h"

/* Gives the part [start, end) of the mapping other flags: joins it with neighbours that are equal now, or
 * splits it off. *mapping becomes the mapping that contains the part. 0 or -ENOMEM; then the mapping may have
 * been split. */
int mapping_modify(struct mapping **mapping, vpn_t start, vpn_t end, unsigned flags);
/* The same with another name: a reference is taken. NULL: none. */
int mapping_rename(struct mapping **mapping, vpn_t start, vpn_t end, struct mapping_name *);
/* Enters a mapping like the template where nothing is mapped, or extends those it joins; *ret_mapping is what
 * contains it. 0 or -ENOMEM. */
int mapping_place(struct space *, const struct mapping *template, struct mapping **ret_mapping);
/* Extends a mapping by new private anonymous memory: false when that does not join it. */
bool mapping_prolong(struct mapping *, vpn_t end, unsigned flags);

/* The mapping is a copy of the other one in a child. */
void mapping_inherit(struct mapping *child, const struct mapping *parent);
void mapping_found_family(struct mapping *);

/* A frame is being filled for a private mapping alone: zeros, or a copy. */
static inline void mapping_filled(struct mapping *m) {
    if (__builtin_expect(!m->family, false))
        mapping_found_family(m);
}

#endif
