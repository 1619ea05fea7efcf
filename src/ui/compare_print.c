/* A report as a table, and as JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "hw/types.h"
#include "ui/compare_parts.h"
#include "ui/size.h"

#define REMARK_OPT "opt minimises misses, not writes or stall"
#define REMARK_WARM_UP                                                                                       \
    "; it does so over the whole run: behind the warm-up alone a policy may have up to one miss less for "   \
    "each frame"

enum { CELL = 4 * SIZE_TEXT };

static const struct compare_result *result_of(const struct compare_report *r, size_t size, size_t policy) {
    return &r->results[size * r->policies.count + policy];
}

/* ---- table ---- */

static void put_right(struct text *t, int width, const char *string) {
    char cell[CELL];
    /* Width in characters: "×" and "µ" are two bytes. */
    size_t more = 0;
    for (const char *s = string; *s; s++)
        more += (*s & 0xc0) == 0x80;
    snprintf(cell, sizeof cell, "%*s", width + (int)more, string);
    text_put(t, cell);
}

static char *percent(double ratio, char text[SIZE_TEXT]) {
    if (isnan(ratio))
        snprintf(text, SIZE_TEXT, "-");
    else
        snprintf(text, SIZE_TEXT, "%+.1f%%", (ratio - 1) * 100);
    return text;
}

static void put_ratio(struct text *t, const struct compare_ratio *r) {
    char low[SIZE_TEXT], high[SIZE_TEXT], middle[SIZE_TEXT], cell[CELL];
    if (isnan(r->low))
        snprintf(cell, sizeof cell, "%s", percent(r->ratio, middle));
    else
        snprintf(cell, sizeof cell, "%s [%s, %s]", percent(r->ratio, middle), percent(r->low, low),
                 percent(r->high, high));
    put_right(t, isnan(r->low) ? 10 : 27, cell);
}

static void put_real(struct text *t, int width, const char *format, double value) {
    char cell[CELL] = "-";
    if (!isnan(value))
        snprintf(cell, sizeof cell, format, value);
    put_right(t, width, cell);
}

static bool is_measured(const struct compare_report *r) {
    for (size_t i = 0; i < r->sizes.count * r->policies.count; i++)
        if (r->results[i].ns_per_reference > 0)
            return true;
    return false;
}

static bool has_intervals(const struct compare_report *r) {
    for (size_t i = 0; i < r->sizes.count * r->policies.count; i++)
        if (r->results[i].runs && !isnan(r->results[i].misses_to_baseline.low))
            return true;
    return false;
}

static int name_width(const struct compare_report *r) {
    size_t width = 6;
    for (size_t i = 0; i < r->policies.count; i++)
        width = max_size(width, strlen(r->policies.names[i]));
    return (int)min_size(width, CELL - 4);
}

static void put_names(const struct compare_report *r, struct text *t) {
    char cell[CELL];
    const int width = has_intervals(r) ? 27 : 10;
    snprintf(cell, sizeof cell, "  %-*s", name_width(r), "policy");
    text_put(t, cell);
    put_right(t, 14, "misses");
    put_right(t, 9, "× opt");
    put_right(t, 10, "distance");
    snprintf(cell, sizeof cell, "vs %.20s", r->policies.names[r->baseline]);
    put_right(t, width, cell);
    put_right(t, 14, "write-backs");
    put_right(t, 12, "stall s");
    put_right(t, width, "stall vs");
    text_put(t, is_measured(r) ? "    ns/ref  ns/victim  B/frame" : "");
    text_put(t, "  label\n");
}

/* "1,200", or between bounds "1,200–1,431". */
static void put_misses(const struct compare_result *result, struct text *t) {
    char number[SIZE_TEXT], upper[SIZE_TEXT], cell[CELL];
    if (result->lower == result->upper)
        snprintf(cell, sizeof cell, "%s", number_format(result->misses, number));
    else
        snprintf(cell, sizeof cell, "%s–%s", number_format(result->lower, number),
                 number_format(result->upper, upper));
    put_right(t, 14, cell);
}

static void put_result(const struct compare_report *r, size_t policy, const struct compare_result *result,
                       struct text *t) {
    char cell[CELL], number[SIZE_TEXT];
    snprintf(cell, sizeof cell, "  %-*.*s", name_width(r), CELL - 4, r->policies.names[policy]);
    text_put(t, cell);
    put_misses(result, t);
    put_real(t, 9, "%.3f", result->to_opt);
    put_real(t, 10, "%.1f%%", result->distance * 100);
    put_ratio(t, &result->misses_to_baseline);
    put_right(t, 14, result->writebacks_known ? number_format(result->writebacks, number) : "-");
    put_real(t, 12, "%.4f", result->stall);
    put_ratio(t, &result->stall_to_baseline);
    if (is_measured(r)) {
        put_real(t, 10, "%.1f", result->ns_per_reference > 0 ? result->ns_per_reference : NAN);
        put_real(t, 11, "%.0f", result->ns_per_victim > 0 ? result->ns_per_victim : NAN);
        put_real(t, 9, "%.1f", result->bytes_per_frame > 0 ? result->bytes_per_frame : NAN);
    }
    text_put(t, "  ");
    text_put(t, result->label);
    text_put(t, "\n");
}

static void put_no_result(const struct compare_report *r, size_t policy, const char *why, struct text *t) {
    char cell[CELL];
    snprintf(cell, sizeof cell, "  %-*.*s", name_width(r), CELL - 4, r->policies.names[policy]);
    text_put(t, cell);
    put_right(t, 14, "-");
    text_put(t, "  ");
    text_put(t, why);
    text_put(t, "\n");
}

static void put_size(const struct compare_report *r, size_t size, struct text *t) {
    char number[SIZE_TEXT];
    const struct compare_result *first = result_of(r, size, (size_t)r->baseline);
    text_put(t, "\n");
    if (strchr(r->sizes.names[size], '%')) {
        text_put(t, r->sizes.names[size]);
        text_put(t, " of each run's pages\n");
    } else {
        text_put(t, number_format(first->frames, number));
        text_put(t, " frames, ");
        text_put(t, size_format(first->frames * PAGE_SIZE, number));
        text_put(t, "\n");
    }
    put_names(r, t);
    for (size_t policy = 0; policy < r->policies.count; policy++) {
        const struct compare_result *result = result_of(r, size, policy);
        if (!result->runs)
            put_no_result(r, policy, "it cannot run in so little memory", t);
        else if (result->failed)
            put_no_result(r, policy, "failed", t);
        else
            put_result(r, policy, result, t);
    }
}

static void put_conditions(const struct compare_report *r, struct text *t) {
    const char *before = "";
    for (size_t i = 0; i < r->rows->count; i++) {
        const struct compare_row *row = &r->rows->rows[i];
        if (!*row->condition || !strcmp(row->condition, before))
            continue;
        if (compare_row_failed(row)) {
            text_put(t, row->policy);
            text_put(t, " ");
        }
        text_put(t, row->label);
        text_put(t, ", ");
        text_put(t, row->name);
        text_put(t, ": ");
        text_put(t, row->condition);
        text_put(t, "\n");
        before = row->condition;
    }
}

/* Files of earlier comparisons need not say. */
static bool has_warm_up(const struct compare_row *row) {
    return row->counted && row->counted < row->references;
}

static bool any_warm_up(const struct compare_report *r) {
    for (size_t i = 0; i < r->run_count; i++)
        if (has_warm_up(r->runs[i]))
            return true;
    return false;
}

static size_t program_count(const struct compare_report *r) {
    return r->run_count ? r->programs[r->run_count - 1] + 1 : 0;
}

static void put_heading(const struct compare_report *r, struct text *t) {
    char number[SIZE_TEXT];
    if (r->run_count == 1) {
        const struct compare_row *row = r->runs[0];
        text_put(t, row->command);
        text_put(t, ": ");
        text_put(t, number_format(row->references, number));
        text_put(t, " references to ");
        text_put(t, number_format(row->pages, number));
        text_put(t, " pages, ");
        text_put(t, number_format(row->cold, number));
        text_put(t, " misses are cold");
        if (has_warm_up(row)) {
            text_put(t, ", counted behind a warm-up of ");
            text_put(t, number_format(row->references - row->counted, number));
            text_put(t, " references");
        }
        text_put(t, *row->trace_hash ? ", trace " : "");
        text_bytes(t, row->trace_hash, min_size(16, strlen(row->trace_hash)));
    } else {
        text_number(t, r->run_count);
        text_put(t, " runs of ");
        text_number(t, program_count(r));
        text_put(t, program_count(r) == 1 ? " program" : " programs");
    }
    text_put(t, "\nobserved: ");
    text_put(t, r->run_count ? r->runs[0]->observed : "");
    text_put(t, "; stall: misses that are not cold, and write-backs, on disk ");
    text_put(t, r->run_count ? r->runs[0]->disk : "");
    text_put(t, "\n");
}

void compare_report_put_table(const struct compare_report *r, struct text *t) {
    put_heading(r, t);
    for (size_t size = 0; size < r->sizes.count; size++)
        put_size(r, size, t);
    text_put(t, "\ndistance: (misses - opt) / (");
    text_put(t, r->policies.names[r->baseline]);
    text_put(t, " - opt). ");
    if (has_intervals(r))
        text_put(t, "In brackets: 95% bootstrap intervals of the paired difference. ");
    if (r->opt >= 0)
        text_put(t, any_warm_up(r) ? REMARK_OPT REMARK_WARM_UP "." : REMARK_OPT ".");
    text_put(t, "\n");
    put_conditions(r, t);
}

/* ---- JSON ---- */

static json_t *real_json(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *ratio_json(const struct compare_ratio *r) {
    return json_pack("{s:o, s:o, s:o}", "ratio", real_json(r->ratio), "low", real_json(r->low), "high",
                     real_json(r->high));
}

/* A list over the sizes of what `make` gives for each, null where there was no run;
 * null if it gives nothing. */
static json_t *list_json(const struct compare_report *r, size_t policy,
                         json_t *(*make)(const struct compare_result *)) {
    json_t *list = json_array();
    bool any = false;
    for (size_t size = 0; size < r->sizes.count; size++) {
        const struct compare_result *result = result_of(r, size, policy);
        json_t *value = result->runs && !result->failed ? make(result) : json_null();
        any |= !json_is_null(value);
        json_array_append_new(list, value);
    }
    if (any)
        return list;
    json_decref(list);
    return json_null();
}

static bool is_bounded(const struct compare_result *r) {
    return r->label && !strcmp(r->label, "bounded");
}
static json_t *make_faults(const struct compare_result *r) {
    return json_integer((json_int_t)r->misses);
}
static json_t *make_lower(const struct compare_result *r) {
    return is_bounded(r) ? json_integer((json_int_t)r->lower) : json_null();
}
static json_t *make_upper(const struct compare_result *r) {
    return is_bounded(r) ? json_integer((json_int_t)r->upper) : json_null();
}
static json_t *make_writebacks(const struct compare_result *r) {
    return r->writebacks_known ? json_integer((json_int_t)r->writebacks) : json_null();
}
static json_t *make_stall(const struct compare_result *r) {
    return real_json(r->stall);
}
static json_t *make_to_opt(const struct compare_result *r) {
    return real_json(r->to_opt);
}
static json_t *make_distance(const struct compare_result *r) {
    return real_json(r->distance);
}
static json_t *make_misses_ratio(const struct compare_result *r) {
    return ratio_json(&r->misses_to_baseline);
}
static json_t *make_stall_ratio(const struct compare_result *r) {
    return ratio_json(&r->stall_to_baseline);
}
static json_t *make_costs(const struct compare_result *r) {
    return json_pack("{s:o, s:o, s:o}", "ns_per_reference", real_json(r->ns_per_reference), "ns_per_victim",
                     real_json(r->ns_per_victim), "bytes_per_frame", real_json(r->bytes_per_frame));
}

static json_t *policy_json(const struct compare_report *r, size_t policy) {
    static const struct {
        const char *name;
        json_t *(*make)(const struct compare_result *);
    } lists[] = {
        {"faults", make_faults},
        {"writebacks", make_writebacks},
        {"stall_seconds", make_stall},
        {"ratio_to_opt", make_to_opt},
        {"distance_to_opt", make_distance},
        {"misses_to_baseline", make_misses_ratio},
        {"stall_to_baseline", make_stall_ratio},
    };
    const struct compare_result *surest = NULL; /* the least sure, that is: failed, if it is anywhere */
    for (size_t size = 0; size < r->sizes.count; size++)
        if (result_of(r, size, policy)->runs && !(surest && surest->failed))
            surest = result_of(r, size, policy);
    json_t *object = json_pack("{s:s}", "label", surest ? surest->label : "");
    if (surest && *surest->condition)
        json_object_set_new(object, surest->failed ? "failed" : "condition",
                            json_string_nocheck(surest->condition));
    if (surest && is_bounded(surest)) {
        json_object_set_new(object, "lower", list_json(r, policy, make_lower));
        json_object_set_new(object, "upper", list_json(r, policy, make_upper));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++)
        json_object_set_new(object, lists[i].name, list_json(r, policy, lists[i].make));
    if (is_measured(r))
        json_object_set_new(object, "cost", list_json(r, policy, make_costs));
    return object;
}

static json_t *runs_json(const struct compare_report *r) {
    json_t *list = json_array();
    for (size_t i = 0; i < r->run_count; i++) {
        const struct compare_row *row = r->runs[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:I}", "name", row->name, "command",
                            row->command, "seed", (json_int_t)row->seed, "layout", (json_int_t)row->layout,
                            "trace_hash", row->trace_hash, "references", (json_int_t)row->references, "pages",
                            (json_int_t)row->pages, "cold", (json_int_t)row->cold, "counted",
                            (json_int_t)(row->counted ? row->counted : row->references)));
    }
    return list;
}

/* Numbers of frames, but for sizes that are a part of each run's pages. */
static json_t *sizes_json(const struct compare_report *r) {
    json_t *list = json_array();
    for (size_t i = 0; i < r->sizes.count; i++) {
        const uint64_t frames = result_of(r, i, (size_t)r->baseline)->frames;
        const bool is_part = strchr(r->sizes.names[i], '%') != NULL;
        json_array_append_new(list,
                              is_part ? json_string(r->sizes.names[i]) : json_integer((json_int_t)frames));
    }
    return list;
}

json_t *compare_report_json(const struct compare_report *r) {
    const struct compare_row *first = r->runs[0];
    uint64_t references = 0, pages = 0, cold = 0;
    json_t *curves = json_object();
    for (size_t i = 0; i < r->run_count; i++) {
        references += r->runs[i]->references;
        pages += r->runs[i]->pages;
        cold += r->runs[i]->cold;
    }
    for (size_t i = 0; i < r->policies.count; i++)
        json_object_set_new(curves, r->policies.names[i], policy_json(r, i));
    json_t *root = json_pack(
        "{s:s, s:I, s:I, s:I, s:o, s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "thimble", first->thimble,
        "references", (json_int_t)references, "pages", (json_int_t)pages, "cold", (json_int_t)cold,
        "trace_hash", r->run_count == 1 ? json_string(first->trace_hash) : json_null(), "page_size",
        (int)PAGE_SIZE, "observed", first->observed, "baseline", r->policies.names[r->baseline], "disk",
        first->disk, "remark", any_warm_up(r) ? REMARK_OPT REMARK_WARM_UP : REMARK_OPT, "sizes",
        sizes_json(r), "policies", curves, "runs", runs_json(r));
    return root;
}
