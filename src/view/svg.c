/* A picture as SVG: the root element, its description for screen readers, and the
 * kind that is drawn in it. */
#include <assert.h>
#include <string.h>

#include "view/svg-draw.h"

static struct box draw_kind(struct drawing *d) {
    switch (d->picture->kind) {
    case PICTURE_AUTO:
    case PICTURE_TABLES:
    case PICTURE_TABLE:
    case PICTURE_SHARING: return svg_tables(d);
    case PICTURE_REGIONS: return svg_regions(d);
    case PICTURE_MEMORY:
    case PICTURE_FRAMES_ONLY:
    case PICTURE_POOL: return svg_memory(d);
    case PICTURE_SPACES: return svg_spaces(d);
    case PICTURE_COMPUTER:
    case PICTURE_SYSTEM:
    case PICTURE_CONTEXTS: return svg_system(d);
    case PICTURE_KINDS: break;
    }
    return (struct box){0, 0, 1280, 720};
}

/* How large a drawing is, is known when it is drawn: room for its beginning is left in front of it, so that a
 * large one need not be copied. What remains of the room are spaces. */
enum { BEGINNING = 400 };

static void put_room(struct text *t) {
    static const char spaces[] = "                                        ";
    for (int i = 0; i < BEGINNING; i += (int)sizeof spaces - 1)
        text_put(t, spaces);
}

/* Interactive drawings get their size from the page. */
static void put_beginning(struct pen *pen, struct box canvas) {
    pen_write(
        pen,
        "<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-labelledby='thimble-title thimble-desc' ");
    if (!pen->options->interactive)
        pen_write(pen, "width='%d' height='%d' ", canvas.width, canvas.height);
    pen_write(pen, "viewBox='%d %d %d %d' font-family='Helvetica, Arial, sans-serif'>", canvas.x, canvas.y,
              canvas.width, canvas.height);
}

/* Larger than any canvas, whose size is not known yet. Interactive drawings have the page's background. */
static void put_background(struct pen *pen) {
    if (!pen->options->interactive)
        pen_rect(pen, (struct box){-9999, -9999, 29998, 29998}, pen->shades->paper.fill, 0);
}

static void fill_room(const struct pen *pen, size_t at, struct box canvas) {
    struct text beginning = {.inject = pen->text->inject};
    struct pen into = {&beginning, pen->options, pen->shades};
    put_beginning(&into, canvas);
    assert(beginning.length <= BEGINNING);
    if (beginning.failed)
        pen->text->failed = true;
    else if (!pen->text->failed)
        memcpy(pen->text->bytes + at, beginning.bytes, beginning.length);
    text_free(&beginning);
}

static void put_description(struct pen *pen, const struct drawing *d) {
    const struct picture *p = d->picture;
    pen_write(pen, "<title id='thimble-title'>The machine after event %u</title>\n<desc id='thimble-desc'>",
              p->sequence);
    if (!d->blank && *p->narration)
        pen_write(pen, "%e. ", p->narration);
    pen_write(pen, "%u page frames, %u of them reserved", p->frame_total, p->reserved_count);
    if (!d->blank)
        pen_write(pen, ", %u free", p->free_count);
    for (size_t i = 0; i < p->process_count; i++)
        pen_write(pen, "; PID %d: %e", (int)p->processes[i].pid, p->processes[i].name);
    pen_write(pen, ".</desc>\n");
}

/* About as many bytes as the drawing will have. */
static size_t expected_size(const struct picture *p, bool interactive) {
    const size_t frame = interactive ? 160 : 40;
    size_t cells = 0;
    for (size_t i = 0; i < p->process_count; i++)
        cells += p->processes[i].cell_count;
    return 16384 + p->frame_count * frame + cells * 1024;
}

void draw_svg(const struct picture *p, const struct draw_options *options, struct text *text) {
    struct drawing d = {.picture = p, .blank = options->blank, .marks = !options->blank};
    d.pen = (struct pen){text, options, palette_shades(options->palette)};
    const size_t at = text->length;
    text_reserve(text, expected_size(p, options->interactive));
    put_room(text);
    put_description(&d.pen, &d);
    pen_definitions(&d.pen);
    put_background(&d.pen);
    fill_room(&d.pen, at, draw_kind(&d));
    pen_write(&d.pen, "</svg>\n");
}
