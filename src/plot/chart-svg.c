/* A chart on paper.
 *
 *      title                                              margins: room for the names of the series on the
 *      ┌── second x axis ──────────────┐                  right, for the marks' names above the area
 *      │                               │ lru
 *      │ y   area                      │ clock
 *      └── x axis ─────────────────────┘
 *      ── lru, exact   -- opt, exact
 *      caption */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plot/chart.h"
#include "plot/paper.h"

struct layout {
    struct paper paper;
    const struct chart *chart;
    bool mono;
    struct axis x, y;
    double left, right, top, bottom; /* the area */
};

static double longest_name(const struct layout *l) {
    double width = 0;
    for (size_t i = 0; i < l->chart->series_count; i++)
        width = fmax(width, paper_text_width(l->chart->series[i].name, l->paper.size));
    return fmin(width, l->paper.width / 4);
}

/* ---- how a series looks ---- */

static const char *colour_of(const struct layout *l, size_t series) {
    const struct paper_colours *colours = l->paper.colours;
    return l->chart->series[series].reference ? colours->reference : colours->lines[series % PAPER_COLOURS];
}

static const char *dashes_of(const struct layout *l, size_t series) {
    static const char *const patterns[] = {"", "9 3", "2 3", "9 3 2 3", "14 4", "5 2 1 2 1 2"};
    enum { PATTERNS = sizeof patterns / sizeof *patterns };
    if (l->chart->series[series].reference)
        return "6 4";
    /* Colours tell the first ones apart; later ones, and all on a printout, need more. */
    return patterns[(l->mono ? series : series / PAPER_COLOURS) % PATTERNS];
}

/* A mark of one of six shapes around the point. */
static void put_mark(struct layout *l, size_t series, double x, double y) {
    static const char *const shapes[] = {
        "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", "m-3.5 -3.5h7v7h-7z",    "m0 -4.5l4.3 7.5h-8.6z",
        "m0 -5l4.5 5l-4.5 5l-4.5 -5z",        "m0 4.5l4.3 -7.5h-8.6z", "m-4 -1.2h8v2.4h-8z",
    };
    const char *shape = shapes[series % (sizeof shapes / sizeof *shapes)];
    paper_write(&l->paper, "M%n %n%s", x, y, shape);
}

/* ---- lines ---- */

/* The points of one column of pixels, drawn as: first, lowest, highest, last. */
struct column {
    double x, first, low, high, last;
    bool used;
};

static void column_put(struct layout *l, struct column *c, bool *begun) {
    const double ys[] = {c->first, c->low, c->high, c->last};
    double before = NAN;
    for (int i = 0; c->used && i < 4; i++) {
        if (ys[i] == before)
            continue;
        paper_write(&l->paper, "%s%n %n", *begun ? "L" : "M", c->x, ys[i]);
        before = ys[i];
        *begun = true;
    }
    c->used = false;
}

static void put_points(struct layout *l, const struct chart_point *points, size_t count, bool stepped) {
    struct column column = {0};
    bool begun = false;
    double before = 0;
    for (size_t i = 0; i < count; i++) {
        const double x = axis_place(&l->x, points[i].x), y = axis_place(&l->y, points[i].y);
        const bool few = count <= (size_t)(l->right - l->left) / 2;
        if (column.used && (few || floor(x) != floor(column.x)))
            column_put(l, &column, &begun);
        if (begun && stepped && !column.used)
            paper_write(&l->paper, "L%n %n", x, before);
        if (!column.used)
            column = (struct column){x, y, y, y, y, true};
        column.low = fmin(column.low, y);
        column.high = fmax(column.high, y);
        column.last = before = y;
    }
    column_put(l, &column, &begun);
}

static void put_band(struct layout *l, size_t series) {
    const struct chart_series *s = &l->chart->series[series];
    paper_write(&l->paper, "<path fill='%s' fill-opacity='0.18' d='", colour_of(l, series));
    for (size_t i = 0; i < s->count; i++)
        paper_write(&l->paper, "%s%n %n", i ? "L" : "M", axis_place(&l->x, s->upper[i].x),
                    axis_place(&l->y, s->upper[i].y));
    for (size_t i = s->count; i-- > 0;)
        paper_write(&l->paper, "L%n %n", axis_place(&l->x, s->lower[i].x), axis_place(&l->y, s->lower[i].y));
    paper_write(&l->paper, "z'/>\n");
}

static void put_marks(struct layout *l, size_t series) {
    const struct chart_series *s = &l->chart->series[series];
    paper_write(&l->paper, "<path fill='%s' d='", colour_of(l, series));
    for (size_t i = 0; i < s->count; i++)
        put_mark(l, series, axis_place(&l->x, s->points[i].x), axis_place(&l->y, s->points[i].y));
    paper_write(&l->paper, "'/>\n");
}

static void put_series(struct layout *l, size_t series) {
    const struct chart_series *s = &l->chart->series[series];
    const char *dashes = dashes_of(l, series);
    paper_write(&l->paper, "<g data-series='%e'><title>%e%s%e</title>\n", s->name, s->name,
                s->label ? ", " : "", s->label ? s->label : "");
    if (s->lower && s->upper)
        put_band(l, series);
    paper_write(&l->paper, "<path fill='none' stroke='%s' stroke-width='%n' stroke-linejoin='round'",
                colour_of(l, series), l->paper.line);
    if (*dashes)
        paper_write(&l->paper, " stroke-dasharray='%s'", dashes);
    paper_write(&l->paper, " d='");
    put_points(l, s->points, s->count, s->stepped);
    paper_write(&l->paper, "'/>\n");
    if (s->marked || s->count == 1)
        put_marks(l, series);
    paper_write(&l->paper, "</g>\n");
}

/* ---- names at the ends ---- */

struct name {
    size_t series;
    double y;
};

static int compare_names(const void *a, const void *b) {
    const struct name *left = a, *right = b;
    if (left->y != right->y)
        return left->y < right->y ? -1 : 1;
    return left->series < right->series ? -1 : left->series > right->series;
}

/* Moves names that lie on each other apart: down, and then up again from the bottom. */
static void spread_names(const struct layout *l, struct name *names, size_t count) {
    const double distance = l->paper.size * 1.15;
    for (size_t i = 1; i < count; i++)
        names[i].y = fmax(names[i].y, names[i - 1].y + distance);
    double limit = l->bottom + l->paper.size / 2;
    for (size_t i = count; i-- > 0; limit = names[i].y - distance)
        names[i].y = fmin(names[i].y, limit);
}

static void put_names(struct layout *l) {
    struct name *names = calloc(l->chart->series_count + 1, sizeof *names);
    size_t count = 0;
    if (!names) {
        l->paper.text->failed = true;
        return;
    }
    for (size_t i = 0; i < l->chart->series_count; i++) {
        const struct chart_series *s = &l->chart->series[i];
        if (s->count)
            names[count++] = (struct name){i, axis_place(&l->y, s->points[s->count - 1].y)};
    }
    qsort(names, count, sizeof *names, compare_names);
    spread_names(l, names, count);
    for (size_t i = 0; i < count; i++) {
        const size_t series = names[i].series;
        const struct chart_series *s = &l->chart->series[series];
        const double end = axis_place(&l->x, s->points[s->count - 1].x);
        const double at = axis_place(&l->y, s->points[s->count - 1].y);
        paper_write(&l->paper, "<path d='M%n %nL%n %n' stroke='%s' stroke-opacity='0.6' fill='none'/>\n", end,
                    at, l->right + 8, names[i].y, colour_of(l, series));
        paper_text(&l->paper, l->right + 11, names[i].y + l->paper.size * 0.35, l->paper.size,
                   colour_of(l, series), PAPER_LEFT, s->name);
    }
    free(names);
}

/* ---- axes ---- */

static void put_x_axis(struct layout *l) {
    double ticks[AXIS_TICKS];
    char number[PLOT_NUMBER];
    struct paper *p = &l->paper;
    const unsigned most = (unsigned)((l->right - l->left) / (p->size * 5));
    const size_t count = axis_ticks(&l->x, most, l->chart->x.unit == PLOT_BYTES, ticks);
    for (size_t i = 0; i < count; i++) {
        const double x = axis_place(&l->x, ticks[i]);
        paper_line(p, x, l->top, x, l->bottom, p->colours->grid, 1);
        paper_text(p, x, l->bottom + p->size * 1.3, p->size * 0.9, p->colours->ink, PAPER_MIDDLE,
                   plot_format(ticks[i], l->chart->x.unit, number));
    }
    paper_text(p, (l->left + l->right) / 2, l->bottom + p->size * 2.7, p->size, p->colours->ink, PAPER_MIDDLE,
               l->chart->x.title);
}

static void put_y_axis(struct layout *l) {
    double ticks[AXIS_TICKS];
    char number[PLOT_NUMBER];
    struct paper *p = &l->paper;
    const unsigned most = (unsigned)((l->bottom - l->top) / (p->size * 2.4));
    const size_t count = axis_ticks(&l->y, most, l->chart->y.unit == PLOT_BYTES, ticks);
    for (size_t i = 0; i < count; i++) {
        const double y = axis_place(&l->y, ticks[i]);
        paper_line(p, l->left, y, l->right, y, p->colours->grid, 1);
        paper_text(p, l->left - 7, y + p->size * 0.32, p->size * 0.9, p->colours->ink, PAPER_RIGHT,
                   plot_format(ticks[i], l->chart->y.unit, number));
    }
    const double x = p->size * 1.1, middle = (l->top + l->bottom) / 2;
    paper_write(p,
                "<text x='%n' y='%n' font-size='%n' fill='%s' text-anchor='middle' "
                "transform='rotate(-90 %n %n)'>%e</text>\n",
                x, middle, p->size, p->colours->ink, x, middle, l->chart->y.title);
}

static void put_second_axis(struct layout *l) {
    double ticks[AXIS_TICKS];
    char number[PLOT_NUMBER];
    struct paper *p = &l->paper;
    struct axis axis = l->x;
    axis.low *= l->chart->second_factor;
    axis.high *= l->chart->second_factor;
    const unsigned most = (unsigned)((l->right - l->left) / (p->size * 5));
    const size_t count = axis_ticks(&axis, most, l->chart->second.unit == PLOT_BYTES, ticks);
    for (size_t i = 0; i < count; i++) {
        const double x = axis_place(&axis, ticks[i]);
        paper_line(p, x, l->top - 5, x, l->top, p->colours->faint, 1);
        paper_text(p, x, l->top - 9, p->size * 0.85, p->colours->faint, PAPER_MIDDLE,
                   plot_format(ticks[i], l->chart->second.unit, number));
    }
    paper_text(p, l->left, l->top - p->size * 1.9, p->size * 0.85, p->colours->faint, PAPER_LEFT,
               l->chart->second.title);
}

static void put_markers(struct layout *l) {
    struct paper *p = &l->paper;
    for (size_t i = 0; i < l->chart->marker_count; i++) {
        const struct chart_marker *m = &l->chart->markers[i];
        const double x = axis_place(&l->x, m->x);
        const bool left = x > (l->left + l->right) / 2; /* where the text has room */
        paper_write(p, "<path d='M%n %nV%n' stroke='%s' stroke-width='1.5' stroke-dasharray='4 3'/>\n", x,
                    l->top, l->bottom, p->colours->accent);
        paper_write(p, "<g stroke='%s' stroke-width='4' paint-order='stroke'>", p->colours->paper);
        paper_text(p, left ? x - 5 : x + 5, l->top + p->size * (1.2 + 1.25 * (double)(i % 6)), p->size,
                   p->colours->accent, left ? PAPER_RIGHT : PAPER_LEFT, m->text);
        paper_write(p, "</g>\n");
    }
}

/* ---- legend and frame ---- */

/* Returns the y behind the last line of it. */
static double put_legend(struct layout *l, double y, bool draw) {
    struct paper *p = &l->paper;
    double x = l->left;
    const double sample = p->size * 2;
    for (size_t i = 0; i < l->chart->series_count; i++) {
        const struct chart_series *s = &l->chart->series[i];
        char name[160];
        snprintf(name, sizeof name, "%s%s%s", s->name, s->label ? ", " : "", s->label ? s->label : "");
        const double width = sample + 6 + paper_text_width(name, p->size * 0.9) + p->size * 1.5;
        if (x > l->left && x + width > p->width) {
            x = l->left;
            y += p->size * 1.4;
        }
        if (draw) {
            const char *dashes = dashes_of(l, i);
            paper_write(p, "<path d='M%n %nh%n' stroke='%s' stroke-width='%n' stroke-dasharray='%s'/>\n", x,
                        y, sample, colour_of(l, i), p->line, *dashes ? dashes : "none");
            if (s->marked) {
                paper_write(p, "<path fill='%s' d='", colour_of(l, i));
                put_mark(l, i, x + sample / 2, y);
                paper_write(p, "'/>\n");
            }
            paper_text(p, x + sample + 6, y + p->size * 0.3, p->size * 0.9, p->colours->ink, PAPER_LEFT,
                       name);
        }
        x += width;
    }
    return y + p->size * 1.5;
}

static size_t caption_lines(const struct layout *l) {
    const double width = paper_text_width(l->chart->caption, l->paper.size * 0.85);
    return width > 0 ? (size_t)ceil(width * 1.1 / (l->paper.width - l->left - 10)) : 0;
}

static void make_layout(struct layout *l) {
    const double size = l->paper.size;
    l->left = size * 5.2;
    l->right = l->paper.width - longest_name(l) - size * 1.8;
    l->top = size * (l->chart->second.title ? 5.2 : 3.2);
    const double legend = put_legend(l, 0, false);
    l->bottom = l->paper.height - legend - (double)caption_lines(l) * size * 1.15 - size * 3.6;
    l->bottom = fmax(l->bottom, l->top + 100);
    chart_axes(l->chart, &l->x, &l->y);
    l->x.from = l->left;
    l->x.to = l->right;
    l->y.from = l->bottom;
    l->y.to = l->top;
}

static void put_scale(struct layout *l, const char *name, const struct axis *a) {
    char values[128];
    snprintf(values, sizeof values, "%.17g %.17g", a->low, a->high);
    paper_write(&l->paper, " data-%s='%s %s %n %n'", name, a->scale == AXIS_LOG ? "log" : "linear", values,
                a->from, a->to);
}

static void put_area(struct layout *l) {
    struct paper *p = &l->paper;
    paper_write(p, "<g");
    put_scale(l, "x", &l->x);
    put_scale(l, "y", &l->y);
    paper_write(p, ">\n");
    /* The reference lies on top: it is thin and dashed, and what it covers shows between the dashes. */
    for (int reference = 0; reference < 2; reference++)
        for (size_t i = 0; i < l->chart->series_count; i++)
            if (l->chart->series[i].reference == (reference == 1))
                put_series(l, i);
    paper_write(p, "</g>\n");
}

void chart_svg(const struct chart *c, const struct plot_style *style, struct text *t) {
    struct layout l = {.chart = c, .mono = style->mono};
    l.paper = paper_begin(t, style, c->title, *c->caption ? c->caption : c->title);
    struct paper *p = &l.paper;
    make_layout(&l);
    paper_bold(p, l.left, p->size * 1.7, p->size * 1.2, c->title);
    put_x_axis(&l);
    put_y_axis(&l);
    if (c->second.title)
        put_second_axis(&l);
    paper_write(p, "<path d='M%n %nV%nH%n' stroke='%s' fill='none'/>\n", l.left, l.top, l.bottom, l.right,
                p->colours->ink);
    put_area(&l);
    put_markers(&l);
    put_names(&l);
    const double y = put_legend(&l, l.bottom + p->size * 4, true);
    paper_paragraph(p, l.left, y + p->size * 0.4, p->width - l.left - 10, p->size * 0.85, c->caption);
    paper_end(p);
}
