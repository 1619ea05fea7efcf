/* A chart of lines: one quantity against another, several series, on paper (SVG).
 *
 * A series may have as many points as there are pages: what would fall into the same column of pixels is
 * drawn as its extent. Series are told apart by colour, by dashes and by the marks on them, and each is named
 * at its end. The SVG holds the axes as data-x and data-y ("log 16 65536 90.5 800": scale, values, pixels),
 * so that programs can read values back. */
#ifndef PLOT_CHART_H
#define PLOT_CHART_H

#include "plot/axis.h"

struct chart_point {
    double x, y;
};

struct chart_series {
    const char *name;
    const char *label;                /* how sure its numbers are: "exact" …; NULL: not said */
    const struct chart_point *points; /* x ascending */
    size_t count;
    const struct chart_point *lower, *upper; /* `count` each: a band that the truth lies in; or NULL */
    bool stepped;                            /* a value holds until the next point */
    bool reference;                          /* what the others are held against: black, dashed */
    bool marked;                             /* a mark at each point */
};

/* A place on the x axis that has a name: "knee", "answer". */
struct chart_marker {
    double x;
    const char *text;
};

struct chart_axis {
    const char *title;
    enum axis_scale scale;
    enum plot_unit unit;
};

struct chart {
    const char *title;
    const char *caption; /* below; what one must know to read it. "" for none */
    struct chart_axis x, y;
    bool from_zero; /* a linear y axis begins at 0 */
    /* The x axis in another unit, above: its value is x times the factor. Title NULL: none. */
    struct chart_axis second;
    double second_factor;
    const struct chart_series *series;
    size_t series_count;
    const struct chart_marker *markers;
    size_t marker_count;
};

void chart_svg(const struct chart *, const struct plot_style *, struct text *);

/* The axes that show all points; pixels are not set. */
void chart_axes(const struct chart *, struct axis *ret_x, struct axis *ret_y);

#endif
