/* A picture as SVG: the root element, its description for screen readers, and the kind that is drawn in it.
 */
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

/* Interactive drawings get their size from the page. */
static void put_root(struct pen *pen, struct box canvas) {
    pen_write(
        pen,
        "<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-labelledby='thimble-title thimble-desc' ");
    if (!pen->options->interactive)
        pen_write(pen, "width='%d' height='%d' ", canvas.width, canvas.height);
    pen_write(pen, "viewBox='%d %d %d %d' font-family='Helvetica, Arial, sans-serif'>\n", canvas.x, canvas.y,
              canvas.width, canvas.height);
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

void draw_svg(const struct picture *p, const struct draw_options *options, struct text *text) {
    struct text body = {.inject = text->inject};
    struct drawing d = {.picture = p, .blank = options->blank, .marks = !options->blank};
    d.pen = (struct pen){&body, options, palette_shades(options->palette)};
    struct box canvas = draw_kind(&d);
    d.pen.text = text;
    put_root(&d.pen, canvas);
    put_description(&d.pen, &d);
    pen_definitions(&d.pen);
    if (!options->interactive)
        pen_rect(&d.pen, canvas, d.pen.shades->paper.fill, 0);
    if (body.failed)
        text->failed = true;
    text_bytes(text, body.bytes, body.length);
    pen_write(&d.pen, "</svg>\n");
    text_free(&body);
}
