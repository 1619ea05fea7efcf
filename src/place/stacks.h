/* Call stacks, each kept once: a tree in which a node is a frame, its parent the frame that called it. */
#ifndef PLACE_STACKS_H
#define PLACE_STACKS_H

#include "base/map.h"
#include "place/key.h"

struct stack_node {
    uint32_t parent; /* 0: it is the outermost frame */
    struct key frame;
};

struct stacks {
    struct stack_node *nodes; /* 0 is not used */
    uint32_t count;
    size_t capacity;
    struct map frames; /* struct key → number */
    uint32_t frame_count;
    struct map children; /* parent << 32 | number of the frame → node */
};

/* All zero is empty. */
void stacks_free(struct stacks *);
/* The node of a frame called by `parent` (0: by nobody). 0 or -ENOMEM. */
int stacks_add(struct stacks *, uint32_t parent, struct key frame, uint32_t *ret_node);
static inline const struct stack_node *stacks_get(const struct stacks *s, uint32_t node) {
    return &s->nodes[node];
}

#endif
