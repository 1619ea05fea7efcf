/* Sizes of memory, in frames for pages: as people give them, and where nobody said which. All rows are
 * ascending, without repeats. */
#ifndef ANALYSIS_SIZES_H
#define ANALYSIS_SIZES_H

#include <stddef.h>
#include <stdint.h>

/* "A..B", "A..B:STEP", lists of these with commas; numbers of frames, or bytes with K, M, G. 0, or -EINVAL
 * with *ret_message (malloc'd). */
int sizes_parse(const char *text, uint32_t **ret_sizes, size_t *ret_count, char **ret_message);

/* Up to `most` (> 1) sizes from few pages to all of them (one, if there is none), each larger than the one
 * before by the same factor. How many, into an array with room for `most`. */
size_t sizes_between(uint32_t pages, size_t most, uint32_t *sizes);

/* The sizes, and others between the first and the last: `most` at most, or as many as were there. 0 or
 * -ENOMEM. */
int sizes_refine(const uint32_t *given, size_t count, size_t most, uint32_t **ret_sizes, size_t *ret_count);

#endif
