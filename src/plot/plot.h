/* What charts and heat maps have in common: how they look, and numbers as people read them. */
#ifndef PLOT_PLOT_H
#define PLOT_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "trace/text.h"

struct plot_style {
    bool dark;              /* for a dark page; else white */
    bool projector;         /* thick lines, large text */
    bool mono;              /* no colours: lines are told apart by their dashes and marks */
    unsigned width, height; /* of the drawing in pixels; 0: 960 × 600 */
};

enum plot_unit { PLOT_COUNT, PLOT_BYTES, PLOT_SECONDS, PLOT_RATIO };

/* "0", "250", "1.5k", "20M"; "64 KiB"; "30 ms"; "1.25×": into `text`, which is returned. */
enum { PLOT_NUMBER = 32 };
char *plot_format(double value, enum plot_unit, char text[PLOT_NUMBER]);

#endif
