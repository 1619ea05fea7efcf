/* What a program wrote to its terminal, as the last lines of a pane.
 *
 * Not a terminal: control sequences are left out, but for line ends, tabs, backspaces and carriage returns;
 * what is not printable becomes U+FFFD. */
#ifndef TERMINAL_LINES_H
#define TERMINAL_LINES_H

#include <stddef.h>

#include "trace/text.h"

/* Appends up to `rows` lines of at most `columns` columns, joined by '\n': the
 * last ones of the output. */
void lines_put(const char *bytes, size_t length, size_t rows, size_t columns, struct text *);

#endif
