/* The strips of virtual pages, and with them the columns of the page tables.
 *
 * A strip without labels is the whole address space in pieces, each of them one cell:
 *
 *      0                                                                         end
 *      |  gap   |t|t| run of |t| untouched |  gap (nothing mapped)   |t|t|  gap  |
 *        VPN0    1 2  VPN3    5             VPN6                      7 8  VPN9
 *
 * t is a page that was touched. What was not touched is folded when it is long; when there are still too many
 * cells, more is folded, in the steps of enum fold_level; pages that are present come last. Pages that this
 * step changed are never folded. The symbolic number of a page is the position of its cell: folding makes
 * 0x406 a "VPN4".
 *
 * A labelled strip has the cells that its labels say; pages without a label are not in it. */
#include <stdlib.h>

#include "base/base.h"
#include "view/picture-build.h"

enum {
    SHORT_RUN = 4,          /* untouched pages that are drawn one by one */
    LABELLED_CELLS = 64,    /* of a labelled strip, at most */
    BETWEEN_LEAST = 12,     /* cells: with fewer pages in memory, whole mappings say more */
    PIECES = 1 << 16,       /* looked at, at most */
    EVICTED_PAGES = 1 << 14 /* of a mapping: searched for pages that were evicted */
};

enum fold_level {
    LEVEL_LONG_RUNS,
    LEVEL_RUNS,
    LEVEL_NOT_PRESENT,
    LEVEL_BETWEEN, /* all that is not present between two pages that are */
    LEVEL_MAPPING,
    LEVEL_NEIGHBOURS,
    LEVELS
};

/* The page after the last one that a program may have. */
static const uint64_t space_end = USER_END >> PAGE_SHIFT;

struct strip {
    struct builder *builder;
    const struct fold_space *space;
    uint64_t executable; /* path, string */
    struct picture_process *process;
    enum fold_level level;
};

/* ---- one page ---- */

static uint64_t file_page(const struct fold_mapping *m, uint64_t vpn) {
    return m->object_page + (vpn - m->first);
}

/* Whether the page of a file was in memory before, and was evicted. */
static bool was_evicted(const struct fold *f, const struct fold_mapping *m, uint64_t vpn) {
    const struct fold_object *o = m && m->object ? fold_object(f, m->object) : NULL;
    if (!o || !map_count(&f->counter.evicted))
        return false;
    return map_get(&f->counter.evicted, page_id_of_object((uint32_t)o->generation, file_page(m, vpn)).n,
                   NULL);
}

/* A page that is not in memory points at its disk page when the system has put the address there: it was
 * evicted, or somebody mapped its file. An executable that is started is only remembered: its pages have
 * empty entries until they are touched. Before its exec a process has nothing but that. */
static bool points_at_file(const struct strip *s, const struct fold_mapping *m, uint64_t vpn) {
    const struct fold_object *o = m && m->object ? fold_object(s->builder->fold, m->object) : NULL;
    if (!o)
        return false;
    if (was_evicted(s->builder->fold, m, vpn))
        return true;
    return s->executable && !builder_same_string(s->builder, s->executable, o->path);
}

/* A file page's place; the file is the object's number until builder_files() has given files their order. */
static struct picture_disk backing_place(const struct fold_mapping *m, uint64_t vpn) {
    if (!m)
        return (struct picture_disk){.source = SOURCE_NONE};
    if (!m->object)
        return (struct picture_disk){.source = SOURCE_ANONYMOUS};
    return (struct picture_disk){SOURCE_FILE, UINT32_MAX, file_page(m, vpn), true};
}

static void describe_mapping(struct picture_cell *cell, const struct fold_mapping *m) {
    cell->mapped = m != NULL;
    cell->object = m ? m->object : 0;
    cell->access = m ? m->flags & EVENT_MAP_ACCESS : 0;
    cell->shared = m && m->flags & EVENT_MAP_SHARED;
    cell->disk = backing_place(m, cell->first.n);
}

static void describe_page(const struct strip *s, struct picture_cell *cell, const struct fold_mapping *m) {
    const uint64_t vpn = cell->first.n;
    cell->entry = fold_entry(s->space, cell->first);
    const bool present = pte_is_present(cell->entry), swapped = pte_is_swapped(cell->entry);
    describe_mapping(cell, m);
    cell->present = present;
    cell->swapped = swapped;
    cell->touched = present || swapped || was_evicted(s->builder->fold, m, vpn);
    cell->shows_access = present;
    if (present && !m)
        cell->access = pte_access(cell->entry);
    cell->copy_on_write = present && pte_has(cell->entry, PTE_COW) && cell->access & ACCESS_WRITE;
    cell->points_at_disk = swapped || (!present && points_at_file(s, m, vpn));
}

/* ---- folding ---- */

static bool is_gap(const struct picture_cell *c) {
    return !c->mapped && !c->touched;
}

static bool same_mapping(const struct picture_cell *a, const struct picture_cell *b) {
    return a->mapped && b->mapped && a->object == b->object && a->access == b->access &&
           a->shared == b->shared && a->disk.source == b->disk.source;
}

static bool is_marked(const struct strip *s, const struct picture_cell *c) {
    const uint64_t first = c->first.n, end = first + c->pages;
    return builder_next_marked(s->builder, s->space->number, first, end) < end;
}

static bool may_join(const struct strip *s, const struct picture_cell *a, const struct picture_cell *b) {
    if (is_marked(s, a) || is_marked(s, b))
        return false;
    const bool untouched = !a->touched && !b->touched, absent = !a->present && !b->present;
    switch (s->level) {
    case LEVEL_LONG_RUNS: return false;
    case LEVEL_RUNS: return untouched && same_mapping(a, b);
    case LEVEL_NOT_PRESENT: return absent && same_mapping(a, b);
    case LEVEL_BETWEEN: return absent;
    case LEVEL_MAPPING: return same_mapping(a, b);
    case LEVEL_NEIGHBOURS: return is_gap(a) == is_gap(b);
    case LEVELS: break;
    }
    return false;
}

/* What is folded over the border of a mapping shows no more of it than what both sides have. */
static struct picture_cell joined_neighbours(const struct picture_cell *a, const struct picture_cell *b) {
    struct picture_cell both = *a;
    const bool same_object = a->object == b->object && a->disk.source == b->disk.source;
    both.mapped = a->mapped || b->mapped;
    both.access = a->access == b->access ? a->access : 0;
    both.shared = a->shared && b->shared;
    both.object = same_object ? a->object : 0;
    if (!same_object)
        both.disk = (struct picture_disk){.source = SOURCE_NONE};
    return both;
}

static void join(struct picture_cell *a, const struct picture_cell *b) {
    a->pages += b->pages;
    a->present += b->present;
    a->swapped += b->swapped;
    a->touched = a->touched || b->touched;
    a->points_at_disk = a->points_at_disk && b->points_at_disk && !a->swapped && same_mapping(a, b);
    if (!same_mapping(a, b))
        *a = joined_neighbours(a, b);
    a->shows_access = a->shows_access && b->shows_access && a->access == b->access;
    a->copy_on_write = a->copy_on_write && b->copy_on_write;
    a->entry = (pte_t){0};
}

static void strip_push(struct strip *s, const struct picture_cell *cell) {
    struct picture_process *p = s->process;
    if (p->cell_count && may_join(s, &p->cells[p->cell_count - 1], cell)) {
        join(&p->cells[p->cell_count - 1], cell);
        return;
    }
    if (p->cell_count == PIECES) {
        p->hidden_cells++;
        return;
    }
    struct picture_cell *added = BUILDER_ADD(s->builder, p->cells, p->cell_count);
    if (added)
        *added = *cell;
}

/* ---- walking through a space ---- */

static void push_page(struct strip *s, const struct fold_mapping *m, uint64_t vpn) {
    struct picture_cell cell = {.first = {vpn}, .pages = 1};
    describe_page(s, &cell, m);
    strip_push(s, &cell);
}

/* The first page in [from, end) of a file that was in memory and is not now; `end` when there is none. */
static uint64_t next_evicted(const struct strip *s, const struct fold_mapping *m, uint64_t from,
                             uint64_t end) {
    if (!m || !m->object || !map_count(&s->builder->fold->counter.evicted) || m->pages > EVICTED_PAGES)
        return end;
    while (from < end && !was_evicted(s->builder->fold, m, from))
        from++;
    return from;
}

/* Adds the entries of [from, end) of one leaf. */
static void count_leaf(struct picture_cell *cell, const struct fold_leaf *leaf, uint64_t from, uint64_t end) {
    for (uint64_t i = from; i < end; i++) {
        cell->present += pte_is_present(leaf->entries[i]);
        cell->swapped += pte_is_swapped(leaf->entries[i]);
    }
}

/* Counts the entries of a run that is folded whatever it has. */
static void count_entries(const struct strip *s, struct picture_cell *cell, const struct fold_mapping *m) {
    const uint64_t first = cell->first.n, end = first + cell->pages;
    const struct sorted *leaves = &s->space->leaves;
    for (size_t i = sorted_position(leaves, first / FOLD_LEAF_PAGES); i < leaves->count; i++) {
        const uint64_t base = leaves->entries[i].key * FOLD_LEAF_PAGES;
        if (base >= end)
            break;
        count_leaf(cell, leaves->entries[i].value, max_u64(first, base) - base,
                   min_u64(end - base, FOLD_LEAF_PAGES));
    }
    cell->touched = cell->present || cell->swapped || next_evicted(s, m, first, end) < end;
    cell->shows_access = cell->present == cell->pages;
    cell->points_at_disk = !cell->present && !cell->swapped && points_at_file(s, m, first);
}

/* Pages first … end-1; unless all is folded, none of them was touched. */
static void push_run(struct strip *s, const struct fold_mapping *m, uint64_t first, uint64_t end) {
    if (first >= end)
        return;
    if (m && end - first <= SHORT_RUN) {
        for (uint64_t vpn = first; vpn < end; vpn++)
            push_page(s, m, vpn);
        return;
    }
    struct picture_cell cell = {.first = {first}, .pages = end - first};
    describe_mapping(&cell, m);
    count_entries(s, &cell, m);
    strip_push(s, &cell);
}

/* The first page in [from, end) that is a cell of its own: touched or marked; `end` when there is none. Whole
 * mappings are folded in one go, for a machine may have very many pages. */
static uint64_t next_single(const struct strip *s, const struct fold_mapping *m, uint64_t from,
                            uint64_t end) {
    vpn_t vpn = {from};
    pte_t entry;
    const uint64_t marked = builder_next_marked(s->builder, s->space->number, from, end);
    if (m && s->level >= LEVEL_MAPPING)
        return marked;
    const uint64_t touched = fold_next_entry(s->space, &vpn, &entry) ? vpn.n : end;
    return next_evicted(s, m, from, min_u64(touched, marked));
}

/* Pages first … end-1, covered by one mapping or by none. */
static void walk_part(struct strip *s, const struct fold_mapping *m, uint64_t first, uint64_t end) {
    while (first < end) {
        uint64_t single = next_single(s, m, first, end);
        push_run(s, m, first, single);
        if (single < end)
            push_page(s, m, single);
        first = single + 1;
    }
}

static void walk(struct strip *s) {
    const struct fold_space *space = s->space;
    uint64_t from = 0;
    for (size_t i = 0; i < space->mapping_count; i++) {
        const struct fold_mapping *m = &space->mappings[i];
        walk_part(s, NULL, from, m->first);
        walk_part(s, m, m->first, m->first + m->pages);
        from = m->first + m->pages;
    }
    walk_part(s, NULL, from, max_u64(from, space_end));
}

static void strip_limit(struct picture_process *p, size_t limit) {
    if (p->cell_count > limit) {
        p->hidden_cells += p->cell_count - limit;
        p->cell_count = limit;
    }
}

/* One row of a slide, as long as only pages that are not present have to be folded for it. */
static size_t cell_limit(const struct strip *s) {
    const size_t others = s->builder->picture->process_count - 1;
    if (s->level != LEVEL_BETWEEN)
        return s->level < LEVEL_BETWEEN ? PICTURE_CELLS_ROW : PICTURE_CELLS;
    const size_t taken = others * PICTURE_CELLS_ROW;
    return taken + PICTURE_CELLS < PICTURE_CELLS_ALL ? PICTURE_CELLS_ALL - taken : PICTURE_CELLS;
}

static void strip_folded(struct strip *s) {
    struct picture_process *p = s->process;
    s->level = s->builder->picture->kind == PICTURE_REGIONS ? LEVEL_MAPPING : LEVEL_LONG_RUNS;
    for (; s->level < LEVELS; s->level++) {
        p->cell_count = p->hidden_cells = 0;
        walk(s);
        if (p->cell_count <= cell_limit(s) && (s->level != LEVEL_BETWEEN || p->cell_count >= BETWEEN_LEAST))
            break;
    }
    strip_limit(p, cell_limit(s));
    for (size_t i = 0; i < p->cell_count; i++)
        p->cells[i].number = i;
}

/* ---- labelled strips ---- */

/* The cells that a process's strip should have; 0: it is not labelled. */
static uint64_t labelled_cells(const struct fold *f, uint32_t pid) {
    uint64_t cells = 0;
    for (size_t i = 0; i < f->label_count; i++)
        if (f->labels[i].what == EVENT_LABEL_STRIP && f->labels[i].args[0] == pid)
            cells = f->labels[i].args[1];
    return cells;
}

static void strip_labelled(struct strip *s, uint64_t cells) {
    struct picture_process *p = s->process;
    for (uint64_t i = 0; i < min_u64(cells, LABELLED_CELLS); i++) {
        struct picture_cell *cell = BUILDER_ADD(s->builder, p->cells, p->cell_count);
        if (cell)
            cell->number = i;
    }
    p->hidden_cells = cells - min_u64(cells, LABELLED_CELLS);
    for (size_t i = 0; i < s->builder->fold->label_count; i++) {
        const struct fold_label *label = &s->builder->fold->labels[i];
        if (label->what != EVENT_LABEL_VPN || label->args[0] != p->pid || label->args[2] >= p->cell_count)
            continue;
        struct picture_cell *cell = &p->cells[label->args[2]];
        *cell = (struct picture_cell){.first = {label->args[1]}, .pages = 1, .number = label->args[2]};
        if (s->space)
            describe_page(s, cell, fold_mapping(s->space, cell->first));
    }
}

/* ---- all of them ---- */

void builder_strips(struct builder *b) {
    for (size_t i = 0; i < b->picture->process_count; i++) {
        struct picture_process *p = &b->picture->processes[i];
        struct strip strip = {.builder = b, .process = p, .space = fold_space(b->fold, p->space)};
        strip.executable = builder_program(b->fold, p->pid);
        uint64_t cells = labelled_cells(b->fold, p->pid);
        if (cells)
            strip_labelled(&strip, cells);
        else if (strip.space && !p->ended)
            strip_folded(&strip);
    }
}
