/* A heat map in characters, and what both drawings have in common. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot/heat.h"

double heat_most(const struct heat *h) {
    double most = 0;
    for (size_t i = 0; i < h->rows * h->columns; i++)
        most = fmax(most, h->cells[i]);
    return most;
}

unsigned heat_shade(double value, double most, unsigned shades) {
    if (value <= 0)
        return 0;
    if (most <= 1)
        return shades;
    const double part = log1p(value) / log1p(most);
    const unsigned shade = (unsigned)ceil(part * shades);
    return shade < 1 ? 1 : shade > shades ? shades : shade;
}

static void put_rule(struct text *t, const char *name, size_t columns) {
    const size_t length = strlen(name);
    text_put(t, "-- ");
    text_put(t, name);
    text_put(t, " ");
    for (size_t i = length + 4; i < columns; i++)
        text_put(t, "-");
    text_put(t, "\n");
}

static void put_row(const struct heat *h, size_t row, double most, bool ascii, struct text *t) {
    static const char *const plain[] = {" ", ".", ":", "+", "#"};
    static const char *const blocks[] = {" ", "░", "▒", "▓", "█"};
    for (size_t column = 0; column < h->columns; column++) {
        const unsigned shade = heat_shade(h->cells[row * h->columns + column], most, 4);
        text_put(t, ascii ? plain[shade] : blocks[shade]);
    }
    text_put(t, "\n");
}

/* The line as bars of eight heights. */
static void put_bars(const struct heat *h, bool ascii, struct text *t) {
    static const char *const plain[] = {" ", "_", "_", ".", "-", "=", "+", "*", "#"};
    static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double most = 0;
    char number[PLOT_NUMBER];
    for (size_t i = 0; i < h->columns; i++)
        most = fmax(most, h->line[i]);
    for (size_t i = 0; i < h->columns; i++) {
        const unsigned height = most > 0 ? (unsigned)ceil(h->line[i] / most * 8) : 0;
        text_put(t, ascii ? plain[height] : bars[height]);
    }
    text_put(t, "\n");
    text_put(t, h->line_title);
    text_put(t, ": at most ");
    text_put(t, plot_format(most, h->line_unit, number));
    text_put(t, "\n");
}

void heat_text(const struct heat *h, bool ascii, struct text *t) {
    const double most = heat_most(h);
    size_t row = 0;
    for (size_t band = 0; band < h->band_count; band++) {
        put_rule(t, h->bands[band].name, h->columns);
        for (size_t i = 0; i < h->bands[band].rows; i++)
            put_row(h, row++, most, ascii, t);
    }
    put_rule(t, h->time_title, h->columns);
    if (h->line)
        put_bars(h, ascii, t);
}
