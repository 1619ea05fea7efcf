/* What a program wrote to its terminal, as the last lines of a pane.
 *
 * Two passes: the first takes the control sequences out and leaves text with line ends, backspaces and
 * carriage returns; the second lays each line out and wraps it. */
#include "terminal/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "view/plain.h"

enum { ESCAPE = 0x1b, BELL = 0x07, TAB_COLUMNS = 8 };

/* ---- control sequences (ECMA-48, section 5.4) ---- */

/* The bytes of a string (OSC, DCS …) up to its end, BEL or ESC \. */
static size_t string_length(const char *bytes, size_t length) {
    for (size_t i = 2; i < length; i++) {
        if (bytes[i] == BELL)
            return i + 1;
        if (bytes[i] == ESCAPE)
            return i + 1 < length && bytes[i + 1] == '\\' ? i + 2 : i;
    }
    return length;
}

/* The bytes of a control sequence, CSI up to its final byte. */
static size_t sequence_length(const char *bytes, size_t length) {
    for (size_t i = 2; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x40 && byte <= 0x7e)
            return i + 1;
        if (byte < 0x20 || byte > 0x7e) /* not a sequence after all */
            return i;
    }
    return length;
}

/* bytes[0] is ESC. */
static size_t escape_length(const char *bytes, size_t length) {
    if (length < 2)
        return length;
    if (bytes[1] == '[')
        return sequence_length(bytes, length);
    if (strchr("]PX^_", bytes[1]) && bytes[1])
        return string_length(bytes, length);
    size_t i = 1; /* intermediate bytes, then a final one */
    while (i < length && bytes[i] >= 0x20 && bytes[i] <= 0x2f)
        i++;
    return i < length ? i + 1 : length;
}

/* ---- a line ---- */

struct cell { /* one character: a piece of the output */
    const char *bytes;
    size_t size;
    unsigned width;
};

/* One line as it is written; it may be wider than the pane, and wraps when it is done. */
struct line {
    struct cell *cells;
    size_t length, at; /* how many cells, and where the next one goes */
    size_t capacity;
};

static bool line_write(struct line *line, const char *bytes, size_t size, unsigned width) {
    if (array_reserve(&line->cells, &line->capacity, line->at + 1, sizeof *line->cells))
        return false;
    line->cells[line->at++] = (struct cell){bytes, size, width};
    if (line->length < line->at)
        line->length = line->at;
    return true;
}

static bool line_tab(struct line *line) {
    bool written = true;
    do
        written = line_write(line, " ", 1, 1);
    while (written && line->at % TAB_COLUMNS);
    return written;
}

/* ---- all lines, wrapped ---- */

struct rows {
    size_t columns;
    struct text *all; /* each row, with its '\n' */
};

static void rows_put(const struct rows *rows, const struct line *line) {
    size_t columns = 0;
    for (size_t i = 0; i < line->length; i++) {
        const struct cell *cell = &line->cells[i];
        if (columns + cell->width > rows->columns) {
            text_put(rows->all, "\n");
            columns = 0;
        }
        columns += cell->width;
        plain_put(rows->all, cell->bytes, cell->size, 0);
    }
    text_put(rows->all, "\n");
}

static bool take_character(const char *bytes, size_t length, struct line *line, size_t *ret_taken) {
    uint32_t character;
    *ret_taken = plain_decode(bytes, length, &character);
    if (character < 0x20 || character == 0x7f)
        return true;
    return line_write(line, bytes, *ret_taken, plain_width(character));
}

/* One character or control; how many bytes it has. False: out of memory. */
static bool take(const char *bytes, size_t length, const struct rows *rows, struct line *line,
                 size_t *ret_taken) {
    *ret_taken = 1;
    switch (bytes[0]) {
    case ESCAPE: *ret_taken = escape_length(bytes, length); return true;
    case '\n':
        rows_put(rows, line);
        line->length = line->at = 0;
        return true;
    case '\r': line->at = 0; return true;
    case '\b': line->at -= line->at > 0; return true;
    case '\t': return line_tab(line);
    default: return take_character(bytes, length, line, ret_taken);
    }
}

/* The last rows of `all`, without the last line end. */
static void put_last(const struct text *all, size_t rows, struct text *t) {
    size_t end = all->length, begin;
    if (end && all->bytes[end - 1] == '\n')
        end--;
    for (begin = end; begin > 0; begin--)
        if (all->bytes[begin - 1] == '\n' && --rows == 0)
            break;
    text_bytes(t, all->bytes + begin, end - begin);
}

void lines_put(const char *bytes, size_t length, size_t most, size_t columns, struct text *t) {
    struct text all = {.inject = t->inject};
    const struct rows rows = {.columns = columns, .all = &all};
    struct line line = {0};
    bool written = true;
    for (size_t at = 0, taken; at < length && written; at += taken)
        written = take(bytes + at, length - at, &rows, &line, &taken);
    if (line.length)
        rows_put(&rows, &line);
    t->failed |= all.failed | !written;
    if (all.length && most)
        put_last(&all, most, t);
    free(line.cells);
    text_free(&all);
}
