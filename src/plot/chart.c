/* What a chart shows, whatever it is drawn on. */
#include "plot/chart.h"

#include <math.h>

struct extent {
    double low, high, least; /* least: the smallest value above 0 */
};

static void extent_take(struct extent *e, double value) {
    e->low = fmin(e->low, value);
    e->high = fmax(e->high, value);
    if (value > 0)
        e->least = fmin(e->least, value);
}

static const struct extent nothing = {HUGE_VAL, -HUGE_VAL, HUGE_VAL};

static struct axis make_axis(const struct chart_axis *axis, const struct extent *e, bool from_zero,
                             bool round) {
    double low = e->low, high = e->high;
    if (e->low > e->high)
        low = 1, high = 10; /* no points */
    else if (axis->scale == AXIS_LOG)
        low = low > 0 ? low : isinf(e->least) ? 1 : e->least;
    else if (from_zero)
        low = fmin(low, 0);
    return axis_make(axis->scale, low, high, round);
}

void chart_axes(const struct chart *c, struct axis *ret_x, struct axis *ret_y) {
    struct extent x = nothing, y = nothing;
    for (size_t s = 0; s < c->series_count; s++)
        for (size_t i = 0; i < c->series[s].count; i++) {
            extent_take(&x, c->series[s].points[i].x);
            extent_take(&y, c->series[s].points[i].y);
            if (c->series[s].lower)
                extent_take(&y, c->series[s].lower[i].y);
            if (c->series[s].upper)
                extent_take(&y, c->series[s].upper[i].y);
        }
    for (size_t i = 0; i < c->marker_count; i++)
        extent_take(&x, c->markers[i].x);
    *ret_x = make_axis(&c->x, &x, false, false);
    *ret_y = make_axis(&c->y, &y, c->from_zero, true);
}
