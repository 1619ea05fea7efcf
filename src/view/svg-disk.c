/* The disk: files and the swap area as rows of numbered pages. */
#include "view/svg-draw.h"

static struct picture_disk place_of_box(const struct layout_row *row, unsigned box) {
    return (struct picture_disk){
        .source = row->is_swap ? SOURCE_ANONYMOUS : SOURCE_FILE,
        .file = row->file,
        .page = row->first + box,
        .has_page = true,
    };
}

static void draw_slot_state(struct drawing *d, struct box b, size_t slot) {
    const unsigned blank = d->blank ? blank_slot(d->blank, slot) : 0;
    if (blank)
        draw_blank(d, box_inset(b, 1), blank);
    else if (d->picture->slots[slot].written)
        pen_hatch(&d->pen, b, true);
}

static bool is_blank_slot(const struct drawing *d, const struct layout_row *row, size_t slot) {
    return row->is_swap && d->blank && blank_slot(d->blank, slot);
}

static void draw_page(struct drawing *d, const struct layout_row *row, unsigned box) {
    const struct picture_disk place = place_of_box(row, box);
    const size_t slot = row->is_swap ? (size_t)(place.page - d->picture->first_slot) : 0;
    struct box b = {row->x + (int)box * DISK_BOX, row->y, DISK_BOX, DISK_BOX_HEIGHT};
    chain_place(d, &place);
    draw_surface(d, b, &place);
    if (row->is_swap)
        draw_slot_state(d, b, slot);
    if (!is_blank_slot(d, row, slot)) {
        if (row->is_swap && d->picture->slots[slot].written)
            pen_rounded(&d->pen, (struct box){b.x + 4, b.y + 4, b.width - 8, b.height - 8}, 3,
                        d->pen.shades->anonymous.fill, 0);
        pen_textf(&d->pen, box_inset(b, 1), pen_size(&d->pen, 13), draw_ink(d, &place), PEN_BOLD | PEN_WHOLE,
                  "%u", place.page);
    }
    chain_end(d);
    const struct picture_file *file = row->is_swap ? NULL : &d->picture->files[row->file];
    if (d->marks &&
        (file ? file->page_changed && file->changed_page == place.page : d->picture->slots[slot].changed))
        pen_ring(&d->pen, (struct box){b.x - 5, b.y - 5, b.width + 10, b.height + 10});
}

static void draw_more(struct drawing *d, const struct layout_row *row) {
    const char *ink = d->pen.shades->faint;
    if (row->more_before)
        pen_text(&d->pen, (struct box){row->x - DISK_MORE, row->y, DISK_MORE, DISK_BOX_HEIGHT}, 14, ink, 0,
                 "…");
    const int end = row->x + (int)row->boxes * DISK_BOX;
    if (row->more_after)
        pen_text(&d->pen, (struct box){end, row->y, DISK_MORE, DISK_BOX_HEIGHT}, 14, ink, 0, "…");
}

static void draw_file_name(struct drawing *d, const struct layout_row *row) {
    const struct picture_file *f = &d->picture->files[row->file];
    struct box name = {row->x - DISK_MORE - 8 - DISK_NAME, row->y, DISK_NAME, DISK_BOX_HEIGHT};
    struct box chip = {box_right(name) - 18, name.y + 2, 18, DISK_BOX_HEIGHT - 4};
    const struct picture_disk place = {.source = SOURCE_FILE, .file = row->file};
    draw_surface(d, chip, &place);
    pen_textf(&d->pen, chip, pen_size(&d->pen, 12), draw_ink(d, &place), PEN_ITALIC, "%c", f->initial);
    name.width -= 24;
    pen_text(&d->pen, name, pen_size(&d->pen, 13), d->pen.shades->disk.ink, PEN_RIGHT, f->name);
    if (d->marks && f->changed)
        pen_ring(&d->pen, (struct box){name.x - 6, name.y - 4, DISK_NAME + 12, name.height + 8});
}

static void draw_swap_title(struct drawing *d, const struct layout *l) {
    const struct picture *p = d->picture;
    struct box b = l->swap_title;
    if (p->slot_count == p->swap_pages)
        pen_text(&d->pen, b, pen_size(&d->pen, 14), d->pen.shades->disk.ink, PEN_BOLD | PEN_LEFT, "SWAP");
    else
        pen_textf(&d->pen, (struct box){b.x, b.y, l->disk.width / 2, b.height}, pen_size(&d->pen, 13),
                  d->pen.shades->disk.ink, PEN_BOLD | PEN_LEFT, "SWAP: %u of %u pages in use", p->slots_used,
                  p->swap_pages);
}

void draw_disk(struct drawing *d, const struct layout *l) {
    pen_cylinder(&d->pen, l->disk, d->pen.shades->disk.fill);
    for (unsigned i = 0; i < l->row_count; i++) {
        if (!l->rows[i].is_swap)
            draw_file_name(d, &l->rows[i]);
        for (unsigned box = 0; box < l->rows[i].boxes; box++)
            draw_page(d, &l->rows[i], box);
        draw_more(d, &l->rows[i]);
    }
    if (d->picture->slot_count)
        draw_swap_title(d, l);
    if (d->picture->hidden_files)
        pen_textf(&d->pen, (struct box){l->swap_title.x, l->swap_title.y - 18, DISK_NAME * 2, 16},
                  pen_size(&d->pen, 12), d->pen.shades->faint, PEN_LEFT, "and %u more files",
                  (uint64_t)d->picture->hidden_files);
    pen_text(&d->pen, (struct box){l->disk.x, box_bottom(l->disk) - 24, l->disk.width, 16},
             pen_size(&d->pen, 12), d->pen.shades->faint, 0, "SSD / hard drives");
}
