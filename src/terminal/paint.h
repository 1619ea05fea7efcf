/* Text with colours on curses' screen.
 *
 * Text comes as draw_text() gives it: UTF-8 with SGR sequences (ECMA-48, 8.3.117) of the 16 colours, bold,
 * faint, underline and reverse. Colour pairs are made when they are first needed, as many as the terminal
 * has; beyond that, text is shown without its colour. */
#ifndef TERMINAL_PAINT_H
#define TERMINAL_PAINT_H

#include <stdbool.h>
#include <stddef.h>

enum { PAINT_COLOURS = 17, PAINT_PAIRS = PAINT_COLOURS * PAINT_COLOURS };

struct paint {
    bool colour; /* false: NO_COLOR, or a terminal without */
    bool ascii;  /* other characters become '?', an ellipsis '~' */
    /* private */
    short pairs[PAINT_PAIRS]; /* by (foreground + 1, background + 1); 0: not made yet */
    short made;
};

/* After curses has begun. */
void paint_begin(struct paint *, bool colour, bool ascii);
/* One line of text into a row of the screen, from column `x` on, at most `columns` wide; what is left of the
 * row is cleared. `attributes`: of curses, for the whole line. */
void paint_line(struct paint *, int y, int x, int columns, unsigned attributes, const char *bytes,
                size_t length);
/* Lines joined by '\n' into rows from `y` on; rows that are left are cleared. */
void paint_lines(struct paint *, int y, int rows, int columns, unsigned attributes, const char *bytes,
                 size_t length);

#endif
