/* The swap area of a simulated memory, where it is of a certain size: which page has which slot, as the
 * machine (vm/swap.c) has it. A page keeps its slot when it is read back, as long as there are others; then
 * one that is in a frame loses it, and is dirty from then on. Slots are taken in the machine's order: the one
 * that was given back last, else the lowest that was never used, else the next behind the hand whose page is
 * in a frame. */
#ifndef ANALYSIS_SWAP_AREA_H
#define ANALYSIS_SWAP_AREA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SWAP_AREA_NONE = UINT32_MAX };

struct swap_area;

/* Of so many slots, at least one. 0 or -ENOMEM. */
int swap_area_create(uint32_t slots, struct swap_area **ret_area);
void swap_area_destroy(struct swap_area *);
/* There are so many pages now. 0 or -ENOMEM. */
int swap_area_add_pages(struct swap_area *, size_t pages);

/* Whether a page can get a slot now. */
bool swap_area_has_room(const struct swap_area *);
/* The page, which is in a frame, gets a slot if it has none. False: there is none to be had. *ret_lost: the
 * page that has lost its own, or SWAP_AREA_NONE. */
bool swap_area_assign(struct swap_area *, uint32_t page, uint32_t *ret_lost);
/* The page left its frame; came into one; needs its slot no more. */
void swap_area_page_out(struct swap_area *, uint32_t page);
void swap_area_page_in(struct swap_area *, uint32_t page);
void swap_area_release(struct swap_area *, uint32_t page);
/* Whether there ever was no slot but one of a page in a frame. */
bool swap_area_was_short(const struct swap_area *);

#endif
