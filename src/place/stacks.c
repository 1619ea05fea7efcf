#include "place/stacks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

void stacks_free(struct stacks *s) {
    free(s->nodes);
    map_free(&s->frames);
    map_free(&s->children);
    *s = (struct stacks){0};
}

static int stacks_grow(struct stacks *s) {
    if (array_reserve(&s->nodes, &s->capacity, s->count + 1ULL, sizeof *s->nodes))
        return -ENOMEM;
    s->count = s->count ? s->count : 1;
    return 0;
}

static int frame_number(struct stacks *s, struct key frame, uint64_t *ret_number) {
    if (map_get(&s->frames, frame.v, ret_number))
        return 0;
    if (map_put(&s->frames, frame.v, s->frame_count))
        return -ENOMEM;
    *ret_number = s->frame_count++;
    return 0;
}

int stacks_add(struct stacks *s, uint32_t parent, struct key frame, uint32_t *ret_node) {
    uint64_t number, node;
    if (stacks_grow(s) || frame_number(s, frame, &number))
        return -ENOMEM;
    const uint64_t edge = (uint64_t)parent << 32 | number;
    if (!map_get(&s->children, edge, &node)) {
        if (map_put(&s->children, edge, s->count))
            return -ENOMEM;
        node = s->count;
        s->nodes[s->count++] = (struct stack_node){parent, frame};
    }
    *ret_node = (uint32_t)node;
    return 0;
}
