/* See curve_output.h. */
#include "ui/curve_output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "hw/types.h"
#include "plot/chart.h"
#include "ui/size.h"

#define REMARK_OPT                                                                                           \
    "opt (Belady 1966) has the fewest misses that any policy can have; it minimises misses, not writes or "  \
    "stall"
#define REMARK_WARM_UP                                                                                       \
    "; it does so over the whole run: behind the warm-up alone a policy may have up to one miss less for "   \
    "each frame"

static uint32_t page_size_of(const struct curve_set *set) {
    return PAGE_SIZE; /* of formats that do not say, too */
}

static bool has_policy(const struct curve_set *set, const char *name) {
    for (size_t i = 0; i < set->count; i++)
        if (!strcmp(set->curves[i].policy, name))
            return true;
    return false;
}

/* ---- table ---- */

enum { CELL = 96 };

/* In characters: a dash is several bytes. */
static size_t cell_width(const char *string) {
    size_t width = 0;
    for (; *string; string++)
        width += (*string & 0xc0) != 0x80;
    return width;
}

static void put_padded(struct text *t, const char *string, int width) {
    char cell[CELL];
    const int more = (int)(strlen(string) - cell_width(string));
    snprintf(cell, sizeof cell, "%*.*s", width + more, CELL - 1, string);
    text_put(t, cell);
}

void curve_put_facts(const struct curve_set *set, struct text *t) {
    char number[SIZE_TEXT], hash[HASH_TEXT];
    text_put(t, number_format(set->totals.references, number));
    text_put(t, " references to ");
    text_put(t, number_format(set->totals.pages, number));
    text_put(t, " pages (");
    text_put(t, size_format((uint64_t)set->totals.pages * page_size_of(set), number));
    text_put(t, "), ");
    text_put(t, number_format(set->cold, number));
    text_put(t, " misses are cold");
    if (set->warm_up.left_out) {
        text_put(t, ", counted behind a warm-up of ");
        text_put(t, number_format(set->warm_up.left_out, number));
        text_put(t, " references");
    }
    if (*hash_format(set->totals.hash, hash)) {
        text_put(t, ", trace ");
        text_bytes(t, hash, 16);
    }
}

/* "1,200", or between bounds "1,200–1,431". */
static char *put_misses(const struct curve *c, size_t row, char cell[CELL]) {
    char lower[SIZE_TEXT], upper[SIZE_TEXT];
    if (!c->lower || c->lower[row] == c->upper[row])
        return number_format(c->faults[row], cell);
    snprintf(cell, CELL, "%s–%s", number_format(c->lower[row], lower), number_format(c->upper[row], upper));
    return cell;
}

static int column_width(const struct curve *c) {
    char number[SIZE_TEXT];
    size_t width = strlen(c->policy);
    if (c->label == RESULT_FAILED)
        return (int)min_size(max_size(width, strlen("failed")), CELL - 4) + 2;
    for (size_t i = 0; i < c->count; i++) {
        char cell[CELL];
        width = max_size(width, cell_width(put_misses(c, i, cell)));
        if (c->writebacks)
            width = max_size(width, strlen(number_format(c->writebacks[i], number)));
    }
    return (int)min_size(width, CELL - 4) + 2;
}

static const char *format_cell(const struct curve *c, size_t row, bool writebacks, char cell[CELL]) {
    if (c->label == RESULT_FAILED)
        return "failed";
    if (c->sizes[row] < c->floor || (writebacks && !c->writebacks))
        return "-";
    return writebacks ? number_format(c->writebacks[row], cell) : put_misses(c, row, cell);
}

/* A line for each of some sizes: misses, or write-backs. */
static void put_numbers(const struct curve_set *set, size_t rows_most, bool writebacks, struct text *t) {
    const struct curve *first = &set->curves[0];
    char number[SIZE_TEXT];
    text_put(t, "    frames    memory");
    for (size_t i = 0; i < set->count; i++)
        put_padded(t, set->curves[i].policy, column_width(&set->curves[i]));
    text_put(t, "\n");
    for (size_t row = 0; row < first->count; row++) {
        if (!figure_shows(row, first->count, rows_most))
            continue;
        put_padded(t, number_format(first->sizes[row], number), 10);
        put_padded(t, size_format((uint64_t)first->sizes[row] * page_size_of(set), number), 10);
        for (size_t i = 0; i < set->count; i++) {
            const struct curve *c = &set->curves[i];
            char cell[CELL];
            put_padded(t, format_cell(c, row, writebacks, cell), column_width(c));
        }
        text_put(t, "\n");
    }
}

static void put_labels(const struct curve_set *set, struct text *t) {
    for (size_t i = 0; i < set->count; i++) {
        const struct curve *c = &set->curves[i];
        text_put(t, c->policy);
        text_put(t, ": ");
        text_put(t, result_label_name(c->label));
        if (c->condition) {
            text_put(t, " (");
            text_put(t, c->condition);
            text_put(t, ")");
        }
        if (c->count && c->floor > c->sizes[0]) {
            char number[SIZE_TEXT];
            text_put(t, "; without swap it cannot run below ");
            text_put(t, number_format(c->floor, number));
            text_put(t, " frames");
        }
        text_put(t, c->remark ? "; " : "");
        text_put(t, c->remark ? c->remark : "");
        text_put(t, "\n");
    }
    if (has_policy(set, "opt")) {
        text_put(t, REMARK_OPT);
        text_put(t, set->warm_up.left_out ? REMARK_WARM_UP ".\n" : ".\n");
    }
}

static bool any_writebacks(const struct curve_set *set) {
    for (size_t i = 0; i < set->count; i++)
        if (set->curves[i].writebacks)
            return true;
    return false;
}

void curve_put_table(const char *title, const struct curve_set *set, size_t rows_most, struct text *t) {
    text_put(t, title);
    text_put(t, ": ");
    curve_put_facts(set, t);
    text_put(t, "\n\nmisses\n");
    put_numbers(set, rows_most, false, t);
    if (any_writebacks(set)) {
        text_put(t, "\nwrite-backs\n");
        put_numbers(set, rows_most, true, t);
    }
    text_put(t, "\n");
    put_labels(set, t);
}

/* ---- JSON ---- */

json_t *curve_numbers(const uint64_t *numbers, size_t count) {
    if (!numbers)
        return json_null();
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_integer((json_int_t)numbers[i]));
    return array;
}

static json_t *failed_json(const struct curve *c) {
    return json_pack("{s:s, s:o, s:n, s:n}", "label", result_label_name(c->label), "failed",
                     json_string_nocheck(c->condition ? c->condition : ""), "faults", "writebacks");
}

static json_t *policy_json(const struct curve *c) {
    if (c->label == RESULT_FAILED)
        return failed_json(c);
    json_t *object =
        json_pack("{s:s, s:o, s:o}", "label", result_label_name(c->label), "faults",
                  curve_numbers(c->faults, c->count), "writebacks", curve_numbers(c->writebacks, c->count));
    if (c->condition)
        json_object_set_new(object, "condition", json_string_nocheck(c->condition));
    if (c->remark)
        json_object_set_new(object, "remark", json_string_nocheck(c->remark));
    if (c->lower)
        json_object_set_new(object, "lower", curve_numbers(c->lower, c->count));
    if (c->upper)
        json_object_set_new(object, "upper", curve_numbers(c->upper, c->count));
    if (c->count && c->floor > c->sizes[0])
        json_object_set_new(object, "floor", json_integer(c->floor));
    return object;
}

static json_t *sizes_json(const struct curve_set *set) {
    json_t *array = json_array();
    for (size_t i = 0; set->count && i < set->curves[0].count; i++)
        json_array_append_new(array, json_integer(set->curves[0].sizes[i]));
    return array;
}

json_t *curve_json(const struct subject *s, const struct curve_set *set, uint64_t observe_bits) {
    char hash[HASH_TEXT], observed[SIZE_TEXT] = "every reference";
    json_t *curves = json_object();
    for (size_t i = 0; i < set->count; i++)
        json_object_set_new(curves, set->curves[i].policy, policy_json(&set->curves[i]));
    if (observe_bits)
        snprintf(observed, sizeof observed, "bits:%llu", (unsigned long long)observe_bits);
    hash_format(set->totals.hash, hash);
    struct text title = {0}; /* arguments need not be UTF-8 */
    text_string(&title, s->title, strlen(s->title));
    json_t *root = json_pack(
        "{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:i, s:s, s:o, s:o}", "thimble", THIMBLE_VERSION,
        "subject", json_loadb(title.bytes, title.length, JSON_DECODE_ANY, NULL), "references",
        (json_int_t)set->totals.references, "instructions", (json_int_t)set->totals.instructions, "pages",
        (json_int_t)set->totals.pages, "cold", (json_int_t)set->cold, "warm_up",
        (json_int_t)set->warm_up.instruction, "counted",
        (json_int_t)(set->totals.references - set->warm_up.left_out), "trace_hash", hash, "page_size",
        (int)page_size_of(set), "observed", observed, "sizes", sizes_json(set), "policies", curves);
    text_free(&title);
    return root;
}

static int put_piece(const char *bytes, size_t length, void *context) {
    struct text *t = context;
    text_bytes(t, bytes, length);
    return t->failed ? -1 : 0;
}

void json_put(json_t *root, size_t flags, struct text *t) {
    if (!root || json_dump_callback(root, put_piece, t, flags))
        t->failed = true;
    text_put(t, "\n");
    json_decref(root);
}

void curve_put_json(const struct subject *s, const struct curve_set *set, uint64_t observe_bits,
                    struct text *t) {
    json_put(curve_json(s, set, observe_bits), JSON_INDENT(2), t);
}

/* ---- CSV ---- */

static void put_field(struct text *t, const uint64_t *numbers, size_t i) {
    text_put(t, ",");
    if (numbers)
        text_number(t, numbers[i]);
}

void curve_put_csv(const struct curve_set *set, struct text *t) {
    text_put(t, "policy,frames,bytes,label,faults,writebacks,lower,upper\n");
    for (size_t n = 0; n < set->count; n++) {
        const struct curve *c = &set->curves[n];
        for (size_t i = 0; i < c->count; i++) {
            if (c->sizes[i] < c->floor && c->label != RESULT_FAILED)
                continue;
            const bool quoted = strchr(c->policy, ',') != NULL;
            text_put(t, quoted ? "\"" : "");
            text_put(t, c->policy);
            text_put(t, quoted ? "\"," : ",");
            text_number(t, c->sizes[i]);
            text_put(t, ",");
            text_number(t, (uint64_t)c->sizes[i] * page_size_of(set));
            text_put(t, ",");
            text_put(t, result_label_name(c->label));
            put_field(t, c->label == RESULT_FAILED ? NULL : c->faults, i);
            put_field(t, c->label == RESULT_FAILED ? NULL : c->writebacks, i);
            put_field(t, c->lower, i);
            put_field(t, c->upper, i);
            text_put(t, "\n");
        }
    }
}

/* ---- chart ---- */

struct drawing {
    struct chart_series *series;
    struct chart_point **points; /* of each series: `count` points, and as many for each bound */
    size_t count;
};

static void drawing_free(struct drawing *d) {
    for (size_t i = 0; d->points && i < d->count; i++)
        free(d->points[i]);
    free(d->points);
    free(d->series);
}

static void fill_points(const struct curve *c, const uint64_t *values, struct chart_point *points) {
    for (size_t i = 0; i < c->count; i++)
        points[i] = (struct chart_point){c->sizes[i], (double)values[i]};
}

static bool add_series(struct drawing *d, const struct curve *c) {
    size_t first = 0;
    while (first < c->count && c->sizes[first] < c->floor)
        first++;
    struct chart_point *points = calloc(3 * c->count + 1, sizeof *points);
    if (!points)
        return false;
    fill_points(c, c->faults, points);
    const bool banded = c->lower && c->upper;
    if (banded) {
        fill_points(c, c->lower, points + c->count);
        fill_points(c, c->upper, points + 2 * c->count);
    }
    d->points[d->count] = points;
    d->series[d->count++] = (struct chart_series){
        .name = c->policy,
        .label = result_label_name(c->label),
        .points = points + first,
        .count = c->count - first,
        .lower = banded ? points + c->count + first : NULL,
        .upper = banded ? points + 2 * c->count + first : NULL,
        .reference = !strcmp(c->policy, "opt"),
        .marked = c->count <= 64,
    };
    return true;
}

static void put_caption(const struct curve_set *set, struct text *t) {
    text_put(t, "Misses at each size, cold ones included: ");
    curve_put_facts(set, t);
    text_put(t, ".");
    for (size_t i = 0; i < set->count; i++)
        if (set->curves[i].condition) {
            text_put(t, " ");
            text_put(t, set->curves[i].label == RESULT_FAILED ? set->curves[i].policy : "");
            text_put(t, set->curves[i].label == RESULT_FAILED ? " " : "");
            text_put(t, result_label_name(set->curves[i].label));
            text_put(t, ": ");
            text_put(t, set->curves[i].condition);
            text_put(t, ".");
            break;
        }
    if (has_policy(set, "opt")) {
        text_put(t, " " REMARK_OPT);
        text_put(t, set->warm_up.left_out ? REMARK_WARM_UP "." : ".");
    }
    text_bytes(t, "", 1);
}

void curve_draw(const char *title, const struct curve_set *set, const struct curve *const *curves,
                size_t count, bool linear, const struct figure_options *figure, struct text *t) {
    const enum axis_scale scale = linear ? AXIS_LINEAR : AXIS_LOG;
    struct drawing d = {.series = calloc(count + 1, sizeof *d.series),
                        .points = calloc(count + 1, sizeof *d.points)};
    struct text caption = {0};
    bool whole = d.series && d.points;
    for (size_t i = 0; whole && i < count; i++)
        whole = curves[i]->label == RESULT_FAILED || add_series(&d, curves[i]);
    put_caption(set, &caption);
    if (whole && !caption.failed) {
        const struct chart chart = {
            .title = title,
            .caption = caption.bytes,
            .x = {"frames for pages", scale, PLOT_COUNT},
            .y = {"misses", scale, PLOT_COUNT},
            .from_zero = true,
            .second = {"memory", scale, PLOT_BYTES},
            .second_factor = page_size_of(set),
            .series = d.series,
            .series_count = d.count,
        };
        chart_svg(&chart, &figure->style, t);
    } else {
        t->failed = true;
    }
    text_free(&caption);
    drawing_free(&d);
}
