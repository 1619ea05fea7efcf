/* Frames that several entries point at stand in a row where nothing is in the way: neither a frame that hangs
 * below its entry (in the first row), nor a line that goes down from an entry. A row is a grid of GRID pixels
 * a place. */
#include "view/svg-layout.h"

enum { GRID = 4, PLACES = 1024, WIDTH = 52, CLEARANCE = 6, EDGE = 20 };

struct grid {
    bool taken[SHARED_ROWS][PLACES];
};

static void take(struct grid *g, unsigned row, int from, int to) {
    for (int i = from > 0 ? from / GRID : 0; i <= to / GRID && i < PLACES; i++)
        g->taken[row][i] = true;
}

static bool is_free(const struct grid *g, unsigned row, int from, int to) {
    for (int i = from / GRID; i <= to / GRID; i++)
        if (i >= PLACES || g->taken[row][i])
            return false;
    return true;
}

/* A column with a frame is in the way of the first row only; one with a line is in the way of all. */
static void take_column(struct grid *g, const struct layout *l, size_t process, size_t cell) {
    const size_t target = layout_target(l, process, cell);
    const int middle = box_middle(layout_cell(l, process, cell));
    if (layout_segment(l, process, cell)->band + 1 != l->bands)
        return;
    if (target != SIZE_MAX && l->frames[target].arrows == 1) {
        const int half = l->frame_width / 2 + CLEARANCE;
        take(g, 0, middle - half, middle + half);
    } else if (target != SIZE_MAX || layout_points_at_disk(l, process, cell)) {
        for (unsigned row = 0; row < SHARED_ROWS; row++)
            take(g, row, middle - CLEARANCE, middle + CLEARANCE);
    }
}

static void put(struct layout *l, struct grid *g, struct layout_frame *frame, unsigned row, int x) {
    frame->place = FRAME_SHARED;
    frame->row = row;
    frame->box = (struct box){x, 0, WIDTH, l->frame_height};
    l->shared_rows = row + 1 > l->shared_rows ? row + 1 : l->shared_rows;
    take(g, row, x - CLEARANCE, x + WIDTH + CLEARANCE);
}

/* As near as possible to the middle of its entries. */
static bool put_near(struct layout *l, struct grid *g, struct layout_frame *frame, unsigned row) {
    const int wanted = frame->middles / (int)frame->arrows - WIDTH / 2, end = l->canvas.width - EDGE - WIDTH;
    for (int away = 0; away < l->canvas.width; away += GRID) {
        const int left = wanted - away, right = wanted + away;
        const bool is_left = left >= EDGE && left <= end && is_free(g, row, left, left + WIDTH);
        if (!is_left && !(right >= EDGE && right <= end && is_free(g, row, right, right + WIDTH)))
            continue;
        put(l, g, frame, row, is_left ? left : right);
        return true;
    }
    return false;
}

void layout_shared_place(struct layout *l) {
    struct grid g = {0};
    for (size_t i = 0; i < l->picture->process_count; i++)
        for (size_t j = 0; j < l->picture->processes[i].cell_count; j++)
            take_column(&g, l, i, j);
    for (size_t i = 0; i < l->picture->frame_count; i++) {
        struct layout_frame *frame = &l->frames[i];
        unsigned row = 0;
        if (frame->arrows < 2)
            continue;
        while (row < SHARED_ROWS && !put_near(l, &g, frame, row))
            row++;
        if (row == SHARED_ROWS)
            layout_hang(l, frame); /* the other entries get chips */
    }
}
