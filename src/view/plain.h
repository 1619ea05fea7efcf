/* Text of guests that is shown to people: file names, arguments, whatever bytes they are. */
#ifndef VIEW_PLAIN_H
#define VIEW_PLAIN_H

#include "trace/text.h"

/* Appends the bytes as UTF-8 without anything that moves a cursor, colours or reorders text: each byte that
 * is not part of valid UTF-8, each control and each direction mark becomes U+FFFD. What needs more than
 * `columns` of a terminal is cut and ends in "…"; 0: never cut. */
void plain_put(struct text *, const void *bytes, size_t length, size_t columns);

/* The columns that UTF-8 text occupies on a terminal, on every host the same. */
size_t plain_columns(const char *bytes, size_t length);

/* Reads one character of UTF-8 (RFC 3629). The bytes that it has, at least 1 of a non-empty text;
 * *ret_character is U+FFFD when they are not valid. */
size_t plain_decode(const char *bytes, size_t length, uint32_t *ret_character);

/* The columns of one character: 0, 1 or 2. */
unsigned plain_width(uint32_t character);

#endif
