#include "place/naming.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* ---- frames ---- */

/* "insert table.c:42", "insert (libc.so.6)", "libc.so.6+0x1234"; malloc'd, NULL: no memory. */
static char *code_name(const struct naming *n, struct key key) {
    struct module *module = locator_module(n->locator, key_module(key));
    const struct module_symbol *symbol = module_symbol_at(module, key_value(key));
    const char *file = NULL;
    int line = 0, length;
    char *text = NULL, *function = symbol ? dw_demangle(n->dw, symbol->name) : NULL;
    if (symbol && !function)
        return NULL;
    const bool has_line = n->lines && key_kind(key) == KEY_CODE &&
                          module_line(module, key_value(key), &file, &line) && line > 0;
    if (has_line) {
        const char *slash = strrchr(file, '/');
        length = asprintf(&text, "%s %s:%d", function ? function : module_name(module),
                          slash ? slash + 1 : file, line);
    } else if (function) {
        length = asprintf(&text, "%s (%s)", function, module_name(module));
    } else {
        length = asprintf(&text, "%s+0x%" PRIx64, module_name(module), key_value(key));
    }
    free(function);
    return length < 0 ? NULL : text;
}

static char *frame_name(const struct naming *n, struct key key) {
    return key_kind(key) == KEY_NAME ? strdup(texts_get(n->names, (uint32_t)key_value(key)))
                                     : code_name(n, key);
}

/* ---- rows ---- */

static size_t frames_count(const struct naming *n, struct key key) {
    size_t count = 0;
    if (key_kind(key) != KEY_STACK)
        return 1;
    for (uint32_t node = (uint32_t)key_value(key); node; node = stacks_get(n->stacks, node)->parent)
        count++;
    return count ? count : 1;
}

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

static int row_make(const struct naming *n, struct key key, const struct place_counts *counts,
                    struct place_row *ret_row) {
    struct place_row row = {.counts = *counts, .frame_count = frames_count(n, key)};
    row.frames = calloc(row.frame_count, sizeof *row.frames);
    uint32_t node = key_kind(key) == KEY_STACK ? (uint32_t)key_value(key) : 0;
    bool made = row.frames != NULL;
    for (size_t i = 0; made && i < row.frame_count; i++) {
        row.frames[i] = node                         ? frame_name(n, stacks_get(n->stacks, node)->frame)
                        : key_kind(key) == KEY_STACK ? strdup("[unknown]")
                                                     : frame_name(n, key);
        made = row.frames[i] != NULL;
        node = node ? stacks_get(n->stacks, node)->parent : 0;
    }
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

/* Rows of what has the same name become one. `rows` gives each key's, `names` the numbers of names to rows.
 */
static int rows_merge(const struct naming *n, const struct counts *c, struct place_table *table,
                      struct texts *names, uint32_t *row_of) {
    for (uint32_t i = 0; i < c->count; i++) {
        struct place_row row;
        const uint32_t known = names->count;
        int error = row_make(n, c->keys[i], &c->of[i], &row);
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
    uint32_t *row_of = calloc((size_t)c->count + 1, sizeof *row_of);
    uint32_t *position = calloc((size_t)c->count + 1, sizeof *position);
    int error = -ENOMEM;
    table->rows = calloc((size_t)c->count + 1, sizeof *table->rows);
    table->unpaired = c->unpaired;
    if (row_of && position && table->rows)
        error = rows_merge(n, c, table, &names, row_of);
    if (!error)
        error = rows_sort(table, &names, position);
    if (!error)
        error = pairs_merge(c, row_of, position, table);
    if (!error)
        rows_drop_empty(table);
    texts_free(&names);
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
