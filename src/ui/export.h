/* A picture as a file: SVG, PNG, characters or JSON. */
#ifndef UI_EXPORT_H
#define UI_EXPORT_H

#include "view/draw.h"

enum export_format { EXPORT_SVG, EXPORT_PNG, EXPORT_TEXT, EXPORT_JSON, EXPORT_FORMATS };

/* By a word ("svg", "png", "txt", "json") or by the end of a file's name; EXPORT_FORMATS: none of them. */
enum export_format export_format_parse(const char *word);
enum export_format export_format_of(const char *path);

/* Appends the file's bytes. `width`: of a PNG in pixels, 0: as wide as the drawing says. 0, -ENOMEM, or for a
 * PNG: -ENOSYS (librsvg is not installed), -E2BIG (too wide or high), -EIO (it was not drawn). */
int export_render(const struct picture *, const struct draw_options *, enum export_format, unsigned width,
                  struct text *);
/* Writes bytes to a file, or to standard output ("-"). 0 or -errno. */
int export_write(const char *path, const struct text *);
/* What an error of either means, in words. */
const char *export_error(int error);

/* png.c: an SVG document as a PNG; as export_render(). */
int png_render(const struct text *svg, unsigned width, struct text *);

#endif
