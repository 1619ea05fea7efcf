/* What of a picture stands on the disk: the files, and for each page the place that it came from.
 *
 * A frame does not say which disk page it holds; the identity of its page does. A file's page is (generation
 * of its object, index). An anonymous page has a place only when a slot was assigned to it: slots remember
 * identities, and those of the pages in memory are looked up the other way round. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "view/picture-build.h"

static const uint64_t no_slot = UINT64_MAX;

static uint64_t generation_of(uint64_t page) {
    return page >> 36 & 0x7ffffff;
}

static uint64_t index_of(uint64_t page) {
    return page & 0xfffffffffULL;
}

/* ---- indexes ---- */

static void put(struct builder *b, struct map *map, uint64_t key, uint64_t value) {
    b->failed = map_put(map, key, value) || b->failed;
}

static void index_objects(struct builder *b) {
    for (size_t i = 0; i < b->fold->objects.count; i++) {
        const struct fold_object *o = b->fold->objects.entries[i].value;
        put(b, &b->objects, o->generation & 0x7ffffff, o->number);
    }
}

/* Only of pages that are in memory: there may be millions of slots, and a picture must be quick. */
static void index_slots(struct builder *b) {
    if (!b->fold->slots_used || b->fold->frame_total > PICTURE_HEAT)
        return;
    for (uint32_t i = 0; i < b->fold->frame_total; i++) {
        struct fold_frame frame = fold_frame(b->fold, i);
        if (frame.page)
            put(b, &b->slots, frame.page, no_slot);
    }
    for (uint64_t i = 0; i < sparse_chunks(&b->fold->slots); i++) {
        const struct fold_slot *chunk = b->fold->slots.chunks[i];
        for (uint64_t j = 0; chunk && j < SPARSE_CHUNK; j++)
            if (chunk[j].used && map_get(&b->slots, chunk[j].page, NULL))
                put(b, &b->slots, chunk[j].page, i * SPARSE_CHUNK + j);
    }
}

void builder_index(struct builder *b) {
    index_objects(b);
    index_slots(b);
}

/* ---- places ---- */

/* Shared memory is an object without a file: these are the names that Linux, too, shows for it. */
static bool is_file(const struct builder *b, const struct fold_object *o) {
    static const char *const memory[] = {"/dev/zero (deleted)", "/memfd:", "/SYSV"};
    const struct trace_text *path = fold_string(b->fold, o->path);
    for (size_t i = 0; path && i < ARRAY_LENGTH(memory); i++)
        if (strncmp(path->bytes, memory[i], strlen(memory[i])) == 0)
            return false;
    return true;
}

static uint32_t file_of_object(const struct builder *b, uint64_t object) {
    for (size_t i = 0; i < b->picture->file_count; i++)
        if (object && b->picture->files[i].object == object)
            return (uint32_t)i;
    return UINT32_MAX;
}

static struct picture_disk object_place(const struct builder *b, const struct fold_object *o, uint64_t page) {
    if (o && !is_file(b, o))
        return (struct picture_disk){.source = SOURCE_ANONYMOUS};
    return (struct picture_disk){SOURCE_FILE, file_of_object(b, o ? o->number : 0), page, true};
}

/* The slot that a page in memory has, or else where its object keeps it. */
static struct picture_disk page_place(const struct builder *b, uint64_t page) {
    uint64_t slot, object;
    if (map_get(&b->slots, page, &slot) && slot != no_slot)
        return (struct picture_disk){.source = SOURCE_ANONYMOUS, .page = slot, .has_page = true};
    if (!page_id_is_object((page_id_t){page}))
        return (struct picture_disk){.source = SOURCE_ANONYMOUS};
    bool known = map_get(&b->objects, generation_of(page), &object);
    return object_place(b, known ? fold_object(b->fold, object) : NULL, index_of(page));
}

struct picture_disk builder_frame_place(const struct builder *b, const struct fold_frame *frame) {
    switch (frame->use) {
    case EVENT_FRAME_ANONYMOUS:
    case EVENT_FRAME_CACHE: return page_place(b, frame->page);
    case EVENT_FRAME_TABLE: return (struct picture_disk){.source = SOURCE_TABLE};
    case EVENT_FRAME_RESERVED: return (struct picture_disk){.source = SOURCE_OS};
    case EVENT_FRAME_FREE:
    case EVENT_FRAME_KINDS: break;
    }
    return (struct picture_disk){.source = SOURCE_NONE};
}

static void cell_place(const struct builder *b, struct picture_cell *cell) {
    if (cell->pages == 1 && pte_is_present(cell->entry)) {
        struct fold_frame frame = fold_frame(b->fold, pte_pfn(cell->entry).n);
        cell->disk = builder_frame_place(b, &frame);
    } else if (cell->pages == 1 && pte_is_swapped(cell->entry)) {
        cell->disk = (struct picture_disk){
            .source = SOURCE_ANONYMOUS, .page = pte_slot(cell->entry).n, .has_page = true};
    } else if (cell->disk.source == SOURCE_FILE) {
        cell->disk = object_place(b, fold_object(b->fold, cell->object), cell->disk.page);
    }
}

void builder_cell_places(struct builder *b) {
    for (size_t i = 0; i < b->picture->process_count; i++)
        for (size_t j = 0; j < b->picture->processes[i].cell_count; j++)
            cell_place(b, &b->picture->processes[i].cells[j]);
}

void builder_transfer(struct builder *b) {
    const struct event *last = b->change_count ? &b->changes[b->change_count - 1] : NULL;
    struct picture_transfer *t = &b->picture->transfer;
    if (!last || last->args[0] >= b->fold->frame_total)
        return;
    if (last->kind == EVENT_SWAP_OUT || last->kind == EVENT_SWAP_IN)
        t->disk = (struct picture_disk){.source = SOURCE_ANONYMOUS, .page = last->args[1], .has_page = true};
    else if (last->kind == EVENT_FILE_READ || last->kind == EVENT_WRITE_BACK)
        t->disk = object_place(b, fold_object(b->fold, last->args[1]), last->args[2]);
    else
        return;
    t->shown = true;
    t->out = last->kind == EVENT_SWAP_OUT || last->kind == EVENT_WRITE_BACK;
    t->frame = (uint32_t)last->args[0];
}

/* ---- files ---- */

/* The newest object of this path; NULL: it is not mapped. */
static const struct fold_object *object_of_path(const struct builder *b, uint64_t path) {
    for (size_t i = b->fold->objects.count; i-- > 0;) {
        const struct fold_object *o = b->fold->objects.entries[i].value;
        if (builder_same_string(b, o->path, path))
            return o;
    }
    return NULL;
}

static struct picture_file *file_add(struct builder *b, uint64_t path, const struct fold_object *o) {
    if (b->picture->file_count == PICTURE_FILES) {
        b->picture->hidden_files++;
        return NULL;
    }
    struct picture_file *file = BUILDER_ADD(b, b->picture->files, b->picture->file_count);
    if (!file)
        return NULL;
    *file = (struct picture_file){.name = builder_name(b, path), .colour = PICTURE_COLOURS};
    if (o) {
        file->object = o->number;
        file->pages = o->pages;
    }
    return file;
}

/* Labelled files, whether they are mapped or not, by their position. */
static void files_labelled(struct builder *b) {
    const struct fold *f = b->fold;
    for (uint64_t position = 0; position < PICTURE_FILES; position++) {
        for (size_t i = 0; i < f->label_count; i++) {
            const struct fold_label *label = &f->labels[i];
            if (label->what != EVENT_LABEL_FILE || label->args[3] != position)
                continue;
            struct picture_file *file = file_add(b, label->args[0], object_of_path(b, label->args[0]));
            if (file && label->args[2])
                file->pages = label->args[2];
            if (file && label->args[4])
                file->colour = (unsigned)((label->args[4] - 1) % PICTURE_COLOURS);
        }
    }
}

/* The file that an object is gets into the picture, unless it is there. */
static void need_object(struct builder *b, struct sorted *needed, uint64_t number) {
    struct fold_object *o = sorted_get(&b->fold->objects, number);
    if (!o || sorted_get(needed, number) || file_of_object(b, number) != UINT32_MAX || !is_file(b, o))
        return;
    b->failed = sorted_add(needed, number, o, NULL) || b->failed;
}

static void need_of_cells(struct builder *b, struct sorted *needed) {
    for (size_t i = 0; i < b->picture->process_count; i++)
        for (size_t j = 0; j < b->picture->processes[i].cell_count; j++)
            need_object(b, needed, b->picture->processes[i].cells[j].object);
}

static void need_of_frames(struct builder *b, struct sorted *needed) {
    for (uint32_t i = 0; i < min_u64(b->fold->frame_total, PICTURE_HEAT); i++) {
        struct fold_frame frame = fold_frame(b->fold, i);
        uint64_t object;
        if (frame.use == EVENT_FRAME_CACHE && map_get(&b->objects, generation_of(frame.page), &object))
            need_object(b, needed, object);
    }
}

/* Colours that were asked for stay; the others follow the object's number, so that a file keeps its colour
 * while others come and go, and move on only when another file has it. */
static void files_colour(struct picture *p) {
    bool taken[PICTURE_COLOURS + 1] = {false};
    for (size_t i = 0; i < p->file_count; i++)
        taken[p->files[i].colour] = true;
    for (size_t i = 0; i < p->file_count; i++) {
        struct picture_file *file = &p->files[i];
        if (file->colour < PICTURE_COLOURS)
            continue;
        unsigned wanted = (unsigned)((file->object ? file->object - 1 : i) % PICTURE_COLOURS), tries = 0;
        while (taken[wanted] && ++tries < PICTURE_COLOURS)
            wanted = (wanted + 1) % PICTURE_COLOURS;
        file->colour = wanted;
        taken[wanted] = true;
    }
}

static bool is_initial(const struct picture *p, char c) {
    for (size_t i = 0; i < p->file_count; i++)
        if (p->files[i].initial == c)
            return true;
    return false;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The first letter of the name that no other file has; never a digit, which would look like a page's number.
 * Nearly every library's name begins with "lib". */
static char choose_initial(const struct picture *p, const char *name) {
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    if (strncmp(base, "lib", 3) == 0)
        base += 3;
    for (; *base; base++)
        if (is_letter(*base) && !is_initial(p, *base))
            return *base;
    for (char c = 'A'; c <= 'Z'; c++)
        if (!is_initial(p, c))
            return c;
    return '?';
}

void builder_files(struct builder *b) {
    struct picture *p = b->picture;
    struct sorted needed = {0};
    files_labelled(b);
    need_of_cells(b, &needed);
    need_of_frames(b, &needed);
    for (size_t i = 0; i < needed.count; i++) {
        const struct fold_object *o = needed.entries[i].value;
        file_add(b, o->path, o);
    }
    free(needed.entries);
    files_colour(p);
    for (size_t i = 0; i < p->file_count; i++)
        p->files[i].initial = choose_initial(p, p->files[i].name);
}
