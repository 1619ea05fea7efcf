/* Texts by number: each different one is kept once. */
#ifndef PLACE_TEXTS_H
#define PLACE_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct texts {
    char **texts;   /* by number, malloc'd */
    uint32_t *next; /* of the same hash: number + 1, 0 is none */
    uint32_t count;
    size_t capacity;
    struct map hashes; /* hash → number + 1 of the newest with it */
};

/* All zero is an empty collection. */
void texts_free(struct texts *);
/* The text's number, from 0. 0 or -ENOMEM. */
int texts_add(struct texts *, const char *text, uint32_t *ret_number);
const char *texts_get(const struct texts *, uint32_t number);

#endif
