/* What is in the frames, told by events: for machines small enough to draw.
 *
 * A copy of each frame is kept, as those who listen know it; what differs is told in lines of 32 bytes. To a
 * listener a frame that is filled (EVENT_ZERO_FILL, EVENT_FILE_READ, EVENT_COPY) holds zeros at first, one
 * that is swapped in holds what it held when it was swapped out, and one without a page holds nothing. So
 * lines must be told before a page is written out, and those of a page that was filled before the fault is
 * over. All of this does nothing unless the machine records contents. */
#ifndef VM_CONTENT_H
#define VM_CONTENT_H

#include "hw/types.h"
#include "trace/event.h"

enum { CONTENT_FRAMES_MAX = 64 };

struct vm;
struct contents;

/* NULL in *ret_contents when nothing is to be recorded, or there are too many frames. 0 or -ENOMEM. */
int contents_create(struct vm *, struct contents **ret_contents);
void contents_destroy(struct contents *); /* NULL is fine */

/* The frame was filled, and the event of that emitted. */
void content_filled(struct vm *, pfn_t);
/* The same for EVENT_SWAP_IN. */
void content_swapped_in(struct vm *, pfn_t);
/* Tells what has changed in the frame, if it holds a page. vm_tell_contents() does so for all of them. */
void content_tell(struct vm *, pfn_t);

#endif
