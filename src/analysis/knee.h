/* The knees of a curve: the sizes behind which more memory gains little.
 *
 * The curve is taken as it falls, made monotone from the right (a policy such as FIFO may have more misses
 * with more frames). A size is a knee when the misses saved per frame on the way to it are at least
 * KNEE_RATIO times those saved per frame behind it, both over a quarter of the size, and that way saves at
 * least KNEE_SHARE percent of all that can be saved. Of neighbouring sizes that qualify, the last of the fall
 * is taken. */
#ifndef ANALYSIS_KNEE_H
#define ANALYSIS_KNEE_H

#include <stddef.h>
#include <stdint.h>

enum { KNEE_RATIO = 5, KNEE_SHARE = 10 };

/* Of `count` points with ascending sizes: writes at most `max` indexes of knees in ascending order, returns
 * how many; -1 when there is no memory. */
long knees_find(const uint32_t *sizes, const uint64_t *faults, size_t count, size_t *ret_indexes, size_t max);

#endif
