/* Drawing a picture: as SVG, as text, as JSON. Each appends to a struct text (trace/text.h); an allocation
 * that failed shows in the text. The same picture and options give the same bytes, on every host and in a
 * browser. */
#ifndef VIEW_DRAW_H
#define VIEW_DRAW_H

#include "trace/text.h"
#include "view/blank.h"
#include "view/picture.h"

enum palette { PALETTE_OKABE_ITO, PALETTE_LECTURE, PALETTE_MONO, PALETTES };
const char *palette_name(enum palette);
/* PALETTES when there is none of this name. */
enum palette palette_parse(const char *name);

struct draw_options {
    enum palette palette;
    bool projector;   /* white, thick, large */
    bool interactive; /* SVG only: data-* attributes and titles on parts, for the page's hover and click */
    const struct blank *blank; /* parts left out, to be filled in; NULL: none */
    unsigned columns, rows;    /* text only: the room there is; 0: 100 columns, as many rows as needed */
    bool ascii;                /* text only: no box-drawing or other characters beyond ASCII */
    bool colour;               /* text only: ANSI colours (the 16 of the user's theme) */
};

void draw_svg(const struct picture *, const struct draw_options *, struct text *);
void draw_text(const struct picture *, const struct draw_options *, struct text *);
/* {register, processes[{pid, name, space, table[{vpn, number, access, frame | disk …}]}], frames, free,
 * files, swap …}; documented in docs/PICTURES.md. Blanks are null. */
void draw_json(const struct picture *, const struct draw_options *, struct text *);

#endif
