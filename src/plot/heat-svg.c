/* A heat map on paper.
 *
 *      title
 *      name │▓▓░░▓▓      │  a band; shades say how much
 *           ├────────────┤
 *      name │  ░░░       │
 *           └────────────┘
 *           │  the line  │
 *           └── time ────┘
 *      caption */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot/heat.h"
#include "plot/paper.h"

struct layout {
    struct paper paper;
    const struct heat *heat;
    double left, right, top, bottom; /* the map */
    double line_top, line_bottom;
    double gap, row, column; /* between bands; the size of a cell */
    struct axis time;
};

static double caption_height(const struct layout *l, double left) {
    const double size = l->paper.size * 0.85, width = l->paper.width - left - 10;
    return ceil(paper_text_width(l->heat->caption, size) * 1.1 / width) * size * 1.3;
}

static void make_layout(struct layout *l) {
    const struct heat *h = l->heat;
    const double size = l->paper.size, foot = size * 6.2 + caption_height(l, size * 14);
    const double line = h->line ? fmin(l->paper.height / 5, 140) : 0;
    l->left = fmin(l->paper.width / 4, size * 14);
    l->right = l->paper.width - size * 1.5;
    l->top = size * 3;
    l->gap = h->band_count > 1 ? 3 : 0;
    l->bottom = l->paper.height - foot - line - (line > 0 ? size * 1.5 : 0);
    l->bottom = fmax(l->bottom, l->top + 60);
    l->line_top = l->bottom + (line > 0 ? size * 1.5 : 0);
    l->line_bottom = l->line_top + line;
    const double rows = l->bottom - l->top - l->gap * (double)(h->band_count ? h->band_count - 1 : 0);
    l->row = fmax(rows, 10) / (double)(h->rows ? h->rows : 1);
    l->column = (l->right - l->left) / (double)(h->columns ? h->columns : 1);
    l->time = axis_make(AXIS_LINEAR, h->start, h->end, false);
    l->time.from = l->left;
    l->time.to = l->right;
}

/* ---- the map ---- */

/* The cells of one shade in the rows [first, first + rows), as strokes along the rows. */
static void put_shade(struct layout *l, size_t first, size_t rows, unsigned shade, double most) {
    const struct heat *h = l->heat;
    bool begun = false;
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < h->columns;) {
            const double *cells = h->cells + (first + row) * h->columns;
            size_t end = column;
            while (end < h->columns && heat_shade(cells[end], most, PAPER_SHADES) == shade)
                end++;
            if (end > column && !begun)
                paper_write(&l->paper, "<path stroke='%s' d='", l->paper.colours->shades[shade - 1]);
            if (end > column)
                paper_write(&l->paper, "M%d %nh%d", (int)column, (double)row + 0.5, (int)(end - column));
            begun |= end > column;
            column = end > column ? end : column + 1;
        }
    if (begun)
        paper_write(&l->paper, "'/>\n");
}

static void put_band(struct layout *l, const struct heat_band *band, size_t first, double y, double most) {
    struct paper *p = &l->paper;
    const double height = (double)band->rows * l->row;
    char name[64];
    const size_t room = (size_t)(l->left / (p->size * 0.8 * 0.56)) - 1;
    const size_t length = strlen(band->name);
    /* Of a path the end says more. */
    if (length > room && room > 1 && room < sizeof name - 3)
        snprintf(name, sizeof name, "…%s", band->name + length - room + 1);
    else
        snprintf(name, sizeof name, "%.60s", band->name);
    if (height >= p->size * 0.7)
        paper_text(p, l->left - 6, y + height / 2 + p->size * 0.28, p->size * 0.8, p->colours->ink,
                   PAPER_RIGHT, name);
    paper_write(p, "<g data-band='%e' transform='translate(%n %n) scale(", band->name, l->left, y);
    char scale[64];
    snprintf(scale, sizeof scale, "%.6f %.6f", l->column, l->row);
    paper_write(p, "%s)' fill='none' shape-rendering='crispEdges'><title>%e</title>\n", scale, band->name);
    for (unsigned shade = 1; shade <= PAPER_SHADES; shade++)
        put_shade(l, first, band->rows, shade, most);
    paper_write(p, "</g>\n");
}

static void put_map(struct layout *l, double most) {
    double y = l->top;
    size_t first = 0;
    for (size_t i = 0; i < l->heat->band_count; i++) {
        const struct heat_band *band = &l->heat->bands[i];
        put_band(l, band, first, y, most);
        first += band->rows;
        y += (double)band->rows * l->row + l->gap;
        if (i + 1 < l->heat->band_count)
            paper_line(&l->paper, l->left, y - l->gap / 2, l->right, y - l->gap / 2, l->paper.colours->grid,
                       1);
    }
    paper_write(&l->paper, "<rect x='%n' y='%n' width='%n' height='%n' fill='none' stroke='%s'/>\n", l->left,
                l->top, l->right - l->left, l->bottom - l->top, l->paper.colours->ink);
}

/* ---- below ---- */

static void put_time(struct layout *l) {
    double ticks[AXIS_TICKS];
    char number[PLOT_NUMBER];
    struct paper *p = &l->paper;
    const unsigned most = (unsigned)((l->right - l->left) / (p->size * 6));
    const size_t count = axis_ticks(&l->time, most, false, ticks);
    const double y = l->line_bottom;
    for (size_t i = 0; i < count; i++) {
        const double x = axis_place(&l->time, ticks[i]);
        paper_line(p, x, y, x, y + 5, p->colours->ink, 1);
        paper_text(p, x, y + p->size * 1.4, p->size * 0.9, p->colours->ink, PAPER_MIDDLE,
                   plot_format(ticks[i], PLOT_COUNT, number));
    }
    paper_text(p, (l->left + l->right) / 2, y + p->size * 2.7, p->size, p->colours->ink, PAPER_MIDDLE,
               l->heat->time_title);
}

static void put_line(struct layout *l) {
    const struct heat *h = l->heat;
    struct paper *p = &l->paper;
    double most = 0, ticks[AXIS_TICKS];
    char number[PLOT_NUMBER];
    for (size_t i = 0; i < h->columns; i++)
        most = fmax(most, h->line[i]);
    struct axis y = axis_make(AXIS_LINEAR, 0, most, true);
    y.from = l->line_bottom;
    y.to = l->line_top;
    const size_t count = axis_ticks(&y, 4, h->line_unit == PLOT_BYTES, ticks);
    for (size_t i = 0; i < count; i++) {
        const double at = axis_place(&y, ticks[i]);
        paper_line(p, l->left, at, l->right, at, p->colours->grid, 1);
        paper_text(p, l->left - 6, at + p->size * 0.3, p->size * 0.8, p->colours->ink, PAPER_RIGHT,
                   plot_format(ticks[i], h->line_unit, number));
    }
    paper_write(p, "<path data-line='' fill='none' stroke='%s' stroke-width='%n' d='", p->colours->lines[1],
                p->line * 0.75);
    for (size_t i = 0; i < h->columns; i++)
        paper_write(p, "%s%n %n", i ? "L" : "M", l->left + ((double)i + 0.5) * l->column,
                    axis_place(&y, h->line[i]));
    paper_write(p, "'/>\n");
    paper_write(p, "<path d='M%n %nV%nH%n' stroke='%s' fill='none'/>\n", l->left, l->line_top, l->line_bottom,
                l->right, p->colours->ink);
    paper_text(p, l->left + 6, l->line_top + p->size * 0.2, p->size * 0.85, p->colours->lines[1], PAPER_LEFT,
               h->line_title);
}

/* The shades with the numbers that they begin at. */
static double put_key(struct layout *l, double y, double most) {
    struct paper *p = &l->paper;
    char number[PLOT_NUMBER];
    double x = l->left;
    for (unsigned shade = 1; shade <= PAPER_SHADES; shade++) {
        const double value = expm1(log1p(most) * shade / PAPER_SHADES);
        paper_write(p, "<rect x='%n' y='%n' width='%n' height='%n' fill='%s'/>\n", x, y - p->size * 0.8,
                    p->size * 1.4, p->size, p->colours->shades[shade - 1]);
        if (shade == 1 || shade == PAPER_SHADES || shade == (PAPER_SHADES + 1) / 2)
            paper_text(p, x + p->size * 0.7, y + p->size * 1.15, p->size * 0.75, p->colours->faint,
                       PAPER_MIDDLE, plot_format(fmax(1, round(value)), PLOT_COUNT, number));
        x += p->size * 1.4;
    }
    paper_text(p, x + 8, y, p->size * 0.85, p->colours->faint, PAPER_LEFT, l->heat->cell_title);
    return y + p->size * 2.4;
}

void heat_svg(const struct heat *h, const struct plot_style *style, struct text *t) {
    struct layout l = {.heat = h};
    const double most = heat_most(h);
    l.paper = paper_begin(t, style, h->title, *h->caption ? h->caption : h->title);
    struct paper *p = &l.paper;
    make_layout(&l);
    paper_bold(p, p->size, p->size * 1.7, p->size * 1.2, h->title);
    put_map(&l, most);
    if (h->line)
        put_line(&l);
    put_time(&l);
    const double y = put_key(&l, l.line_bottom + p->size * 4.2, most);
    paper_paragraph(p, l.left, y, p->width - l.left - 10, p->size * 0.85, h->caption);
    paper_end(p);
}
