/* Physical memory in characters: one cell a frame, or above PICTURE_FRAMES one character a frame. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "view/text-parts.h"

enum {
    FRAME_MINIMUM = 7,
    MAP_LABEL = 10,
    MAP_STEP = 10,
    POOL_NAMED = 12,
    FRAME_NAME = 14
}; /* columns; frames; bytes of " PP4294967295" */

/* ---- tools that all parts use ---- */

struct style part_file_style(const struct picture *p, const struct picture_disk *disk) {
    static const uint8_t colours[PICTURE_COLOURS] = {5, 2, 4, 3, 7, 13, 10, 12};
    switch (disk->source) {
    case SOURCE_FILE:
        if (disk->file < p->file_count)
            return (struct style){colours[p->files[disk->file].colour % PICTURE_COLOURS], false};
        return style_plain;
    case SOURCE_ANONYMOUS: return (struct style){COLOUR_SWAP, false};
    case SOURCE_TABLE:
    case SOURCE_OS: return (struct style){COLOUR_OS, false};
    case SOURCE_NONE: break;
    }
    return style_plain;
}

void part_place_text(const struct picture *p, const struct picture_disk *disk, char text[PART_PLACE]) {
    const unsigned long long page = disk->page;
    if (disk->source == SOURCE_FILE)
        snprintf(text, PART_PLACE, "%c%llu", disk->file < p->file_count ? p->files[disk->file].initial : '?',
                 page);
    else if (disk->source == SOURCE_ANONYMOUS && disk->has_page)
        snprintf(text, PART_PLACE, "~%llu", page);
    else
        snprintf(text, PART_PLACE, "%s", disk->source == SOURCE_ANONYMOUS ? "~" : "");
}

/* ---- one cell a frame ---- */

struct frame_text {
    char text[PART_TEXT];
    struct style style;
};

static bool pool_is_blank(const struct drawing *d) {
    return d->options->blank && blank_pool(d->options->blank);
}

static void frame_content(const struct drawing *d, size_t index, char content[PART_PLACE]) {
    const struct picture_frame *frame = &d->picture->frames[index];
    const unsigned blank = d->options->blank ? blank_frame(d->options->blank, index) : 0;
    content[0] = 0;
    if (blank)
        snprintf(content, PART_PLACE, "(%u)", blank);
    else if (frame->use == EVENT_FRAME_RESERVED)
        snprintf(content, PART_PLACE, "OS");
    else if (frame->use == EVENT_FRAME_TABLE)
        snprintf(content, PART_PLACE, "PT");
    else if (frame->use == EVENT_FRAME_FREE)
        snprintf(content, PART_PLACE, pool_is_blank(d) ? "" : "-");
    else
        part_place_text(d->picture, &frame->disk, content);
}

static void frame_fill(const struct drawing *d, size_t index, bool content, struct frame_text *to) {
    const struct picture_frame *frame = &d->picture->frames[index];
    char what[PART_PLACE] = "", shared[8] = "";
    const bool marks = part_shows_marks(d) && content;
    if (content)
        frame_content(d, index, what);
    if (content && frame->mappers > 1 && part_shows_marks(d))
        snprintf(shared, sizeof shared, "×%u", (unsigned)min_u32(frame->mappers, 999));
    snprintf(to->text, sizeof to->text, "PP%u %.12s%s%s%s", (unsigned)frame->number, what, shared,
             marks && frame->victim ? "!" : "", marks && frame->changed ? "*" : "");
    to->style = content ? part_file_style(d->picture, &frame->disk) : style_plain;
    to->style.bold = marks && (frame->victim || frame->changed);
}

/* The columns of a frame's cell, without its border. */
static size_t frame_width(const struct drawing *d, bool content) {
    size_t width = FRAME_MINIMUM;
    struct frame_text cell;
    for (size_t i = 0; i < d->picture->frame_count; i++) {
        frame_fill(d, i, content, &cell);
        width = max_size(width, strlen(cell.text));
    }
    return width;
}

static size_t frames_per_row(const struct drawing *d, bool content) {
    return max_size((d->canvas.columns - 1) / (frame_width(d, content) + 1), 1);
}

static void draw_frames(struct drawing *d, bool content, size_t rows) {
    const size_t width = frame_width(d, content), per_row = frames_per_row(d, content);
    struct frame_text cell;
    const size_t begin = d->row;
    for (size_t i = 0; i < d->picture->frame_count; i++) {
        const size_t row = begin + i / per_row, column = i % per_row * (width + 1);
        if (rows && row - begin >= rows)
            break;
        frame_fill(d, i, content, &cell);
        canvas_put(&d->canvas, row, column, "│", style_plain);
        canvas_put(&d->canvas, row, column + 1, cell.text, cell.style);
        canvas_put(&d->canvas, row, column + width + 1, "│", style_plain);
        d->row = row + 1;
    }
}

/* ---- one character a frame ---- */

static bool is_heat_map(const struct drawing *d) {
    return d->picture->frame_total > PICTURE_FRAMES;
}

static char frame_letter(const struct drawing *d, const struct picture_frame *frame) {
    const struct picture *p = d->picture;
    switch (frame->use) {
    case EVENT_FRAME_FREE: return '.';
    case EVENT_FRAME_RESERVED: return '#';
    case EVENT_FRAME_TABLE: return '%';
    case EVENT_FRAME_ANONYMOUS:
    case EVENT_FRAME_CACHE:
        if (frame->disk.source != SOURCE_FILE)
            return '~';
        return frame->disk.file < p->file_count ? p->files[frame->disk.file].initial : '?';
    case EVENT_FRAME_KINDS: break;
    }
    return ' ';
}

static size_t map_per_row(const struct drawing *d) {
    const size_t room = d->canvas.columns > MAP_LABEL + MAP_STEP ? d->canvas.columns - MAP_LABEL : MAP_STEP;
    return room / MAP_STEP * MAP_STEP;
}

static size_t map_height(const struct drawing *d) {
    const size_t per_row = map_per_row(d);
    return (d->picture->frame_count + per_row - 1) / per_row;
}

/* The row of the map to begin with when only `rows` have room: the one with the first changed frame. */
static size_t map_first(const struct drawing *d, size_t rows) {
    const size_t height = map_height(d), per_row = map_per_row(d);
    for (size_t i = 0; rows && rows < height && i < d->picture->frame_count; i++)
        if (d->picture->frames[i].changed || d->picture->frames[i].victim)
            return min_size(i / per_row, height - rows);
    return 0;
}

static void draw_map(struct drawing *d, size_t rows) {
    const size_t per_row = map_per_row(d), first = map_first(d, rows), begin = d->row;
    for (size_t i = first * per_row; i < d->picture->frame_count; i++) {
        const struct picture_frame *frame = &d->picture->frames[i];
        const size_t row = i / per_row - first;
        if (rows && row >= rows)
            break;
        if (i % per_row == 0) {
            char label[24];
            snprintf(label, sizeof label, "PP%u", (unsigned)frame->number);
            canvas_put(&d->canvas, begin + row, 0, label, style_plain);
        }
        struct style style = part_file_style(d->picture, &frame->disk);
        style.bold = frame->changed || frame->victim;
        const char letter[2] = {style.bold && part_shows_marks(d) ? '*' : frame_letter(d, frame), 0};
        canvas_put(&d->canvas, begin + row, MAP_LABEL + i % per_row, letter, style);
        d->row = begin + row + 1;
    }
}

/* ---- whose they are ---- */

struct owner {
    uint32_t pid;
    size_t frames, dirty;
    uint64_t oldest; /* sequence */
};

/* "PID 7: 30 frames, 12 dirty, oldest from event 120": what a character a frame cannot say. */
static void draw_owners(struct drawing *d) {
    struct owner owners[PICTURE_PROCESSES] = {0};
    size_t count = 0;
    for (size_t i = 0; i < d->picture->frame_count; i++) {
        const struct picture_frame *frame = &d->picture->frames[i];
        size_t at = 0;
        while (at < count && owners[at].pid != frame->owner)
            at++;
        if (!frame->owner || at == PICTURE_PROCESSES)
            continue;
        if (at == count)
            owners[count++] = (struct owner){.pid = frame->owner, .oldest = frame->since};
        owners[at].frames++;
        owners[at].dirty += frame->dirty;
        owners[at].oldest = min_u64(owners[at].oldest, frame->since);
    }
    for (size_t i = 0; i < count; i++) {
        char line[120];
        snprintf(line, sizeof line, "PID %u: %zu frames, %zu of them dirty, the oldest from event %llu",
                 (unsigned)owners[i].pid, owners[i].frames, owners[i].dirty,
                 (unsigned long long)owners[i].oldest);
        canvas_put(&d->canvas, d->row++, 0, line, style_plain);
    }
}

static void draw_map_legend(struct drawing *d) {
    char line[160];
    size_t column = canvas_put(&d->canvas, d->row, 0,
                               ". free  # OS  % page table  ~ page of no file  * changed", style_plain);
    if (d->picture->frames_per_cell > 1) {
        snprintf(line, sizeof line, "  (%zu frames a character)", d->picture->frames_per_cell);
        canvas_put(&d->canvas, d->row, column, line, style_plain);
    }
    d->row++;
}

/* ---- the line above ---- */

/* The numbers of the free frames, if there are few enough to be told. */
static bool name_pool(const struct drawing *d, size_t room, char *names, size_t size) {
    const struct picture *p = d->picture;
    size_t length = 0;
    names[0] = 0;
    if (p->free_count > POOL_NAMED || p->frames_per_cell != 1)
        return false;
    for (size_t i = 0; i < p->frame_count; i++) {
        if (p->frames[i].use != EVENT_FRAME_FREE)
            continue;
        if (length + FRAME_NAME > size)
            return false;
        length += (size_t)snprintf(names + length, size - length, length ? " PP%u" : "PP%u",
                                   (unsigned)p->frames[i].number);
    }
    return length <= room;
}

static size_t put_pool(struct drawing *d, size_t column) {
    char names[(POOL_NAMED + 1) * FRAME_NAME];
    const size_t room = d->canvas.columns > column ? d->canvas.columns - column : 0;
    if (pool_is_blank(d))
        snprintf(names, sizeof names, "________ (%u)", blank_pool(d->options->blank));
    else if (!d->picture->free_count)
        snprintf(names, sizeof names, "empty");
    else if (!name_pool(d, room, names, sizeof names))
        snprintf(names, sizeof names, "%llu frames", (unsigned long long)d->picture->free_count);
    return canvas_put(&d->canvas, d->row, column, names, style_plain);
}

static void draw_memory_line(struct drawing *d, bool content) {
    const struct picture *p = d->picture;
    char line[120];
    snprintf(line, sizeof line, "Memory: %llu frames", (unsigned long long)p->frame_total);
    size_t column = canvas_put(&d->canvas, d->row, 0, line, style_bold);
    if (!content) {
        d->row++;
        return;
    }
    snprintf(line, sizeof line, " · %llu reserved", (unsigned long long)p->reserved_count);
    column = canvas_put(&d->canvas, d->row, column, line, style_plain);
    if (p->table_count) {
        snprintf(line, sizeof line, " · %llu page tables", (unsigned long long)p->table_count);
        column = canvas_put(&d->canvas, d->row, column, line, style_plain);
    }
    column = canvas_put(&d->canvas, d->row, column, " · free pool: ", style_plain);
    column = put_pool(d, column);
    d->row++;
    if (d->options->blank && blank_victim(d->options->blank)) {
        snprintf(line, sizeof line, " · victim: PP____ (%u)", blank_victim(d->options->blank));
        canvas_put(&d->canvas, d->row - 1, column, line, style_plain);
    }
}

size_t part_frames_height(const struct drawing *d, bool content) {
    if (is_heat_map(d))
        return 1 + map_height(d);
    const size_t per_row = frames_per_row(d, content);
    return 1 + (d->picture->frame_count + per_row - 1) / per_row;
}

void part_frames(struct drawing *d, bool content, size_t rows) {
    draw_memory_line(d, content);
    if (rows == 1)
        return;
    if (!is_heat_map(d)) {
        draw_frames(d, content, rows ? rows - 1 : 0);
        return;
    }
    draw_map(d, rows ? rows - 1 : 0);
    if (!rows) {
        draw_map_legend(d);
        draw_owners(d);
    }
}
