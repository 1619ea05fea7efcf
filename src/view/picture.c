/* The picture as a whole: see picture.h; picture-build.h says how it is put together.
 *
 * Nothing here decides where anything is drawn. The picture owns copies of all it needs, so that the fold may
 * go on or away. */
#include "view/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "view/narrate.h"
#include "view/picture-build.h"
#include "view/plain.h"

struct picture_text {
    struct picture_text *next;
    char *bytes; /* ends in a NUL */
};

void *builder_add(struct builder *b, void **array, size_t *count, size_t element) {
    /* Powers of two: as many as there are elements means that there is no room left. */
    if ((*count & (*count - 1)) == 0) {
        void *grown = reallocarray(*array, *count ? *count * 2 : 1, element);
        if (!grown) {
            b->failed = true;
            return NULL;
        }
        *array = grown;
    }
    return memset((char *)*array + (*count)++ * element, 0, element);
}

/* ---- strings ---- */

const char *builder_keep(struct builder *b, struct text *text) {
    struct picture_text *kept = calloc(1, sizeof *kept);
    text_bytes(text, "", 1);
    if (!kept || text->failed) {
        b->failed = true;
        free(kept);
        text_free(text);
        return "";
    }
    *kept = (struct picture_text){b->picture->texts, text->bytes};
    b->picture->texts = kept;
    return kept->bytes;
}

bool builder_same_string(const struct builder *b, uint64_t a, uint64_t c) {
    const struct trace_text *first = fold_string(b->fold, a), *second = fold_string(b->fold, c);
    return first && second && first->length == second->length &&
           memcmp(first->bytes, second->bytes, first->length) == 0;
}

/* What the labels say for a path; the path itself when there is no label. */
static uint64_t labelled_name(const struct builder *b, uint64_t path) {
    for (size_t i = 0; i < b->fold->label_count; i++) {
        const struct fold_label *label = &b->fold->labels[i];
        if (label->what == EVENT_LABEL_FILE && builder_same_string(b, label->args[0], path))
            return label->args[1];
    }
    return path;
}

const char *builder_name(struct builder *b, uint64_t path) {
    const struct trace_text *name = fold_string(b->fold, labelled_name(b, path));
    if (!name)
        return "";
    struct text text = {0};
    plain_put(&text, name->bytes, min_size(name->length, PICTURE_NAME_LIMIT), 0);
    return builder_keep(b, &text);
}

/* The number of a page that has a cell of its own. */
static bool picture_number(const void *context, uint32_t pid, uint64_t vpn, uint64_t *ret_number) {
    const struct picture *p = context;
    for (size_t i = 0; i < p->process_count; i++) {
        const struct picture_process *process = &p->processes[i];
        for (size_t j = 0; process->pid == pid && j < process->cell_count; j++) {
            const struct picture_cell *cell = &process->cells[j];
            if (cell->pages != 1 || cell->first.n != vpn)
                continue;
            *ret_number = cell->number;
            return true;
        }
    }
    return false;
}

static void builder_narration(struct builder *b, const char *caption) {
    const struct narrate_numbers numbers = {b->picture->real_numbers, picture_number, b->picture};
    struct text text = {0};
    if (caption)
        plain_put(&text, caption, strlen(caption), 0);
    else if (b->change_count)
        narrate_numbered(b->fold, &b->changes[b->change_count - 1], &numbers, &text);
    b->picture->narration = builder_keep(b, &text);
}

/* ---- the whole ---- */

static enum picture_kind kind_of(const struct fold *f, enum picture_kind wanted) {
    if (wanted == PICTURE_AUTO || wanted >= PICTURE_KINDS)
        return f->frame_total <= PICTURE_FRAMES ? PICTURE_TABLES : PICTURE_REGIONS;
    bool by_frame = wanted == PICTURE_TABLES || wanted == PICTURE_TABLE || wanted == PICTURE_SHARING;
    if (by_frame && f->frame_total > PICTURE_HEAT)
        return PICTURE_REGIONS;
    return wanted;
}

static void builder_machine(struct builder *b) {
    const struct fold *f = b->fold;
    *b->picture = (struct picture){
        .kind = kind_of(f, b->options->kind),
        .real_numbers = b->options->real_numbers,
        .sequence = f->sequence,
        .instruction = f->instruction,
        .frame_total = f->frame_total,
        .reserved_count = f->frames_by_use[EVENT_FRAME_RESERVED],
        .free_count = f->frames_by_use[EVENT_FRAME_FREE],
        .table_count = f->frames_by_use[EVENT_FRAME_TABLE],
        .swap_pages = f->swap_pages,
        .slots_used = f->slots_used,
        .narration = "",
    };
}

static void builder_all(struct builder *b, const char *caption) {
    builder_machine(b);
    builder_note_pages(b);
    builder_processes(b);
    builder_strips(b);
    builder_index(b);
    builder_files(b);
    builder_frames(b);
    builder_cell_places(b);
    builder_transfer(b);
    builder_windows(b);
    builder_marks(b);
    builder_narration(b, caption);
}

int picture_create(const struct fold *fold, const struct picture_options *options, const char *caption,
                   struct picture **ret_picture) {
    struct builder b = {.fold = fold, .options = options};
    b.picture = calloc(1, sizeof *b.picture);
    if (!b.picture)
        return -ENOMEM;
    b.change_count = min_size(options->change_count, PICTURE_CHANGES);
    b.changes = options->change_count ? options->changes + (options->change_count - b.change_count) : NULL;
    builder_all(&b, caption);
    map_free(&b.slots);
    map_free(&b.objects);
    if (b.failed) {
        picture_destroy(b.picture);
        return -ENOMEM;
    }
    *ret_picture = b.picture;
    return 0;
}

void picture_destroy(struct picture *p) {
    if (!p)
        return;
    for (size_t i = 0; i < p->process_count; i++)
        free(p->processes[i].cells);
    free(p->processes);
    free(p->frames);
    free(p->files);
    free(p->slots);
    while (p->texts) {
        struct picture_text *next = p->texts->next;
        free(p->texts->bytes);
        free(p->texts);
        p->texts = next;
    }
    free(p);
}

void picture_access_text(unsigned access, char text[4]) {
    text[0] = access & ACCESS_READ ? 'r' : '-';
    text[1] = access & ACCESS_WRITE ? 'w' : '-';
    text[2] = access & ACCESS_EXEC ? 'x' : '-';
    text[3] = 0;
}
