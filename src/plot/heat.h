/* A heat map: how much happened at each place (rows, in bands) over time (columns), with a line chart of one
 * quantity over the same time below. */
#ifndef PLOT_HEAT_H
#define PLOT_HEAT_H

#include "plot/axis.h"

/* Rows that belong together: a mapping, a file. Between bands there is a gap. */
struct heat_band {
    const char *name;
    size_t rows;
};

struct heat {
    const char *title, *caption;
    size_t columns, rows;          /* rows: the sum of the bands' */
    const double *cells;           /* rows × columns, row 0 at the top; 0: nothing */
    const struct heat_band *bands; /* from the top */
    size_t band_count;
    double start, end;                   /* time at the left and right edges */
    const char *time_title, *cell_title; /* "instructions", "references a cell" */
    /* The line below: one value a column; NULL: none. */
    const double *line;
    const char *line_title;
    enum plot_unit line_unit;
};

/* Cells of the same shade in a row are one stroke, so that the file stays small. */
void heat_svg(const struct heat *, const struct plot_style *, struct text *);
/* In characters: as many columns as there are, each row one line. */
void heat_text(const struct heat *, bool ascii, struct text *);

/* The shade of a cell, 1 (little) … `shades` (the most), logarithmic; 0: nothing happened there. */
unsigned heat_shade(double value, double most, unsigned shades);
double heat_most(const struct heat *);

#endif
