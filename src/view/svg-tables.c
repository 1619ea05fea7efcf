/* The picture with everything: strips, page tables, CPU, frames, disk. Also without the disk (PICTURE_TABLE),
 * and with arrows straight from strips to frames (PICTURE_SHARING). */
#include "view/svg-draw.h"

static void draw_title(struct drawing *d, const struct layout *l, const struct layout_segment *s) {
    const size_t process = s->process;
    const struct picture_process *p = &d->picture->processes[process];
    struct box b = s->title;
    chain_process(d, "process", process);
    const int least = 240;
    const int wider = b.width < least && !l->stacked ? (least - b.width) / 2 : 0;
    b.x -= wider;
    b.width += 2 * wider;
    pen_title(&d->pen, b, pen_size(&d->pen, 17), d->pen.shades->paper.ink, PEN_BOLD,
              s->first ? "VAS, continued, for PID " : "VAS for PID ", p->pid, p->name);
    chain_end(d);
    if (d->marks && p->changed)
        pen_ring(&d->pen, (struct box){b.x - 6, b.y - 2, b.width + 12, b.height + 4});
}

/* ---- arrows ---- */

static void draw_hanging_arrow(struct drawing *d, const struct layout *l, size_t process, size_t cell,
                               int to) {
    const int x = box_middle(layout_cell(l, process, cell));
    const struct layout_segment *p = layout_segment(l, process, cell);
    struct route route = {.count = 0};
    route_add(&route, x, l->has_tables ? box_bottom(p->table) - TABLE_ROW / 2 : box_bottom(p->strip));
    route_add(&route, x, to);
    chain_cell(d, "arrow", process, cell);
    pen_arrow(&d->pen, &route, layout_points_at_disk(l, process, cell), false);
    if (l->has_tables)
        pen_dot(&d->pen, route.points[0]);
    chain_end(d);
}

/* The disk page or the frame that an entry points at, where no arrow can lead to it. */
static void draw_chip(struct drawing *d, const struct layout *l, const struct layout_chip *chip) {
    const struct picture_cell *c = &d->picture->processes[chip->process].cells[chip->cell];
    struct box b = chip->box;
    const size_t target = layout_target(l, chip->process, chip->cell);
    draw_hanging_arrow(d, l, chip->process, chip->cell, b.y);
    chain_cell(d, "chip", chip->process, chip->cell);
    if (target != SIZE_MAX) {
        pen_dashed_box(&d->pen, b, d->pen.shades->paper.fill);
        pen_textf(&d->pen, box_inset(b, 2), pen_size(&d->pen, 12), d->pen.shades->paper.ink,
                  PEN_BOLD | PEN_WHOLE, "PP%d", (int)d->picture->frames[target].number);
    } else {
        struct box page = {b.x, b.y, b.width, b.height / 2};
        draw_surface(d, page, &c->disk);
        draw_initial(d, page, &c->disk);
        if (c->disk.has_page)
            pen_textf(&d->pen, box_inset(page, 2), pen_size(&d->pen, 12), draw_ink(d, &c->disk),
                      PEN_BOLD | PEN_WHOLE, "%u", c->disk.page);
        pen_text(&d->pen, (struct box){b.x, b.y + b.height / 2 + 2, b.width, 12}, pen_size(&d->pen, 10),
                 d->pen.shades->faint, 0, c->disk.source == SOURCE_ANONYMOUS ? "swap" : "file");
    }
    chain_end(d);
}

static void draw_arrows(struct drawing *d, const struct layout *l) {
    for (size_t i = 0; i < l->route_count; i++) {
        const struct layout_route *r = &l->routes[i];
        if (r->transfer) {
            pen_arrow(&d->pen, &r->route, false, true);
            continue;
        }
        chain_cell(d, "arrow", r->process, r->cell);
        pen_arrow(&d->pen, &r->route, r->dashed, false);
        if (l->has_tables)
            pen_dot(&d->pen, r->route.points[0]);
        chain_end(d);
    }
}

/* ---- frames ---- */

/* Whether the frame that hangs below the entry is marked. */
static bool hangs_marked(const struct drawing *d, const struct layout *l, size_t process, size_t cell) {
    const size_t target = layout_target(l, process, cell);
    if (target == SIZE_MAX)
        return false;
    const struct layout_frame *frame = &l->frames[target];
    return frame->place == FRAME_HANGS && frame->process == process && frame->cell == cell &&
           (d->picture->frames[target].changed || d->picture->frames[target].victim);
}

/* Around the entries first … end-1. */
static void ring_run(struct drawing *d, const struct layout *l, size_t process, size_t first, size_t end) {
    const struct box b = layout_entry(l, process, first);
    if (end > first)
        pen_ring(&d->pen, (struct box){b.x - 5, b.y - 8, (int)(end - first) * b.width + 10, b.height + 16});
}

/* One ring around an entry and the frame below it; one around neighbours that have no such frame. */
static void ring_entries(struct drawing *d, const struct layout *l, const struct layout_segment *s) {
    const struct picture_cell *cells = d->picture->processes[s->process].cells;
    const size_t end = s->first + s->cells;
    size_t from = s->first;
    for (size_t i = s->first; i < end; i++) {
        const bool with_frame = hangs_marked(d, l, s->process, i);
        if (with_frame) {
            const struct box b = layout_entry(l, s->process, i);
            const int bottom = l->hanging_y[s->band] + l->frame_height;
            pen_ring(&d->pen, (struct box){b.x - 5, b.y - 8, b.width + 10, bottom - b.y + 16});
        }
        if (with_frame || !(cells[i].changed || cells[i].faulting)) {
            ring_run(d, l, s->process, from, i);
            from = i + 1;
        }
    }
    ring_run(d, l, s->process, from, end);
}

static void draw_frames(struct drawing *d, const struct layout *l) {
    for (size_t i = 0; i < d->picture->frame_count; i++) {
        const struct layout_frame *f = &l->frames[i];
        if (f->place == FRAME_NOWHERE)
            continue;
        const bool is_area = f->place == FRAME_POOL || f->place == FRAME_RESERVED || f->place == FRAME_OTHER;
        if (is_area && !l->has_tables)
            continue;
        if (f->place == FRAME_HANGS)
            draw_hanging_arrow(d, l, f->process, f->cell, f->box.y);
        draw_frame(d, f->box, i);
        const bool marked = d->picture->frames[i].changed || d->picture->frames[i].victim;
        if (d->marks && marked && (f->place != FRAME_HANGS || !l->has_tables))
            pen_ring(&d->pen,
                     (struct box){f->box.x - 6, f->box.y - 6, f->box.width + 12, f->box.height + 12});
    }
}

static void draw_victims(struct drawing *d, const struct layout *l) {
    for (size_t i = 0; d->marks && i < d->picture->frame_count; i++)
        if (d->picture->frames[i].victim && l->frames[i].place != FRAME_NOWHERE)
            draw_victim(d, l->frames[i].box);
}

static void draw_areas(struct drawing *d, const struct layout *l) {
    if (!l->has_tables)
        return;
    draw_area(d, l->reserved,
              d->picture->table_count ? "Reserved for OS Code and Data, Page Tables"
                                      : "Reserved for OS Code and Data structures");
    draw_area(d, l->pool, "Free Pool of Physical Pages");
    const unsigned blank = d->blank ? blank_pool(d->blank) : 0;
    if (blank)
        draw_blank(d, (struct box){l->pool.x + 16, l->pool.y + 10, l->pool.width - 32, l->pool.height - 60},
                   blank);
    if (l->other.height)
        draw_area(d, l->other, "In memory, drawn without arrows");
}

/* ---- the CPU and its register ---- */

static struct box register_of(const struct layout *l) {
    return (struct box){box_middle(l->cpu) - 30, box_bottom(l->cpu) - 34, 60, 22};
}

/* From the register to the nearest side of the table, or to its top. */
static struct route register_route(const struct layout *l, struct box table) {
    const struct box reg = register_of(l);
    const int x = box_middle(reg), y = reg.y + reg.height / 2, header = table.y + TABLE_HEADER / 2;
    struct route r = {.count = 0};
    route_add(&r, x, y);
    if (l->stacked) {
        route_add(&r, box_right(l->cpu) + 8, y);
        route_add(&r, box_right(l->cpu) + 8, header);
        route_add(&r, table.x, header);
    } else if (x > box_right(table) + 20 || x < table.x - 20) {
        route_add(&r, x, header);
        route_add(&r, x > table.x ? box_right(table) : table.x, header);
    } else {
        route_add(&r, x, table.y);
    }
    return r;
}

/* Straight down would run into a table in between: over it, then down. */
static struct route register_route_over(const struct layout *l, struct box table) {
    const struct box reg = register_of(l);
    struct route r = {.count = 0};
    route_add(&r, box_middle(reg), reg.y + reg.height / 2);
    route_add(&r, box_middle(reg), table.y - 10);
    route_add(&r, box_middle(table), table.y - 10);
    route_add(&r, box_middle(table), table.y);
    return r;
}

static bool is_under_register(const struct layout *l, struct box table) {
    const int x = box_middle(register_of(l));
    return x >= table.x - 20 && x <= box_right(table) + 20;
}

static bool has_table_between(const struct layout *l, size_t process) {
    for (unsigned i = 0; i < l->segment_count; i++)
        if (l->segments[i].process != process && is_under_register(l, l->segments[i].table))
            return true;
    return false;
}

static void draw_register(struct drawing *d, const struct layout *l) {
    const unsigned blank = d->blank ? blank_register(d->blank) : 0;
    struct box reg = register_of(l);
    draw_cpu(d, l->cpu, "CPU");
    if (blank) {
        draw_blank(d, reg, blank);
        return;
    }
    pen_rect(&d->pen, reg, d->pen.shades->paper.fill, 2);
    if (d->marks && d->picture->register_changed)
        pen_ring(&d->pen, (struct box){reg.x - 10, reg.y - 8, reg.width + 20, reg.height + 16});
    if (!d->picture->has_register)
        return;
    const size_t process = d->picture->register_process;
    const struct box table = layout_segment(l, process, 0)->table;
    struct route r = !l->stacked && has_table_between(l, process) ? register_route_over(l, table)
                                                                  : register_route(l, table);
    chain_process(d, "register", process);
    pen_arrow(&d->pen, &r, false, false);
    pen_dot(&d->pen, r.points[0]);
    chain_end(d);
}

/* ---- the whole ---- */

static void draw_below(struct drawing *d, const struct layout *l) {
    const struct picture *p = d->picture;
    if (p->hidden_processes)
        pen_textf(&d->pen, (struct box){box_right(l->canvas) - 250, 2, 240, 16}, pen_size(&d->pen, 13),
                  d->pen.shades->faint, PEN_RIGHT, "%u more processes", (uint64_t)p->hidden_processes);
    if (d->blank && blank_victim(d->blank))
        pen_textf(&d->pen, l->caption, pen_size(&d->pen, 17), d->pen.shades->paper.ink, 0,
                  "The victim will be: PP____ (%d)", (int)blank_victim(d->blank));
    draw_caption(d, l->caption);
}

/* Without a disk to be seen, the files have to be named somewhere. */
static void draw_file_legend(struct drawing *d, struct box b) {
    const size_t count = d->picture->file_count;
    const int width = count ? b.width / (int)count : 0;
    for (size_t i = 0; i < count; i++) {
        const struct picture_disk place = {.source = SOURCE_FILE, .file = (uint32_t)i};
        const struct box page = {b.x + (int)i * width + width / 2 - 26, b.y, 52, 52};
        draw_surface(d, page, &place);
        pen_textf(&d->pen, page, pen_size(&d->pen, 26), draw_ink(d, &place), PEN_ITALIC, "%c",
                  d->picture->files[i].initial);
        pen_text(&d->pen, (struct box){b.x + (int)i * width + 4, b.y + 58, width - 8, 24},
                 pen_size(&d->pen, 16), d->pen.shades->paper.ink, PEN_MONOSPACE, d->picture->files[i].name);
    }
}

static void draw_segment(struct drawing *d, const struct layout *l, const struct layout_segment *s) {
    draw_title(d, l, s);
    draw_strip(d, s->strip, l->cell_width, s->process, s->first, s->cells);
    if (l->has_tables)
        draw_table(d, s->table, l->cell_width, s->process, s->first, s->cells);
}

static void draw_layout(struct drawing *d, const struct layout *l) {
    draw_areas(d, l);
    if (l->has_disk)
        draw_disk(d, l);
    for (unsigned i = 0; i < l->segment_count; i++)
        draw_segment(d, l, &l->segments[i]);
    if (l->has_tables)
        draw_register(d, l);
    else
        draw_file_legend(d, l->legend);
    draw_arrows(d, l);
    draw_frames(d, l);
    for (size_t i = 0; i < l->chip_count; i++)
        draw_chip(d, l, &l->chips[i]);
    for (unsigned i = 0; i < l->segment_count && l->has_tables; i++)
        pen_rect(&d->pen, l->segments[i].table, "none", 2); /* over the arrows that leave it */
    for (unsigned i = 0; i < l->segment_count && l->has_tables && d->marks; i++)
        ring_entries(d, l, &l->segments[i]);
    draw_victims(d, l);
    draw_below(d, l);
}

struct box svg_tables(struct drawing *d) {
    struct layout l;
    const int caption = draw_caption_height(d, SLIDE_WIDTH);
    if (layout_make(&l, d->picture, d->blank, caption))
        draw_layout(d, &l);
    else
        d->pen.text->failed = true;
    struct box canvas = l.canvas;
    layout_free(&l);
    return canvas;
}
