/* Which pages of long files and of a large swap area are drawn: a window that begins at a multiple of its
 * length, so that it does not move with every step, and holds the page that matters most. */
#include <stdlib.h>

#include "base/base.h"
#include "view/picture-build.h"

/* The page of an object that this step is about. */
static bool changed_page(const struct builder *b, uint64_t object, uint64_t *ret_page) {
    for (size_t i = b->change_count; i-- > 0;) {
        const struct event *e = &b->changes[i];
        if ((e->kind == EVENT_FILE_READ || e->kind == EVENT_WRITE_BACK) && e->args[1] == object) {
            *ret_page = e->args[2];
            return true;
        }
    }
    return false;
}

/* The lowest page of a file that some cell of the picture has touched; failing that, one that is mapped. */
static uint64_t lowest_page(const struct picture *p, uint32_t file) {
    uint64_t touched = UINT64_MAX, mapped = UINT64_MAX;
    for (size_t i = 0; i < p->process_count; i++) {
        for (size_t j = 0; j < p->processes[i].cell_count; j++) {
            const struct picture_cell *c = &p->processes[i].cells[j];
            if (c->disk.source != SOURCE_FILE || c->disk.file != file)
                continue;
            mapped = min_u64(mapped, c->disk.page);
            touched = c->touched ? min_u64(touched, c->disk.page) : touched;
        }
    }
    return touched != UINT64_MAX ? touched : mapped != UINT64_MAX ? mapped : 0;
}

static void file_window(const struct builder *b, uint32_t index) {
    struct picture_file *file = &b->picture->files[index];
    file->shown = min_u64(file->pages, PICTURE_FILE_PAGES);
    uint64_t page;
    if (file->pages <= PICTURE_FILE_PAGES)
        return;
    if (!file->object || !changed_page(b, file->object, &page))
        page = lowest_page(b->picture, index);
    page = min_u64(page, file->pages - 1);
    file->first = page - page % PICTURE_FILE_PAGES;
    file->shown = min_u64(PICTURE_FILE_PAGES, file->pages - file->first);
}

/* The slot that this step is about; else the lowest that a cell points at; else the lowest in use. */
static uint64_t telling_slot(const struct builder *b) {
    for (size_t i = b->change_count; i-- > 0;) {
        const struct event *e = &b->changes[i];
        if (e->kind == EVENT_SWAP_OUT || e->kind == EVENT_SWAP_IN)
            return e->args[1];
        if (e->kind == EVENT_SLOT)
            return e->args[0];
    }
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < b->picture->process_count; i++)
        for (size_t j = 0; j < b->picture->processes[i].cell_count; j++) {
            const struct picture_disk *disk = &b->picture->processes[i].cells[j].disk;
            if (disk->source == SOURCE_ANONYMOUS && disk->has_page)
                lowest = min_u64(lowest, disk->page);
        }
    return lowest == UINT64_MAX ? 0 : lowest;
}

static void swap_window(struct builder *b) {
    struct picture *p = b->picture;
    uint64_t slot = p->swap_pages ? min_u64(telling_slot(b), p->swap_pages - 1) : 0;
    p->first_slot = slot - slot % PICTURE_SWAP_PAGES;
    p->slot_count = (size_t)min_u64(PICTURE_SWAP_PAGES, p->swap_pages - p->first_slot);
    p->slots = calloc(max_size(p->slot_count, 1), sizeof *p->slots);
    if (!p->slots) {
        p->slot_count = 0;
        b->failed = true;
    }
    for (size_t i = 0; i < p->slot_count; i++) {
        struct fold_slot state = fold_slot(b->fold, (uint32_t)(p->first_slot + i));
        p->slots[i] = (struct picture_slot){.used = state.used, .written = state.used && state.written};
    }
}

void builder_windows(struct builder *b) {
    for (size_t i = 0; i < b->picture->file_count; i++)
        file_window(b, (uint32_t)i);
    swap_window(b);
}
