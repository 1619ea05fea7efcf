/* Numbers as people read them. */
#include "plot/plot.h"

#include <math.h>
#include <stdio.h>

/* At most three digits that say something, no zeros behind the point. */
static int format_digits(double value, char text[PLOT_NUMBER]) {
    const double size = fabs(value);
    const int decimals = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    int length = snprintf(text, PLOT_NUMBER, "%.*f", decimals, value);
    if (decimals > 0) {
        while (length > 1 && text[length - 1] == '0')
            length--;
        if (text[length - 1] == '.')
            length--;
    }
    text[length] = '\0';
    return length;
}

static char *format_with(double value, double base, const char *const *units, unsigned count,
                         char text[PLOT_NUMBER]) {
    unsigned unit = 0;
    /* 999.9 is shown as 1000: the next unit shows it better. */
    while (unit + 1 < count && fabs(value) >= base * (1 - 1e-4)) {
        value /= base;
        unit++;
    }
    const int length = format_digits(value, text);
    snprintf(text + length, (size_t)(PLOT_NUMBER - length), "%s", units[unit]);
    return text;
}

static char *format_seconds(double value, char text[PLOT_NUMBER]) {
    static const char *const units[] = {" ns", " µs", " ms", " s"};
    if (value == 0)
        return format_with(0, 1000, units + 3, 1, text);
    return format_with(value * 1e9, 1000, units, 4, text);
}

char *plot_format(double value, enum plot_unit unit, char text[PLOT_NUMBER]) {
    static const char *const counts[] = {"", "k", "M", "G", "T"};
    static const char *const bytes[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB"};
    static const char *const ratio[] = {"×"};
    switch (unit) {
    case PLOT_COUNT: return format_with(value, 1000, counts, 5, text);
    case PLOT_BYTES: return format_with(value, 1024, bytes, 6, text);
    case PLOT_SECONDS: return format_seconds(value, text);
    case PLOT_RATIO: return format_with(value, HUGE_VAL, ratio, 1, text);
    }
    text[0] = '\0';
    return text;
}
