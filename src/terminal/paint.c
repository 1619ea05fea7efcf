/* Text with colours on curses' screen. */
#include "terminal/paint.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "view/plain.h"

enum { DEFAULT_COLOUR = -1, BASIC_COLOURS = 8, ELLIPSIS = 0x2026 };

/* What SGR has set so far. Colours are 0 … 15, or DEFAULT_COLOUR. */
struct style {
    short foreground, background;
    attr_t attributes;
};

static const struct style plain_style = {DEFAULT_COLOUR, DEFAULT_COLOUR, A_NORMAL};

void paint_begin(struct paint *p, bool colour, bool ascii) {
    *p = (struct paint){.colour = colour && has_colors(), .ascii = ascii};
    if (p->colour) {
        start_color();
        use_default_colors();
    }
}

/* ---- SGR ---- */

static void style_colour(struct style *s, unsigned code) {
    if (code >= 30 && code <= 37)
        s->foreground = (short)(code - 30);
    else if (code >= 90 && code <= 97)
        s->foreground = (short)(code - 90 + BASIC_COLOURS);
    else if (code == 39)
        s->foreground = DEFAULT_COLOUR;
    else if (code >= 40 && code <= 47)
        s->background = (short)(code - 40);
    else if (code >= 100 && code <= 107)
        s->background = (short)(code - 100 + BASIC_COLOURS);
    else if (code == 49)
        s->background = DEFAULT_COLOUR;
}

static void style_take(struct style *s, unsigned code) {
    switch (code) {
    case 0: *s = plain_style; return;
    case 1: s->attributes |= A_BOLD; return;
    case 2: s->attributes |= A_DIM; return;
    case 4: s->attributes |= A_UNDERLINE; return;
    case 7: s->attributes |= A_REVERSE; return;
    case 22: s->attributes &= ~(attr_t)(A_BOLD | A_DIM); return;
    case 24: s->attributes &= ~(attr_t)A_UNDERLINE; return;
    case 27: s->attributes &= ~(attr_t)A_REVERSE; return;
    default: style_colour(s, code); return;
    }
}

/* bytes[0] is ESC: takes a whole sequence; how many bytes it has. */
static size_t style_sequence(struct style *s, const char *bytes, size_t length) {
    unsigned code = 0;
    size_t i = 2;
    if (length < 2 || bytes[1] != '[')
        return 1;
    for (; i < length && ((bytes[i] >= '0' && bytes[i] <= '9') || bytes[i] == ';'); i++) {
        if (bytes[i] == ';') {
            style_take(s, code);
            code = 0;
        } else if (code < 1000) {
            code = 10 * code + (unsigned)(bytes[i] - '0');
        }
    }
    if (i < length && bytes[i] == 'm')
        style_take(s, code);
    return i < length ? i + 1 : length;
}

/* ---- colours of the terminal ---- */

/* A colour that the terminal has; the eight others are made bright by bold. */
static short nearest(short colour, attr_t *attributes) {
    if (colour < BASIC_COLOURS || COLORS >= 2 * BASIC_COLOURS)
        return colour;
    *attributes |= A_BOLD;
    return (short)(colour - BASIC_COLOURS);
}

static short pair_of(struct paint *p, short foreground, short background) {
    short *pair = &p->pairs[(foreground + 1) * PAINT_COLOURS + background + 1];
    if (*pair || (foreground == DEFAULT_COLOUR && background == DEFAULT_COLOUR))
        return *pair;
    if (p->made + 1 >= COLOR_PAIRS || init_pair((short)(p->made + 1), foreground, background) == ERR)
        return 0;
    return *pair = ++p->made;
}

static void style_apply(struct paint *p, const struct style *s, attr_t base) {
    attr_t attributes = s->attributes | base, ignored = 0;
    short pair = 0;
    if (p->colour) {
        short foreground = nearest(s->foreground, &attributes);
        pair = pair_of(p, foreground, nearest(s->background, &ignored));
    }
    attr_set(attributes, pair, NULL);
}

/* ---- text ---- */

/* One character at the cursor; how many bytes it has. */
static size_t put_character(const struct paint *p, const char *bytes, size_t length, int *columns) {
    uint32_t character;
    size_t size = plain_decode(bytes, length, &character);
    if (p->ascii && character >= 0x80)
        character = character == ELLIPSIS ? '~' : '?';
    int width = (int)plain_width(character);
    if (width > *columns) {
        *columns = 0;
        return size;
    }
    if (character >= ' ' && character != 0x7f) {
        const wchar_t wide = (wchar_t)character;
        addnwstr(&wide, 1);
        *columns -= width;
    }
    return size;
}

void paint_line(struct paint *p, int y, int x, int columns, unsigned attributes, const char *bytes,
                size_t length) {
    struct style style = plain_style;
    move(y, x);
    for (size_t i = 0; i < length && columns > 0;) {
        if (bytes[i] == 0x1b) {
            i += style_sequence(&style, bytes + i, length - i);
            continue;
        }
        style_apply(p, &style, attributes);
        i += put_character(p, bytes + i, length - i, &columns);
    }
    style_apply(p, &plain_style, attributes);
    for (; columns > 0; columns--)
        addch(' ');
    attr_set(A_NORMAL, 0, NULL);
}

void paint_lines(struct paint *p, int y, int rows, int columns, unsigned attributes, const char *bytes,
                 size_t length) {
    for (; rows > 0; rows--, y++) {
        const char *end = length ? memchr(bytes, '\n', length) : NULL;
        size_t line = end ? (size_t)(end - bytes) : length;
        paint_line(p, y, 0, columns, attributes, bytes, line);
        line += end != NULL;
        bytes += line;
        length -= line;
    }
}
