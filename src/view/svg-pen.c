/* See svg-pen.h. Presentation attributes only, no style sheets: a picture is pasted into slides and pages
 * whose own styles must not meet ours. */
#include "view/svg-pen.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "view/plain.h"

/* ---- writing ---- */

/* The name of a character that means something in XML; NULL: it stands for itself. XML has no controls, and
 * neither U+FFFE nor U+FFFF. */
static const char *entity_of(uint32_t character) {
    switch (character) {
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '&': return "&amp;";
    case '\'': return "&#39;";
    case '"': return "&quot;";
    default: break;
    }
    bool impossible = character < 0x20 || character == 0x7f || (character >= 0xfffd && character <= 0xffff);
    return impossible ? "\xef\xbf\xbd" : NULL;
}

static void put_escaped(struct text *t, const char *string, size_t length) {
    uint32_t character;
    for (size_t i = 0, size; i < length; i += size) {
        size = plain_decode(string + i, length - i, &character);
        const char *entity = entity_of(character);
        if (entity)
            text_put(t, entity);
        else
            text_bytes(t, string + i, size);
    }
}

static void put_hex(struct text *t, uint64_t n) {
    char digits[16], *first = digits + sizeof digits;
    do
        *--first = "0123456789abcdef"[n % 16];
    while (n /= 16);
    text_bytes(t, first, (size_t)(digits + sizeof digits - first));
}

static void put_format(struct text *t, const char *format, va_list arguments) {
    for (const char *s = format; *s; s++) {
        if (*s != '%') {
            size_t plain = strcspn(s, "%");
            text_bytes(t, s, plain);
            s += plain - 1;
            continue;
        }
        switch (*++s) {
        case 'd': text_signed(t, va_arg(arguments, int)); break;
        case 'u': text_number(t, va_arg(arguments, uint64_t)); break;
        case 'x': put_hex(t, va_arg(arguments, uint64_t)); break;
        case 's': text_put(t, va_arg(arguments, const char *)); break;
        case 'e': {
            const char *string = va_arg(arguments, const char *);
            put_escaped(t, string, strlen(string));
            break;
        }
        case 'c': {
            char c = (char)va_arg(arguments, int);
            put_escaped(t, &c, 1);
            break;
        }
        default: text_put(t, "%");
        }
    }
}

void pen_write(struct pen *pen, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put_format(pen->text, format, arguments);
    va_end(arguments);
}

int pen_thick(const struct pen *pen, int width) {
    return pen->options->projector ? width * 2 : width;
}

int pen_size(const struct pen *pen, int size) {
    return pen->options->projector ? size * 5 / 4 : size;
}

/* ---- text ---- */

/* Of the usual sans-serif and monospace faces, in hundredths of the size. */
static int column_width(unsigned style) {
    return style & PEN_MONOSPACE ? 61 : style & PEN_BOLD ? 68 : 60;
}

int pen_text_width(const char *text, int size, unsigned style) {
    return (int)plain_columns(text, strlen(text)) * size * column_width(style) / 100;
}

static void begin_text(struct pen *pen, int x, int y, int size, const char *ink, unsigned style) {
    const char *anchor = style & PEN_LEFT ? "start" : style & PEN_RIGHT ? "end" : "middle";
    pen_write(pen, "<text x='%d' y='%d' font-size='%d' fill='%s' text-anchor='%s'", x, y, size, ink, anchor);
    pen_write(pen, "%s%s%s>", style & PEN_BOLD ? " font-weight='bold'" : "",
              style & PEN_MONOSPACE ? " font-family='monospace'" : "",
              style & PEN_ITALIC ? " font-style='italic'" : "");
}

static size_t columns_of(int width, int size, unsigned style) {
    const int columns = width * 100 / (size * column_width(style));
    return columns > 1 ? (size_t)columns : 1;
}

/* Where the first `columns` of the text end. */
static size_t columns_from_start(const char *text, size_t length, size_t columns) {
    size_t i = 0, used = 0;
    uint32_t character;
    while (i < length) {
        size_t size = plain_decode(text + i, length - i, &character);
        if (used + plain_width(character) > columns)
            break;
        used += plain_width(character);
        i += size;
    }
    return i;
}

/* The first `head` columns of the text and the end of it, `columns` in all. The end of a path says more than
 * its beginning. */
static void put_shortened(struct pen *pen, const char *text, size_t columns, size_t head) {
    const size_t length = strlen(text), all = plain_columns(text, length);
    const size_t kept = columns > 1 ? columns - 1 : 0;
    head = min_size(head, kept);
    const size_t head_end = columns_from_start(text, length, head);
    const size_t tail = columns_from_start(text, length, all - (kept - head));
    put_escaped(pen->text, text, head_end);
    text_put(pen->text, "…");
    put_escaped(pen->text, text + tail, length - tail);
}

static void text_keeping(struct pen *pen, struct box box, int size, const char *ink, unsigned style,
                         const char *text, size_t head) {
    enum { LEAST = 5 };
    const int smallest = style & PEN_WHOLE || size * 4 / 5 < LEAST ? LEAST : size * 4 / 5;
    while (size > smallest && pen_text_width(text, size, style) > box.width)
        size--;
    const size_t columns = columns_of(box.width, size, style);
    const int x = style & PEN_LEFT ? box.x : style & PEN_RIGHT ? box_right(box) : box_middle(box);
    begin_text(pen, x, box.y + box.height / 2 + size * 36 / 100, size, ink, style);
    if (style & PEN_WHOLE || pen_text_width(text, size, style) <= box.width)
        put_escaped(pen->text, text, strlen(text));
    else
        put_shortened(pen, text, columns, head ? head : columns / 3);
    pen_write(pen, "</text>\n");
}

void pen_text(struct pen *pen, struct box box, int size, const char *ink, unsigned style, const char *text) {
    text_keeping(pen, box, size, ink, style, text, 0);
}

void pen_title(struct pen *pen, struct box box, int size, const char *ink, unsigned style, const char *title,
               uint64_t number, const char *name) {
    struct text text = {.inject = pen->text->inject};
    text_put(&text, title);
    text_number(&text, number);
    text_put(&text, *name ? ": " : "");
    const size_t head = text.length;
    text_put(&text, name);
    text_bytes(&text, "", 1);
    if (text.failed)
        pen->text->failed = true;
    else
        text_keeping(pen, box, size, ink, style, text.bytes, head);
    text_free(&text);
}

void pen_textf(struct pen *pen, struct box box, int size, const char *ink, unsigned style, const char *format,
               ...) {
    struct text text = {.inject = pen->text->inject};
    va_list arguments;
    va_start(arguments, format);
    put_format(&text, format, arguments);
    va_end(arguments);
    text_bytes(&text, "", 1);
    if (text.failed)
        pen->text->failed = true;
    else
        pen_text(pen, box, size, ink, style, text.bytes);
    text_free(&text);
}

/* The length of the longest piece of text that ends at a space and fits. */
static size_t line_length(const char *text, size_t columns) {
    const size_t length = strlen(text), fits = columns_from_start(text, length, columns);
    if (fits == length)
        return length;
    for (size_t i = fits; i > 0; i--)
        if (text[i] == ' ')
            return i;
    return fits ? fits : length;
}

static int leading_of(int size) {
    return size * 5 / 4;
}

static int count_lines(const char *text, size_t columns) {
    int lines = 0;
    for (; *text; lines++) {
        text += line_length(text, columns);
        text += strspn(text, " ");
    }
    return lines;
}

int pen_paragraph_height(int width, int size, unsigned style, const char *text) {
    return count_lines(text, columns_of(width, size, style)) * leading_of(size);
}

/* As narrow as it can be without another line: no word is left alone at the end. */
static size_t balanced_columns(const char *text, size_t columns) {
    const int lines = count_lines(text, columns);
    while (columns > 1 && lines > 1 && count_lines(text, columns - 1) == lines)
        columns--;
    return columns;
}

void pen_paragraph(struct pen *pen, struct box box, int size, const char *ink, unsigned style,
                   const char *text) {
    const int x = style & PEN_LEFT ? box.x : box_middle(box);
    const size_t all = columns_of(box.width, size, style);
    const size_t columns = style & PEN_LEFT ? all : balanced_columns(text, all);
    for (int y = box.y + size; *text; y += leading_of(size)) {
        size_t length = line_length(text, columns);
        begin_text(pen, x, y, size, ink, style);
        put_escaped(pen->text, text, length);
        pen_write(pen, "</text>\n");
        text += length;
        text += strspn(text, " ");
    }
}

/* ---- shapes ---- */

static void put_box(struct pen *pen, struct box b) {
    pen_write(pen, " x='%d' y='%d' width='%d' height='%d'", b.x, b.y, b.width > 0 ? b.width : 0,
              b.height > 0 ? b.height : 0);
}

static void put_stroke(struct pen *pen, const char *colour, int width) {
    if (width)
        pen_write(pen, " stroke='%s' stroke-width='%d'", colour, pen_thick(pen, width));
}

void pen_rect(struct pen *pen, struct box box, const char *fill, int stroke) {
    pen_rounded(pen, box, 0, fill, stroke);
}

void pen_rounded(struct pen *pen, struct box box, int radius, const char *fill, int stroke) {
    pen_write(pen, "<rect");
    put_box(pen, box);
    if (radius)
        pen_write(pen, " rx='%d'", radius);
    pen_write(pen, " fill='%s'", fill);
    put_stroke(pen, pen->shades->line, stroke);
    pen_write(pen, "/>\n");
}

void pen_dashed_box(struct pen *pen, struct box box, const char *fill) {
    pen_write(pen, "<rect");
    put_box(pen, box);
    pen_write(pen, " rx='3' fill='%s' stroke-dasharray='5 3'", fill);
    put_stroke(pen, pen->shades->line, 1);
    pen_write(pen, "/>\n");
}

static void put_ellipse(struct pen *pen, struct box b) {
    pen_write(pen, "<ellipse cx='%d' cy='%d' rx='%d' ry='%d'", box_middle(b), b.y + b.height / 2, b.width / 2,
              b.height / 2);
}

void pen_ellipse(struct pen *pen, struct box b, const char *fill, int stroke) {
    put_ellipse(pen, b);
    pen_write(pen, " fill='%s'", fill);
    put_stroke(pen, pen->shades->line, stroke);
    pen_write(pen, "/>\n");
}

void pen_hatch(struct pen *pen, struct box b, bool strong) {
    pen_write(pen, "<rect");
    put_box(pen, b);
    pen_write(pen, " fill='url(#thimble-%s)'/>\n", strong ? "data" : "hatch");
}

void pen_file_surface(struct pen *pen, struct box b, unsigned colour) {
    colour %= PICTURE_COLOURS;
    pen_rect(pen, b, pen->shades->files[colour].fill, 1);
    if (!pen->shades->hatched_files)
        return;
    pen_write(pen, "<rect");
    put_box(pen, b);
    pen_write(pen, " fill='url(#thimble-file-%d)'/>\n", (int)colour);
}

void pen_ring(struct pen *pen, struct box b) {
    put_ellipse(pen, b);
    pen_write(pen, " fill='none' data-ring=''");
    put_stroke(pen, pen->shades->ring, 3);
    pen_write(pen, "/>\n");
}

void pen_cylinder(struct pen *pen, struct box b, const char *fill) {
    const int cap = 14, x = b.x, right = box_right(b), top = b.y + cap, bottom = box_bottom(b) - cap,
              radius = b.width / 2;
    pen_write(pen, "<path d='M%d %dV%dA%d %d 0 0 0 %d %dV%dA%d %d 0 0 0 %d %dA%d %d 0 0 0 %d %d' fill='%s'",
              x, top, bottom, radius, cap, right, bottom, top, radius, cap, x, top, radius, cap, right, top,
              fill);
    put_stroke(pen, pen->shades->line, 2);
    pen_write(pen, "/>\n");
}

void pen_dot(struct pen *pen, struct point at) {
    pen_write(pen, "<circle cx='%d' cy='%d' r='%d' fill='%s'/>\n", at.x, at.y, pen_thick(pen, 2) + 2,
              pen->shades->line);
}

/* ---- arrows ---- */

static int sign(int n) {
    return (n > 0) - (n < 0);
}

/* `by` pixels from `at` on the way to `to`; only along rows and columns, elsewhere `at` itself. */
static struct point towards(struct point at, struct point to, int by) {
    const int dx = to.x - at.x, dy = to.y - at.y;
    if (dx && dy)
        return at;
    const int length = abs(dx) + abs(dy);
    by = by < length / 2 ? by : length / 2;
    return (struct point){at.x + sign(dx) * by, at.y + sign(dy) * by};
}

static void put_path(struct pen *pen, const struct route *r) {
    enum { RADIUS = 6 };
    pen_write(pen, "<path d='M%d %d", r->points[0].x, r->points[0].y);
    for (unsigned i = 1; i + 1 < r->count; i++) {
        struct point before = towards(r->points[i], r->points[i - 1], RADIUS);
        struct point after = towards(r->points[i], r->points[i + 1], RADIUS);
        pen_write(pen, "L%d %dQ%d %d %d %d", before.x, before.y, r->points[i].x, r->points[i].y, after.x,
                  after.y);
    }
    pen_write(pen, "L%d %d' fill='none'", r->points[r->count - 1].x, r->points[r->count - 1].y);
}

/* A route without the points that lie on their predecessor. */
static struct route without_repeats(const struct route *r) {
    struct route result = {.count = 0};
    for (unsigned i = 0; i < r->count; i++)
        if (!result.count || r->points[i].x != result.points[result.count - 1].x ||
            r->points[i].y != result.points[result.count - 1].y)
            result.points[result.count++] = r->points[i];
    return result;
}

void pen_arrow(struct pen *pen, const struct route *route, bool dashed, bool moves) {
    const struct route r = without_repeats(route);
    if (r.count < 2)
        return;
    put_path(pen, &r);
    pen_write(pen, " stroke='%s' stroke-width='%d' stroke-opacity='0.85'/>\n", pen->shades->paper.fill,
              pen_thick(pen, 2) + 4);
    put_path(pen, &r);
    put_stroke(pen, moves ? pen->shades->ring : pen->shades->line, moves ? 3 : 2);
    pen_write(pen, "%s marker-end='url(#thimble-%s)'/>\n", dashed ? " stroke-dasharray='7 4'" : "",
              moves ? "move" : "head");
}

/* ---- definitions ---- */

static void put_file_patterns(struct pen *pen) {
    /* Lines of eight kinds, in tiles of 8 × 8. */
    static const char *const lines[PICTURE_COLOURS] = {
        "M0 8L8 0",         "M0 0L8 8",     "M0 4H8",       "M4 0V8",
        "M0 0L8 8M0 8L8 0", "M0 4H8M4 0V8", "M2 2h1M6 6h1", "M0 2H8M0 4H8",
    };
    for (int i = 0; i < PICTURE_COLOURS; i++)
        pen_write(pen,
                  "<pattern id='thimble-file-%d' width='8' height='8' patternUnits='userSpaceOnUse'>"
                  "<path d='%s' stroke='#9a9a9a' stroke-width='1' fill='none'/></pattern>\n",
                  i, lines[i]);
}

static void put_marker(struct pen *pen, const char *name, const char *colour, int size) {
    pen_write(
        pen,
        "<marker id='thimble-%s' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='%d' markerHeight='%d' "
        "orient='auto' markerUnits='userSpaceOnUse'><path d='M0 0L10 5L0 10z' fill='%s'/></marker>\n",
        name, size, size, colour);
}

static void put_hatching(struct pen *pen, const char *name, const char *colour, int size, int width) {
    pen_write(pen,
              "<pattern id='thimble-%s' width='%d' height='%d' patternUnits='userSpaceOnUse'>"
              "<path d='M-1 %dL%d -1M-1 1L1 -1M%d %dL%d %d' stroke='%s' stroke-width='%d'/></pattern>\n",
              name, size, size, size + 1, size + 1, size - 1, size + 1, size + 1, size - 1, colour, width);
}

void pen_definitions(struct pen *pen) {
    pen_write(pen, "<defs>\n");
    put_marker(pen, "head", pen->shades->line, pen_thick(pen, 6) + 5);
    put_marker(pen, "move", pen->shades->ring, pen_thick(pen, 6) + 8);
    put_hatching(pen, "hatch", pen->shades->hatch, 9, pen_thick(pen, 1));
    put_hatching(pen, "data", pen->shades->line, 7, pen_thick(pen, 1) + 1);
    if (pen->shades->hatched_files)
        put_file_patterns(pen);
    pen_write(pen, "</defs>\n");
}
