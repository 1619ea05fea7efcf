/* Files and swap in characters: rows of numbered pages. [6] is in memory; 6# of the swap area holds data. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "view/plain.h"
#include "view/text-parts.h"

enum { NAME = 20, FILE_MARGIN = 6 }; /* columns: for the name of a file, for what stands around it */

static bool page_is_in_memory(const struct picture *p, size_t file, uint64_t page) {
    for (size_t i = 0; i < p->frame_count; i++) {
        const struct picture_frame *frame = &p->frames[i];
        if (frame->use == EVENT_FRAME_CACHE && frame->disk.source == SOURCE_FILE &&
            frame->disk.file == file && frame->disk.page == page)
            return true;
    }
    return false;
}

/* Whether the content of frames is asked for: then rows of pages must not tell. */
static bool frames_are_blank(const struct drawing *d) {
    for (size_t i = 0; d->options->blank && i < d->picture->frame_count; i++)
        if (blank_frame(d->options->blank, i))
            return true;
    return false;
}

static size_t put_name(struct drawing *d, const struct picture_file *file, struct style style) {
    struct text name = {0};
    const char *last = strrchr(file->name, '/');
    const bool whole = !last || !last[1] || plain_columns(file->name, strlen(file->name)) <= NAME - 3;
    const char *shown = whole ? file->name : last + 1;
    text_bytes(&name, &file->initial, 1);
    text_put(&name, " ");
    plain_put(&name, shown, strlen(shown), NAME - 3);
    text_bytes(&name, "", 1);
    size_t column = 0;
    if (!name.failed)
        column = canvas_put(&d->canvas, d->row, 0, name.bytes, style);
    d->failed |= name.failed;
    text_free(&name);
    return max_size(column + 1, NAME);
}

static void draw_file(struct drawing *d, size_t index) {
    const struct picture_file *file = &d->picture->files[index];
    const struct picture_disk place = {.source = SOURCE_FILE, .file = (uint32_t)index};
    const struct style style = part_file_style(d->picture, &place);
    const bool tell = !frames_are_blank(d);
    size_t column = put_name(d, file, style);
    if (file->first)
        column = canvas_put(&d->canvas, d->row, column, "…", style_plain);
    for (uint64_t page = file->first; page < file->first + file->shown; page++) {
        char text[32];
        const bool here = tell && page_is_in_memory(d->picture, index, page);
        snprintf(text, sizeof text, here ? "[%llu]" : " %llu ", (unsigned long long)page);
        column = canvas_put(&d->canvas, d->row, column, text, here ? style : style_plain);
    }
    if (file->first + file->shown < file->pages) {
        char text[48];
        snprintf(text, sizeof text, "… of %llu", (unsigned long long)file->pages);
        canvas_put(&d->canvas, d->row, column, text, style_plain);
    }
    d->row++;
}

/* All files in one row: "Files: m mypgm, b bash". */
static void draw_file_names(struct drawing *d) {
    size_t column = canvas_put(&d->canvas, d->row, 0, "Files: ", style_plain);
    for (size_t i = 0; i < d->picture->file_count; i++) {
        const struct picture_file *file = &d->picture->files[i];
        const struct picture_disk place = {.source = SOURCE_FILE, .file = (uint32_t)i};
        const char initial[3] = {file->initial, ' ', 0};
        const char *last = strrchr(file->name, '/');
        const char *name = last && last[1] ? last + 1 : file->name;
        const struct style style = part_file_style(d->picture, &place);
        if (column + plain_columns(name, strlen(name)) + FILE_MARGIN > d->canvas.columns) {
            canvas_put(&d->canvas, d->row, column, " …", style_plain);
            break;
        }
        column = canvas_put(&d->canvas, d->row, column, i ? ", " : "", style_plain);
        column = canvas_put(&d->canvas, d->row, column, initial, style);
        column = canvas_put(&d->canvas, d->row, column, name, style);
    }
    d->row++;
}

/* ---- swap ---- */

static void slot_text(const struct drawing *d, size_t index, char text[PART_TEXT]) {
    const struct picture_slot *slot = &d->picture->slots[index];
    const unsigned long long number = d->picture->first_slot + index;
    const unsigned blank = d->options->blank ? blank_slot(d->options->blank, index) : 0;
    if (blank)
        snprintf(text, PART_TEXT, "%llu(%u)", number, blank);
    else
        snprintf(text, PART_TEXT, "%llu%s%s", number,
                 slot->written ? "#"
                 : slot->used  ? "+"
                               : "",
                 slot->changed && part_shows_marks(d) ? "*" : "");
}

static bool slot_is_worth_a_word(const struct drawing *d, size_t index) {
    const struct picture_slot *slot = &d->picture->slots[index];
    return slot->used || slot->written || slot->changed ||
           (d->options->blank && blank_slot(d->options->blank, index));
}

/* `all`: every slot of the window, in as many rows as that takes; else one row with those in use. */
static void draw_swap(struct drawing *d, bool all) {
    char text[PART_TEXT], title[48];
    snprintf(title, sizeof title, "~ swap, %llu pages", (unsigned long long)d->picture->swap_pages);
    const struct style violet = {COLOUR_SWAP, false};
    size_t column = max_size(canvas_put(&d->canvas, d->row, 0, title, violet) + 1, NAME);
    for (size_t i = 0; i < d->picture->slot_count; i++) {
        if (!all && !slot_is_worth_a_word(d, i))
            continue;
        slot_text(d, i, text);
        if (column + strlen(text) + 1 > d->canvas.columns) {
            if (!all) {
                canvas_put(&d->canvas, d->row, d->canvas.columns - 1, "…", style_plain);
                break;
            }
            d->row++;
            column = NAME;
        }
        canvas_put(&d->canvas, d->row, column, text, d->picture->slots[i].used ? violet : style_plain);
        column += max_size(strlen(text), 3) + 1;
    }
    d->row++;
}

void part_disk(struct drawing *d, size_t rows) {
    const size_t files = d->picture->file_count, begin = d->row;
    const size_t swap = d->picture->swap_pages ? 1 : 0;
    if (rows && rows < files + swap) {
        if (files && rows > swap)
            draw_file_names(d);
        for (size_t i = 0; i < files && d->row - begin + swap < rows; i++)
            draw_file(d, i);
    } else {
        for (size_t i = 0; i < files; i++)
            draw_file(d, i);
    }
    if (d->picture->hidden_files && !rows) {
        char more[48];
        snprintf(more, sizeof more, "… and %zu more files", d->picture->hidden_files);
        canvas_put(&d->canvas, d->row++, 0, more, style_plain);
    }
    if (swap)
        draw_swap(d, !rows);
}
