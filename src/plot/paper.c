/* See paper.h. Colours: lines after Okabe and Ito, "Color Universal Design" (2008), darker where the
 * contrast with white would be below 3:1 and lighter on black; shades of one hue whose lightness alone says
 * how much, so that a printout without colours says the same. */
#include "plot/paper.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct paper_colours light = {
    .paper = "#ffffff",
    .ink = "#1a1a1a",
    .faint = "#595959",
    .grid = "#e3e6e8",
    .accent = "#c00000",
    .reference = "#000000",
    .lines = {"#0072b2", "#c24e00", "#007f5c", "#a8428a", "#a87400", "#2c86b8", "#6b4fa0", "#7a6a00",
              "#8c2d2d", "#5c6b73"},
    .shades = {"#deebf7", "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b",
               "#041a3d"},
};

static const struct paper_colours dark = {
    .paper = "#14181c",
    .ink = "#f2f2f2",
    .faint = "#aab4bb",
    .grid = "#2c343a",
    .accent = "#ff7a70",
    .reference = "#ffffff",
    .lines = {"#56b4e9", "#ff9248", "#2fcf9f", "#ee9fce", "#f2b632", "#9bd3f5", "#b9a3ee", "#e8dc5a",
              "#ff9c9c", "#b7c4cc"},
    .shades = {"#16324f", "#184a78", "#1c639f", "#2f80c0", "#569ed6", "#82b9e4", "#add2ee", "#d3e7f6",
               "#f7fbff"},
};

#define GREYS(a, b, c, d)                                                                                    \
    { a, b, c, d, a, b, c, d, a, b }

static const struct paper_colours mono = {
    .paper = "#ffffff",
    .ink = "#000000",
    .faint = "#404040",
    .grid = "#e0e0e0",
    .accent = "#000000",
    .reference = "#000000",
    .lines = GREYS("#000000", "#404040", "#000000", "#606060"),
    .shades = {"#e8e8e8", "#d0d0d0", "#b8b8b8", "#a0a0a0", "#888888", "#686868", "#484848", "#282828",
               "#000000"},
};

/* ---- writing ---- */

static void put_number(struct text *t, double value) {
    char digits[64];
    int length = snprintf(digits, sizeof digits, "%.2f", value);
    while (digits[length - 1] == '0')
        length--;
    if (digits[length - 1] == '.')
        length--;
    const bool is_minus_zero = length == 2 && digits[0] == '-' && digits[1] == '0';
    text_bytes(t, digits + is_minus_zero, (size_t)length - is_minus_zero);
}

void paper_write(struct paper *p, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    for (const char *s = format; *s; s++) {
        const size_t plain = strcspn(s, "%");
        text_bytes(p->text, s, plain);
        s += plain;
        if (!*s)
            break;
        switch (*++s) {
        case 'n': put_number(p->text, va_arg(arguments, double)); break;
        case 'd': text_signed(p->text, va_arg(arguments, int)); break;
        case 's': text_put(p->text, va_arg(arguments, const char *)); break;
        case 'e': text_xml(p->text, va_arg(arguments, const char *)); break;
        default: text_put(p->text, "%");
        }
    }
    va_end(arguments);
}

struct paper paper_begin(struct text *text, const struct plot_style *style, const char *title,
                         const char *description) {
    struct paper p = {
        .text = text,
        .colours = style->mono   ? &mono
                   : style->dark ? &dark
                                 : &light,
        .width = style->width ? style->width : 960,
        .height = style->height ? style->height : 600,
        .line = style->projector ? 4 : 2,
        .size = style->projector ? 18 : 14,
    };
    paper_write(&p,
                "<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-labelledby='plot-title plot-desc' "
                "width='%n' height='%n' viewBox='0 0 %n %n' font-family='Helvetica, Arial, sans-serif'>\n",
                p.width, p.height, p.width, p.height);
    paper_write(&p, "<title id='plot-title'>%e</title>\n<desc id='plot-desc'>%e</desc>\n", title,
                description);
    paper_write(&p, "<rect width='%n' height='%n' fill='%s'/>\n", p.width, p.height, p.colours->paper);
    return p;
}

void paper_end(struct paper *p) {
    text_put(p->text, "</svg>\n");
}

/* ---- pieces ---- */

void paper_line(struct paper *p, double x1, double y1, double x2, double y2, const char *colour,
                double width) {
    paper_write(p, "<path d='M%n %nL%n %n' stroke='%s' stroke-width='%n' fill='none'/>\n", x1, y1, x2, y2,
                colour, width);
}

void paper_text(struct paper *p, double x, double y, double size, const char *colour,
                enum paper_anchor anchor, const char *text) {
    static const char *const anchors[] = {
        [PAPER_LEFT] = "start", [PAPER_MIDDLE] = "middle", [PAPER_RIGHT] = "end"};
    paper_write(p, "<text x='%n' y='%n' font-size='%n' fill='%s' text-anchor='%s'>%e</text>\n", x, y, size,
                colour, anchors[anchor], text);
}

void paper_bold(struct paper *p, double x, double y, double size, const char *text) {
    paper_write(p, "<text x='%n' y='%n' font-size='%n' font-weight='bold' fill='%s'>%e</text>\n", x, y, size,
                p->colours->ink, text);
}

static size_t count_characters(const char *text, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += (text[i] & 0xc0) != 0x80;
    return count;
}

double paper_text_width(const char *text, double size) {
    return (double)count_characters(text, strlen(text)) * size * 0.56;
}

/* The length of the first line of the text: up to the last space that fits. */
static size_t line_length(const char *text, size_t columns) {
    size_t end = strlen(text);
    if (count_characters(text, end) <= columns)
        return end;
    while (end && count_characters(text, end) > columns)
        end--;
    size_t space = end;
    while (space && text[space] != ' ')
        space--;
    if (space)
        return space;
    while (end && (text[end] & 0xc0) == 0x80)
        end--; /* a word that does not fit is cut, but not within a character */
    return end ? end : strlen(text);
}

double paper_paragraph(struct paper *p, double x, double y, double width, double size, const char *text) {
    const size_t columns = (size_t)fmax(1, width / (size * 0.56));
    while (*text) {
        const size_t length = line_length(text, columns);
        char line[512];
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        paper_text(p, x, y, size, p->colours->faint, PAPER_LEFT, line);
        y += size * 1.3;
        text += length;
        text += strspn(text, " ");
    }
    return y;
}
