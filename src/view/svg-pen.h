/* The pen: SVG elements, one function each. Whole pixels; text is escaped and made to fit. Nothing of the
 * picture is known here but its options. */
#ifndef VIEW_SVG_PEN_H
#define VIEW_SVG_PEN_H

#include "view/palette.h"

struct box {
    int x, y, width, height;
};

struct point {
    int x, y;
};

enum { ROUTE_POINTS = 10 };

struct route { /* a line with corners; the arrowhead is at its end */
    struct point points[ROUTE_POINTS];
    unsigned count;
};

struct pen {
    struct text *text;
    const struct draw_options *options;
    const struct palette_shades *shades;
};

enum pen_style {
    PEN_BOLD = 1,
    PEN_MONOSPACE = 2,
    PEN_LEFT = 4, /* the box's left edge is where the text begins; without either: centred */
    PEN_RIGHT = 8,
    PEN_ITALIC = 16,
    PEN_WHOLE = 32, /* a number or the like, of which nothing may be left out: as small as need be */
};

/* Writes a format: %d an int, %u a uint64_t, %x the same in hexadecimal, %s text as it is, %e text escaped,
 * %c a character (escaped), %% a percent sign. */
void pen_write(struct pen *, const char *format, ...);

/* Text on one line, in the middle of the box's height. It gets smaller down to four fifths of `size`, then
 * its middle is left out. */
void pen_text(struct pen *, struct box, int size, const char *ink, unsigned style, const char *text);
/* "PID 21: /home/…/mypgm": the name is what gets shorter. An empty one leaves the colon out. */
void pen_title(struct pen *, struct box, int size, const char *ink, unsigned style, const char *title,
               uint64_t number, const char *name);
/* The width of text at this size, about. */
int pen_text_width(const char *text, int size, unsigned style);
/* Text that was put together. */
void pen_textf(struct pen *, struct box, int size, const char *ink, unsigned style, const char *format, ...);
/* As many lines as needed, broken at spaces, from the top of the box. */
int pen_paragraph_height(int width, int size, unsigned style, const char *text);
void pen_paragraph(struct pen *, struct box, int size, const char *ink, unsigned style, const char *text);

void pen_rect(struct pen *, struct box, const char *fill, int stroke);
void pen_rounded(struct pen *, struct box, int radius, const char *fill, int stroke);
void pen_dashed_box(struct pen *, struct box, const char *fill);
void pen_ellipse(struct pen *, struct box, const char *fill, int stroke);
/* Hatching over the box: strong for pages that hold data, else for places where nothing is. */
void pen_hatch(struct pen *, struct box, bool strong);
/* A surface: filled, hatched in the palette without colours. `colour`: index of a file's colour. */
void pen_file_surface(struct pen *, struct box, unsigned colour);
void pen_ring(struct pen *, struct box);
void pen_cylinder(struct pen *, struct box, const char *fill);
void pen_dot(struct pen *, struct point);
/* An arrow along the route, with corners rounded and a pale edge that keeps crossing lines apart. `moves`: a
 * page takes this way in this step. */
void pen_arrow(struct pen *, const struct route *, bool dashed, bool moves);
void pen_definitions(struct pen *);

/* The thickness of a line that is `width` thick on an ordinary picture, and the same for text sizes. */
int pen_thick(const struct pen *, int width);
int pen_size(const struct pen *, int size);

static inline struct box box_inset(struct box b, int by) {
    return (struct box){b.x + by, b.y + by, b.width - 2 * by, b.height - 2 * by};
}
static inline int box_middle(struct box b) {
    return b.x + b.width / 2;
}
static inline int box_bottom(struct box b) {
    return b.y + b.height;
}
static inline int box_right(struct box b) {
    return b.x + b.width;
}

static inline void route_add(struct route *r, int x, int y) {
    if (r->count < ROUTE_POINTS)
        r->points[r->count++] = (struct point){x, y};
}

#endif
