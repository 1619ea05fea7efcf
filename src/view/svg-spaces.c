/* Many address spaces, a small memory and a large disk: strips only. */
#include "base/base.h"
#include "view/svg-draw.h"

enum { WIDTH = SLIDE_WIDTH, EDGE = 40, STRIP = 40, ROW = 96, TOP = 36, MOST_FRAMES = 32 };

static int max_int(int a, int b) {
    return a > b ? a : b;
}

static void draw_space(struct drawing *d, size_t process, struct box place) {
    const struct picture_process *p = &d->picture->processes[process];
    const int cells = p->cell_count ? (int)p->cell_count : 1;
    const int width = place.width / cells < 56 ? place.width / cells : 56;
    chain_process(d, "process", process);
    pen_title(&d->pen, (struct box){place.x, place.y - 36, place.width, 22}, pen_size(&d->pen, 15),
              d->pen.shades->paper.ink, PEN_BOLD | PEN_LEFT, "VAS for PID ", p->pid, p->name);
    chain_end(d);
    draw_strip(d, (struct box){place.x, place.y, p->cell_count ? width * cells : place.width, STRIP}, width,
               process, 0, p->cell_count);
}

static void draw_memory(struct drawing *d, struct box b) {
    const struct picture *p = d->picture;
    const size_t shown = min_size(p->frame_count, MOST_FRAMES);
    const int columns = 9, box = 30;
    pen_rounded(&d->pen, b, 12, d->pen.shades->area.fill, 1);
    for (size_t i = 0; i < shown; i++)
        draw_frame(d,
                   (struct box){b.x + 20 + (int)(i % (size_t)columns) * (box + 4),
                                b.y + 16 + (int)(i / (size_t)columns) * (box + 4), box, box},
                   i);
    pen_textf(&d->pen, (struct box){b.x, box_bottom(b) - 30, b.width, 24}, pen_size(&d->pen, 16),
              d->pen.shades->area.ink, 0, "Main memory: %u frames", p->frame_total);
}

static void draw_large_disk(struct drawing *d, struct box b) {
    const struct picture *p = d->picture;
    uint64_t pages = p->swap_pages;
    pen_cylinder(&d->pen, b, d->pen.shades->disk.fill);
    for (size_t i = 0; i < p->file_count; i++)
        pages += p->files[i].pages;
    for (size_t i = 0; i < p->file_count && i < 9; i++) {
        const struct picture_disk place = {.source = SOURCE_FILE, .file = (uint32_t)i};
        struct box file = {b.x + 24 + (int)(i % 3) * 200, b.y + 38 + (int)(i / 3) * 30, 190, 24};
        draw_surface(d, file, &place);
        pen_text(&d->pen, box_inset(file, 4), pen_size(&d->pen, 13), draw_ink(d, &place), 0,
                 p->files[i].name);
    }
    pen_textf(&d->pen, (struct box){b.x, box_bottom(b) - 42, b.width, 24}, pen_size(&d->pen, 16),
              d->pen.shades->disk.ink, 0, "Disk: files and %u pages of swap, %u pages in all", p->swap_pages,
              pages);
}

struct box svg_spaces(struct drawing *d) {
    const struct picture *p = d->picture;
    const int columns = p->process_count > 1 ? 2 : 1,
              width = columns == 2 ? (WIDTH - 3 * EDGE) / 2 : WIDTH - 2 * EDGE;
    const int rows = ((int)p->process_count + columns - 1) / columns;
    for (int i = 0; i < (int)p->process_count; i++)
        draw_space(
            d, (size_t)i,
            (struct box){EDGE + i % columns * (width + EDGE), TOP + 10 + i / columns * ROW, width, STRIP});
    if (p->hidden_processes)
        pen_textf(&d->pen, (struct box){WIDTH - 300, TOP + rows * ROW - 20, 260, 18}, pen_size(&d->pen, 14),
                  d->pen.shades->faint, PEN_RIGHT, "and %u more processes", (uint64_t)p->hidden_processes);
    const int bottom = TOP + rows * ROW;
    draw_memory(d, (struct box){EDGE, bottom + 20, 380, 190});
    draw_large_disk(d, (struct box){EDGE + 430, bottom, WIDTH - 2 * EDGE - 430, 214});
    const int above = bottom + 226;
    const int caption = draw_caption_height(d, WIDTH);
    draw_caption(d, (struct box){0, above, WIDTH, caption});
    const int height = above + max_int(caption + 10, 34), wide = max_int(height * 16 / 9, WIDTH);
    return (struct box){-(wide - WIDTH) / 2, 0, wide, height};
}
