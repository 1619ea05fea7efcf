/* Strips of virtual pages and the page tables below them, in characters:
 *
 *   with borders                          in a pane, four rows a process
 *
 *   PID 21: mypgm     ◄── CPU: register    PID 21     │VPN0│VPN1│VPN2│VPN3 …
 *   ┌────┬────┬────┬────┐                  mypgm      │░░░░│m1  │░░░░│m5
 *   │VPN0│VPN1│VPN2│VPN3│                  page table │--- │r-x │--- │r--
 *   │░░░░│m1  │░░░░│m5  │                  ◄── CPU    │    │↓PP4│    │↓PP6
 *   ├────┼────┼────┼────┤
 *   │--- │r-x │--- │r-- │                  ↓ solid arrow, to a frame; ⇣ dashed, to a disk page
 *   └────┴────┴────┴────┘                  (m6) mapped, but never touched
 *         ↓PP4      ↓PP6
 *
 * A strip that is wider than the sheet is drawn in several pieces below each other. Where rows are short, the
 * pieces with a changed page come first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "view/plain.h"
#include "view/text-parts.h"

enum { LABEL = 12, CELL_MINIMUM = 4, PIECES_MOST = 64 }; /* columns; pieces of a strip in a pane */

struct cell_text {
    char text[STRIP_ROWS][PART_TEXT];
    struct style style[STRIP_ROWS];
    bool hatched, marked;
    size_t width; /* columns */
};

struct strip {
    const struct picture_process *process;
    size_t index; /* of the process */
    struct cell_text *cells;
    size_t count, pieces;
    size_t width; /* room for cells, in columns */
};

/* ---- one cell ---- */

static void cell_number(const struct drawing *d, const struct picture_cell *cell, char *text) {
    const char *more = cell->pages > 1 ? "…" : "";
    if (d->picture->real_numbers && cell->pages)
        snprintf(text, PART_TEXT, "0x%llx%s", (unsigned long long)cell->first.n, more);
    else
        snprintf(text, PART_TEXT, "VPN%llu%s", (unsigned long long)cell->number, more);
}

static void cell_page(const struct drawing *d, const struct picture_cell *cell, char *text) {
    char place[PART_PLACE];
    if (!cell->mapped)
        return;
    if (cell->pages > 1) {
        snprintf(text, PART_TEXT, "%llu pages", (unsigned long long)cell->pages);
        return;
    }
    part_place_text(d->picture, &cell->disk, place);
    snprintf(text, PART_TEXT, cell->touched ? "%s" : "(%s)", place);
}

static void cell_access(const struct drawing *d, const struct picture_cell *cell, char *text) {
    char access[4];
    picture_access_text(cell->shows_access ? cell->access : 0, access);
    if (cell->pages > 1 && cell->present)
        snprintf(text, PART_TEXT, "%llu in", (unsigned long long)cell->present);
    else
        snprintf(text, PART_TEXT, "%s%s%s%s", access, cell->copy_on_write ? "c" : "",
                 cell->faulting && part_shows_marks(d) ? "!" : "",
                 cell->changed && part_shows_marks(d) ? "*" : "");
}

static void cell_target(const struct drawing *d, const struct picture_cell *cell, char *text) {
    char place[PART_PLACE];
    if (cell->pages > 1) {
        if (cell->swapped)
            snprintf(text, PART_TEXT, "%llu out", (unsigned long long)cell->swapped);
    } else if (pte_is_present(cell->entry)) {
        snprintf(text, PART_TEXT, "↓PP%u", (unsigned)pte_pfn(cell->entry).n);
    } else if (cell->points_at_disk) {
        part_place_text(d->picture, &cell->disk, place);
        snprintf(text, PART_TEXT, "⇣%s", place);
    }
}

/* Whether the entry points at the page that is being evicted. */
static bool cell_is_victim(const struct picture *p, const struct picture_cell *cell) {
    if (cell->pages != 1 || !pte_is_present(cell->entry) || !p->frames_per_cell)
        return false;
    const size_t index = pte_pfn(cell->entry).n / p->frames_per_cell;
    return index < p->frame_count && p->frames[index].victim;
}

static void cell_fill(const struct drawing *d, size_t process, size_t index, struct cell_text *to) {
    const struct picture_cell *cell = &d->picture->processes[process].cells[index];
    const unsigned blank = d->options->blank ? blank_entry(d->options->blank, process, index) : 0;
    const struct style content = cell->touched ? part_file_style(d->picture, &cell->disk) : style_plain;
    *to = (struct cell_text){.hatched = !cell->mapped};
    to->marked = cell->changed || cell->faulting || cell_is_victim(d->picture, cell);
    cell_number(d, cell, to->text[STRIP_VPN]);
    cell_page(d, cell, to->text[STRIP_PAGE]);
    to->style[STRIP_PAGE] = content;
    to->style[STRIP_TARGET] = content;
    to->style[STRIP_ACCESS].bold = to->marked && part_shows_marks(d);
    if (blank) {
        snprintf(to->text[STRIP_ACCESS], PART_TEXT, "___");
        snprintf(to->text[STRIP_TARGET], PART_TEXT, "(%u)", blank);
    } else {
        cell_access(d, cell, to->text[STRIP_ACCESS]);
        cell_target(d, cell, to->text[STRIP_TARGET]);
    }
    to->width = CELL_MINIMUM;
    for (int row = 0; row < STRIP_ROWS; row++)
        to->width = max_size(to->width, plain_columns(to->text[row], strlen(to->text[row])));
}

/* ---- pieces of a strip ---- */

/* The cell behind the piece that begins at `from`: at least one cell, however wide. */
static size_t piece_end(const struct strip *s, size_t from) {
    size_t used = 0, to = from;
    while (to < s->count && (to == from || used + s->cells[to].width + 1 <= s->width))
        used += s->cells[to++].width + 1;
    return to;
}

static size_t piece_count(const struct strip *s) {
    size_t pieces = 0;
    for (size_t from = 0; from < s->count; from = piece_end(s, from))
        pieces++;
    return max_size(pieces, 1);
}

static bool piece_is_marked(const struct strip *s, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        if (s->cells[i].marked)
            return true;
    return false;
}

/* Which pieces to show when only `room` of them can be, a bit each: those with a mark, then those from the
 * first mark on, then the first ones. */
static uint64_t pieces_choose(const struct strip *s, size_t room) {
    const size_t pieces = min_size(s->pieces, PIECES_MOST);
    uint64_t marked = 0, chosen = 0;
    size_t from = 0, first = 0;
    for (size_t piece = 0, to; piece < pieces; piece++, from = to) {
        to = piece_end(s, from);
        marked |= (uint64_t)piece_is_marked(s, from, to) << piece;
    }
    if (marked)
        first = (size_t)__builtin_ctzll(marked);
    for (size_t piece = 0; piece < pieces && room; piece++) {
        room -= marked >> piece & 1;
        chosen |= marked & 1ULL << piece;
    }
    for (size_t i = 0; i < pieces && room; i++) {
        const uint64_t bit = 1ULL << (first + i) % pieces;
        room -= !(chosen & bit);
        chosen |= bit;
    }
    return chosen;
}

static bool strip_make(struct drawing *d, size_t index, struct strip *s) {
    const struct picture_process *process = &d->picture->processes[index];
    const size_t label = d->boxed ? 1 : LABEL;
    *s = (struct strip){.process = process, .index = index, .count = process->cell_count};
    s->width = d->canvas.columns > label + 1 ? d->canvas.columns - label - 1 : 1;
    s->cells = calloc(s->count + 1, sizeof *s->cells);
    if (!s->cells)
        return false;
    for (size_t i = 0; i < s->count; i++)
        cell_fill(d, index, i, &s->cells[i]);
    s->pieces = piece_count(s);
    return true;
}

/* ---- drawing ---- */

static void draw_border(struct drawing *d, const struct strip *s, size_t from, size_t to,
                        const char *corners[3]) {
    size_t column = canvas_put(&d->canvas, d->row, 0, corners[0], style_plain);
    for (size_t i = from; i < to; i++) {
        column = canvas_repeat(&d->canvas, d->row, column, "─", s->cells[i].width, style_plain);
        column = canvas_put(&d->canvas, d->row, column, corners[i + 1 < to ? 1 : 2], style_plain);
    }
    d->row++;
}

static void draw_cells(struct drawing *d, const struct strip *s, size_t from, size_t to, enum strip_row row,
                       size_t column, bool separated) {
    for (size_t i = from; i < to; i++) {
        const struct cell_text *cell = &s->cells[i];
        canvas_put(&d->canvas, d->row, column, separated ? "│" : " ", style_plain);
        column++;
        if (row == STRIP_PAGE && cell->hatched)
            canvas_repeat(&d->canvas, d->row, column, "░", cell->width, (struct style){COLOUR_HATCH, false});
        else
            canvas_put(&d->canvas, d->row, column, cell->text[row], cell->style[row]);
        column += cell->width;
    }
    if (separated)
        canvas_put(&d->canvas, d->row, column, to == s->count ? "│" : "…", style_plain);
    d->row++;
}

/* Pictures without page tables have no CPU either. */
static bool shows_register(const struct drawing *d, const struct strip *s) {
    const enum picture_kind kind = d->picture->kind;
    return s->process->current && kind != PICTURE_SHARING && kind != PICTURE_SPACES &&
           !(d->options->blank && blank_register(d->options->blank));
}

static void draw_header(struct drawing *d, const struct strip *s) {
    char pid[24];
    snprintf(pid, sizeof pid, "PID %u: ", (unsigned)s->process->pid);
    size_t column = canvas_put(&d->canvas, d->row, 0, pid, style_bold);
    column = canvas_put(&d->canvas, d->row, column, s->process->name, style_plain);
    if (shows_register(d, s))
        canvas_put(&d->canvas, d->row, column, "  ◄── page-table register of the CPU", style_bold);
    if (s->process->hidden_cells) {
        char more[48];
        snprintf(more, sizeof more, "  (%zu more pages)", s->process->hidden_cells);
        canvas_put(&d->canvas, d->row, column, more, style_plain);
    }
    d->row++;
}

static void draw_boxed_piece(struct drawing *d, const struct strip *s, unsigned rows, size_t from,
                             size_t to) {
    draw_border(d, s, from, to, (const char *[]){"┌", "┬", "┐"});
    draw_cells(d, s, from, to, STRIP_VPN, 0, true);
    draw_cells(d, s, from, to, STRIP_PAGE, 0, true);
    if (rows & 1 << STRIP_ACCESS) {
        draw_border(d, s, from, to, (const char *[]){"├", "┼", "┤"});
        draw_cells(d, s, from, to, STRIP_ACCESS, 0, true);
    }
    draw_border(d, s, from, to, (const char *[]){"└", "┴", "┘"});
    if (rows & 1 << STRIP_TARGET)
        draw_cells(d, s, from, to, STRIP_TARGET, 0, false);
}

/* A name that is too long for the label is shown by its last part. */
static void draw_label(struct drawing *d, const struct strip *s, enum strip_row row) {
    char pid[24];
    const char *last = strrchr(s->process->name, '/');
    struct text name = {0};
    switch (row) {
    case STRIP_VPN:
        snprintf(pid, sizeof pid, "PID %u", (unsigned)s->process->pid);
        canvas_put(&d->canvas, d->row, 0, pid, style_bold);
        return;
    case STRIP_PAGE:
        last = last && last[1] && strlen(s->process->name) >= LABEL ? last + 1 : s->process->name;
        plain_put(&name, last, strlen(last), LABEL - 1);
        text_bytes(&name, "", 1);
        if (!name.failed)
            canvas_put(&d->canvas, d->row, 0, name.bytes, style_plain);
        text_free(&name);
        return;
    case STRIP_ACCESS: canvas_put(&d->canvas, d->row, 0, "page table", style_plain); return;
    case STRIP_TARGET:
        if (shows_register(d, s))
            canvas_put(&d->canvas, d->row, 0, "◄── CPU", style_bold);
        return;
    case STRIP_ROWS: return;
    }
}

static void draw_pane_piece(struct drawing *d, const struct strip *s, unsigned rows, size_t from, size_t to) {
    for (enum strip_row row = 0; row < STRIP_ROWS; row++) {
        if (!(rows & 1u << row))
            continue;
        draw_label(d, s, row);
        draw_cells(d, s, from, to, row, LABEL - 1, true);
    }
}

static void draw_strip(struct drawing *d, const struct strip *s, unsigned rows) {
    size_t from = 0;
    draw_header(d, s);
    for (size_t piece = 0; piece < s->pieces; piece++) {
        const size_t to = piece_end(s, from);
        draw_boxed_piece(d, s, rows, from, to);
        from = to;
    }
}

static void draw_pane_strip(struct drawing *d, const struct strip *s, unsigned rows, size_t room) {
    const uint64_t chosen = pieces_choose(s, room);
    size_t from = 0;
    for (size_t piece = 0; piece < s->pieces && piece < PIECES_MOST; piece++) {
        const size_t to = piece_end(s, from);
        if (chosen >> piece & 1)
            draw_pane_piece(d, s, rows, from, to);
        from = to;
    }
}

/* ---- all of them ---- */

static size_t strip_height(unsigned rows) {
    return (size_t)__builtin_popcount(rows);
}

/* How many pieces each process gets of `room`: one each as long as there is room, the current process first,
 * then more for those that have more. */
static void share_room(const struct drawing *d, const struct strip *strips, size_t count, size_t room,
                       size_t *ret_pieces) {
    const size_t current = d->picture->has_register ? d->picture->register_process : 0;
    for (size_t i = 0; i < count && room; i++) {
        const size_t process = (current + i) % count;
        ret_pieces[process] = 1;
        room--;
    }
    for (size_t given = 1; given && room;) {
        given = 0;
        for (size_t i = 0; i < count && room; i++) {
            if (!ret_pieces[i] || ret_pieces[i] >= strips[i].pieces)
                continue;
            ret_pieces[i]++;
            room--;
            given++;
        }
    }
}

static void draw_strips(struct drawing *d, const struct strip *strips, size_t count, unsigned strip_rows,
                        size_t rows) {
    size_t pieces[PICTURE_PROCESSES] = {0};
    if (rows)
        share_room(d, strips, count, rows / strip_height(strip_rows), pieces);
    for (size_t i = 0; i < count; i++) {
        if (!rows)
            draw_strip(d, &strips[i], strip_rows);
        else if (pieces[i])
            draw_pane_strip(d, &strips[i], strip_rows, pieces[i]);
    }
}

/* The register is asked for: it stands above the tables, as no table may show it. */
static void draw_blank_register(struct drawing *d) {
    char line[96];
    const unsigned blank = d->options->blank ? blank_register(d->options->blank) : 0;
    if (!blank || !d->boxed)
        return;
    snprintf(line, sizeof line, "CPU: the page-table register points at the table of PID ____ (%u)", blank);
    canvas_put(&d->canvas, d->row++, 0, line, style_bold);
}

void part_processes(struct drawing *d, unsigned strip_rows, size_t rows) {
    struct strip strips[PICTURE_PROCESSES] = {0};
    const size_t count = min_size(d->picture->process_count, PICTURE_PROCESSES);
    bool whole = true;
    draw_blank_register(d);
    for (size_t i = 0; i < count && whole; i++)
        whole = strip_make(d, i, &strips[i]);
    if (whole && count)
        draw_strips(d, strips, count, strip_rows, rows);
    d->failed |= !whole;
    for (size_t i = 0; i < count; i++)
        free(strips[i].cells);
    if (d->picture->hidden_processes && d->boxed) {
        char more[64];
        snprintf(more, sizeof more, "… and %zu more processes", d->picture->hidden_processes);
        canvas_put(&d->canvas, d->row++, 0, more, style_plain);
    }
}
