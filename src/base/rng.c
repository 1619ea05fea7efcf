#include "base/rng.h"

#include <string.h>

#include "base/base.h"

/* The same bytes whatever the lengths of the calls would be only if they are multiples of eight: a rest of a
 * number is thrown away. */
void rng_fill(struct rng *r, void *to, size_t length) {
    unsigned char *byte = to;
    while (length) {
        const uint64_t number = rng_next(r);
        const size_t part = min_size(length, sizeof number);
        memcpy(byte, &number, part);
        byte += part;
        length -= part;
    }
}
