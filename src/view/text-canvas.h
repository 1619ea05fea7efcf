/* A sheet of characters: what is written into it is clipped at its right edge and at its last row. */
#ifndef VIEW_TEXT_CANVAS_H
#define VIEW_TEXT_CANVAS_H

#include "trace/text.h"

enum { CANVAS_GLYPH = 8 }; /* bytes of a character with the marks that combine with it */

/* Colours are those of the user's terminal: 1 … 16 are SGR 30–37 and 90–97; 0 is the terminal's own. */
struct style {
    uint8_t colour;
    bool bold;
};

struct glyph {
    char bytes[CANVAS_GLYPH]; /* UTF-8; empty: the right half of a wide character, or a blank never written */
    uint8_t length;
    bool covered; /* the right half of a wide character */
    struct style style;
};

struct canvas {
    size_t columns, limit; /* limit: rows; 0: as many as are written */
    bool ascii;            /* other characters get a stand-in */
    bool cut;              /* something was written below the last row */
    bool failed;           /* out of memory */
    size_t rows, capacity; /* rows */
    struct glyph *glyphs;  /* owned; `columns` a row */
};

void canvas_free(struct canvas *);
/* Writes UTF-8 at a place; returns the column behind it. */
size_t canvas_put(struct canvas *, size_t row, size_t column, const char *text, struct style);
/* So many times. */
size_t canvas_repeat(struct canvas *, size_t row, size_t column, const char *character, size_t times,
                     struct style);
/* All rows, each without the blanks at its end and with a newline. `colour`: with the styles as ANSI
 * sequences, and plain at the end of each row. */
void canvas_print(const struct canvas *, bool colour, struct text *);

#endif
