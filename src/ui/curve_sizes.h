/* Options of curve and compare that not all analyses have. */
#ifndef UI_CURVE_SIZES_H
#define UI_CURVE_SIZES_H

#include "refs/refs.h"

/* Values of options: 0, or -EINVAL with *ret_message. The sizes take the place of those that were there. */
int curve_sizes_take(const char *text, uint32_t **sizes, size_t *count, char **ret_message);
int curve_observe_parse(const char *text, uint64_t *ret_bits, char **ret_message); /* 0: every reference */
int curve_swap_take(const char *text, bool *ret_none, char **ret_message);

#endif
