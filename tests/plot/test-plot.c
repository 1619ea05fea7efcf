/* Charts and heat maps: what is drawn is what was given. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/rng.h"
#include "plot/chart.h"
#include "plot/heat.h"

/* The text of the drawing with a NUL; freed by the caller. */
static char *text_end(struct text *t) {
    assert_false(t->failed);
    text_bytes(t, "", 1);
    return t->bytes;
}

static void test_numbers_are_short(void **state) {
    static const struct {
        double value;
        enum plot_unit unit;
        const char *text;
    } cases[] = {
        {0, PLOT_COUNT, "0"},
        {7, PLOT_COUNT, "7"},
        {999, PLOT_COUNT, "999"},
        {1000, PLOT_COUNT, "1k"},
        {1500, PLOT_COUNT, "1.5k"},
        {20e6, PLOT_COUNT, "20M"},
        {0.25, PLOT_COUNT, "0.25"},
        {999999, PLOT_COUNT, "1M"},
        {4096, PLOT_BYTES, "4 KiB"},
        {65536 * 16., PLOT_BYTES, "1 MiB"},
        {0.0301, PLOT_SECONDS, "30.1 ms"},
        {0, PLOT_SECONDS, "0 s"},
        {2.5, PLOT_SECONDS, "2.5 s"},
        {90e-6, PLOT_SECONDS, "90 µs"},
        {1.1, PLOT_RATIO, "1.1×"},
    };
    char text[PLOT_NUMBER];
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_string_equal(plot_format(cases[i].value, cases[i].unit, text), cases[i].text);
}

static void test_ticks_are_round_and_on_the_axis(void **state) {
    struct rng rng = {42};
    for (int i = 0; i < 2000; i++) {
        const enum axis_scale scale = rng_below(&rng, 2) ? AXIS_LOG : AXIS_LINEAR;
        const bool binary = rng_below(&rng, 2);
        const unsigned most = 2 + (unsigned)rng_below(&rng, 30);
        const double low = (double)(1 + rng_below(&rng, 1 << rng_below(&rng, 20)));
        const double high = low + (double)(1 + rng_below(&rng, 1ULL << rng_below(&rng, 40)));
        const struct axis axis = axis_make(scale, low, high, rng_below(&rng, 2));
        double ticks[AXIS_TICKS];
        const size_t count = axis_ticks(&axis, most, binary, ticks);
        const double little = (axis.high - axis.low) * 1e-6;
        assert_true(axis.low <= low && axis.high >= high * (1 - 1e-9));
        assert_true(count <= most);
        for (size_t t = 0; t < count; t++) {
            assert_true(ticks[t] >= axis.low - little && ticks[t] <= axis.high + little);
            assert_true(t == 0 || ticks[t] > ticks[t - 1]);
        }
    }
}

static void test_a_place_on_an_axis_is_between_its_ends(void **state) {
    struct axis axis = axis_make(AXIS_LOG, 10, 1000, false);
    axis.from = 100;
    axis.to = 300;
    assert_float_equal(axis_place(&axis, 10), 100, 1e-9);
    assert_float_equal(axis_place(&axis, 100), 200, 1e-9);
    assert_float_equal(axis_place(&axis, 1000), 300, 1e-9);
    assert_float_equal(axis_place(&axis, 0), 100, 1e-9);
    axis = axis_make(AXIS_LINEAR, 5, 5, false);
    assert_true(axis.high > axis.low);
}

/* ---- reading a chart back ---- */

struct scale {
    bool log;
    double low, high, from, to;
};

static struct scale read_scale(const char *svg, const char *attribute) {
    char word[8];
    struct scale s;
    const char *at = strstr(svg, attribute);
    assert_non_null(at);
    assert_int_equal(
        sscanf(at + strlen(attribute), "%7s %lf %lf %lf %lf", word, &s.low, &s.high, &s.from, &s.to), 5);
    s.log = !strcmp(word, "log");
    return s;
}

static double scale_value(const struct scale *s, double pixel) {
    const double part = (pixel - s->from) / (s->to - s->from);
    return s->log ? s->low * pow(s->high / s->low, part) : s->low + part * (s->high - s->low);
}

static void check_points(enum axis_scale scale, const struct chart_point *points, size_t count) {
    const struct chart_series series = {.name = "a<b", .label = "exact", .points = points, .count = count};
    const struct chart chart = {.title = "t & u",
                                .caption = "",
                                .x = {"frames", scale, PLOT_COUNT},
                                .y = {"misses", scale, PLOT_COUNT},
                                .series = &series,
                                .series_count = 1};
    const struct plot_style style = {0};
    struct text t = {0};
    chart_svg(&chart, &style, &t);
    const char *svg = text_end(&t);
    assert_non_null(strstr(svg, "<title id='plot-title'>t &amp; u</title>"));
    const struct scale x = read_scale(svg, "data-x='"), y = read_scale(svg, "data-y='");
    const char *at = strstr(svg, "data-series='a&lt;b'");
    assert_non_null(at);
    at = strstr(at, " d='") + 4;
    for (size_t i = 0; i < count; i++) {
        double across, down;
        int length;
        assert_int_equal(sscanf(at, "%*1[ML]%lf %lf%n", &across, &down, &length), 2);
        at += length;
        assert_true(fabs(scale_value(&x, across) - points[i].x) <= points[i].x * 0.001);
        assert_true(fabs(scale_value(&y, down) - points[i].y) <= y.high * 0.001);
    }
    assert_true(*at == '\'');
    text_free(&t);
}

static void test_a_chart_can_be_read_back(void **state) {
    struct chart_point points[50];
    for (size_t i = 0; i < ARRAY_LENGTH(points); i++)
        points[i] = (struct chart_point){(double)(10 + i * i), 100000 / (double)(i + 1)};
    check_points(AXIS_LOG, points, ARRAY_LENGTH(points));
    check_points(AXIS_LINEAR, points, ARRAY_LENGTH(points));
    check_points(AXIS_LINEAR, points, 2);
}

static void test_many_points_are_drawn_as_few(void **state) {
    enum { POINTS = 1000000 };
    struct chart_point *points = malloc(POINTS * sizeof *points);
    assert_non_null(points);
    for (size_t i = 0; i < POINTS; i++)
        points[i] = (struct chart_point){(double)i + 1, 1e6 / (double)(i + 1)};
    const struct chart_series series[] = {
        {.name = "lru", .points = points, .count = POINTS, .stepped = true},
        {.name = "opt", .points = points, .count = 0, .reference = true}, /* nothing at all */
        {.name = "one", .points = points, .count = 1},
    };
    const struct chart_marker marker = {500, "knee"};
    const struct chart chart = {.title = "t",
                                .caption = "caption",
                                .x = {"frames", AXIS_LOG, PLOT_COUNT},
                                .y = {"misses", AXIS_LOG, PLOT_COUNT},
                                .second = {"memory", AXIS_LOG, PLOT_BYTES},
                                .second_factor = 4096,
                                .series = series,
                                .series_count = ARRAY_LENGTH(series),
                                .markers = &marker,
                                .marker_count = 1};
    const struct plot_style style = {.dark = true, .projector = true};
    struct text t = {0};
    chart_svg(&chart, &style, &t);
    assert_in_range(t.length, 1000, 100000);
    assert_non_null(strstr(text_end(&t), ">knee</text>"));
    text_free(&t);
    free(points);
}

/* ---- heat maps ---- */

static void test_a_heat_map_has_every_cell(void **state) {
    enum { ROWS = 5, COLUMNS = 40 };
    double cells[ROWS * COLUMNS], line[COLUMNS];
    struct rng rng = {7};
    double filled = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(cells); i++)
        filled += (cells[i] = (double)(rng_below(&rng, 3) * rng_below(&rng, 1000))) > 0;
    for (size_t i = 0; i < COLUMNS; i++)
        line[i] = (double)i;
    const struct heat_band bands[] = {{"/bin/<ls>", 2}, {"heap", 3}};
    const struct heat heat = {.title = "t",
                              .caption = "c",
                              .columns = COLUMNS,
                              .rows = ROWS,
                              .cells = cells,
                              .bands = bands,
                              .band_count = 2,
                              .end = 1000,
                              .time_title = "instructions",
                              .cell_title = "references",
                              .line = line,
                              .line_title = "working set"};
    const struct plot_style style = {0};
    struct text t = {0};
    heat_svg(&heat, &style, &t);
    const char *svg = text_end(&t);
    assert_non_null(strstr(svg, "data-band='/bin/&lt;ls&gt;'"));
    double drawn = 0;
    for (const char *at = strstr(svg, "data-band"); (at = strchr(at, 'M')) != NULL; at++) {
        int column, length;
        double row;
        if (sscanf(at, "M%d %lfh%d", &column, &row, &length) == 3)
            drawn += length;
    }
    assert_float_equal(drawn, filled, 0);
    text_free(&t);
    heat_text(&heat, true, &t);
    const char *text = text_end(&t);
    assert_int_equal(strncmp(text, "-- /bin/<ls> ---", 16), 0);
    const char *row = strchr(text, '\n') + 1;
    for (size_t i = 0; i < COLUMNS; i++)
        assert_int_equal(row[i] != ' ', cells[i] > 0);
    text_free(&t);
}

static void test_shades_go_from_little_to_much(void **state) {
    assert_int_equal(heat_shade(0, 100, 9), 0);
    assert_int_equal(heat_shade(100, 100, 9), 9);
    assert_int_equal(heat_shade(1, 1, 9), 9);
    unsigned before = 1;
    for (double value = 1; value <= 100; value++) {
        const unsigned shade = heat_shade(value, 100, 9);
        assert_in_range(shade, before, 9);
        before = shade;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_short),
        cmocka_unit_test(test_ticks_are_round_and_on_the_axis),
        cmocka_unit_test(test_a_place_on_an_axis_is_between_its_ends),
        cmocka_unit_test(test_a_chart_can_be_read_back),
        cmocka_unit_test(test_many_points_are_drawn_as_few),
        cmocka_unit_test(test_a_heat_map_has_every_cell),
        cmocka_unit_test(test_shades_go_from_little_to_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
