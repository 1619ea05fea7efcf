/* The rows of the disk: a row for each file, then those of the swap area. Arrows come down the sides of the
 * disk and reach a row by the gap above it. */
#include "base/base.h"
#include "view/svg-layout.h"

enum { CAP = 26, FOOT = 30, GAP = 7, GAP_USED = 14, SWAP_TITLE = 24, ROW_FREE = 4 };

static void add_file_row(struct layout *l, uint32_t file) {
    const struct picture_file *f = &l->picture->files[file];
    l->rows[l->row_count++] = (struct layout_row){
        .file = file,
        .first = f->first,
        .boxes = (unsigned)f->shown,
        .more_before = f->first > 0,
        .more_after = f->first + f->shown < f->pages,
    };
}

static void add_swap_row(struct layout *l, size_t first) {
    const struct picture *p = l->picture;
    const bool last = first + SWAP_COLUMNS >= p->slot_count;
    l->rows[l->row_count++] = (struct layout_row){
        .is_swap = true,
        .first = p->first_slot + first,
        .boxes = (unsigned)min_size(SWAP_COLUMNS, p->slot_count - first),
        .more_before = first == 0 && p->first_slot > 0,
        .more_after = last && p->first_slot + p->slot_count < p->swap_pages,
    };
}

void layout_disk_rows(struct layout *l) {
    for (uint32_t i = 0; i < l->picture->file_count; i++)
        add_file_row(l, i);
    for (size_t i = 0; i < l->picture->slot_count && l->row_count < DISK_ROWS; i += SWAP_COLUMNS)
        add_swap_row(l, i);
}

/* Columns at the side of the disk: the arrows that come by it. */
static int buses(const struct layout *l, bool left) {
    int count = 0;
    for (size_t i = 0; i < l->route_count; i++)
        count += l->routes[i].to_disk && l->routes[i].row > 0 && l->routes[i].left == left;
    return count;
}

int layout_disk_width(const struct layout *l) {
    return 2 * DISK_SIDE + (buses(l, true) + buses(l, false)) * DISK_BUS + DISK_NAME + 2 * DISK_MORE +
           SWAP_COLUMNS * DISK_BOX + 8;
}

static int row_height(const struct layout_row *row) {
    return channel_height(&row->gap, row->gap.tracks ? GAP_USED : GAP) + DISK_BOX_HEIGHT;
}

static bool is_first_swap_row(const struct layout *l, unsigned row) {
    return l->rows[row].is_swap && (row == 0 || !l->rows[row - 1].is_swap);
}

int layout_disk_height(const struct layout *l) {
    int height = CAP + FOOT + (l->picture->hidden_files ? SWAP_TITLE : 0);
    for (unsigned i = 0; i < l->row_count; i++)
        height += row_height(&l->rows[i]) + (is_first_swap_row(l, i) ? SWAP_TITLE : 0);
    return height;
}

void layout_disk_place(struct layout *l, int x, int y) {
    const int names = x + DISK_SIDE + buses(l, true) * DISK_BUS;
    l->disk = (struct box){x, y, layout_disk_width(l), layout_disk_height(l)};
    y += CAP;
    for (unsigned i = 0; i < l->row_count; i++) {
        struct layout_row *row = &l->rows[i];
        if (is_first_swap_row(l, i)) {
            if (l->picture->hidden_files)
                y += SWAP_TITLE;
            l->swap_title = (struct box){names, y + ROW_FREE, DISK_NAME, SWAP_TITLE};
            y += SWAP_TITLE;
        }
        const int gap = row_height(row) - DISK_BOX_HEIGHT;
        row->gap.y = y + 4;
        row->x = names + DISK_NAME + 8 + DISK_MORE;
        row->y = y + gap;
        y += gap + DISK_BOX_HEIGHT;
    }
}

bool layout_disk_find(const struct layout *l, const struct picture_disk *disk, unsigned *ret_row,
                      unsigned *ret_box) {
    const bool swap = disk->source == SOURCE_ANONYMOUS;
    if (!disk->has_page || (!swap && disk->source != SOURCE_FILE))
        return false;
    for (unsigned i = 0; i < l->row_count; i++) {
        const struct layout_row *row = &l->rows[i];
        if (row->is_swap != swap || (!swap && row->file != disk->file))
            continue;
        if (disk->page < row->first || disk->page - row->first >= row->boxes)
            continue;
        *ret_row = i;
        *ret_box = (unsigned)(disk->page - row->first);
        return true;
    }
    return false;
}
