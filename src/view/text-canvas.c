/* See text-canvas.h. */
#include "view/text-canvas.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "view/plain.h"

static const struct style plain_style = {0, false};

void canvas_free(struct canvas *c) {
    free(c->glyphs);
    *c = (struct canvas){0};
}

/* The glyph at a place, made if need be; NULL: it is outside. */
static struct glyph *canvas_at(struct canvas *c, size_t row, size_t column) {
    if (c->failed || column >= c->columns)
        return NULL;
    if (c->limit && row >= c->limit) {
        c->cut = true;
        return NULL;
    }
    if (row >= c->capacity) {
        const size_t capacity = max_size(row + 1, c->capacity * 2);
        struct glyph *glyphs = reallocarray(c->glyphs, capacity * c->columns, sizeof *glyphs);
        if (!glyphs) {
            c->failed = true;
            return NULL;
        }
        memset(glyphs + c->capacity * c->columns, 0, (capacity - c->capacity) * c->columns * sizeof *glyphs);
        c->glyphs = glyphs;
        c->capacity = capacity;
    }
    c->rows = max_size(c->rows, row + 1);
    return &c->glyphs[row * c->columns + column];
}

/* What stands for a character where there is only ASCII. */
static char stand_in(uint32_t character) {
    static const struct {
        uint32_t character;
        char ascii;
    } known[] = {
        {0x2502, '|'}, {0x2500, '-'}, {0x2192, '>'}, {0x2193, '|'}, {0x21e3, ':'},
        {0x25c4, '<'}, {0x25ba, '>'}, {0x00d7, 'x'}, {0x2026, '~'}, {0x2013, '-'},
        {0x2591, '/'}, {0x00b7, '.'}, {0x25cf, '*'},
    };
    if (character < 0x80)
        return (char)character;
    if (character >= 0x250c && character <= 0x253c)
        return '+'; /* corners and crossings */
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (known[i].character == character)
            return known[i].ascii;
    return '?';
}

/* One character; a wide one that does not fit whole is a blank. */
static size_t put_character(struct canvas *c, size_t row, size_t column, const char *bytes, size_t length,
                            struct style style) {
    uint32_t character;
    plain_decode(bytes, length, &character);
    const char ascii = stand_in(character);
    const unsigned width = c->ascii ? 1 : plain_width(character);
    struct glyph *glyph = canvas_at(c, row, column);
    struct glyph *right = width == 2 ? canvas_at(c, row, column + 1) : NULL;
    glyph = canvas_at(c, row, column); /* it may have moved */
    if (!glyph || (width == 2 && !right))
        return width;
    *glyph = (struct glyph){.style = style};
    glyph->length = (uint8_t)(c->ascii ? 1 : length);
    memcpy(glyph->bytes, c->ascii ? &ascii : bytes, glyph->length);
    if (right)
        *right = (struct glyph){.covered = true, .style = style};
    return width;
}

/* A mark that combines with the character before it. */
static void put_combining(struct canvas *c, size_t row, size_t column, const char *bytes, size_t length) {
    struct glyph *glyph = column ? canvas_at(c, row, column - 1) : NULL;
    if (!glyph || c->ascii || !glyph->length || glyph->length + length > CANVAS_GLYPH)
        return;
    memcpy(glyph->bytes + glyph->length, bytes, length);
    glyph->length = (uint8_t)(glyph->length + length);
}

size_t canvas_put(struct canvas *c, size_t row, size_t column, const char *text, struct style style) {
    const size_t length = strlen(text);
    uint32_t character;
    for (size_t i = 0, size; i < length; i += size) {
        size = plain_decode(text + i, length - i, &character);
        if (plain_width(character))
            column += put_character(c, row, column, text + i, size, style);
        else
            put_combining(c, row, column, text + i, size);
    }
    return column;
}

size_t canvas_repeat(struct canvas *c, size_t row, size_t column, const char *character, size_t times,
                     struct style style) {
    while (times--)
        column = canvas_put(c, row, column, character, style);
    return column;
}

/* ---- printing ---- */

static void print_style(struct text *t, struct style style) {
    text_put(t, style.bold ? "\033[0;1" : "\033[0");
    if (style.colour) {
        text_put(t, ";");
        text_number(t, style.colour <= 8 ? 29u + style.colour : 81u + style.colour);
    }
    text_put(t, "m");
}

static bool same_style(struct style a, struct style b) {
    return a.colour == b.colour && a.bold == b.bold;
}

static bool is_blank(const struct glyph *glyph) {
    return !glyph->covered && (!glyph->length || (glyph->length == 1 && glyph->bytes[0] == ' '));
}

static void print_row(const struct glyph *glyphs, size_t count, bool colour, struct text *t) {
    struct style now = plain_style;
    while (count && is_blank(&glyphs[count - 1]))
        count--;
    for (size_t i = 0; i < count; i++) {
        if (glyphs[i].covered)
            continue;
        const struct style style = is_blank(&glyphs[i]) ? plain_style : glyphs[i].style;
        if (colour && !same_style(now, style))
            print_style(t, style);
        now = style;
        if (glyphs[i].length)
            text_bytes(t, glyphs[i].bytes, glyphs[i].length);
        else
            text_put(t, " ");
    }
    if (colour && !same_style(now, plain_style))
        print_style(t, plain_style);
    text_put(t, "\n");
}

void canvas_print(const struct canvas *c, bool colour, struct text *t) {
    t->failed |= c->failed;
    for (size_t row = 0; row < c->rows; row++)
        print_row(c->glyphs + row * c->columns, c->columns, colour, t);
}
