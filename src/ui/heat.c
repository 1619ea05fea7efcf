/* `thimble heat`: where a program's references went over time, and the size of its working set. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/access_map.h"
#include "base/base.h"
#include "base/message.h"
#include "hw/types.h"
#include "plot/heat.h"
#include "ui/commands.h"
#include "ui/curve_output.h"
#include "ui/figure.h"
#include "ui/say.h"
#include "ui/size.h"
#include "ui/subject.h"

enum {
    KEY_BY = 2048, /* beyond those of the machine's options, which argp sees together with these */
    KEY_WINDOW,
    KEY_JSON,
};

enum { COLUMNS_OF_DRAWING = 400, ROWS_OF_DRAWING = 200, COLUMNS_OF_TEXT = 100, ROWS_OF_TEXT = 40 };
enum { BANDS_OF_DRAWING = 24, BANDS_OF_TEXT = 12 };

struct job {
    struct subject subject;
    struct access_config config;
    const char *output;
    enum figure_format format; /* of output */
    bool as_json;
    struct figure_options figure;
};

static const struct argp_option own_options[] = {
    {NULL, 0, NULL, 0, "Heat map:", 0},
    {"by", KEY_BY, "UNIT", 0, "Time is counted in: time (instructions, default) or references", 0},
    {"window", KEY_WINDOW, "N", 0,
     "Working set: the pages referenced in the last N of these (default: a hundredth of the whole)", 0},
    {"output", 'o', "FILE", 0, "Write FILE.svg, .png, .json or .txt instead of characters here", 0},
    {"json", KEY_JSON, NULL, 0, "One JSON object on standard output", 0},
    FIGURE_PICTURE_OPTIONS,
    FIGURE_CHARACTER_OPTIONS,
    {0},
};

/* ---- options ---- */

static int take_unit(struct job *job, const char *text, char **ret_message) {
    job->config.by_references = !strcmp(text, "references");
    if (job->config.by_references || !strcmp(text, "time"))
        return 0;
    return message_fail(-EINVAL, ret_message, "--by: '%s' is not known: there are time and references", text);
}

static int take_output(struct job *job, const char *path, char **ret_message) {
    job->output = path;
    return figure_take_output(path, false, &job->format, ret_message);
}

static int take_option(void *context, int key, const char *value, char **ret_message) {
    struct job *job = context;
    const int taken = figure_take(&job->figure, key, value, ret_message);
    if (taken)
        return taken < 0 ? taken : 0;
    switch (key) {
    case KEY_BY: return take_unit(job, value, ret_message);
    case KEY_WINDOW: return number_take("--window", value, 1, INT64_MAX, &job->config.window, ret_message);
    case KEY_JSON: job->as_json = true; return 0;
    case 'o': return take_output(job, value, ret_message);
    default: return -ARGP_ERR_UNKNOWN;
    }
}

/* ---- output ---- */

static const char *unit_of(const struct job *job) {
    return job->config.by_references ? "references" : "instructions";
}

static json_t *bands_json(const struct access_map *map) {
    json_t *array = json_array();
    for (size_t i = 0; i < map->band_count; i++) {
        const struct access_band *b = &map->bands[i];
        struct text name = {0}; /* need not be UTF-8 */
        text_string(&name, b->name, strlen(b->name));
        json_array_append_new(array, json_pack("{s:o, s:i, s:I, s:I, s:I, s:I}", "name",
                                               json_loadb(name.bytes, name.length, JSON_DECODE_ANY, NULL),
                                               "space", (int)b->space, "first", (json_int_t)b->first, "last",
                                               (json_int_t)b->last, "pages", (json_int_t)b->pages, "rows",
                                               (json_int_t)b->rows));
        text_free(&name);
    }
    return array;
}

static void put_json(const struct job *job, const struct access_map *map, struct text *t) {
    struct refs_totals totals = {0};
    char hash[HASH_TEXT];
    json_t *cells = json_array(), *working_set = json_array();
    refs_totals(job->subject.source, &totals);
    for (size_t row = 0; row < map->rows; row++)
        json_array_append_new(cells, curve_numbers(map->cells + row * map->columns, map->columns));
    for (size_t i = 0; i < map->columns; i++)
        json_array_append_new(working_set, json_integer(map->working_set[i]));
    json_put(json_pack("{s:s, s:I, s:I, s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o}", "thimble", THIMBLE_VERSION,
                       "references", (json_int_t)map->references, "pages", (json_int_t)map->pages,
                       "trace_hash", hash_format(totals.hash, hash), "unit", unit_of(job), "start",
                       (json_int_t)map->start, "time", (json_int_t)map->time, "window",
                       (json_int_t)map->window, "bands", bands_json(map), "cells", cells, "working_set",
                       working_set),
             JSON_COMPACT, t);
}

/* "Working set: …", with a NUL. */
static void put_caption(const struct job *job, const struct access_map *map, struct text *t) {
    char number[SIZE_TEXT];
    text_put(
        t,
        "Each row is a part of the pages that were touched, in the order of their addresses; a page stands "
        "where it was first touched. The working set at a time is the pages referenced in the ");
    text_put(t, number_format(map->window, number));
    text_put(t, " ");
    text_put(t, unit_of(job));
    text_put(t, " before it (Denning 1968). ");
    text_put(t, number_format(map->references, number));
    text_put(t, " references to ");
    text_put(t, number_format(map->pages, number));
    text_put(t, " pages.");
    text_bytes(t, "", 1);
}

static void put_heat(const struct job *job, const struct heat *heat, enum figure_format format,
                     struct text *t) {
    if (format != FIGURE_TEXT) {
        heat_svg(heat, &job->figure.style, t);
        return;
    }
    text_put(t, heat->title);
    text_put(t, "\n");
    heat_text(heat, job->figure.ascii, t);
    text_put(t, heat->caption);
    text_put(t, "\n");
}

static void draw(const struct job *job, const struct access_map *map, enum figure_format format,
                 struct text *t) {
    const size_t cell_count = (size_t)map->rows * map->columns;
    double *cells = calloc(cell_count + 1, sizeof *cells), *line = calloc(map->columns + 1, sizeof *line);
    struct heat_band *bands = calloc(map->band_count + 1, sizeof *bands);
    struct text caption = {0};
    put_caption(job, map, &caption);
    t->failed |= !cells || !line || !bands || caption.failed;
    if (!t->failed) {
        for (size_t i = 0; i < cell_count; i++)
            cells[i] = (double)map->cells[i];
        for (size_t i = 0; i < map->columns; i++)
            line[i] = (double)map->working_set[i] * PAGE_SIZE;
        for (size_t i = 0; i < map->band_count; i++)
            bands[i] = (struct heat_band){map->bands[i].name, map->bands[i].rows};
        const struct heat heat = {.title = job->subject.title,
                                  .caption = caption.bytes,
                                  .columns = map->columns,
                                  .rows = map->rows,
                                  .cells = cells,
                                  .bands = bands,
                                  .band_count = map->band_count,
                                  .start = (double)map->start,
                                  .end = (double)(map->start + map->time),
                                  .time_title = unit_of(job),
                                  .cell_title = "references",
                                  .line = line,
                                  .line_title = "working set",
                                  .line_unit = PLOT_BYTES};
        put_heat(job, &heat, format, t);
    }
    text_free(&caption);
    free(cells);
    free(line);
    free(bands);
}

static bool write_map(const struct job *job, const struct access_map *map, enum figure_format format,
                      const char *path) {
    struct text t = {0};
    if (format == FIGURE_JSON)
        put_json(job, map, &t);
    else
        draw(job, map, format, &t);
    const bool done = figure_write(path, format, &t);
    text_free(&t);
    return done;
}

static void decide_grid(struct job *job, enum figure_format format) {
    const bool characters = format == FIGURE_TEXT;
    const unsigned columns = job->figure.columns ? job->figure.columns : COLUMNS_OF_TEXT;
    job->config.columns = characters ? columns : COLUMNS_OF_DRAWING;
    job->config.bands = characters ? BANDS_OF_TEXT : BANDS_OF_DRAWING;
    job->config.rows = characters ? ROWS_OF_TEXT : ROWS_OF_DRAWING;
}

static bool map_opened(struct job *job, enum figure_format format) {
    struct access_map map;
    decide_grid(job, format);
    job->config.warm_up = job->subject.options.counted;
    const int error = access_map_make(job->subject.source, &job->config, &map);
    if (error) {
        const char *message = error == -ERANGE ? WARM_UP_NOT_OVER : refs_message(job->subject.source);
        return say_failed(message ? strdup(message) : NULL, error); /* it begins with the file's name */
    }
    if (!map.references)
        subject_report(&job->subject, "there is not one reference in it");
    const bool done =
        map.references && write_map(job, &map, format, job->output && !job->as_json ? job->output : "-");
    access_map_free(&map);
    return done;
}

/* Of a run that goes on, in a process of its own. */
static void report(void *context) {
    struct job *job = context;
    job->output = NULL;
    job->as_json = false;
    (void)map_opened(job, FIGURE_TEXT);
}

static bool run_job(struct job *job, char **envp) {
    const enum figure_format format = job->as_json ? FIGURE_JSON : job->output ? job->format : FIGURE_TEXT;
    job->subject.report = report;
    job->subject.job = job;
    return subject_open(&job->subject, envp) && map_opened(job, format);
}

int heat_command(int argc, char **argv, char **envp) {
    struct job job = {0};
    const struct options_analysis analysis = {
        .name = "thimble heat",
        .arguments = "[--] PROGRAM [ARG...]\nFILE",
        .doc = "Where the references of PROGRAM, or of a FILE of them, went over time: address by time, and "
               "the size of the working set.\vThe exit status is 0, or 125 when something could not be "
               "drawn. See also: man thimble-heat",
        .options = own_options,
        .take = take_option,
        .context = &job,
        .takes_file = true,
    };
    if (subject_parse(&job.subject, &analysis, argc, argv) && run_job(&job, envp))
        job.subject.exit_status = EXIT_SUCCESS;
    subject_close(&job.subject);
    return job.subject.exit_status;
}
