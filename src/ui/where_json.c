/* `thimble where` for programs: one JSON object, or folded stacks for flame graphs.
 *
 * Identities that hold, and are tested: the rows of each table add up to `totals`, and its `pairs` with
 * `unpaired` to the refaults. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ui/json.h"
#include "ui/where.h"

/* Raised when a key is renamed, removed or changes its meaning. */
enum { WHERE_SCHEMA = 1 };

/* Bytes that need not be UTF-8: what is not becomes '?'. */
static json_t *text(const char *bytes) {
    json_t *string = json_string(bytes);
    char *copy = string ? NULL : strdup(bytes);
    if (string || !copy)
        return string;
    for (char *at = copy; *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    string = json_string(copy);
    free(copy);
    return string;
}

static json_t *counts_json(const struct place_counts *c) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "misses", json_count(c->misses), "refaults",
                     json_count(c->refaults), "swap_in", json_count(c->swap_in), "swap_out",
                     json_count(c->swap_out), "file_in", json_count(c->file_in), "file_out",
                     json_count(c->file_out));
}

static json_t *row_json(const struct place_row *row) {
    json_t *object = counts_json(&row->counts), *frames = json_array();
    for (size_t i = 0; i < row->frame_count; i++)
        json_array_append_new(frames, text(row->frames[i]));
    json_object_set_new(object, "place", text(row->place));
    json_object_set_new(object, "frames", frames);
    return object;
}

static json_t *table_json(const struct place_table *t) {
    json_t *rows = json_array(), *pairs = json_array();
    for (size_t i = 0; i < t->row_count; i++)
        json_array_append_new(rows, row_json(&t->rows[i]));
    for (size_t i = 0; i < t->pair_count; i++)
        json_array_append_new(pairs, json_pack("{s:o, s:o, s:o}", "evicted_by",
                                               text(t->rows[t->pairs[i].evictor].place), "refaulted_in",
                                               text(t->rows[t->pairs[i].evicted].place), "count",
                                               json_count(t->pairs[i].count)));
    return json_pack("{s:s, s:o, s:o, s:o}", "name", t->name, "rows", rows, "pairs", pairs, "unpaired",
                     json_count(t->unpaired));
}

static json_t *report_json(const struct place_report *r, const struct where_context *c) {
    json_t *command = json_array(), *tables = json_array(), *notes = json_array();
    for (char *const *word = c->command; word && *word; word++)
        json_array_append_new(command, text(*word));
    for (size_t i = 0; i < r->table_count; i++)
        json_array_append_new(tables, table_json(&r->tables[i]));
    for (size_t i = 0; i < r->note_count; i++)
        json_array_append_new(notes, text(r->notes[i]));
    return json_pack("{s:i, s:s, s:o, s:s, s:s, s:o, s:o, s:b, s:i, s:o, s:o, s:o}", "schema", WHERE_SCHEMA,
                     "version", THIMBLE_VERSION, "command", command, "by", where_by_names[r->by], "policy",
                     c->policy, "available", c->available ? json_count(c->available) : json_null(), "frames",
                     json_count(c->frames), "deterministic", c->deterministic, "exit_status", c->exit_status,
                     "totals", counts_json(&r->totals), "tables", tables, "notes", notes);
}

int where_print_json(FILE *to, const struct place_report *r, const struct where_context *c) {
    return json_print(report_json(r, c), to);
}

/* Semicolons separate frames. */
static void print_frame(FILE *to, const char *frame) {
    for (; *frame; frame++)
        fputc(*frame == ';' || *frame == '\n' ? ':' : *frame, to);
}

int where_print_folded(FILE *to, const struct place_report *r) {
    const struct place_table *t = &r->tables[0];
    for (size_t i = 0; i < t->row_count; i++) {
        const struct place_row *row = &t->rows[i];
        if (!row->counts.misses)
            continue;
        for (size_t frame = row->frame_count; frame-- > 0;) {
            print_frame(to, row->frames[frame]);
            fputc(frame ? ';' : ' ', to);
        }
        fprintf(to, "%llu\n", (unsigned long long)row->counts.misses);
    }
    return fflush(to) || ferror(to) ? -(errno ? errno : EIO) : 0;
}
