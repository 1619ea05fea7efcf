/* What a drawing is made of: an SVG document with its colours, lines and text. Presentation attributes only,
 * no style sheets: a figure is pasted into slides and pages whose own styles must not meet ours. */
#ifndef PLOT_PAPER_H
#define PLOT_PAPER_H

#include "plot/plot.h"

enum { PAPER_COLOURS = 10, PAPER_SHADES = 9 };

struct paper_colours {
    const char *paper, *ink, *faint, *grid, *accent;
    const char *lines[PAPER_COLOURS];
    const char *reference;            /* of the line that the others are held against */
    const char *shades[PAPER_SHADES]; /* of a heat map: little … much */
};

struct paper {
    struct text *text;
    const struct paper_colours *colours;
    double width, height;
    double line, size; /* the width of a line, the size of text */
};

enum paper_anchor { PAPER_LEFT, PAPER_MIDDLE, PAPER_RIGHT };

/* Everything up to the background. Title and description are for those who cannot see it. */
struct paper paper_begin(struct text *, const struct plot_style *, const char *title,
                         const char *description);
void paper_end(struct paper *);

/* As printf for SVG: %n a double with two decimals at most, %d an int, %s text as it is, %e text escaped. */
void paper_write(struct paper *, const char *format, ...);
void paper_line(struct paper *, double x1, double y1, double x2, double y2, const char *colour, double width);
void paper_text(struct paper *, double x, double y, double size, const char *colour, enum paper_anchor,
                const char *text);
void paper_bold(struct paper *, double x, double y, double size, const char *text);
/* About as wide as the text is. */
double paper_text_width(const char *text, double size);
/* Lines of text broken at spaces, the first one at y; returns the y behind the last. */
double paper_paragraph(struct paper *, double x, double y, double width, double size, const char *text);

#endif
