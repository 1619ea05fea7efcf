/* What the files that draw SVG share: the kinds of picture, and the parts that several of them have. */
#ifndef VIEW_SVG_DRAW_H
#define VIEW_SVG_DRAW_H

#include "view/blank.h"
#include "view/svg-layout.h"

struct drawing {
    struct pen pen;
    const struct picture *picture;
    const struct blank *blank; /* NULL: nothing is left blank */
    bool marks;                /* rings, victims: not in exercises, which they would give away */
};

/* The kinds: each draws everything and returns the canvas. */
struct box svg_tables(struct drawing *);  /* svg-tables.c: PICTURE_TABLES, _TABLE, _SHARING */
struct box svg_regions(struct drawing *); /* svg-regions.c */
struct box svg_memory(struct drawing *);  /* svg-memory.c: PICTURE_MEMORY, _FRAMES_ONLY, _POOL */
struct box svg_spaces(struct drawing *);  /* svg-spaces.c */
struct box svg_system(struct drawing *);  /* svg-system.c: PICTURE_COMPUTER, _SYSTEM, _CONTEXTS */

/* svg-part.c: parts of several kinds */

/* The surface of a page: the colour of what it holds. */
void draw_surface(struct drawing *, struct box, const struct picture_disk *);
const char *draw_ink(const struct drawing *, const struct picture_disk *);
/* The initial of the file, small, in the upper right corner. */
void draw_initial(struct drawing *, struct box, const struct picture_disk *);
/* A cell of a strip, with its name. */
void draw_cell(struct drawing *, struct box, size_t process, size_t cell);
/* Cells first … first + count - 1; count 0: a process without an address space. */
void draw_strip(struct drawing *, struct box strip, int cell_width, size_t process, size_t first,
                size_t count);
void draw_frame(struct drawing *, struct box, size_t frame);
/* Says below a frame that it is the victim. */
void draw_victim(struct drawing *, struct box frame);
/* An empty box to be filled in, with its number. */
void draw_blank(struct drawing *, struct box, unsigned number);
/* A page table: header, permissions, ends of arrows. */
void draw_table(struct drawing *, struct box table, int cell_width, size_t process, size_t first,
                size_t count);
/* The sentence about the step, below everything: how much room it needs (0: there is none), and the sentence.
 * A page shows it by itself, and an exercise must not. */
int draw_caption_height(const struct drawing *, int width);
void draw_caption(struct drawing *, struct box);
/* A slide whose upper part is full: the caption below, and the canvas that holds both. */
struct box draw_slide(struct drawing *);
enum { SLIDE_WIDTH = 1280, SLIDE_HEIGHT = 720 };
void draw_area(struct drawing *, struct box, const char *title);
void draw_cpu(struct drawing *, struct box, const char *name);

/* svg-disk.c */
void draw_disk(struct drawing *, const struct layout *);

/* svg-chain.c: groups that a page can light up; nothing unless the drawing is interactive. A token names a
 * page, frame …: see docs/PICTURES.md. */
void chain_cell(struct drawing *, const char *part, size_t process, size_t cell);
void chain_frame(struct drawing *, size_t frame);
/* An invisible rectangle for the same: of a cell of a heat map. */
void chain_frame_handle(struct drawing *, size_t frame, struct box);
void chain_place(struct drawing *, const struct picture_disk *);
void chain_process(struct drawing *, const char *part, size_t process);
void chain_end(struct drawing *);

#endif
