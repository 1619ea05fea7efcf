/* An axis: which values stand where on it, and which of them are named. */
#ifndef PLOT_AXIS_H
#define PLOT_AXIS_H

#include "plot/plot.h"

enum axis_scale { AXIS_LINEAR, AXIS_LOG };

/* From `low` to `high` (low < high; above 0 on a logarithmic one), drawn from pixel `from` to pixel `to`. */
struct axis {
    enum axis_scale scale;
    double low, high;
    double from, to;
};

/* An axis on which all values from low to high have a place, widened to round numbers where `round`. A
 * logarithmic one has no place for 0: what is below a tenth of the smallest positive value is drawn there. */
struct axis axis_make(enum axis_scale, double low, double high, bool round);
double axis_place(const struct axis *, double value);

enum { AXIS_TICKS = 40 };
/* Round values on the axis, ascending, `most` (≤ AXIS_TICKS) at most: 1, 2 and 5 times powers of ten, or
 * powers of two where `binary`. Returns how many. */
size_t axis_ticks(const struct axis *, unsigned most, bool binary, double ret_ticks[AXIS_TICKS]);

#endif
