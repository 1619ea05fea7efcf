/* What the files of the fold share with each other and nobody else may use: the changes of a state. */
#ifndef TRACE_FOLD_STATE_H
#define TRACE_FOLD_STATE_H

#include "trace/fold.h"

/* Mappers hold a space's number in 28 bits. */
#define FOLD_SPACE_LIMIT (1ULL << 28)
/* Page numbers are below this: 47-bit addresses and room to spare. */
#define FOLD_VPN_LIMIT (1ULL << 36)

void fold_complain(struct fold *, const char *what);

/* fold.c */
int fold_set_geometry(struct fold *, uint64_t frames, uint64_t reserved, uint64_t swap_pages);
/* NULL when there is no memory; the frame must be below frame_total. */
struct fold_frame *fold_touch_frame(struct fold *, uint64_t frame);
int fold_set_frame(struct fold *, uint64_t frame, enum event_frame use, uint64_t page, uint64_t since);
/* Whether the frame is as in the beginning. */
bool fold_frame_is_pristine(const struct fold *, uint64_t frame);
int fold_set_slot(struct fold *, uint64_t slot, struct fold_slot);
struct fold_process *fold_add_process(struct fold *, uint32_t pid);  /* NULL: no memory; it must be new */
struct fold_object *fold_add_object(struct fold *, uint64_t number); /* the same */

/* fold-space.c */
struct fold_space *fold_add_space(struct fold *, uint64_t number); /* NULL: no memory; it must be new */
void fold_remove_space(struct fold *, struct fold_space *);
int fold_map(struct fold *, struct fold_space *, const struct fold_mapping *);
int fold_unmap(struct fold *, struct fold_space *, uint64_t first, uint64_t pages);
int fold_protect(struct fold *, struct fold_space *, uint64_t first, uint64_t pages, unsigned access);
/* Changes an entry and the mappers of the frames in question. A frame beyond memory or a slot beyond the swap
 * area: a complaint, and nothing changed. */
int fold_set_entry(struct fold *, struct fold_space *, uint64_t vpn, pte_t);

/* fold-show.c */
enum { FOLD_OUTPUT_ROOM = 2 * FOLD_OUTPUT }; /* bytes of fold->output */
int fold_add_label(struct fold *, const struct fold_label *);
int fold_say_content(struct fold *, uint64_t frame, uint64_t line, const uint64_t words[4]);
void fold_forget_content(struct fold *, uint64_t frame);
void fold_forget_slot_content(struct fold *, uint64_t slot);
int fold_content_to_slot(struct fold *, uint64_t frame, uint64_t slot);
int fold_content_from_slot(struct fold *, uint64_t slot, uint64_t frame);
/* `contents`: the fold's contents or slot_contents. */
int fold_load_content(struct fold *, struct sparse *contents, uint64_t n, const void *bytes);
int fold_print(struct fold *, uint64_t string);
int fold_add_output(struct fold *, const char *bytes, uint64_t length);
void fold_free_shown(struct fold *);

#endif
