/* Parts of pictures: cells, frames, tables, areas, the CPU. See svg-draw.h. */
#include "view/svg-draw.h"

enum { LABEL = 12, LABEL_LEAST = 10, HEX_DIGITS = 5 };

/* ---- surfaces ---- */

void draw_surface(struct drawing *d, struct box b, const struct picture_disk *disk) {
    const struct palette_shades *s = d->pen.shades;
    switch (disk->source) {
    case SOURCE_FILE:
        if (disk->file < d->picture->file_count)
            pen_file_surface(&d->pen, b, d->picture->files[disk->file].colour);
        else
            pen_rect(&d->pen, b, s->table.fill, 1);
        return;
    case SOURCE_ANONYMOUS: pen_rect(&d->pen, b, s->anonymous.fill, 1); return;
    case SOURCE_TABLE: pen_rect(&d->pen, b, s->table.fill, 1); return;
    case SOURCE_OS: pen_rect(&d->pen, b, s->system.fill, 1); return;
    case SOURCE_NONE: pen_rect(&d->pen, b, s->free.fill, 1); return;
    }
}

const char *draw_ink(const struct drawing *d, const struct picture_disk *disk) {
    const struct palette_shades *s = d->pen.shades;
    switch (disk->source) {
    case SOURCE_FILE:
        return disk->file < d->picture->file_count
                   ? s->files[d->picture->files[disk->file].colour % PICTURE_COLOURS].ink
                   : s->table.ink;
    case SOURCE_ANONYMOUS: return s->anonymous.ink;
    case SOURCE_TABLE: return s->table.ink;
    case SOURCE_OS: return s->system.ink;
    case SOURCE_NONE: break;
    }
    return s->free.ink;
}

void draw_initial(struct drawing *d, struct box b, const struct picture_disk *disk) {
    if (disk->source != SOURCE_FILE || disk->file >= d->picture->file_count || b.width < 20)
        return;
    struct box corner = {box_right(b) - 12, b.y + 1, 10, 12};
    pen_textf(&d->pen, corner, 10, draw_ink(d, disk), PEN_ITALIC, "%c",
              d->picture->files[disk->file].initial);
}

void draw_blank(struct drawing *d, struct box b, unsigned number) {
    pen_dashed_box(&d->pen, b, d->pen.shades->paper.fill);
    pen_textf(&d->pen, box_inset(b, 1), pen_size(&d->pen, 13), d->pen.shades->paper.ink, PEN_WHOLE, "(%d)",
              (int)number);
}

/* Text on hatching: a surface behind it keeps it readable. */
static void text_behind(struct drawing *d, struct box b, int width) {
    const int middle = box_middle(b);
    struct box behind = {middle - width / 2 - 1, b.y + 1, width + 2, b.height - 2};
    pen_rounded(&d->pen, behind, 3, d->pen.shades->paper.fill, 0);
}

/* ---- strips ---- */

/* The real number of a page, in two lines when it is long: 7fff / ffffe. */
static void draw_real_number(struct drawing *d, struct box b, uint64_t vpn, const char *ink) {
    const int size = pen_size(&d->pen, 11);
    struct box upper = {b.x + 1, b.y + b.height / 2 - 14, b.width - 2, 14}, lower = upper;
    lower.y += 13;
    if (vpn < 1ULL << (4 * HEX_DIGITS)) {
        upper.y += 7;
        pen_textf(&d->pen, upper, size, ink, PEN_MONOSPACE | PEN_BOLD | PEN_WHOLE, "%x", vpn);
        return;
    }
    pen_textf(&d->pen, upper, size, ink, PEN_MONOSPACE | PEN_BOLD | PEN_WHOLE, "%x", vpn >> (4 * HEX_DIGITS));
    /* The lower half keeps its zeroes: a one above them is taken away again by leaving out its digit. */
    char digits[HEX_DIGITS + 1] = {0};
    for (int i = 0; i < HEX_DIGITS; i++)
        digits[i] = "0123456789abcdef"[vpn >> (4 * (HEX_DIGITS - 1 - i)) & 15];
    pen_text(&d->pen, lower, size, ink, PEN_MONOSPACE | PEN_BOLD | PEN_WHOLE, digits);
}

/* The size at which all numbers of a strip fit into their cells after "VPN"; 0: the number has to do.
 * Capitals are wider than other letters. */
static int label_size(struct box b, size_t cells) {
    const int characters = cells > 100 ? 6 : cells > 10 ? 5 : 4;
    for (int size = LABEL; size >= LABEL_LEAST; size--)
        if (characters * size * 78 / 100 <= b.width - 2)
            return size;
    return 0;
}

static void draw_number(struct drawing *d, struct box b, const struct picture_cell *c, size_t cells,
                        const char *ink) {
    if (d->picture->real_numbers && c->pages) {
        draw_real_number(d, b, c->first.n, ink);
        return;
    }
    const int size = label_size(b, cells);
    const struct box text = {b.x - 4, b.y + b.height / 2 - 9, b.width + 8, 18};
    pen_textf(&d->pen, text, size ? size : pen_size(&d->pen, LABEL), ink, PEN_BOLD | PEN_WHOLE,
              size ? "VPN%u" : "%u", c->number);
}

/* A count in at most four characters: 999, 12k, 34G. */
static void draw_count(struct drawing *d, struct box b, const char *ink, uint64_t count) {
    static const char units[] = "kMGT";
    int unit = -1;
    for (; count >= 1000 && unit + 1 < (int)sizeof units - 1; unit++)
        count = count / 1000;
    pen_textf(&d->pen, b, pen_size(&d->pen, 10), ink, PEN_WHOLE, unit < 0 ? "×%u" : "×%u%c", count,
              unit < 0 ? 0 : units[unit]);
}

/* A folded run says how many pages it stands for. */
static void draw_run(struct drawing *d, struct box b, const struct picture_cell *c, const char *ink) {
    struct box below = {b.x + 1, box_bottom(b) - 14, b.width - 2, 12};
    if (!c->touched && c->mapped)
        text_behind(d, (struct box){b.x, below.y, b.width, below.height + 1}, b.width - 6);
    if (c->mapped || c->touched)
        draw_count(d, below, ink, c->pages);
    else
        pen_text(&d->pen, below, pen_size(&d->pen, 12), ink, 0, "…");
}

void draw_cell(struct drawing *d, struct box b, size_t process, size_t cell) {
    const struct picture_cell *c = &d->picture->processes[process].cells[cell];
    const struct picture_disk nothing = {.source = SOURCE_NONE};
    const struct picture_disk *disk = c->touched ? &c->disk : &nothing;
    const bool coloured = disk->source != SOURCE_NONE; /* a run of many things has no colour */
    const char *ink = coloured ? draw_ink(d, disk) : d->pen.shades->paper.ink;
    chain_cell(d, "vpn", process, cell);
    if (coloured) {
        draw_surface(d, b, disk);
        draw_initial(d, b, disk);
    } else {
        pen_rect(&d->pen, b, d->pen.shades->paper.fill, 1);
        pen_hatch(&d->pen, b, false);
        const bool two_lines = d->picture->real_numbers && c->first.n >> (4 * HEX_DIGITS);
        text_behind(
            d, (struct box){b.x, b.y + (b.height - (two_lines ? 28 : 16)) / 2, b.width, two_lines ? 28 : 16},
            b.width - 5);
    }
    draw_number(d, b, c, d->picture->processes[process].cell_count, ink);
    if (c->pages > 1)
        draw_run(d, b, c, ink);
    chain_end(d);
}

/* Addresses at the ends of an address space, which a piece of a strip need not have. */
static void draw_strip_ends(struct drawing *d, struct box strip, const struct picture_process *p,
                            size_t first, size_t count) {
    const int size = pen_size(&d->pen, 9), half = strip.width / 2 - 4;
    const char *ink = d->pen.shades->faint;
    const struct box left = {strip.x, strip.y - 13, half, 12},
                     right = {box_right(strip) - half, strip.y - 13, half, 12};
    const bool last = first + count == p->cell_count;
    if (!first)
        pen_text(&d->pen, left, size, ink, PEN_MONOSPACE | PEN_LEFT, "0000000000000000");
    if (last && !p->hidden_cells)
        pen_text(&d->pen, right, size, ink, PEN_MONOSPACE | PEN_RIGHT, "FFFFFFFFFFFFFFFF");
    if (last && p->hidden_cells)
        pen_textf(&d->pen, right, pen_size(&d->pen, 11), ink, PEN_RIGHT, "%u more pieces",
                  (uint64_t)p->hidden_cells);
}

static bool is_marked(const struct picture_cell *c) {
    return c->changed || c->faulting;
}

/* One ring around neighbours. */
static void ring_cells(struct drawing *d, struct box strip, int cell_width, const struct picture_cell *cells,
                       size_t count) {
    for (size_t i = 0, end; d->marks && i < count; i = end) {
        for (end = i; end < count && is_marked(&cells[end]);)
            end++;
        if (end > i)
            pen_ring(&d->pen, (struct box){strip.x + (int)i * cell_width - 2, strip.y - 5,
                                           (int)(end - i) * cell_width + 4, strip.height + 10});
        else
            end++;
    }
}

void draw_strip(struct drawing *d, struct box strip, int cell_width, size_t process, size_t first,
                size_t count) {
    const struct picture_process *p = &d->picture->processes[process];
    if (!count) {
        pen_rect(&d->pen, strip, d->pen.shades->paper.fill, 2);
        pen_hatch(&d->pen, strip, false);
    }
    for (size_t i = 0; i < count; i++)
        draw_cell(d, (struct box){strip.x + (int)i * cell_width, strip.y, cell_width, strip.height}, process,
                  first + i);
    ring_cells(d, strip, cell_width, p->cells + first, count);
    draw_strip_ends(d, strip, p, first, count);
}

/* ---- frames ---- */

static void draw_frame_text(struct drawing *d, struct box b, const struct picture_frame *f, const char *ink) {
    const int size = pen_size(&d->pen, b.width > 40 ? 14 : 12);
    const bool has_page = f->disk.has_page && b.height > 30;
    const bool is_table = f->use == EVENT_FRAME_TABLE && b.height > 30;
    struct box upper = {b.x + 1, b.y + b.height / 2 - 9, b.width - 2, 18}, lower = upper;
    if (has_page || is_table) {
        upper.y -= 8;
        lower.y += 9;
    }
    pen_textf(&d->pen, upper, size, ink, PEN_BOLD | PEN_WHOLE, "PP%d", (int)f->number);
    if (has_page)
        pen_textf(&d->pen, lower, size, ink, PEN_BOLD | PEN_WHOLE, "(%u)", f->disk.page);
    else if (is_table)
        pen_text(&d->pen, lower, size - 2, ink, 0, "table");
}

void draw_frame(struct drawing *d, struct box b, size_t frame) {
    const struct picture_frame *f = &d->picture->frames[frame];
    const struct picture_disk nothing = {.source = SOURCE_NONE};
    const unsigned blank = d->blank ? blank_frame(d->blank, frame) : 0;
    const struct picture_disk *disk = blank ? &nothing : &f->disk;
    chain_frame(d, frame);
    draw_surface(d, b, disk);
    if (blank) {
        pen_textf(&d->pen, (struct box){b.x, b.y + 3, b.width, 18}, pen_size(&d->pen, 12),
                  d->pen.shades->free.ink, PEN_BOLD | PEN_WHOLE, "PP%d", (int)f->number);
        draw_blank(d, (struct box){b.x + 4, b.y + b.height - 26, b.width - 8, 22}, blank);
    } else {
        draw_initial(d, b, disk);
        draw_frame_text(d, b, f, draw_ink(d, disk));
    }
    chain_end(d);
}

void draw_victim(struct drawing *d, struct box b) {
    const struct box label = {box_middle(b) - 26, box_bottom(b) + 8, 52, 16};
    pen_rounded(&d->pen, label, 3, d->pen.shades->paper.fill, 0);
    pen_text(&d->pen, label, pen_size(&d->pen, 13), d->pen.shades->ring, PEN_BOLD, "victim");
}

/* ---- page tables ---- */

static void draw_copy_mark(struct drawing *d, struct box b) {
    pen_text(&d->pen, (struct box){b.x + 1, b.y + TABLE_ROW - 12, b.width - 2, 11}, pen_size(&d->pen, 9),
             d->pen.shades->faint, PEN_ITALIC, "copy");
}

/* What a folded run has, where a single page has its arrow. */
static void draw_run_counts(struct drawing *d, struct box b, const struct picture_cell *c) {
    struct box in = {b.x + 1, b.y + TABLE_ROW + 3, b.width - 2, 13}, out = in;
    out.y += 13;
    if (c->present)
        pen_textf(&d->pen, in, pen_size(&d->pen, 10), d->pen.shades->paper.ink, PEN_WHOLE, "%u in",
                  c->present);
    if (c->swapped)
        pen_textf(&d->pen, out, pen_size(&d->pen, 10), d->pen.shades->paper.ink, PEN_WHOLE, "%u out",
                  c->swapped);
}

static void draw_entry(struct drawing *d, struct box b, size_t process, size_t cell) {
    const struct picture_cell *c = &d->picture->processes[process].cells[cell];
    const unsigned blank = d->blank ? blank_entry(d->blank, process, cell) : 0;
    struct box upper = {b.x, b.y, b.width, TABLE_ROW}, lower = {b.x, b.y + TABLE_ROW, b.width, TABLE_ROW};
    char access[4];
    picture_access_text(c->shows_access ? c->access : 0, access);
    chain_cell(d, "pte", process, cell);
    pen_rect(&d->pen, upper, d->pen.shades->paper.fill, 1);
    pen_rect(&d->pen, lower, d->pen.shades->paper.fill, 1);
    if (blank) {
        draw_blank(d, box_inset(b, 4), blank);
    } else {
        pen_text(&d->pen, (struct box){upper.x, upper.y - (c->copy_on_write ? 4 : 0), b.width, TABLE_ROW},
                 pen_size(&d->pen, b.width > 38 ? 17 : 15), d->pen.shades->paper.ink,
                 PEN_MONOSPACE | PEN_WHOLE, access);
        if (c->copy_on_write)
            draw_copy_mark(d, upper);
        if (c->pages > 1)
            draw_run_counts(d, b, c);
    }
    chain_end(d);
}

void draw_table(struct drawing *d, struct box table, int cell_width, size_t process, size_t first,
                size_t count) {
    const struct picture_process *p = &d->picture->processes[process];
    struct box header = {table.x, table.y, table.width, TABLE_HEADER};
    chain_process(d, "process", process);
    pen_rect(&d->pen, header, d->pen.shades->paper.fill, 2);
    pen_textf(&d->pen, box_inset(header, 2), pen_size(&d->pen, 18), d->pen.shades->paper.ink, 0,
              p->cell_count > 5 ? "Page Table for PID %d" : "PID %d", (int)p->pid);
    chain_end(d);
    for (size_t i = 0; i < count; i++)
        draw_entry(d,
                   (struct box){table.x + (int)i * cell_width, box_bottom(header), cell_width, 2 * TABLE_ROW},
                   process, first + i);
    pen_rect(&d->pen, table, "none", 2);
}

/* ---- areas, CPU ---- */

void draw_area(struct drawing *d, struct box b, const char *title) {
    enum { TITLE = 40 };
    pen_rounded(&d->pen, b, 16, d->pen.shades->area.fill, 1);
    const struct box text = {b.x + 10, box_bottom(b) - TITLE - 2, b.width - 20, TITLE};
    const int size = pen_size(&d->pen, 16);
    if (pen_text_width(title, size - 2, 0) <= text.width)
        pen_text(&d->pen, text, size, d->pen.shades->area.ink, 0, title);
    else
        pen_paragraph(&d->pen, text, 14, d->pen.shades->area.ink, 0, title);
}

void draw_cpu(struct drawing *d, struct box b, const char *name) {
    pen_ellipse(&d->pen, b, d->pen.shades->cpu.fill, 1);
    pen_text(&d->pen, (struct box){b.x + 10, b.y + b.height / 2 - 30, b.width - 20, 36},
             pen_size(&d->pen, 24), d->pen.shades->cpu.ink, 0, name);
}

/* ---- captions ---- */

enum { CAPTION = 17, CAPTION_EDGE = 30 };

int draw_caption_height(const struct drawing *d, int width) {
    if (d->blank || d->pen.options->interactive || !*d->picture->narration)
        return 0;
    return pen_paragraph_height(width - 2 * CAPTION_EDGE, pen_size(&d->pen, CAPTION), 0,
                                d->picture->narration);
}

void draw_caption(struct drawing *d, struct box b) {
    const struct box inner = {b.x + CAPTION_EDGE, b.y, b.width - 2 * CAPTION_EDGE, b.height};
    if (draw_caption_height(d, b.width))
        pen_paragraph(&d->pen, inner, pen_size(&d->pen, CAPTION), d->pen.shades->paper.ink, 0,
                      d->picture->narration);
}

struct box draw_slide(struct drawing *d) {
    enum { BELOW = 10 };
    const int caption = draw_caption_height(d, SLIDE_WIDTH);
    const int top = SLIDE_HEIGHT - 34, end = top + caption + BELOW;
    draw_caption(d, (struct box){0, top, SLIDE_WIDTH, caption});
    const int height = end > SLIDE_HEIGHT ? end : SLIDE_HEIGHT, width = height * 16 / 9;
    return (struct box){-(width - SLIDE_WIDTH) / 2, 0, width, height};
}
