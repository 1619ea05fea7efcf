/* What an analysis writes: a picture, numbers or a table, to a file or to standard output. */
#ifndef UI_FIGURE_H
#define UI_FIGURE_H

#include "plot/plot.h"
#include "trace/text.h"

enum figure_format { FIGURE_SVG, FIGURE_PNG, FIGURE_JSON, FIGURE_CSV, FIGURE_TEXT, FIGURE_FORMATS };

/* "-o PATH": the format by the end of the file's name. 0, or -errno with *ret_message: it is none of them,
 * it is CSV, and there is no `csv`, or as figure_check_path(). */
int figure_take_output(const char *path, bool csv, enum figure_format *ret_format, char **ret_message);
/* Whether a file can be written there, as far as that is known before: a long run is not to end with it. 0,
 * or -errno with *ret_message, which names the option. */
int figure_check_path(const char *option, const char *path, char **ret_message);
/* Options of drawings, whose keys are from FIGURE_KEYS on: of pictures, and of what
 * is drawn in characters. */
enum { FIGURE_KEYS = 4096 };
#define FIGURE_PICTURE_OPTIONS                                                                               \
    {"dark", FIGURE_KEYS, NULL, 0, "Pictures: for a dark page", 0},                                          \
        {"projector", FIGURE_KEYS + 1, NULL, 0, "Pictures: thick and large", 0},                             \
        {"mono", FIGURE_KEYS + 2, NULL, 0, "Pictures: without colours", 0},                                  \
        {"width", FIGURE_KEYS + 3, "PIXELS", 0, "Pictures: how wide (default 960; a PNG twice that)", 0}, {  \
        "height", FIGURE_KEYS + 4, "PIXELS", 0, "Pictures: how high (default 600)", 0                        \
    }
#define FIGURE_CHARACTER_OPTIONS                                                                             \
    {"columns", FIGURE_KEYS + 5, "N", 0, "Characters: how wide (default 100)", 0}, {                         \
        "ascii", FIGURE_KEYS + 6, NULL, 0, "Characters: ASCII only", 0                                       \
    }

struct figure_options {
    struct plot_style style;
    unsigned columns; /* of characters; 0: 100 */
    bool ascii;
};
/* One of these options: 1 when it was one, 0 when not, or -EINVAL with *ret_message. */
int figure_take(struct figure_options *, int key, const char *value, char **ret_message);

/* SVG to a file: as PNG if its name says so. False: was reported. */
bool figure_write(const char *path, enum figure_format, const struct text *);
/* Of `count` values, which `most` to show in a table: true for the first, the last and some between. */
bool figure_shows(size_t index, size_t count, size_t most);

#endif
