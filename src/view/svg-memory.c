/* Physical memory by itself: whole, cut into frames, reserved frames and the free pool. */
#include "base/base.h"
#include "view/svg-draw.h"

enum { WIDTH = SLIDE_WIDTH, MOST = 96, GAP = 8 };

static void draw_whole(struct drawing *d) {
    const struct box b = {340, 250, 600, 200};
    const uint64_t kib = d->picture->frame_total * (PAGE_SIZE / 1024);
    pen_rect(&d->pen, b, d->pen.shades->system.fill, 2);
    pen_text(&d->pen, (struct box){b.x, b.y + 40, b.width, 60}, pen_size(&d->pen, 40),
             d->pen.shades->system.ink, 0, "Main Memory");
    pen_textf(&d->pen, (struct box){b.x, b.y + 110, b.width, 40}, pen_size(&d->pen, 22),
              d->pen.shades->system.ink, 0, "%u KiB: bytes 0 … %u", kib,
              d->picture->frame_total * PAGE_SIZE - (d->picture->frame_total != 0));
}

/* Boxes in rows within an area; returns how many did not fit. */
static size_t draw_grid(struct drawing *d, struct box area, const size_t *frames, size_t count) {
    const size_t shown = min_size(count, MOST);
    int box = 64;
    while (box > 24 &&
           (int)(((int)shown * (box + GAP) + area.width - 1) / area.width) * (box + GAP) > area.height)
        box -= 4;
    const int columns = area.width / (box + GAP) > 0 ? area.width / (box + GAP) : 1;
    const int used = (int)min_size(shown, (size_t)columns) * (box + GAP) - GAP;
    for (size_t i = 0; i < shown; i++) {
        const int column = (int)(i % (size_t)columns), row = (int)(i / (size_t)columns);
        struct box b = {area.x + (area.width - used) / 2 + column * (box + GAP), area.y + row * (box + GAP),
                        box, box};
        draw_frame(d, b, frames[i]);
        if (d->marks && d->picture->frames[frames[i]].changed)
            pen_ring(&d->pen, box_inset(b, -6));
    }
    return count - shown;
}

/* The first MOST + 1 frames of some uses. */
static size_t collect(const struct picture *p, bool free, bool reserved, bool others, size_t *frames,
                      uint64_t *ret_all) {
    size_t count = 0;
    *ret_all = 0;
    for (size_t i = 0; i < p->frame_count; i++) {
        const enum event_frame use = p->frames[i].use;
        const bool is_reserved = use == EVENT_FRAME_RESERVED || use == EVENT_FRAME_TABLE;
        if (use == EVENT_FRAME_FREE ? !free : is_reserved ? !reserved : !others)
            continue;
        if (count < MOST)
            frames[count++] = i;
        *ret_all += p->frames_per_cell;
    }
    return count;
}

static void draw_more(struct drawing *d, struct box below, uint64_t all, size_t shown) {
    if (all > shown)
        pen_textf(&d->pen, below, pen_size(&d->pen, 14), d->pen.shades->faint, 0, "and %u more", all - shown);
}

static void draw_frames_only(struct drawing *d) {
    size_t frames[MOST];
    uint64_t all;
    const size_t count = collect(d->picture, true, true, true, frames, &all);
    const struct box area = {100, 300, WIDTH - 200, 280};
    pen_text(&d->pen, (struct box){100, 230, WIDTH - 200, 40}, pen_size(&d->pen, 28),
             d->pen.shades->paper.ink, PEN_BOLD, "Physical Memory Pages");
    draw_grid(d, area, frames, count);
    draw_more(d, (struct box){100, box_bottom(area) + 10, area.width, 20}, all, count);
}

static void draw_part(struct drawing *d, struct box area, const char *title, bool free, bool reserved,
                      bool others) {
    size_t frames[MOST];
    uint64_t all;
    const size_t count = collect(d->picture, free, reserved, others, frames, &all);
    draw_area(d, area, title);
    if (free && d->blank && blank_pool(d->blank)) {
        draw_blank(d, (struct box){area.x + 20, area.y + 20, area.width - 40, area.height - 90},
                   blank_pool(d->blank));
        return;
    }
    draw_grid(d, (struct box){area.x + 16, area.y + 18, area.width - 32, area.height - 80}, frames, count);
    draw_more(d, (struct box){area.x, box_bottom(area) - 62, area.width, 18}, all, count);
}

static void draw_pool(struct drawing *d) {
    const struct picture *p = d->picture;
    const uint64_t used = p->frame_total - p->reserved_count - p->free_count - p->table_count;
    const int width = used ? 380 : 520;
    pen_text(&d->pen, (struct box){100, 190, WIDTH - 200, 40}, pen_size(&d->pen, 28),
             d->pen.shades->paper.ink, PEN_BOLD, "Physical Memory Pages");
    const int left = used ? 40 : 90;
    draw_part(d, (struct box){left, 260, width, 260}, "Reserved for OS Code and Data structures", false, true,
              false);
    if (used)
        draw_part(d, (struct box){left + width + 30, 260, width, 260}, "In use", false, false, true);
    draw_part(d, (struct box){WIDTH - left - width, 260, width, 260}, "Free Pool of Physical Pages", true,
              false, false);
}

struct box svg_memory(struct drawing *d) {
    if (d->picture->kind == PICTURE_MEMORY)
        draw_whole(d);
    else if (d->picture->kind == PICTURE_FRAMES_ONLY)
        draw_frames_only(d);
    else
        draw_pool(d);
    return draw_slide(d);
}
