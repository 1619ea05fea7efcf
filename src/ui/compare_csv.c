/* The rows of a comparison as CSV, and back. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/message.h"
#include "ui/compare_rows.h"

enum column_type { COLUMN_TEXT, COLUMN_COUNT, COLUMN_REAL };

static const struct column {
    const char *name;
    enum column_type type;
    size_t offset;
    bool needed;
} columns[] = {
#define TEXT(field, needed)                                                                                  \
    { #field, COLUMN_TEXT, offsetof(struct compare_row, field), needed }
#define COUNT(field, needed)                                                                                 \
    { #field, COLUMN_COUNT, offsetof(struct compare_row, field), needed }
#define REAL(field, needed)                                                                                  \
    { #field, COLUMN_REAL, offsetof(struct compare_row, field), needed }
    TEXT(name, true),           TEXT(command, false),
    COUNT(seed, true),          COUNT(layout, true),
    TEXT(trace_hash, false),    COUNT(references, false),
    COUNT(counted, false),      COUNT(pages, false),
    COUNT(cold, false),         TEXT(policy, true),
    TEXT(size, true),           COUNT(frames, true),
    TEXT(label, true),          TEXT(condition, false),
    TEXT(observed, false),      COUNT(misses, false),
    COUNT(lower, false),        COUNT(upper, false),
    COUNT(writebacks, false),   {"stall_seconds", COLUMN_REAL, offsetof(struct compare_row, stall), false},
    TEXT(disk, false),          REAL(ns_per_reference, false),
    REAL(ns_per_victim, false), REAL(bytes_per_frame, false),
    TEXT(thimble, false),
#undef TEXT
#undef COUNT
#undef REAL
};

enum { COLUMNS = ARRAY_LENGTH(columns), FIELDS_MOST = 64, NONE = -1 };

static void *field_of(const struct compare_row *row, const struct column *c) {
    return (char *)row + c->offset;
}

/* ---- writing ---- */

static void put_text(struct text *t, const char *string) {
    if (!strpbrk(string, ",\"\r\n")) {
        text_put(t, string);
        return;
    }
    text_put(t, "\"");
    for (; *string; string++) {
        if (*string == '"')
            text_put(t, "\"");
        text_bytes(t, string, 1);
    }
    text_put(t, "\"");
}

static void put_field(struct text *t, const struct compare_row *row, const struct column *c) {
    char number[40] = "";
    const void *field = field_of(row, c);
    switch (c->type) {
    case COLUMN_TEXT: put_text(t, *(char *const *)field); return;
    case COLUMN_COUNT:
        if (*(const uint64_t *)field != UINT64_MAX)
            snprintf(number, sizeof number, "%" PRIu64, *(const uint64_t *)field);
        break;
    case COLUMN_REAL:
        if (!isnan(*(const double *)field))
            snprintf(number, sizeof number, "%.9g", *(const double *)field);
        break;
    }
    text_put(t, number);
}

void compare_csv_put(const struct compare_rows *rows, struct text *t) {
    for (size_t i = 0; i < COLUMNS; i++) {
        text_put(t, i ? "," : "");
        text_put(t, columns[i].name);
    }
    text_put(t, "\n");
    for (size_t row = 0; row < rows->count; row++)
        for (size_t i = 0; i < COLUMNS; i++) {
            put_field(t, &rows->rows[row], &columns[i]);
            text_put(t, i + 1 < COLUMNS ? "," : "\n");
        }
}

/* ---- reading ---- */

struct reading {
    FILE *file;
    const char *path;
    unsigned long line;         /* of the record that is read */
    struct text text;           /* the fields of a record, each with a NUL */
    size_t fields[FIELDS_MOST]; /* where each begins */
    size_t field_count;
    int column_of[FIELDS_MOST]; /* index into columns; NONE: not known */
    size_t named;               /* fields of the first line */
    char **ret_message;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct reading *r, const char *format, ...) {
    char what[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return message_fail(-EBADMSG, r->ret_message, "%s, line %lu: %s", r->path, r->line, what);
}

static int begin_field(struct reading *r) {
    if (r->field_count == FIELDS_MOST)
        return refuse(r, "more than %d fields", FIELDS_MOST);
    r->fields[r->field_count++] = r->text.length;
    return 0;
}

/* The next record. 1, 0 at the end, or -errno. */
static int read_record(struct reading *r) {
    bool quoted = false;
    int c = fgetc(r->file), error;
    if (c == EOF)
        return ferror(r->file) ? refuse(r, "it cannot be read") : 0;
    text_clear(&r->text);
    r->field_count = 0;
    r->line++;
    error = begin_field(r);
    for (; !error && c != EOF && (quoted || c != '\n'); c = fgetc(r->file)) {
        const char byte = (char)c;
        if (c == '"') {
            const int next = quoted ? fgetc(r->file) : EOF;
            if (quoted && next == '"')
                text_put(&r->text, "\"");
            else if (quoted && next != EOF)
                ungetc(next, r->file);
            quoted ^= !(quoted && next == '"');
        } else if (c == ',' && !quoted) {
            text_bytes(&r->text, "", 1);
            error = begin_field(r);
        } else if (c != '\r' || quoted) {
            text_bytes(&r->text, &byte, 1);
        }
    }
    text_bytes(&r->text, "", 1);
    if (!error && quoted)
        error = refuse(r, "a quotation mark is not closed");
    if (!error && r->text.failed)
        error = -ENOMEM;
    return error ? error : 1;
}

static int read_names(struct reading *r) {
    int got = read_record(r);
    if (got == 0)
        return refuse(r, "it is empty");
    r->named = r->field_count;
    for (size_t i = 0; got > 0 && i < r->field_count; i++) {
        r->column_of[i] = NONE;
        for (int c = 0; c < (int)COLUMNS; c++)
            if (!strcmp(columns[c].name, r->text.bytes + r->fields[i]))
                r->column_of[i] = c;
    }
    for (int c = 0; got > 0 && c < (int)COLUMNS; c++) {
        bool there = !columns[c].needed;
        for (size_t i = 0; i < r->named; i++)
            there |= r->column_of[i] == c;
        if (!there)
            got = refuse(r, "there is no column '%s': is this a file of thimble compare --csv?",
                         columns[c].name);
    }
    return got > 0 ? 0 : got;
}

static int take_field(struct reading *r, struct compare_row *row, const struct column *c, const char *value) {
    void *field = field_of(row, c);
    char *rest = NULL;
    errno = 0;
    switch (c->type) {
    case COLUMN_TEXT:
        free(*(char **)field);
        *(char **)field = strdup(value);
        return *(char **)field ? 0 : -ENOMEM;
    case COLUMN_COUNT:
        if (!*value && !c->needed)
            return 0;
        *(uint64_t *)field = strtoull(value, &rest, 10);
        break;
    case COLUMN_REAL:
        if (!*value)
            return 0;
        *(double *)field = strtod(value, &rest);
        break;
    }
    if (rest == value || *rest || errno || *value == '-')
        return refuse(r, "%s: '%.40s' is not a number", c->name, value);
    return 0;
}

static int read_row(struct reading *r, struct compare_row *row) {
    int error = 0;
    *row = (struct compare_row){.misses = UINT64_MAX,
                                .lower = UINT64_MAX,
                                .upper = UINT64_MAX,
                                .writebacks = UINT64_MAX,
                                .stall = NAN};
    for (size_t c = 0; !error && c < COLUMNS; c++)
        if (columns[c].type == COLUMN_TEXT)
            error = take_field(r, row, &columns[c], "");
    if (!error && r->field_count != r->named)
        error = refuse(r, "%zu fields where the first line names %zu", r->field_count, r->named);
    for (size_t i = 0; !error && i < r->field_count; i++)
        if (r->column_of[i] != NONE)
            error = take_field(r, row, &columns[r->column_of[i]], r->text.bytes + r->fields[i]);
    if (!error && compare_row_failed(row) && strcmp(row->label, "failed"))
        error = refuse(r, "misses: there are none, and the label is '%.40s', not 'failed'", row->label);
    return error;
}

int compare_csv_read(FILE *file, const char *path, struct compare_rows *ret_rows, char **ret_message) {
    struct reading r = {.file = file, .path = path, .ret_message = ret_message};
    struct compare_rows rows = {0};
    int error = read_names(&r), got = 0;
    while (!error && (got = read_record(&r)) > 0) {
        struct compare_row *more = reallocarray(rows.rows, rows.count + 1, sizeof *more);
        if (!more) {
            error = -ENOMEM;
            break;
        }
        rows.rows = more;
        error = read_row(&r, &rows.rows[rows.count++]);
    }
    error = error ? error : got;
    text_free(&r.text);
    if (error)
        compare_rows_free(&rows);
    else
        *ret_rows = rows;
    return error;
}
