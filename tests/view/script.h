/* Events written by hand, and the states that they make: the lecture's nine frames without a machine.
 *
 * Each script_…() function emits the events that the machine would, in its order. */
#ifndef TESTS_VIEW_SCRIPT_H
#define TESTS_VIEW_SCRIPT_H

#include "trace/fold.h"
#include "view/draw.h"
#include "view/picture.h"

struct script {
    struct fold *fold;
    struct event *events; /* all so far */
    size_t count, capacity;
    size_t step; /* the first event of the step that is marked */
    uint64_t strings, anonymous;
};

void script_start(struct script *, uint64_t frames, uint64_t reserved, uint64_t swap_pages);
void script_end(struct script *);
void script_emit(struct script *, uint32_t pid, enum event_kind, unsigned flags, uint64_t a, uint64_t b,
                 uint64_t c, uint64_t d, uint64_t e);
uint64_t script_string(struct script *, const char *);
/* From here on events are the step that pictures mark. */
void script_step(struct script *);

/* The space's number is the pid. */
void script_process(struct script *, uint32_t pid, const char *path);
void script_object(struct script *, uint64_t object, const char *path, uint64_t pages);
void script_map(struct script *, uint32_t pid, uint64_t vpn, uint64_t pages, unsigned flags, uint64_t object,
                uint64_t object_page);
void script_switch(struct script *, uint32_t pid);
void script_label_strip(struct script *, uint32_t pid, unsigned cells);
void script_label_vpn(struct script *, uint32_t pid, uint64_t vpn, unsigned cell);
void script_label_file(struct script *, const char *path, const char *name, uint64_t pages, unsigned position,
                       unsigned colour);

/* Faults, whole: a page of a file, or a page of zeroes with a slot assigned at the first touch (slot
 * UINT64_MAX: none). */
void script_touch_file(struct script *, uint32_t pid, uint64_t vpn, uint64_t frame, uint64_t object,
                       uint64_t page, unsigned access);
void script_touch_zero(struct script *, uint32_t pid, uint64_t vpn, uint64_t frame, uint64_t slot);

/* The lecture's pictures 012–018 and 019–022, each from the state before. The frames that nobody has in the
 * lecture are free. */
enum {
    SCRIPT_TEXT = 0x401,
    SCRIPT_STATIC = 0x405,
    SCRIPT_DATA = 0x406,
    SCRIPT_HEAP = 0x500,
    SCRIPT_NUMBERS = 0x600,
    SCRIPT_STACK = 0x7fffffffe,
};
void script_picture_012(struct script *);
void script_picture_013(struct script *);
void script_picture_014(struct script *);
void script_picture_015(struct script *); /* the fault and the victim */
void script_picture_016(struct script *); /* written to swap */
void script_picture_017(struct script *); /* its entry */
void script_picture_018(struct script *); /* read in, mapped */
void script_picture_019(struct script *); /* from the start: pid 21 alone */
void script_picture_020(struct script *);
void script_picture_021(struct script *);
void script_picture_022(struct script *);

/* The picture of the present state, with the step marked. Fails the test when there is no memory. */
struct picture *script_picture(struct script *, struct picture_options);

#endif
