/* Large machines: the frames as a heat map, the address spaces as lists of regions.
 *
 * A cell of the heat map tells four things, three of them without colour:
 *
 *      colour     what it holds          hatching   whose it is (the first process that maps it)
 *      size       how old its content is: the younger, the larger
 *      dot        it was written to since it was read in (dirty)
 *
 * Cells that look the same are one element, so that thousands of frames stay a small drawing. */
#include <string.h>

#include "base/base.h"
#include "view/svg-draw.h"

enum {
    MAP_X = 30,
    MAP_Y = 70,
    MAP_WIDTH = 600,
    MAP_HEIGHT = 470,
    LIST_X = 665,
    LIST_WIDTH = 590,
    LIST_HEIGHT = 620,
    TITLE_HEIGHT = 24,
    ROW_HEIGHT = 21,
    AGES = 4,
    OWNERS = 6,
    LOOKS = PICTURE_COLOURS + 5, /* files, anonymous, table, OS, free, hidden file */
};

struct heat {
    int columns, cell;
};

static struct heat heat_of(const struct picture *p) {
    struct heat m = {.cell = 32};
    do
        m.columns = MAP_WIDTH / --m.cell;
    while (m.cell > 5 &&
           (int)((p->frame_count + (size_t)m.columns - 1) / (size_t)m.columns) * m.cell > MAP_HEIGHT);
    return m;
}

static struct box heat_cell(const struct heat *m, size_t index) {
    const int column = (int)(index % (size_t)m->columns), row = (int)(index / (size_t)m->columns);
    return (struct box){MAP_X + column * m->cell, MAP_Y + row * m->cell, m->cell, m->cell};
}

/* ---- how a frame looks ---- */

static unsigned look_of(const struct drawing *d, const struct picture_frame *f) {
    switch (f->disk.source) {
    case SOURCE_FILE:
        return f->disk.file < d->picture->file_count
                   ? d->picture->files[f->disk.file].colour % PICTURE_COLOURS
                   : PICTURE_COLOURS + 4;
    case SOURCE_ANONYMOUS: return PICTURE_COLOURS;
    case SOURCE_TABLE: return PICTURE_COLOURS + 1;
    case SOURCE_OS: return PICTURE_COLOURS + 2;
    case SOURCE_NONE: break;
    }
    return PICTURE_COLOURS + 3;
}

static const char *fill_of(const struct drawing *d, unsigned look) {
    const struct palette_shades *s = d->pen.shades;
    const char *const others[] = {s->anonymous.fill, s->table.fill, s->system.fill, s->free.fill,
                                  s->disk.fill};
    return look < PICTURE_COLOURS ? s->files[look].fill : others[look - PICTURE_COLOURS];
}

/* 0: written in the last sixteenth of the run so far … AGES-1: in its first half. */
static unsigned age_of(const struct picture *p, const struct picture_frame *f) {
    const uint64_t ago = p->sequence > f->since ? p->sequence - f->since : 0;
    unsigned age = 0;
    for (uint64_t bound = p->sequence / 16; age + 1 < AGES && ago > bound; bound *= 2)
        age++;
    return age;
}

static bool holds_page(const struct picture_frame *f) {
    return f->use == EVENT_FRAME_ANONYMOUS || f->use == EVENT_FRAME_CACHE;
}

static struct box inner_box(const struct drawing *d, struct box b, const struct picture_frame *f) {
    const int gap = b.width > 10 ? 1 : 0;
    const int smaller = holds_page(f) ? b.width * (int)age_of(d->picture, f) / (3 * AGES) : 0;
    return box_inset((struct box){b.x, b.y, b.width - gap, b.height - gap}, smaller);
}

/* The place of the owner among the processes shown; OWNERS: nobody, or one without a hatching. */
static unsigned owner_of(const struct picture *p, const struct picture_frame *f) {
    for (size_t i = 0; i < p->process_count && i < OWNERS; i++)
        if (f->owner && p->processes[i].pid == f->owner)
            return (unsigned)i;
    return OWNERS;
}

/* ---- the map ---- */

static void put_square(struct drawing *d, struct box b) {
    pen_write(&d->pen, "M%d %dh%dv%dh%dz", b.x, b.y, b.width, b.height, -b.width);
}

static void draw_looks(struct drawing *d, const struct heat *m) {
    for (unsigned look = 0; look < LOOKS; look++) {
        bool any = false;
        for (size_t i = 0; i < d->picture->frame_count; i++) {
            const struct picture_frame *f = &d->picture->frames[i];
            if (look_of(d, f) != look)
                continue;
            if (!any)
                pen_write(&d->pen, "<path d='");
            any = true;
            put_square(d, inner_box(d, heat_cell(m, i), f));
        }
        if (any)
            pen_write(&d->pen, "' fill='%s' stroke='%s' stroke-width='0.5'/>\n", fill_of(d, look),
                      d->pen.shades->line);
    }
}

static void draw_owners(struct drawing *d, const struct heat *m) {
    for (unsigned owner = 0; owner < OWNERS; owner++) {
        bool any = false;
        for (size_t i = 0; i < d->picture->frame_count; i++) {
            const struct picture_frame *f = &d->picture->frames[i];
            if (!holds_page(f) || owner_of(d->picture, f) != owner)
                continue;
            if (!any)
                pen_write(&d->pen, "<path d='");
            any = true;
            put_square(d, inner_box(d, heat_cell(m, i), f));
        }
        if (any)
            pen_write(&d->pen, "' fill='url(#thimble-owner-%d)'/>\n", (int)owner);
    }
}

static void draw_dirty(struct drawing *d, const struct heat *m) {
    const int size = m->cell / 4 > 2 ? m->cell / 4 : 2;
    pen_write(&d->pen, "<path d='");
    for (size_t i = 0; i < d->picture->frame_count; i++) {
        const struct box b = heat_cell(m, i);
        if (d->picture->frames[i].dirty)
            put_square(d, (struct box){box_middle(b) - size / 2, b.y + b.height / 2 - size / 2, size, size});
    }
    pen_write(&d->pen, "' fill='%s' stroke='%s'/>\n", d->pen.shades->line, d->pen.shades->paper.fill);
}

/* What the mouse can point at. */
static void draw_handles(struct drawing *d, const struct heat *m) {
    for (size_t i = 0; i < d->picture->frame_count; i++)
        chain_frame_handle(d, i, heat_cell(m, i));
}

static void draw_rings(struct drawing *d, const struct heat *m) {
    for (size_t i = 0; d->marks && i < d->picture->frame_count; i++)
        if (d->picture->frames[i].changed || d->picture->frames[i].victim)
            pen_ring(&d->pen, box_inset(heat_cell(m, i), -5));
}

static void draw_map(struct drawing *d) {
    const struct heat m = heat_of(d->picture);
    const struct picture *p = d->picture;
    pen_textf(&d->pen, (struct box){MAP_X, 14, MAP_WIDTH, 26}, pen_size(&d->pen, 18),
              d->pen.shades->paper.ink, PEN_BOLD | PEN_LEFT, "Physical memory: %u frames, %u free",
              p->frame_total, p->free_count);
    if (p->frames_per_cell > 1)
        pen_textf(&d->pen, (struct box){MAP_X, 40, MAP_WIDTH, 18}, pen_size(&d->pen, 13),
                  d->pen.shades->faint, PEN_LEFT, "each square stands for %u frames",
                  (uint64_t)p->frames_per_cell);
    draw_looks(d, &m);
    draw_owners(d, &m);
    draw_dirty(d, &m);
    draw_handles(d, &m);
    draw_rings(d, &m);
}

static void put_owner_patterns(struct drawing *d) {
    static const char *const lines[OWNERS] = {"", "M0 8L8 0", "M0 0L8 8", "M0 4H8", "M4 0V8", "M0 4H8M4 0V8"};
    pen_write(&d->pen, "<defs>\n");
    for (int i = 0; i < OWNERS; i++)
        pen_write(&d->pen,
                  "<pattern id='thimble-owner-%d' width='8' height='8' patternUnits='userSpaceOnUse'>"
                  "<path d='%s' stroke='%s' fill='none'/><path d='%s' stroke='#ffffff' stroke-width='0.4' "
                  "fill='none'/></pattern>\n",
                  i, lines[i], d->pen.shades->line, lines[i]);
    pen_write(&d->pen, "</defs>\n");
}

/* ---- the legend ---- */

static int legend_entry(struct drawing *d, int x, int y, const char *fill, const char *pattern,
                        const char *name) {
    const struct box b = {x, y, 18, 18};
    const int size = pen_size(&d->pen, 13), width = pen_text_width(name, size, 0);
    pen_rect(&d->pen, b, fill, 1);
    if (pattern)
        pen_write(&d->pen, "<rect x='%d' y='%d' width='18' height='18' fill='url(#%s)'/>\n", x, y, pattern);
    pen_text(&d->pen, (struct box){x + 24, y, width < 150 ? width : 150, 18}, size, d->pen.shades->paper.ink,
             PEN_LEFT, name);
    return x + 24 + (width < 150 ? width : 150) + 16;
}

static const char *last_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void draw_legend_of_contents(struct drawing *d, int y) {
    const struct palette_shades *s = d->pen.shades;
    int x = legend_entry(d, MAP_X, y, s->anonymous.fill, NULL, "anonymous");
    x = legend_entry(d, x, y, s->system.fill, NULL, "OS");
    x = legend_entry(d, x, y, s->table.fill, NULL, "page table, other file");
    legend_entry(d, x, y, s->free.fill, NULL, "free");
    x = MAP_X;
    y += 24;
    if (s->hatched_files)
        return; /* the hatching says whose a frame is: without colours, files look alike */
    for (size_t i = 0; i < d->picture->file_count && x < MAP_X + MAP_WIDTH - 100; i++)
        x = legend_entry(d, x, y, s->files[d->picture->files[i].colour % PICTURE_COLOURS].fill, NULL,
                         last_name(d->picture->files[i].name));
}

static void draw_legend(struct drawing *d, int y) {
    static const char *const patterns[OWNERS] = {"thimble-owner-0", "thimble-owner-1", "thimble-owner-2",
                                                 "thimble-owner-3", "thimble-owner-4", "thimble-owner-5"};
    draw_legend_of_contents(d, y);
    int x = MAP_X;
    for (size_t i = 0; i < d->picture->process_count && i < OWNERS; i++) {
        struct text name = {.inject = d->pen.text->inject};
        text_put(&name, "PID ");
        text_number(&name, d->picture->processes[i].pid);
        text_bytes(&name, "", 1);
        if (!name.failed)
            x = legend_entry(d, x, y + 48, d->pen.shades->paper.fill, patterns[i], name.bytes);
        text_free(&name);
    }
    pen_text(&d->pen, (struct box){MAP_X, y + 72, MAP_WIDTH, 18}, pen_size(&d->pen, 13),
             d->pen.shades->paper.ink, PEN_LEFT,
             "Large square: new content; small: old. Dot: dirty. Hatching: the process that maps it.");
}

/* ---- the address spaces ---- */

static void draw_bar(struct drawing *d, struct box b, const struct picture_cell *c) {
    const uint64_t pages = max_u64(c->pages, 1);
    struct box in = b, out = b;
    in.width = (int)((uint64_t)b.width * min_u64(c->present, pages) / pages);
    out.x = b.x + in.width;
    out.width = (int)((uint64_t)b.width * min_u64(c->swapped, pages - min_u64(c->present, pages)) / pages);
    pen_rect(&d->pen, b, d->pen.shades->paper.fill, 1);
    draw_surface(d, in, &c->disk);
    if (out.width)
        pen_hatch(&d->pen, out, false);
    pen_rect(&d->pen, b, "none", 1);
}

static const char *region_name(const struct drawing *d, const struct picture_cell *c) {
    if (c->disk.source == SOURCE_FILE && c->disk.file < d->picture->file_count)
        return d->picture->files[c->disk.file].name;
    return c->disk.source == SOURCE_FILE ? "another file" : "anonymous";
}

static void draw_region(struct drawing *d, int y, size_t process, size_t cell) {
    const struct picture_cell *c = &d->picture->processes[process].cells[cell];
    const int size = pen_size(&d->pen, 12);
    const char *ink = d->pen.shades->paper.ink;
    char access[4];
    picture_access_text(c->access, access);
    chain_cell(d, "vpn", process, cell);
    pen_textf(&d->pen, (struct box){LIST_X, y, 92, 18}, size, ink, PEN_MONOSPACE | PEN_LEFT, "%x",
              c->first.n);
    pen_text(&d->pen, (struct box){LIST_X + 94, y, 34, 18}, size, ink, PEN_MONOSPACE, access);
    pen_text(&d->pen, (struct box){LIST_X + 134, y, 170, 18}, size, ink, PEN_LEFT, region_name(d, c));
    draw_bar(d, (struct box){LIST_X + 310, y + 2, 130, 14}, c);
    pen_textf(&d->pen, (struct box){LIST_X + 446, y, LIST_WIDTH - 446, 18}, size, ink, PEN_LEFT,
              "%u of %u in, %u out", c->present, c->pages, c->swapped);
    chain_end(d);
    if (d->marks && (c->changed || c->faulting))
        pen_ring(&d->pen, (struct box){LIST_X - 14, y - 3, 120, 24});
}

static int draw_process_title(struct drawing *d, int y, size_t process) {
    const struct picture_process *p = &d->picture->processes[process];
    chain_process(d, "process", process);
    pen_title(&d->pen, (struct box){LIST_X, y, LIST_WIDTH, 22}, pen_size(&d->pen, 15),
              d->pen.shades->paper.ink, PEN_BOLD | PEN_LEFT, p->current ? "► PID " : "PID ", p->pid, p->name);
    chain_end(d);
    return y + TITLE_HEIGHT;
}

static size_t regions_of(const struct picture_process *p) {
    size_t regions = 0;
    for (size_t i = 0; i < p->cell_count; i++)
        regions += p->cells[i].mapped || p->cells[i].touched;
    return regions;
}

/* Of a process's regions, `room` are drawn: the lowest, but those of this step in any case. */
static int draw_regions_of(struct drawing *d, int y, size_t process, size_t room) {
    const struct picture_process *p = &d->picture->processes[process];
    size_t urgent = 0;
    for (size_t i = 0; i < p->cell_count; i++)
        urgent += p->cells[i].changed || p->cells[i].faulting;
    size_t others = room > urgent ? room - urgent : 0, drawn = 0;
    for (size_t i = 0; i < p->cell_count && drawn < room; i++) {
        const struct picture_cell *c = &p->cells[i];
        const bool is_urgent = c->changed || c->faulting;
        if ((!c->mapped && !c->touched) || (!is_urgent && !others))
            continue;
        others -= !is_urgent;
        drawn++;
        draw_region(d, y, process, i);
        y += ROW_HEIGHT;
    }
    if (regions_of(p) > drawn)
        pen_textf(&d->pen, (struct box){LIST_X, y, LIST_WIDTH, 16}, pen_size(&d->pen, 12),
                  d->pen.shades->faint, PEN_LEFT, "and %u more regions", (uint64_t)(regions_of(p) - drawn));
    return y + (regions_of(p) > drawn ? ROW_HEIGHT : 6);
}

/* Every process has a title, and a row that says how many regions are left out. It gets its share of the
 * other rows; the one that the register points at (►) gets what the others leave. */
static void draw_list(struct drawing *d) {
    const struct picture *p = d->picture;
    const int processes = p->process_count ? (int)p->process_count : 1;
    const int rows = (LIST_HEIGHT - processes * (TITLE_HEIGHT + ROW_HEIGHT)) / ROW_HEIGHT;
    const size_t share = (size_t)(rows / processes);
    size_t spare = (size_t)rows;
    for (size_t i = 0; i < p->process_count; i++)
        spare -= min_size(spare, min_size(share, regions_of(&p->processes[i])));
    int y = 14;
    for (size_t i = 0; i < p->process_count; i++) {
        const bool first_choice = p->has_register ? i == p->register_process : i == 0;
        y = draw_process_title(d, y, i);
        y = draw_regions_of(d, y, i, share + (first_choice ? spare : 0));
    }
    if (p->hidden_processes)
        pen_textf(&d->pen, (struct box){LIST_X, y, LIST_WIDTH, 18}, pen_size(&d->pen, 12),
                  d->pen.shades->faint, PEN_LEFT, "and %u more processes", (uint64_t)p->hidden_processes);
}

struct box svg_regions(struct drawing *d) {
    const struct picture *p = d->picture;
    put_owner_patterns(d);
    draw_map(d);
    draw_legend(d, MAP_Y + MAP_HEIGHT + 16);
    draw_list(d);
    pen_textf(&d->pen, (struct box){LIST_X, SLIDE_HEIGHT - 60, LIST_WIDTH, 18}, pen_size(&d->pen, 13),
              d->pen.shades->paper.ink, PEN_LEFT, "Swap area: %u of %u pages in use", p->slots_used,
              p->swap_pages);
    return draw_slide(d);
}
