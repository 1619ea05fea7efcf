/* Arrows of the layout: which ones run to a shared frame or to the disk, and where. See svg-layout.h. */
#include <stdlib.h>

#include "base/base.h"
#include "view/svg-layout.h"

enum { ARRIVALS_APART = 7, SHARED_APART = 8 };

/* ---- choosing ---- */

static void add_chip(struct layout *l, size_t process, size_t cell) {
    l->chips[l->chip_count++] = (struct layout_chip){.process = process, .cell = cell};
}

static bool is_last_band(const struct layout *l, size_t process, size_t cell) {
    return layout_segment(l, process, cell)->band + 1 == l->bands;
}

static struct layout_route *add_route(struct layout *l, size_t process, size_t cell) {
    struct layout_route *r = &l->routes[l->route_count++];
    *r = (struct layout_route){.process = process, .cell = cell, .leaves = !is_last_band(l, process, cell)};
    r->from = box_middle(layout_cell(l, process, cell));
    return r;
}

static size_t dashed_count(const struct layout *l) {
    size_t count = 0;
    for (size_t i = 0; i < l->picture->process_count; i++)
        for (size_t j = 0; j < l->picture->processes[i].cell_count; j++)
            count += layout_points_at_disk(l, i, j);
    return count;
}

/* Two arrows to the same page arrive side by side. */
static void keep_arrivals_apart(struct layout *l, struct layout_route *r) {
    for (size_t i = 0; i < l->route_count; i++) {
        const struct layout_route *other = &l->routes[i];
        if (other != r && other->to_disk && other->row == r->row && other->x == r->x)
            r->x += r->left ? -ARRIVALS_APART : ARRIVALS_APART;
    }
}

static void choose_disk(struct layout *l, size_t process, size_t cell, bool is_long) {
    const struct picture_disk *disk = &l->picture->processes[process].cells[cell].disk;
    unsigned row, box;
    if (!is_long || l->route_count == LAYOUT_ROUTES || !layout_disk_find(l, disk, &row, &box)) {
        add_chip(l, process, cell);
        return;
    }
    struct layout_route *r = add_route(l, process, cell);
    r->to_disk = r->dashed = true;
    r->row = row;
    r->left = !r->leaves && r->from < box_middle(l->canvas);
    r->x = (int)box * DISK_BOX + DISK_BOX / 2; /* from the first box; see layout_routes_run() */
    keep_arrivals_apart(l, r);
}

static void choose_shared(struct layout *l, size_t process, size_t cell) {
    size_t target = layout_target(l, process, cell);
    struct layout_frame *frame = &l->frames[target];
    if (frame->place == FRAME_HANGS && frame->process == process && frame->cell == cell)
        return;
    if (frame->place != FRAME_SHARED || l->route_count == LAYOUT_ROUTES) {
        add_chip(l, process, cell);
        return;
    }
    struct layout_route *r = add_route(l, process, cell);
    r->frame = target;
    r->row = frame->row;
}

/* The page that moves between a frame and the disk in this step. */
static void choose_transfer(struct layout *l) {
    const struct picture_transfer *t = &l->picture->transfer;
    unsigned row, box;
    if (!t->shown || l->blank || !l->has_disk || l->picture->frames_per_cell != 1 ||
        l->route_count == LAYOUT_ROUTES || !layout_disk_find(l, &t->disk, &row, &box))
        return;
    const struct layout_frame *frame = &l->frames[t->frame];
    bool free_below = frame->place == FRAME_HANGS
                          ? is_last_band(l, frame->process, frame->cell)
                          : frame->place == FRAME_SHARED && frame->row + 1 == l->shared_rows;
    if (!free_below)
        return;
    struct layout_route *r = &l->routes[l->route_count++];
    *r = (struct layout_route){.transfer = true, .to_disk = true, .frame = t->frame, .row = row};
    r->from = box_middle(frame->box);
    r->left = r->from < box_middle(l->canvas);
    r->x = (int)box * DISK_BOX + DISK_BOX / 2;
    keep_arrivals_apart(l, r);
}

void layout_routes_choose(struct layout *l) {
    const bool is_long = l->has_disk && dashed_count(l) <= LONG_ARROWS;
    for (size_t i = 0; i < l->picture->process_count; i++)
        for (size_t j = 0; j < l->picture->processes[i].cell_count; j++)
            if (layout_target(l, i, j) != SIZE_MAX)
                choose_shared(l, i, j);
    for (size_t i = 0; i < l->picture->process_count; i++)
        for (size_t j = 0; j < l->picture->processes[i].cell_count; j++)
            if (layout_points_at_disk(l, i, j))
                choose_disk(l, i, j, is_long);
    choose_transfer(l);
}

/* ---- places in channels ---- */

/* Around the bands below, at the right edge. */
static int leave_band(struct layout *l, struct layout_route *r) {
    if (!r->leaves)
        return r->from;
    r->around = box_right(l->canvas) - l->margin + DISK_BUS * (int)++l->leaves;
    r->leave = channel_take(&l->leaving[layout_segment(l, r->process, r->cell)->band], r->from, r->around);
    return r->around;
}

static void run_to_frame(struct layout *l, struct layout_route *r) {
    const int from = leave_band(l, r), middle = box_middle(l->frames[r->frame].box);
    r->x = from < middle ? middle - SHARED_APART : from > middle ? middle + SHARED_APART : middle;
    r->enter = channel_take(&l->shared[r->row], from, r->x);
}

/* Columns at the sides of the disk that are still free, the innermost ones. */
struct sides {
    int left, right;
};

/* The first row is reached from above, the others from the side. */
static void run_to_disk(struct layout *l, struct layout_route *r, struct sides *sides) {
    const struct layout_row *row = &l->rows[r->row];
    const int from = leave_band(l, r);
    r->x += row->x;
    if (r->row == 0) {
        r->enter = channel_take(&l->to_disk, from, r->x);
        return;
    }
    r->bus = r->left ? sides->left : sides->right;
    sides->left -= r->left ? DISK_BUS : 0;
    sides->right += r->left ? 0 : DISK_BUS;
    r->enter = channel_take(&l->to_disk, from, r->bus);
    r->gap = channel_take(&l->rows[r->row].gap, r->bus, r->x);
}

/* Arrows nest when the one from the entry nearest to the disk comes first: it gets the innermost column and
 * the upper tracks. Upper rows come before lower ones. */
static bool runs_before(const struct layout_route *a, const struct layout_route *b) {
    if (a->row != b->row)
        return a->row < b->row;
    if (a->left != b->left)
        return a->left;
    return a->left ? a->from > b->from : a->from < b->from;
}

static int count_side(const struct layout *l, bool left) {
    int count = 0;
    for (size_t i = 0; i < l->route_count; i++)
        count += l->routes[i].to_disk && l->routes[i].row > 0 && l->routes[i].left == left;
    return count;
}

void layout_routes_run(struct layout *l) {
    struct layout_route *order[LAYOUT_ROUTES];
    size_t count = 0;
    for (size_t i = 0; i < l->route_count; i++) {
        struct layout_route *r = &l->routes[i];
        if (!r->to_disk) {
            run_to_frame(l, r);
            continue;
        }
        size_t place = count++;
        for (; place > 0 && runs_before(r, order[place - 1]); place--)
            order[place] = order[place - 1];
        order[place] = r;
    }
    struct sides sides = {
        l->disk.x + DISK_SIDE / 2 + count_side(l, true) * DISK_BUS,
        box_right(l->disk) - DISK_SIDE / 2 - count_side(l, false) * DISK_BUS,
    };
    for (size_t i = 0; i < count; i++)
        run_to_disk(l, order[i], &sides);
}

/* ---- points ---- */

static int start_y(const struct layout *l, const struct layout_route *r) {
    if (r->transfer)
        return box_bottom(l->frames[r->frame].box);
    const struct layout_segment *p = layout_segment(l, r->process, r->cell);
    return l->has_tables ? box_bottom(p->table) - TABLE_ROW / 2 : box_bottom(p->strip);
}

static int draw_leaving(const struct layout *l, struct layout_route *r) {
    route_add(&r->route, r->from, start_y(l, r));
    if (!r->leaves)
        return r->from;
    const int y = channel_y(&l->leaving[layout_segment(l, r->process, r->cell)->band], r->leave);
    route_add(&r->route, r->from, y);
    route_add(&r->route, r->around, y);
    return r->around;
}

static void route_to_frame(const struct layout *l, struct layout_route *r) {
    const int from = draw_leaving(l, r), y = channel_y(&l->shared[r->row], r->enter);
    if (from != r->x) {
        route_add(&r->route, from, y);
        route_add(&r->route, r->x, y);
    }
    route_add(&r->route, r->x, l->frames[r->frame].box.y);
}

static void route_to_disk(const struct layout *l, struct layout_route *r) {
    const int from = draw_leaving(l, r);
    const int y = channel_y(&l->to_disk, r->enter);
    const struct layout_row *row = &l->rows[r->row];
    route_add(&r->route, from, y);
    if (r->row == 0) {
        route_add(&r->route, r->x, y);
    } else {
        const int gap = channel_y(&row->gap, r->gap);
        route_add(&r->route, r->bus, y);
        route_add(&r->route, r->bus, gap);
        route_add(&r->route, r->x, gap);
    }
    route_add(&r->route, r->x, row->y);
}

static void reverse(struct route *route) {
    for (unsigned i = 0; i < route->count / 2; i++) {
        struct point swapped = route->points[i];
        route->points[i] = route->points[route->count - 1 - i];
        route->points[route->count - 1 - i] = swapped;
    }
}

void layout_routes_draw(struct layout *l) {
    for (size_t i = 0; i < l->route_count; i++) {
        struct layout_route *r = &l->routes[i];
        if (r->to_disk)
            route_to_disk(l, r);
        else
            route_to_frame(l, r);
        if (r->transfer && !l->picture->transfer.out)
            reverse(&r->route);
    }
}
