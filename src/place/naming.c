#include "place/naming.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "place/frames.h"

/* ---- rows ---- */

static char *frames_join(char *const *frames, size_t count) {
    size_t length = 1;
    for (size_t i = 0; i < count; i++)
        length += strlen(frames[i]) + 3;
    char *text = malloc(length), *to = text;
    for (size_t i = 0; text && i < count; i++)
        to += sprintf(to, "%s%s", i ? " < " : "", frames[i]);
    return text;
}

static void row_free(struct place_row *row) {
    for (size_t i = 0; row->frames && i < row->frame_count; i++)
        free(row->frames[i]);
    free(row->frames);
    free(row->place);
}

/* Behind those that are there already. */
static bool row_add(struct place_row *row, const struct frame_list *list) {
    char **grown = list ? reallocarray(row->frames, row->frame_count + list->count, sizeof *grown) : NULL;
    if (!grown)
        return false;
    row->frames = grown;
    for (size_t i = 0; i < list->count; i++) {
        grown[row->frame_count] = strdup(list->names[i]);
        if (!grown[row->frame_count])
            return false;
        row->frame_count++;
    }
    return true;
}

static bool row_add_stack(struct frames *frames, uint32_t node, struct place_row *row) {
    char unknown[] = "[unknown]", *names[] = {unknown};
    if (!node)
        return row_add(row, &(struct frame_list){names, 1});
    for (; node; node = stacks_get(frames->naming->stacks, node)->parent)
        if (!row_add(row, frames_get(frames, stacks_get(frames->naming->stacks, node)->frame)))
            return false;
    return true;
}

static int row_make(struct frames *frames, struct key key, const struct place_counts *counts,
                    struct place_row *ret_row) {
    struct place_row row = {.counts = *counts};
    const bool made = key_kind(key) == KEY_STACK ? row_add_stack(frames, (uint32_t)key_value(key), &row)
                                                 : row_add(&row, frames_get(frames, key));
    row.place = made ? frames_join(row.frames, row.frame_count) : NULL;
    if (!row.place) {
        row_free(&row);
        return -ENOMEM;
    }
    *ret_row = row;
    return 0;
}

/* ---- tables ---- */

static int compare_numbers(uint64_t a, uint64_t b) {
    return a == b ? 0 : a > b ? -1 : 1; /* more comes first */
}

static int row_compare(const void *left, const void *right) {
    const struct place_row *a = left, *b = right;
    int order = compare_numbers(a->counts.misses, b->counts.misses);
    if (!order)
        order = compare_numbers(a->counts.refaults, b->counts.refaults);
    if (!order)
        order =
            compare_numbers(a->counts.swap_in + a->counts.swap_out + a->counts.file_in + a->counts.file_out,
                            b->counts.swap_in + b->counts.swap_out + b->counts.file_in + b->counts.file_out);
    return order ? order : strcmp(a->place, b->place);
}

static int pair_compare(const void *left, const void *right) {
    const struct place_pair *a = left, *b = right;
    int order = compare_numbers(a->count, b->count);
    if (!order)
        order = -compare_numbers(a->evictor, b->evictor);
    return order ? order : -compare_numbers(a->evicted, b->evicted);
}

static bool counts_any(const struct place_counts *c) {
    return c->misses || c->swap_in || c->swap_out || c->file_in || c->file_out;
}

/* Rows of what has the same name become one. `rows` gives each key's, `names` the
 * numbers of names to rows. */
static int rows_merge(struct frames *frames, const struct counts *c, struct place_table *table,
                      struct texts *names, uint32_t *row_of) {
    for (uint32_t i = 0; i < c->count; i++) {
        struct place_row row;
        const uint32_t known = names->count;
        int error = row_make(frames, c->keys[i], &c->of[i], &row);
        if (error)
            return error;
        error = texts_add(names, row.place, &row_of[i]);
        if (!error && row_of[i] == known) {
            table->rows[table->row_count++] = row;
            continue;
        }
        if (!error)
            place_counts_add(&table->rows[row_of[i]].counts, &row.counts);
        row_free(&row);
        if (error)
            return error;
    }
    return 0;
}

/* Sorts the rows, those without any count last, and says where each has gone. */
static int rows_sort(struct place_table *table, const struct texts *names, uint32_t *position) {
    struct texts sorted = {0};
    int error = 0;
    if (table->row_count)
        qsort(table->rows, table->row_count, sizeof *table->rows, row_compare);
    for (size_t i = 0; !error && i < table->row_count; i++) {
        uint32_t number;
        error = texts_add(&sorted, table->rows[i].place, &number);
    }
    for (uint32_t i = 0; !error && i < names->count; i++)
        error = texts_add(&sorted, texts_get(names, i), &position[i]);
    texts_free(&sorted);
    return error;
}

/* Pairs of keys become pairs of rows. */
static int pairs_merge(const struct counts *c, const uint32_t *row_of, const uint32_t *position,
                       struct place_table *table) {
    struct map merged = {0};
    size_t cursor = 0;
    uint64_t pair, times;
    int error = 0;
    while (!error && map_next(&c->pairs, &cursor, &pair, &times)) {
        const uint64_t rows = (uint64_t)position[row_of[pair >> 32]] << 32 | position[row_of[(uint32_t)pair]];
        uint64_t sum = 0;
        (void)map_get(&merged, rows, &sum);
        error = map_put(&merged, rows, sum + times);
    }
    table->pairs = calloc(map_count(&merged) + 1, sizeof *table->pairs);
    if (!table->pairs)
        error = -ENOMEM;
    for (cursor = 0; !error && map_next(&merged, &cursor, &pair, &times);)
        table->pairs[table->pair_count++] = (struct place_pair){pair >> 32, (uint32_t)pair, times};
    map_free(&merged);
    if (!error && table->pair_count)
        qsort(table->pairs, table->pair_count, sizeof *table->pairs, pair_compare);
    return error;
}

/* Keys that were only looked up have rows without any count, which nobody wants to see. */
static void rows_drop_empty(struct place_table *table) {
    size_t needed = 0; /* by pairs */
    for (size_t i = 0; i < table->pair_count; i++)
        needed = max_size(needed, max_size(table->pairs[i].evictor, table->pairs[i].evicted) + 1);
    while (table->row_count > needed && !counts_any(&table->rows[table->row_count - 1].counts))
        row_free(&table->rows[--table->row_count]);
}

int naming_table(const struct naming *n, const struct counts *c, struct place_table *table) {
    struct texts names = {0};
    struct frames frames = {.naming = n};
    uint32_t *row_of = calloc((size_t)c->count + 1, sizeof *row_of);
    uint32_t *position = calloc((size_t)c->count + 1, sizeof *position);
    int error = -ENOMEM;
    table->rows = calloc((size_t)c->count + 1, sizeof *table->rows);
    table->unpaired = c->unpaired;
    if (row_of && position && table->rows)
        error = rows_merge(&frames, c, table, &names, row_of);
    if (!error)
        error = rows_sort(table, &names, position);
    if (!error)
        error = pairs_merge(c, row_of, position, table);
    if (!error)
        rows_drop_empty(table);
    texts_free(&names);
    frames_free(&frames);
    free(row_of);
    free(position);
    return error;
}

void place_report_free(struct place_report *report) {
    for (size_t t = 0; t < report->table_count; t++) {
        for (size_t i = 0; i < report->tables[t].row_count; i++)
            row_free(&report->tables[t].rows[i]);
        free(report->tables[t].rows);
        free(report->tables[t].pairs);
    }
    for (size_t i = 0; i < report->note_count; i++)
        free(report->notes[i]);
    free(report->notes);
    *report = (struct place_report){0};
}
