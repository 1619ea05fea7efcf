/* Exercises: parts of a picture that are left blank for students to fill in, and their answers. */
#ifndef VIEW_BLANK_H
#define VIEW_BLANK_H

#include "trace/text.h"
#include "view/picture.h"

enum blank_part {
    BLANK_VICTIM = 1, /* which frame is the victim */
    BLANK_PTES = 2,   /* permissions and targets of some entries */
    BLANK_FRAMES = 4, /* what some frames hold */
    BLANK_POOL = 8,   /* the free pool */
    BLANK_SWAP = 16,  /* which swap pages hold data */
    BLANK_REGISTER = 32,
};

struct blank;

/* "victim,ptes,frames": 0 and a mask, or -EINVAL and the word that is wrong. */
int blank_parse(const char *list, unsigned *ret_parts, const char **ret_wrong);
/* Chooses what to blank: the same picture, parts and seed give the same choice. 0 or -ENOMEM. */
int blank_create(const struct picture *, unsigned parts, uint64_t seed, struct blank **ret_blank);
void blank_destroy(struct blank *);

unsigned blank_count(const struct blank *); /* of blanks; 0: the picture has nothing of these parts */

/* The number of the blank (1 …) at a place, 0: it is not blank. */
unsigned blank_entry(const struct blank *, size_t process, size_t cell);
unsigned blank_frame(const struct blank *, size_t frame);
unsigned blank_pool(const struct blank *);
unsigned blank_slot(const struct blank *, size_t slot);
unsigned blank_register(const struct blank *);
unsigned blank_victim(const struct blank *);
/* The key: one line a blank, "3. PID 21's entry for VPN4: rw-, PP3". */
void blank_put_key(const struct blank *, struct text *);

#endif
