/* What belongs together: a page, its entry, its frame and its place on the disk.
 *
 * In an interactive drawing each part is a group with data-part and data-chain: the tokens of all that it
 * belongs to, its own first.
 *
 *      v21:406   page 0x406 of pid 21        f3   frame 3        o2:6   page 6 of object 2
 *      s6        page 6 of the swap area     p21  process 21 */
#include "view/svg-draw.h"

static void begin(struct drawing *d, const char *part) {
    pen_write(&d->pen, "<g data-part='%s' data-chain='", part);
}

static void put_page(struct drawing *d, size_t process, const struct picture_cell *c) {
    const struct picture_process *p = &d->picture->processes[process];
    pen_write(&d->pen, "v%d:%x", (int)p->pid, c->first.n);
}

static bool put_place(struct drawing *d, const char *separator, const struct picture_disk *disk) {
    if (!disk->has_page)
        return false;
    if (disk->source == SOURCE_ANONYMOUS)
        pen_write(&d->pen, "%ss%u", separator, disk->page);
    else if (disk->source == SOURCE_FILE && disk->file < d->picture->file_count)
        pen_write(&d->pen, "%so%u:%u", separator, d->picture->files[disk->file].object, disk->page);
    else
        return false;
    return true;
}

static bool is_same_place(const struct picture_disk *a, const struct picture_disk *b) {
    return a->has_page && b->has_page && a->source == b->source && a->page == b->page &&
           (a->source != SOURCE_FILE || a->file == b->file);
}

static bool is_in_frame(const struct picture_cell *c, uint32_t frame) {
    return c->pages == 1 && pte_is_present(c->entry) && pte_pfn(c->entry).n == frame;
}

/* The pages that are in the frame, or whose place on the disk this is. */
static void put_pages(struct drawing *d, uint32_t frame, const struct picture_disk *disk) {
    for (size_t i = 0; i < d->picture->process_count; i++) {
        const struct picture_process *p = &d->picture->processes[i];
        for (size_t j = 0; j < p->cell_count; j++) {
            const struct picture_cell *c = &p->cells[j];
            if (c->pages != 1 || !(is_in_frame(c, frame) || (disk && is_same_place(&c->disk, disk))))
                continue;
            pen_write(&d->pen, " ");
            put_page(d, i, c);
        }
    }
}

/* A blank says nothing, so it leads nowhere either. */
static bool is_blank(const struct drawing *d, size_t process, size_t cell) {
    return d->blank && blank_entry(d->blank, process, cell);
}

static void put_cell_title(struct drawing *d, const struct picture_cell *c) {
    char access[4];
    picture_access_text(c->access, access);
    pen_write(&d->pen, "<title>VPN%u: 0x%x", c->number, c->first.n << PAGE_SHIFT);
    if (c->pages > 1)
        pen_write(&d->pen, ", %u pages, %u in memory, %u swapped out", c->pages, c->present, c->swapped);
    pen_write(&d->pen, ", %s</title>", c->mapped ? access : "not mapped");
}

void chain_cell(struct drawing *d, const char *part, size_t process, size_t cell) {
    const struct picture_cell *c = &d->picture->processes[process].cells[cell];
    if (!d->pen.options->interactive)
        return;
    begin(d, c->pages > 1 ? "region" : part);
    if (c->pages)
        put_page(d, process, c);
    if (c->pages == 1 && !is_blank(d, process, cell)) {
        if (pte_is_present(c->entry))
            pen_write(&d->pen, " f%d", (int)pte_pfn(c->entry).n);
        put_place(d, " ", &c->disk);
    }
    pen_write(&d->pen, "'>");
    if (c->pages)
        put_cell_title(d, c);
}

static void put_frame_chain(struct drawing *d, const struct picture_frame *f) {
    pen_write(&d->pen, "data-part='frame' data-chain='f%d", (int)f->number);
    if (!d->blank) {
        put_place(d, " ", &f->disk);
        put_pages(d, f->number, NULL);
    }
    pen_write(&d->pen, "'");
}

void chain_frame(struct drawing *d, size_t frame) {
    if (!d->pen.options->interactive)
        return;
    pen_write(&d->pen, "<g ");
    put_frame_chain(d, &d->picture->frames[frame]);
    pen_write(&d->pen, ">");
}

void chain_frame_handle(struct drawing *d, size_t frame, struct box b) {
    if (!d->pen.options->interactive)
        return;
    pen_write(&d->pen, "<rect x='%d' y='%d' width='%d' height='%d' fill-opacity='0' ", b.x, b.y, b.width,
              b.height);
    put_frame_chain(d, &d->picture->frames[frame]);
    pen_write(&d->pen, "/>\n");
}

void chain_place(struct drawing *d, const struct picture_disk *disk) {
    if (!d->pen.options->interactive)
        return;
    /* A file that is only on the disk has no object, and nothing can be known about its pages. */
    const bool known = disk->source != SOURCE_FILE || d->picture->files[disk->file].object;
    if (!known) {
        pen_write(&d->pen, "<g>");
        return;
    }
    begin(d, disk->source == SOURCE_FILE ? "file" : "slot");
    put_place(d, "", disk);
    for (size_t i = 0; !d->blank && i < d->picture->frame_count; i++)
        if (is_same_place(&d->picture->frames[i].disk, disk))
            pen_write(&d->pen, " f%d", (int)d->picture->frames[i].number);
    if (!d->blank)
        put_pages(d, UINT32_MAX, disk);
    pen_write(&d->pen, "'>");
}

void chain_process(struct drawing *d, const char *part, size_t process) {
    if (!d->pen.options->interactive)
        return;
    begin(d, part);
    pen_write(&d->pen, "p%d'>", (int)d->picture->processes[process].pid);
}

void chain_end(struct drawing *d) {
    if (d->pen.options->interactive)
        pen_write(&d->pen, "</g>\n");
}
