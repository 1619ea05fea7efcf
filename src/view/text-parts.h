/* The parts of a picture in characters; inside text*.c only. Each is drawn from `row` on and moves it. */
#ifndef VIEW_TEXT_PARTS_H
#define VIEW_TEXT_PARTS_H

#include "view/draw.h"
#include "view/text-canvas.h"

enum { PART_PLACE = 24, PART_TEXT = 40 }; /* bytes: the name of a place on the disk, the text of a cell */

/* Of the 16: bright black, the lecture's violet, what is marked. */
enum { COLOUR_HATCH = 9, COLOUR_SWAP = 6, COLOUR_OS = 7 };

struct drawing {
    const struct picture *picture;
    const struct draw_options *options;
    struct canvas canvas;
    size_t row;
    bool boxed; /* with borders and legends: there is no limit of rows */
    bool failed;
};

/* text-process.c: what is shown of each process. */
enum strip_row { STRIP_VPN, STRIP_PAGE, STRIP_ACCESS, STRIP_TARGET, STRIP_ROWS };
enum {
    STRIP_SPACE = 1 << STRIP_VPN | 1 << STRIP_PAGE,
    STRIP_TABLE = STRIP_SPACE | 1 << STRIP_ACCESS | 1 << STRIP_TARGET,
    STRIP_SHARING = STRIP_SPACE | 1 << STRIP_TARGET,
};
/* Draws all processes that have room in `rows` rows (0: no limit). */
void part_processes(struct drawing *, unsigned strip_rows, size_t rows);

/* text-memory.c */
size_t part_frames_height(const struct drawing *, bool content);
/* A line about the memory and its free pool, then the frames. At most `rows` rows, 0: no limit. */
void part_frames(struct drawing *, bool content, size_t rows);

/* text-disk.c: files and swap. At most `rows` rows, 0: no limit. */
void part_disk(struct drawing *, size_t rows);

/* ---- tools ---- */

struct style part_file_style(const struct picture *, const struct picture_disk *);
/* "m6", "~11", "~": the initial of the file, or ~ for a page of no file, and the number on the disk. */
void part_place_text(const struct picture *, const struct picture_disk *, char text[PART_PLACE]);
/* Whether marks may be shown: in an exercise they would give answers away. */
static inline bool part_shows_marks(const struct drawing *d) {
    return !d->options->blank;
}
static const struct style style_plain = {0, false}, style_bold = {0, true};

#endif
