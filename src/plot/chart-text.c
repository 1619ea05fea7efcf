/* A chart in characters. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "plot/chart.h"

enum { NUMBER_COLUMNS = 9 }; /* of the y axis */

struct canvas {
    const struct chart *chart;
    struct axis x, y;
    unsigned columns, rows;
    char *cells; /* rows × columns; row 0 is the top */
};

static void canvas_put(struct canvas *c, double x, double y, char letter) {
    const unsigned column = (unsigned)lround(x), row = (unsigned)lround(y);
    if (column >= c->columns || row >= c->rows)
        return;
    char *cell = &c->cells[(size_t)row * c->columns + column];
    *cell = *cell == ' ' || *cell == letter ? letter : '*';
}

/* Each column that lies between two points gets a letter, so that a line is seen. */
static void put_series(struct canvas *c, const struct chart_series *s, char letter) {
    long next = 0;
    for (size_t i = 0; i < s->count; i++) {
        const double x = axis_place(&c->x, s->points[i].x), y = axis_place(&c->y, s->points[i].y);
        const double after = i + 1 < s->count ? axis_place(&c->x, s->points[i + 1].x) : x;
        const double end = i + 1 < s->count ? axis_place(&c->y, s->points[i + 1].y) : y;
        long column = i ? next : lround(x);
        for (; column < lround(after) || (i + 1 == s->count && column <= lround(x)); column++) {
            const double part = after > x && !s->stepped ? fmax(0, ((double)column - x) / (after - x)) : 0;
            canvas_put(c, (double)column, y + (end - y) * part, letter);
        }
        next = column;
    }
}

static char letter_of(size_t series) {
    return (char)('a' + series);
}

static void put_line(struct text *t, const char *label, const char *cells, unsigned columns) {
    char front[64];
    snprintf(front, sizeof front, "%*s |", NUMBER_COLUMNS, label);
    text_put(t, front);
    while (columns && cells[columns - 1] == ' ')
        columns--;
    text_bytes(t, cells, columns);
    text_put(t, "\n");
}

static void put_area(const struct canvas *c, struct text *t) {
    double ticks[AXIS_TICKS];
    char number[PLOT_NUMBER];
    const size_t count = axis_ticks(&c->y, c->rows / 3, c->chart->y.unit == PLOT_BYTES, ticks);
    for (unsigned row = 0; row < c->rows; row++) {
        const char *label = "";
        for (size_t i = 0; i < count; i++)
            if (lround(axis_place(&c->y, ticks[i])) == (long)row)
                label = plot_format(ticks[i], c->chart->y.unit, number);
        put_line(t, label, c->cells + (size_t)row * c->columns, c->columns);
    }
}

static void put_x_axis(const struct canvas *c, struct text *t) {
    double ticks[AXIS_TICKS];
    char number[PLOT_NUMBER], line[512];
    const size_t count = axis_ticks(&c->x, c->columns / 12, c->chart->x.unit == PLOT_BYTES, ticks);
    size_t free_from = 0;
    text_put(t, "          +");
    for (unsigned i = 0; i < c->columns; i++)
        text_put(t, "-");
    text_put(t, "\n");
    memset(line, ' ', sizeof line);
    for (size_t i = 0; i < count; i++) {
        const size_t at = NUMBER_COLUMNS + 2 + (size_t)lround(axis_place(&c->x, ticks[i]));
        const size_t length = strlen(plot_format(ticks[i], c->chart->x.unit, number));
        if (at < free_from || at + length >= sizeof line)
            continue;
        memcpy(line + at, number, length);
        free_from = at + length + 1;
    }
    text_bytes(t, line, free_from ? free_from - 1 : 0);
    text_put(t, "\n           ");
    text_put(t, c->chart->x.title);
    text_put(t, "\n");
}

static void put_legend(const struct chart *chart, struct text *t) {
    for (size_t i = 0; i < chart->series_count; i++) {
        const struct chart_series *s = &chart->series[i];
        text_put(t, "    ");
        if (i < CHART_TEXT_SERIES)
            text_bytes(t, (char[]){letter_of(i)}, 1);
        else
            text_put(t, "(not drawn)");
        text_put(t, "  ");
        text_put(t, s->name);
        text_put(t, s->label ? ", " : "");
        text_put(t, s->label ? s->label : "");
        text_put(t, "\n");
    }
}

void chart_text(const struct chart *chart, unsigned columns, unsigned rows, struct text *t) {
    columns = columns < 40 ? 40 : columns > 400 ? 400 : columns;
    struct canvas c = {.chart = chart, .columns = columns - NUMBER_COLUMNS - 2, .rows = rows < 5 ? 5 : rows};
    c.cells = malloc((size_t)c.columns * c.rows);
    if (!c.cells) {
        t->failed = true;
        return;
    }
    memset(c.cells, ' ', (size_t)c.columns * c.rows);
    chart_axes(chart, &c.x, &c.y);
    c.x.to = c.columns - 1;
    c.y.from = c.rows - 1;
    for (size_t i = 0; i < chart->series_count && i < CHART_TEXT_SERIES; i++)
        put_series(&c, &chart->series[i], letter_of(i));
    text_put(t, chart->y.title);
    text_put(t, "\n");
    put_area(&c, t);
    put_x_axis(&c, t);
    put_legend(chart, t);
    free(c.cells);
}
