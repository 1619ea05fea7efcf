/* Colours of a drawing. Every colour comes with another channel: files have an initial (and in the palette
 * without colours a hatching of their own), pages a number, changes a ring. */
#ifndef VIEW_PALETTE_H
#define VIEW_PALETTE_H

#include "view/draw.h"

/* "#rrggbb": a surface, and text that is readable on it (contrast 4.5:1 at least). */
struct shade {
    const char *fill, *ink;
};

struct palette_shades {
    struct shade files[PICTURE_COLOURS];
    struct shade anonymous, system, table, free, area, disk, cpu, paper;
    const char *line, *hatch, *ring, *faint;
    bool hatched_files; /* surfaces of files are told apart by hatching */
};

const struct palette_shades *palette_shades(enum palette);

#endif
