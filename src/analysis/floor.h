/* The least memory in which a run can be made without swap, and how much of what it takes.
 *
 * Without swap an anonymous page (shared memory is anonymous, too) stays where it is until it dies; only
 * pages of files can be dropped. So at each reference there must be frames for all anonymous pages that live
 * then, and one more if the page referred to is a file's. The largest of these needs is the floor: with one
 * frame less somebody is killed for want of memory, whatever the replacement policy. With so many frames
 * nobody is, but for one case: a page that was given up (MADV_FREE), lost, and only then read again has to
 * stay from then on. Whether it is lost is the policy's decision, so a simulation has
 * to say (answer.alive). */
#ifndef ANALYSIS_FLOOR_H
#define ANALYSIS_FLOOR_H

#include "refs/refs.h"

struct floor_scan;

/* Frames for pages. */
struct floor_result {
    uint32_t floor;             /* see above; 0: no reference was made */
    uint64_t floor_instruction; /* where it is needed for the first time */
    uint32_t anonymous;         /* anonymous pages that live at once, at most; given up ones if read again */
    uint32_t files;             /* pages of files that were touched and still exist, at most */
    uint32_t all;               /* both together, at most: with so many frames there are cold misses only */
    uint64_t cold_anonymous;    /* first touches that need no reading */
    uint64_t cold_files;        /* … and that do */
    bool forked;                /* an address space was copied, so that pages may be in several */
};

int floor_scan_create(const struct refs_source *, struct floor_scan **ret_scan); /* 0 or -ENOMEM */
void floor_scan_destroy(struct floor_scan *);
int floor_scan_feed(struct floor_scan *, const struct refs_item *, size_t count); /* 0 or -ENOMEM */
void floor_scan_get(const struct floor_scan *, struct floor_result *ret_result);

#endif
