/* The layout of a picture with page tables: see svg-layout.h. First what is where from left to right, then
 * the arrows, and when it is known how much room they need, the heights. */
#include "view/svg-layout.h"

#include <stdlib.h>

#include "base/base.h"
#include "view/blank.h"

enum {
    WIDTH = 1280,
    HEIGHT = 720,
    EDGE = 40,
    CELL_LEAST = 34,
    CELL_MOST = 44,
    BETWEEN = 64,      /* strips, side by side */
    SIDE_CPU = 150,    /* to the left of stacked processes */
    BAND_HEIGHT = 300, /* of a stacked strip with its table and frames, about */
    BOTTOM_HEIGHT = 300,
    NARROW = 14, /* cells: a single strip up to so many leaves room for a second, as on the slides */
    TITLE = 26,
    ADDRESSES = 14,
    STRIP = 46,
    CPU_GAP = 98,   /* between strip and table, with the CPU in it */
    TABLE_GAP = 26, /* without it */
    HANGING_GAP = 36,
    ROW_GAP = 26,
    FRAME = 52,
    FRAME_HEIGHT = 56,
    DISK_GAP = 46,     /* between frames and disk, where arrows turn … */
    VICTIM_LABEL = 29, /* … below the word that marks a victim */
    CAPTION = 12,      /* above and below the caption */
    CAPTION_LEAST = 30,
    AREA_TITLE = 46,
    SHARING_TOP = 20,
    SHARING_GAP = 90,
    LEGEND = 120,
};

/* ---- what leads where ---- */

size_t layout_target(const struct layout *l, size_t process, size_t cell) {
    const struct picture_cell *c = &l->picture->processes[process].cells[cell];
    if (c->pages != 1 || !pte_is_present(c->entry) || l->picture->frames_per_cell != 1 ||
        pte_pfn(c->entry).n >= l->picture->frame_count)
        return SIZE_MAX;
    if (l->blank && blank_entry(l->blank, process, cell))
        return SIZE_MAX;
    return pte_pfn(c->entry).n;
}

bool layout_points_at_disk(const struct layout *l, size_t process, size_t cell) {
    return l->has_tables && l->picture->processes[process].cells[cell].points_at_disk &&
           !(l->blank && blank_entry(l->blank, process, cell));
}

const struct layout_segment *layout_segment(const struct layout *l, size_t process, size_t cell) {
    for (unsigned i = 0; i < l->segment_count; i++) {
        const struct layout_segment *s = &l->segments[i];
        if (s->process == process && cell >= s->first && (cell - s->first < s->cells || !s->cells))
            return s;
    }
    return &l->segments[0];
}

struct box layout_cell(const struct layout *l, size_t process, size_t cell) {
    const struct layout_segment *s = layout_segment(l, process, cell);
    const int column = (int)(cell - s->first);
    return (struct box){s->strip.x + column * l->cell_width, s->strip.y, l->cell_width, s->strip.height};
}

struct box layout_entry(const struct layout *l, size_t process, size_t cell) {
    const int y = layout_segment(l, process, cell)->table.y + TABLE_HEADER;
    return (struct box){layout_cell(l, process, cell).x, y, l->cell_width, 2 * TABLE_ROW};
}

/* ---- strips, from left to right ---- */

static int cells_of(const struct layout *l, size_t process) {
    size_t cells = l->picture->processes[process].cell_count;
    return cells ? (int)cells : 1;
}

static int clamp(int value, int least, int most) {
    return value < least ? least : value > most ? most : value;
}

static struct layout_segment *add_segment(struct layout *l, size_t process, int first, int cells, int x) {
    struct layout_segment *s = &l->segments[l->segment_count++];
    *s = (struct layout_segment){.process = process, .first = (size_t)first, .cells = (size_t)cells};
    s->strip = (struct box){x, 0, (cells ? cells : 1) * l->cell_width, STRIP};
    return s;
}

static void place_side_by_side(struct layout *l, int cells, int room) {
    const int count = (int)l->picture->process_count;
    l->cell_width = clamp((room - (count - 1) * BETWEEN) / cells, CELL_LEAST, CELL_MOST);
    const int used = cells * l->cell_width;
    const int gap = count > 1 ? (room - used) / (count - 1) : 0;
    int x = EDGE + (count == 1 && cells > NARROW ? (room - used) / 2 : 0);
    for (int i = 0; i < count; i++) {
        add_segment(l, (size_t)i, 0, (int)l->picture->processes[i].cell_count, x);
        x += cells_of(l, (size_t)i) * l->cell_width + gap;
    }
    l->bands = 1;
}

static unsigned bands_of(const struct layout *l, int columns) {
    unsigned bands = 0;
    for (size_t i = 0; i < l->picture->process_count; i++)
        bands += (unsigned)((cells_of(l, i) + columns - 1) / columns);
    return bands;
}

/* How many cells a row should have, so that the whole is as large as possible on a slide. */
static int columns_for_slide(const struct layout *l) {
    int best = 0, best_width = 0;
    for (int columns = 26; columns <= PICTURE_CELLS; columns += 2) {
        const int width = SIDE_CPU + 2 * EDGE + columns * CELL_LEAST;
        const int height = (int)bands_of(l, columns) * BAND_HEIGHT + BOTTOM_HEIGHT;
        const int slide = width > height * 16 / 9 ? width : height * 16 / 9;
        if (bands_of(l, columns) <= LAYOUT_SEGMENTS && (!best || slide < best_width)) {
            best = columns;
            best_width = slide;
        }
    }
    return best ? best : PICTURE_CELLS;
}

/* Pieces of the same length, so that the last is not a stub. */
static void place_process(struct layout *l, size_t process, int columns) {
    const int cells = cells_of(l, process), pieces = (cells + columns - 1) / columns;
    const int length = (cells + pieces - 1) / pieces, all = (int)l->picture->processes[process].cell_count;
    for (int first = 0; first < cells && l->segment_count < LAYOUT_SEGMENTS; first += length) {
        const int count = all - first < length ? all - first : length;
        add_segment(l, process, first, count, SIDE_CPU + EDGE / 2)->band = l->bands;
        l->bands++;
    }
}

static void place_stacked(struct layout *l) {
    const int columns = columns_for_slide(l);
    int widest = 1;
    for (size_t i = 0; i < l->picture->process_count; i++)
        widest = cells_of(l, i) > widest ? cells_of(l, i) : widest;
    widest = widest < columns ? widest : columns;
    l->stacked = true;
    l->cell_width = clamp((WIDTH - SIDE_CPU - 2 * EDGE) / widest, CELL_LEAST, CELL_MOST);
    for (size_t i = 0; i < l->picture->process_count; i++)
        place_process(l, i, columns);
    const int wanted = SIDE_CPU + 2 * EDGE + widest * l->cell_width;
    l->canvas.width = wanted > WIDTH ? wanted : WIDTH;
}

static void place_across(struct layout *l) {
    const int count = (int)l->picture->process_count;
    int cells = 0;
    for (int i = 0; i < count; i++)
        cells += cells_of(l, (size_t)i);
    const int least = cells * CELL_LEAST + (count - 1) * BETWEEN;
    l->canvas = (struct box){0, 0, WIDTH, HEIGHT};
    if (count && least > WIDTH - 2 * EDGE)
        place_stacked(l);
    else if (count)
        place_side_by_side(l, cells, WIDTH - 2 * EDGE);
}

/* ---- frames ---- */

static void count_arrows(struct layout *l) {
    for (size_t i = 0; i < l->picture->process_count; i++) {
        for (size_t j = 0; j < l->picture->processes[i].cell_count; j++) {
            size_t target = layout_target(l, i, j);
            if (target == SIZE_MAX)
                continue;
            struct layout_frame *frame = &l->frames[target];
            frame->middles += box_middle(layout_cell(l, i, j));
            if (!frame->arrows++) {
                frame->process = i;
                frame->cell = j;
            }
        }
    }
}

static enum frame_place place_by_use(const struct layout *l, size_t frame) {
    switch (l->picture->frames[frame].use) {
    case EVENT_FRAME_FREE: return l->blank && blank_pool(l->blank) ? FRAME_NOWHERE : FRAME_POOL;
    case EVENT_FRAME_RESERVED:
    case EVENT_FRAME_TABLE: return FRAME_RESERVED;
    case EVENT_FRAME_ANONYMOUS:
    case EVENT_FRAME_CACHE: return FRAME_OTHER;
    case EVENT_FRAME_KINDS: break;
    }
    return FRAME_NOWHERE;
}

void layout_hang(const struct layout *l, struct layout_frame *frame) {
    frame->place = FRAME_HANGS;
    int middle = box_middle(layout_cell(l, frame->process, frame->cell));
    frame->box = (struct box){middle - l->frame_width / 2, 0, l->frame_width, FRAME_HEIGHT};
}

static void place_frames_across(struct layout *l) {
    l->frame_width = clamp(l->cell_width - 4, 20, FRAME);
    l->frame_height = FRAME_HEIGHT;
    count_arrows(l);
    for (size_t i = 0; i < l->picture->frame_count; i++) {
        l->frames[i].place = l->frames[i].arrows ? FRAME_NOWHERE : place_by_use(l, i);
        if (l->frames[i].arrows == 1)
            layout_hang(l, &l->frames[i]);
    }
    layout_shared_place(l);
}

/* ---- from top to bottom ---- */

static int place_band(struct layout *l, unsigned band, int y) {
    const bool has_cpu = l->has_tables && !l->stacked;
    for (unsigned i = 0; i < l->segment_count; i++) {
        struct layout_segment *p = &l->segments[i];
        if (p->band != band)
            continue;
        p->title = (struct box){p->strip.x, y, p->strip.width, TITLE};
        p->strip.y = y + TITLE + ADDRESSES;
        p->table = (struct box){p->strip.x, box_bottom(p->strip), p->strip.width, 0};
        if (l->has_tables) {
            p->table.y += has_cpu ? CPU_GAP : TABLE_GAP;
            p->table.height = TABLE_HEADER + 2 * TABLE_ROW;
        }
    }
    y += TITLE + ADDRESSES + STRIP;
    if (l->has_tables)
        y += (has_cpu ? CPU_GAP : TABLE_GAP) + TABLE_HEADER + 2 * TABLE_ROW;
    return y;
}

/* The frames below a band; returns where it ends. */
static int place_band_frames(struct layout *l, unsigned band, int y) {
    const bool last = band + 1 == l->bands;
    const int gap = l->has_tables ? HANGING_GAP : SHARING_GAP;
    if (last)
        l->shared[0].y = y + gap / 2 - 4;
    y += last ? channel_height(&l->shared[0], gap) : gap;
    l->hanging_y[band] = y;
    y += FRAME_HEIGHT;
    if (last)
        return y;
    l->leaving[band].y = y + 14;
    return y + channel_height(&l->leaving[band], ROW_GAP);
}

static int place_shared_rows(struct layout *l, int y) {
    for (unsigned row = 1; row < l->shared_rows; row++) {
        l->shared[row].y = y + ROW_GAP / 2;
        y += channel_height(&l->shared[row], ROW_GAP + 8);
        l->shared_y[row] = y;
        y += FRAME_HEIGHT;
    }
    return y;
}

static void place_frames_down(struct layout *l) {
    l->shared_y[0] = l->bands ? l->hanging_y[l->bands - 1] : 0;
    for (size_t i = 0; i < l->picture->frame_count; i++) {
        struct layout_frame *frame = &l->frames[i];
        if (frame->place == FRAME_HANGS)
            frame->box.y = l->hanging_y[layout_segment(l, frame->process, frame->cell)->band];
        else if (frame->place == FRAME_SHARED)
            frame->box.y = l->shared_y[frame->row];
    }
    for (size_t i = 0; i < l->chip_count; i++) {
        struct layout_chip *chip = &l->chips[i];
        const int middle = box_middle(layout_cell(l, chip->process, chip->cell));
        chip->box = (struct box){middle - l->frame_width / 2,
                                 l->hanging_y[layout_segment(l, chip->process, chip->cell)->band],
                                 l->frame_width, FRAME_HEIGHT};
    }
}

static void place_cpu(struct layout *l) {
    if (!l->has_tables)
        return;
    if (l->stacked || !l->bands) {
        l->cpu = (struct box){EDGE / 2, TITLE + ADDRESSES + STRIP + 10, 124, 84};
        return;
    }
    const struct layout_segment *p = &l->segments[0];
    l->cpu = (struct box){l->canvas.width / 2 - 72, box_bottom(p->strip) + 7, 144, 80};
}

/* ---- below: reserved frames, disk, pool ---- */

static int count_place(const struct layout *l, enum frame_place place) {
    int count = 0;
    for (size_t i = 0; i < l->picture->frame_count; i++)
        count += l->frames[i].place == place;
    return count;
}

/* Frames in rows; they get smaller when there are many. */
static int grid_box(int count) {
    return count <= 12 ? 48 : count <= 24 ? 40 : 32;
}

static int grid_height(int count, int width) {
    const int box = grid_box(count), columns = clamp((width - 16) / (box + 6), 1, count ? count : 1);
    return count ? (count + columns - 1) / columns * (box + 6) : 0;
}

static void grid_place(struct layout *l, enum frame_place place, struct box area) {
    const int count = count_place(l, place), box = grid_box(count);
    const int columns = clamp((area.width - 16) / (box + 6), 1, count ? count : 1);
    const int left = area.x + (area.width - columns * (box + 6) + 6) / 2;
    int n = 0;
    for (size_t i = 0; i < l->picture->frame_count; i++) {
        if (l->frames[i].place != place)
            continue;
        l->frames[i].box =
            (struct box){left + n % columns * (box + 6), area.y + 10 + n / columns * (box + 6), box, box};
        n++;
    }
}

static int area_height(const struct layout *l, enum frame_place place, int width) {
    return 16 + grid_height(count_place(l, place), width) + AREA_TITLE;
}

static int side_width(const struct layout *l) {
    const int middle = l->has_disk ? layout_disk_width(l) + 40 : 80;
    return clamp((l->canvas.width - middle) / 2 - EDGE / 2, 150, 420);
}

static int bottom_height(const struct layout *l) {
    const int width = side_width(l), others = count_place(l, FRAME_OTHER);
    int left = area_height(l, FRAME_RESERVED, width) + (others ? area_height(l, FRAME_OTHER, width) + 14 : 0);
    int right = area_height(l, FRAME_POOL, width), middle = l->has_disk ? layout_disk_height(l) : 0;
    left = left > right ? left : right;
    return left > middle ? left : middle;
}

static void place_bottom(struct layout *l, int y, int height) {
    const int width = side_width(l), left = EDGE / 2, bottom = y + height;
    const int right = l->canvas.width - EDGE / 2 - width;
    int reserved = area_height(l, FRAME_RESERVED, width), pool = area_height(l, FRAME_POOL, width);
    if (!count_place(l, FRAME_OTHER))
        reserved = reserved > pool ? reserved : pool;
    pool = reserved > pool ? reserved : pool; /* an empty pool is as large as one that was not */
    l->reserved = (struct box){left, bottom - reserved, width, reserved};
    l->pool = (struct box){right, bottom - pool, width, pool};
    grid_place(l, FRAME_RESERVED, l->reserved);
    grid_place(l, FRAME_POOL, l->pool);
    if (count_place(l, FRAME_OTHER)) {
        const int other = area_height(l, FRAME_OTHER, width);
        l->other = (struct box){left, l->reserved.y - other - 14, width, other};
        grid_place(l, FRAME_OTHER, l->other);
    }
}

static int disk_x(const struct layout *l) {
    return (l->canvas.width - layout_disk_width(l)) / 2;
}

static void place_down(struct layout *l) {
    int y = l->has_tables ? 8 : SHARING_TOP;
    for (unsigned band = 0; band < l->bands; band++)
        y = place_band_frames(l, band, place_band(l, band, y)) + (l->stacked ? 10 : 0);
    y = place_shared_rows(l, y);
    l->to_disk.y = y + VICTIM_LABEL;
    y += channel_height(&l->to_disk, DISK_GAP);
    place_cpu(l);
    place_frames_down(l);
    const int bottom = l->has_tables ? bottom_height(l) : LEGEND, natural = y + bottom + l->caption.height;
    const int wide = l->has_tables ? l->canvas.width * 9 / 16 : natural; /* without tables, a low picture */
    l->canvas.height = natural > wide ? natural : wide;
    y = l->canvas.height - l->caption.height - bottom;
    l->legend = (struct box){EDGE, y, l->canvas.width - 2 * EDGE, bottom};
    if (l->has_tables)
        place_bottom(l, y, bottom);
    if (l->has_disk)
        layout_disk_place(l, disk_x(l), y + bottom - layout_disk_height(l));
    l->caption = (struct box){0, l->canvas.height - l->caption.height + CAPTION / 2, l->canvas.width,
                              l->caption.height - CAPTION};
}

/* A picture as wide as a slide, for its height. */
static void widen(struct layout *l) {
    const int width = l->canvas.height * 16 / 9;
    if (width > l->canvas.width) {
        l->canvas.x = -(width - l->canvas.width) / 2;
        l->canvas.width = width;
    }
}

/* ---- all ---- */

static size_t cell_total(const struct picture *p) {
    size_t total = 0;
    for (size_t i = 0; i < p->process_count; i++)
        total += p->processes[i].cell_count;
    return total;
}

static void reserve_margin(struct layout *l) {
    int leaving = 0;
    for (size_t i = 0; i < l->route_count; i++)
        leaving += l->routes[i].leaves;
    l->margin = leaving ? (leaving + 2) * DISK_BUS : 0;
    l->canvas.width += l->margin;
}

bool layout_make(struct layout *l, const struct picture *picture, const struct blank *blank, int caption) {
    *l = (struct layout){.picture = picture, .blank = blank};
    l->caption.height = caption + CAPTION > CAPTION_LEAST ? caption + CAPTION : CAPTION_LEAST;
    l->has_tables = picture->kind != PICTURE_SHARING;
    l->has_disk = picture->kind == PICTURE_TABLES;
    l->frames = calloc(max_size(picture->frame_count, 1), sizeof *l->frames);
    l->chips = calloc(max_size(cell_total(picture), 1), sizeof *l->chips);
    if (!l->frames || !l->chips)
        return false;
    place_across(l);
    if (l->has_disk)
        layout_disk_rows(l);
    place_frames_across(l);
    layout_routes_choose(l);
    reserve_margin(l);
    if (l->has_disk)
        layout_disk_place(l, disk_x(l), 0);
    layout_routes_run(l);
    place_down(l);
    layout_routes_draw(l);
    widen(l);
    return true;
}

void layout_free(struct layout *l) {
    free(l->frames);
    free(l->chips);
}
