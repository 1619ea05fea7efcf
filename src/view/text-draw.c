/* A picture in characters: which parts it has and how much room each gets. The parts are in text-process.c,
 * text-memory.c and text-disk.c.
 *
 * Without a limit of rows the picture has borders, its sentence above and a legend below. In a pane, which
 * has its sentence elsewhere, the parts share the rows: the frames and one row each for files and swap first,
 * then the page tables, and the rest is for the files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "view/plain.h"
#include "view/text-parts.h"

enum { COLUMNS = 100, COLUMNS_LEAST = 20, BOX = 3 /* rows */, FRAMES_LEAST = 2 };

static void put_line(struct drawing *d, const char *line, struct style style) {
    canvas_put(&d->canvas, d->row++, 0, line, style);
}

/* A box with a text in it; the column behind it. The text is cut at the box's end. */
static size_t draw_box(struct drawing *d, size_t column, size_t width, const char *text) {
    struct canvas *c = &d->canvas;
    for (size_t row = 0; row < BOX; row++) {
        const char *left = row == 0   ? "┌"
                           : row == 1 ? "│"
                                      : "└",
                   *right = row == 0   ? "┐"
                            : row == 1 ? "│"
                                       : "┘";
        size_t at = canvas_put(c, d->row + row, column, left, style_plain);
        if (row == 1)
            canvas_put(c, d->row + row, at + 1, text, style_plain);
        else
            canvas_repeat(c, d->row + row, at, "─", width - 2, style_plain);
        canvas_put(c, d->row + row, column + width - 1, right, style_plain);
    }
    return column + width;
}

static size_t box_width(const char *text) {
    return strlen(text) + 4;
}

/* Boxes side by side, joined by a bus. */
static void draw_boxes(struct drawing *d, const char *const *texts, size_t count) {
    size_t column = 0;
    for (size_t i = 0; i < count; i++) {
        if (i)
            column = canvas_put(&d->canvas, d->row + 1, column, "──", style_plain);
        column = draw_box(d, column, box_width(texts[i]), texts[i]);
    }
    d->row += BOX;
}

static void draw_computer(struct drawing *d) {
    char memory[64];
    snprintf(memory, sizeof memory, "Main memory, %llu KiB",
             (unsigned long long)d->picture->frame_total * (PAGE_SIZE / 1024));
    draw_boxes(d, (const char *const[]){"CPU", memory, "I/O devices", "Disk"}, 4);
}

static void draw_memory(struct drawing *d) {
    char memory[80];
    snprintf(memory, sizeof memory, "Physical memory: %llu KiB",
             (unsigned long long)d->picture->frame_total * (PAGE_SIZE / 1024));
    draw_boxes(d, (const char *const[]){memory}, 1);
}

/* "PID 7: /bin/bash", and what the kernel keeps of it. */
static void draw_contexts(struct drawing *d, const char *what) {
    for (size_t i = 0; i < d->picture->process_count; i++) {
        const struct picture_process *p = &d->picture->processes[i];
        char pid[24];
        snprintf(pid, sizeof pid, "PID %u: ", (unsigned)p->pid);
        size_t column = canvas_put(&d->canvas, d->row, 0, pid, style_bold);
        column = canvas_put(&d->canvas, d->row, column, p->name, style_plain);
        canvas_put(&d->canvas, d->row++, column, what, style_plain);
    }
}

static void draw_system(struct drawing *d) {
    put_line(d, "Programs", style_bold);
    draw_contexts(d, "");
    put_line(d, "The kernel, with a context of each", style_bold);
    draw_contexts(d, ": CPU registers, memory");
    put_line(d, "The computer", style_bold);
    draw_computer(d);
    part_disk(d, 0);
}

/* ---- sharing a pane ---- */

static void draw_pane(struct drawing *d, unsigned strip_rows) {
    const struct picture *p = d->picture;
    const size_t rows = d->options->rows, process = (size_t)__builtin_popcount(strip_rows);
    const bool sharing = p->kind == PICTURE_SHARING; /* without the disk */
    const size_t disk = sharing ? 0 : (p->file_count != 0) + (p->swap_pages != 0);
    const size_t tables = p->process_count ? process : 0;
    size_t frames = rows > tables + disk ? rows - tables - disk : 0;
    frames = min_size(part_frames_height(d, true), max_size(frames, FRAMES_LEAST));
    if (rows > frames + disk)
        part_processes(d, strip_rows, rows - frames - disk);
    part_frames(d, true, frames);
    if (rows > d->row && !sharing)
        part_disk(d, rows - d->row);
}

static void draw_all(struct drawing *d, unsigned strip_rows) {
    if (d->options->rows) {
        draw_pane(d, strip_rows);
        return;
    }
    part_processes(d, strip_rows, 0);
    d->row++;
    part_frames(d, true, 0);
    if (d->picture->kind == PICTURE_SHARING)
        return;
    d->row++;
    part_disk(d, 0);
}

/* ---- kinds ---- */

static void draw_kind(struct drawing *d) {
    const size_t rows = d->options->rows;
    switch (d->picture->kind) {
    case PICTURE_AUTO:
    case PICTURE_TABLES:
    case PICTURE_REGIONS: draw_all(d, STRIP_TABLE); return;
    case PICTURE_SHARING: draw_all(d, STRIP_SHARING); return;
    case PICTURE_TABLE: part_processes(d, STRIP_TABLE, rows); return;
    case PICTURE_SPACES:
        part_processes(d, STRIP_SPACE, rows);
        part_disk(d, 2);
        return;
    case PICTURE_CONTEXTS:
        draw_contexts(d, ": a context with CPU registers, page table, executable");
        part_processes(d, STRIP_TABLE, rows > d->row ? rows - d->row : 0);
        return;
    case PICTURE_COMPUTER: draw_computer(d); return;
    case PICTURE_MEMORY: draw_memory(d); return;
    case PICTURE_FRAMES_ONLY: part_frames(d, false, rows); return;
    case PICTURE_POOL: part_frames(d, true, rows); return;
    case PICTURE_SYSTEM: draw_system(d); return;
    case PICTURE_KINDS: break;
    }
}

static bool kind_has_entries(enum picture_kind kind) {
    return kind == PICTURE_TABLES || kind == PICTURE_REGIONS || kind == PICTURE_TABLE ||
           kind == PICTURE_CONTEXTS || kind == PICTURE_SHARING;
}

static void draw_legend(struct drawing *d) {
    if (!kind_has_entries(d->picture->kind))
        return;
    d->row++;
    put_line(d, "↓ to a frame  ⇣ to the disk  ░ not mapped  (m6) never touched  c copy-on-write",
             style_plain);
    if (d->options->blank)
        put_line(d, "Fill in what is numbered: ___ (1)", style_plain);
    else
        put_line(d, "! faulting, victim  * changed  [6] in memory  6# holds data  6+ set aside", style_plain);
}

/* Writes a text below each other, broken between words; a word that is longer than a
 * row goes on in the next. */
static void put_paragraph(struct drawing *d, const char *text, struct style style) {
    struct canvas *c = &d->canvas;
    size_t column = 0;
    for (const char *word = text + strspn(text, " \n"); *word;) {
        const size_t length = strcspn(word, " \n"), width = plain_columns(word, length);
        if (column && column + 1 + width > c->columns) {
            d->row++;
            column = 0;
        } else if (column) {
            column++;
        }
        for (size_t i = 0, size; i < length; i += size) {
            char character[CANVAS_GLYPH] = "";
            uint32_t code;
            size = plain_decode(word + i, length - i, &code);
            memcpy(character, word + i, size);
            if (column + plain_width(code) > c->columns) {
                d->row++;
                column = 0;
            }
            column = canvas_put(c, d->row, column, character, style);
        }
        word += length;
        word += strspn(word, " \n");
    }
    d->row++;
}

/* The sentence above the picture tells what happened; in an exercise that would give answers away. */
static void draw_sentence(struct drawing *d) {
    if (d->options->blank || !*d->picture->narration)
        return;
    put_paragraph(d, d->picture->narration, style_bold);
    d->row++;
}

void draw_text(const struct picture *picture, const struct draw_options *options, struct text *t) {
    struct drawing d = {.picture = picture, .options = options, .boxed = options->rows == 0};
    d.canvas.columns = max_size(options->columns ? options->columns : COLUMNS, COLUMNS_LEAST);
    d.canvas.limit = options->rows;
    d.canvas.ascii = options->ascii;
    if (d.boxed)
        draw_sentence(&d);
    draw_kind(&d);
    if (d.boxed)
        draw_legend(&d);
    canvas_print(&d.canvas, options->colour, t);
    t->failed |= d.failed;
    canvas_free(&d.canvas);
}
