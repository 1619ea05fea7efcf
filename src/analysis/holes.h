/* A set of moments of which the latest is asked for: bitmaps, each bit of which says whether there is any in
 * a word of the one below. Adding, removing and asking take a step a level: five for 2^30 moments. */
#ifndef ANALYSIS_HOLES_H
#define ANALYSIS_HOLES_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bitmap.h"

enum { HOLES_LEVELS = 6 };

struct holes {
    uint64_t *levels[HOLES_LEVELS]; /* the last one in use is a single word */
    int height;                     /* 0: nothing was ever added */
    uint32_t count;
};

static inline void holes_free(struct holes *holes) {
    for (int i = 0; i < holes->height; i++)
        free(holes->levels[i]);
    *holes = (struct holes){0};
}

/* Room for moments below `window`. 0 or -ENOMEM. */
static inline int holes_init(struct holes *ret_holes, uint32_t window) {
    struct holes holes = {0};
    uint64_t bits = (uint64_t)window + 1;
    do {
        bits = bitmap_words(bits);
        holes.levels[holes.height] = calloc(bits, sizeof **holes.levels);
        if (!holes.levels[holes.height++]) {
            holes_free(&holes);
            return -ENOMEM;
        }
    } while (bits > 1);
    *ret_holes = holes;
    return 0;
}

static inline void holes_add(struct holes *holes, uint32_t at) {
    holes->count++;
    for (int i = 0; i < holes->height; i++, at /= 64)
        bitmap_set(holes->levels[i], at);
}

static inline void holes_remove(struct holes *holes, uint32_t at) {
    holes->count--;
    for (int i = 0; i < holes->height; i++, at /= 64) {
        bitmap_clear(holes->levels[i], at);
        if (holes->levels[i][at / 64])
            break;
    }
}

/* The latest; there must be one. */
static inline uint32_t holes_latest(const struct holes *holes) {
    uint32_t at = 0;
    for (int i = holes->height - 1; i >= 0; i--)
        at = at * 64 + 63 - (uint32_t)__builtin_clzll(holes->levels[i][at]);
    return at;
}

#endif
